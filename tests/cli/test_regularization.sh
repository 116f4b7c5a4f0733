#!/bin/sh
# --l2, --l1, --clip-norm, --clip-value, --max-norm and --noise: what they do; the same
# weights on any number of ranks and after an interruption for penalties.
# long: many runs, most of them on several ranks
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
# shellcheck source-path=SCRIPTDIR source=everywhere.sh
. "$TESTS/cli/everywhere.sh"

trains none plain 'Adam 0.01'
same_everywhere penalties penalties 'Adam 0.01, l2 0.003, l1 0.0004' --l2 0.003 --l1 0.0004
run 0 --like penalties --threads 3 --out like
expect_status 0
expect_stdout '^summary.like_weights=same$'
trains norm norm 'Adam 0.01, l2 0.003, clip-norm 0.05' --l2 0.003 --clip-norm 0.05
run 3 some --epochs 4 --patience 9 --hidden 40,20 --batch 50 --learning-rate 0.01 --l2 0.003 --clip-norm 0.05 \
    --reduce allreduce --threads 2 --out allreduce
[ "$(summary weights_crc)" = "$crc" ] || fail "the same weights without a window"
trains value value 'Adam 0.01, l1 0.0004, clip-value 0.002' --l1 0.0004 --clip-value 0.002
trains max max 'Adam 0.01, max-norm 0.75' --max-norm 0.75
run 3 some --epochs 4 --patience 9 --hidden 40,20 --batch 50 --learning-rate 0.01 --max-norm 0.75 --threads 2 \
    --overlap on --out overlap
[ "$(summary weights_crc)" = "$crc" ] || fail "the same weights in pieces"
expect_stdout ' by overlapped allreduce'
trains noise noise 'Adam 0.01' --noise 0.3
expect_stdout '^model +12-40-20-2, noise 0.3, relu, softmax; '
noise=$crc
trains all all 'Adam 0.01, l2 0.002, l1 0.0001, clip-norm 0.1, max-norm 0.9' \
    --l2 0.002 --l1 0.0001 --clip-norm 0.1 --max-norm 0.9 --noise 0.2 --dropout 0.1 --norm layer

# What is saved is a plain model; one that begins with it has its own penalties.
run 0 some --epochs 1 --init-from penalties --out more
expect_status 0
expect_stdout '^training +Adam 0.01, batch '
run 2 --resume penalties-stopped --l2 0.1
expect_status 2
run 3 some --epochs 2 --l2 0.01 --time-limit 1s --out cut
expect_status 75
run 2 --resume cut --l2 0.1
expect_status 2
expect_one_stderr_line "--resume cut: --l2 is 0.1, but was 0.01"

run 0 export plain/model.h5 --to plain.npz
run 0 export penalties/model.h5 --to penalties.npz
run 0 export max/model.h5 --to max.npz
"$PYTHON" - <<'PY' || fail "smaller kernels"
import numpy as np
plain, smaller = np.load("plain.npz"), np.load("penalties.npz")
for name in plain.files:
    if name.startswith("kernel"):
        assert np.linalg.norm(smaller[name]) < 0.97 * np.linalg.norm(plain[name]), name
limited = np.load("max.npz")
for number in range(3):
    norms = np.linalg.norm(limited[f"kernel_{number}"], axis=0)
    assert number == 2 or (norms.max() < 0.75 * (1 + 1e-6) and (norms > 0.7499).sum() > 3), norms
    assert number < 2 or norms.max() > 0.8, norms # the last layer's have no limit
PY

# A single step of SGD with the learning rate 1 is the gradient: next to the norm in double.
step() {
    ranks=$1 out=$2
    shift 2
    run "$ranks" some --epochs 1 --batch 10000 --hidden 40,20 --optimizer sgd --learning-rate 1 "$@" --out "$out"
    expect_status 0
    run 0 export "$out/model.h5" --to "$out.npz"
}
step 1 start --learning-rate 1e-30
step 1 free
for ranks in 1 3 8; do
    step $ranks norm-step-$ranks --clip-norm 0.125
    step $ranks value-step-$ranks --clip-value 0.001953125
done
"$PYTHON" - <<'PY' || fail "the gradient, clipped"
import numpy as np
def flat(name):
    arrays = np.load(f"{name}.npz")
    return np.concatenate([arrays[part].ravel() for part in sorted(arrays.files)]).astype(np.float64)
start = flat("start")
gradient = start - flat("free")
norm = np.linalg.norm(gradient)
assert norm > 0.2 and np.abs(gradient).max() > 0.01, gradient
for ranks in (1, 3, 8):
    found = start - flat(f"norm-step-{ranks}")
    assert np.abs(found - gradient * (0.125 / norm)).max() < 1e-7, ranks
    assert abs(np.linalg.norm(found) - 0.125) < 1e-6, ranks
    found = start - flat(f"value-step-{ranks}")
    assert np.abs(found - np.clip(gradient, -0.001953125, 0.001953125)).max() < 1e-7, ranks
PY

run 0 some --clip-norm 1 --clip-value 0.5 --out never
expect_status 2
expect_one_stderr_line "dtrain: error: --clip-norm is 1 and --clip-value is 0.5; set one of them to 0"
run 0 some --max-norm 2 --reduce window --out never
expect_status 2
expect_one_stderr_line "dtrain: error: --max-norm is 2, which requires another --reduce than window; remove one of them"
run 0 some --max-norm 2 --hidden none --epochs 1 --out no-hidden
expect_status 0
expect_one_stderr_line "dtrain: warning: --max-norm has no effect without hidden layers"

# Noise is part of the model, as dropout is, and only training has it.
run 0 some --epochs 4 --patience 9 --hidden 40,20 --batch 50 --learning-rate 0.01 --noise 0.3 --threads 3 --out threads
[ "$(summary weights_crc)" = "$noise" ] || fail "the weights of one thread"
accuracy=$(summary val_accuracy)
run 0 evaluate noise some --set validation
expect_status 0
[ -n "$accuracy" ] && grep -qF "$accuracy" stdout || fail "the validation accuracy of the run"
run 0 inspect noise/model.h5
expect_stdout '^gaussian_noise +12 +stddev 0.3 '
run 0 some --epochs 1 --init-from noise --out noise-on
expect_stdout '^model +12-40-20-2, noise 0.3, relu, softmax; '
run 0 some --epochs 1 --init-from noise --noise 0 --out noise-off
expect_stdout '^model +12-40-20-2, relu, softmax; '
run 0 some --epochs 1 --init-from plain --noise 0.5 --hidden 40,20 --out noise-new
expect_status 0
expect_stdout '^model +12-40-20-2, noise 0.5, relu, softmax; '
run 0 export noise/model.h5 --to noise.keras
expect_one_stderr_line "dtrain: warning: noise.keras: does not contain the model's noise; .h5 does"
for option in l2 l1 clip-norm clip-value max-norm noise; do
    for bad in -0.1 much; do
        run 0 some --$option "$bad"
        expect_status 2
        expect_one_stderr_line "dtrain: error: --$option "
    done
done
