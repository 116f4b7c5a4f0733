/* rooms: report */
/* The numbers that runs are compared by, and their order. */
#include "with_cmocka.h"

#include "../../src/report/report_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A run that is under way, of three epochs, the second of which is its best. */
typedef struct made {
    dt_report_run run;
    dt_report_fact loss, values;
    char name[8], loss_option[24];
    double columns[REPORT_COLUMNS_MAX][3];
} made;

static dt_report_run *make(made *out, const dt_task *task, const char *loss, double values,
                           double val_loss, double val_measure)
{
    static char running[] = "running", loss_name[] = "loss", values_name[] = "values", text[] = "";
    memset(out, 0, sizeof *out);
    (void)snprintf(out->loss_option, sizeof out->loss_option, "%s", loss);
    (void)snprintf(out->name, sizeof out->name, "run");
    out->loss = (dt_report_fact){loss_name, out->loss_option, NAN};
    out->values = (dt_report_fact){values_name, text, values};
    out->run = (dt_report_run){.task = task,
                               .name = out->name,
                               .status = running,
                               .config = {1, &out->loss},
                               .data = {1, &out->values},
                               .epochs = {.rows = 3}};
    for (size_t c = 0; c < REPORT_COLUMNS_MAX; c++)
        out->run.epochs.columns[c] = out->columns[c];
    for (size_t i = 0; i < 3; i++)
        out->columns[EPOCH_NUMBER][i] = (double)i + 1.0;
    out->columns[EPOCH_IMPROVED][1] = 1.0;
    out->columns[EPOCH_VAL(0)][1] = val_loss;
    out->columns[EPOCH_VAL(1)][1] = val_measure;
    return &out->run;
}

static size_t find(const dt_report_keys *keys, const char *name)
{
    size_t found = 0;
    for (size_t i = 0; i < keys->count; i++)
        found += strcmp(keys->names[i], name) == 0;
    return found;
}

static void keys_are_of_the_tasks(void **state)
{
    (void)state;
    made a, b;
    dt_report_run *const runs[] = {make(&a, &dt_classification, "cross-entropy", NAN, 0.5, 0.8),
                                   make(&b, &dt_regression, "mse", 1.0, 0.5, 7.0)};
    dt_report_keys keys;
    dt_report_list_keys(&keys, runs, 1);
    assert_int_equal(keys.count, 43);
    assert_int_equal(find(&keys, "threshold"), 1);
    assert_int_equal(find(&keys, "test_majority_accuracy"), 1);
    assert_int_equal(find(&keys, "val_rmse"), 0);
    dt_report_list_keys(&keys, runs + 1, 1);
    assert_int_equal(find(&keys, "val_rmse") + find(&keys, "train_baseline_rmse"), 2);
    assert_int_equal(find(&keys, "val_accuracy") + find(&keys, "threshold"), 0);
    dt_report_list_keys(&keys, runs, 2);
    for (size_t i = 0; i < keys.count; i++)
        assert_int_equal(find(&keys, keys.names[i]), 1);
    assert_int_equal(find(&keys, "val_loss") + find(&keys, "val_rmse"), 2);
    assert_string_equal(keys.names[0], "epochs");
    assert_string_equal(keys.names[keys.count - 1], "weights_crc");
}

static void the_tasks_say_what_is_better(void **state)
{
    (void)state;
    static const char *const larger[] = {"val_accuracy",
                                         "test_r2",
                                         "train_f1",
                                         "test_roc_auc",
                                         "test_explained_variance",
                                         "test_majority_accuracy",
                                         "samples_per_second"};
    static const char *const smaller[] = {"val_loss",  "test_rmse",    "test_baseline_rmse",
                                          "val_mae",   "test_pinball", "seconds",
                                          "test_brier"};
    for (size_t i = 0; i < sizeof larger / sizeof *larger; i++) {
        assert_false(dt_report_smaller_is_better(larger[i]));
        assert_true(dt_report_smaller_is_better(smaller[i]));
    }
}

static void a_run_under_way_has_its_best_epoch(void **state)
{
    (void)state;
    made m;
    const dt_report_run *run = make(&m, &dt_regression, "mse", 1.0, 0.5, 7.0);
    assert_float_equal(dt_report_value(run, "val_loss"), 0.5, 0.0);
    assert_float_equal(dt_report_value(run, "val_rmse"), 7.0, 0.0);
    assert_float_equal(dt_report_value(run, "best_epoch"), 2.0, 0.0);
    assert_true(isnan(dt_report_value(run, "val_accuracy")));
    assert_true(isnan(dt_report_value(run, "val_r2")));
    assert_true(isnan(dt_report_value(run, "test_rmse")));
}

static void a_baseline_in_other_units_is_not_shown(void **state)
{
    (void)state;
    static char name[] = "baseline_rmse", text[] = "";
    dt_report_fact fact = {name, text, 9.0};
    for (int values = 1; values <= 2; values++) {
        made m;
        dt_report_run *run = make(&m, &dt_regression, "mse", values, 0.5, 7.0);
        run->sets[SET_TEST] = (dt_report_set){.there = true, .qualities = {1, &fact}};
        assert_true(isnan(dt_report_value(run, "test_baseline_rmse")) == (values == 2));
        assert_string_equal(dt_report_unit(&run, 1, &run->task->metrics[1]),
                            values == 1 ? "units of the target"
                                        : "standard deviations of the target");
    }
}

static void tasks_stand_together(void **state)
{
    (void)state;
    made m[4];
    dt_report_run *runs[] = {make(&m[0], &dt_regression, "mse", 1.0, 0.3, 5.0),
                             make(&m[1], &dt_classification, "cross-entropy", NAN, 0.9, 0.7),
                             make(&m[2], &dt_regression, "mse", 1.0, 0.2, 6.0),
                             make(&m[3], &dt_classification, "cross-entropy", NAN, 0.8, 0.6)};
    assert_int_equal(dt_report_sort(runs, 4, NULL), DT_OK);
    const made *const by_loss[] = {&m[3], &m[1], &m[2], &m[0]};
    for (size_t i = 0; i < 4; i++) {
        assert_ptr_equal(runs[i], &by_loss[i]->run);
        assert_int_equal(runs[i]->number, i + 1);
    }
    assert_int_equal(dt_report_group(runs, 4), 2);
    assert_int_equal(dt_report_group(runs + 2, 2), 2);
    (void)snprintf(m[2].loss_option, sizeof m[2].loss_option, "huber");
    assert_string_equal(dt_report_unit(runs + 2, 2, &dt_regression.metrics[0]), "");
    assert_int_equal(dt_report_sort(runs, 4, NULL), DT_OK); /* by RMSE: losses differ */
    assert_ptr_equal(runs[2], &m[0].run);
    assert_int_equal(dt_report_sort(runs, 4, "val_loss"), DT_OK);
    assert_ptr_equal(runs[2], &m[2].run);
    assert_int_equal(dt_report_sort(runs, 4, "val_r2"), DT_OK); /* which no run has yet */
    assert_int_equal(dt_report_sort(runs, 4, "val_r3"), DT_USAGE);
}

static void numbers_of_any_size(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } known[] = {{0.25, "0.2500"},     {-3.5, "-3.5000"},     {8216.4241, "8216.42"},
                 {123456.7, "123457"}, {1.5e9, "1500000000"}, {0.000123456, "0.000123"},
                 {-0.0001, "-0.0001"}, {0.0, "0.0000"},       {NAN, "-"}};
    char text[64];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_string_equal(dt_report_format(text, sizeof text, "val_rmse", known[i].value),
                            known[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_of_the_tasks),
        cmocka_unit_test(the_tasks_say_what_is_better),
        cmocka_unit_test(a_run_under_way_has_its_best_epoch),
        cmocka_unit_test(a_baseline_in_other_units_is_not_shown),
        cmocka_unit_test(tasks_stand_together),
        cmocka_unit_test(numbers_of_any_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
