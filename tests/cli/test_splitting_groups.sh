#!/bin/sh
# --split-by keeps groups together, --drop-duplicates drops rows that stand in the table before: in prepare, and
# in one command, which makes the same model.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy
"$PYTHON" - <<'PY'
import numpy as np

rng = np.random.default_rng(4)
rows = [f"k{i % 60},{a:.5f},{b:.4f},{'uvw'[int(3 * a)]},{'no' if a + b < 1 else 'yes'}"
        for i, (a, b) in enumerate(rng.random((300, 2)))]
some = [rows[i] for i in rng.integers(0, 300, 600)]
with open("table.csv", "w", encoding="utf-8") as table:
    table.write("\n".join(["n,customer,a,b,kind,y", *(f"{n},{row}" for n, row in enumerate(some))]) + "\n")
with open("different", "w", encoding="utf-8") as count:
    count.write(f"{len(set(some))}\n")
PY
different=$(cat different)

run 0 prepare table.csv --target y --id customer --split-by customer --out groups
expect_status 0
expect_stdout '^customer +dropped +0 +keeps groups together$'
expect_stdout "^split +[0-9]+ training, [0-9]+ validation, [0-9]+ test rows; by 'customer': [0-9]+, [0-9]+ and [0-9]+ groups, seed 1$"
"$PYTHON" - <<'PY' || fail "no group is in two sets"
import numpy as np

sets = [set(np.load(f"groups/{name}.npz")["id"].tolist()) for name in ("train", "validation", "test")]
assert sum(map(len, sets)) == len(set.union(*sets)) == 60, sets
PY
run 0 prepare table.csv --target y --drop-duplicates --out once
expect_status 0
expect_stdout_line "dropped  $((600 - different)) rows that repeat earlier rows"
expect_stdout_line "summary.rows=$different"
expect_stdout_line "summary.duplicate_rows=$((600 - different))"
expect_no_stderr "stand in"

# What the warning says to do helps, in one command, too.
run 2 table.csv --target y --epochs 1 --out warned --quiet
expect_stderr "rows in validation, with the same inputs and targets; if they are copies, the scores are too good: --drop-duplicates keeps the first, --split-by COLUMN keeps rows that belong together in one set$"
run 3 table.csv --target y --drop customer --split-by customer --drop-duplicates --split-seed 3 --epochs 2 --out one --quiet
expect_status 0
expect_no_stderr "stand in"
crc=$(summary weights_crc)
run 0 prepare table.csv --target y --drop customer --split-by customer --drop-duplicates --seed 3 --out both --quiet
expect_status 0
run 0 both --epochs 2 --out two --quiet
expect_stdout_line "summary.weights_crc=$crc"
run 0 --like one --out three --quiet
expect_stdout_line "summary.weights_crc=$crc"
run 0 both --epochs 1 --split-by customer --out no
expect_status 2
expect_one_stderr_line "--split-by requires a table of text, which both is not"

# Shares that groups do not add up to.
awk -F, 'NR == 1 || NR % 2 { print } NR > 1 && NR % 2 == 0 { print $1 "," "large," $3 "," $4 "," $5 "," $6 }' OFS=, table.csv >large.csv
run 0 prepare large.csv --target y --split-by customer --validation-split 0.1 --test-split 0 --out large --quiet
expect_status 0
expect_stderr "warning: --split-by 'customer': the validation set has [0-9.]+ % of the rows instead of 10 %, because groups stay together; another --seed gives others"
run 0 prepare table.csv --target y --split-by kind --out no --quiet
expect_status 3
expect_one_stderr_line "none of its 600 rows is left for the validation set: 'kind' has 3 groups; use a larger share, or another --seed"
expect_no_file no
