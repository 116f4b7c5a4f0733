/* Values as targets, and weights: loading, dealing, splitting, refusing and measuring them. */
#include "npz_fixture.h"
#include "ranks.h"

#include "dtrain/base/random.h"
#include "dtrain/data/dataset.h"
#include "dtrain/data/split.h"
#include "same_bits.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { S = 9, D = 2 };

/* Describes a file: x [N,D] holds each row's number, y [N,T], and w [N] if w_type is there. */
typedef struct table {
    size_t N, T;
    const char *y_type, *y_shape; /* shape NULL: (N, T) */
    bool y_fortran;
    const char *w_type, *w_shape, *w_name; /* NULL: (N,), "w" */
    size_t wrong_target; /* 1 + row * T + column of a target that is `value` instead */
    size_t wrong_weight; /* 1 + row, likewise */
    double value;
} table;

/* Exact in float32, and most are not whole. */
static double target_at(const table *t, size_t row, size_t column)
{
    if (t->wrong_target == 1 + row * t->T + column)
        return t->value;
    return (double)((row * 37 + column * 11) % 101) * 0.25 - 8.0 + (double)column;
}

static double weight_at(const table *t, size_t row)
{
    return t->wrong_weight == 1 + row ? t->value : (double)(row % 5) * 0.5;
}

static bool write_values(const char *name, const table *t)
{
    char shapes[3][64];
    zip_bytes x = {0}, y = {0}, w = {0};
    for (size_t i = 0; i < t->N * D; i++)
        npz_append(&x, "'<f4'", (double)(i / D));
    for (size_t i = 0; i < t->N * t->T; i++)
        npz_append(&y, t->y_type,
                   t->y_fortran ? target_at(t, i % t->N, i / t->N)
                                : target_at(t, i / t->T, i % t->T));
    for (size_t n = 0; t->w_type != NULL && n < t->N; n++)
        npz_append(&w, t->w_type, weight_at(t, n));
    (void)snprintf(shapes[0], sizeof shapes[0], "(%zu, %d)", t->N, D);
    (void)snprintf(shapes[1], sizeof shapes[1], "(%zu, %zu)", t->N, t->T);
    (void)snprintf(shapes[2], sizeof shapes[2], "(%zu,)", t->N);
    const npz_array arrays[] = {
        {.name = "x.npy", .descr = "'<f4'", .shape = shapes[0], .items = x.data, .bytes = x.count},
        {.name = "y.npy",
         .descr = t->y_type,
         .fortran = t->y_fortran,
         .shape = t->y_shape != NULL ? t->y_shape : shapes[1],
         .items = y.data,
         .bytes = y.count,
         .deflate = t->N % 2 == 0},
        {.name = t->w_name != NULL ? t->w_name : "w.npy",
         .descr = t->w_type,
         .shape = t->w_shape != NULL ? t->w_shape : shapes[2],
         .items = w.data,
         .bytes = w.count}};
    const bool good = npz_build(scratch_path(name), arrays, t->w_type != NULL ? 3 : 2);
    zip_free(&x);
    zip_free(&y);
    zip_free(&w);
    return good;
}

static dt_status load(dt_dataset sets[DT_SET_COUNT], const char *path, const dt_deal *deal,
                      const char *weights)
{
    const dt_comm all = ranks_all();
    dt_source source = {0};
    dt_status status = DT_OK;
    if (test_rank == 0)
        status = dt_source_open(&source, &path, 1, "", "");
    if (test_rank == 0 && status == DT_OK && weights != NULL)
        status = dt_source_find_weights(&source, weights);
    memset(sets, 0, DT_SET_COUNT * sizeof *sets);
    status = dt_comm_agree(&all, status);
    if (status == DT_OK)
        status = dt_dataset_load(sets, &all, test_rank == 0 ? &source : NULL, deal);
    dt_source_clear(&source);
    return status;
}

static void clear(dt_dataset sets[DT_SET_COUNT])
{
    for (int p = 0; p < DT_SET_COUNT; p++)
        dt_dataset_clear(&sets[p]);
}

/* The set holds these rows of the table (NULL: all), dealt as any. */
static void check_set(const dt_dataset *set, const table *t, const size_t *rows, size_t count)
{
    size_t wrong = 0;
    assert_all_int(set->N, count);
    assert_all_int(set->D, D);
    assert_all_int(set->C, 0);
    assert_all_int(set->T, t->T);
    assert_all(set->class_rows == NULL);
    assert_all((set->w != NULL) == (t->w_type != NULL));
    for (size_t q = 0; q < count; q++) {
        if (q % S < set->first_shard || q % S >= set->first_shard + set->shard_count)
            continue;
        const size_t row = rows != NULL ? rows[q] : q;
        const size_t at = set->shard_start[q % S - set->first_shard] + q / S;
        wrong += !same_bits((double)set->x[at * D], (double)row);
        for (size_t j = 0; j < t->T; j++)
            wrong += !same_bits((double)set->y[at * t->T + j].value, target_at(t, row, j));
        wrong += set->w != NULL && !same_bits((double)set->w[at], weight_at(t, row));
    }
    assert_all_int(wrong, 0);
}

static void check_table(const table *t, dt_targets targets)
{
    dt_dataset sets[DT_SET_COUNT];
    const dt_deal deal = {.S = S, .targets = targets, .host_ranks = test_size};
    assert_all(test_rank != 0 || write_values("v.npz", t));
    const dt_status status =
        load(sets, scratch_path("v.npz"), &deal, t->w_type != NULL ? "w" : NULL);
    assert_all_string(status == DT_OK ? "" : dt_status_text(), "");
    check_set(&sets[DT_TRAIN], t, NULL, t->N);
    assert_all(sets[DT_VALIDATION].N == 0 && sets[DT_TEST].N == 0);
    clear(sets);
}

static void test_types_and_orders(void **state)
{
    (void)state;
    static const char *const types[] = {"'<f4'", "'>f4'", "'<f8'", "'>f8'"};
    for (size_t i = 0; i < 4; i++)
        for (size_t T = 1; T <= 5; T += 2)
            for (int fortran = 0; fortran < 2; fortran++) {
                table t = {.N = 61 + T, .T = T, .y_type = types[i], .y_fortran = fortran == 1};
                check_table(&t, DT_TARGETS_AUTO);
                t.w_type = types[3 - i];
                check_table(&t, DT_TARGETS_VALUES);
            }
    check_table(&(table){.N = 40, .T = 1, .y_type = "'<f8'", .y_shape = "(40,)"}, DT_TARGETS_AUTO);
    check_table(&(table){.N = 40,
                         .T = 1,
                         .y_type = "'<f4'",
                         .y_fortran = true,
                         .y_shape = "(40,)",
                         .w_type = "'<f8'",
                         .w_shape = "(40, 1)"},
                DT_TARGETS_AUTO);
    check_table(&(table){.N = 200000, .T = 3, .y_type = "'<f4'", .w_type = "'<f4'"},
                DT_TARGETS_AUTO); /* more than one tile */
    check_table(&(table){.N = 200000, .T = 3, .y_type = "'<f4'", .y_fortran = true},
                DT_TARGETS_AUTO);
}

/* What is not said is found: one number that is not whole makes values of them all. */
static void test_values_or_classes(void **state)
{
    (void)state;
    dt_dataset sets[DT_SET_COUNT];
    dt_deal deal = {.S = S, .host_ranks = test_size};
    zip_bytes x = {0}, y = {0};
    enum { N = 200001 };
    for (size_t n = 0; n < N; n++) {
        npz_append(&x, "'<f4'", 1.0);
        npz_append(&y, "'<f4'", (double)(n % 3));
    }
    for (int fraction = 0; fraction < 2; fraction++) {
        if (fraction == 1) /* in the last row */
            memcpy(y.data + (N - 1) * sizeof(float), &(float){0.5f}, sizeof(float));
        const npz_array arrays[] = {{.name = "x.npy",
                                     .descr = "'<f4'",
                                     .shape = "(200001, 1)",
                                     .items = x.data,
                                     .bytes = x.count},
                                    {.name = "y.npy",
                                     .descr = "'<f4'",
                                     .shape = "(200001,)",
                                     .items = y.data,
                                     .bytes = y.count}};
        assert_all(test_rank != 0 || npz_build(scratch_path("v.npz"), arrays, 2));
        deal.targets = DT_TARGETS_AUTO;
        assert_all_int(load(sets, scratch_path("v.npz"), &deal, NULL), DT_OK);
        assert_all_int(sets[DT_TRAIN].C, fraction == 1 ? 0 : 3);
        clear(sets);
        deal.targets = DT_TARGETS_VALUES;
        assert_all_int(load(sets, scratch_path("v.npz"), &deal, NULL), DT_OK);
        assert_all_int(sets[DT_TRAIN].C, 0);
        clear(sets);
    }
    zip_free(&x);
    zip_free(&y);
}

/* Each row is in one of the three sets, with its targets and its weight, whatever the ranks. */
static void test_split(void **state)
{
    (void)state;
    const table t = {.N = 203, .T = 2, .y_type = "'<f8'", .y_fortran = true, .w_type = "'<f4'"};
    const dt_deal deal = {
        .S = S, .validation_split = 0.2, .test_split = 0.1, .seed = 7, .host_ranks = test_size};
    static const size_t expected[DT_SET_COUNT] = {142, 41, 20};
    dt_dataset sets[DT_SET_COUNT];
    dt_split *split = NULL;
    size_t rows[DT_SET_COUNT][203], counts[DT_SET_COUNT] = {0};
    const uint64_t N = t.N;
    assert_all_int(dt_split_new(&split, &N, 1, 0.2, 0.1, 7), DT_OK);
    for (size_t n = 0; n < N; n++) {
        const dt_set set = dt_split_assign(split, 0);
        rows[set][counts[set]++] = n;
    }
    dt_split_free(split);
    assert_all(test_rank != 0 || write_values("v.npz", &t));
    assert_all_int(load(sets, scratch_path("v.npz"), &deal, "w"), DT_OK);
    for (int p = 0; p < DT_SET_COUNT; p++) {
        assert_all_int(counts[p], expected[p]);
        check_set(&sets[p], &t, rows[p], counts[p]);
    }
    assert_all(rows[DT_VALIDATION][39] - rows[DT_VALIDATION][0] > 100); /* at random */
    clear(sets);
}

/* Rows of two sets become one that is dealt as if it had been read; each row's targets reach rank 0
 * in the order of the rows. */
static void test_select(void **state)
{
    (void)state;
    const table t = {.N = 203, .T = 2, .y_type = "'<f8'", .w_type = "'<f4'"};
    const dt_deal deal = {.S = S, .validation_split = 0.2, .seed = 7, .host_ranks = test_size};
    const dt_comm all = ranks_all();
    dt_dataset sets[DT_SET_COUNT], some;
    unsigned char wanted[203];
    size_t rows[203], count = 0, wrong = 0;
    dt_target y[2 * 203];
    assert_all(test_rank != 0 || write_values("v.npz", &t));
    assert_all_int(load(sets, scratch_path("v.npz"), &deal, "w"), DT_OK);
    dt_split *split = NULL;
    size_t of_set[DT_SET_COUNT][203], in_set[DT_SET_COUNT] = {0};
    assert_all_int(dt_split_new(&split, &(uint64_t){t.N}, 1, 0.2, 0.0, 7), DT_OK);
    for (size_t n = 0; n < t.N; n++) {
        const dt_set set = dt_split_assign(split, 0);
        of_set[set][in_set[set]++] = n;
    }
    dt_split_free(split);
    for (size_t n = 0; n < t.N; n++) {
        wanted[n] = n * 7 % 10 < 6;
        if (wanted[n])
            rows[count++] = n < in_set[DT_TRAIN] ? of_set[DT_TRAIN][n]
                                                 : of_set[DT_VALIDATION][n - in_set[DT_TRAIN]];
    }
    const dt_dataset *const from[] = {&sets[DT_TRAIN], &sets[DT_VALIDATION]};
    assert_all_int(dt_dataset_select(&some, &all, from, 2, wanted), DT_OK);
    check_set(&some, &t, rows, count);
    assert_all(some.order != NULL);
    assert_all_int(dt_dataset_gather(y, &all, &some, some.y, 2 * sizeof *y), DT_OK);
    for (size_t n = 0; test_rank == 0 && n < count; n++)
        for (size_t j = 0; j < 2; j++)
            wrong += !same_bits((double)y[2 * n + j].value, target_at(&t, rows[n], j));
    assert_all_int(wrong, 0);
    dt_dataset_clear(&some);
    memset(wanted, 0, sizeof wanted);
    assert_all_int(dt_dataset_select(&some, &all, from, 2, wanted), DT_OK);
    assert_all_int(some.N, 0);
    dt_dataset_clear(&some);
    clear(sets);
}

static void test_three_sets(void **state)
{
    (void)state;
    static const char *const names[] = {"train.npz", "val.npz", "test.npz"};
    const dt_deal deal = {
        .S = S, .validation_split = 0.3, .test_split = 0.3, .host_ranks = test_size};
    table t[DT_SET_COUNT];
    dt_dataset sets[DT_SET_COUNT];
    for (size_t p = 0; p < DT_SET_COUNT; p++) {
        t[p] = (table){.N = 40 - 13 * p, .T = 2, .y_type = "'<f4'", .w_type = "'<f8'"};
        assert_all(test_rank != 0 || write_values(names[p], &t[p]));
    }
    assert_all_int(load(sets, scratch_folder, &deal, "w"), DT_OK);
    for (size_t p = 0; p < DT_SET_COUNT; p++)
        check_set(&sets[p], &t[p], NULL, t[p].N);
    clear(sets);
}

/* ---- what is refused ---- */

static void check_refused(const table *t, const dt_deal *deal, const char *expected)
{
    dt_dataset sets[DT_SET_COUNT];
    char text[DT_STATUS_TEXT_BYTES];
    assert_all(test_rank != 0 || write_values("bad.npz", t));
    assert_all_int(load(sets, scratch_path("bad.npz"), deal, t->w_type != NULL ? "w" : NULL),
                   DT_DATA);
    (void)snprintf(text, sizeof text, "%s", dt_status_text());
    assert_all_same(text, strlen(text) + 1);
    const bool found = strstr(text, expected) != NULL;
    if (!found && test_rank == 0)
        print_error("no \"%s\" in: %s\n", expected, text);
    assert_all(found);
    for (int p = 0; p < DT_SET_COUNT; p++)
        assert_all(sets[p].x == NULL && sets[p].y == NULL && sets[p].w == NULL);
}

static void test_bad_targets(void **state)
{
    (void)state;
    const dt_deal deal = {.S = S, .targets = DT_TARGETS_VALUES, .host_ranks = test_size};
    table t = {.N = 50, .T = 3, .y_type = "'<f8'", .wrong_target = 1 + 31 * 3 + 2, .value = NAN};
    for (int fortran = 0; fortran < 2; fortran++) {
        t.y_fortran = fortran == 1;
        t.value = NAN;
        check_refused(&t, &deal, "bad.npz: y: row 31, column 2 is NaN (a missing value?)");
        t.value = -INFINITY;
        check_refused(&t, &deal, "bad.npz: y: row 31, column 2 is infinite");
        t.value = 1e300;
        check_refused(&t, &deal, "bad.npz: y: row 31, column 2 is beyond the range of float32");
    }
    t = (table){.N = 3, .T = DT_TARGETS_MAX + 1, .y_type = "'<f4'"};
    check_refused(&t, &deal, "bad.npz: y has 1025 columns; expected at most 1024 targets");
    const dt_deal of_model = {
        .S = S, .targets = DT_TARGETS_VALUES, .C = 2, .host_ranks = test_size};
    t = (table){.N = 9, .T = 3, .y_type = "'<f4'"};
    check_refused(&t, &of_model, "bad.npz: y has 3 columns, but the model gives 2");
}

static void test_sets_of_other_widths(void **state)
{
    (void)state;
    const dt_deal deal = {.S = S, .host_ranks = test_size};
    const table train = {.N = 9, .T = 3, .y_type = "'<f4'"};
    const table validation = {.N = 9, .T = 2, .y_type = "'<f4'"};
    dt_dataset sets[DT_SET_COUNT];
    assert_all(test_rank != 0 ||
               (write_values("train.npz", &train) && write_values("val.npz", &validation)));
    assert_all_int(load(sets, scratch_folder, &deal, NULL), DT_DATA);
    assert_all(strstr(dt_status_text(), "val.npz: y has 2 columns, but y 3") != NULL);
}

static void test_bad_weights(void **state)
{
    (void)state;
    const dt_deal deal = {.S = S, .host_ranks = test_size};
    table t = {.N = 50, .T = 1, .y_type = "'<f4'", .w_type = "'<f8'", .wrong_weight = 1 + 37};
    t.value = -0.5;
    check_refused(&t, &deal, "bad.npz: w: row 37 is -0.5; a weight must not be negative");
    t.value = NAN;
    check_refused(&t, &deal, "bad.npz: w: row 37, column 0 is NaN");
    t.value = INFINITY;
    check_refused(&t, &deal, "bad.npz: w: row 37, column 0 is infinite");
    t.wrong_weight = 0;
    t.w_shape = "(25, 2)";
    check_refused(&t, &deal, "bad.npz: w has 50 numbers; expected a weight for each of 50 rows");
    t.w_shape = NULL;
    t.w_name = "v.npy";
    check_refused(&t, &deal,
                  "bad.npz: no array named w with the weights of the rows; it contains x, y, v");
}

/* ---- mean and standard deviation ---- */

/* Deals rows of values to the ranks of `comm`. */
static void make_set(dt_dataset *set, const dt_comm *comm, const float *values, size_t N, size_t T)
{
    const int rank = dt_comm_rank(comm), size = dt_comm_size(comm);
    *set = (dt_dataset){.N = N, .D = 1, .T = T, .S = S};
    set->first_shard = dt_dataset_first_shard(rank, size, S);
    set->shard_count = dt_dataset_first_shard(rank + 1, size, S) - set->first_shard;
    set->shard_start = calloc(set->shard_count + 1, sizeof *set->shard_start);
    set->y = calloc(N * T + 1, sizeof *set->y);
    size_t own = 0;
    for (size_t s = 0; s < set->shard_count; s++) {
        for (size_t n = set->first_shard + s; n < N; n += S, own++)
            for (size_t j = 0; j < T; j++)
                set->y[own * T + j].value = values[n * T + j];
        set->shard_start[s + 1] = own;
    }
}

static void clear_set(dt_dataset *set)
{
    free(set->shard_start);
    free(set->y);
}

/* In long double, in two passes. */
static dt_target_scale expected_scale(const float *values, size_t N, size_t T, size_t j)
{
    long double mean = 0, squares = 0;
    for (size_t n = 0; n < N; n++)
        mean += (long double)values[n * T + j] / (long double)N;
    for (size_t n = 0; n < N; n++) {
        const long double distance = (long double)values[n * T + j] - mean;
        squares += distance * distance / (long double)N;
    }
    return (dt_target_scale){(double)mean, (double)sqrtl(squares)};
}

enum { MOST_ROWS = 700, MOST_TARGETS = 4 };

static void draw_values(float *values, size_t N, size_t T, double mean, double deviation)
{
    dt_random random = dt_random_start(N * 10 + T, DT_RANDOM_EXAMPLE, 6);
    for (size_t i = 0; i < N * T; i++)
        values[i] = (float)(mean + deviation * (double)(1 + i % T) * dt_random_normal(&random));
}

static const struct {
    double mean, deviation;
} sizes[] = {{0, 1}, {3, 0.5}, {1e6, 1}, {-2e30, 1e30}, {1e-30, 3e-31}, {0, 1e37}, {4e-37, 1e-37}};

/* The same bits on any number of ranks, of numbers of any size. */
static void test_measure(void **state)
{
    (void)state;
    const dt_comm all = ranks_all(), alone = ranks_alone();
    static float values[MOST_ROWS * MOST_TARGETS];
    const size_t rows[] = {2, 7, 8, MOST_ROWS};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (size_t r = 0; r < 4; r++)
            for (size_t T = 1; T <= MOST_TARGETS; T += 3) {
                dt_dataset dealt, whole;
                dt_target_scale got[MOST_TARGETS], single[MOST_TARGETS];
                const size_t N = rows[r];
                draw_values(values, N, T, sizes[k].mean, sizes[k].deviation);
                make_set(&dealt, &all, values, N, T);
                make_set(&whole, &alone, values, N, T);
                assert_all_int(dt_dataset_measure(got, &all, &dealt), DT_OK);
                assert_all_int(dt_dataset_measure(single, &alone, &whole), DT_OK);
                assert_all(memcmp(got, single, T * sizeof *got) == 0);
                assert_all_same(got, T * sizeof *got);
                for (size_t j = 0; j < T; j++) {
                    const dt_target_scale expected = expected_scale(values, N, T, j);
                    const double size = fabs(expected.mean) + expected.deviation;
                    assert_all_close(got[j].mean, expected.mean, 1e-15 * size);
                    assert_all_close(got[j].deviation, expected.deviation, 1e-14 * size);
                }
                clear_set(&dealt);
                clear_set(&whole);
            }
}

/* The last row differs in none of them; a mean that is off by a rounding must not hide it. */
static void test_constant_targets(void **state)
{
    (void)state;
    enum { N = 101 };
    const dt_comm all = ranks_all();
    const float constants[] = {0, 0.1f, -7.3f, 1e30f, 1e-30f, 16777215};
    static float values[N * 3];
    dt_target_scale scale[3];
    dt_dataset set;
    for (size_t k = 0; k < sizeof constants / sizeof *constants; k++) {
        for (size_t n = 0; n < N; n++)
            values[n] = constants[k];
        make_set(&set, &all, values, N, 1);
        assert_all_int(dt_dataset_measure(scale, &all, &set), DT_DATA);
        assert_all(strstr(dt_status_text(), "target 1 of 1 is ") != NULL);
        clear_set(&set);
        values[N - 1] = constants[k] > 0 ? nextafterf(constants[k], 0) : 1e-9f;
        make_set(&set, &all, values, N, 1);
        assert_all_int(dt_dataset_measure(scale, &all, &set), DT_OK);
        assert_all(scale->deviation > 0);
        clear_set(&set);
    }
    draw_values(values, N, 3, 0, 1);
    for (size_t n = 0; n < N; n++)
        values[n * 3 + 1] = 2.5f;
    make_set(&set, &all, values, N, 3);
    assert_all_int(dt_dataset_measure(scale, &all, &set), DT_DATA);
    assert_all_string(dt_status_text(),
                      "target 2 of 3 is 2.5 in every training row; there is nothing to learn");
    clear_set(&set);
}

static void test_distance(void **state)
{
    (void)state;
    const dt_comm all = ranks_all(), alone = ranks_alone();
    static float values[MOST_ROWS * MOST_TARGETS];
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (size_t T = 1; T <= MOST_TARGETS; T += 3) {
            dt_dataset dealt, whole;
            dt_target_scale scale[MOST_TARGETS];
            double expected = 0;
            draw_values(values, MOST_ROWS, T, sizes[k].mean, sizes[k].deviation);
            for (size_t j = 0; j < T; j++)
                scale[j] = (dt_target_scale){sizes[k].mean / 2 - sizes[k].deviation,
                                             sizes[k].deviation * 0.75 * (double)(j + 1)};
            for (size_t i = 0; i < MOST_ROWS * T; i++) {
                const dt_target_scale *of = &scale[i % T];
                const double distance = ((double)values[i] - of->mean) / of->deviation;
                expected += distance * distance / (double)(MOST_ROWS * T);
            }
            expected = sqrt(expected) * (T == 1 ? scale[0].deviation : 1);
            make_set(&dealt, &all, values, MOST_ROWS, T);
            make_set(&whole, &alone, values, MOST_ROWS, T);
            const double got = dt_dataset_distance(&all, &dealt, scale);
            assert_all_close(got, expected, 1e-13 * expected);
            assert_all(same_bits(got, dt_dataset_distance(&alone, &whole, scale)));
            clear_set(&dealt);
            clear_set(&whole);
        }
}

/* Of a set that has nothing in common with the training rows; and of no set. */
static void test_distance_of_other_rows(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    dt_dataset set;
    const float values[] = {3e30f, -3e30f, 3e30f};
    const dt_target_scale scale = {0.5, 1e-3};
    make_set(&set, &all, values, 3, 1);
    assert_all_close(dt_dataset_distance(&all, &set, &scale), 3e30, 1e24);
    clear_set(&set);
    make_set(&set, &all, values, 0, 1);
    assert_all(isnan(dt_dataset_distance(&all, &set, &scale)));
    clear_set(&set);
}

static const struct CMUnitTest tests[] = {
    with_folder(test_types_and_orders),
    with_folder(test_values_or_classes),
    with_folder(test_split),
    with_folder(test_select),
    with_folder(test_three_sets),
    with_folder(test_bad_targets),
    with_folder(test_sets_of_other_widths),
    with_folder(test_bad_weights),
    cmocka_unit_test(test_measure),
    cmocka_unit_test(test_constant_targets),
    cmocka_unit_test(test_distance),
    cmocka_unit_test(test_distance_of_other_rows),
};

MPI_SUITE(test_dataset_values, tests);
