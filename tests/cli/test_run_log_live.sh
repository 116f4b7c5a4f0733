#!/bin/sh
# run.h5 is read while the run goes on, and is whole after a SIGKILL of all ranks.
# long: reads logs as they grow
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("live", rows=(2000, 200, 200))'

# Each rank leaves its process id before it becomes dtrain, so that it can be killed by it.
cat >with-pid <<'SH'
#!/bin/sh
echo $$ >"pid.$OMPI_COMM_WORLD_RANK"
exec "$DTRAIN" "$@"
SH
chmod +x with-pid

mpirun_pid=""
stop_all() {
    for file in pid.*; do
        [ ! -s "$file" ] || kill -KILL "$(cat "$file")" 2>/dev/null || :
        rm -f "$file"
    done
    [ -z "$mpirun_pid" ] || wait "$mpirun_pid" 2>/dev/null || :
    mpirun_pid=""
}
trap 'stop_all; harness_leave' EXIT

# start FOLDER: a run that would take for ever, in the background, until its log is there.
start() {
    # shellcheck disable=SC2034 # fail prints it
    harness_command="2 ranks in the background, results in $1"
    timeout -k 5 "$RUN_TIMEOUT" mpirun -q -np 2 ./with-pid --out "$1" --epochs 100000000 \
        --patience 100000000 --batch 50 live </dev/null >stdout 2>stderr &
    mpirun_pid=$!
    until_it "$1/run.h5 is there" test -e "$1/run.h5"
}

start polled
timeout -k 5 "$RUN_TIMEOUT" "$PYTHON" "$TESTS/cli/poll_run_log.py" polled/run.h5 >polls 2>&1 ||
    fail "every read of run.h5 succeeds, and it grows: $(cat polls)"
stop_all

# whole FOLDER EPOCHS: after the kill the log can be opened, and has at least EPOCHS epochs.
whole() {
    [ -s "$1/run.h5" ] || fail "$1/run.h5 is there after SIGKILL"
    "$PYTHON" - "$1" "$2" >wrong 2>&1 <<'PY' || fail "$1/run.h5 is whole after SIGKILL: $(cat wrong)"
import sys
import h5py
with h5py.File(sys.argv[1] + "/run.h5", "r") as run:
    assert run.attrs["status"] == "running", run.attrs["status"]
    epochs = run["epochs"][:]
    assert len(epochs) >= int(sys.argv[2]), len(epochs)
    assert list(epochs["epoch"]) == list(range(1, len(epochs) + 1))
    assert (epochs["train_loss"] > 0).all()
PY
    expect_no_file "$1/model.h5"
    left=$(find "$1" -type f ! -name run.h5 ! -name owner ! -name '*.tmp')
    [ -z "$left" ] || fail "run.h5, its owner's file and perhaps a temporary one are left, found $left"
}
whole polled 1

# Killed at several moments, some of them while the file is being written.
for pause in 0.2 2.03 2.3; do
    start "killed-$pause"
    sleep "$pause"
    stop_all
    whole "killed-$pause" 0
done

# What a kill left over is in nobody's way.
: >polled/run.h5.99999.tmp
run 2 --quiet --out polled --epochs 2 live
expect_status 0
expect_file polled/model.h5
"$PYTHON" -c 'import h5py; assert h5py.File("polled/run.h5", "r").attrs["status"] == "ok"' ||
    fail "the new run has written its log"
