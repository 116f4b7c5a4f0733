"""Activations and losses by their formulas, with their derivatives.

A function with a kink asks `side` on which side of it each element is; side(distance) is distance > 0, see
training.Arithmetic.
"""

import math

import numpy as np

erf = np.vectorize(math.erf, otypes=[float])


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# ---- activations: z and side -> y and dy/dz ----

def pieces(z, above, slope_above, y_below, slope_below):
    slope = np.where(above, np.full_like(z, slope_above), slope_below)
    return np.where(above, z * slope_above, y_below), slope


def relu(z, side):
    return pieces(z, side(z), 1, np.zeros_like(z), np.zeros_like(z))


def leaky_relu(z, side):
    return pieces(z, side(z), 1, z * 0.2, np.full_like(z, 0.2))


def elu(z, _):
    return pieces(z, z > 0, 1, np.expm1(np.minimum(z, 0)), np.exp(np.minimum(z, 0)))


SELU_SCALE, SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717


def selu(z, side):
    below = np.minimum(z, 0)
    return pieces(z, side(z), SELU_SCALE, SELU_SCALE * SELU_ALPHA * np.expm1(below),
                  SELU_SCALE * SELU_ALPHA * np.exp(below))


def tanh(z, _):
    y = np.tanh(z)
    return y, 1 - y * y


def logistic(z, _):
    y = sigmoid(z)
    return y, y * (1 - y)


def gelu(z, _):
    share = (0.5 * (1 + erf(z / math.sqrt(2)))).astype(z.dtype)
    return z * share, share + z * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def silu(z, _):
    share = sigmoid(z)
    return z * share, share * (1 + z * (1 - share))


def softplus(z, _):
    return np.log1p(np.exp(z)), sigmoid(z)


def hard_sigmoid(z, side):
    inside = side(z + 3, "from -3") & ~side(z - 3, "to 3")
    return np.clip((z + 3) / 6, 0, 1), inside.astype(z.dtype) / 6


def linear(z, _):
    return z, np.ones_like(z)


ACTIVATIONS = {"relu": relu, "tanh": tanh, "sigmoid": logistic, "gelu": gelu, "silu": silu, "elu": elu, "selu": selu,
               "leaky_relu": leaky_relu, "softplus": softplus, "hard_sigmoid": hard_sigmoid, "linear": linear}


# ---- losses: outputs [..., C], targets, a number and side -> loss [...] and its gradient ----

def softmax(z):
    shifted = np.exp(z - z.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def cross_entropy(z, y, smoothing, _):
    """y: classes [...]."""
    C = z.shape[-1]
    q = ((1 - smoothing) * np.eye(C)[y] + smoothing / C).astype(z.dtype)
    top = z.max(axis=-1, keepdims=True)
    log_p = z - top - np.log(np.exp(z - top).sum(axis=-1, keepdims=True))
    return -(q * log_p).sum(axis=-1), softmax(z) - q


def of_values(term):
    """The mean over a row's outputs of a term of its error; y: values [..., C]."""
    def loss(z, y, number, side):
        terms, slopes = term(z - y, number, side)
        return terms.mean(axis=-1), slopes / z.shape[-1]
    return loss


@of_values
def mse(e, _, __):
    return e * e, 2 * e


@of_values
def mae(e, _, side):
    return np.abs(e), 2 * side(e).astype(e.dtype) - 1


@of_values
def huber(e, delta, _):
    return (np.where(np.abs(e) <= delta, e * e / 2, delta * (np.abs(e) - delta / 2)), np.clip(e, -delta, delta))


@of_values
def quantile(e, q, side):
    return np.maximum((1 - q) * e, -q * e), side(e).astype(e.dtype) - q


# dtrain's --loss: the name in model files, the function.
LOSSES = {"cross-entropy": ("sparse_categorical_crossentropy", cross_entropy), "mse": ("mean_squared_error", mse),
          "mae": ("mean_absolute_error", mae), "huber": ("huber", huber), "quantile": ("quantile", quantile)}
