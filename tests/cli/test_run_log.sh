#!/bin/sh
# run.h5: every name and type, and its numbers against model.h5 and the data. (While a run goes on
# and after a kill: test_run_log_live.sh.)
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py pandas
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("three", rows=(700, 210, 133), classes=3)
save_parts("two", rows=(700, 210, 133), classes=2)'

# Recorded are the values in force, whichever way they were given.
for case in "1 three" "3 two" "4 three"; do
    ranks=${case% *} data=${case#* }
    run "$ranks" --hidden 20,10 --activation tanh --batch 64 --epochs 7 --learning-rate 0.002 \
        --patience 3 --min-delta 1e-4 --monitor val_accuracy --min-epochs 1 --baseline 0.25 --seed 5 --shards=9 \
        --out "logged-$ranks" "$data"
    expect_status 0
    expect_empty_stderr
    "$PYTHON" "$TESTS/cli/check_run_log.py" "logged-$ranks" "$data" "$ranks" >crc 2>wrong ||
        fail "run.h5 of $ranks ranks: $(cat wrong)"
    [ "$(cat crc)" = "$(summary weights_crc)" ] || fail "weights_crc=$(cat crc), as in model.h5"
    "$PYTHON" "$TESTS/cli/check_model_h5.py" "logged-$ranks/model.h5" >checked 2>&1 ||
        fail "a Keras model: $(cat checked)"
    [ "$(find "logged-$ranks" | wc -l)" -eq 3 ] || fail "model.h5 and run.h5 only"
done

# pandas.read_hdf, where PyTables is.
if "$PYTHON" -c 'import tables' 2>/dev/null; then
    "$PYTHON" -c 'import h5py, pandas
for table in "epochs", "ranks", "sessions":
    frame, found = pandas.read_hdf("logged-4/run.h5", table), h5py.File("logged-4/run.h5")[table][:]
    assert list(frame.columns) == list(found.dtype.names) and len(frame) == len(found), table
    for name in frame.select_dtypes("number"):
        assert (frame[name].to_numpy() == found[name]).all(), (table, name)' >wrong 2>&1 ||
        fail "pandas.read_hdf reads the tables of run.h5: $(cat wrong)"
fi

# The summary says what the log says.
"$PYTHON" - stdout <<'PY' || fail "summary and run.h5 agree"
import sys
import h5py
lines = dict(line.strip().split("=", 1) for line in open(sys.argv[1]) if line.startswith("summary."))
run = h5py.File("logged-4/run.h5", "r")
for key, part in (("train", "train"), ("val", "validation"), ("test", "test")):
    for name in ("loss", "accuracy", "majority_accuracy"):
        value = run[f"evaluation/{part}"].attrs[name]
        assert abs(float(lines[f"summary.{key}_{name}"]) - value) <= 1e-8 * value, (key, name)
for name in ("epochs", "best_epoch"):
    assert int(lines[f"summary.{name}"]) == run["summary"].attrs[name], name
PY

# One line each, as results/README.md would have it.
"$PYTHON" -c 'import h5py, pandas; print(pandas.DataFrame(h5py.File("logged-4/run.h5")["epochs"][:]).to_string())' >frame
grep -q 'val_loss' frame || fail "pandas reads /epochs"
for table in ranks data/members evaluation/test/classes evaluation/test/calibration; do
    "$PYTHON" -c 'import sys, h5py, pandas
print(pandas.DataFrame(h5py.File("logged-4/run.h5")[sys.argv[1]][:]).to_string())' "$table" >frame ||
        fail "pandas reads /$table"
done
if command -v h5dump >/dev/null; then
    h5dump -H logged-4/run.h5 >header 2>wrong || fail "h5dump -H: $(cat wrong)"
    grep -q 'DATASET "epochs"' header || fail "h5dump shows /epochs"
    h5dump -d /epochs logged-4/run.h5 >dumped 2>&1 || fail "h5dump -d /epochs"
    h5dump logged-4/run.h5 >dumped 2>wrong || fail "h5dump of all: $(cat wrong)"
    grep -q 'rank_hosts' dumped || fail "h5dump shows /environment/rank_hosts"
fi

# Without a validation and a test set their columns are NaN and their groups are absent.
run 2 --quiet --out lone --epochs 2 --validation-split 0 --test-split 0 three-train.npz
expect_status 0
"$PYTHON" - <<'PY' || fail "a run without validation and test set has NaN and no groups"
import h5py
import numpy as np
run = h5py.File("lone/run.h5", "r")
assert np.isnan(run["epochs"]["val_loss"]).all() and np.isnan(run["epochs"]["val_accuracy"]).all()
assert np.isfinite(run["epochs"]["train_loss"]).all()
assert set(run["evaluation"]) == {"train"}, set(run["evaluation"])
assert run["summary"].attrs["best_epoch"] == 2
PY

# Names of classes come from the recipe; they are the scale of all that counts by class. Members are
# those of one file; those that deflate has made small are counted as they were.
"$PYTHON" - <<'PY'
import random
random.seed(3)
kinds = ["grün", "rot", "a name with spaces"]
with open("table.csv", "w", encoding="utf-8") as table:
    table.write("length,width,kind\n")
    for _ in range(400):
        kind = random.randrange(3)
        table.write(f"{random.gauss(kind, 1):.3f},{random.gauss(-kind, 1):.3f},{kinds[kind]}\n")
PY
run 0 prepare table.csv --target kind --out kinds --quiet
expect_status 0
run 2 --quiet --epochs 2 --out named kinds
expect_status 0
"$PYTHON" - <<'PY' 2>wrong || fail "class names and members of a prepared table: $(cat wrong)"
import zipfile
import zlib
import h5py
run = h5py.File("named/run.h5", "r")
names = [name.decode() for name in run["data/class_names"][:]]
assert sorted(names) == ["a name with spaces", "grün", "rot"], names
for path in ("data/test_class_rows", "evaluation/test/confusion", "evaluation/train/confusion"):
    for dim in run[path].dims:
        assert [name.decode() for name in dim[0][:]] == names, path
for row in run["data/members"][:]:
    with zipfile.ZipFile(row["file"].decode()) as archive:
        data = archive.read(row["array"].decode() + ".npy")
    assert (len(data), zlib.crc32(data)) == (row["bytes"], row["crc32"]), row
assert len(run["data/members"]) == 6
PY
"$PYTHON" -c 'from make_data import learnable, save
x, y = learnable(500, classes=3)
save("one.npz", deflate=True, x_train=x, y_train=y)'
run 2 --quiet --epochs 1 --out one one.npz
expect_status 0
"$PYTHON" - <<'PY' 2>wrong || fail "the members of one deflated file: $(cat wrong)"
import zipfile
import h5py
table = h5py.File("one/run.h5", "r")["data/members"][:]
assert [row["set"].decode() for row in table] == ["train", "train"], table
with zipfile.ZipFile("one.npz") as archive:
    infos = {info.filename: info for info in archive.infolist()}
for row, name in zip(table, ("x_train.npy", "y_train.npy")):
    assert row["file"] == b"one.npz" and row["member"].decode() == name[:-4], row
    assert (row["bytes"], row["crc32"]) == (infos[name].file_size, infos[name].CRC), row
PY

# The example's arrays are members too, and its run has no DATA.
run 1 --quiet --epochs 1 --out example
expect_status 0
"$PYTHON" -c 'import h5py
run = h5py.File("example/run.h5", "r")
assert len(run["data/members"]) == 6 and len(run["config"].attrs["data"]) == 0' ||
    fail "the log of the example"

# A network without hidden layers; and a run that begins with another one'"'"'s weights.
run 1 --quiet --epochs 1 --hidden none --out narrow two
expect_status 0
run 2 --quiet --epochs 1 --init-from logged-4 --out on three
expect_status 0
"$PYTHON" - <<'PY' 2>wrong || fail "/data of these: $(cat wrong)"
import h5py
narrow, on, first = (h5py.File(f"{name}/run.h5", "r") for name in ("narrow", "on", "logged-4"))
assert narrow["data"].attrs["network"] == "12-2" and narrow["config"].attrs["hidden"] == "none"
assert "init_weights_crc" not in narrow["data"].attrs
assert on["data"].attrs["init_weights_crc"] == first["summary"].attrs["weights_crc"]
assert on["config"].attrs["init_from"] == "logged-4"
config = on["config"].attrs
assert (config["hidden"], config["activation"], config["learning_rate"]) == ("20,10", "tanh", 0.002)
PY

# Options from a file are recorded like those of the command line.
printf 'hidden = 4\nbatch = 50   # rows\nseed = 11\n' >options.txt
run 1 --quiet --config options.txt --seed 12 --epochs 2 --no-restore-best --out from-file three
expect_status 0
"$PYTHON" - <<'PY' || fail "/config has what --config FILE said, and the command line's seed"
import h5py
config = h5py.File("from-file/run.h5", "r")["config"].attrs
assert (config["hidden"], config["batch"], config["seed"]) == ("4", 50, 12), dict(config)
assert config["no_restore_best"] == 1 and config["quiet"] == 1 and config["config"] == "options.txt"
PY

# A run that diverges says so in its log, and leaves no model.
run 2 --quiet --out diverged --epochs 3 --learning-rate 1000000 --hidden 50,50,50,50,50 three
expect_status 5
expect_one_stderr_line "dtrain: error: epoch "
expect_no_stdout '^summary\.'
expect_no_file diverged/model.h5
"$PYTHON" -c 'import h5py; assert h5py.File("diverged/run.h5", "r").attrs["status"] == "diverged"' ||
    fail "the status of run.h5 is diverged"
