#ifndef DTRAIN_DATA_DATASET_BINS_INTERNAL_H
#define DTRAIN_DATA_DATASET_BINS_INTERNAL_H

/* The memory of the trees on one input after another, on each rank. */

#include "dtrain/data/dataset.h"
#include "dtrain/nn/bin_tree.h"

typedef struct dt_bin_trees {
    const dt_comm *comm;
    const dt_dataset *set;
    const dt_target_scale *scale; /* [T]: of values */
    double steps; /* of values, in a standard deviation */
    size_t most; /* allocated groups */
    dt_bin_groups groups;
} dt_bin_trees;

/* Makes room for the groups of one input. Local. Owns: the caller clears. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_bin_trees_init(dt_bin_trees *out, const dt_comm *comm,
                                        const dt_dataset *set, const dt_target_scale *scale);

/* Chooses the edges of input d by a tree (dt_bin_tree_choose); `values`, on rank 0, are those of
 * all ranks. `out` and *edges are set on rank 0. Collective. Errors: DT_MEMORY on rank 0 alone. */
DT_MUST_USE dt_status dt_bin_trees_choose(dt_bin_trees *trees, float *out, size_t *edges, size_t d,
                                          const dt_value_count *values, size_t count, size_t bins);

/* Frees; zeroed trees are allowed. Local. */
void dt_bin_trees_clear(dt_bin_trees *trees);

#endif
