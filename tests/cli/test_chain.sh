#!/bin/sh
# From a table to a decision: prepare, train, predict, evaluate, on 1, 2, 3 and 8 ranks: the same bytes,
# whether the rows come as a table or as arrays.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy pandas sklearn h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1

# Files of the three sets' rows as they were in the table, and one as new rows come: columns in another
# order, one more, and no target.
cut_table() {
    "$PYTHON" - "$1" "$2" <<'PY'
import sys
import numpy as np
import pandas as pd
table, name = pd.read_csv(sys.argv[1], dtype=str, keep_default_na=False), sys.argv[2]
for part in ("train", "test"):
    keys = np.load(f"{name}-keys/{part}.npz")["inputs"][:, 0]
    rows = table[table.key.astype(float).isin(keys)]
    rows.to_csv(f"{name}-{part}.csv", index=False)
    rows = rows.drop(columns="outcome").assign(extra="some, \"other\" thing")
    rows = rows[rows.columns[np.random.default_rng(3).permutation(len(rows.columns))]]
    rows.to_csv(f"{name}-{part}-new.csv", index=False, sep=";", lineterminator="\r\n")
PY
}

chain() {
    name=$1
    table=$2
    shift 2
    run 0 prepare "$table" --target outcome --out "$name-keys" --scale key=none --fill mean,mode \
        --quiet "$@"
    expect_status 0
    cut_table "$table" "$name"
    # The same rows, without the key: which set a row is in does not depend on what becomes of columns.
    run 0 prepare "$table" --target outcome --out "$name" --drop key --scale balance=log \
        --fill median,category --categorical day --max-categories 9 --quiet "$@"
    expect_status 0

    for ranks in $all_ranks; do
        run "$ranks" "$name" --out "run-$name-$ranks" --epochs 6 --hidden 16 --quiet
        expect_status 0
        expect_empty_stderr
        echo "$(summary weights_crc) $(summary test_accuracy) $(summary test_loss)" >>"trained-$name"
    done
    [ "$(sort -u "trained-$name" | wc -l)" -eq 1 ] || fail "one result of training: $(cat "trained-$name")"
    accuracy=$(summary test_accuracy)
    run=run-$name-$ranks

    for ranks in $all_ranks; do
        run "$ranks" predict "run-$name-$ranks" "$name-train-new.csv" --out "csv-$ranks.csv"
        expect_status 0
        expect_empty_stderr
        expect_stdout_line "summary.out=csv-$ranks.csv"
        run "$ranks" predict "$run/model.h5" "$name-train-new.csv" --out "csv-$ranks.npz" --quiet
        expect_status 0
        run "$ranks" predict "$run" "$name/train.npz" --out "npz-$ranks.csv"
        expect_status 0
        run "$ranks" predict "$run" "$name" --set train --out "npz-$ranks.npz"
        expect_status 0
        # Rows of a prepared .npz have the numbers that they had in the whole table.
        sed 's/^[^,]*,//' csv-1.csv >csv-values.csv
        sed 's/^[^,]*,//' "npz-$ranks.csv" >npz-values.csv
        expect_same_file csv-values.csv npz-values.csv
        for form in csv npz; do
            expect_same_file "csv-1.$form" "csv-$ranks.$form"
        done
        expect_same_file csv-1.npz "npz-$ranks.npz"

        run "$ranks" evaluate "$run" "$name"
        expect_status 0
        expect_empty_stderr
        sed '/^data  */d' stdout >"evaluated-$ranks"
        expect_same_file evaluated-1 "evaluated-$ranks"
        awk "BEGIN { exit !(($(summary accuracy) - $accuracy)^2 < 1e-16) }" </dev/null ||
            fail "accuracy $accuracy, as train said"
        run "$ranks" evaluate "$run" "$name-test.csv"
        expect_status 0
        expect_empty_stderr
        sed '/^data  */d' stdout >evaluated-csv
        expect_same_file evaluated-1 evaluated-csv
    done
    # To stdout, with the target in the table.
    run 2 predict "$run" "$name-train.csv"
    expect_status 0
    expect_empty_stderr
    expect_same_file csv-1.csv stdout

    run 0 predict "$run" "$name-test-new.csv" --out test.npz
    expect_status 0
    echo "evaluated-1 test.npz $name/test.npz $run/run.h5" >list
    run 2 evaluate "$run" "$name-train.csv"
    expect_status 0
    echo "stdout csv-1.npz $name/train.npz" >>list
    "$PYTHON" "$TESTS/cli/check_scores.py" list >agreement 2>wrong ||
        fail "scikit-learn and run.h5 agree: $(cat wrong)"
    [ "$(wc -l <agreement)" -eq 2 ] || fail "both were compared"
    rm -f -- csv-* npz-*
}

"$PYTHON" "$TESTS/cli/make_table.py" two.csv 2000 2
"$PYTHON" "$TESTS/cli/make_table.py" three.csv 1500 3 4
all_ranks="1 3"
! is_long || all_ranks="1 2 3 8"
chain two two.csv
is_long || exit 0
all_ranks="1 3"
chain three three.csv --split random --test-split 333
