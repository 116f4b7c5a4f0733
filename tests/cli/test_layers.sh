#!/bin/sh
# --activation, --norm, --residual, --init: in the model file, and from there on; the same weights on any
# number of ranks and after an interruption for one network of several layers.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" - <<'PY'
from make_data import save_parts
save_parts("some")
save_parts("huge", rows=(100, 50, 50), change=lambda x, y: (x * 1e25, y))
PY

crcs=""
# trains NAME BANNER OPTIONS... trains on one rank; $crc is left. mpi/test_networks does it on others.
trains() {
    name=$1 banner=$2
    shift 2
    run 0 some --epochs 3 --patience 9 --batch 50 --learning-rate 0.01 "$@" --out "$name"
    expect_status 0
    expect_empty_stderr
    expect_stdout "^model +12-$banner, softmax; P = "
    crc=$(summary weights_crc)
    crcs="$crcs $crc"
    run 0 evaluate "$name" some --set validation
    expect_status 0
}
# same_everywhere, likewise, also trains on 2, 3 and 8 ranks, with threads, and interrupted.
same_everywhere() {
    trains "$@"
    shift 2
    set -- some --epochs 3 --patience 9 --batch 50 --learning-rate 0.01 "$@"
    for ranks in 2 3 8; do
        run "$ranks" "$@" --out "$name-$ranks"
        expect_status 0
        [ "$(summary weights_crc)" = "$crc" ] || fail "$name: the weights of one rank on $ranks"
    done
    run 3 "$@" --threads 2 --overlap on --out "$name-threads"
    [ "$(summary weights_crc)" = "$crc" ] || fail "$name: the weights of one thread"
    run 3 "$@" --time-limit 1s --out "$name-stopped"
    expect_status 75
    run 2 --resume "$name-stopped"
    expect_status 0
    [ "$(summary weights_crc)" = "$crc" ] || fail "$name: the weights without an interruption"
}
trains gelu '40-40-20-2, gelu,silu,elu' --hidden 40,40,20 --activation gelu,silu,elu
trains layer '40-40-20-2, layer norm, selu,leaky_relu,softplus, dropout 0.1' \
    --hidden 40,40,20 --norm layer --activation selu,leaky_relu,softplus --dropout 0.1
same_everywhere residual '40-40-33-33-2, RMS norm, hard_sigmoid,gelu,relu,silu, dropout 0.2, residual' \
    --hidden 40,40,33,33 --norm rms --activation hard_sigmoid,gelu,relu,silu --residual --dropout 0.2 \
    --init he_normal
same_everywhere batch '40-40-20-2, batch norm, tanh, dropout 0.1' --hidden 40,40,20 --norm batch \
    --activation tanh --dropout 0.1 --ema 0.9
[ "$(echo "$crcs" | xargs -n 1 | sort -u | wc -l)" -eq 4 ] || fail "runs of different weights: $crcs"

# Each way to begin gives other weights.
set -- some --epochs 1 --batch 50
crcs=""
for init in glorot_uniform glorot_normal he_uniform he_normal lecun_uniform lecun_normal; do
    run 0 "$@" --init "$init" --out "$init"
    expect_status 0
    crc=$(summary weights_crc)
    crcs="$crcs $crc"
done
[ "$(echo "$crcs" | xargs -n 1 | sort -u | wc -l)" -eq 6 ] || fail "six different weights: $crcs"
run 0 "$@" --out default
[ "$(summary weights_crc)" = "$(echo "$crcs" | awk '{ print $1 }')" ] ||
    fail "glorot_uniform is the default"

# Training continues from the model, and --like repeats the run.
run 0 some --epochs 1 --init-from residual --out more
expect_status 0
expect_stdout '40-40-33-33-2, RMS norm, hard_sigmoid,gelu,relu,silu, dropout 0.2, residual, softmax'
crc=$(summary weights_crc)
run 0 --like more --out again
expect_status 0
[ "$(summary weights_crc)" = "$crc" ] || fail "--like gives the same weights"
run 0 --like residual --out repeated
expect_status 0
expect_stdout_line "summary.like_weights=same"
run 0 inspect residual/model.h5
expect_stdout '^rms_normalization +40 +epsilon 1e-06 +40$'
expect_stdout '^add +40 +from [0-9]+ +0$'
run 0 inspect batch/model.h5
expect_stdout '^batch_normalization_1 +40 +epsilon 0.001, momentum 0.99 +160$'
run 2 some --epochs 1 --init-from batch --ema 0 --dropout 0 --out on
expect_status 0
expect_stdout ', batch norm, tanh, softmax'
run 0 some --epochs 1 --init-from layer --dropout 0 --out plain
expect_status 0
expect_stdout ', layer norm, selu,leaky_relu,softplus, softmax'

# Keras's form of a residual connection is not read back.
run 0 export residual --to residual.keras
expect_status 0
run 0 predict residual.keras some-test.npz --out no.npz
expect_status 3
expect_one_stderr_line 'residual.keras: is an export for Keras of a model with an encoding, members or residual connections, which dtrain does not read back; use model.h5 of the run that trained it'
run 0 export layer --to layer.keras
expect_status 0
run 0 export batch --to batch.keras
expect_status 0
run 0 export gelu --to gelu.keras
expect_status 0
run 0 predict gelu some-test.npz --out own.npz
run 0 predict gelu.keras some-test.npz --out keras.npz
expect_status 0
cmp own.npz keras.npz || fail "the same predictions from .keras"

# Inputs that are too large give statistics that are too large, on all ranks at the same step.
run 3 huge --epochs 1 --hidden 8 --norm batch --out huge-run
expect_status 5
sed -i '/the inputs are not scaled/d' stderr
expect_one_stderr_line "dtrain: error: epoch 1, step 1: batch_normalization layer 1: inputs or gradients are not finite"

# Options without effect, and errors.
run 0 some --epochs 1 --hidden none --norm layer --out none
expect_one_stderr_line "dtrain: warning: --norm has no effect without hidden layers"
run 0 some --epochs 1 --hidden 12,8 --residual --out useless
expect_one_stderr_line "dtrain: warning: --residual has no effect: no hidden layer has as many units as the one before"
run 0 some --hidden 8,8,8 --activation gelu,relu --out wrong
expect_status 2
expect_one_stderr_line "dtrain: error: --activation has 2 names, but --hidden has 3 layers"
run 0 some --activation gelu,swish
expect_status 2
expect_one_stderr_line "dtrain: error: --activation takes one of"
