#ifndef DTRAIN_TESTS_RESUME_FIXTURE_H
#define DTRAIN_TESTS_RESUME_FIXTURE_H

/** Runs that are observed, stopped and resumed, on any communicator. For tests over ranks. */

#include "run_fixture.h"

/** Maximum number of parameters and of saved points of a run. */
enum { MAX_P = 256, MAX_POINTS = 256 };

/** A saved point of a run: plain data, sufficient to resume. */
typedef struct saved_point {
    dt_training at;
    float params[MAX_P], best[MAX_P], m[MAX_P], v[MAX_P];
    int64_t adam_step;
    dt_epoch epochs[MAX_EPOCHS]; /* complete ones */
    int count;
} saved_point;

/** How a run is observed and disturbed. */
typedef struct watch {
    dt_option_interval every;
    bool time_is_up; /* from the beginning, by rank 0's clock */
    double left_s; /* until the time is up, likewise; 0: no limit */
    int failures; /* number of first attempts to save that fail */
    bool spoilt; /* the last rank has an infinity among its inputs */
} watch;

/** Saves after every step and at the end of every epoch. */
extern const watch always;

/** The result of a run; too large for the stack. */
typedef struct outcome {
    dt_status status;
    char text[DT_STATUS_TEXT_BYTES];
    dt_epoch epochs[MAX_EPOCHS]; /* all, including those before the run was resumed */
    int count;
    int attempts, failures; /* to save */
    saved_point *points; /* [point_count]: the saved ones */
    int point_count;
    dt_result result;
    saved_point end; /* network and optimizer at the end */
    uint32_t crc;
    const dt_network *net;
    const dt_optimizer *adam;
} outcome;

/** Allocates an empty outcome. Collective; fails if memory is short. */
outcome *outcome_new(void);

/** Frees an outcome. */
void outcome_free(outcome *o);

/** Copies the state of the network and the optimizer to a point. */
void point_save(saved_point *out, const dt_network *net, const dt_optimizer *adam);

/** Copies the state of the network and the optimizer from a point. */
void point_restore(dt_network *net, dt_optimizer *adam, const saved_point *from);

/** Trains a new network if `from` is NULL, or resumes from a point, which all ranks have. Every
 * rank of `comm` gets the same outcome. */
void run_train_from(outcome *o, const dt_comm *comm, const run *r, const watch *w,
                    const saved_point *from);

/** Returns whether two rows of the log are equal, bit for bit; times are not compared. */
bool same_row(const dt_epoch *a, const dt_epoch *b);

/** Returns NULL if two outcomes are equal, bit for bit; otherwise the name of a difference. */
const char *outcome_difference(const outcome *a, const outcome *b);

/** Fails everywhere, and prints `what`, `i` and the difference, unless two outcomes are equal.
 * Collective. */
void check_same_outcome(const outcome *is, const outcome *expected, const char *what, int i);

#endif
