#include "exact_activation.h"

#include <math.h>

/* Of Klambauer et al., "Self-Normalizing Neural Networks", 2017. */
#define SELU_SCALE 1.0507009873554804934193349852946L
#define SELU_ALPHA 1.6732632423543772848170429916717L

static long double sigmoid(long double z)
{
    return 1 / (1 + expl(-z));
}

/* The standard normal distribution. */
static long double probability(long double z)
{
    return erfcl(-z / sqrtl(2)) / 2;
}

static long double density(long double z)
{
    return expl(-z * z / 2) / sqrtl(2 * acosl(-1));
}

long double exact_activation(dt_activation activation, long double z)
{
    switch (activation) {
    case DT_ACTIVATION_RELU:
        return z > 0 ? z : 0;
    case DT_ACTIVATION_TANH:
        return tanhl(z);
    case DT_ACTIVATION_SIGMOID:
        return sigmoid(z);
    case DT_ACTIVATION_GELU:
        return z * probability(z);
    case DT_ACTIVATION_SILU:
        return z * sigmoid(z);
    case DT_ACTIVATION_ELU:
        return z > 0 ? z : expm1l(z);
    case DT_ACTIVATION_SELU:
        return SELU_SCALE * (z > 0 ? z : SELU_ALPHA * expm1l(z));
    case DT_ACTIVATION_LEAKY_RELU:
        return z > 0 ? z : 0.2L * z;
    case DT_ACTIVATION_SOFTPLUS:
        return (z > 0 ? z : 0) + log1pl(expl(-fabsl(z)));
    case DT_ACTIVATION_HARD_SIGMOID:
        return z < -3 ? 0 : z > 3 ? 1 : z / 6 + 0.5L;
    case DT_ACTIVATION_LINEAR:
        break;
    }
    return z;
}

long double exact_slope(dt_activation activation, long double z)
{
    const long double y = exact_activation(activation, z), s = sigmoid(z);
    switch (activation) {
    case DT_ACTIVATION_RELU:
        return z > 0 ? 1 : 0;
    case DT_ACTIVATION_TANH:
        return 1 - y * y;
    case DT_ACTIVATION_SIGMOID:
        return y * (1 - y);
    case DT_ACTIVATION_GELU:
        return probability(z) + z * density(z);
    case DT_ACTIVATION_SILU:
        return s + y * (1 - s);
    case DT_ACTIVATION_ELU:
        return z > 0 ? 1 : expl(z);
    case DT_ACTIVATION_SELU:
        return SELU_SCALE * (z > 0 ? 1 : SELU_ALPHA * expl(z));
    case DT_ACTIVATION_LEAKY_RELU:
        return z > 0 ? 1 : 0.2L;
    case DT_ACTIVATION_SOFTPLUS:
        return s;
    case DT_ACTIVATION_HARD_SIGMOID:
        return z > -3 && z < 3 ? 1 / 6.0L : 0;
    case DT_ACTIVATION_LINEAR:
        break;
    }
    return 1;
}
