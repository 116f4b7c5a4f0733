/* rooms: data */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/memory.h"
#include "dtrain/data/dataset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { D = 3, MAX_ROWS = 64 };

/* The share of one rank of `size` of rows 0 .. N-1, in their first order. Row n holds n in every
 * input, and is of class n mod 5. */
static void deal(dt_dataset *out, size_t N, size_t S, int rank, int size)
{
    const size_t first = dt_dataset_first_shard(rank, size, S);
    const size_t count = dt_dataset_first_shard(rank + 1, size, S) - first;
    *out = (dt_dataset){
        .N = N, .D = D, .C = 5, .T = 1, .S = S, .first_shard = first, .shard_count = count};
    assert_int_equal(dt_memory_alloc(&out->shard_start, count + 1, sizeof(size_t), "t"), DT_OK);
    assert_int_equal(dt_memory_alloc(&out->x, N * D, sizeof(float), "t"), DT_OK);
    assert_int_equal(dt_memory_alloc(&out->y, N, sizeof(dt_target), "t"), DT_OK);
    assert_int_equal(dt_memory_alloc(&out->order, N, sizeof(uint32_t), "t"), DT_OK);
    size_t own = 0;
    for (size_t s = 0; s < count; s++) {
        out->shard_start[s] = own;
        for (size_t n = first + s; n < N; n += S, own++) {
            for (size_t j = 0; j < D; j++)
                out->x[own * D + j] = (float)n;
            out->y[own].label = (int32_t)(n % 5);
            out->order[own] = (uint32_t)(n / S);
        }
    }
    out->shard_start[count] = own;
}

static const int job_sizes[] = {1, 2, 3, 5, 8};
enum { JOBS = sizeof job_sizes / sizeof *job_sizes };

static void test_blocks_of_shards(void **state)
{
    (void)state;
    const size_t shards[] = {8, 9, 11, 64, 4096};
    for (size_t k = 0; k < sizeof shards / sizeof *shards; k++)
        for (int size = 1; size <= 8; size++) {
            const size_t S = shards[k];
            assert_int_equal(dt_dataset_first_shard(0, size, S), 0);
            assert_int_equal(dt_dataset_first_shard(size, size, S), S);
            for (int rank = 0; rank < size; rank++) {
                const size_t count = dt_dataset_first_shard(rank + 1, size, S) -
                                     dt_dataset_first_shard(rank, size, S);
                /* Everyone has some, and no one more than one beyond another. */
                assert_in_range(count, S / (size_t)size, (S - 1) / (size_t)size + 1);
            }
        }
}

/* Takes a step on every rank; the rows must be those of the positions, shard after shard. */
static void check_take(const dt_dataset *set, size_t first, size_t count)
{
    const size_t capacity = dt_dataset_take_capacity(set, count);
    float *x = malloc((capacity + 1) * DT_PANEL * sizeof *x);
    const dt_panels panels = {x, capacity + 1, D};
    dt_target *y = malloc((capacity + 1) * sizeof *y);
    uint64_t *positions = malloc((capacity + 1) * sizeof *positions);
    size_t *start = calloc(set->shard_count + 1, sizeof *start), taken = 0;
    for (size_t i = 0; i < (capacity + 1) * DT_PANEL; i++)
        x[i] = -1;
    dt_dataset_take(set, first, count,
                    &(dt_batch){.x = &panels, .y = y, .positions = positions, .start = start});
    assert_true(start[set->shard_count] <= capacity);
    for (size_t s = 0; s < set->shard_count; s++) {
        assert_int_equal(start[s], taken);
        for (size_t q = first; q < first + count; q++) {
            if (q % set->S != set->first_shard + s)
                continue;
            const size_t local = set->order[set->shard_start[s] + q / set->S];
            const size_t row = local * set->S + set->first_shard + s;
            for (size_t j = 0; j < D; j++)
                assert_true(fabs((double)x[taken * DT_PANEL + j] - (double)row) <= 0);
            assert_int_equal(y[taken].label, row % 5);
            assert_int_equal(positions[taken], q);
            taken++;
        }
    }
    assert_int_equal(start[set->shard_count], taken);
    assert_true(fabsf(x[taken * DT_PANEL] + 1) <= 0); /* and nothing beyond */
    free(x);
    free(y);
    free(positions);
    free(start);
}

static void test_take(void **state)
{
    (void)state;
    const size_t rows[] = {1, 3, 7, 8, 9, 50, 64}, shards[] = {8, 11};
    const size_t batches[] = {1, 3, 8, 10, 64, 1000};
    for (size_t n = 0; n < 7; n++)
        for (size_t k = 0; k < 2; k++)
            for (size_t job = 0; job < JOBS; job++)
                for (int rank = 0; rank < job_sizes[job]; rank++) {
                    dt_dataset set;
                    deal(&set, rows[n], shards[k], rank, job_sizes[job]);
                    dt_dataset_shuffle(&set, 3, 1);
                    for (size_t b = 0; b < 6; b++)
                        for (size_t at = 0; at < rows[n]; at += batches[b])
                            check_take(&set, at,
                                       rows[n] - at < batches[b] ? rows[n] - at : batches[b]);
                    dt_dataset_clear(&set);
                }
}

/* An epoch takes every row once, in the same steps for any number of ranks. */
static void test_an_epoch_takes_every_row_once(void **state)
{
    (void)state;
    enum { N = 53, S = 8, BATCH = 10 };
    int step_of[JOBS][N];
    memset(step_of, -1, sizeof step_of);
    for (size_t job = 0; job < JOBS; job++)
        for (int rank = 0; rank < job_sizes[job]; rank++) {
            dt_dataset set;
            float x[N * DT_PANEL];
            const dt_panels panels = {x, N, D};
            dt_target y[N];
            uint64_t positions[N];
            size_t start[S + 1];
            deal(&set, N, S, rank, job_sizes[job]);
            dt_dataset_shuffle(&set, 3, 9);
            for (size_t first = 0; first < N; first += BATCH) {
                dt_dataset_take(
                    &set, first, N - first < BATCH ? N - first : BATCH,
                    &(dt_batch){.x = &panels, .y = y, .positions = positions, .start = start});
                for (size_t i = 0; i < start[set.shard_count]; i++) {
                    const size_t row = (size_t)x[i * DT_PANEL];
                    assert_int_equal(step_of[job][row], -1);
                    step_of[job][row] = (int)(first / BATCH);
                }
            }
            dt_dataset_clear(&set);
        }
    for (size_t job = 0; job < JOBS; job++) {
        int in_step[6] = {0};
        assert_memory_equal(step_of[job], step_of[0], sizeof step_of[0]);
        for (size_t n = 0; n < N; n++)
            in_step[step_of[job][n]]++;
        for (int step = 0; step < 6; step++)
            assert_int_equal(in_step[step], step < 5 ? BATCH : N - 5 * BATCH);
    }
}

/* The orders of all shards, from whichever rank owns each. */
static void orders_of(uint32_t *orders, size_t N, size_t S, int size, uint64_t seed, uint64_t epoch)
{
    size_t at = 0;
    for (int rank = 0; rank < size; rank++) {
        dt_dataset set;
        deal(&set, N, S, rank, size);
        dt_dataset_shuffle(&set, seed, epoch);
        memcpy(orders + at, set.order, dt_dataset_own_rows(&set) * sizeof *orders);
        at += dt_dataset_own_rows(&set);
        dt_dataset_clear(&set);
    }
    assert_int_equal(at, N);
}

static void test_shuffle(void **state)
{
    (void)state;
    enum { N = 61, S = 8 };
    uint32_t orders[N], other[N];
    orders_of(orders, N, S, 1, 3, 1);
    for (size_t job = 0; job < JOBS; job++) {
        orders_of(other, N, S, job_sizes[job], 3, 1);
        assert_memory_equal(other, orders, sizeof orders);
    }
    for (size_t s = 0, at = 0; s < S; s++) { /* a permutation within each shard */
        const size_t rows = (N + S - 1 - s) / S;
        uint64_t seen = 0;
        for (size_t i = 0; i < rows; i++)
            seen |= UINT64_C(1) << orders[at + i];
        assert_true(seen == (UINT64_C(1) << rows) - 1);
        if (at > 0) /* and not the one of the shard before */
            assert_memory_not_equal(orders + at, orders + at - rows, rows * sizeof *orders);
        at += rows;
    }
    orders_of(other, N, S, 2, 3, 2);
    assert_memory_not_equal(other, orders, sizeof orders);
    orders_of(other, N, S, 2, 4, 1);
    assert_memory_not_equal(other, orders, sizeof orders);
    orders_of(other, N, S, 2, 3, 1);
    assert_memory_equal(other, orders, sizeof orders);
}

/* The same shuffle again is the same again, not a shuffle of the last one. */
static void test_shuffle_forgets(void **state)
{
    (void)state;
    dt_dataset set;
    uint32_t first[MAX_ROWS];
    deal(&set, MAX_ROWS, 8, 0, 1);
    dt_dataset_shuffle(&set, 1, 1);
    memcpy(first, set.order, sizeof first);
    dt_dataset_shuffle(&set, 1, 2);
    dt_dataset_shuffle(&set, 1, 1);
    assert_memory_equal(set.order, first, sizeof first);
    dt_dataset_clear(&set);
}

static void test_small_questions(void **state)
{
    (void)state;
    dt_dataset set = {0};
    assert_int_equal(dt_dataset_own_rows(&set), 0);
    dt_dataset_clear(&set); /* a zeroed one is allowed */
    uint64_t class_rows[] = {3, 9, 2, 9};
    set = (dt_dataset){.C = 4, .class_rows = class_rows};
    assert_int_equal(dt_dataset_majority_class(&set), 1);
    class_rows[0] = 9;
    assert_int_equal(dt_dataset_majority_class(&set), 0);
    class_rows[3] = 10;
    assert_int_equal(dt_dataset_majority_class(&set), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_of_shards),
        cmocka_unit_test(test_take),
        cmocka_unit_test(test_an_epoch_takes_every_row_once),
        cmocka_unit_test(test_shuffle),
        cmocka_unit_test(test_shuffle_forgets),
        cmocka_unit_test(test_small_questions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
