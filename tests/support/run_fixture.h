#ifndef DTRAIN_TESTS_RUN_FIXTURE_H
#define DTRAIN_TESTS_RUN_FIXTURE_H

/** Small training runs on generated data, on any communicator. For tests over ranks. */

#include "ranks.h"

#include "dtrain/train/trainer.h"

/** Maximum number of epochs and of inputs of a run. */
enum { MAX_EPOCHS = 32, MAX_D = 64 };

/** A run: data, network and settings. */
typedef struct run {
    size_t rows[DT_PART_COUNT], D, C, S;
    size_t hidden[3], hidden_count;
    dt_activation activation;
    double scale; /* of the inputs; 0: 1 */
    bool noise; /* random labels */
    int64_t batch, epochs, patience;
    int64_t threads; /* 0: 1 */
    double learning_rate;
    dt_sum sum;
    bool no_restore_best;
    bool corrupt; /* one weight of the last rank differs */
} run;

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

/** Writes the file of one part: train.npz, val.npz or test.npz. Local. */
bool run_write_part(const run *r, int part);

/** Empties the scratch folder and writes all parts that have rows, on rank 0. Collective. */
void run_write_data(const run *r);

/** Loads the data of the scratch folder. Collective over `comm`. */
dt_status run_load(dt_dataset sets[DT_PART_COUNT], const dt_comm *comm, const run *r);

/** Returns the plan of the run. */
dt_plan run_plan(const run *r);

/** Initializes the network and the optimizer of the run. */
dt_status run_make_network(dt_network *net, dt_adam *adam, const run *r);

/** Appends an epoch to a history, the context; for dt_observer. */
void run_keep_epoch(void *context, const dt_epoch *epoch);

/** Trains the given network. Every rank of `comm` gets the same history, except result.phases. */
void run_train_on(history *out, const dt_comm *comm, const run *r, dt_network *net, dt_adam *adam);

/** Trains a new network; see run_train_on. */
void run_train(history *out, const dt_comm *comm, const run *r);

/** Returns whether two metrics are equal, bit for bit. */
bool same_metrics(dt_metrics a, dt_metrics b);

#endif
