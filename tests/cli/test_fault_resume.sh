#!/bin/sh
# A run that is stopped, again and again, on another number of ranks each time, ends with the same bits
# as one that is not: weights, log, summary. And what --resume refuses.
# long: many runs, most of them on several ranks
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
: "${DTRAIN_FAULTS:=$(dirname "$DTRAIN")/tests/dtrain-faults}"
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" - <<'PY'
from make_data import save_parts
save_parts("some", rows=(400, 100, 100))
save_parts("other", rows=(400, 100, 100), seed=7)
PY
REAL=$DTRAIN

# stopped RANKS SIGNAL-POINT ARGUMENTS...: a run, or a resumed one, that stops at that point.
stopped() {
    stopped_ranks=$1
    stopped_point=$2
    shift 2
    DTRAIN=$DTRAIN_FAULTS
    DTRAIN_FAULT=$stopped_point
    export DTRAIN_FAULT
    run "$stopped_ranks" "$@"
    unset DTRAIN_FAULT
    DTRAIN=$REAL
    expect_status 75
    expect_empty_stderr
    expect_stdout_line summary.status=stopped
}

# whole FOLDER ARGUMENTS...: what the others are compared with.
whole() {
    whole_folder=$1
    shift
    run 2 --out "$whole_folder" "$@"
    expect_status 0
    keep_summary "$whole_folder"
}

# ---- the same bits ----
usual="--epochs 12 --patience 3 --batch 24 --hidden 16,8 --learning-rate 0.01"
# shellcheck disable=SC2086
whole plain $usual some
[ "$(summary epochs)" -gt 3 ] || fail "the run is long enough to be interrupted"
# In the middle of an epoch, after its first step and after its last (17 steps each).
# shellcheck disable=SC2086
stopped 1 signal:0:5 --out a $usual some
expect_stdout '^stopped    SIGTERM in epoch 1, after step 6 of 17; checkpoint in a/checkpoint.h5$'
expect_file a/checkpoint.h5
expect_no_file a/model.h5
stopped 3 signal:2:13 --resume a
expect_stdout '^resume +a: epoch 1, after [0-9]+ of its rows; 1 session before$'
stopped 8 signal:7:17 --resume a
stopped 2 signal:0:1 --resume a
run 4 --resume a
expect_same_run plain a
"$PYTHON" - <<'PY' || fail "the log has the five sessions, and where each began"
import h5py
run = h5py.File("a/run.h5", "r")
sessions = run["sessions"][:]
assert list(sessions["ranks"]) == [1, 3, 8, 2, 4], sessions
assert sessions["epoch"][0] == 1 and sessions["rows"][0] == 0
assert (sessions["epoch"][1:] * 400 + sessions["rows"][1:] > 400).all()
assert run.attrs["status"] == "ok"
PY

# Behind an epoch's last step: the next step's learning rate is another one.
scheduled="--epochs 2 --batch 25 --schedule cosine --quiet"
# shellcheck disable=SC2086
run 2 --out scheduled $scheduled some
keep_summary scheduled
for step in 15 31; do
    # shellcheck disable=SC2086
    stopped 1 "signal:0:$step" --out "at-$step" $scheduled some
    run 3 --resume "at-$step"
    expect_same_run scheduled "at-$step"
done

# The kill that nobody can catch: what was saved last is gone on from.
# shellcheck disable=SC2086
DTRAIN_FAULT=kill:1:60 timeout -k 5 "$RUN_TIMEOUT" mpirun -q -np 2 "$DTRAIN_FAULTS" --out killed --checkpoint-every 1 \
    $usual some </dev/null >stdout 2>stderr && fail "a killed rank is a failure"
! ranks_report_death || expect_stderr '^dtrain: error: rank 1 on .* died in a training step \(epoch 4, step '
expect_file killed/checkpoint.h5
run 3 --resume killed
expect_same_run plain killed

is_long || exit 0

# No validation set, a model to begin with, a float32 sum, a configuration file, a CSV log, the example.
"$PYTHON" -c 'import numpy as n; d = n.load("some-train.npz"); n.savez("alone.npz", **d)'
alone="--epochs 4 --validation-split 0 --test-split 0 --batch 50"
# shellcheck disable=SC2086
whole lonely $alone alone.npz
# shellcheck disable=SC2086
stopped 2 signal:1:11 --out lonely2 $alone alone.npz
run 1 --resume lonely2
expect_same_run lonely lonely2
# shellcheck disable=SC2086
whole fine --init-from plain $usual some
# shellcheck disable=SC2086
stopped 2 signal:1:20 --out fine2 --init-from plain $usual some
run 1 --resume fine2
expect_same_run fine fine2
run 1 --quiet --out quick --sum fast --epochs 4 some
expect_status 0
keep_summary quick
stopped 1 signal:0:9 --out quick2 --sum fast --epochs 4 some
run 1 --resume quick2
expect_same_run quick quick2
printf 'epochs = 5\nbatch = 40\n' >conf
whole written --config conf --csv-log written.csv some
stopped 2 signal:0:14 --out written2 --config conf --csv-log written2.csv some
mkdir elsewhere # paths are from where the run was started
(
    cd elsewhere
    run 2 --resume ../written2
    expect_status 0
)
expect_same_file written.csv written2.csv
expect_no_file elsewhere/written2.csv
whole example --epochs 2
stopped 2 signal:1:401 --out example2 --epochs 2
run 3 --resume example2
expect_same_run example example2

# ---- every signal, and the time ----
for signal in TERM USR1 INT; do
    rm -rf s
    "$DTRAIN" --quiet --out s --epochs 100000000 --patience 100000000 some >stdout 2>stderr &
    pid=$!
    until_it "s/run.h5 is there" test -e s/run.h5
    # A shell's background jobs ignore SIGINT, and so does what it starts.
    [ "$signal" != INT ] || { kill -TERM "$pid"; wait "$pid" || :; break; }
    kill "-$signal" "$pid"
    status=0
    wait "$pid" || status=$?
    expect_status 75
    expect_stdout_line summary.status=stopped
    expect_file s/checkpoint.h5
done
"$PYTHON" - "$DTRAIN" <<'PY' || fail "one SIGINT stops, two abort"
import signal, subprocess, sys, time, os
def start():
    child = subprocess.Popen([sys.argv[1], "--quiet", "--out", "i", "--force", "--epochs", "100000000",
                              "--patience", "100000000", "some"], stdout=subprocess.DEVNULL,
                             preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    for _ in range(3000):
        if os.path.exists("i/run.h5"):
            return child
        time.sleep(0.1)
    raise SystemExit("no i/run.h5")
child = start()
child.send_signal(signal.SIGINT)
assert child.wait(300) == 75, child.returncode
os.remove("i/run.h5")
child = start()
child.send_signal(signal.SIGSTOP)  # so that both signals are there before it can do anything
child.send_signal(signal.SIGINT)
child.send_signal(signal.SIGCONT)
time.sleep(0.001)
child.send_signal(signal.SIGINT)
assert child.wait(300) in (75, -signal.SIGINT), child.returncode
PY
run 2 --quiet --out t --epochs 100000000 --patience 100000000 --time-limit 3s some
expect_status 75
expect_no_stderr 'error'
SLURM_JOB_END_TIME=$(($(date +%s) + 30))
export SLURM_JOB_END_TIME
run 2 --out u --epochs 100000000 --patience 100000000 some
unset SLURM_JOB_END_TIME
expect_status 75
expect_stdout '^stopped    the end of the Slurm job in epoch '

# ---- refused ----
# refused STATUS TEXT ARGUMENTS...: on one rank and on three, and the checkpoint stays as it was.
refused() {
    refused_status=$1
    refused_text=$2
    shift 2
    cp t/checkpoint.h5 before.h5
    for ranks in 0 3; do
        run "$ranks" "$@"
        expect_status "$refused_status"
        expect_one_stderr_line "$refused_text"
        expect_stderr '^dtrain: error: '
        expect_same_file t/checkpoint.h5 before.h5
    done
}
refused 2 "--resume t: --batch is 50, but was 100; remove it, or add --force" --resume t --batch 50
refused 2 "--resume t: --seed is 2, but was 1" --resume t --seed 2
refused 3 "other data; use --force to resume with this data" --resume t other
refused 2 "--resume and --like were given" --resume t --like plain
refused 2 "--resume is an empty word" --resume ""
refused 3 "nowhere: No such file or directory" --resume nowhere
refused 2 "--resume plain: the run has ended, after " --resume plain
refused 3 "expected the folder of a run's results, found a file" --resume t/checkpoint.h5
refused 2 "t/checkpoint.h5: an earlier run stopped here; use --resume t to resume it" \
    --out t some
refused 2 "t/checkpoint.h5: an earlier run stopped here" --resume u --out t
refused 2 "plain/run.h5: an earlier run ended here; use --force to replace its results" --resume u --out plain
refused 2 "--csv-log t/checkpoint.h5 would be written over t/checkpoint.h5" --resume t --csv-log t/checkpoint.h5
refused 2 "--checkpoint-every" --checkpoint-every soon some
refused 2 "--time-limit" --time-limit 10 some
# Unchanged settings may be said again, and those that are of no weight be others.
run 2 --quiet --resume t --batch 100 --time-limit 3s --checkpoint-every never --stall-timeout 1h some
expect_status 75
# By force: from there on it is another run.
run 2 --quiet --resume t --force --epochs 1 --batch 50 other
expect_status 0
expect_stderr '^dtrain: warning: --resume t: its train inputs had the CRC-32 .* other data'
expect_no_file t/checkpoint.h5
run 2 --quiet --out s --force --epochs 1 some # s has a checkpoint
expect_status 0
expect_no_file s/checkpoint.h5

# A damaged checkpoint is refused, or resumes with the same results.
run 1 --out undamaged --epochs 8 some
expect_status 0
keep_summary undamaged
stopped 1 signal:0:30 --out v --epochs 8 some
"$PYTHON" - <<'PY'
import random, shutil, os
random.seed(1)
data = open("v/checkpoint.h5", "rb").read()
for i in range(30):
    os.makedirs(f"d{i}")
    bad = bytearray(data[:-16]) # without the checksum of the whole, which finds all
    at = random.randrange(len(bad))
    bad[at] ^= 1 << random.randrange(8)
    open(f"d{i}/checkpoint.h5", "wb").write(bad)
os.makedirs("cut")
open("cut/checkpoint.h5", "wb").write(data[:len(data) // 2])
PY
for i in $(seq 0 29); do
    run 0 --resume "d$i"
    case $status in
    3) expect_one_stderr_line "d$i" ;;
    0) expect_same_run undamaged "d$i" ;;
    *) fail "exit status 3 or 0" ;;
    esac
done
run 2 --resume cut
expect_status 3
expect_one_stderr_line "dtrain: error: cut/checkpoint.h5: "
