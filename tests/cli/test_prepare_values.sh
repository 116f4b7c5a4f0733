#!/bin/sh
# dtrain prepare with targets that are values and with row weights: arrays, recipe and report against
# NumPy; training and scoring of what it made; what it refuses.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py

# 600 rows: a key, two inputs, two values, a weight; edits by line of awk
rows() {
    awk -v OFS=, "BEGIN {
        for (n = 0; n <= 600; n++) {
            a = sprintf(\"%.4f\", sin(n) * 100); b = substr(\"uvw\", n % 3 + 1, 1)
            price = sprintf(\"%.9g\", 1e5 + 300 * a + n % 3 * 5000 + cos(n * n))
            rent = int(a * 7) - n % 3; w = n % 4 / 2
            if (n == 0) { a = \"a\"; b = \"b\"; price = \"price\"; rent = \"rent\"; w = \"w\" }
            $1
            print n == 0 ? \"key\" : n * 1.5, a, b, price, rent, w
        }
    }"
}
rows '' >table.csv

# ---- arrays, recipe, report ----

run 0 prepare table.csv --target rent,price --weights w --out both --scale key=none
expect_status 0
expect_empty_stderr
expect_stdout '^price +target +0 +[0-9]+  values from [0-9.]+ to [0-9.e+]+$'
expect_stdout '^w +weights +0 +4  0 to 1\.5$'
expect_stdout '480 training, 60 validation, 60 test rows; random, seed 1'
expect_stdout '^target   rent: mean -?[0-9.]+, deviation [0-9.]+, -[0-9]+ to [0-9]+ in the training rows$'
expect_stdout '^target   price: mean '
expect_stdout '^weights  w$'
expect_stdout_line 'summary.targets=2'
expect_stdout_line 'summary.target_1=rent'
expect_stdout_line 'summary.weights=w'
expect_no_stdout 'summary.classes'
cp stdout both.log
run 0 prepare table.csv --target price --drop rent,w --out one --scale key=none --store --quiet
expect_status 0
expect_stdout_line 'summary.target=price'
"$PYTHON" - >wrong 2>&1 <<'PY' || fail "arrays and recipe are those of the table: $(cat wrong)"
import csv
import json

import numpy as np

table = list(csv.DictReader(open("table.csv")))
row_of = {np.float32(row["key"]): row for row in table}
summary = dict(line.strip().split("=", 1) for line in open("both.log") if line.startswith("summary."))
count = 0
for part in ("train", "validation", "test"):
    both, one = np.load(f"both/{part}.npz"), np.load(f"one/{part}.npz")
    assert both.files == ["targets", "weights", "inputs", "row"] and one.files == ["targets", "inputs", "row"]
    assert both["targets"].dtype.str == both["weights"].dtype.str == one["targets"].dtype.str == "<f8"
    assert both["inputs"].shape[1] == one["inputs"].shape[1] == 5
    rows = [row_of[key] for key in both["inputs"][:, 0]]
    assert np.array_equal(both["targets"], [[float(row["rent"]), float(row["price"])] for row in rows])
    assert np.array_equal(both["weights"], [float(row["w"]) for row in rows])
    assert np.array_equal(one["inputs"], both["inputs"])
    assert np.array_equal(one["targets"], both["targets"][:, 1])
    count += len(rows)
    if part == "train":
        for j, target in enumerate(both["targets"].T):
            for name, value in (("mean", target.mean()), ("deviation", target.std()),
                                ("minimum", target.min()), ("maximum", target.max())):
                found = float(summary[f"summary.target_{j + 1}_{name}"])
                assert np.isclose(found, value, rtol=1e-12, atol=1e-12), (j, name, found, value)
assert count == len(table)
recipe = json.load(open("both/recipe.json"))
assert recipe["dtrain_recipe"] == 1
assert recipe["target"] == {"columns": ["rent", "price"]} and recipe["weights"] == "w"
roles = {column["name"]: column["role"] for column in recipe["columns"]}
assert roles["price"] == roles["rent"] == "target" and roles["w"] == "weights"
recipe = json.load(open("one/recipe.json"))
assert recipe["target"] == {"columns": ["price"]} and "weights" not in recipe
PY

run 0 inspect both/recipe.json
expect_status 0
expect_stdout_line 'both/recipe.json: recipe of 6 columns; 5 inputs, 2 values'
expect_stdout '^price +target +- +- +- +value$'
run 0 inspect --json both/recipe.json
expect_stdout '"weights": ?"w"'
run 0 inspect one/train.npz
expect_status 0
expect_stdout ' mean +deviation '

# ---- training and scoring ----

for ranks in 1 3; do
    run "$ranks" train both --out "run-$ranks" --epochs 2 --quiet
    expect_status 0
done
expect_same_file run-1/model.h5 run-3/model.h5
run 1 train both --out run --epochs 2
expect_status 0
expect_stdout '^data .* 5 inputs, 2 values; rows have weights$'
"$PYTHON" - <<'PY' || fail "the weights' array is logged"
import h5py
weights = h5py.File("run/run.h5")["config"].attrs["weights"]
assert weights in ("weights", b"weights"), weights
PY
run 1 train both --out named --epochs 2 --weights weights --quiet
expect_status 0
expect_same_file run/model.h5 named/model.h5
run 1 train one --out run-one --epochs 2
expect_status 0
expect_stdout '^data .* 5 inputs, 1 value$'

# The raw rows of the test set score as its arrays do, weights included; they may also come without.
"$PYTHON" - <<'PY'
import csv

import numpy as np

keys = set(np.load("both/test.npz")["inputs"][:, 0])
table = list(csv.reader(open("table.csv")))
with open("test.csv", "w", newline="") as file:
    csv.writer(file).writerows([table[0]] + [r for r in table[1:] if np.float32(r[0]) in keys])
PY
cut -d, -f1-5 test.csv >unweighted.csv
cut -d, -f1-3 test.csv >unlabelled.csv
run 2 evaluate run both --quiet
expect_status 0
cp stdout arrays.log
run 2 evaluate run test.csv --quiet
expect_status 0
expect_same_file arrays.log stdout
run 2 evaluate run unweighted.csv --quiet
expect_status 0
for table in test.csv unlabelled.csv; do
    run 2 predict run "$table" --out "predicted-$table" --quiet
    expect_status 0
done
expect_same_file predicted-test.csv predicted-unlabelled.csv
sed '5s/,[^,]*$/,-1/' test.csv >negative.csv
run 2 evaluate run negative.csv
expect_status 3
expect_one_stderr_line "negative.csv: row 4 (line 5): column 'w': '-1' is negative"
sed '5s/,[^,]*,\([^,]*\)$/,?,\1/' test.csv >text.csv
run 2 evaluate run text.csv
expect_status 3
expect_one_stderr_line "text.csv: row 4 (line 5): column 'rent': '?' is not a number"

# ---- refusals ----

# refused STATUS TEXT TABLE OPTIONS...
refused() {
    code=$1
    text=$2
    shift 2
    run 0 prepare "$@" --out out
    expect_status "$code"
    expect_one_stderr_line "dtrain: error: $text"
    expect_no_file out
}
rows 'if (n == 77) price = "abc"' >abc.csv
refused 3 "abc.csv: row 77 (line 78): column 'price': 'abc' is not a number" abc.csv --target rent,price
refused 3 "abc.csv: row 77 (line 78): column 'price': 'abc' is not a number" abc.csv --target price \
    --task regression
refused 3 "abc.csv: row 77 (line 78): the target 'price': 'abc' is not a number, but 599 of its 600" \
    abc.csv --target price
rows 'if (n == 77) price = ""' >empty.csv
refused 3 "empty.csv: row 77 (line 78): the target 'price' has no value here, and in 1 row in all; use --fill 'price=drop'" \
    empty.csv --target price --fill mean
rows 'if (n > 0) price = 7.5' >constant.csv
refused 3 "constant.csv: every row's 'price' is 7.5; there is nothing to learn" constant.csv \
    --target price
rows 'if (n == 77) price = "1e39"' >large.csv
refused 3 "large.csv: row 77 (line 78): column 'price': '1e39' is beyond the range of float32" \
    large.csv --target price
rows 'if (n == 77) w = "-0.5"' >negative.csv
refused 3 "negative.csv: row 77 (line 78): column 'w': '-0.5' is negative, which a weight must not be" \
    negative.csv --target price --weights w
rows 'if (n == 77) w = "NaN"' >nan.csv
refused 3 "nan.csv: row 77 (line 78): the weight 'w' has no value" nan.csv --target b --weights w
refused 3 "nan.csv: row 77 (line 78): column 'w': 'NaN' is not a number" nan.csv --target b --weights w \
    --missing-only NA
refused 3 "table.csv: no column 'ww'; did you mean 'w'?" table.csv --target b --weights ww
refused 2 "--split stratified is for classes, but the target 'price' is values" table.csv \
    --target price --split stratified
refused 2 "--target names 2 columns, but --task classification takes one" table.csv \
    --target price,rent --task classification
refused 2 "--target names column 'price' twice" table.csv --target price,rent,price
refused 2 "column 'w' cannot be both the target and the weights" table.csv --target w --weights w
refused 2 "--task takes one of auto|classification|regression" table.csv --target price --task rank

# Whole numbers that may be a quantity are classes, with a warning that names the option.
rows 'if (n > 0) rent = n % 40' >doubtful.csv
run 0 prepare doubtful.csv --target rent --out doubtful --quiet
expect_status 0
expect_stdout_line 'summary.classes=40'
expect_one_stderr_line "the target has 40 whole numbers, which are used as classes; use --task regression"
for task in classification regression; do
    run 0 prepare doubtful.csv --target rent --out "doubtful-$task" --task "$task" --quiet
    expect_status 0
    expect_empty_stderr
done

# A folder whose recipe and rows do not fit each other.
cp one/recipe.json doubtful/recipe.json
run 1 train doubtful --out mixed
expect_status 3
expect_stderr 'doubtful/recipe.json prepares '
