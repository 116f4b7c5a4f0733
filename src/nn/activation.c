#include "dtrain/nn/activation.h"

#include "dtrain/base/vectorize.h"
#include "vector_math.h"

#include <string.h>

const char *dt_activation_name(dt_activation activation)
{
    static const char *const names[] = {"relu", "tanh", "sigmoid", "linear"};
    return names[activation];
}

dt_activation dt_activation_find(const char *name)
{
    for (dt_activation a = DT_ACTIVATION_RELU; a < DT_ACTIVATION_LINEAR; a++)
        if (strcmp(name, dt_activation_name(a)) == 0)
            return a;
    return DT_ACTIVATION_LINEAR;
}

DT_VECTORIZE static void apply_relu(float *Y, size_t count)
{
    /* This way round a NaN stays one, and divergence is seen in the loss. */
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

void dt_activation_forward(dt_activation activation, float *Y, size_t count)
{
    switch (activation) {
    case DT_ACTIVATION_RELU:
        apply_relu(Y, count);
        break;
    case DT_ACTIVATION_TANH:
        apply_tanh(Y, count);
        break;
    case DT_ACTIVATION_SIGMOID:
        apply_sigmoid(Y, count);
        break;
    case DT_ACTIVATION_LINEAR:
        break;
    }
}

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

void dt_activation_backward(dt_activation activation, float *dY, const float *Y, size_t count)
{
    switch (activation) {
    case DT_ACTIVATION_RELU:
        back_relu(dY, Y, count);
        break;
    case DT_ACTIVATION_TANH:
        back_tanh(dY, Y, count);
        break;
    case DT_ACTIVATION_SIGMOID:
        back_sigmoid(dY, Y, count);
        break;
    case DT_ACTIVATION_LINEAR:
        break;
    }
}
