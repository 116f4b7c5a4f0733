/*
 * Dropout: in training each unit of each row is dropped with probability p, and the others are
 * scaled by 1 / (1 - p), so that inference needs no scaling.
 *
 * Source: Srivastava et al., JMLR 15, 2014; the scaling as in Keras ("inverted dropout")
 */
#include "../layer_internal.h"

#include "dtrain/base/random.h"
#include "dtrain/base/vectorize.h"

enum { WORDS = 4, BLOCKS = DT_PANEL / WORDS };

DT_VECTORIZE static void keep_some(float *restrict y, const float *restrict x,
                                   const uint32_t *restrict bits, uint32_t threshold, float scale)
{
    for (size_t j = 0; j < DT_PANEL; j++)
        y[j] = bits[j] < threshold ? 0.0f : x[j] * scale;
}

/* Rows from .. to-1 of `in`, with the same units dropped in every call of a pass. */
static void drop(const dt_traversal *t, size_t l, const dt_panels *in, const dt_panels *out,
                 size_t from, size_t to)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_pass *pass = &t->workspace->pass;
    const float scale = (float)(1.0 / (1.0 - layer->rate));
    const uint32_t threshold = (uint32_t)(layer->rate * 0x1p32);
    for (size_t i = from; i < to; i++)
        for (size_t p = 0; p < dt_panels_count(layer->H); p++) {
            uint32_t bits[DT_PANEL];
            dt_random_draw(bits, pass->seed,
                           (dt_random_key){DT_RANDOM_DROPOUT, (uint32_t)layer->number, pass->epoch,
                                           pass->positions[i]},
                           p * BLOCKS, BLOCKS);
            keep_some(dt_panels_at(out, i, p), dt_panels_at(in, i, p), bits, threshold, scale);
        }
}

static void forward(const dt_traversal *t, size_t l, size_t from, size_t to)
{
    drop(t, l, dt_traversal_inputs(t, l), &t->workspace->outputs[l], from, to);
}

static void backward(const dt_traversal *t, size_t l, size_t before, size_t from, size_t to)
{
    drop(t, l, &t->workspace->deltas[l], &t->workspace->deltas[before], from, to);
}

const dt_layer_kind dt_layer_dropout = {
    .name = "dropout",
    .training_only = true,
    .forward = forward,
    .backward = backward,
};
