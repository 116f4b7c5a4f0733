"""Does dtrain train as the real Keras does? Run by test_keras.sh, with the program in $DTRAIN, in an empty folder.

From the same weights both make STEPS steps, each over all rows, and come to the same weights: with each loss,
with weights of rows and of classes, with averaged weights, and with the schedules that are a formula. A row of a
table is a run. Optimizers, penalties, clipping, max-norm, other schedules, activations and norms are compared in
check_keras.py, whose functions are used here.

The tolerance: both compute in float32 and add up gradients in other orders, so a gradient differs by some 1e-7 of
its largest part, and after 20 steps of SGD the weights, whose size is 1, by as much. Adam divides by the gradient's
own size and turns a difference of a gradient that is almost 0 into one of the learning rate; of these rows no
gradient is that small. Measured: 2e-7 with SGD, 4e-7 with Adam. Other kernels in Keras may add in yet other orders,
so 1e-5 is allowed; a wrong formula differs by 1e-3 (`moved`). tanh has no kink at which a last bit decides."""

import re

import numpy as np
import keras
from keras import layers, losses, ops, optimizers

from check_keras import (ACTIVATIONS, CLASSES, INITS, INPUTS, NORMS, OPTIMIZERS, SCHEDULES, compiled, dtrain, expect,
                         main, run, start_model)
from make_data import save, save_parts

STEPS, TOLERANCE = 20, 1e-5


# ---- both ----

def arrays_of(path):
    """Kernels and biases, in order."""
    dtrain("export", path, "--to", "found.npz")
    with np.load("found.npz") as found:
        count = sum(name.startswith("kernel") for name in found.files)
        return [found[f"{part}_{i}"] for i in range(count) for part in ("kernel", "bias")]


def train_anew(data, rate, *words, epochs=STEPS):
    """An epoch is a step over all rows; the last one's weights are kept."""
    dtrain("train", data, "--batch", "100000", "--epochs", str(epochs), "--patience", "99", "--no-restore-best",
           "--quiet", "--learning-rate", str(rate), *words, "--force", "--out", "steps")
    return arrays_of("steps")


def train(data, rate, *words):
    """From the model that Keras has saved."""
    return train_anew(data, rate, "--init-from", "start.keras", *words)


def same(found, expected, what):
    for i, (one, other) in enumerate(zip(found, expected, strict=True)):
        worst = np.abs(one - other).max()
        expect(worst < TOLERANCE, f"{what}: array {i} differs by {worst}")


def moved(arrays, others, what, least=1e-3):
    """Otherwise a comparison shows nothing."""
    expect(max(np.abs(a - b).max() for a, b in zip(arrays, others)) > least, f"{what}: makes no difference")


def weights_of(model):
    return [np.array(w) for w in model.get_weights()]


def fitted(model, x, y, **more):
    model.fit(x, y, batch_size=len(x), epochs=STEPS, shuffle=False, verbose=0, **more)
    return weights_of(model)


# ---- values ----

def pinball(q):
    def loss(y, z):
        return ops.mean(ops.maximum(q * (y - z), (q - 1) * (y - z)), axis=-1)
    return loss


# What dtrain is told, and Keras's loss.
VALUE_LOSSES = {
    "mse": ([], losses.MeanSquaredError()),
    "mae": ([], losses.MeanAbsoluteError()),
    "huber": ([], losses.Huber(1.0)),
    "huber 0.3": (["--huber-delta", "0.3"], losses.Huber(0.3)),
    "quantile": ([], pinball(0.5)),
    "quantile 0.9": (["--quantile", "0.9"], pinball(0.9)),
}


def save_values(targets):
    """Returns inputs and targets in their deviations from the mean, which both train on; and weights."""
    random = np.random.default_rng(targets)
    for part, rows in (("train", 300), ("validation", 60), ("test", 60)):
        x = random.normal(size=(rows, INPUTS)).astype(np.float32)
        y = np.stack([np.sin(x[:, 0]) + x[:, 1] ** 2 + x[:, 2], x[:, 3] - 2 * x[:, 4] * x[:, 5]], 1)[:, :targets]
        y = ((y + random.normal(size=y.shape) / 2) * [30, 0.02][:targets] + [7, -1][:targets]).astype(np.float32)
        w = (random.integers(1, 9, rows) / 4).astype(np.float32)
        save(f"values{targets}-{part}.npz", inputs=x, targets=y, w=w)
        if part == "train":
            exact = y.astype(np.float64)
            kept = x, ((exact - exact.mean(axis=0)) / exact.std(axis=0)).astype(np.float32), w
    return kept


def check_each_loss_of_values_makes_the_same_steps():
    """With SGD, on one and on two targets, with and without weights of rows, from the weights that dtrain begins
    with: a model of Keras's would have its outputs in the targets' units. Keras divides by the number of rows,
    dtrain by their weight, so Keras gets weights whose mean is 1."""
    network = ["--hidden", "16", "--activation", "tanh", "--optimizer", "sgd"]
    for targets in (1, 2):
        x, y, w = save_values(targets)
        before = train_anew(f"values{targets}", 1e-30, *network, epochs=1)
        model = keras.Sequential([keras.Input((INPUTS,)), layers.Dense(16, activation="tanh"), layers.Dense(targets)])
        for name, (words, loss) in VALUE_LOSSES.items():
            for weights in (None, w / w.mean()):
                what = f"{name}, {targets} targets, {'rows alike' if weights is None else 'weights'}"
                model.set_weights(before)
                model.compile(optimizers.SGD(0.1), loss)
                expected = fitted(model, x, y, sample_weight=weights)
                more = [] if weights is None else ["--weights", "w"]
                found = train_anew(f"values{targets}", 0.1, *network, "--loss", name.split()[0], *words, *more)
                same(found, expected, what)
                moved(expected, before, what)


# ---- classes ----

def save_classes():
    """Sets whose classes are not equally frequent, with weights of rows."""
    def uneven(x, y):
        y = np.where((y == 1) & (np.arange(len(y)) % 3 > 0), 0, y)
        y[:CLASSES] = np.arange(CLASSES)
        return x, y
    save_parts("uneven", columns=INPUTS, classes=CLASSES, change=uneven)
    for part in ("train", "validation", "test"):
        with np.load(f"uneven-{part}.npz") as arrays:
            x, y = arrays["inputs"], arrays["targets"]
        w = (np.random.default_rng(3).integers(0, 9, len(y)) / 4).astype(np.float32)
        save(f"uneven-{part}.npz", inputs=x, targets=y, w=w)
        if part == "train":
            kept = x, y, w
    return kept


def balanced(y):
    """scikit-learn's compute_class_weight("balanced"): rows / (classes * rows of the class)."""
    rows = np.bincount(y)
    return dict(enumerate(len(y) / (len(rows) * rows)))


def check_weights_of_rows_and_classes_make_the_same_steps():
    """As Keras's sample_weight, class_weight and, with both, their product."""
    x, y, w = save_classes()
    before = start_model(x, "tanh")
    given = {0: 0.5, 1: 4.0, 2: 1.0}
    cases = {
        "weights": (["--weights", "w"], w, None),
        "class weights": (["--class-weight", "0=0.5,1=4"], None, given),
        "balanced": (["--class-weight", "balanced"], None, balanced(y)),
        "both": (["--weights", "w", "--class-weight", "0=0.5,1=4"], w, given),
    }
    plain = fitted(compiled(optimizers.SGD(0.3)), x, y)
    moved(plain, before, "SGD")
    for name, (words, weights, classes) in cases.items():
        all_weights = np.ones(len(y)) if weights is None else weights.astype(np.float64)
        all_weights = all_weights * (1 if classes is None else np.array([classes[label] for label in y]))
        for optimizer, make in (("sgd", lambda: optimizers.SGD(0.3)), ("adam", lambda: optimizers.Adam(0.01))):
            model = compiled(make())
            # Keras divides by the number of rows: the mean weight becomes 1.
            mean = all_weights.mean()
            if classes is None:
                expected = fitted(model, x, y, sample_weight=weights / mean)
            elif weights is None:
                expected = fitted(model, x, y, class_weight={c: v / mean for c, v in classes.items()})
            else: # Keras takes one of the two
                expected = fitted(model, x, y, sample_weight=all_weights / mean)
            rate = 0.3 if optimizer == "sgd" else 0.01
            same(train("uneven", rate, "--optimizer", optimizer, *words), expected, f"{name}, {optimizer}")
            if optimizer == "sgd":
                moved(expected, plain, name)


def check_label_smoothing_makes_the_same_steps():
    x, y, _ = save_classes()
    start_model(x, "tanh")
    plain = fitted(compiled(optimizers.SGD(0.3)), x, y)
    for share in (0.1, 0.4):
        model = compiled(optimizers.SGD(0.3))
        model.compile(optimizers.SGD(0.3), losses.CategoricalCrossentropy(label_smoothing=share))
        expected = fitted(model, x, np.eye(CLASSES, dtype=np.float32)[y])
        same(train("uneven", 0.3, "--optimizer", "sgd", "--label-smoothing", str(share)), expected,
             f"label smoothing {share}")
        moved(expected, plain, f"label smoothing {share}")


# ---- schedules that Keras does not have, and averages: by formula, over Keras's steps ----

def wave(start, end, share):
    return end + (start - end) * (1 + np.cos(np.pi * share)) / 2


def onecycle(t):
    share = t / STEPS
    return wave(1 / 25, 1, share / 0.3) if share < 0.3 else wave(1, 1 / 25 / 1e4, (share - 0.3) / 0.7)


# What dtrain is told, and the factor of the learning rate at step t, from 0.
FORMULAS = {
    "onecycle": (["--schedule", "onecycle"], onecycle),
    "warmup": (["--warmup", "5"], lambda t: min(1, t / 5)),
    "warmup, exponential": (["--warmup", "4", "--schedule", "exponential", "--schedule-factor", "0.5",
                             "--schedule-every", "3"], lambda t: t / 4 if t < 4 else 0.5 ** ((t - 4) / 3)),
}


def course(model, x, y, rate):
    """Returns the weights after each step; the rate is a function of the step."""
    after = []
    for t in range(STEPS):
        model.optimizer.learning_rate = rate(t)
        model.fit(x, y, batch_size=len(x), epochs=1, shuffle=False, verbose=0)
        after.append(weights_of(model))
    return after


def check_schedules_are_their_formulas():
    x, y, _ = save_classes()
    start_model(x, "tanh")
    plain = fitted(compiled(optimizers.SGD(0.3)), x, y)
    for name, (words, factor) in FORMULAS.items():
        def rate(t, factor=factor):
            return 0.3 * factor(t)
        expected = course(compiled(optimizers.SGD(0.3)), x, y, rate)[-1]
        same(train("uneven", 0.3, "--optimizer", "sgd", *words), expected, name)
        moved(expected, plain, name)


def check_averaged_weights_are_their_formula():
    """E <- d E + (1 - d) W after step t = 1, 2 ..., d = min(D, (1 + t) / (10 + t)), E at first the initial weights:
    TensorFlow's ExponentialMovingAverage with num_updates. Keras's use_ema has no such beginning."""
    x, y, _ = save_classes()
    average = start = start_model(x, "tanh")
    after = course(compiled(optimizers.SGD(0.3)), x, y, lambda t: 0.3)
    for most in (0.2, 0.998): # the formula's minimum is either
        average = start
        for t, now in enumerate(after, 1):
            d = min(most, (1 + t) / (10 + t))
            average = [d * a + (1 - d) * w for a, w in zip(average, now)]
        same(train("uneven", 0.3, "--optimizer", "sgd", "--ema", str(most)), average, f"average {most}")
        moved(average, after[-1], f"average {most}")


# ---- nothing is left out ----

def check_each_name_in_help_is_compared():
    """In this file or in check_keras.py; cross-entropy, the loss of classes, everywhere."""
    compared = {
        "optimizer": OPTIMIZERS,
        "schedule": [*SCHEDULES, *FORMULAS, "plateau"],
        "loss": ["auto", "cross-entropy", *VALUE_LOSSES],
        "activation": ACTIVATIONS,
        "norm": NORMS,
        "init": INITS,
    }
    text = run("--help").stdout
    for option, table in compared.items():
        listed = re.search(rf"^  --{option} .*?\(([a-z_|\s-]*\|[a-z_|\s-]*)\)", text, re.M | re.S)
        expect(listed is not None, f"--help lists the names of --{option}")
        names = set(re.sub(r"\s", "", listed[1]).split("|"))
        missing = names - {name.split()[0].strip(",") for name in table}
        expect(len(names) > 2 and not missing, f"--{option}: {missing} in a table of runs, of {names}")


if __name__ == "__main__":
    main({name: check for name, check in globals().items() if name.startswith("check_")})
