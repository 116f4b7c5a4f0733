#ifndef DTRAIN_TASK_SCORES_H
#define DTRAIN_TASK_SCORES_H

#include "dtrain/base/status.h"
#include "dtrain/comm/exact_total.h"

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

/**
 * What one rank's rows come to: all that dt_evaluation_compute needs. Counts and exact totals, so
 * that neither the order of the rows nor which rank has them matters; and, for the curves, the
 * probabilities and labels themselves.
 */
typedef struct dt_scores {
    size_t C, rows; /* classes; rows added */
    bool curves; /* p and y are kept */
    size_t capacity; /* rows that p and y have room for */
    float *p; /* [capacity,C]; NULL unless curves */
    int32_t *y; /* [capacity] */
    int64_t *counts; /* [3,C]: rows of each class, rows predicted as it, and both */
    int64_t *confusion; /* [C,C]: row = true class; NULL above DT_CONFUSION_MAX classes */
    dt_exact_total loss, log_loss, brier;
    dt_exact_total confidence[DT_CALIBRATION_BINS];
    dt_bin_count bins[DT_CALIBRATION_BINS];
    int64_t outside; /* rows with a probability that is NaN or not in 0..1: not counted elsewhere */
    int64_t unknown; /* rows with a label that is no class: likewise */
} dt_scores;

/**
 * Allocates.
 *
 * `curves` says that ROC-AUC and PR-AUC are wanted: then 4 C + 4 bytes of each row are kept, of up
 * to `capacity` rows (0 is allowed). Without them any number of rows can be added, and nothing
 * grows. Above DT_CONFUSION_MAX classes there are no curves, whatever is asked for.
 *
 * Calls:   local; same on all ranks: C and curves, but not capacity
 * Owns:    the caller clears with dt_scores_clear
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_scores_init(dt_scores *out, size_t C, size_t capacity, bool curves);

/** Makes room for `rows` further rows, where curves are kept. Errors: DT_MEMORY. Local. */
DT_MUST_USE dt_status dt_scores_reserve(dt_scores *scores, size_t rows);

/** Frees; zeroed scores are allowed. Local. */
void dt_scores_clear(dt_scores *scores);

/**
 * Adds rows.
 *
 * A row with a probability that is NaN or not within 0..1, or with a label that is not a class, is
 * only noted: dt_evaluation_compute fails then, on all ranks.
 *
 * Shapes:  p [B,C] in: a softmax, in float32; y [B] in; predicted [B] in: the classes that were
 *          predicted, below C, or NULL: the most probable, the first of equals
 * Calls:   local
 * Cost:    two logarithms and C clipped additions a row; allocates nothing
 */
void dt_scores_add(dt_scores *scores, const float *p, const int32_t *y, const int32_t *predicted,
                   size_t B);

#endif
