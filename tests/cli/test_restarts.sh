#!/bin/sh
# --restarts: the best of several runs, or with --average the mean of their predictions; on any number of
# ranks, and interrupted.
# long: many runs, most of them on several ranks
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
: "${DTRAIN_FAULTS:=$(dirname "$DTRAIN")/tests/dtrain-faults}"
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" - <<'PY'
import numpy as np
from make_data import save_parts
save_parts("some", rows=(400, 120, 100))
random = np.random.default_rng(5)
x = random.normal(size=(600, 6)).astype("f4")
np.savez("rows.npz", inputs=x, targets=np.stack([x[:, 0] * x[:, 1] * 40 + 100, x[:, 2] ** 2], 1).astype("f4"))
PY
# ---- each restart is an ordinary run, and the best one is kept ----
usual="--epochs 5 --batch 50 --hidden 12 --learning-rate 0.01"
# shellcheck disable=SC2086
run 2 $usual --seed 7 --restarts 4 --out best some
expect_status 0
expect_empty_stderr
expect_stdout '^restarts   seeds 7 to 10; the best one is kept$'
expect_stdout '^restart   seed  best epoch  val_loss$'
[ "$(grep -c '  kept$' stdout)" -eq 1 ] || fail "one restart is kept"
[ "$(grep -c '^summary.status=ok$' stdout)" -eq 1 ] || fail "one summary"
keep_summary best
expect_no_file best/checkpoint.h5
kept=$("$PYTHON" - <<'PY'
import h5py
import numpy as np
run = h5py.File("best/run.h5")
rows = run["restarts"][:]
losses = []
for row in rows:
    one = h5py.File(f"best/restart-{row['restart']}/run.h5")
    assert row["status"] == b"ok" and row["seed"] == 6 + row["restart"] == one["config"].attrs["seed"]
    assert one["config"].attrs["restarts"] == 1 and one["config"].attrs["split_seed"] == 7
    assert row["best_epoch"] == one["summary"].attrs["best_epoch"]
    assert row["weights_crc"] == one["summary"].attrs["weights_crc"]
    losses.append(one["epochs"]["val_loss"].min())
    assert row["value"] == losses[-1]
assert len(set(losses)) == 4, losses
kept = int(np.argmin(losses)) + 1
assert kept > 1, "the test needs other seeds: the first restart is the best"
assert rows["kept"].tolist() == [int(row["restart"] == kept) for row in rows]
assert run["config"].attrs["restarts"] == 4 and run["config"].attrs["seed"] == 7
print(kept)
PY
) || fail "the rows of /restarts, and the best one"
"$PYTHON" "$TESTS/cli/compare_runs.py" best "best/restart-$kept" >wrong || fail "the best one's results: $(cat wrong)"
# shellcheck disable=SC2086
run 3 --quiet $usual --seed $((6 + kept)) --split-seed 7 --out alone some
expect_status 0
"$PYTHON" "$TESTS/cli/compare_runs.py" best alone >wrong || fail "an ordinary run of that seed: $(cat wrong)"

# A larger value is better of other metrics.
# shellcheck disable=SC2086
run 1 --quiet $usual --seed 7 --restarts 4 --monitor val_roc_auc --out auc some
expect_status 0
"$PYTHON" - <<'PY' || fail "the largest ROC-AUC is kept"
import h5py
rows = h5py.File("auc/run.h5")["restarts"][:]
assert rows["value"][rows["kept"] == 1] == rows["value"].max() > rows["value"].min()
PY

# The whole run, and one restart, can be repeated; both are models and runs as any other.
run 3 --quiet --like best --out again
expect_status 0
expect_stdout_line summary.like_weights=same
run 1 --quiet --like best/restart-2 --out again-2
expect_status 0
expect_stdout_line summary.like_weights=same
expect_no_file again-2/restart-1

# expect_restarts RUN: dtrain report shows the table /restarts of RUN/run.h5, here and on the page.
expect_restarts() {
    run 0 report "$1" --html page.html
    expect_status 0
    "$PYTHON" - "$1" <<'PY' 2>wrong || fail "report $1: $(cat wrong)"
import re, sys
import h5py
run = h5py.File(f"{sys.argv[1]}/run.h5")
title = ["restart", "seed", "status", "best epoch", run["config"].attrs["monitor"], "kept"]
def shown(row):
    ended = row["status"] == b"ok"
    return [str(row["restart"]), str(row["seed"]), row["status"].decode(), str(row["best_epoch"]) if ended else "-",
            f"{row['value']:.4f}" if ended else "-", "yes" if row["kept"] else "no"]
wanted = [title] + [shown(row) for row in run["restarts"][:]]
lines = [re.split("  +", line.strip()) for line in open("stdout")]
assert lines[lines.index(title):][:len(wanted)] == wanted, lines
page = re.sub(".*<h2>Restarts</h2>", "", open("page.html").read(), flags=re.S).split("</table>")[0]
rows = [re.findall("<t[hd].*?>(.*?)</t[hd]>", row) for row in page.split("<tr>")[1:]]
assert rows == wanted, rows
PY
}
expect_restarts best
expect_restarts auc
run 0 report best alone --html page.html
expect_status 0
[ "$(grep -c '<th>restart</th>' page.html)" -eq 1 ] || fail "a table of the run that has restarts, and of no other"
run 0 report alone --html page.html
expect_status 0
expect_no_stdout 'restart'
! grep -q Restarts page.html || fail "no restarts on the page"
run 0 evaluate best some
expect_status 0
run 2 --quiet --epochs 1 --init-from best --out more some
expect_status 0

# ---- the mean of all ----
# predict RUN FILE: its probabilities or values of the rows of FILE.npz, in RUN.npz.
predict() {
    run 0 predict "$1" "$2.npz" --out "$(echo "$1" | tr / -).npz"
    expect_status 0
}

# expect_mean RUN FILE: it predicts the mean of its restarts.
expect_mean() {
    for folder in "$1" "$1/restart-1" "$1/restart-2" "$1/restart-3"; do predict "$folder" "$2"; done
    "$PYTHON" - "$1" <<'PY' 2>wrong || fail "the mean of the restarts: $(cat wrong)"
import sys
import numpy as np

def predictions(name):
    data = np.load(f"{name}.npz")
    return data["probabilities" if "probabilities" in data else "predicted"].astype("f8")
mean = predictions(sys.argv[1])
alone = [predictions(f"{sys.argv[1]}-restart-{i}") for i in (1, 2, 3)]
assert (np.abs(mean - np.mean(alone, axis=0)) <= 3e-7 * np.abs(alone).max(axis=0)).all()
assert np.abs(alone[0] - alone[1]).max() > 1e-3
PY
}

# shellcheck disable=SC2086
run 2 $usual --restarts 3 --average --threshold f1 --out mean some
expect_status 0
expect_stdout '^restarts   seeds 1 to 3; their models are averaged$'
expect_stdout_line summary.networks=3
[ "$(wc -l <stderr)" -eq 1 ] || fail "one line on stderr: that only dtrain opens the model"
expect_stderr 'mean/model.h5: only dtrain opens it: it has the 3 networks of an ensemble'
keep_summary mean
expect_mean mean some-validation
expect_restarts mean
"$PYTHON" - "$(sed -n 's/^summary.threshold=//p' mean.summary)" \
    "$(sed -n 's/^summary.val_loss=//p' mean.summary)" <<'PY' 2>wrong || fail "threshold and loss: $(cat wrong)"
import sys
import numpy as np
p = np.load("mean.npz")["probabilities"]
y = np.load("some-validation.npz")["targets"]
loss = -np.log(p[np.arange(len(y)), y].astype("f8")).mean()
assert abs(loss - float(sys.argv[2])) < 1e-6, (loss, sys.argv)

def f1(threshold):
    found = p[:, 1] >= np.float32(threshold)
    return 2 * (found & (y == 1)).sum() / (found.sum() + (y == 1).sum())
assert f1(float(sys.argv[1])) >= max(f1(t) for t in p[:, 1]) - 1e-12
PY
run 0 inspect mean/model.h5
expect_stdout '^ensemble: predicts the mean of 3 such networks$'
run 0 inspect --json mean/model.h5
expect_stdout '"networks": ?3'
run 3 evaluate mean some --set validation
expect_status 0
for ranks in 1 3 8; do
    # shellcheck disable=SC2086
    run $ranks $usual --restarts 3 --average --threshold f1 --out "mean-$ranks" some
    expect_same_run mean "mean-$ranks"
done
run 1 --quiet --like mean --out mean-again
expect_status 0
expect_stdout_line summary.like_weights=same

# Values, in their own units; the split is the same for all.
run 3 --quiet --epochs 5 --learning-rate 0.02 --restarts 3 --average --out values rows.npz
expect_status 0
expect_mean values rows
run 0 evaluate values rows.npz
expect_status 0

# All members go to NumPy, and none to formats that have no ensembles.
run 0 export mean --to mean-all.npz
expect_status 0
"$PYTHON" - <<'PY' || fail "the members' arrays"
import h5py
import numpy as np
arrays = np.load("mean-all.npz")
for i in (1, 2, 3):
    tensors = h5py.File(f"mean/restart-{i}/model.h5")["dtrain/tensors"]
    for n, layer in enumerate(("dense", "dense_1")):
        for part in ("kernel", "bias"):
            assert (arrays[f"network_{i}_{part}_{n}"] == tensors[layer][part][()]).all()
assert len(arrays.files) == 12
PY
for ending in keras onnx; do
    run 0 export mean --to "mean.$ending"
    expect_status 2
    expect_one_stderr_line "mean: is an ensemble of 3 networks, which .$ending cannot contain; export its members"
    expect_no_file "mean.$ending"
done
run 0 export mean --to copy.h5
expect_status 0
run 0 predict copy.h5 some-validation.npz --out copy.npz
expect_same_file copy.npz mean.npz
run 2 --epochs 1 --init-from mean --out from-mean some
expect_status 2
expect_one_stderr_line '--init-from mean/model.h5: it is an ensemble of 3 networks'
expect_no_file from-mean

# ---- interrupted: 8 steps an epoch, 40 a restart at most ----
# shellcheck disable=SC2086
with_fault signal:0:50 1 $usual --restarts 3 --average --threshold f1 --out stopped some
expect_status 75
expect_stdout '^stopped    SIGTERM in epoch 2, .*, restart 2; checkpoint in stopped/checkpoint.h5$'
expect_stdout 'dtrain --resume stopped$'
[ "$(grep -c '^summary.status=stopped$' stdout)" -eq 1 ] || fail "one summary"
expect_file stopped/checkpoint.h5
expect_file stopped/restart-2/checkpoint.h5
expect_no_file stopped/model.h5
ended=$(ls -i stopped/restart-1/run.h5 stopped/restart-1/model.h5)
run 2 --epochs 5 --batch 50 --out stopped some
expect_status 2
expect_one_stderr_line 'use --resume stopped to resume it'
run 2 --resume stopped --restarts 5
expect_status 2
expect_one_stderr_line '--resume stopped: --restarts is 5, but the run started with 3, which --force cannot change; remove --restarts'
with_fault signal:1:3 3 --resume stopped
expect_status 75
expect_stdout '^resume +stopped: restarts that have ended are kept; 1 session before$'
expect_stdout '^restart 2, seed 2; results in stopped/restart-2; resumed in epoch 2, after'
expect_no_stdout '^restart 1, '
# A kill leaves what the last checkpoints say.
DTRAIN_FAULT=kill:1:45 timeout -k 5 "$RUN_TIMEOUT" mpirun -q -np 2 "$DTRAIN_FAULTS" --resume stopped \
    --checkpoint-every 1 </dev/null >stdout 2>stderr && fail "a killed rank is a failure"
! ranks_report_death || expect_stderr '^dtrain: error: rank 1 on .* died in a training step '
expect_stdout '^restart 3, seed 3; '
expect_file stopped/checkpoint.h5
run 8 --resume stopped
expect_same_run mean stopped
[ "$(ls -i stopped/restart-1/run.h5 stopped/restart-1/model.h5)" = "$ended" ] ||
    fail "the restart that had ended was not run again"

# The end of one restart is a place to stop, too; and restarts of an earlier run in the folder do not count.
# shellcheck disable=SC2086
with_fault signal:0:40 2 $usual --seed 7 --restarts 4 --out stopped --force some
expect_status 75
expect_no_file stopped/restart-3/run.h5
run 1 --resume stopped
expect_same_run best stopped

# ---- restarts that diverge ----
# The first of two ranks: the 45th step is one of the second restart.
# shellcheck disable=SC2086
with_fault nan:0:45 2 $usual --seed 7 --restarts 4 --out diverged some
expect_status 0
expect_one_stderr_line 'dtrain: warning: restart 2 diverged: epoch 1, step 5'
expect_stdout '^      2      8           -  diverged: epoch 1, step 5'
"$PYTHON" - <<'PY' || fail "the row of the restart that diverged"
import h5py
import numpy as np
rows, whole = (h5py.File(f"{name}/run.h5")["restarts"][:] for name in ("diverged", "best"))
assert rows["status"].tolist() == [b"ok", b"diverged", b"ok", b"ok"], rows
assert rows["kept"][1] == 0 and np.isnan(rows["value"][1]) and b"epoch 1, step 5" in rows["reason"][1]
others = [0, 2, 3]
assert (rows["weights_crc"][others] == whole["weights_crc"][others]).all()
assert rows["value"][others].min() == rows["value"][rows["kept"] == 1]
PY
expect_restarts diverged
# shellcheck disable=SC2086
with_fault nan:0:45 1 --quiet $usual --restarts 3 --average --out two some
expect_status 0
expect_stdout_line summary.networks=2
# shellcheck disable=SC2086
with_fault nan:0:1+ 2 $usual --restarts 2 --out none some
expect_status 5
expect_stderr 'dtrain: error: all 2 restarts diverged; the first: epoch 1, step 1'
expect_no_file none/model.h5
expect_no_file none/checkpoint.h5
expect_restarts none

# ---- refusals before anything is read or created ----
# refused LINE OPTIONS...
refused() {
    refused_line=$1
    shift
    run 2 some --out refused "$@"
    expect_status 2
    expect_one_stderr_line "$refused_line"
    expect_no_file refused
}
refused '--average requires --restarts of 2 or more' --average
refused '--average requires --restarts of 2 or more' --average --restarts 1
refused '--restarts is 0, but must be between 1 and 256' --restarts 0
refused '--restarts 2 and --init-from alone were given' --restarts 2 --init-from alone
refused '--restarts 2 and --csv-log x.csv were given' --restarts 2 --csv-log x.csv
refused '--seed 9007199254740991 leaves no seeds for --restarts 2' --restarts 2 --seed 9007199254740991
run 2 rows.npz --validation-split 0 --restarts 2 --out refused
expect_status 2
expect_one_stderr_line '--restarts 2 needs a validation set to choose the best; use --average, or --validation-split'
expect_no_file refused
run 2 rows.npz --quiet --validation-split 0 --restarts 2 --average --epochs 2 --out blind
expect_status 0
run 1 --quiet --epochs 1 --restarts 1 --out one some
expect_status 0
expect_no_file one/restart-1

# ---- networks with an encoding and members ----

run 1 some --preset tabular --restarts 2 --average --epochs 2 --quiet --out tabular
expect_status 0
for model in tabular tabular/restart-1 tabular/restart-2; do
    run 2 predict "$model" some-test.npz --out "$(echo "$model" | tr / _).npz"
    expect_status 0
done
"$PYTHON" - <<'PY' || fail "the mean of networks with members"
import numpy as np
one, two, both = (np.load(f"{name}.npz")["probabilities"] for name in ("tabular_restart-1", "tabular_restart-2", "tabular"))
assert not np.array_equal(one, two)
assert np.abs((one + two) / 2 - both).max() < 1e-6
PY
