#include "dtrain/train/stepper.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/memory.h"
#include "dtrain/comm/exact_sum.h"
#include "dtrain/nn/loss.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Parameters that are turned into float32 and handed to Adam at a time: they stay in a first-level
 * cache in between. */
enum {
    UPDATE_BLOCK = 2048,
    TALLY_COUNT = sizeof(dt_tally) / sizeof(int64_t),
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
        DT_TRY(dt_memory_alloc(&out->counts, P + network->layer_count + TALLY_COUNT,
                               sizeof *out->counts, "gradient sums"));
    DT_TRY(dt_memory_alloc(&out->gradient,
                           sum == DT_SUM_EXACT ? UPDATE_BLOCK : P + FAST_TALLY_COUNT,
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
    memcpy(outside + layers, tally, sizeof *tally);
    measure_wait(s);
    dt_comm_sum_i64(s->comm, s->counts, P + layers + TALLY_COUNT);
    memcpy(tally, outside + layers, sizeof *tally);
    phases->seconds[DT_PHASE_ALLREDUCE] += dt_clock_s() - summed;
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
    if (status != DT_OK)
        return status;
    if (layer < s->network->layer_count)
        return dt_fail(DT_DIVERGED,
                       "the gradient of layer %zu (%zu to %zu) is not finite, or beyond %g; "
                       "standardise the inputs, or lower --learning-rate",
                       layer, s->network->layers[layer].D, s->network->layers[layer].H,
                       dt_exact_range(&grid));
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
    measure_wait(s);
    dt_comm_sum_f32(s->comm, s->gradient, P + FAST_TALLY_COUNT);
    *tally = (dt_tally){.hits = llrintf(tail[1]), .outside = tail[2] != 0.0f};
    dt_tally_add_loss(tally, (double)tail[0]);
    const double reduced = dt_clock_s();
    phases->seconds[DT_PHASE_ALLREDUCE] += reduced - summed;
    dt_status status = dt_tally_check(tally);
    if (status != DT_OK)
        return status;
    const float scale = 1.0f / (float)count;
    for (size_t i = 0; i < P; i++)
        s->gradient[i] *= scale;
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
