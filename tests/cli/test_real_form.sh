#!/bin/sh
# The real input's form, on data whose best possible accuracy is known: the tutorial's settings must
# come near it.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1

# at_least VALUE LIMIT WHAT
at_least() {
    "$PYTHON" -c 'import sys; sys.exit(not float(sys.argv[1]) >= float(sys.argv[2]))' "$1" "$2" ||
        fail "$3 is $2 or more, found $1"
}

# ---- without DATA: the built-in example ----
run $(if is_long; then echo 8; else echo 2; fi)
expect_status 0
expect_empty_stderr
expect_stdout '^data +example: 40000 training, 5000 validation, 5000 test rows; 51 inputs, 2 classes$'
at_least "$(summary test_optimum_accuracy)" 0.8 "the best accuracy any model could reach"
at_least "$(summary test_accuracy_of_optimum)" 0.97 "the share of it"
at_least 1.02 "$(summary test_accuracy_of_optimum)" "the share of it cannot be much above 1, so 1.02"
at_least "$(summary test_accuracy)" 0.84 "test_accuracy"
"$PYTHON" - "$(summary test_optimum_accuracy)" "$(summary test_accuracy)" \
    "$(summary test_accuracy_of_optimum)" <<'PY' >wrong 2>&1 || fail "$(cat wrong)"
import sys
import numpy as np
optimum, accuracy, share = map(float, sys.argv[1:])
rows = 0
for part in ("train", "validation", "test"):
    data = np.load(f"results/example/example-{part}.npz")
    x, y, p = data["inputs"], data["targets"], data["probabilities"]
    assert x.dtype == np.float32 and x.shape[1] == 51 and set(np.unique(y)) == {0, 1}
    # The labels come from the probabilities: their mean is within five standard errors.
    error = np.sqrt((p * (1 - p)).sum()) / len(y)
    assert abs(y.mean() - p.mean()) < 5 * error, (part, y.mean(), p.mean(), error)
    best = ((p > 0.5) == y).mean()
    expected = np.maximum(p, 1 - p).mean()
    assert abs(best - expected) < 0.03, (part, best, expected)
    rows += len({row.tobytes() for row in x})
assert rows > 49990, f"all rows are different ones: {rows}"
assert abs(best - optimum) < 1e-8, (best, optimum)
assert abs(accuracy / best - share) < 1e-6, (accuracy, best, share)
PY
crc=$(summary weights_crc)
# Its files are a data set like any other, and every run makes the same.
run 2 --quiet results/example
expect_status 0
[ "$(summary weights_crc)" = "$crc" ] || fail "weights_crc=$crc from the files that the run left"
expect_no_stdout optimum
run 3 --quiet
expect_stdout_line "summary.folder=results/example-3"
[ "$(summary weights_crc)" = "$crc" ] || fail "weights_crc=$crc again"
for part in train validation test; do
    expect_same_file "results/example/example-$part.npz" "results/example-3/example-$part.npz"
done

# ---- the real form: float64 in Fortran order, deflated, standardised numbers and dummies ----
best=$("$PYTHON" - <<'PY'
import numpy as np
random = np.random.default_rng(7)
model = np.random.default_rng(8)
weights = model.standard_normal((2, 24))
for part, rows in (("train", 6000), ("validation", 750), ("test", 4000)):
    numbers = random.standard_normal((rows, 8))
    dummies = np.hstack([np.eye(n)[random.integers(0, n, rows)] for n in (4, 12)])
    x = np.asfortranarray(np.hstack([numbers, dummies]))
    score = x @ weights[0] + np.abs(x @ weights[1]) - 2.5
    p = 1 / (1 + np.exp(-1.5 * score))
    y = (random.random(rows) < p).astype(np.int64)
    assert np.isfortran(x)
    np.savez_compressed(f"form-{part}.npz", inputs=x, targets=y)
print(((p > 0.5) == y).mean())
PY
)
for seed in 1 2 3; do
    run 4 --quiet --seed "$seed" form
    expect_status 0
    at_least "$(summary test_majority_accuracy)" 0.5 "the majority's share"
    at_least 0.7 "$(summary test_majority_accuracy)" "a problem with two sides: 0.7"
    at_least "$(summary test_accuracy)" "$("$PYTHON" -c "print(0.96 * $best)")" "test_accuracy"
    at_least "$(summary train_accuracy)" 0.8 "train_accuracy"
    at_least "$best" "$("$PYTHON" -c "print($(summary test_accuracy) - 0.01)")" "no model beats $best by much:"
done
