/*
 * Training that continues from weights and an optimizer's state, and the report of each step.
 */
#include "run_fixture.h"

#include "dtrain/model/model.h"

#include <math.h>

/* A network with its optimizer, as a run left them. */
typedef struct course {
    dt_network net;
    dt_optimizer adam;
    history *h; /* too large for the stack */
} course;

static course begin(const run *r)
{
    course c = {.h = calloc(1, sizeof *c.h)};
    assert_all(c.h != NULL);
    assert_all_int(run_make_network(&c.net, &c.adam, r), DT_OK);
    return c;
}

static course copy_of(const course *other, const run *r)
{
    course c = begin(r);
    const size_t bytes = c.net.P * sizeof(float);
    memcpy(c.net.params, other->net.params, bytes);
    memcpy(c.adam.states[0], other->adam.states[0], bytes);
    memcpy(c.adam.states[1], other->adam.states[1], bytes);
    c.adam.step = other->adam.step;
    return c;
}

static void end(course *c)
{
    dt_result_clear(&c->h->result);
    free(c->h);
    dt_optimizer_clear(&c->adam);
    dt_network_clear(&c->net);
}

static void train_further(course *c, const dt_comm *comm, const run *r)
{
    dt_result_clear(&c->h->result);
    run_train_on(c->h, comm, r, &c->net, &c->adam);
    assert_all_string(c->h->text, "");
}

static bool same_moments(const dt_optimizer *a, const dt_optimizer *b)
{
    return a->P == b->P && memcmp(a->states[0], b->states[0], a->P * sizeof(float)) == 0 &&
           memcmp(a->states[1], b->states[1], a->P * sizeof(float)) == 0;
}

static void test_the_state_is_handed_out(void **state)
{
    (void)state;
    const dt_comm all = ranks_all(), alone = ranks_alone();
    run r = ordinary;
    r.epochs = 2;
    run_write_data(&r);
    course together = begin(&r), mine = begin(&r);
    train_further(&together, &all, &r);
    train_further(&mine, &alone, &r);
    assert_all_int(together.adam.step, 2 * 5); /* 203 rows are five steps */
    assert_all_int(mine.adam.step, 2 * 5);
    assert_all(same_moments(&together.adam, &mine.adam));
    assert_all_same(together.adam.states[0], together.adam.P * sizeof(float));
    size_t moved = 0, negative = 0;
    for (size_t i = 0; i < mine.adam.P; i++) {
        moved += mine.adam.states[0][i] != 0.0f;
        negative += mine.adam.states[1][i] >= 0.0f ? 0 : 1;
    }
    assert_all(moved > mine.adam.P / 2);
    assert_all_int(negative, 0);
    end(&together);
    end(&mine);
}

/* On all ranks, and on each alone; with the state, with none, and with one part of it. */
static void test_going_on(void **state)
{
    (void)state;
    const dt_comm all = ranks_all(), alone = ranks_alone();
    run r = ordinary;
    r.epochs = 2;
    r.no_restore_best = true;
    run_write_data(&r);
    course first = begin(&r);
    train_further(&first, &all, &r);
    course whole = copy_of(&first, &r), mine = copy_of(&first, &r);
    course fresh = copy_of(&first, &r), no_moments = copy_of(&first, &r),
           no_step = copy_of(&first, &r);
    const size_t bytes = first.net.P * sizeof(float);
    memset(fresh.adam.states[0], 0, bytes);
    memset(fresh.adam.states[1], 0, bytes);
    fresh.adam.step = 0;
    memset(no_moments.adam.states[0], 0, bytes);
    memset(no_moments.adam.states[1], 0, bytes);
    no_step.adam.step = 0;
    train_further(&whole, &all, &r);
    train_further(&mine, &alone, &r);
    train_further(&fresh, &all, &r);
    train_further(&no_moments, &all, &r);
    train_further(&no_step, &all, &r);

    assert_all_int(whole.h->crc_before, first.h->crc);
    assert_all_int(whole.h->crc, mine.h->crc);
    assert_all(same_moments(&whole.adam, &mine.adam));
    assert_all_int(whole.adam.step, 20);
    assert_all_int(fresh.adam.step, 10);
    assert_all(whole.h->epochs[0].weights_crc != fresh.h->epochs[0].weights_crc);
    assert_all(whole.h->epochs[0].weights_crc != no_moments.h->epochs[0].weights_crc);
    assert_all(whole.h->epochs[0].weights_crc != no_step.h->epochs[0].weights_crc);
    /* Epochs are counted anew, but it goes on where it stopped. */
    assert_all_int(whole.h->epochs[0].epoch, 1);
    assert_all(whole.h->epochs[0].train.loss < first.h->epochs[0].train.loss);
    course *const courses[] = {&first, &whole, &mine, &fresh, &no_moments, &no_step};
    for (size_t i = 0; i < sizeof courses / sizeof *courses; i++)
        end(courses[i]);
}

/* Where each step takes all rows, and each shard has one, their order does not count: then two
 * runs, with a model file of either format between them, are one long one. */
static void test_two_runs_are_one(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    run r = ordinary;
    r.rows[DT_TRAIN] = 8;
    r.rows[DT_VALIDATION] = r.rows[DT_TEST] = 0;
    r.batch = 8;
    r.epochs = 6;
    run_write_data(&r);
    course once = begin(&r);
    train_further(&once, &all, &r);
    r.epochs = 3;
    const char *const names[] = {"model.h5", "model.keras"};
    for (size_t f = 0; f < 2; f++) {
        course half = begin(&r);
        dt_model loaded;
        train_further(&half, &all, &r);
        const dt_model model = {.network = half.net, .optimizer = half.adam};
        assert_all_int(test_rank == 0 ? dt_model_save(&model, scratch_path(names[f])) : DT_OK,
                       DT_OK);
        assert_all_int(dt_model_load(&loaded, &all, scratch_path(names[f])), DT_OK);
        course rest = {
            .net = loaded.network, .adam = loaded.optimizer, .h = calloc(1, sizeof *rest.h)};
        train_further(&rest, &all, &r);
        for (int e = 0; e < 3; e++) {
            const dt_epoch *is = &rest.h->epochs[e], *was = &once.h->epochs[3 + e];
            assert_all_int(is->weights_crc, was->weights_crc);
            assert_all(same_metrics(is->train, was->train));
        }
        assert_all(same_moments(&rest.adam, &once.adam));
        assert_all_int(rest.adam.step, 6);
        end(&rest);
        end(&half);
    }
    end(&once);
}

/* Weights of an earlier epoch come back, the optimizer is as the last step left it. */
static void test_the_best_weights_with_the_last_state(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    run r = ordinary;
    r.noise = true;
    r.learning_rate = 0.05;
    r.epochs = 20;
    r.patience = 3;
    run_write_data(&r);
    course best = begin(&r), last = begin(&r);
    train_further(&best, &all, &r);
    r.no_restore_best = true;
    train_further(&last, &all, &r);
    assert_all(best.h->result.best_epoch < best.h->result.epochs);
    assert_all(best.h->crc != last.h->crc);
    assert_all_int(best.adam.step, best.h->result.epochs * 5);
    assert_all(same_moments(&best.adam, &last.adam));
    end(&best);
    end(&last);
}

/* ---- what is told of each step ---- */

enum { MOST_STEPS = 100 };

typedef struct told {
    dt_step steps[MOST_STEPS];
    size_t step_count, epoch_count;
    dt_epoch epochs[MAX_EPOCHS];
    size_t at[MAX_EPOCHS]; /* steps told before the epoch was */
} told;

static void keep_step(void *context, const dt_step *step)
{
    told *t = context;
    if (t->step_count < MOST_STEPS)
        t->steps[t->step_count] = *step;
    t->step_count++;
}

static void keep_told_epoch(void *context, const dt_epoch *epoch)
{
    told *t = context;
    t->at[t->epoch_count] = t->step_count;
    t->epochs[t->epoch_count++] = *epoch;
}

static bool right_steps(const told *t, const run *r)
{
    bool right = t->step_count == 10 && t->epoch_count == 2;
    double seconds = 0.0;
    for (size_t i = 0; right && i < t->step_count; i++) {
        const dt_step *step = &t->steps[i];
        const uint64_t in_epoch = i % 5 + 1;
        const bool last = in_epoch == 5;
        right = step->epoch == (int64_t)(i / 5 + 1) && step->step == in_epoch && step->steps == 5 &&
                step->rows == (last ? r->rows[DT_TRAIN] : in_epoch * 50) &&
                step->seconds > (in_epoch > 1 ? seconds : 0.0) && isfinite(step->train.loss) &&
                step->train.accuracy >= 0.0 && step->train.accuracy <= 1.0;
        seconds = step->seconds;
        if (last)
            right = right && same_metrics(step->train, t->epochs[i / 5].train);
    }
    return right && t->at[0] == 5 && t->at[1] == 10;
}

static void test_steps_are_told(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    run r = ordinary;
    dt_dataset sets[DT_SET_COUNT];
    dt_result result;
    told *t = calloc(1, sizeof *t);
    const dt_plan plan = {.batch = (uint64_t)r.batch,
                          .epochs = 2,
                          .learning_rate = r.learning_rate,
                          .schedule = &dt_schedule_constant,
                          .task = &dt_classification,
                          .monitor = &dt_classification.metrics[0],
                          .patience = 9,
                          .seed = 7};
    const dt_observer observer = {
        .epoch_ended = keep_told_epoch, .context = t, .step_ended = keep_step};
    run_write_data(&r);
    course c = begin(&r), silent = begin(&r);
    assert_all_int(run_load(sets, &all, &r), DT_OK);
    assert_all_int(
        dt_trainer_run(&result, &all, &one_host, &plan, sets, &c.net, &c.adam, NULL, &observer),
        DT_OK);
    assert_all(test_rank == 0 ? right_steps(t, &r) : t->step_count == 0 && t->epoch_count == 0);

    /* It changes nothing. */
    r.epochs = 2;
    train_further(&silent, &all, &r);
    assert_all_int(silent.h->crc, result.weights_crc);
    dt_result_clear(&result);
    for (int p = 0; p < DT_SET_COUNT; p++)
        dt_dataset_clear(&sets[p]);
    free(t);
    end(&c);
    end(&silent);
}

static const struct CMUnitTest tests[] = {
    with_folder(test_the_state_is_handed_out),
    with_folder(test_going_on),
    with_folder(test_two_runs_are_one),
    with_folder(test_the_best_weights_with_the_last_state),
    with_folder(test_steps_are_told),
};

MPI_SUITE(test_trainer_continued, tests);
