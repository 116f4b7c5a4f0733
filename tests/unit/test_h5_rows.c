/*
 * Tables over the fields of a struct: written, read back, and their CRC-32.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "h5_files.h"

#include "dtrain/base/crc32.h"

#include <math.h>
#include <stdio.h>

typedef struct row {
    float rate;
    char host[4];
    bool low, high;
    uint32_t count;
    int64_t epoch;
    double loss, unread; /* there is no column of the last */
} row;

/* In another order than the fields. */
static const dt_h5_column columns[] = {
    {"loss", NULL, DT_H5_F64, DT_H5_FIELD(row, loss)},
    {"host", NULL, DT_H5_TEXT, DT_H5_FIELD(row, host)},
    {"low", NULL, DT_H5_I32, DT_H5_FIELD(row, low)},
    {"count", NULL, DT_H5_U32, DT_H5_FIELD(row, count)},
    {"high", NULL, DT_H5_I64, DT_H5_FIELD(row, high)},
    {"rate", NULL, DT_H5_F32, DT_H5_FIELD(row, rate)},
    {"epoch", NULL, DT_H5_I64, DT_H5_FIELD(row, epoch)},
};
static const dt_h5_table table = DT_H5_TABLE(columns, row);

static void test_there_and_back(void **state)
{
    (void)state;
    const row rows[2] = {
        {1.5f, "abc", true, false, UINT32_MAX, INT64_MIN, -0.1, 8.0},
        {-2.5f, "", false, true, 7, INT64_MAX, NAN, 9.0},
    };
    row back[2] = {{.unread = 3.0}, {.unread = 4.0}};
    int64_t integers[2];
    dt_h5 *h5 = NULL;
    assert_ok(dt_h5_new(&h5));
    assert_ok(dt_h5_write_table(h5, "/t", &table, rows, 2));
    assert_ok(dt_h5_save(h5, scratch_path("file.h5")));
    dt_h5_free(h5);
    assert_ok(dt_h5_open(&h5, scratch_path("file.h5")));
    assert_ok(dt_h5_read_rows(h5, "/t", &table, back, 2));
    for (int i = 0; i < 2; i++) {
        assert_memory_equal(&back[i].rate, &rows[i].rate, sizeof(float));
        assert_string_equal(back[i].host, rows[i].host);
        assert_true(back[i].low == rows[i].low && back[i].high == rows[i].high);
        assert_true(back[i].count == rows[i].count && back[i].epoch == rows[i].epoch);
        assert_memory_equal(&back[i].loss, &rows[i].loss, sizeof(double));
        assert_memory_equal(&back[i].unread, &(double){3.0 + i}, sizeof(double)); /* as it was */
    }
    assert_ok(dt_h5_read_column_i64(h5, "/t", "low", integers, 2)); /* a bool is 0 or 1 */
    assert_true(integers[0] == 1 && integers[1] == 0);
    assert_ok(dt_h5_read_column_i64(h5, "/t", "high", integers, 2));
    assert_true(integers[0] == 0 && integers[1] == 1);
    assert_data(dt_h5_read_rows(h5, "/t", &table, back, 3), "expected 3");
    dt_h5_free(h5);
}

/* The CRC-32 is that of the packed rows: neither of holes nor of what lies behind a text. */
static void test_crc_of_rows(void **state)
{
    (void)state;
    enum { BYTES = 40 };
    row rows[2];
    uint32_t crc = 5, expected;
    unsigned char packed[2][BYTES] = {{0}};
    memset(rows, 'G', sizeof rows);
    for (int i = 0; i < 2; i++) {
        rows[i].loss = 0.25;
        (void)snprintf(rows[i].host, sizeof rows[i].host, "a");
        rows[i].low = rows[i].high = i == 1;
        rows[i].count = 9;
        rows[i].rate = 2.5f;
        rows[i].epoch = 3 + i;
        memcpy(packed[i], &rows[i].loss, 8);
        memcpy(packed[i] + 8, "a", 1);
        memcpy(packed[i] + 12, &(int32_t){i}, 4);
        memcpy(packed[i] + 16, &rows[i].count, 4);
        memcpy(packed[i] + 20, &(int64_t){i}, 8);
        memcpy(packed[i] + 28, &rows[i].rate, 4);
        memcpy(packed[i] + 32, &rows[i].epoch, 8);
    }
    expected = dt_crc32(5, packed, 2 * BYTES);
    assert_ok(dt_h5_continue_crc(&crc, &table, rows, 2));
    assert_int_equal(crc, expected);
    assert_ok(dt_h5_continue_crc(&crc, &table, NULL, 0));
    assert_int_equal(crc, expected);
}

/* What is in the file, read into a field that cannot hold it. */
static void refuse_field(dt_h5 *h5, const char *column, dt_h5_type type, size_t bytes)
{
    char field[8];
    const dt_h5_column one = {column, NULL, type, 0, bytes};
    const dt_h5_table of_one = {&one, 1, sizeof field};
    assert_data(dt_h5_read_rows(h5, "/t", &of_one, field, 1), "/t, column ", "not a value of this");
    assert_non_null(strstr(dt_status_text(), column));
}

static void test_rows_of_other_numbers(void **state)
{
    (void)state;
    typedef struct numbers {
        int64_t two, minus, large, low;
    } numbers;
    static const dt_h5_column written[] = {
        {"two", NULL, DT_H5_I64, DT_H5_FIELD(numbers, two)},
        {"minus", NULL, DT_H5_I64, DT_H5_FIELD(numbers, minus)},
        {"large", NULL, DT_H5_I64, DT_H5_FIELD(numbers, large)},
        {"low", NULL, DT_H5_I64, DT_H5_FIELD(numbers, low)},
    };
    static const dt_h5_table all = DT_H5_TABLE(written, numbers);
    const numbers values = {2, -1, 1LL << 32, INT32_MIN};
    const dt_h5_column low = {"low", NULL, DT_H5_I32, 0, 4}, none = {"none", NULL, DT_H5_I32, 0, 4};
    int32_t number = 0;
    dt_h5 *h5 = NULL;
    assert_ok(dt_h5_new(&h5));
    assert_ok(dt_h5_write_table(h5, "/t", &all, &values, 1));
    refuse_field(h5, "two", DT_H5_I64, 1);
    refuse_field(h5, "minus", DT_H5_I32, 1);
    refuse_field(h5, "minus", DT_H5_U32, 4);
    refuse_field(h5, "large", DT_H5_U32, 4);
    refuse_field(h5, "large", DT_H5_I32, 4);
    assert_ok(dt_h5_read_rows(h5, "/t", &(dt_h5_table){&low, 1, 4}, &number, 1));
    assert_int_equal(number, INT32_MIN);
    assert_data(dt_h5_read_rows(h5, "/t", &(dt_h5_table){&none, 1, 4}, &number, 1),
                "/t has no column none");
    dt_h5_free(h5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_there_and_back, scratch_empty),
        cmocka_unit_test(test_crc_of_rows),
        cmocka_unit_test(test_rows_of_other_numbers),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
