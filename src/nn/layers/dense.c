/*
 * Dense layers: Y = act(X W + b), or act(X W). The epilogue of the forward product adds the bias
 * and applies the activation. The epilogue of the product that gives the gradient of the inputs
 * applies the derivative of the activation of the layer before.
 */
#include "products.h"
#include "zeros.h"

#include "dtrain/base/memory.h"

#include <limits.h>
#include <string.h>

#define AT(field) offsetof(dt_layer, field)

_Static_assert(sizeof(size_t) == sizeof(int64_t), "a number of units is read as an int64_t");

static const dt_option options[] = {
    {"units", "N", DT_OPTION_INT, AT(H), 1, INT_MAX, NULL, NULL, "number of units"},
    {"activation", "NAME", DT_OPTION_CHOICE, AT(activation), 0, 0, DT_ACTIVATION_NAMES, NULL,
     "activation of the outputs"},
    {"bias", "NAME", DT_OPTION_CHOICE, AT(biases), 0, 0, "units|none", "units",
     "biases: a number for each unit is added to its product, or none"},
};

static dt_status plan(dt_network *network, size_t l)
{
    dt_status status = DT_OK;
    dt_layer *layer = &network->layers[l];
    const dt_tensor_plan kernel = {.name = "kernel",
                                   .rows = layer->D,
                                   .columns = layer->H,
                                   .start = DT_START_RANDOM,
                                   .decays = true};
    const dt_tensor_plan bias = {.name = "bias",
                                 .rows = layer->H,
                                 .fan_in = layer->D,
                                 .fan_out = layer->H,
                                 .start = DT_START_BIAS};
    DT_TRY(dt_network_declare(network, l, &kernel, &layer->kernel));
    if (layer->biases == DT_BIAS_UNITS)
        DT_TRY(dt_network_declare(network, l, &bias, &layer->bias));
out:
    return status;
}

/* Panels of a kernel's rows whose gradients are computed together: their inputs stay in the
 * second-level cache while the outputs' gradient is read. */
enum { PANELS_TOGETHER = 4 };

/* A last layer of few units keeps its outputs row-major, and its kernel transposed. */
static bool is_narrow(const dt_traversal *t, size_t l)
{
    return dt_network_is_narrow(t->network, l);
}

/* Whether the gradient of the inputs is computed, in some pass. */
static bool has_layer_before(const dt_network *network, size_t l)
{
    for (size_t i = 0; i < l; i++)
        if (network->layers[i].kind->prepare == NULL)
            return true;
    return false;
}

/* Kernel and bias for the forward pass, the kernel for the backward one. */
static dt_status allocate(dt_workspace *w, const dt_network *network, size_t l, dt_passes passes)
{
    dt_status status = DT_OK;
    const size_t D = network->layers[l].D, H = network->layers[l].H;
    const size_t tall = dt_panels_count(D) * DT_PANEL, wide = dt_panels_count(H) * DT_PANEL;
    if (dt_network_is_narrow(network, l)) {
        DT_TRY(dt_narrow_allocate(w, network, l, 1));
    } else {
        DT_TRY(dt_memory_alloc(&w->weights[l], (D + 1) * wide, sizeof(float), "a layer's weights"));
        if (has_layer_before(network, l) && passes == DT_BOTH_PASSES)
            DT_TRY(dt_memory_alloc(&w->transposed[l], tall * H, sizeof(float),
                                   "a layer's weights, transposed"));
        DT_TRY(dt_zeros_allocate(w, network, l));
    }
    DT_TRY(dt_workspace_make_slopes(w, network, l, passes));
out:
    return status;
}

/* ---- forward ---- */

static void begin_forward(const dt_traversal *t, size_t l)
{
    const dt_layer *layer = &t->network->layers[l];
    const size_t D = layer->D, H = layer->H;
    const float *W = t->network->params + layer->kernel;
    float *to = t->workspace->weights[l];
    if (is_narrow(t, l)) {
        dt_narrow_pack(t, l, 1);
        return;
    }
    dt_pack_panels(to, W, D, H);
    if (layer->biases == DT_BIAS_UNITS) /* behind the kernel */
        memcpy(to + dt_panels_count(H) * DT_PANEL * D, W + D * H, H * sizeof *W);
}

static void forward(const dt_traversal *t, size_t l, size_t from, size_t to)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_panels *in = dt_traversal_inputs(t, l);
    dt_workspace *w = t->workspace;
    const float *bias = w->weights[l] + dt_panels_count(layer->H) * DT_PANEL * layer->D;
    if (is_narrow(t, l)) {
        dt_narrow_forward(t, l, 1, from, to);
        return;
    }
    const dt_multiply m = {
        .out = dt_panels_at(&w->outputs[l], from, 0),
        .out_pitch = w->outputs[l].pitch,
        .A = dt_panels_at(in, from, 0),
        .a_row = DT_PANEL,
        .a_panel = in->pitch * DT_PANEL,
        .marks = dt_zeros_mark(t, l, from, to),
        .B = w->weights[l],
        .start = layer->biases == DT_BIAS_UNITS ? bias : NULL,
        .rows = to - from,
        .K = layer->D,
        .N = layer->H,
        .activation = layer->activation,
        .slopes = dt_traversal_slopes(t, l, from, 0),
    };
    t->kernels->multiply(&m);
}

/* ---- the gradients of the parameters ---- */

/* Some panels of a kernel's rows, of which the threads share the columns. */
typedef struct kernel_rows {
    const dt_traversal *traversal;
    size_t layer, from, to;
    const uint32_t *marks[PANELS_TOGETHER]; /* each panel's; NULL: it has few zeros */
} kernel_rows;

static void hand_over_part(void *context, int thread)
{
    const kernel_rows *rows = context;
    const dt_traversal *t = rows->traversal;
    const dt_layer *layer = &t->network->layers[rows->layer];
    const dt_panels *in = dt_traversal_inputs(t, rows->layer);
    const dt_panels *dY = &t->workspace->deltas[rows->layer];
    const size_t H = layer->H;
    size_t panel = 0, end = 0;
    dt_traversal_part(t, dt_panels_count(H), thread, &panel, &end);
    for (; panel < end; panel++)
        for (size_t d = rows->from; d < rows->to; d += DT_PANEL) {
            const size_t h = panel * DT_PANEL;
            const dt_gradient_block block = {.first = layer->kernel + d * H + h,
                                             .rows = dt_panels_width(rows->to, d),
                                             .columns = dt_panels_width(H, h),
                                             .row_step = H,
                                             .column_step = 1};
            dt_hand_over_block(t, &block, layer->K, dt_panels_at(in, 0, d / DT_PANEL), DT_PANEL,
                               rows->marks[(d - rows->from) / DT_PANEL], dt_panels_at(dY, 0, panel),
                               DT_PANEL, thread);
        }
}

static void hand_over_bias(dt_traversal *t, size_t l)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_panels *dY = &t->workspace->deltas[l];
    const size_t H = layer->H;
    for (size_t h = 0; h < H; h += DT_PANEL)
        dt_hand_over_sums(t, layer->bias + h, dt_panels_width(H, h), layer->K,
                          dt_panels_at(dY, 0, h / DT_PANEL), DT_PANEL);
    dt_traversal_report_final(t, layer->bias);
}

static void hand_over_gradient(dt_traversal *t, size_t l)
{
    const dt_layer *layer = &t->network->layers[l];
    const size_t D = layer->D, H = layer->H, together = (size_t)PANELS_TOGETHER * DT_PANEL;
    if (layer->biases == DT_BIAS_UNITS)
        hand_over_bias(t, l);
    for (size_t to = D, from; to > 0; to = from) {
        from = (to - 1) / together * together;
        kernel_rows rows = {t, l, from, to, {NULL}};
        for (size_t d = from; d < to; d += DT_PANEL)
            rows.marks[(d - from) / DT_PANEL] = dt_zeros_marks(t, l, d / DT_PANEL);
        dt_pool_run(t->workspace->pool, hand_over_part, &rows);
        dt_traversal_report_final(t, layer->kernel + from * H);
    }
}

static void gradient(dt_traversal *t, size_t l)
{
    if (is_narrow(t, l))
        dt_narrow_gradient(t, l, 1);
    else
        hand_over_gradient(t, l);
}

/* ---- the gradient of the inputs ---- */

static void begin_backward(const dt_traversal *t, size_t l)
{
    const dt_layer *layer = &t->network->layers[l];
    if (!is_narrow(t, l)) /* the forward pass has transposed it */
        dt_pack_transposed(t->workspace->transposed[l], t->network->params + layer->kernel,
                           layer->D, layer->H);
}

static void backward(const dt_traversal *t, size_t l, size_t before, size_t from, size_t to)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_workspace *w = t->workspace;
    const bool narrow = is_narrow(t, l);
    const dt_activation activation = t->network->layers[before].activation;
    const size_t columns = dt_zeros_backward(t, l, before, from, to);
    const dt_multiply m = {
        .out = dt_panels_at(&w->deltas[before], from, 0),
        .out_pitch = w->deltas[before].pitch,
        .A = narrow ? w->logits + from * layer->H : dt_panels_at(&w->deltas[l], from, 0),
        .a_row = narrow ? layer->H : DT_PANEL,
        .a_panel = w->deltas[l].pitch * DT_PANEL,
        .B = narrow ? w->weights[l] : w->transposed[l],
        .rows = to - from,
        .K = layer->H,
        .N = columns,
        .activation = activation,
        .outputs = dt_panels_at(dt_traversal_behind(t, before), from, 0),
    };
    if (columns > 0)
        t->kernels->multiply(&m);
}

const dt_layer_kind dt_layer_dense = {
    .name = "dense",
    .options = {.options = options, .count = sizeof options / sizeof *options},
    .plan = plan,
    .fuses_activation = true,
    .allocate = allocate,
    .begin_forward = begin_forward,
    .begin_backward = begin_backward,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
};
