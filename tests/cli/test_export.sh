#!/bin/sh
# dtrain export: a model as .npz, .keras and .h5, and what it refuses. What Keras makes of the last
# two is test_keras.sh's.
. "$(dirname "$0")/harness.sh"
need_python numpy

run 0 --epochs 2 --hidden 12,7 --activation tanh --quiet --out run
expect_status 0

# NumPy computes from the arrays what dtrain predicts.
run 0 export run --to weights.npz
expect_status 0
expect_stdout_line 'weights.npz: 731 parameters'
run 0 predict run run/example-test.npz --out p.npz
expect_status 0
"$PYTHON" - <<'EOF' || fail "NumPy computes the same"
import numpy as np
w, p, d = np.load("weights.npz"), np.load("p.npz"), np.load("run/example-test.npz")
names = [f"{kind}_{i}" for kind in ("bias", "kernel") for i in range(3)]
assert sorted(w.files) == names, w.files
x = d["inputs"].astype(np.float32)
for i in range(2):
    x = np.tanh(x @ w[f"kernel_{i}"] + w[f"bias_{i}"])
z = x @ w["kernel_2"] + w["bias_2"]
e = np.exp(z - z.max(1, keepdims=True))
assert abs(e / e.sum(1, keepdims=True) - p["probabilities"]).max() < 1e-6
EOF

# Through .keras and .h5 and back it stays the same model, with Adam's state.
run 0 export run/model.h5 --to a.keras
expect_status 0
expect_stdout_line "a.keras: 731 parameters, and Adam's state"
run 0 export a.keras --to b.h5
expect_status 0
run 0 export b.h5 --to c.keras
expect_status 0
expect_same_file a.keras c.keras
for model in a.keras b.h5; do
    run 0 predict $model run/example-test.npz --out q.npz
    expect_status 0
    expect_same_file p.npz q.npz
done

refuse() {
    wanted=$1 line=$2
    shift 2
    run 0 export "$@"
    expect_status "$wanted"
    expect_one_stderr_line "dtrain: error: $line"
    expect_no_file x.npz
}
refuse 2 'dtrain export needs --to FILE' run
refuse 2 'dtrain export takes one model, not 0 words' --to x.npz
refuse 2 '--to is x.pt, but must end in .keras, .h5, .onnx or .npz' run --to x.pt
refuse 3 'run/run.h5: is the log of a run, not its model' run/run.h5 --to x.npz
refuse 3 'nothing: ' nothing --to x.npz
refuse 4 'nowhere/x.npz' run --to nowhere/x.npz
