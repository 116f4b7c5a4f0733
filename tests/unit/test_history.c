/* rooms: run */
#include "dtrain/run/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "checkpoint_fixture.h"
#include "h5_files.h"

#include "dtrain/base/crc32.h"
#include "dtrain/base/fault.h"

#include <math.h>

static const dt_environment environment = {
    .launch = {.host = "node17.cluster", .host_count = 3}, .ranks = 24, .threads = 1};

static void add(dt_history *history, int64_t count)
{
    for (int64_t e = 0; e < count; e++) {
        const dt_epoch row = kept_epoch((int64_t)history->epoch_count + 1);
        assert_ok(dt_history_add_epoch(history, &row));
    }
}

static uint32_t crc_of(const dt_history *history)
{
    uint32_t crc = 0;
    assert_ok(dt_history_crc(&crc, history, &dt_classification));
    return crc;
}

/* Writes it into file.h5 and reads that. */
static dt_history read_back(const dt_history *history)
{
    dt_h5 *h5 = NULL;
    dt_history back;
    assert_ok(dt_h5_new(&h5));
    assert_ok(dt_history_write(h5, history, &dt_classification));
    assert_ok(dt_h5_save(h5, scratch_path("file.h5")));
    dt_h5_free(h5);
    assert_ok(dt_h5_open(&h5, scratch_path("file.h5")));
    assert_ok(dt_history_read(&back, h5, &dt_classification));
    dt_h5_free(h5);
    return back;
}

static void check_round_trip(const dt_history *history)
{
    dt_history back = read_back(history);
    assert_true(same_history(&back, history));
    assert_int_equal(crc_of(&back), crc_of(history));
    dt_history_clear(&back);
}

static void test_it_grows(void **state)
{
    (void)state;
    dt_history history = {0};
    dt_history_clear(&history); /* a zeroed one is allowed */
    check_round_trip(&history);
    for (int64_t e = 1; e <= 3000; e++) {
        add(&history, 1);
        assert_true(history.epoch_capacity >= history.epoch_count);
    }
    assert_int_equal(history.epoch_count, 3000);
    for (int64_t e = 1; e <= 3000; e++) {
        const dt_epoch expected = kept_epoch(e);
        assert_true(same_epoch(&history.epochs[e - 1], &expected));
    }
    check_round_trip(&history);
    dt_history_clear(&history);
    assert_null(history.epochs);
    assert_int_equal(history.epoch_count, 0);
}

/* What was read is gone on with, at whatever number of epochs it stopped. */
static void test_going_on(void **state)
{
    (void)state;
    static const int64_t counts[] = {0, 1, 63, 64, 65, 200};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        dt_history whole = {0}, part = {0};
        add(&whole, counts[i] + 70);
        add(&part, counts[i]);
        assert_ok(dt_history_add_session(&whole, &environment, NULL));
        part.sessions = NULL;
        dt_history back = read_back(&part);
        dt_history_clear(&part);
        add(&back, 70);
        assert_ok(dt_history_add_session(&back, &environment, NULL));
        memcpy(back.sessions[0].started, whole.sessions[0].started,
               sizeof back.sessions[0].started);
        assert_true(same_history(&back, &whole));
        assert_int_equal(crc_of(&back), crc_of(&whole));
        check_round_trip(&back);
        dt_history_clear(&back);
        dt_history_clear(&whole);
    }
}

static void test_sessions(void **state)
{
    (void)state;
    dt_history history = {0};
    dt_environment long_name = environment;
    memset(long_name.launch.host, 'h', sizeof long_name.launch.host - 1);
    const dt_training training = {.epoch = 5, .rows = 12345678901};
    assert_int_equal(unsetenv("SLURM_JOB_ID"), 0);
    assert_ok(dt_history_add_session(&history, &environment, NULL));
    assert_int_equal(setenv("SLURM_JOB_ID", "4711", 1), 0);
    assert_ok(dt_history_add_session(&history, &environment, &training));
    assert_int_equal(setenv("SLURM_JOB_ID", "0123456789012345678901234567890123456789 and more", 1),
                     0);
    assert_ok(dt_history_add_session(&history, &long_name, &training));
    assert_int_equal(unsetenv("SLURM_JOB_ID"), 0);
    assert_int_equal(history.session_count, 3);
    const dt_session *s = history.sessions;
    assert_int_equal(s[0].epoch, 1);
    assert_int_equal(s[0].rows, 0);
    assert_int_equal(s[0].ranks, 24);
    assert_int_equal(s[0].hosts, 3);
    assert_string_equal(s[0].host, "node17.cluster");
    assert_string_equal(s[0].slurm_job_id, "");
    assert_int_equal(s[1].epoch, 5);
    assert_int_equal(s[1].rows, 12345678901);
    assert_string_equal(s[1].slurm_job_id, "4711");
    assert_string_equal(s[2].slurm_job_id, "0123456789012345678901234567890"); /* cut off */
    assert_int_equal(strlen(s[2].host), sizeof long_name.launch.host - 1);
    for (int i = 0; i < 3; i++) {
        int year = 0, day = 0, length = 0;
        assert_int_equal(
            sscanf(s[i].started, "%4d-%*2d-%2dT%*2d:%*2d:%*2dZ%n", &year, &day, &length), 2);
        assert_true(length == 20 && s[i].started[length] == '\0' && year >= 2024);
    }
    check_round_trip(&history);
    dt_history_clear(&history);
}

/* Every number, and the end of every text. */
static void test_the_crc_sees_each_change(void **state)
{
    (void)state;
    dt_history history = {0};
    add(&history, 3);
    assert_ok(dt_history_add_session(&history, &environment, NULL));
    const uint32_t crc = crc_of(&history);
    assert_int_equal(crc_of(&history), crc);
    dt_epoch *e = &history.epochs[1];
    dt_session *s = &history.sessions[0];
#define sees(place, other)                                                                         \
    do {                                                                                           \
        const __typeof__(place) was_ = (place);                                                    \
        (place) = (other);                                                                         \
        if (crc_of(&history) == crc)                                                               \
            fail_msg("%s may change unseen", #place);                                              \
        (place) = was_;                                                                            \
        assert_int_equal(crc_of(&history), crc);                                                   \
    } while (0)
    sees(e->epoch, 7);
    sees(e->train.loss, nextafter(was_, 0));
    sees(e->train.accuracy, NAN);
    sees(e->validation.loss, -was_);
    sees(e->validation.accuracy, 0);
    sees(e->learning_rate, 2 * was_);
    sees(e->seconds, nextafter(was_, 1e9));
    sees(e->samples_per_second, 1);
    sees(e->weights_crc, was_ ^ 1u);
    sees(e->improved, !was_);
    sees(s->epoch, 2);
    sees(s->rows, 1);
    sees(s->ranks, 25);
    sees(s->hosts, 4);
    sees(s->started[19], 'X');
    sees(s->host[13], 'x');
    sees(s->slurm_job_id[0], '1');
    sees(history.epoch_count, 2);
    sees(history.session_count, 0);
#undef sees
    dt_history_clear(&history);
}

/* Checkpoints of one version have one CRC-32: with eight places for metrics. */
static void test_the_crc_of_a_version(void **state)
{
    (void)state;
    struct {
        int64_t epoch;
        double train[8], validation[8], learning_rate, seconds, samples_per_second;
        uint32_t weights_crc;
        int32_t improved;
    } rows[3];
    dt_history history = {0};
    add(&history, 3);
    memset(rows, 0, sizeof rows);
    for (size_t i = 0; i < 3; i++) {
        const dt_epoch *e = &history.epochs[i];
        rows[i].epoch = e->epoch;
        rows[i].train[0] = e->train.loss;
        rows[i].train[1] = e->train.accuracy;
        rows[i].validation[0] = e->validation.loss;
        rows[i].validation[1] = e->validation.accuracy;
        rows[i].learning_rate = e->learning_rate;
        rows[i].seconds = e->seconds;
        rows[i].samples_per_second = e->samples_per_second;
        rows[i].weights_crc = e->weights_crc;
        rows[i].improved = e->improved;
    }
    assert_int_equal(crc_of(&history), dt_crc32(0, rows, sizeof rows));
    dt_history_clear(&history);
}

static bool no_memory(const char *point)
{
    return strcmp(point, "allocate") == 0;
}

static void test_no_memory(void **state)
{
    (void)state;
    dt_history history = {0};
    const dt_epoch row = kept_epoch(65);
    add(&history, 64);
    assert_ok(dt_history_add_session(&history, &environment, NULL));
    const uint32_t crc = crc_of(&history);
    dt_fault_hook = no_memory;
    const dt_status of_epoch = dt_history_add_epoch(&history, &row);
    const dt_status of_session = dt_history_add_session(&history, &environment, NULL);
    dt_fault_hook = NULL;
    assert_int_equal(of_epoch, DT_MEMORY);
    assert_int_equal(of_session, DT_MEMORY);
    assert_int_equal(crc_of(&history), crc); /* as it was */
    add(&history, 1);
    assert_int_equal(history.epoch_count, 65);
    dt_history_clear(&history);
}

/* ---- files of others ---- */

static void refuse(void (*change)(hid_t file), const char *expected)
{
    dt_history history = {0}, back;
    dt_h5 *h5 = NULL;
    add(&history, 2);
    assert_ok(dt_history_add_session(&history, &environment, NULL));
    assert_ok(dt_h5_new(&h5));
    assert_ok(dt_history_write(h5, &history, &dt_classification));
    assert_ok(dt_h5_save(h5, scratch_path("file.h5")));
    dt_h5_free(h5);
    dt_history_clear(&history);
    hid_t file = H5Fopen(scratch_path("file.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    change(file);
    h5 = h5_reopen(file);
    assert_status(dt_history_read(&back, h5, &dt_classification), DT_DATA);
    if (strstr(dt_status_text(), expected) == NULL)
        fail_msg("no \"%s\" in: %s", expected, dt_status_text());
    assert_true(back.epochs == NULL && back.sessions == NULL && back.epoch_count == 0);
    dt_h5_free(h5);
}

static void no_epochs(hid_t file)
{
    assert_true(H5Ldelete(file, "/epochs", H5P_DEFAULT) >= 0);
}

static void no_sessions(hid_t file)
{
    assert_true(H5Ldelete(file, "/sessions", H5P_DEFAULT) >= 0);
}

static void a_group(hid_t file)
{
    no_epochs(file);
    h5_close_id(H5Gcreate2(file, "/epochs", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
}

static void numbers(hid_t file)
{
    const hsize_t two = 2;
    const double values[2] = {1, 2};
    no_epochs(file);
    h5_add_dataset(file, "/epochs", H5T_IEEE_F64LE, 1, &two, H5P_DEFAULT, H5T_NATIVE_DOUBLE,
                   values);
}

/* A table of as many columns, of which one is missing. */
static void other_columns(hid_t file)
{
    const hsize_t two = 2;
    const int64_t values[2] = {1, 2};
    hid_t row = H5Tcreate(H5T_COMPOUND, 8);
    assert_true(H5Tinsert(row, "epoch", 0, H5T_STD_I64LE) >= 0);
    no_sessions(file);
    h5_add_dataset(file, "/sessions", row, 1, &two, H5P_DEFAULT, row, values);
    h5_close_id(row);
}

static void test_other_files(void **state)
{
    (void)state;
    refuse(no_epochs, "/epochs");
    refuse(no_sessions, "/sessions");
    refuse(a_group, "/epochs");
    refuse(numbers, "/epochs");
    refuse(other_columns, "rows");
}

#define in_folder(test) cmocka_unit_test_teardown((test), scratch_empty)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(test_it_grows),
        in_folder(test_going_on),
        in_folder(test_sessions),
        in_folder(test_the_crc_sees_each_change),
        in_folder(test_the_crc_of_a_version),
        in_folder(test_no_memory),
        in_folder(test_other_files),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
