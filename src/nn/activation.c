#include "dtrain/nn/activation.h"

#include "dtrain/base/vectorize.h"
#include "vector_math.h"

#include <string.h>

/* ---- from z to y ---- */

DT_VECTORIZE static void apply_relu(float *Y, size_t count)
{
    /* In this form a NaN stays NaN, so that divergence shows in the loss. */
    for (size_t i = 0; i < count; i++)
        Y[i] = Y[i] < 0.0f ? 0.0f : Y[i];
}

DT_VECTORIZE static void apply_tanh(float *Y, size_t count)
{
    for (size_t i = 0; i < count; i++)
        Y[i] = dt_tanh(Y[i]);
}

DT_VECTORIZE static void apply_sigmoid(float *Y, size_t count)
{
    for (size_t i = 0; i < count; i++)
        Y[i] = 1.0f / (1.0f + dt_exp(-Y[i]));
}

DT_VECTORIZE static void apply_elu(float *Y, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const float below = dt_expm1(Y[i]);
        Y[i] = Y[i] > 0.0f ? Y[i] : below;
    }
}

static const float selu_scale = 1.05070098735548049342f, selu_below = 1.75809934084737685994f;

DT_VECTORIZE static void apply_selu(float *Y, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const float below = selu_below * dt_expm1(Y[i]);
        Y[i] = Y[i] > 0.0f ? selu_scale * Y[i] : below;
    }
}

DT_VECTORIZE static void apply_leaky_relu(float *Y, size_t count)
{
    for (size_t i = 0; i < count; i++)
        Y[i] = Y[i] < 0.0f ? 0.2f * Y[i] : Y[i];
}

DT_VECTORIZE static void apply_softplus(float *Y, size_t count)
{
    for (size_t i = 0; i < count; i++)
        Y[i] = dt_softplus(Y[i]);
}

DT_VECTORIZE static void apply_hard_sigmoid(float *Y, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const float from_0 = Y[i] + 3.0f < 0.0f ? 0.0f : Y[i] + 3.0f;
        Y[i] = (from_0 > 6.0f ? 6.0f : from_0) / 6.0f;
    }
}

/* Far below 0 these two clamp z: infinity times 0 would be NaN. */

static inline float gelu(float *slope, float z)
{
    float density;
    const float bounded = z < -12.9f ? -12.9f : z, capped = bounded > 12.9f ? 12.9f : bounded;
    const float phi = dt_normal(&density, bounded);
    *slope = phi + capped * density;
    return bounded * phi;
}

DT_VECTORIZE static void apply_gelu(float *Y, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float slope;
        Y[i] = gelu(&slope, Y[i]);
    }
}

DT_VECTORIZE static void keep_gelu(float *restrict Y, float *restrict slopes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        Y[i] = gelu(&slopes[i], Y[i]);
}

static inline float silu(float *slope, float z)
{
    const float bounded = z < -87.0f ? -87.0f : z, capped = bounded > 87.0f ? 87.0f : bounded;
    const float sigmoid = 1.0f / (1.0f + dt_exp(-bounded));
    *slope = sigmoid * (1.0f + capped * (1.0f - sigmoid));
    return bounded * sigmoid;
}

DT_VECTORIZE static void apply_silu(float *Y, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float slope;
        Y[i] = silu(&slope, Y[i]);
    }
}

DT_VECTORIZE static void keep_silu(float *restrict Y, float *restrict slopes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        Y[i] = silu(&slopes[i], Y[i]);
}

/* ---- from dY to dZ ---- */

DT_VECTORIZE static void back_relu(float *restrict dY, const float *restrict Y, size_t count)
{
    for (size_t i = 0; i < count; i++)
        dY[i] = Y[i] > 0.0f ? dY[i] : 0.0f;
}

DT_VECTORIZE static void back_tanh(float *restrict dY, const float *restrict Y, size_t count)
{
    for (size_t i = 0; i < count; i++)
        dY[i] *= 1.0f - Y[i] * Y[i];
}

DT_VECTORIZE static void back_sigmoid(float *restrict dY, const float *restrict Y, size_t count)
{
    for (size_t i = 0; i < count; i++)
        dY[i] *= Y[i] * (1.0f - Y[i]);
}

DT_VECTORIZE static void back_elu(float *restrict dY, const float *restrict Y, size_t count)
{
    for (size_t i = 0; i < count; i++)
        dY[i] *= Y[i] > 0.0f ? 1.0f : Y[i] + 1.0f;
}

DT_VECTORIZE static void back_selu(float *restrict dY, const float *restrict Y, size_t count)
{
    for (size_t i = 0; i < count; i++)
        dY[i] *= Y[i] > 0.0f ? selu_scale : Y[i] + selu_below;
}

DT_VECTORIZE static void back_leaky_relu(float *restrict dY, const float *restrict Y, size_t count)
{
    for (size_t i = 0; i < count; i++)
        dY[i] *= Y[i] < 0.0f ? 0.2f : 1.0f;
}

/* sigmoid(z) = 1 - e^-y */
DT_VECTORIZE static void back_softplus(float *restrict dY, const float *restrict Y, size_t count)
{
    for (size_t i = 0; i < count; i++)
        dY[i] *= -dt_expm1(-Y[i]);
}

DT_VECTORIZE static void back_hard_sigmoid(float *restrict dY, const float *restrict Y,
                                           size_t count)
{
    for (size_t i = 0; i < count; i++)
        dY[i] = Y[i] > 0.0f && Y[i] < 1.0f ? dY[i] / 6.0f : 0.0f;
}

DT_VECTORIZE static void back_by_slopes(float *restrict dY, const float *restrict slopes,
                                        size_t count)
{
    for (size_t i = 0; i < count; i++)
        dY[i] *= slopes[i];
}

/* ---- the list ---- */

/* In the order of the enumeration. */
static const struct {
    const char *name;
    void (*forward)(float *Y, size_t count);
    void (*backward)(float *dY, const float *Y, size_t count);
    void (*keep)(float *Y, float *slopes, size_t count); /* NULL: the slope follows from Y */
} kinds[] = {
    {"relu", apply_relu, back_relu, NULL},
    {"tanh", apply_tanh, back_tanh, NULL},
    {"sigmoid", apply_sigmoid, back_sigmoid, NULL},
    {"gelu", apply_gelu, back_by_slopes, keep_gelu},
    {"silu", apply_silu, back_by_slopes, keep_silu},
    {"elu", apply_elu, back_elu, NULL},
    {"selu", apply_selu, back_selu, NULL},
    {"leaky_relu", apply_leaky_relu, back_leaky_relu, NULL},
    {"softplus", apply_softplus, back_softplus, NULL},
    {"hard_sigmoid", apply_hard_sigmoid, back_hard_sigmoid, NULL},
    {"linear", NULL, NULL, NULL},
};

const char *dt_activation_name(dt_activation activation)
{
    return kinds[activation].name;
}

dt_activation dt_activation_find(const char *name)
{
    for (dt_activation a = DT_ACTIVATION_RELU; a < DT_ACTIVATION_LINEAR; a++)
        if (strcmp(name, dt_activation_name(a)) == 0)
            return a;
    return DT_ACTIVATION_LINEAR;
}

bool dt_activation_keeps_slopes(dt_activation activation)
{
    return kinds[activation].keep != NULL;
}

void dt_activation_forward(dt_activation activation, float *Y, float *slopes, size_t count)
{
    if (slopes != NULL)
        kinds[activation].keep(Y, slopes, count);
    else if (kinds[activation].forward != NULL)
        kinds[activation].forward(Y, count);
}

void dt_activation_backward(dt_activation activation, float *dY, const float *Y, size_t count)
{
    if (kinds[activation].backward != NULL)
        kinds[activation].backward(dY, Y, count);
}
