/* Messages and collective calls of ranks. */
#include "ranks.h"

#include "dtrain/base/random.h"

#include <math.h>
#include <string.h>

static void test_rank_and_size(void **state)
{
    (void)state;
    const dt_comm comm = ranks_all();
    assert_all_int(dt_comm_rank(&comm), test_rank);
    assert_all_int(dt_comm_size(&comm), test_size);
    assert_all(strlen(dt_comm_library()) > 0);
    assert_all(strchr(dt_comm_library(), '\n') == NULL && strchr(dt_comm_library(), ',') == NULL);
    assert_all(strpbrk(dt_comm_library(), "\t:") == NULL); /* as in "MPICH Version:\t4.0.2" */
}

static void test_agree_when_all_is_well(void **state)
{
    (void)state;
    const dt_comm comm = ranks_all();
    dt_status_set_text("kept");
    assert_all_int(dt_comm_agree(&comm, DT_OK), DT_OK);
    assert_all_string(dt_status_text(), "kept");
}

/* One rank fails; everybody gets its code and its words. */
static void test_agree_with_one_failure(void **state)
{
    (void)state;
    const dt_comm comm = ranks_all();
    static const dt_status codes[] = {DT_INTERNAL, DT_DATA, DT_MEMORY, DT_DIVERGED};
    for (int failing = 0; failing < test_size; failing++) {
        for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
            char expected[64];
            (void)snprintf(expected, sizeof expected, "rank %d: code %d", failing, (int)codes[i]);
            dt_status_set_text("something of before");
            dt_status mine = DT_OK;
            if (test_rank == failing)
                mine = dt_fail(codes[i], "rank %d: code %d", failing, (int)codes[i]);
            assert_all_int(dt_comm_agree(&comm, mine), codes[i]);
            assert_all_string(dt_status_text(), expected);
        }
    }
}

static void test_agree_when_all_fail(void **state)
{
    (void)state;
    const dt_comm comm = ranks_all();
    dt_status mine = dt_fail(DT_DATA, "rank %d says so", test_rank);
    assert_all_int(dt_comm_agree(&comm, mine), DT_DATA);
    assert_all_string(dt_status_text(), "rank 0 says so");
}

/* The highest code wins, and among those the lowest rank. */
static void test_agree_ranks_the_codes(void **state)
{
    (void)state;
    const dt_comm comm = ranks_all();
    char expected[64];
    const int first = test_size > 1 ? 1 : 0;
    dt_status mine = dt_fail(test_rank >= first ? DT_DIVERGED : DT_DATA, "from %d", test_rank);
    (void)snprintf(expected, sizeof expected, "from %d", first);
    assert_all_int(dt_comm_agree(&comm, mine), DT_DIVERGED);
    assert_all_string(dt_status_text(), expected);
    /* The last rank's alone is the highest. */
    mine = dt_fail(test_rank == test_size - 1 ? DT_MEMORY : DT_USAGE, "from %d", test_rank);
    (void)snprintf(expected, sizeof expected, "from %d", test_size - 1);
    assert_all_int(dt_comm_agree(&comm, mine), DT_MEMORY);
    assert_all_string(dt_status_text(), expected);
}

static void test_agree_on_a_long_text(void **state)
{
    (void)state;
    const dt_comm comm = ranks_all();
    char text[DT_STATUS_TEXT_BYTES];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    dt_status mine = test_rank == test_size - 1 ? dt_fail(DT_DATA, "%s", text) : DT_OK;
    assert_all_int(dt_comm_agree(&comm, mine), DT_DATA);
    assert_all_string(dt_status_text(), text);
}

static void test_broadcast(void **state)
{
    (void)state;
    const dt_comm comm = ranks_all();
    static const size_t sizes[] = {0, 1, 7, 4096, 1000003};
    static unsigned char data[1000003 + 1];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t j = 0; j < sizeof data; j++)
            data[j] = test_rank == 0 ? (unsigned char)(j * 7 + i) : 0xEE;
        dt_comm_broadcast(&comm, data, sizes[i]);
        size_t wrong = 0;
        for (size_t j = 0; j < sizes[i]; j++)
            wrong += data[j] != (unsigned char)(j * 7 + i);
        assert_all_int(wrong, 0);
        assert_all(test_rank == 0 || data[sizes[i]] == 0xEE);
    }
    dt_comm_broadcast(&comm, NULL, 0);
}

static void test_sums(void **state)
{
    (void)state;
    const dt_comm comm = ranks_all();
    int64_t whole[33];
    float parts[33];
    for (int i = 0; i < 33; i++) {
        whole[i] = (INT64_C(1) << 60) / test_size * (i % 2 == 0 ? 1 : -1) + test_rank * i;
        parts[i] = (float)(test_rank * i) + 0.5f;
    }
    dt_comm_sum_i64(&comm, whole, 33);
    dt_comm_sum_f32(&comm, parts, 33);
    const int64_t triangle = (int64_t)test_size * (test_size - 1) / 2;
    for (int i = 0; i < 33; i++) {
        const int64_t huge = (INT64_C(1) << 60) / test_size * test_size * (i % 2 == 0 ? 1 : -1);
        assert_all_int(whole[i], huge + triangle * i);
        assert_all_close((double)parts[i], (double)(triangle * i) + 0.5 * test_size, 0.0);
    }
    dt_comm_sum_i64(&comm, NULL, 0);
    dt_comm_sum_f32(&comm, NULL, 0);
}

static void test_gather(void **state)
{
    (void)state;
    const dt_comm comm = ranks_all();
    enum { WORDS = 5 };
    int mine[WORDS], *all = calloc((size_t)test_size * WORDS + 1, sizeof *all);
    for (int i = 0; i < WORDS; i++)
        mine[i] = 100 * test_rank + i;
    all[test_size * WORDS] = -7;
    dt_comm_allgather(&comm, all, mine, sizeof mine);
    int wrong = 0;
    for (int rank = 0; rank < test_size; rank++)
        for (int i = 0; i < WORDS; i++)
            wrong += all[rank * WORDS + i] != 100 * rank + i;
    assert_all_int(wrong, 0);
    assert_all_int(all[test_size * WORDS], -7);
    dt_comm_allgather(&comm, all, mine, 0);
    assert_all_int(all[0], 0);
    free(all);
}

/* Parts of any size: rank r gets `sizes(r)` bytes, among them none at all. */
static void check_scatter(size_t (*size_of)(int rank))
{
    const dt_comm comm = ranks_all();
    size_t bytes[64], before = 0, total = 0;
    for (int rank = 0; rank < test_size; rank++) {
        bytes[rank] = size_of(rank);
        before += rank < test_rank ? bytes[rank] : 0;
        total += bytes[rank];
    }
    unsigned char *parts = test_rank == 0 ? malloc(total + 1) : NULL;
    for (size_t i = 0; parts != NULL && i < total; i++)
        parts[i] = (unsigned char)(i * 13 + 5);
    const size_t own = bytes[test_rank];
    unsigned char *mine = malloc(own + 1);
    memset(mine, 0xEE, own + 1);
    dt_comm_scatterv(&comm, mine, own, parts, test_rank == 0 ? bytes : NULL);
    size_t wrong = mine[own] != 0xEE;
    for (size_t i = 0; i < own; i++)
        wrong += mine[i] != (unsigned char)((before + i) * 13 + 5);
    assert_all_int(wrong, 0);
    free(parts);
    free(mine);
}

static size_t growing(int rank)
{
    return (size_t)rank * 1000 + 3;
}

static size_t some_empty(int rank)
{
    return rank % 2 == 0 ? 0 : 65537;
}

static size_t all_empty(int rank)
{
    (void)rank;
    return 0;
}

static size_t only_root(int rank)
{
    return rank == 0 ? 77 : 0;
}

static size_t large(int rank)
{
    return 3000000 + (size_t)rank; /* beyond any eager limit */
}

/* The way back, to each rank in turn. */
static void check_collect(size_t (*size_of)(int rank))
{
    const dt_comm comm = ranks_all();
    size_t bytes[64] = {0}, before = 0, total = 0;
    for (int rank = 0; rank < test_size; rank++) {
        bytes[rank] = size_of(rank);
        before += rank < test_rank ? bytes[rank] : 0;
        total += bytes[rank];
    }
    const size_t own = bytes[test_rank];
    unsigned char *mine = malloc(own + 1);
    for (size_t i = 0; i < own; i++)
        mine[i] = (unsigned char)((before + i) * 13 + 5);
    for (int root = 0; root < test_size; root++) {
        const bool here = test_rank == root;
        unsigned char *all = here ? malloc(total + 1) : NULL;
        if (here)
            memset(all, 0xEE, total + 1);
        dt_comm_gatherv(&comm, root, all, here ? bytes : NULL, own > 0 ? mine : NULL, own);
        size_t wrong = here && all[total] != 0xEE;
        for (size_t i = 0; here && i < total; i++)
            wrong += all[i] != (unsigned char)(i * 13 + 5);
        assert_all_int(wrong, 0);
        free(all);
    }
    free(mine);
}

static void test_collect(void **state)
{
    (void)state;
    check_collect(growing);
    check_collect(some_empty);
    check_collect(all_empty);
    check_collect(only_root);
    check_collect(large);
}

/* Several at once, none of them met by a barrier, do not get mixed up; the root's own part may lie
 * in its place already. */
static void test_collect_again_and_in_place(void **state)
{
    (void)state;
    enum { TIMES = 20 };
    const dt_comm comm = ranks_all();
    int all[64];
    size_t bytes[64] = {0}, wrong = 0;
    for (int rank = 0; rank < test_size; rank++)
        bytes[rank] = sizeof *all;
    for (int time = 0; time < TIMES; time++) {
        const int root = time % test_size, mine = 1000 * time + test_rank;
        memset(all, 0, sizeof all);
        all[test_rank] = mine;
        dt_comm_gatherv(&comm, root, all, bytes, test_rank == root ? &all[root] : &mine,
                        sizeof mine);
        for (int rank = 0; test_rank == root && rank < test_size; rank++)
            wrong += all[rank] != 1000 * time + rank;
    }
    assert_all_int(wrong, 0);
}

static void test_scatter(void **state)
{
    (void)state;
    check_scatter(growing);
    check_scatter(some_empty);
    check_scatter(all_empty);
    check_scatter(only_root);
    check_scatter(large);
}

/* A sum of random numbers through the reduction: what training stands on. */
static void test_integer_sums_know_no_order(void **state)
{
    (void)state;
    enum { COUNT = 10000 };
    const dt_comm comm = ranks_all();
    static int64_t sums[COUNT];
    int64_t expected[COUNT] = {0};
    for (int rank = 0; rank < test_size; rank++) {
        dt_random random = dt_random_start((uint64_t)rank, DT_RANDOM_EXAMPLE, 0);
        for (size_t i = 0; i < COUNT; i++) {
            const int64_t term = ((int64_t)dt_random_u32(&random) << 20) - (INT64_C(1) << 51);
            expected[i] += term;
            if (rank == test_rank)
                sums[i] = term;
        }
    }
    dt_comm_sum_i64(&comm, sums, COUNT);
    assert_all(memcmp(sums, expected, sizeof sums) == 0);
}

static void test_check_same(void **state)
{
    (void)state;
    const dt_comm comm = ranks_all();
    static const uint32_t values[] = {0, 1, 0xFFFFFFFFu, 0x80000000u, 0xDEADBEEFu};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        assert_all_int(dt_comm_check_same(&comm, "it", values[i]), DT_OK);
        for (int odd = 0; test_size > 1 && odd < test_size; odd++) {
            const uint32_t flip = i % 2 == 0 ? 0x10u : 0x80000000u;
            const uint32_t mine = values[i] ^ (test_rank == odd ? flip : 0u);
            /* Of two that differ there is no telling: the second is named. */
            const int named = test_size == 2 ? 1 : odd;
            const int usual = named == 0 ? 1 : 0;
            const uint32_t named_value = values[i] ^ (named == odd ? flip : 0u);
            const uint32_t usual_value = values[i] ^ (usual == odd ? flip : 0u);
            char expected[128];
            (void)snprintf(expected, sizeof expected,
                           "the weights differs on rank %d: %08x, where rank %d has %08x", named,
                           named_value, usual, usual_value);
            assert_all_int(dt_comm_check_same(&comm, "the weights", mine), DT_INTERNAL);
            assert_all_string(dt_status_text(), expected);
        }
    }
}

/* Two odd ones, and different: the value shown beside the first must be that of most. */
static void test_check_same_with_two_odd_ones(void **state)
{
    (void)state;
    const dt_comm comm = ranks_all();
    if (test_size < 4)
        return;
    const uint32_t mine = test_rank == 0 ? 0xA : test_rank == 1 ? 0xB : 0xC;
    assert_all_int(dt_comm_check_same(&comm, "it", mine), DT_INTERNAL);
    assert_all_string(dt_status_text(),
                      "it differs on rank 0: 0000000a, where rank 2 has 0000000c");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_rank_and_size),
    cmocka_unit_test(test_agree_when_all_is_well),
    cmocka_unit_test(test_agree_with_one_failure),
    cmocka_unit_test(test_agree_when_all_fail),
    cmocka_unit_test(test_agree_ranks_the_codes),
    cmocka_unit_test(test_agree_on_a_long_text),
    cmocka_unit_test(test_broadcast),
    cmocka_unit_test(test_sums),
    cmocka_unit_test(test_gather),
    cmocka_unit_test(test_scatter),
    cmocka_unit_test(test_collect),
    cmocka_unit_test(test_collect_again_and_in_place),
    cmocka_unit_test(test_integer_sums_know_no_order),
    cmocka_unit_test(test_check_same),
    cmocka_unit_test(test_check_same_with_two_odd_ones),
};

MPI_SUITE(test_comm, tests);
