#ifndef DTRAIN_NN_BIN_TREE_H
#define DTRAIN_NN_BIN_TREE_H

#include "dtrain/base/status.h"
#include "dtrain/nn/bins.h"

#include <stddef.h>
#include <stdint.h>

/**
 * Rows that a bin of a tree has at least. With fewer rows a threshold follows single targets, and
 * the network finds bins that no other row confirms. 64 is the number in the examples of Gorishniy
 * et al.'s own package (rtdl_num_embeddings), and what dtrain's recipe was measured with.
 */
enum { DT_BIN_TREE_ROWS = 64 };

/**
 * The values of one input in rising groups, and the targets of each group's rows. A group is one
 * value, or several neighbours if there are too many values.
 *
 * Targets are added up as whole numbers, so that the sums do not depend on the order of the rows:
 * for classes the number of rows of each class; for values multiples of a step, below 2^53 in sum.
 */
typedef struct dt_bin_groups {
    size_t count;
    size_t K; /* classes, or targets that are values */
    float *first, *last; /* [count]: the smallest and the largest value of each group */
    int64_t *sums; /* [count, 1 + K]: the group's rows, then its sum of each target */
} dt_bin_groups;

/**
 * Makes at most `most` groups of neighbouring values, each with about the same number of rows; each
 * value is a group if there are no more than `most` values. Sets count, first and last.
 *
 * Shapes:  values [count], rising, all different; groups->first, groups->last [min(count, most)]
 * Calls:   local
 */
void dt_bin_groups_make(dt_bin_groups *groups, const dt_value_count *values, size_t count,
                        size_t most);

/** Returns the group of one of the values from which groups were made, by count and last. Local.
 * Cost: log2(count) steps. */
size_t dt_bin_groups_find(const dt_bin_groups *groups, float value);

/**
 * Chooses the edges of one input by a decision tree that predicts the targets from this input
 * alone, as scikit-learn's DecisionTreeClassifier and DecisionTreeRegressor do with
 * max_leaf_nodes = bins and min_samples_leaf = DT_BIN_TREE_ROWS: it splits the leaf with the
 * largest gain, again and again. The edges are the smallest value, the thresholds, and the largest
 * value.
 *
 * Math:    gain = l r / (l + r) * sum over k of (L_k / l - R_k / r)^2, where l and r are the rows
 *          on both sides and L and R their sums: the decrease of the squared error; for classes,
 *          which are targets of 0 and 1, the decrease of the Gini impurity times rows. A threshold
 *          is the middle between two groups in float32, or the lower value if the middle is not
 *          below the upper one. Among equal gains the lowest threshold wins; only gains above 0
 *          count. Edges that are too close are removed (dt_bins_finish).
 * Shapes:  out [bins + 1]; bins 2 .. DT_BINS_MAX
 * Calls:   local
 * Errors:  DT_MEMORY
 * Cost:    count * K operations for each level of the tree
 * Source:  Gorishniy, Rubachev and Babenko, "On Embeddings for Numerical Features in Tabular Deep
 *          Learning", 2022, section 3.2.2
 *
 * *edges becomes the number of edges: 2 if there is no split, 0 for an input that is not encoded.
 */
DT_MUST_USE dt_status dt_bin_tree_choose(float *out, size_t *edges, const dt_bin_groups *groups,
                                         size_t bins);

#endif
