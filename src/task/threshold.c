#include "dtrain/task/threshold.h"

#include "class_keys.h"
#include "evaluation_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

dt_status dt_threshold_parse(dt_threshold_rule *out, const char *text)
{
    static const struct {
        const char *name;
        dt_threshold_kind kind;
    } forms[] = {{"recall=", DT_THRESHOLD_RECALL}, {"precision=", DT_THRESHOLD_PRECISION}};
    const char *number = text;
    char *end = NULL;
    *out = (dt_threshold_rule){.kind = DT_THRESHOLD_NONE};
    if (text[0] == '\0')
        return DT_OK;
    *out = (dt_threshold_rule){.kind = DT_THRESHOLD_F1};
    if (strcmp(text, "f1") == 0)
        return DT_OK;
    out->kind = DT_THRESHOLD_NUMBER;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strncmp(text, forms[i].name, strlen(forms[i].name)) == 0) {
            out->kind = forms[i].kind;
            number += strlen(forms[i].name);
        }
    out->number = strtod(number, &end);
    if (end != number && *end == '\0' && out->number > 0.0 && out->number <= 1.0)
        return DT_OK;
    return dt_fail(DT_USAGE,
                   "--threshold is %.80s; expected a probability, f1, recall=R or precision=R, "
                   "with numbers above 0 and at most 1",
                   text);
}

bool dt_threshold_needs_rows(const dt_threshold_rule *rule)
{
    return rule->kind != DT_THRESHOLD_NONE && rule->kind != DT_THRESHOLD_NUMBER;
}

/* Gathers the keys of all rows on rank 0. */
DT_MUST_USE static dt_status choose(double *out, const dt_comm *comm, const dt_scores *scores,
                                    const dt_threshold_rule *rule)
{
    dt_status status = DT_OK;
    dt_class_keys keys;
    const bool root = dt_comm_rank(comm) == 0;
    DT_TRY(dt_class_keys_init(&keys, comm, scores, root));
    dt_class_keys_collect(&keys, comm, scores, 1, 0);
    if (root) {
        const dt_curve_walk start = dt_class_keys_sort(&keys);
        *out = dt_curve_threshold(&start, rule);
    }
    dt_comm_broadcast(comm, out, sizeof *out);
out:
    dt_class_keys_clear(&keys);
    return status;
}

dt_status dt_threshold_of_set(double *out, const dt_comm *comm, const dt_network *network,
                              const dt_dataset *set, const dt_threshold_rule *rule, dt_pool *pool)
{
    dt_status status = DT_OK;
    dt_scores scores = {0};
    dt_metrics means;
    *out = NAN;
    DT_TRY(dt_scores_of_set(&scores, &means, comm, network, set, true, pool));
    DT_TRY(choose(out, comm, &scores, rule));
out:
    dt_scores_clear(&scores);
    return status;
}
