#!/bin/sh
# --schedule, its numbers and --warmup: the learning rates in the log, and refusals; the same weights
# on any number of ranks and after an interruption for a schedule with a state.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
# shellcheck source-path=SCRIPTDIR source=everywhere.sh
. "$TESTS/cli/everywhere.sh"

trains constant constant 'Adam 0.01'
trains cosine cosine 'Adam 0.01, cosine schedule' --schedule cosine
trains step step 'Adam 0.01, step schedule \(0.5 every 1 epoch\)' \
    --schedule step --schedule-factor 0.5 --schedule-every 1
trains exponential exponential 'Adam 0.01, exponential schedule \(0.1 every 10 epochs\)' \
    --schedule exponential
trains onecycle onecycle 'Adam 0.01, onecycle schedule' --schedule onecycle
same_everywhere plateau plateau 'Adam 0.8, plateau schedule \(0.5 every 1 epoch\)' \
    --schedule plateau --schedule-factor 0.5 --schedule-every 1 --learning-rate 0.8
trains constant warmup 'Adam 0.01, warmup 1.5' --warmup 1.5
trains cosine warm 'Adam 0.01, cosine schedule, warmup 0.5' --schedule cosine --warmup 0.5
expect_all_rows schedule

"$PYTHON" - <<'PY' || fail "the learning rate of the last step of each epoch"
import math
import h5py
def rates(run):
    return list(h5py.File(f"{run}/run.h5")["epochs"]["learning_rate"])
steps, last = 48, [12 * epoch - 1 for epoch in range(1, 5)] # of the run; of each epoch
def cosine(done):
    return (1 + math.cos(math.pi * done)) / 2
def onecycle(done):
    if done < 0.3:
        return 0.04 + 0.96 * (1 - cosine(done / 0.3))
    return 4e-6 + (1 - 4e-6) * cosine((done - 0.3) / 0.7)
expected = {
    "constant": [1, 1, 1, 1],
    "cosine": [cosine(t / steps) for t in last],
    "step": [1, 0.5, 0.25, 0.125],
    "exponential": [0.1 ** (t / 120) for t in last],
    "onecycle": [onecycle(t / steps) for t in last],
    "warmup": [11 / 18, 1, 1, 1],
    "warm": [cosine((t - 6) / 42) for t in last],
}
for name, factors in expected.items():
    found = rates(name)
    assert all(abs(a - 0.01 * b) < 1e-15 for a, b in zip(found, factors)), (name, found)

# Keras's ReduceLROnPlateau, of the losses in the log.
losses = list(h5py.File("plateau/run.h5")["epochs"]["val_loss"])
best, rate, wanted = math.inf, 0.8, []
for loss in losses:
    wanted.append(rate)
    if loss < best - 1e-4:
        best = loss
    else:
        rate /= 2
assert rates("plateau") == wanted and wanted[3] < wanted[0], (wanted, losses)
assert rates("plateau-8") == rates("plateau-stopped") == wanted
PY

refused() {
    text=$1
    shift
    run 0 some "$@" --out never
    expect_status 2
    expect_one_stderr_line "dtrain: error: $text"
}
refused '--schedule-factor is 0.5, but --schedule cosine does not have it; use another --schedule, or set --schedule-factor 0.1' \
    --schedule cosine --schedule-factor 0.5
refused '--schedule-every is 3, but --schedule constant does not have it' --schedule-every 3
refused '--schedule plateau reduces the learning rate after 10 epochs without improvement, but training stops after 2; raise --patience, or lower --schedule-every' \
    --schedule plateau
refused '--warmup is 100, but --epochs is 100; a warmup is shorter' --warmup 100
refused '--schedule-factor is 1, but must be between' --schedule step --schedule-factor 1
"$PYTHON" -c 'import numpy as n; d = n.load("some-train.npz"); n.savez("alone.npz", **d)'
run 2 alone.npz --validation-split 0 --schedule plateau --patience 20 --out never
expect_status 2
expect_one_stderr_line 'dtrain: error: --schedule plateau needs a validation set; use another --schedule, or --validation-split'
