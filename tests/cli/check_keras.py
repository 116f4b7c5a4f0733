"""Does the real Keras read what dtrain writes, and dtrain what Keras writes? Run by test_keras.sh, with the
program in $DTRAIN, in an empty folder. Every function check_* is a check; one line is printed for each.
check_keras_training.py compares more of training."""

import json
import logging
import os
import re
import subprocess
import sys
import time
import traceback

import h5py
import keras
import numpy as np
import onnx
import onnxruntime
from keras import constraints, layers, optimizers, regularizers
from keras.optimizers import schedules

from make_data import learnable, save, save_parts
from make_table import HEADER, make_rows, write_table

DTRAIN = os.environ["DTRAIN"]
INPUTS, CLASSES = 12, 3
# What runs are made of; each is trained once, for so few epochs that there is something left to learn.
RUNS = {
    "plain": ["data"],
    "deep": ["data", "--hidden", "64,32,16", "--activation", "tanh"],
    "sigmoid": ["data", "--hidden", "20", "--activation", "sigmoid"],
    "logistic": ["data", "--hidden", "none"],
    "wide": ["data", "--hidden", "300"],
    "table": ["set"],
}
FORMATS = [".keras", ".h5"] # in this order: a model saved as .h5 forgets its optimizer for .keras


class Wrong(Exception):
    pass


def expect(condition, message):
    if not condition:
        raise Wrong(message)


# ---- dtrain ----

def run(*words):
    return subprocess.run([DTRAIN, *words], capture_output=True, text=True, timeout=300,
                          stdin=subprocess.DEVNULL, check=False)


def dtrain(*words):
    """Returns the summary of a run that succeeds and has nothing to say on stderr, except of equal rows."""
    done = run(*words)
    expect(done.returncode == 0 and re.fullmatch(r"(dtrain: warning: .* also occurs? in .*\n)?", done.stderr),
           f"dtrain {' '.join(words)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return dict(re.findall(r"^summary\.(\w+)=(.*)$", done.stdout, re.M))


def dtrain_predict(path, x):
    """Returns probabilities [N,C] and classes [N]."""
    save("rows.npz", inputs=x)
    dtrain("predict", path, "rows.npz", "--out", "predictions.npz")
    with np.load("predictions.npz") as made:
        return made["probabilities"], made["predicted"]


def dtrain_accuracy(path, x, y):
    save("labelled.npz", inputs=x, targets=y)
    return float(dtrain("evaluate", path, "labelled.npz")["accuracy"])


def refused(path, *texts):
    """dtrain predict says why it does not take the model, in one line with all the texts."""
    save("rows.npz", inputs=np.zeros((3, INPUTS), np.float32))
    done = run("predict", path, "rows.npz")
    expect(done.returncode == 3 and done.stderr.count("\n") == 1,
           f"{path}: expected exit status 3 and one line, found {done.returncode}\n{done.stderr}")
    for text in texts:
        expect(text in done.stderr, f"{path}: expected '{text}' in: {done.stderr}")


def set_of(run_name, part):
    """Returns inputs and targets of the run's set train, validation or test."""
    folder = RUNS[run_name][0]
    path = f"{folder}/{part}.npz" if folder == "set" else f"{folder}-{part}.npz"
    with np.load(path) as arrays:
        return arrays["inputs"].astype(np.float32), arrays["targets"].astype(np.int64)


def prepare():
    """Returns the summary of each run."""
    save_parts("data", columns=INPUTS, classes=CLASSES)
    rows = make_rows(1500, 3, 9)
    write_table("table.csv", rows)
    dtrain("prepare", "table.csv", "--target", "outcome", "--drop", "key", "--out", "set", "--fill",
           "indicator,contact=category", "--quiet")
    return {name: dtrain("train", *words, "--epochs", "2", "--out", f"results/{name}", "--quiet")
            for name, words in RUNS.items()}


# ---- Keras ----

def fit(model, x, y, epochs=1):
    """Trains on whole batches: Keras compiles its step again for a last batch that is smaller."""
    rows = len(x) // 32 * 32
    model.fit(x[:rows], y[:rows], batch_size=32, epochs=epochs, verbose=0)


def predictions(model, x):
    """As model.predict, which compiles each model for some tenths of a second."""
    return np.asarray(model(x, training=False))


def load(run_name, suffix=".h5"):
    return keras.models.load_model(f"results/{run_name}/model{suffix}")


def same_predictions(model, path, x):
    """model is Keras's, path the same one's for dtrain."""
    expected = predictions(model, x)
    found, classes = dtrain_predict(path, x)
    expect(found.shape == expected.shape, f"{path}: {found.shape} predicted, not {expected.shape}")
    worst = np.abs(found - expected).max()
    expect(worst <= 1e-6, f"{path}: a probability differs by {worst}")
    two = np.sort(expected, axis=1)[:, -2:]
    clear = two[:, 1] - two[:, 0] > 1e-5
    expect(clear.sum() > 0.9 * len(x), f"{path}: the test's models can hardly tell the classes")
    expect((classes == expected.argmax(axis=1))[clear].all(), f"{path}: a class differs")


def right_rows(accuracy, y):
    rows = float(accuracy) * len(y)
    expect(abs(rows - round(rows)) < 1e-2, f"accuracy {accuracy} is not a number of {len(y)} rows")
    return round(rows)


def same_rows(found, expected, y, what):
    found, expected = right_rows(found, y), right_rows(expected, y)
    expect(found == expected, f"{what}: {found} of {len(y)} rows right, expected {expected}")


def own_models(x):
    """Models made in Keras, of all that dtrain takes: Sequential and Functional, compiled or not."""
    def softmax():
        return layers.Dense(CLASSES, activation="softmax")

    def scaled(normalization):
        return keras.Sequential([keras.Input((INPUTS,)), normalization,
                                 layers.Dense(8, activation="relu"), softmax()])

    sequential = keras.Sequential([
        keras.Input((INPUTS,)), layers.Dense(16, activation="relu"), layers.Dropout(0.3),
        layers.Dense(8), layers.Activation("tanh"), layers.Dense(CLASSES),
        layers.Activation("softmax")])
    start = layers.Input((INPUTS,), name="measured")
    inner = layers.Dense(20, activation="sigmoid", name="first one")(start)
    inner = layers.Dense(10, activation="linear", use_bias=False)(inner)
    functional = keras.Model(start, softmax()(layers.Dropout(0.5)(inner)))
    late = keras.Sequential([layers.Dense(9, activation="relu"), softmax()]) # inputs known by fit
    adapted = layers.Normalization(name="scale")
    adapted.adapt(x * np.arange(1, INPUTS + 1) + 3)
    normalized = scaled(adapted)
    for model in (sequential, functional, late, normalized):
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    # One variance is 0.
    given = layers.Normalization(mean=np.arange(INPUTS) / 8, variance=np.arange(INPUTS))
    return {"sequential": sequential, "functional": functional, "late": late,
            "normalized": normalized, "given": scaled(given),
            "bare": keras.Sequential([keras.Input((INPUTS,)), softmax()])}


# ---- the checks; each gets the runs' summaries ----

def check_keras_predicts_the_same(summaries):
    for name in summaries:
        same_predictions(load(name), f"results/{name}", set_of(name, "test")[0])


def check_keras_evaluates_the_same(summaries):
    """On rows that the scores were printed of, to the row; the loss as Keras's backend clips it."""
    for name, summary in summaries.items():
        for part, prefix in (("test", "test"), ("validation", "val")):
            x, y = set_of(name, part)
            found = load(name).evaluate(x, y, verbose=0, return_dict=True)
            same_rows(found["accuracy"], summary[f"{prefix}_accuracy"], y, f"{name}, {part}")
            expected = float(summary[f"{prefix}_loss"])
            expect(abs(found["loss"] - expected) < 1e-5,
                   f"{name}, {part}: loss {found['loss']}, expected {expected}")


def check_keras_trains_on(summaries):
    """It is compiled as it was, gets better, and what it learned comes back to dtrain."""
    for name in summaries:
        model = load(name)
        loss = getattr(model.loss, "__name__", model.loss)
        expect(loss == "sparse_categorical_crossentropy", f"{name}: loss {loss}")
        expect(type(model.optimizer).__name__ == "Adam", f"{name}: {model.optimizer}")
        expect(abs(float(model.optimizer.learning_rate) - 0.001) < 1e-9, f"{name}: learning rate")
        x, y = set_of(name, "train")
        before = model.evaluate(x, y, verbose=0, return_dict=True)["loss"]
        model.fit(x, y, batch_size=100, epochs=3, verbose=0)
        after = model.evaluate(x, y, verbose=0, return_dict=True)["loss"]
        expect(after < before - 1e-4, f"{name}: loss {before} before, {after} after three epochs")
        x, y = set_of(name, "test")
        expected = predictions(model, x)
        score = model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"]
        for suffix in FORMATS:
            path = f"{name}-again{suffix}"
            model.save(path)
            again = predictions(keras.models.load_model(path), x)
            expect((again == expected).all(), f"{path}: predicts otherwise than before it was saved")
            same_predictions(model, path, x)
            same_rows(dtrain_accuracy(path, x, y), score, y, path)


def check_dtrain_reads_models_made_in_keras(_):
    x, y = learnable(700, INPUTS, CLASSES, seed=5)
    for name, model in own_models(x).items():
        if model.compiled:
            fit(model, x, y)
        for suffix in FORMATS:
            path = f"{name}{suffix}"
            model.save(path)
            same_predictions(model, path, x)
            expected = (predictions(model, x).argmax(axis=1) == y).mean()
            same_rows(dtrain_accuracy(path, x, y), expected, y, path)


def check_logits_become_probabilities(_):
    x, y = learnable(300, INPUTS, CLASSES, seed=6)
    model = keras.Sequential([keras.Input((INPUTS,)), layers.Dense(CLASSES)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    fit(model, x, y)
    for suffix in FORMATS:
        model.save(f"logits{suffix}")
        scores = np.exp(predictions(model, x).astype(np.float64))
        found = dtrain_predict(f"logits{suffix}", x)[0]
        worst = np.abs(found - scores / scores.sum(axis=1, keepdims=True)).max()
        expect(worst <= 1e-6, f"a probability differs by {worst}")


def check_training_starts_from_a_model_of_keras(_):
    x, y = set_of("plain", "train")
    model = keras.Sequential([keras.Input((INPUTS,)), layers.Dense(16, activation="tanh"),
                              layers.Dense(CLASSES, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    fit(model, x, y)
    x, y = set_of("plain", "validation")
    before = model.evaluate(x, y, verbose=0, return_dict=True)["loss"]
    for suffix in FORMATS:
        model.save(f"start{suffix}")
        words = ["train", "data", "--init-from", f"start{suffix}", "--quiet"]
        dtrain(*words, "--epochs", "1", "--learning-rate", "1e-30", "--force", "--out", "unmoved")
        same_predictions(model, "unmoved", x)
        after = float(dtrain(*words, "--epochs", "3", "--force", "--out", "moved")["val_loss"])
        expect(after < before - 1e-3, f"{suffix}: val_loss {before} before, {after} after training")


def check_a_normalized_model_is_trained_on_raw_rows(_):
    x, y = set_of("plain", "train")
    x, y = x * 40 + 7, y
    save("raw.npz", inputs=x, targets=y)
    model = own_models(x)["normalized"]
    model.layers[0].adapt(x)
    fit(model, x, y)
    model.save("raw.keras")
    words = ["train", "raw.npz", "--init-from", "raw.keras", "--quiet", "--epochs", "2"]
    dtrain(*words, "--learning-rate", "1e-30", "--out", "raw-unmoved")
    same_predictions(model, "raw-unmoved", x)
    dtrain(*words, "--out", "raw-moved")
    for suffix in FORMATS:
        dtrain("export", "raw-moved", "--to", f"raw-moved{suffix}")
        same_predictions(keras.models.load_model(f"raw-moved{suffix}"), "raw-moved", x)


def check_both_make_the_same_step(_):
    """From the same weights and the same state of Adam, over all rows at once."""
    x, y = set_of("plain", "train")
    dtrain("export", "results/plain", "--to", "step.keras")
    dtrain("train", "data", "--init-from", "step.keras", "--batch", str(10 * len(x)), "--epochs", "2",
           "--no-restore-best", "--quiet", "--out", "step")
    dtrain("export", "step", "--to", "step.npz")
    model = keras.models.load_model("step.keras")
    before = [np.array(w) for w in model.get_weights()]
    model.fit(x, y, batch_size=len(x), epochs=2, shuffle=False, verbose=0)
    with np.load("step.npz") as arrays:
        for i, (old, new) in enumerate(zip(before, model.get_weights())):
            name = f"{'kernel' if i % 2 == 0 else 'bias'}_{i // 2}"
            worst = np.abs(arrays[name] - new).max()
            expect(worst < 2e-6, f"{name} differs by {worst}")
            expect(np.abs(new - old).max() > 1e-4, f"{name} did not move")


def adamw(**numbers):
    optimizer = optimizers.AdamW(RATE, **numbers)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


RATE, STEPS = 0.01, 20
# What dtrain is told beside the learning rate, and the optimizer of Keras that does the same.
OPTIMIZERS = {
    "adam": ([], lambda: optimizers.Adam(RATE)),
    "sgd": ([], lambda: optimizers.SGD(RATE)),
    "sgd momentum": (["--momentum", "0.9"], lambda: optimizers.SGD(RATE, momentum=0.9)),
    "sgd nesterov": (["--momentum", "0.9", "--nesterov"],
                     lambda: optimizers.SGD(RATE, momentum=0.9, nesterov=True)),
    "adamw": ([], adamw),
    "adamw 0.3": (["--weight-decay", "0.3"], lambda: adamw(weight_decay=0.3)),
    "nadam": ([], lambda: optimizers.Nadam(RATE)),
    "rmsprop": ([], lambda: optimizers.RMSprop(RATE)),
    "rmsprop rho": (["--rho", "0.5"], lambda: optimizers.RMSprop(RATE, rho=0.5)),
    "adagrad": ([], lambda: optimizers.Adagrad(RATE)),
}


def penalties(**numbers):
    return {"kernel_regularizer": regularizers.L1L2(**numbers)}


# What dtrain is told, and the arguments of Keras's hidden layer, last layer and SGD.
REGULARIZATIONS = {
    "l2": (["--l2", "0.03"], penalties(l2=0.03), penalties(l2=0.03), {}),
    "l1": (["--l1", "0.02"], penalties(l1=0.02), penalties(l1=0.02), {}),
    "l1 l2": (["--l1", "0.01", "--l2", "0.05"], penalties(l1=0.01, l2=0.05),
              penalties(l1=0.01, l2=0.05), {}),
    "clip norm": (["--clip-norm", "0.1"], {}, {}, {"global_clipnorm": 0.1}),
    "clip norm l2": (["--clip-norm", "0.1", "--l2", "0.03"], penalties(l2=0.03), penalties(l2=0.03),
                     {"global_clipnorm": 0.1}),
    "clip value": (["--clip-value", "0.01"], {}, {}, {"clipvalue": 0.01}),
    "max norm": (["--max-norm", "0.9"], {"kernel_constraint": constraints.MaxNorm(0.9)}, {}, {}),
    "all": (["--l2", "0.03", "--l1", "0.001", "--clip-norm", "0.1", "--max-norm", "0.9"],
            {"kernel_constraint": constraints.MaxNorm(0.9), **penalties(l1=0.001, l2=0.03)},
            penalties(l1=0.001, l2=0.03), {"global_clipnorm": 0.1}),
}


# A step is an epoch here. With SGD, so that no state hides a step of another rate.
SCHEDULES = {
    "constant": ([], RATE),
    "cosine": ([], schedules.CosineDecay(RATE, STEPS)),
    "cosine warmup": (["--warmup", "5"],
                      schedules.CosineDecay(0.0, STEPS - 5, warmup_target=RATE, warmup_steps=5)),
    "step": (["--schedule-every", "6"], schedules.ExponentialDecay(RATE, 6, 0.1, staircase=True)),
    "exponential": (["--schedule-factor", "0.5"], schedules.ExponentialDecay(RATE, 10, 0.5)),
}


def fitted(model, x, y, epochs):
    model.fit(x, y, batch_size=len(x), epochs=epochs, shuffle=False, verbose=0)
    return [np.array(w) for w in model.get_weights()]


def same_weights(path, weights, what):
    dtrain("export", path, "--to", "found.npz")
    with np.load("found.npz") as arrays:
        for i, expected in enumerate(weights):
            name = f"{'kernel' if i % 2 == 0 else 'bias'}_{i // 2}"
            worst = np.abs(arrays[name] - expected).max()
            expect(worst < 1e-5, f"{what}: {name} differs by {worst}")


def steps_from(path, x, out, epochs, *words):
    """So many steps, each over all rows."""
    dtrain("train", "data", "--init-from", path, "--batch", str(10 * len(x)), "--epochs", str(epochs),
           "--patience", "99", "--no-restore-best", "--quiet", "--learning-rate", str(RATE), "--force",
           "--out", out, *words)


def start_model(x, activation="relu"):
    """A model that is not compiled, so that dtrain has no state of it; and its weights."""
    start = keras.Sequential([keras.Input((x.shape[1],)), layers.Dense(16, activation=activation),
                              layers.Dense(CLASSES, activation="softmax")])
    start.save("start.keras")
    return start.get_weights()


def compiled(optimizer):
    model = keras.models.load_model("start.keras")
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


def check_each_optimizer_makes_the_same_steps(_):
    x, y = set_of("plain", "train")
    before = start_model(x)
    for name, (words, make) in OPTIMIZERS.items():
        words = ["--optimizer", name.split()[0], *words]
        steps_from("start.keras", x, "steps", STEPS, *words)
        expected = fitted(compiled(make()), x, y, STEPS)
        same_weights("steps", expected, name)
        expect(np.abs(expected[0] - before[0]).max() > 1e-4, f"{name}: did not move")
        # Half of them, and the other half in Keras, from the state that dtrain exports.
        steps_from("start.keras", x, "half", STEPS // 2, *words)
        done = run("export", "half", "--to", "half.keras")
        warning = "Keras's AdamW also decays the biases" if "adamw" in words else ""
        expect(done.returncode == 0 and warning in done.stderr and bool(warning) == bool(done.stderr),
               f"{name}: {done.stderr}")
        model = keras.models.load_model("half.keras")
        expect(int(model.optimizer.iterations) == STEPS // 2, f"{name}: steps of the state")
        rest = fitted(model, x, y, STEPS - STEPS // 2)
        if not warning:
            same_weights("steps", rest, f"{name}, resumed in Keras")


def check_each_regularization_makes_the_same_steps(_):
    """With so large a rate that the weights move; tanh has no kink, near which a last bit decides."""
    x, y = set_of("plain", "train")
    start = start_model(x, "tanh")
    plain = fitted(compiled(optimizers.SGD(0.3)), x, y, STEPS)
    for name, (words, hidden, last, of_sgd) in REGULARIZATIONS.items():
        model = keras.Sequential([keras.Input((x.shape[1],)),
                                  layers.Dense(16, activation="tanh", **hidden),
                                  layers.Dense(CLASSES, activation="softmax", **last)])
        model.set_weights(start)
        model.compile(optimizers.SGD(0.3, **of_sgd), "sparse_categorical_crossentropy")
        steps_from("start.keras", x, "steps", STEPS, "--optimizer", "sgd", "--learning-rate", "0.3",
                   *words)
        expected = fitted(model, x, y, STEPS)
        same_weights("steps", expected, name)
        expect(np.abs(expected[0] - plain[0]).max() > 1e-2, f"{name}: has an effect")


def check_each_schedule_has_the_same_rates(_):
    x, y = set_of("plain", "train")
    start_model(x)
    for name, (words, rate) in SCHEDULES.items():
        steps_from("start.keras", x, "steps", STEPS, "--optimizer", "sgd", "--schedule",
                   name.split()[0], *words)
        same_weights("steps", fitted(compiled(optimizers.SGD(rate)), x, y, STEPS), name)
        with h5py.File("steps/run.h5") as log:
            found = log["epochs"]["learning_rate"]
        rates = [float(rate(t)) if callable(rate) else rate for t in range(STEPS)]
        expect(np.abs(found - rates).max() < 1e-8, f"{name}: {found}, expected {rates}")


def check_plateaus_are_the_same(_):
    """With so large a rate that the loss rises, too."""
    x, y = set_of("plain", "train")
    start_model(x)
    steps_from("start.keras", x, "steps", STEPS, "--optimizer", "sgd", "--learning-rate", "20",
               "--schedule", "plateau", "--schedule-every", "2", "--schedule-factor", "0.5")
    with h5py.File("steps/run.h5") as log:
        found, losses = log["epochs"]["learning_rate"], log["epochs"]["val_loss"]
    judge = keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=2)
    model = compiled(optimizers.SGD(20.0))
    judge.set_model(model)
    judge.on_train_begin()
    expected = []
    for epoch, loss in enumerate(losses):
        expected.append(float(model.optimizer.learning_rate))
        judge.on_epoch_end(epoch, {"val_loss": loss})
    expect(list(found) == expected and expected[-1] < 20, f"{list(found)}, expected {expected}")


ACTIVATIONS = ["relu", "tanh", "sigmoid", "gelu", "silu", "elu", "selu", "leaky_relu", "softplus",
               "hard_sigmoid", "linear"]
NORMS = ["none", "layer", "rms", "batch"]


def check_each_activation_and_norm(_):
    """The same predictions, and the same weights after 20 steps over all rows, by SGD: Adam would
    make differences of rounding large where the gradient is almost 0."""
    x, y = set_of("plain", "train")
    test = set_of("plain", "test")[0]
    for i, activation in enumerate(ACTIVATIONS):
        # Each norm in turn, and each with the first activation.
        for norm in NORMS if i == 0 else [NORMS[i % 4]]:
            name = f"{activation}-{norm}"
            dtrain("train", "data", "--hidden", "20,16", "--activation", f"{activation},tanh", "--norm",
                   norm, "--optimizer", "sgd", "--learning-rate", "0.1", "--momentum", "0.5", "--epochs",
                   "2", "--out", name, "--quiet")
            dtrain("export", name, "--to", f"{name}.keras")
            same_predictions(keras.models.load_model(f"{name}/model.h5"), name, test)
            model = keras.models.load_model(f"{name}.keras")
            same_predictions(model, name, test)
            same_weights_after_steps(model, name, x, y)
            same_onnx(name, test)


def same_weights_after_steps(model, name, x, y):
    dtrain("train", "data", "--init-from", name, "--batch", str(10 * len(x)), "--epochs", "20",
           "--patience", "99", "--no-restore-best", "--quiet", "--out", f"{name}-on")
    dtrain("export", f"{name}-on", "--to", "on.npz")
    before = [np.array(w) for w in model.get_weights()]
    model.fit(x, y, batch_size=len(x), epochs=20, shuffle=False, verbose=0)
    names, seen = [], {}
    for layer in model.layers:
        number = seen.setdefault(type(layer).__name__, 0)
        seen[type(layer).__name__] += 1
        names += [f"{weight.name}_{number}" for weight in layer.weights]
    expect(len(names) == len(before), f"{name}: {names}")
    with np.load("on.npz") as arrays:
        expect(sorted(names) == sorted(arrays.files), f"{name}: {names}, {arrays.files}")
        for part, old, new in zip(names, before, model.get_weights()):
            worst = np.abs(arrays[part] - new).max()
            expect(worst < 1e-5, f"{name}: {part} differs by {worst}")
            # Batch normalization takes the biases before it away again.
            if not (name.endswith("-batch") and part in ("bias_0", "bias_1")):
                expect(np.abs(new - old).max() > 1e-4, f"{name}: {part} did not move")


def same_onnx(name, x, silent=True):
    done = run("export", name, "--to", "each.onnx")
    if done.returncode == 2 and "built without ONNX" in done.stderr:
        return
    expect(done.returncode == 0 and not (silent and done.stderr), f"{name}: {done.stderr}")
    onnx.checker.check_model(onnx.load("each.onnx"), full_check=True)
    session = onnxruntime.InferenceSession("each.onnx", providers=["CPUExecutionProvider"])
    found = session.run(["probabilities"], {"inputs": x})[0]
    worst = np.abs(found - dtrain_predict(name, x)[0]).max()
    expect(worst <= 2e-6, f"{name}: a probability of ONNX Runtime differs by {worst}")


def check_dtrain_reads_each_activation(_):
    x, y = learnable(700, INPUTS, CLASSES, seed=5)
    for activation in ACTIVATIONS:
        model = keras.Sequential([keras.Input((INPUTS,)), layers.Dense(16, activation=activation),
                                  layers.Dense(CLASSES, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy")
        fit(model, x, y)
        for suffix in FORMATS:
            model.save(f"each{suffix}")
            same_predictions(model, f"each{suffix}", x)


def check_models_in_models_and_their_layers(_):
    """Models as layers, PReLU, and layers without bias: the same predictions, from both, and the same
    weights after 20 steps."""
    x, y = set_of("plain", "train")
    test = set_of("plain", "test")[0]
    start = layers.Input((INPUTS,))
    normed = keras.Sequential([layers.Dense(16, use_bias=False), layers.BatchNormalization()])
    bent = keras.Sequential([layers.PReLU(alpha_initializer="glorot_uniform"), layers.Dropout(0.0)])
    inner = keras.Sequential([normed, bent])
    second = keras.Sequential([keras.Input((16,)), layers.Dense(8, use_bias=False),
                               layers.PReLU(shared_axes=[1], alpha_initializer="ones")])
    ends = layers.Dense(CLASSES, activation="softmax", use_bias=False)
    model = keras.Model(start, ends(second(inner(start))))
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=100, epochs=2, verbose=0)
    for suffix in FORMATS:
        model.save(f"inner{suffix}")
        same_predictions(model, f"inner{suffix}", test)
    keras.models.load_model("inner.keras", compile=False).save("start.keras")
    model = compiled(optimizers.SGD(0.05))
    steps_from("start.keras", x, "inner-on", STEPS, "--optimizer", "sgd", "--learning-rate", "0.05")
    fitted(model, x, y, STEPS)
    expected, found = predictions(model, test), dtrain_predict("inner-on", test)[0]
    expect(np.abs(expected - found).max() < 1e-4, f"after steps: {np.abs(expected - found).max()}")
    for suffix in FORMATS:
        dtrain("export", "inner-on", "--to", f"flat{suffix}")
        flat = keras.models.load_model(f"flat{suffix}")
        same_predictions(flat, "inner-on", test)
        expect(flat.count_params() == model.count_params(), f"{flat.count_params()} parameters")
    same_onnx("inner-on", test, silent=False)


def two_classes(x):
    """Models with one unit for two classes, of layers as people put them together."""
    def chain(*between, end="sigmoid", loss="binary_crossentropy"):
        model = keras.Sequential([keras.Input((INPUTS,)), *between, layers.Dense(1), layers.Activation(end)])
        model.compile("adam", loss)
        return model

    adapted = layers.Normalization()
    adapted.adapt(x)
    start = keras.Input((INPUTS,))
    inner = layers.Activation("swish")(layers.BatchNormalization()(layers.Dense(9, use_bias=False)(start)))
    functional = keras.Model(start, layers.Dense(1, activation="sigmoid")(layers.Dropout(0.2)(inner)))
    functional.compile("adam", "binary_crossentropy")
    logits = chain(layers.Dense(6, activation="tanh"), end="linear",
                   loss=keras.losses.BinaryCrossentropy(from_logits=True))
    return [
        chain(layers.Dense(6, activation="relu")), functional, logits,
        chain(layers.BatchNormalization(), layers.Dense(6), layers.BatchNormalization(scale=False),
              layers.LeakyReLU(), layers.Dense(7, activation=layers.LeakyReLU(negative_slope=0.05)),
              layers.BatchNormalization(center=False)),
        chain(layers.Rescaling(0.5, -1.0), layers.Dense(6), layers.ReLU(1.5, negative_slope=0.1),
              layers.Dense(5), layers.ELU(0.6), layers.Rescaling([1.0, -2.0, 3.0, 0.5, 0.1])),
        chain(adapted, layers.Reshape((4, INPUTS // 4)), layers.Flatten(), layers.Dense(6, activation="relu6"),
              layers.LayerNormalization(), layers.GaussianDropout(0.1), layers.Dense(5),
              layers.ReLU(threshold=0.25))]


def check_one_unit_becomes_two_classes(_):
    x, y = learnable(300, INPUTS, 2, seed=8)
    for i, model in enumerate(two_classes(x)):
        fit(model, x, y, epochs=2)
        expected = predictions(model, x)
        if model.layers[-1].activation is keras.activations.linear:
            expected = 1 / (1 + np.exp(-expected))
        for suffix in FORMATS:
            path = f"one{i}{suffix}"
            model.save(path)
            found = dtrain_predict(path, x)[0]
            worst = np.abs(found - np.hstack([1 - expected, expected])).max()
            expect(worst <= 1e-6, f"{path}: a probability differs by {worst}")
            accuracy = ((expected[:, 0] > 0.5) == y).mean()
            expect(abs(dtrain_accuracy(path, x, y) - accuracy) < 1e-6, f"{path}: another accuracy")
            expect(run("export", path, "--to", f"two{suffix}").returncode == 0, f"{path}: no export")
            again = predictions(keras.models.load_model(f"two{suffix}", compile=False), x)
            expect(np.abs(again - found).max() <= 1e-6, f"{path}: its export predicts otherwise")
            same_onnx(path, x, silent=False) # it warns of dropout


INITS = ["glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal",
         "fan_in_uniform"] # the last one is PyTorch's


def check_initial_weights(_):
    """Their quantiles are those of Keras's, among them the smallest and the largest weight."""
    shape, at = (300, 300), np.linspace(0, 1, 21)
    for init in INITS:
        dtrain("train", "data", "--hidden", "300,300", "--init", init, "--learning-rate", "1e-30",
               "--epochs", "1", "--quiet", "--out", init)
        dtrain("export", init, "--to", "init.npz")
        fan_in = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")
        expected = fan_in if init == "fan_in_uniform" else keras.initializers.get(init)
        expected = np.asarray(expected(shape)).ravel()
        with np.load("init.npz") as arrays:
            expect(arrays["kernel_1"].shape == shape, init)
            found = arrays["kernel_1"].ravel()
        spread = expected.std()
        expect(abs(found.std() / spread - 1) < 0.02, f"{init}: {found.std()}, Keras has {spread}")
        worst = np.abs(np.quantile(found, at) - np.quantile(expected, at)).max()
        expect(worst < 0.05 * spread, f"{init}: a quantile differs by {worst}")


def check_keras_goes_on_where_training_stopped(summaries):
    for name in summaries:
        for suffix in reversed(FORMATS):
            path = f"{name}-exported{suffix}"
            dtrain("export", f"results/{name}", "--to", path)
            model = keras.models.load_model(path)
            x, y = set_of(name, "test")
            same_predictions(model, path, x)
            same_predictions(model, f"results/{name}", x)
        x, y = set_of(name, "train") # the last is the .keras
        optimizer = model.optimizer
        steps = int(optimizer.iterations)
        expected = int(summaries[name]["epochs"]) * -(-len(x) // 100)
        expect(steps == expected, f"{path}: Adam has done {steps} steps, expected {expected}")
        moments = [np.asarray(v) for v in optimizer.variables[2:]]
        expect(len(moments) == 2 * len(model.trainable_variables) and
               all(np.abs(moment).sum() > 0 for moment in moments), f"{path}: Adam's moments")
        before = model.evaluate(x, y, verbose=0, return_dict=True)["loss"]
        model.fit(x, y, batch_size=100, epochs=2, verbose=0)
        expect(int(optimizer.iterations) == steps + 2 * -(-len(x) // 100), f"{path}: steps")
        after = model.evaluate(x, y, verbose=0, return_dict=True)["loss"]
        expect(after < before - 1e-4, f"{path}: loss {before} before, {after} after two epochs")


def check_onnx_runtime_predicts_the_same(summaries):
    for name in summaries:
        path = f"{name}.onnx"
        done = run("export", f"results/{name}", "--to", path)
        if done.returncode == 2 and "built without ONNX" in done.stderr:
            print("left out: this dtrain was built without ONNX")
            return
        expect(done.returncode == 0 and not done.stderr, f"{path}: {done.stderr}")
        onnx.checker.check_model(onnx.load(path), full_check=True)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        x = set_of(name, "test")[0]
        probabilities, chosen = session.run(["probabilities", "class"], {"inputs": x})
        expected, classes = dtrain_predict(f"results/{name}", x)
        worst = np.abs(probabilities - expected).max()
        expect(worst <= 2e-6, f"{path}: a probability differs by {worst}")
        expect((chosen == classes).mean() > 0.99, f"{path}: the classes differ")


# ---- values ----

# What dtrain is told, what Keras calls the loss, and the power of the target's deviation that its
# loss is larger by.
VALUE_LOSSES = {
    "mse": ([], "mean_squared_error", 2),
    "mae": ([], "mean_absolute_error", 1),
    "huber": (["--huber-delta", "0.7"], "huber", 2),
    "quantile": (["--quantile", "0.3"], None, 1),
}


def save_values(targets):
    """Sets values1 or values2; the targets differ in mean and spread."""
    for seed, (part, rows) in enumerate({"train": 600, "validation": 150, "test": 150}.items()):
        random = np.random.default_rng(seed)
        x = random.normal(size=(rows, INPUTS)).astype(np.float32)
        y = np.stack([1000 + 50 * (x[:, 0] + x[:, 1] ** 2), -3 + 0.01 * x[:, 2]], 1)
        y = (y if targets == 2 else y[:, 0]).astype(np.float32)
        save(f"values{targets}-{part}.npz", inputs=x, targets=y)


def values_of(targets, part):
    with np.load(f"values{targets}-{part}.npz") as arrays:
        return arrays["inputs"], arrays["targets"]


def dtrain_values(path, x):
    """Returns the predicted values [N,C]."""
    save("rows.npz", inputs=x)
    dtrain("predict", path, "rows.npz", "--out", "predictions.npz")
    with np.load("predictions.npz") as made:
        return made["predicted"].reshape(len(x), -1)


def close(found, expected, what):
    expect(found.shape == expected.shape, f"{what}: {found.shape}, expected {expected.shape}")
    worst = (np.abs(found - expected) / np.abs(expected)).max()
    expect(worst <= 1e-5, f"{what}: a value differs by {worst} of it")


def export_values(name, path, *warnings):
    done = run("export", name, "--to", path)
    expect(done.returncode == 0 and done.stderr.count("\n") == len(warnings) and
           all(warning in done.stderr for warning in warnings), f"{path}: {done.stderr}")


def same_values_everywhere(name, x, lost):
    """Returns the .keras as Keras loads it."""
    expected = dtrain_values(name, x)
    export_values(name, f"{name}.keras", "Adam's state", *lost)
    export_values(name, f"{name}.h5")
    for path in (f"{name}/model.h5", f"{name}.h5", f"{name}.keras"):
        model = keras.models.load_model(path)
        close(predictions(model, x), expected, f"{path} in Keras")
        expect((dtrain_values(path, x) == expected).all(), f"{path}: dtrain predicts otherwise")
    done = run("export", name, "--to", f"{name}.onnx")
    if done.returncode != 2 or "built without ONNX" not in done.stderr:
        onnx.checker.check_model(onnx.load(f"{name}.onnx"), full_check=True)
        session = onnxruntime.InferenceSession(f"{name}.onnx", providers=["CPUExecutionProvider"])
        close(session.run(["predicted"], {"inputs": x})[0], expected, f"{name}.onnx")
    dtrain("export", name, "--to", f"{name}.npz")
    with np.load(f"{name}.npz") as a:
        z = np.maximum(x @ a["kernel_0"] + a["bias_0"], 0) @ a["kernel_1"] + a["bias_1"]
        close(z * a["target_deviation"] + a["target_mean"], expected, f"{name}.npz")
    return model


def same_scores(model, name, targets, power, summary):
    """Keras's loss and metrics are those of one target in its own units."""
    x, y = values_of(targets, "test")
    found = model.evaluate(x, y, verbose=0, return_dict=True)
    scores = dtrain("evaluate", name, f"values{targets}-test.npz")
    with np.load(f"{name}.npz") as arrays:
        loss = float(summary["test_loss"]) * arrays["target_deviation"][0] ** power
    for key, expected in (("loss", loss), ("RootMeanSquaredError", float(scores["rmse"])),
                          ("mean_absolute_error", float(scores["mae"]))):
        expect(abs(found[key] / expected - 1) < 1e-4, f"{name}: {key} {found[key]}, not {expected}")


def trains_on(model, name, targets):
    """In Keras, whose model comes back to dtrain, and is trained there."""
    x, y = values_of(targets, "train")
    test = values_of(targets, "test")[0]
    expect(int(model.optimizer.iterations) == 0, f"{name}: the state of other gradients")
    before = model.evaluate(x, y, verbose=0, return_dict=True)["loss"]
    model.fit(x, y, batch_size=100, epochs=5, verbose=0)
    after = model.evaluate(x, y, verbose=0, return_dict=True)["loss"]
    expect(after < before, f"{name}: loss {before} before, {after} after five epochs")
    for suffix in FORMATS:
        path = f"{name}-again{suffix}"
        model.save(path)
        close(dtrain_values(path, test), predictions(model, test), path)
    done = run("train", f"values{targets}", "--init-from", f"{name}-again.keras", "--epochs", "1",
               "--quiet", "--learning-rate", "1e-30", "--force", "--out", "unmoved")
    expect(done.returncode == 0 and "behind a Rescaling" in done.stderr, f"{name}: {done.stderr}")
    close(dtrain_values("unmoved", test), predictions(model, test), f"{name}, --init-from")


def check_values(_):
    for targets in (1, 2):
        save_values(targets)
        for loss, (words, keras_name, power) in VALUE_LOSSES.items():
            name = f"{loss}{targets}"
            summary = dtrain("train", f"values{targets}", "--loss", loss, *words, "--epochs", "10",
                             "--out", name, "--quiet")
            if loss == "huber" and targets == 2: # Keras has one delta for both
                keras_name = None
            lost = [f"does not contain the loss {loss}"] if keras_name is None else []
            model = same_values_everywhere(name, values_of(targets, "test")[0], lost)
            found = model.loss if model.loss is None else getattr(model.loss, "name", model.loss)
            expect(found == keras_name, f"{name}: compiled with {found}, not {keras_name}")
            if keras_name is not None and targets == 1:
                same_scores(model, name, targets, power, summary)
            if keras_name is not None:
                trains_on(model, name, targets)


def value_models(targets):
    """Models of values made in Keras."""
    def chain(*end):
        return keras.Sequential([keras.Input((INPUTS,)), layers.Dense(8, activation="relu"),
                                 layers.Dense(targets), *end])

    for loss in ("mse", "mean_absolute_error", keras.losses.MeanSquaredError(),
                 keras.losses.Huber(0.5), "huber"):
        model = chain()
        model.compile("adam", loss)
        yield model
    yield chain(layers.Rescaling(50.0, 1000.0))
    yield chain(layers.Rescaling(np.arange(1.0, 1.0 + targets), np.full(targets, 1000, np.float32)))
    yield chain(layers.Activation("linear"), layers.Rescaling(2.5))
    if targets == 1:
        yield chain()


def check_dtrain_reads_values_of_models_made_in_keras(_):
    for targets in (1, 2):
        save_values(targets)
        x, y = values_of(targets, "train")
        test = values_of(targets, "test")[0]
        for i, model in enumerate(value_models(targets)):
            if model.compiled:
                fit(model, x, y)
            expected = predictions(model, test)
            for suffix in FORMATS:
                path = f"made{i}{suffix}"
                model.save(path)
                found = dtrain_values(path, test)
                worst = np.abs(found - expected).max() / np.abs(expected).max()
                expect(worst < 1e-5, f"{path}: a value differs by {worst}")
            mae = float(dtrain("evaluate", path, f"values{targets}-train.npz")["mae"])
            wrong = np.abs(predictions(model, x) - y.reshape(len(y), -1)).mean()
            expect(abs(mae / wrong - 1) < 1e-5, f"{path}: MAE {mae}, expected {wrong}")
            dtrain("train", f"values{targets}", "--init-from", path, "--epochs", "1", "--quiet",
                   "--force", "--out", "made")


def foreign_models():
    """Models that dtrain does not take, each with what its line has to name."""
    def chain(*between, last=("softmax", CLASSES, "last"), shape=(INPUTS,)):
        activation, units, name = last
        return keras.Sequential([keras.Input(shape), *between,
                                 layers.Dense(units, activation=activation, name=name)])

    start, other = keras.Input((INPUTS,)), keras.Input((INPUTS,))
    sides = [layers.Dense(4, name=side)(start) for side in ("left", "right")]
    both = layers.Concatenate(name="both")(sides)
    fork = keras.Model(start, layers.Dense(CLASSES, activation="softmax")(both))
    probability = chain(layers.Dense(6), last=("linear", 1, "probability"))
    probability.compile("adam", keras.losses.BinaryCrossentropy())
    return [
        (chain(layers.Dense(6), layers.UnitNormalization(name="round")), ["'round'", "UnitNormalization"]),
        (chain(layers.Dense(6, activation="mish", name="smooth")), ["'smooth'", "mish"]),
        (chain(layers.Dense(6, activation="softmax", name="early")), ["'early'", "softmax"]),
        (chain(layers.Dense(6, name="deep"), layers.Flatten(), shape=(4, 3)), ["'deep'", "dimensions"]),
        (chain(layers.Dense(6), last=("sigmoid", 2, "labels")), ["'labels'", "2 sigmoid units"]),
        (chain(layers.Dense(6), last=("linear", 2, "price")), ["'price'"]),
        (probability, ["'probability'"]),
        (keras.Sequential([chain(), layers.Rescaling(0.5, name="more")]), ["'more'", "softmax"]),
        (keras.Model(start, sides), ["2 outputs"]),
        (keras.Model([start, other], layers.Dense(1)(layers.Add()([start, other]))), ["2 inputs"]),
        (fork, ["'right'"])]


def check_dtrain_names_what_it_does_not_take(_):
    for model, texts in foreign_models():
        for suffix in FORMATS:
            model.save(f"refused{suffix}")
            refused(f"refused{suffix}", f"refused{suffix}: ", *texts)


# ---- encodings, members, residual connections ----

MEMBERS, PIECEWISE = ["--members", "3"], ["--numeric-embedding", "piecewise", "--bins", "20"]
FULL = [*MEMBERS, "--members-kind", "full"]
NETWORKS = {
    "residual": ["--hidden", "16,16,16", "--residual"],
    "residual-norm": ["--hidden", "16,16,16", "--residual", "--norm", "layer", "--dropout", "0.1"],
    "members": [*MEMBERS, "--hidden", "16,12"],
    "members-deep": [*MEMBERS, "--hidden", "16,16,8", "--residual", "--norm", "rms", "--dropout", "0.1",
                     "--activation", "gelu,silu,elu"],
    "members-norm": [*MEMBERS, "--hidden", "16,16", "--norm", "layer", "--noise", "0.1"],
    "members-batch": [*MEMBERS, "--hidden", "16,16", "--norm", "batch", "--residual"],
    "members-none": [*MEMBERS, "--hidden", "none"],
    "members-full": [*FULL, "--hidden", "16,12"],
    "members-full-all": [*PIECEWISE, *FULL, "--hidden", "16,16,8", "--residual", "--norm", "layer", "--dropout", "0.1",
                         "--activation", "gelu,silu,linear", "--init", "fan_in_uniform"],
    "members-full-batch": [*FULL, "--hidden", "16,16", "--norm", "batch", "--residual"],
    "bins": [*PIECEWISE, "--embedding-width", "3"],
    "bins-norm": [*PIECEWISE, "--hidden", "20,20", "--norm", "rms", "--residual"],
    "bins-none": [*PIECEWISE, "--hidden", "none"],
    "both": [*PIECEWISE, *MEMBERS, "--hidden", "16,16"],
    "both-all": [*PIECEWISE, *MEMBERS, "--hidden", "16,16,16", "--norm", "layer", "--residual", "--dropout",
                 "0.1", "--noise", "0.1", "--activation", "selu", "--optimizer", "adamw", "--ema", "0.9"],
    "both-none": [*PIECEWISE, *MEMBERS, "--hidden", "none"],
}


def mixed(rows, seed):
    """Inputs that are 0 or 1 between numbers: some of bins much narrower than their edges are large, some
    that are tiny, some that are 0 in most rows. Every tenth row is far away."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, INPUTS))
    x[:, [1, 5, 6, 11]] = x[:, [1, 5, 6, 11]] > 0
    x[:, 2] = np.where(random.random(rows) < 0.05, x[:, 2], 3 + 1e-5 * np.round(20 * x[:, 2]))
    x[:, 3] *= 1e-12
    x[:, 7] = np.where(random.random(rows) < 0.6, 0, np.round(30 * x[:, 7]) / 10)
    score = np.stack([x[:, 0] ** 2, x[:, 1] + x[:, 7] > 0.5, 2e12 * x[:, 3] * x[:, 4]], 1)
    return x.astype(np.float32), score


def save_mixed():
    """Sets mixed (classes), mixed1 and mixed2 (values)."""
    for seed, (part, rows) in enumerate({"train": 900, "validation": 150, "test": 150}.items()):
        x, score = mixed(rows, seed)
        y = score.argmax(axis=1)
        y[:CLASSES] = np.arange(CLASSES)
        save(f"mixed-{part}.npz", inputs=x, targets=y)
        values = np.stack([1000 + 50 * score[:, 0], -3 + 0.01 * score[:, 1]], 1).astype(np.float32)
        save(f"mixed1-{part}.npz", inputs=x, targets=values[:, 0])
        save(f"mixed2-{part}.npz", inputs=x, targets=values)


def rows_anywhere():
    """Rows within and beyond the range of the training rows, and the training rows' own values, which are
    the edges."""
    x = mixed(300, 77)[0]
    x[::3] *= 5
    x[1::30] = -1e4
    with np.load("mixed-train.npz") as arrays:
        return np.concatenate([x, arrays["inputs"][:200]])


def predictions_of(path, x):
    """Of rows beyond the range dtrain warns."""
    save("rows.npz", inputs=x)
    done = run("predict", path, "rows.npz", "--out", "predictions.npz")
    expect(done.returncode == 0 and (not done.stderr or "outside the range" in done.stderr), done.stderr)
    with np.load("predictions.npz") as made:
        key = "probabilities" if "probabilities" in made.files else "predicted"
        return made[key].reshape(len(x), -1), made["predicted"]


def same_as(expected, found, what):
    expect(found.shape == expected.shape, f"{what}: {found.shape}, expected {expected.shape}")
    worst = (np.abs(found - expected) / np.maximum(np.abs(expected), 1)).max()
    expect(worst <= 1e-5, f"{what}: a prediction differs by {worst}")


def same_in_onnx(name, x, expected, chosen):
    done = run("export", name, "--to", f"{name}.onnx")
    if done.returncode == 2 and "built without ONNX" in done.stderr:
        return
    onnx.checker.check_model(onnx.load(f"{name}.onnx"), full_check=True)
    session = onnxruntime.InferenceSession(f"{name}.onnx", providers=["CPUExecutionProvider"])
    found = session.run(None, {"inputs": x})
    same_as(expected, found[0], f"{name}.onnx")
    if len(found) > 1:
        two = np.sort(expected, axis=1)[:, -2:]
        clear = two[:, 1] - two[:, 0] > 1e-4
        expect((found[1] == chosen)[clear].all(), f"{name}.onnx: a class differs")


def same_everywhere(name, x):
    """Returns the model as Keras loads it from .keras."""
    expected, chosen = predictions_of(name, x)
    for suffix in FORMATS:
        done = run("export", name, "--to", f"{name}{suffix}")
        expect(done.returncode == 0, f"{name}: {done.stderr}")
    for path in (f"{name}/model.h5", f"{name}.h5", f"{name}.keras"):
        same_as(expected, predictions(keras.models.load_model(path), x), path)
    expect((predictions_of(f"{name}.h5", x)[0] == expected).all(), f"{name}.h5: dtrain differs")
    refused(f"{name}.keras", "does not read back", "model.h5")
    same_in_onnx(name, x, expected, chosen)
    return keras.models.load_model(f"{name}.keras")


def check_networks_of_classes(_):
    save_mixed()
    x = rows_anywhere()
    for name, words in NETWORKS.items():
        dtrain("train", "mixed", *words, "--epochs", "6", "--learning-rate", "0.01", "--out", name, "--quiet")
        model = same_everywhere(name, x)
        own = [layer.__class__.__module__ for layer in model.layers]
        expect(all(module.startswith("keras.src.layers") for module in own), f"{name}: {own}")


def check_networks_of_values(_):
    save_mixed()
    x = rows_anywhere()
    for name in ("residual", "members-norm", "members-full-all", "bins", "both-all"):
        for targets in (1, 2):
            out = f"{name}{targets}"
            dtrain("train", f"mixed{targets}", *NETWORKS[name], "--epochs", "6", "--out", out, "--quiet")
            same_everywhere(out, x)


# Of a prepared table: no other data says which inputs are the categories of a column.
TABLES = {
    "categories": ["--category-embedding", "3"],
    "categories-none": ["--category-embedding", "5", "--hidden", "none"],
    "categories-members": ["--category-embedding", "4", *MEMBERS, "--hidden", "16,12", "--norm", "rms"],
    "categories-both": ["--category-embedding", "3", *PIECEWISE, "--embedding-width", "5", *MEMBERS,
                        "--hidden", "16,16", "--residual", "--dropout", "0.1", "--noise", "0.1"],
}


def save_table(name, columns, *words):
    """Prepares columns of a table; returns rows of it, and some with several categories of a column."""
    places = [HEADER.index(column) for column in columns]
    write_table(f"{name}.csv", [[row[i] for i in places] for row in make_rows(900, 3, 4)], columns)
    dtrain("prepare", f"{name}.csv", "--target", "outcome", "--out", name, *words, "--quiet")
    with np.load(f"{name}/train.npz") as arrays:
        x = arrays["inputs"].astype(np.float32)[:300]
    x[3::7] = np.random.default_rng(4).normal(size=x[3::7].shape)
    return x


def check_networks_of_categories(_):
    """Behind numbers and their indicators, and without other inputs."""
    rows = {"among": save_table("among", HEADER, "--fill", "indicator,category"),
            "alone": save_table("alone", ["job", "contact", "month", "outcome"], "--fill", "category")}
    for name, words in TABLES.items():
        for data in rows if "--bins" not in words else ["among"]:
            out = f"{name}-{data}"
            dtrain("train", data, *words, "--epochs", "6", "--learning-rate", "0.01", "--out", out, "--quiet")
            model = same_everywhere(out, rows[data])
            with h5py.File(f"{out}/model.h5") as file:
                table = file["dtrain/tensors/category_embedding/table"][...]
            found = model.get_layer("category_embedding").get_weights()
            expect(len(found) == 1 and (found[0] == table).all(), f"{out}: the table")
            groups = model.get_layer("category_columns").get_weights()
            with np.load(f"{data}/train.npz") as arrays:
                fit(model, arrays["inputs"], arrays["targets"])
            after = model.get_layer("category_columns").get_weights()
            expect((after[0] == groups[0]).all(), f"{out}: the columns stay")
            after = model.get_layer("category_embedding").get_weights()
            expect((after[0] != table).any(), f"{out}: the table trains")


# Frequencies that make many turns over the rows, too.
WAVES = {
    "waves": ["--hidden", "20"],
    "waves-none": ["--hidden", "none", "--frequencies", "5", "--frequency-scale", "3"],
    "waves-members": [*MEMBERS, "--hidden", "16,16", "--frequency-scale", "0.5", "--norm", "batch", "--noise", "0.1"],
}


def check_networks_of_waves(_):
    """Keras has no layer for them; ONNX Runtime has."""
    save_mixed()
    x = rows_anywhere()
    for name, words in WAVES.items():
        for data in ("mixed", "mixed1"):
            out = f"{name}-{data}"
            done = run("train", data, "--numeric-embedding", "periodic", *words, "--epochs", "6",
                       "--learning-rate", "0.01", "--out", out, "--quiet")
            expect(done.returncode == 0 and "only dtrain opens it" in done.stderr, f"{out}: {done.stderr}")
            expected, chosen = predictions_of(out, x)
            same_in_onnx(out, x, expected, chosen)
            done = run("export", out, "--to", f"{out}.keras")
            expect(done.returncode == 2 and done.stderr.count("\n") == 1 and "Keras has no layer" in done.stderr,
                   f"{out}: {done.stderr}")
            expect(run("export", out, "--to", f"{out}.h5").returncode == 0, f"{out}.h5")
            expect((predictions_of(f"{out}.h5", x)[0] == expected).all(), f"{out}.h5: dtrain differs")


def check_networks_of_encoded_inputs_alone(_):
    x, _ = set_of("plain", "train")
    dtrain("train", "data", *NETWORKS["both"], "--epochs", "3", "--out", "numbers", "--quiet")
    same_everywhere("numbers", np.concatenate([x, 9 * x]))


def check_networks_behind_a_normalization(_):
    """As of a model that began in Keras: the layer is put into a file of dtrain's."""
    save_mixed()
    x = rows_anywhere()
    x = x[np.abs(x).max(axis=1) < 100]
    dtrain("train", "mixed", *NETWORKS["both"], "--epochs", "3", "--out", "behind", "--quiet")
    expected = predictions_of("behind", x)[0]
    mean = np.zeros(INPUTS, np.float32)
    mean[[1, 5]] = 2 # of inputs that are 0 or 1
    with h5py.File("behind/model.h5", "r+") as file:
        own = file["dtrain"]
        model = json.loads(own.attrs["model"])
        model["layers"].insert(0, {"kind": "normalization"})
        model["optimizer"]["has_state"] = False
        own.attrs["model"] = json.dumps(model)
        own["tensors/normalization/mean"] = mean
        own["tensors/normalization/variance"] = np.full(INPUTS, 0.25, np.float32)
    dtrain("export", "behind", "--to", "behind/model2.h5")
    os.replace("behind/model2.h5", "behind/model.h5")
    x = x / 2 + mean # exact
    same_everywhere("behind", x)
    expect((predictions_of("behind", x)[0] == expected).all(), "the rows are normalized")


def check_keras_trains_networks_on(_):
    """Fit makes them better, and leaves the edges alone."""
    save_mixed()
    with np.load("mixed-train.npz") as arrays:
        x, y = arrays["inputs"], arrays["targets"]
    for name in ("residual", "both"):
        dtrain("train", "mixed", *NETWORKS[name], "--epochs", "1", "--out", f"{name}-begun", "--quiet")
        done = run("export", f"{name}-begun", "--to", "begun.keras")
        lost = "does not contain Adam's state" in done.stderr
        expect(done.returncode == 0 and lost == (name == "both"), f"{name}: {done.stderr}")
        model = keras.models.load_model("begun.keras")
        steps = int(model.optimizer.iterations)
        expect((steps > 0) == (name == "residual"), f"{name}: {steps} steps of Adam's")
        fixed = [np.asarray(w.value) for w in model.non_trainable_weights]
        expect(len(fixed) == (3 if name == "both" else 0), f"{name}: {len(fixed)} weights do not train")
        before = model.evaluate(x, y, verbose=0, return_dict=True)["loss"]
        model.fit(x, y, batch_size=64, epochs=3, verbose=0)
        after = model.evaluate(x, y, verbose=0, return_dict=True)["loss"]
        expect(after < before - 1e-3, f"{name}: loss {before} before, {after} after three epochs")
        for old, new in zip(fixed, model.non_trainable_weights):
            expect((old == np.asarray(new.value)).all(), f"{name}: an edge moved")
        for suffix in FORMATS: # what Keras saves again keeps its name
            model.save(f"again{suffix}")
            refused(f"again{suffix}", "does not read back", "model.h5")


def hidden_of_members(a, h, i):
    """Hidden layer i, of members that share all of it or its kernel alone."""
    if f"bias_{i}" in a:
        return np.maximum(h @ a[f"kernel_{i}"] + a[f"bias_{i}"], 0)
    if i > 0:
        h = h * a[f"member_scale_{2 * i}"]
    return np.maximum((h @ a[f"kernel_{i}"]) * a[f"member_scale_{2 * i + 1}"] + a[f"member_shift_{2 * i + 1}"], 0)


def check_arrays_of_networks(_):
    """NumPy computes the predictions from .npz, by the formulas of the documentation."""
    save_mixed()
    x = rows_anywhere().astype(np.float64)
    for kind in "mini", "full":
        dtrain("train", "mixed", *NETWORKS["both"], "--members-kind", kind, "--epochs", "6", "--out", kind, "--quiet")
        dtrain("export", kind, "--to", "arrays.npz")
        compare_arrays(kind, x)


def compare_arrays(model, x):
    with np.load("arrays.npz") as a:
        parts, others, edge, e = [], [], 0, 0
        for d, count in enumerate(a["edge_counts"].astype(int)):
            if count == 0:
                others.append(x[:, d:d + 1])
                continue
            edges = a["edges"][edge:edge + count].astype(np.float64)
            place = np.clip((x[:, d:d + 1] - edges[:-1]) / np.diff(edges), 0, 1)
            parts.append(x[:, d:d + 1] * a["slope_0"][e] + a["shift_0"][e] +
                         place @ a["bins_0"][edge - e:edge - e + count - 1])
            edge, e = edge + count, e + 1
        h = np.concatenate(parts + others, axis=1)[:, None] * a["member_scale_0"]
        for i in (0, 1):
            h = hidden_of_members(a, h, i)
        z = np.einsum("nkd,kdc->nkc", h, a["member_kernel_0"]) + a["member_bias_0"]
    z = np.exp(z - z.max(axis=2, keepdims=True))
    same_as(predictions_of(model, x.astype(np.float32))[0],
            (z / z.sum(axis=2, keepdims=True)).mean(axis=1), f"arrays.npz, {model}")


def main(checks):
    logging.getLogger("absl").setLevel(logging.ERROR) # that .h5 is a format of old
    print(f"Keras {keras.__version__}, backend {keras.backend.backend()}")
    failed = 0
    only = sys.argv[1] if len(sys.argv) > 1 else "check_"
    for name, check in [(n, c) for n, c in checks.items() if only in n]:
        start = time.monotonic()
        try:
            check()
            print(f"ok {name} {time.monotonic() - start:.1f} s")
        except Exception: # pylint: disable=broad-exception-caught; each check is to be tried
            failed += 1
            print(f"FAILED {name}\n{traceback.format_exc()}")
    sys.exit(1 if failed else 0)


def own_checks():
    summaries = prepare()
    return {name: lambda check=check: check(summaries)
            for name, check in globals().items() if name.startswith("check_")}


if __name__ == "__main__":
    main(own_checks())
