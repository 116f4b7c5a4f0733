#!/bin/sh
# Options: --help, --version, and every way to get them wrong: exit status 2 and one line.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"

# wrong RANKS TEXT ARGUMENTS...
wrong() {
    wrong_ranks=$1
    wrong_text=$2
    shift 2
    run "$wrong_ranks" "$@"
    expect_status 2
    expect_one_stderr_line "$wrong_text"
    expect_stderr '^dtrain: error: '
    [ ! -s stdout ] || fail "nothing on stdout"
    expect_no_file results
}

# ---- what needs no ranks ----
options="inputs targets validation-split test-split hidden activation norm residual init batch epochs learning-rate
patience min-delta monitor no-restore-best seed split-seed shards sum threads init-from out csv-log progress quiet
like config"
for words in "--help" "train --help" "--batch 5 --help" "--nonsense --help"; do
    # shellcheck disable=SC2086
    run 0 $words
    expect_status 0
    expect_empty_stderr
    expect_stdout '^Usage: dtrain '
    for option in $options; do
        expect_stdout "^  --$option "
    done
done
# The options of a run stand in groups, those of other commands do not.
[ "$(grep '^[A-Z][a-z ]*:$' stdout | tr -d '\n')" = "Options:Data:Network:Training:Stopping:Run and output:Cluster:Tables of text as data:" ] ||
    fail "the groups of options"
for pair in Data:inputs Network:preset Training:loss Stopping:patience "Run and output:out" Cluster:shards \
    "Tables of text as data:target"; do
    grep -A 1 "^${pair%:*}:\$" stdout | grep -q "^  --${pair#*:} " || fail "--${pair#*:} begins its group"
done
cp stdout train
run 0 evaluate --help
[ "$(grep -c '^[A-Z][a-z ]*:$' stdout)" -eq 1 ] || fail "one heading, Options:"
mv train stdout
# An option's lines are one.
awk '/^  --/ { if (o) print o; o = $0; next } /^          / && o { sub(/^ +/, " "); o = o $0 }
    END { print o }' stdout >joined && mv joined stdout
for default in 'hidden LIST .*\[30\]' 'activation NAME .*relu.*tanh.*sigmoid.*linear.*\[relu\]' \
    'batch N .*\[100\]' 'epochs N .*\[100\]' 'learning-rate F .*\[0.001\]' 'patience N .*\[2\]' \
    'monitor NAME .*\[val_loss\]' 'validation-split F .*\[0.1\]' 'shards N .*\[8\]' \
    'sum NAME .*\[exact\]'; do
    expect_stdout "^  --$default"
done
run 0 --version
expect_status 0
expect_empty_stderr
for line in '^dtrain [0-9]+\.[0-9]+\.[0-9]+( \([0-9a-z+-]+\))?$' '^kernels (avx512|avx2|neon|portable|blas)$' 'MPI' 'BLAS .*kernels$' '^HDF5 [0-9.]+' '^zlib [0-9.]+' \
    '^jansson [0-9.]+' '^(protobuf-c [0-9.]+|without ONNX)$' '^CPU .' '^calls MPI [0-9.]+, MPI_THREAD_FUNNELED$' \
    '^OpenBLAS options' '^compiler [A-Za-z]+ [0-9.]+, ' '^flags .*-ffp-contract=off'; do
    expect_stdout "$line"
done
run 2 --version
expect_status 0
[ "$(grep -c '^dtrain ' stdout)" -eq 1 ] || fail "two ranks say it once"
run 2 --help
expect_status 0
[ "$(grep -c '^Usage: ' stdout)" -eq 1 ] || fail "two ranks say it once"

# ---- unknown ----
wrong 0 "unknown option --epoch; did you mean --epochs?" --epoch 5
wrong 3 "unknown option --epoch; did you mean --epochs?" --epoch 5
wrong 0 "unknown option --hiden; did you mean --hidden?" --hiden=5
wrong 0 "unknown option --something-else; --help lists them" --something-else
wrong 0 "unknown option -e; options begin with two dashes, --help lists them" -e 5
wrong 0 "unknown option -x; options begin with two dashes, --help lists them" -x
wrong 0 "unknown option --" "--$(printf 'x%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21)$(printf 'y%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20)-and-so-on-for-ever-and-ever"
wrong 0 "DATA is one folder, prefix or file, or three files" a.npz b.npz
wrong 0 "too many words: 'g'" a.npz b.npz c d e f g

# ---- no value, no number, out of range ----
wrong 0 "--batch needs a value" --batch
wrong 3 "--batch needs a value" --batch
wrong 0 "--batch takes a whole number, not 'ten'" --batch ten
wrong 0 "--batch takes a whole number, not '1.5'" --batch 1.5
wrong 0 "--batch takes a whole number, not ''" --batch=
wrong 0 "--batch takes a whole number, not '5x'" --batch 5x
wrong 0 "--batch is 0, but must be between 1 and" --batch 0
wrong 0 "--batch is -5, but must be between 1 and" --batch -5
wrong 0 "--batch is 99999999999999999999, but must be between" --batch 99999999999999999999
wrong 0 "--epochs is 0, but" --epochs 0
wrong 0 "--patience is -1, but must be between 0 and" --patience -1
wrong 0 "--seed is -1, but must be between 0 and" --seed -1
wrong 0 "--shards is 0, but" --shards 0
wrong 0 "--threads is 0, but" --threads 0
wrong 0 "--learning-rate takes a number, not 'fast'" --learning-rate fast
wrong 0 "--learning-rate takes a number, not 'nan'" --learning-rate nan
wrong 0 "--learning-rate is 0, but" --learning-rate 0
wrong 0 "--learning-rate is inf, but" --learning-rate inf
wrong 0 "--learning-rate is -0.1, but" --learning-rate -0.1
wrong 0 "--min-delta is -1, but" --min-delta -1
wrong 0 "--validation-split is 1.5, but" --validation-split 1.5
wrong 0 "--hidden is 0, but" --hidden 5,0
wrong 0 "--hidden" --hidden 64,
wrong 0 "--hidden" --hidden ,
wrong 0 "--hidden" --hidden 64,x
wrong 0 "--activation takes one of relu|tanh|sigmoid|gelu|silu|elu|selu|leaky_relu|softplus|hard_sigmoid|linear, not 'swish'" --activation swish
wrong 0 "--activation takes one of" --activation rel
wrong 0 "--monitor takes one of val_loss|val_accuracy|val_log_loss|" --monitor loss
wrong 0 "--sum takes one of exact|fast, not 'exakt'" --sum exakt
wrong 0 "--quiet takes yes or no, not 'maybe'" --quiet=maybe
wrong 0 "--progress takes yes or no, not '50'" --progress=50
for option in init-from csv-log like; do
    wrong 3 "--$option needs a value" --$option
done
wrong 0 "unknown option --csvlog; did you mean --csv-log?" --csvlog x

# ---- contradictions ----
wrong 8 "--shards 4 is less than the 8 ranks" --shards 4
wrong 0 "leave no rows for training" --validation-split 0.5 --test-split 0.5
wrong 0 "leave no rows for training" --validation-split 0.6 --test-split 0.6

# ---- --config FILE ----
wrong 0 "--config no-such.txt: No such file or directory" --config no-such.txt
wrong 3 "--config no-such.txt: No such file or directory" --config no-such.txt
mkdir folder
wrong 0 "--config folder: Is a directory" --config folder
printf '# a comment\n\nbatch = 50\nepoch = 3\n' >bad-name.txt
wrong 0 "bad-name.txt, line 4: unknown option --epoch; did you mean --epochs?" --config bad-name.txt
printf 'batch = fifty\n' >bad-value.txt
wrong 0 "bad-value.txt, line 1: --batch takes a whole number, not 'fifty'" --config bad-value.txt
printf 'batch = 50\n\nhidden 64\n' >bad-line.txt
wrong 0 "bad-line.txt, line 3: expected 'name = value', found 'hidden 64'" --config bad-line.txt
printf 'batch =\n' >no-value.txt
wrong 0 "no-value.txt, line 1: --batch" --config no-value.txt
{ printf '\n# ' && head -c 2046 /dev/zero | tr '\0' x && echo; } >long-line.txt
wrong 0 "long-line.txt, line 2: is longer than 2047 bytes" --config long-line.txt
printf 'validation-split = 0.7\ntest-split = 0.7\n' >no-rows.txt
wrong 0 "leave no rows for training" --config no-rows.txt
printf 'like = nowhere\n' >like.txt
run 0 --config like.txt
expect_status 3
expect_one_stderr_line "nowhere"
printf 'config = other.txt\n' >nested.txt
wrong 0 "nested.txt, line 1: a configuration file cannot name another one" --config nested.txt
