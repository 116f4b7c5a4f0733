/* rooms: run */
#include "dtrain/run/csv_log.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/log.h"
#include "scratch_folder.h"

#include <sys/stat.h>
#include <unistd.h>

/* What is in the file now. */
static const char *text_of(const char *path)
{
    static char text[4096];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    return text;
}

static dt_epoch epoch(int64_t number, double loss, double accuracy)
{
    return (dt_epoch){.epoch = number,
                      .train = {.loss = loss, .accuracy = accuracy},
                      .validation = {.loss = 2 * loss, .accuracy = accuracy / 2}};
}

static void test_lines(void **state)
{
    (void)state;
    dt_csv_log *log = NULL;
    const char *path = scratch_path("epochs.csv");
    const dt_epoch first = epoch(1, 0.1, 0.75), second = epoch(2, 1e-5, 1.0);
    assert_int_equal(dt_csv_log_open(&log, path, &dt_classification, true), DT_OK);
    assert_string_equal(text_of(path), "");
    assert_int_equal(dt_csv_log_close(log), DT_OK); /* a run that was refused leaves none */
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(dt_csv_log_open(&log, path, &dt_classification, true), DT_OK);
    dt_csv_log_add_epoch(log, &first); /* a line is there as soon as its epoch has ended */
    assert_string_equal(text_of(path), "epoch,accuracy,loss,val_accuracy,val_loss\n"
                                       "0,0.75,0.1,0.375,0.2\n");
    dt_csv_log_add_epoch(log, &second);
    assert_int_equal(dt_csv_log_close(log), DT_OK);
    assert_string_equal(text_of(path), "epoch,accuracy,loss,val_accuracy,val_loss\n"
                                       "0,0.75,0.1,0.375,0.2\n"
                                       "1,1,1e-05,0.5,2e-05\n");

    /* A monitored quality is of the validation set alone. */
    const dt_task *brier = dt_task_monitoring(&dt_classification, "brier");
    dt_epoch judged = epoch(1, 0.1, 0.75);
    judged.train.monitored = 9.0;
    judged.validation.monitored = 0.25;
    assert_int_equal(dt_csv_log_open(&log, path, brier, true), DT_OK);
    dt_csv_log_add_epoch(log, &judged);
    assert_int_equal(dt_csv_log_close(log), DT_OK);
    assert_string_equal(text_of(path), "epoch,accuracy,loss,val_accuracy,val_brier,val_loss\n"
                                       "0,0.75,0.1,0.375,0.25,0.2\n");
    assert_int_equal(dt_csv_log_open(&log, path, &dt_classification, true), DT_OK);
    dt_csv_log_add_epoch(log, &second);
    assert_int_equal(dt_csv_log_close(log), DT_OK);

    /* Over it, without validation. */
    assert_int_equal(dt_csv_log_open(&log, path, &dt_classification, false), DT_OK);
    assert_int_equal(dt_csv_log_close(log), DT_OK); /* refused: the older file stays */
    assert_string_equal(strrchr(text_of(path), 'e'), "e-05\n");
    assert_int_equal(dt_csv_log_open(&log, path, &dt_classification, false), DT_OK);
    dt_csv_log_add_epoch(log, &first);
    assert_int_equal(dt_csv_log_close(log), DT_OK);
    assert_string_equal(text_of(path), "epoch,accuracy,loss\n0,0.75,0.1\n");
    assert_int_equal(mkfifo(scratch_path("pipe"), 0600), 0);
    assert_int_equal(dt_csv_log_open(&log, scratch_path("pipe"), &dt_classification, false),
                     DT_OUTPUT);
    assert_null(log);
    assert_int_equal(dt_csv_log_close(NULL), DT_OK);
}

/* Every double comes back, with no digit too many where a shorter one will do. */
static void test_doubles_come_back(void **state)
{
    (void)state;
    const double values[] = {1.0 / 3.0, 0.1 + 0.2,         5e-324,        1.7976931348623157e308,
                             -0.0,      2.302585092994046, 0.30000000004, 123456789.0};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        dt_csv_log *log = NULL;
        const char *path = scratch_path("doubles.csv");
        const dt_epoch row = {.epoch = 1, .train = {.loss = values[i], .accuracy = 0.5}};
        assert_int_equal(dt_csv_log_open(&log, path, &dt_classification, false), DT_OK);
        dt_csv_log_add_epoch(log, &row);
        assert_int_equal(dt_csv_log_close(log), DT_OK);
        const char *last = strrchr(text_of(path), ',');
        assert_non_null(last);
        const double back = strtod(last + 1, NULL);
        assert_memory_equal(&back, &values[i], sizeof back);
        assert_true(strlen(last + 1) <= 25);
    }
}

static void test_values_that_are_no_numbers(void **state)
{
    (void)state;
    dt_csv_log *log = NULL;
    const char *path = scratch_path("nan.csv");
    const dt_epoch row = {.epoch = 1, .train = {.loss = INFINITY, .accuracy = NAN}};
    assert_int_equal(dt_csv_log_open(&log, path, &dt_classification, false), DT_OK);
    dt_csv_log_add_epoch(log, &row);
    assert_int_equal(dt_csv_log_close(log), DT_OK);
    assert_string_equal(text_of(path), "epoch,accuracy,loss\n0,nan,inf\n");
}

static void test_it_cannot_be_opened(void **state)
{
    (void)state;
    dt_csv_log *log = (dt_csv_log *)&log;
    const char *const paths[] = {"/nowhere/epochs.csv", scratch_folder, ""};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        assert_int_equal(dt_csv_log_open(&log, paths[i], &dt_classification, true), DT_OUTPUT);
        assert_null(log);
        assert_non_null(strstr(dt_status_text(), ": cannot write: "));
    }
}

static void test_a_full_disk(void **state)
{
    (void)state;
    dt_csv_log *log = NULL;
    const dt_epoch row = epoch(1, 0.5, 0.5);
    if (access("/dev/full", W_OK) != 0)
        skip();
    dt_log_init(false, true); /* the warning is not what is tested here */
    assert_int_equal(dt_csv_log_open(&log, "/dev/full", &dt_classification, true), DT_OK);
    for (int i = 0; i < 1000; i++)
        dt_csv_log_add_epoch(log, &row);
    assert_int_equal(dt_csv_log_close(log), DT_OUTPUT);
    assert_string_equal(dt_status_text(),
                        "/dev/full: not all epochs could be written: No space left on device");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_doubles_come_back),
        cmocka_unit_test(test_values_that_are_no_numbers),
        cmocka_unit_test(test_it_cannot_be_opened),
        cmocka_unit_test(test_a_full_disk),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
