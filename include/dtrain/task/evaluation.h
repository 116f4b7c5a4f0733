#ifndef DTRAIN_TASK_EVALUATION_H
#define DTRAIN_TASK_EVALUATION_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"
#include "dtrain/data/dataset.h"
#include "dtrain/nn/network.h"
#include "dtrain/task/metrics.h"
#include "dtrain/task/scores.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The quality of a model on labelled rows that lie on the ranks of a job. Every number is the same,
 * bit for bit, on any number of ranks and however the rows are distributed: counts are whole
 * numbers, sums over rows are exact totals (dt_exact_total), areas under curves are made of counts
 * of pairs.
 *
 * "Undefined" is NaN, unless said otherwise: without rows, a class without rows or with all of
 * them, more than DT_CONFUSION_MAX classes, scores that kept no rows (dt_scores.curves), a number
 * of the other task.
 */

enum { DT_RESIDUAL_BINS = 40, DT_JOINT_BINS = 32 };

/** One target that is a value. */
typedef struct dt_value_quality {
    dt_quality model, baseline;
    double
        residual_limit; /* residuals, prediction - target, are counted in equal bins from -limit to
                           limit; the outer bins also contain the residuals beyond. 4 times the
                           RMSE */
    double residuals[DT_RESIDUAL_BINS]; /* weights of the rows, or their number if rows have no
                                           weights; all 0 if no rows were kept */
    double low, high; /* smallest and largest target of the rows with weights above 0 */
    double joint[DT_JOINT_BINS][DT_JOINT_BINS]; /* weights by target (first index) and prediction,
                                                   in equal bins from low to high; the outer bins
                                                   also contain the rows beyond */
} dt_value_quality;

/** One class against the rest. */
typedef struct dt_class_quality {
    int64_t label; /* the class */
    int64_t rows, predicted; /* rows of the class, rows predicted as it */
    double weight; /* weight of the rows of the class, or their number if rows have no weights */
    double precision, recall, f1; /* 0 where undefined, as sklearn's zero_division=0 */
    double roc_auc, pr_auc; /* by the probability of this class */
} dt_class_quality;

/** Rows whose predicted class has a probability in (lower, upper]. */
typedef struct dt_calibration_bin {
    double lower, upper;
    int64_t rows;
    double confidence; /* mean probability of the predicted class; NaN in an empty bin */
    double accuracy; /* share of the bin's rows predicted right; NaN in an empty bin */
} dt_calibration_bin;

/** A point of the ROC curve: class 1 is predicted if its probability is at least `threshold`. */
typedef struct dt_roc_point {
    double fpr; /* share of class 0's rows that are predicted as class 1 */
    double tpr; /* share of class 1's rows */
    double threshold; /* infinite at the first point, (0, 0) */
} dt_roc_point;

/** A point of the precision-recall curve, likewise. */
typedef struct dt_pr_point {
    double recall; /* share of class 1's rows that are predicted as class 1 */
    double precision; /* share of class 1 among the rows that are predicted as class 1; 1 at the
                       * first point */
    double threshold; /* infinite at the first point, (0, 1) */
} dt_pr_point;

/** Maximum number of points of a curve. */
enum { DT_ROC_POINTS = 1001 };

typedef struct dt_evaluation {
    uint64_t N; /* rows of all ranks */
    bool weighted; /* rows have weights */
    double weight; /* total weight, or the number of rows if they have no weights */
    size_t C; /* classes, or values of a row */
    size_t majority_class; /* the prediction of the baseline */
    dt_quality model;
    dt_quality majority; /* of the baseline; its probabilities are the shares of the classes, its
                            values the means of the training rows */
    dt_value_quality *values; /* [C]: of values; NULL: classes; all members below are for classes */
    dt_class_quality *classes; /* [C] */
    dt_calibration_bin bins[DT_CALIBRATION_BINS];
    int64_t *confusion; /* [C,C], row = true class; NULL above DT_CONFUSION_MAX classes */
    size_t roc_count; /* 0 unless C = 2 and both classes have rows */
    dt_roc_point *roc; /* [roc_count]: class 1's curve from (0, 0) to (1, 1), all points on it. Of a
                          longer one than DT_ROC_POINTS some are left out, each less than 1/500
                          (both axes together) beyond a point that is kept */
    size_t pr_count; /* as roc_count */
    dt_pr_point *pr; /* [pr_count]: class 1's precision-recall curve, from recall 0 to 1, all points
                        on it. Of a longer one than DT_ROC_POINTS some are left out, each less than
                        1/500 (recall) beyond a point that is kept; the last one is kept */
} dt_evaluation;

/**
 * Computes the quality from all ranks' scores.
 *
 * The baseline predicts the class with the most rows in `class_rows` (the first among equals); the
 * probability of each class is its share of these rows. So its AUC is 0.5, and its average
 * precision is the share of the class in the evaluated rows.
 *
 * Shapes:  class_rows [C] in: rows of each class in the training set; NULL, or all 0: those of the
 *          evaluated rows
 * Calls:   collective; the result is the same on all ranks. Same on all ranks: class_rows
 * Owns:    the caller clears *out with dt_evaluation_clear; after an error it is empty
 * Errors:  DT_DIVERGED: a probability was NaN or not in 0..1, or a value was not finite or too far
 *          away (dt_scores_add); DT_DATA: a label is not a class;
 *          DT_MEMORY
 * Cost:    with curves 4 bytes a row of this rank's, and on rank k mod ranks, for each class k,
 *          8 bytes a row of all ranks' (with two classes: on at most two ranks)
 */
DT_MUST_USE dt_status dt_evaluation_compute(dt_evaluation *out, const dt_comm *comm,
                                            const dt_scores *scores, const uint64_t *class_rows);

/**
 * Computes the quality of a network on a set: dt_evaluate, then dt_evaluation_compute.
 *
 * The threads of `pool`, which may be NULL, share the products.
 *
 * `metrics`, unless it is NULL, gets what dt_evaluate gives: the loss of training, not clipped.
 *
 * Calls:   collective; the result is the same on all ranks. Same on all ranks: all but `set`'s rows
 * Owns:    the caller clears *out with dt_evaluation_clear; after an error it is empty
 * Errors:  DT_DIVERGED when the loss is not finite; DT_DATA; DT_MEMORY: then it can be tried again
 *          without curves
 */
DT_MUST_USE dt_status dt_evaluation_of_set(dt_evaluation *out, dt_metrics *metrics,
                                           const dt_comm *comm, const dt_network *network,
                                           const dt_dataset *set, const uint64_t *class_rows,
                                           bool curves, dt_pool *pool);

/**
 * Computes the metrics of a set, as dt_evaluate does, and with them `monitored`, whether it is a
 * metric or a quality.
 *
 * Calls:   collective; the result is the same on all ranks. Same on all ranks: all but `set`'s rows
 * Errors:  as dt_evaluate; DT_DATA: the quality is undefined for the set's targets; DT_MEMORY
 */
DT_MUST_USE dt_status dt_evaluation_of_metric(dt_metrics *out, const dt_comm *comm,
                                              dt_predictor *predictor, const dt_dataset *set,
                                              const dt_metric *monitored);

/** Frees; a zeroed evaluation is allowed. Local. */
void dt_evaluation_clear(dt_evaluation *evaluation);

#endif
