/*
 * The edges of bins by trees: rank 0 makes groups of the values, each rank adds up the targets of
 * its rows by groups, and rank 0 grows the tree from the sums of all ranks. The sums are whole
 * numbers, and the result depends on the rows alone.
 */
#include "dataset_bins_internal.h"

#include "dtrain/base/memory.h"

#include <math.h>
#include <string.h>

/* They bound the memory to 34 MiB a rank. Neighbouring values beyond them share a group. With up to
 * 15 classes that is finer than 1 / 250,000 of the rows; with a thousand classes, 1 / 4,000. */
enum { GROUPS_MOST = 1 << 18, SUMS_MOST = 1 << 22 };

/* The squares of N standardised values add up to N, and so their magnitudes add up to N at most:
 * below 2^52 steps, and 2^53 with what rounding adds. */
static double steps_for(uint64_t N)
{
    int exponent = 0;
    (void)frexp((double)N, &exponent);
    return ldexp(1.0, 52 - exponent);
}

dt_status dt_bin_trees_init(dt_bin_trees *out, const dt_comm *comm, const dt_dataset *set,
                            const dt_target_scale *scale)
{
    dt_status status = DT_OK;
    const size_t K = set->C > 0 ? set->C : set->T;
    size_t most = SUMS_MOST / (1 + K) < GROUPS_MOST ? SUMS_MOST / (1 + K) : GROUPS_MOST;
    most = set->N < most ? (size_t)set->N : most;
    *out = (dt_bin_trees){.comm = comm,
                          .set = set,
                          .scale = scale,
                          .steps = steps_for(set->N),
                          .most = most,
                          .groups = {.K = K}};
    dt_bin_groups *groups = &out->groups;
    DT_ASSERT(set->C > 0 || scale != NULL);
    DT_TRY(dt_memory_alloc(&groups->first, most, sizeof *groups->first, "groups of values"));
    DT_TRY(dt_memory_alloc(&groups->last, most, sizeof *groups->last, "groups of values"));
    DT_TRY(dt_memory_alloc(&groups->sums, most * (1 + K), sizeof *groups->sums, "sums of targets"));
out:
    return status;
}

static void add_targets(const dt_bin_trees *trees, int64_t *sums, size_t row)
{
    const dt_dataset *set = trees->set;
    sums[0]++;
    if (set->C > 0)
        sums[1 + (size_t)set->y[row].label]++;
    for (size_t j = 0; set->C == 0 && j < set->T; j++) {
        const dt_target_scale *scale = &trees->scale[j];
        const double value = (double)set->y[row * set->T + j].value;
        sums[1 + j] += (int64_t)rint((value - scale->mean) / scale->deviation * trees->steps);
    }
}

dt_status dt_bin_trees_choose(dt_bin_trees *trees, float *out, size_t *edges, size_t d,
                              const dt_value_count *values, size_t count, size_t bins)
{
    const dt_dataset *set = trees->set;
    const dt_comm *comm = trees->comm;
    dt_bin_groups *groups = &trees->groups;
    if (dt_comm_rank(comm) == 0)
        dt_bin_groups_make(groups, values, count, trees->most);
    dt_comm_broadcast(comm, &groups->count, sizeof groups->count);
    dt_comm_broadcast(comm, groups->last, groups->count * sizeof *groups->last);
    const size_t sums = groups->count * (1 + groups->K), own = dt_dataset_own_rows(set);
    memset(groups->sums, 0, sums * sizeof *groups->sums);
    for (size_t i = 0; i < own; i++) {
        const size_t group = dt_bin_groups_find(groups, set->x[i * set->D + d]);
        add_targets(trees, groups->sums + group * (1 + groups->K), i);
    }
    dt_comm_sum_i64(comm, groups->sums, sums);
    return dt_comm_rank(comm) == 0 ? dt_bin_tree_choose(out, edges, groups, bins) : DT_OK;
}

void dt_bin_trees_clear(dt_bin_trees *trees)
{
    dt_memory_free(trees->groups.first);
    dt_memory_free(trees->groups.last);
    dt_memory_free(trees->groups.sums);
    *trees = (dt_bin_trees){0};
}
