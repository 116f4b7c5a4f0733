/* rooms: run */
#include "dtrain/run/checkpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "checkpoint_files.h"

#include "dtrain/base/fault.h"

#include <errno.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what was saved is read ---- */

static void check_round_trip(const kept *k)
{
    const size_t P = k->network.P, bytes = P * sizeof(float);
    dt_checkpoint c;
    (void)checkpoint_save(k);
    assert_ok(checkpoint_read_back(&c, P));
    assert_true(same_training(&c.training, &k->training));
    assert_true(same_history(&c.history, &k->history));
    assert_memory_equal(c.params, k->network.params, bytes);
    assert_memory_equal(c.best, k->training.best, bytes);
    assert_memory_equal(c.optimizer.states[0], k->adam.states[0], bytes);
    assert_memory_equal(c.optimizer.states[1], k->adam.states[1], bytes);
    assert_ptr_equal(c.training.best, c.best);
    assert_int_equal(c.optimizer.step, k->adam.step);
    assert_true(same_bits(c.optimizer.numbers[0], k->adam.numbers[0]) &&
                same_bits(c.optimizer.numbers[1], k->adam.numbers[1]));
    assert_true(same_bits(c.optimizer.numbers[2], k->adam.numbers[2]));
    dt_checkpoint_clear(&c);
    assert_null(c.params);
    dt_checkpoint_clear(&c);
}

static void test_round_trip(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 7, 1000, 70001};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int64_t epochs = 0; epochs <= 3; epochs++) {
            kept *k = checkpoint_make(sizes[i], epochs);
            check_round_trip(k);
            kept_free(k);
        }
}

/* Numbers at the edges of what a training may come to. */
static void test_unusual_numbers(void **state)
{
    (void)state;
    kept *k = checkpoint_make(5, 400);
    for (size_t e = 0; e < k->history.epoch_count; e += 2)
        k->history.epochs[e].validation = (dt_metrics){.loss = NAN, .accuracy = -NAN};
    k->history.epochs[1].train.loss = INFINITY;
    k->history.epochs[3].samples_per_second = -0.0;
    k->training.stopping.best = NAN; /* a first value that was none: has_best says that it came */
    k->training.stopping.wait = 398;
    k->training.best_epoch = 1;
    k->training.rows = (uint64_t)1 << 40;
    k->training.tally =
        (dt_tally){.numbers = {[DT_TALLY_WEIGHT] = {((int64_t)1 << 40) - 1, 0},
                               [DT_TALLY_LOSS] = {((int64_t)1 << 40) + 1, ((int64_t)1 << 50) - 1},
                               [DT_TALLY_MEASURE_2] = {-3, -4}}};
    k->adam.step = ((int64_t)1 << 53) - 1;
    k->adam.numbers[2] = 0.0; /* as a Keras model to begin with may have it */
    k->adam.numbers[0] = 0.0;
    k->arrays[0] = -0.0f;
    k->arrays[1] = 1e-45f;
    k->arrays[2] = 3.4e38f;
    assert_ok(dt_history_add_session(&k->history, &k->environment, &k->training));
    check_round_trip(k);
    k->training.stopping = (dt_early_stopping){.has_best = true,
                                               .best = -0.0,
                                               .best_epoch = 2,
                                               .wait = 1,
                                               .stopped_epoch = 3,
                                               .baseline = NAN};
    check_round_trip(k);
    kept_free(k);
}

/* The rules are the settings', not the checkpoint's. */
static void test_no_rules_are_read(void **state)
{
    (void)state;
    kept *k = checkpoint_make(3, 2);
    dt_checkpoint c;
    k->training.stopping.patience = 9;
    k->training.stopping.min_delta = 0.5;
    (void)checkpoint_save(k);
    assert_ok(checkpoint_read_back(&c, 3));
    assert_true(isnan(c.training.stopping.baseline));
    assert_int_equal(c.training.stopping.start_from_epoch, 0);
    dt_checkpoint_clear(&c);
    kept_free(k);
}

/* The same state gives the same bytes, but for the time of day; and it has run.h5's facts. */
static void test_facts_are_there(void **state)
{
    (void)state;
    kept *k = checkpoint_make(4, 1);
    dt_h5 *h5 = NULL;
    int64_t value = 0;
    k->settings.batch = 123;
    (void)checkpoint_save(k);
    assert_ok(dt_checkpoint_open(&h5, scratch_folder));
    assert_ok(dt_h5_get_int(&value, h5, "/config", "batch"));
    assert_int_equal(value, 123);
    assert_ok(dt_h5_get_int(&value, h5, "/", "settings_crc32"));
    assert_int_equal(value, dt_settings_crc(&k->settings, NULL));
    assert_ok(dt_h5_get_int(&value, h5, "/data", "parameters"));
    assert_int_equal(value, 4);
    assert_int_equal(dt_h5_has(h5, "/data/members"), DT_H5_DATASET);
    assert_int_equal(dt_h5_has(h5, "/sessions"), DT_H5_DATASET);
    dt_h5_free(h5);
    kept_free(k);
}

/* ---- what is no checkpoint ---- */

static void write_h5(int64_t version)
{
    dt_h5 *h5 = NULL;
    assert_ok(dt_h5_new(&h5));
    if (version != 0)
        assert_ok(dt_h5_set_int(h5, "/", "checkpoint_version", version));
    assert_ok(dt_h5_save(h5, scratch_path("checkpoint.h5")));
    dt_h5_free(h5);
}

static void test_no_checkpoint(void **state)
{
    (void)state;
    dt_h5 *h5 = (dt_h5 *)(void *)scratch_folder;
    assert_data(dt_checkpoint_open(&h5, scratch_path("nowhere")), "nowhere: No such file");
    assert_null(h5);
    assert_data(dt_checkpoint_open(&h5, scratch_folder),
                ": no checkpoint.h5 in this folder: the run saved none; start a new run");
    assert_true(scratch_write(scratch_path("file"), "x", 1));
    assert_data(dt_checkpoint_open(&h5, scratch_path("file")),
                "file: expected the folder of a run's results, found a file");
    assert_true(scratch_write(scratch_path("checkpoint.h5"), "", 0));
    assert_data(dt_checkpoint_open(&h5, scratch_folder), "checkpoint.h5");
    assert_true(scratch_write(scratch_path("checkpoint.h5"), "PK\3\4", 4));
    assert_data(dt_checkpoint_open(&h5, scratch_folder), "checkpoint.h5");
    write_h5(0);
    assert_data(dt_checkpoint_open(&h5, scratch_folder),
                "checkpoint.h5: is an HDF5 file, but not a checkpoint");
    for (int64_t version = -1; version <= 4; version++)
        if (version != 0 && version != DT_CHECKPOINT_VERSION) {
            write_h5(version);
            assert_data(dt_checkpoint_open(&h5, scratch_folder), "checkpoint.h5: its version is ",
                        ", and this dtrain reads 3; resume with the dtrain that wrote it");
            assert_null(h5);
        }
    write_h5(DT_CHECKPOINT_VERSION); /* and nothing else */
    assert_checkpoint_refused(3, "/epochs");
    (void)unlink(scratch_path("checkpoint.h5"));
    assert_int_equal(mkdir(scratch_path("checkpoint.h5"), 0777), 0);
    assert_data(dt_checkpoint_open(&h5, scratch_folder), "checkpoint.h5");
    assert_int_equal(rmdir(scratch_path("checkpoint.h5")), 0);
    assert_null(h5);
}

static void test_other_parameters(void **state)
{
    (void)state;
    kept *k = checkpoint_make(10, 2);
    (void)checkpoint_save(k);
    assert_checkpoint_refused(
        9, "the file: /weights has 10 numbers, and the network has 9 parameters");
    assert_checkpoint_refused(
        11, "the file: /weights has 10 numbers, and the network has 11 parameters");
    assert_checkpoint_refused(SIZE_MAX / 4, "/weights has 10 numbers");
    kept_free(k);
}

/* ---- saving ---- */

static void test_a_folder_that_is_read_only(void **state)
{
    (void)state;
    kept *k = checkpoint_make(20, 1);
    for (int i = 0; i < 3; i++) { /* it can be written over, again and again */
        k->training.rows = 100 + (uint64_t)i;
        (void)checkpoint_save(k);
        assert_int_equal(scratch_count(false), 1);
    }
    if (geteuid() != 0) { /* root may write everywhere */
        const char *path = checkpoint_save(k);
        size_t before = 0, after = 0;
        unsigned char *was = scratch_read(path, &before);
        k->training.rows = 500;
        assert_int_equal(chmod(scratch_folder, 0555), 0);
        assert_status(kept_save(k, path), DT_OUTPUT);
        assert_int_equal(chmod(scratch_folder, 0755), 0);
        unsigned char *is = scratch_read(path, &after);
        assert_true(was != NULL && is != NULL && after == before && memcmp(is, was, before) == 0);
        free(was);
        free(is);
    }
    kept_free(k);
}

static const char *fault_point;
static int fault_calls, fault_at;

static bool fail_at(const char *point)
{
    if (strcmp(point, fault_point) != 0 || ++fault_calls != fault_at)
        return false;
    errno = ENOSPC;
    return true;
}

/* Each call that saving makes of the system fails once: no half file, the older one is there. */
static void test_every_call_may_fail(void **state)
{
    (void)state;
    static const char *const points[] = {"open", "write", "fsync", "rename", "allocate"};
    kept *k = checkpoint_make(20, 2);
    const char *path = checkpoint_save(k);
    size_t before = 0, after = 0;
    unsigned char *file = scratch_read(path, &before);
    k->training.rows = 555;
    for (size_t p = 0; p < sizeof points / sizeof *points; p++) {
        dt_status status = DT_OUTPUT;
        int failures = 0;
        fault_point = points[p];
        for (fault_at = 1; fault_at < 200 && status != DT_OK; fault_at++) {
            fault_calls = 0;
            dt_fault_hook = fail_at;
            status = kept_save(k, path);
            dt_fault_hook = NULL;
            unsigned char *now = scratch_read(path, &after);
            assert_non_null(now);
            const bool same = after == before && memcmp(now, file, before) == 0;
            free(now);
            assert_int_equal(scratch_count(false), 1);
            if (status != DT_OK) {
                failures++;
                assert_int_equal(status, p == 4 ? DT_MEMORY : DT_OUTPUT);
                /* The last fsync is that of the folder: the file is in place by then. */
                assert_true(same || (p == 2 && fault_at > 1));
            }
        }
        assert_true(failures > 0);
        k->training.rows = 300; /* as it was */
        (void)checkpoint_save(k);
        free(file);
        file = scratch_read(path, &before);
        k->training.rows = 555;
    }
    free(file);
    kept_free(k);
}

static void test_it_is_removed(void **state)
{
    (void)state;
    kept *k = checkpoint_make(2, 0);
    (void)checkpoint_save(k);
    assert_ok(dt_checkpoint_remove(scratch_folder));
    assert_int_equal(scratch_count(false), 0);
    assert_ok(dt_checkpoint_remove(scratch_folder)); /* there is none: fine */
    assert_ok(dt_checkpoint_remove(scratch_path("nowhere")));
    assert_int_equal(mkdir(scratch_path("checkpoint.h5"), 0777), 0);
    assert_status(dt_checkpoint_remove(scratch_folder), DT_OUTPUT);
    assert_non_null(strstr(dt_status_text(), "checkpoint.h5: cannot remove: "));
    assert_status(kept_save(k, scratch_path("checkpoint.h5")), DT_OUTPUT);
    assert_int_equal(rmdir(scratch_path("checkpoint.h5")), 0);
    assert_status(kept_save(k, scratch_path("nowhere/checkpoint.h5")), DT_OUTPUT);
    assert_int_equal(scratch_count(false), 0);
    kept_free(k);
}

#define in_folder(test) cmocka_unit_test_teardown((test), scratch_empty)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(test_round_trip),
        in_folder(test_unusual_numbers),
        in_folder(test_no_rules_are_read),
        in_folder(test_facts_are_there),
        in_folder(test_no_checkpoint),
        in_folder(test_other_parameters),
        in_folder(test_a_folder_that_is_read_only),
        in_folder(test_every_call_may_fail),
        in_folder(test_it_is_removed),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
