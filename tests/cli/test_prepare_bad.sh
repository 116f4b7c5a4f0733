#!/bin/sh
# dtrain prepare with bad tables, options and folders: one line that says what is wrong and where, the
# exit status, and nothing left behind.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
ranks=0

# refused STATUS TEXT TABLE OPTIONS...: no file may appear but the harness's own
refused() {
    code=$1
    text=$2
    shift 2
    find . -type f ! -name stdout ! -name stderr | sort >before
    run "$ranks" prepare "$@"
    expect_status "$code"
    expect_one_stderr_line "dtrain: error: $text"
    find . -type f ! -name stdout ! -name stderr | sort >after
    expect_same_file before after
    expect_no_file out
}
bad() {
    table=$1
    text=$2
    shift 2
    refused 3 "$table: $text" "$table" --target y --out out "$@"
}

# 3000 rows: a number, a category, a small number, the class; edits by line of awk
rows() {
    awk -v OFS=, "BEGIN {
        for (n = 0; n <= 3000; n++) {
            a = sin(n) * 100; b = substr(\"uvw\", n % 3 + 1, 1); c = n * 7 % 5 + 1
            y = n <= 1500 ? \"no\" : \"yes\"
            if (n == 0) { a = \"a\"; b = \"bb\"; c = \"count\"; y = \"y\" }
            $1
            print a, b, c, y
        }
    }"
}
: >before
: >after

# ---- the table ----

rows '' >good.csv
rows 'if (n == 1234) y = "no,9"' >ragged.csv
bad ragged.csv "row 1234 (line 1235) has 5 fields, but the header has 4; use --on-error skip to skip such rows"
rows 'if (n == 1234) { print 1, "u", 3; continue }' >short.csv
{ cat ragged.csv; echo 'Total'; } >footer.csv
run 0 prepare footer.csv --target y --out skipped --on-error skip
expect_status 0
expect_one_stderr_line "2 of 3001 rows are skipped; the first: footer.csv: row 1234 (line 1235) has 5 fields, but the header has 4"
expect_stdout_line summary.rows=2999
expect_stdout_line summary.dropped_rows=2
rm -r skipped
bad short.csv "row 1234 (line 1235) has 3 fields, but the header has 4"
rows 'if (n == 1234) b = "\"u"' >unterminated.csv
bad unterminated.csv "a quote in the record that begins on line 1235 is never closed"
rows 'if (n == 1234) b = "u\"v"' >inside.csv
bad inside.csv "row 1234 (line 1235)"
rows 'if (n == 1234) a = "abc"' >text.csv
bad text.csv "row 1234 (line 1235): column 'a': 'abc' is not a number"
expect_stderr "2999 of its 3000 cells"
bad text.csv "row 1234 (line 1235): column 'a': 'abc' is not a number" --numeric a
rows 'if (n == 1234) a = "6.2\032"' >control.csv
bad control.csv "row 1234 (line 1235): column 'a': '6.2?' is not a number, but 2999 of its 3000 cells are; use --categorical or --drop"
bad good.csv "row 1 (line 2): column 'bb': 'v' is not a number" --numeric bb
rows 'if (n == 1234) a = "1,5"' >comma.csv
bad comma.csv "row 1234 (line 1235) has 5 fields, but the header has 4"
rows 'if (n == 1234) a = ""' >missing.csv
bad missing.csv "row 1234 (line 1235): column 'a' has no value here, and in 1 cell in all; use --fill"
rows 'if (n == 1234) a = "NA"' >missing-na.csv
bad missing-na.csv "row 1234 (line 1235): column 'a' has no value here"
rows 'if (n == 1234) a = "?"' >question.csv
bad question.csv "row 1234 (line 1235): column 'a': '?' is not a number"
bad question.csv "row 1234 (line 1235): column 'a' has no value here" --missing '?'
rows 'if (n == 1234 || n == 77) b = ""' >missing-text.csv
bad missing-text.csv "row 77 (line 78): column 'bb' has no value here, and in 2 cells in all; use --fill"
bad missing-text.csv "row 77 (line 78): column 'bb'" --fill mean
rows 'if (n == 1234) y = ""' >missing-target.csv
bad missing-target.csv "row 1234 (line 1235): the target 'y' has no value here, and in 1 row in all; use --fill 'y=drop'"
bad missing-target.csv "row 1234 (line 1235): the target 'y' has no value" --fill mean,mode
rows 'if (n > 0) y = "no"' >one-class.csv
bad one-class.csv "every row's 'y' is 'no'"
rows 'if (n > 0) y = "n" n' >names.csv
bad names.csv "the target 'y' has 3000 distinct values in 3000 rows; use --task classification"
rows 'if (n > 0) { a = -1.5; b = ""; c = 7 }' >constants.csv
bad constants.csv "no column except the target 'y' is left to learn from" --fill indicator,category
rows 'if (n > 0) b = ""' >nothing.csv
rows 'if (n == 0) c = "a"' >twice.csv
run "$ranks" prepare twice.csv --target y --out twice
expect_status 0
expect_one_stderr_line "twice.csv: 1 column has the name of another column; column 3 is renamed 'a.1'"
refused 2 "--missing 'bb=none': expected cells, for all columns, not COLUMN=CELL" nothing.csv --target y \
    --out out --missing bb=none
rows 'if (n == 3000) b = "once"' >unseen.csv
bad unseen.csv "row 3000 (line 3001): column 'bb': 'once' is a category that no training row has" \
    --split ordered --unseen error --target count
rows 'if (n == 3000) y = "rare"' >rare-class.csv
bad rare-class.csv "no training row is of class 'rare'" --split ordered --validation-split 0.3 \
    --test-split 0.3
printf 'a,b,y\n1,2,no\n1e300,4,yes\n-1e308,5,yes\n1e308,7,no\n' >large.csv
bad large.csv "column 'a' has numbers up to 1e+308, too large to be scaled" --validation-split 0 \
    --test-split 0
printf '' >empty.csv
bad empty.csv "is empty"
printf 'a,bb,count,y\n' >header.csv
bad header.csv "has no rows below its header"
printf 'a,bb\0,y\n1,2,3\n' >binary.csv
bad binary.csv "is not text"
printf 'PK\003\004 and so on' >archive.npz
bad archive.npz "is a ZIP archive, expected a table"
printf '\037\213\010\0and so on' >packed.csv
bad packed.csv "the gzip data ends early; is the file complete?"
bad nowhere.csv "cannot open: No such file"
mkdir folder.csv
bad folder.csv "is a folder"
printf 'a,y\n1,no\n2,yes\n3,no\n' >tiny.csv
bad tiny.csv "none of its 3 rows is left for the validation set"
awk 'BEGIN { print "a,y"; for (i = 0; i < 16; i++) print i * i % 7 ".5," int(i * .95) * 3 }' >counts.csv
bad counts.csv "none of its 16 rows is left for the test set: the 15 classes of 'y' have too few; use --task regression if it is a quantity"

# ---- columns that are not there ----

refused 3 "good.csv: no column 'yy'; did you mean 'y'?" good.csv --target yy --out out
refused 3 "good.csv: no column 'cuont'; did you mean 'count'?" good.csv --target y --out out \
    --drop cuont
for option in drop numeric categorical split-column split-by; do
    bad good.csv "no column 'quite another' among its 4: a, bb, count, y" "--$option" 'quite another'
done
bad good.csv "no column 'counts'; did you mean 'count'?" --scale counts=log
bad good.csv "no column 'counts'; did you mean 'count'?" --fill mean,counts=median
bad good.csv "column 'bb' is 'v'; expected train, validation or test" --split-column bb
bad good.csv "no column 'y' among its 1: a,bb,count,y" --separator semicolon

# ---- options ----

usage() {
    text=$1
    shift
    refused 2 "$text" good.csv --target y --out out "$@"
}
refused 2 "--out DIR is required" good.csv --target y
refused 2 "--target COLUMN is required, one of: a, bb, count, y" good.csv --out out
refused 2 "dtrain prepare requires a table; see dtrain prepare --help" --target y --out out
refused 2 "dtrain prepare takes one table, not 2 words: 'good.csv', 'text.csv'; join tables in one file" good.csv text.csv --target y --out out
usage "unknown option --scales" --scales log
usage "--scale takes standard|minmax|robust|quantile|none|log|clipped, " --scale logarithm
usage "--scale takes standard|minmax|robust|quantile|none|log|clipped, " --scale a=
usage "--scale has two methods for all columns" --scale log,standard
usage "--scale: column 'bb' is categorical" --scale bb=log
usage "--scale: column 'y' is the target" --scale y=log
usage "--scale: column 'a' is dropped" --scale a=log --drop a
usage "--fill takes error|drop|mean" --fill zero
usage "--fill has two methods for the same columns" --fill mean,median
usage "--fill drop leaves nothing for another method" --fill drop,mean
usage "--fill: column 'bb' is categorical" --fill bb=mean
usage "--fill: column 'a' is numeric" --fill a=category
usage "--fill: column 'y' is the target" --fill y=mode
usage "column 'a' cannot be both dropped and numeric" --numeric a --drop a
usage "column 'a' cannot be both numeric and categorical" --numeric a,count --categorical a
usage "column 'y' cannot be both the target and dropped" --drop a,y
usage "column 'y' cannot be both the target and" --split-column y
usage "--split was given, but --split-column" --split random --split-column bb
usage "--split-by was given, but --split-column" --split-by a --split-column bb
usage "--split was given, but --split-by" --split ordered --split-by a
usage "--split-by takes a column of groups, but 'y' is the target" --split-by y
usage "--split-by takes a column of groups, but 'count' is the weights" --split-by count --weights count
usage "--test-split is 3, but with --split-by it must be a share below 1" --test-split 3 --split-by a
usage "--validation-split 0.5 and --test-split 0.5 leave no rows" --test-split 0.5 --validation-split 0.5 --split-by a
usage "--test-split was given, but --split-column" --test-split 0.2 --split-column bb
usage "--validation-split is 1.5" --validation-split 1.5
usage "--validation-split is -1" --validation-split -1
usage "--max-categories is 1" --max-categories 1
usage "--unseen takes one of ignore|error" --unseen drop
bad good.csv "1800 validation and 1800 test rows leave none of the 3000" --validation-split 0.6 \
    --test-split 0.6
bad good.csv "--test-split 3000 leaves none of the 3000 rows for training" --test-split 3000
bad good.csv "no column except the target 'y' is left" --drop a,bb,count

# ---- the folder ----

# Before the table is read, so that ragged.csv's fault is not found.
echo "not a folder" >file
for out in file file/ file/deep file/deep/er "$PWD/file" "$PWD/file/deep"; do
    refused 4 "$out: cannot make the folder: '" ragged.csv --target y --out "$out"
    expect_stderr "file' is a file$"
done
ln -s file link
refused 4 "link: cannot make the folder: 'link' is a file" ragged.csv --target y --out link
mkdir closed
chmod 555 closed
if [ ! -w closed ]; then
    refused 4 "closed: cannot write into the folder: Permission denied" ragged.csv --target y \
        --out closed
    refused 4 "closed/deep: cannot make the folder: Permission denied" ragged.csv --target y \
        --out closed/deep
fi
for name in train.npz validation.npz test.npz recipe.json; do
    mkdir -p "old-$name/$name"
    refused 4 "old-$name/$name: cannot create: expected a file name, found a folder" good.csv \
        --target y --out "old-$name"
done

# Folders created on the way are removed; existing folders and their contents are kept.
for out in ./out/ out/deep/er "$PWD/out/deep"; do
    refused 3 "unseen.csv: row 3000" unseen.csv --target count --split ordered --unseen error \
        --out "$out"
done
mkdir kept
run 0 prepare good.csv --target y --out kept/results --quiet
expect_status 0
cp -r kept copy
refused 3 "unseen.csv: row 3000" unseen.csv --target count --split ordered --unseen error \
    --out kept/results
diff -r kept copy >changed || fail "an older preparation stays as it was: $(cat changed)"
refused 4 "kept/results/validation.npz exists" good.csv --target y --out kept/results \
    --validation-split 0

# A disk that fills up with the last bytes of the last file: nothing of the new preparation is in
# place. The limit on the size of files stands for the disk; untrapped it would end the process.
# full BLOCKS FILE OPTIONS...: with room for BLOCKS times 512 bytes
full() {
    (
        trap '' XFSZ
        ulimit -f "$1"
        text="kept/results/$2: cannot write: File too large"
        [ "$2" != temporary ] || text="kept/results: cannot write a temporary file: File too large"
        shift 2
        refused 4 "$text" "$@" --target y --out kept/results --split ordered
    )
    diff -r kept copy >changed || fail "an older preparation stays as it was: $(cat changed)"
}
rows 'y = n % 2 ? "no" : "yes"; if (n == 0) y = "y"' >even.csv
count=2000
run 0 prepare even.csv --target y --out size --store --split ordered --validation-split 30 \
    --test-split "$count" --quiet
expect_status 0
bytes=$(wc -c <size/test.npz)
row_bytes=$((8 + 4 * $(summary inputs)))
# So many rows that the arrays fit, and the archive's directory, of some 140 bytes, does not.
while [ $(((bytes - 1) % 512)) -ge 100 ]; do
    count=$((count + 1))
    bytes=$((bytes + row_bytes))
done
full $((bytes / 512)) test.npz even.csv --store --validation-split 30 --test-split "$count"
# Compressed, and larger than the temporary file of 8 bytes a row.
rows 'y = n % 2 ? "no" : "yes"; c = c "," cos(n) "," cos(3 * n); if (n == 0) { c = "count,d,e"; y = "y" }' >wide.csv
full 48 test.npz wide.csv --validation-split 30 --test-split 2900
full 48 train.npz wide.csv --validation-split 30 --test-split 30
full 8 temporary even.csv --validation-split 30 --test-split 2900
# Of the files of this one only the recipe is large.
head -n 31 even.csv | sed "1s/^a,/$(printf '%09000d' 7),/" >long.csv
full 16 recipe.json long.csv --store --validation-split 10 --test-split 10

# ---- under mpirun: one line all the same, and no rank waits for another ----

ranks=8
bad ragged.csv "row 1234 (line 1235) has 5 fields, but the header has 4"
usage "--fill takes error|drop|mean" --fill zero
