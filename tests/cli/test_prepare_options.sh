#!/bin/sh
# dtrain prepare: which row goes into which set, the same bytes for the same table and options, and
# the same arrays however the table is written.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" "$TESTS/cli/make_table.py" table.csv 1000 3

# prepare DIR OPTIONS...: of table.csv; the key is the first input
prepare() {
    folder=$1
    shift
    run 0 prepare table.csv --target outcome --out "$folder" --scale key=none --fill mean,mode \
        --quiet "$@"
    expect_status 0
    expect_no_stderr error
}

sets() { echo "$(summary train_rows) $(summary validation_rows) $(summary test_rows)"; }

expect_same_sets() {
    for file in train.npz validation.npz test.npz recipe.json; do
        expect_same_file "$1/$file" "$2/$file"
    done
}

# ---- the split ----

prepare default
[ "$(sets)" = "800 100 100" ] || fail "80/10/10, not $(sets)"
[ "$(find default | wc -l)" -eq 5 ] || fail "three sets and the recipe, nothing else"
prepare shares --validation-split 0.25 --test-split 0.5
[ "$(sets)" = "250 250 500" ] || fail "25/25/50, not $(sets)"
prepare counts --validation-split 123 --test-split 60 --split random
[ "$(sets)" = "817 123 60" ] || fail "these counts, not $(sets)"
prepare random --split random
prepare ordered --split ordered
prepare other --seed 2

awk -F, -v OFS=, '{ print $0, NR == 1 ? "set" : NR % 5 == 2 ? "Test" : NR % 5 == 3 ? "val" : "train" }' \
    table.csv >with-sets.csv
run 0 prepare with-sets.csv --target outcome --split-column set --out column --scale key=none \
    --fill mean,mode --quiet
expect_status 0
[ "$(sets)" = "600 200 200" ] || fail "as the column says, not $(sets)"
inputs=$("$PYTHON" -c 'import json; print(json.load(open("default/recipe.json"))["inputs"])')
expect_stdout_line "summary.inputs=$inputs"

"$PYTHON" - >wrong 2>&1 <<'PY' || fail "the sets are as asked for: $(cat wrong)"
import numpy as np


def load(folder):
    """key and label of each row, of the three sets"""
    sets = [np.load(f"{folder}/{part}.npz") for part in ("train", "validation", "test")]
    return [(s["inputs"][:, 0], s["targets"]) for s in sets]


keys = np.sort(np.concatenate([key for key, label in load("default")]))
assert len(set(keys)) == 1000
for folder in ("default", "shares", "counts", "random", "ordered", "other", "column"):
    sets = load(folder)
    assert np.array_equal(np.sort(np.concatenate([key for key, label in sets])), keys), folder
    assert all(np.all(np.diff(key) > 0) for key, label in sets), folder

# Stratified: each class in its share, rounded; what that takes, training gives.
per_class = np.bincount(np.concatenate([label for key, label in load("default")]))
for folder, shares in (("default", (.8, .1, .1)), ("other", (.8, .1, .1)), ("shares", (.25, .25, .5))):
    for (key, label), share, off in zip(load(folder), shares, (2, 1, 1)):
        assert np.all(np.abs(np.bincount(label) - per_class * share) < off), folder
# At random: not exactly the shares (except with a chance of about 1 in 100), but close to them.
counts = np.bincount(load("random")[2][1], minlength=3)
assert np.abs(counts - per_class * .1).max() > 1 and counts.min() > 10, counts
# Not the first rows of a class: its rows are shuffled.
first = load("default")[0]
assert 350 < np.searchsorted(keys, first[0])[400] < 650
# In the table's order, which is by class here.
ordered = load("ordered")
assert np.array_equal(np.concatenate([key for key, label in ordered]), keys)
# By the column.
position = [set(np.searchsorted(keys, key) % 5) for key, label in load("column")]
assert position == [{2, 3, 4}, {1}, {0}], position
# The seed decides.
assert not np.array_equal(load("default")[2][0], load("other")[2][0])
PY

# ---- the same bytes ----

sleep 1
TZ=Asia/Tokyo prepare again
expect_same_sets default again
! cmp -s default/train.npz other/train.npz || fail "another seed gives other sets"
! cmp -s default/recipe.json other/recipe.json || fail "another seed gives another recipe"

# Over an older preparation, and in a folder that is not there yet.
prepare other
expect_same_sets default other
prepare deep/er/folder
expect_same_sets default deep/er/folder

# From a file of options; the command line wins.
printf 'fill = mean,mode\nscale = key=none\nseed = 2\n' >options.conf
run 0 prepare table.csv --target outcome --out configured --config options.conf --seed 1 --quiet
expect_status 0
expect_same_sets default configured

# Uncompressed: the same arrays, another file. The sets that are there are the sets that were asked for.
prepare stored --store
expect_same_file default/recipe.json stored/recipe.json
[ "$(wc -c <stored/train.npz)" -gt "$(wc -c <default/train.npz)" ] || fail "stored is larger"
"$PYTHON" - <<'PY' || fail "--store gives the same arrays"
import zipfile
import numpy as np
for part in ("train", "validation", "test"):
    a, b = np.load(f"default/{part}.npz"), np.load(f"stored/{part}.npz")
    assert a.files == b.files and all(a[n].tobytes() == b[n].tobytes() for n in a.files), part
    assert {i.compress_type for i in zipfile.ZipFile(f"stored/{part}.npz").infolist()} == {0}
    for archive in (f"default/{part}.npz", f"stored/{part}.npz"):
        assert zipfile.ZipFile(archive).testzip() is None
PY

# ---- columns of one value, and of none ----

awk -F, -v OFS=, '{ print $1, NR == 1 ? "one,none,same" : "q,,7", substr($0, length($1) + 2) }' \
    table.csv >constant.csv
run 0 prepare constant.csv --target outcome --out constant --scale key=none --fill mean,mode
expect_status 0
expect_stderr_line "dtrain: warning: 3 columns have one value or are empty, and are dropped: 'one', 'none', 'same'"
for line in "one  .* has one value" "same .* has one value" "none .* is empty"; do
    expect_stdout "^$line$"
done
run 0 prepare constant.csv --target outcome --out constant-by-name --scale key=none \
    --fill mean,mode --drop one,none,same --quiet
expect_status 0
for part in train validation test; do
    expect_same_file "default/$part.npz" "constant/$part.npz"
    expect_same_file "default/$part.npz" "constant-by-name/$part.npz"
done
# One line, however many there are, and whatever their names are.
awk -F, -v OFS=, '{ for (i = 0; i < 7; i++) $1 = $1 "," (NR > 1 ? "same" : i == 1 ? "\033[31m" : "c" i) } { print }' \
    table.csv >constants.csv
run 0 prepare constants.csv --target outcome --out constants --scale key=none --fill mean,mode
expect_status 0
expect_stderr_line "dtrain: warning: 7 columns have one value or are empty, and are dropped: 'c0', '?[31m', 'c2', 'c3', 'c4' and 2 more"
run 0 prepare constants.csv --target outcome --out constants --scale key=none --fill mean,mode --drop c0,c2,c3,c4,c5,c6
expect_status 0
expect_stderr_line "dtrain: warning: 1 column has one value or is empty, and is dropped: '?[31m'"
for part in train validation test; do
    expect_same_file "default/$part.npz" "constants/$part.npz"
done

# ---- many categories ----

"$PYTHON" - <<'PY'
with open("zips.csv", "w", encoding="utf-8") as table:
    table.write("x,zip,name,y\n")
    for i in range(1800):
        table.write(f"{i * 37 % 1801},z{i * 7 % 120},n{i},{('no', 'yes')[i % 5 < 2]}\n")
PY
# Texts of which no two are the same are names, though there are more of them than categories.
run 0 prepare zips.csv --target y --out zips
expect_status 0
expect_one_stderr_line "1 column of texts that hardly repeat is dropped: 'name' (1800 values in 1800 rows, as 'n0'); use --categorical 'name' to keep it"
expect_stdout_line "summary.inputs=121"
expect_stdout '^name +dropped +0 +1800 +no two are the same$'
run 0 prepare zips.csv --target y --out zips --max-categories 50 --categorical zip --drop name
expect_status 0
expect_one_stderr_line "column 'zip' has 120 categories; the rarest become one category, because --max-categories is 50"
expect_stdout_line "summary.inputs=51"

# ---- the output ----

# Whatever is in the file, it does not reach the terminal as a control character.
"$PYTHON" - <<'PY'
with open("control.csv", "w", encoding="utf-8", newline="\n") as table:
    table.write('a,"b\x1b[2Jred\nline","' + "long" * 30 + '",y\n')
    for i in range(100):
        table.write(f'{i * 37 % 99},"{"uvw"[i % 3]}\x1b[m\n",{i % 9},{("no", "yes")[i % 2]}\x7f\n')
PY
run 0 prepare control.csv --target y --out control
expect_status 0
expect_empty_stderr
[ "$(tr -d '\n' <stdout | tr -dc '\000-\037\177' | wc -c)" -eq 0 ] || fail "no control characters"
expect_stdout '^b\?\[2Jred\?line  *categorical .* u\?\[m\? to w\?\[m\?; one-hot$'
expect_stdout '^(long){10}\.\.\.  *numeric '
expect_stdout '^classes  no\? 0\.5000, yes\? 0\.5000 of all rows$'

# ---- several ranks ----

# mpirun -np 8 dtrain prepare is one preparation.
run 8 prepare table.csv --target outcome --out eight --scale key=none --fill mean,mode
expect_status 0
expect_one_stderr_line "warning: 1 cell of the validation and test rows holds a category"
[ "$(grep -c '^summary.status=ok$' stdout)" -eq 1 ] || fail "one rank talks"
expect_same_sets default eight
[ "$(find eight | wc -l)" -eq 5 ] || fail "three sets and the recipe, nothing else"

# ---- how the table is written ----

"$PYTHON" "$TESTS/cli/make_table.py" --dialects
for table in dialect-plain.csv dialect-*.csv; do
    decimal=
    case $table in *comma-quoted.csv) decimal="--decimal comma" ;; esac
    # shellcheck disable=SC2086 # two words, or none
    run 0 prepare "$table" --target y --out "${table%.csv}" --quiet $decimal
    expect_status 0
    expect_empty_stderr
    for part in train validation test; do
        expect_same_file "dialect-plain/$part.npz" "${table%.csv}/$part.npz"
    done
done
"$PYTHON" - <<'PY' || fail "texts with commas, quotes and newlines are categories like any other"
import json
import numpy as np
recipe = json.load(open("dialect-plain/recipe.json", encoding="utf-8"))
assert [c["name"] for c in recipe["columns"]] == ["x", 'né; "quoted"', "what, when", "z", "y"]
texts = ["plain", "comma, inside", 'doubled "quotes"', "two\nlines", "semi;colon", "tab\tbed",
         "bar|red", "Übung"]
for column in recipe["columns"][1:3]:
    assert column["categories"] == sorted(texts, key=str.encode), column
assert recipe["inputs"] == 2 + 8 + 8
x = np.load("dialect-plain/train.npz")["inputs"]
assert np.all(x[:, 2:10].sum(1) == 1) and np.all(x[:, 10:].sum(1) == 1)
PY
# As UCI's files: name;"quoted";...
head -n 1 dialect-uci.csv | grep -q '^"x";"né; ""quoted""";"what, when";"z";"y"' || fail "UCI's form"
