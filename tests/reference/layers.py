"""Layers by their formulas, forward and backward, in NumPy. Every array has its units last: rows [B, D], or rows of
members [B, K, D].

A layer has `params` that train, `constants` and, of batch normalization, `moving`; `decays` are the names of those
that decay. backward(dy) returns the gradient of the layer's inputs and leaves that of `params` in `gradients`.
"""

import numpy as np

from functions import ACTIVATIONS


def rows_of(a):
    return a.reshape(-1, a.shape[-1])


def sum_rows(a):
    return rows_of(a).sum(axis=0)


class Layer:
    kind = ""
    decays = ()
    hidden_kernel = None # whose columns --max-norm limits

    def __init__(self, options=None, params=None, constants=None, moving=None, lead=0):
        self.options, self.lead = options or {}, lead
        self.params, self.constants, self.moving = params or {}, constants or {}, moving or {}
        self.gradients = {}

    def cast(self, dtype):
        def copied(arrays):
            return {name: np.array(a, dtype) for name, a in arrays.items()}
        copy = type(self)(self.options, lead=self.lead)
        copy.params, copy.constants, copy.moving = map(copied, (self.params, self.constants, self.moving))
        return copy


class Dense(Layer):
    kind = "dense"
    decays = ("kernel",)
    hidden_kernel = "kernel"

    def forward(self, x, at, _):
        z = x @ self.params["kernel"]
        if "bias" in self.params:
            z = z + self.params["bias"]
        self.x = x
        y, self.slope = ACTIVATIONS[self.options["activation"]](z, at.side)
        return y

    def backward(self, dy):
        dz = dy * self.slope
        self.gradients = {"kernel": rows_of(self.x).T @ rows_of(dz)}
        if "bias" in self.params:
            self.gradients["bias"] = sum_rows(dz)
        return dz @ self.params["kernel"].T


class Activation(Layer):
    kind = "activation"

    def forward(self, x, at, _):
        y, self.slope = ACTIVATIONS[self.options["activation"]](x, at.side)
        return y

    def backward(self, dy):
        return dy * self.slope


class Rectifier(Layer):
    """limit from there on; else x from the threshold on; else slope (x - threshold) + curve (e^x - 1)."""
    kind = "rectifier"

    def forward(self, x, at, _):
        o = self.options
        above, high = at.side(x - o["threshold"]), np.zeros_like(x, bool)
        if o["limit"] > 0:
            high = at.side(x - o["limit"], "limit")
        below = o["slope"] * (x - o["threshold"]) + o["curve"] * np.expm1(x)
        y = np.where(above, np.where(high, np.full_like(x, o["limit"]), x), below)
        self.slope = np.where(above, (~high).astype(x.dtype), o["slope"] + o["curve"] * np.exp(x))
        return y

    def backward(self, dy):
        return dy * self.slope


class PRelu(Layer):
    """A slope below 0 that trains, of each unit or one for all."""
    kind = "prelu"

    def forward(self, x, at, _):
        self.x, self.above = x, at.side(x)
        return np.where(self.above, x, self.params["alpha"] * x)

    def backward(self, dy):
        alpha = sum_rows(np.where(self.above, 0, dy * self.x))
        self.gradients = {"alpha": alpha if self.options["slopes"] == "units" else alpha.sum(keepdims=True)}
        return np.where(self.above, dy, self.params["alpha"] * dy)


class Add(Layer):
    """The network adds the gradient of the other layer."""
    kind = "add"

    def forward(self, x, _, outputs):
        return x + outputs[self.options["from"]]

    def backward(self, dy):
        return dy


class Normalization(Layer):
    kind = "normalization"

    def forward(self, x, _, __):
        return (x - self.constants["mean"]) / np.maximum(np.sqrt(self.constants["variance"]), 1e-7)

    def backward(self, dy):
        return dy


class RowNorm(Layer):
    """(x - mean) / sqrt(mean of (x - mean)^2 + epsilon), scaled; of RMS the mean counts as 0."""
    scale, shift = "gamma", "beta"

    def forward(self, x, _, __):
        mean = x.mean(axis=-1, keepdims=True) if self.shift else 0
        self.inverse = 1 / np.sqrt(((x - mean) ** 2).mean(axis=-1, keepdims=True) + self.options["epsilon"])
        self.hat = (x - mean) * self.inverse
        y = self.hat * self.params[self.scale]
        return y + self.params[self.shift] if self.shift else y

    def backward(self, dy):
        self.gradients = {self.scale: sum_rows(dy * self.hat)}
        g = dy * self.params[self.scale]
        if self.shift:
            self.gradients[self.shift] = sum_rows(dy)
        mean = g.mean(axis=-1, keepdims=True) if self.shift else 0
        return self.inverse * (g - mean - self.hat * (g * self.hat).mean(axis=-1, keepdims=True))


class LayerNorm(RowNorm):
    kind = "layer_normalization"


class RmsNorm(RowNorm):
    kind = "rms_normalization"
    scale, shift = "scale", None


class BatchNorm(Layer):
    """Over all rows of a batch, of all members; outside training by the moving averages."""
    kind = "batch_normalization"

    def forward(self, x, at, _):
        axes = tuple(range(x.ndim - 1))
        if at.training:
            self.statistics = {"moving_mean": x.mean(axis=axes), "moving_variance": x.var(axis=axes)}
        else:
            self.statistics = self.moving
        self.inverse = 1 / np.sqrt(self.statistics["moving_variance"] + self.options["epsilon"])
        self.hat = (x - self.statistics["moving_mean"]) * self.inverse
        return self.hat * self.params["gamma"] + self.params["beta"]

    def backward(self, dy):
        axes = tuple(range(dy.ndim - 1))
        self.gradients = {"gamma": sum_rows(dy * self.hat), "beta": sum_rows(dy)}
        return self.params["gamma"] * self.inverse * (
            dy - dy.mean(axis=axes) - self.hat * (dy * self.hat).mean(axis=axes))

    def move(self):
        share = self.options["momentum"]
        for name, moving in self.moving.items():
            self.moving[name] = moving * share + self.statistics[name] * (1 - share)


class PiecewiseLinear(Layer):
    """Y = x slope + shift + E bins: E is 1 in the bins before x's, x's place in its own, 0 in those behind."""
    kind = "piecewise_linear"

    def inputs(self):
        """Of each encoded one: its column, and E's edges and rows of `bins`."""
        counts, edges, bins = self.constants["edge_counts"].astype(int), 0, 0
        for d in np.flatnonzero(counts):
            yield d, self.constants["edges"][edges:edges + counts[d]], slice(bins, bins + counts[d] - 1)
            edges, bins = edges + counts[d], bins + counts[d] - 1

    def forward(self, x, _, __):
        p, self.x, self.E, out = self.params, x, [], []
        for e, (d, edges, bins) in enumerate(self.inputs()):
            E = np.clip((x[:, d:d + 1] - edges[:-1]) / np.diff(edges), 0, 1)
            out.append(x[:, d:d + 1] * p["slope"][e] + p["shift"][e] + E @ p["bins"][bins])
            self.E.append(E)
        return np.concatenate([*out, x[:, self.constants["edge_counts"] == 0]], axis=1)

    def backward(self, dy):
        g = {name: np.zeros_like(a) for name, a in self.params.items()}
        width = g["slope"].shape[1]
        for e, (d, _, bins) in enumerate(self.inputs()):
            part = dy[:, e * width:(e + 1) * width]
            g["slope"][e], g["shift"][e], g["bins"][bins] = self.x[:, d] @ part, part.sum(axis=0), self.E[e].T @ part
        self.gradients = g
        return None # inputs do not train


class Periodic(Layer):
    """Y = relu(F kernel + bias), F = cos and sin of 2 pi c x for the frequencies c of each input."""
    kind = "periodic"
    decays = ("kernel",)
    hidden_kernel = "kernel"

    def forward(self, x, at, _):
        p, self.x, self.d = self.params, x, np.flatnonzero(self.constants["encoded"])
        phase = 2 * np.pi * (x[:, self.d, None] * p["frequencies"])
        self.F = np.concatenate([np.cos(phase), np.sin(phase)], axis=2) # [B, encoded, 2 n]
        y, self.slope = ACTIVATIONS["relu"](self.F @ p["kernel"] + p["bias"], at.side)
        return np.concatenate([y.reshape(len(x), -1), x[:, self.constants["encoded"] == 0]], axis=1)

    def backward(self, dy):
        B, encoded, features = self.F.shape
        n = features // 2
        dz = dy[:, :self.slope[0].size].reshape(self.slope.shape) * self.slope
        dF = dz @ self.params["kernel"].T
        turns = self.F[:, :, :n] * dF[:, :, n:] - self.F[:, :, n:] * dF[:, :, :n]
        self.gradients = {"kernel": rows_of(self.F).T @ rows_of(dz), "bias": sum_rows(dz),
                          "frequencies": 2 * np.pi * (self.x[:, self.d, None] * turns).sum(axis=0)}
        return None


class CategoryEmbedding(Layer):
    """A column's numbers are those of its categories, times their inputs. The first `lead` inputs, outputs of an
    encoding of numbers, stay first; the other inputs come last."""
    kind = "category_embedding"

    def forward(self, x, _, __):
        groups = self.constants["groups"].astype(int)
        lead, width = self.lead, self.options["width"]
        self.encoded = np.flatnonzero(groups)
        self.of = [np.flatnonzero(groups[self.encoded] == g + 1) for g in range(self.options["columns"])]
        self.x, self.plain = x, [d for d in np.flatnonzero(groups == 0) if d >= lead]
        self.first = lead + len(self.of) * width
        columns = [x[:, self.encoded[rows]] @ self.params["table"][rows] for rows in self.of]
        return np.concatenate([x[:, :lead], *columns, x[:, self.plain]], axis=1)

    def backward(self, dy):
        lead, width = self.lead, self.options["width"]
        table, dx = np.zeros_like(self.params["table"]), np.zeros_like(self.x)
        for g, rows in enumerate(self.of):
            part = dy[:, lead + g * width:lead + (g + 1) * width]
            table[rows] = self.x[:, self.encoded[rows]].T @ part
        dx[:, :lead], dx[:, self.plain] = dy[:, :lead], dy[:, self.first:]
        self.gradients = {"table": table}
        return dx


class MemberScale(Layer):
    """Each member's own scales of all inputs, and shifts; the first one makes members of a row."""
    kind = "member_scale"

    def forward(self, x, _, __):
        self.makes = x.ndim == 2
        self.x = x[:, None, :] if self.makes else x
        y = self.x * self.params["scale"]
        return y + self.params["shift"] if "shift" in self.params else y

    def backward(self, dy):
        self.gradients = {"scale": (self.x * dy).sum(axis=0)}
        if "shift" in self.params:
            self.gradients["shift"] = dy.sum(axis=0)
        dx = dy * self.params["scale"]
        return dx.sum(axis=1) if self.makes else dx


class MemberDense(Layer):
    """Z[i,k] = X[i,k] W[k] + b[k]; in files W is [K D, C]."""
    kind = "member_dense"
    decays = ("kernel",)

    def kernel(self):
        K, C = self.params["bias"].shape
        return self.params["kernel"].reshape(K, -1, C)

    def forward(self, x, _, __):
        self.x = x
        return np.einsum("bkd,kdc->bkc", x, self.kernel()) + self.params["bias"]

    def backward(self, dy):
        kernel = np.einsum("bkd,bkc->kdc", self.x, dy)
        self.gradients = {"kernel": kernel.reshape(self.params["kernel"].shape), "bias": dy.sum(axis=0)}
        return np.einsum("bkc,kdc->bkd", dy, self.kernel())


LAYERS = {layer.kind: layer for layer in (
    Dense, Activation, Rectifier, PRelu, Add, Normalization, LayerNorm, RmsNorm, BatchNorm, PiecewiseLinear,
    Periodic, CategoryEmbedding, MemberScale, MemberDense)}
