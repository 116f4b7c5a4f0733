#!/bin/sh
# Bad rows, labels and numbers in sound files: exit status 3, one line that says where.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
# shellcheck source-path=SCRIPTDIR source=bad_input.sh
. "$TESTS/cli/bad_input.sh"

# ---- shapes ----
bad 0 "inputs has 80 rows, but targets has 79" rows.npz
bad 3 "inputs has 80 rows, but targets has 79" rows.npz
bad 0 "inputs has 0 rows" no-rows.npz
bad 0 "inputs has 0 columns" no-columns.npz
bad 0 "inputs is a single number" number.npz
bad 0 "targets has 3 dimensions" cube-targets.npz

# ---- labels ----
bad 0 "targets: row 17 is 0.5;" fractional-label.npz --task classification
bad 0 "targets: row 17 has no label (nan)" nan-label.npz
bad 0 "targets: row 17 is " infinite-label.npz
bad 0 "every row is class 1" one-class.npz
bad 3 "every row is class 1" one-class.npz
bad 0 "targets: row 17 is not one-hot" one-hot-two.npz
bad 0 "targets: row 17 is not one-hot" one-hot-none.npz
bad 0 "targets: row 17 is not one-hot" one-hot-soft.npz --task classification

# ---- numbers that are none ----
bad 0 "inputs: row 42, column 3 is NaN" nan.npz
bad 3 "inputs: row 42, column 3 is NaN" nan.npz
bad 0 "inputs: row 79, column 0 is infinite" infinity.npz
bad 0 "inputs: row 5, column 1 is NaN" half-nan.npz
bad 0 "inputs: row 6, column 2 is beyond the range of float32" too-large.npz
bad 3 "inputs: row 42, column 3 is NaN" nan-fortran.npz
bad 0 "inputs: row 42, column 17 is NaN" nan-image.npz
bad 0 "inputs: row 42, column 17 is NaN" nan-image-fortran.npz
bad 3 "inputs: row 299998, column 1 is NaN" nan-late.npz
bad 3 "inputs: row 299998, column 1 is NaN" nan-late-fortran.npz

# ---- sets that do not fit together ----
bad 0 "columns-validation.npz: inputs has 5 columns, but the training set has 4" columns
bad 3 "columns-validation.npz: inputs has 5 columns, but the training set has 4" columns
bad 0 "classes-validation.npz: targets: row 3 is class 2, but the training set's classes are 0 to 1" \
    classes
bad 3 "row 3 is class 2" classes
bad 0 "wide-test.npz: targets: row 3 is class 2, but" wide
bad 3 "late-test.npz: inputs: row 19, column 2 is NaN" late

# A try that failed must not make the next one go to results/NAME-2.
expect_no_file results

# ---- rows that only the last evaluation meets: the training is done, and not lost ----
"$PYTHON" - <<'PY'
from make_data import learnable, save, save_parts
for name in ("sound", "far"):
    save_parts(name, rows=(80, 20, 20), columns=4)
x, y = learnable(20, columns=4, seed=3)
x[7], y[7] = 3e38, 0  # float32 holds it, but not what a layer makes of it
x[8], y[8] = 3e38, 1  # whichever class is predicted, one of the two is wrong
save("far-test.npz", inputs=x, targets=y)
PY
for ranks in 0 3; do
    run "$ranks" --epochs 2 --out "far-$ranks" far
    expect_status 5
    expect_one_stderr_line "dtrain: error: test set: the loss is not finite"
    expect_stdout "^model +saved in far-$ranks/model.h5, but not evaluated on all sets\$"
    expect_no_stdout '^summary\.'
    [ "$(find "far-$ranks" -type f | sort | tr '\n' ' ')" = \
        "far-$ranks/model.h5 far-$ranks/run.h5 " ] || fail "model.h5 and run.h5 only"
    run 0 inspect "far-$ranks/model.h5"
    expect_status 0
    expect_stdout "^far-$ranks/model.h5: model; 4 inputs, 2 classes"
done
# The same weights as those of the run whose test set is sound.
run 2 --epochs 2 --out sound sound
expect_status 0
for ranks in 0 3; do
    expect_same_file "far-$ranks/model.h5" sound/model.h5
done
if "$PYTHON" -c 'import h5py' 2>/dev/null; then
    "$PYTHON" - <<'PY' || fail "the log says diverged, and has what is known"
import h5py
sound = h5py.File("sound/run.h5", "r")
for folder in ("far-0", "far-3"):
    run = h5py.File(f"{folder}/run.h5", "r")
    assert run.attrs["status"] == "diverged", run.attrs["status"]
    assert len(run["epochs"]) == 2
    assert set(run["evaluation"]) == {"train", "validation"}, set(run["evaluation"])
    for part in ("train", "validation"):
        assert run[f"evaluation/{part}"].attrs["loss"] == sound[f"evaluation/{part}"].attrs["loss"]
    assert run["summary"].attrs["weights_crc"] == sound["summary"].attrs["weights_crc"]
    assert len(run["ranks"]) == run["environment"].attrs["ranks"]
PY
fi

# ---- a recipe.json of something else ----
mkdir foreign
for part in train validation test; do
    cp sound-train.npz "foreign/$part.npz"
done
for text in '{"flour": 500, "butter": 250}' 'not JSON' ''; do
    printf '%s' "$text" >foreign/recipe.json
    for ranks in 0 3; do
        run "$ranks" --epochs 1 --out never foreign
        expect_status 3
        expect_one_stderr_line "; remove or rename it, or prepare the table again"
        expect_stderr '^dtrain: error: foreign/recipe.json: '
        expect_no_file never
    done
done
printf 'a,b,y\n' >table.csv
for row in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    echo "$row.5,0.$row,$((row % 2))" >>table.csv
done
run 0 prepare table.csv --target y --out prepared
expect_status 0
cp prepared/recipe.json foreign/recipe.json
run 3 --epochs 1 --out never foreign
expect_status 3
expect_one_stderr_line "foreign/recipe.json prepares 2 inputs and 2 classes, but the rows in the same folder have 4 and 2; remove or rename it, or prepare the table again"
expect_no_file never
rm foreign/recipe.json
run 0 --epochs 1 --out after foreign
expect_status 0
