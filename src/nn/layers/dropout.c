/*
 * Dropout: in training each unit of each row is dropped with probability p, and the others are
 * scaled by 1 / (1 - p), so that inference needs no scaling.
 *
 * Source: Srivastava et al., JMLR 15, 2014; the scaling as in Keras ("inverted dropout")
 */
#include "../layer_internal.h"

#include "dtrain/base/random.h"
#include "dtrain/base/vectorize.h"

/* Words for the units of a row that are drawn together: two panels take a pair. */
enum { PAIR = 2, PAIRS_TOGETHER = 16 };

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

/* A bit for each unit, 32 units a word: word p * pitch + i is that of row i in panel p. */
static dt_status allocate(dt_workspace *w, const dt_network *network, size_t l, dt_passes passes)
{
    (void)passes; /* it is not active in inference, which needs no memory for it */
    return dt_workspace_make_panels(&w->kept[l], dt_workspace_rows(w, network, l),
                                    dt_panels_count(network->layers[l].H), "dropout");
}

static uint32_t *masks_at(const dt_panels *masks, size_t i, size_t p)
{
    _Static_assert(sizeof(uint32_t) == sizeof(float), "a mask takes the place of a float");
    return (uint32_t *)(void *)masks->data + p * masks->pitch + i;
}

/* A dropped unit is 0, whatever its value was. */
DT_VECTORIZE static void apply(float *restrict y, const float *restrict x,
                               const uint32_t *restrict masks, size_t rows, float scale)
{
    for (size_t i = 0; i < rows; i++)
        for (uint32_t j = 0; j < DT_PANEL; j++)
            y[i * DT_PANEL + j] = (masks[i] >> j & 1u) != 0 ? x[i * DT_PANEL + j] * scale : 0.0f;
}

/* Units that are kept are scaled by 1 / (1 - p). */
static void multiply(const dt_traversal *t, size_t l, const dt_panels *in, const dt_panels *out,
                     size_t from, size_t to)
{
    const dt_layer *layer = &t->network->layers[l];
    const float scale = (float)(1.0 / (1.0 - layer->rate));
    for (size_t p = 0; p < dt_panels_count(layer->H); p++)
        apply(dt_panels_at(out, from, p), dt_panels_at(in, from, p),
              masks_at(&t->workspace->kept[l], from, p), to - from, scale);
}

static void draw_row(const dt_traversal *t, size_t l, size_t i)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_pass *pass = &t->workspace->pass;
    const size_t panels = dt_panels_count(layer->H), all = (panels + PAIR - 1) / PAIR;
    const dt_random_key key = {DT_RANDOM_DROPOUT, (uint32_t)layer->number, pass->epoch,
                               pass->positions[i / layer->K]};
    const uint32_t threshold = (uint32_t)(layer->rate * 0x1p16 + 0.5);
    for (size_t first = 0; first < all; first += PAIRS_TOGETHER) {
        uint32_t words[PAIRS_TOGETHER * PAIR];
        const size_t pairs = all - first < PAIRS_TOGETHER ? all - first : PAIRS_TOGETHER;
        dt_random_draw_bits(words, pass->seed, key, i % layer->K * all + first, pairs, threshold);
        for (size_t k = 0; k < pairs * PAIR && first * PAIR + k < panels; k++)
            *masks_at(&t->workspace->kept[l], i, first * PAIR + k) = words[k];
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
