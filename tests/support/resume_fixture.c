#include "resume_fixture.h"

#include "dtrain/base/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const watch always = {.every = {.seconds = 1e-12}};

outcome *outcome_new(void)
{
    outcome *o = calloc(1, sizeof *o);
    if (o != NULL)
        o->points = calloc(MAX_POINTS, sizeof *o->points);
    assert_all(o != NULL && o->points != NULL);
    return o;
}

static void outcome_clear(outcome *o)
{
    saved_point *points = o->points;
    dt_result_clear(&o->result);
    *o = (outcome){.points = points};
}

void outcome_free(outcome *o)
{
    outcome_clear(o);
    free(o->points);
    free(o);
}

void point_save(saved_point *out, const dt_network *net, const dt_optimizer *adam)
{
    const size_t bytes = net->P * sizeof(float);
    memcpy(out->params, net->params, bytes);
    memcpy(out->m, adam->states[0], bytes);
    memcpy(out->v, adam->states[1], bytes);
    out->adam_step = adam->step;
}

/* Appends an epoch to the outcome, the context. */
static void watch_epoch(void *context, const dt_epoch *epoch)
{
    outcome *o = context;
    if (o->count < MAX_EPOCHS)
        o->epochs[o->count++] = *epoch;
}

/* Saves a point, or fails as the watch says. */
static dt_status watch_save(void *context, const dt_training *training)
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
    point_save(p, o->net, o->adam);
    memcpy(p->epochs, o->epochs, sizeof p->epochs);
    p->count = o->count;
    return DT_OK;
}

void point_restore(dt_network *net, dt_optimizer *adam, const saved_point *from)
{
    const size_t bytes = net->P * sizeof(float);
    memcpy(net->params, from->params, bytes);
    memcpy(adam->states[0], from->m, bytes);
    memcpy(adam->states[1], from->v, bytes);
    adam->step = from->adam_step;
}

/* Infinity in the first row of the last rank. */
static void spoil_inputs(dt_dataset sets[DT_SET_COUNT], const dt_comm *comm)
{
    if (dt_comm_rank(comm) == dt_comm_size(comm) - 1)
        sets[DT_TRAIN].x[0] = INFINITY;
}

void run_train_from(outcome *o, const dt_comm *comm, const run *r, const watch *w,
                    const saved_point *from)
{
    dt_dataset sets[DT_SET_COUNT];
    dt_network net = {0};
    dt_optimizer adam = {0};
    dt_training at = {0};
    dt_plan plan = run_plan(r);
    const dt_observer observer = {
        .epoch_ended = watch_epoch,
        .context = o,
        .save = watch_save,
        /* By rank 0's clock alone. */
        .limit = {.set = (w->time_is_up || w->left_s > 0.0) && dt_comm_rank(comm) == 0,
                  .end_s = w->time_is_up ? 0.0 : dt_clock_s() + w->left_s,
                  .what = "the time limit"}};
    plan.checkpoint_every = w->every;
    outcome_clear(o);
    o->failures = w->failures;
    o->status = run_load(sets, comm, r);
    if (o->status == DT_OK)
        o->status = run_make_network(&net, &adam, r);
    if (o->status == DT_OK && w->spoilt)
        spoil_inputs(sets, comm);
    if (o->status == DT_OK && from != NULL) {
        point_restore(&net, &adam, from);
        at = from->at;
        at.best = from->best;
        memcpy(o->epochs, from->epochs, sizeof o->epochs);
        o->count = from->count;
    }
    o->net = &net;
    o->adam = &adam;
    if (o->status == DT_OK)
        o->status = dt_trainer_run(&o->result, comm, &one_host, &plan, sets, &net, &adam,
                                   from != NULL ? &at : NULL, &observer);
    if (o->status == DT_OK)
        o->status = dt_trainer_evaluate(&o->result, comm, sets, &net, plan.threads);
    if (o->status != DT_OK)
        (void)snprintf(o->text, sizeof o->text, "%s", dt_status_text());
    point_save(&o->end, &net, &adam);
    o->crc = dt_trainer_crc(&net);
    o->net = NULL;
    o->adam = NULL;
    /* Rank 0 alone is told. */
    dt_comm_broadcast(comm, &o->count, sizeof o->count);
    dt_comm_broadcast(comm, o->epochs, sizeof o->epochs);
    dt_comm_broadcast(comm, &o->attempts, sizeof o->attempts);
    dt_comm_broadcast(comm, &o->point_count, sizeof o->point_count);
    dt_comm_broadcast(comm, o->points, (size_t)o->point_count * sizeof *o->points);
    for (int p = 0; p < DT_SET_COUNT; p++)
        dt_dataset_clear(&sets[p]);
    dt_optimizer_clear(&adam);
    dt_network_clear(&net);
}

bool same_row(const dt_epoch *a, const dt_epoch *b)
{
    return a->epoch == b->epoch && same_metrics(a->train, b->train) &&
           same_metrics(a->validation, b->validation) &&
           memcmp(&a->learning_rate, &b->learning_rate, sizeof a->learning_rate) == 0 &&
           a->weights_crc == b->weights_crc && a->improved == b->improved;
}

const char *outcome_difference(const outcome *a, const outcome *b)
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
    for (int p = 0; p < DT_SET_COUNT; p++)
        if (!same_metrics(a->result.metrics[p], b->result.metrics[p]))
            return "metrics";
    return NULL;
}

void check_same_outcome(const outcome *is, const outcome *expected, const char *what, int i)
{
    const char *differs = outcome_difference(is, expected);
    if (differs != NULL)
        print_error("%s %d, rank %d: another %s; %s\n", what, i, test_rank, differs, is->text);
    assert_all(differs == NULL);
}
