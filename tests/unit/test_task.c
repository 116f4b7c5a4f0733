/* rooms: run */
#include "dtrain/task/task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/run/epoch_table.h"
#include "dtrain/run/settings.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const dt_task *const tasks[] = {&dt_classification, &dt_regression};
enum { TASKS = sizeof tasks / sizeof *tasks };

/* Whether a task has a metric or quality of the name. */
static bool is_of(const dt_task *task, const char *name)
{
    return dt_task_find_metric(dt_task_monitoring(task, name), name) != NULL;
}

static void assert_choice(const char *name)
{
    dt_settings settings;
    char option[64], found[64];
    (void)snprintf(option, sizeof option, "val_%s", name);
    dt_options_set_defaults(dt_settings_table(), &settings);
    if (dt_options_set(dt_settings_table(), &settings, "monitor", option) != DT_OK)
        fail_msg("%s", dt_status_text());
    (void)dt_options_format(found, sizeof found, dt_settings_option("monitor"), &settings);
    assert_string_equal(found, option);
}

/* --monitor accepts all that the tables have, and nothing else. */
static void test_names_of_monitor(void **state)
{
    (void)state;
    for (size_t t = 0; t < TASKS; t++) {
        for (size_t m = 0; m < tasks[t]->metric_count; m++)
            assert_choice(tasks[t]->metrics[m].name);
        for (size_t q = 0; q < tasks[t]->quality_count; q++)
            assert_choice(tasks[t]->qualities[q].name);
    }
    char names[] = DT_MONITOR_NAMES;
    for (char *name = strtok(names, "|"); name != NULL; name = strtok(NULL, "|")) {
        assert_memory_equal(name, "val_", 4);
        if (!is_of(tasks[0], name + 4) && !is_of(tasks[1], name + 4))
            fail_msg("no task has %s", name);
    }
}

/* A metric is monitored as it is; a quality becomes one more metric. */
static void test_monitoring(void **state)
{
    (void)state;
    for (size_t t = 0; t < TASKS; t++) {
        const dt_task *task = tasks[t];
        assert_ptr_equal(dt_task_monitoring(task, "nonsense"), task);
        for (size_t m = 0; m < task->metric_count; m++)
            assert_ptr_equal(dt_task_monitoring(task, task->metrics[m].name), task);
        for (size_t q = 0; q < task->quality_count; q++) {
            const dt_quality_kind *quality = &task->qualities[q];
            if (dt_task_find_metric(task, quality->name) != NULL)
                continue;
            const dt_task *with = dt_task_monitoring(task, quality->name);
            const dt_metric *metric = dt_task_find_metric(with, quality->name);
            assert_ptr_equal(metric, &with->metrics[task->metric_count]);
            assert_ptr_equal(metric->quality, quality);
            assert_int_equal(metric->larger_is_better, quality->larger_is_better);
            assert_int_equal(metric->offset, offsetof(dt_metrics, monitored));
            assert_int_equal(with->metric_count, task->metric_count);
            assert_ptr_equal(dt_task_monitoring(task, quality->name), with);
            assert_memory_equal(with->metrics, task->metrics,
                                task->metric_count * sizeof *task->metrics);
        }
    }
    const dt_task *auc = dt_task_monitoring(&dt_classification, "roc_auc");
    assert_ptr_not_equal(dt_task_monitoring(&dt_classification, "f1"), auc);
    assert_string_equal(auc->metrics[auc->metric_count].name, "roc_auc");
    assert_ptr_equal(dt_task_monitoring(&dt_classification, "r2"), &dt_classification);
}

static const dt_h5_column *find_column(const dt_h5_table *table, const char *name)
{
    for (size_t c = 0; c < table->column_count; c++)
        if (strcmp(table->columns[c].name, name) == 0)
            return &table->columns[c];
    return NULL;
}

static void test_columns(void **state)
{
    (void)state;
    dt_epoch_table plain, with;
    const dt_h5_table *without = dt_epoch_table_init(&plain, &dt_classification);
    const dt_h5_table *table =
        dt_epoch_table_init(&with, dt_task_monitoring(&dt_classification, "roc_auc"));
    assert_int_equal(table->column_count, without->column_count + 1);
    assert_null(find_column(without, "val_roc_auc"));
    assert_null(find_column(table, "train_roc_auc"));
    const dt_h5_column *column = find_column(table, "val_roc_auc");
    assert_non_null(column);
    assert_int_equal(column->offset, offsetof(dt_epoch, validation.monitored));
    for (size_t c = 0; c < without->column_count; c++)
        assert_non_null(find_column(table, without->columns[c].name));
}

/* The number of checkpoints without a monitored quality is what it was; with one, it counts. */
static void test_crc_of_epochs(void **state)
{
    (void)state;
    dt_epoch epochs[2] = {{.epoch = 1, .validation = {.loss = 0.5, .monitored = 0.25}},
                          {.epoch = 2, .validation = {.loss = 0.4, .monitored = 0.5}}};
    const dt_task *auc = dt_task_monitoring(&dt_classification, "roc_auc");
    uint32_t plain = 0, with = 0, changed = 0, still = 0;
    assert_int_equal(dt_epoch_table_continue_crc(&plain, &dt_classification, epochs, 2), DT_OK);
    assert_int_equal(dt_epoch_table_continue_crc(&with, auc, epochs, 2), DT_OK);
    epochs[1].validation.monitored = 0.75;
    assert_int_equal(dt_epoch_table_continue_crc(&changed, auc, epochs, 2), DT_OK);
    assert_int_equal(dt_epoch_table_continue_crc(&still, &dt_classification, epochs, 2), DT_OK);
    assert_int_not_equal(with, plain);
    assert_int_not_equal(changed, with);
    assert_int_equal(still, plain);
}

static void test_values(void **state)
{
    (void)state;
    dt_metrics metrics = dt_metrics_none();
    const double *values = (const double *)&metrics;
    for (size_t i = 0; i < sizeof metrics / sizeof *values; i++)
        assert_true(isnan(values[i]));
    const dt_metric *r2 = dt_task_find_metric(dt_task_monitoring(&dt_regression, "r2"), "r2");
    dt_metric_set(&metrics, r2, 0.75);
    assert_true(metrics.monitored == 0.75 && isnan(metrics.loss));
    assert_true(dt_metric_value(&metrics, r2) == 0.75);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_monitor), cmocka_unit_test(test_monitoring),
        cmocka_unit_test(test_columns),          cmocka_unit_test(test_crc_of_epochs),
        cmocka_unit_test(test_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
