#include "dtrain/train/stepper.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/memory.h"
#include "dtrain/comm/exact_sum.h"
#include "dtrain/nn/loss.h"

#include <math.h>
#include <string.h>

/* Parameters that are turned into float32 and handed to Adam at a time: they stay in a first-level
 * cache in between. */
enum { UPDATE_BLOCK = 2048, TALLY_COUNT = sizeof(dt_tally) / sizeof(int64_t) };

/* ---- where a shard's gradient goes ---- */

typedef struct exact_sink {
    const dt_network *network;
    int64_t *sums;
    int64_t *outside; /* [layers]: pieces with a term out of range */
    dt_exact_grid grid;
} exact_sink;

static void add_exactly(void *context, size_t first, const float *gradient, size_t count)
{
    exact_sink *sink = context;
    if (dt_exact_add(sink->sums + first, gradient, count, &sink->grid) != 0)
        sink->outside[dt_network_layer_of(sink->network, first)]++;
}

static void store(void *context, size_t first, const float *gradient, size_t count)
{
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
    DT_TRY(dt_memory_alloc(&out->gradient, sum == DT_SUM_EXACT ? UPDATE_BLOCK : P + TALLY_COUNT,
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

/* ---- the two ways to add up and update ---- */

static dt_status check_range(const dt_stepper *s, const int64_t *outside, const dt_exact_grid *grid)
{
    for (size_t l = 0; l < s->network->layer_count; l++)
        if (outside[l] != 0)
            return dt_fail(DT_DIVERGED,
                           "the gradient of layer %zu (%zu to %zu) is not finite or left the exact "
                           "range of +-%g; standardise the inputs, lower --learning-rate, or use "
                           "--sum fast",
                           l, s->network->layers[l].D, s->network->layers[l].H,
                           dt_exact_range(grid));
    return DT_OK;
}

static dt_status check_loss(const dt_tally *tally)
{
    if (tally->outside == 0)
        return DT_OK;
    return dt_fail(DT_DIVERGED, "the loss is not finite; lower --learning-rate, and check that the "
                                "inputs are standardised");
}

/* Adds `count` rows' gradient up over the ranks; `mine` becomes the tally of all. */
static dt_status reduce_and_update_exactly(dt_stepper *s, uint64_t count, const dt_exact_grid *grid,
                                           dt_tally *mine, dt_phases *phases)
{
    const size_t P = s->network->P, layers = s->network->layer_count;
    int64_t *outside = s->counts + P;
    const double begin = dt_clock_s();
    memcpy(outside + layers, mine, sizeof *mine);
    dt_comm_sum_i64(s->comm, s->counts, P + layers + TALLY_COUNT);
    memcpy(mine, outside + layers, sizeof *mine);
    const double reduced = dt_clock_s();
    phases->seconds[DT_PHASE_ALLREDUCE] += reduced - begin;
    dt_status status = check_loss(mine);
    if (status == DT_OK)
        status = check_range(s, outside, grid);
    if (status != DT_OK)
        return status;
    dt_adam_begin_step(s->adam);
    for (size_t first = 0; first < P; first += UPDATE_BLOCK) {
        const size_t block = P - first < UPDATE_BLOCK ? P - first : UPDATE_BLOCK;
        int64_t *sums = s->counts + first;
        dt_exact_finish(s->gradient, sums, block, grid, 1.0 / (double)count);
        memset(sums, 0, block * sizeof *sums); /* for the next step, while it is in the cache */
        dt_adam_update(s->adam, s->network->params, s->gradient, first, block);
    }
    phases->seconds[DT_PHASE_UPDATE] += dt_clock_s() - reduced;
    return DT_OK;
}

static dt_status reduce_and_update_fast(dt_stepper *s, uint64_t count, dt_tally *mine,
                                        dt_phases *phases)
{
    const size_t P = s->network->P;
    float *tail = s->gradient + P;
    const double begin = dt_clock_s();
    tail[0] = (float)dt_tally_mean(mine, 1).loss;
    tail[1] = (float)mine->hits;
    tail[2] = (float)mine->outside;
    dt_comm_sum_f32(s->comm, s->gradient, P + TALLY_COUNT);
    *mine = (dt_tally){.hits = llrintf(tail[1]), .outside = tail[2] != 0.0f};
    dt_tally_add_loss(mine, (double)tail[0]);
    const double reduced = dt_clock_s();
    phases->seconds[DT_PHASE_ALLREDUCE] += reduced - begin;
    dt_status status = check_loss(mine);
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
    const size_t P = s->network->P, layers = s->network->layer_count;
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
    dt_tally mine = {0};
    for (size_t i = 0; i < segments.count; i++) {
        const size_t from = segments.start[i];
        dt_tally_add_rows(&mine, s->loss + from, s->predicted + from, s->y + from,
                          segments.start[i + 1] - from);
    }
    const double forward = dt_clock_s();
    phases->seconds[DT_PHASE_FORWARD] += forward - begin;

    const dt_exact_grid grid = dt_exact_grid_for((size_t)count);
    if (s->sum == DT_SUM_EXACT) {
        memset(s->counts + P, 0, (layers + TALLY_COUNT) * sizeof *s->counts);
        exact_sink sink = {s->network, s->counts, s->counts + P, grid};
        dt_network_backward(s->network, &s->workspace, s->x, &segments, add_exactly, &sink);
    } else {
        if (rows == 0)
            memset(s->gradient, 0, P * sizeof *s->gradient);
        dt_network_backward(s->network, &s->workspace, s->x, &segments, store, s->gradient);
    }
    phases->seconds[DT_PHASE_BACKWARD] += dt_clock_s() - forward;

    dt_status status = s->sum == DT_SUM_EXACT
                           ? reduce_and_update_exactly(s, count, &grid, &mine, phases)
                           : reduce_and_update_fast(s, count, &mine, phases);
    tally->loss += mine.loss;
    tally->hits += mine.hits;
    return status;
}
