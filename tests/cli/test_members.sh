#!/bin/sh
# --members, --numeric-embedding and --category-embedding: the same weights on any number of ranks, with threads,
# on each set of instructions and after an interruption; the edges of the bins, the columns of categories and the
# waves of numbers; refusals.
# long: many runs, most of them on several ranks
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
: "${DTRAIN_FAULTS:=$(dirname "$DTRAIN")/tests/dtrain-faults}"
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
REAL=$DTRAIN

mkdir classes values
# Numbers with and without ties, one with a frequent value, two that are 0 and 1.
"$PYTHON" - <<'PY'
import numpy as np
from make_data import save
rng = np.random.default_rng(5)
def rows(n):
    x = rng.normal(size=(n, 7)).astype("f4")
    x[:, 1] = np.where(rng.random(n) < 0.8, 0, np.round(50 * x[:, 1]))
    x[:, 2] = np.round(3 * x[:, 2])
    x[:, 3] = x[:, 3] > 0
    x[:, 4] = x[:, 4] > 1
    x[:, 5] = -0.0
    x[:, 6] = np.round(20 * x[:, 6])
    y = (np.sin(3 * x[:, 0]) + x[:, 3] + 0.3 * rng.normal(size=n)).astype("f4")
    return x, y
for name, n in (("train", 801), ("validation", 203), ("test", 150)):
    x, y = rows(n)
    save(f"classes/{name}.npz", inputs=x, targets=(y > 0.5).astype("i4"))
    save(f"values/{name}.npz", inputs=x, targets=y)
PY

cat >common.conf <<'CONF'
epochs = 3
patience = 9
batch = 130
hidden = 40,33
dropout = 0.1
learning-rate = 0.01
ema = 0.9
numeric-embedding = piecewise
init = fan_in_uniform
CONF

# alike NAME DATA OPTIONS... trains on one rank, which leaves the weights in $crc, and on three with threads: the
# same weights. mpi/test_networks has these networks on 1, 2, 3 and 8 ranks, and from a checkpoint.
alike() {
    name=$1
    shift
    set -- --config common.conf "$@"
    run 1 "$@" --out "$name"
    expect_status 0
    crc=$(summary weights_crc) loss=$(summary val_loss)
    run 3 "$@" --threads 2 --overlap on --out "$name-3"
    expect_status 0
    [ "$(summary weights_crc) $(summary val_loss)" = "$crc $loss" ] || fail "$name: one rank's weights on 3"
}

# same_everywhere, likewise, also trains on 2 and 8 ranks, with each set of instructions, and interrupted.
same_everywhere() {
    alike "$@"
    shift
    set -- --config common.conf "$@"
    for ranks in 2 8; do
        run "$ranks" "$@" --out "$name-$ranks"
        expect_status 0
        [ "$(summary weights_crc) $(summary val_loss)" = "$crc $loss" ] || fail "$name: one rank's weights on $ranks"
    done
    for isa in avx512 avx2 portable; do
        DTRAIN_ISA=$isa
        export DTRAIN_ISA
        run 1 "$@" --out "$name-$isa"
        unset DTRAIN_ISA
        ! grep -q 'this CPU does not have it' stderr || continue
        expect_status 0
        [ "$(summary weights_crc)" = "$crc" ] || fail "$name: the same weights with $isa"
    done
    DTRAIN=$DTRAIN_FAULTS DTRAIN_FAULT=signal:0:16
    export DTRAIN_FAULT
    run 3 "$@" --out "$name-stopped"
    unset DTRAIN_FAULT
    DTRAIN=$REAL
    expect_status 75
    run 2 --resume "$name-stopped"
    expect_status 0
    [ "$(summary weights_crc)" = "$crc" ] || fail "$name: the weights without an interruption"
    run 1 "$@" --engine blas --sum fast --out "$name-blas"
    expect_status 0
}
same_everywhere members classes --members 8
members=$crc
alike one classes --bins 16 --embedding-width 11
[ "$crc" != "$members" ] || fail "the weights without members"
quantile=$crc
alike tree classes --bins 16 --embedding-width 11 --bins-by tree
[ "$crc" != "$quantile" ] || fail "the weights with bins by quantiles"
alike tree-values values --bins-by tree
alike norm values --members 3 --norm layer --residual --hidden 40,40
alike full classes --members 8 --members-kind full
full=$crc
[ "$full" != "$members" ] || fail "the weights of other members"
alike full-norm values --members 3 --members-kind full --norm batch --residual --hidden 40,40
alike waves classes --numeric-embedding periodic --frequency-scale 0.5 --members 3
waves=$crc
same_everywhere waves-one values --numeric-embedding periodic --frequencies 17 --embedding-width 11 --noise 0.1
[ "$crc" != "$waves" ] || fail "the weights with members"

# Categories, which only data with a recipe has.
"$PYTHON" "$TESTS/cli/make_table.py" table.csv 1003 3
run 0 prepare table.csv --target outcome --drop key --fill indicator,category --out table --quiet
expect_status 0
alike categories table --category-embedding 5
[ "$crc" ] && categories=$crc
same_everywhere categories-members table --category-embedding 32 --members 3 --noise 0.1 --norm rms
alike categories-waves table --category-embedding 6 --numeric-embedding periodic
alike categories-alone table --category-embedding 8 --numeric-embedding none
[ "$crc" != "$categories" ] || fail "the weights without bins"

# What is validated is what evaluate and predict compute.
run 1 classes --epochs 2 --numeric-embedding piecewise --members 8 --out run
loss=$(summary test_loss)
run 3 evaluate run classes --set test
expect_status 0
awk "BEGIN { exit !(($(summary loss) - $loss)^2 < 1e-16) }" </dev/null ||
    fail "evaluate: the loss of the run, $loss: $(summary loss)"
run 0 predict run classes/test.npz --out predicted.npz
expect_status 0
grep -Eq '^dtrain: warning: classes/test.npz: in [1-9][0-9]* of 150 rows an input is outside the range of the training rows$' stderr ||
    fail "rows outside the training range are counted: $(cat stderr)"
run 3 predict run classes/train.npz --out predicted-train.npz
expect_empty_stderr
run 0 export run/model.h5 --to weights.npz
expect_status 0
"$PYTHON" - <<'PY' || fail "edges and predictions of NumPy"
import numpy as np
w, made = np.load("weights.npz"), np.load("predicted.npz")
x = np.load("classes/train.npz")["inputs"] + np.float32(0)
find = {n.split("/")[-1]: n for n in w.files}
arrays = {n: w[n] for n in w.files}
def get(word): return [v for k, v in arrays.items() if word in k]
counts, edges = get("edge_counts")[0], [v for k, v in arrays.items() if "edges" in k][0]
expected, encoded = [], []
for d in range(x.shape[1]):
    u, c = np.unique(x[:, d], return_counts=True)
    n = 0
    if len(u) > 1 and not set(u) <= {0, 1}:
        limit = 128 if c.max() >= 0.1 * len(x) else 48
        if len(u) > limit + 1:
            r = np.sqrt(c.astype(float))
            F = (np.cumsum(r) - r / 2 - r[0] / 2) / (r.sum() - r[0] / 2 - r[-1] / 2)
            u = u[np.unique([np.argmax(F >= j / 48 - 1e-12) for j in range(49)])]
        n = len(u)
        encoded.append((d, u))
        expected.append(u)
    assert counts[d] == n, (d, counts[d], n)
assert np.array_equal(edges, np.concatenate(expected))
assert sorted({len(u) for _, u in encoded}) != [49], "inputs of different kinds"
PY

# What the network is, in the banner and in a table.
run 1 classes --epochs 1 --numeric-embedding piecewise --members 8 --hidden 40,33 --dropout 0.1 --out shape
expect_stdout '^model +7-40-33-2, 8 members, [0-9]+ bins x 8, relu, dropout 0.1, softmax; P = [0-9]+ parameters$'
run 0 inspect shape/model.h5
expect_stdout '^layer +outputs +members +options +parameters$'
expect_stdout '^piecewise_linear +35 +1 +inputs 4, edges [0-9]+, width 8 +[0-9]+$'
expect_stdout '^member_scale +35 +8 +280$'
expect_stdout '^dense +40 +8 +activation relu +1440$'
expect_stdout '^member_dense +2 +8 +544$'
[ "$(awk '/^layer/, /^$/ { if (length > 79) wide++ } END { print wide + 0 }' stdout)" -eq 0 ] ||
    fail "a table of at most 79 columns: $(cat stdout)"

run 1 classes --epochs 1 --numeric-embedding piecewise --members 8 --members-kind full --hidden 40,33 --out shape-full
expect_stdout '^model +7-40-33-2, 8 full members, [0-9]+ bins x 8, relu, softmax; P = [0-9]+ parameters$'
run 0 inspect shape-full/model.h5
expect_stdout '^member_scale +35 +8 +280$'
expect_stdout '^dense +40 +8 +activation linear, bias none +1400$'
expect_stdout '^member_scale_1 +40 +8 +start ones, shifts members +640$'
expect_stdout '^activation +40 +8 +activation relu +0$'
expect_stdout '^member_scale_2 +40 +8 +start ones +320$'
[ "$(awk '/^layer/, /^$/ { if (length > 79) wide++ } END { print wide + 0 }' stdout)" -eq 0 ] ||
    fail "a table of at most 79 columns: $(cat stdout)"

# Of the columns of a table with an indicator, which is not a category, and a category of missing cells.
"$PYTHON" - <<'PY' >expected || fail "the columns of the recipe"
import json
import h5py
import numpy as np
with h5py.File("categories/model.h5") as f:
    groups = f["dtrain/tensors/category_embedding/groups"][...].astype(int)
    table = f["dtrain/tensors/category_embedding/table"][...]
columns = [c for c in json.load(open("table/recipe.json"))["columns"] if c["role"] == "categorical"]
x = np.load("table/train.npz")["inputs"]
sizes = [len(c["categories"]) + c["rare"] + (c["fill"] == "category") for c in columns]
expected = np.repeat([1, 2, 3], sizes)
n = len(expected)
assert list(groups[-n:]) == list(expected) and not groups[:-n].any(), groups
assert table.shape == (n, 5) and set(x[:, -n:].ravel()) == {0, 1} and (x[:, -n:].sum(axis=1) == 3).all()
print(len(groups), x.shape[1], n)
PY
read -r groups inputs found <expected
run 1 table --epochs 1 --numeric-embedding piecewise --category-embedding 5 --hidden 9 --out shape-2
expect_stdout "^model +$inputs-9-3, [0-9]+ bins x 8, 3 categories x 5, relu, softmax; P = [0-9]+ parameters\$"
run 0 inspect shape-2/model.h5
expect_stdout "^category_embedding +$((groups - found + 15)) +inputs $found, columns 3, width 5 +$((5 * found))\$"
[ "$(awk '/^layer/, /^$/ { if (length > 79) wide++ } END { print wide + 0 }' stdout)" -eq 0 ] ||
    fail "a table of at most 79 columns: $(cat stdout)"
run 3 evaluate categories table --set test
expect_status 0
run 0 predict categories table.csv --out predicted.csv
expect_status 0
for suffix in npz keras h5; do
    run 0 export categories --to "categories.$suffix"
    expect_status 0
done
run 2 table --epochs 1 --init-from categories --out more-2
expect_status 0
expect_stdout '^model +.*, 3 categories x 5, '
run 2 table --epochs 1 --init-from categories --category-embedding 4 --out no
expect_status 2
expect_one_stderr_line 'dtrain: error: --category-embedding is 4, but categories/model.h5 has 5; remove --category-embedding'

# Exports: the arrays, and that Keras's part is in model.h5; test_keras.sh compares what they compute.
run 0 export shape --to shape.npz
expect_status 0
run 0 export shape --to shape.keras
expect_status 0
grep -q "does not contain Adam's state, because the model has an encoding or members" stderr || fail "the state: $(cat stderr)"
"$PYTHON" - <<'PY' || fail "the arrays of members and bins"
import h5py
import numpy as np
with np.load("shape.npz") as a, h5py.File("shape/model.h5") as f:
    bins = int(a["edge_counts"].sum()) - 4
    shapes = {"slope_0": (4, 8), "shift_0": (4, 8), "bins_0": (bins, 8), "edge_counts": (7,), "edges": (bins + 4,),
              "member_scale_0": (8, 35), "kernel_0": (35, 40), "bias_0": (40,), "kernel_1": (40, 33),
              "bias_1": (33,), "member_kernel_0": (8, 33, 2), "member_bias_0": (8, 2)}
    assert {n: a[n].shape for n in a.files} == shapes, {n: a[n].shape for n in a.files}
    keras = f["model_weights/member_outputs/member_outputs/kernel:0"][...]
    assert np.array_equal(keras, a["member_kernel_0"])
PY

# Waves: predictions of NumPy from the exported arrays; unchanged inputs come last.
run 0 export waves --to waves.npz
expect_status 0
run 3 predict waves classes/test.npz --out predicted-waves.npz
expect_status 0
expect_empty_stderr
"$PYTHON" - <<'PY' || fail "predictions of NumPy from waves"
import numpy as np
with np.load("waves.npz") as a:
    a = {n: a[n].astype("f8") for n in a.files}
x = np.load("classes/test.npz")["inputs"].astype("f8")
encoded = a["encoded"] > 0
assert list(np.flatnonzero(encoded)) == [0, 1, 2, 6], encoded
v = 2 * np.pi * x[:, encoded, None] * a["periodic_frequencies_0"]
F = np.concatenate([np.cos(v), np.sin(v)], axis=2)
h = np.maximum(F @ a["periodic_kernel_0"] + a["periodic_bias_0"], 0).reshape(len(x), -1)
h = np.concatenate([h, x[:, ~encoded]], axis=1)[:, None, :] * a["member_scale_0"]
assert np.ptp(a["member_scale_0"][:, :32].reshape(3, 4, 8), axis=2).max() > 0, "trained"
for layer in "01":
    h = np.maximum(h @ a["kernel_" + layer] + a["bias_" + layer], 0)
z = np.einsum("nkh,khc->nkc", h, a["member_kernel_0"]) + a["member_bias_0"]
e = np.exp(z - z.max(axis=2, keepdims=True))
p = (e / e.sum(axis=2, keepdims=True)).mean(axis=1)
worst = np.abs(p - np.load("predicted-waves.npz")["probabilities"]).max()
assert worst < 1e-5, worst
PY
run 0 export waves --to waves.keras
expect_status 2
expect_one_stderr_line 'dtrain: error: waves.keras: Keras has no layer for the sines and cosines of --numeric-embedding periodic; export to .onnx, to .npz, or to .h5, which only dtrain reads'
[ ! -e waves.keras ] || fail "a refused export leaves no file"
run 1 classes --epochs 1 --numeric-embedding periodic --frequencies 9 --members 8 --hidden 40 --out shape-3
expect_stdout '^model +7-40-2, 8 members, 9 frequencies x 8, relu, softmax; P = [0-9]+ parameters$'
expect_stderr_line 'dtrain: warning: shape-3/model.h5: only dtrain opens it: Keras has no layer for the sines and cosines of --numeric-embedding periodic'
run 0 inspect shape-3/model.h5
expect_stdout '^periodic +35 +1 +inputs 4, frequencies 9, width 8, [^ ]+ +188$'
run 2 classes --epochs 1 --init-from shape-3 --out more-3
expect_status 0
expect_stdout '^model +.*, 9 frequencies x 8, '
run 2 classes --epochs 1 --init-from shape-3 --frequencies 8 --out no
expect_status 2
expect_one_stderr_line 'dtrain: error: --frequencies is 8, but shape-3/model.h5 has 9; remove --frequencies'

# A model is where a run begins, with its edges.
run 2 classes --epochs 1 --init-from run --out more
expect_status 0
run 2 classes --epochs 1 --init-from run --members 4 --out no
expect_status 2
expect_one_stderr_line 'dtrain: error: --members is 4, but run/model.h5 has 8; remove --members'
run 2 classes --epochs 1 --init-from run --bins 4 --out no
expect_status 2
expect_one_stderr_line 'dtrain: error: --bins was given, but the bins are those of run/model.h5; remove --bins'

run 2 classes --epochs 1 --init-from run --members-kind full --out no
expect_status 2
expect_one_stderr_line 'dtrain: error: --members-kind is full, but run/model.h5 has mini; remove --members-kind'
run 2 classes --epochs 1 --init-from full --out more-full
expect_status 0
expect_stdout '^model +7-40-33-2, 8 full members, '
run 2 classes --like full/run.h5 --out like-full
expect_status 0
[ "$(summary weights_crc)" = "$full" ] || fail "the weights of full members by --like"

# What is refused.
run 1 classes --members-kind full --out no
expect_status 2
expect_one_stderr_line 'dtrain: error: --members-kind full requires --members of 2 or more; set --members, or --members-kind mini'
run 2 classes --members-kind full --members 2 --hidden none --out no
expect_status 2
expect_one_stderr_line 'dtrain: error: --members-kind full changes hidden layers, but --hidden is none; set --hidden, or --members-kind mini'
run 1 classes --bins 4 --out no
expect_status 2
expect_one_stderr_line 'dtrain: error: --bins is 4, but --numeric-embedding is none; set --numeric-embedding piecewise, or --bins 48'
run 1 classes --bins 4 --numeric-embedding periodic --out no
expect_status 2
expect_one_stderr_line 'dtrain: error: --bins is 4, but --numeric-embedding is periodic; set --numeric-embedding piecewise, or --bins 48'
run 1 classes --frequency-scale 2 --numeric-embedding piecewise --out no
expect_status 2
expect_one_stderr_line 'dtrain: error: --frequency-scale is 2, but --numeric-embedding is piecewise; set --numeric-embedding periodic, or --frequency-scale 0.01'
for words in '--frequencies 0' '--frequencies 257' '--frequency-scale 0' '--embedding-width 33'; do
    # shellcheck disable=SC2086
    run 1 classes --numeric-embedding periodic $words --out no
    expect_status 2
done
run 1 classes --numeric-embedding piecewise --bins 1 --out no
expect_status 2
run 1 classes --members 0 --out no
expect_status 2
"$PYTHON" -c '
import numpy as np
from make_data import save
x = (np.random.default_rng(1).random((60, 16)) > 0.5).astype("f4")
save("binary.npz", inputs=x, targets=x[:, 0].astype("i4"))'
run 1 binary.npz --epochs 1 --numeric-embedding piecewise --out binary
expect_status 0
expect_one_stderr_line 'dtrain: warning: --numeric-embedding has no effect: no input has values beside 0 and 1'

run 1 binary.npz --epochs 1 --numeric-embedding periodic --out binary-waves
expect_status 0
expect_one_stderr_line 'dtrain: warning: --numeric-embedding has no effect: no input has values beside 0 and 1'

run 3 classes --epochs 1 --category-embedding 4 --out plain
expect_status 0
expect_stderr_line 'dtrain: warning: --category-embedding has no effect: the data has no recipe with a column of categories'
expect_stdout '^model +7-30-2, relu, softmax; '
run 1 classes --category-embedding 33 --out no
expect_status 2

# spoil MODEL DATA LAYER DATASET CHANGE...: each CHANGE of the dataset `a` in a copy of the model is refused.
spoil() {
    model=$1 data=$2 layer=$3 dataset=$4
    shift 4
    for change in "$@"; do
        cp "$model/model.h5" bad.h5
        "$PYTHON" - "$dataset" "$change" <<'PY'
import sys
import h5py
with h5py.File("bad.h5", "r+") as file:
    found = file["dtrain/tensors/" + sys.argv[1]]
    a = found[...]
    exec(sys.argv[2])
    found[...] = a
PY
        run 0 evaluate bad.h5 "$data"
        expect_status 3
        grep -q "^dtrain: error: bad.h5: $layer: " stderr || fail "$dataset, $change: $(cat stderr)"
    done
}
# Columns, edges, and inputs that are neither encoded nor not: in another order, or of another number.
spoil categories table 'layer 2 (category_embedding)' category_embedding/groups \
    'a[-1] = 9' 'a[-1] = 1' 'a[0] = 1' 'a[-1] = 2.5' 'a[-1] = 0'
spoil run classes 'layer 1 (piecewise_linear)' piecewise_linear/edges 'a[1] = a[0]'
spoil run classes 'layer 1 (piecewise_linear)' piecewise_linear/edge_counts 'a[0] += 1' 'a[3] = 2' 'a[0] = 1.5'
spoil waves classes 'layer 1 (periodic)' periodic/encoded 'a[0] = 0' 'a[3] = 1' 'a[0] = 0.5' 'a[0] = 2'

# A layer that the tensors do not fit.
for change in 'frequencies 47' 'frequencies 0' 'width 40' 'scale -1' 'inputs 8'; do
    cp waves/model.h5 bad.h5
    "$PYTHON" - "${change% *}" "${change#* }" <<'PY'
import json
import sys
import h5py
with h5py.File("bad.h5", "r+") as file:
    model = json.loads(file["dtrain"].attrs["model"])
    layer = next(l for l in model["layers"] if l["kind"] == "periodic")
    assert sys.argv[1] in layer
    layer[sys.argv[1]] = int(sys.argv[2])
    file["dtrain"].attrs["model"] = json.dumps(model)
PY
    run 0 evaluate bad.h5 classes
    expect_status 3
    expect_one_stderr_line 'dtrain: error: bad.h5: '
done
