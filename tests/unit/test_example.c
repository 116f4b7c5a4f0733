/* rooms: data */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/crc32.h"
#include "dtrain/data/example.h"
#include "dtrain/data/source.h"
#include "scratch_folder.h"

#include <math.h>

enum { INPUTS = DT_EXAMPLE_INPUTS, NUMERIC = 7, CATEGORICAL = 9 };

static const size_t set_rows[DT_SET_COUNT] = {40000, 5000, 5000};
static const unsigned values_of[CATEGORICAL] = {12, 3, 4, 2, 2, 2, 3, 12, 4};

/* What a set came to. */
typedef struct summary {
    double optimum; /* accuracy of knowing the probabilities */
    double share; /* of class 1 */
    double expected_share, variance; /* by the probabilities */
    double numeric_sum, numeric_squares;
    size_t broken; /* rows that are no one-hot rows, labels or probabilities */
    float first[INPUTS]; /* row */
    uint32_t crc; /* of inputs, targets and probabilities */
} summary;

/* The bits of each set, whatever the CPU, the compiler and the C library. */
static const uint32_t set_crc[DT_SET_COUNT] = {0xdf649ded, 0xd74daa27, 0xc2b62782};

static void *read_all(const dt_npz *npz, const char *name, size_t item_bytes, size_t count)
{
    const dt_npz_member *member = NULL;
    dt_npz_stream *stream = NULL;
    void *items = malloc(count * item_bytes);
    assert_non_null(items);
    assert_int_equal(dt_npz_find(npz, name, &member), DT_OK);
    assert_int_equal(member->npy.count, count);
    assert_int_equal(member->npy.item_bytes, item_bytes);
    assert_int_equal(dt_npz_stream_open(&stream, npz, member), DT_OK);
    assert_int_equal(dt_npz_stream_read(stream, items, count * item_bytes), DT_OK);
    dt_npz_stream_close(stream);
    return items;
}

static bool is_row(const float *x)
{
    const float *value = x + NUMERIC;
    for (int c = 0; c < CATEGORICAL; c++) {
        unsigned ones = 0, zeros = 0;
        for (unsigned v = 0; v < values_of[c]; v++, value++) {
            ones += fabsf(*value - 1) <= 0;
            zeros += fabsf(*value) <= 0;
        }
        if (ones != 1 || ones + zeros != values_of[c])
            return false;
    }
    return value == x + INPUTS;
}

static summary summarise(const dt_source_set *set, size_t rows)
{
    summary out = {0};
    float *x = read_all(set->npz, "inputs", sizeof(float), rows * INPUTS);
    int64_t *y = read_all(set->npz, "targets", sizeof(int64_t), rows);
    double *p = read_all(set->npz, "probabilities", sizeof(double), rows);
    size_t hits = 0, ones = 0;
    for (size_t n = 0; n < rows; n++) {
        out.broken += !is_row(x + n * INPUTS) || y[n] < 0 || y[n] > 1 || !(p[n] >= 0 && p[n] <= 1);
        hits += (p[n] > 0.5) == (y[n] == 1);
        ones += y[n] == 1;
        out.expected_share += p[n] / (double)rows;
        out.variance += p[n] * (1 - p[n]) / (double)rows / (double)rows;
        for (size_t j = 0; j < NUMERIC; j++) {
            out.numeric_sum += (double)x[n * INPUTS + j];
            out.numeric_squares += (double)(x[n * INPUTS + j] * x[n * INPUTS + j]);
        }
    }
    out.optimum = (double)hits / (double)rows;
    out.share = (double)ones / (double)rows;
    memcpy(out.first, x, sizeof out.first);
    out.crc = dt_crc32(0, x, rows * INPUTS * sizeof *x);
    out.crc = dt_crc32(out.crc, y, rows * sizeof *y);
    out.crc = dt_crc32(out.crc, p, rows * sizeof *p);
    free(x);
    free(y);
    free(p);
    return out;
}

static void test_rows(void **state)
{
    (void)state;
    dt_example example = {0};
    dt_source source;
    const char *prefix = scratch_path("bank");
    assert_int_equal(dt_example_write(&example, prefix), DT_OK);
    assert_int_equal(dt_source_open(&source, &prefix, 1, "", ""), DT_OK);
    float before[INPUTS] = {0};
    for (int p = 0; p < DT_SET_COUNT; p++) {
        const size_t rows = set_rows[p];
        assert_int_equal(dt_source_rows(&source.sets[p]), rows);
        assert_int_equal(dt_source_columns(&source.sets[p]), INPUTS);
        const summary s = summarise(&source.sets[p], rows);
        assert_int_equal(s.broken, 0);
        assert_int_equal(s.crc, set_crc[p]);
        assert_memory_not_equal(s.first, before, sizeof before); /* other rows than the last */
        memcpy(before, s.first, sizeof before);
        /* Labels are drawn by their probabilities, and both classes are common. */
        assert_true(fabs(s.share - s.expected_share) <= 5 * sqrt(s.variance));
        assert_true(s.share > 0.2 && s.share < 0.8);
        const double n = (double)rows * NUMERIC;
        assert_true(fabs(s.numeric_sum / n) <= 5 / sqrt(n));
        assert_true(fabs(s.numeric_squares / n - 1) <= 5 * sqrt(2 / n));
        if (p == DT_TEST)
            assert_true(fabs(s.optimum - example.test_optimum) < 1e-12);
        assert_true(s.optimum > 0.8); /* there is something to learn */
    }
    dt_source_clear(&source);
}

static void test_the_same_bytes_everywhere(void **state)
{
    (void)state;
    dt_example first = {0}, second = {0};
    assert_int_equal(dt_example_write(&first, scratch_path("a")), DT_OK);
    assert_int_equal(dt_example_write(&second, scratch_path("b")), DT_OK);
    assert_memory_equal(&first, &second, sizeof first);
    for (int p = 0; p < DT_SET_COUNT; p++) {
        char name[2][64];
        size_t bytes[2] = {0};
        unsigned char *data[2];
        for (int i = 0; i < 2; i++) {
            (void)snprintf(name[i], sizeof name[i], "%c-%s.npz", "ab"[i], dt_set_name((dt_set)p));
            data[i] = scratch_read(scratch_path(name[i]), &bytes[i]);
            assert_non_null(data[i]);
        }
        assert_int_equal(bytes[0], bytes[1]);
        assert_memory_equal(data[0], data[1], bytes[0]);
        free(data[0]);
        free(data[1]);
    }
}

static void test_where_it_cannot_be_written(void **state)
{
    (void)state;
    dt_example example;
    char path[5000];
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(dt_example_write(&example, path), DT_OUTPUT);
    assert_int_equal(dt_example_write(&example, scratch_path("no/such/folder")), DT_OUTPUT);
    assert_non_null(strstr(dt_status_text(), "no/such/folder"));
    assert_int_equal(scratch_count(false), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_rows, scratch_empty),
        cmocka_unit_test_teardown(test_the_same_bytes_everywhere, scratch_empty),
        cmocka_unit_test_teardown(test_where_it_cannot_be_written, scratch_empty),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
