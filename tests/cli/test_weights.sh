#!/bin/sh
# --class-weight and --ema: class weights train as row weights of the same size do, and averages are those of
# the weights of all steps; the same weights on any number of ranks and after an interruption with --ema.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
# shellcheck source-path=SCRIPTDIR source=everywhere.sh
. "$TESTS/cli/everywhere.sh"

same_everywhere ema ema 'Adam 0.01, averaged weights 0.9' --ema 0.9
trains class classes 'Adam 0.01' --class-weight 0=3,1=0.5
trains balanced balanced 'Adam 0.01' --class-weight balanced

# The weights that the classes' have, row by row.
"$PYTHON" - <<'PY'
import numpy as np
for part in ("train", "validation", "test"):
    with np.load(f"some-{part}.npz") as arrays:
        x, y = arrays["inputs"], arrays["targets"]
    w = np.where(y == 0, 3, 0.5) if part == "train" else np.ones(len(y))
    counts = np.bincount(y)
    balanced = len(y) / (np.count_nonzero(counts) * counts[y]) if part == "train" else w
    np.savez(f"rows-{part}.npz", inputs=x, targets=y, w=w, b=balanced.astype(np.float32), small=w * 2.0**-30,
             none=w * (part != "validation"))
    np.savez(f"forgotten-{part}.npz", inputs=x, targets=y, sample_weight=w)
PY
for pair in classes:w balanced:b; do
    run 0 rows --weights "${pair#*:}" --epochs 4 --patience 9 --hidden 40,20 --batch 50 --learning-rate 0.01 \
        --out "${pair%:*}-rows"
    expect_status 0
    [ "$pair" = balanced:b ] || w_crc=$(summary weights_crc)
    "$PYTHON" - "${pair%:*}" "${pair%:*}-rows" <<'PY' || fail "${pair%:*}: as the weights of rows"
import sys
import h5py
logs = [h5py.File(f"{name}/run.h5")["epochs"][()] for name in sys.argv[1:]]
assert (logs[0]["weights_crc"] == logs[1]["weights_crc"]).all(), logs
assert (logs[0]["train_loss"] == logs[1]["train_loss"]).all() and (logs[0]["val_loss"] == logs[1]["val_loss"]).all()
PY
done

# Weights of the usual names are not used without a word, but not ignored without one either.
run 0 forgotten --epochs 1 --quiet --out forgotten-run
expect_status 0
expect_one_stderr_line "warning: forgotten-train.npz: the array sample_weight is not used; --weights sample_weight weighs the rows by it"
run 0 forgotten --weights sample_weight --epochs 1 --quiet --out remembered
expect_status 0
expect_empty_stderr

# Only the ratios of weights count. A set whose rows all weigh nothing cannot be judged by.
run 0 rows --weights small --epochs 4 --patience 9 --hidden 40,20 --batch 50 --learning-rate 0.01 --out small
expect_status 0
[ "$(summary weights_crc)" = "$w_crc" ] || fail "small weights train as others"
run 2 rows --weights none --out none
expect_status 3
expect_one_stderr_line "dtrain: error: --weights none: all validation rows weigh 0"

# One step an epoch: the weights after epoch n are those of a run of n epochs without an average.
for epochs in 1 2 3; do
    run 0 some --epochs $epochs --hidden 5 --batch 100000 --no-restore-best --out "plain-$epochs"
    expect_status 0
    run 0 export "plain-$epochs" --to "plain-$epochs.npz"
done
run 0 some --epochs 3 --hidden 5 --batch 100000 --no-restore-best --ema 0.25 --out averaged
expect_status 0
run 0 export averaged --to averaged.npz
# Biases begin at 0, and so does their average.
"$PYTHON" - <<'PY' || fail "the average of the weights"
import numpy as np
found, steps = np.load("averaged.npz"), [np.load(f"plain-{n}.npz") for n in (1, 2, 3)]
for name in ("bias_0", "bias_1"):
    average = np.zeros_like(found[name])
    for t, step in enumerate(steps, 1):
        d = min(0.25, (1 + t) / (10 + t))
        average = d * average + (1 - d) * step[name]
    assert np.abs(found[name]).max() > 1e-4 and np.abs(found[name] - average).max() < 1e-7, (found[name], average)
PY
run 0 some --class-weight yes=2
expect_status 2
expect_one_stderr_line "dtrain: error: --class-weight: no class 'yes'; the classes are 0 to"
run 0 some --class-weight 0=-1
expect_status 2
expect_one_stderr_line "dtrain: error: --class-weight: '0=-1' is not CLASS=WEIGHT"
