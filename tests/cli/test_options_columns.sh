#!/bin/sh
# Lines for people fit 80 columns, those of epochs 79; $COLUMNS or a terminal gives another width.
# Lines for programs (summary., JSON, CSV) are as long as they are.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
unset COLUMNS

# fits COLUMNS: no line of ./stdout for people is wider
fits() {
    widest=$(grep -v '^summary\.' stdout | LC_ALL=C.UTF-8 wc -L)
    [ "$widest" -le "$1" ] || fail "a line has $widest columns, more than $1: $(grep -E ".{$(($1 + 1))}" stdout | head -n 1)"
}

# shown ARGS...: it goes well, and says something in 80 columns
shown() {
    run 0 "$@"
    expect_status 0
    [ -s stdout ] || fail "something is printed"
    fits 80
}

# ---- help ----
run 0 --help
commands=$(sed -n '/^Usage: /q; s/^  \([a-z][a-z]*\) .*/\1/p' stdout)
[ "$(echo "$commands" | wc -l)" -ge 10 ] || fail "the commands: $commands"
fits 80
for command in $commands; do
    shown "$command" --help
    COLUMNS=60 run 0 "$command" --help
    widest=$(grep '^ \{20\}' stdout | LC_ALL=C.UTF-8 wc -L)
    [ "$widest" -le 60 ] || fail "what options mean in 60 columns: $widest"
done

# ---- a table of values with long names, a network of many parts ----
awk 'BEGIN {
    print "id,the number of rooms of the house,größe in m²,year,town of the house,heating,price,price a year later"
    split("Berlin Hamburg Garmisch-Partenkirchen Wien", towns, " ")
    for (i = 1; i <= 240; i++) {
        rooms = i * 7 % 8 + 1; size = rooms * 21 + i % 13; year = 1900 + i * 31 % 120
        print i "," rooms "," size "," year "," towns[i % 4 + 1] "," (i % 3 ? "gas" : "heat pump") "," \
            size * 3000 + year * 17 "," size * 3100 + year * 18
    }
}' >houses.csv
deep=a-folder-with-a-long-name/and-one-in-it-with-a-name-that-is-at-least-as-long/and-the-results
mkdir -p "${deep%/*}"
shown houses.csv --target price --epochs 3 --out "$deep" --preset tabular --hidden 16,16 --restarts 2
expect_stdout '^epoch 1/3  loss [0-9.]+  val_loss [0-9.]+  val_rmse [0-9.e+]+  [0-9.]+ s'
expect_stdout '^           a-folder-with-.*\.\.\..*/and-the-results$'
[ "$(grep '^epoch' stdout | LC_ALL=C.UTF-8 wc -L)" -le 79 ] || fail "an epoch's line has at most 79 columns"
expect_stdout "^summary.folder=$deep\$"
shown houses.csv --target 'price,price a year later' --epochs 1000 --patience 1 --learning-rate 100 \
    --monitor val_explained_variance --out values --loss huber --schedule onecycle --warmup 0.5 --l2 0.001
[ "$(grep '^epoch' stdout | LC_ALL=C.UTF-8 wc -L)" -le 79 ] || fail "an epoch's line has at most 79 columns"
expect_stdout '^epoch +1/1000 .*  val_explained_variance '
shown houses.csv --target heating --epochs 2 --folds 2 --hidden 8 --out folds
shown evaluate "$deep" houses.csv
shown evaluate values houses.csv
shown evaluate folds houses.csv
shown explain folds houses.csv
shown predict folds houses.csv --out predicted.csv
shown prepare houses.csv --target heating --out prepared
printf 'hidden = 8 | 16 | 32,16\nlearning-rate = log 0.001 .. 0.1\nnumeric-embedding = none | piecewise\n' >space
shown search prepared --space space --trials 3 --epochs 2 --out trials
for file in "$deep/run.h5" "$deep/model.h5" values/model.h5 folds/run.h5 folds/model.h5 prepared/train.npz \
    prepared/recipe.json; do
    shown inspect "$file"
done
shown report "$deep"
shown report folds
shown report "$deep" values
shown report "$deep" values folds folds/fold-1 folds/fold-2 "$deep/restart-1"
shown report trials
COLUMNS=60 run 0 report "$deep" values
fits 60
COLUMNS=1 run 0 report "$deep" values # 60 at least
fits 60
expect_stdout '.{50}'

# ---- more room shows more ----
COLUMNS=120 run 0 prepared --epochs 2 --out wide
fits 120
expect_stdout '^epoch 1/2  loss [0-9.]+  accuracy [0-9.]+  val_loss [0-9.]+  val_accuracy [0-9.]+  [0-9.]+ s'
if command -v script >/dev/null; then
    script -qec "stty cols 100; '$DTRAIN' prepared --epochs 2 --out terminal" /dev/null </dev/null >stdout 2>stderr || :
    tr -d '\r' <stdout >shown && mv shown stdout
    fits 100
    expect_stdout '^epoch 1/2  loss [0-9.]+  accuracy [0-9.]+  val_loss [0-9.]+  val_accuracy [0-9.]+  [0-9.]+ s'
fi
