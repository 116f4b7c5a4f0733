/*
 * Gaussian noise: in training a normal number is added to each unit of each row. Inference adds
 * none, because its mean is 0.
 *
 * Source: Keras's GaussianNoise; the transform of Box and Muller, Ann. Math. Stat. 29, 1958;
 * polynomials of sine and cosine of Cephes (Moshier, single precision)
 */
#include "../layer_internal.h"
#include "../vector_math.h"

#include "dtrain/base/random.h"
#include "dtrain/base/vectorize.h"

#include <string.h>

/* Two numbers of 32 bits become two normal ones: eight blocks of four are enough for a panel. */
enum { BLOCKS = 8, PAIRS = DT_PANEL / 2 };

static const dt_option options[] = {
    {"stddev", "F", DT_OPTION_FLOAT, offsetof(dt_layer, deviation), 0, 1e6, NULL, NULL,
     "standard deviation of the noise"},
};

static dt_status plan(dt_network *network, size_t l)
{
    dt_layer *layer = &network->layers[l];
    layer->H = layer->D;
    layer->activation = DT_ACTIVATION_LINEAR;
    return DT_OK;
}

/* Units j and 16 + j of a panel are the radius of number j times cosine and sine of an angle, that
 * of number 16 + j: one of four quadrants and the angle in it. */
DT_VECTORIZE static void make_normal(float out[restrict DT_PANEL], const uint32_t *restrict numbers,
                                     float deviation)
{
    const float half_pi = 1.57079633f;
    for (size_t j = 0; j < PAIRS; j++) {
        /* 31 bits, which vectors of every CPU convert; above 0, and at most 1 */
        const float u = ((float)(int32_t)(numbers[j] >> 1) + 0.5f) * 0x1p-31f;
        const uint32_t angle = numbers[PAIRS + j], quadrant = angle >> 30;
        const float x = ((float)(int32_t)(angle & 0x3FFFFFFFu) * 0x1p-30f - 0.5f) * half_pi;
        const float z = x * x, radius = deviation * __builtin_sqrtf(-2.0f * dt_log(u));
        float sine = -1.9515295891e-4f, cosine = 2.443315711809948e-5f;
        sine = sine * z + 8.3321608736e-3f;
        sine = sine * z - 1.6666654611e-1f;
        sine = sine * z * x + x;
        cosine = cosine * z - 1.388731625493765e-3f;
        cosine = cosine * z + 4.166664568298827e-2f;
        cosine = cosine * (z * z) - 0.5f * z + 1.0f;
        const float a = quadrant & 1u ? sine : cosine, b = quadrant & 1u ? cosine : sine;
        const uint32_t negates_a = ((quadrant + 1u) >> 1 & 1u) << 31;
        const uint32_t negates_b = quadrant >> 1 << 31;
        out[j] = radius * dt_float_from_bits(dt_bits_from_float(a) ^ negates_a);
        out[PAIRS + j] = radius * dt_float_from_bits(dt_bits_from_float(b) ^ negates_b);
    }
}

/* The padding stays as it is. */
static void add_noise(float *y, const float *x, const float *noise, size_t units)
{
    for (size_t j = 0; j < DT_PANEL; j++)
        y[j] = j < units ? x[j] + noise[j] : x[j];
}

static void forward(const dt_traversal *t, size_t l, size_t from, size_t to)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_pass *pass = &t->workspace->pass;
    const dt_panels *in = dt_traversal_inputs(t, l), *out = &t->workspace->outputs[l];
    const size_t panels = dt_panels_count(layer->H);
    uint32_t numbers[4 * BLOCKS];
    float noise[DT_PANEL];
    for (size_t i = from; i < to; i++) {
        const dt_random_key key = {DT_RANDOM_NOISE, (uint32_t)layer->number, pass->epoch,
                                   pass->positions[i / layer->K]};
        for (size_t p = 0; p < panels; p++) {
            dt_random_draw(numbers, pass->seed, key, (i % layer->K * panels + p) * BLOCKS, BLOCKS);
            make_normal(noise, numbers, (float)layer->deviation);
            add_noise(dt_panels_at(out, i, p), dt_panels_at(in, i, p), noise,
                      layer->H - p * DT_PANEL);
        }
    }
}

static void backward(const dt_traversal *t, size_t l, size_t before, size_t from, size_t to)
{
    for (size_t p = 0; p < dt_panels_count(t->network->layers[l].H); p++)
        memcpy(dt_panels_at(&t->workspace->deltas[before], from, p),
               dt_panels_at(&t->workspace->deltas[l], from, p),
               (to - from) * DT_PANEL * sizeof(float));
}

const dt_layer_kind dt_layer_noise = {
    .name = "gaussian_noise",
    .options = {.options = options, .count = sizeof options / sizeof *options},
    .plan = plan,
    .training_only = true,
    .forward = forward,
    .backward = backward,
};
