#!/bin/sh
# dtrain search: the same trials on any number of ranks, interrupted or not; trials that fail; bad spaces.
# long: many searches, each of several runs
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
: "${DTRAIN_FAULTS:=$(dirname "$DTRAIN")/tests/dtrain-faults}"
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" - <<'PY'
from make_data import save_parts
save_parts("some", rows=(400, 120, 100))
save_parts("other", rows=(400, 120, 101))
PY
REAL=$DTRAIN

# with_fault FAULT RANKS ARGUMENTS...: a run in which that happens.
with_fault() {
    DTRAIN_FAULT=$1
    shift
    export DTRAIN_FAULT
    DTRAIN=$DTRAIN_FAULTS
    run "$@"
    unset DTRAIN_FAULT
    DTRAIN=$REAL
}

# expect_same_search A B
expect_same_search() {
    "$PYTHON" "$TESTS/cli/compare_searches.py" "$1" "$2" >wrong 2>&1 || fail "the same search: $(cat wrong)"
}

cat >space <<'SPACE'
# eight steps an epoch
hidden = 4 | 12,6 | 24     # widths
learning-rate = log 1e-3 .. 3e-2
dropout = 0 .. 0.3
SPACE
usual="--space space --epochs 4 --batch 50"

# ---- the same table on any number of ranks ----
# shellcheck disable=SC2086
run 1 search some $usual --trials 6 --out one
expect_status 0
expect_empty_stderr
expect_stdout '^search     6 trials, at random, by val_loss; 1 group of 1 rank$'
expect_stdout '^trial 6  val_loss '
expect_stdout_line summary.ok=6
expect_stdout_line summary.status=ok
expect_no_file one/checkpoint.h5
"$PYTHON" - <<'PY' 2>wrong || fail "search.h5: $(cat wrong)"
import h5py
import numpy as np
search = h5py.File("one/search.h5")
rows, curves = search["trials"][:], search["curves"][:]
assert search.attrs["status"] == "ok" and search.attrs["search_version"] == 1
assert rows["trial"].tolist() == [1, 2, 3, 4, 5, 6] and set(rows["state"]) == {b"ok"}
assert (rows["learning_rate"] >= 1e-3).all() and (rows["learning_rate"] <= 3e-2).all()
assert len(set(rows["learning_rate"])) == 6 and set(rows["hidden"]) <= {b"4", b"12,6", b"24"}
for row in rows:
    run = h5py.File(f"one/trial-{row['trial']}/run.h5")
    config, epochs = run["config"].attrs, run["epochs"][:]
    assert config["hidden"].encode() == row["hidden"] and config["learning_rate"] == row["learning_rate"]
    assert config["dropout"] == row["dropout"]
    assert row["trained_epochs"] == len(epochs) and row["best_epoch"] == run["summary"].attrs["best_epoch"]
    assert row["val_loss"] == epochs["val_loss"].min()
    assert row["val_accuracy"] == epochs["val_accuracy"][row["best_epoch"] - 1]
    assert row["weights_crc"] == run["summary"].attrs["weights_crc"] and row["parameters"] == run["data"].attrs["parameters"]
    curve = curves[curves["trial"] == row["trial"]]
    assert (curve["val_loss"] == epochs["val_loss"]).all() and (curve["train_loss"] == epochs["train_loss"]).all()
assert search["search"].attrs["best_trial"] == rows["trial"][np.argmin(rows["val_loss"])]
assert dict(search["space"][:].tolist())[b"dropout"] == b"0 .. 0.3"
PY
# The report: all trials in the order of their losses, which setting mattered, and a page that is the same.
run 0 report one --html page.html --csv table.csv
expect_status 0
expect_stdout '^search  one: 6 trials, random; 6 ok$'
expect_stdout "^best    trial [1-6]: val_loss 0"
expect_stdout '^learning-rate  +[0-9]+ %  .*log 1e-3 .. 3e-2$'
"$PYTHON" - <<'PY' 2>wrong || fail "the report: $(cat wrong)"
import csv, re
import h5py
import numpy as np
rows = h5py.File("one/search.h5")["trials"][:]
order = [str(trial) for trial in rows["trial"][np.argsort(rows["val_loss"], kind="stable")]]
lines = [line.split() for line in open("stdout")]
first = next(i for i, line in enumerate(lines) if line[:2] == ["trial", "state"])
assert [line[0] for line in lines[first + 1:first + 7]] == order
page = open("page.html").read()
assert re.findall(r"<tr><th>(\d+)</th><td class=\"text\">ok", page) == order
for name in ("What matters", "learning-rate", "12,6"):
    assert name in page
assert "<svg" not in page or "<text>12,6 </text>" in page # the choice names its place on the axis
table = list(csv.DictReader(open("table.csv")))
assert [float(row["learning-rate"]) for row in table] == rows["learning_rate"].tolist()
assert [float(row["val_loss"]) for row in table] == rows["val_loss"].tolist()
assert [row["hidden"].encode() for row in table] == rows["hidden"].tolist()
PY
run 0 report one/search.h5 --csv -
expect_same_file stdout table.csv
best=$("$PYTHON" -c "import h5py; print(h5py.File('one/search.h5')['search'].attrs['best_trial'])")
run 0 inspect one/search.h5
expect_status 0
expect_stdout_line 'one/search.h5: search; status: ok; 6 trials: 6 ok'
expect_stdout "^trial +$best$"
expect_stdout '^  monitor +val_loss$'
run 0 inspect --json one
"$PYTHON" - "$best" <<'PY' 2>wrong || fail "inspect --json: $(cat wrong)"
import json, sys
found = json.load(open("stdout"))
assert found["kind"] == "search" and found["trial_count"] == 6 and found["config"]["epochs"] == 4, found
assert found["best_trial"]["trial"] == int(sys.argv[1]) and found["best_trial"]["hidden"] in ("4", "12,6", "24")
PY
run 0 report one --html one/search.h5
expect_status 2
run 0 report one one/trial-1
expect_status 2
expect_one_stderr_line 'one: is a search, expected only runs; name the search alone, or the folders of its trials: '
run 0 report one/trial-1 one/trial-2
expect_status 0
# What a trial printed is in its folder, and a trial is an ordinary run.
grep -q '^epoch 1/4 ' one/trial-2/output.txt || fail "the epochs of a trial"
run 2 --quiet --like one/trial-3 --out alone
expect_status 0
expect_stdout_line summary.like_weights=same
run 0 evaluate one/best some
expect_status 0

# shellcheck disable=SC2086
run 2 search some $usual --trials 6 --out two
expect_status 0
expect_stdout ' 2 groups of 1 rank$'
expect_same_search one two
# shellcheck disable=SC2086
run 4 search some $usual --trials 6 --ranks-per-trial 2 --out four
expect_status 0
expect_stdout ' 2 groups of 2 ranks$'
expect_same_search one four
# Around the settings of a run, with its data.
printf 'dropout = 0.2 | 0.4\n' >around
run 0 search --like one/trial-2 --space around --sample grid --quiet --out around-2
expect_status 0
"$PYTHON" - <<'PY' || fail "the other settings are those of the run"
import h5py
run, trial = (h5py.File(f"{name}/run.h5")["config"].attrs for name in ("one/trial-2", "around-2/trial-2"))
assert trial["dropout"] == 0.4 and trial["hidden"] == run["hidden"] and trial["learning_rate"] == run["learning_rate"]
PY
# Figures have room for six runs: the best ones, also if the tables have another order.
run 0 report one/trial-* two/trial-1 --sort name --html six.html
expect_status 0
"$PYTHON" - <<'PY' 2>wrong || fail "the runs that are drawn: $(cat wrong)"
import re
import h5py
losses = h5py.File("one/search.h5")["trials"][:]["val_loss"].tolist()
legend = re.search(r'<ul class="legend">(.*?)</ul>', open("six.html").read(), re.S)[1]
drawn = re.findall(r"</span>\d+: \S*trial-(\d)</li>", legend)
assert drawn == [str(i + 1) for i in range(6) if losses[i] < max(losses)] + ["1"], drawn
assert "only in the tables: 1 more" in legend
PY
if is_long; then
    # shellcheck disable=SC2086
    run 8 search some $usual --trials 6 --out eight
    expect_status 0
    expect_stdout ' 8 groups of 1 rank$'
    expect_same_search one eight
fi

# ---- interrupted ----
# Rank 1 leads the second group, and begins with trial 2.
# shellcheck disable=SC2086
with_fault signal:1:20 2 search some $usual --trials 6 --out stopped-2
expect_status 75
run 1 search --resume stopped-2
expect_status 0
expect_stdout '^resume     [0-5] trials have ended before; '
expect_same_search one stopped-2
# The 50th step is one of the second trial.
# shellcheck disable=SC2086
with_fault signal:0:50 1 search some $usual --trials 6 --out stopped
expect_status 75
expect_stdout 'dtrain search --resume stopped$'
expect_stdout_line summary.status=stopped
expect_file stopped/checkpoint.h5
ended=$(ls -i stopped/trial-1/run.h5 stopped/trial-1/model.h5)
expect_no_file stopped/trial-2/model.h5
run 0 search --resume stopped --trials 7
expect_status 2
expect_one_stderr_line '--resume stopped: --trials is 7, but was 6; remove it'
sed 's/0.3$/0.2/' space >space-2
run 0 search --resume stopped --space space-2
expect_status 2
expect_one_stderr_line '--space space-2: dropout is 0 .. 0.2, and was 0 .. 0.3'
run 2 search other --resume stopped
expect_status 3
expect_stderr 'dtrain: error: --resume stopped: .* other data'
run 0 search some --space space --resume stopped --epochs 5
expect_status 2
expect_one_stderr_line '--resume stopped: --epochs is 5, but was 4'
# shellcheck disable=SC2086
run 0 search some $usual --out stopped
expect_status 2
expect_one_stderr_line 'use --resume stopped to resume it'
run 0 --resume stopped
expect_status 2
expect_one_stderr_line 'stopped: is a search; use dtrain search --resume stopped'
# While a search runs, nobody else trains its trials.
"$DTRAIN" some --epochs 100000000 --patience 100000000 --quiet --out live </dev/null >/dev/null 2>&1 &
live=$!
until_it "a run owns its folder" test -s live/owner
kill -STOP $live
cp live/owner stopped/owner
for words in "--resume stopped/trial-2" "some --out stopped/trial-1"; do
    # shellcheck disable=SC2086
    run 0 $words
    expect_status 2
    expect_one_stderr_line ': is in the folder of a search: '
done
rm stopped/owner
kill -KILL $live
wait $live || :
: >stopped/trial-2/run.h5.99999.tmp # of a write that was killed
DTRAIN_FAULT=kill:0:10 timeout -k 5 "$RUN_TIMEOUT" mpirun -q -np 2 "$DTRAIN_FAULTS" search some --space space \
    --resume stopped --checkpoint-every 1 </dev/null >stdout 2>stderr && fail "a killed rank is a failure"
run 3 search --resume stopped
expect_status 0
expect_stdout '^resume     [1-5] trials have ended before; others continue from checkpoints$'
expect_same_search one stopped
[ -z "$(find stopped -name '*.tmp' -o -name 'owner*')" ] || fail "nothing is left beside the results"
[ "$(ls -i stopped/trial-1/run.h5 stopped/trial-1/model.h5)" = "$ended" ] ||
    fail "the trial that had ended was not run again"
run 0 search --resume stopped
expect_status 2
expect_one_stderr_line '--resume stopped: the search has ended'

# ---- successive halving ----
# shellcheck disable=SC2086
run 1 search some $usual --trials 6 --halving 2 --out halved
expect_status 0
expect_stdout '^halving    6 trials to epoch 1, 3 trials to epoch 2, 1 trial to epoch 4$'
"$PYTHON" - <<'PY' 2>wrong || fail "the trials that remain: $(cat wrong)"
import h5py
import numpy as np
whole, halved = (h5py.File(f"{name}/search.h5") for name in ("one", "halved"))
def curve(file, trial):
    rows = file["curves"][:]
    return rows["val_loss"][rows["trial"] == trial]
for trial in range(1, 7): # as far as it went, it is the same run
    part = curve(halved, trial)
    assert (part == curve(whole, trial)[:len(part)]).all()
left = range(1, 7)
for rung, (epochs, count) in enumerate(((1, 3), (2, 1)), 1):
    left = sorted(sorted(left, key=lambda trial: curve(whole, trial)[:epochs].min())[:count])
    rows = halved["trials"][:]
    assert rows["trial"][rows["rung"] > rung].tolist() == left, rows
assert rows["trained_epochs"][left[0] - 1] == 4 and rows["state"][left[0] - 1] == b"ok"
assert (rows["state"] == b"dropped").sum() == 5
PY
# The last rung has one trial of a large network, and the two groups of ranks merge for it, if each rank has a CPU.
printf 'learning-rate = log 1e-4 .. 1e-3\n' >rates
for ranks in 1 2; do
    run $ranks search some --space rates --trials 2 --halving 2 --hidden 256,256 --epochs 4 --batch 200 --out "merged-$ranks"
    expect_status 0
    expect_stdout " $ranks groups? of 1 rank\$"
done
expect_same_search merged-1 merged-2
"$PYTHON" - <<'PY' 2>wrong || fail "ranks of the last rung: $(cat wrong)"
import os
import h5py
rows = h5py.File("merged-2/search.h5")["trials"][:]
expected = 2 if len(os.sched_getaffinity(0)) >= 2 else 1
assert rows["ranks"][rows["rung"] == 2].tolist() == [expected] and rows["ranks"][rows["rung"] == 1].tolist() == [1], rows
PY
ls halved/trial-*/checkpoint.h5 >wrong 2>&1 && fail "checkpoints of trials that are never trained on: $(cat wrong)"
# shellcheck disable=SC2086
with_fault signal:0:14 2 search some $usual --trials 6 --halving 2 --out halved-2
expect_status 75
run 3 search --resume halved-2
expect_status 0
expect_same_search halved halved-2

# ---- cross-validation ----
printf 'learning-rate = 0.003 | 0.03\n' >rates
for ranks in 1 2; do
    run $ranks search some --space rates --sample grid --epochs 3 --batch 50 --folds 3 --out "folds-$ranks"
    expect_status 0
    expect_stdout ', by val_loss, mean of 3 folds; '
done
expect_same_search folds-1 folds-2
run 2 some --epochs 3 --batch 50 --folds 3 --learning-rate 0.03 --quiet --out folded
expect_status 0
"$PYTHON" "$TESTS/cli/compare_runs.py" folded folds-2/trial-2 >wrong || fail "a run with folds: $(cat wrong)"
"$PYTHON" - <<'PY' 2>wrong || fail "the means of the folds: $(cat wrong)"
import h5py
row = h5py.File("folds-2/search.h5")["trials"][:][1]
scores = {score["name"]: score for score in h5py.File("folded/run.h5")["fold_scores"][:]}
assert row["val_loss"] == scores[b"val_loss"]["mean"] and row["deviation"] == scores[b"val_loss"]["deviation"]
assert row["val_accuracy"] == scores[b"val_accuracy"]["mean"] and row["seconds"] > 0
PY
# All leaders of groups know which rows belong together.
awk 'BEGIN { print "a,who,y"; for (i = 0; i < 200; i++) print i % 7 "," "p" i % 20 "," (i * i % 11 < 5 ? "no" : "yes") }' >grouped.csv
run 2 search grouped.csv --target y --split-by who --space rates --sample grid --folds 3 --epochs 1 --quiet --out grouped
expect_status 0
expect_stdout_line summary.ok=2
run 0 report folds-2 --html page.html --csv table.csv
expect_status 0
expect_stdout '^trial  state  val_loss +\+- '
grep -q '>+-</th>' page.html || fail "the deviation over the folds in the page"
"$PYTHON" - <<'PY' || fail "the deviation over the folds in the CSV"
import csv
import h5py
rows = h5py.File("folds-2/search.h5")["trials"][:]
assert [float(row["deviation"]) for row in csv.DictReader(open("table.csv"))] == rows["deviation"].tolist()
PY
# The 20th step is one of the second trial's first fold.
with_fault signal:0:20 1 search some --space rates --sample grid --epochs 3 --batch 300 --folds 3 --out folds-3
expect_status 75
run 2 search --resume folds-3
expect_status 0
run 1 search some --space rates --sample grid --epochs 3 --batch 300 --folds 3 --quiet --out folds-4
expect_same_search folds-3 folds-4

# ---- trials that fail ----
# The 40th step of rank 0 is one of its second trial.
# shellcheck disable=SC2086
with_fault nan:0:40 1 search some $usual --trials 3 --out diverged
expect_status 0
expect_stdout_line summary.diverged=1
expect_stdout_line summary.ok=2
"$PYTHON" - <<'PY' || fail "the row of the trial that diverged"
import h5py
rows = h5py.File("diverged/search.h5")["trials"][:]
assert rows["state"].tolist() == [b"ok", b"diverged", b"ok"] and b"epoch 1, step 8" in rows["reason"][1], rows
PY
# The usual width of a terminal: lines are continued, and nothing is cut off.
export COLUMNS=80
# shellcheck disable=SC2086
run 0 search some $usual --trials 2 --out narrow
export COLUMNS=200
expect_stdout '^trial 2  val_loss [0-9.]+ .* learning-rate [0-9.]+,$'
expect_stdout '^         dropout 0\.[0-9]+$'
expect_stdout '^trial +val_loss  best epoch  seconds  hidden  learning-rate  dropout$'
expect_no_stdout '\.\.\.'
[ "$(sed '/^summary/d' stdout | awk '{ if (length > w) w = length } END { print w }')" -le 80 ] || fail "at most 80 columns"
# A value that no trial has drawn has no row.
run 0 report diverged
expect_stdout '^hidden +trials  median val_loss '
expect_no_stdout '^ +0  '
# A group whose files cannot be written ends the search, and one that is stuck ends the job.
# shellcheck disable=SC2086
with_fault rename:1:1+ 2 search some $usual --trials 6 --out full
expect_status 4
expect_stderr '^dtrain: error: trial [2-6]: full/trial-[2-6]/model.h5: '
expect_stdout_line summary.folder=full
# shellcheck disable=SC2086
with_fault stop:1:20 2 search some $usual --trials 6 --out stuck --stall-timeout 2s
[ "$status" -ne 0 ] || fail "a failure"
expect_stderr 'dtrain: error: no progress for [0-9]+ s: rank 1 on .* does not respond'
printf 'optimizer = adam | sgd\nmomentum = 0 | 0.5\n' >contradicts
run 2 search some --space contradicts --sample grid --epochs 1 --out refused
expect_status 0
expect_stdout '^search     4 trials, all points of the grid'
expect_stdout_line summary.refused=1
"$PYTHON" - <<'PY' || fail "the row of the trial that contradicts itself"
import h5py
rows = h5py.File("refused/search.h5")["trials"][:]
assert rows["state"].tolist() == [b"ok", b"refused", b"ok", b"ok"], rows
assert b"--momentum is 0.5, but --optimizer adam does not have it" in rows["reason"][1]
PY
run 0 report refused
expect_status 0
expect_stdout 'refused: --momentum is 0.5'

# ---- refusals before training ----
# refused LINE OPTIONS...: in the space `bad`.
refused() {
    refused_line=$1
    shift
    run 0 search some --space bad --out bad-out "$@"
    expect_status 2
    expect_one_stderr_line "$refused_line"
    expect_no_file bad-out
}
# bad TEXT: a space of that line.
bad() { echo "$1" >bad; }
bad 'hiden = 8'
refused 'bad, line 1: unknown option --hiden; did you mean --hidden?'
bad 'dropout = 0.5 .. 0.1'
refused 'bad, line 1: the range from 0.5 to 0.1 is empty'
bad 'dropout = 0.1 | 2'
refused 'bad, line 1: --dropout is 2, but must be between 0 and 0.95'
bad 'momentum = 0 | 0.9'
refused 'momentum = 0.9: --momentum is 0.9, but --optimizer adam does not have it'
bad 'hidden = 8 | 16'
refused '--hidden was given, but the space varies it; remove one of them' --hidden 8
refused '--trials is 3, but the grid has 2 points' --sample grid --trials 3
refused '--ranks-per-trial 3 does not divide the number of ranks, 1' --ranks-per-trial 3
refused '--restarts was given, but dtrain search does not have it' --restarts 2
refused '--halving and --folds were given' --halving 2 --folds 3
refused '--halving is 1, which drops no trial' --halving 1
bad 'dropout = 0 .. 0.5'
refused 'write dropout = 0 .. 0.5 in 5, or use --sample random' --sample grid
bad 'epochs = 2 | 4'
refused 'epochs varies, but --halving divides them' --halving 2
bad 'label-smoothing = 0 | 0.1'
refused 'label-smoothing varies, so that val_loss means something else in each trial'
run 0 search some --out bad-out
expect_status 2
expect_one_stderr_line '--space FILE is required'
run 0 search --space space
expect_status 2
expect_one_stderr_line 'dtrain search requires DATA'
run 0 search some-train.npz --space space --validation-split 0 --out bad-out
expect_status 2
expect_one_stderr_line 'a search needs a validation set'
expect_no_file bad-out

# ---- a folder that cannot be written: before anything is trained ----
# unwritable LINE: of the last run, in the folder `blocked`.
unwritable() {
    expect_status 4
    expect_one_stderr_line "$1"
    [ ! -s stdout ] || fail "nothing is trained"
    left=$(find blocked -type f)
    [ -z "$left" ] || fail "no file is made, found $left"
}
# search_blocked LINE: it refuses the folder.
search_blocked() {
    # shellcheck disable=SC2086
    run 0 search some $usual --trials 6 --out blocked
    unwritable "$1"
}
mkdir blocked
ln -s ../space blocked/trial-3
search_blocked "blocked/trial-3: cannot make the folder: 'blocked/trial-3' is a file; remove it"
rm blocked/trial-3
mkdir -p blocked/trial-4/output.txt
search_blocked 'blocked/trial-4/output.txt: cannot create: expected a file name, found a folder; remove it'
rm -r blocked/trial-4
mkdir blocked/best
search_blocked 'blocked/best: must become a link to the best trial, but is a folder'
rmdir blocked/best
# shellcheck disable=SC2086
with_fault open:1:1+ 2 search some $usual --trials 6 --out blocked
unwritable 'blocked: rank 1 on '
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=300k none blocked 2>/dev/null; then
    # shellcheck disable=SC2086
    run 0 search some $usual --trials 6 --out blocked
    cp -r blocked full-copy
    umount blocked
    unwritable 'blocked: has room for 0.3 MB, but 6 trials write at least 0.4 MB; remove files there'
    [ -z "$(ls full-copy)" ] || fail "no file is made, found $(ls full-copy)"
fi

# ---- a finished search in the folder ----
# shellcheck disable=SC2086
for words in "search $usual --trials 2" "--epochs 4"; do
    run 0 $words --out one some
    expect_status 2
    expect_one_stderr_line 'one/search.h5: an earlier run ended here; use --force to replace its results'
    expect_file one/trial-6/model.h5
done
# What is then trained there can be resumed.
with_fault signal:0:10 1 --epochs 4 --batch 50 --force --out one some
expect_status 75
expect_no_file one/search.h5
run 2 --resume one
expect_status 0
# Results of a run do not stay beside those of a search.
# shellcheck disable=SC2086
run 0 search $usual --trials 2 --force --out one some
expect_status 0
expect_no_file one/run.h5
expect_no_file one/model.h5
expect_file one/best/model.h5
