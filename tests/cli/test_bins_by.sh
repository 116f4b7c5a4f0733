#!/bin/sh
# --bins-by tree: the edges are those of a reference in NumPy, for classes and for values, and depend on neither
# the order of the rows nor the ranks; refusals. test_members.sh shows that the weights are the same everywhere.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1

mkdir classes values shuffled
# Inputs with and without ties, with a frequent value, that say nothing of the targets, of 0 and 1, of one value, and
# one that differs from another value in few rows only.
"$PYTHON" - <<'PY'
import numpy as np
from make_data import save
rng = np.random.default_rng(7)
def rows(n):
    x = rng.normal(size=(n, 8)).astype("f4")
    x[:, 1] = np.where(rng.random(n) < 0.7, 0, np.round(50 * x[:, 1]))
    x[:, 2] = np.round(2 * x[:, 2])
    x[:, 4] = x[:, 4] > 0
    x[:, 5] = -0.0
    x[:, 6] = np.where(np.arange(n) < 50, 5, -2)
    x[:, 7] = -0.5
    score = np.sin(4 * x[:, 0]) + 0.02 * x[:, 1] + 0.3 * x[:, 2]**2 + x[:, 4] + 0.3 * rng.normal(size=n)
    y = np.stack([score, 1e6 + 1e5 * np.cos(2 * x[:, 3]) + 1e4 * rng.normal(size=n)], axis=1).astype("f4")
    return x, np.digitize(score, [0.3, 1.2]).astype("i4"), y
for name, n in (("train", 4001), ("validation", 203), ("test", 150)):
    x, classes, y = rows(n)
    save(f"classes/{name}.npz", inputs=x, targets=classes)
    save(f"values/{name}.npz", inputs=x, targets=y)
    order = rng.permutation(n)
    save(f"shuffled/{name}.npz", inputs=x[order], targets=y[order])
PY

edges() {
    name=$1 ranks=$2
    shift 2
    run "$ranks" "$@" --epochs 1 --numeric-embedding piecewise --bins-by tree --out "$name"
    expect_status 0
    run 0 export "$name" --to "$name.npz"
    expect_status 0
}
for data in classes values; do
    edges "$data-48" 3 "$data"
    edges "$data-5" 1 "$data" --bins 5
    for bins in 48 5; do
        "$PYTHON" "$TESTS/cli/check_bins.py" "$data" "$bins" "$data-$bins.npz" >counts ||
            fail "$data: the edges of the reference with $bins bins"
        # Input 0 has as many bins as it may, input 6 has one, and three are not encoded.
        read -r first _ _ _ fifth sixth seventh eighth <counts
        [ "$fifth $sixth $seventh $eighth" = "0 0 2 0" ] || fail "$data, $bins: $(cat counts)"
        [ "$first" -gt 5 ] || fail "$data, $bins: $(cat counts)"
    done
done
[ "$first" -eq 6 ] || fail "five bins, not $first edges"
edges shuffled-48 2 shuffled
"$PYTHON" "$TESTS/cli/check_bins.py" --same values-48.npz shuffled-48.npz || fail "the edges in another order of the rows"

# With the preset, and in the log; --like repeats it.
run 1 classes --preset tabular --bins-by tree --hidden 8 --epochs 1 --out preset
expect_status 0
crc=$(summary weights_crc)
run 2 --like preset --out again
expect_status 0
[ "$(summary weights_crc)" = "$crc" ] || fail "--like: the weights"
run 1 classes --preset tabular --hidden 8 --epochs 1 --out quantile
[ "$(summary weights_crc)" != "$crc" ] || fail "--bins-by tree changes the weights"

# What is refused.
run 1 classes --bins-by tree --out no
expect_status 2
expect_one_stderr_line 'dtrain: error: --bins-by is tree, but --numeric-embedding is none; set --numeric-embedding piecewise, or --bins-by quantile'
run 1 classes --numeric-embedding piecewise --bins-by forest --out no
expect_status 2
run 2 classes --epochs 1 --init-from preset --bins-by tree --out no
expect_status 2
expect_one_stderr_line 'dtrain: error: --bins-by was given, but the bins are those of preset/model.h5; remove --bins-by'
