#include "dtrain/train/stepper.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/fault.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/subnormals.h"
#include "dtrain/base/vectorize.h"
#include "dtrain/comm/exact_sum.h"
#include "dtrain/nn/loss.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Parameters that are turned into float32 and handed to Adam at a time: they stay in a first-level
 * cache in between. */
enum {
    UPDATE_BLOCK = 2048,
    TALLY_COUNT = sizeof(dt_tally) / sizeof(int64_t),
    WISH_COUNT = 1, /* how many ranks wish to stop */
    FAST_TALLY_COUNT = 3, /* loss, hits, outside */
    WAIT_EVERY = 32, /* steps of which one measures the wait for the other ranks */
    WAIT_AT = 7 /* of those: not the first, which waits for rank 0 to write */
};

/* ---- what the backward pass hands over; the context is the stepper ---- */

static void add_exactly(void *context, const dt_gradient_block *block, const float *gradient,
                        bool fresh, bool last, int thread)
{
    dt_stepper *s = context;
    int64_t *sums = s->block_sums + (size_t)thread * DT_PANEL * DT_PANEL;
    const size_t count = block->rows * DT_PANEL;
    if ((fresh ? dt_exact_set : dt_exact_add)(sums, gradient, count, &s->grid) != 0) {
        int64_t *outside = s->counts + s->network->P;
        __atomic_fetch_add(&outside[dt_network_layer_of(s->network, block->first)], 1,
                           __ATOMIC_RELAXED);
    }
    if (!last)
        return;
    int64_t *to = s->counts + block->first;
    for (size_t i = 0; i < block->rows; i++, to += block->row_step, sums += DT_PANEL)
        if (block->column_step == 1)
            memcpy(to, sums, block->columns * sizeof *sums);
        else
            for (size_t j = 0; j < block->columns; j++)
                to[j * block->column_step] = sums[j];
}

static void store(void *context, const dt_gradient_block *block, const float *gradient, bool fresh,
                  bool last, int thread)
{
    (void)fresh, (void)last, (void)thread; /* there is one segment */
    const dt_stepper *s = context;
    float *to = s->gradient + block->first;
    for (size_t i = 0; i < block->rows; i++, to += block->row_step, gradient += DT_PANEL)
        for (size_t j = 0; j < block->columns; j++)
            to[j * block->column_step] = gradient[j];
}

static void send_ahead(void *context, size_t first, size_t count)
{
    dt_stepper *s = context;
    dt_gradient_sum_take(&s->ranks_sum, first, count);
}

/* ---- memory ---- */

dt_status dt_stepper_init(dt_stepper *out, const dt_comm *comm, const dt_dataset *set,
                          dt_network *network, dt_adam *adam, dt_sum sum, uint64_t batch,
                          size_t piece, dt_pool *pool)
{
    dt_status status = DT_OK;
    const size_t rows = dt_dataset_take_capacity(set, batch);
    const size_t P = network->P;
    const size_t tail = sum == DT_SUM_EXACT ? network->layer_count + TALLY_COUNT + WISH_COUNT
                                            : FAST_TALLY_COUNT + WISH_COUNT;
    *out = (dt_stepper){.comm = comm, .set = set, .network = network, .adam = adam, .sum = sum};
    DT_TRY(dt_workspace_init(&out->workspace, network, rows, DT_BOTH_PASSES));
    DT_TRY(dt_memory_alloc(&out->y, rows, sizeof *out->y, "a step's labels"));
    DT_TRY(dt_memory_alloc(&out->loss, rows, sizeof *out->loss, "losses"));
    DT_TRY(dt_memory_alloc(&out->predicted, rows, sizeof *out->predicted, "predictions"));
    DT_TRY(dt_memory_alloc(&out->start, set->shard_count + 1, sizeof *out->start, "shards"));
    if (sum == DT_SUM_EXACT)
        DT_TRY(dt_memory_alloc(&out->counts, P + tail, sizeof *out->counts, "gradient sums"));
    out->workspace.pool = pool;
    DT_TRY(dt_memory_alloc(&out->block_sums, (size_t)dt_pool_threads(pool) * DT_PANEL * DT_PANEL,
                           sizeof *out->block_sums, "a block's sums"));
    DT_TRY(dt_memory_alloc(&out->gradient, sum == DT_SUM_EXACT ? UPDATE_BLOCK : P + tail,
                           sizeof *out->gradient, "gradient"));
    DT_TRY(dt_gradient_sum_init(&out->ranks_sum, comm, network, out->counts, out->gradient, tail,
                                piece));
out:
    if (status != DT_OK)
        dt_stepper_clear(out);
    return status;
}

void dt_stepper_clear(dt_stepper *stepper)
{
    dt_gradient_sum_clear(&stepper->ranks_sum);
    dt_workspace_clear(&stepper->workspace);
    dt_memory_free(stepper->y);
    dt_memory_free(stepper->loss);
    dt_memory_free(stepper->predicted);
    dt_memory_free(stepper->start);
    dt_memory_free(stepper->counts);
    dt_memory_free(stepper->block_sums);
    dt_memory_free(stepper->gradient);
    *stepper = (dt_stepper){0};
}

double dt_stepper_wait_s(const dt_stepper *s)
{
    if (dt_comm_size(s->comm) == 1)
        return 0.0;
    return s->waits > 0 ? s->waited_s / (double)s->waits * (double)s->steps : NAN;
}

/* ---- the two ways to add up and update ---- */

/* The layer whose gradient left the grid's range on some rank, or the number of layers. */
static size_t layer_outside(const dt_stepper *s)
{
    const int64_t *outside = s->counts + s->network->P;
    size_t l = 0;
    while (l < s->network->layer_count && outside[l] == 0)
        l++;
    return l;
}

/* What an all-reduce takes is partly the wait for the slowest rank. A barrier before it tells them
 * apart; one in 32 steps costs nothing that could be measured. */
static void measure_wait(dt_stepper *s)
{
    const double begin = dt_clock_s();
    dt_comm_wait(s->comm);
    s->waited_s += dt_clock_s() - begin;
    s->waits++;
}

/* This rank's gradients, by way of `sink`, and their sum over all ranks. */
static void add_up(dt_stepper *s, const dt_segments *segments, dt_gradient_sink *sink,
                   dt_phases *phases)
{
    const double begin = dt_clock_s();
    const bool measures = s->steps % WAIT_EVERY == WAIT_AT;
    dt_gradient_done *done = s->ranks_sum.background != NULL ? send_ahead : NULL;
    dt_gradient_sum_begin(&s->ranks_sum);
    dt_network_backward(s->network, &s->workspace, segments, sink, measures ? NULL : done, s);
    const double summed = dt_clock_s();
    phases->seconds[DT_PHASE_BACKWARD] += summed - begin;
    if (measures) {
        measure_wait(s);
        /* Pieces under way would have held up the barrier. They go now: the same ones, as a
         * backward pass of no rows tells of them. */
        const dt_segments none = {.count = 0, .start = &(size_t){0}};
        if (done != NULL)
            dt_network_backward(s->network, &s->workspace, &none, sink, done, s);
    }
    dt_gradient_sum_finish(&s->ranks_sum);
    phases->seconds[DT_PHASE_ALLREDUCE] += dt_clock_s() - summed;
}

/* The exact sum of all ranks' gradients on s->grid; `tally` becomes that of all ranks. */
static void sum_exactly(dt_stepper *s, const dt_segments *segments, dt_tally *tally,
                        dt_phases *phases)
{
    const size_t P = s->network->P, layers = s->network->layer_count;
    int64_t *outside = s->counts + P, *sums = outside + layers, *wishes = sums + TALLY_COUNT;
    const size_t kept = segments->start[segments->count] > 0 ? P : 0; /* set by the backward pass */
    memset(s->counts + kept, 0, (P - kept + layers) * sizeof *s->counts);
    memcpy(sums, tally, sizeof *tally);
    *wishes = s->wishes_to_stop;
    add_up(s, segments, add_exactly, phases);
    memcpy(tally, sums, sizeof *tally);
    s->stops = *wishes > 0;
}

/* ---- what is said of a step that diverged ---- */

typedef struct largest_sink {
    const dt_network *network;
    double *largest; /* [layers]: of the finite ones, absolute */
    double *bad; /* [layers]: 1 where some are not finite */
} largest_sink;

static void look_for_largest(void *context, const dt_gradient_block *block, const float *gradient,
                             bool fresh, bool last, int thread)
{
    (void)fresh, (void)last, (void)thread;
    const largest_sink *sink = context;
    const size_t layer = dt_network_layer_of(sink->network, block->first);
    for (size_t i = 0; i < block->rows * DT_PANEL; i++) { /* the padding is zeros */
        const double size = fabs((double)gradient[i]);
        if (!isfinite(size))
            sink->bad[layer] = 1.0;
        else if (size > sink->largest[layer])
            sink->largest[layer] = size;
    }
}

/* Adds to the failure's line where the gradients went. All ranks know by now that the step failed,
 * so the backward pass can be made once more, to look at it: a shard's share of the batch each. */
DT_MUST_USE static dt_status fail_with_gradients(dt_stepper *s, const dt_segments *segments,
                                                 dt_status failed)
{
    const size_t layers = s->network->layer_count;
    double *found = NULL;
    char text[DT_STATUS_TEXT_BYTES];
    (void)snprintf(text, sizeof text, "%s", dt_status_text());
    dt_status status = dt_memory_alloc(&found, 2 * layers, sizeof *found, "largest gradients");
    status = dt_comm_agree(s->comm, status);
    if (status != DT_OK) { /* then without */
        dt_memory_free(found);
        return dt_fail(failed, "%s", text);
    }
    largest_sink sink = {s->network, found, found + layers};
    s->workspace.pool = NULL; /* they would meet in the sink; no step comes after this one */
    dt_network_backward(s->network, &s->workspace, segments, look_for_largest, NULL, &sink);
    dt_comm_max_f64(s->comm, found, 2 * layers);
    size_t worst = 0;
    for (size_t l = 1; l < layers; l++)
        if (sink.bad[l] > sink.bad[worst] ||
            (sink.bad[l] == sink.bad[worst] && sink.largest[l] > sink.largest[worst]))
            worst = l;
    const dt_layer *layer = &s->network->layers[worst];
    status =
        dt_fail(failed,
                "%s; layer %zu (%zu to %zu): %s %g; lower --learning-rate, and check that the "
                "inputs are standardised",
                text, worst + 1, layer->D, layer->H,
                sink.bad[worst] > 0.0 ? "a gradient is not finite, the largest of the others is"
                                      : "the largest gradient is",
                sink.largest[worst]);
    dt_memory_free(found);
    return status;
}

static dt_status step_exactly(dt_stepper *s, const dt_segments *segments, uint64_t count,
                              dt_tally *tally, dt_phases *phases)
{
    /* A gradient beyond the range, as inputs that are not standardised give it, is summed again on
     * a coarser grid: all ranks have seen that it is, and the sum stays exact. */
    enum { COARSER_BY = 10, COARSEST = 40 };
    const size_t P = s->network->P;
    const dt_tally mine = *tally;
    size_t layer = 0;
    int coarser = 0;
    do {
        *tally = mine;
        s->grid = dt_exact_grid_for((size_t)count, coarser);
        sum_exactly(s, segments, tally, phases);
        layer = layer_outside(s);
        coarser += COARSER_BY;
    } while (layer < s->network->layer_count && tally->outside == 0 && coarser <= COARSEST);
    dt_status status = dt_tally_check(tally);
    if (status == DT_OK && layer < s->network->layer_count)
        status = dt_fail(DT_DIVERGED, "a gradient is not finite, or beyond %g",
                         dt_exact_range(&s->grid));
    if (status != DT_OK)
        return fail_with_gradients(s, segments, status);
    const double begin = dt_clock_s();
    dt_adam_begin_step(s->adam);
    for (size_t first = 0; first < P; first += UPDATE_BLOCK) {
        const size_t block = P - first < UPDATE_BLOCK ? P - first : UPDATE_BLOCK;
        dt_exact_finish(s->gradient, s->counts + first, block, &s->grid, 1.0 / (double)count);
        dt_adam_update(s->adam, s->network->params, s->gradient, first, block);
    }
    phases->seconds[DT_PHASE_UPDATE] += dt_clock_s() - begin;
    return DT_OK;
}

/* Scales, and tells whether all of it is finite. Flags, since a sum of floats would have an order. */
DT_VECTORIZE static bool scale_finite(float *values, size_t count, float scale)
{
    int bad = 0;
    for (size_t i = 0; i < count; i++) {
        bad |= !(fabsf(values[i]) <= FLT_MAX);
        values[i] *= scale;
    }
    return bad == 0;
}

static dt_status step_fast(dt_stepper *s, const dt_segments *segments, uint64_t count,
                           dt_tally *tally, dt_phases *phases)
{
    const size_t P = s->network->P;
    float *tail = s->gradient + P;
    if (segments->start[segments->count] == 0)
        memset(s->gradient, 0, P * sizeof *s->gradient);
    tail[0] = (float)dt_tally_mean(tally, 1).loss;
    tail[1] = (float)tally->hits;
    tail[2] = (float)tally->outside;
    tail[3] = s->wishes_to_stop ? 1.0f : 0.0f;
    add_up(s, segments, store, phases);
    s->stops = tail[3] > 0.0f;
    *tally = (dt_tally){.hits = llrintf(tail[1]), .outside = tail[2] != 0.0f};
    dt_tally_add_loss(tally, (double)tail[0]);
    const double summed = dt_clock_s();
    dt_status status = dt_tally_check(tally);
    if (status == DT_OK && !scale_finite(s->gradient, P, 1.0f / (float)count))
        status = dt_fail(DT_DIVERGED, "a gradient is not finite");
    if (status != DT_OK)
        return fail_with_gradients(s, segments, status);
    dt_adam_begin_step(s->adam);
    dt_adam_update(s->adam, s->network->params, s->gradient, 0, P);
    phases->seconds[DT_PHASE_UPDATE] += dt_clock_s() - summed;
    return DT_OK;
}

static dt_status run_step(dt_stepper *s, uint64_t first, uint64_t count, dt_tally *tally,
                          dt_phases *phases)
{
    const double begin = dt_clock_s();
    dt_dataset_take(s->set, first, count, &s->workspace.input, s->y, s->start);
    const size_t rows = s->start[s->set->shard_count];
    /* Shard by shard for the exact sum; the fast one takes the rank's rows as a whole. */
    const size_t whole[2] = {0, rows};
    dt_segments segments = {.count = s->set->shard_count, .start = s->start};
    if (s->sum == DT_SUM_FAST)
        segments = (dt_segments){.count = 1, .start = whole};
    float *logits = dt_network_forward(s->network, &s->workspace, NULL, &segments);
    if (rows > 0 && dt_fault("nan"))
        logits[0] = NAN;
    dt_loss_cross_entropy(logits, s->y, rows, s->network->C, s->loss, s->predicted);
    dt_tally step = {0};
    for (size_t i = 0; i < segments.count; i++) {
        const size_t from = segments.start[i];
        dt_tally_add_rows(&step, s->loss + from, s->predicted + from, s->y + from,
                          segments.start[i + 1] - from);
    }
    phases->seconds[DT_PHASE_FORWARD] += dt_clock_s() - begin;
    dt_status status = s->sum == DT_SUM_EXACT ? step_exactly(s, &segments, count, &step, phases)
                                              : step_fast(s, &segments, count, &step, phases);
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
