#!/bin/sh
# A loss that is not finite ends the run on all ranks at the same step, with one line that says where; the
# last good checkpoint is kept, and resumes with the same results.
# long: mpirun takes two seconds to end a job that fails
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
: "${DTRAIN_FAULTS:=$(dirname "$DTRAIN")/tests/dtrain-faults}"
[ -x "$DTRAIN_FAULTS" ] || skip "dtrain-faults is not built"
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" - <<'PY'
from make_data import save_parts
save_parts("some", rows=(400, 100, 100))
save_parts("large", rows=(400, 100, 100), change=lambda x, y: (x * 10000, y))
PY
REAL=$DTRAIN

# poisoned RANK NTH RANKS ARGUMENTS...: a run whose NTH step has a NaN in its loss, on one rank.
poisoned() {
    poisoned_fault="nan:$1:$2"
    shift 2
    DTRAIN=$DTRAIN_FAULTS
    export DTRAIN_FAULT="$poisoned_fault"
    run "$@"
    unset DTRAIN_FAULT
    DTRAIN=$REAL
    harness_command="DTRAIN_FAULT=$poisoned_fault $harness_command"
}

# expect_diverged EPOCH STEP: exit 5, and one line with all that is to be known.
expect_diverged() {
    expect_status 5
    expect_one_stderr_line "dtrain: error: epoch $1, step $2: "
    expect_stderr '; layer [0-9]+ \([0-9]+ to [0-9]+\): .* gradient.* is [0-9.e+-]+; lower --learning-rate, and'
    expect_no_stdout '^summary\.'
    left=$(find . -name '*.tmp')
    [ -z "$left" ] || fail "no temporary file is left, found $left"
}

# expect_log FOLDER EPOCHS: run.h5 says how it ended, and has the epochs before; no model is left.
expect_log() {
    expect_no_file "$1/model.h5"
    "$PYTHON" - "$1" "$2" <<'PY' || fail "$1/run.h5 says diverged, after $2 epochs"
import sys
import h5py
run = h5py.File(f"{sys.argv[1]}/run.h5", "r")
assert run.attrs["status"] == "diverged", run.attrs["status"]
assert list(run["epochs"]["epoch"]) == list(range(1, int(sys.argv[2]) + 1)), run["epochs"][:]
assert "summary" not in run and "evaluation" not in run
PY
}

# whole RANKS FOLDER ARGUMENTS...: what the others are compared with.
whole() {
    whole_ranks=$1
    whole_folder=$2
    shift 2
    run "$whole_ranks" --out "$whole_folder" "$@"
    expect_status 0
    keep_summary "$whole_folder"
}

# ---- one rank's loss ----
# 400 rows are ten steps of 40: the 34th is the fourth of the fourth epoch.
usual="--epochs 6 --patience 6 --batch 40 --hidden 16,8 --learning-rate 0.01 --checkpoint-every 1"
# shellcheck disable=SC2086
whole 2 plain $usual some
for case in "1 0 3" "2 0 8" "3 2 1" "8 7 2"; do
    # shellcheck disable=SC2086
    set -- $case
    rm -rf a
    # shellcheck disable=SC2086
    poisoned "$2" 34 "$1" --out a $usual some
    expect_diverged 4 4
    expect_log a 3
    expect_file a/checkpoint.h5
    [ "$(grep -c '^epoch ' stdout)" -eq 3 ] || fail "three epochs' lines"
    run "$3" --resume a
    expect_empty_stderr
    expect_stdout '^resume +a: epoch 4, after 0 of its rows; 1 session before$'
    expect_same_run plain a
done

# Again and again: each time the last good checkpoint stays.
# shellcheck disable=SC2086
poisoned 1 18 2 --out b $usual some
expect_diverged 2 8
cp b/checkpoint.h5 before.h5
poisoned 0 5 3 --resume b
expect_diverged 2 5
expect_same_file b/checkpoint.h5 before.h5
expect_log b 1
poisoned 2 25 3 --resume b
expect_diverged 4 5
expect_log b 3
run 4 --resume b
expect_same_run plain b
"$PYTHON" -c '
import h5py
sessions = h5py.File("b/run.h5", "r")["sessions"][:]
assert list(sessions["ranks"]) == [2, 3, 4], sessions
assert list(sessions["epoch"]) == [1, 2, 4], sessions' || fail "the log has the sessions that came further"

# The first step: there is nothing to go on from, and the folder may be written over.
# shellcheck disable=SC2086
poisoned 1 1 2 --out c $usual some
expect_diverged 1 1
expect_log c 0
expect_no_file c/checkpoint.h5
run 2 --resume c
expect_status 3
expect_one_stderr_line "c: no checkpoint.h5 in this folder"
# shellcheck disable=SC2086
run 2 --out c $usual some
expect_status 0

# Without checkpoints none is made by diverging.
# shellcheck disable=SC2086
poisoned 0 34 2 --out d ${usual% --checkpoint-every 1} --checkpoint-every never some
expect_diverged 4 4
expect_no_file d/checkpoint.h5

# ---- float32 sums: the same bits on the same number of ranks, here one ----
# shellcheck disable=SC2086
whole 1 quick --sum fast $usual some
# shellcheck disable=SC2086
poisoned 0 34 1 --out quick1 --sum fast $usual some
expect_diverged 4 4
expect_log quick1 3
run 1 --resume quick1
expect_same_run quick quick1
# shellcheck disable=SC2086
poisoned 2 34 3 --out quick3 --sum fast $usual some
expect_diverged 4 4
expect_log quick3 3
run 3 --resume quick3
expect_status 0
expect_empty_stderr

# ---- by itself: the same line on any number of ranks ----
for ranks in 1 3 8; do
    run $ranks --out "e$ranks" --learning-rate 1e6 --batch 40 --hidden 16,8 large
    expect_stderr "the inputs are not scaled"
    sed -i '/the inputs are not scaled/d' stderr
    expect_diverged 1 2
    expect_log "e$ranks" 0
    [ "$ranks" -eq 1 ] && cp stderr first
    expect_same_file stderr first
    run $ranks --out "f$ranks" --learning-rate 1e6 --batch 40 --hidden 16,8 --sum fast large
    expect_status 5
    sed -i '/the inputs are not scaled/d' stderr
    expect_one_stderr_line "dtrain: error: epoch 1, step "
    expect_log "f$ranks" 0
done
