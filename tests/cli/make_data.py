"""Data for the tests of the binary, imported by the Python that stands in test_*.sh.

All inputs are multiples of 1/64 within +-8, so float16, float32 and float64 hold them exactly.
"""

import io
import zipfile

import numpy as np


def learnable(rows, columns=12, classes=2, seed=1, bend=True):
    """Returns x float32 [rows, columns] and y int64 [rows]; every class is there."""
    random = np.random.default_rng(seed)
    x = np.clip(np.round(random.standard_normal((rows, columns)) * 64) / 64, -7, 7)
    # One problem for all seeds: a seed draws other rows of it.
    weights = np.random.default_rng(99).standard_normal((2, columns, classes))
    score = x @ weights[0]
    if bend:
        score = score + np.abs(x @ weights[1])
    y = score.argmax(axis=1)
    y[:classes] = np.arange(classes)
    return x.astype(np.float32), y.astype(np.int64)


def save(path, deflate=False, **arrays):
    (np.savez_compressed if deflate else np.savez)(path, **arrays)


def save_parts(prefix, rows=(600, 150, 150), separator="-", deflate=False, change=None, **options):
    """PREFIX-train.npz, -validation and -test; change(x, y) may turn the arrays into others."""
    first_seed = options.pop("seed", 1)
    for i, part in enumerate(("train", "validation", "test")):
        if rows[i] > 0:
            x, y = learnable(rows[i], seed=first_seed + 1000 * i, **options)
            x, y = change(x, y) if change else (x, y)
            save(f"{prefix}{separator}{part}.npz", deflate, inputs=x, targets=y)


def npy_bytes(array, header_shape=None):
    """The bytes of a .npy file, if wanted with another shape in the header."""
    out = io.BytesIO()
    header = np.lib.format.header_data_from_array_1_0(array)
    if header_shape is not None:
        header["shape"] = header_shape
    np.lib.format.write_array_header_1_0(out, header)
    out.write(array.tobytes("F" if header["fortran_order"] else "C"))
    return out.getvalue()


def save_members(path, members, method=zipfile.ZIP_STORED):
    """A ZIP archive of {name: bytes}, whatever the bytes are."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
