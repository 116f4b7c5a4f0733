#ifndef DTRAIN_NN_OPTIMIZER_H
#define DTRAIN_NN_OPTIMIZER_H

#include "dtrain/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Maximum numbers, states and factors of an optimizer. */
enum { DT_OPTIMIZER_NUMBERS = 3, DT_OPTIMIZER_STATES = 2, DT_OPTIMIZER_FACTORS = 4 };

/** A hyperparameter of an optimizer; in files it has Keras's name. */
typedef struct dt_optimizer_number {
    const char *name; /* "beta_1" */
    double fallback; /* Keras's default */
    double below; /* 0 <= number < below */
    bool is_flag; /* 0 or 1; a file without it means 0 */
} dt_optimizer_number;

typedef struct dt_optimizer dt_optimizer;

/** The interface of an optimizer: one file in nn/optimizers, which ends in one of these. */
typedef struct dt_optimizer_kind {
    const char *name; /* "adam": in --optimizer and in files */
    const char *title; /* "Adam": what Keras and the banner call it */
    double weight_decay; /* default in Keras; 0: the class in Keras has none */
    size_t number_count;
    dt_optimizer_number numbers[DT_OPTIMIZER_NUMBERS];
    size_t state_count; /* number of arrays with one number for each parameter */
    const char *states[DT_OPTIMIZER_STATES]; /* "m": their names in files */
    bool non_negative[DT_OPTIMIZER_STATES]; /* of a state: of squares */
    float start[DT_OPTIMIZER_STATES]; /* of a state: its numbers at step 0 */

    /* Computes `factors` for the step that starts; optimizer->step already counts it. */
    void (*begin_step)(dt_optimizer *optimizer);

    /* Updates the parameters first .. first+count-1; gradient[0] belongs to the first of them. */
    void (*update)(const dt_optimizer *optimizer, float *params, const float *gradient,
                   size_t first, size_t count);

    /* Returns the number that Keras keeps beside the states, a function of optimizer->step; NULL:
     * Keras keeps none. */
    double (*scalar)(const dt_optimizer *optimizer);
} dt_optimizer_kind;

/** An optimizer: one of a kind, with its numbers and its state. All calls are local. */
struct dt_optimizer {
    const dt_optimizer_kind *kind;
    double learning_rate;
    double weight_decay; /* decoupled: lr * decay of a weight is subtracted from it; 0: none */
    double numbers[DT_OPTIMIZER_NUMBERS]; /* in the order of kind->numbers */
    int64_t step; /* updates done */
    size_t P; /* 0: only the numbers are set, there is no state */
    float *states[DT_OPTIMIZER_STATES]; /* [P] each, views into one block; none beyond the kind's */
    float factors[DT_OPTIMIZER_FACTORS]; /* of the step under way, the kind's own */
    double ema; /* decay of the averaged parameters; 0: none */
    float *average; /* [P]: the averaged parameters; NULL unless there are any */
    float average_share; /* of the parameters in the average, in the step under way */
};

/** The optimizers, and their names in the same order for the options table. */
#define DT_OPTIMIZER_NAMES "adam|sgd|adamw|nadam|rmsprop|adagrad"
enum { DT_OPTIMIZER_COUNT = 6 };
extern const dt_optimizer_kind *const dt_optimizer_kinds[DT_OPTIMIZER_COUNT];
extern const dt_optimizer_kind dt_adam, dt_sgd, dt_adamw, dt_nadam, dt_rmsprop, dt_adagrad;

/** Returns the optimizer of that name; NULL: there is none. */
const dt_optimizer_kind *dt_optimizer_find(const char *name);

/**
 * Makes an optimizer at step 0 with Keras's defaults, but without weight decay. With P = 0 it has
 * no state yet.
 *
 * Owns:    the caller clears
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_optimizer_init(dt_optimizer *out, const dt_optimizer_kind *kind, size_t P,
                                        double learning_rate);

/** Allocates the state of step 0 for an optimizer without state. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_optimizer_allocate(dt_optimizer *optimizer, size_t P);

/**
 * Starts to average the parameters [P], if optimizer->ema is not 0; their values are the initial
 * average.
 *
 * Math:    after each step t = 1, 2 ...:  E <- d E + (1 - d) P, d = min(ema, (1 + t) / (10 + t))
 * Source:  Polyak and Juditsky 1992; the warm-up of d is TensorFlow's ExponentialMovingAverage's
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_optimizer_start_average(dt_optimizer *optimizer, const float *params,
                                                 size_t P);

/** Frees; a zeroed optimizer is allowed. */
void dt_optimizer_clear(dt_optimizer *optimizer);

/** Returns the address of the number with this name ("beta_1"), or NULL if the kind has none. */
double *dt_optimizer_number_at(dt_optimizer *optimizer, const char *name);

/** Starts the next update and counts the step. Called once for all parameters. */
void dt_optimizer_begin_step(dt_optimizer *optimizer);

/**
 * Updates the parameters first .. first+count-1, each exactly once between two begin_step calls.
 * `decays`: weight decay applies to them.
 *
 * Math:    w -= w lr weight_decay, then what the kind does, then the average, if there is one
 * Shapes:  params [P] in and out; gradient [count] in, its element 0 belongs to parameter `first`
 * Source:  Loshchilov and Hutter 2019 (decoupled decay); Keras's optimizers
 * Cost:    allocates nothing
 */
void dt_optimizer_update(const dt_optimizer *optimizer, float *params, const float *gradient,
                         size_t first, size_t count, bool decays);

#endif
