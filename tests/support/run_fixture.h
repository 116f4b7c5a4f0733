#ifndef DTRAIN_TESTS_RUN_FIXTURE_H
#define DTRAIN_TESTS_RUN_FIXTURE_H

/** Small training runs on generated data, on any communicator. For tests over ranks. */

#include "ranks.h"
#include "run.h"

/** Maximum number of epochs of a run. */
enum { MAX_EPOCHS = 32 };

/** The result of a run. */
typedef struct history {
    dt_status status;
    char text[DT_STATUS_TEXT_BYTES];
    dt_epoch epochs[MAX_EPOCHS];
    int count;
    dt_result result;
    uint32_t crc_before, crc;
} history;

/** The run that most tests start from. */
extern const run ordinary;

/** Writes the file of one set: train.npz, val.npz or test.npz. Local. */
bool run_write_set(const run *r, int set);

/** Empties the scratch folder and writes all sets that have rows, on rank 0. Collective. */
void run_write_data(const run *r);

/** Loads the data of the scratch folder. Collective over `comm`. */
dt_status run_load(dt_dataset sets[DT_SET_COUNT], const dt_comm *comm, const run *r);

/** Appends an epoch to a history, the context; for dt_observer. */
void run_keep_epoch(void *context, const dt_epoch *epoch);

/** Trains the given network. Every rank of `comm` gets the same history, except result.phases. */
void run_train_on(history *out, const dt_comm *comm, const run *r, dt_network *net,
                  dt_optimizer *adam);

/** Trains a new network; see run_train_on. */
void run_train(history *out, const dt_comm *comm, const run *r);

/** Returns whether two metrics are equal, bit for bit. */
bool same_metrics(dt_metrics a, dt_metrics b);

#endif
