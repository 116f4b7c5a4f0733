#!/bin/sh
# predict with models of Keras: each class of layer, in each form that Keras 1, 2 and 3 write, against
# NumPy.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
cat >check.py <<'PY'
import csv, os, subprocess, sys
import numpy as np
from make_keras import FORMS, Model

DENSE, LAST = ("Dense", {"units": 7, "activation": "tanh"}), ("Dense", {"units": 3, "activation": "softmax"})
ONE = ("Dense", {"units": 1, "activation": "sigmoid"})
LINEAR = ("Dense", {"units": 6, "activation": "linear"})
BATCH, DROP = ("BatchNormalization", {}), ("Dropout", {"rate": 0.25})
LEAKY = {"class_name": "LeakyReLU", "config": {"name": "l", "alpha": 0.05000000074505806}}
LOGITS = {"class_name": "BinaryCrossentropy", "config": {"from_logits": True}}


def model(*layers, kind="Sequential"):
    return kind, {"layers": layers}


x = np.random.default_rng(3).normal(size=(40, 8)).astype(np.float32)


MODELS = {
    # two classes
    "sigmoid": ([DENSE, ONE], "binary_crossentropy"),
    "sigmoid-tanh": ([DENSE, ("Dense", {"units": 1}), ("Activation", {"activation": "sigmoid"})], None),
    "sigmoid-alone": ([("Dense", {"units": 1, "activation": "sigmoid", "use_bias": False})], "mse"),
    "sigmoid-logit": ([DENSE, ("Dense", {"units": 1, "activation": None})], LOGITS),
    "sigmoid-list": ([DENSE, ("Dense", {"units": 1, "activation": "linear"})], {"out": LOGITS}),
    "sigmoid-normed": ([DENSE, ("Dense", {"units": 1}), BATCH, ("Activation", {"activation": "sigmoid"})],
                       "binary_crossentropy"),
    # normalization
    "batch": ([DENSE, BATCH, DROP, LAST], None),
    "batch-first": ([BATCH, DENSE, BATCH, ("Dense", {"units": 4}), BATCH,
                     ("Activation", {"activation": "relu"}), LAST], None),
    "batch-last": ([DENSE, ("Dense", {"units": 3, "use_bias": False}), BATCH, ("Softmax", {})], None),
    "batch-scale": ([DENSE, ("BatchNormalization", {"scale": False, "epsilon": 1e-5, "axis": [1]}), LAST], None),
    "batch-center": ([DENSE, ("BatchNormalization", {"center": False}), LAST], None),
    "batch-neither": ([("BatchNormalization", {"center": False, "scale": False}), DENSE, LAST], None),
    "layer": ([DENSE, ("LayerNormalization", {"axis": [-1]}), ("LayerNormalization", {"scale": False}), LAST], None),
    "rms": ([DENSE, ("RMSNormalization", {"axis": -1}), LAST], None),
    "normalization": ([("Normalization", {"axis": [-1]}), DENSE, ("Normalization", {"axis": [-1]}), LAST], None),
    "given": ([DENSE, ("Normalization", {"mean": [[0.1] * 7], "variance": [[2.0] * 7]}), LAST], None),
    "rescaling": ([("Rescaling", {"scale": 1 / 127.5, "offset": -1.0}), DENSE, LAST], None),
    "rescalings": ([("Rescaling", {"scale": [0.5] * 8}), ("Normalization", {}), ("Rescaling", {"scale": -2.0}),
                    LINEAR, ("Rescaling", {"scale": 0.5, "offset": [1.0] * 6}), LAST], None),
    # activations
    "leaky": ([LINEAR, ("LeakyReLU", {"negative_slope": 0.3}), LAST], None),
    "leaky-2": ([LINEAR, ("LeakyReLU", {"alpha": 0.10000000149011612}), LINEAR, ("LeakyReLU", {}), LAST], None),
    "leaky-inside": ([("Dense", {"units": 7, "activation": LEAKY}), LAST], None),
    "relu": ([LINEAR, ("ReLU", {"max_value": 0.5, "negative_slope": 0.1, "threshold": 0.0}), LAST], None),
    "relu-threshold": ([LINEAR, ("ReLU", {"max_value": None, "negative_slope": 0.1, "threshold": 0.25}), LAST], None),
    "elu": ([LINEAR, ("ELU", {"alpha": 0.7}), LINEAR, ("ELU", {"alpha": 1.0}), LAST], None),
    "prelu": ([LINEAR, ("PReLU", {"shared_axes": None}), model(LINEAR, ("PReLU", {"shared_axes": [1]})), LAST], None),
    "thresholded": ([LINEAR, ("ThresholdedReLU", {"theta": 0.5}), LAST], None),
    "twice": ([("Activation", {"activation": "tanh"}), ("Dense", {"units": 5, "activation": "relu"}),
               ("Activation", {"activation": "sigmoid"}), LAST], None),
    # values
    "value": ([DENSE, ("Dense", {"units": 1})], "mse"),
    "values-relu": ([DENSE, ("Dense", {"units": 2, "activation": "relu"})], "mae"),
    "values-softplus": ([DENSE, ("Dense", {"units": 1, "activation": "softplus"})], None),
    "values-scaled": ([DENSE, ("Dense", {"units": 2}), ("Rescaling", {"scale": [3.0, 0.5], "offset": 2.0})], None),
    "values-negated": ([DENSE, ("Dense", {"units": 2}), ("Rescaling", {"scale": [-3.0, 0.0]})], "mse"),
    "values-0-to-2": ([DENSE, ONE, ("Rescaling", {"scale": 2.0})], "mse"),
    # layers that do nothing
    "nothing": ([("Flatten", {}), ("Reshape", {"target_shape": [8]}), ("GaussianNoise", {"stddev": 0.1}), DENSE,
                 ("ActivityRegularization", {"l1": 0.0, "l2": 0.1}), ("AlphaDropout", {"rate": 0.1}),
                 ("Activation", {"activation": "linear"}), LAST, ("Reshape", {"target_shape": [-1]})], None),
    # models in the model
    "inner": ([model(DENSE, BATCH), LINEAR, model(DROP, ("Flatten", {})), model(DENSE, BATCH, DENSE), LAST], None),
    "inner-twice": ([model(model(model(DENSE), BATCH, kind="Functional"), model(LINEAR, BATCH)), model(LAST)], None),
    "inner-frozen": ([model(("Dense", {"units": 5, "trainable": False}), BATCH, LINEAR,
                            ("BatchNormalization", {"trainable": False})), LAST], None),
    "inner-normed": ([model(("Normalization", {})), DENSE, model(BATCH, ("Normalization", {}), kind="Functional"),
                      LAST], None),
    "inner-sigmoid": ([model(DENSE, ("Dense", {"units": 1})), ("Activation", {"activation": "sigmoid"})], None),
    # names
    "names": ([("Dense", {"units": 5, "activation": "relu", "name": "größe/nach oben"}),
               ("BatchNormalization", {"name": "größe/β"}), ("Dense", {"units": 3, "activation": "softmax",
                                                                       "name": "kernel"})], None),
    "many": ([("Dense", {"units": 4, "activation": "tanh"})] * 12 + [LAST], None),
}
for name in ("gelu", "silu", "swish", "selu", "elu", "leaky_relu", "softplus", "relu6", "hard_sigmoid", "sigmoid"):
    MODELS[f"plain-{name}"] = ([("Dense", {"units": 9, "activation": name}), LAST], None)
    MODELS[f"alone-{name}"] = ([LINEAR, ("Activation", {"activation": {
        "class_name": "function", "config": name}}), LAST], None)


def check(path, name, expected, data="x.npz"):
    done = subprocess.run([os.environ["DTRAIN"], "predict", path, data],
                          capture_output=True, text=True)
    rows = list(csv.reader(done.stdout.splitlines()))
    if done.returncode != 0 or not rows:
        sys.exit(f"{path}: {name}: {done.stderr}")
    if "p_0" in rows[0]:
        first, last = rows[0].index("p_0"), rows[0].index("p_0") + expected.shape[1]
        if expected.shape[1] == 1:
            expected, last = np.hstack([1 - expected, expected]), first + 2
        if len(rows[0]) != last:
            sys.exit(f"{path}: {name}: columns {rows[0]}")
    else:
        last = len(rows[0])
        first = last - expected.shape[1]
    found = np.array([row[first:last] for row in rows[1:]], float)
    worst = np.abs(found - expected).max() / max(1.0, np.abs(expected).max())
    if found.shape != expected.shape or not worst < 1e-6:
        sys.exit(f"{path}: {name}: differs by {worst}")


np.savez("x.npz", inputs=x)
for i, (name, (layers, loss)) in enumerate(MODELS.items()):
    model = Model(8, layers, loss)
    form = FORMS[i % len(FORMS)]
    forms = FORMS if name in ("sigmoid", "batch", "leaky", "many", "normalization", "inner", "inner-twice",
                              "inner-frozen", "inner-normed") else [form]
    for form in forms:
        path = "model." + form.split(".")[1]
        probabilities = model.predict(x, keras_2=form.startswith("keras2"))
        if name in ("sigmoid-logit", "sigmoid-list"):
            probabilities = 1 / (1 + np.exp(-probabilities))
        model.save(path, form, functional=i % 3 == 1)
        check(path, f"{name} as {form}", probabilities)

# Keras 1, float64 and float16, images.
for dtype in (np.float32, np.float64, np.float16):
    model = Model(8, [DENSE, BATCH, DROP, ("LeakyReLU", {"alpha": 0.2}), ONE], dtype=dtype)
    model.save_h5("model.h5", keras=1)
    check("model.h5", f"Keras 1 of {dtype.__name__}", model.predict(x))
    model.save_keras("model.keras")
    check("model.keras", f"Keras 3 of {dtype.__name__}", model.predict(x))
model = Model((4, 2), [("Rescaling", {"scale": 1 / 255}), ("Flatten", {}), DENSE, LAST])
model.save_keras("model.keras")
check("model.keras", "images", model.predict(x))
PY
"$PYTHON" check.py 2>wrong || fail "predictions: $(cat wrong)"

# ---- training continues ----
"$PYTHON" - <<'PY'
import numpy as np
from make_keras import Model
from make_data import save_parts
save_parts("two", rows=(300, 50, 50), columns=8, classes=2)
adam = {"class_name": "Adam", "config": {"learning_rate": 0.004999999888241291}}
DENSE, ONE = ("Dense", {"units": 7, "activation": "tanh"}), ("Dense", {"units": 1, "activation": "sigmoid"})
model = Model(8, [DENSE, ("BatchNormalization", {}), ("LeakyReLU", {}), ONE], "binary_crossentropy", adam)
state = [np.int64(9), np.float32(0.005)]
for arrays in model.weights:
    for name, array in arrays:
        if not name.startswith("moving"):
            state += [np.full_like(array, 0.25), np.full_like(array, 0.5)]
model.save_keras("one.keras", state=state)
np.savez("expected.npz", first=model.weights[0][0][1], last=model.weights[-1][0][1], bias=model.weights[-1][1][1])
Model(8, [DENSE, ("Rescaling", {"scale": 2.0}), ONE], "binary_crossentropy").save_keras("rescaled.keras")
Model(8, [("BatchNormalization", {"center": False}), ONE], "binary_crossentropy").save_keras("center.keras")
Model(8, [DENSE, ("Dense", {"units": 1, "activation": "softplus"})], "mse").save_keras("softplus.keras")
PY
run 0 export one.keras --to one.h5
expect_status 0
run 2 --init-from one.keras --epochs 2 --out on two
expect_status 0
expect_empty_stderr
expect_stdout '^model +8-7-2, batch norm, tanh, softmax'
expect_stdout '^init .*Adam after 9 steps$'
expect_stdout '^training +Adam 0\.005,'
"$PYTHON" - <<'PY' 2>wrong || fail "what a sigmoid unit becomes: $(cat wrong)"
import h5py
import numpy as np
tensors, expected = h5py.File("one.h5")["dtrain"], np.load("expected.npz")
last = tensors["tensors/dense_1/kernel"][:]
assert (last[:, 0] == 0).all() and (last[:, 1] == expected["last"][:, 0]).all(), last
assert (tensors["tensors/dense_1/bias"][:] == [0, expected["bias"][0]]).all()
assert (tensors["tensors/dense/kernel"][:] == expected["first"]).all()
m, v = (tensors[f"optimizer/{name}"][:] for name in "mv")
# 63 of the first layer; scale, shift, and two averages without moments
trained = 63 + 2 * 7
assert (m[:trained] == 0.25).all() and (m[trained:-16] == 0).all() and (m[-16:] == [-0.25, 0.25] * 8).all(), m
assert (v[:trained] == 0.5).all() and (v[trained:-16] == 0).all() and (v[-16:] == 0.5).all(), v
loss = h5py.File("on/run.h5")["epochs"]["train_loss"]
assert len(loss) == 2 and loss[1] < loss[0], loss
PY

# ---- what only predict and evaluate take ----
refuse_training() {
    run 0 train two --init-from "$1" --out none
    expect_status 3
    expect_one_stderr_line "dtrain: error: $1: $2, which dtrain cannot train; use this model only with predict and evaluate"
    [ ! -e none ] || fail "no folder of a run that was refused"
}
refuse_training rescaled.keras "layer 'rescaling_4' is a Rescaling between other layers"
refuse_training center.keras "layer 'batchnormalization_3' has no beta"
run 0 evaluate rescaled.keras two
expect_status 0
run 0 inspect center.keras
expect_status 0
expect_stdout "^only for predict and evaluate: layer 'batchnormalization_3' has no beta\$"
run 0 inspect softplus.keras
expect_stdout "^only for predict and evaluate: layer 'dense_4' gives the outputs, but is not a linear Dense\$"

# ---- refusals name a remedy ----
"$PYTHON" - <<'PY'
import numpy as np
from make_keras import Model
DENSE, THREE = ("Dense", {"units": 7, "activation": "tanh"}), ("Dense", {"units": 3, "activation": "softmax"})
Model(8, [DENSE, ("Identity", {}), ("Dense", {"units": 1})], "log_cosh").save_keras("value.keras")
Model(8, [("Dense", {"units": 4, "dtype": "bfloat16"}), THREE]).save_keras("narrow.keras")
Model(8, [("Dense", {"units": 4, "dtype": "mixed_bfloat16"}), THREE]).save_keras("mixed.keras")
Model(8, [DENSE, ("Dense", {"units": 3, "activation": "sigmoid"})], "binary_crossentropy").save_h5("labels.h5")
Model(8, [DENSE, ("Dense", {"units": 3})]).save_h5("outputs.h5")
PY
run 0 predict value.keras x.npz
expect_status 0
expect_empty_stderr
run 0 inspect value.keras
expect_stdout '^ignored by dtrain: loss log_cosh$'
run 0 predict mixed.keras x.npz
expect_status 0
expect_empty_stderr
run 0 inspect mixed.keras
expect_stdout "^ignored by dtrain: dtype mixed_bfloat16 of 'dense_3'\$"
mkdir saved && : >saved/saved_model.pb
refuse() {
    run 0 predict "$1" x.npz
    expect_status 3
    expect_one_stderr_line "dtrain: error: $1: $2"
    [ ! -s stdout ] || fail "$1: nothing on stdout"
}
refuse narrow.keras "layer 'dense_3' has weights of bfloat16; in Keras save a copy of float32"
refuse labels.h5 "its last layer 'dense_4' has 3 sigmoid units, one for each of several labels (multi-label)"
refuse outputs.h5 "its last layer 'dense_4' has 3 linear units, and no loss, so it may give values or logits"
refuse saved "is a SavedModel of TensorFlow; save it in Keras 2, as tf_keras.models.load_model('saved')"
