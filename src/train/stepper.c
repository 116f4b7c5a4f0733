#include "dtrain/train/stepper.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/fault.h"
#include "dtrain/base/memory.h"
#include "dtrain/comm/exact_sum.h"
#include "dtrain/nn/loss.h"

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

/* ---- where a shard's gradient goes ---- */

typedef struct exact_sink {
    const dt_network *network;
    int64_t *sums;
    int64_t *outside; /* [layers]: pieces with a term out of range */
    dt_exact_grid grid;
} exact_sink;

static void add_exactly(void *context, size_t first, const float *gradient, size_t count,
                        bool fresh)
{
    exact_sink *sink = context;
    if ((fresh ? dt_exact_set : dt_exact_add)(sink->sums + first, gradient, count, &sink->grid) !=
        0)
        sink->outside[dt_network_layer_of(sink->network, first)]++;
}

static void store(void *context, size_t first, const float *gradient, size_t count, bool fresh)
{
    (void)fresh; /* there is one segment */
    memcpy((float *)context + first, gradient, count * sizeof *gradient);
}

/* ---- memory ---- */

dt_status dt_stepper_init(dt_stepper *out, const dt_comm *comm, const dt_dataset *set,
                          dt_network *network, dt_adam *adam, dt_sum sum, uint64_t batch)
{
    dt_status status = DT_OK;
    const size_t rows = dt_dataset_take_capacity(set, batch);
    const size_t P = network->P;
    *out = (dt_stepper){.comm = comm, .set = set, .network = network, .adam = adam, .sum = sum};
    DT_TRY(dt_workspace_init(&out->workspace, network, rows));
    DT_TRY(dt_memory_alloc(&out->x, rows, set->D * sizeof *out->x, "a step's rows"));
    DT_TRY(dt_memory_alloc(&out->y, rows, sizeof *out->y, "a step's labels"));
    DT_TRY(dt_memory_alloc(&out->loss, rows, sizeof *out->loss, "losses"));
    DT_TRY(dt_memory_alloc(&out->predicted, rows, sizeof *out->predicted, "predictions"));
    DT_TRY(dt_memory_alloc(&out->start, set->shard_count + 1, sizeof *out->start, "shards"));
    if (sum == DT_SUM_EXACT)
        DT_TRY(dt_memory_alloc(&out->counts, P + network->layer_count + TALLY_COUNT + WISH_COUNT,
                               sizeof *out->counts, "gradient sums"));
    DT_TRY(dt_memory_alloc(&out->gradient,
                           sum == DT_SUM_EXACT ? UPDATE_BLOCK : P + FAST_TALLY_COUNT + WISH_COUNT,
                           sizeof *out->gradient, "gradient"));
out:
    if (status != DT_OK)
        dt_stepper_clear(out);
    return status;
}

void dt_stepper_clear(dt_stepper *stepper)
{
    dt_workspace_clear(&stepper->workspace);
    dt_memory_free(stepper->x);
    dt_memory_free(stepper->y);
    dt_memory_free(stepper->loss);
    dt_memory_free(stepper->predicted);
    dt_memory_free(stepper->start);
    dt_memory_free(stepper->counts);
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
    if (s->steps % WAIT_EVERY != WAIT_AT)
        return;
    const double begin = dt_clock_s();
    dt_comm_wait(s->comm);
    s->waited_s += dt_clock_s() - begin;
    s->waits++;
}

/* The exact sum of all ranks' gradients on one grid; `tally` becomes that of all ranks. */
static void sum_exactly(dt_stepper *s, const dt_segments *segments, const dt_exact_grid *grid,
                        dt_tally *tally, dt_phases *phases)
{
    const size_t P = s->network->P, layers = s->network->layer_count;
    const double begin = dt_clock_s();
    int64_t *outside = s->counts + P;
    const size_t kept = segments->start[segments->count] > 0 ? P : 0; /* set by the backward pass */
    memset(s->counts + kept, 0, (P - kept + layers) * sizeof *s->counts);
    exact_sink sink = {s->network, s->counts, outside, *grid};
    dt_network_backward(s->network, &s->workspace, s->x, segments, add_exactly, &sink);
    const double summed = dt_clock_s();
    phases->seconds[DT_PHASE_BACKWARD] += summed - begin;
    int64_t *wishes = outside + layers + TALLY_COUNT;
    memcpy(outside + layers, tally, sizeof *tally);
    *wishes = s->wishes_to_stop;
    measure_wait(s);
    dt_comm_sum_i64(s->comm, s->counts, P + layers + TALLY_COUNT + WISH_COUNT);
    memcpy(tally, outside + layers, sizeof *tally);
    s->stops = *wishes > 0;
    phases->seconds[DT_PHASE_ALLREDUCE] += dt_clock_s() - summed;
}

/* ---- what is said of a step that diverged ---- */

typedef struct largest_sink {
    const dt_network *network;
    double *largest; /* [layers]: of the finite ones, absolute */
    double *bad; /* [layers]: 1 where some are not finite */
} largest_sink;

static void look_for_largest(void *context, size_t first, const float *gradient, size_t count,
                             bool fresh)
{
    (void)fresh;
    const largest_sink *sink = context;
    for (size_t i = 0; i < count; i++) {
        const size_t layer = dt_network_layer_of(sink->network, first + i);
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
    dt_network_backward(s->network, &s->workspace, s->x, segments, look_for_largest, &sink);
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
    dt_exact_grid grid;
    size_t layer = 0;
    int coarser = 0;
    do {
        *tally = mine;
        grid = dt_exact_grid_for((size_t)count, coarser);
        sum_exactly(s, segments, &grid, tally, phases);
        layer = layer_outside(s);
        coarser += COARSER_BY;
    } while (layer < s->network->layer_count && tally->outside == 0 && coarser <= COARSEST);
    dt_status status = dt_tally_check(tally);
    if (status == DT_OK && layer < s->network->layer_count)
        status =
            dt_fail(DT_DIVERGED, "a gradient is not finite, or beyond %g", dt_exact_range(&grid));
    if (status != DT_OK)
        return fail_with_gradients(s, segments, status);
    const double begin = dt_clock_s();
    dt_adam_begin_step(s->adam);
    for (size_t first = 0; first < P; first += UPDATE_BLOCK) {
        const size_t block = P - first < UPDATE_BLOCK ? P - first : UPDATE_BLOCK;
        dt_exact_finish(s->gradient, s->counts + first, block, &grid, 1.0 / (double)count);
        dt_adam_update(s->adam, s->network->params, s->gradient, first, block);
    }
    phases->seconds[DT_PHASE_UPDATE] += dt_clock_s() - begin;
    return DT_OK;
}

/* Scales, and tells whether all of it is finite: of the others, and of infinity, zero times is NaN. */
static bool scale_finite(float *values, size_t count, float scale)
{
    float zeros = 0.0f;
    for (size_t i = 0; i < count; i++) {
        zeros += values[i] * 0.0f;
        values[i] *= scale;
    }
    return zeros == 0.0f;
}

static dt_status step_fast(dt_stepper *s, const dt_segments *segments, uint64_t count,
                           dt_tally *tally, dt_phases *phases)
{
    const size_t P = s->network->P;
    float *tail = s->gradient + P;
    const double begin = dt_clock_s();
    if (segments->start[segments->count] == 0)
        memset(s->gradient, 0, P * sizeof *s->gradient);
    dt_network_backward(s->network, &s->workspace, s->x, segments, store, s->gradient);
    const double summed = dt_clock_s();
    phases->seconds[DT_PHASE_BACKWARD] += summed - begin;
    tail[0] = (float)dt_tally_mean(tally, 1).loss;
    tail[1] = (float)tally->hits;
    tail[2] = (float)tally->outside;
    tail[3] = s->wishes_to_stop ? 1.0f : 0.0f;
    measure_wait(s);
    dt_comm_sum_f32(s->comm, s->gradient, P + FAST_TALLY_COUNT + WISH_COUNT);
    s->stops = tail[3] > 0.0f;
    *tally = (dt_tally){.hits = llrintf(tail[1]), .outside = tail[2] != 0.0f};
    dt_tally_add_loss(tally, (double)tail[0]);
    const double reduced = dt_clock_s();
    phases->seconds[DT_PHASE_ALLREDUCE] += reduced - summed;
    dt_status status = dt_tally_check(tally);
    if (status == DT_OK && !scale_finite(s->gradient, P, 1.0f / (float)count))
        status = dt_fail(DT_DIVERGED, "a gradient is not finite");
    if (status != DT_OK)
        return fail_with_gradients(s, segments, status);
    dt_adam_begin_step(s->adam);
    dt_adam_update(s->adam, s->network->params, s->gradient, 0, P);
    phases->seconds[DT_PHASE_UPDATE] += dt_clock_s() - reduced;
    return DT_OK;
}

dt_status dt_stepper_run(dt_stepper *s, uint64_t first, uint64_t count, dt_tally *tally,
                         dt_phases *phases)
{
    const double begin = dt_clock_s();
    dt_dataset_take(s->set, first, count, s->x, s->y, s->start);
    const size_t rows = s->start[s->set->shard_count];
    /* Shard by shard for the exact sum; the fast one takes the rank's rows as a whole. */
    const size_t whole[2] = {0, rows};
    dt_segments segments = {.count = s->set->shard_count, .start = s->start};
    if (s->sum == DT_SUM_FAST)
        segments = (dt_segments){.count = 1, .start = whole};
    float *logits = dt_network_forward(s->network, &s->workspace, s->x, &segments);
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
