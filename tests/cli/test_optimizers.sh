#!/bin/sh
# --optimizer, its numbers and --weight-decay: in the model file and from there on; smaller kernels with
# decay; the same weights on any number of ranks and after an interruption for one of them.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
# shellcheck source-path=SCRIPTDIR source=everywhere.sh
. "$TESTS/cli/everywhere.sh"

trains adam adam 'Adam 0.01'
trains adam decay 'Adam 0.01, weight decay 0.5' --weight-decay 0.5
trains sgd sgd 'SGD 0.01' --optimizer sgd
trains sgd momentum 'SGD 0.01, momentum 0.9' --optimizer sgd --momentum 0.9
trains sgd nesterov 'SGD 0.01, momentum 0.9, nesterov' --optimizer sgd --momentum 0.9 --nesterov
trains adamw adamw 'AdamW 0.01, weight decay 0.004' --optimizer adamw
adamw=$crc
same_everywhere nadam nadam 'Nadam 0.01' --optimizer nadam
trains rmsprop rmsprop 'RMSprop 0.01, rho 0.8' --optimizer rmsprop --rho 0.8
trains adagrad adagrad 'Adagrad 0.01' --optimizer adagrad
expect_all_rows optimizer

# AdamW is Adam with decay.
run 0 some --epochs 4 --patience 9 --hidden 40,20 --batch 50 --learning-rate 0.01 --weight-decay 0.004 --out adam4
[ "$(summary weights_crc)" = "$adamw" ] || fail "the weights of AdamW"

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
for name in decay adamw nadam rmsprop adagrad nesterov momentum; do
    case $name in
    decay) options="--weight-decay 0.5" ;;
    nesterov) options="--optimizer sgd --momentum 0.9 --nesterov" ;;
    momentum) options="--optimizer sgd --momentum 0.9" ;;
    rmsprop) options="--optimizer rmsprop --rho 0.8" ;;
    *) options="--optimizer $name" ;;
    esac
    # shellcheck disable=SC2086
    run 0 "$@" $options --epochs 1 --out half --force
    "$PYTHON" "$TESTS/cli/check_model_h5.py" half/model.h5 >checked 2>&1 || fail "$name: $(cat checked)"
    run 0 some --epochs 3 --patience 9 --batch 50 --init-from half --out rest --force
    expect_status 0
    case $name in
    decay) expect_stdout '^training +Adam 0.01, weight decay 0.5, ' ;;
    adamw) expect_stdout '^training +AdamW 0.01, weight decay 0.004, ' ;;
    nadam) expect_stdout '^training +Nadam 0.01, batch ' ;;
    rmsprop) expect_stdout '^training +RMSprop 0.01, rho 0.8, batch ' ;;
    adagrad) expect_stdout '^training +Adagrad 0.01, batch ' ;;
    nesterov) expect_stdout '^training +SGD 0.01, momentum 0.9, nesterov, batch ' ;;
    momentum)
        expect_stdout '^init .*, SGD after [0-9]+ steps$'
        expect_stdout '^training +SGD 0.01, momentum 0.9, '
        ;;
    esac
done
run 0 some --epochs 1 --init-from half --optimizer adam --out other
expect_status 0
expect_one_stderr_line "dtrain: warning: half/model.h5: the state of SGD is not used, because --optimizer is adam"
expect_stdout '^training +Adam 0.001, '
# --like repeats also what was given as the default, and not as the model has it.
run 0 some --epochs 2 --init-from half --momentum 0 --weight-decay 0 --out explicit
expect_status 0
expect_stdout '^training +SGD 0.01, batch '
crc=$(summary weights_crc)
run 3 --like explicit --out again
expect_status 0
[ "$(summary weights_crc)" = "$crc" ] || fail "--like gives the same weights"
run 0 some --epochs 4 --time-limit 1s --out cut
expect_status 75
run 2 --resume cut --optimizer sgd
expect_status 2
expect_one_stderr_line "--optimizer is sgd, but the checkpoint has the state of adam"
run 0 some --epochs 4 --optimizer sgd --momentum 0.9 --time-limit 1s --out forced
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
run 0 some --momentum 0.9 --out never
expect_status 2
expect_one_stderr_line "dtrain: error: --momentum is 0.9, but --optimizer adam does not have it; use another --optimizer"
run 0 some --optimizer sgd --momentum 1
expect_status 2
expect_one_stderr_line "dtrain: error: --momentum "
for words in "rmsprop --momentum 0.9" "nadam --rho 0.8" "sgd --rho 0.8" "adagrad --momentum 0.5"; do
    # shellcheck disable=SC2086
    run 0 some --optimizer $words --out never
    expect_status 2
    expect_one_stderr_line "but --optimizer ${words%% *} does not have it; use another --optimizer"
done
run 0 some --nesterov --out never
expect_status 2
expect_one_stderr_line "dtrain: error: --nesterov was given, but --optimizer adam does not have it; use another"
run 0 some --optimizer sgd --nesterov --out never
expect_status 2
expect_one_stderr_line "dtrain: error: --nesterov was given, but --momentum is 0; set --momentum to 0.9"
# What the model's optimizer had is not an error of the user's.
run 0 "$@" --optimizer sgd --momentum 0.9 --nesterov --epochs 1 --out half --force
run 0 some --epochs 1 --init-from half --momentum 0 --out plain
expect_status 0
expect_stdout '^training +SGD 0.01, batch '
# The default of AdamW, unless the model had weight decay.
run 0 some --epochs 1 --init-from half --optimizer adamw --out other --force
expect_stdout '^training +AdamW 0.001, weight decay 0.004, batch '
run 0 some --epochs 1 --init-from decay --optimizer adamw --out other --force
expect_stdout '^training +AdamW 0.001, weight decay 0.5, batch '
run 0 some --epochs 1 --optimizer adamw --weight-decay 0 --out other --force
expect_stdout '^training +AdamW 0.001, batch '
run 0 inspect nesterov/model.h5
expect_stdout '^SGD: learning rate 0.01, momentum 0.9, nesterov, state after 48 updates$'
