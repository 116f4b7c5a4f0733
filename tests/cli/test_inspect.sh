#!/bin/sh
# dtrain inspect: arrays, recipes, models and runs, as text and as JSON; what it refuses.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py

# check PYTHON: holds for d, the one JSON object on stdout (a NaN in it would be refused).
check() {
    "$PYTHON" - "$1" <<'PY' || fail "this holds for the JSON on stdout: $1"
import json, sys
def refuse(name): raise ValueError(name)
d = json.loads(open("stdout", encoding="utf-8").read(), parse_constant=refuse)
a = {array["name"]: array for array in d.get("arrays", [])}
sys.exit(0 if eval(sys.argv[1]) else 1)
PY
}

# ---- .npz ----
"$PYTHON" - <<'PY'
import io, warnings, zipfile
import numpy as np
x = np.asfortranarray(np.random.default_rng(1).normal(size=(9000, 3)))
np.save("x", x)
x = x.copy(order="F")
x[3, 1], x[5, 2], x[6, 0], x[8999, 2] = np.nan, np.inf, -np.inf, 50
np.savez_compressed("arrays.npz", inputs=x, targets=(np.arange(9000) % 3 == 0).astype("f4"),
                    many=np.arange(90000) // 3, column=np.array([[-1], [7], [7]], ">i2"),
                    most=np.arange(131072) // 2, over=np.arange(131074) // 2, ids=np.arange(50),
                    halves=np.array([1.5, 2]), flags=np.array([True, False, True]),
                    beyond=np.full(3, 2.0**60), minus=np.array([0.0, -0.0, 1.0]),
                    scalar=np.float16(3), empty=np.zeros((0, 4), "f4"), nothing=np.full(2, np.nan),
                    image=np.full((5, 2, 3), 9, "u1"), prices=np.repeat(np.arange(101.0), 2),
                    large=np.full(2, 1.7e308), far=np.array([-1e9, 1e9, 6, 6.5]))
np.savez("unusable.npz", good=np.ones((3, 2), "f4"), labels=np.array(["a", None], object),
         texts=np.array(["ab"]))
data = bytearray(open("unusable.npz", "rb").read())
data[data.find(b"\0\0\x80\x3f" * 2) + 2] ^= 1
open("damaged.npz", "wb").write(data)
open("cut.npz", "wb").write(data[:300])
np.savez("names.npz", **{"new\nline\x1b[31m \xe9": np.arange(3)})
open("prefixed", "wb").write(b"bytes before it" + open("names.npz", "rb").read())
def npy(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()
warnings.simplefilter("ignore")
with zipfile.ZipFile("twice.npz", "w") as z:
    z.writestr("x.npy", npy(np.ones(3)))
    z.writestr("x.npy", npy(np.ones(5)))
    z.writestr("notes.txt", "no array")
with zipfile.ZipFile("none.npz", "w") as z:
    pass
with zipfile.ZipFile("count.npz", "w") as z:
    for i in range(1001):
        z.writestr(f"a{i}.npy", npy(np.zeros(2)))
open("table.csv", "w").write("a,b\n1,2\n")
open("empty", "w").close()
PY

run 0 inspect arrays.npz
expect_status 0
expect_empty_stderr
expect_stdout_line 'arrays.npz: .npz with 18 arrays'
expect_stdout '^inputs +<f8 +\[9000, 3\] +Fortran .* 50 .* 1 +2$'
expect_stdout '^column +>i2 +\[3, 1\] +C .* -1 +7 +4\.33333 +3\.77124 +0 +0$'
expect_stdout '^far .* -1000000000 +1000000000 +3[.]125 +707106781 +0 +0$'
expect_stdout '^scalar +<f2 +\[\] +C .* 3 +3 +3 +0 +0 +0$'
expect_stdout '^empty +<f4 +\[0, 4\] +C .* - +- +- +- +0 +0$'
expect_stdout '^nothing .* - +- +- +2 +0$'
expect_stdout_line 'targets: 2 classes'
expect_stdout_line '      0  6000  66.67 %'
expect_stdout_line '      1  3000  33.33 %'
expect_stdout_line '     19     3  0.00 %' # the last of twenty
expect_stdout_line 'many: 30000 classes'
expect_stdout_line '  ... and 29980 more'
expect_stdout_line 'most: 65536 classes'
expect_stdout_line 'ids: 50 classes, one row each'
expect_stdout_line 'prices: 101 different whole numbers'
expect_no_stdout '^(over|halves|beyond|scalar|image|inputs|nothing|empty): '
expect_no_stdout ' $'

run 0 inspect --json arrays.npz
expect_status 0
expect_empty_stderr
check 'd["file"] == "arrays.npz" and d["kind"] == "npz" and d["array_count"] == 18 == len(a)'
check 'a["inputs"]["shape"] == [9000, 3] and a["inputs"]["order"] == "Fortran"'
check 'a["inputs"]["nan_count"] == 1 and a["inputs"]["infinite_count"] == 2'
check 'a["inputs"]["max"] == 50 and a["inputs"]["stored_bytes"] < a["inputs"]["plain_bytes"]'
check 'a["inputs"]["plain_bytes"] == 128 + 9000 * 3 * 8'
check 'abs(a["inputs"]["mean"]) < 0.02 and "classes" not in a["inputs"]'
check '0.5 < a["inputs"]["deviation"] < 2 and a["nothing"]["deviation"] is None'
check 'a["nothing"]["min"] is None and a["nothing"]["mean"] is None'
check 'a["targets"]["classes"] == [{"class": 0, "rows": 6000, "share": 6000 / 9000},
                                   {"class": 1, "rows": 3000, "share": 3000 / 9000}]'
check '[c["class"] for c in a["column"]["classes"]] == [-1, 7]'
check '[c["rows"] for c in a["flags"]["classes"]] == [1, 2]'
check '[(c["class"], c["rows"]) for c in a["minus"]["classes"]] == [(0, 2), (1, 1)]'
check '[c["class"] for c in a["most"]["classes"]] == list(range(65536))'
check '{c["rows"] for c in a["most"]["classes"]} == {2}'
check '"classes" not in a["over"] and "classes" not in a["beyond"]'
check 'a["large"]["mean"] == 1.7e308 and a["image"]["mean"] == 9'

run 0 inspect unusable.npz
expect_status 0
expect_stdout '^labels +- '
expect_stdout "^array 'labels': expected numbers, found pickled Python objects"
expect_stdout "^array 'texts': expected numbers, found strings"
run 0 inspect --json unusable.npz
check '"pickled" in a["labels"]["unusable"] and a["good"]["max"] == 1'

# What is whole is shown; the exit status and stderr tell of the rest.
run 0 inspect damaged.npz
expect_status 3
expect_one_stderr_line "dtrain: error: damaged.npz: array 'good' is damaged: its CRC-32"
expect_stdout "^array 'labels': expected numbers"
run 0 inspect damaged.npz --json
expect_status 3
expect_one_stderr_line "is damaged: its CRC-32"
check '"CRC-32" in a["good"]["damaged"] and "max" not in a["good"] and "unusable" in a["texts"]'

run 0 inspect twice.npz
expect_status 0
expect_stdout_line "array 'x' is hidden by a later one of this name"
expect_stdout '^x +<f8 +\[5\] '

run 0 inspect names.npz
expect_status 0
expect_stdout '^new\?line\?\[31m'
run 0 inspect --json prefixed
expect_status 0
check 'list(a) == ["new\nline\x1b[31m \xe9"]'
run 0 inspect none.npz
expect_status 0
expect_stdout_line 'none.npz: .npz with 0 arrays'
run 0 inspect --json none.npz
check 'd["arrays"] == []'
run 0 inspect count.npz
expect_stdout_line '... and 1 more'

# ---- recipes ----
cat >recipe.json <<'JSON'
{"dtrain_recipe": 1, "separator": ";", "decimal": ",", "missing": ["NA"], "unseen": "error",
 "target": {"column": "deposit", "classes": ["no", "yes"]},
 "columns": [
  {"name": "id", "role": "dropped"},
  {"name": "job", "role": "categorical", "categories": ["admin.", "none"], "rare": true,
   "fill": "mode"},
  {"name": "age", "role": "numeric", "scale": "log", "center": 1.5, "spread": 2, "fill": "indicator",
   "fill_number": 40},
  {"name": "balance", "role": "numeric", "scale": "quantile", "knots": [-1, 0, 9], "fill": "error"},
  {"name": "deposit", "role": "target"}],
 "inputs": 6}
JSON
cp recipe.json some.npz
run 0 inspect some.npz # the content counts, not the name
expect_status 0
expect_empty_stderr
expect_stdout_line 'some.npz: recipe of 5 columns; 6 inputs, 2 classes'
expect_stdout 'separator semicolon, decimal comma; missing values: empty cells, NA; unseen .* error$'
expect_stdout '^id +dropped +- +- +- +-$'
expect_stdout '^job +categorical +3 +3 +mode \(rare\) +2 and the rare ones: admin\., none$'
expect_stdout '^age +numeric +2 +0 +indicator 40 +log, center 1\.5, spread 2$'
expect_stdout '^balance +numeric +1 +2 +error +quantile, 3 knots from -1 to 9$'
expect_stdout '^deposit +target +- +- +- +2 classes: no, yes$'
expect_no_stdout ' $'
run 0 inspect --json recipe.json
expect_status 0
check 'd["kind"] == "recipe" and d["inputs"] == 6 and d["classes"] == ["no", "yes"]'
check '[c.get("first_input") for c in d["columns"]] == [None, 3, 0, 2, None]'
check '[c["inputs"] for c in d["columns"]] == [0, 3, 2, 1, 0]'
check 'd["columns"][1]["fill_text"] is None and d["columns"][2]["fill_number"] == 40'
sed 's/"spread": 2/"spread": 0/' recipe.json >spread.json
run 0 inspect spread.json
expect_status 3
expect_one_stderr_line "dtrain: error: spread.json: column 'age': spread is 0, but must be positive"
[ ! -s stdout ] || fail "nothing on stdout"

# ---- a run and its model ----
run 1 --epochs 3 --hidden 7,4 --out here
expect_status 0
accuracy=$(summary test_accuracy)
run 0 inspect here/run.h5
expect_status 0
expect_empty_stderr
expect_stdout_line 'here/run.h5: run; status: ok; 3 epochs'
expect_stdout '^epoch +[123] +3$'
expect_stdout '^  hidden +7,4$'
expect_stdout '^  dtrain_version +[0-9.]+$'
run 0 inspect --json here/run.h5
expect_status 0
check 'd["kind"] == "run" and d["status"] == "ok" and d["epoch_count"] == 3'
check 'd["ranks"]["rank"] == [0] and d["ranks"]["rows"] == [d["data"]["train_rows"]] and "host" not in d["ranks"]'
check 'd["ranks"]["allreduce_s"][0] >= 0 and d["ranks"]["wait_s"] in ([0], [None])'
check 'd["last_epoch"]["epoch"] == 3 and d["best_epoch"]["epoch"] == d["summary"]["best_epoch"]'
check "abs(d['evaluation_test']['accuracy'] - $accuracy) < 1e-8 and d['config']['epochs'] == 3"
run 0 inspect here/model.h5
expect_status 0
expect_empty_stderr
expect_stdout '^here/model.h5: model; [0-9]+ inputs, 2 classes, P = [0-9]+ parameters$'
expect_stdout '^dense_1 +4 +activation relu +32$'
expect_stdout '^dense_2 +2 +activation linear +10$'
# One byte of each dataset, and of the metadata, is changed.
"$PYTHON" - <<'PY'
import h5py
for path in ("here/run.h5", "here/model.h5"):
    places = {"head": 40}
    with h5py.File(path) as file:
        def place(name, item):
            if isinstance(item, h5py.Dataset) and item.size:
                of = item.id
                at = of.get_offset() if item.chunks is None else of.get_chunk_info(0).byte_offset
                places[name] = at + item.size * item.dtype.itemsize // 2
        file.visititems(place)
    whole = open(path, "rb").read()
    for number, at in enumerate(places.values()):
        data = bytearray(whole)
        data[at] ^= 1
        open(f"{path[5:-3]}-damaged-{number}.h5", "wb").write(data)
assert len(places) > 2
PY
for file in run-damaged-*.h5 model-damaged-*.h5; do
    run 0 inspect "$file"
    expect_status 3
    expect_one_stderr_line "dtrain: error: $file: damaged HDF5 file: its CRC-32 is "
    [ ! -s stdout ] || fail "nothing on stdout"
done
rm -f ./*-damaged-*.h5
"$PYTHON" - <<'PY'
import h5py
model = h5py.File("here/model.h5", "a")
model.attrs["dtrain_recipe"] = open("recipe.json").read()
model.attrs["dtrain_classes"] = ["no", "yes"]
h5py.File("other.h5", "w").close()
PY
run 0 inspect here/model.h5
expect_status 0
expect_stdout_line 'classes: no, yes'
expect_stdout '^the recipe does not fit: it prepares 6 inputs, not [0-9]+$'
expect_stdout '^age +numeric +2 +0 +[a-z]+.* +log, '
run 0 inspect --json here/model.h5
check 'd["kind"] == "model" and d["targets"] == [] and d["classes"] == ["no", "yes"] and d["recipe"]["inputs"] == 6'
check 'sum(layer["parameters"] for layer in d["layers"]) == d["parameters"]'

# ---- of a regression, with two targets ----
"$PYTHON" - <<'PY'
import numpy as np
g = np.random.default_rng(7)
x = g.standard_normal((300, 3)).astype("float32")
np.savez("values.npz", inputs=x, targets=np.stack([50 + 3 * x[:, 0], np.exp(x[:, 1])], axis=1))
PY
run 1 values.npz --epochs 2 --hidden 4 --loss huber --out values
expect_status 0
run 0 inspect values/run.h5
expect_status 0
expect_empty_stderr
for name in epoch train_loss train_rmse train_mae val_loss val_rmse val_mae; do
    expect_stdout "^$name +[-0-9.e+]+ +[-0-9.e+]+\$"
done
expect_stdout '^  task +regression$'
expect_stdout '^  baseline_rmse +[0-9.]+$'
run 0 inspect --json values/run.h5
check 'd["kind"] == "run" and d["data"]["values"] == 2 and "classes" not in d["data"]'
check 'd["evaluation_test"]["r2"] < 1 and d["best_epoch"]["val_rmse"] > 0'
run 0 inspect values/model.h5
expect_status 0
expect_stdout_line 'values/model.h5: model; 3 inputs, 2 values, P = 26 parameters'
expect_stdout_line 'loss: huber, standard deviations of the target'
expect_stdout '^ +0 +(49|50)[0-9.]* +[23][0-9.]*$'
run 0 inspect --json values/model.h5
check 'd["loss"] == "huber" and len(d["targets"]) == 2 and abs(d["targets"][0]["mean"] - 50) < 1'
check 'd["targets"][0]["deviation"] > 2 and d["classes"] == []'

# Of other files, what HDF5 can find: also in what dtrain does not print, or cannot use.
"$PYTHON" - <<'PY'
import h5py
import numpy as np
with h5py.File("sums.h5", "w") as file:
    file["x"], file["y"] = np.ones((4, 2)), np.arange(4)
    file["link"] = h5py.SoftLink("/nowhere")
    options = {"fletcher32": True}
    file.create_dataset("g/records", data=np.ones(4, "i4,f8"), **options)
    file.create_dataset("g/pairs", data=np.ones(4, "c16"), **options)
    file.create_dataset("g/packed", data=np.arange(400), compression="gzip", **options)
    file.create_dataset("g/texts", data=np.array([b"abc", b"def"]), **options)
whole = open("sums.h5", "rb").read()
with h5py.File("sums.h5") as file:
    for name, item in file["g"].items():
        at = item.id.get_chunk_info(0)
        data = bytearray(whole)
        data[at.byte_offset + at.size // 2] ^= 4
        open(f"sums-{name}.h5", "wb").write(data)
PY
run 0 inspect sums.h5
expect_status 0
for file in sums-*.h5; do
    run 0 inspect "$file"
    expect_status 3
    expect_one_stderr_line "dtrain: error: $file: cannot read /g/"
done
head -c 3000 here/model.h5 >cut.h5
run 0 inspect cut.h5
expect_status 3
expect_one_stderr_line 'dtrain: error: cut.h5: '
run 0 inspect other.h5
expect_status 3
expect_one_stderr_line 'dtrain: error: other.h5: '
"$PYTHON" - <<'PY'
import h5py
import numpy as np
with h5py.File("data.h5", "w") as file:
    file["train/x"] = np.arange(6, dtype=">f4").reshape(3, 2)
    file["train/y"] = np.array([0, 1, 1])
with h5py.File("odd.h5", "w") as file:
    file["x"], file["none"], file["one"] = np.ones((5, 2)), np.zeros((0, 3)), 2.5
    file["null"], file["text"] = h5py.Empty("f4"), "words"
    file["no texts"] = np.array([], dtype=h5py.string_dtype())
PY
run 0 inspect odd.h5
expect_status 0
expect_stdout '^none +<f8 +\[0, 3\] '
expect_stdout '^one +<f8 +\[\] +C +8 B +8 B +1.00 +2.5 +2.5 '

run 0 inspect data.h5
expect_status 0
expect_stdout_line 'data.h5: HDF5 file with 2 arrays'
expect_stdout '^train/x  >f4   \[3, 2\]  C +24 B +24 B +1.00 +0 +5 +2.5 '
run 0 inspect --json data.h5
check 'd["kind"] == "hdf5" and [c["rows"] for c in d["arrays"][1]["classes"]] == [1, 2]'

# ---- other files ----
for file in table.csv empty cut.npz x.npy no-such-file; do
    run 0 inspect "$file"
    expect_status 3
    expect_one_stderr_line "dtrain: error: $file: "
    [ ! -s stdout ] || fail "nothing on stdout"
done
run 0 inspect table.csv
expect_one_stderr_line 'is neither a .npz, nor a recipe.json, nor an HDF5 file'
mkdir folder
run 0 inspect folder
expect_status 3
expect_one_stderr_line "folder: no run in this folder or below it; a run's folder has a run.h5; or inspect a file in it: model.h5"
run 0 inspect
expect_status 2
expect_one_stderr_line 'inspect requires a FILE'
run 0 inspect recipe.json arrays.npz
expect_status 2
expect_one_stderr_line "found a second: 'arrays.npz'"
run 0 inspect --jsn recipe.json
expect_status 2
expect_one_stderr_line 'unknown option --jsn; did you mean --json'
run 0 inspect --help
expect_status 0
expect_stdout '^Usage: dtrain inspect '
expect_empty_stderr
