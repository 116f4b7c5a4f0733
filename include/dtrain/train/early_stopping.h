#ifndef DTRAIN_TRAIN_EARLY_STOPPING_H
#define DTRAIN_TRAIN_EARLY_STOPPING_H

#include <stdbool.h>
#include <stdint.h>

/**
 * Early stopping with the rules of Keras 3's EarlyStopping, epoch by epoch. All calls are local;
 * the trainer makes them on rank 0 and broadcasts the verdict.
 *
 * Source:  keras/src/callbacks/early_stopping.py
 */
typedef struct dt_early_stopping {
    bool larger_is_better;
    double min_delta; /* an improvement must exceed it */
    int64_t patience; /* epochs without improvement before training stops */
    int64_t start_from_epoch; /* earlier epochs are ignored; counted from 0 */
    double baseline; /* NaN: none; else an improvement resets `wait` only if it also beats the
                      * baseline */

    double best; /* NaN until the first value */
    bool has_best;
    int64_t best_epoch; /* counted from 0; -1 until then */
    int64_t wait; /* epochs since the last improvement */
    int64_t stopped_epoch; /* 0 until training stops, as in Keras */
} dt_early_stopping;

/** The verdict on an epoch. */
typedef struct dt_verdict {
    bool improved; /* keep these weights */
    bool stop; /* stop training */
} dt_verdict;

/** Starts with Keras's other defaults: no baseline, from epoch 0 on. */
dt_early_stopping dt_early_stopping_start(bool larger_is_better, int64_t patience,
                                          double min_delta);

/**
 * Judges the value of an epoch (counted from 0).
 *
 * Math:    improved when value + min_delta < best, or value - min_delta > best; a first value
 * always improves; stop when not improved, wait >= patience, and epoch > 0
 */
dt_verdict dt_early_stopping_judge(dt_early_stopping *stopping, int64_t epoch, double value);

#endif
