/* rooms: run */
#include "dtrain/run/checkpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "checkpoint_files.h"

#include "dtrain/base/crc32.h"

#include <math.h>
#include <sys/resource.h>

/* ---- damage ---- */

/* The file's own checksum, behind its end: the damage that it finds never gets any further. */
enum { SEAL_BYTES = 16 };

/* Changes one bit of the file where `bytes` bytes at `data` stand, at the byte `at` of them, and
 * takes the checksum of the file away. */
static void flip(const char *path, const void *data, size_t bytes, size_t at)
{
    size_t size = 0, found = SIZE_MAX, count = 0;
    unsigned char *file = scratch_read(path, &size);
    assert_non_null(file);
    for (size_t i = 0; i + bytes <= size; i++)
        if (memcmp(file + i, data, bytes) == 0) {
            found = i;
            count++;
        }
    assert_int_equal(count, 1); /* else it may be another's place */
    file[found + at] ^= 0x10;
    assert_true(scratch_write(path, file, size - SEAL_BYTES));
    free(file);
}

/* Each array, at its first and its last byte: of the same length, but another. */
static void test_each_array_has_a_crc(void **state)
{
    (void)state;
    enum { P = 50, BYTES = P * sizeof(float) };
    static const char *const names[] = {"/weights", "/best_weights", "/optimizer/m",
                                        "/optimizer/v"};
    kept *k = checkpoint_make(P, 3);
    for (size_t i = 0; i < 4; i++)
        for (size_t at = 0; at < BYTES; at += BYTES - 1) {
            const float *array = k->arrays + i * P;
            uint32_t was = 0, is = 0;
            char expected[128];
            flip(checkpoint_save(k), array, BYTES, at);
            dt_checkpoint c;
            assert_status(checkpoint_read_back(&c, P), DT_DATA);
            (void)snprintf(expected, sizeof expected, "the file: %s is damaged: its CRC-32 is ",
                           names[i]);
            assert_memory_equal(dt_status_text(), expected, strlen(expected));
            assert_int_equal(
                sscanf(dt_status_text() + strlen(expected), "%x, and was %x", &is, &was), 2);
            assert_int_not_equal(is, was);
        }
    kept_free(k);
}

static void test_tables_have_a_crc(void **state)
{
    (void)state;
    kept *k = checkpoint_make(3, 3);
    const double loss = k->history.epochs[1].train.loss, best = k->training.stopping.best;
    const uint32_t crc = k->history.epochs[2].weights_crc;
    flip(checkpoint_save(k), &loss, sizeof loss, 0);
    assert_checkpoint_refused(3, "the file: /epochs is damaged: its CRC-32 is ", ", and was ");
    flip(checkpoint_save(k), &crc, sizeof crc, 3);
    assert_checkpoint_refused(3, "the file: /epochs is damaged: its CRC-32 is ", ", and was ");
    flip(checkpoint_save(k), &best, sizeof best, 0);
    assert_checkpoint_refused(3, "the file: /state is damaged: its CRC-32 is ", ", and was ");
    flip(checkpoint_save(k), &k->training.tally.numbers[DT_TALLY_LOSS].low, sizeof(int64_t), 0);
    assert_checkpoint_refused(3, "the file: /state is damaged: its CRC-32 is ", ", and was ");
    flip(checkpoint_save(k), "\"beta_2\": 0.97", 14, 13);
    assert_checkpoint_refused(3, "the file: /optimizer is damaged: its CRC-32 is ", ", and was ");
    /* The time is in the file twice: with the host behind it, it is the session's. */
    flip(checkpoint_save(k), k->history.sessions[0].started, sizeof(((dt_session *)0)->started) + 6,
         3);
    assert_checkpoint_refused(3, " is damaged: its CRC-32 is ", ", and was ");
    kept_free(k);
}

/* Wherever the file is cut off, or a byte is another, there is an answer, and nothing leaks. */
static void test_any_damage(void **state)
{
    (void)state;
    kept *k = checkpoint_make(6, 2);
    const char *path = checkpoint_save(k);
    size_t size = 0, refused = 0;
    unsigned char *file = scratch_read(path, &size);
    assert_non_null(file);
    size -= SEAL_BYTES;
    dt_checkpoint c;
    for (size_t length = 0; length < size; length += 1 + size / 23) {
        assert_true(scratch_write(path, file, length));
        assert_data(checkpoint_read_back(&c, 6), "checkpoint.h5");
    }
    const uint32_t weight = dt_crc32(0, k->network.params, 6 * sizeof(float));
    for (size_t i = 0; i < 60; i++) {
        const size_t at = i * (size - 1) / 59;
        file[at] ^= (unsigned char)(1u << i % 8);
        assert_true(scratch_write(path, file, size));
        const dt_status status = checkpoint_read_back(&c, 6);
        assert_true(status == DT_OK || status == DT_DATA);
        refused += status == DT_DATA;
        if (status == DT_OK)
            assert_int_equal(dt_crc32(0, c.params, 6 * sizeof(float)), weight);
        dt_checkpoint_clear(&c);
        file[at] ^= (unsigned char)(1u << i % 8);
    }
    assert_true(refused > 0);
    free(file);
    kept_free(k);
}

/* ---- a right CRC does not make the numbers sane ---- */

static void test_epochs_in_order(void **state)
{
    (void)state;
    static const char wrong[] = "the file: /epochs lacks epochs before epoch 4, which /state is in";
    kept *k = checkpoint_make(4, 3);
    k->history.epochs[1].epoch = 3;
    (void)checkpoint_save(k);
    assert_checkpoint_refused(4, wrong);
    k->history.epochs[1].epoch = 2;
    k->history.epochs[0].epoch = 0;
    (void)checkpoint_save(k);
    assert_checkpoint_refused(4, wrong);
    k->history.epochs[0].epoch = 1;
    k->history.epoch_count = 2;
    (void)checkpoint_save(k);
    assert_checkpoint_refused(4, wrong);
    k->history.epoch_count = 3;
    k->training.epoch = 3;
    k->training.best_epoch = 2;
    (void)checkpoint_save(k);
    assert_checkpoint_refused(4,
                              "the file: /epochs lacks epochs before epoch 3, which /state is in");
    kept_free(k);
}

/* One field after the other gets a value that no training comes to. */
#define assert_insane_line(field, value, line)                                                     \
    do {                                                                                           \
        kept *k_ = checkpoint_make(4, 3);                                                          \
        k_->field = (value);                                                                       \
        (void)checkpoint_save(k_);                                                                 \
        dt_checkpoint insane_;                                                                     \
        const dt_status got_ = checkpoint_read_back(&insane_, 4);                                  \
        if (got_ != DT_DATA)                                                                       \
            fail_msg("%s = %s was taken", #field, #value);                                         \
        if (strstr(dt_status_text(), line) == NULL)                                                \
            fail_msg("%s = %s: %s", #field, #value, dt_status_text());                             \
        kept_free(k_);                                                                             \
    } while (0)

#define assert_insane(field, value)                                                                \
    assert_insane_line(field, value, "the file: /state has impossible numbers")

#define assert_insane_optimizer(field, value)                                                      \
    assert_insane_line(adam.field, value, "the file: its optimizer (adam): ")

static void test_insane_numbers(void **state)
{
    (void)state;
    assert_insane(training.epoch, 0);
    assert_insane(training.epoch, -1);
    assert_insane(training.epoch, INT64_MIN);
    assert_insane(training.rows, (uint64_t)INT64_MAX + 1);
    assert_insane(training.rows, UINT64_MAX);
    assert_insane(training.tally.outside, 1);
    assert_insane(training.tally.outside, -1);
    assert_insane(training.stopping.wait, -1);
    assert_insane(training.best_epoch, -1);
    assert_insane(training.best_epoch, 4); /* that is under way */
    assert_insane(training.best_epoch, INT64_MAX);
    assert_insane(training.epoch_s, -1.0);
    assert_insane(training.epoch_s, NAN);
    assert_insane(training.training_s, -1e-300);
    assert_insane(training.training_s, NAN);
    assert_insane_optimizer(step, -1);
    assert_insane_optimizer(step, INT64_MAX);
    assert_insane_optimizer(numbers[0], 1.0);
    assert_insane_optimizer(numbers[0], -0.1);
    assert_insane_optimizer(numbers[0], NAN);
    assert_insane_optimizer(numbers[1], 1.0);
    assert_insane_optimizer(numbers[1], INFINITY);
    assert_insane_optimizer(numbers[2], -1e-7);
    assert_insane_optimizer(numbers[2], NAN);
}

/* Those that a step would count on from, or that would be weights nobody trained. */
static void test_numbers_to_count_on_from(void **state)
{
    (void)state;
    assert_insane(training.best_epoch, 0); /* three epochs have ended */
    assert_insane(training.stopping.wait, 4);
    assert_insane(training.stopping.wait, INT64_MAX);
    assert_insane(training.tally.numbers[DT_TALLY_WEIGHT].high, -1000); /* below zero */
    assert_insane(training.tally.numbers[DT_TALLY_WEIGHT].low, INT64_MAX);
    assert_insane(training.tally.numbers[DT_TALLY_LOSS].low, INT64_MAX);
    assert_insane(training.tally.numbers[DT_TALLY_LOSS].high, INT64_MAX);
    assert_insane(training.tally.numbers[DT_TALLY_LOSS].high, INT64_MIN);
    assert_insane(training.tally.numbers[DT_TALLY_MEASURE].low, INT64_MIN);
    assert_insane(training.tally.numbers[DT_TALLY_MEASURE_2].high, INT64_MAX);
    assert_insane(training.epoch_s, INFINITY);
    assert_insane(training.training_s, INFINITY);
    assert_insane_optimizer(numbers[2], INFINITY);
}

/* The most that this process has held at any time by now, bytes. */
static long most_memory(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss * 1024;
}

/* Rows of a byte, packed to next to nothing: what they would be in memory is not to be believed. */
static void test_tables_of_other_forms(void **state)
{
    (void)state;
    static const char *const tables[] = {"/epochs", "/sessions", "/state"};
    const hsize_t rows = 3000000, chunk = 100000;
    for (size_t t = 0; t < 3; t++) {
        kept *k = checkpoint_make(4, 3);
        const char *path = checkpoint_save(k);
        hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
        hid_t row = H5Tcreate(H5T_COMPOUND, 1), creation = H5Pcreate(H5P_DATASET_CREATE);
        assert_true(file >= 0 && H5Tinsert(row, "epoch", 0, H5T_STD_I8LE) >= 0);
        assert_true(H5Pset_chunk(creation, 1, &chunk) >= 0 && H5Pset_deflate(creation, 9) >= 0);
        unsigned char *data = calloc(rows, 1);
        assert_true(H5Ldelete(file, tables[t], H5P_DEFAULT) >= 0);
        h5_add_dataset(file, tables[t], row, 1, &rows, creation, row, data);
        free(data);
        h5_close_id(row);
        h5_close_id(creation);
        assert_true(H5Fclose(file) >= 0);
        const long before = most_memory();
        dt_checkpoint c;
        assert_data(checkpoint_read_back(&c, 4), ": /");
        assert_true(most_memory() - before < 64 << 20);
        kept_free(k);
    }
}

#define in_folder(test) cmocka_unit_test_teardown((test), scratch_empty)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(test_each_array_has_a_crc),
        in_folder(test_tables_have_a_crc),
        in_folder(test_any_damage),
        in_folder(test_epochs_in_order),
        in_folder(test_insane_numbers),
        in_folder(test_numbers_to_count_on_from),
        in_folder(test_tables_of_other_forms),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
