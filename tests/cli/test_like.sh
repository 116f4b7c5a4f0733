#!/bin/sh
# train --like: repeating a run of its log, and when it cannot be.
# long: many runs, most of them on several ranks
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" - <<'PY'
from make_data import learnable, save, save_parts
save_parts("three", rows=(700, 210, 133), classes=3)
save_parts("other", rows=(700, 210, 133), classes=3, seed=7)
x, y = learnable(900, classes=2)
save("one.npz", rows=x, kind=y)
PY
same='the same weights, bit for bit$'

# ---- a run, again ----
run 2 --quiet --hidden 20,10 --activation tanh --batch 64 --epochs 4 --learning-rate 0.0020000000000000005 \
    --patience 3 --min-delta 1e-4 --monitor val_accuracy --seed 5 --shards 9 --out first three
expect_status 0
crc=$(summary weights_crc)
for ranks in 1 2 5; do
    run "$ranks" --like first --out "again-$ranks"
    expect_status 0
    expect_empty_stderr
    expect_stdout "^like +first: $same"
    [ "$(summary weights_crc)" = "$crc" ] || fail "the weights $crc again"
done
"$PYTHON" "$TESTS/cli/compare_runs.py" first again-1 again-2 again-5 >wrong 2>&1 ||
    fail "the same run again: $(cat wrong)"
"$PYTHON" - <<'PY' 2>wrong || fail "the settings in the log: $(cat wrong)"
import h5py
first, again = (dict(h5py.File(f"{name}/run.h5")["config"].attrs) for name in ("first", "again-5"))
assert again.pop("like") == "first" and first.pop("like") == ""
assert again.pop("out") == "again-5" and first.pop("out") == "first"
assert again.pop("quiet") == 0 and first.pop("quiet") == 1
assert list(again.pop("data")) == list(first.pop("data")) == ["three"]
assert repr(again) == repr(first), (again, first)  # a NaN, of --baseline, is not itself
PY
# Of the log itself, and of a run that was itself such a one; --quiet says nothing of it.
run 1 --like=again-2/run.h5 --out twice
expect_status 0
expect_stdout "^like +again-2/run.h5: $same"
run 1 --quiet --like first --out silent
expect_status 0
expect_empty_stderr
expect_no_stdout '^like'
# The folder of the results is not taken over, nor is the first run written over.
cp first/run.h5 kept.h5
run 1 --like first
expect_status 0
expect_stdout_line "summary.folder=results/three"
expect_same_file first/run.h5 kept.h5

# From another folder: paths are those of where it was started; absolute ones are as they were.
mkdir elsewhere
cd elsewhere
run 3 --like ../first --out there
expect_status 0
expect_empty_stderr
expect_stdout "^like .*$same"
cd ..
run 1 --quiet --epochs 2 --out absolute "$PWD/three"
expect_status 0
cd elsewhere
run 1 --like ../absolute --out absolute
expect_status 0
expect_stdout "^like .*$same"
cd ..

# Data of every kind: named arrays of one file that is split, three files, the example.
run 1 --quiet --epochs 2 --inputs rows --targets kind --test-split 0.25 --validation-split 0 --out split one.npz
expect_status 0
run 2 --quiet --epochs 2 --out files three-train.npz three-validation.npz three-test.npz
expect_status 0
run 1 --quiet --epochs 1 --hidden none --no-restore-best --sum exact --out example
expect_status 0
for name in split files example; do
    run 3 --like $name --out "$name-again"
    expect_status 0
    expect_empty_stderr
    expect_stdout "^like +$name: $same"
done

# ---- options given now override the log ----
run 1 --like first --epochs 2 --out shorter
expect_status 0
expect_empty_stderr
expect_no_stdout '^like'
expect_stdout_line 'summary.epochs=2'
expect_stdout '^model +12-20-10-3, tanh'
# Also when it is what it was, or what it would be by default.
run 1 --like first --hidden 30 --learning-rate 0.001 --out wider
expect_status 0
expect_stdout '^model +12-30-3, tanh'
expect_stdout '^training +Adam 0\.001, batch 64'
printf 'epochs = 1\nbatch = 32\nlike = first\n' >options.txt
run 1 --config options.txt --batch 16 --out by-file
expect_status 0
expect_stdout '^training .*batch 16, at most 1 epoch,'
expect_stdout '^model +12-20-10-3, tanh'
printf 'quiet = no\nprogress = yes\n' >words.txt
run 1 --like first --config words.txt --csv-log epochs.csv --out by-words
expect_status 0
expect_stdout "^like +first: $same"
expect_file epochs.csv

# ---- ranks and shards ----
# Nine ranks had nine shards, unasked; on two these still are nine.
run 9 --quiet --epochs 2 --out nine three
expect_status 0
run 2 --like nine --out nine-again
expect_status 0
expect_stdout "^like +nine: $same"
run 10 --quiet --like nine --out ten
expect_status 2
expect_stderr '^dtrain: error: --shards 9 is less than the 10 ranks' # beside a word of mpirun's own
expect_no_file ten
run 10 --like nine --shards 10 --out ten
expect_status 0
expect_no_stdout '^like'

# ---- other data ----
# refuse STATUS TEXT ARGUMENTS...: on one rank and, with all tests, on three, and no folder is left.
refuse() {
    refuse_status=$1
    refuse_text=$2
    shift 2
    for refuse_ranks in 0 $(! is_long || echo 3); do
        run "$refuse_ranks" --out refused "$@"
        expect_status "$refuse_status"
        expect_one_stderr_line "dtrain: error: $refuse_text"
        [ ! -s stdout ] || fail "nothing on stdout"
        expect_no_file refused
    done
}
run 1 --like first --out own other
expect_status 0
expect_one_stderr_line "dtrain: warning: --like first: its train inputs had the CRC-32 "
expect_one_stderr_line "this is therefore another run, with the same settings"
expect_no_stdout '^like'
expect_stdout '^data +other'
run 1 --like first --out own --force three
expect_status 0
expect_empty_stderr
cp three-train.npz train.kept
cp three-test.npz test.kept
"$PYTHON" - <<'PY'
import numpy as np
for part, row in (("train", 17), ("test", 3)):
    arrays = dict(np.load(f"three-{part}.npz"))
    arrays["targets"][row] = (arrays["targets"][row] + 1) % 3
    np.savez(f"three-{part}.npz", **arrays)
PY
mv three-train.npz train.changed
mv three-test.npz test.changed
cp train.changed three-train.npz
cp test.kept three-test.npz
refuse 3 "--like first: its train targets had the CRC-32" --like first
expect_one_stderr_line "but three-train.npz has"
expect_one_stderr_line "name DATA to train on this data"
cp train.kept three-train.npz
cp test.changed three-test.npz
refuse 3 "--like first: its test targets had the CRC-32" --like first
rm three-test.npz
refuse 3 "--like first: it had test inputs, but the data has none" --like first
cp test.kept three-test.npz
# The same arrays in another archive are the same data.
"$PYTHON" -c 'import numpy as np
arrays = dict(np.load("train.kept"))
np.savez_compressed("three-train.npz", **arrays)'
run 1 --like first --out deflated
expect_status 0
expect_empty_stderr
expect_stdout "^like .*$same"
cp train.kept three-train.npz

# ---- a run that began with a model ----
run 2 --quiet --epochs 2 --init-from first --out on three
expect_status 0
run 3 --like on --out on-again
expect_status 0
expect_empty_stderr
expect_stdout "^like +on: $same"
cd elsewhere
run 1 --like ../on --out on-again
expect_status 0
expect_stdout "^like .*$same"
cd ..
cp first/model.h5 model.kept
cp again-1/model.h5 first/model.h5
run 1 --quiet --like on --out copy # the same weights and state, in another file
expect_status 0
expect_empty_stderr
cp shorter/model.h5 first/model.h5
refuse 3 "--like on: it started from weights with the CRC-32 $crc, but those of first/model.h5 have" --like on
expect_one_stderr_line "use --init-from to start from another model"
run 1 --like on --init-from shorter --out on-other
expect_status 0
expect_empty_stderr
expect_no_stdout '^like'
rm first/model.h5
refuse 3 "first/model.h5" --like on
cp model.kept first/model.h5

is_long || exit 0

# ---- files that are not logs ----
refuse 3 "first/model.h5: is a model, not the log of a run" --like first/model.h5
refuse 3 "nowhere" --like nowhere
mkdir empty
refuse 3 "empty: no run.h5 in this folder" --like empty
refuse 3 "three-train.npz" --like three-train.npz
for bytes in 0 100 2000 9000; do
    head -c "$bytes" first/run.h5 >short.h5
    refuse 3 "short.h5" --like short.h5
done
# spoil NAME: a copy of the log, after the Python of stdin has changed its `run`.
spoil() {
    cp first/run.h5 "$1"
    { printf 'import h5py\nimport numpy as np\nrun = h5py.File("%s", "a")\n' "$1" && cat; } >spoil.py
    "$PYTHON" spoil.py || fail "the test makes $1"
}
echo 'run.attrs["format_version"] = 1' | spoil v1.h5
refuse 3 "v1.h5: its format version is 1, and this dtrain reads 2; read it with the dtrain that wrote it" --like v1.h5
echo 'run.attrs["format_version"] = 3' | spoil v3.h5
refuse 3 "v3.h5: its format version is 3, and this dtrain reads 2; use a newer dtrain" --like v3.h5
echo 'del run["config"].attrs["batch"]' | spoil less.h5
refuse 3 "--like less.h5: " --like less.h5
echo 'del run["config"].attrs["dropout"]' | spoil older.h5 # options that it did not have had no effect
run 0 --like older.h5 --out like-older
expect_status 0
grep -q '^summary.like_weights=same$' stdout || fail "the weights of a log without --dropout"
echo 'run["config"].attrs["batch"] = 0' | spoil zero.h5
refuse 3 "--like zero.h5: --batch is 0, but must be between 1" --like zero.h5
echo 'run["config"].attrs["activation"] = "swish"' | spoil swish.h5
refuse 3 "--like swish.h5: --activation takes one of" --like swish.h5
echo 'run["config"].attrs["batch"] = "many"' | spoil text.h5
refuse 3 "--like text.h5: " --like text.h5
echo 'run["config"].attrs["hidden"] = "7" * 5000' | spoil long.h5
refuse 3 "--like long.h5: " --like long.h5
echo 'run["config"].attrs["learning_rate"] = np.nan' | spoil nan.h5
refuse 3 "--like nan.h5: --learning-rate" --like nan.h5
echo 'run["config"].attrs["data"] = np.array(list("abcdefg"), dtype="S1")' | spoil many.h5
refuse 3 "--like many.h5: " --like many.h5
echo 'run["config"].attrs["data"] = np.array(["x" * 9000], dtype="S9000")' | spoil far.h5
refuse 3 "--like far.h5: " --like far.h5
echo 'del run["data/members"]' | spoil unknown.h5
refuse 3 "--like unknown.h5: " --like unknown.h5
echo 'table = run["data/members"][:]
del run["data/members"]
run["data/members"] = np.concatenate([table, table])' | spoil double.h5
refuse 3 "--like double.h5: /data/members has 12 rows, expected at most 9" --like double.h5
echo 'table = run["data/members"][:4]
del run["data/members"]
run["data/members"] = table' | spoil half.h5
refuse 3 "--like half.h5: it was trained on 4 arrays, but the data now has 6" --like half.h5
echo 'table = run["data/members"][:]
table["set"][5] = b"exam"
run["data/members"][:] = table' | spoil exam.h5
refuse 3 "--like exam.h5: it had exam targets, but the data has none" --like exam.h5
echo 'del run["data/members"]
run["data/members"] = np.arange(6)' | spoil plain.h5
refuse 3 "--like plain.h5: " --like plain.h5

# A log of other kernels, and one that came to other weights: said, and no more.
echo 'run["environment"].attrs["kernels"] = "blas"
run["environment"].attrs["blas_kernels"] = "Other"' | spoil kernels.h5
run 2 --like kernels.h5 --out kernels
expect_status 0
expect_one_stderr_line "dtrain: warning: --like kernels.h5: it used OpenBLAS's Other kernels, but this run uses dtrain's own kernels: the last bits may differ"
expect_stdout "^like .*$same"
echo 'run["summary"].attrs["weights_crc"] = 0x0000beef' | spoil weights.h5
run 2 --like weights.h5 --out weights
expect_status 0
expect_one_stderr_line "dtrain: warning: --like weights.h5: its weights had the CRC-32 0000beef, but those of this run have $crc"
# A run that was killed, or diverged, has no weights to compare with.
echo 'run.attrs["status"] = "running"
del run["summary"]' | spoil killed.h5
run 2 --like killed.h5 --out killed
expect_status 0
expect_empty_stderr
expect_no_stdout '^like'
[ "$(summary weights_crc)" = "$crc" ] || fail "the weights $crc"

# What was given with its default value was given: a model to begin with would bring its own rate.
run 1 --quiet --epochs 1 --learning-rate 0.01 --out rate three
run 1 --quiet --epochs 1 --init-from rate --learning-rate 0.001 --out default three
expect_status 0
crc=$(summary weights_crc)
run 2 --quiet --like default --out default-again
expect_status 0
expect_empty_stderr
[ "$(summary weights_crc)" = "$crc" ] || fail "the weights $crc"

# Options of the data: they go with the run's data, or are given now; a run's do not bind other data.
run 1 --quiet --epochs 1 --test-split 0.3 --out shares three-train.npz
expect_status 0
run 1 --quiet --like shares --test-split 0.2 --out shares-otherwise
expect_status 0
run 1 --quiet --like shares --out shares-none three
expect_status 0
expect_one_stderr_line 'this is therefore another run, with the same settings'

# An empty word is a variable that was not set.
for option in like init-from csv-log; do
    run 0 --"$option" '' --out empty three
    expect_status 2
    expect_one_stderr_line "dtrain: error: --$option is an empty word"
done
