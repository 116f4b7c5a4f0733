/* Reading and dealing: every row gets to its place, with any format and number of ranks. */
#include "table_fixture.h"

#include "dtrain/data/split.h"

#include <math.h>

static uint64_t sum_over_ranks(uint64_t mine)
{
    dt_mpi_allreduce(MPI_IN_PLACE, &mine, 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
    return mine;
}

/* Row q of a set, which row `rows[q]` of the table is (NULL: q), lies in shard q mod S as its row
 * q / S; the ranks own contiguous blocks of shards, in order. */
static void check_set(const dt_dataset *set, const table *t, const size_t *rows, size_t count,
                      size_t S)
{
    uint64_t class_rows[8] = {0};
    assert_all_int(set->N, count);
    assert_all_int(set->D, t->D);
    assert_all_int(set->C, t->C);
    assert_all_int(set->T, 1);
    assert_all(set->w == NULL);
    assert_all_int(set->S, S);
    assert_all_int(sum_over_ranks(set->shard_count), S);
    assert_all_int(sum_over_ranks(dt_dataset_own_rows(set)), count);
    uint64_t before = 0;
    const uint64_t shard_count = set->shard_count;
    MPI_Exscan(&shard_count, &before, 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
    assert_all_int(set->first_shard, test_rank == 0 ? 0 : before);
    size_t wrong = 0;
    for (size_t q = 0; q < count; q++) {
        const size_t row = rows != NULL ? rows[q] : q;
        class_rows[table_class(t, row)]++;
        if (q % S < set->first_shard || q % S >= set->first_shard + set->shard_count)
            continue;
        const size_t at = set->shard_start[q % S - set->first_shard] + q / S;
        wrong += set->y[at].label != (int32_t)table_class(t, row);
        for (size_t j = 0; j < t->D; j++)
            wrong += fabs((double)set->x[at * t->D + j] - table_input(t, row, j)) > 0;
    }
    assert_all_int(wrong, 0);
    for (size_t s = 0; s < set->shard_count; s++) {
        const size_t shard = set->first_shard + s;
        wrong += set->shard_start[s + 1] - set->shard_start[s] != (count + S - 1 - shard) / S;
    }
    assert_all_int(wrong, 0);
    for (size_t c = 0; c < t->C; c++)
        wrong += set->class_rows[c] != class_rows[c];
    assert_all_int(wrong, 0);
}

static void check_table(const table *t, size_t S)
{
    dt_dataset sets[DT_SET_COUNT];
    assert_all(test_rank != 0 || write_table("t.npz", t));
    const dt_deal deal = {.S = S, .host_ranks = test_size};
    const dt_status status = table_load(sets, scratch_path("t.npz"), &deal);
    assert_all_string(status == DT_OK ? "" : dt_status_text(), "");
    check_set(&sets[DT_TRAIN], t, NULL, t->N, S);
    for (int p = 0; p < DT_SET_COUNT; p++) {
        assert_all(p == DT_TRAIN || (sets[p].N == 0 && dt_dataset_own_rows(&sets[p]) == 0));
        dt_dataset_clear(&sets[p]);
    }
}

static void test_types_and_orders(void **state)
{
    (void)state;
    static const char *const types[] = {"'<f4'", "'>f4'", "'<f8'", "'>f8'", "'<i8'",
                                        "'>i2'", "'|u1'", "'|i1'", "'|b1'", "'>u4'"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        for (int fortran = 0; fortran < 2; fortran++)
            check_table(&(table){.N = 29,
                                 .D = 6,
                                 .C = 3,
                                 .x_type = types[i],
                                 .y_type = i % 2 == 0 ? "'<i8'" : "'>i4'",
                                 .x_fortran = fortran == 1,
                                 .deflate = i % 3 == 0},
                        i % 2 == 0 ? 8 : 11);
}

/* (N, 2, 3) is flattened as NumPy's reshape(N, -1) does it, in whichever order it is stored. */
static void test_three_dimensions(void **state)
{
    (void)state;
    const table t = {
        .N = 29, .D = 6, .C = 3, .x_type = "'<f4'", .y_type = "'<i8'", .x_shape = "(29, 2, 3)"};
    check_table(&t, 8);
    table fortran = t;
    fortran.x_fortran = true;
    fortran.middle = 3;
    check_table(&fortran, 8);
    fortran.D = 1;
    fortran.middle = 1;
    fortran.x_shape = "(29,)";
    check_table(&fortran, 8);
}

static void test_targets(void **state)
{
    (void)state;
    table t = {.N = 31, .D = 2, .C = 4, .x_type = "'<f4'", .y_type = "'<f8'"};
    check_table(&t, 9); /* whole numbers in floats */
    t.y_shape = "(31, 1)";
    check_table(&t, 9);
    t.y_fortran = true;
    check_table(&t, 9);
    t.y_shape = NULL;
    t.one_hot = true;
    check_table(&t, 9);
    t.y_fortran = false;
    t.y_type = "'|b1'";
    check_table(&t, 9);
    t.one_hot = false;
    t.C = 2;
    check_table(&t, 9);
}

static void test_few_rows(void **state)
{
    (void)state;
    for (size_t N = 2; N <= 9; N++)
        check_table(&(table){.N = N, .D = 1, .C = 2, .x_type = "'<f4'", .y_type = "'<i4'"}, 8);
}

/* More than one tile: of rows, of whole columns, of parts of columns; and rows wider than one. */
static void test_many_tiles(void **state)
{
    (void)state;
    const size_t shapes[][2] = {{200000, 3}, {600000, 1}, {530000, 2}, {2, 600000}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int fortran = 0; fortran < 2; fortran++)
            check_table(&(table){.N = shapes[i][0],
                                 .D = shapes[i][1],
                                 .C = 2,
                                 .x_type = "'|u1'",
                                 .y_type = "'|u1'",
                                 .x_fortran = fortran == 1},
                        8);
}

static void test_three_sets(void **state)
{
    (void)state;
    static const char *const names[] = {"train.npz", "val.npz", "test.npz"};
    table t = {.D = 4, .C = 3, .x_type = "'<f4'", .y_type = "'<i8'"};
    const size_t rows[] = {40, 3, 17};
    for (int p = 0; p < DT_SET_COUNT; p++) {
        t.N = rows[p];
        assert_all(test_rank != 0 || write_table(names[p], &t));
    }
    dt_dataset sets[DT_SET_COUNT];
    /* Splits are for sets that are missing: these must not take anything away. */
    const dt_deal deal = {
        .S = 8, .validation_split = 0.3, .test_split = 0.3, .host_ranks = test_size};
    assert_all_int(table_load(sets, scratch_folder, &deal), DT_OK);
    for (int p = 0; p < DT_SET_COUNT; p++) {
        t.N = rows[p];
        check_set(&sets[p], &t, NULL, t.N, 8);
        dt_dataset_clear(&sets[p]);
    }
}

/* One-hot in Fortran order, of more rows than are read at a time, in the last chunk too. */
static void test_many_one_hot_columns(void **state)
{
    (void)state;
    table t = {.N = 600001,
               .D = 1,
               .C = 3,
               .x_type = "'|u1'",
               .y_type = "'|u1'",
               .y_fortran = true,
               .one_hot = true};
    check_table(&t, 8);
    t.deflate = true;
    t.y_type = "'>f4'";
    t.N = 262144 * 2; /* whole chunks */
    check_table(&t, 8);
}

/* The rows that the split gives to each set, in file order, are dealt like a file's. */
static void check_split(const table *t, const dt_deal *deal)
{
    uint64_t class_rows[8] = {0};
    size_t counts[DT_SET_COUNT] = {0};
    size_t *rows[DT_SET_COUNT];
    dt_split *split = NULL;
    for (size_t n = 0; n < t->N; n++)
        class_rows[table_class(t, n)]++;
    assert_all_int(dt_split_new(&split, class_rows, t->C, deal->validation_split, deal->test_split,
                                deal->seed),
                   DT_OK);
    for (int p = 0; p < DT_SET_COUNT; p++)
        rows[p] = calloc(t->N, sizeof *rows[p]);
    for (size_t n = 0; n < t->N; n++) {
        const dt_set set = dt_split_assign(split, table_class(t, n));
        rows[set][counts[set]++] = n;
    }
    dt_split_free(split);
    assert_all(test_rank != 0 || write_table("t.npz", t));
    dt_dataset sets[DT_SET_COUNT];
    assert_all_int(table_load(sets, scratch_path("t.npz"), deal), DT_OK);
    for (int p = 0; p < DT_SET_COUNT; p++) {
        check_set(&sets[p], t, rows[p], counts[p], deal->S);
        dt_dataset_clear(&sets[p]);
        free(rows[p]);
    }
    assert_all_int(counts[0] + counts[1] + counts[2], t->N);
    assert_all(deal->test_split <= 0 || counts[DT_TEST] > 0);
}

static void test_split(void **state)
{
    (void)state;
    dt_deal deal = {
        .S = 8, .validation_split = 0.2, .test_split = 0.1, .seed = 5, .host_ranks = test_size};
    table t = {.N = 100, .D = 6, .C = 3, .x_type = "'<f4'", .y_type = "'<i8'"};
    check_split(&t, &deal);
    t.x_fortran = true;
    t.one_hot = true;
    t.y_fortran = true;
    deal.seed = 6;
    check_split(&t, &deal);
    deal.test_split = 0;
    t.x_shape = "(100, 2, 3)";
    t.middle = 3;
    check_split(&t, &deal);
    const table large = {.N = 300000, .D = 3, .C = 3, .x_type = "'|u1'", .y_type = "'|u1'"};
    check_split(&large, &deal);
}

static const struct CMUnitTest tests[] = {
    with_folder(test_types_and_orders), with_folder(test_three_dimensions),
    with_folder(test_targets),          with_folder(test_few_rows),
    with_folder(test_many_tiles),       with_folder(test_many_one_hot_columns),
    with_folder(test_three_sets),       with_folder(test_split),
};

MPI_SUITE(test_dataset, tests);
