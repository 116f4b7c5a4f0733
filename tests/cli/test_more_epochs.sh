#!/bin/sh
# More epochs for a run that has ended: --resume names a command, and the command trains on.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("some")'

# advised EPOCHS ADVICE WORDS...: what --resume WORDS says of a run of 4 epochs, and what that gives.
advised() {
    epochs=$1 advice=$2
    shift 2
    run 0 --resume "$@"
    expect_status 2
    expect_one_stderr_line "dtrain: error: --resume $1: the run has ended, after 4 epochs; to train its model further, start a new run: dtrain $advice"
    [ ! -s stdout ] || fail "nothing on stdout"
    [ "$(sed 's/.*: dtrain //' stderr)" = "$advice" ] || fail "the line ends in the command"
    # shellcheck disable=SC2086
    run 0 $advice --quiet
    expect_status 0
    expect_empty_stderr
    expect_stdout_line "summary.epochs=$epochs"
}
# ended FOLDER OPTIONS...
ended() {
    folder=$1
    shift
    run 0 some --epochs 4 --patience 9 --quiet --out "$folder" "$@"
    expect_status 0
}
ended plain
advised 4 "--like plain --init-from plain --out plain-2" plain
advised 3 "--like plain --init-from plain --epochs 3 --out plain-3" plain --epochs 7
advised 2 "--like plain --init-from plain --epochs 2 --out plain-4" plain/ --epochs 2 --force
# It begins where the run ended: with its weights and the optimizer's state.
"$PYTHON" -c 'import h5py
def losses(folder): return h5py.File(f"{folder}/run.h5")["epochs"]["train_loss"]
assert losses("plain-3")[0] < losses("plain")[-1] < losses("plain")[0]' || fail "it begins where the run ended"

# Options that do not go together with --init-from.
ended tabular --preset tabular --bins 6 --bins-by tree --init fan_in_uniform
advised 4 "--like tabular --init-from tabular --out tabular-2" tabular
ended scaled --scale standard # which the model does
advised 4 "--like scaled --init-from scaled --out scaled-2" scaled
ended restarts --restarts 2
advised 1 "--like restarts --init-from restarts --restarts 1 --epochs 1 --out restarts-2" restarts --epochs 5
ended average --restarts 2 --average
advised 4 "--like average/restart-1 --init-from average/restart-1 --out average-2" average

# An interrupted run is not an ended one, and a folder without a run is neither.
mkdir empty
run 0 --resume empty
expect_status 3
expect_one_stderr_line "empty: no checkpoint.h5 in this folder: the run saved none; start a new run"
