#!/bin/sh
# dtrain export: a model as .npz, .keras and .h5, and what it refuses. What Keras makes of the last
# two is test_keras.sh's.
. "$(dirname "$0")/harness.sh"
need_python numpy h5py

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

# Values: the arrays have the targets' units; the model is the same except for the reported parts.
"$PYTHON" - <<'EOF'
import numpy as np
r = np.random.default_rng(1)
for part, n in (("train", 300), ("validation", 80), ("test", 80)):
    x = r.normal(size=(n, 4)).astype(np.float32)
    y = np.stack([1000 + 50 * x[:, 0], -3 + 0.01 * x[:, 1] ** 2], 1)
    np.savez(f"v-{part}.npz", inputs=x, targets=y.astype(np.float32))
EOF
run 0 v --epochs 2 --quiet --loss huber --huber-delta 0.7 --out values
expect_status 0
run 0 export values --to values.npz
expect_status 0
expect_empty_stderr
run 0 predict values v-test.npz --out values-p.npz
expect_status 0
"$PYTHON" - <<'EOF' || fail "NumPy computes the same values"
import numpy as np
w, p, d = np.load("values.npz"), np.load("values-p.npz"), np.load("v-test.npz")
assert w["target_mean"].dtype == w["target_deviation"].dtype == np.float64
z = np.maximum(d["inputs"] @ w["kernel_0"] + w["bias_0"], 0) @ w["kernel_1"] + w["bias_1"]
found = z * w["target_deviation"] + w["target_mean"]
assert (abs(found - p["predicted"]) / abs(found)).max() < 1e-6
EOF
run 0 export values --to values.keras
expect_status 0
expect_stdout_line 'values.keras: 212 parameters'
printf '%s\n' 'dtrain: warning: values.keras: does not contain the loss huber; .h5 does' \
    "dtrain: warning: values.keras: does not contain Adam's state, because the model has standardised targets; .h5 does" \
    >lines
expect_same_file stderr lines
run 0 export values --to values.h5
expect_status 0
expect_stdout_line "values.h5: 212 parameters, and Adam's state, which only dtrain reads"
expect_empty_stderr
for model in values.keras values.h5; do
    run 0 predict $model v-test.npz --out q.npz
    expect_status 0
    expect_same_file values-p.npz q.npz
done
run 0 v --init-from values.h5 --epochs 1 --quiet --out values-on
expect_status 0
"$PYTHON" -c 'import h5py; assert h5py.File("values-on/run.h5")["config"].attrs["huber_delta"] == 0.7' ||
    fail "it continues with Huber's delta"
run 0 v --init-from values.keras --epochs 1 --quiet --out keras-on
expect_status 0
expect_empty_stderr
run 0 --epochs 1 --label-smoothing 0.1 --quiet --out smooth
expect_status 0
run 0 export smooth --to smooth.keras
expect_status 0
expect_one_stderr_line 'dtrain: warning: smooth.keras: does not contain the label smoothing 0.1; .h5 does'

# What the file does not keep of the model is said, each in a line.
"$PYTHON" - <<'EOF'
import json
import h5py
import numpy as np
# A model as Keras writes one whose second layer, its last one, has no bias.
with h5py.File("b.h5") as source, h5py.File("nb.h5", "w") as f:
    for name, value in source.attrs.items():
        f.attrs[name] = value
    source.copy("model_weights", f)
    config = json.loads(f.attrs["model_config"])
    layer = [l for l in config["config"]["layers"] if l["class_name"] == "Dense"][1]
    layer["config"]["use_bias"] = False
    f.attrs["model_config"] = json.dumps(config)
    group = f["model_weights"][layer["config"]["name"]]
    kept = [n for n in group.attrs["weight_names"] if "kernel" in (n if isinstance(n, str) else n.decode())]
    inner = group[kept[0]].parent
    for name in [n for n in inner if n.startswith("bias")]:
        del inner[name]
    group.attrs["weight_names"] = np.array([n if isinstance(n, bytes) else n.encode() for n in kept])
    open("nb.name", "w").write(layer["config"]["name"])
# A table with more classes than a .h5 has names for.
with open("many.csv", "w") as f:
    f.write("x,y\n")
    f.writelines(f"{i % 7},c{i % 4033:04}\n" for i in range(3 * 4033))
EOF
for end in keras h5 onnx npz; do
    run 0 export nb.h5 --to nb-made.$end
    [ "$end" = onnx ] && [ "$status" -eq 2 ] && continue # built without it
    expect_status 0
    expect_empty_stderr
    expect_stdout "^nb-made.$end: [0-9]+ parameters"
done
run 0 export nb-made.keras --to again.h5
expect_status 0
expect_empty_stderr
run 0 prepare many.csv --target y --out set --quiet
expect_status 0
run 0 set --hidden 1 --epochs 1 --quiet --out many
expect_status 0
run 0 export many --to many.keras
expect_status 0
"$PYTHON" - <<'EOF'
import json
import zipfile
# With names, and without a recipe, which has them too.
with zipfile.ZipFile("many.keras") as source:
    for with_recipe in ("named", "both"):
        with zipfile.ZipFile(f"{with_recipe}.keras", "w") as f:
            for name in source.namelist():
                if name != "dtrain_recipe.json" or with_recipe == "both":
                    f.writestr(name, source.read(name))
            f.writestr("dtrain_classes.json", json.dumps({"classes": [f"c{i:04}" for i in range(4033)]}))
EOF
run 0 export named.keras --to named.h5
expect_status 0
expect_one_stderr_line \
    "dtrain: warning: named.h5: does not contain the names of the 4033 classes, because a .h5 has room for at most 4032"
for to in 'named names.keras' 'both both.h5'; do
    run 0 export "${to%% *}.keras" --to "${to##* }"
    expect_status 0
    expect_empty_stderr
done
run 0 predict many.keras many.csv
expect_status 0
expect_stdout '^row,class,p_c0000,.*p_c4032$'

# Over what cannot be had again nothing is written.
kept() {
    wanted=$1
    cp "$2" before
    shift 1
    run 0 export "$2" --to "$1"
    expect_status 2
    expect_one_stderr_line "dtrain: error: --to $1: $wanted; choose another file"
    [ ! -s stdout ] || fail "nothing on stdout"
    expect_same_file "$1" before
}
ln -s a.keras link.keras
ln -s run/model.h5 link.h5
kept 'is the model itself' a.keras a.keras
kept 'is the model itself' ./a.keras a.keras
kept 'is the model itself' a.keras link.keras
kept 'is the model itself' link.keras a.keras
kept 'is the model itself' run/model.h5 run
kept 'is the model itself' link.h5 run
kept 'is the log of a run' run/run.h5 run
kept 'is the log of a run' run/run.h5 a.keras
ln -s run/run.h5 log.npz
kept 'is the log of a run' log.npz run
"$PYTHON" - <<'EOF'
import shutil
import h5py
shutil.copy("run/run.h5", "old.h5")
h5py.File("old.h5", "a").attrs["format_version"] = 1
EOF
kept 'is the log of a run' old.h5 run
# An export overwrites another model, and a file that is not HDF5.
cp b.h5 other.h5
echo text >other.keras
for other in other.h5 other.keras; do
    run 0 export run --to $other
    expect_status 0
    expect_empty_stderr
done
expect_same_file other.keras a.keras

refuse() {
    wanted=$1 line=$2
    shift 2
    run 0 export "$@"
    expect_status "$wanted"
    expect_one_stderr_line "dtrain: error: $line"
    expect_no_file x.npz
}
refuse 2 'dtrain export requires --to FILE' run
refuse 2 'dtrain export requires one model, but found 0 words' --to x.npz
refuse 2 '--to is x.pt, but must end in .keras, .h5, .onnx or .npz' run --to x.pt
refuse 3 'run/run.h5: is the log of a run, not its model' run/run.h5 --to x.npz
refuse 3 'nothing: ' nothing --to x.npz
refuse 4 'nowhere/x.npz' run --to nowhere/x.npz
