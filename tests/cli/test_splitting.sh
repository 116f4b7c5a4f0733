#!/bin/sh
# One file that has to be split: the counts, each class's share, and no rows lost or doubled.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" "$TESTS/cli/make_loading_data.py"

# classes FOLDER TRAIN VALIDATION TEST: the rows of each class in each part, as [a,b,c,d].
classes() {
    "$PYTHON" - "$@" <<'PY' >wrong || fail "$(cat wrong)"
import sys
import h5py
run = h5py.File(f"{sys.argv[1]}/run.h5", "r")
for part, expected in zip(("train", "validation", "test"), sys.argv[2:]):
    found = str(run[f"data/{part}_class_rows"][:].tolist()).replace(" ", "")
    if found != expected:
        sys.exit(print(f"{part} rows of each class: {expected}, found {found}") or 1)
    if eval(expected) != [0, 0, 0, 0]:
        rows = run[f"evaluation/{part}/confusion"][:].sum(axis=1).tolist()
        assert rows == eval(expected), (part, rows)
PY
}

# By default 80, 10 and 10 percent of each class.
run 1 --quiet --epochs 2 --out plain sorted.npz
expect_status 0
expect_empty_stderr
classes plain "[400,240,152,8]" "[50,30,19,1]" "[50,30,19,1]"
first=$(summary weights_crc)
run 4 --quiet --epochs 2 --out fortran sorted-fortran.npz
expect_status 0
[ "$(summary weights_crc)" = "$first" ] || fail "the same split of the same rows on 4 ranks"
"$PYTHON" "$TESTS/cli/compare_runs.py" plain fortran >wrong || fail "the same run: $(cat wrong)"

# Other rows with another seed, as many of each class. (The initial weights differ as well.)
run 0 --quiet --epochs 2 --seed 2 --out seed2 sorted.npz
classes seed2 "[400,240,152,8]" "[50,30,19,1]" "[50,30,19,1]"

# --split-seed alone decides about the rows. The weights stay those of the seed, so that the losses depend on
# the rows.
keeps="--quiet --epochs 1 --learning-rate 1e-30 --seed 2"
# shellcheck disable=SC2086
run 2 $keeps --out own sorted.npz
own=$(summary val_loss)
# shellcheck disable=SC2086
run 1 $keeps --split-seed 2 --out rows2 sorted.npz
expect_stdout_line "summary.val_loss=$own"
# shellcheck disable=SC2086
run 1 $keeps --split-seed 1 --out rows1 sorted.npz
expect_status 0
other=$(summary val_loss)
[ "$own" != "$other" ] || fail "other rows with another --split-seed"
run 3 --quiet --like rows1 --seed 2 --out again
expect_stdout_line "summary.val_loss=$other"
run 1 --quiet --epochs 1 --learning-rate 1e-30 --seed 1 --out seed1 sorted.npz
first=$(summary val_loss)
run 1 --quiet --epochs 1 --learning-rate 1e-30 --seed 1 --split-seed 2 --out seed1-rows2 sorted.npz
[ "$(summary val_loss)" != "$first" ] || fail "other rows, at the weights of seed 1"
run 0 --quiet --epochs 1 --split-seed -2 sorted.npz
expect_status 2
expect_one_stderr_line "--split-seed is -2"

run 3 --quiet --epochs 2 --validation-split 0.25 --test-split 0.2 --out shares sorted.npz
expect_status 0
classes shares "[275,165,104,6]" "[125,75,48,2]" "[100,60,38,2]"

# Without a validation set there is no early stopping: all epochs are run.
run 2 --epochs 6 --patience 0 --learning-rate 0.3 \
    --validation-split 0 --out no-validation sorted.npz
expect_status 0
expect_stdout 'no validation set: no early stopping'
expect_stdout_line "summary.epochs=6"
expect_stdout_line "summary.best_epoch=6"
expect_no_stdout "summary.val_|nan"
classes no-validation "[450,270,171,9]" "[0,0,0,0]" "[50,30,19,1]"
run 0 --quiet --epochs 1 --test-split 0 --out no-test sorted.npz
expect_status 0
expect_no_stdout "summary.test_|nan"
classes no-test "[450,270,171,9]" "[50,30,19,1]" "[0,0,0,0]"
run 0 --quiet --epochs 1 --test-split 0 --validation-split 0 --out all sorted.npz
expect_status 0
classes all "[500,300,190,10]" "[0,0,0,0]" "[0,0,0,0]"

# Only what is missing is split off.
cp three-train.npz pair-train.npz
cp three-test.npz pair-test.npz
run 0 --quiet --epochs 1 --out pair pair
expect_status 0
"$PYTHON" -c 'import h5py
data = h5py.File("pair/run.h5")["data"].attrs
rows = [int(data[f"{part}_rows"]) for part in ("train", "validation", "test")]
assert sum(rows[:2]) == 300 and 28 <= rows[1] <= 32 and rows[2] == 70, rows' ||
    fail "a tenth for validation, and the test set as it is"

# The same bits for numbers of the same value: int8, bool and float32 inputs, float targets.
crc=""
for form in bytes bools floats; do
    run 0 --quiet --epochs 2 --out "$form" "$form.npz"
    expect_status 0
    [ "${crc:=$(summary weights_crc)}" = "$(summary weights_crc)" ] || fail "summary.weights_crc=$crc"
done

# Inputs and targets of a row stay together: the first column is the class, so a model must be right
# on all parts.
run 3 --quiet --hidden none --epochs 60 --patience 60 --learning-rate 0.05 \
    --batch 20 --out learnt sorted.npz
expect_status 0
for part in train val test; do
    "$PYTHON" -c 'import sys; sys.exit(not float(sys.argv[1]) >= 0.95)' \
        "$(summary "${part}_accuracy")" ||
        fail "${part}_accuracy of 0.95 and more: inputs and targets were split alike"
done
