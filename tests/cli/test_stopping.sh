#!/bin/sh
# --patience, --min-delta, --min-epochs and --baseline as Keras's EarlyStopping: when a run ends and which epoch
# is the best one, the same on any number of ranks and after an interruption.
# long: many runs, most of them on several ranks
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
: "${DTRAIN_FAULTS:=$(dirname "$DTRAIN")/tests/dtrain-faults}"
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
REAL=$DTRAIN
"$PYTHON" -c 'from make_data import save_parts; save_parts("some", rows=(200, 90, 60))'

# interrupted STEP NAME OPTIONS...: the run NAME once more, stopped after a step and resumed.
interrupted() {
    step=$1 name=$2
    shift 2
    DTRAIN=$DTRAIN_FAULTS DTRAIN_FAULT=signal:0:$step
    export DTRAIN_FAULT
    run 3 "$@" --out "$name-$step"
    unset DTRAIN_FAULT
    DTRAIN=$REAL
    expect_status 75
    run 2 --resume "$name-$step"
    expect_same_run "$name" "$name-$step"
}

# stops NAME BANNER OPTIONS...: 5 steps an epoch.
stops() {
    name=$1 banner=$2
    shift 2
    set -- some --batch 40 --learning-rate 0.03 --epochs 40 "$@"
    run 1 "$@" --out "$name"
    expect_status 0
    expect_empty_stderr
    expect_stdout "^training .*, $banner\$"
    keep_summary "$name"
    run 3 "$@" --out "$name-3"
    expect_same_run "$name" "$name-3"
    names="${names:-} $name"
}
stops plain "patience 3 on val_loss" --patience 3
stops late "patience 3 on val_loss, min-epochs 12" --patience 3 --min-epochs 12
interrupted 22 late some --batch 40 --learning-rate 0.03 --epochs 40 --patience 3 --min-epochs 12
interrupted 63 late some --batch 40 --learning-rate 0.03 --epochs 40 --patience 3 --min-epochs 12
stops above "patience 4 on val_accuracy, baseline 0.99" --patience 4 --monitor val_accuracy --baseline 0.99
interrupted 12 above some --batch 40 --learning-rate 0.03 --epochs 40 --patience 4 --monitor val_accuracy --baseline 0.99
stops below "patience 4 on val_loss, baseline 0" --patience 4 --baseline 0
stops both "patience 2 on val_roc_auc, min-epochs 3, baseline 0.5" --patience 2 --monitor val_roc_auc --min-epochs 3 \
    --baseline 0.5 --min-delta 0.001
stops last "patience 3 on val_loss, min-epochs 12" --patience 3 --min-epochs 12 --no-restore-best

# shellcheck disable=SC2086
"$PYTHON" - $names <<'PY' 2>wrong || fail "runs end as Keras's EarlyStopping ends them: $(cat wrong)"
import math
import sys
import h5py

def early_stopping(values, patience, min_delta, start_from_epoch, baseline, larger):
    """keras/src/callbacks/early_stopping.py; returns whether it stops, the best epoch, which ones improved."""
    def is_improvement(value, reference):
        if reference is None:
            return True
        return value - min_delta > reference if larger else value + min_delta < reference
    best, best_epoch, wait, improved = None, None, 0, []
    for epoch, current in enumerate(values):
        improved.append(0)
        if epoch < start_from_epoch:
            continue
        wait += 1
        if is_improvement(current, best):
            best, best_epoch, improved[-1] = current, epoch, 1
            if baseline is None or is_improvement(current, baseline):
                wait = 0
            continue
        if wait >= patience and epoch > 0:
            return epoch + 1 == len(values), best_epoch + 1, improved
    return False, best_epoch + 1, improved

results = {}
for name in sys.argv[1:]:
    run = h5py.File(f"{name}/run.h5")
    config, epochs = run["config"].attrs, run["epochs"][:]
    baseline = None if math.isnan(config["baseline"]) else config["baseline"]
    values = list(epochs[config["monitor"]])
    stops, best, improved = early_stopping(values, config["patience"], config["min_delta"],
                                           config["min_epochs"], baseline, config["monitor"] != "val_loss")
    assert stops, (name, values)  # after the last one, and not before
    assert improved == list(epochs["improved"]), (name, improved, values)
    assert run["summary"].attrs["best_epoch"] == best, (name, best, values)
    final = len(values) if config["no_restore_best"] else best
    assert run["summary"].attrs["weights_crc"] == epochs["weights_crc"][final - 1], name
    results[name] = len(values), best
assert results["plain"][1] <= 12 < results["late"][1], results
assert results["below"][0] < results["plain"][0], results
PY

refused() {
    text=$1
    shift
    run 1 some "$@" --out never
    expect_status 2
    expect_one_stderr_line "dtrain: error: $text"
}
refused '--min-epochs is 100, but --epochs is 100; at least one epoch must remain that can be the best' --min-epochs 100
refused '--min-epochs is -1, but must be between 0 and' --min-epochs -1
refused "--baseline takes a number, or none, not 'best'" --baseline best
"$PYTHON" -c 'import numpy as n; d = n.load("some-train.npz"); n.savez("alone.npz", **d)'
run 2 alone.npz --validation-split 0 --epochs 1 --quiet --patience 3 --baseline 0.5 --out alone
expect_status 0
expect_one_stderr_line 'dtrain: warning: without a validation set, these have no effect: --patience, --baseline'
