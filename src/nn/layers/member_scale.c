/*
 * Scales of members: in an ensemble that is one network, each of the K members multiplies the
 * inputs by its own numbers. The members share all layers between such layers:
 *
 *     Y[i,k] = X[i] * r[k]             the first one, which makes K rows of a row
 *     Y[i,k] = X[i,k] * r[k]           the others
 *     Y[i,k] = X[i,k] * s[k] + b[k]    with shifts
 *
 * The first scales start as normal random numbers, which make the members differ. All outputs
 * of an encoded input have the same scale. Scales between layers start as ones. The shifts of all
 * members start with the same numbers, drawn as the bias of a dense layer.
 *
 * Source: Gorishniy, Kotelnikov and Babenko, "TabM", ICLR 2025 (one such layer is TabM-mini; TabM
 *         has one before and one behind each kernel); Wen, Tran and Ba, "BatchEnsemble", ICLR 2020
 */
#include "products.h"

#include "dtrain/base/vectorize.h"

#include <string.h>

#define AT(field) offsetof(dt_layer, field)

_Static_assert(sizeof(size_t) == sizeof(int64_t), "a number of members is read as an int64_t");

static const dt_option options[] = {
    {"members", "N", DT_OPTION_INT, AT(members), 2, DT_MEMBERS_MAX, NULL, NULL,
     "number of members"},
    {"start", "NAME", DT_OPTION_CHOICE, AT(start), 0, 0, "normal|ones", "normal",
     "initial scales: normal random numbers of variance 1, or ones"},
    {"shifts", "NAME", DT_OPTION_CHOICE, AT(shifts), 0, 0, "none|members", "none",
     "shifts: none, or numbers of each member, which are added to the products"},
};

/* The number of inputs that come from encoded inputs, the same for each. They come first. */
static size_t count_encoded(const dt_network *network, size_t l)
{
    const dt_layer *before = &network->layers[l - 1];
    if (before->lead > 0 && network->layers[l - 2].width != before->width)
        return 0;
    return dt_layer_encoded_outputs(before);
}

/* Scales [K,D]. */
DT_MUST_USE static dt_status declare_scales(dt_network *network, size_t l)
{
    dt_layer *layer = &network->layers[l];
    dt_tensor_plan scales = {.name = "scale",
                             .rows = layer->members,
                             .columns = layer->D,
                             .repeats = 1,
                             .start =
                                 layer->start == DT_SCALES_ONES ? DT_START_ONES : DT_START_NORMAL};
    if (l > 0 && network->layers[l - 1].width > 0) {
        scales.repeated = count_encoded(network, l);
        scales.repeats = network->layers[l - 1].width;
    }
    return dt_network_declare(network, l, &scales, &layer->kernel);
}

/* Shifts [K,D]. */
DT_MUST_USE static dt_status declare_shifts(dt_network *network, size_t l)
{
    dt_layer *layer = &network->layers[l];
    const dt_tensor_plan shifts = {.name = "shift",
                                   .rows = layer->members,
                                   .columns = layer->D,
                                   .fan_in = l > 0 ? network->layers[l - 1].D : layer->D,
                                   .fan_out = layer->D,
                                   .start = DT_START_BIAS,
                                   .alike = true};
    return dt_network_declare(network, l, &shifts, &layer->bias);
}

static dt_status plan(dt_network *network, size_t l)
{
    dt_status status = DT_OK;
    dt_layer *layer = &network->layers[l];
    if (layer->K > 1 && layer->K != layer->members)
        DT_TRY(dt_fail(DT_DATA, "layer %zu (%s) has %zu members, but the layers before it have %zu",
                       l + 1, layer->kind->name, layer->members, layer->K));
    layer->H = layer->D;
    layer->K = layer->members;
    layer->activation = DT_ACTIVATION_LINEAR;
    DT_TRY(declare_scales(network, l));
    if (layer->shifts == DT_SHIFTS_MEMBERS)
        DT_TRY(declare_shifts(network, l));
out:
    return status;
}

/* ---- the passes ---- */

static bool has_shifts(const dt_layer *layer)
{
    return layer->shifts == DT_SHIFTS_MEMBERS;
}

/* The scales in panels, and the shifts behind them: padded with zeros. */
static dt_status allocate(dt_workspace *w, const dt_network *network, size_t l, dt_passes passes)
{
    (void)passes;
    const dt_layer *layer = &network->layers[l];
    const size_t rows = has_shifts(layer) ? 2 * layer->K : layer->K;
    return dt_workspace_make_panels(&w->kept[l], rows, layer->H, "a layer's scales");
}

static void begin_forward(const dt_traversal *t, size_t l)
{
    const dt_layer *layer = &t->network->layers[l];
    const float *params = t->network->params;
    const dt_panels *kept = &t->workspace->kept[l];
    for (size_t k = 0; k < layer->K; k++) {
        dt_panels_put_row(kept, k, params + layer->kernel + k * layer->H);
        if (has_shifts(layer))
            dt_panels_put_row(kept, layer->K + k, params + layer->bias + k * layer->H);
    }
}

/* The members of a row: x is one row for all of them (x_row 0), or one for each. */
DT_VECTORIZE static void scale_members(float *restrict y, const float *restrict x, size_t x_row,
                                       const float *restrict scales, size_t K)
{
    for (size_t k = 0; k < K; k++)
        for (size_t j = 0; j < DT_PANEL; j++)
            y[k * DT_PANEL + j] = x[k * x_row + j] * scales[k * DT_PANEL + j];
}

DT_VECTORIZE static void shift_members(float *restrict y, const float *restrict x, size_t x_row,
                                       const float *restrict scales, const float *restrict shifts,
                                       size_t K)
{
    for (size_t k = 0; k < K; k++)
        for (size_t j = 0; j < DT_PANEL; j++)
            y[k * DT_PANEL + j] =
                x[k * x_row + j] * scales[k * DT_PANEL + j] + shifts[k * DT_PANEL + j];
}

static void forward(const dt_traversal *t, size_t l, size_t from, size_t to)
{
    const dt_layer *layer = &t->network->layers[l];
    const size_t K = layer->K, x_row = dt_network_takes_members(t->network, l) ? DT_PANEL : 0;
    const dt_panels *in = dt_traversal_inputs(t, l), *out = &t->workspace->outputs[l];
    for (size_t p = 0; p < dt_panels_count(in->columns); p++) {
        const float *scales = dt_panels_at(&t->workspace->kept[l], 0, p);
        for (size_t i = from; i < to; i += K) {
            const float *x = dt_panels_at(in, x_row > 0 ? i : i / K, p);
            if (has_shifts(layer))
                shift_members(dt_panels_at(out, i, p), x, x_row, scales, scales + K * DT_PANEL, K);
            else
                scale_members(dt_panels_at(out, i, p), x, x_row, scales, K);
        }
    }
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
    const bool members = dt_network_takes_members(t->network, l);
    const dt_panels *dY = &t->workspace->deltas[l], *dX = &t->workspace->deltas[before];
    for (size_t p = 0; p < dt_panels_count(dt_traversal_used(t, l)); p++) {
        const float *scales = dt_panels_at(&t->workspace->kept[l], 0, p);
        for (size_t i = from; i < to; i += K)
            if (members)
                scale_members(dt_panels_at(dX, i, p), dt_panels_at(dY, i, p), DT_PANEL, scales, K);
            else
                add_members(dt_panels_at(dX, i / K, p), dt_panels_at(dY, i, p), scales, K);
    }
}

/* ---- the gradients of scales and shifts ---- */

DT_VECTORIZE static void add_scale_products(float *restrict sums, const float *restrict x,
                                            size_t x_row, const float *restrict dy, size_t dy_row,
                                            size_t rows)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < DT_PANEL; j++)
            sums[j] += x[i * x_row + j] * dy[i * dy_row + j];
}

/* The gradient of member k's scales in one panel: of `rows` rows from row `from` of the network's
 * inputs on. */
static void add_rows(float *g, const dt_traversal *t, size_t l, size_t k, size_t p, size_t from,
                     size_t rows)
{
    const size_t K = t->network->layers[l].K, at = from * K + k;
    const bool members = dt_network_takes_members(t->network, l);
    add_scale_products(g, dt_panels_at(dt_traversal_inputs(t, l), members ? at : from, p),
                       members ? K * DT_PANEL : DT_PANEL,
                       dt_panels_at(&t->workspace->deltas[l], at, p), K * DT_PANEL, rows);
}

/* One panel of some members' scales. */
static void hand_over_scales(const dt_traversal *t, size_t l, size_t first, size_t p)
{
    const dt_layer *layer = &t->network->layers[l];
    const size_t K = layer->K, H = layer->H, column = p * DT_PANEL;
    const size_t members = dt_panels_width(K, first);
    const dt_gradient_block block = {layer->kernel + first * H + column, members,
                                     dt_panels_width(H, column), H, 1};
    for (size_t s = t->first_filled; s <= t->last_filled; s++) {
        float g[DT_PANEL * DT_PANEL] __attribute__((aligned(64)));
        const size_t from = t->segments->start[s], rows = t->segments->start[s + 1] - from;
        if (rows == 0)
            continue;
        memset(g, 0, members * DT_PANEL * sizeof *g);
        for (size_t k = 0; k < members; k++)
            add_rows(g + k * DT_PANEL, t, l, first + k, p, from, rows);
        for (size_t k = 0; k < members; k++) /* padding gave sums of any value */
            memset(g + k * DT_PANEL + block.columns, 0, (DT_PANEL - block.columns) * sizeof *g);
        t->sink(t->context, &block, g, s == t->first_filled, s == t->last_filled, 0);
    }
}

static void hand_over_shifts(const dt_traversal *t, size_t l)
{
    const dt_layer *layer = &t->network->layers[l];
    const size_t K = layer->K, H = layer->H;
    for (size_t k = 0; k < K; k++)
        for (size_t h = 0; h < H; h += DT_PANEL)
            dt_hand_over_sums(t, layer->bias + k * H + h, dt_panels_width(H, h), 1,
                              dt_panels_at(&t->workspace->deltas[l], k, h / DT_PANEL),
                              K * DT_PANEL);
}

static void gradient(dt_traversal *t, size_t l)
{
    const dt_layer *layer = &t->network->layers[l];
    if (has_shifts(layer)) {
        hand_over_shifts(t, l);
        dt_traversal_report_final(t, layer->bias);
    }
    for (size_t first = 0; first < layer->K; first += DT_PANEL)
        for (size_t p = 0; p < dt_panels_count(layer->H); p++)
            hand_over_scales(t, l, first, p);
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
