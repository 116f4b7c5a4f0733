#!/bin/sh
# Training is what plain NumPy in float64 computes by the formulas (tests/reference): each layer, loss, optimizer,
# schedule and regularization, over 20 steps, within what float32 may differ by.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
export PYTHONDONTWRITEBYTECODE=1
"$PYTHON" "$TESTS/reference/check_reference.py" >lines 2>&1 || fail "training is the reference's: $(cat lines)"
cat lines
