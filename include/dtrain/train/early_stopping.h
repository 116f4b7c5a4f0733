#ifndef DTRAIN_TRAIN_EARLY_STOPPING_H
#define DTRAIN_TRAIN_EARLY_STOPPING_H

#include <stdbool.h>
#include <stdint.h>

/**
 * When to stop, as Keras 3's EarlyStopping decides it, epoch by epoch. All calls are local; the
 * trainer makes them on rank 0 and broadcasts the verdict.
 *
 * Source:  keras/src/callbacks/early_stopping.py
 */
typedef struct dt_early_stopping {
    bool larger_is_better;
    double min_delta; /* an improvement must exceed it */
    int64_t patience; /* epochs without improvement that are borne */
    int64_t start_from_epoch; /* epochs before it are not looked at; counted from 0 */
    double baseline; /* NaN: none; else waiting starts anew only when it is beaten too */

    double best; /* NaN until a first value has come */
    bool has_best;
    int64_t best_epoch; /* counted from 0; -1 until then */
    int64_t wait; /* epochs since the last improvement */
    int64_t stopped_epoch; /* 0 while going on, as in Keras */
} dt_early_stopping;

/** What an epoch means for the run. */
typedef struct dt_verdict {
    bool improved; /* keep these weights */
    bool stop; /* train no further */
} dt_verdict;

/** Starts with Keras's defaults for what is not given: no baseline, from epoch 0 on. */
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
