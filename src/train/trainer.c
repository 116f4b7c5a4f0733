#include "dtrain/train/trainer.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/crc32.h"
#include "dtrain/base/fault.h"
#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/retry.h"
#include "dtrain/base/signals.h"
#include "dtrain/comm/watchdog.h"
#include "dtrain/nn/linalg.h"
#include "dtrain/train/early_stopping.h"
#include "dtrain/train/learning_rate.h"
#include "dtrain/train/stepper.h"

#include <math.h>
#include <string.h>

/* The request to stop by the time limit, which is not a signal. */
enum { TIME_IS_UP = 1000 };

/* A run under way. */
typedef struct trainer {
    const dt_comm *comm;
    const dt_launch *launch;
    bool root;
    const dt_plan *plan;
    dt_dataset *sets;
    dt_network *network;
    dt_optimizer *optimizer;
    const dt_observer *observer;
    dt_training at;
    double epoch_began_s; /* by dt_clock_s, as if it had not been interrupted */
    dt_stepper stepper;
    dt_predictor predictor; /* of the validation */
    dt_pool *pool; /* --threads */
    float *best; /* [P]: the best epoch's weights */
    double saved_s; /* rank 0: when a checkpoint was last written, or tried */
    double save_s, step_s, judge_s; /* the longest that a checkpoint, a step, a validation took */
    dt_result *result;
} trainer;

uint32_t dt_trainer_crc(const dt_network *network)
{
    uint32_t crc = 0;
    for (size_t m = 0; m <= network->other_count; m++)
        crc = dt_crc32(crc, dt_network_member(network, m)->params,
                       network->P * sizeof *network->params);
    return crc;
}

dt_reduction dt_trainer_reduction(const dt_plan *plan, const dt_comm *comm, const dt_launch *launch,
                                  size_t P)
{
    const dt_reduce reduce =
        plan->regularization.max_norm > 0.0 ? DT_REDUCE_ALLREDUCE : plan->reduce;
    dt_reduction how =
        dt_gradient_sum_choose(reduce, plan->overlap, dt_comm_size(comm), launch->host_count, P,
                               plan->sum == DT_SUM_EXACT ? sizeof(int64_t) : sizeof(float));
    how.yields = launch->crowded || launch->host_size * plan->threads > launch->host_cpus;
    return how;
}

void dt_result_clear(dt_result *result)
{
    for (int p = 0; p < DT_SET_COUNT; p++)
        dt_evaluation_clear(&result->evaluation[p]);
    *result = (dt_result){0};
}

/* Early stopping keeps its history but uses the current plan. */
static void resume(trainer *t, const dt_training *from)
{
    const dt_early_stopping rules = t->at.stopping;
    t->at = *from;
    t->at.stopping.larger_is_better = rules.larger_is_better;
    t->at.stopping.min_delta = rules.min_delta;
    t->at.stopping.patience = rules.patience;
    t->at.stopping.start_from_epoch = rules.start_from_epoch;
    t->at.stopping.baseline = rules.baseline;
    if (from->best_epoch > 0)
        memcpy(t->best, from->best, t->network->P * sizeof *t->best);
    t->at.best = t->best;
    t->result->best_epoch = from->best_epoch;
    t->result->epochs = from->epoch - 1;
}

/* The memory of this rank. */
DT_MUST_USE static dt_status allocate(trainer *t)
{
    dt_status status = DT_OK;
    if (!dt_linalg_uses_blas()) /* it has threads of its own */
        DT_TRY(dt_pool_new(&t->pool, t->plan->threads));
    DT_TRY(dt_predictor_init(&t->predictor, t->network, false));
    t->predictor.workspace.pool = t->pool;
    DT_TRY(dt_memory_alloc(&t->best, t->network->P, sizeof *t->best, "best weights"));
out:
    return status;
}

static uint32_t state_crc(const dt_optimizer *optimizer)
{
    uint32_t crc = dt_crc32(0, &optimizer->step, sizeof optimizer->step);
    for (size_t i = 0; i < optimizer->kind->state_count; i++)
        crc = dt_crc32(crc, optimizer->states[i], optimizer->P * sizeof(float));
    return crc;
}

/* After a window shares them, the ranks of a host need not be compared. */
DT_MUST_USE static dt_status check_start(const trainer *t)
{
    dt_status status = DT_OK;
    if (dt_comm_size(t->comm) == 1)
        return DT_OK;
    DT_TRY(dt_comm_check_same(t->comm, "the checksum of the initial weights",
                              dt_trainer_crc(t->network)));
    DT_TRY(dt_comm_check_same(t->comm, "the checksum of the optimizer's initial state",
                              state_crc(t->optimizer)));
out:
    return status;
}

DT_MUST_USE static dt_status start(trainer *t, const dt_training *from)
{
    dt_status status = DT_OK;
    const dt_plan *plan = t->plan;
    const dt_reduction how = dt_trainer_reduction(plan, t->comm, t->launch, t->network->P);
    DT_TRY(dt_comm_agree(t->comm, allocate(t)));
    DT_TRY(check_start(t));
    DT_TRY(dt_stepper_init(&t->stepper, t->comm, t->launch, &t->sets[DT_TRAIN], t->network,
                           t->optimizer, plan->sum, plan->batch, how, t->pool));
    DT_TRY(dt_stepper_regularize(&t->stepper, &plan->regularization));
    t->result->reduce = dt_comm_size(t->comm) == 1            ? "none"
                        : t->stepper.ranks_sum.window != NULL ? "window"
                                                              : "allreduce";
    t->at = (dt_training){.epoch = 1, .best = t->best};
    t->at.stopping =
        dt_early_stopping_start(plan->monitor->larger_is_better, plan->patience, plan->min_delta);
    t->at.stopping.start_from_epoch = plan->min_epochs;
    t->at.stopping.baseline = plan->has_baseline ? plan->baseline : NAN;
    t->at.plateaus = dt_plateaus_start(plan);
    if (from != NULL)
        resume(t, from);
    dt_comm_broadcast(t->comm, &t->at.plateaus.count, sizeof t->at.plateaus.count);
    t->saved_s = dt_clock_s();
out:
    return status;
}

static void end(trainer *t)
{
    dt_stepper_clear(&t->stepper);
    dt_predictor_clear(&t->predictor);
    dt_pool_free(t->pool);
    dt_memory_free(t->best);
}

/* ---- checkpoints, and stopping early ---- */

/* On rank 0. Its time is not part of the epoch's. */
DT_MUST_USE static dt_status save(trainer *t)
{
    if (t->observer->save == NULL)
        return DT_OK;
    const double begin = dt_clock_s();
    dt_comm_at(t->comm, DT_AT_CHECKPOINT, t->at.epoch, t->at.rows);
    t->at.epoch_s = begin - t->epoch_began_s;
    const dt_status status = t->observer->save(t->observer->context, &t->at);
    t->saved_s = dt_clock_s();
    t->save_s = fmax(t->save_s, t->saved_s - begin);
    t->epoch_began_s += t->saved_s - begin;
    return status;
}

/* Whether a first checkpoint is saved so that its time is known before the time limit. A run that
 * ends long before the limit, as most trials of a search, saves none. The assumed time is that of a
 * slow disk: the weights and five more arrays of this size at 20 MB/s. */
static bool must_measure_save(const trainer *t)
{
    const double assumed_s = 30.0 + 1.2e-6 * (double)t->network->P;
    return t->save_s == 0.0 && dt_time_limit_is_near(&t->observer->limit, t->step_s, assumed_s);
}

/* On rank 0; the others wait for it in the next sum. The run continues without a checkpoint. */
static void save_when_due(trainer *t)
{
    const dt_option_interval *every = &t->plan->checkpoint_every;
    const bool epoch_ended = t->at.rows == 0;
    const bool due = every->epochs > 0
                         ? epoch_ended && (t->at.epoch - 1) % every->epochs == 0
                         : every->seconds > 0.0 && dt_clock_s() - t->saved_s >= every->seconds;
    if ((due || must_measure_save(t)) && save(t) != DT_OK)
        dt_log_warn("%s; training continues, and the checkpoint will be tried again",
                    dt_status_text());
}

/* The reason why this rank asks all ranks to stop: a signal, or TIME_IS_UP; 0: none. */
static int find_stop_request(const trainer *t)
{
    /* After the last step of an epoch the clock is not checked until the validation has ended. */
    const bool last = t->at.rows + t->plan->batch >= t->sets[DT_TRAIN].N;
    const double next_s = t->step_s + (last ? t->judge_s : 0.0);
    if (t->root && dt_time_limit_is_near(&t->observer->limit, next_s, t->save_s))
        return TIME_IS_UP;
    if (t->root && t->observer->is_lost != NULL && t->observer->is_lost(t->observer->context))
        return TIME_IS_UP; /* the checkpoint that is due then will fail and report the reason */
    return dt_signals_pending();
}

static dt_status save_again(void *context)
{
    return save(context);
}

/* All ranks are here after the same step. */
DT_MUST_USE static dt_status stop_early(trainer *t)
{
    int64_t request = find_stop_request(t);
    dt_comm_max_i64(t->comm, &request, 1);
    const uint64_t batch = t->plan->batch, N = t->sets[DT_TRAIN].N;
    dt_status status = dt_comm_agree(t->comm, t->root ? dt_retry_output(save_again, t) : DT_OK);
    if (status != DT_OK)
        return status;
    if (t->root && request == TIME_IS_UP && t->stepper.steps == 1)
        dt_log_warn("%s left no time to train, because some seconds are reserved for the end; one "
                    "step was done",
                    t->observer->limit.what);
    return dt_fail(DT_STOPPED, "%s in epoch %lld, after step %llu of %llu",
                   request != TIME_IS_UP ? dt_signals_name((int)request)
                   : t->root             ? t->observer->limit.what
                                         : "time is up",
                   (long long)t->at.epoch, (unsigned long long)((t->at.rows + batch - 1) / batch),
                   (unsigned long long)((N + batch - 1) / batch));
}

/* Between two epochs; all ranks have the same count. */
DT_MUST_USE static dt_status pause_training(trainer *t)
{
    const dt_status status =
        dt_comm_agree(t->comm, t->root ? dt_retry_output(save_again, t) : DT_OK);
    if (status != DT_OK)
        return status;
    return dt_fail(DT_STOPPED, "a pause after epoch %lld", (long long)t->at.epoch - 1);
}

/* ---- epochs ---- */

/* Rank 0 reports the step that ended. */
static void report_step(const trainer *t)
{
    const uint64_t batch = t->plan->batch, N = t->sets[DT_TRAIN].N;
    const dt_step step = {.epoch = t->at.epoch,
                          .step = (t->at.rows + batch - 1) / batch,
                          .steps = (N + batch - 1) / batch,
                          .rows = t->at.rows,
                          .train = dt_metrics_mean(&t->at.tally, t->network),
                          .seconds = dt_clock_s() - t->epoch_began_s};
    t->observer->step_ended(t->observer->context, &step);
}

/* The learning rate of the step with row `row` of this epoch. */
static double scheduled_rate(const trainer *t, uint64_t row)
{
    const uint64_t batch = t->plan->batch;
    const uint64_t steps = (t->sets[DT_TRAIN].N + batch - 1) / batch; /* of an epoch */
    const uint64_t done = (uint64_t)(t->at.epoch - 1) * steps + row / batch;
    return dt_learning_rate(t->plan, steps, done, t->at.plateaus.count);
}

/* The remaining steps of an epoch, and the work of rank 0 between them. */
static dt_status train_epoch(trainer *t, dt_epoch *row)
{
    const dt_dataset *set = &t->sets[DT_TRAIN];
    const uint64_t batch = t->plan->batch;
    dt_training *at = &t->at;
    t->epoch_began_s = dt_clock_s() - at->epoch_s;
    dt_dataset_shuffle(&t->sets[DT_TRAIN], t->plan->seed, (uint64_t)at->epoch);
    t->stepper.seed = t->plan->seed;
    t->stepper.epoch = (uint64_t)at->epoch;
    while (at->rows < set->N) {
        const uint64_t count = set->N - at->rows < batch ? set->N - at->rows : batch;
        const double begin = dt_clock_s();
        dt_comm_at(t->comm, DT_AT_STEP, at->epoch, at->rows / batch + 1);
        t->stepper.stop_requested = find_stop_request(t) != 0;
        t->optimizer->learning_rate = row->learning_rate = scheduled_rate(t, at->rows);
        dt_status status =
            dt_stepper_run(&t->stepper, at->rows, count, &at->tally, &t->result->phases);
        if (status != DT_OK)
            return dt_fail(status, "epoch %lld, step %llu: %s", (long long)at->epoch,
                           (unsigned long long)(at->rows / batch + 1), dt_status_text());
        at->rows += count;
        (void)dt_fault("step");
        t->step_s = fmax(t->step_s, dt_clock_s() - begin);
        if (t->stepper.stops)
            return stop_early(t);
        if (t->root && t->observer->step_ended != NULL)
            report_step(t);
        if (t->root)
            save_when_due(t);
    }
    row->train = dt_metrics_mean(&at->tally, t->network);
    row->seconds = at->epoch_s = dt_clock_s() - t->epoch_began_s;
    row->samples_per_second = (double)set->N / row->seconds;
    return DT_OK;
}

/* Rank 0 judges the epoch, and all ranks follow its verdict. */
static dt_verdict decide(trainer *t, const dt_epoch *row)
{
    dt_verdict verdict = {.improved = true};
    if (t->sets[DT_VALIDATION].N == 0)
        return verdict; /* without validation the last epoch is the best */
    if (t->root) {
        verdict = dt_early_stopping_judge(&t->at.stopping, row->epoch - 1,
                                          dt_metric_value(&row->validation, t->plan->monitor));
        dt_plateaus_judge(&t->at.plateaus, t->plan, row->epoch - 1, &row->validation);
    }
    dt_comm_broadcast(t->comm, &verdict, sizeof verdict);
    dt_comm_broadcast(t->comm, &t->at.plateaus.count, sizeof t->at.plateaus.count);
    return verdict;
}

static dt_status judge_epoch(trainer *t, dt_epoch *row, bool *stop)
{
    dt_status status = DT_OK;
    const double begin = dt_clock_s();
    dt_comm_at(t->comm, DT_AT_VALIDATE, row->epoch, 0);
    row->validation = dt_metrics_none();
    if (t->sets[DT_VALIDATION].N > 0)
        DT_TRY(dt_evaluation_of_metric(&row->validation, t->comm, &t->predictor,
                                       &t->sets[DT_VALIDATION], t->plan->monitor));
    row->weights_crc = dt_trainer_crc(t->network);
    DT_TRY(dt_comm_check_same(t->comm, "the checksum of the weights", row->weights_crc));
    const dt_verdict verdict = decide(t, row);
    row->improved = verdict.improved;
    *stop = verdict.stop;
    if (verdict.improved) {
        memcpy(t->best, t->network->params, t->network->P * sizeof *t->best);
        t->at.best_epoch = t->result->best_epoch = row->epoch;
    }
    const double took_s = dt_clock_s() - begin;
    t->judge_s = fmax(t->judge_s, took_s);
    t->result->phases.seconds[DT_PHASE_VALIDATE] += took_s;
    row->seconds += took_s;
out:
    if (status != DT_OK)
        status = dt_fail(status, "epoch %lld: %s", (long long)row->epoch, dt_status_text());
    return status;
}

/* The average is judged and kept, if there is one; training continues with the weights
 * themselves. */
DT_MUST_USE static dt_status judge_average(trainer *t, dt_epoch *row, bool *stop)
{
    float *const trained = t->network->params;
    if (t->optimizer->average != NULL)
        t->network->params = t->optimizer->average;
    const dt_status status = judge_epoch(t, row, stop);
    t->network->params = trained;
    return status;
}

static void finish(trainer *t)
{
    dt_result *result = t->result;
    dt_stepper_take_back(&t->stepper);
    /* A run that stopped in the middle of an epoch may be resumed with fewer epochs. */
    const bool restore = !t->plan->keeps_last && result->best_epoch > 0 &&
                         (result->best_epoch != result->epochs || t->at.rows > 0);
    const float *kept = restore ? t->best : t->optimizer->average;
    if (kept != NULL)
        memcpy(t->network->params, kept, t->network->P * sizeof *kept);
    dt_phases *phases = &result->phases;
    phases->wait_s = dt_stepper_wait_s(&t->stepper);
    if (phases->wait_s > phases->seconds[DT_PHASE_ALLREDUCE]) /* the wait is part of it */
        phases->wait_s = phases->seconds[DT_PHASE_ALLREDUCE];
    result->weights_crc = dt_trainer_crc(t->network);
    result->samples_per_second =
        (double)t->sets[DT_TRAIN].N * (double)result->epochs / t->at.training_s;
}

/* Trains one epoch, or its rest; then the training is at the start of the next one. */
DT_MUST_USE static dt_status run_epoch(trainer *t, bool *stop)
{
    dt_status status = DT_OK;
    /* The rate of the previous step, if a checkpoint was saved after the epoch's last one. */
    const uint64_t before = t->at.rows > 0 ? t->at.rows - 1 : 0;
    dt_epoch row = {.epoch = t->at.epoch, .learning_rate = scheduled_rate(t, before)};
    t->optimizer->learning_rate = row.learning_rate;
    DT_TRY(train_epoch(t, &row));
    DT_TRY(judge_average(t, &row, stop));
    t->result->epochs = row.epoch;
    t->at.epoch++;
    t->at.rows = 0;
    t->at.tally = (dt_tally){0};
    t->at.training_s += t->at.epoch_s;
    t->at.epoch_s = 0.0;
    t->epoch_began_s = dt_clock_s();
    if (t->root)
        t->observer->epoch_ended(t->observer->context, &row);
    if (t->root && !*stop && t->at.epoch <= t->plan->epochs)
        save_when_due(t);
out:
    return status;
}

dt_status dt_trainer_run(dt_result *out, const dt_comm *comm, const dt_launch *launch,
                         const dt_plan *plan, dt_dataset sets[DT_SET_COUNT], dt_network *network,
                         dt_optimizer *optimizer, const dt_training *from,
                         const dt_observer *observer)
{
    dt_status status = DT_OK;
    *out = (dt_result){.threshold = NAN};
    for (int p = 0; p < DT_SET_COUNT; p++)
        out->metrics[p] = dt_metrics_none();
    trainer t = {.comm = comm,
                 .launch = launch,
                 .root = dt_comm_rank(comm) == 0,
                 .plan = plan,
                 .sets = sets,
                 .network = network,
                 .optimizer = optimizer,
                 .observer = observer,
                 .result = out};
    DT_TRY(start(&t, from));
    bool stop = false;
    while (t.at.epoch <= plan->epochs && !stop) {
        if (plan->pause_after > 0 && t.at.epoch > plan->pause_after)
            DT_TRY(pause_training(&t));
        DT_TRY(run_epoch(&t, &stop));
    }
    finish(&t);
    optimizer->learning_rate = plan->learning_rate;
out:
    end(&t);
    return status;
}
