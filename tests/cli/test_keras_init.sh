#!/bin/sh
# Training goes on with models of Keras, whatever is in them: the same on any number of ranks, interrupted or
# not, and as the same layers in each format to export to.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
: "${DTRAIN_FAULTS:=$(dirname "$DTRAIN")/tests/dtrain-faults}"
"$PYTHON" - <<'PY'
import numpy as np
from make_data import save_parts
from make_keras import Model
save_parts("three", rows=(300, 60, 60), columns=8, classes=3)
with np.load("three-test.npz") as test:
    np.savez("x.npz", inputs=test["inputs"])


def save(name, *layers):
    model = Model(8, layers, "sparse_categorical_crossentropy")
    model.save_keras(f"{name}.keras")
    np.savez(f"{name}-p.npz", p=model.predict(np.load("x.npz")["inputs"]))


BATCH, RELU = ("BatchNormalization", {}), ("Activation", {"activation": "relu"})
# 8*7 + 4*7 + 7*5 + 5*3
save("bare", ("Dense", {"units": 7, "use_bias": False}), BATCH, RELU,
     ("Dense", {"units": 5, "use_bias": False, "activation": "tanh"}),
     ("Dense", {"units": 3, "use_bias": False, "activation": "softmax"}))
# 9*40 + 40 + 41*5 + 1 + 6*3
save("bent", ("Dense", {"units": 40}), ("PReLU", {"shared_axes": None}), ("Dense", {"units": 5}),
     ("PReLU", {"shared_axes": [1]}), ("Dense", {"units": 3, "activation": "softmax"}))
PY

# trains_on MODEL PARAMETERS ARRAYS: all of the above, and that each exported file predicts the same. The .npz
# has so many arrays.
trains_on() {
    model=$1 parameters=$2 arrays=$3
    run 0 inspect "$model.keras"
    expect_status 0
    expect_stdout "P = $parameters parameters\$"
    set -- three --init-from "$model.keras" --epochs 3 --patience 9 --batch 50 --learning-rate 0.01
    run 1 "$@" --out "$model"
    expect_status 0
    expect_empty_stderr
    crc=$(summary weights_crc)
    run 3 "$@" --out "$model-3"
    [ "$(summary weights_crc)" = "$crc" ] || fail "$model: the weights of one rank on three"
    plain=$DTRAIN DTRAIN=$DTRAIN_FAULTS DTRAIN_FAULT=signal:0:13
    export DTRAIN_FAULT
    run 2 "$@" --out "$model-stopped"
    unset DTRAIN_FAULT
    DTRAIN=$plain
    expect_status 75
    run 1 --resume "$model-stopped"
    expect_status 0
    [ "$(summary weights_crc)" = "$crc" ] || fail "$model: the weights without an interruption"
    run 0 predict "$model" x.npz --out expected.npz
    for end in keras h5 onnx npz; do
        run 0 export "$model" --to "made.$end"
        [ "$end" = onnx ] && [ "$status" -eq 2 ] && continue # built without it
        expect_status 0
        expect_empty_stderr
        expect_stdout "^made.$end: $parameters parameters"
        case $end in onnx | npz) continue ;; esac
        run 0 predict "made.$end" x.npz --out found.npz
        expect_same_file expected.npz found.npz
    done
    "$PYTHON" - "$model" "$arrays" <<'PY' 2>wrong || fail "$model: $(cat wrong)"
import sys
import h5py
import numpy as np
name, count = sys.argv[1], int(sys.argv[2])
arrays = np.load("made.npz")
assert len(arrays.files) == count, arrays.files
with h5py.File(f"{name}/run.h5") as run:
    loss = run["epochs"]["train_loss"]
assert len(loss) == 3 and loss[2] < loss[0], loss
PY
}
trains_on bare 134 7
trains_on bent 624 8
