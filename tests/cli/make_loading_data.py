"""Writes one and the same data in every form that test_loading.sh loads, into the current folder.

Every form holds the numbers of three-{train,validation,test}.npz, so each must give the same
weights.
"""

import io
import os
import zipfile

import numpy as np

from make_data import learnable, npy_bytes, save, save_parts

PARTS = ("train", "validation", "test")
ROWS = (300, 80, 70)


def convert(name, change, deflate=False, **options):
    save_parts(name, rows=ROWS, classes=3, change=change, deflate=deflate, **options)


# ---- how the numbers are stored ----
convert("three", None)
convert("deflated", None, deflate=True)
convert("fortran", lambda x, y: (np.asfortranarray(x), y))
convert("pandas", lambda x, y: (np.asfortranarray(x.astype("f8")), y.astype("f8")), deflate=True)
convert("half", lambda x, y: (x.astype("f2"), y.astype("i1")))
convert("double", lambda x, y: (x.astype("f8"), y.astype("u8")))
convert("big", lambda x, y: (x.astype(">f8"), y.astype(">i4")))
convert("big-half", lambda x, y: (np.asfortranarray(x.astype(">f2")), y.astype(">u2")))
convert("column", lambda x, y: (x, y[:, None]))
convert("fortran-column", lambda x, y: (x, np.asfortranarray(y[:, None].astype("f4"))))
convert("one-hot", lambda x, y: (x, np.eye(3, dtype="f4")[y]))
convert("one-hot-fortran", lambda x, y: (x, np.asfortranarray(np.eye(3, dtype="f8")[y])))
convert("one-hot-bool", lambda x, y: (x, np.eye(3, dtype=bool)[y]), deflate=True)
convert("image", lambda x, y: (x.reshape(-1, 2, 3, 2), y))
convert("image-fortran", lambda x, y: (np.asfortranarray(x.reshape(-1, 2, 3, 2)), y))

# ---- ZIP64 and data descriptors, .npy versions 2 and 3 ----
for part in PARTS:
    with np.load(f"three-{part}.npz") as data:
        x, y = data["inputs"], data["targets"]

    class Pipe(io.RawIOBase):
        """Cannot seek, so zipfile writes data descriptors."""

        def __init__(self, file):
            self.file = file

        def writable(self):
            return True

        def write(self, data):
            return self.file.write(data)

    with open(f"piped-{part}.npz", "wb") as file:
        with zipfile.ZipFile(Pipe(file), "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inputs.npy", npy_bytes(x))
            archive.writestr("targets.npy", npy_bytes(y))
    with zipfile.ZipFile(f"zip64-{part}.npz", "w") as archive:
        for name, array, version in (("targets", y, (3, 0)), ("inputs", x, (2, 0))):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, version=version)
        archive.writestr("notes.txt", "not an array")

# ---- which files and which names ----
arrays = {}
for part in PARTS:
    with np.load(f"three-{part}.npz") as data:
        arrays[part] = data["inputs"], data["targets"]


def in_files(pattern, x="inputs", y="targets", words=PARTS):
    for part, word in zip(PARTS, words):
        path = pattern.format(word)
        if os.path.dirname(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        save(path, **{x: arrays[part][0], y: arrays[part][1]})


in_files("folder/{}.npz")
in_files("named/some-data_{}.npz")
in_files("below_{}.npz", "x", "y")
in_files("dots.{}.npz", "X", "y", ("train", "val", "test"))
in_files("short-{}.npz", "data", "labels", ("training", "valid", "test"))
in_files("bunch-{}.npz", "features", "target")
in_files("odd-{}.npz", "alpha", "beta")
for word, x in (("val", "x"), ("valid", "X"), ("validation", "x")):
    save(f"all-{word}-{x}.npz", deflate=x == "X",
         **{f"{x}_train": arrays["train"][0], "y_train": arrays["train"][1],
            f"{x}_{word}": arrays["validation"][0], f"y_{word}": arrays["validation"][1],
            f"{x}_test": arrays["test"][0], "y_test": arrays["test"][1]})

# ---- one file to split: 1000 rows sorted by class, 500, 300, 190 and 10 of each ----
x, y = learnable(1000, columns=6)
y = np.repeat([0, 1, 2, 3], [500, 300, 190, 10])
x[:, 0] = y - 1.5
save("sorted.npz", inputs=x, targets=y)
save("sorted-fortran.npz", True, inputs=np.asfortranarray(x), targets=y)
save("bytes.npz", inputs=(x > 0).astype("i1"), targets=y)
save("bools.npz", inputs=x > 0, targets=y)
save("floats.npz", inputs=(x > 0).astype("f4"), targets=y.astype("f4"))

# ---- more rows than are read at a time (512 Ki numbers), in any order ----
x, y = learnable(600000, columns=3)
save("long.npz", inputs=x, targets=y)
save("long-fortran.npz", inputs=np.asfortranarray(x), targets=y)
save("long-pandas.npz", True, inputs=np.asfortranarray(x.astype("f8")), targets=y.astype("f8"))
save("long-cube.npz", inputs=np.asfortranarray(x[:, None, :]), targets=np.eye(2, dtype="u1")[y])
