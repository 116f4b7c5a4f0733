#include "products.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/vectorize.h"

#include <string.h>

/* ---- gradients ---- */

void dt_hand_over_block(const dt_traversal *t, const dt_gradient_block *block, size_t step,
                        const float *A, size_t a_row, const uint32_t *marks, const float *B,
                        size_t b_row, int thread)
{
    float g[DT_PANEL * DT_PANEL] __attribute__((aligned(64)));
    for (size_t s = t->first_filled; s <= t->last_filled; s++) {
        const size_t from = t->segments->start[s] * step;
        const size_t rows = t->segments->start[s + 1] * step - from;
        if (rows == 0)
            continue;
        const dt_outer m = {A + from * a_row,
                            B + from * b_row,
                            a_row,
                            b_row,
                            rows,
                            block->rows,
                            marks == NULL ? NULL : marks + from};
        t->kernels->outer(g, &m);
        /* B's padding is zeros unless B is the output of a layer (for a transposed kernel): sigmoid
         * turns 0 into 0.5. */
        for (size_t i = 0; i < block->rows && block->row_step == 1 && block->columns < DT_PANEL;
             i++)
            memset(g + i * DT_PANEL + block->columns, 0, (DT_PANEL - block->columns) * sizeof *g);
        t->sink(t->context, block, g, s == t->first_filled, s == t->last_filled, thread);
    }
    if (thread == 0)
        dt_traversal_report_progress(t);
}

DT_VECTORIZE static void add_up_rows(float *restrict sums, const float *restrict dY, size_t row,
                                     size_t rows, size_t columns)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            sums[j] += dY[i * row + j];
}

void dt_hand_over_sums(const dt_traversal *t, size_t first, size_t columns, size_t step,
                       const float *dY, size_t row)
{
    const dt_gradient_block block = {first, 1, columns, 1, 1};
    for (size_t s = t->first_filled; s <= t->last_filled; s++) {
        const size_t from = t->segments->start[s] * step, to = t->segments->start[s + 1] * step;
        float sums[DT_PANEL] __attribute__((aligned(64))) = {0};
        if (from == to)
            continue;
        add_up_rows(sums, dY + from * row, row, to - from, columns);
        t->sink(t->context, &block, sums, s == t->first_filled, s == t->last_filled, 0);
    }
}

/* ---- the last layer ---- */

size_t dt_narrow_packed(const dt_layer *layer, size_t kernels)
{
    return kernels * dt_panels_count(layer->D) * DT_PANEL * layer->H;
}

/* Behind the kernels are the zeros that stand for biases if there are none. */
dt_status dt_narrow_allocate(dt_workspace *w, const dt_network *network, size_t l, size_t kernels)
{
    const dt_layer *layer = &network->layers[l];
    const size_t zeros = layer->biases == DT_BIAS_NONE ? kernels * layer->H : 0;
    return dt_memory_alloc(&w->weights[l], dt_narrow_packed(layer, kernels) + zeros, sizeof(float),
                           "a layer's weights");
}

void dt_narrow_pack(const dt_traversal *t, size_t l, size_t kernels)
{
    const dt_layer *layer = &t->network->layers[l];
    const float *W = t->network->params + layer->kernel;
    float *to = t->workspace->weights[l];
    for (size_t k = 0; k < kernels; k++)
        dt_pack_transposed(to + dt_narrow_packed(layer, k), W + k * layer->D * layer->H, layer->D,
                           layer->H);
}

void dt_narrow_forward(const dt_traversal *t, size_t l, size_t kernels, size_t from, size_t to)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_panels *in = dt_traversal_inputs(t, l);
    const dt_workspace *w = t->workspace;
    const float *biases = layer->biases == DT_BIAS_UNITS
                              ? t->network->params + layer->bias
                              : w->weights[l] + dt_narrow_packed(layer, kernels);
    for (size_t k = 0; k < kernels; k++) {
        const dt_narrow m = {
            .z = w->logits + (from + k) * layer->H,
            .z_row = kernels * layer->H,
            .X = dt_panels_at(in, from + k, 0),
            .x_row = kernels * DT_PANEL,
            .x_panel = in->pitch * DT_PANEL,
            .WT = w->weights[l] + dt_narrow_packed(layer, k),
            .bias = biases + k * layer->H,
            .rows = (to - from) / kernels,
            .D = layer->D,
            .C = layer->H,
        };
        t->kernels->multiply_narrow(&m);
    }
}

/* Transposed: classes are the rows of a block. */
static void hand_over_kernel(dt_traversal *t, size_t l, size_t kernels, size_t k)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_panels *in = dt_traversal_inputs(t, l);
    const size_t C = layer->H, D = layer->D, step = layer->K / kernels;
    const size_t row = kernels * C, first = layer->kernel + k * D * C;
    for (size_t panel = dt_panels_count(D); panel-- > 0;) {
        const size_t d = panel * DT_PANEL;
        for (size_t c = 0; c < C; c += DT_PANEL) {
            const dt_gradient_block block = {.first = first + d * C + c,
                                             .rows = dt_panels_width(C, c),
                                             .columns = dt_panels_width(D, d),
                                             .row_step = 1,
                                             .column_step = C};
            dt_hand_over_block(t, &block, step, t->workspace->logits + k * C + c, row, NULL,
                               dt_panels_at(in, k, panel), kernels * DT_PANEL, 0);
        }
        dt_traversal_report_final(t, first + d * C);
    }
}

static void hand_over_biases(dt_traversal *t, size_t l, size_t kernels)
{
    const dt_layer *layer = &t->network->layers[l];
    const size_t C = layer->H, step = layer->K / kernels;
    for (size_t k = 0; k < kernels; k++)
        for (size_t c = 0; c < C; c += DT_PANEL)
            dt_hand_over_sums(t, layer->bias + k * C + c, dt_panels_width(C, c), step,
                              t->workspace->logits + k * C + c, kernels * C);
    dt_traversal_report_final(t, layer->bias);
}

void dt_narrow_gradient(dt_traversal *t, size_t l, size_t kernels)
{
    if (t->network->layers[l].biases == DT_BIAS_UNITS)
        hand_over_biases(t, l, kernels);
    for (size_t k = kernels; k-- > 0;)
        hand_over_kernel(t, l, kernels, k);
}
