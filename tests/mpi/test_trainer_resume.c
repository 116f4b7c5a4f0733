/*
 * A run that is interrupted at any step and resumed on any number of ranks gives the same bits as a
 * run that is not interrupted. An interruption stops all ranks after the same step.
 */
#include "resume_fixture.h"

#include "dtrain/base/fault.h"
#include "dtrain/base/signals.h"

#include <signal.h>

/* The best epoch is not the last, and patience ends the run before the epochs do. */
static run noisy(void)
{
    run r = ordinary;
    r.noise = true;
    r.patience = 3;
    r.epochs = MAX_EPOCHS;
    r.learning_rate = 0.03;
    return r;
}

/* ---- gone on with from any point ---- */

/* Trains on `comm`; again, saving at every chance; and goes on from one point in so many. */
static void check_points(const dt_comm *comm, const dt_comm *other, const run *r, int stride)
{
    static const watch silent = {0};
    const uint64_t steps = (r->rows[DT_TRAIN] + (uint64_t)r->batch - 1) / (uint64_t)r->batch;
    outcome *whole = outcome_new(), *watched = outcome_new(), *rest = outcome_new();
    run_train_from(whole, comm, r, &silent, NULL);
    assert_all_string(whole->text, "");
    assert_all_int(whole->attempts, 0);
    run_train_from(watched, comm, r, &always, NULL);
    check_same_outcome(watched, whole, "saved", 0);
    /* Not after the last epoch: then the results are there. */
    assert_all_int(watched->point_count, whole->count * ((int)steps + 1) - 1);
    for (int i = 0; i < watched->point_count; i++) {
        const saved_point *p = &watched->points[i];
        const uint64_t in_epoch = (uint64_t)i % (steps + 1) + 1;
        const uint64_t rows = in_epoch * (uint64_t)r->batch;
        assert_all_int(p->at.epoch, i / (int)(steps + 1) + 1 + (in_epoch > steps));
        assert_all_int(p->at.rows, in_epoch > steps           ? 0
                                   : rows > r->rows[DT_TRAIN] ? r->rows[DT_TRAIN]
                                                              : rows);
        assert_all_int(p->count, p->at.epoch - 1);
        assert_all(p->at.best_epoch <= p->count && (p->at.best_epoch > 0) == (p->count > 0));
    }
    const int last = watched->point_count - 1;
    for (int i = 0; i <= last; i = i == last ? i + 1 : i + stride < last ? i + stride : last) {
        run_train_from(rest, comm, r, &silent, &watched->points[i]);
        check_same_outcome(rest, whole, "from point", i);
        if (other != NULL) {
            run_train_from(rest, other, r, &always, &watched->points[i]);
            check_same_outcome(rest, whole, "on other ranks, from point", i);
        }
    }
    outcome_free(whole);
    outcome_free(watched);
    outcome_free(rest);
}

static void test_from_any_point(void **state)
{
    (void)state;
    const dt_comm all = ranks_all(), alone = ranks_alone();
    run r = ordinary;
    r.epochs = 3;
    run_write_data(&r);
    check_points(&all, &alone, &r, test_size > 3 ? 3 : 1);
    r.dropout = 0.3; /* keyed by the row, whichever rank has it */
    check_points(&all, &alone, &r, 5);
}

static void test_with_early_stopping(void **state)
{
    (void)state;
    const dt_comm all = ranks_all(), alone = ranks_alone();
    run r = noisy();
    run_write_data(&r);
    check_points(&all, &alone, &r, 11);
    r.no_restore_best = true;
    check_points(&alone, &all, &r, 13);
}

static void test_without_validation(void **state)
{
    (void)state;
    const dt_comm all = ranks_all(), alone = ranks_alone();
    run r = ordinary;
    r.rows[DT_VALIDATION] = r.rows[DT_TEST] = 0;
    r.epochs = 3;
    r.batch = 64;
    run_write_data(&r);
    check_points(&all, &alone, &r, 4);
    r.batch = 203; /* one step an epoch */
    check_points(&alone, &all, &r, 1);
    r.batch = 7; /* ranks without rows in a step */
    r.epochs = 1;
    check_points(&all, &alone, &r, 9);
}

/* Float32 sums: the same on the same ranks; here one. */
static void test_with_the_fast_sum(void **state)
{
    (void)state;
    const dt_comm alone = ranks_alone();
    run r = ordinary;
    r.sum = DT_SUM_FAST;
    r.epochs = 3;
    run_write_data(&r);
    check_points(&alone, NULL, &r, 2);
}

/* From a point that is not where the others are: the test above would see it. */
static void test_another_point_is_another_run(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    static const watch silent = {0};
    run r = ordinary;
    r.epochs = 3;
    run_write_data(&r);
    outcome *watched = outcome_new(), *rest = outcome_new();
    run_train_from(watched, &all, &r, &always, NULL);
    saved_point *p = &watched->points[7];
    p->at.rows -= (uint64_t)r.batch; /* a step is made twice */
    run_train_from(rest, &all, &r, &silent, p);
    assert_all(outcome_difference(rest, watched) != NULL);
    p->at.rows += (uint64_t)r.batch;
    p->adam_step--;
    run_train_from(rest, &all, &r, &silent, p);
    assert_all(outcome_difference(rest, watched) != NULL);
    p->adam_step++;
    p->at.tally.numbers[DT_TALLY_MEASURE].high++;
    run_train_from(rest, &all, &r, &silent, p);
    assert_all_string(outcome_difference(rest, watched), "an epoch's row");
    p->at.tally.numbers[DT_TALLY_MEASURE].high--;
    run_train_from(rest, &all, &r, &silent, p);
    check_same_outcome(rest, watched, "from point", 7);
    outcome_free(watched);
    outcome_free(rest);
}

/* When the settings of now want no more epochs, the best of those that ended is what there is: not
 * the weights of the middle of the next. */
static void test_no_epoch_is_left(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    static const watch silent = {0};
    run r = ordinary;
    r.epochs = 4;
    run_write_data(&r);
    outcome *watched = outcome_new(), *rest = outcome_new();
    run_train_from(watched, &all, &r, &always, NULL);
    const saved_point *p =
        &watched->points[2 * 6 + 2]; /* of the third epoch three steps are done */
    assert_all(p->at.epoch == 3 && p->at.rows == 150);
    r.epochs = 2;
    run_train_from(rest, &all, &r, &silent, p);
    assert_all_string(rest->text, "");
    assert_all_int(rest->result.epochs, 2);
    assert_all_int(rest->result.best_epoch, p->at.best_epoch);
    assert_all_int(rest->crc, watched->epochs[p->at.best_epoch - 1].weights_crc);
    assert_all_int(rest->result.weights_crc, rest->crc);
    outcome_free(watched);
    outcome_free(rest);
}

/* ---- when it is saved ---- */

static void test_every_other_epoch(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    const watch w = {.every = {.epochs = 2}}, never = {.every = {.seconds = 1e9}};
    run r = ordinary;
    r.epochs = 7;
    run_write_data(&r);
    outcome *o = outcome_new();
    run_train_from(o, &all, &r, &w, NULL);
    assert_all_int(o->point_count, 3);
    for (int i = 0; i < 3; i++) {
        const saved_point *p = &o->points[i];
        assert_all_int(p->at.epoch, 2 * i + 3);
        assert_all_int(p->at.rows, 0);
        assert_all(memcmp(&p->at.tally, &(dt_tally){0}, sizeof p->at.tally) == 0);
        assert_all_int(p->adam_step, 5 * (2 * i + 2));
        assert_all(p->at.training_s > 0.0);
    }
    run_train_from(o, &all, &r, &never, NULL);
    assert_all_int(o->attempts, 0);
    outcome_free(o);
}

/* The time of a checkpoint has to be known before the time is up, but not long before. */
static void test_a_time_limit(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    const watch far = {.left_s = 1e6}, near = {.left_s = 55.0};
    run r = ordinary;
    run_write_data(&r);
    outcome *o = outcome_new();
    run_train_from(o, &all, &r, &far, NULL);
    assert_all_int(o->status, DT_OK);
    assert_all_int(o->attempts, 0);
    run_train_from(o, &all, &r, &near, NULL);
    assert_all_int(o->status, DT_OK);
    assert_all_int(o->attempts, 1);
    outcome_free(o);
}

/* A disk that is full costs checkpoints, not the training. */
static void test_saving_fails(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    static const watch silent = {0};
    watch w = {.every = {.epochs = 1}, .failures = 2};
    run r = ordinary;
    run_write_data(&r);
    outcome *whole = outcome_new(), *o = outcome_new();
    run_train_from(whole, &all, &r, &silent, NULL);
    run_train_from(o, &all, &r, &w, NULL);
    check_same_outcome(o, whole, "failed", 2);
    assert_all_int(o->attempts, 5);
    assert_all_int(o->point_count, 3);
    w.failures = 1000;
    run_train_from(o, &all, &r, &w, NULL);
    check_same_outcome(o, whole, "failed", 1000);
    outcome_free(whole);
    outcome_free(o);
}

/* ---- stopped ---- */

/* The line that says where it stopped, and the point that was saved then. */
static void check_stopped(const outcome *o, int64_t epoch, int step, const run *r)
{
    char where[64];
    (void)snprintf(where, sizeof where, " in epoch %d, after step %d of 5", (int)epoch, step);
    const char *found = strstr(o->text, where);
    if (found == NULL || found[strlen(where)] != '\0')
        print_error("rank %d: no \"%s\" at the end of: %s\n", test_rank, where, o->text);
    assert_all(found != NULL && found[strlen(where)] == '\0');
    assert_all_int(o->status, DT_STOPPED);
    assert_all(o->point_count > 0);
    const saved_point *p = &o->points[o->point_count - 1];
    const uint64_t rows = (uint64_t)step * (uint64_t)r->batch;
    assert_all_int(p->at.epoch, epoch);
    assert_all_int(p->at.rows, rows < r->rows[DT_TRAIN] ? rows : r->rows[DT_TRAIN]);
    assert_all_int(p->adam_step, 5 * (epoch - 1) + step);
    assert_all(memcmp(p->params, o->end.params, sizeof p->params) == 0);
}

/* Stops after each step; goes on with all ranks, with the second ones, with all ... to the end. */
static void stop_at_every_step(const outcome *whole, const run *r, const watch *w,
                               const dt_comm *second, const char *cause)
{
    const dt_comm all = ranks_all(), *const comms[] = {&all, second};
    outcome *o = outcome_new();
    saved_point *from = calloc(1, sizeof *from);
    int steps = 0;
    assert_all(from != NULL);
    for (;; steps++) {
        const dt_comm *comm = comms[steps % 2];
        run_train_from(o, comm, r, w, steps > 0 ? from : NULL);
        if (o->status == DT_OK)
            break;
        check_stopped(o, steps / 5 + 1, steps % 5 + 1, r);
        assert_all(dt_comm_rank(comm) != 0 || strncmp(o->text, cause, strlen(cause)) == 0);
        *from = o->points[o->point_count - 1];
    }
    check_same_outcome(o, whole, "stopped at every step", steps);
    assert_all_int(steps, 5 * whole->count);
    free(from);
    outcome_free(o);
}

static void test_the_time_is_up(void **state)
{
    (void)state;
    const dt_comm alone = ranks_alone();
    static const watch silent = {0}, now = {.time_is_up = true};
    run r = ordinary;
    r.epochs = 3;
    run_write_data(&r);
    outcome *whole = outcome_new();
    run_train_from(whole, &alone, &r, &silent, NULL);
    stop_at_every_step(whole, &r, &now, &alone, "the time limit in ");
    r.rows[DT_VALIDATION] = 0;
    run_write_data(&r);
    run_train_from(whole, &alone, &r, &silent, NULL);
    stop_at_every_step(whole, &r, &now, &alone, "the time limit in ");
    outcome_free(whole);
}

/* No checkpoint, no "stopped": whoever starts it again would begin anew. */
static void test_stopping_without_room(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    const watch twice = {.time_is_up = true, .failures = 2};
    const watch forever = {.time_is_up = true, .failures = 1000};
    run r = ordinary;
    run_write_data(&r);
    outcome *o = outcome_new();
    run_train_from(o, &all, &r, &twice, NULL);
    assert_all_int(o->attempts, 3);
    check_stopped(o, 1, 1, &r);
    run_train_from(o, &all, &r, &forever, NULL);
    assert_all_int(o->status, DT_OUTPUT);
    assert_all_string(o->text, "attempt 3: no room");
    assert_all_int(o->attempts, 3);
    assert_all_int(o->point_count, 0);
    outcome_free(o);
}

/* ---- a step that is not finite ---- */

static int fault_rank, fault_nth, fault_calls;
static const char *fault_place;

/* The NTH call at the place, on one rank. */
static bool fault(const char *place)
{
    if (strcmp(place, fault_place) != 0 || test_rank != fault_rank)
        return false;
    fault_calls++;
    if (fault_calls == fault_nth && strcmp(place, "step") == 0)
        (void)raise(SIGTERM);
    return fault_calls == fault_nth;
}

static void set_fault(const char *place, int rank, int nth)
{
    fault_place = place;
    fault_rank = rank;
    fault_nth = nth;
    fault_calls = 0;
    dt_fault_hook = fault;
}

/* What the line of a diverged step names. */
static void check_diverged(const outcome *o, int epoch, int step)
{
    char where[64];
    unsigned layer = 0, D = 0, H = 0;
    assert_all_int(o->status, DT_DIVERGED);
    assert_all_same(o->text, sizeof o->text);
    (void)snprintf(where, sizeof where, "epoch %d, step %d: ", epoch, step);
    const char *named = strstr(o->text, "; layer ");
    const bool right = strncmp(o->text, where, strlen(where)) == 0 && named != NULL &&
                       sscanf(named, "; layer %u (%u to %u) ", &layer, &D, &H) == 3 &&
                       strstr(o->text, " gradient") != NULL && strchr(o->text, '\n') == NULL;
    if (!right && test_rank == 0)
        print_error("no %s... layer ... gradient in: %s\n", where, o->text);
    assert_all(right);
    assert_all((layer == 1 && D == 9 && H == 12) || (layer == 2 && D == 12 && H == 3));
}

/* The weights are those of the last good step, and so is what was saved; from there it goes on. */
static void check_divergence(const run *r, int rank)
{
    const dt_comm all = ranks_all();
    static const watch silent = {0};
    outcome *whole = outcome_new(), *o = outcome_new(), *rest = outcome_new();
    run_train_from(whole, &all, r, &silent, NULL);
    set_fault("nan", rank, 8);
    run_train_from(o, &all, r, &always, NULL);
    dt_fault_hook = NULL;
    check_diverged(o, 2, 3);
    assert_all_int(o->count, 1);
    assert_all(same_row(&o->epochs[0], &whole->epochs[0]));
    const saved_point *p = &o->points[o->point_count - 1];
    assert_all_int(p->at.epoch, 2);
    assert_all_int(p->at.rows, 100);
    assert_all_int(o->end.adam_step, 7);
    assert_all_int(p->adam_step, 7);
    assert_all(memcmp(p->params, o->end.params, sizeof p->params) == 0);
    assert_all(memcmp(p->m, o->end.m, sizeof p->m) == 0 &&
               memcmp(p->v, o->end.v, sizeof p->v) == 0);
    run_train_from(rest, &all, r, &silent, p);
    if (r->sum == DT_SUM_EXACT || test_size == 1)
        check_same_outcome(rest, whole, "after a step that diverged, rank", rank);
    assert_all_string(rest->text, "");
    outcome_free(whole);
    outcome_free(o);
    outcome_free(rest);
}

static void test_divergence(void **state)
{
    (void)state;
    run r = ordinary;
    r.epochs = 3;
    r.rows[DT_TRAIN] = 240; /* every rank has rows in every step: the hook counts those */
    run_write_data(&r);
    for (int sum = 0; sum < 2; sum++) {
        r.sum = sum == 0 ? DT_SUM_EXACT : DT_SUM_FAST;
        check_divergence(&r, 0);
        if (test_size > 1)
            check_divergence(&r, test_size - 1);
    }
}

/* What a file cannot bring, memory can: an input that is not a number. */
static void test_an_infinite_input(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    const watch spoilt = {.every = {.seconds = 1e-12}, .spoilt = true};
    run r = ordinary;
    r.batch = 203; /* all rows: the first step meets it */
    run_write_data(&r);
    outcome *o = outcome_new();
    for (int sum = 0; sum < 2; sum++) {
        r.sum = sum == 0 ? DT_SUM_EXACT : DT_SUM_FAST;
        run_train_from(o, &all, &r, &spoilt, NULL);
        check_diverged(o, 1, 1);
        assert_all_int(o->point_count, 0);
        assert_all_int(o->end.adam_step, 0);
    }
    outcome_free(o);
}

/* Where it diverges by itself the line is the same on any number of ranks, too. */
static void test_divergence_does_not_depend_on_ranks(void **state)
{
    (void)state;
    const dt_comm all = ranks_all(), alone = ranks_alone();
    static const watch silent = {0};
    run r = ordinary;
    r.learning_rate = 1e6;
    r.scale = 1000;
    run_write_data(&r);
    outcome *o = outcome_new(), *single = outcome_new();
    run_train_from(o, &all, &r, &silent, NULL);
    check_diverged(o, 1, 2);
    run_train_from(single, &alone, &r, &silent, NULL);
    assert_all_string(single->text, o->text);
    assert_all(single->crc == o->crc);
    outcome_free(o);
    outcome_free(single);
}

/* ---- signals: what was seen stays seen, so this is the last test ---- */

static void test_a_signal_stops_all(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    static const watch silent = {0};
    run r = ordinary;
    r.epochs = 3;
    run_write_data(&r);
    outcome *whole = outcome_new(), *o = outcome_new(), *rest = outcome_new();
    run_train_from(whole, &all, &r, &silent, NULL);
    assert_all_int(dt_signals_pending(), 0);
    dt_signals_catch();
    set_fault("step", test_size - 1, 7);
    run_train_from(o, &all, &r, &silent, NULL);
    dt_fault_hook = NULL;
    assert_all_int(dt_signals_pending(), test_rank == test_size - 1 ? SIGTERM : 0);
    assert_all_string(o->text, "SIGTERM in epoch 2, after step 3 of 5");
    check_stopped(o, 2, 3, &r);
    assert_all_int(o->attempts, 1);
    assert_all(o->end.adam_step == 8 && o->count == 1);
    /* It is still there, so one step more is made, and again. */
    run_train_from(rest, &all, &r, &silent, &o->points[0]);
    assert_all_string(rest->text, "SIGTERM in epoch 2, after step 4 of 5");
    stop_at_every_step(whole, &r, &silent, &all, "SIGTERM in ");
    outcome_free(whole);
    outcome_free(o);
    outcome_free(rest);
}

static const struct CMUnitTest tests[] = {
    with_folder(test_from_any_point),
    with_folder(test_with_early_stopping),
    with_folder(test_without_validation),
    with_folder(test_with_the_fast_sum),
    with_folder(test_another_point_is_another_run),
    with_folder(test_no_epoch_is_left),
    with_folder(test_every_other_epoch),
    with_folder(test_a_time_limit),
    with_folder(test_saving_fails),
    with_folder(test_the_time_is_up),
    with_folder(test_stopping_without_room),
    with_folder(test_divergence),
    with_folder(test_an_infinite_input),
    with_folder(test_divergence_does_not_depend_on_ranks),
    with_folder(test_a_signal_stops_all),
};

MPI_SUITE(test_trainer_resume, tests);
