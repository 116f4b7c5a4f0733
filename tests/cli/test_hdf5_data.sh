#!/bin/sh
# Datasets of HDF5 files as data: the bits of the same numbers in a .npz, whatever their types and however they
# lie in the file; HDF5 files that are not data; damaged ones.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
: "${DTRAIN_FAULTS:=$(dirname "$DTRAIN")/tests/dtrain-faults}"
"$PYTHON" - <<'END'
import os

import h5py
import numpy as np

rng = np.random.default_rng(8)
x = np.abs(np.round(rng.normal(size=(900, 7)) * 5))
k = (x[:, 1] > 2).astype(int) + (x[:, 2] > 5)
words = np.array(["ash", "birch tree", "élm"])
parts = {"train": slice(0, 500), "val": slice(500, 700), "test": slice(700, 900)}


def save(name, form, inputs=x.astype("f4"), targets=k, **how):
    with h5py.File(f"{name}.h5", "w") as file:
        for s, rows in parts.items():
            for letter, a in zip("xy", (inputs, targets)):
                file.create_dataset(form.format(set=s, name=letter), data=a[rows], **(how if a.ndim > 1 else {}))


for name, y in {"plain": k, "named": words[k], "bools": k > 1}.items():
    np.savez(name, **{f"{letter}_{s}": a[rows] for s, rows in parts.items()
                      for letter, a in (("x", x.astype("f4")), ("y", y))})
save("contiguous", "{name}_{set}")
save("group", "{set}/{name}", chunks=(64, 3))
save("tall", "{set}{name}", chunks=(499, 1), maxshape=(None, 7))
save("gzip", "{set}/{name}", chunks=(33, 7), compression="gzip", shuffle=True, fletcher32=True)
os.mkdir("types")
for dtype in "<f2 >f2 >f4 <f8 >f8 i1 >i2 <i4 >i8 u1 <u2 >u4 <u8".split():
    save("types/" + dtype.strip("<").replace(">", "big-"), "{set}_{name}", x.astype(dtype), k.astype(dtype), chunks=(90, 2))
save("image", "{name}{set}", x.astype("f4").reshape(900, 7, 1, 1), np.eye(3, dtype="u1")[k])
save("variable", "{name}_{set}", targets=words[k].astype(object))
save("fixed", "{name}_{set}", targets=np.char.encode(words, "utf-8")[k])
save("bools", "{name}_{set}", targets=k > 1)
with h5py.File("blanks.h5", "w") as file:  # as Fortran pads texts
    padded = h5py.h5t.C_S1.copy()
    padded.set_size(14)
    padded.set_strpad(h5py.h5t.STR_SPACEPAD)
    for s, rows in parts.items():
        file[f"x_{s}"] = x[rows].astype("f4")
        texts = np.char.encode(words, "utf-8")[k[rows]].astype("S14")
        space = h5py.h5s.create_simple(texts.shape)
        h5py.h5d.create(file.id, f"y_{s}".encode(), padded, space).write(space, space, texts)
with h5py.File("odd.h5", "w") as file:
    file["pixels"], file["kinds"] = x.astype("f4"), k
    file["comments"] = np.array(["-"] * 77, dtype=object)


def other(name, how=None, **data):
    with h5py.File(f"{name}.h5", "w") as file:
        for key, value in data.items():
            file.create_dataset(key, **value) if isinstance(value, dict) else file.create_dataset(key, data=value)
        if how:
            how(file)


other("weights", lambda f: f.attrs.create("layer_names", np.array([b"dense"])), **{"dense/kernel": x})
other("pandas", lambda f: f["df"].attrs.create("pandas_type", "frame"), **{"df/block0_values": x})
other("records", table=np.zeros(9, dtype=[("a", "f4"), ("b", "i4")]))
other("complex", x=x.astype("c16"), y=k)
other("ragged", lambda f: f["x"].__setitem__(0, x[0]), x={"shape": (9,), "dtype": h5py.vlen_dtype("f4")}, y=k[:9])
other("lzf", x={"data": x, "compression": "lzf"}, y=k)
other("sparse", **{"X/data": x[0], "X/indices": k[:7], "X/indptr": k[:3], "y": k})
other("link", lambda f: f.__setitem__("x", h5py.ExternalLink("plain.h5", "/x_train")), y=k)
other("short", x=x, y=k[:5])
other("nan", x=np.where(x > 5, np.nan, x), y=k)
other("none")
other("many", **{f"row{i}": x[0, :1] for i in range(1001)})
whole = open("gzip.h5", "rb").read()
at = h5py.File("gzip.h5")["train/x"].id.get_chunk_info(3).byte_offset + 20
open("cut.h5", "wb").write(whole[: len(whole) // 2])
open("page.h5", "wb").write(b"<!DOCTYPE html><html></html>")
open("flipped.h5", "wb").write(whole[:at] + bytes([whole[at] ^ 64]) + whole[at + 1 :])
END

# alike RANKS FILE...: trains to the weights and test loss that are expected.
alike() {
    run "$@" --quiet --epochs 2 --out run --force
    expect_status 0
    found="$(summary weights_crc) $(summary test_loss)"
    [ "$found" = "${expected:=$found}" ] || fail "the weights and test loss of the .npz: $expected"
}
run 0 plain.npz --quiet --epochs 2 --out plain
expect_status 0
alike 0 plain.npz
for file in contiguous.h5 group.h5 tall.h5 types/*.h5 image.h5; do
    alike 0 "$file"
    expect_empty_stderr
done
alike 3 gzip.h5
expect_empty_stderr
"$PYTHON" - >wrong 2>&1 <<'END' || fail "the sums of the same arrays in a .npz: $(cat wrong)"
import h5py
def sums(folder): return [list(row)[-2:] for row in h5py.File(f"{folder}/run.h5")["data/members"][:]]
assert sums("run") == sums("plain"), (sums("run"), sums("plain"))
END
for pair in named=variable named=fixed named=blanks bools=bools; do
    expected=""
    alike 0 "${pair%=*}.npz"
    alike 0 "${pair#*=}.h5"
    expect_empty_stderr
    run 0 predict run "${pair%=*}.npz" --out npz.csv --quiet
    run 2 predict run "${pair#*=}.h5" --out h5.csv --quiet
    expect_status 0
    expect_same_file h5.csv npz.csv
done
run 0 evaluate plain plain.npz --set train
sed 's/^data .*//' stdout >expected
run 2 evaluate plain group.h5 --set train
expect_status 0
sed 's/^data .*//' stdout | cmp -s - expected || fail "the evaluation of plain.npz"
run 0 odd.h5 --quiet --epochs 1 --out odd
expect_status 0
expect_one_stderr_line "odd.h5: by their shapes, pixels [900,7] are the inputs and kinds [900] the targets"
run 0 odd.h5 --inputs pixels --targets kinds --quiet --epochs 1 --out odd --force
expect_status 0
expect_empty_stderr
run 0 evaluate odd odd.h5 --inputs pixels --targets kinds --quiet
expect_stdout_line summary.rows=900

# ---- a stopped run resumes only with the same data ----
real=$DTRAIN DTRAIN=$DTRAIN_FAULTS DTRAIN_FAULT=signal:0:5
export DTRAIN_FAULT
run 2 gzip.h5 --epochs 2 --out stopped --quiet
expect_status 75
unset DTRAIN_FAULT
DTRAIN=$real
cp gzip.h5 kept.h5
"$PYTHON" -c 'import h5py; h5py.File("gzip.h5", "a")["train/x"][7, 1] += 1'
run 2 --resume stopped --quiet
expect_status 3
expect_one_stderr_line "other data"
mv kept.h5 gzip.h5
run 1 --resume stopped --quiet
expect_status 0
resumed=$(summary weights_crc)
expected=""
alike 0 plain.npz
[ "$resumed" = "${expected% *}" ] || fail "the weights without an interruption"

# ---- refused ----
refused() {
    run "${3:-0}" "$1" --out never --quiet
    expect_status 3
    expect_one_stderr_line "dtrain: error: $2"
    expect_no_file never
}
refused plain/model.h5 "plain/model.h5: is a model, not data"
refused plain/run.h5 "plain/run.h5: is the log of a run, not data"
refused weights.h5 "weights.h5: contains the weights of a Keras model"
refused pandas.h5 "pandas.h5: /df is a table of pandas, not arrays; convert it to a .csv: pandas.read_hdf('pandas.h5', '/df').to_csv("
refused records.h5 "records.h5: array 'table': expected numbers, found records of several fields"
refused complex.h5 "complex.h5: array 'x': expected numbers, found complex numbers"
refused ragged.h5 "ragged.h5: array 'x': expected numbers, found lists of different lengths"
refused lzf.h5 "lzf.h5: /x: packed with the filter 32000 (lzf); expected none, or gzip: write it with h5py's compression='gzip'"
refused sparse.h5 "sparse.h5: /X is a sparse matrix; save its .toarray() as a dataset"
refused link.h5 "link.h5: /x is a link"
refused short.h5 "short.h5: x has 900 rows, but y has 5"
refused nan.h5 "nan.h5: x: row "
refused none.h5 "none.h5: has no datasets"
refused many.h5 "many.h5: has more than 1000 datasets"
refused cut.h5 "cut.h5: truncated HDF5 file"
refused page.h5 "page.h5: looks like an HTML page, not an HDF5 file"
refused flipped.h5 "flipped.h5: cannot read /train/x: HDF5: " 2
refused missing.h5 "missing.h5: no such file"
run 0 predict plain none.h5 --out never.csv
expect_status 3
expect_one_stderr_line "none.h5: has no datasets"
