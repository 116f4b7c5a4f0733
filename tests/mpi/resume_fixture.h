#ifndef DTRAIN_TESTS_MPI_RESUME_FIXTURE_H
#define DTRAIN_TESTS_MPI_RESUME_FIXTURE_H

/** Runs that are watched, stopped and gone on with, on any communicator. */

#include "run_fixture.h"

#include "dtrain/io/crc32.h"

enum { MAX_P = 256, MAX_POINTS = 256 };

/** A point of a run that was saved: plain data, with all that it takes to go on. */
typedef struct saved_point {
    dt_training at;
    float params[MAX_P], best[MAX_P], m[MAX_P], v[MAX_P];
    int64_t adam_step;
    dt_epoch epochs[MAX_EPOCHS]; /* that have ended */
    int count;
} saved_point;

/** How a run is watched. */
typedef struct watch {
    dt_option_interval every;
    bool time_is_up; /* from the beginning on, by rank 0's clock */
    int failures; /* of the first so many attempts to save */
    bool spoilt; /* the last rank has an infinity among its inputs */
} watch;

/** After every step, and at every epoch's end. */
static const watch always = {.every = {.seconds = 1e-12}};

/** What came of it; too large for the stack. */
typedef struct outcome {
    dt_status status;
    char text[DT_STATUS_TEXT_BYTES];
    dt_epoch epochs[MAX_EPOCHS]; /* all of them, with those before the run was gone on with */
    int count;
    int attempts, failures; /* to save */
    saved_point *points; /* [point_count]: that were saved */
    int point_count;
    dt_result result;
    saved_point end; /* where network and optimizer are then */
    uint32_t crc;
    const dt_network *net;
    const dt_adam *adam;
} outcome;

static inline outcome *new_outcome(void)
{
    outcome *o = calloc(1, sizeof *o);
    if (o != NULL)
        o->points = calloc(MAX_POINTS, sizeof *o->points);
    assert_all(o != NULL && o->points != NULL);
    return o;
}

static inline void clear_outcome(outcome *o)
{
    saved_point *points = o->points;
    dt_result_clear(&o->result);
    *o = (outcome){.points = points};
}

static inline void free_outcome(outcome *o)
{
    clear_outcome(o);
    free(o->points);
    free(o);
}

static inline void copy_state(saved_point *out, const dt_network *net, const dt_adam *adam)
{
    const size_t bytes = net->P * sizeof(float);
    memcpy(out->params, net->params, bytes);
    memcpy(out->m, adam->m, bytes);
    memcpy(out->v, adam->v, bytes);
    out->adam_step = adam->step;
}

static inline void watch_epoch(void *context, const dt_epoch *epoch)
{
    outcome *o = context;
    if (o->count < MAX_EPOCHS)
        o->epochs[o->count++] = *epoch;
}

static inline dt_status watch_save(void *context, const dt_training *training)
{
    outcome *o = context;
    if (o->attempts++ < o->failures)
        return dt_fail(DT_OUTPUT, "attempt %d: no room", o->attempts);
    if (o->point_count == MAX_POINTS)
        return dt_fail(DT_INTERNAL, "more than %d points", MAX_POINTS);
    saved_point *p = &o->points[o->point_count++];
    p->at = *training;
    p->at.best = NULL; /* it is borrowed: nobody may look there later */
    memcpy(p->best, training->best, o->net->P * sizeof *p->best);
    copy_state(p, o->net, o->adam);
    memcpy(p->epochs, o->epochs, sizeof p->epochs);
    p->count = o->count;
    return DT_OK;
}

/** Puts a new network and optimizer where `from` says. */
static inline void restore(dt_network *net, dt_adam *adam, const saved_point *from)
{
    const size_t bytes = net->P * sizeof(float);
    memcpy(net->params, from->params, bytes);
    memcpy(adam->m, from->m, bytes);
    memcpy(adam->v, from->v, bytes);
    adam->step = from->adam_step;
}

/** Infinity in the first row of the last rank. */
static inline void spoil_inputs(dt_dataset sets[DT_PART_COUNT], const dt_comm *comm)
{
    if (dt_comm_rank(comm) == dt_comm_size(comm) - 1)
        sets[DT_TRAIN].x[0] = INFINITY;
}

/**
 * Trains a new network, or goes on from a point, which all ranks have; then every rank of `comm`
 * has the same outcome.
 */
static inline void train_from(outcome *o, const dt_comm *comm, const run *r, const watch *w,
                              const saved_point *from)
{
    dt_dataset sets[DT_PART_COUNT];
    dt_network net = {0};
    dt_adam adam = {0};
    dt_training at = {0};
    const dt_settings settings = {.batch = r->batch,
                                  .epochs = r->epochs,
                                  .learning_rate = r->learning_rate,
                                  .patience = r->patience,
                                  .no_restore_best = r->no_restore_best,
                                  .seed = 7,
                                  .sum = (int)r->sum,
                                  .checkpoint_every = w->every};
    const dt_observer observer = {
        .epoch_ended = watch_epoch,
        .context = o,
        .save = watch_save,
        /* By rank 0's clock alone. */
        .limit = {.set = w->time_is_up && dt_comm_rank(comm) == 0, .what = "the time limit"}};
    clear_outcome(o);
    o->failures = w->failures;
    o->status = load(sets, comm, r);
    if (o->status == DT_OK)
        o->status = make_network(&net, &adam, r);
    if (o->status == DT_OK && w->spoilt)
        spoil_inputs(sets, comm);
    if (o->status == DT_OK && from != NULL) {
        restore(&net, &adam, from);
        at = from->at;
        at.best = from->best;
        memcpy(o->epochs, from->epochs, sizeof o->epochs);
        o->count = from->count;
    }
    o->net = &net;
    o->adam = &adam;
    if (o->status == DT_OK)
        o->status = dt_trainer_run(&o->result, comm, 1, &settings, sets, &net, &adam,
                                   from != NULL ? &at : NULL, &observer);
    if (o->status == DT_OK)
        o->status = dt_trainer_evaluate(&o->result, comm, sets, &net);
    if (o->status != DT_OK)
        (void)snprintf(o->text, sizeof o->text, "%s", dt_status_text());
    copy_state(&o->end, &net, &adam);
    o->crc = dt_trainer_crc(&net);
    o->net = NULL;
    o->adam = NULL;
    /* Rank 0 alone is told. */
    dt_comm_broadcast(comm, &o->count, sizeof o->count);
    dt_comm_broadcast(comm, o->epochs, sizeof o->epochs);
    dt_comm_broadcast(comm, &o->attempts, sizeof o->attempts);
    dt_comm_broadcast(comm, &o->point_count, sizeof o->point_count);
    dt_comm_broadcast(comm, o->points, (size_t)o->point_count * sizeof *o->points);
    for (int p = 0; p < DT_PART_COUNT; p++)
        dt_dataset_clear(&sets[p]);
    dt_adam_clear(&adam);
    dt_network_clear(&net);
}

/** Tells whether two rows of the log are the same, times aside. */
static inline bool same_row(const dt_epoch *a, const dt_epoch *b)
{
    return a->epoch == b->epoch && same_metrics(a->train, b->train) &&
           same_metrics(a->validation, b->validation) &&
           memcmp(&a->learning_rate, &b->learning_rate, sizeof a->learning_rate) == 0 &&
           a->weights_crc == b->weights_crc && a->improved == b->improved;
}

/** Tells whether two runs came to the same, to the bit; else what is not the same. */
static inline const char *difference(const outcome *a, const outcome *b)
{
    if (a->status != b->status)
        return "status";
    if (a->count != b->count)
        return "number of epochs";
    for (int e = 0; e < a->count; e++)
        if (!same_row(&a->epochs[e], &b->epochs[e]))
            return "an epoch's row";
    if (a->crc != b->crc || a->result.weights_crc != b->result.weights_crc || a->crc == 0)
        return "weights";
    if (memcmp(a->end.params, b->end.params, sizeof a->end.params) != 0)
        return "parameters";
    if (memcmp(a->end.m, b->end.m, sizeof a->end.m) != 0 ||
        memcmp(a->end.v, b->end.v, sizeof a->end.v) != 0 || a->end.adam_step != b->end.adam_step)
        return "Adam";
    if (a->result.epochs != b->result.epochs || a->result.best_epoch != b->result.best_epoch)
        return "epochs of the result";
    for (int p = 0; p < DT_PART_COUNT; p++)
        if (!same_metrics(a->result.metrics[p], b->result.metrics[p]))
            return "metrics";
    return NULL;
}

/** Fails everywhere, and says where they differ, unless two runs came to the same. Collective. */
static inline void check_same(const outcome *is, const outcome *expected, const char *what, int i)
{
    const char *differs = difference(is, expected);
    if (differs != NULL)
        print_error("%s %d, rank %d: another %s; %s\n", what, i, test_rank, differs, is->text);
    assert_all(differs == NULL);
}

#endif
