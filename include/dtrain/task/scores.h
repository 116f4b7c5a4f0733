#ifndef DTRAIN_TASK_SCORES_H
#define DTRAIN_TASK_SCORES_H

#include "dtrain/base/exact_total.h"
#include "dtrain/base/status.h"
#include "dtrain/nn/network.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Classes up to which a confusion matrix and the areas under the curves are kept. */
enum { DT_CONFUSION_MAX = 1024 };

/** Equal bins (lower, upper] of the predicted class's probability. */
enum { DT_CALIBRATION_BINS = 10 };

/** The rows of a calibration bin, and how many of them are predicted right. */
typedef struct dt_bin_count {
    int64_t rows, hits;
} dt_bin_count;

/** Sums over rows of one target that is a value, in its standard deviations: e is the error
 * (prediction - target), t the distance of the target from the mean of the training rows. */
typedef struct dt_value_sums {
    dt_exact_total e, squared, absolute, pinball;
    dt_exact_total t, t_squared, t_absolute;
} dt_value_sums;

/** What the rows of a class, or of a calibration bin, weigh. */
typedef struct dt_weight_sums {
    dt_exact_total rows, predicted, hits;
} dt_weight_sums;

/**
 * What one rank's rows come to: all that dt_evaluation_compute needs. Counts and exact totals, so
 * that neither the order of the rows nor which rank has them matters; and, for the curves, the
 * probabilities and labels themselves.
 */
typedef struct dt_scores {
    size_t C, rows; /* outputs: classes, or values; rows added */
    bool curves; /* p and y are kept */
    size_t capacity; /* rows that p and y have room for */
    float *p; /* [capacity,C]; NULL unless curves */
    dt_target *y; /* [capacity], or [capacity,C] of values */
    float *w; /* [capacity]; NULL unless curves and weighted */
    bool weighted; /* rows have weights; else each weighs 1 */
    dt_exact_total weight; /* of all rows, if they have weights */
    dt_weight_sums *weights; /* [C + bins]: of the classes and of the bins; NULL unless weighted */

    const dt_target_scale
        *scale; /* [C], borrowed: of values; NULL: classes, and all below is theirs */
    double quantile; /* of the pinball loss; NaN: it is not wanted */
    dt_value_sums *values; /* [C] */

    int64_t *counts; /* [3,C]: rows of each class, rows predicted as it, and both */
    int64_t *confusion; /* [C,C]: row = true class; NULL above DT_CONFUSION_MAX classes */
    dt_exact_total loss, log_loss, brier;
    dt_exact_total confidence[DT_CALIBRATION_BINS];
    dt_bin_count bins[DT_CALIBRATION_BINS];
    int64_t outside; /* rows with a probability that is NaN or not in 0..1: not counted elsewhere */
    int64_t unknown; /* rows with a label that is no class: likewise */
} dt_scores;

/**
 * Allocates for what the network's loss says that its outputs are.
 *
 * `curves` says that what needs each row is wanted: of classes ROC-AUC and PR-AUC, of values median
 * and histograms. Then predictions and targets are kept, 4 bytes each, of up to `capacity` rows
 * (0 is allowed). Without them any number of rows can be added, and nothing grows. Above
 * DT_CONFUSION_MAX classes there are no curves, whatever is asked for.
 *
 * `weighted` says that rows have weights, at most DT_WEIGHT_MAX each. All numbers
 * are weighted as scikit-learn's sample_weight; counts of rows are not.
 *
 * Calls:   local; same on all ranks: all but capacity. The network's scale is borrowed
 * Owns:    the caller clears with dt_scores_clear
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_scores_init(dt_scores *out, const dt_network *network, size_t capacity,
                                     bool curves, bool weighted);

/** Makes room for `rows` further rows, where curves are kept. Errors: DT_MEMORY. Local. */
DT_MUST_USE dt_status dt_scores_reserve(dt_scores *scores, size_t rows);

/** Frees; zeroed scores are allowed. Local. */
void dt_scores_clear(dt_scores *scores);

/**
 * Adds rows.
 *
 * A row with a probability that is NaN or not within 0..1, with a label that is not a class, or
 * with a value that is not finite or beyond 2^16 standard deviations, is only noted:
 * dt_evaluation_compute fails then, on all ranks.
 *
 * Shapes:  p [B,C] in: a softmax, in float32, or values in the targets' units; y [B] in, or [B,C];
 *          predicted [B] in: the classes that were predicted, below C, or NULL: the most probable,
 *          the first of equals, and of values; w [B] in: their weights, or NULL: 1 each
 * Calls:   local
 * Cost:    two logarithms and C clipped additions a row; allocates nothing
 */
void dt_scores_add(dt_scores *scores, const float *p, const dt_target *y, const float *w,
                   const int32_t *predicted, size_t B);

#endif
