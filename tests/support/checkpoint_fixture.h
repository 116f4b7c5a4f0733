#ifndef DTRAIN_TESTS_CHECKPOINT_FIXTURE_H
#define DTRAIN_TESTS_CHECKPOINT_FIXTURE_H

/** The contents of a checkpoint, with numbers that all differ. Local; starts no MPI, needs no
 * cmocka. */

#include "dtrain/run/checkpoint.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A run in the middle of an epoch. Do not copy it: it contains pointers into itself. */
typedef struct kept {
    dt_settings settings;
    dt_environment environment;
    dt_dataset sets[DT_SET_COUNT];
    dt_network network;
    dt_optimizer adam;
    dt_training training;
    dt_history history;
    dt_run_facts facts;
    char hosts[1][DT_HOST_BYTES];
    uint64_t class_rows[8];
    float *arrays; /* [4 P]: weights, best weights, moments */
} kept;

/** Returns the row of an epoch; no two of its numbers are equal. */
dt_epoch kept_epoch(int64_t number);

/** Makes a run of P parameters after `epochs` complete epochs. Returns NULL if memory is short. */
kept *kept_make(size_t P, int64_t epochs);

/** Frees the run. */
void kept_free(kept *k);

/** Saves the run as the checkpoint `path`. */
dt_status kept_save(const kept *k, const char *path);

/** Returns whether two epochs are equal, bit for bit. */
bool same_epoch(const dt_epoch *a, const dt_epoch *b);

/** Returns whether two histories have the same epochs and sessions. */
bool same_history(const dt_history *a, const dt_history *b);

/** Returns whether two states are equal; the settings of early stopping are not compared. */
bool same_training(const dt_training *a, const dt_training *b);

#endif
