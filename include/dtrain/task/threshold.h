#ifndef DTRAIN_TASK_THRESHOLD_H
#define DTRAIN_TASK_THRESHOLD_H

#include "dtrain/base/pool.h"
#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"
#include "dtrain/data/dataset.h"
#include "dtrain/nn/network.h"

/** For two classes: the minimum probability at which class 1 is predicted. */
typedef enum dt_threshold_kind {
    DT_THRESHOLD_NONE, /* the more probable class is predicted */
    DT_THRESHOLD_NUMBER, /* a given probability */
    DT_THRESHOLD_F1, /* the one with the largest F1 of class 1; the smallest among equals */
    DT_THRESHOLD_RECALL, /* the largest one whose recall of class 1 is at least a number */
    DT_THRESHOLD_PRECISION /* the smallest one whose precision of class 1 is at least a number */
} dt_threshold_kind;

typedef struct dt_threshold_rule {
    dt_threshold_kind kind;
    double number; /* above 0, at most 1; unused for F1 */
} dt_threshold_rule;

/**
 * Reads a rule: "" (none), "0.3", "f1", "recall=0.8", "precision=0.9".
 *
 * Calls:   local
 * Errors:  DT_USAGE
 */
DT_MUST_USE dt_status dt_threshold_parse(dt_threshold_rule *out, const char *text);

/** Returns whether the rule chooses by the rows of a set. Local. */
bool dt_threshold_needs_rows(const dt_threshold_rule *rule);

/**
 * Chooses a threshold among the probabilities of class 1 that the network gives the rows of a set:
 * precision and recall are those of all rows, weighted if they have weights. *out is NaN if no
 * threshold fulfils the rule, or all rows of class 1 have the weight 0.
 *
 * The threads of `pool`, which may be NULL, share the products.
 *
 * Calls:   collective; the result is the same on any number of ranks. Same on all ranks: all but
 *          `set`'s rows. The network has two classes; its own threshold does not matter
 * Errors:  DT_DIVERGED when the loss is not finite; DT_MEMORY
 * Cost:    as dt_evaluation_of_set, with one curve
 */
DT_MUST_USE dt_status dt_threshold_of_set(double *out, const dt_comm *comm,
                                          const dt_network *network, const dt_dataset *set,
                                          const dt_threshold_rule *rule, dt_pool *pool);

#endif
