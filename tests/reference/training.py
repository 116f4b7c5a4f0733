"""A course of training by formulas: optimizers, schedules, penalties, clipping, averages, and the steps.

Numbers of an optimizer are float32 numbers, as in Keras: beta_2 = 0.999 means the float32 number nearest to it.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from functions import LOSSES, softmax

ULP = 2.0**-23 # of float32: from 1 to the next number
GRID = 2.0**-40 # to which dtrain resolves the mean gradient (comm/exact_sum.h)


class Arithmetic:
    """How a course computes, and on which side of kinks it is.

    Without `random`: as exactly as dtype does. With it: each array that a layer, the loss or the sum over rows hands
    on gets an error of up to an ulp of float32, each element its own: a sample of the rounding errors that float32
    makes, whatever the order of its operations.

    `kinks` becomes {(step, name): distance of each element from the kink}, of training; `sides` {(step, name, index):
    side} says what elements count as, whatever their distance.
    """

    def __init__(self, dtype, random=None, sides=None):
        self.dtype, self.random, self.sides = dtype, random, sides or {}
        self.kinks, self.training, self.step, self.layer = {}, True, 0, ""

    def hand_on(self, a, least=0.0):
        if self.random is None:
            return a
        a = a + a * self.errors(a.shape, ULP)
        return a + self.errors(a.shape, least) if least > 0 else a

    def errors(self, shape, most):
        return (self.random.random(shape, self.dtype) - 0.5) * (2 * most)

    def side(self, distance, which=""):
        above = distance > 0
        if not self.training:
            return above
        name = f"{self.layer} {which}".strip()
        self.kinks[self.step, name] = distance.astype(float)
        for (step, at, index), side in self.sides.items():
            if step == self.step and at == name:
                above[index] = side
        return above


# ---- the network ----

class Network:
    def __init__(self, layers):
        self.layers, self.names, count = layers, [], {}
        for layer in layers:
            n = count[layer.kind] = count.get(layer.kind, -1) + 1
            self.names.append(layer.kind if n == 0 else f"{layer.kind}_{n}")

    def cast(self, dtype):
        return Network([layer.cast(dtype) for layer in self.layers])

    def params(self):
        """{"layer/tensor": (layer, tensor)} of what trains."""
        return {f"{name}/{tensor}": (layer, tensor) for name, layer in zip(self.names, self.layers)
                for tensor in layer.params}

    def values(self):
        """{"layer/tensor": array}, also of moving averages."""
        return {f"{name}/{tensor}": a.copy() for name, layer in zip(self.names, self.layers)
                for tensor, a in {**layer.params, **layer.moving}.items()}

    def forward(self, x, at):
        outputs = []
        for name, layer in zip(self.names, self.layers):
            at.layer = name
            x = at.hand_on(layer.forward(x, at, outputs))
            outputs.append(x)
        at.layer = "loss"
        return x

    def backward(self, dy, at):
        skipping = {} # gradients of outputs that an add takes, too
        for l in reversed(range(len(self.layers))):
            layer = self.layers[l]
            if l in skipping:
                dy = dy + skipping.pop(l)
            if dy is None:
                return
            if layer.kind == "add":
                source = layer.options["from"]
                skipping[source] = skipping.get(source, 0) + dy
            dy = layer.backward(dy)
            dy = None if dy is None else at.hand_on(dy)


# ---- schedules: the factor of the learning rate, of where a run is since the warmup ----

def wave(start, end, share):
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


SCHEDULES = {
    "constant": lambda done, epochs, plateaus, factor, every: 1.0,
    "cosine": lambda done, epochs, plateaus, factor, every: wave(1, 0, done),
    "step": lambda done, epochs, plateaus, factor, every: factor ** math.floor(epochs / every),
    "exponential": lambda done, epochs, plateaus, factor, every: factor ** (epochs / every),
    "onecycle": lambda done, epochs, plateaus, factor, every:
        wave(1 / 25, 1, done / 0.3) if done < 0.3 else wave(1, 1 / 25 / 1e4, (done - 0.3) / 0.7),
    "plateau": lambda done, epochs, plateaus, factor, every: factor**plateaus,
}


class Plateaus:
    """Keras's ReduceLROnPlateau, with its min_delta."""

    def __init__(self, every):
        self.every, self.best, self.wait, self.count = every, math.inf, 0, 0

    def judge(self, value):
        self.wait += 1
        if value + 1e-4 < self.best:
            self.best, self.wait = value, 0
        elif self.wait >= self.every:
            self.wait, self.count = 0, self.count + 1


def learning_rate(plan, steps, done, plateaus):
    """Of the step after `done` steps; an epoch has `steps`."""
    def factor(since):
        left = steps * plan.epochs - plan.warmup * steps
        return SCHEDULES[plan.schedule](since / left, since / steps, plateaus, plan.schedule_factor,
                                        plan.schedule_every)
    warm = plan.warmup * steps
    return plan.rate * (factor(done - warm) if done >= warm else factor(0) * done / warm)


# ---- optimizers: a step of w, with states s; t = 1, 2 ... ----

def f32(value):
    return float(np.float32(value))


def power(T, base, t):
    return T(f32(base)**t)


def adam(w, g, s, t, rate, o, T):
    alpha = T(rate) * np.sqrt(T(1) - power(T, o.beta_2, t)) / (T(1) - power(T, o.beta_1, t))
    s["m"] += (g - s["m"]) * f32(1 - o.beta_1)
    s["v"] += (g * g - s["v"]) * f32(1 - o.beta_2)
    w -= s["m"] * alpha / (np.sqrt(s["v"]) + f32(o.epsilon))


def nadam(w, g, s, t, rate, o, _):
    def u(t):
        return o.beta_1 * (1 - 0.5 * 0.96**t)
    U = math.prod(u(i) for i in range(1, t + 1))
    s["m"] += (g - s["m"]) * f32(1 - o.beta_1)
    s["v"] += (g * g - s["v"]) * f32(1 - o.beta_2)
    m = s["m"] * (u(t + 1) / (1 - U * u(t + 1))) + g * ((1 - u(t)) / (1 - U))
    w -= m * rate / (np.sqrt(s["v"] / (1 - o.beta_2**t)) + f32(o.epsilon))


def sgd(w, g, s, _, rate, o, __):
    s["momentum"] *= f32(o.momentum)
    s["momentum"] -= g * f32(rate)
    w += s["momentum"] * f32(o.momentum) - g * f32(rate) if o.nesterov else s["momentum"]


def rmsprop(w, g, s, _, rate, o, __):
    s["velocity"] *= f32(o.rho)
    s["velocity"] += g * g * f32(1 - o.rho)
    w -= g * f32(rate) / np.sqrt(s["velocity"] + f32(o.epsilon))


def adagrad(w, g, s, _, rate, o, __):
    s["accumulator"] += g * g
    w -= g * f32(rate) / np.sqrt(s["accumulator"] + f32(o.epsilon))


# The step; its states and what they start as; weight decay without --weight-decay.
OPTIMIZERS = {"adam": (adam, {"m": 0, "v": 0}, 0), "adamw": (adam, {"m": 0, "v": 0}, 0.004),
              "nadam": (nadam, {"m": 0, "v": 0}, 0), "sgd": (sgd, {"momentum": 0}, 0),
              "rmsprop": (rmsprop, {"velocity": 0}, 0), "adagrad": (adagrad, {"accumulator": 0.1}, 0)}


# ---- a course ----

@dataclass
class Plan:
    """What options say; the defaults are theirs."""
    loss: str = "cross-entropy"
    number: float = 0.0 # of the loss
    optimizer: str = "adam"
    rate: float = 0.01
    epochs: int = 20
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    momentum: float = 0.0
    nesterov: bool = False
    rho: float = 0.9
    schedule: str = "constant"
    schedule_factor: float = 0.1
    schedule_every: float = 10
    warmup: float = 0.0
    weight_decay: float = None
    ema: float = 0.0
    l2: float = 0.0
    l1: float = 0.0
    clip_norm: float = 0.0
    clip_value: float = 0.0
    max_norm: float = 0.0


@dataclass
class Course:
    """What a course comes to."""
    values: dict = field(default_factory=dict) # that are validated and saved
    train_loss: list = field(default_factory=list) # of each epoch
    val_loss: list = field(default_factory=list)
    kinks: dict = field(default_factory=dict)


@dataclass
class Rows:
    x: np.ndarray
    y: np.ndarray
    w: np.ndarray # of each row


def gradient(network, rows, plan, at):
    """Returns the mean loss of the rows' members, and leaves the mean gradient in the layers."""
    z = network.forward(rows.x.astype(at.dtype), at)
    y = rows.y if z.ndim == 2 else np.repeat(rows.y[:, None], z.shape[1], axis=1)
    if plan.loss != "cross-entropy":
        y = y.astype(at.dtype)
    losses, dz = LOSSES[plan.loss][1](z, y, plan.number, at.side)
    if z.ndim == 3: # each member learns on its own
        dz, losses = dz / z.shape[1], losses.mean(axis=1)
    w = rows.w.astype(at.dtype)
    total = rows.w.sum()
    network.backward(at.hand_on(dz * w.reshape(-1, *[1] * (z.ndim - 1))), at)
    for layer in network.layers:
        layer.gradients = {name: at.hand_on(g / at.dtype(total), GRID) for name, g in layer.gradients.items()}
    return float((losses * w).sum() / total)


def evaluate(network, rows, plan, at):
    """The mean loss of what is predicted: of members the mean of their predictions."""
    z = network.forward(rows.x.astype(at.dtype), at)
    if z.ndim == 3:
        z = np.log(softmax(z).mean(axis=1)) if plan.loss == "cross-entropy" else z.mean(axis=1)
    y = rows.y if plan.loss == "cross-entropy" else rows.y.astype(at.dtype)
    losses, _ = LOSSES[plan.loss][1](z, y, plan.number, at.side)
    return float((losses * rows.w).sum() / rows.w.sum())


def regularize(params, plan, at):
    """Penalties and clipping, of the gradients in the layers."""
    if plan.l2 + plan.l1 + plan.clip_norm + plan.clip_value == 0:
        return
    norm = 0.0
    for name, (layer, tensor) in params.items():
        w, g = layer.params[tensor], layer.gradients[tensor]
        if tensor in layer.decays and plan.l2 + plan.l1 > 0:
            at.layer = name
            sign = 2 * at.side(w, "l1").astype(w.dtype) - 1 if plan.l1 > 0 else 0
            layer.gradients[tensor] = g = g + 2 * plan.l2 * w + plan.l1 * sign
        norm += float((g.astype(float)**2).sum())
    factor = min(1, plan.clip_norm / math.sqrt(norm)) if plan.clip_norm > 0 else 1
    for layer, tensor in params.values():
        g = layer.gradients[tensor] * factor
        layer.gradients[tensor] = np.clip(g, -plan.clip_value, plan.clip_value) if plan.clip_value > 0 else g


def limit_columns(network, most):
    """The norm of the weights into a hidden unit."""
    for layer in network.layers[:-1]:
        if layer.hidden_kernel and most > 0:
            kernel = layer.params[layer.hidden_kernel]
            norms = np.sqrt((kernel.astype(float)**2).sum(axis=0))
            kernel *= np.minimum(1, most / norms).astype(kernel.dtype)


def train(network, train_rows, validation, plan, batches, at):
    """`batches` has the row numbers of each step of each epoch: [epochs][steps]. Returns a Course."""
    network = network.cast(at.dtype)
    params = network.params()
    move, starts, decay = OPTIMIZERS[plan.optimizer]
    decay = decay if plan.weight_decay is None else plan.weight_decay
    states = {name: {s: np.full_like(layer.params[tensor], start) for s, start in starts.items()}
              for name, (layer, tensor) in params.items()}
    average = network.values() if plan.ema > 0 else {}
    course, plateaus, steps = Course(), Plateaus(plan.schedule_every), len(batches[0])
    for epoch in batches:
        losses, weights = [], []
        for batch in epoch:
            rows = Rows(train_rows.x[batch], train_rows.y[batch], train_rows.w[batch])
            rate = learning_rate(plan, steps, at.step, plateaus.count)
            losses.append(gradient(network, rows, plan, at))
            weights.append(rows.w.sum())
            regularize(params, plan, at)
            at.step += 1
            for name, (layer, tensor) in params.items():
                w = layer.params[tensor]
                if tensor in layer.decays:
                    w -= w * (rate * decay)
                move(w, layer.gradients[tensor], states[name], at.step, rate, plan, at.dtype)
            share = 1 - min(plan.ema, (1 + at.step) / (10 + at.step))
            for name, (layer, tensor) in params.items() if average else ():
                average[name] += share * (layer.params[tensor] - average[name])
            limit_columns(network, plan.max_norm)
            for layer in network.layers:
                if layer.moving:
                    layer.move()
        course.train_loss.append(float(np.dot(losses, weights) / sum(weights)))
        judged = validate(network, average, validation, plan, at, course)
        plateaus.judge(course.val_loss[-1])
    course.values, course.kinks = judged.values(), at.kinks
    return course


def validate(network, average, rows, plan, at, course):
    """With the averaged parameters, if there are any; moving averages are no parameters. Returns the network."""
    judged = network.cast(at.dtype) if average else network
    for name, (layer, tensor) in judged.params().items() if average else ():
        layer.params[tensor] = average[name].astype(at.dtype)
    at.training = False
    course.val_loss.append(evaluate(judged, rows, plan, at))
    at.training = True
    return judged
