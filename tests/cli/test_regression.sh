#!/bin/sh
# Targets that are values: --task, --loss and its numbers, --weights. The results that NumPy finds, the same on any
# number of ranks and after an interruption; refusals.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" - <<'PY'
import numpy as np
from make_data import learnable, save

# "one": a target far from 0, in Fortran order and float64; "two": two targets, and weights; "class": labels and
# weights; "often": its rows, as often as their weight says.
for seed, (part, rows) in enumerate((("train", 400), ("validation", 90), ("test", 81))):
    x, label = learnable(rows, columns=6, seed=seed)
    random = np.random.default_rng(seed)
    y = np.stack([1000 + 50 * (x[:, 0] + np.abs(x[:, 1]) + 0.3 * random.standard_normal(rows)),
                  1e-3 * (x[:, 2] * x[:, 3] + 0.2 * random.standard_normal(rows))], axis=1)
    w = (np.arange(rows) % 4 if part == "train" else np.ones(rows)).astype(np.float32)
    save(f"one-{part}.npz", inputs=x, targets=np.asfortranarray(y[:, :1]))
    save(f"two-{part}.npz", inputs=x, targets=y.astype(np.float32), w=w * 0.5 + (np.arange(rows) % 2))
    save(f"class-{part}.npz", inputs=x, targets=label, w=w)
    times = w.astype(int)
    save(f"often-{part}.npz", inputs=np.repeat(x, times, axis=0), targets=np.repeat(label, times))
x, y = learnable(100, columns=6)
for name, values in (("constant", np.full(100, 0.1)), ("missing", np.where(np.arange(100) == 42, np.nan, 0.5 + y))):
    save(f"{name}.npz", inputs=x, targets=values)
save("negative.npz", inputs=x, targets=0.5 + y, w=np.where(np.arange(100) == 17, -1.0, 1.0))
save("heavy.npz", inputs=x, targets=0.5 + y, w=np.where(np.arange(100) == 17, 2e6, 1.0))
PY

# trains NAME DATA BANNER OPTIONS... trains on one rank. mpi/test_networks trains with each loss on others.
trains() {
    name=$1 data=$2 banner=$3
    shift 3
    set -- "$data" --epochs 4 --hidden 16 --batch 50 --learning-rate 0.02 "$@"
    run 0 "$@" --out "$name"
    expect_status 0
    expect_empty_stderr
    expect_stdout "^training +$banner"
    keep_summary "$name"
    case $data in
    class) ;;
    *)
        "$PYTHON" "$TESTS/cli/check_values.py" "$name" "$data" stdout >wrong 2>&1 || fail "NumPy: $(cat wrong)"
        ;;
    esac
}
# same_everywhere, likewise, also trains on 2, 3 and 8 ranks, and on 3 and then 2.
same_everywhere() {
    trains "$@"
    shift 3
    set -- "$data" --epochs 4 --hidden 16 --batch 50 --learning-rate 0.02 "$@"
    for ranks in 2 3 8; do
        run "$ranks" "$@" --out "$name-$ranks"
        expect_same_run "$name" "$name-$ranks"
    done
    run 3 "$@" --time-limit 1s --out "$name-stopped"
    expect_status 75
    run 2 --resume "$name-stopped"
    expect_same_run "$name" "$name-stopped"
}
same_everywhere mse two 'mse loss, Adam 0.02, batch 50, .* on val_loss$' --weights w
expect_stdout ' training, 90 validation, 81 test rows; 6 inputs, 2 values'
trains mae one 'mae loss, .* on val_rmse$' --loss mae --monitor val_rmse
trains huber one 'huber loss, huber-delta 0.7, ' --loss huber --huber-delta 0.7
trains quantile one 'quantile loss, quantile 0.9, .* on val_mae$' --loss quantile --quantile 0.9 \
    --monitor val_mae
trains smooth class 'label-smoothing 0.1, ' --label-smoothing 0.1 --weights w
[ "$(cat mse.summary mae.summary huber.summary quantile.summary smooth.summary | grep weights_crc | sort -u |
    wc -l)" -eq 5 ] || fail "five runs of different weights"

# The share of rows below a quantile is right.
run 0 one --epochs 60 --hidden 16 --batch 50 --learning-rate 0.02 --loss quantile --quantile 0.9 --out learned
expect_status 0
"$PYTHON" - <<'PY' 2>wrong || fail "a model that has learned: $(cat wrong)"
import h5py
run = h5py.File("learned/run.h5", "r")
epochs = run["epochs"][:]
assert epochs["train_loss"][-1] < 0.5 * epochs["train_loss"][0], epochs["train_loss"]
test = run["evaluation/test"]
above = test["residuals"][0][20:].sum() / test.attrs["rows"]  # predictions above the target
assert 0.8 <= above <= 0.98, above
assert test.attrs["pinball"] < test.attrs["mae"], dict(test.attrs)
PY

# A row with weight w counts as w rows: in the gradient, which SGD shows, and in all metrics.
set -- --epochs 5 --hidden 8 --batch 4096 --optimizer sgd --learning-rate 0.5
run 0 class "$@" --weights w --out weighted
expect_status 0
run 0 often "$@" --out repeated
expect_status 0
run 0 class "$@" --out unweighted
"$PYTHON" - <<'PY' 2>wrong || fail "a weight is as many rows: $(cat wrong)"
import h5py
import numpy as np
weighted, repeated, unweighted = (h5py.File(f"{name}/run.h5", "r") for name in ("weighted", "repeated", "unweighted"))
for name in ("train_loss", "train_accuracy", "val_loss", "val_accuracy"):
    a, b = weighted["epochs"][name], repeated["epochs"][name]
    assert np.allclose(a, b, rtol=1e-5, atol=0), (name, a, b)
assert not np.allclose(weighted["epochs"]["train_loss"], unweighted["epochs"]["train_loss"], rtol=1e-3)
PY

# --like repeats the run; --init-from trains on, in the units of before.
run 0 --like huber --out again
expect_status 0
expect_stdout_line 'summary.like_weights=same'
run 0 one --epochs 2 --init-from huber --out on
expect_status 0
expect_stdout '^training +huber loss, huber-delta 0.7, '
"$PYTHON" - <<'PY' 2>wrong || fail "a model that is trained on: $(cat wrong)"
import json
import h5py
before, after = (json.loads(h5py.File(f"{name}/model.h5", "r")["dtrain"].attrs["model"]) for name in ("huber", "on"))
assert before["targets"] == after["targets"] and after["loss"] == "huber", after
first, then = (h5py.File(f"{name}/run.h5", "r")["epochs"]["train_loss"] for name in ("huber", "on"))
assert then[0] < first[0] / 2, (first, then)
PY

# Whole numbers are classes, unless something says that they are not.
run 0 class --epochs 1 --task regression --out whole
expect_status 0
expect_stdout ' rows; 6 inputs, 1 value$'
run 0 class --epochs 1 --loss mae --out whole-2
expect_status 0
expect_stdout '^training +mae loss, '

# refused RANKS STATUS TEXT OPTIONS...: one line and the status.
refused() {
    ranks=$1 refusal=$2 text=$3
    shift 3
    run "$ranks" "$@" --epochs 1 --out never
    expect_status "$refusal"
    expect_one_stderr_line "$text"
    expect_no_stdout '^summary\.'
}
refused 2 2 '--loss mse is for regression, but --task is classification; use --task regression' class --task classification --loss mse
refused 0 2 '--loss cross-entropy is for classification, but --task is regression; use --task classification' \
    one --task regression --loss cross-entropy
refused 0 3 'one-train.npz: targets: row 0 is ' one --loss cross-entropy
refused 0 2 '--monitor val_accuracy is not a metric of a regression; expected one of val_loss, val_rmse, val_mae' \
    one --monitor val_accuracy
refused 0 2 '--monitor val_rmse is not a metric of a classification' class --monitor val_rmse
refused 0 2 '--huber-delta is 2, but --loss mse does not have it; use another --loss' one --huber-delta 2
refused 0 2 '--label-smoothing is 0.1, but ' one --label-smoothing 0.1
refused 0 2 '--quantile is 0.9, but ' one --loss mae --quantile 0.9
refused 2 3 'target 1 of 1 is 0.1' constant.npz
refused 2 3 'missing.npz: targets: row 42, column 0 is NaN' missing.npz --task regression
refused 2 3 'one-train.npz: no array named w with the weights of the rows; it contains inputs, targets' one --weights w
refused 2 3 'negative.npz: w: row 17 is -1; a weight must not be negative' negative.npz --weights w
refused 2 3 'heavy.npz: w: row 17 is 2000000; a weight must not be above 1e6' heavy.npz --weights w
refused 2 3 'huber/model.h5: was trained for regression, but the targets are classes' \
    class --init-from huber --task classification --loss cross-entropy
for option in '--quantile 1' '--huber-delta 0' '--label-smoothing 1' '--loss hinge' '--task ranking'; do
    # shellcheck disable=SC2086
    run 0 one $option
    expect_status 2
    expect_one_stderr_line "dtrain: error: ${option% *} "
done

# A checkpoint resumes with its loss.
run 0 one --epochs 4 --loss huber --time-limit 1s --out cut
expect_status 75
run 0 --resume cut --loss mae
expect_status 2
expect_one_stderr_line '--loss '
