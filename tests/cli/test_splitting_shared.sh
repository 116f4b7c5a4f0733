#!/bin/sh
# Rows that stand in several sets are counted, in one line, however the data comes.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy
"$PYTHON" - <<'PY'
import numpy as np

rng = np.random.default_rng(4)
rows = [f"{a:.5f},{b:.4f},{'uvw'[int(3 * a)]},{'no' if a + b < 1 else 'yes'}" for a, b in rng.random((300, 2))]
some = [rows[i] for i in rng.integers(0, 300, 600)]
with open("table.csv", "w", encoding="utf-8") as table:
    table.write("\n".join(["a,b,kind,y", *some]) + "\n")
with open("apart.csv", "w", encoding="utf-8") as table:
    table.write("\n".join(["a,b,kind,y", *rows]) + "\n")
PY
run 0 prepare table.csv --target y --out sets --quiet
expect_status 0
line=$("$PYTHON" - <<'PY'
import numpy as np

sets = {}
for name in ("train", "validation", "test"):
    arrays = np.load(f"sets/{name}.npz")
    sets[name] = [x.tobytes() + y.tobytes() for x, y in zip(arrays["inputs"], arrays["targets"])]


def shared(one, other):
    return f"{sum(row in set(sets[other]) for row in sets[one])} of {len(sets[one])} {one} rows %s {other}"


print("dtrain: warning:", shared("test", "train") % "also occur in" + ",", shared("validation", "train") % "in" + ",",
      shared("test", "validation") % "in" + ", with the same inputs and targets")
PY
)
expect_one_stderr_line "$line"
expect_one_stderr_line "the scores are too good: --drop-duplicates keeps the first"
[ "$(find sets -type f | wc -l)" -eq 4 ] || fail "no temporary file is left"

for ranks in 0 3; do
    run $ranks sets --epochs 1 --quiet --out "arrays-$ranks"
    expect_one_stderr_line "$line"
    run $ranks table.csv --target y --epochs 1 --quiet --out "table-$ranks"
    expect_one_stderr_line "$line"
done

# The same inputs with another target are other rows, and so are those that differ in the last bit.
run 0 prepare apart.csv --target y --out apart --quiet
expect_status 0
expect_empty_stderr
"$PYTHON" - <<'PY'
import numpy as np

train, test = (dict(np.load(f"apart/{name}.npz")) for name in ("train", "test"))
x, y = test["inputs"], test["targets"]
x[:4], y[:4] = train["inputs"][:4], train["targets"][:4]
y[0] = 1 - y[0]
x[1, 0] = np.nextafter(x[1, 0], np.float32(9))
np.savez("data-train", inputs=train["inputs"], targets=train["targets"])
np.savez("data-test", inputs=x, targets=y)
x[2, 0] = np.nextafter(x[2, 0], np.float32(9))
np.savez("single-train", inputs=train["inputs"], targets=train["targets"])
np.savez("single-test", inputs=x, targets=y)
PY
run 2 data --epochs 1 --quiet --validation-split 0 --out other
expect_status 0
expect_one_stderr_line "warning: 2 of 30 test rows also occur in train, with the same inputs and targets; if they are copies, the scores are too good: remove them from one of the sets"
run 0 single --epochs 1 --quiet --validation-split 0 --out single-run
expect_one_stderr_line "warning: 1 of 30 test rows also occurs in train, "
