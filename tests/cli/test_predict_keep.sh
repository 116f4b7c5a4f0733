#!/bin/sh
# predict: columns of the table that come along (--keep, --brief), and rows with bad cells (--on-error).
# long: many tables and numbers of ranks
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy pandas

# Several blocks of rows for three ranks. Kept are a column the recipe knows, one that it drops, and two that
# it has never seen, with all that a CSV can hold.
"$PYTHON" - <<'PY'
import csv
import random
random.seed(3)
rows = [[f"{7 * i:06d}", random.randint(1, 90), round(random.uniform(1, 60), 2)] for i in range(30000)]
texts = ["", "plain", "with, comma", 'with "quotes"', "two\nlines", " blanks ", "0012", "ünï"]
def write(path, header, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC).writerows([header, *rows])
write("train.csv", ["key", "age", "fare, paid", "class"],
      [[*row, "yes" if row[1] + row[2] > 60 else "no"] for row in rows[:600]])
full = [[texts[i % 8], *row, i % 3] for i, row in enumerate(rows)]
header = ["Name, First", "key", "age", "fare, paid", "Note"]
write("new.csv", header, full)
for i in (4, 17001, 29999):
    full[i][2] = ["old", "x", "-"][i % 3]
write("bad.csv", header, full)
lines = open("bad.csv", newline="").read().split("\n")
# Records of one line: the first field is dropped, repeated, or has an extra quote.
def spoil(row, change):
    at = next(i for i, line in enumerate(lines) if f'"{row[0]}",' in line)
    assert lines[at].startswith('"plain"'), lines[at]
    lines[at] = change(lines[at])
spoil(rows[1], lambda line: line.removeprefix('"plain",'))
spoil(rows[17009], lambda line: line + ',"more"')
spoil(rows[25001], lambda line: line.replace('"plain"', 'pl"ain'))
open("ragged.csv", "w", newline="").write("\n".join(lines))
write("worse.csv", header, [[*row[:2], "?!", *row[3:]] for row in full])
PY
run 0 prepare train.csv --target class --drop key --out set --quiet
expect_status 0
run 0 set --epochs 1 --out model --quiet
expect_status 0

# everywhere NAME ARGS...: NAME.csv, the same on 1 and 3 ranks
everywhere() {
    name=$1
    shift
    run 1 predict model "$@" --out "$name.csv" --quiet
    expect_status 0
    cp stderr one.stderr
    run 3 predict model "$@" --out again.csv --quiet
    expect_status 0
    expect_same_file "$name.csv" again.csv
    expect_same_file stderr one.stderr
}
# Kept columns whose names the output has, too.
sed -e '1 s/key/row/; 1 s/Note/class/' new.csv >named.csv
run 0 predict model named.csv --keep row,class,row --out named-kept.csv --quiet
expect_status 0
expect_one_stderr_line "the kept column 'row' is renamed, because the output has a column of this name"
[ "$(head -n 1 named-kept.csv | cut -d, -f 1-5)" = row.1,class.1,row.2,row,class ] ||
    fail "other names: $(head -n 1 named-kept.csv)"
everywhere plain new.csv
expect_empty_stderr
everywhere kept new.csv --keep 'key,"Name, First",age'
expect_empty_stderr
run 3 predict model new.csv --out numbers.csv --quiet --keep '#2,#1,#3'
expect_status 0
expect_same_file kept.csv numbers.csv
everywhere brief new.csv --keep ' key ' --brief
everywhere alone new.csv --brief
everywhere skipped bad.csv --on-error skip --keep key
expect_one_stderr_line "dtrain: warning: 3 of 30000 rows cannot be prepared, and are skipped; the first is bad.csv: row 5 (line 6): column 'age': 'x' is not a number"
run 3 predict model bad.csv --on-error empty --keep key --out empty.csv
expect_status 0
expect_one_stderr_line "dtrain: warning: 3 of 30000 rows cannot be prepared, and have an empty prediction; the first is bad.csv: row 5 "
expect_stdout_line summary.rows=30000
expect_stdout_line summary.bad_rows=3
everywhere ragged-skipped ragged.csv --on-error skip --keep key
expect_one_stderr_line "dtrain: warning: 6 of 30000 rows cannot be prepared, and are skipped; the first is ragged.csv: row 2 (line 3) has 4 fields, but the header has 5"
everywhere ragged-empty ragged.csv --on-error empty --keep key
expect_one_stderr_line "dtrain: warning: 6 of 30000 rows cannot be prepared, and have an empty prediction; the first is ragged.csv: row 2 "
run 2 predict model bad.csv --on-error empty --out empty.npz
expect_status 0
run 0 predict model bad.csv --on-error skip --keep key
expect_status 0
expect_same_file stdout skipped.csv
"$PYTHON" - >wrong 2>&1 <<'PY' || fail "what is kept is what was there: $(cat wrong)"
import numpy as np
import pandas as pd
def read(name): return pd.read_csv(name, dtype=str, keep_default_na=False)
table, plain, kept = read("new.csv"), read("plain.csv"), read("kept.csv")
assert list(kept.columns) == ["key", "Name, First", "age", *plain.columns], kept.columns
assert kept[plain.columns].equals(plain)
assert kept[["key", "age"]].equals(table[["key", "age"]])
assert list(kept["Name, First"]) == list(table["Name, First"]), "the texts, to the blank"
assert read("brief.csv").equals(pd.concat([table["key"], plain["class"]], axis=1))
assert read("alone.csv").equals(plain[["class"]])
bad = np.array([4, 17001, 29999])
good = np.setdiff1d(np.arange(30000), bad)
all_of = pd.concat([table["key"], plain], axis=1)
assert read("skipped.csv").equals(all_of.iloc[good].reset_index(drop=True))
empty = read("empty.csv")
assert empty.iloc[good].equals(all_of.iloc[good])
assert empty[["key", "row"]].equals(all_of[["key", "row"]])
assert (empty.loc[bad, ["class", "p_no", "p_yes"]] == "").all(axis=None)
# A row of another number of cells, or with a quote in a wrong place, has no cells.
ragged = np.array([1, 17009, 25001])
none = np.union1d(bad, ragged)
assert read("ragged-skipped.csv").equals(all_of.drop(none).reset_index(drop=True))
empty = read("ragged-empty.csv")
assert empty.drop(none).equals(all_of.drop(none)) and empty["row"].equals(all_of["row"])
assert (empty.loc[ragged, ["key", "class", "p_no", "p_yes"]] == "").all(axis=None)
arrays = np.load("empty.npz")
assert np.isnan(arrays["probabilities"][bad]).all() and (arrays["predicted"][bad] == -1).all()
assert np.isfinite(arrays["probabilities"][good]).all() and (arrays["predicted"][good] >= 0).all()
PY

# evaluate --on-error skip: as if the bad rows were not there. Labels can be bad, too.
"$PYTHON" - <<'PY'
lines = ["Note,key,age,\"fare, paid\",class"] + [f"n,{i},{i % 90},{i % 60}.5,{'yes' if i % 90 + i % 60 > 60 else 'no'}" for i in range(9000)]
open("good.csv", "w").write("\n".join(line for i, line in enumerate(lines) if i not in (5, 4000, 7000, 8999)) + "\n")
lines[5] = "n,5,old,1.5,no"
lines[4000] = "n,4000,1,1.5"
lines[7000] = "n,7000,1,1.5,perhaps"
lines[8999] = "n,8999,1,1.5,"
open("labelled.csv", "w").write("\n".join(lines) + "\n")
PY
run 1 evaluate model good.csv
expect_status 0
grep -v ^data stdout >good.txt
for ranks in 1 3; do
    run "$ranks" evaluate model labelled.csv --on-error skip
    expect_status 0
    expect_one_stderr_line "dtrain: warning: 4 of 9000 rows cannot be prepared, and are skipped; the first is labelled.csv: row 5 "
    expect_stdout_line summary.bad_rows=4
    grep -v -e ^data -e bad_rows stdout >skipped.txt
    expect_same_file good.txt skipped.txt
done
run 2 evaluate model labelled.csv
expect_status 3
expect_one_stderr_line "dtrain: error: labelled.csv: row 5 (line 6): column 'age': 'old' is not a number"
run 2 evaluate model set --on-error skip
expect_status 2
expect_one_stderr_line "dtrain: error: --on-error requires a table of text, but set has arrays; remove it"

# Of values: no probabilities to leave out.
run 0 prepare train.csv --target age --task regression --drop key,class --out values --quiet
expect_status 0
run 0 values --epochs 1 --out value-model --quiet
expect_status 0
run 2 predict value-model new.csv --keep key --brief
expect_status 0
[ "$(head -n 1 stdout)" = key,age ] || fail "the key and the value"
[ "$(sed -n 3p stdout | cut -d, -f1)" = 000007 ] || fail "as it stands: 000007"

# A column that is called '#3' goes first; one without a name has pandas' name for it, too.
sed '1s/Note/#2/' new.csv | head -n 2 | sed 's/^"[^"]*"/""/' >few.csv
run 0 predict model few.csv --keep '#2,Unnamed: 0,#4' --brief
expect_status 0
[ "$(cat stdout | head -n 1)" = '#2,column 1,"fare, paid",class' ] || fail "the names: $(cat stdout)"

run 0 predict model new.csv --brief --keep KEY
expect_status 0
expect_stdout_line "key,class" # a name in another case

# ---- refused ----
refused() {
    code=$1 text=$2
    shift 2
    run 2 predict model "$@"
    expect_status "$code"
    expect_one_stderr_line "dtrain: error: $text"
    [ ! -s stdout ] || fail "nothing on stdout"
    expect_no_file never.csv
    expect_no_file never.npz
}
refused 3 "new.csv: no column 'keys'; did you mean 'key'?" new.csv --keep age,keys --out never.csv
refused 3 "new.csv: no column '#6' among its 5: Name, First, key, age, fare, paid, Note" new.csv --keep '#6' --out never.csv
refused 3 "new.csv: no column 'fare'; write a name with a comma in quotes, as '\"fare, paid\"', or the column's number, as #4" \
    new.csv --keep 'fare, paid' --out never.csv
refused 2 "--keep is ',', expected names of columns" new.csv --keep , --out never.csv
refused 2 "--keep and --out never.npz were given, but only a CSV supports that" new.csv --keep key --out never.npz
refused 2 "--brief and --out never.npz were given, but only a CSV supports that" new.csv --brief --out never.npz
refused 2 "--on-error skip and --out never.npz were given" new.csv --on-error skip --out never.npz
refused 2 "--keep requires a table of text, but set/test.npz has arrays" set/test.npz --keep key --out never.csv
refused 2 "--on-error requires a table of text, but set/test.npz has arrays" set/test.npz --on-error empty --out never.csv
refused 3 "bad.csv: row 5 (line 6): column 'age': 'x' is not a number" bad.csv --on-error stop --out never.csv
refused 3 "ragged.csv: row 2 (line 3) has 4 fields, but the header has 5" ragged.csv --out never.csv
refused 3 "worse.csv: row 1 (line 2): column 'age': '?!' is not a number; and so in all 30000 rows" \
    worse.csv --on-error skip --out never.csv

# ---- what a spreadsheet would take for a formula gets a ' in front, as in the CSV of dtrain report ----
sed 's/"yes"/"=yes"/; s/"no"/"+no"/' train.csv >formulas-train.csv
run 0 formulas-train.csv --target class --drop key --epochs 1 --out formulas --quiet
expect_status 0
printf '%s\n' 'age,"fare, paid",=Note' '80,50,=1+1' '80,50,-1.5' '80,50,"@a,b"' '80,50,"-1,5"' '1,1,+x' >formulas.csv
run 0 predict formulas formulas.csv --keep =Note
expect_status 0
cut -d '"' -f 1-2 stdout | sed 's/,[1-5],.*//' >kept
printf '%s\n' "'=Note,row,class,p_'+no,p_'=yes" "'=1+1" "-1.5" "\"'@a,b" '"-1,5' "'+x" >expected
expect_same_file kept expected
expect_stdout "^'=1[+]1,1,'[=+]"
