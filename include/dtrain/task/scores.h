#ifndef DTRAIN_TASK_SCORES_H
#define DTRAIN_TASK_SCORES_H

#include "dtrain/base/exact_total.h"
#include "dtrain/base/status.h"
#include "dtrain/nn/network.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Maximum number of classes for a confusion matrix and areas under curves. */
enum { DT_CONFUSION_MAX = 1024 };

/** Equal bins (lower, upper] of the predicted class's probability. */
enum { DT_CALIBRATION_BINS = 10 };

/** The rows of a calibration bin, and the number predicted correctly. */
typedef struct dt_bin_count {
    int64_t rows, hits;
} dt_bin_count;

/** Sums over rows of one target that is a value, in its standard deviations: e is the error
 * (prediction - target), t the distance of the target from the mean of the training rows. */
typedef struct dt_value_sums {
    dt_exact_total e, squared, absolute, pinball;
    dt_exact_total t, t_squared, t_absolute;
} dt_value_sums;

/** The weights of the rows of a class, or of a calibration bin. */
typedef struct dt_weight_sums {
    dt_exact_total rows, predicted, hits;
} dt_weight_sums;

/**
 * The scores of one rank's rows, for dt_evaluation_compute: counts and exact totals, which depend
 * neither on the order of the rows nor on the ranks; and, for the curves, the probabilities and
 * labels themselves.
 */
typedef struct dt_scores {
    size_t C, rows; /* outputs: classes, or values; rows added */
    bool curves; /* p and y are kept */
    size_t capacity; /* allocated rows of p and y */
    float *p; /* [capacity,C]; NULL unless curves */
    dt_target *y; /* [capacity], or [capacity,C] of values */
    float *w; /* [capacity]; NULL unless curves and weighted */
    bool weighted; /* rows have weights; else each weighs 1 */
    dt_exact_total weight; /* of all rows, if they have weights */
    dt_weight_sums *weights; /* [C + bins]: of the classes and of the bins; NULL unless weighted */

    const dt_target_scale
        *scale; /* [C], borrowed: of values; NULL: classes; all members below are for classes */
    double quantile; /* of the pinball loss; NaN: it is not computed */
    dt_value_sums *values; /* [C] */

    int64_t *counts; /* [3,C]: rows of each class, rows predicted as it, and both */
    int64_t *confusion; /* [C,C]: row = true class; NULL above DT_CONFUSION_MAX classes */
    dt_exact_total loss, log_loss, brier;
    dt_exact_total confidence[DT_CALIBRATION_BINS];
    dt_bin_count bins[DT_CALIBRATION_BINS];
    int64_t outside; /* rows with a probability that is NaN or not in 0..1: not counted elsewhere */
    int64_t unknown; /* rows with a label that is not a class: likewise */
} dt_scores;

/**
 * Allocates for the outputs of the network's loss.
 *
 * `curves` requests the scores that need each row: ROC-AUC and PR-AUC for classes, median and
 * histograms for values. Then predictions and targets of up to `capacity` rows (0 is allowed) are
 * kept, 4 bytes each. Without `curves`, any number of rows can be added in constant memory. Above
 * DT_CONFUSION_MAX classes there are never curves.
 *
 * `weighted`: rows have weights, at most DT_WEIGHT_MAX each. All numbers are weighted as
 * scikit-learn's sample_weight; counts of rows are not.
 *
 * Calls:   local; same on all ranks: all but capacity. The network's scale is borrowed
 * Owns:    the caller clears with dt_scores_clear
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_scores_init(dt_scores *out, const dt_network *network, size_t capacity,
                                     bool curves, bool weighted);

/** Allocates room for `rows` more rows if curves are kept. Errors: DT_MEMORY. Local. */
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
 *          predicted [B] in: the predicted classes, below C; NULL for the most probable ones (the
 *          first among equals), and for values; w [B] in: their weights, or NULL: 1 each
 * Calls:   local
 * Cost:    two logarithms and C clipped additions a row; allocates nothing
 */
void dt_scores_add(dt_scores *scores, const float *p, const dt_target *y, const float *w,
                   const int32_t *predicted, size_t B);

#endif
