#!/bin/sh
# train --csv-log, and --progress where there is no terminal.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts
save_parts("three", rows=(700, 210, 133), classes=3)'

# ---- --csv-log ----
# same CSV FOLDER COLUMNS: the file says what the log of the run says, in Keras's way.
cat >same.py <<'PY'
import csv
import sys
import h5py
path, folder, header = sys.argv[1:]
text = open(path, newline="").read()
assert text.endswith("\n") and "\r" not in text and '"' not in text, text
rows = list(csv.DictReader(text.splitlines()))
assert text.splitlines()[0] == header, text
epochs = h5py.File(f"{folder}/run.h5")["epochs"][:]
assert len(rows) == len(epochs), (len(rows), len(epochs))
names = {"accuracy": "train_accuracy", "loss": "train_loss", "val_accuracy": "val_accuracy",
         "val_loss": "val_loss"}
for row, epoch in zip(rows, epochs):
    assert int(row.pop("epoch")) == epoch["epoch"] - 1, row
    for name, value in row.items():
        assert float(value) == epoch[names[name]], (name, value, epoch)
        assert len(value) <= len(repr(float(value))) + 2, f"{value} has more digits than it needs"
PY
same() { "$PYTHON" same.py "$@" 2>wrong || fail "$1 agrees with $2: $(cat wrong)"; }
run 1 --quiet --epochs 9 --csv-log epochs.csv --out first three
expect_status 0
expect_empty_stderr
same epochs.csv first epoch,accuracy,loss,val_accuracy,val_loss
[ "$(find first | wc -l)" -eq 3 ] || fail "model.h5 and run.h5 only"
cp epochs.csv one.csv
# An older file is written over; on any number of ranks it is the same, and rank 0 alone writes it.
echo "something else, that is longer than all of them" | "$PYTHON" -c 'import sys
open("epochs.csv", "w").write(sys.stdin.read() * 100)'
run 5 --quiet --epochs 9 --csv-log epochs.csv --out five three
expect_status 0
expect_same_file epochs.csv one.csv
run 2 --quiet --epochs 3 --validation-split 0 --test-split 0 --csv-log lone.csv --out lone three-train.npz
expect_status 0
same lone.csv lone epoch,accuracy,loss
"$PYTHON" -c 'import h5py
assert h5py.File("lone/run.h5")["config"].attrs["csv_log"] == "lone.csv"' || fail "/config csv_log"
# In the folder of results too, which the run makes before.
run 1 --quiet --epochs 2 --csv-log within/epochs.csv --out within three
expect_status 0
same within/epochs.csv within epoch,accuracy,loss,val_accuracy,val_loss

# Where it cannot be written: before the work, on all ranks, in one line.
mkdir folder
for path in nowhere/epochs.csv folder three-train.npz/epochs.csv; do
    for ranks in 0 3; do
        run "$ranks" --quiet --epochs 2 --csv-log "$path" --out bad three
        expect_status 4
        expect_one_stderr_line "dtrain: error: $path: cannot write: "
        expect_no_file bad/run.h5
    done
done
run 2 --csv-log nowhere/epochs.csv three
expect_status 4
expect_no_file results/three
# A path of an input or of another result is refused: nothing is lost.
cp three-train.npz kept.npz
refuse_csv() {
    run "$1" --quiet --epochs 2 --csv-log "$2" --out five --force three
    expect_status 2
    expect_one_stderr_line "dtrain: error: --csv-log $2 would be written over $3"
}
refuse_csv 0 three-train.npz three-train.npz
refuse_csv 2 ./three-test.npz three-test.npz
refuse_csv 0 five/model.h5 five/model.h5
refuse_csv 0 five/run.h5 five/run.h5
expect_same_file three-train.npz kept.npz
mkfifo pipe
run 0 --quiet --epochs 2 --csv-log pipe --out bad three
expect_status 4
expect_one_stderr_line 'dtrain: error: pipe: is not a file that lines can be written to'
# Where it turns out later: said at once, and the model is not lost.
if [ -w /dev/full ]; then
    for ranks in 0 3; do
        run "$ranks" --epochs 2 --csv-log /dev/full --out "full-$ranks" three
        expect_status 4
        [ "$(wc -l <stderr)" -eq 2 ] || fail "a warning and an error, a line each"
        expect_stderr '^dtrain: warning: /dev/full: No space left on device; training continues$'
        expect_stderr '^dtrain: error: /dev/full: not all epochs could be written: No space left on device$'
        expect_file "full-$ranks/model.h5"
        expect_stdout '^summary.weights_crc='
        expect_no_stdout '^summary.status=ok'
        "$PYTHON" -c 'import sys, h5py
run = h5py.File(sys.argv[1] + "/run.h5")
assert run.attrs["status"] == "failed" and "test" in run["evaluation"]' "full-$ranks" ||
            fail "run.h5 has the results, and says that the run failed"
    done
fi
# A run that diverges before an epoch has ended leaves no file.
run 2 --quiet --csv-log diverged.csv --epochs 3 --learning-rate 1000000 --hidden 50,50,50,50,50 --out diverged three
expect_status 5
expect_no_file diverged.csv # not an epoch has ended

# ---- --progress off a terminal ----
# Off a terminal a short run says nothing of it.
return_character=$(printf '\r')
run 0 --progress --epochs 2 --out piped three
expect_status 0
expect_no_stdout 'step|left'
expect_no_stdout "$return_character"
run 2 --progress --epochs 2 --out piped-2 three
expect_status 0
expect_no_stdout 'step|left'
expect_no_stdout "$return_character"
