"""Writes every kind of bad .npz that test_bad_input.sh tries, into the current folder."""

import io
import zipfile

import numpy as np

from make_data import learnable, npy_bytes, save, save_members, save_parts

x, y = learnable(80, columns=4)
inputs, targets = npy_bytes(x), npy_bytes(y)


def changed(array, row, value, column=None, dtype=None):
    array = array.astype(dtype) if dtype else array.copy()
    array[row if column is None else (row, column)] = value
    return array


# ---- not a .npz at all ----
open("empty.npz", "w").close()
with open("page.npz", "w") as file:
    file.write("<!DOCTYPE html>\n<html><head><title>404</title></head></html>\n" * 20)
with open("pointer.npz", "w") as file:
    file.write("version https://git-lfs.github.com/spec/v1\noid sha256:" + "4d7a" * 16 +
               "\nsize 139416\n")
np.save("array.npy", x)
with open("table.npz", "w") as file:
    file.write("1,2,3\n4,5,6\n" * 50)

# ---- damaged archives ----
for name, deflate in (("stored", False), ("deflated", True)):
    save(f"{name}.npz", deflate, inputs=x, targets=y)
    data = open(f"{name}.npz", "rb").read()
    open(f"truncated-{name}.npz", "wb").write(data[:len(data) * 3 // 5])
    # One bit of the inputs' bytes: past the local header, the .npy header and some rows.
    with zipfile.ZipFile(f"{name}.npz") as archive:
        info = archive.getinfo("inputs.npy")
        at = info.header_offset + 30 + len(info.filename) + info.compress_size * 3 // 4
    # In a stored member only the CRC can tell.
    open(f"flipped-{name}.npz", "wb").write(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
    with zipfile.ZipFile(f"{name}.npz") as archive:
        info = archive.getinfo("targets.npy")
    crc = info.CRC.to_bytes(4, "little")
    assert data.count(crc) == 2  # local header and directory
    open(f"crc-{name}.npz", "wb").write(data.replace(crc, (info.CRC ^ 0x100).to_bytes(4, "little")))
save_members("claims-more.npz", {"inputs.npy": npy_bytes(x, (1 << 40, 4)), "targets.npy": targets})
save_members("claims-more-columns.npz", {"inputs.npy": npy_bytes(x, (80, 1 << 31)),
                                         "targets.npy": targets})
save_members("claims-less.npz", {"inputs.npy": npy_bytes(x, (80, 3)), "targets.npy": targets})
save_members("negative.npz", {"inputs.npy": npy_bytes(x, (-80, 4)), "targets.npy": targets})
save_members("overflow.npz", {"inputs.npy": npy_bytes(x, (1 << 62, 1 << 62)),
                              "targets.npy": targets})
save_members("garbage.npz", {"inputs.npy": b"\x93NUMPY\x01\x00\x76\x00" + b"?" * 118,
                             "targets.npy": targets})

# ---- arrays of the wrong kind ----
save("objects.npz", inputs=x.astype(object), targets=y)
save("strings.npz", inputs=x.astype("U8"), targets=y)
save("complex.npz", inputs=x.astype(np.complex64), targets=y)
save("dates.npz", inputs=x.astype("i8").astype("M8[D]"), targets=y)
save("records.npz", inputs=np.zeros(80, [("a", "f4"), ("b", "f4")]), targets=y)
save("names.npz", alpha=x, beta=x)
save("no-targets.npz", inputs=x)
save("no-arrays.npz")

# ---- shapes ----
save("rows.npz", inputs=x, targets=y[:-1])
save("no-rows.npz", inputs=x[:0], targets=y[:0])
save("no-columns.npz", inputs=x[:, :0], targets=y)
save("number.npz", inputs=np.float32(3), targets=y)
save("cube-targets.npz", inputs=x, targets=np.zeros((80, 2, 2)))

# ---- labels ----
save("fractional-label.npz", inputs=x, targets=changed(y, 17, 0.5, dtype=float))
save("nan-label.npz", inputs=x, targets=changed(y, 17, np.nan, dtype=float))
save("infinite-label.npz", inputs=x, targets=changed(y, 17, np.inf, dtype=float))
save("one-class.npz", inputs=x, targets=np.ones(80, np.int64))
one_hot = np.eye(2, dtype=np.float32)[y]
save("one-hot-two.npz", inputs=x, targets=changed(one_hot, 17, 1))
save("one-hot-none.npz", inputs=x, targets=changed(one_hot, 17, 0))
save("one-hot-soft.npz", inputs=x, targets=changed(one_hot, 17, 0.5))

# ---- numbers that are none ----
save("nan.npz", inputs=changed(x, 42, np.nan, 3), targets=y)
save("infinity.npz", inputs=changed(x, 79, -np.inf, 0), targets=y)
save("half-nan.npz", inputs=changed(x, 5, np.nan, 1, "f2"), targets=y)
save("too-large.npz", inputs=changed(x, 6, 1e39, 2, "f8"), targets=y)
save("nan-fortran.npz", True, inputs=np.asfortranarray(changed(x, 42, np.nan, 3)), targets=y)
image = np.repeat(x[:, :, None], 5, axis=2)
image[42, 3, 2] = np.nan  # column 3 * 5 + 2
save("nan-image.npz", inputs=image, targets=y)
save("nan-image-fortran.npz", inputs=np.asfortranarray(image), targets=y)
long_x, long_y = learnable(300000, columns=4)
long_x[299998, 1] = np.nan  # far beyond one read of the file
save("nan-late.npz", inputs=long_x, targets=long_y)
save("nan-late-fortran.npz", inputs=np.asfortranarray(long_x), targets=long_y)

# ---- sets that do not fit together ----
save_parts("columns", rows=(80, 20, 20), columns=4)
vx, vy = learnable(20, columns=5, seed=2)
save("columns-validation.npz", inputs=vx, targets=vy)
save_parts("classes", rows=(80, 20, 20), columns=4)
vx, vy = learnable(20, columns=4, seed=2)
save("classes-validation.npz", inputs=vx, targets=changed(vy, 3, 2))
save_parts("wide", rows=(80, 20, 20), columns=4)
save("wide-test.npz", inputs=vx, targets=np.eye(3)[changed(vy, 3, 2)])
save_parts("late", rows=(80, 20, 20), columns=4)
save("late-test.npz", inputs=changed(vx, 19, np.nan, 2), targets=vy)
