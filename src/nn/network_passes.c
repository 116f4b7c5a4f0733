#include "dtrain/nn/network.h"

#include "linalg_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/subnormals.h"

#include <stdbool.h>
#include <string.h>

/* Panels of a kernel's rows whose gradient is worked on together: their inputs stay in the
 * second-level cache while the outputs' gradient goes by. */
enum { PANELS_TOGETHER = 4 };

/* A last layer of few units keeps its outputs row-major, and its kernel transposed. */
static bool is_narrow(const dt_network *network, size_t l)
{
    return l + 1 == network->layer_count && network->layers[l].H <= DT_NARROW;
}

/* ---- memory ---- */

static dt_status make_panels(dt_panels *out, size_t rows, size_t columns, const char *what)
{
    size_t floats = 0;
    *out = (dt_panels){.pitch = rows, .columns = columns};
    if (__builtin_mul_overflow(rows, dt_panels_count(columns) * DT_PANEL, &floats))
        return dt_fail(DT_MEMORY, "%s: %zu rows by %zu units are too many", what, rows, columns);
    return dt_memory_alloc(&out->data, floats, sizeof(float), what);
}

/* Kernel and bias for the forward pass, the kernel for the backward one. */
static dt_status make_weights(dt_workspace *w, const dt_network *network, size_t l,
                              dt_passes passes)
{
    dt_status status = DT_OK;
    const size_t D = network->layers[l].D, H = network->layers[l].H;
    const size_t tall = dt_panels_count(D) * DT_PANEL, wide = dt_panels_count(H) * DT_PANEL;
    if (is_narrow(network, l)) {
        DT_TRY(dt_memory_alloc(&w->weights[l], tall * H, sizeof(float), "a layer's weights"));
    } else {
        DT_TRY(dt_memory_alloc(&w->weights[l], (D + 1) * wide, sizeof(float), "a layer's weights"));
        if (l > 0 && passes == DT_BOTH_PASSES)
            DT_TRY(dt_memory_alloc(&w->transposed[l], tall * H, sizeof(float),
                                   "a layer's weights, transposed"));
    }
out:
    return status;
}

dt_status dt_workspace_init(dt_workspace *out, const dt_network *network, size_t rows,
                            dt_passes passes)
{
    dt_status status = DT_OK;
    const size_t layers = network->layer_count;
    *out = (dt_workspace){.capacity = rows, .layer_count = layers};
    DT_TRY(dt_memory_alloc(&out->outputs, 2 * layers, sizeof *out->outputs, "workspace"));
    out->deltas = out->outputs + layers;
    DT_TRY(dt_memory_alloc(&out->weights, 2 * layers, sizeof *out->weights, "workspace"));
    out->transposed = out->weights + layers;
    DT_TRY(make_panels(&out->input, rows, network->D, "a step's rows"));
    DT_TRY(dt_memory_alloc(&out->logits, rows, network->C * sizeof(float), "logits"));
    for (size_t l = 0; l < layers; l++) {
        const size_t H = network->layers[l].H;
        if (!is_narrow(network, l)) {
            DT_TRY(make_panels(&out->outputs[l], rows, H, "layer outputs"));
            if (passes == DT_BOTH_PASSES)
                DT_TRY(make_panels(&out->deltas[l], rows, H, "layer gradients"));
        }
        DT_TRY(make_weights(out, network, l, passes));
    }
out:
    if (status != DT_OK)
        dt_workspace_clear(out);
    return status;
}

void dt_workspace_clear(dt_workspace *workspace)
{
    for (size_t l = 0; l < workspace->layer_count; l++) {
        if (workspace->outputs != NULL) {
            dt_memory_free(workspace->outputs[l].data);
            dt_memory_free(workspace->deltas[l].data);
        }
        if (workspace->weights != NULL) {
            dt_memory_free(workspace->weights[l]);
            dt_memory_free(workspace->transposed[l]);
        }
    }
    dt_memory_free(workspace->outputs);
    dt_memory_free(workspace->weights);
    dt_memory_free(workspace->input.data);
    dt_memory_free(workspace->logits);
    *workspace = (dt_workspace){0};
}

/* W [D,H] and b [H] to [H/32][D][32], then [H/32][32]. */
static void pack(float *to, const float *W, size_t D, size_t H)
{
    dt_pack_panels(to, W, D, H);
    memcpy(to + dt_panels_count(H) * DT_PANEL * D, W + D * H, H * sizeof *W);
}

/* ---- forward ---- */

/* A thread's part of `count` things: *from to *to - 1. */
static void part_of(size_t count, const dt_pool *pool, int thread, size_t *from, size_t *to)
{
    const size_t threads = (size_t)dt_pool_threads(pool);
    *from = count * (size_t)thread / threads;
    *to = count * ((size_t)thread + 1) / threads;
}

/* Rows `from` to `to` of a layer. */
static void layer_forward(const dt_kernels *kernels, const dt_network *network, dt_workspace *w,
                          size_t l, size_t from, size_t to)
{
    const dt_layer *layer = &network->layers[l];
    const dt_panels *in = l > 0 ? &w->outputs[l - 1] : &w->input;
    if (from == to)
        return;
    if (is_narrow(network, l)) {
        kernels->multiply_narrow(w->logits + from * layer->H, dt_panels_at(in, from, 0), in->pitch,
                                 w->weights[l], network->params + layer->bias, to - from, layer->D,
                                 layer->H);
        return;
    }
    const dt_multiply m = {
        .out = dt_panels_at(&w->outputs[l], from, 0),
        .out_pitch = w->capacity,
        .A = dt_panels_at(in, from, 0),
        .a_row = DT_PANEL,
        .a_panel = in->pitch * DT_PANEL,
        .B = w->weights[l],
        .start = w->weights[l] + dt_panels_count(layer->H) * DT_PANEL * layer->D,
        .rows = to - from,
        .K = layer->D,
        .N = layer->H,
        .activation = layer->activation,
    };
    kernels->multiply(&m);
}

/* A layer's forward pass under way. */
typedef struct forward_pass {
    const dt_kernels *kernels;
    const dt_network *network;
    dt_workspace *workspace;
    size_t layer, first, rows;
} forward_pass;

static void forward_part(void *context, int thread)
{
    const forward_pass *f = context;
    size_t from = 0, to = 0;
    part_of(f->rows, f->workspace->pool, thread, &from, &to);
    layer_forward(f->kernels, f->network, f->workspace, f->layer, f->first + from, f->first + to);
}

float *dt_network_forward(const dt_network *network, dt_workspace *workspace, const float *X,
                          const dt_segments *segments)
{
    const uint64_t before = dt_subnormals_off();
    const size_t last = network->layer_count - 1, rows = segments->start[segments->count];
    forward_pass f = {dt_kernels_chosen(), network, workspace, 0, 0, rows};
    for (size_t i = 0; X != NULL && i < rows; i++)
        dt_panels_put_row(&workspace->input, i, X + i * network->D);
    for (f.layer = 0; f.layer <= last; f.layer++) {
        const dt_layer *layer = &network->layers[f.layer];
        const float *W = network->params + layer->kernel;
        if (is_narrow(network, f.layer))
            dt_pack_transposed(workspace->weights[f.layer], W, layer->D, layer->H);
        else
            pack(workspace->weights[f.layer], W, layer->D, layer->H);
        if (f.kernels->is_rowwise) {
            dt_pool_run(workspace->pool, forward_part, &f);
            continue;
        }
        for (size_t s = 0; s < segments->count; s++)
            layer_forward(f.kernels, network, workspace, f.layer, segments->start[s],
                          segments->start[s + 1]);
    }
    for (size_t i = 0; !is_narrow(network, last) && i < rows; i++)
        dt_panels_get_row(workspace->logits + i * network->C, &workspace->outputs[last], i);
    dt_subnormals_restore(before);
    return workspace->logits;
}

/* ---- backward ---- */

/* A backward pass under way. */
typedef struct pass {
    const dt_kernels *kernels;
    const dt_network *network;
    dt_workspace *workspace;
    const dt_segments *segments;
    size_t first_filled, last_filled; /* of the segments, those with rows; first > last: none */
    dt_gradient_sink *sink;
    dt_gradient_done *done;
    void *context;
    size_t final; /* the gradients of the parameters from here on are complete */
} pass;

static void report_final(pass *p, size_t first)
{
    p->final = first;
    if (p->done != NULL)
        p->done(p->context, first);
}

/* Nothing new: there is time for something else. */
static void report_progress(const pass *p)
{
    if (p->done != NULL)
        p->done(p->context, p->final);
}

/* A block of one layer's gradient, of all segments in turn: A^T B. A's column 0 and row 0 are at
 * `A`, its rows `a_row` apart; B is a panel. */
static void hand_over_block(const pass *p, const dt_gradient_block *block, const float *A,
                            size_t a_row, const float *B, int thread)
{
    float g[DT_PANEL * DT_PANEL] __attribute__((aligned(64)));
    for (size_t s = p->first_filled; s <= p->last_filled; s++) {
        const size_t from = p->segments->start[s], rows = p->segments->start[s + 1] - from;
        if (rows == 0)
            continue;
        p->kernels->outer(g, A + from * a_row, a_row, B + from * DT_PANEL, rows, block->rows);
        /* B's padding is zeros, but for outputs of a layer: sigmoid makes 0.5 of nothing. */
        for (size_t i = 0; i < block->rows && block->column_step > 1; i++)
            memset(g + i * DT_PANEL + block->columns, 0, (DT_PANEL - block->columns) * sizeof *g);
        p->sink(p->context, block, g, s == p->first_filled, s == p->last_filled, thread);
    }
    if (thread == 0)
        report_progress(p);
}

/* Sums over rows of `columns` <= 32 columns, rows `step` apart. */
static void hand_over_bias(const pass *p, size_t first, size_t columns, const float *dY,
                           size_t step)
{
    const dt_gradient_block block = {first, 1, columns, 1, 1};
    for (size_t s = p->first_filled; s <= p->last_filled; s++) {
        const size_t from = p->segments->start[s], to = p->segments->start[s + 1];
        float sums[DT_PANEL] __attribute__((aligned(64))) = {0};
        if (from == to)
            continue;
        for (size_t i = from; i < to; i++)
            for (size_t j = 0; j < columns; j++)
                sums[j] += dY[i * step + j];
        p->sink(p->context, &block, sums, s == p->first_filled, s == p->last_filled, 0);
    }
}

/* Of a last layer of few classes, transposed: its classes are the rows of a block. */
static void hand_over_narrow(pass *p, size_t l)
{
    const dt_layer *layer = &p->network->layers[l];
    const dt_panels *in = l > 0 ? &p->workspace->outputs[l - 1] : &p->workspace->input;
    const size_t C = layer->H;
    hand_over_bias(p, layer->bias, C, p->workspace->logits, C);
    report_final(p, layer->bias);
    for (size_t panel = dt_panels_count(layer->D); panel-- > 0;) {
        const size_t d = panel * DT_PANEL;
        const dt_gradient_block block = {.first = layer->kernel + d * C,
                                         .rows = C,
                                         .columns =
                                             layer->D - d < DT_PANEL ? layer->D - d : DT_PANEL,
                                         .row_step = 1,
                                         .column_step = C};
        hand_over_block(p, &block, p->workspace->logits, C, dt_panels_at(in, 0, panel), 0);
        report_final(p, block.first);
    }
}

/* Some panels of a kernel's rows, of which the threads share the columns. */
typedef struct kernel_rows {
    const pass *pass;
    size_t layer, from, to;
} kernel_rows;

static void hand_over_part(void *context, int thread)
{
    const kernel_rows *rows = context;
    const pass *p = rows->pass;
    const dt_layer *layer = &p->network->layers[rows->layer];
    const dt_panels *in =
        rows->layer > 0 ? &p->workspace->outputs[rows->layer - 1] : &p->workspace->input;
    const dt_panels *dY = &p->workspace->deltas[rows->layer];
    const size_t H = layer->H;
    size_t panel = 0, end = 0;
    part_of(dt_panels_count(H), p->workspace->pool, thread, &panel, &end);
    for (; panel < end; panel++)
        for (size_t d = rows->from; d < rows->to; d += DT_PANEL) {
            const size_t h = panel * DT_PANEL;
            const dt_gradient_block block = {.first = layer->kernel + d * H + h,
                                             .rows =
                                                 rows->to - d < DT_PANEL ? rows->to - d : DT_PANEL,
                                             .columns = H - h < DT_PANEL ? H - h : DT_PANEL,
                                             .row_step = H,
                                             .column_step = 1};
            hand_over_block(p, &block, dt_panels_at(in, 0, d / DT_PANEL), DT_PANEL,
                            dt_panels_at(dY, 0, panel), thread);
        }
}

static void hand_over_gradient(pass *p, size_t l)
{
    const dt_layer *layer = &p->network->layers[l];
    const dt_panels *dY = &p->workspace->deltas[l];
    const size_t D = layer->D, H = layer->H, together = (size_t)PANELS_TOGETHER * DT_PANEL;
    for (size_t h = 0; h < H; h += DT_PANEL)
        hand_over_bias(p, layer->bias + h, H - h < DT_PANEL ? H - h : DT_PANEL,
                       dt_panels_at(dY, 0, h / DT_PANEL), DT_PANEL);
    report_final(p, layer->bias);
    for (size_t to = D, from; to > 0; to = from) {
        from = (to - 1) / together * together;
        kernel_rows rows = {p, l, from, to};
        dt_pool_run(p->workspace->pool, hand_over_part, &rows);
        report_final(p, layer->kernel + from * H);
    }
}

/* The gradient of one layer's inputs under way, back through the activation that made them. */
typedef struct way_back {
    const pass *pass;
    size_t layer;
} way_back;

static void carry_back_rows(const pass *p, size_t l, size_t from, size_t to)
{
    const dt_layer *layer = &p->network->layers[l];
    const dt_workspace *w = p->workspace;
    const bool narrow = is_narrow(p->network, l);
    const dt_multiply m = {
        .out = dt_panels_at(&w->deltas[l - 1], from, 0),
        .out_pitch = w->capacity,
        .A = narrow ? w->logits + from * layer->H : dt_panels_at(&w->deltas[l], from, 0),
        .a_row = narrow ? layer->H : DT_PANEL,
        .a_panel = w->capacity * DT_PANEL,
        .B = narrow ? w->weights[l] : w->transposed[l],
        .rows = to - from,
        .K = layer->H,
        .N = layer->D,
        .activation = p->network->layers[l - 1].activation,
        .outputs = dt_panels_at(&w->outputs[l - 1], from, 0),
    };
    if (to > from)
        p->kernels->multiply(&m);
}

static void carry_back_part(void *context, int thread)
{
    const way_back *back = context;
    const pass *p = back->pass;
    size_t from = 0, to = 0;
    part_of(p->segments->start[p->segments->count], p->workspace->pool, thread, &from, &to);
    carry_back_rows(p, back->layer, from, to);
}

static void carry_back(const pass *p, size_t l)
{
    const dt_layer *layer = &p->network->layers[l];
    const size_t *start = p->segments->start;
    if (start[p->segments->count] == 0) { /* the ranges alone are asked for */
        report_progress(p);
        return;
    }
    if (!is_narrow(p->network, l))
        dt_pack_transposed(p->workspace->transposed[l], p->network->params + layer->kernel,
                           layer->D, layer->H);
    if (p->kernels->is_rowwise)
        dt_pool_run(p->workspace->pool, carry_back_part, &(way_back){p, l});
    for (size_t s = 0; !p->kernels->is_rowwise && s < p->segments->count; s++)
        carry_back_rows(p, l, start[s], start[s + 1]);
    report_progress(p);
}

void dt_network_backward(const dt_network *network, dt_workspace *workspace,
                         const dt_segments *segments, dt_gradient_sink *sink,
                         dt_gradient_done *done, void *context)
{
    const uint64_t before = dt_subnormals_off();
    const size_t last = network->layer_count - 1, rows = segments->start[segments->count];
    pass p = {dt_kernels_chosen(), network, workspace, segments, 1, 0, sink, done, context,
              network->P};
    for (size_t s = 0; s < segments->count; s++)
        if (segments->start[s + 1] > segments->start[s]) {
            p.first_filled = p.first_filled > p.last_filled ? s : p.first_filled;
            p.last_filled = s;
        }
    for (size_t i = 0; !is_narrow(network, last) && i < rows; i++)
        dt_panels_put_row(&workspace->deltas[last], i, workspace->logits + i * network->C);
    for (size_t l = network->layer_count; l-- > 0;) {
        if (is_narrow(network, l))
            hand_over_narrow(&p, l);
        else
            hand_over_gradient(&p, l);
        if (l > 0)
            carry_back(&p, l);
    }
    dt_subnormals_restore(before);
}
