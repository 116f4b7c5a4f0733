#!/bin/sh
# dtrain predict: what it writes, for which rows, and what it refuses: one line that says where, and no
# half of a file. (Tables against arrays, and the numbers of ranks: test_chain.sh.)
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy pandas
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" - <<'PY'
from make_table import HEADER, make_rows, write_table
rows = make_rows(12000, 3, 9)
for row in rows: # a class whose name needs quotes
    row[-1] = row[-1].replace("maybe later", 'perhaps, "later"')
write_table("table.csv", rows)
bad = [list(row) for row in rows]


def write_bad(name, row, column, cell):
    kept = bad[row - 1][column]
    bad[row - 1][column] = cell
    write_table(name, bad)
    bad[row - 1][column] = kept


write_bad("text.csv", 9876, 3, "much")
write_bad("missing.csv", 9876, 2, None)
write_bad("unseen.csv", 11000, 2, "pilot")
write_bad("infinite.csv", 9876, 3, "1e300")
write_bad("quote.csv", 9876, 2, "@")
write_bad("ragged.csv", 9876, 2, "@")
write_table("no-job.csv", [row[:2] + row[3:] for row in rows[:50]], HEADER[:2] + HEADER[3:])
write_table("renamed.csv", rows[:50], ["Aged" if name == "age" else name for name in HEADER])
write_table("one.csv", rows[77:78])
PY
sed -i 's/,@,/,"retired,/' quote.csv
sed -i 's/,@,/,retired,,/' ragged.csv
run 0 prepare table.csv --target outcome --drop key --out set --fill indicator,contact=category --quiet
expect_status 0
run 0 set --out model --epochs 1 --quiet
expect_status 0
run 0 set/train.npz --out bare --epochs 1 --quiet
expect_status 0

# ---- the output ----

run 1 predict model table.csv
expect_status 0
expect_empty_stderr
mv stdout said.csv
run 3 predict model table.csv --out made.csv
expect_status 0
expect_same_file said.csv made.csv
cp table.csv kept.csv
run 0 predict model table.csv --out table.csv
expect_status 2
expect_one_stderr_line "--out table.csv would overwrite an input"
expect_same_file table.csv kept.csv
cp -r set kept-set
run 0 predict model set --out set/test.npz # the folder's file, not the folder, is read
expect_status 2
expect_one_stderr_line "--out set/test.npz would overwrite an input"
expect_same_file set/test.npz kept-set/test.npz
run 8 predict model table.csv --out made.npz
expect_status 0
expect_empty_stderr
[ "$(cat -v stdout)" = "summary.out=made.npz
summary.rows=$(($(wc -l <made.csv) - 1))
summary.status=ok" ] || fail "into a file, plain lines only"
[ "$(sed -n 1p made.csv)" = 'row,class,p_never,p_no,"p_perhaps, ""later""",p_yes' ] ||
    [ "$(sed -n 1p made.csv)" = 'row,class,p_no,"p_perhaps, ""later""",p_yes' ] ||
    fail "a header: row, class, and the classes"
"$PYTHON" - >wrong 2>&1 <<'PY' || fail "the files say the same: $(cat wrong)"
import json
import numpy as np
import pandas as pd
classes = json.load(open("set/recipe.json"))["target"]["classes"]
made, arrays = pd.read_csv("made.csv"), np.load("made.npz")
p, predicted = arrays["probabilities"], arrays["predicted"]
assert sorted(arrays.files) == ["predicted", "probabilities"]
assert (p.dtype, predicted.dtype) == (np.float32, np.int64)
assert p.shape == (12000, len(classes)) and predicted.shape == (12000,)
assert list(made.columns) == ["row", "class"] + [f"p_{name}" for name in classes]
assert np.array_equal(made["row"], np.arange(1, 12001))
assert list(made["class"]) == [classes[c] for c in predicted]
assert np.array_equal(predicted, p.argmax(axis=1))
# Nine digits give a float32 back.
assert np.array_equal(made.iloc[:, 2:].to_numpy().astype(np.float32), p)
assert np.abs(p.sum(axis=1) - 1).max() < 1e-5
PY

# One row, by itself: the same numbers as among others.
run 0 predict model one.csv
expect_status 0
[ "$(sed -n 2p stdout | cut -d, -f2-)" = "$(sed -n 79p made.csv | cut -d, -f2-)" ] ||
    fail "row 78 of the table"
run 8 predict model one.csv --out one.npz
expect_status 0
run 8 predict model one.csv --out made.csv
expect_status 0
[ "$(wc -l <made.csv)" -eq 2 ] || fail "an older file is replaced"

# From a pipe it cannot be read twice; from a file of another name it can.
cp one.csv rows.txt
run 0 predict model rows.txt
expect_status 0

# A model that knows no table takes arrays, and calls its classes 0, 1 ...
run 0 predict bare set/test.npz
expect_status 0
expect_stdout '^row,class,p_0,p_1,p_2'
expect_stdout '^[0-9]+,[012],'
run 0 predict bare set --set validation
expect_status 0
[ "$(wc -l <stdout)" -eq 1201 ] || fail "1200 validation rows"

# ---- refusals ----

# refused STATUS TEXT ARGS...: also with a file, on several ranks: none appears, an older one stays
refused() {
    code=$1
    text=$2
    shift 2
    for out in ${OUTS:-new.csv old.npz}; do
        printf 'older\n' >old.csv
        printf 'older\n' >old.npz
        run 3 predict "$@" --out "$out"
        expect_status "$code"
        expect_one_stderr_line "dtrain: error: $text"
        [ "$(cat old.csv old.npz)" = "older
older" ] || fail "an older file stays"
        [ -z "$(find . -name 'new.*' -o -name '*.tmp')" ] || fail "no half of a file"
    done
}
refused 3 "text.csv: row 9876 (line 9877): column 'balance': 'much' is not a number" model text.csv
refused 3 "missing.csv: row 9876 (line 9877): column 'job': 'NA' means a missing value" model missing.csv
refused 3 "infinite.csv: row 9876 (line 9877): column 'balance': '1e300' is beyond" model infinite.csv
OUTS="new.npz old.csv"
refused 3 "quote.csv: row 9876 (line 9877), field 3: text after a closing quote" model quote.csv
refused 3 "ragged.csv: row 9876 (line 9877) has 11 fields, but the header has 10" model ragged.csv

# The rest is found before anything is written.
refuse() {
    code=$1
    text=$2
    shift 2
    run "${RANKS:-0}" predict "$@"
    expect_status "$code"
    expect_one_stderr_line "dtrain: error: $text"
    [ ! -s stdout ] || fail "nothing on stdout"
}
RANKS=2
refuse 3 "no-job.csv: no column 'job'" model no-job.csv
refuse 3 "renamed.csv: no column 'age'; did you mean 'Aged'?" model renamed.csv
refuse 3 "one.csv: a table of text, but the model has no recipe" bare one.csv
refuse 4 "nowhere/one.csv: cannot create" model one.csv --out nowhere/one.csv
RANKS=0
printf '' >empty.csv
refuse 3 "empty.csv: is empty" model empty.csv
head -n 1 table.csv >header.csv
refuse 3 "header.csv: has no rows below its header" model header.csv
refuse 3 "nowhere.csv: cannot open" model nowhere.csv
refuse 3 "nowhere.npz: " model nowhere.npz
refuse 3 "nowhere" nowhere one.csv
refuse 3 "one.csv: is not an HDF5 file" one.csv model
refuse 3 "model/run.h5: is the log of a run, not its model" model/run.h5 one.csv
head -c 3000 model/model.h5 >cut.h5
refuse 3 "cut.h5: truncated HDF5 file" cut.h5 one.csv
"$PYTHON" -c 'import numpy; numpy.savez("narrow.npz", inputs=numpy.ones((5, 7), "f4"))'
refuse 3 "narrow.npz: inputs has 7 columns, but the model takes " model narrow.npz
refuse 2 "dtrain predict requires a model and rows, but found 1 word" model
refuse 2 "dtrain predict requires a model and rows, but found 3 words" model one.csv one.csv
refuse 2 "unknown option --targets" model one.csv --targets y
refuse 2 "--out is one.xlsx, but must end in .csv or .npz" model one.csv --out one.xlsx
refuse 4 "nowhere/one.npz: cannot create" model one.csv --out nowhere/one.npz
mkdir folder.csv
refuse 4 "folder.csv: cannot create" model one.csv --out folder.csv
expect_no_file nowhere
run 0 predict model one.csv --quiet
expect_status 0
[ "$(wc -l <stdout)" -eq 2 ] || fail "predictions are not quiet"

# A category that no training row had is ignored, with a warning, or an error if prepare was told so.
run 3 predict model unseen.csv --out unseen-made.csv
expect_status 0
expect_one_stderr_line "dtrain: warning: 1 cell holds a category that no training row had, as column '"
run 0 prepare table.csv --target outcome --drop key --out strict --fill indicator,category --quiet \
    --unseen error
expect_status 0
run 0 strict --out strict-model --epochs 1 --quiet
expect_status 0
refused 3 "unseen.csv: row 11000 (line 11001): column 'job': 'pilot' is a category that no training" \
    strict-model unseen.csv

# Decimal commas stay decimal commas, also in a few rows that do not show them.
tr ',.' ';,' <table.csv >comma.csv
run 0 prepare comma.csv --target outcome --drop key --out comma --fill indicator,category --quiet
expect_status 0
expect_same_file comma/train.npz strict/train.npz
run 0 comma --out comma-model --epochs 1 --quiet
expect_status 0
run 0 predict comma-model comma.csv --out comma-made.npz
expect_status 0
run 0 predict strict-model table.csv --out strict-made.npz
expect_status 0
expect_same_file comma-made.npz strict-made.npz

run 0 predict --help
expect_status 0
expect_stdout 'MODEL is a \.h5 or \.keras'
