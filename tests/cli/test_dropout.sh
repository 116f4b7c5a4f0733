#!/bin/sh
# --dropout: the same weights on any number of ranks and after an interruption; other weights than without;
# none in evaluate and predict.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("some")'

set -- some --epochs 4 --patience 9 --hidden 40,20 --batch 50
run 1 "$@" --out plain
expect_status 0
expect_stdout '^model +12-40-20-2, relu, softmax; '
plain=$(summary weights_crc)
run 1 "$@" --dropout 0.3 --out one
expect_status 0
expect_empty_stderr
expect_stdout '^model +12-40-20-2, relu, dropout 0.3, softmax; '
crc=$(summary weights_crc)
accuracy=$(summary val_accuracy)
[ "$crc" != "$plain" ] || fail "other weights than without dropout"
for ranks in 2 3 8; do
    run "$ranks" "$@" --dropout 0.3 --out "ranks-$ranks"
    expect_status 0
    [ "$(summary weights_crc)" = "$crc" ] || fail "the weights of one rank on $ranks"
done
run 1 "$@" --dropout 0.3 --threads 3 --out threads
expect_status 0
[ "$(summary weights_crc)" = "$crc" ] || fail "the weights of one thread"
run 3 "$@" --dropout 0.3 --overlap on --out overlap
expect_status 0
[ "$(summary weights_crc)" = "$crc" ] || fail "the weights without --overlap"
run 2 "$@" --dropout 0.3 --sum fast --out fast
expect_status 0
run 1 "$@" --dropout 0.3 --engine blas --out blas-1
run 3 "$@" --dropout 0.3 --engine blas --out blas-3
expect_status 0
cmp blas-1/model.h5 blas-3/model.h5 || fail "the weights of BLAS on one rank and on three"

# Interrupted after a step, and resumed on other ranks: the option comes from the checkpoint.
run 3 "$@" --dropout 0.3 --time-limit 1s --out stopped
expect_status 75
run 2 --resume stopped --dropout 0.2
expect_status 2
expect_one_stderr_line "--resume stopped: --dropout is 0.2, but was 0.3"
run 2 --resume stopped
expect_status 0
expect_stdout ', dropout 0.3, '
[ "$(summary weights_crc)" = "$crc" ] || fail "the weights of a run that was not interrupted"
run 1 --like one --out again
expect_status 0
expect_stdout '^summary.like_weights=same$'

# --init-from a model without dropout.
run 1 "$@" --init-from plain --dropout 0.3 --out more
expect_status 0
expect_stdout ', dropout 0.3, '
with=$(summary weights_crc)
run 3 "$@" --init-from plain --dropout 0.3 --out more-3
[ "$(summary weights_crc)" = "$with" ] || fail "the weights of one rank from a model"
run 1 "$@" --init-from plain --out more-plain
[ "$(summary weights_crc)" != "$with" ] || fail "other weights than without dropout, from a model"

# A model is the network without dropout.
run 0 evaluate one some --set validation
expect_status 0
[ -n "$accuracy" ] && grep -qF "$accuracy" stdout || fail "the validation accuracy of the run"

# It has no meaning without hidden layers, and must be a share.
run 1 some --hidden none --dropout 0.5 --out none
expect_status 0
expect_one_stderr_line "dtrain: warning: --dropout has no effect without hidden layers"
for bad in 1 0.96 -0.1 half; do
    run 0 some --dropout "$bad"
    expect_status 2
    expect_one_stderr_line "dtrain: error: --dropout "
done
