#ifndef DTRAIN_TASK_CLASS_KEYS_H
#define DTRAIN_TASK_CLASS_KEYS_H

#include "curve.h"
#include "dtrain/comm/comm.h"

/** The rows of all ranks with weights above 0, as keys of one class (curve.h), on one rank. */
typedef struct dt_class_keys {
    bool weighted;
    size_t key_bytes;
    size_t rows, N; /* of this rank, of all ranks */
    void *own; /* [rows]: this rank's keys */
    void *keys, *buffer; /* [N] on a rank that gets keys, else NULL */
    size_t *bytes; /* [size]: of each rank's keys */
} dt_class_keys;

/**
 * Allocates; `gets`: this rank will be the root of a collection.
 *
 * Calls:   collective; the scores have kept their rows
 * Owns:    the caller clears, also after an error
 * Errors:  DT_MEMORY, on all ranks
 */
DT_MUST_USE dt_status dt_class_keys_init(dt_class_keys *out, const dt_comm *comm,
                                         const dt_scores *scores, bool gets);

/** Gathers the keys of a class on rank `root`. Collective. */
void dt_class_keys_collect(dt_class_keys *keys, const dt_comm *comm, const dt_scores *scores,
                           size_t class_id, int root);

/** Sorts the keys that this rank got, and returns the start of a walk along them. Local. */
dt_curve_walk dt_class_keys_sort(dt_class_keys *keys);

/** Frees; zeroed keys are allowed. Local. */
void dt_class_keys_clear(dt_class_keys *keys);

#endif
