/*
 * Batch normalization of each unit over the rows of a step, with a trained scale and shift:
 *
 *     y = gamma x' + beta,   x' = (x - mean) / sqrt(variance + epsilon)
 *     dX = gamma / sqrt(variance + epsilon) (dY - mean of dY - x' mean of dY x')
 *
 * The means are those of the whole batch, over all ranks; the variance is divided by the number of
 * rows, and a row's weight does not count. Inference uses moving averages of both:
 *
 *     moving = momentum moving + (1 - momentum) statistic,   after each step
 *
 * A segment is added up in double, in row order. Segments and ranks are added up exactly
 * (base/exact_total.h), so that the statistics have the same bits wherever a segment is computed.
 *
 * Source: Ioffe and Szegedy, 2015; names and formulas as in Keras's BatchNormalization
 */
#include "../layer_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/vectorize.h"

#include <math.h>
#include <string.h>

#define AT(field) offsetof(dt_layer, field)

static const dt_option options[] = {
    {"epsilon", "F", DT_OPTION_FLOAT, AT(epsilon), 1e-30, 1, NULL, NULL,
     "small number that is added to the variance"},
    {"momentum", "F", DT_OPTION_FLOAT, AT(momentum), 0, 1, NULL, NULL,
     "share of the old moving averages that each step keeps"},
};

static dt_status plan(dt_network *network, size_t l)
{
    dt_status status = DT_OK;
    dt_layer *layer = &network->layers[l];
    const size_t H = layer->D;
    const dt_tensor_plan gamma = {.name = "gamma", .rows = H, .start = DT_START_ONES};
    const dt_tensor_plan beta = {.name = "beta", .rows = H, .start = DT_START_ZEROS};
    const dt_tensor_plan mean = {
        .name = "moving_mean", .rows = H, .start = DT_START_ZEROS, .moves = true};
    const dt_tensor_plan variance = {.name = "moving_variance",
                                     .rows = H,
                                     .start = DT_START_ONES,
                                     .moves = true,
                                     .non_negative = true};
    layer->H = H;
    layer->activation = DT_ACTIVATION_LINEAR;
    DT_TRY(dt_network_declare(network, l, &gamma, &layer->kernel));
    DT_TRY(dt_network_declare(network, l, &beta, &layer->bias));
    DT_TRY(dt_network_declare(network, l, &mean, &layer->mean));
    DT_TRY(dt_network_declare(network, l, &variance, &layer->variance));
out:
    return status;
}

/* ---- memory ---- */

/* The numbers kept for each unit, one row of panels each. */
enum { MEAN, VARIANCE, INVERSE, FACTOR, MEAN_DY, MEAN_PRODUCT, KEPT };

/* Behind the two sums of each unit: the number of rows, and the number of ranks with sums out of
 * range. */
enum { ROWS, OUTSIDE, COUNTS };

static size_t count_totals(const dt_layer *layer)
{
    return 2 * layer->H + COUNTS;
}

static dt_status allocate(dt_workspace *w, const dt_network *network, size_t l, dt_passes passes)
{
    dt_status status = DT_OK;
    const dt_layer *layer = &network->layers[l];
    DT_TRY(dt_workspace_make_panels(&w->kept[l], KEPT, layer->H, "statistics of units"));
    if (passes == DT_BOTH_PASSES && count_totals(layer) > w->total_count) {
        dt_memory_free(w->totals);
        w->totals = NULL;
        DT_TRY(dt_memory_alloc(&w->totals, count_totals(layer), sizeof *w->totals,
                               "statistics of a batch"));
        w->total_count = count_totals(layer);
    }
out:
    return status;
}

static float *kept_of_unit(const dt_workspace *w, size_t l, size_t what, size_t unit)
{
    return dt_panels_element(&w->kept[l], what, unit);
}

/* ---- sums over the batch ---- */

/* Totals count steps of 2^-56, 2^24 of those that exact totals count for themselves. 4096 segments
 * of less than LARGEST each stay in their range. */
#define SCALE 0x1p24
#define LARGEST 0x1p58

/* The sums of a layer under way. Threads share the panels. */
typedef struct work {
    const dt_traversal *t;
    size_t l;
    bool outside;
} work;

static void add_term(work *at, size_t total, double term)
{
    if (fabs(term) < LARGEST) /* a NaN compares false */
        dt_exact_total_add(&at->t->workspace->totals[total], term / SCALE);
    else
        __atomic_store_n(&at->outside, true, __ATOMIC_RELAXED);
}

static void share_panels(work *at, void (*do_panel)(work *at, size_t p, int thread), int thread)
{
    size_t from = 0, to = 0;
    dt_traversal_part(at->t, dt_panels_count(at->t->network->layers[at->l].H), thread, &from, &to);
    for (size_t p = from; p < to; p++)
        do_panel(at, p, thread);
}

static void begin_sums(const dt_workspace *w, const dt_layer *layer)
{
    DT_ASSERT(count_totals(layer) <= w->total_count);
    memset(w->totals, 0, count_totals(layer) * sizeof *w->totals);
}

static void note_outside(const work *at)
{
    const dt_workspace *w = at->t->workspace;
    if (at->outside)
        dt_exact_total_add(&w->totals[2 * at->t->network->layers[at->l].H + OUTSIDE], 1.0);
}

/* Adds up over the ranks. Returns the number of rows; 0: there are none, or sums are out of range
 * somewhere. */
static double finish_sums(const dt_traversal *t, size_t l)
{
    dt_workspace *w = t->workspace;
    const dt_layer *layer = &t->network->layers[l];
    dt_exact_total *counts = w->totals + 2 * layer->H;
    dt_exact_total_add(&counts[ROWS], (double)dt_traversal_start(t, l, t->segments->count));
    if (w->sum != NULL)
        w->sum(w->sum_context, w->totals, count_totals(layer));
    if (counts[OUTSIDE].steps == 0)
        return dt_exact_total_value(&counts[ROWS]);
    w->unsummed = layer;
    return 0.0;
}

static double mean_of(const dt_workspace *w, size_t total, double rows)
{
    return dt_exact_total_value(&w->totals[total]) * (SCALE / rows);
}

/* ---- statistics ---- */

/* Columns whose sums stay in registers. */
enum { LANES = 8 };

/* The square of a float32 is exact in double. Sums of padding are not used. */
DT_VECTORIZE static void batch_add_rows(double *restrict sums, double *restrict squares,
                                        const float *restrict x, size_t rows)
{
    for (size_t c = 0; c < DT_PANEL; c += LANES) {
        double sum[LANES] = {0}, square[LANES] = {0};
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < LANES; j++) {
                const double value = (double)x[i * DT_PANEL + c + j];
                sum[j] += value;
                square[j] += value * value;
            }
        memcpy(sums + c, sum, sizeof sum);
        memcpy(squares + c, square, sizeof square);
    }
}

static void measure_panel(work *at, size_t p, int thread)
{
    const dt_traversal *t = at->t;
    const dt_layer *layer = &t->network->layers[at->l];
    const dt_panels *in = dt_traversal_inputs(t, at->l);
    const size_t units = dt_panels_width(layer->H, p * DT_PANEL);
    (void)thread;
    for (size_t s = 0; s < t->segments->count; s++) {
        const size_t from = dt_traversal_start(t, at->l, s),
                     to = dt_traversal_start(t, at->l, s + 1);
        double sums[DT_PANEL], squares[DT_PANEL];
        if (from == to)
            continue;
        batch_add_rows(sums, squares, dt_panels_at(in, from, p), to - from);
        for (size_t j = 0; j < units; j++) {
            add_term(at, p * DT_PANEL + j, sums[j]);
            add_term(at, layer->H + p * DT_PANEL + j, squares[j]);
        }
    }
}

static void measure_part(void *context, int thread)
{
    share_panels(context, measure_panel, thread);
}

static void keep_statistics(const dt_traversal *t, size_t l, size_t unit, float mean,
                            double variance)
{
    const dt_workspace *w = t->workspace;
    const dt_layer *layer = &t->network->layers[l];
    const float inverse = (float)(1.0 / sqrt(variance + layer->epsilon));
    *kept_of_unit(w, l, MEAN, unit) = mean;
    *kept_of_unit(w, l, VARIANCE, unit) = (float)variance;
    *kept_of_unit(w, l, INVERSE, unit) = inverse;
    *kept_of_unit(w, l, FACTOR, unit) = inverse * t->network->params[layer->kernel + unit];
}

/* The difference of two sums that are exact except for their last bits: with a mean of 1000
 * standard deviations the variance has 9 digits. */
static void take_statistics(const dt_traversal *t, size_t l, double rows)
{
    const dt_workspace *w = t->workspace;
    const size_t H = t->network->layers[l].H;
    for (size_t unit = 0; unit < H && rows > 0.0; unit++) {
        const double mean = mean_of(w, unit, rows);
        const double variance = mean_of(w, H + unit, rows) - mean * mean;
        keep_statistics(t, l, unit, (float)mean, variance > 0.0 ? variance : 0.0);
    }
}

/* ---- forward ---- */

static void begin_forward(const dt_traversal *t, size_t l)
{
    dt_workspace *w = t->workspace;
    const dt_layer *layer = &t->network->layers[l];
    work at = {.t = t, .l = l};
    if (!w->pass.training) {
        for (size_t unit = 0; unit < layer->H; unit++)
            keep_statistics(t, l, unit, t->network->params[layer->mean + unit],
                            (double)t->network->params[layer->variance + unit]);
        return;
    }
    begin_sums(w, layer);
    dt_pool_run(w->pool, measure_part, &at);
    note_outside(&at);
    take_statistics(t, l, finish_sums(t, l));
}

DT_VECTORIZE static void batch_scale_rows(float *restrict y, const float *restrict x,
                                          const float *restrict mean, const float *restrict factor,
                                          const float *restrict shift, size_t rows, size_t units)
{
    for (size_t i = 0; i < rows; i++, x += DT_PANEL, y += DT_PANEL)
        for (size_t j = 0; j < units; j++)
            y[j] = (x[j] - mean[j]) * factor[j] + shift[j];
}

static void forward(const dt_traversal *t, size_t l, size_t from, size_t to)
{
    const dt_workspace *w = t->workspace;
    const dt_layer *layer = &t->network->layers[l];
    const dt_panels *in = dt_traversal_inputs(t, l);
    for (size_t p = 0; p < dt_panels_count(layer->H); p++)
        batch_scale_rows(dt_panels_at(&w->outputs[l], from, p), dt_panels_at(in, from, p),
                         dt_panels_at(&w->kept[l], MEAN, p), dt_panels_at(&w->kept[l], FACTOR, p),
                         t->network->params + layer->bias + p * DT_PANEL, to - from,
                         dt_panels_width(layer->H, p * DT_PANEL));
}

/* ---- the gradients of scale and shift, and of the inputs' means ---- */

DT_VECTORIZE static void batch_add_gradients(double *restrict sums, const float *restrict dY,
                                             size_t rows)
{
    for (size_t c = 0; c < DT_PANEL; c += LANES) {
        double sum[LANES] = {0};
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < LANES; j++)
                sum[j] += (double)dY[i * DT_PANEL + c + j];
        memcpy(sums + c, sum, sizeof sum);
    }
}

DT_VECTORIZE static void batch_add_products(double *restrict sums, const float *restrict dY,
                                            const float *restrict x, const float *restrict mean,
                                            const float *restrict inverse, size_t rows)
{
    for (size_t c = 0; c < DT_PANEL; c += LANES) {
        double sum[LANES] = {0};
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < LANES; j++) {
                const size_t at = i * DT_PANEL + c + j;
                sum[j] += (double)dY[at] * (double)((x[at] - mean[c + j]) * inverse[c + j]);
            }
        memcpy(sums + c, sum, sizeof sum);
    }
}

/* A segment's sums of panel p: of dY x', or of dY. */
static void sum_segment(double sums[DT_PANEL], const work *at, size_t p, size_t s, bool of_scale)
{
    const dt_traversal *t = at->t;
    const dt_workspace *w = t->workspace;
    const size_t from = dt_traversal_start(t, at->l, s);
    const size_t rows = dt_traversal_start(t, at->l, s + 1) - from;
    const float *dY = dt_panels_at(&w->deltas[at->l], from, p);
    if (of_scale)
        batch_add_products(sums, dY, dt_panels_at(dt_traversal_inputs(t, at->l), from, p),
                           dt_panels_at(&w->kept[at->l], MEAN, p),
                           dt_panels_at(&w->kept[at->l], INVERSE, p), rows);
    else
        batch_add_gradients(sums, dY, rows);
}

enum { OF_SHIFT, OF_SCALE, OF_AVERAGE };

/* Panel p of one tensor's gradient, segment by segment; that of a moving average is 0. */
static void hand_over(work *at, size_t first, size_t p, int what, int thread)
{
    const dt_traversal *t = at->t;
    const dt_layer *layer = &t->network->layers[at->l];
    const size_t units = dt_panels_width(layer->H, p * DT_PANEL),
                 total = what == OF_SCALE ? layer->H : 0;
    const dt_gradient_block block = {first + p * DT_PANEL, 1, units, 1, 1};
    for (size_t s = t->first_filled; s <= t->last_filled; s++) {
        double sums[DT_PANEL] = {0};
        float rounded[DT_PANEL] __attribute__((aligned(64))) = {0};
        if (dt_traversal_start(t, at->l, s) == dt_traversal_start(t, at->l, s + 1))
            continue;
        if (what != OF_AVERAGE)
            sum_segment(sums, at, p, s, what == OF_SCALE);
        for (size_t j = 0; j < units; j++)
            rounded[j] = (float)sums[j];
        for (size_t j = 0; j < units && what != OF_AVERAGE; j++)
            add_term(at, total + p * DT_PANEL + j, sums[j]);
        t->sink(t->context, &block, rounded, s == t->first_filled, s == t->last_filled, thread);
    }
}

static void hand_over_panel(work *at, size_t p, int thread)
{
    const dt_layer *layer = &at->t->network->layers[at->l];
    hand_over(at, layer->variance, p, OF_AVERAGE, thread);
    hand_over(at, layer->mean, p, OF_AVERAGE, thread);
    hand_over(at, layer->bias, p, OF_SHIFT, thread);
    hand_over(at, layer->kernel, p, OF_SCALE, thread);
}

static void hand_over_part(void *context, int thread)
{
    share_panels(context, hand_over_panel, thread);
}

/* begin_backward, which comes next, uses the totals. */
static void gradient(dt_traversal *t, size_t l)
{
    const dt_layer *layer = &t->network->layers[l];
    work at = {.t = t, .l = l};
    begin_sums(t->workspace, layer);
    if (t->first_filled <= t->last_filled)
        dt_pool_run(t->workspace->pool, hand_over_part, &at);
    note_outside(&at);
    dt_traversal_report_final(t, layer->kernel);
}

/* ---- the gradient of the inputs ---- */

/* In inference the statistics do not depend on the rows. */
static void begin_backward(const dt_traversal *t, size_t l)
{
    const dt_workspace *w = t->workspace;
    const size_t H = t->network->layers[l].H;
    const double rows = w->pass.training ? finish_sums(t, l) : 0.0;
    for (size_t unit = 0; unit < H; unit++) {
        *kept_of_unit(w, l, MEAN_DY, unit) = rows > 0.0 ? (float)mean_of(w, unit, rows) : 0.0f;
        *kept_of_unit(w, l, MEAN_PRODUCT, unit) =
            rows > 0.0 ? (float)mean_of(w, H + unit, rows) : 0.0f;
    }
}

DT_VECTORIZE static void batch_project_rows(float *restrict dX, const float *restrict dY,
                                            const float *restrict x, const dt_panels *kept,
                                            size_t p, size_t rows, size_t units)
{
    const float *restrict mean = dt_panels_at(kept, MEAN, p);
    const float *restrict inverse = dt_panels_at(kept, INVERSE, p);
    const float *restrict factor = dt_panels_at(kept, FACTOR, p);
    const float *restrict mean_dY = dt_panels_at(kept, MEAN_DY, p);
    const float *restrict mean_product = dt_panels_at(kept, MEAN_PRODUCT, p);
    for (size_t i = 0; i < rows; i++, dX += DT_PANEL, dY += DT_PANEL, x += DT_PANEL)
        for (size_t j = 0; j < units; j++)
            dX[j] =
                factor[j] * (dY[j] - mean_dY[j] - (x[j] - mean[j]) * inverse[j] * mean_product[j]);
}

static void backward(const dt_traversal *t, size_t l, size_t before, size_t from, size_t to)
{
    const dt_workspace *w = t->workspace;
    const dt_layer *layer = &t->network->layers[l];
    const dt_panels *in = dt_traversal_inputs(t, l);
    for (size_t p = 0; p < dt_panels_count(layer->H); p++)
        batch_project_rows(dt_panels_at(&w->deltas[before], from, p),
                           dt_panels_at(&w->deltas[l], from, p), dt_panels_at(in, from, p),
                           &w->kept[l], p, to - from, dt_panels_width(layer->H, p * DT_PANEL));
}

/* ---- the moving averages ---- */

/* A tensor [H] of moving averages, the first of them parameter `tensor`. */
static void move_tensor(const dt_network *network, const dt_workspace *w, size_t l, size_t tensor,
                        size_t statistic, size_t first, size_t count)
{
    const dt_layer *layer = &network->layers[l];
    const float stays = (float)layer->momentum, comes = (float)(1.0 - layer->momentum);
    for (size_t unit = 0; unit < layer->H; unit++) {
        float *moving = &network->params[tensor + unit];
        if (tensor + unit >= first && tensor + unit - first < count)
            *moving = *moving * stays + *kept_of_unit(w, l, statistic, unit) * comes;
    }
}

static void move(const dt_network *network, const dt_workspace *w, size_t l, size_t first,
                 size_t count)
{
    const dt_layer *layer = &network->layers[l];
    move_tensor(network, w, l, layer->mean, MEAN, first, count);
    move_tensor(network, w, l, layer->variance, VARIANCE, first, count);
}

const dt_layer_kind dt_layer_batch_norm = {
    .name = "batch_normalization",
    .options = {.options = options, .count = sizeof options / sizeof *options},
    .plan = plan,
    .sums_batch = true,
    .allocate = allocate,
    .begin_forward = begin_forward,
    .begin_backward = begin_backward,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
    .move = move,
};
