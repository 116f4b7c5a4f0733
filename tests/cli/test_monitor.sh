#!/bin/sh
# --monitor with a quality of the task: its column in the logs, the epoch that it makes the best one, the same
# bits on any number of ranks and after an interruption; refusals.
# long: many runs, most of them on several ranks
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
: "${DTRAIN_FAULTS:=$(dirname "$DTRAIN")/tests/dtrain-faults}"
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
REAL=$DTRAIN

# Noisy targets, so that qualities disagree about the best epoch.
"$PYTHON" - <<'PY'
import numpy as np
from make_data import save, save_parts
save_parts("three", classes=3, rows=(400, 150, 90))
random = np.random.default_rng(4)
for part, rows in (("train", 300), ("validation", 151), ("test", 90)):
    x = np.round(random.standard_normal((rows, 5)) * 64) / 64
    noise = random.standard_normal(rows)
    save(f"two-{part}.npz", inputs=x.astype(np.float32), targets=(x[:, 0] + noise > 0).astype(np.int64))
    save(f"values-{part}.npz", inputs=x.astype(np.float32),
         targets=(100 * x[:, 0] + 150 * noise).astype(np.float32))
    save(f"lone-{part}.npz", inputs=x.astype(np.float32),
         targets=np.zeros(rows, np.int64) if part == "validation" else (x[:, 0] > 0).astype(np.int64))
PY

# monitored NAME QUALITY DATA OPTIONS...: on 1 and 3 ranks, and interrupted in the third epoch.
monitored() {
    name=$1 quality=$2 data=$3
    shift 3
    set -- "$data" --epochs 5 --patience 9 --batch 40 --learning-rate 0.005 --monitor "val_$quality" "$@"
    run 1 "$@" --out "$name" --csv-log "$name.csv"
    expect_status 0
    expect_empty_stderr
    expect_stdout "^training .* patience 9 on val_$quality\$"
    [ "$(grep -c "^epoch .*  val_$quality [-0-9.e+]*  .* s" stdout)" -eq 5 ] || fail "val_$quality in each epoch's line"
    expect_stdout "^summary.val_$quality="
    expect_stdout "^summary.test_$quality="
    [ "$quality" = r2 ] || expect_no_stdout "^summary.train_$quality="
    keep_summary "$name"
    run 3 "$@" --out "$name-3" --csv-log "$name-3.csv"
    expect_same_run "$name" "$name-3"
    expect_same_file "$name.csv" "$name-3.csv"
    DTRAIN=$DTRAIN_FAULTS DTRAIN_FAULT=signal:0:20
    export DTRAIN_FAULT
    run 3 "$@" --out "$name-stopped"
    unset DTRAIN_FAULT
    DTRAIN=$REAL
    expect_status 75
    expect_stdout '^stopped    SIGTERM in epoch 3, '
    run 2 --resume "$name-stopped"
    expect_same_run "$name" "$name-stopped"
    checked="${checked:-} $name:$quality"
}
monitored auc roc_auc two
monitored pr pr_auc three
monitored f1 f1 three
monitored brier brier two
monitored r2 r2 values
monitored median median_ae values
monitored pinball pinball values --loss quantile --quantile 0.9

# The value of an epoch is that of the weights then; the best epoch is what the log says by the direction.
for last in 1 2 3 4 5; do
    run 2 two --epochs $last --patience 9 --batch 40 --learning-rate 0.005 --monitor val_roc_auc --no-restore-best \
        --quiet --out "last-$last"
    expect_status 0
done
# shellcheck disable=SC2086
"$PYTHON" - $checked <<'PY' 2>wrong || fail "/epochs and the CSV log of monitored qualities: $(cat wrong)"
import csv
import sys
import h5py
import numpy as np
larger = {"roc_auc", "pr_auc", "f1", "r2"}
moved = 0
for word in sys.argv[1:]:
    name, quality = word.split(":")
    run = h5py.File(f"{name}/run.h5")
    epochs = run["epochs"][:]
    values = epochs[f"val_{quality}"]
    assert len(values) == 5 and np.isfinite(values).all(), (name, values)
    assert f"train_{quality}" not in epochs.dtype.names, name
    best = int((values.argmax() if quality in larger else values.argmin()) + 1)
    assert run["summary"].attrs["best_epoch"] == best, (name, best, values)
    assert run["evaluation/validation"].attrs[quality] == values[best - 1], (name, values)
    assert run["config"].attrs["monitor"] == f"val_{quality}"
    with open(f"{name}.csv") as file:
        rows = list(csv.DictReader(file))
    assert [float(row[f"val_{quality}"]) for row in rows] == list(values), name
    others = [key for key in rows[0] if key != "epoch" and not key.startswith("val_")]
    assert list(rows[0]) == ["epoch", *sorted(others), *sorted(f"val_{key}" for key in [*others, quality])], rows[0]
    moved += best != int(epochs["val_loss"].argmin()) + 1
assert moved > 0, "a quality has another best epoch than the loss"
values = h5py.File("auc/run.h5")["epochs"]["val_roc_auc"]
for last in range(1, 6):
    found = h5py.File(f"last-{last}/run.h5")["evaluation/validation"].attrs["roc_auc"]
    assert found == values[last - 1], (last, found, values)
PY

# Only then: the loss has no column of another quality.
run 2 two --epochs 1 --quiet --out plain
expect_status 0
"$PYTHON" -c 'import h5py
names = h5py.File("plain/run.h5")["epochs"].dtype.names
assert not [name for name in names if name.endswith(("auc", "f1", "brier", "log_loss"))], names' ||
    fail "no quality is logged unless it is monitored"

# A schedule that judges, does so by the monitored quality, and again when the run is resumed.
monitored plateau roc_auc two --schedule plateau --schedule-every 1 --learning-rate 0.2
"$PYTHON" - <<'PY' 2>wrong || fail "the learning rates by val_roc_auc: $(cat wrong)"
import h5py
best, rate, wanted = -1.0, 0.2, []
epochs = h5py.File("plateau/run.h5")["epochs"][:]
for value in epochs["val_roc_auc"]:
    wanted.append(rate)
    if value > best + 1e-4:
        best = value
    else:
        rate /= 10
assert all(abs(a - b) < 1e-12 for a, b in zip(epochs["learning_rate"], wanted)), (wanted, epochs)
assert wanted[-1] < wanted[0], wanted
PY

# ---- refused ----
refused() {
    code=$1 text=$2
    shift 2
    for ranks in 1 3; do
        run $ranks "$@" --out never
        expect_status "$code"
        expect_one_stderr_line "$text"
    done
}
refused 2 "dtrain: error: --monitor val_r2 is not a metric of a classification; expected one of val_loss, val_accuracy, val_log_loss, val_brier, val_calibration_error, val_roc_auc, val_pr_auc, val_precision, val_recall, val_f1" \
    two --monitor val_r2
refused 2 "dtrain: error: --monitor val_roc_auc is not a metric of a regression; expected one of val_loss, val_rmse, val_mae, val_median_ae, val_r2, val_explained_variance, val_pinball" \
    values --monitor val_roc_auc
refused 2 "--monitor takes one of val_loss|" two --monitor val_kappa
refused 2 "dtrain: error: --monitor val_pinball requires --loss quantile" values --monitor val_pinball
for ranks in 1 3; do
    run $ranks lone --monitor val_roc_auc --out never
    expect_status 3
    expect_stderr "^dtrain: error: epoch 1: roc_auc is undefined for these targets"
done

# The best value so far cannot be compared with another metric's.
DTRAIN=$DTRAIN_FAULTS DTRAIN_FAULT=signal:0:20
export DTRAIN_FAULT
run 2 two --batch 40 --monitor val_roc_auc --quiet --out stopped
unset DTRAIN_FAULT
DTRAIN=$REAL
expect_status 75
run 2 --resume stopped --monitor val_loss --force
expect_status 2
expect_one_stderr_line "dtrain: error: --resume stopped: --monitor is val_loss, but the checkpoint has the best value of val_roc_auc, which --force cannot change; remove --monitor"
