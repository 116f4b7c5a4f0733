#!/bin/sh
# A checkpoint of an earlier build, which had 52 options, resumes with the defaults of the newer options.
# One with an option of a later dtrain does not.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
: "${DTRAIN_FAULTS:=$(dirname "$DTRAIN")/tests/dtrain-faults}"
"$PYTHON" "$TESTS/cli/make_older.py" data
set -- data.npz --hidden 4 --batch 20 --epochs 5 # as that build was told

# older FOLDER [STATEMENTS]: a folder with that checkpoint, in which Python changes the open file `f`.
older() {
    mkdir "$1"
    "$PYTHON" -c "import h5py, lzma
open('$1/checkpoint.h5', 'wb').write(lzma.open('$TESTS/cli/older_checkpoint.h5.xz').read())
f = h5py.File('$1/checkpoint.h5', 'r+')
${2:-}"
}

# stopped STEP ARGUMENTS...: a run that is asked to stop in a step, and leaves a checkpoint.
stopped() (
    export DTRAIN_FAULT="signal:0:$1"
    shift
    DTRAIN=$DTRAIN_FAULTS
    run 2 "$@"
    expect_status 75
)

# refused STATUS TEXT ARGUMENTS...
refused() {
    refused_status=$1 refused_text=$2
    shift 2
    run 0 "$@"
    expect_status "$refused_status"
    expect_one_stderr_line "dtrain: error: $refused_text"
}

# ---- it resumes, with the results of this dtrain with the same options ----
run 1 "$@" --out whole
expect_status 0
keep_summary whole
older first
run 2 --resume first
expect_one_stderr_line "dtrain: warning: --resume first: an older dtrain wrote this checkpoint; scale and "
expect_one_stderr_line " more options have their defaults; the last bits may differ"
expect_same_run whole first
# From then on it has a new checkpoint, and no more warnings.
older again
stopped 3 --resume again
run 3 --resume again
expect_empty_stderr
expect_same_run whole again

# ---- options that it does not have were the default ----
older changed
refused 2 "--resume changed: --l2 is 0.5, but was 0; remove it, or add --force" --resume changed --l2 0.5
refused 2 "--resume changed: --optimizer is sgd, but the checkpoint has the state of adam" --resume changed --optimizer sgd
older named "f['config'].attrs['sparkle'] = 3"
refused 3 "--resume named: this dtrain does not know its option sparkle; use --resume with the dtrain that wrote it" --resume named
"$PYTHON" -c "import h5py; h5py.File('whole/run.h5', 'r+')['config'].attrs['sparkle'] = 3"
refused 3 "--like whole: this dtrain does not know its option sparkle; use --like with" --like whole --out like

# ---- what this dtrain writes is checked as a whole ----
for change in "del f['config'].attrs['l2']" "f['config'].attrs['epochs'] = 6"; do
    rm -rf new
    stopped 3 "$@" --out new
    "$PYTHON" -c "import h5py; f = h5py.File('new/checkpoint.h5', 'r+'); $change"
    refused 3 "--resume new: /config is damaged: its CRC-32 is " --resume new
done
