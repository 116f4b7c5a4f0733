#ifndef DTRAIN_TASK_CURVE_H
#define DTRAIN_TASK_CURVE_H

#include "dtrain/task/evaluation.h"
#include "dtrain/task/threshold.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The curves of one class against the rest, from the rows' keys. A key holds a row's score and
 * whether it belongs to the class ("positive"), and keys sort as scores do: so the curves depend
 * only on the set of keys. All calls are local.
 */

/** Returns the key of a score from 0 to 1. */
uint32_t dt_curve_key(float score, bool positive);

/** Returns the score of a key. */
double dt_curve_score(uint32_t key);

/**
 * Sorts keys, the smallest first.
 *
 * Shapes:  keys [count], buffer [count]: its contents are lost
 * Cost:    four passes; allocates nothing
 */
void dt_curve_sort(uint32_t *keys, uint32_t *buffer, size_t count);

/** The areas under the two curves; NaN when no row, or every row, is positive. */
typedef struct dt_curve_areas {
    double roc_auc; /* share of the (positive, negative) pairs in which the positive has the larger
                       score; an equal pair counts half. Counted, then divided once */
    double pr_auc; /* mean over the positives of the precision among all rows with such a score or
                      a larger one */
} dt_curve_areas;

/** Returns the areas. `keys` are sorted; count < 2^47. */
dt_curve_areas dt_curve_measure(const uint32_t *keys, size_t count);

/**
 * Writes the ROC curve's points, thinned as described for dt_evaluation.roc; returns their number,
 * which is 0 if no row or every row is positive. `keys` are sorted.
 */
size_t dt_curve_points(dt_roc_point out[DT_ROC_POINTS], const uint32_t *keys, size_t count);

/** A key, and below it the row's weight, above 0. */
typedef uint64_t dt_weighted_key;

/**
 * The state of a walk from the largest score down; zeroed at first, except the sorted keys and
 * their number. Rows of equal score are one step. Without weights all numbers are whole and exact.
 */
typedef struct dt_curve_walk {
    const uint32_t *keys; /* NULL: the rows have weights */
    const dt_weighted_key *weighted;
    size_t left; /* keys of smaller scores; at the start all */
    double score;
    double positives, negatives; /* weights of the rows with this or a larger score */
    double new_positives, new_negatives; /* weights of the rows with this score */
} dt_curve_walk;

/** Goes one step; returns false, and changes nothing, after the last one. */
bool dt_curve_next(dt_curve_walk *walk);

/** Walks to the end, where the numbers are those of all rows; returns the number of steps. */
size_t dt_curve_count(dt_curve_walk *walk);

/**
 * Writes the points of the precision-recall curve, thinned as described for dt_evaluation.pr;
 * returns their number, which is 0 if no row or every row is positive. `start` is a walk's start.
 */
size_t dt_curve_pr_points(dt_pr_point out[DT_ROC_POINTS], const dt_curve_walk *start);

/** Returns the threshold that a rule chooses among the scores (dt_threshold_kind); NaN if there is
 * none. `start` is a walk's start. */
double dt_curve_threshold(const dt_curve_walk *start, const dt_threshold_rule *rule);

/** The same for rows with weights: shares and pairs are weighted, as scikit-learn's sample_weight.
 * Sums are of double, in the order of the keys. */
dt_weighted_key dt_curve_weighted_key(float score, bool positive, float weight);
void dt_curve_sort_weighted(dt_weighted_key *keys, size_t count);
dt_curve_areas dt_curve_measure_weighted(const dt_weighted_key *keys, size_t count);
size_t dt_curve_points_weighted(dt_roc_point out[DT_ROC_POINTS], const dt_weighted_key *keys,
                                size_t count);

#endif
