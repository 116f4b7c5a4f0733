#include "evaluation_fixture.h"

#include "same_evaluation.h"

#include "dtrain/base/random.h"

#include <stdlib.h>
#include <string.h>

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

void draw_rows(rows *out, size_t N, size_t C, unsigned levels, uint64_t seed)
{
    out->N = N;
    out->C = C;
    for (size_t n = 0; n < N; n++) {
        dt_random random = dt_random_start(seed, DT_RANDOM_EXAMPLE, n);
        double cuts[MAX_C + 1] = {0};
        for (size_t j = 1; j < C; j++)
            cuts[j] = levels > 0 ? (double)dt_random_below(&random, levels + 1) / levels
                                 : dt_random_uniform(&random);
        cuts[C] = 1;
        qsort(cuts, C, sizeof *cuts, compare_doubles);
        double drawn = dt_random_uniform(&random);
        out->y[n] = (int32_t)dt_random_below(&random, C);
        if (dt_random_uniform(&random) < 0.75)
            for (size_t j = 0; j < C; j++)
                out->y[n] = drawn >= cuts[j] ? (int32_t)j : out->y[n];
        for (size_t j = 0; j < C; j++)
            out->p[n * C + j] = (float)(cuts[j + 1] - cuts[j]);
    }
}

int row_owner(int deal, size_t n, size_t N)
{
    const size_t size = (size_t)test_size;
    switch (deal) {
    case DEAL_ROUND:
        return (int)(n % size);
    case DEAL_BLOCKS:
        return (int)(n * size / N);
    case DEAL_LAST: /* and the others have none */
        return test_size - 1;
    default:
        return (int)((n * 2654435761u >> 7) % size);
    }
}

dt_network network_of_classes(size_t C)
{
    return (dt_network){.C = C, .loss = &dt_cross_entropy};
}

dt_status evaluate_dealt(dt_evaluation *out, const dt_comm *comm, const rows *r, int deal,
                         const uint64_t *class_rows, bool curves)
{
    dt_scores scores;
    const dt_network network = network_of_classes(r->C);
    dt_status status = dt_scores_init(&scores, &network, r->N, curves, false);
    for (size_t i = 0; status == DT_OK && i < r->N; i++) {
        const size_t n = deal % 2 == 0 ? i : r->N - 1 - i;
        if (dt_comm_size(comm) == 1 || row_owner(deal, n, r->N) == test_rank)
            dt_scores_add(&scores, r->p + n * r->C, &(dt_target){.label = r->y[n]}, NULL, NULL, 1);
    }
    status = dt_comm_agree(comm, status);
    if (status == DT_OK)
        status = dt_evaluation_compute(out, comm, &scores, class_rows);
    dt_scores_clear(&scores);
    return status;
}

void evaluate_in_all_ways(dt_evaluation *out, const rows *r, const uint64_t *class_rows)
{
    const dt_comm all = ranks_all(), alone = ranks_alone();
    assert_all_int(evaluate_dealt(out, &alone, r, DEAL_ROUND, class_rows, true), DT_OK);
    assert_all_same(&out->model, sizeof out->model);
    for (int deal = 0; deal < DEALS; deal++) {
        dt_evaluation dealt;
        assert_all_int(evaluate_dealt(&dealt, &all, r, deal, class_rows, true), DT_OK);
        assert_all(same_evaluation(out, &dealt));
        dt_evaluation_clear(&dealt);
    }
}
