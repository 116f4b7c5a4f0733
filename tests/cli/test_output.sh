#!/bin/sh
# What a run prints, and the files it leaves.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("some"); save_parts("x.y_z")'

number='[0-9]+(\.[0-9]+)?(e[-+][0-9]+)?'
keys="folder ranks epochs best_epoch train_loss train_accuracy train_majority_accuracy val_loss
val_accuracy val_majority_accuracy test_loss test_accuracy test_majority_accuracy
samples_per_second weights_crc status"

# ---- a whole run ----
run 3 --epochs 3 some
expect_status 0
expect_empty_stderr
expect_stdout '^job +3 ranks on 1 host, [0-9]+ CPUs? here'
expect_stdout "^(kernels +dtrain's own, [a-z0-9]+: the same bits on any CPU|BLAS +.+ kernels, 1 thread a rank)"
expect_stdout '^data +some: 600 training, 150 validation, 150 test rows; 12 inputs, 2 classes$'
expect_stdout '^baseline +predicting class [01] for every row: accuracy 0\.[0-9]{4} training, 0\.[0-9]{4} validation, 0\.[0-9]{4} test$'
expect_stdout '^model +12-30-2, relu, softmax; P = 452 parameters$'
expect_stdout '^training +Adam 0\.001, batch 100, at most 3 epochs, patience 2 on val_loss$'
expect_stdout '^run +seed 1, 8 shards, exact sum by window; results in results/some$'
for epoch in 1 2 3; do
    expect_stdout "^epoch $epoch/3  loss $number  accuracy $number  val_loss $number  val_accuracy $number  $number s"
done
[ "$(grep -c '^epoch ' stdout)" -eq 3 ] || fail "one line an epoch"
expect_stdout '^phase +mean s +max s +max/min +over 3 ranks$'
for phase in load forward backward all-reduce update validate; do
    expect_stdout "^$phase +$number +$number +$number\$"
done
for key in $keys; do
    [ "$(grep -c "^summary\\.$key=" stdout)" -eq 1 ] || fail "one line summary.$key="
done
for key in train_loss train_accuracy val_loss val_accuracy test_loss test_accuracy samples_per_second; do
    expect_stdout "^summary\\.$key=$number\$"
done
expect_stdout '^summary\.weights_crc=[0-9a-f]{8}$'
expect_stdout_line "summary.folder=results/some"
expect_stdout_line "summary.ranks=3"
expect_stdout_line "summary.epochs=3"
[ "$(tail -n 1 stdout | tr -d '\r')" = "summary.status=ok" ] || fail "the last line is summary.status=ok"
[ "$(sed -n '/^summary\./,$p' stdout | grep -vc '^summary\.')" -eq 0 ] || fail "the block is the end"
[ "$(LC_ALL=C tr -d '[:print:]\n' <stdout | wc -c)" -eq 0 ] || fail "plain text without escapes"
# What the summary says of the best epoch is what the epoch's line said.
best=$(summary best_epoch)
expect_stdout "^epoch $best/3 .*  best\$"
expect_stdout "^epoch $best/3 .* val_loss $(printf '%.4f' "$(summary val_loss)") "
expect_stdout "^epoch $best/3 .* val_accuracy $(printf '%.4f' "$(summary val_accuracy)") "

# ---- the files: two, and no earlier run's are touched ----
[ "$(find results | sort | tr '\n' ' ')" = \
    "results results/some results/some/model.h5 results/some/run.h5 " ] ||
    fail "run.h5 and model.h5, found: $(find results | sort | tr '\n' ' ')"
cp -p -r results first
run 3 --epochs 2 --seed 3 some
expect_status 0
expect_stdout_line "summary.folder=results/some-2"
expect_file results/some-2/run.h5
expect_file results/some-2/model.h5
expect_same_file results/some/run.h5 first/some/run.h5
expect_same_file results/some/model.h5 first/some/model.h5
run 0 --epochs 1 some
expect_stdout_line "summary.folder=results/some-3"

# ---- --quiet: the summary alone ----
run 2 --quiet --epochs 2 some
expect_status 0
expect_empty_stderr
expect_no_stdout '^([^s]|s[^u]|$)'
[ "$(grep -vc '^summary\.' stdout)" -eq 0 ] || fail "the summary alone"
for key in $keys; do
    expect_stdout "^summary\\.$key="
done

# ---- --out: that folder, made with its parents ----
run 2 --quiet --epochs 1 --out deep/down/here some
expect_status 0
expect_stdout_line "summary.folder=deep/down/here"
expect_file deep/down/here/model.h5
# A finished run is replaced only by force, whatever would be trained there.
cp -p -r deep/down/here kept
printf 'hidden = 4 | 8\n' >space
printf 'a,y\n1,no\n2,yes\n3,no\n' >table.csv
# here_is RANKS FILE: the folder is refused because of that file, and stays as it is.
here_is() {
    for words in "some" "" "some --restarts 2" "some --folds 3" "table.csv --target y" "search some --space space"; do
        # shellcheck disable=SC2086
        run "$1" $words --quiet --epochs 1 --seed 4 --out deep/down/here
        expect_status 2
        expect_one_stderr_line "dtrain: error: deep/down/here/$2: an earlier run ended here; use --force to replace its results, or another --out"
        [ ! -s stdout ] || fail "nothing on stdout"
        diff -r deep/down/here kept >changed || fail "the folder stays as it is: $(cat changed)"
    done
}
here_is 2 run.h5
run 0 --quiet --epochs 1 --out deep/down/here --seed 4 --force some
expect_status 0
[ "$(find deep -type f | wc -l)" -eq 2 ] || fail "the same two files"
cmp -s deep/down/here/model.h5 kept/model.h5 && fail "another model"
rm -rf kept deep/down/here/run.h5
cp -p -r deep/down/here kept
here_is 0 model.h5
# One that failed is replaced, also if a model is there, which it has when it is killed at its very end.
run 0 --quiet --epochs 1 --learning-rate 1e6 --hidden 50,50,50,50,50 --out bad some
expect_status 5
cp kept/model.h5 bad/
run 0 --quiet --epochs 1 --out bad some
expect_status 0
cmp -s bad/model.h5 kept/model.h5 && fail "a new model"
run 0 --quiet --epochs 1 --out deep/slash/ some
expect_status 0
expect_file deep/slash/run.h5
# A name that would be another line of the summary, or move a terminal's cursor, is escaped.
odd=$(printf 'odd\nsummary.status=stopped\033[2J')
run 0 --quiet --epochs 1 --out "$odd" some
expect_status 0
expect_stdout_line 'summary.folder=odd\nsummary.status=stopped\0033[2J'
[ "$(grep -c '^summary.status=' stdout)" -eq 1 ] || fail "one line summary.status="
[ "$(printf '%b' "$(summary folder)")" = "$odd" ] || fail "the folder's name can be read back"
expect_file "$odd/run.h5"
ln -s nowhere dangling
run 0 --quiet --epochs 1 --out dangling/below some
expect_status 4
expect_one_stderr_line "dangling/below: cannot make the folder: 'dangling' is a link without a target; remove the link"

# ---- names ----
run 0 --quiet --epochs 1 x.y_z
expect_stdout_line "summary.folder=results/x.y_z"
run 0 --quiet --epochs 1 --validation-split 0 ./x.y_z-train.npz
expect_stdout_line "summary.folder=results/x.y_z-2"
expect_no_stdout "summary.val_|nan"
cp some-train.npz constrain.npz
run 0 --quiet --epochs 1 constrain.npz
expect_stdout_line "summary.folder=results/constrain"

# ---- early stopping and the best epoch ----
run 2 --epochs 50 --patience 1 --learning-rate 0.05 some
expect_status 0
[ "$(summary epochs)" -lt 50 ] || fail "it stops early"
[ "$(summary best_epoch)" -eq $(($(summary epochs) - 1)) ] || fail "one epoch after the best"

# ---- several runs that begin at the same time must not write into one folder ----
for i in 1 2 3 4 5 6; do
    "$DTRAIN" --quiet --epochs 1 --seed "$i" some >"stdout-$i" 2>&1 &
done
wait
folders=$(cat stdout-[1-6] | grep '^summary.folder=' | sort -u | wc -l)
[ "$folders" -eq 6 ] || fail "6 runs at once have 6 folders, found $folders"
left=$(find . -name '*.tmp')
[ -z "$left" ] || fail "no temporary file is left, found $left"
