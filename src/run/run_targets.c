/* The targets of a run: task, loss, weights. */
#include "run_internal.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"

#include <stdio.h>
#include <string.h>

static int index_of_loss(const dt_loss *loss)
{
    int i = 0;
    while (dt_losses[i] != loss)
        i++;
    return i + 1;
}

dt_targets dt_run_expected_targets(const dt_run *r)
{
    if (r->settings.task == DT_TARGETS_AUTO && r->recipe.D > 0)
        return r->recipe.class_count > 0 ? DT_TARGETS_CLASSES : DT_TARGETS_VALUES;
    return dt_settings_targets(&r->settings);
}

/* "--loss mse is for regression ..." */
DT_MUST_USE static dt_status check_loss(const dt_settings *s, bool classes)
{
    const dt_loss *loss = dt_settings_loss(s);
    if (loss == NULL || loss->classes == classes)
        return DT_OK;
    return dt_fail(DT_USAGE,
                   "--loss %s is for %s, but the targets are %s; use --task %s, or another "
                   "--loss",
                   loss->option, dt_task_of(loss)->name, classes ? "classes" : "values",
                   dt_task_of(loss)->name);
}

static void append_name(char *names, size_t bytes, const char *name)
{
    const size_t used = strlen(names);
    (void)snprintf(names + used, bytes - used, ", val_%s", name);
}

DT_MUST_USE static dt_status check_monitor(const dt_settings *s)
{
    char asked[64];
    const dt_task *task = dt_settings_task(s);
    const dt_metric *metric = dt_settings_monitor(s);
    if (metric != NULL && strcmp(metric->name, "pinball") == 0 &&
        dt_settings_loss(s) != &dt_quantile)
        return dt_fail(DT_USAGE, "--monitor val_pinball requires --loss quantile");
    if (metric != NULL)
        return DT_OK;
    (void)dt_options_format(asked, sizeof asked, dt_settings_option("monitor"), s);
    char names[512] = "val_loss"; /* the first metric of all tasks */
    for (size_t m = 1; m < task->metric_count; m++)
        append_name(names, sizeof names, task->metrics[m].name);
    for (size_t q = 0; q < task->quality_count; q++)
        if (dt_task_find_metric(task, task->qualities[q].name) == NULL)
            append_name(names, sizeof names, task->qualities[q].name);
    return dt_fail(DT_USAGE, "--monitor %s is not a metric of a %s; expected one of %s", asked,
                   task->name, names);
}

/* Whether some loss has the number. */
static bool is_of_loss(const char *name)
{
    for (size_t i = 0; i < DT_LOSS_COUNT; i++)
        if (dt_losses[i]->number != NULL && strcmp(dt_losses[i]->number, name) == 0)
            return true;
    return false;
}

/* Whether the loss, or else the optimizer, has the number. */
static bool is_used(const dt_settings *s, const dt_option *option, bool of_loss)
{
    char name[64];
    const dt_loss *loss = dt_settings_loss(s);
    dt_optimizer optimizer = {.kind = dt_optimizer_kinds[s->optimizer]};
    if (of_loss)
        return loss->number != NULL && strcmp(option->name, loss->number) == 0;
    return dt_optimizer_number_at(&optimizer, dt_options_log_name(name, option)) != NULL;
}

/* A number that loss or optimizer ignores is an error. */
DT_MUST_USE static dt_status check_numbers(const dt_settings *s)
{
    const dt_option_table *table = dt_settings_table();
    for (size_t i = 0; i < table->count; i++) {
        const dt_option *option = &table->options[i];
        const char *fallback = option->kind == DT_OPTION_FLAG ? "no" : option->fallback;
        const bool of_loss = is_of_loss(option->name);
        const char *whose = of_loss ? "loss" : "optimizer";
        const char *which =
            of_loss ? dt_settings_loss(s)->option : dt_optimizer_kinds[s->optimizer]->name;
        char value[DT_OPTION_TEXT_BYTES];
        if ((option->flags & DT_SETTING_NUMBER) == 0 || is_used(s, option, of_loss) ||
            strcmp(dt_options_format(value, sizeof value, option, s), fallback) == 0)
            continue;
        if (option->kind == DT_OPTION_FLAG)
            return dt_fail(DT_USAGE,
                           "--%s was given, but --%s %s does not have it; use another --%s, or "
                           "remove --%s",
                           option->name, whose, which, whose, option->name);
        return dt_fail(DT_USAGE,
                       "--%s is %s, but --%s %s does not have it; use another --%s, or set --%s %s",
                       option->name, value, whose, which, whose, option->name, fallback);
    }
    if (s->nesterov && !(s->momentum > 0.0))
        return dt_fail(DT_USAGE, "--nesterov was given, but --momentum is 0; set --momentum to 0.9 "
                                 "or another value above 0, or remove --nesterov");
    return DT_OK;
}

dt_status dt_run_check_settings(const dt_settings *s)
{
    dt_status status = DT_OK;
    DT_TRY(check_loss(s, dt_settings_task(s)->classes));
    DT_TRY(check_monitor(s));
    DT_TRY(check_numbers(s));
out:
    return status;
}

dt_status dt_run_take_targets(dt_run *r)
{
    dt_status status = DT_OK;
    dt_settings *s = &r->settings;
    const dt_dataset *train = &r->sets[DT_TRAIN];
    const bool classes = train->C > 0;
    s->task = classes ? DT_TARGETS_CLASSES : DT_TARGETS_VALUES;
    if (s->loss == 0)
        s->loss = index_of_loss(dt_settings_task(s)->loss);
    DT_TRY(dt_comm_agree(r->comm, check_loss(s, classes)));
    DT_TRY(dt_run_take_weights(r));
    if (classes)
        goto out;
    DT_TRY(
        dt_comm_agree(r->comm, dt_memory_alloc(&r->scale, train->T, sizeof *r->scale, "scales")));
    DT_TRY(dt_dataset_measure(r->scale, r->comm, train));
    for (int p = 0; p < DT_SET_COUNT; p++)
        r->baseline_rmse[p] = dt_dataset_distance(r->comm, &r->sets[p], r->scale);
out:
    return status;
}

dt_status dt_run_set_loss(dt_run *r, const dt_target_scale *scale)
{
    const dt_loss *loss = dt_settings_loss(&r->settings);
    double number = loss->fallback;
    if (loss->number != NULL)
        (void)dt_settings_number(&number, &r->settings, loss->number);
    return dt_network_set_loss(&r->model.network, loss, number, scale);
}

void dt_run_take_loss(dt_run *r)
{
    const dt_network *network = &r->model.network;
    if (!dt_options_given(dt_settings_table(), &r->settings, "loss"))
        r->settings.loss = index_of_loss(network->loss);
}
