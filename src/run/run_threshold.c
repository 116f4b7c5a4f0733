/* --threshold: from which probability of class 1 on class 1 is predicted. */
#include "run_parts.h"

#include "dtrain/base/log.h"
#include "dtrain/task/threshold.h"

#include <math.h>

/* The text has been checked by dt_settings_complete. */
static dt_threshold_rule rule_of(const dt_run *r)
{
    dt_threshold_rule rule;
    const dt_status status = dt_threshold_parse(&rule, r->settings.threshold);
    DT_ASSERT(status == DT_OK);
    return rule;
}

/* Without any weight of class 1 there is no recall, and no threshold to choose. */
DT_MUST_USE static dt_status check_weights(const dt_run *r)
{
    const dt_dataset *set = &r->sets[DT_VALIDATION];
    double largest = 0.0;
    if (set->w == NULL)
        return DT_OK;
    for (size_t i = 0; i < dt_dataset_own_rows(set); i++)
        if (set->y[i].label == 1)
            largest = fmax(largest, (double)set->w[i]);
    dt_comm_max_f64(r->comm, &largest, 1);
    if (largest > 0.0)
        return DT_OK;
    return dt_fail(DT_USAGE,
                   "--threshold %s needs validation rows of class 1, but all of them weigh 0; use "
                   "a number",
                   r->settings.threshold);
}

dt_status dt_run_check_threshold(const dt_run *r)
{
    const dt_threshold_rule rule = rule_of(r);
    const dt_dataset *train = &r->sets[DT_TRAIN], *validation = &r->sets[DT_VALIDATION];
    const char *text = r->settings.threshold;
    if (rule.kind == DT_THRESHOLD_NONE)
        return DT_OK;
    if (train->C == 0)
        return dt_fail(DT_USAGE,
                       "--threshold %s was given, but the targets are values; it requires two "
                       "classes",
                       text);
    if (train->C != 2)
        return dt_fail(DT_USAGE,
                       "--threshold %s was given, but there are %zu classes; it requires two", text,
                       train->C);
    if (!dt_threshold_needs_rows(&rule) || dt_run_has_folds(r)) /* each fold chooses its own */
        return DT_OK;
    if (validation->N == 0)
        return dt_fail(DT_USAGE,
                       "--threshold %s needs a validation set; use a number, or "
                       "--validation-split",
                       text);
    if (validation->class_rows[1] == 0)
        return dt_fail(DT_USAGE,
                       "--threshold %s needs validation rows of class 1, but there are none; use "
                       "a number",
                       text);
    return check_weights(r);
}

dt_status dt_run_set_threshold(dt_run *r)
{
    const dt_threshold_rule rule = rule_of(r);
    dt_network *network = &r->model.network;
    dt_status status = DT_OK;
    if (dt_run_has_folds(r) && dt_threshold_needs_rows(&rule)) /* no row is new to the ensemble */
        network->threshold = r->parts_threshold;
    else
        status =
            dt_trainer_set_threshold(network, r->comm, r->sets, &rule, (int)r->settings.threads);
    if (status == DT_OK && rule.kind != DT_THRESHOLD_NONE && isnan(network->threshold) && r->root)
        dt_log_warn("--threshold %s: no threshold reaches it on the validation set; the more "
                    "probable class is predicted",
                    r->settings.threshold);
    return status;
}
