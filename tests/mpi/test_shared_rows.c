/* Rows that occur in several sets, against a count by comparison; in memory and in a file. */
#include "ranks.h"

#include "../../src/data/shared_rows_internal.h"
#include "scratch_folder.h"

#include <stdlib.h>
#include <string.h>

enum { D = 3, T = 2, S = 8, N_MOST = 3000 };

static const size_t rows_of[DT_SET_COUNT] = {N_MOST, 400, 500};

/* Few different rows, so that many stand in several sets; a tenth differ in a target alone. */
static void fill(float *x, dt_target *y, size_t set, size_t q, size_t variety)
{
    const size_t kind = (q * 7919 + set * 131 + q / 13) % variety;
    for (size_t d = 0; d < D; d++)
        x[d] = (float)(kind * D + d) / 16.0f;
    y[0].value = (float)(kind % 5);
    y[1].value = q % 10 == 0 ? (float)set : 0.5f;
}

static bool same(size_t set, size_t q, size_t other, size_t p, size_t variety)
{
    float x[2][D];
    dt_target y[2][T];
    fill(x[0], y[0], set, q, variety);
    fill(x[1], y[1], other, p, variety);
    return memcmp(x[0], x[1], sizeof x[0]) == 0 && memcmp(y[0], y[1], sizeof y[0]) == 0;
}

static uint64_t count_by_comparison(size_t set, size_t other, size_t variety)
{
    uint64_t count = 0;
    for (size_t q = 0; q < rows_of[set]; q++) {
        bool found = false;
        for (size_t p = 0; p < rows_of[other] && !found; p++)
            found = same(set, q, other, p, variety);
        count += found;
    }
    return count;
}

/* As dt_dataset_load deals them. */
static void deal(dt_dataset *set, size_t which, size_t N, size_t variety)
{
    *set = (dt_dataset){.N = N, .D = D, .T = T, .S = S};
    set->first_shard = dt_dataset_first_shard(test_rank, test_size, S);
    set->shard_count = dt_dataset_first_shard(test_rank + 1, test_size, S) - set->first_shard;
    set->shard_start = calloc(set->shard_count + 1, sizeof *set->shard_start);
    set->x = calloc(N_MOST * D, sizeof *set->x);
    set->y = calloc(N_MOST * T, sizeof *set->y);
    size_t own = 0;
    for (size_t s = 0; s < set->shard_count; s++) {
        for (size_t q = set->first_shard + s; q < N; q += S, own++)
            fill(set->x + own * D, set->y + own * T, which, q, variety);
        set->shard_start[s + 1] = own;
    }
}

static void clear_set(dt_dataset *set)
{
    free(set->shard_start);
    free(set->x);
    free(set->y);
}

static void check_counts(const dt_shared_rows *shared, size_t variety)
{
    for (int p = 0; p < DT_SET_COUNT; p++)
        assert_all_int(shared->rows[p], rows_of[p]);
    assert_all_int(shared->test_in_train, count_by_comparison(DT_TEST, DT_TRAIN, variety));
    assert_all_int(shared->validation_in_train,
                   count_by_comparison(DT_VALIDATION, DT_TRAIN, variety));
    assert_all_int(shared->test_in_validation,
                   count_by_comparison(DT_TEST, DT_VALIDATION, variety));
}

/* One kind of row, many, and so many that few are shared. */
static const size_t varieties[] = {50, 4000, 1000003};
enum { VARIETIES = sizeof varieties / sizeof *varieties };

static void test_dataset(void **state)
{
    (void)state;
    const dt_comm comm = ranks_all();
    for (size_t v = 0; v < VARIETIES; v++) {
        dt_dataset sets[DT_SET_COUNT];
        dt_shared_rows shared;
        for (size_t p = 0; p < DT_SET_COUNT; p++)
            deal(&sets[p], p, rows_of[p], varieties[v]);
        assert_all_int(dt_shared_rows_count(&shared, &comm, sets), DT_OK);
        check_counts(&shared, varieties[v]);
        for (size_t p = 0; p < DT_SET_COUNT; p++)
            clear_set(&sets[p]);
    }
}

/* Every rank has every size-th row of a set, and adds it to a file of its own. */
typedef struct dealt_rows {
    size_t set, next, variety;
} dealt_rows;

static dt_status begin_rows(void *context, dt_set set)
{
    dealt_rows *rows = context;
    rows->set = set;
    rows->next = (size_t)test_rank;
    return DT_OK;
}

static dt_status read_rows(void *context, uint64_t *out, size_t *count)
{
    dealt_rows *rows = context;
    const size_t most = *count;
    float x[D];
    dt_target y[T];
    for (*count = 0; *count < most && rows->next < rows_of[rows->set];
         rows->next += (size_t)test_size) {
        fill(x, y, rows->set, rows->next, rows->variety);
        out[(*count)++] = dt_shared_rows_hash(x, D, y, T);
    }
    return DT_OK;
}

/* Memory is for a part of the hashes at a time. */
static void test_parts(void **state)
{
    (void)state;
    const dt_comm comm = ranks_all();
    for (size_t most = 1; most < 1000; most *= 30) {
        dealt_rows rows = {.variety = varieties[1]};
        dt_shared_rows shared;
        dt_hash_source source = {
            .context = &rows, .comm = &comm, .most = most, .begin = begin_rows, .read = read_rows};
        for (int p = 0; p < DT_SET_COUNT; p++)
            source.rows[p] = rows_of[p];
        assert_all_int(dt_shared_rows_find(&shared, &source), DT_OK);
        check_counts(&shared, varieties[1]);
    }
}

static dt_status fail_at_end(void *context, uint64_t *out, size_t *count)
{
    const dealt_rows *rows = context;
    if (test_rank == test_size - 1 && rows->set == DT_TRAIN)
        return dt_fail(DT_OUTPUT, "a row that cannot be read");
    return read_rows(context, out, count);
}

static void test_failure(void **state)
{
    (void)state;
    const dt_comm comm = ranks_all();
    dealt_rows rows = {.variety = 7};
    dt_shared_rows shared;
    const dt_hash_source source = {.context = &rows,
                                   .comm = &comm,
                                   .rows = {1, 1, 1},
                                   .most = 10,
                                   .begin = begin_rows,
                                   .read = fail_at_end};
    assert_all_int(dt_shared_rows_find(&shared, &source), DT_OUTPUT);
    assert_all_string(dt_status_text(), "a row that cannot be read");
}

/* Rows of all sets in turn, as a table has them. */
static void test_file(void **state)
{
    (void)state;
    for (size_t v = 0; v < VARIETIES; v++) {
        dt_row_hashes *hashes = NULL;
        dt_shared_rows shared;
        float x[D];
        dt_target y[T];
        size_t failed = 0;
        assert_all_int(dt_row_hashes_new(&hashes, scratch_folder, D, T), DT_OK);
        assert_all_int(scratch_count(false), 0);
        for (size_t q = 0; q < N_MOST; q++)
            for (size_t p = 0; p < DT_SET_COUNT; p++) {
                if (q >= rows_of[p])
                    continue;
                fill(x, y, p, q, varieties[v]);
                const double values[T] = {(double)y[0].value, (double)y[1].value};
                const dt_prepare_row row = {.set = (dt_set)p, .x = x, .values = values};
                failed += dt_row_hashes_add(hashes, &row) != DT_OK;
            }
        assert_all_int(failed, 0);
        assert_all_int(dt_row_hashes_count(&shared, hashes), DT_OK);
        check_counts(&shared, varieties[v]);
        dt_row_hashes_free(hashes);
    }
}

static void test_no_folder(void **state)
{
    (void)state;
    dt_row_hashes *hashes = NULL;
    assert_all_int(dt_row_hashes_new(&hashes, "/no/such/folder", D, T), DT_OUTPUT);
    assert_all(hashes == NULL);
    assert_all_string(dt_status_text(),
                      "/no/such/folder: cannot create a temporary file: No such file or directory");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_dataset), cmocka_unit_test(test_parts), cmocka_unit_test(test_failure),
    with_folder(test_file), cmocka_unit_test(test_no_folder)};

MPI_SUITE(test_shared_rows, tests);
