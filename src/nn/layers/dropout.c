/*
 * Dropout: in training each unit of each row is dropped with probability p, and the others are
 * scaled by 1 / (1 - p), so that inference needs no scaling.
 *
 * Source: Srivastava et al., JMLR 15, 2014; the scaling as in Keras ("inverted dropout")
 */
#include "../layer_internal.h"

#include "dtrain/base/random.h"
#include "dtrain/base/vectorize.h"

/* Numbers of 32 bits decide on two units each, by 16 bits: eight blocks of four numbers are
 * enough for two panels. */
enum { BLOCKS = 8, NUMBERS = DT_PANEL / 2, PANELS = 2 };

static const dt_option options[] = {
    {"rate", "F", DT_OPTION_FLOAT, offsetof(dt_layer, rate), 0, 0.95, NULL, NULL,
     "share of the units that are dropped"},
};

static dt_status plan(dt_network *network, size_t l)
{
    dt_layer *layer = &network->layers[l];
    layer->H = layer->D;
    layer->activation = DT_ACTIVATION_LINEAR;
    return DT_OK;
}

static dt_status allocate(dt_workspace *w, const dt_network *network, size_t l, dt_passes passes)
{
    (void)passes; /* it is not active in inference, which allocates nothing for it */
    return dt_workspace_make_panels(&w->kept[l], dt_workspace_rows(w, network, l),
                                    network->layers[l].H, "dropout");
}

/* Units j and 16 + j of a panel: the lower and the upper half of number j. */
DT_VECTORIZE static void choose(float factors[restrict DT_PANEL], const uint32_t *restrict numbers,
                                uint32_t threshold, float scale)
{
    for (size_t j = 0; j < NUMBERS; j++) {
        factors[j] = (numbers[j] & 0xFFFFu) < threshold ? 0.0f : scale;
        factors[NUMBERS + j] = numbers[j] >> 16 < threshold ? 0.0f : scale;
    }
}

/* What is dropped is 0, whatever it was. */
DT_VECTORIZE static void apply(float *restrict y, const float *restrict x,
                               const float *restrict factors, size_t count)
{
    for (size_t i = 0; i < count; i++)
        y[i] = factors[i] > 0.0f ? x[i] * factors[i] : 0.0f;
}

static void multiply(const dt_traversal *t, size_t l, const dt_panels *in, const dt_panels *out,
                     size_t from, size_t to)
{
    const dt_panels *factors = &t->workspace->kept[l];
    for (size_t p = 0; p < dt_panels_count(factors->columns); p++)
        apply(dt_panels_at(out, from, p), dt_panels_at(in, from, p), dt_panels_at(factors, from, p),
              (to - from) * DT_PANEL);
}

/* The factors of a row: 0, or 1 / (1 - p). */
static void draw_row(const dt_traversal *t, size_t l, size_t i)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_pass *pass = &t->workspace->pass;
    const dt_panels *factors = &t->workspace->kept[l];
    const size_t panels = dt_panels_count(layer->H), pairs = (panels + PANELS - 1) / PANELS;
    const float scale = (float)(1.0 / (1.0 - layer->rate));
    const uint32_t threshold = (uint32_t)(layer->rate * 0x1p16 + 0.5);
    for (size_t p = 0; p < panels; p += PANELS) {
        uint32_t numbers[PANELS * NUMBERS];
        dt_random_draw(numbers, pass->seed,
                       (dt_random_key){DT_RANDOM_DROPOUT, (uint32_t)layer->number, pass->epoch,
                                       pass->positions[i / layer->K]},
                       (i % layer->K * pairs + p / PANELS) * BLOCKS, BLOCKS);
        for (size_t k = 0; k < PANELS && p + k < panels; k++)
            choose(dt_panels_at(factors, i, p + k), numbers + k * NUMBERS, threshold, scale);
    }
}

static void forward(const dt_traversal *t, size_t l, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        draw_row(t, l, i);
    multiply(t, l, dt_traversal_inputs(t, l), &t->workspace->outputs[l], from, to);
}

static void backward(const dt_traversal *t, size_t l, size_t before, size_t from, size_t to)
{
    multiply(t, l, &t->workspace->deltas[l], &t->workspace->deltas[before], from, to);
}

const dt_layer_kind dt_layer_dropout = {
    .name = "dropout",
    .options = {.options = options, .count = sizeof options / sizeof *options},
    .plan = plan,
    .training_only = true,
    .allocate = allocate,
    .forward = forward,
    .backward = backward,
};
