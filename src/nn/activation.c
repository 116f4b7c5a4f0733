#include "dtrain/nn/activation.h"

#include "dtrain/base/vectorize.h"
#include "vector_math.h"

const char *dt_activation_name(dt_activation activation)
{
    static const char *const names[] = {"relu", "tanh", "sigmoid", "linear"};
    return names[activation];
}

DT_VECTORIZE static void add_bias(float *restrict Y, const float *restrict b, size_t B, size_t H)
{
    for (size_t i = 0; i < B; i++)
        for (size_t j = 0; j < H; j++)
            Y[i * H + j] += b[j];
}

DT_VECTORIZE static void add_bias_relu(float *restrict Y, const float *restrict b, size_t B,
                                       size_t H)
{
    for (size_t i = 0; i < B; i++) {
        for (size_t j = 0; j < H; j++) {
            float z = Y[i * H + j] + b[j];
            /* This way round a NaN stays one, and divergence is seen in the loss. */
            Y[i * H + j] = z < 0.0f ? 0.0f : z;
        }
    }
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

void dt_activation_forward(dt_activation activation, float *Y, const float *b, size_t B, size_t H)
{
    if (activation == DT_ACTIVATION_RELU) {
        add_bias_relu(Y, b, B, H);
        return;
    }
    add_bias(Y, b, B, H);
    if (activation == DT_ACTIVATION_TANH)
        apply_tanh(Y, B * H);
    else if (activation == DT_ACTIVATION_SIGMOID)
        apply_sigmoid(Y, B * H);
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
