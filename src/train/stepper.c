#include "dtrain/train/stepper.h"

#include "gradient.h"
#include "update.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/fault.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/subnormals.h"
#include "dtrain/comm/exact_total.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    WAIT_EVERY = 32, /* steps of which one measures the wait for the other ranks */
    WAIT_AT = 7, /* of these, not the first, which waits for rank 0 to write */
    COARSER_BY = 10 /* doublings of the grid's step from one attempt to the next */
};

/* The arrays that a window shares (dt_gradient_sum_state): the parameters, the optimizer's states,
 * and the averaged parameters, if there are any. */
enum { STATES = 2 + DT_OPTIMIZER_STATES };

/* ---- memory ---- */

/* The sum of layers that need all rows. It does not collide with pieces of gradients
 * (dt_gradient_sum_take), because all ranks start both in the same order. */
static void sum_batch(void *context, dt_exact_total *totals, size_t count)
{
    const dt_stepper *s = context;
    if (dt_comm_size(s->comm) > 1)
        dt_exact_total_sum(s->comm, totals, count);
}

DT_MUST_USE static dt_status allocate(dt_stepper *s, uint64_t batch)
{
    dt_status status = DT_OK;
    const size_t rows = dt_dataset_take_capacity(s->set, batch);
    const size_t threads = (size_t)dt_pool_threads(s->pool);
    DT_TRY(dt_workspace_init(&s->workspace, s->network, rows, DT_BOTH_PASSES));
    s->workspace.pool = s->pool;
    s->workspace.sum = sum_batch;
    s->workspace.sum_context = s;
    s->batch.x = &s->workspace.input;
    DT_TRY(dt_memory_alloc(&s->batch.y, rows, s->set->T * sizeof *s->batch.y, "a step's targets"));
    if (s->set->w != NULL || s->set->class_weights != NULL)
        DT_TRY(dt_memory_alloc(&s->batch.w, rows, sizeof *s->batch.w, "a step's weights"));
    DT_TRY(dt_memory_alloc(&s->batch.positions, rows, sizeof *s->batch.positions,
                           "a step's positions"));
    DT_TRY(dt_loss_rows_init(&s->rows, s->network->loss, rows));
    DT_TRY(dt_members_init(&s->members, s->network, rows));
    DT_TRY(dt_memory_alloc(&s->batch.start, s->set->shard_count + 1, sizeof *s->batch.start,
                           "shards"));
    DT_TRY(dt_memory_alloc(&s->scratch, threads * DT_STEPPER_BLOCK, sizeof *s->scratch,
                           "a block's sums"));
out:
    return status;
}

/* The addresses of the arrays that a window shares; returns their number. */
static size_t list_states(dt_stepper *s, float **places[STATES])
{
    size_t count = 0;
    places[count++] = &s->network->params;
    for (size_t i = 0; i < s->optimizer->kind->state_count; i++)
        places[count++] = &s->optimizer->states[i];
    if (s->optimizer->average != NULL)
        places[count++] = &s->optimizer->average;
    return count;
}

/* Each rank copies its slice: the memory is then near the CPU that will update it. */
static void move_into_window(dt_stepper *s)
{
    float **places[STATES];
    const dt_gradient_sum *sum = &s->ranks_sum;
    const size_t count = list_states(s, places);
    for (size_t i = 0; i < count; i++) {
        float *shared = dt_gradient_sum_state(sum, i);
        if (shared == NULL)
            return;
        memcpy(shared + sum->slice_first, *places[i] + sum->slice_first,
               sum->slice_count * sizeof *shared);
        s->private_states[i] = *places[i];
        *places[i] = shared;
    }
    dt_gradient_sum_end(&s->ranks_sum); /* all ranks' slices are there */
}

void dt_stepper_take_back(dt_stepper *s)
{
    float **places[STATES];
    if (s->private_states[0] == NULL)
        return;
    const size_t count = list_states(s, places);
    for (size_t i = 0; i < count; i++) {
        memcpy(s->private_states[i], *places[i], s->network->P * sizeof(float));
        *places[i] = s->private_states[i];
        s->private_states[i] = NULL;
    }
}

/* Reserves the next slot, of `numbers` numbers; returns its offset. */
static size_t take_slot(dt_step_slots *slots, size_t numbers)
{
    const size_t first = slots->count;
    slots->count += numbers;
    return first;
}

dt_status dt_stepper_init(dt_stepper *out, const dt_comm *comm, const dt_launch *launch,
                          const dt_dataset *set, dt_network *network, dt_optimizer *optimizer,
                          dt_sum sum, uint64_t batch, dt_reduction how, dt_pool *pool)
{
    *out = (dt_stepper){
        .comm = comm, .set = set, .network = network, .optimizer = optimizer, .pool = pool};
    out->task = dt_task_of(network->loss);
    out->kind = sum == DT_SUM_EXACT ? &dt_gradient_exact : &dt_gradient_fast;
    out->slots.outside = take_slot(&out->slots, network->tensor_count);
    out->slots.tally = take_slot(&out->slots, DT_TALLY_WORDS);
    out->slots.stops = take_slot(&out->slots, 1);
    float **places[STATES];
    dt_status status = dt_comm_agree(comm, allocate(out, batch));
    if (status == DT_OK) {
        status = dt_gradient_sum_init(&out->ranks_sum, comm, launch, network, out->kind->exact,
                                      out->slots.count, list_states(out, places), how);
        status = dt_comm_agree(comm, status);
    }
    if (status == DT_OK)
        move_into_window(out);
    else
        dt_stepper_clear(out);
    return status;
}

void dt_stepper_clear(dt_stepper *stepper)
{
    dt_stepper_take_back(stepper);
    dt_gradient_sum_clear(&stepper->ranks_sum);
    dt_workspace_clear(&stepper->workspace);
    dt_memory_free(stepper->batch.y);
    dt_memory_free(stepper->batch.w);
    dt_memory_free(stepper->batch.positions);
    dt_loss_rows_clear(&stepper->rows);
    dt_members_clear(&stepper->members);
    dt_memory_free(stepper->batch.start);
    dt_memory_free(stepper->scratch);
    dt_memory_free(stepper->squares);
    *stepper = (dt_stepper){0};
}

double dt_stepper_wait_s(const dt_stepper *s)
{
    if (dt_comm_size(s->comm) == 1)
        return 0.0;
    return s->waits > 0 ? s->waited_s / (double)s->waits * (double)s->steps : NAN;
}

/* ---- the sum over the ranks ---- */

static void send_ahead(void *context, size_t first)
{
    dt_stepper *s = context;
    dt_gradient_sum_take(&s->ranks_sum, first);
}

/* The time of an all-reduce includes the wait for the slowest rank. A barrier before it separates
 * the two; one in 32 steps has no measurable cost. */
static void measure_wait(dt_stepper *s)
{
    const double begin = dt_clock_s();
    dt_comm_barrier(s->comm);
    s->waited_s += dt_clock_s() - begin;
    s->waits++;
}

/* This rank's gradients, and their sum over all ranks. */
static void add_up(dt_stepper *s, const dt_segments *segments, dt_phases *phases)
{
    const double begin = dt_clock_s();
    const bool measures = s->steps % WAIT_EVERY == WAIT_AT;
    dt_gradient_done *done = s->ranks_sum.background != NULL ? send_ahead : NULL;
    dt_gradient_sink *take = s->kind->take;
    dt_gradient_sum_begin(&s->ranks_sum, segments->start[segments->count] > 0);
    dt_network_backward(s->network, &s->workspace, segments, take, measures ? NULL : done, s);
    const double summed = dt_clock_s();
    phases->seconds[DT_PHASE_BACKWARD] += summed - begin;
    if (measures) {
        measure_wait(s);
        /* Pieces in progress would have delayed the barrier. They are sent now: a backward pass
         * without a sink reports the same pieces. */
        const dt_segments none = {.count = 0, .start = &(size_t){0}};
        if (done != NULL)
            dt_network_backward(s->network, &s->workspace, &none, NULL, done, s);
    }
    dt_gradient_sum_finish(&s->ranks_sum);
    phases->seconds[DT_PHASE_ALLREDUCE] += dt_clock_s() - summed;
}

/* ---- the message of a step that diverged ---- */

typedef struct largest_sink {
    const dt_network *network;
    double *largest; /* [tensors]: of the finite ones, absolute */
    double *bad; /* [tensors]: 1 where some are not finite */
} largest_sink;

static void look_for_largest(void *context, const dt_gradient_block *block, const float *gradient,
                             bool fresh, bool last, int thread)
{
    (void)fresh, (void)last, (void)thread;
    const largest_sink *sink = context;
    const size_t tensor =
        (size_t)(dt_network_tensor_of(sink->network, block->first) - sink->network->tensors);
    for (size_t i = 0; i < block->rows * DT_PANEL; i++) { /* the padding is zeros */
        const double size = fabs((double)gradient[i]);
        if (!isfinite(size))
            sink->bad[tensor] = 1.0;
        else if (size > sink->largest[tensor])
            sink->largest[tensor] = size;
    }
}

/* Adds the layers' gradients to the error line. All ranks know that the step failed, so the
 * backward pass can be repeated to inspect it, one shard's share of the batch at a time. */
DT_MUST_USE static dt_status fail_with_gradients(dt_stepper *s, const dt_segments *segments,
                                                 dt_status failed)
{
    const size_t tensors = s->network->tensor_count;
    double *found = NULL;
    char text[DT_STATUS_TEXT_BYTES];
    (void)snprintf(text, sizeof text, "%s", dt_status_text());
    dt_status status = dt_memory_alloc(&found, 2 * tensors, sizeof *found, "largest gradients");
    status = dt_comm_agree(s->comm, status);
    if (status != DT_OK) { /* then without */
        dt_memory_free(found);
        return dt_fail(failed, "%s", text);
    }
    largest_sink sink = {s->network, found, found + tensors};
    s->workspace.pool = NULL; /* threads would collide in the sink; no step follows */
    dt_network_backward(s->network, &s->workspace, segments, look_for_largest, NULL, &sink);
    dt_comm_max_f64(s->comm, found, 2 * tensors);
    size_t worst = 0;
    for (size_t t = 1; t < tensors; t++)
        if (sink.bad[t] > sink.bad[worst] ||
            (sink.bad[t] == sink.bad[worst] && sink.largest[t] > sink.largest[worst]))
            worst = t;
    const dt_layer *layer = &s->network->layers[s->network->tensors[worst].layer];
    status =
        dt_fail(failed,
                "%s; layer %zu (%zu to %zu): %s %g; lower --learning-rate, and check that the "
                "inputs are standardised",
                text, layer->number + 1, layer->D, layer->H,
                sink.bad[worst] > 0.0 ? "a gradient is not finite, the largest of the others is"
                                      : "the largest gradient is",
                sink.largest[worst]);
    dt_memory_free(found);
    return status;
}

/* Whether a layer that needs all rows could sum them; all ranks know. */
DT_MUST_USE static dt_status check_batch(const dt_stepper *s)
{
    const dt_layer *layer = s->workspace.unsummed;
    if (layer == NULL)
        return DT_OK;
    return dt_fail(DT_DIVERGED,
                   "%s layer %zu: inputs or gradients are not finite, or too large to be summed; "
                   "lower --learning-rate, and check that the inputs are standardised",
                   dt_layer_kind_name(layer->kind), layer->number + 1);
}

/* The gradients' sum over all ranks, and the update; `tally` becomes that of all ranks. */
DT_MUST_USE static dt_status descend(dt_stepper *s, const dt_segments *segments, uint64_t count,
                                     dt_tally *tally, dt_phases *phases)
{
    /* A gradient beyond the range, for example of inputs that are not standardised, is summed again
     * on a coarser grid: all ranks know that it is out of range, and the sum stays exact. */
    const size_t tensors = s->network->tensor_count;
    const dt_tally mine = *tally;
    size_t outside; /* the first tensor with a gradient out of range */
    for (int coarser = 0;; coarser += COARSER_BY) {
        s->grid = dt_exact_grid_for((size_t)count, coarser);
        s->kind->put_tail(s, &mine);
        add_up(s, segments, phases);
        outside = s->kind->get_tail(s, tally);
        if (outside == tensors || tally->outside != 0 || coarser >= s->kind->coarsest)
            break;
        dt_gradient_sum_end(&s->ranks_sum);
    }
    dt_status status = dt_tally_check(tally);
    if (status == DT_OK)
        status = check_batch(s);
    if (status == DT_OK && outside < tensors)
        status = dt_fail(DT_DIVERGED, "a gradient is not finite, or beyond %g", s->kind->range(s));
    const double begin = dt_clock_s();
    if (status == DT_OK)
        dt_stepper_update(s, dt_tally_value(tally, DT_TALLY_WEIGHT));
    const double updated = dt_clock_s();
    dt_gradient_sum_end(&s->ranks_sum);
    phases->seconds[DT_PHASE_UPDATE] += updated - begin;
    phases->seconds[DT_PHASE_ALLREDUCE] += dt_clock_s() - updated;
    return status == DT_OK ? DT_OK : fail_with_gradients(s, segments, status);
}

/* A row's weight multiplies its loss, and so its gradient. */
static void scale_rows(float *gradients, const float *w, size_t rows, size_t outputs)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < outputs; j++)
            gradients[i * outputs + j] *= w[i];
}

static dt_status run_step(dt_stepper *s, uint64_t first, uint64_t count, dt_tally *tally,
                          dt_phases *phases)
{
    const double begin = dt_clock_s();
    dt_dataset_take(s->set, first, count, &s->batch);
    s->workspace.pass = (dt_pass){
        .training = true, .seed = s->seed, .epoch = s->epoch, .positions = s->batch.positions};
    const size_t rows = s->batch.start[s->set->shard_count];
    /* Shard by shard for the exact sum; the fast one takes the rank's rows as a whole. */
    const size_t whole[2] = {0, rows};
    dt_segments segments = {.count = s->set->shard_count, .start = s->batch.start};
    if (!s->kind->exact)
        segments = (dt_segments){.count = 1, .start = whole};
    float *logits = dt_network_forward(s->network, &s->workspace, NULL, &segments);
    const dt_status summed = check_batch(s);
    if (summed != DT_OK)
        return summed;
    if (rows > 0 && dt_fault("nan"))
        logits[0] = NAN;
    dt_network_standardise(s->network, s->batch.y, rows);
    dt_members_gradient(&s->members, logits, s->batch.y, rows, &s->rows);
    if (s->batch.w != NULL)
        scale_rows(logits, s->batch.w, rows, s->network->K * s->network->C);
    dt_tally step = {0};
    for (size_t i = 0; i < segments.count; i++)
        s->task->add_rows(&step, &s->rows, s->batch.y, s->batch.w, segments.start[i],
                          segments.start[i + 1] - segments.start[i]);
    phases->seconds[DT_PHASE_FORWARD] += dt_clock_s() - begin;
    dt_status status = descend(s, &segments, count, &step, phases);
    dt_tally_add(tally, &step);
    s->steps++;
    return status;
}

dt_status dt_stepper_run(dt_stepper *s, uint64_t first, uint64_t count, dt_tally *tally,
                         dt_phases *phases)
{
    const uint64_t before = dt_subnormals_off();
    const dt_status status = run_step(s, first, count, tally, phases);
    dt_subnormals_restore(before);
    return status;
}
