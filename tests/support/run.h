#ifndef DTRAIN_TESTS_RUN_H
#define DTRAIN_TESTS_RUN_H

/** Small training runs on generated data, as numbers: without files, ranks and cmocka. */

#include "dtrain/nn/spec.h"
#include "dtrain/train/trainer.h"

/** Maximum number of inputs of a run. */
enum { MAX_D = 64 };

/** A run: data, network and settings. */
typedef struct run {
    size_t rows[DT_SET_COUNT], D, C, S;
    size_t hidden[3], hidden_count;
    dt_activation activation;
    dt_norm norm;
    double dropout, weight_decay;
    double momentum; /* above 0: of SGD, which then trains instead of Adam */
    double scale; /* of the inputs; 0: 1 */
    bool noise; /* random labels */
    int64_t batch, epochs, patience;
    int64_t threads; /* 0: 1 */
    double learning_rate;
    dt_sum sum; /* of a pinned run: fast on one rank only */
    dt_overlap overlap;
    bool no_restore_best;
    bool corrupt; /* one weight of the last rank differs */
} run;

/** A run whose result is known. */
typedef struct pinned {
    const char *what;
    run run;
    uint32_t weights,
        loss; /* CRC-32 of the weights; the bits of the last training loss in float32 */
} pinned;

/**
 * The bits of some runs, pinned: whatever the CPU, the kernels, the threads and the number of
 * ranks, they come to these weights. A commit that changes one says so, and why.
 */
extern const pinned pinned_runs[];
extern const size_t pinned_count;

/** Computes row n of a set, [D], and returns its class: the same bits on every machine. */
size_t run_make_row(const run *r, int set, size_t n, double row[MAX_D]);

/** Returns the plan of the run. */
dt_plan run_plan(const run *r);

/** Initializes the network and the optimizer of the run. */
dt_status run_make_network(dt_network *net, dt_optimizer *optimizer, const run *r);

/** Returns the bits of a loss in float32. */
uint32_t run_loss_bits(double loss);

#endif
