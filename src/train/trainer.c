#include "dtrain/train/trainer.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/io/crc32.h"
#include "dtrain/train/early_stopping.h"
#include "dtrain/train/stepper.h"

#include <math.h>
#include <string.h>

/* The state of a run between epochs. */
typedef struct trainer {
    const dt_comm *comm;
    const dt_settings *settings;
    dt_dataset *sets;
    dt_network *network;
    dt_adam *adam;
    const dt_observer *observer;
    dt_stepper stepper;
    dt_evaluator evaluator;
    dt_early_stopping stopping; /* rank 0 decides by it */
    float *best; /* [P]: the best epoch's weights */
    double training_s;
    dt_result *result;
} trainer;

uint32_t dt_trainer_crc(const dt_network *network)
{
    return dt_crc32(0, network->params, network->P * sizeof *network->params);
}

void dt_result_clear(dt_result *result)
{
    for (int p = 0; p < DT_PART_COUNT; p++)
        dt_evaluation_clear(&result->evaluation[p]);
    *result = (dt_result){0};
}

static dt_status start(trainer *t)
{
    dt_status status = DT_OK;
    const dt_settings *settings = t->settings;
    DT_TRY(dt_stepper_init(&t->stepper, t->comm, &t->sets[DT_TRAIN], t->network, t->adam,
                           (dt_sum)settings->sum, (uint64_t)settings->batch));
    DT_TRY(dt_evaluator_init(&t->evaluator, t->network));
    DT_TRY(dt_memory_alloc(&t->best, t->network->P, sizeof *t->best, "best weights"));
    t->stopping = dt_early_stopping_start((dt_monitor)settings->monitor, settings->patience,
                                          settings->min_delta);
out:
    return status;
}

static void end(trainer *t)
{
    dt_stepper_clear(&t->stepper);
    dt_evaluator_clear(&t->evaluator);
    dt_memory_free(t->best);
}

/* Rank 0 tells of the step that ended at position `rows`. */
static void tell_step(const trainer *t, int64_t epoch, uint64_t rows, const dt_tally *tally,
                      double begin)
{
    const uint64_t batch = (uint64_t)t->settings->batch, N = t->sets[DT_TRAIN].N;
    const dt_step step = {.epoch = epoch,
                          .step = (rows + batch - 1) / batch,
                          .steps = (N + batch - 1) / batch,
                          .rows = rows,
                          .train = dt_tally_mean(tally, rows),
                          .seconds = dt_clock_s() - begin};
    t->observer->step_ended(t->observer->context, &step);
}

static dt_status train_epoch(trainer *t, dt_epoch *row)
{
    const dt_dataset *set = &t->sets[DT_TRAIN];
    const uint64_t batch = (uint64_t)t->settings->batch;
    const double begin = dt_clock_s();
    const bool tells = t->observer->step_ended != NULL && dt_comm_rank(t->comm) == 0;
    dt_tally tally = {0};
    dt_dataset_shuffle(&t->sets[DT_TRAIN], (uint64_t)t->settings->seed, (uint64_t)row->epoch);
    for (uint64_t first = 0; first < set->N; first += batch) {
        const uint64_t count = set->N - first < batch ? set->N - first : batch;
        dt_status status = dt_stepper_run(&t->stepper, first, count, &tally, &t->result->phases);
        if (status != DT_OK)
            return dt_fail(status, "epoch %lld, step %llu: %s", (long long)row->epoch,
                           (unsigned long long)(first / batch + 1), dt_status_text());
        if (tells)
            tell_step(t, row->epoch, first + count, &tally, begin);
    }
    row->train = dt_tally_mean(&tally, set->N);
    row->seconds = dt_clock_s() - begin;
    row->samples_per_second = (double)set->N / row->seconds;
    t->training_s += row->seconds;
    return DT_OK;
}

/* Rank 0 judges the epoch, and all ranks do what it says. */
static dt_verdict decide(trainer *t, const dt_epoch *row)
{
    dt_verdict verdict = {.improved = true};
    if (t->sets[DT_VALIDATION].N == 0)
        return verdict; /* nothing to judge by: the last epoch is the best */
    if (dt_comm_rank(t->comm) == 0) {
        const double value =
            t->stopping.larger_is_better ? row->validation.accuracy : row->validation.loss;
        verdict = dt_early_stopping_judge(&t->stopping, row->epoch - 1, value);
    }
    dt_comm_broadcast(t->comm, &verdict, sizeof verdict);
    return verdict;
}

static dt_status judge_epoch(trainer *t, dt_epoch *row, bool *stop)
{
    dt_status status = DT_OK;
    const double begin = dt_clock_s();
    row->validation = (dt_metrics){.loss = NAN, .accuracy = NAN};
    if (t->sets[DT_VALIDATION].N > 0)
        DT_TRY(dt_evaluate(&row->validation, t->comm, t->network, &t->evaluator,
                           &t->sets[DT_VALIDATION], NULL));
    row->weights_crc = dt_trainer_crc(t->network);
    DT_TRY(dt_comm_check_same(t->comm, "the checksum of the weights", row->weights_crc));
    const dt_verdict verdict = decide(t, row);
    row->improved = verdict.improved;
    *stop = verdict.stop;
    if (verdict.improved) {
        memcpy(t->best, t->network->params, t->network->P * sizeof *t->best);
        t->result->best_epoch = row->epoch;
    }
    t->result->phases.seconds[DT_PHASE_VALIDATE] += dt_clock_s() - begin;
    row->seconds += dt_clock_s() - begin;
out:
    if (status != DT_OK)
        status = dt_fail(status, "epoch %lld: %s", (long long)row->epoch, dt_status_text());
    return status;
}

static void finish(trainer *t)
{
    dt_result *result = t->result;
    const bool restore = !t->settings->no_restore_best && result->best_epoch != result->epochs;
    if (restore)
        memcpy(t->network->params, t->best, t->network->P * sizeof *t->best);
    dt_phases *phases = &result->phases;
    phases->wait_s = dt_stepper_wait_s(&t->stepper);
    if (phases->wait_s > phases->seconds[DT_PHASE_ALLREDUCE]) /* which it is a part of */
        phases->wait_s = phases->seconds[DT_PHASE_ALLREDUCE];
    result->weights_crc = dt_trainer_crc(t->network);
    result->samples_per_second =
        (double)t->sets[DT_TRAIN].N * (double)result->epochs / t->training_s;
}

dt_status dt_trainer_run(dt_result *out, const dt_comm *comm, const dt_settings *settings,
                         dt_dataset sets[DT_PART_COUNT], dt_network *network, dt_adam *adam,
                         const dt_observer *observer)
{
    dt_status status = DT_OK;
    *out = (dt_result){0};
    for (int p = 0; p < DT_PART_COUNT; p++)
        out->metrics[p] = (dt_metrics){.loss = NAN, .accuracy = NAN};
    trainer t = {.comm = comm,
                 .settings = settings,
                 .sets = sets,
                 .network = network,
                 .adam = adam,
                 .observer = observer,
                 .result = out};
    DT_TRY(dt_comm_agree(comm, start(&t)));
    bool stop = false;
    for (int64_t epoch = 1; epoch <= settings->epochs && !stop; epoch++) {
        dt_epoch row = {.epoch = epoch, .learning_rate = adam->learning_rate};
        DT_TRY(train_epoch(&t, &row));
        DT_TRY(judge_epoch(&t, &row, &stop));
        out->epochs = epoch;
        if (dt_comm_rank(comm) == 0)
            observer->epoch_ended(observer->context, &row);
    }
    finish(&t);
out:
    end(&t);
    return status;
}

/* ---- evaluation ---- */

/* The evaluation is not lost for want of memory for curves. */
static dt_status evaluate_part(dt_result *result, const dt_comm *comm, const dt_dataset *sets,
                               const dt_network *network, int p)
{
    dt_evaluation *out = &result->evaluation[p];
    dt_metrics *metrics = &result->metrics[p];
    const uint64_t *class_rows = sets[DT_TRAIN].class_rows;
    const bool curves = p != DT_TRAIN;
    dt_status status =
        dt_evaluation_of_set(out, metrics, comm, network, &sets[p], class_rows, curves);
    if (status == DT_MEMORY && curves) {
        dt_log_warn("%s set: %s; its ROC and PR curves are left out", dt_part_name((dt_part)p),
                    dt_status_text());
        status = dt_evaluation_of_set(out, metrics, comm, network, &sets[p], class_rows, false);
    }
    return status;
}

dt_status dt_trainer_evaluate(dt_result *result, const dt_comm *comm,
                              const dt_dataset sets[DT_PART_COUNT], const dt_network *network)
{
    for (int p = 0; p < DT_PART_COUNT; p++) {
        if (sets[p].N == 0)
            continue;
        dt_status status = evaluate_part(result, comm, sets, network, p);
        if (status != DT_OK)
            return dt_fail(status, "%s set: %s", dt_part_name((dt_part)p), dt_status_text());
    }
    return DT_OK;
}
