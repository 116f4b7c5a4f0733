#!/bin/sh
# dtrain prepare: its arrays against pandas and scikit-learn, for every way to scale, fill and fold.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy pandas sklearn
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" "$TESTS/cli/make_table.py" two.csv 2000 2
"$PYTHON" "$TESTS/cli/make_table.py" three.csv 900 3 5

# agrees TABLE OPTIONS...: prepares with these options; the comparison is below, of all together
count=0
: >list
agrees() {
    table=$1
    shift
    count=$((count + 1))
    run 0 prepare "$table" --target outcome --out "out-$count" --quiet "$@"
    expect_status 0
    echo "out-$count $table $*" >>list
}

FILL=mean,category
for scale in standard minmax robust quantile none log clipped; do
    agrees two.csv --scale "$scale,key=none" --fill "$FILL"
    expect_empty_stderr
done
agrees two.csv --scale key=none,balance=log,campaign=quantile,age=minmax,rate=robust,day=clipped --fill "$FILL"
agrees two.csv --scale key=none --fill "$FILL" --drop balance,month --categorical day

# Most cells are the same number: the quartiles are equal.
awk -F, -v OFS=, '{ $2 = $2 "," (NR == 1 ? "spike" : NR % 7 ? 0 : NR % 100) } { print }' two.csv >spike.csv
agrees spike.csv --scale clipped,key=none --fill "$FILL"

# Fillings. Scales are those of the filled column.
for fill in mean median mode indicator median-indicator; do
    for scale in standard log robust quantile clipped; do
        agrees two.csv --scale "$scale,key=none" --fill "$fill,category"
    done
done
agrees two.csv --scale key=none --fill mode
agrees two.csv --scale key=none --fill drop
agrees two.csv --scale key=none --fill rate=drop,contact=mode
agrees two.csv --scale key=none --fill indicator,contact=drop --seed 7
[ "$(summary dropped_rows)" -gt 100 ] || fail "rows were dropped"

# Caps on categories: rare ones become one input, also those that no training row has.
for most in 2 3 5 8 11 12; do
    agrees two.csv --scale key=none --fill "$FILL" --max-categories "$most" --categorical day
done
agrees three.csv --scale key=none --fill "$FILL" --max-categories 6
[ "$(summary classes)" -eq 3 ] || fail "three classes"

# Whichever rows are for training.
agrees three.csv --scale key=none,rate=robust --fill median,category --split random --seed 3
agrees three.csv --scale key=none --fill "$FILL" --validation-split 100 --test-split 0.25
agrees three.csv --scale key=none --fill "$FILL" --validation-split 0 --test-split 0.3
[ ! -e "out-$count/validation.npz" ] || fail "no validation set was asked for"
agrees three.csv --scale key=none --fill "$FILL" --validation-split 0 --test-split 0

# Rows in another order than by class, and days that no training row has: they are ignored.
(head -n 1 two.csv && sed 1d two.csv | sort -t, -k5,5n) | awk -F, -v OFS=, \
    'NR > 1 { $1 = NR / 4 } { print }' >by-day.csv
agrees by-day.csv --scale key=none --fill "$FILL" --categorical day --split ordered
expect_one_stderr_line "categor"
rm -rf out
run 0 prepare by-day.csv --target outcome --out out --fill "$FILL" --categorical day \
    --split ordered --unseen error
expect_status 3
expect_one_stderr_line "column 'day': '"
expect_no_file out

"$PYTHON" "$TESTS/cli/check_prepare.py" list >agreement 2>wrong ||
    fail "pandas and scikit-learn agree: $(cat wrong)"
[ "$(wc -l <agreement)" -eq "$count" ] || fail "all were compared"

# What was decided is told, column by column.
run 0 prepare two.csv --target outcome --out told --fill "$FILL" --categorical day
expect_status 0
expect_stdout "^age +numeric +0 +78  18 to 95; scale standard"
expect_stdout "^job +categorical +0 +11  admin\\. to zookeeper; one-hot"
expect_stdout "^day +categorical +0 +31  1 to 31; one-hot"
expect_stdout "^rate +numeric +[0-9]+ +[0-9]+  -0\\.0[0-9]+ to 0\\.0[0-9]+; scale standard; fill mean$"
expect_stdout "^outcome +target +0 +2  classes"
expect_stdout "1600 training, 200 validation, 200 test rows; stratified, seed 1"
missing=$("$PYTHON" -c 'import pandas; print(pandas.read_csv("two.csv").rate.isna().sum())')
expect_stdout "^rate +numeric +$missing "
