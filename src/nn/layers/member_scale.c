/*
 * Where an ensemble that is one network begins: each of the K members scales the inputs by numbers
 * of its own, Y[i,k] = X[i] * r[k], and goes on with what the layers behind it have in common.
 *
 * The scales start as normal numbers: they are what makes the members differ. An input that was
 * encoded has one number for all of its outputs.
 *
 * Source: Gorishniy, Kotelnikov and Babenko, "TabM", ICLR 2025 (TabM-mini); Wen, Tran and Ba,
 *         "BatchEnsemble", ICLR 2020
 */
#include "../layer_internal.h"

#include "dtrain/base/vectorize.h"

#include <string.h>

_Static_assert(sizeof(size_t) == sizeof(int64_t), "a number of members is read as an int64_t");

static const dt_option options[] = {
    {"members", "N", DT_OPTION_INT, offsetof(dt_layer, members), 2, DT_MEMBERS_MAX, NULL, NULL,
     "number of members"},
};

/* How many inputs are numbers of an encoded one, as many for each. They come first. */
static size_t count_encoded(const dt_network *network, size_t l)
{
    const dt_layer *before = &network->layers[l - 1];
    const bool numbers = before->kind == &dt_layer_piecewise_linear;
    const size_t count = (numbers ? before->encoded : before->groups) * before->width;
    if (before->lead > 0 && network->layers[l - 2].width != before->width)
        return 0;
    return before->lead + count;
}

static dt_status plan(dt_network *network, size_t l)
{
    dt_layer *layer = &network->layers[l];
    const dt_layer *before = l > 0 ? &network->layers[l - 1] : NULL;
    dt_tensor_plan scales = {.name = "scale",
                             .rows = layer->members,
                             .columns = layer->D,
                             .repeats = 1,
                             .start = DT_START_NORMAL};
    if (before != NULL && before->width > 0) {
        scales.repeated = count_encoded(network, l);
        scales.repeats = before->width;
    }
    if (layer->K > 1)
        return dt_fail(DT_DATA, "layer %zu (%s) is the second one of its kind", l + 1,
                       layer->kind->name);
    layer->H = layer->D;
    layer->K = layer->members;
    layer->activation = DT_ACTIVATION_LINEAR;
    return dt_network_declare(network, l, &scales, &layer->kernel);
}

/* The scales in panels: padded with zeros. */
static dt_status allocate(dt_workspace *w, const dt_network *network, size_t l, dt_passes passes)
{
    (void)passes;
    return dt_workspace_make_panels(&w->kept[l], network->layers[l].K, network->layers[l].H,
                                    "a layer's scales");
}

static void begin_forward(const dt_traversal *t, size_t l)
{
    const dt_layer *layer = &t->network->layers[l];
    for (size_t k = 0; k < layer->K; k++)
        dt_panels_put_row(&t->workspace->kept[l], k,
                          t->network->params + layer->kernel + k * layer->H);
}

DT_VECTORIZE static void scale_members(float *restrict y, const float *restrict x,
                                       const float *restrict scales, size_t K)
{
    for (size_t k = 0; k < K; k++)
        for (size_t j = 0; j < DT_PANEL; j++)
            y[k * DT_PANEL + j] = x[j] * scales[k * DT_PANEL + j];
}

static void forward(const dt_traversal *t, size_t l, size_t from, size_t to)
{
    const size_t K = t->network->layers[l].K;
    const dt_panels *in = dt_traversal_inputs(t, l), *out = &t->workspace->outputs[l];
    for (size_t p = 0; p < dt_panels_count(in->columns); p++)
        for (size_t i = from; i < to; i += K)
            scale_members(dt_panels_at(out, i, p), dt_panels_at(in, i / K, p),
                          dt_panels_at(&t->workspace->kept[l], 0, p), K);
}

DT_VECTORIZE static void add_members(float *restrict dx, const float *restrict dy,
                                     const float *restrict scales, size_t K)
{
    float sums[DT_PANEL] = {0};
    for (size_t k = 0; k < K; k++)
        for (size_t j = 0; j < DT_PANEL; j++)
            sums[j] += dy[k * DT_PANEL + j] * scales[k * DT_PANEL + j];
    memcpy(dx, sums, sizeof sums);
}

static void backward(const dt_traversal *t, size_t l, size_t before, size_t from, size_t to)
{
    const size_t K = t->network->layers[l].K;
    const dt_panels *dY = &t->workspace->deltas[l], *dX = &t->workspace->deltas[before];
    for (size_t p = 0; p < dt_panels_count(dX->columns); p++)
        for (size_t i = from; i < to; i += K)
            add_members(dt_panels_at(dX, i / K, p), dt_panels_at(dY, i, p),
                        dt_panels_at(&t->workspace->kept[l], 0, p), K);
}

/* ---- the gradient of the scales ---- */

DT_VECTORIZE static void add_scale_products(float *restrict sums, const float *restrict x,
                                            const float *restrict dy, size_t rows, size_t dy_row)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < DT_PANEL; j++)
            sums[j] += x[i * DT_PANEL + j] * dy[i * dy_row + j];
}

/* One panel of some members' scales. */
static void hand_over(dt_traversal *t, size_t l, size_t first, size_t members, size_t p)
{
    const dt_layer *layer = &t->network->layers[l];
    const size_t K = layer->K, H = layer->H, column = p * DT_PANEL;
    const dt_gradient_block block = {layer->kernel + first * H + column, members,
                                     dt_panels_width(H, column), H, 1};
    for (size_t s = t->first_filled; s <= t->last_filled; s++) {
        float g[DT_PANEL * DT_PANEL] __attribute__((aligned(64)));
        const size_t from = t->segments->start[s], rows = t->segments->start[s + 1] - from;
        if (rows == 0)
            continue;
        memset(g, 0, members * DT_PANEL * sizeof *g);
        for (size_t k = 0; k < members; k++)
            add_scale_products(g + k * DT_PANEL, dt_panels_at(dt_traversal_inputs(t, l), from, p),
                               dt_panels_at(&t->workspace->deltas[l], from * K + first + k, p),
                               rows, K * DT_PANEL);
        for (size_t k = 0; k < members; k++) /* padding of any value became products */
            memset(g + k * DT_PANEL + block.columns, 0, (DT_PANEL - block.columns) * sizeof *g);
        t->sink(t->context, &block, g, s == t->first_filled, s == t->last_filled, 0);
    }
}

static void gradient(dt_traversal *t, size_t l)
{
    const dt_layer *layer = &t->network->layers[l];
    for (size_t first = 0; first < layer->K; first += DT_PANEL)
        for (size_t p = 0; p < dt_panels_count(layer->H); p++)
            hand_over(t, l, first, dt_panels_width(layer->K, first), p);
    dt_traversal_report_final(t, layer->kernel);
}

const dt_layer_kind dt_layer_member_scale = {
    .name = "member_scale",
    .options = {.options = options, .count = sizeof options / sizeof *options},
    .plan = plan,
    .allocate = allocate,
    .begin_forward = begin_forward,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
};
