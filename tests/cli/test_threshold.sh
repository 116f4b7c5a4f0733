#!/bin/sh
# --threshold: the same on any number of ranks and after an interruption, by brute force; used by evaluate and
# predict; in the model file and in the output; refusals.
# long: many runs, most of them on several ranks
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" - <<'PY'
import numpy as np
from make_data import learnable, save_parts
rng = np.random.default_rng(8)
for i, (part, rows) in enumerate((("train", 600), ("validation", 301), ("test", 150))):
    x, y = learnable(rows, seed=1 + i, bend=False)
    y = np.where(rng.random(rows) < 0.25, rng.integers(0, 2, rows), y) # else precision is no matter
    y[rng.random(rows) < 0.4] = 0
    weights = rng.integers(0, 4, rows) / 2
    light = np.where((y == 1) & (part == "validation"), 0, 1.0)
    np.savez(f"some-{part}.npz", inputs=x, targets=y, light=light)
    np.savez(f"heavy-{part}.npz", inputs=x, targets=y, weights=weights)
    np.savez(f"values-{part}.npz", inputs=x, targets=y + 0.5)
    np.savez(f"lone-{part}.npz", inputs=x, targets=y if part != "validation" else 0 * y)
    np.savez(f"equal-{part}.npz", inputs=x if part == "train" else 0 * x, targets=y)
save_parts("three", classes=3)
PY

# chosen NAME RULE OPTIONS...: on one rank and on $others, and if there are any, interrupted. $threshold is
# left. mpi/test_networks has each rule on other ranks.
others="2 3 8" data=some
chosen() {
    name=$1 rule=$2
    shift 2
    set -- "$data" --epochs 4 --patience 9 --batch 50 --learning-rate 0.01 --threshold "${rule#weighted }" "$@"
    run 0 "$@" --out "$name"
    expect_status 0
    expect_empty_stderr
    expect_stdout "^threshold +${rule#weighted }, of class 1; set when training has ended$"
    threshold=$(summary threshold)
    crc=$(summary weights_crc)
    keep_summary "$name"
    for ranks in $others; do
        run "$ranks" "$@" --out "$name-$ranks"
        expect_status 0
        expect_same_run "$name" "$name-$ranks"
    done
    if [ -n "$others" ]; then
        run 3 "$@" --threads 2 --out "$name-threads"
        [ "$(summary threshold)" = "$threshold" ] || fail "$name: the threshold of one thread"
        run 3 "$@" --time-limit 1s --out "$name-stopped"
        expect_status 75
        run 2 --resume "$name-stopped"
        expect_status 0
        [ "$(summary threshold)" = "$threshold" ] || fail "$name: the threshold without an interruption"
    fi
    run 0 predict "$name" "$data-validation.npz" --out "$name.npz" --quiet
    expect_status 0
    run 3 evaluate "$name" "$data-validation.npz"
    expect_status 0
    expect_stdout "^class 1 is predicted if its probability is at least $threshold$"
    mv stdout "$name.said"
    run 0 evaluate "$name" "$data-validation.npz"
    expect_same_file stdout "$name.said"
    "$PYTHON" "$TESTS/cli/check_threshold.py" "$rule" "$name" "$data-validation.npz" "$name.npz" \
        "$name.said" >found 2>wrong || fail "$name: $(cat wrong)"
    [ "$(cat found)" = "$threshold" ] || fail "$name: summary.threshold is $threshold, not $(cat found)"
    [ "$crc" = "$(cat crc 2>/dev/null || echo "$crc")" ] || fail "$name: other weights"
}
chosen f1 f1
echo "$crc" >crc # the threshold does not change the weights
others=''
chosen recall recall=0.8
chosen precision precision=0.6
chosen number 0.3
[ "$threshold" = 0.3 ] || fail "the number is what was given"
rm crc
data=heavy
chosen weighted 'weighted f1' --weights weights

# A run without a threshold has the same weights, no threshold anywhere, and other predictions.
run 0 some --epochs 4 --patience 9 --batch 50 --learning-rate 0.01 --out none
expect_status 0
expect_no_stdout 'threshold'
run 0 predict none some-validation.npz --out none.npz --quiet
cmp -s none.npz f1.npz && fail "other predictions"
run 0 inspect none/model.h5
expect_no_stdout 'probability'
run 0 inspect number/model.h5
expect_stdout '^class 1 is predicted if its probability is at least 0.3$'
run 0 inspect number/model.h5 --json
expect_stdout '^ *"threshold": 0\.29999999999999999,$'
"$PYTHON" -c 'import h5py
assert "threshold" not in h5py.File("none/run.h5")["summary"].attrs
assert "threshold" not in h5py.File("none/model.h5")["dtrain"].attrs["model"]' || fail "no threshold"

# --like repeats the threshold; --init-from does not take it over; other options are another run.
run 0 --like f1 --out again
expect_status 0
cmp -s again/model.h5 f1/model.h5 || fail "the same model, with its threshold"
run 0 some --epochs 1 --init-from number --out next
expect_status 0
expect_no_stdout 'threshold'
run 0 some --epochs 9 --patience 9 --time-limit 1s --threshold f1 --out other
expect_status 75
run 0 --resume other --threshold 0.2
expect_status 2
expect_one_stderr_line "threshold"

# Formats without a place for it.
for format in keras npz onnx; do
    run 0 export number --to "as.$format"
    if [ "$status" -eq 0 ]; then
        expect_one_stderr_line "dtrain: warning: as.$format: does not contain the threshold 0.3: predict class 1 "
    else
        [ "$format" = onnx ] || fail "export to $format" # without protobuf-c
    fi
done
run 0 export number --to as.h5
expect_status 0
expect_empty_stderr
run 0 predict as.h5 some-validation.npz --out exported.npz --quiet
expect_same_file exported.npz number.npz

# What cannot be reached leaves no threshold.
run 3 equal --epochs 1 --threshold precision=1 --out hopeless
expect_status 0
expect_stderr_line "dtrain: warning: --threshold precision=1: no threshold reaches it on the validation set; the more probable class is predicted"
expect_no_stdout "^summary.threshold"

# ---- refusals ----

refuse() {
    text=$1
    shift
    for ranks in 0 3; do
        run "$ranks" "$@" --out refused
        expect_status 2
        expect_one_stderr_line "dtrain: error: $text"
        expect_no_file refused
    done
}
for rule in 0 1.5 -0.1 nan f2 recall recall= recall=0 recall=1.1 precision=x 0.3x; do
    refuse "--threshold is $rule; expected a probability, f1, recall=R or precision=R" some --threshold="$rule"
done
refuse "--threshold 0.3 was given, but there are 3 classes; it requires two" three --threshold 0.3
refuse "--threshold f1 was given, but the targets are values" values --threshold f1
refuse "--threshold f1 needs a validation set; use a number" \
    some-train.npz --validation-split 0 --threshold f1
run 3 lone --threshold recall=1 --out refused
expect_status 2
expect_stderr "^dtrain: error: --threshold recall=1 needs validation rows of class 1"
expect_stderr "^dtrain: warning: the validation set has [0-9]+ rows of class 0 alone: "
expect_no_file refused
refuse "--threshold f1 needs validation rows of class 1, but all of them weigh 0; use a number" \
    some --weights light --threshold f1
run 0 some-train.npz --validation-split 0 --threshold 0.3 --epochs 1 --out lonely
expect_status 0
[ "$(summary threshold)" = 0.3 ] || fail "a number needs no validation set"
