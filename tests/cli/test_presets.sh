#!/bin/sh
# --preset of prepare and train: what it sets, what wins over it, and that runs with it are as repeatable as
# others.
# long: many runs, most of them on several ranks
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
# shellcheck source-path=SCRIPTDIR source=everywhere.sh
. "$TESTS/cli/everywhere.sh"
"$PYTHON" "$TESTS/cli/make_table.py" table.csv 1000 3

# prepare DIR OPTIONS...
prepare() {
    folder=$1
    shift
    run 0 prepare table.csv --target outcome --out "$folder" --quiet "$@"
    expect_status 0
}
same_sets() {
    for file in train.npz validation.npz test.npz recipe.json; do
        expect_same_file "$1/$file" "$2/$file"
    done
}

# ---- prepare ----

prepare plain --scale clipped --fill median-indicator,category
prepare tabular --preset tabular
same_sets plain tabular
echo 'preset = tabular' >tabular.conf
prepare configured --config tabular.conf
same_sets plain configured
# What is given wins, in either place; and of single columns, for them alone.
prepare given-plain --scale standard --fill median-indicator,category
printf 'preset = tabular\nscale = standard\n' >standard.conf
prepare given --preset tabular --scale standard
same_sets given-plain given
prepare given-configured --config standard.conf
same_sets given-plain given-configured
prepare columns-plain --scale clipped,balance=log --fill median-indicator,category,contact=mode
prepare columns --preset tabular --scale balance=log --fill contact=mode
same_sets columns-plain columns
# The command line wins over the file. The tutorial's are the defaults.
prepare tutorial-plain --fill mean,mode
prepare tutorial --config tabular.conf --preset tutorial --fill mean,mode
same_sets tutorial-plain tutorial
run 0 prepare table.csv --target outcome --out wrong --preset tabula
expect_status 2
expect_one_stderr_line "dtrain: error: --preset takes one of tutorial|tabular, not 'tabula'; did you mean tabular?"
expect_no_file wrong

# ---- train ----

# config RUN NAME: the value in the log
config() {
    "$PYTHON" -c 'import sys, h5py; print(h5py.File(sys.argv[1] + "/run.h5")["config"].attrs[sys.argv[2]])' "$@"
}
expect_config() {
    found=$(config "$1" "$2")
    [ "$found" = "$3" ] || fail "$2 of $1 is $3, not $found"
}

# 800 training rows: a batch of an eighth, rounded down to a power of two.
run 1 tabular --preset tabular --epochs 2 --out first
expect_status 0
expect_stdout '^preset     tabular$'
expect_stdout '^model      33-256-256-3, 8 members, 48 bins x 8, relu, dropout 0.1, softmax'
expect_stdout '^training   AdamW 0.002, weight decay 0.03, averaged weights 0.998, batch 64, at most 2 epochs, patience 12 on val_loss$'
first=$(summary weights_crc)
for pair in preset:tabular numeric_embedding:piecewise members:8 init:fan_in_uniform hidden:256,256 \
    dropout:0.1 optimizer:adamw learning_rate:0.002 weight_decay:0.03 ema:0.998 batch:64 patience:12 epochs:2; do
    expect_config first "${pair%%:*}" "${pair#*:}"
done
run 1 tabular --numeric-embedding piecewise --members 8 --init fan_in_uniform --hidden 256,256 \
    --dropout 0.1 --optimizer adamw --learning-rate 0.002 --weight-decay 0.03 --ema 0.998 --batch 64 --patience 12 \
    --epochs 2 --out spelled-out
expect_status 0
expect_no_stdout '^preset'
[ "$(summary weights_crc)" = "$first" ] || fail "the preset is the options that it names"
expect_config spelled-out preset tutorial

# Given options win, also those that are the defaults, and from a file.
printf 'batch = 100\npreset = tabular\n' >batch.conf
run 1 tabular --config batch.conf --hidden 30 --weight-decay 0 --epochs 1 --out some-given
expect_status 0
for pair in preset:tabular hidden:30 weight_decay:0.0 optimizer:adamw batch:100; do
    expect_config some-given "${pair%%:*}" "${pair#*:}"
done
run 1 tabular --preset tutorial --config batch.conf --epochs 1 --out tutorial-run
expect_status 0
for pair in preset:tutorial hidden:30 optimizer:adam batch:100; do
    expect_config tutorial-run "${pair%%:*}" "${pair#*:}"
done

# The log has the settings as they were resolved: they are repeated, not resolved again.
for name in first some-given; do
    run 2 --like "$name" --out "$name-again"
    expect_status 0
    expect_empty_stderr
    expect_stdout "^like +$name: the same weights, bit for bit$"
    expect_config "$name-again" preset tabular
    expect_config "$name-again" batch "$(config "$name" batch)"
done
run 1 --like first --preset tabular --out refused
expect_status 2
expect_one_stderr_line "dtrain: error: --like and --preset were given, but --like repeats a run with all of its settings; remove one of them"

# A model to begin with brings its network and optimizer.
run 1 tabular --hidden 20 --epochs 1 --out small
expect_status 0
run 1 tabular --preset tabular --init-from small --epochs 1 --out continued
expect_status 0
for pair in hidden:20 optimizer:adam learning_rate:0.001 weight_decay:0.0 batch:64 patience:12; do
    expect_config continued "${pair%%:*}" "${pair#*:}"
done

# ---- values: a third layer ----

run 0 prepare table.csv --target balance --preset tabular --out values --quiet
expect_status 0
run 1 values --preset tabular --epochs 2 --out values-run
expect_status 0
expect_stdout '^model      [0-9]+-256-256-256-1, 8 members, [0-9]+ bins x 8, relu, dropout 0.1, linear outputs'
crc=$(summary weights_crc)
for ranks in 2 3 8; do
    run "$ranks" values --preset tabular --epochs 2 --out "values-$ranks" --threads 2
    expect_status 0
    [ "$(summary weights_crc)" = "$crc" ] || fail "the weights of one rank on $ranks"
done

# ---- interruptions ----

same_everywhere tabular everywhere 'AdamW 0.01, weight decay 0.03, averaged weights 0.998' --preset tabular
# Values that depend on the data are those of the checkpoint, whether the preset is named again or not.
for again in "" "--preset tabular"; do
    DTRAIN=$DTRAIN_FAULTS DTRAIN_FAULT=signal:0:20
    export DTRAIN_FAULT
    run 2 tabular --preset tabular --epochs 2 --force --out stopped
    unset DTRAIN_FAULT
    DTRAIN=$REAL
    expect_status 75
    # shellcheck disable=SC2086
    run 3 --resume stopped $again
    expect_status 0
    [ "$(summary weights_crc)" = "$first" ] || fail "the weights without an interruption, '$again'"
    expect_config stopped preset tabular
    expect_config stopped batch 64
done
DTRAIN=$DTRAIN_FAULTS DTRAIN_FAULT=signal:0:20
export DTRAIN_FAULT
run 2 tabular --preset tabular --epochs 2 --force --out stopped
unset DTRAIN_FAULT
DTRAIN=$REAL
expect_status 75
run 2 --resume stopped --preset tutorial --force
expect_status 2
expect_one_stderr_line "dtrain: error: --resume stopped: --preset is tutorial, but the checkpoint has the settings of tabular, which --force cannot change; remove --preset"

# ---- predict: as prepare did ----

run 2 predict first table.csv --out predictions.csv
expect_status 0
for part in train validation test; do
    run 0 predict first "tabular/$part.npz" --out "$part.csv"
    expect_status 0
done
# The raw rows and the prepared ones have the same predictions, to the last digit.
cut -d, -f2- predictions.csv | sed 1d | sort >raw
for part in train validation test; do cut -d, -f2- "$part.csv" | sed 1d; done | sort >prepared
[ "$(wc -l <raw)" -eq 1000 ] || fail "1000 predictions"
expect_same_file raw prepared
