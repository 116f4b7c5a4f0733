#!/bin/sh
# train --init-from: going on from a model, dtrain's own or another's.
# long: many runs, most of them on several ranks
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" - <<'PY'
from make_data import save_parts
save_parts("three", rows=(700, 210, 133), classes=3)
save_parts("wide", rows=(300, 50, 50), columns=13, classes=3)
save_parts("two", rows=(300, 50, 50), classes=2)
save_parts("four", rows=(300, 50, 50), classes=4)
# Few rows of few classes: the last class is not among them.
save_parts("less", rows=(300, 50, 50), classes=3, change=lambda x, y: (x, y % 2))
PY

run 2 --quiet --hidden 20,10 --activation tanh --epochs 3 --learning-rate 0.002 --out first three
expect_status 0
first_crc=$(summary weights_crc)
run 0 export first --to first.keras
expect_status 0

# ---- training continues from the model, on any number of ranks ----
for ranks in 1 2 8; do
    run "$ranks" --epochs 3 --init-from first --out "on-$ranks" three
    expect_status 0
    expect_empty_stderr
    expect_stdout "^init +weights of first \\(CRC-32 $first_crc\\), Adam after 21 steps\$"
    expect_stdout '^model +12-20-10-3, tanh, softmax'
    expect_stdout '^training +Adam 0\.002,'
done
"$PYTHON" "$TESTS/cli/compare_runs.py" on-1 on-2 on-8 >wrong 2>&1 || fail "the same on any ranks: $(cat wrong)"
for model in first/model.h5 first.keras; do
    run 3 --quiet --epochs 3 --init-from "$model" --out "by-${model#first?}" three
    expect_status 0
    expect_empty_stderr
done
"$PYTHON" "$TESTS/cli/compare_runs.py" on-1 by-model.h5 by-keras >wrong 2>&1 ||
    fail "the same from a folder, a .h5 and a .keras file: $(cat wrong)"

# It begins where the first run ended, with that Adam; and the model that is saved says so.
"$PYTHON" - "$first_crc" <<'PY' 2>wrong || fail "what it began and ended with: $(cat wrong)"
import json
import sys
import h5py
first, on = h5py.File("first/run.h5"), h5py.File("on-1/run.h5")
assert on["data"].attrs["init_weights_crc"] == int(sys.argv[1], 16)
assert on["epochs"]["train_loss"][0] < first["epochs"]["train_loss"][-1]
steps = [json.loads(h5py.File(f"{name}/model.h5")["dtrain"].attrs["model"])["optimizer"]["step"]
         for name in ("first", "on-1")]
assert steps == [21, 42], steps
PY

# A model without the state begins with a new Adam; other numbers of Adam are the model's.
"$PYTHON" - <<'PY'
import json
import shutil
import h5py
shutil.copy("first/model.h5", "stateless.h5")
with h5py.File("stateless.h5", "a") as model:
    del model["dtrain"]
shutil.copy("first/model.h5", "slow.h5")
with h5py.File("slow.h5", "a") as model:
    own = json.loads(model["dtrain"].attrs["model"])
    assert own["optimizer"]["beta_1"] == 0.9
    own["optimizer"]["beta_1"] = 0.5
    model["dtrain"].attrs["model"] = json.dumps(own)
PY
run 2 --epochs 3 --init-from stateless.h5 --out stateless three
expect_status 0
expect_stdout "^init +weights of stateless.h5 \\(CRC-32 $first_crc\\), Adam after 0 steps\$"
run 2 --quiet --epochs 3 --init-from slow.h5 --out slow three
expect_status 0
run 2 --quiet --epochs 3 --init-from first --learning-rate 0.004 --out faster three
expect_status 0
"$PYTHON" "$TESTS/cli/compare_runs.py" --differ on-1 stateless slow faster >wrong 2>&1 ||
    fail "Adam's state and numbers count: $(cat wrong)"
"$PYTHON" - <<'PY' 2>wrong || fail "learning rate and beta_1 are logged, and saved: $(cat wrong)"
import json
import h5py
run = h5py.File("faster/run.h5")
assert run["config"].attrs["learning_rate"] == 0.004 and set(run["epochs"]["learning_rate"]) == {0.004}
training = json.loads(h5py.File("slow/model.h5").attrs["training_config"])
assert training["optimizer_config"]["config"]["beta_1"] == 0.5, training
PY

# The seed still sets the shuffles; options that are not about the network may be given.
run 1 --quiet --epochs 3 --init-from first --seed 2 --out seed three
expect_status 0
run 1 --quiet --epochs 3 --init-from first --batch 32 --out batch three
expect_status 0
"$PYTHON" "$TESTS/cli/compare_runs.py" --differ on-1 seed batch >wrong 2>&1 || fail "$(cat wrong)"
# The run's own folder may be gone on in.
cp -r first again
run 2 --quiet --epochs 3 --init-from again --out again --force three
expect_status 0
"$PYTHON" "$TESTS/cli/compare_runs.py" on-1 again >wrong 2>&1 || fail "in its own folder: $(cat wrong)"

# ---- what does not fit ----
# refuse STATUS TEXT ARGUMENTS...: on one rank and, with all tests, on three, and no folder is left.
refuse() {
    refuse_status=$1
    refuse_text=$2
    shift 2
    for refuse_ranks in 0 $(! is_long || echo 3); do
        run "$refuse_ranks" --quiet --epochs 1 --out refused "$@"
        expect_status "$refuse_status"
        expect_one_stderr_line "dtrain: error: $refuse_text"
        expect_no_file refused
    done
}
run 1 --quiet --epochs 1 --init-from first --hidden 20,10 --activation tanh,tanh --norm none --out same three
expect_status 0
refuse 2 "--hidden is 20,11, but first/model.h5 has 20,10; remove --hidden" \
    --init-from first --hidden 20,11 three
refuse 2 "--hidden is 20, but" --init-from first --hidden 20 three
refuse 2 "--hidden is none, but" --init-from first --hidden none three
refuse 2 "--activation is relu, but first/model.h5 has tanh; remove --activation" \
    --init-from first --activation relu three
refuse 2 "--activation is tanh,relu, but" --init-from first --activation tanh,relu three
refuse 2 "--norm is layer, but first/model.h5 has none; remove --norm" --init-from first --norm layer three
refuse 2 "--residual is yes, but first/model.h5 has no; remove --residual" --init-from first --residual three
refuse 2 "--init was given, but the weights are those of first/model.h5; remove --init" \
    --init-from first --init he_normal three
refuse 3 "first/model.h5: has 12 inputs and 3 classes, but the data has 13 and 3" \
    --init-from first wide
refuse 3 "first/model.h5: has 12 inputs and 3 classes, but the data has 12 and 4" \
    --init-from first four
refuse 3 "first/model.h5: has 3 classes, but the training rows have 2" --init-from first two
refuse 3 "first/model.h5: has 3 classes, but the training rows have 2" --init-from first less
refuse 3 "first.keras: has 12 inputs" --init-from first.keras wide
refuse 3 "nowhere.h5" --init-from nowhere.h5 three
mkdir empty
refuse 3 "empty/model.h5" --init-from empty three
refuse 3 "first/run.h5" --init-from first/run.h5 three
refuse 3 "three-train.npz" --init-from three-train.npz three
head -c 3000 first/model.h5 >short.h5
head -c 3000 first.keras >short.keras
refuse 3 "short.h5" --init-from short.h5 three
refuse 3 "short.keras" --init-from short.keras three
: >nothing.h5
refuse 3 "nothing.h5" --init-from nothing.h5 three

# ---- models of others ----
"$PYTHON" - <<'PY'
import numpy as np
from make_data import save_parts
from make_model import dense, write

# Raw rows: of columns that lie far apart and away from 0.
shift = np.arange(12, dtype=np.float32) * 64 - 300
scale = np.float32(2.0) ** (np.arange(12) % 6)
save_parts("raw", rows=(700, 210, 133), classes=3, change=lambda x, y: (x * scale + shift, y))

ends = dense("end", 3, "softmax")
drop = {"class_name": "Dropout", "config": {"name": "drop", "rate": 0.3}}
normalization = {"class_name": "Normalization", "config": {"name": "norm", "axis": [-1]}}
write("plain.h5", 12, [dense("start", 8, "relu"), ends])
write("dropout.h5", 12, [dense("start", 8, "relu"), drop, ends])
write("mixed.h5", 12, [dense("start", 8, "relu"), dense("middle", 5, "sigmoid"), ends])
write("normal.h5", 12, [normalization, dense("start", 8, "relu"), ends],
      (shift, np.square(scale)))
PY
run 2 --epochs 2 --init-from plain.h5 --out plain three
expect_status 0
expect_empty_stderr
expect_stdout '^init +weights of plain.h5 .*, Adam after 0 steps$'
expect_stdout '^training +Adam 0\.001,'
run 3 --quiet --epochs 2 --init-from dropout.h5 --out dropout three
expect_status 0
expect_one_stderr_line "dtrain: warning: dropout.h5: training ignores Dropout 'drop'"
run 2 --quiet --epochs 2 --init-from mixed.h5 --out mixed three
expect_status 0
run 1 --quiet --epochs 2 --init-from mixed --out mixed-on three
expect_status 0
"$PYTHON" - <<'PY' 2>wrong || fail "every layer keeps its activation: $(cat wrong)"
import json
import h5py
for name in ("mixed", "mixed-on"):
    text = h5py.File(f"{name}/model.h5").attrs["model_config"]
    layers = json.loads(text)["config"]["layers"]
    found = [layer["config"]["activation"] for layer in layers if layer["class_name"] == "Dense"]
    assert found == ["relu", "sigmoid", "softmax"], found
PY

# A model that normalizes its inputs takes raw rows, to train, to evaluate and to predict; what is
# saved does the same.
run 2 --epochs 4 --init-from normal.h5 --out normal raw
expect_status 0
expect_stdout '^init .*; the model normalises the inputs$'
test_loss=$(summary test_loss)
test_accuracy=$(summary test_accuracy)
run 3 --quiet --epochs 4 --init-from normal.h5 --out normal-3 raw
expect_status 0
"$PYTHON" "$TESTS/cli/compare_runs.py" normal normal-3 >wrong 2>&1 || fail "on three ranks: $(cat wrong)"
"$PYTHON" - "$test_loss" "$test_accuracy" <<'PY' 2>wrong || fail "the saved model by NumPy: $(cat wrong)"
import json
import sys
import h5py
import numpy as np
kernels, biases = [], []
with h5py.File("normal/model.h5") as model:
    layers = json.loads(model.attrs["model_config"])["config"]["layers"]
    for name in (layer["config"]["name"] for layer in layers if layer["class_name"] == "Dense"):
        group = model["model_weights"][name][name]
        kernels.append(group["kernel:0"][()].astype(float))
        biases.append(group["bias:0"][()].astype(float))
config = next(layer["config"] for layer in layers if layer["class_name"] == "Normalization")
mean, variance = (np.ravel(config[name]).astype(float) for name in ("mean", "variance"))
assert (mean == np.arange(12) * 64 - 300).all(), mean
assert (variance == 4.0 ** (np.arange(12) % 6)).all(), variance
with np.load("raw-test.npz") as data:
    x, y = data["inputs"].astype(float), data["targets"]
x = (x - mean) / np.sqrt(variance)
z = np.maximum(x @ kernels[0] + biases[0], 0) @ kernels[1] + biases[1]
p = np.exp(z - z.max(1, keepdims=True))
p /= p.sum(1, keepdims=True)
loss = -np.log(p[np.arange(len(y)), y]).mean()
assert abs(loss - float(sys.argv[1])) < 1e-5, (loss, sys.argv[1])
assert abs((p.argmax(1) == y).mean() - float(sys.argv[2])) < 1e-6
PY
run 2 evaluate normal raw-test.npz
expect_status 0
near() {
    "$PYTHON" -c 'import sys; sys.exit(not abs(float(sys.argv[1]) - float(sys.argv[2])) < 1e-6)' "$1" "$2"
}
near "$(summary loss)" "$test_loss" || fail "evaluate says loss $test_loss, as train did"
near "$(summary accuracy)" "$test_accuracy" || fail "accuracy $test_accuracy, as train did"
# And once more from there: it must not be normalised twice.
run 2 --quiet --epochs 1 --learning-rate 1e-9 --init-from normal --out normal-on raw
expect_status 0
near "$(summary test_loss)" "$test_loss" || fail "with hardly a change the loss stays $test_loss"
