#!/bin/sh
# --weight-decay: the same weights on any number of ranks and after an interruption; smaller kernels than
# without.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("some")'

set -- some --epochs 4 --patience 9 --hidden 40,20 --batch 50 --learning-rate 0.01
run 1 "$@" --out plain
expect_stdout '^training +Adam 0.01, batch 50, '
plain=$(summary weights_crc)
run 1 "$@" --weight-decay 0 --out zero
[ "$(summary weights_crc)" = "$plain" ] || fail "the weights without the option"
run 1 "$@" --weight-decay 0.5 --out one
expect_status 0
expect_empty_stderr
expect_stdout '^training +Adam 0.01, weight decay 0.5, batch 50, '
crc=$(summary weights_crc)
[ "$crc" != "$plain" ] || fail "other weights than without decay"
for ranks in 2 3 8; do
    run "$ranks" "$@" --weight-decay 0.5 --out "ranks-$ranks"
    expect_status 0
    [ "$(summary weights_crc)" = "$crc" ] || fail "the weights of one rank on $ranks"
done
run 2 "$@" --weight-decay 0.5 --reduce allreduce --out allreduce
[ "$(summary weights_crc)" = "$crc" ] || fail "the weights of one rank, with --reduce allreduce"
run 3 "$@" --weight-decay 0.5 --time-limit 1s --out stopped
expect_status 75
run 2 --resume stopped
expect_status 0
[ "$(summary weights_crc)" = "$crc" ] || fail "the weights of a run that was not interrupted"

run 0 export plain/model.h5 --to plain.npz
run 0 export one/model.h5 --to one.npz
"$PYTHON" - <<'PY' || fail "smaller kernels"
import numpy as np
plain, decayed = np.load("plain.npz"), np.load("one.npz")
for name in plain.files:
    if name.startswith("kernel"):
        assert np.linalg.norm(decayed[name]) < 0.97 * np.linalg.norm(plain[name]), name
PY

for bad in -0.1 2 much; do
    run 0 some --weight-decay "$bad"
    expect_status 2
    expect_one_stderr_line "dtrain: error: --weight-decay "
done
