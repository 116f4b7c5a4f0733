#!/bin/sh
# Runs of the real program whose bits are pinned: on 1, 2 and 3 ranks, with the kernels for AVX2, and
# interrupted in the middle of an epoch and resumed on other ranks. A commit that changes a pinned number
# says so, and why. tests/mpi/test_pinned.c pins more networks, but neither files nor the command line.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
: "${DTRAIN_FAULTS:=$(dirname "$DTRAIN")/tests/dtrain-faults}"
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
REAL=$DTRAIN

# The default engine of an x86 CPU without AVX2 or FMA is OpenBLAS, whose bits are not pinned.
if grep -Eq ' fma .* avx2( |$)' /proc/cpuinfo 2>/dev/null; then
    isa=avx2
else
    isa=portable
    export DTRAIN_ISA=$isa
fi

# expect_pinned FOLDER "EPOCHS WEIGHTS ROWS": the last run ended with these numbers.
expect_pinned() {
    expect_status 0
    rows=$(cksum <"$1.csv")
    found="$(summary epochs) $(summary weights_crc) ${rows%% *}"
    [ "$found" = "$2" ] || fail "$1: epochs, weights and rows $2, found $found"
}

# pinned NAME STEPS EPOCH EPOCHS WEIGHTS ROWS OPTIONS...: a run on the built-in example.
#   STEPS     number of steps of an epoch
#   EPOCH     the interrupted run stops in the middle of this epoch: not after the best one, so that
#             the weights depend on the rest
#   EPOCHS    number of epochs
#   WEIGHTS   weights_crc of the summary
#   ROWS      cksum of the CSV log, which has all digits of every epoch's losses and accuracies
pinned() {
    name=$1
    stop=$(($2 * $3 - $2 / 2))
    ended=$(($3 - 1))
    expected="$4 $5 $6"
    shift 6
    run 0 --quiet --out "$name-1" --csv-log "$name-1.csv" "$@"
    expect_pinned "$name-1" "$expected"
    (
        export DTRAIN_ISA=$isa
        run 2 --quiet --out "$name-2" --csv-log "$name-2.csv" "$@"
        expect_pinned "$name-2" "$expected"
    )
    run 3 --quiet --out "$name-3" --csv-log "$name-3.csv" "$@"
    expect_pinned "$name-3" "$expected"

    DTRAIN=$DTRAIN_FAULTS
    export DTRAIN_FAULT="signal:0:$stop"
    run 0 --quiet --out "$name-on" --csv-log "$name-on.csv" "$@"
    unset DTRAIN_FAULT
    DTRAIN=$REAL
    expect_status 75
    expect_stdout_line "summary.epochs=$ended"
    run 3 --quiet --resume "$name-on"
    expect_pinned "$name-on" "$expected"
}

# A model as Keras writes it; its means and variances lead to quotients that have to be rounded.
"$PYTHON" - <<'PY'
import numpy as np
from make_model import dense, write

column = np.arange(51)
layers = [{"class_name": "Normalization", "config": {"name": "norm", "axis": [-1]}},
          dense("start", 20, "tanh"), dense("middle", 9, "relu"), dense("end", 2, "softmax")]
write("normal.h5", 51, layers, (column / 70 - 0.3, 0.1 + column / 30))
PY

pinned example 400 15 17 c0363228 2642536661
# With a new Adam, then with the state in the model that the first of these runs saved.
pinned normal 100 2 2 68aa2fb1 4243046352 --batch 400 --epochs 2 --init-from normal.h5
pinned with-adam 100 2 2 5a158a7f 1063576284 --batch 400 --epochs 2 --init-from normal-1
