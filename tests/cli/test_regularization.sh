#!/bin/sh
# --l2 and --l1: the same weights on any number of ranks and after an interruption, and what they do.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
# shellcheck source-path=SCRIPTDIR source=everywhere.sh
. "$TESTS/cli/everywhere.sh"

same_everywhere none plain 'Adam 0.01'
same_everywhere penalties penalties 'Adam 0.01, l2 0.003, l1 0.0004' --l2 0.003 --l1 0.0004
penalties=$crc
run 1 --like penalties --threads 3 --out like
expect_status 0
expect_stdout '^summary.like_weights=same$'

# What is saved is a plain model; one that begins with it has its own penalties.
run 2 some --epochs 1 --init-from penalties --out more
expect_status 0
expect_stdout '^training +Adam 0.01, batch '
run 2 --resume penalties-stopped --l2 0.1
expect_status 3
run 3 some --epochs 2 --l2 0.01 --time-limit 1s --out cut
expect_status 75
run 2 --resume cut --l2 0.1
expect_status 2
expect_one_stderr_line "--resume cut: --l2 is 0.1 now, and was 0.01"

run 0 export plain/model.h5 --to plain.npz
run 0 export penalties/model.h5 --to penalties.npz
"$PYTHON" - <<'PY' || fail "smaller kernels"
import numpy as np
plain, smaller = np.load("plain.npz"), np.load("penalties.npz")
for name in plain.files:
    if name.startswith("kernel"):
        assert np.linalg.norm(smaller[name]) < 0.97 * np.linalg.norm(plain[name]), name
PY

for option in l2 l1; do
    for bad in -0.1 much; do
        run 0 some --$option "$bad"
        expect_status 2
        expect_one_stderr_line "dtrain: error: --$option "
    done
done
