#!/bin/sh
# --folds: cross-validation; on any number of ranks, and interrupted.
# long: many runs, most of them on several ranks
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
: "${DTRAIN_FAULTS:=$(dirname "$DTRAIN")/tests/dtrain-faults}"
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
cat >folds.py <<'PY'
"""What the checks below share."""
import csv
import numpy as np

def arrays(name):
    return np.load(f"{name}.npz")

def rows_of(folder):
    """The lines of out_of_fold.csv."""
    with open(f"{folder}/out_of_fold.csv", newline="") as file:
        return list(csv.DictReader(file))

def by_hand(name, parts, folder, repeat, fold, keys):
    """Writes NAME-train.npz and so on as a person would divide the rows of the files `parts`."""
    held_out = [row["fold"] == str(fold) for row in rows_of(folder) if row["repeat"] == str(repeat)]
    held_out = np.array(held_out)
    both = {key: np.concatenate([arrays(part)[key] for part in parts[:2]]) for key in keys}
    np.savez(f"{name}-train.npz", **{key: both[key][~held_out] for key in keys})
    np.savez(f"{name}-validation.npz", **{key: both[key][held_out] for key in keys})
    np.savez(f"{name}-test.npz", **{key: arrays(parts[2])[key] for key in keys})
PY
"$PYTHON" - <<'PY'
import numpy as np
from make_data import save_parts
save_parts("some", rows=(203, 70, 60), classes=3)
random = np.random.default_rng(5)
for part, rows in (("train", 150), ("validation", 50)):
    x = random.normal(size=(rows, 4)).astype("f4")
    np.savez(f"values-{part}.npz", inputs=x, id=random.integers(0, 40, size=rows), mass=random.integers(0, 9, size=rows) / 4,
             targets=np.stack([x[:, 0] * x[:, 1] * 40 + 100, x[:, 2] ** 2], 1).astype("f4"))
table = random.normal(size=(90, 3))
with open("table.csv", "w") as file:
    file.write("who,a,b,answer\n")
    for i, (a, b, noise) in enumerate(table):
        file.write(f'"p, {i % 25}",{a:.3f},{b:.3f},{chr(34) + "yes, sir" + chr(34) if a + b + noise / 3 > 0 else "no"}\n')
PY

# ---- a fold is what a person would train by hand ----
usual="--epochs 4 --batch 50 --hidden 8 --learning-rate 0.01"
# shellcheck disable=SC2086
run 2 $usual --folds 3 --repeats 2 --out whole some
expect_status 0
[ "$(wc -l <stderr)" -eq 1 ] || fail "one line on stderr: that only dtrain opens the model"
expect_stderr 'whole/model.h5: only dtrain opens it: it has the 6 networks of an ensemble'
expect_stdout '^folds      3 of the 273 training and validation rows, divided 2 times; each is the validation set once$'
expect_stdout '^fold 3 of 3, repeat 2 of 2: 182 rows, 91 held out; results in whole/fold-6$'
expect_stdout '^fold       held out   epoch       loss   accuracy    roc_auc$'
expect_stdout '^1 \(2\)  '
expect_stdout '^deviation  '
expect_stdout_line summary.networks=6
expect_stdout_line summary.folds=3
expect_no_stdout '^summary\.train_'
! sed -n '/^fold  /,/^deviation/p' stdout | grep -E '^.{81}' || fail "a table of at most 80 columns"
expect_no_file whole/checkpoint.h5
keep_summary whole
"$PYTHON" - <<'PY' || fail "a division by hand"
from folds import by_hand
parts = ("some-train", "some-validation", "some-test")
by_hand("hand", parts, "whole", 2, 1, ("inputs", "targets"))
PY
# shellcheck disable=SC2086
run 0 --quiet $usual --out hand hand
expect_status 0
"$PYTHON" "$TESTS/cli/compare_runs.py" hand whole/fold-4 >wrong || fail "the same bits as by hand: $(cat wrong)"
# shellcheck disable=SC2086
run 3 --quiet $usual --folds 3 --repeats 2 --fold 4 --out one some
expect_status 0
"$PYTHON" "$TESTS/cli/compare_runs.py" hand one >wrong || fail "one fold alone: $(cat wrong)"
run 0 --quiet --like whole/fold-4 --out again
expect_status 0
expect_stdout_line summary.like_weights=same

# ---- the report ----
"$PYTHON" - "$(summary val_accuracy 2>/dev/null || true)" <<'PY' 2>wrong || fail "tables and predictions: $(cat wrong)"
import h5py
import numpy as np
from folds import arrays, rows_of

run = h5py.File("whole/run.h5")
folds = run["folds"][:]
assert folds["number"].tolist() == [1, 2, 3, 4, 5, 6] and folds["repeat"].tolist() == [1, 1, 1, 2, 2, 2]
assert folds["fold"].tolist() == [1, 2, 3, 1, 2, 3] and folds["rows"].tolist() == [91] * 6
assert set(folds["status"]) == {b"ok"}
for row in folds:
    one = h5py.File(f"whole/fold-{row['number']}/run.h5")
    assert one["config"].attrs["fold"] == row["number"] and one["data"].attrs["validation_rows"] == 91
    for key, name in (("val", "validation"), ("test", "test")):
        for score in ("loss", "accuracy", "roc_auc", "f1"):
            assert row[f"{key}_{score}"] == one[f"evaluation/{name}"].attrs[score], (key, score)
    assert row["weights_crc"] == one["summary"].attrs["weights_crc"]
    assert row["best_epoch"] == one["summary"].attrs["best_epoch"]
scores = {row["name"].decode(): row for row in run["fold_scores"][:]}
summary = dict(line.split("=", 1) for line in open("whole.summary"))
for name in ("val_loss", "val_accuracy", "test_roc_auc"):
    values = folds[name]
    assert abs(scores[name]["mean"] - values.mean()) < 1e-12 and scores[name]["folds"] == 6
    assert abs(scores[name]["deviation"] - values.std(ddof=1)) < 1e-12
    if name.startswith("val"):
        assert abs(float(summary[f"summary.{name}"]) - values.mean()) < 1e-8
        assert abs(float(summary[f"summary.{name}_deviation"]) - values.std(ddof=1)) < 1e-8
assert "validation" not in run["evaluation"] and "test" in run["evaluation"]

assert [name.decode() for name in run["fold_scores"]["name"][run["fold_scores"]["shown"] == 1]] == \
    ["val_loss", "val_accuracy", "val_roc_auc"]

# Each row once a repeat, class by class; its truth, and what its fold's model predicts.
rows = rows_of("whole")
truth = np.concatenate([arrays("some-train")["targets"], arrays("some-validation")["targets"]])
for repeat in ("1", "2"):
    mine = [row for row in rows if row["repeat"] == repeat]
    keys = [("train", str(n)) for n in range(203)] + [("validation", str(n)) for n in range(70)]
    assert [(row["set"], row["row"]) for row in mine] == keys
    assert [int(row["truth"]) for row in mine] == truth.tolist()
    fold = np.array([int(row["fold"]) for row in mine])
    for c in range(3):
        counts = np.bincount(fold[truth == c], minlength=4)[1:]
        assert counts.max() - counts.min() <= 1, counts
first, second = ([row["fold"] for row in rows if row["repeat"] == repeat] for repeat in "12")
assert 0.2 < np.mean([a == b for a, b in zip(first, second)]) < 0.47
mine = [row for row in rows if row["repeat"] == "2" and row["fold"] == "1"]
np.save("expected.npy", np.array([[float(row[f"p_{c}"]) for c in range(3)] for row in mine]))
PY
run 0 predict whole/fold-4 hand-validation.npz --out held.npz
expect_status 0
run 0 predict whole some-test.npz --out mean.npz
expect_status 0
for i in 1 2 3 4 5 6; do run 0 predict "whole/fold-$i" some-test.npz --out "test-$i.npz"; done
"$PYTHON" - <<'PY' || fail "predictions of the held-out rows, and the mean of all"
import numpy as np
held = np.load("held.npz")["probabilities"]
assert (held == np.load("expected.npy").astype("f4")).all()
alone = [np.load(f"test-{i}.npz")["probabilities"].astype("f8") for i in range(1, 7)]
assert np.abs(np.load("mean.npz")["probabilities"] - np.mean(alone, axis=0)).max() < 1e-6
assert np.abs(alone[0] - alone[1]).max() > 1e-3
PY

# `dtrain report` shows the table, here and on the page.
run 0 report whole --html page.html
expect_status 0
"$PYTHON" - <<'PY' 2>wrong || fail "report: $(cat wrong)"
import re
import h5py
run = h5py.File("whole/run.h5")
def shown(row):
    return [str(row[key]) for key in ("fold", "repeat", "rows")] + ["ok", str(row["best_epoch"])] + \
        [f"{row[key]:.4f}" for key in ("val_loss", "val_accuracy", "val_roc_auc")]
scores = run["fold_scores"][:][run["fold_scores"]["shown"] == 1]
wanted = [["fold", "repeat", "held out", "status", "best epoch", "val loss", "val accuracy", "val ROC-AUC"]]
wanted += [shown(row) for row in run["folds"][:]]
lines = [re.split("  +", line.strip()) for line in open("stdout")]
first = lines.index(wanted[0])
assert lines[first:first + 7] == wanted, lines
for word, line in (("mean", lines[first + 7]), ("deviation", lines[first + 8])):
    assert line == [word] + [f"{row[word]:.4f}" for row in scores], line
page = re.sub(".*<h2>Folds</h2>", "", open("page.html").read(), flags=re.S).split("</table>")[0]
rows = [re.findall("<t[hd].*?>(.*?)</t[hd]>", row) for row in page.split("<tr>")[1:]]
assert rows[:7] == wanted and rows[7][0] == "mean" and rows[8][5] == lines[first + 8][1], rows
PY

# ---- ranks; interrupted: 4 steps an epoch, 16 a fold ----
for ranks in 1 8; do
    # shellcheck disable=SC2086
    run $ranks $usual --folds 3 --repeats 2 --out "whole-$ranks" some
    expect_status 0
    keep_summary now
    sed "s/whole-$ranks/whole/" now.summary >now && mv now now.summary
    expect_same_file now.summary whole.summary
    "$PYTHON" "$TESTS/cli/compare_runs.py" whole "whole-$ranks" >wrong || fail "on $ranks ranks: $(cat wrong)"
    expect_same_file "whole-$ranks/out_of_fold.csv" whole/out_of_fold.csv
done
# shellcheck disable=SC2086
with_fault signal:0:37 1 $usual --folds 3 --repeats 2 --out stopped some
expect_status 75
expect_stdout '^stopped    SIGTERM in epoch 2, .*, fold 3; checkpoint in stopped/checkpoint.h5$'
expect_no_file stopped/out_of_fold.csv
ended=$(ls -i stopped/fold-2/run.h5 stopped/fold-2/model.h5)
run 0 --resume stopped --folds 4
expect_status 2
expect_one_stderr_line '--resume stopped: --folds is 4, but the run started with 3, which --force cannot change; remove --folds'
DTRAIN_FAULT=kill:1:20 timeout -k 5 "$RUN_TIMEOUT" mpirun -q -np 2 "$DTRAIN_FAULTS" --resume stopped \
    --checkpoint-every 1 </dev/null >stdout 2>stderr && fail "a killed rank is a failure"
expect_stdout '^resume +stopped: folds that have ended are kept; 1 session before$'
expect_no_stdout '^fold 2 of 3:'
run 8 --resume stopped
expect_status 0
"$PYTHON" "$TESTS/cli/compare_runs.py" whole stopped >wrong || fail "the resumed run: $(cat wrong)"
expect_same_file stopped/out_of_fold.csv whole/out_of_fold.csv
[ "$(ls -i stopped/fold-2/run.h5 stopped/fold-2/model.h5)" = "$ended" ] || fail "an ended fold is not run again"
run 0 --resume stopped
expect_status 2
expect_stderr 'dtrain --like stopped/fold-1 --init-from stopped/fold-1 --out stopped-2'

# ---- values with weights, no test set ----
run 2 --quiet --epochs 3 --learning-rate 0.02 --weights mass --folds 4 --test-split 0 --out of-values values
expect_status 0
expect_stdout '^summary.val_r2_deviation='
"$PYTHON" - <<'PY' || fail "values by hand"
import numpy as np
from folds import arrays, by_hand, rows_of
by_hand("hand2", ("values-train", "values-validation", "values-validation"), "of-values", 1, 3,
        ("inputs", "targets", "mass"))
rows = rows_of("of-values")
truth = np.concatenate([arrays("values-train")["targets"], arrays("values-validation")["targets"]])
for j in range(2):
    assert (np.array([float(row[f"truth_{j}"]) for row in rows], dtype="f4") == truth[:, j]).all()
    assert np.isfinite([float(row[f"prediction_{j}"]) for row in rows]).all()
assert np.bincount([int(row["fold"]) for row in rows]).tolist() == [0, 50, 50, 50, 50]
PY
rm hand2-test.npz
run 0 --quiet --epochs 1 --folds 4 --folds-by-id --test-split 0 --out ids values
expect_status 0
"$PYTHON" - <<'PY' || fail "rows of one id are in one fold"
import numpy as np
from folds import arrays, rows_of
rows = rows_of("ids")
ids = np.concatenate([arrays("values-train")["id"], arrays("values-validation")["id"]])
assert [int(row["id"]) for row in rows] == ids.tolist()
fold = np.array([int(row["fold"]) for row in rows])
assert all(len(set(fold[ids == i])) == 1 for i in ids)
assert np.bincount(fold)[1:].min() >= 40, np.bincount(fold)
PY
run 1 --quiet --epochs 3 --learning-rate 0.02 --weights mass --test-split 0 --out hand2 hand2
expect_status 0
"$PYTHON" "$TESTS/cli/compare_runs.py" hand2 of-values/fold-3 >wrong || fail "values by hand: $(cat wrong)"

# ---- a table; its encoding is the same in all folds, and each fold's threshold counts ----
run 2 table.csv --target answer --id who --folds-by-id --preset tabular --members 2 --hidden 8 --epochs 2 --folds 2 --threshold f1 \
    --validation-split 0 --out table
expect_status 0
"$PYTHON" - "$(summary threshold)" <<'PY' 2>wrong || fail "a table: $(cat wrong)"
import csv
import sys
import h5py
import numpy as np
from folds import rows_of
rows = rows_of("table")
assert list(rows[0]) == ["set", "row", "who", "repeat", "fold", "truth", "p_no", "p_yes, sir"]
table = list(csv.DictReader(open("table.csv", newline="")))
numbers = [int(row["row"]) for row in rows]
assert len(numbers) == 81 and len(set(numbers)) == 81 and max(numbers) > 81
assert all(table[int(row["row"]) - 1]["answer"] == row["truth"] for row in rows)
assert all(table[int(row["row"]) - 1]["who"] == row["who"] for row in rows)
folds_of = {(row["who"], row["fold"]) for row in rows}
assert len(folds_of) == len({who for who, _ in folds_of}) == 25
thresholds = [h5py.File(f"table/fold-{i}/run.h5")["summary"].attrs["threshold"] for i in (1, 2)]
assert abs(np.mean(thresholds) - float(sys.argv[1])) < 1e-8
PY
run 0 predict table table.csv --out table-out.csv
expect_status 0

run 0 --quiet table.csv --target answer --split-by who --folds 3 --epochs 1 --out groups
expect_status 0
"$PYTHON" - <<'PY' || fail "groups of --split-by stay together"
import csv
from folds import rows_of
table = list(csv.DictReader(open("table.csv", newline="")))
pairs = {(table[int(row["row"]) - 1]["who"], row["fold"]) for row in rows_of("groups")}
assert len(pairs) == len({who for who, _ in pairs}) >= 15, pairs
PY

# ---- one row that is far off takes no digits from the scores of the other folds ----
awk 'BEGIN { print "a,y"; for (i = 1; i < 60; i++) print i % 7 ",0." i; print "3,600" }' >far.csv
run 0 far.csv --target y --folds 3 --test-split 0 --epochs 1 --hidden 4 --out far
expect_status 0
"$PYTHON" - <<'PY' || fail "no score became 0, none touches another"
lines = open("stdout").read().splitlines()
first = next(i for i, line in enumerate(lines) if line.startswith("fold  "))
table = [line.split() for line in lines[first:first + 6]]
scores = len(table[0]) - 4
for words, extra in zip(table[1:], (3, 3, 3, 1, 1)):
    assert len(words) == scores + extra and all(float(word) != 0.0 for word in words[extra:]), table
PY

# ---- a fold that diverges does not stop the others: its rows have no prediction ----
# shellcheck disable=SC2086
with_fault nan:0:20 1 $usual --folds 3 --out diverged some
expect_status 0
expect_stderr 'dtrain: warning: fold 2 diverged: epoch 1, step 4'
expect_stdout_line summary.networks=2
"$PYTHON" - <<'PY' || fail "rows of a fold that diverged"
import h5py
import numpy as np
from folds import rows_of
assert [row["p_0"] == "" for row in rows_of("diverged")] == [row["fold"] == "2" for row in rows_of("diverged")]
run = h5py.File("diverged/run.h5")
assert run["folds"]["status"].tolist() == [b"ok", b"diverged", b"ok"]
assert [row["folds"] for row in run["fold_scores"][:]][0] == 2 and np.isnan(run["folds"]["val_loss"][1])
PY

# ---- refusals before training ----
# refused STATUS LINE OPTIONS...
refused() {
    refused_status=$1 refused_line=$2
    shift 2
    run 0 some --out refused "$@"
    expect_status "$refused_status"
    expect_one_stderr_line "$refused_line"
    expect_no_file refused
}
refused 2 '--folds is 1, but must be 2 or more' --folds 1
refused 2 '--folds is -1, but must be between 0 and 256' --folds -1
refused 2 '--repeats requires --folds of 2 or more' --repeats 2
refused 2 '--folds-by-id requires --folds of 2 or more' --folds-by-id
refused 2 '--folds-by-id was given, but the training rows have no ids' --folds 2 --folds-by-id
refused 2 '--fold requires --folds of 2 or more' --fold 2
refused 2 '--fold is 7, but --folds 3 and --repeats 2 make 6' --folds 3 --repeats 2 --fold 7
refused 2 '--folds 100 and --repeats 3 make 300 runs; expected at most 256' --folds 100 --repeats 3
refused 2 '--folds 3 and --restarts 2 were given; remove one of them' --folds 3 --restarts 2
refused 2 '--folds 3 and --init-from one were given, but that model may have been trained' --folds 3 --init-from one
refused 2 '--folds 3 and --csv-log x.csv were given' --folds 3 --csv-log x.csv
refused 2 '--folds 3 and --bins-by tree were given' --folds 3 --numeric-embedding piecewise --bins-by tree
refused 3 'training and validation rows; a fold needs one row of each class. Use fewer folds' --folds 200
run 0 values --folds 90 --folds-by-id --out refused
expect_status 3
expect_one_stderr_line '--folds is 90, but there are only 39 ids; use fewer folds'
expect_no_file refused
