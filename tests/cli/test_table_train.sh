#!/bin/sh
# dtrain TABLE --target COLUMN: a model from a table in one command, the same to the bit as by dtrain prepare
# and dtrain train on its folder.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py pandas
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" "$TESTS/cli/make_table.py" visits.csv 1200 3
: "${DTRAIN_FAULTS:=$(dirname "$DTRAIN")/tests/dtrain-faults}"

# both NAME PREPARE OPTIONS -- TRAIN OPTIONS -- OPTIONS OF ONE COMMAND: the folders NAME-two and NAME-one, the
# latter on the numbers of ranks in $numbers.
both() {
    name=$1 prepare="" train=""
    shift
    while [ "$1" != -- ]; do prepare="$prepare $1" && shift; done
    shift
    while [ "$1" != -- ]; do train="$train $1" && shift; done
    shift
    # shellcheck disable=SC2086 # options are words
    run 0 prepare visits.csv $prepare --out "$name-arrays" --quiet
    expect_status 0
    # shellcheck disable=SC2086
    run 0 train "$name-arrays" $train --out "$name-two"
    expect_status 0
    crc=$(summary weights_crc)
    for ranks in $numbers; do
        # shellcheck disable=SC2086
        run "$ranks" visits.csv $train "$@" --out "$name-one" --force
        expect_status 0
        [ "$(summary weights_crc)" = "$crc" ] || fail "$name: the weights of the two commands on $ranks ranks"
        expect_same_file "$name-two/model.h5" "$name-one/model.h5"
    done
}

# ---- the same bits ----
numbers="1 2 3 8"
both classes --target outcome --fill mean,category --drop key --seed 3 -- --epochs 2 -- \
    --target outcome --fill mean,category --drop key --split-seed 3
expect_stdout '^table +visits.csv: 1200 rows, 10 columns between commas'
expect_stdout '^job +categorical '
expect_stdout '^split +960 training, 120 validation, 120 test rows; stratified, seed 3$'
expect_stdout '^data +visits: 960 training'
numbers="1 3"
both values --target balance,rate --weights campaign --fill rate=drop,mode --preset tabular --drop key \
    --validation-split 100 --test-split 0.2 -- --preset tabular --epochs 2 -- \
    --target balance,rate --weights campaign --fill rate=drop,mode --drop key --validation-split 100 --test-split 0.2
both untested --target outcome --fill mode --split ordered --test-split 0 -- --epochs 1 --test-split 0 -- \
    --target outcome --fill mode --split ordered

# The log has the arrays' fingerprints, the table and its settings; predictions are the same.
"$PYTHON" - <<'E'
import h5py
for name in "classes", "values", "untested":
    one, two = (h5py.File(f"{name}-{way}/run.h5", "r") for way in ("one", "two"))
    a, b = one["data/members"][:], two["data/members"][:]
    for column in "set", "array", "bytes", "crc32":
        assert (a[column] == b[column]).all(), (name, column, a, b)
    assert set(a["file"]) == {b"visits.csv"} and list(one["config"].attrs["data"]) == ["visits.csv"]
    assert (one["epochs"]["train_loss"] == two["epochs"]["train_loss"]).all()
for way in "one", "two":
    assert list(h5py.File(f"values-{way}/run.h5")["data/target_names"]) == [b"balance", b"rate"]
config = h5py.File("values-one/run.h5", "r")["config"].attrs
assert config["target"] == "balance,rate" and config["weights"] == "campaign" and config["drop"] == "key"
assert config["scale"] == "clipped" and config["fill"] == "rate=drop,mode" and config["validation_split"] == 100
E
run 0 predict classes-two visits.csv --out two.csv
run 2 predict classes-one visits.csv --out one.csv
expect_status 0
expect_same_file one.csv two.csv

# ---- rows can be traced ----
awk -F, -v OFS=, '{ print $0, NR == 1 ? "name" : NR % 3 ? "K\303\251" NR : NR, NR == 1 ? "number" : 7 * NR }' visits.csv >named.csv
for id in name number; do
    run 0 prepare named.csv --target "$id" --id "$id" --out "by-$id"
    expect_status 2
    run 0 prepare named.csv --target outcome --drop key --id "$id" --fill rate=drop,mode --out "by-$id"
    expect_status 0
    expect_stdout "^$id +dropped .* names the rows$"
done
"$PYTHON" - <<'E'
import numpy as np, pandas as pd
table = pd.read_csv("named.csv")
for id, kind in ("name", "U"), ("number", "i"):
    rows = []
    for part in "train", "validation", "test":
        arrays = np.load(f"by-{id}/{part}.npz")
        at = arrays["row"] - 1
        assert arrays["row"].dtype == np.int64 and (np.diff(at) > 0).all()
        assert arrays["id"].dtype.kind == kind and (arrays["id"] == table[id].to_numpy()[at]).all()
        classes = np.unique(table["outcome"])
        assert (classes[arrays["targets"]] == table["outcome"].to_numpy()[at]).all()
        rows.extend(at)
    assert sorted(rows) == list(np.flatnonzero(table["rate"].notna()))
E
run 0 train by-name --epochs 1 --out traced
expect_status 0
run 2 named.csv --target outcome --drop key --id name --fill rate=drop,mode --epochs 1 --out traced-one
expect_status 0
expect_same_file traced/model.h5 traced-one/model.h5

# ---- an interruption, and a repetition ----
set -- visits.csv --target outcome --fill mean,category --drop key --split-seed 3 --epochs 2
DTRAIN_FAULT=signal:0:12 && export DTRAIN_FAULT
REAL=$DTRAIN DTRAIN=$DTRAIN_FAULTS
run 3 "$@" --out stopped
DTRAIN=$REAL
unset DTRAIN_FAULT
expect_status 75
cp -r stopped changed
mkdir elsewhere
(cd elsewhere && run 2 --resume ../stopped && expect_status 0) || exit 1
expect_same_file stopped/model.h5 classes-one/model.h5
run 2 --like classes-one --out again
expect_status 0
[ "$(summary like_weights)" = same ] || fail "the same weights"
run 0 --like classes-one --drop job --out other # what is given wins, and makes other arrays
expect_status 0
expect_one_stderr_line "this is therefore another run, with the same settings"
run 0 --resume changed --drop job
expect_status 2
expect_one_stderr_line "--drop is job, but was key"

# So is a table of another recipe that gives the same arrays; a checkpoint without a recipe is gone on with.
cp visits.csv before.csv
sed '1s/age/years/' before.csv >visits.csv
run 2 --resume changed
expect_status 3
expect_one_stderr_line "--resume changed: its data was prepared by another recipe: column 2 is 'years', and was 'age'; use --force to resume"
sed 's/"\{0,1\}management/&!/' before.csv >visits.csv
cmp -s before.csv visits.csv && fail "the test changes a category"
run 2 --resume changed
expect_status 3
expect_one_stderr_line "recipe: column 'job' has other categories; use --force to resume"
cp -r changed older
"$PYTHON" -c 'import h5py; del h5py.File("older/checkpoint.h5", "r+").attrs["recipe"]'
run 2 --resume older
expect_status 0
cp before.csv visits.csv

# A table that has changed is refused; other data that is named is not.
cp visits.csv before.csv
awk -F, -v OFS=, 'NR == 9 { $2 = $2 + 1 } { print }' before.csv >visits.csv
run 2 --resume changed
expect_status 3
expect_one_stderr_line "but visits.csv has"
run 0 --like classes-one --out none
expect_status 3
expect_one_stderr_line "other data; name DATA to train on this data"
expect_no_file none
run 0 --like classes-one visits.csv --quiet --out named
expect_status 0
cp before.csv visits.csv

# ---- restarts; a refused run leaves no files ----
run 2 "$@" --restarts 2 --quiet --out restarts
expect_status 0
wrong() {
    expected=$1 text=$2
    shift 2
    run 2 --out refused "$@"
    expect_status "$expected"
    expect_one_stderr_line "$text"
    expect_no_file refused
}
wrong 2 "--target COLUMN is required, one of: key, age, job, balance" visits.csv
wrong 3 "no column 'outcom'; did you mean 'outcome'?" visits.csv --target outcom
wrong 3 "column 'contact' has no value here" visits.csv --target outcome
wrong 2 "--inputs names an array, but visits.csv is a table of text" visits.csv --target outcome --inputs x
wrong 2 "--target requires a table of text" classes-arrays --target outcome
wrong 2 "--split was given, but --split-column defines the sets" visits.csv --target outcome --split random \
    --split-column month
wrong 2 "--validation-split is 3, but must be between 0 and 0.9" classes-arrays --validation-split 3
wrong 3 "none.csv: cannot open" none.csv --target outcome
wrong 3 "none.csv.gz: no such file; --target requires a table of text" none.csv.gz --target outcome
wrong 2 "--target was given without DATA" --target outcome
wrong 2 "--target requires one table of text, but DATA is 2 words: 'visits.csv', 'mode'; join tables in one file" \
    visits.csv --target outcome --missing-only --fill mode
run 0 visits.csv --target outcome --fill mode --epochs 1 --quiet
expect_status 0
expect_file results/visits/model.h5
{ cat visits.csv; echo 'Total'; } >footer.csv
wrong 3 "has 1 field, but the header has" footer.csv --target outcome --fill mode
run 2 footer.csv --target outcome --fill mode --epochs 1 --quiet --on-error skip --out footer
expect_status 0
expect_stderr "rows is skipped; the first: footer.csv: row"
expect_same_file footer/model.h5 results/visits/model.h5

# --like with arrays: how the table was scaled has no meaning for them.
run 0 visits.csv --target outcome --preset tabular --hidden 8 --epochs 1 --quiet --out tabular
expect_status 0
run 0 --like tabular classes-arrays --quiet --out of-arrays
expect_status 0
# The other way round, the table is prepared as the preset says, unless an option is given.
run 0 classes-arrays --preset tabular --hidden 8 --epochs 1 --quiet --out from-arrays
for fill in '' 'mode'; do
    run 0 --like from-arrays visits.csv --target outcome ${fill:+--fill $fill} --quiet --out like-arrays --force
    expect_status 0
    run 0 visits.csv --target outcome --preset tabular --hidden 8 --epochs 1 ${fill:+--fill $fill} --quiet --out preset --force
    expect_same_file like-arrays/model.h5 preset/model.h5
done

# What --loss is for decides what the target is, before the table is read.
run 0 visits.csv --target age --loss mse --fill mode --epochs 1 --quiet --out loss
expect_status 0
run 0 visits.csv --target age --task regression --loss mse --fill mode --epochs 1 --quiet --out task
expect_same_file loss/model.h5 task/model.h5
wrong 2 "--loss mse is for regression, but --task is classification; use --task regression, or another --loss" \
    none.csv --target age --task classification --loss mse
