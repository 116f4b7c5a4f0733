#!/bin/sh
# The contract: the same weights and the same log, bit for bit, on any number of ranks.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
# shellcheck source-path=SCRIPTDIR source=contract.sh
. "$TESTS/cli/contract.sh"

same base "1 2 3 4 8" --epochs 5 data/two
same shards11 "1 4 11" --epochs 3 --shards 11 data/two
same tiny "1 3 8" --epochs 3 --batch 2 data/tiny
same classes "1 2 3 8" --epochs 4 data/five
same split "1 3 8" --epochs 3 data/lone-train.npz
same unvalidated "1 8" --epochs 3 --validation-split 0 --test-split 0 data/lone-train.npz

# More ranks than the 8 shards that are the default: as many shards as ranks.
run 11 --quiet --out eleven --epochs 3 data/two
expect_status 0
"$PYTHON" "$TESTS/cli/compare_runs.py" shards11/1 eleven >compared ||
    fail "11 ranks have 11 shards: $(cat compared)"

# The same command once more; then another seed, which has to give other weights.
run 3 --quiet --out again --epochs 5 data/two
expect_status 0
"$PYTHON" "$TESTS/cli/compare_runs.py" base/1 again >compared || fail "a run repeats: $(cat compared)"
run 2 --quiet --out seed2 --epochs 5 --seed 2 data/two
expect_status 0
"$PYTHON" "$TESTS/cli/compare_runs.py" --differ base/1 seed2 >compared || fail "$(cat compared)"
if "$PYTHON" "$TESTS/cli/compare_runs.py" base/1 seed2 >compared; then
    fail "compare_runs.py sees that two seeds differ"
fi
grep -Fq 'model.h5 dtrain/tensors/dense/kernel' compared || fail "compare_runs.py names the kernel: $(cat compared)"

# --sum fast promises no bits, but the same training within float32's rounding.
run 3 --quiet --out fast --epochs 5 --sum fast data/two
expect_status 0
"$PYTHON" - <<'PY' || fail "--sum fast trains like --sum exact"
import h5py
import numpy as np
loss = [h5py.File(f"{name}/run.h5", "r")["epochs"]["train_loss"] for name in ("base/1", "fast")]
np.testing.assert_allclose(loss[0], loss[1], rtol=1e-4)
PY
