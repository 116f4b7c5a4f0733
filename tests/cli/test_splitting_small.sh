#!/bin/sh
# Sets of few rows, of one class, or of none: a warning each, and no nan anywhere.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
few="its scores say little; use more rows, or a larger share"
awk 'BEGIN { print "a,b,y"; for (i = 0; i < 12; i++) print i * 37 % 100 / 100 "," i * i % 7 "," (i % 2 ? "no" : "yes") }' >classes.csv
awk 'BEGIN { print "a,b,y"; for (i = 0; i < 40; i++) print i * 37 % 100 / 100 "," i * i % 7 "," i * 17 % 30 / 10 }' >values.csv
awk 'BEGIN { print "a,b,y"; for (i = 0; i < 60; i++) print i "," i * i % 7 "," (i < 40 && i % 2 ? "no" : "yes") }' >sorted.csv

no_nan() { ! grep -Eiw -- '-?(nan|inf)' "$@" || fail "no nan in $*"; }

run 0 prepare classes.csv --target y --out sets --quiet
expect_status 0
expect_stderr_line "dtrain: warning: the validation set has 1 row of class 'no' alone: $few"
expect_stderr_line "dtrain: warning: the test set has 1 row of class 'no' alone: $few"
run 3 classes.csv --target y --epochs 2 --out one
expect_status 0
expect_stderr_line "dtrain: warning: the test set has 1 row of class 'no' alone: $few"
expect_stdout '^summary.val_accuracy='
no_nan stdout
run 0 sorted.csv --target y --numeric a --split ordered --validation-split 10 --test-split 10 --epochs 2 --out sorted
expect_status 0
expect_stderr_line "dtrain: warning: the test set has 10 rows of class 'yes' alone: its scores say little; use rows of each class"
no_nan stdout
run 0 classes.csv --target y --epochs 2 --validation-split 0 --test-split 0 --out none
expect_status 0
expect_empty_stderr
expect_no_stdout "val_|test_"
no_nan stdout
run 0 values.csv --target y --epochs 2 --validation-split 0 --test-split 1 --out value
expect_status 0
expect_one_stderr_line "dtrain: warning: the test set has 1 row: $few"
no_nan stdout

run 0 evaluate one classes.csv
expect_status 0
expect_empty_stderr
{ head -n 1 classes.csv && grep yes classes.csv; } >yes.csv
run 0 evaluate one yes.csv
expect_status 0
expect_one_stderr_line "dtrain: warning: yes.csv: all 6 rows are of class yes, so ROC-AUC and PR-AUC are undefined"
expect_stdout '^no  .* - +-$'
no_nan stdout
head -n 2 values.csv >value.csv
run 0 evaluate value value.csv
expect_status 0
expect_no_stdout "r2"
no_nan stdout

run 0 report one sorted none value --csv all.csv --html all.html
expect_status 0
no_nan stdout
sed 's/"[^"]*"//g' all.csv >unquoted.csv
sed 's/<td[^>]*>NA, N[^<]*<//' all.html >without-options.html
no_nan unquoted.csv without-options.html
