#!/bin/sh
# run.h5: every name and type, and its numbers against model.h5 and the data. (While a run goes on
# and after a kill: test_run_log_live.sh.)
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py pandas
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("three", rows=(700, 210, 133), classes=3)
save_parts("two", rows=(700, 210, 133), classes=2)'

# Recorded are the values in force, whichever way they were given.
for case in "1 three" "3 two" "4 three"; do
    ranks=${case% *} data=${case#* }
    run "$ranks" --hidden 20,10 --activation tanh --batch 64 --epochs 7 --learning-rate 0.002 \
        --patience 3 --min-delta 1e-4 --monitor val_accuracy --seed 5 --shards=9 \
        --out "logged-$ranks" "$data"
    expect_status 0
    expect_empty_stderr
    "$PYTHON" "$TESTS/cli/check_run_log.py" "logged-$ranks" "$data" "$ranks" >crc 2>wrong ||
        fail "run.h5 of $ranks ranks: $(cat wrong)"
    [ "$(cat crc)" = "$(summary weights_crc)" ] || fail "weights_crc=$(cat crc), as in model.h5"
    "$PYTHON" "$TESTS/cli/check_model_h5.py" "logged-$ranks/model.h5" >checked 2>&1 ||
        fail "a Keras model: $(cat checked)"
    [ "$(find "logged-$ranks" | wc -l)" -eq 3 ] || fail "model.h5 and run.h5 only"
done

# The summary says what the log says.
"$PYTHON" - stdout <<'PY' || fail "summary and run.h5 agree"
import sys
import h5py
lines = dict(line.strip().split("=", 1) for line in open(sys.argv[1]) if line.startswith("summary."))
run = h5py.File("logged-4/run.h5", "r")
for key, part in (("train", "train"), ("val", "validation"), ("test", "test")):
    for name in ("loss", "accuracy", "majority_accuracy"):
        value = run[f"evaluation/{part}"].attrs[name]
        assert abs(float(lines[f"summary.{key}_{name}"]) - value) <= 1e-8 * value, (key, name)
for name in ("epochs", "best_epoch"):
    assert int(lines[f"summary.{name}"]) == run["summary"].attrs[name], name
PY

# One line each, as results/README.md would have it.
"$PYTHON" -c 'import h5py, pandas; print(pandas.DataFrame(h5py.File("logged-4/run.h5")["epochs"][:]).to_string())' >frame
grep -q 'val_loss' frame || fail "pandas reads /epochs"
if command -v h5dump >/dev/null; then
    h5dump -H logged-4/run.h5 >header 2>wrong || fail "h5dump -H: $(cat wrong)"
    grep -q 'DATASET "epochs"' header || fail "h5dump shows /epochs"
    h5dump -d /epochs logged-4/run.h5 >dumped 2>&1 || fail "h5dump -d /epochs"
fi

# Without a validation and a test set their columns are NaN and their groups are absent.
run 2 --quiet --out lone --epochs 2 --validation-split 0 --test-split 0 three-train.npz
expect_status 0
"$PYTHON" - <<'PY' || fail "a run without validation and test set has NaN and no groups"
import h5py
import numpy as np
run = h5py.File("lone/run.h5", "r")
assert np.isnan(run["epochs"]["val_loss"]).all() and np.isnan(run["epochs"]["val_accuracy"]).all()
assert np.isfinite(run["epochs"]["train_loss"]).all()
assert set(run["evaluation"]) == {"train"}, set(run["evaluation"])
assert run["summary"].attrs["best_epoch"] == 2
PY

# Options from a file are recorded like those of the command line.
printf 'hidden = 4\nbatch = 50   # rows\nseed = 11\n' >options.txt
run 1 --quiet --config options.txt --seed 12 --epochs 2 --no-restore-best --out from-file three
expect_status 0
"$PYTHON" - <<'PY' || fail "/config has what --config FILE said, and the command line's seed"
import h5py
config = h5py.File("from-file/run.h5", "r")["config"].attrs
assert (config["hidden"], config["batch"], config["seed"]) == ("4", 50, 12), dict(config)
assert config["no_restore_best"] == 1 and config["quiet"] == 1 and config["config"] == "options.txt"
PY

# A run that diverges says so in its log, and leaves no model.
run 2 --quiet --out diverged --epochs 3 --learning-rate 1000000 --hidden 50,50,50,50,50 three
expect_status 5
expect_one_stderr_line "dtrain: error: epoch "
expect_no_stdout '^summary\.'
expect_no_file diverged/model.h5
"$PYTHON" -c 'import h5py; assert h5py.File("diverged/run.h5", "r").attrs["status"] == "diverged"' ||
    fail "the status of run.h5 is diverged"
