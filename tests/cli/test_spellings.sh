#!/bin/sh
# predict and evaluate: the same value in another spelling is the same value; a column of which nothing is known is an
# error; prepare warns of classes that are spelled alike.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"

awk 'BEGIN {
    print "grade,member,city,flag,age,y"
    for (i = 0; i < 200; i++)
        printf "%d,%s,%s,%d,%d,%d\n", i % 3 + 1, i % 2 ? "True" : "False", i % 5 ? "New York" : "K\303\266ln", i % 4 == 0,
            i * 37 % 60 + 18, ((i % 3 + i % 2) > 1)
}' >train.csv
run 0 prepare train.csv --target y --categorical grade,flag --out data --quiet
expect_status 0
run 0 train data --out run --epochs 3 --quiet
expect_status 0
head -n 61 train.csv >rows.csv
run 0 predict run rows.csv --out expected.csv --quiet
expect_status 0

# respelled NAME SED-SCRIPT: the rows with their cells written in another way
respelled() {
    sed -e "2,\$ { $2 }" rows.csv >"$1.csv"
    cmp -s rows.csv "$1.csv" && fail "$1.csv is written otherwise"
    run 0 predict run "$1.csv" --out predicted.csv --quiet
    expect_status 0
    expect_empty_stderr
    expect_same_file predicted.csv expected.csv
}
respelled floats 's/^\([0-9]*\),/\1.0,/'
respelled zeros 's/^\([0-9]*\),/+\1.00,/'
respelled capitals 's/True/TRUE/; s/False/FALSE/; s/New York/new york/; s/Köln/KÖLN/'
respelled bits 's/True/1/; s/False/0/'
respelled bits-as-floats 's/True/1.0/; s/False/0.0/'
respelled blanks 's/New York/"  New  York "/'
respelled booleans 's/,\([01]\),\([0-9]*\),\([01]\)$/,\1x,\2,\3/; s/,1x,/,True,/; s/,0x,/,False,/'

# Classes, too: what pandas writes when one label was missing.
run 0 evaluate run rows.csv --quiet
expect_status 0
cp stdout expected
sed -e '2,$ s/$/.0/' rows.csv >labels.csv
run 0 evaluate run labels.csv --quiet
expect_status 0
grep -v labels.csv stdout >found
grep -v rows.csv expected | cmp -s - found || fail "the same evaluation of 1.0 and 1"

# In the table that the model is from they are one class, too.
sed -e '2~3 s/$/.0/' train.csv >mixed.csv
run 0 prepare mixed.csv --target y --categorical grade,flag --out mixed --quiet
expect_status 0
expect_stderr "'0' and '0.0' in the target are the same number, and one class"
expect_stdout_line summary.classes=2
for set in train validation test; do
    expect_same_file "mixed/$set.npz" "data/$set.npz"
done

# Numbers among the categories, too, but not if a third is spelled so.
sed -e '2~6 s/^\([0-9]*\),/\1.0,/' train.csv >joined.csv
run 0 prepare joined.csv --target y --categorical grade,flag --out joined --quiet
expect_status 0
expect_no_stderr "spelled alike"
expect_stdout_line summary.inputs=10
for set in train validation test; do
    expect_same_file "joined/$set.npz" "data/$set.npz"
done
sed -e '2~12 s/^1.0,/True,/' joined.csv >true.csv
run 0 prepare true.csv --target y --categorical grade,flag --out true --quiet
expect_status 0
expect_stderr "1 column has categories that are spelled alike, but are separate inputs: 'grade' [(]'.*' and '.*'[)]"
expect_no_stderr "a category that no training row has"

# Names of columns, too.
sed -e '1 s/.*/GRADE,Member,CITY,Flag,AGE,Y/' rows.csv >upper.csv
run 0 predict run upper.csv --out predicted.csv --quiet
expect_status 0
expect_one_stderr_line "upper.csv: column 'GRADE' is used as 'grade', and 5 more"
expect_same_file predicted.csv expected.csv

# ---- nothing is known ----

sed -e '2,$ s/^\([0-9]*\),/grade \1,/' rows.csv >unknown.csv
for ranks in 0 3; do
    run $ranks predict run unknown.csv --out unknown-predicted.csv
    expect_status 3
    expect_one_stderr_line "all 60 cells of a column hold categories that no training row had, as column 'grade': 'grade "
    expect_no_file unknown-predicted.csv
done
head -n 3 unknown.csv >two.csv # two may be new
run 0 predict run two.csv
expect_status 0
expect_stderr "2 cells hold a category that no training row had"
sed -e '2 s/^grade //' unknown.csv >one-known.csv
run 0 predict run one-known.csv
expect_status 0
expect_stderr "59 cells hold a category"

# ---- classes ----

awk 'BEGIN { print "x,y"; for (i = 0; i < 60; i++) print i * i % 50 "," (i % 3 == 0 ? "yes" : i % 3 == 1 ? "Yes" : "no") }' \
    >alike.csv
run 0 prepare alike.csv --target y --out alike --quiet
expect_status 0
expect_stderr "the classes 'Yes' and 'yes' are spelled alike; use one spelling if they are the same"
