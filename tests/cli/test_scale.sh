#!/bin/sh
# --scale, the warning without it, and the advice of a model that learned nothing.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
"$PYTHON" - <<'END'
import numpy as np

rng = np.random.default_rng(7)
x = rng.normal(size=(700, 6)).astype("f4")
y = (x[:, 0] + x[:, 1] + 0.2 * rng.normal(size=700) > 0.5).astype("i8")
raw = (x * np.float32([300, 0.01, 1, 1, 2, 1]) + np.float32([9000, 0.02, 0, 2000, 3, 0])).astype("f4")
raw[:, 4] = x[:, 4] > 2  # an indicator
raw[:, 5] = 77  # a constant
parts = {"train": slice(0, 500), "val": slice(500, 600), "test": slice(600, 700)}
np.savez("raw.npz", **{f"{name}_{part}": {"x": raw, "y": y}[name][rows]
                       for part, rows in parts.items() for name in "xy"})
np.savez("well.npz", x=x, y=y)
np.savez("value.npz", x=raw, y=rng.normal(size=700))
END

# ---- without it ----
run 0 raw.npz --out raw --quiet
expect_status 0
expect_one_stderr_line "dtrain: warning: raw: the inputs are not scaled: column 0 ("
expect_stderr 'column 1 \(-?0\.0[0-9]* to 0\.0[0-9]*\), column 3 \([0-9]+ to [0-9]+\) and 1 more; add --scale standard$'
expect_stdout '^summary.advice=the validation accuracy 0\.[0-9]+ is not above 0\.[0-9]+, .*; try --scale standard$'
cp stderr said
run 3 raw.npz --out raw-3 --quiet
expect_same_file said stderr
run 0 value.npz --out value --quiet --scale standard --epochs 2 --learning-rate 1e-9
expect_stdout '^summary.advice=the validation R2 -?[0-9.]+ is not above 0, .*; try more --epochs, '
run 0 well.npz --out well --quiet
expect_status 0
expect_empty_stderr
expect_no_stdout 'advice'

# ---- with it ----
for scale in standard minmax; do
    run 0 raw.npz --scale $scale --out $scale --epochs 30 --patience 9 --learning-rate 0.02
    expect_status 0
    expect_empty_stderr
    expect_no_stdout 'advice'
    [ "$(summary test_accuracy | cut -c 1-3)" = 0.9 ] || fail "an accuracy of 0.9 or more"
    crc=$(summary weights_crc)
    run 3 --like $scale --out $scale-3 --quiet
    [ "$(summary weights_crc)" = "$crc" ] || fail "the same weights on 3 ranks"
    SCALE=$scale "$PYTHON" - <<'END'
import os

import json

import h5py
import numpy as np

scale = os.environ["SCALE"]
x = np.load("raw.npz")["x_train"].astype("f8")
with h5py.File(f"{scale}/run.h5") as run, h5py.File(f"{scale}/model.h5") as model:
    assert run["config"].attrs["scale"] == scale
    layers = json.loads(model.attrs["model_config"])["config"]["layers"]
config = next(layer["config"] for layer in layers if layer["class_name"] == "Normalization")
found = np.float32([config[name] for name in ("mean", "variance")]).reshape(2, 6)
expected = (x.min(0), np.ptp(x, axis=0) ** 2) if scale == "minmax" else (x.mean(0), x.var(0))
expected = np.float32(expected)
expected[:, 4] = 0, 1  # the indicator
expected[1, 5] = 1  # the constant
assert np.allclose(found, expected, rtol=2e-7, atol=0), found - expected
END
done
# The model takes rows as they are.
run 0 evaluate standard raw.npz --quiet
expect_status 0
[ "$(summary accuracy | cut -c 1-3)" = 0.9 ] || fail "an accuracy of 0.9 or more"
run 0 raw.npz --init-from standard --out more --quiet --epochs 2
expect_status 0
expect_empty_stderr
[ "$(summary val_accuracy | cut -c 1-3)" = 0.9 ] || fail "an accuracy of 0.9 or more"
run 0 raw.npz --scale standard --numeric-embedding piecewise --restarts 2 --out bins --quiet --epochs 4
expect_status 0
expect_empty_stderr
run 0 predict bins raw.npz --out bins.csv --quiet
expect_status 0
expect_stderr 'npz: in [12]?[0-9] of 100 rows an input is outside' # the edges are those of scaled inputs

# ---- refused ----
run 0 raw.npz --init-from standard --scale minmax --out no
expect_status 2
expect_one_stderr_line "--scale minmax was given, but the inputs are scaled as in standard; remove --scale"
printf 'a,b,c\n%s\n' "$(seq 60 | sed 's/\(.*\)/\1,\1,k/; s/[13579],k/x,m/')" | sed 's/x,m/7,m/' >table.csv
run 0 prepare table.csv --target c --out prepared
expect_status 0
run 0 prepared --scale standard --out no
expect_status 2
expect_one_stderr_line "--scale standard was given, but prepared/recipe.json prepares the inputs; remove --scale"
expect_no_file no
run 0 prepared --out prepared/run --quiet --epochs 1
expect_status 0
expect_no_stderr "scale"
