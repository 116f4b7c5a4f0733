#!/bin/sh
# --optimizer, --momentum, --weight-decay, --schedule: the same weights on any number of ranks and after an
# interruption, in the model file and from there on; smaller kernels with decay.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("some")'

# same_everywhere NAME BANNER OPTIONS... trains on 1, 2, 3 and 8 ranks, and interrupted; $crc is left.
same_everywhere() {
    name=$1 banner=$2
    shift 2
    set -- some --epochs 4 --patience 9 --hidden 40,20 --batch 50 --learning-rate 0.01 "$@"
    run 1 "$@" --out "$name"
    expect_status 0
    expect_empty_stderr
    expect_stdout "^training +$banner, batch 50, "
    crc=$(summary weights_crc)
    for ranks in 2 3 8; do
        run "$ranks" "$@" --out "$name-$ranks"
        expect_status 0
        [ "$(summary weights_crc)" = "$crc" ] || fail "$name: the weights of one rank on $ranks"
    done
    run 2 "$@" --reduce allreduce --out "$name-allreduce"
    [ "$(summary weights_crc)" = "$crc" ] || fail "$name: the weights of one rank, by messages"
    run 3 "$@" --time-limit 1s --out "$name-stopped"
    expect_status 75
    run 2 --resume "$name-stopped"
    expect_status 0
    [ "$(summary weights_crc)" = "$crc" ] || fail "$name: the weights without an interruption"
}
same_everywhere adam 'Adam 0.01'
adam=$crc
same_everywhere decay 'Adam 0.01, weight decay 0.5' --weight-decay 0.5
decay=$crc
same_everywhere sgd 'SGD 0.01' --optimizer sgd
sgd=$crc
same_everywhere momentum 'SGD 0.01, momentum 0.9' --optimizer sgd --momentum 0.9
momentum=$crc
same_everywhere cosine 'Adam 0.01, cosine schedule' --schedule cosine
[ "$(printf '%s\n' "$adam" "$decay" "$sgd" "$momentum" "$crc" | sort -u | wc -l)" -eq 5 ] ||
    fail "five runs of different weights: $adam $decay $sgd $momentum $crc"
"$PYTHON" - <<'PY' || fail "the learning rate of the last step of each epoch"
import math
import h5py
def rates(run):
    return list(h5py.File(f"{run}/run.h5")["epochs"]["learning_rate"])
assert rates("adam") == 4 * [0.01]
expected = [0.005 * (1 + math.cos(math.pi * (12 * epoch - 1) / 48)) for epoch in range(1, 5)]
for run in ("cosine", "cosine-3", "cosine-stopped"):
    assert all(abs(found - rate) < 1e-15 for found, rate in zip(rates(run), expected)), rates(run)
PY

run 0 export adam/model.h5 --to plain.npz
run 0 export decay/model.h5 --to decayed.npz
"$PYTHON" - <<'PY' || fail "smaller kernels"
import numpy as np
plain, decayed = np.load("plain.npz"), np.load("decayed.npz")
for name in plain.files:
    if name.startswith("kernel"):
        assert np.linalg.norm(decayed[name]) < 0.97 * np.linalg.norm(plain[name]), name
PY

# The model continues with its optimizer: two epochs and two more are four.
set -- some --patience 9 --hidden 40,20 --batch 50 --learning-rate 0.01 --no-restore-best
for name in decay momentum; do
    options="--weight-decay 0.5"
    [ "$name" = decay ] || options="--optimizer sgd --momentum 0.9"
    # shellcheck disable=SC2086
    run 2 "$@" $options --epochs 1 --out half
    "$PYTHON" "$TESTS/cli/check_model_h5.py" half/model.h5 >checked 2>&1 || fail "$name: $(cat checked)"
    run 2 some --epochs 3 --patience 9 --batch 50 --init-from half --out rest
    expect_status 0
    case $name in
    decay) expect_stdout '^training +Adam 0.01, weight decay 0.5, ' ;;
    momentum)
        expect_stdout '^init .*, SGD after [0-9]+ steps$'
        expect_stdout '^training +SGD 0.01, momentum 0.9, '
        ;;
    esac
done
run 2 some --epochs 1 --init-from half --optimizer adam --out other
expect_status 0
expect_one_stderr_line "dtrain: warning: half/model.h5: the state of SGD is not used, because --optimizer is adam"
expect_stdout '^training +Adam 0.001, '
# --like repeats also what was given as the default, and not as the model has it.
run 2 some --epochs 2 --init-from half --momentum 0 --weight-decay 0 --out explicit
expect_status 0
expect_stdout '^training +SGD 0.01, batch '
crc=$(summary weights_crc)
run 3 --like explicit --out again
expect_status 0
[ "$(summary weights_crc)" = "$crc" ] || fail "--like gives the same weights"
run 2 some --epochs 4 --time-limit 1s --out cut
expect_status 75
run 2 --resume cut --optimizer sgd
expect_status 2
expect_one_stderr_line "--optimizer is sgd, but the checkpoint has the state of adam"
run 2 some --epochs 4 --optimizer sgd --momentum 0.9 --time-limit 1s --out forced
expect_status 75
run 2 --resume forced --force --momentum 0.1
expect_status 0
expect_stdout '^training +SGD 0.001, momentum 0.1, '
run 0 inspect forced/model.h5
expect_stdout '^SGD: learning rate 0.001, momentum 0.1, state after 24 updates$'
run 0 inspect half/model.h5
expect_stdout '^SGD: learning rate 0.01, momentum 0.9, state after [0-9]+ updates$'

for bad in -0.1 2 much; do
    run 0 some --weight-decay "$bad"
    expect_status 2
    expect_one_stderr_line "dtrain: error: --weight-decay "
done
run 0 some --optimizer lion
expect_status 2
expect_one_stderr_line "dtrain: error: --optimizer "
run 1 some --momentum 0.9 --out never
expect_status 2
expect_one_stderr_line "dtrain: error: --momentum is 0.9, but --optimizer adam does not have it; use another --optimizer"
run 0 some --optimizer sgd --momentum 1
expect_status 2
expect_one_stderr_line "dtrain: error: --momentum "
