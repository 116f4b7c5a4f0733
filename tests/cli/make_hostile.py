#!/usr/bin/env python3
"""make_hostile.py FOLDER    makes files that mean ill, from FOLDER's sound rows.npz, r/model.h5, r/run.h5
and model.keras; prints nothing. Needs NumPy and h5py."""
import io
import json
import os
import struct
import sys
import zipfile
import zlib

import h5py
import numpy as np

os.chdir(sys.argv[1])


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


# ---- archives ----

def npy(array):
    out = io.BytesIO()
    np.lib.format.write_array(out, array)
    return out.getvalue()


def npy_header(descr, shape):
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        out, {"descr": descr, "fortran_order": False, "shape": shape})
    return out.getvalue()


def archive(path, members, claims=None, method=zipfile.ZIP_DEFLATED):
    """Members by name; a claim is what the directory says a member inflates to."""
    out, directory, offset_of = bytearray(), bytearray(), {}
    for name, plain in members.items():
        deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
        data = deflater.compress(plain) + deflater.flush() if method else plain
        claim = (claims or {}).get(name, len(plain))
        text = name.encode()
        offset_of[name] = len(out)
        sizes = struct.pack("<HIIII", method, 0x210000, zlib.crc32(plain), 0xFFFFFFFF,
                            0xFFFFFFFF)
        extra = struct.pack("<HHQQ", 1, 16, claim, len(data))
        out += b"PK\3\4" + struct.pack("<HH", 45, 0) + sizes
        out += struct.pack("<HH", len(text), len(extra)) + text + extra + data
        directory += b"PK\1\2" + struct.pack("<HHH", 45, 45, 0) + sizes
        directory += struct.pack("<HHHHHII", len(text), len(extra), 0, 0, 0, 0, offset_of[name])
        directory += text + extra
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), len(out), 0)
    write(path, bytes(out + directory) + b"PK\5\6" + end)


def make_archives():
    x, y = npy(np.ones((4, 2), "f4")), npy(np.array([0, 1, 0, 1]))
    megabyte = bytes(1 << 20)
    tebibyte = npy_header("<f4", (1 << 38,))
    archive("bomb.npz", {"x.npy": tebibyte + megabyte, "y.npy": y},
            {"x.npy": len(tebibyte) + (1 << 40)})
    archive("stored-bomb.npz", {"x.npy": tebibyte + megabyte, "y.npy": y},
            {"x.npy": len(tebibyte) + (1 << 40)}, 0)
    # What deflate can really do: 256 MiB in 256 KiB. It is read in blocks.
    archive("dense.npz", {"x.npy": npy_header("<f4", (1 << 26,)) + bytes(1 << 28), "y.npy": y})
    with zipfile.ZipFile("model.keras") as sound:
        members = {name: sound.read(name) for name in sound.namelist()}
    for name, member in (("config", "config.json"), ("weights", "model.weights.h5")):
        archive(f"bomb-{name}.keras", members, {member: 1 << 40})
        archive(f"dense-{name}.keras", {**members, member: bytes(1 << 28)})
    archive("paths.npz", {"../../x.npy": x, "/y.npy": y, "x.npy": x, "y.npy": y,
                          "..\\..\\z.npy": x, "C:\\z.npy": x})
    archive("paths.keras", {**members, "../../x": b"x", "/tmp/dtrain-hostile": b"x"})
    deep = "[" * 100000
    archive("deep.keras", {**members, "config.json": deep.encode()})


# ---- HDF5 ----

def damage(data, kind):
    """What libhdf5 1.10.8 crashes on, does not end with, or takes all memory for."""
    data = bytearray(data)
    heap = data.find(b"GCOL")
    at = heap + 16
    while True: # the objects of the global heap, which are the texts of attributes
        index, _, _, size = struct.unpack_from("<HHIQ", data, at)
        if kind == "crash" and index:
            struct.pack_into("<Q", data, at + 8, 1 << 20)
        if index == 0:
            if kind == "no-end":
                struct.pack_into("<Q", data, at + 8, 0)
            break
        at += 16 + (size + 7) // 8 * 8
    return damage_heaps(data) if kind == "memory" else bytes(data)


def replace_weights(path, weights):
    with zipfile.ZipFile("model.keras") as sound, zipfile.ZipFile(path, "w") as out:
        for name in sound.namelist():
            out.writestr(name, weights if name == "model.weights.h5" else sound.read(name))


def make_damaged():
    with zipfile.ZipFile("model.keras") as sound:
        weights = sound.read("model.weights.h5")
    for kind in ("crash", "no-end", "memory"):
        write(f"{kind}-model.h5", damage(read("r/model.h5"), kind))
        write(f"{kind}-run.h5", damage(read("r/run.h5"), kind))
    # There are no texts in the weights: the trees of its groups are bent into circles.
    tree = bytearray(weights)
    at = 0
    while (at := tree.find(b"TREE\0", at)) >= 0:
        struct.pack_into("<BH", tree, at + 5, 1, 1)
        struct.pack_into("<Q", tree, at + 32, at)
        at += 8
    replace_weights("crash.keras", bytes(tree))
    replace_weights("memory.keras", damage_heaps(weights))


def damage_heaps(data):
    data = bytearray(data)
    at = 0
    while (at := data.find(b"HEAP\0\0\0\0", at)) >= 0:
        _, free, where = struct.unpack_from("<QQQ", data, at + 8)
        if free != 1:
            struct.pack_into("<Q", data, where + free, free)
        at += 8
    return bytes(data)


KERAS_KERNEL = "/model_weights/dense/dense/kernel:0"
OWN_KERNEL = "/dtrain/tensors/dense/kernel"
KERNEL = KERAS_KERNEL


def model(path, change, kernel):
    """Changes the part of Keras, in a file without dtrain's own, or the own part."""
    global KERNEL
    KERNEL = kernel
    write(path, read("r/model.h5"))
    with h5py.File(path, "r+") as file:
        shape = file[KERNEL].shape
        if kernel == KERAS_KERNEL:
            del file["dtrain"]
        del file[KERNEL]
        change(file, shape)


def make_models():
    def huge(file, shape):
        file.create_dataset(KERNEL, shape=(1 << 20, 1 << 18), dtype="f4", chunks=(1024, 1024),
                            compression="gzip")

    def external_link(file, shape):
        file[KERNEL] = h5py.ExternalLink("secret.h5", "/x")

    def soft_link(file, shape):
        file[KERNEL] = h5py.SoftLink(KERNEL)

    def external_storage(file, shape):
        file.create_dataset(KERNEL, shape=shape, dtype="f4",
                            external=[("secret.bin", 0, h5py.h5f.UNLIMITED)])

    def virtual(file, shape):
        layout = h5py.VirtualLayout(shape=shape, dtype="f4")
        layout[...] = h5py.VirtualSource("secret.h5", "x", shape=shape)
        file.create_virtual_dataset(KERNEL, layout)

    def packed(file, shape):
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk(shape)
        properties.set_filter(32000, h5py.h5z.FLAG_OPTIONAL, (1,))
        space = h5py.h5s.create_simple(shape)
        made = h5py.h5d.create(file[os.path.dirname(KERNEL)].id,
                               os.path.basename(KERNEL).encode(),
                               h5py.h5t.IEEE_F32LE, space, properties)
        made.write_direct_chunk((0, 0), bytes(4 * shape[0] * shape[1]))

    def deep_config(file, shape):
        file[KERNEL] = np.zeros(shape, "f4")
        text = '{"class_name":' * 100000
        del file.attrs["model_config"]
        file.attrs["model_config"] = text[:60000]

    def deep_groups(file, shape):
        file[KERNEL] = np.zeros(shape, "f4")
        file.create_group("/model_weights" + "/a" * 1000)

    def lambda_layer(file, shape):
        file[KERNEL] = np.zeros(shape, "f4")
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"].insert(1, {
            "class_name": "Lambda", "config": {"name": "evil", "function": ["touch pwned"]}})
        file.attrs["model_config"] = json.dumps(config)

    with h5py.File("secret.h5", "w") as secret:
        secret["x"] = np.ones((2, 2), "f4")
    write("secret.bin", bytes(4096))
    def deep_json(file, shape):
        file[KERNEL] = np.zeros(shape, "f4")
        file["dtrain"].attrs["model"] = '{"inputs":' * 100000

    arrays = (huge, external_link, soft_link, external_storage, virtual, packed)
    for change in arrays + (deep_config, deep_groups, lambda_layer):
        model(f"{change.__name__}.h5", change, KERAS_KERNEL)
    for change in arrays + (deep_json,):
        model(f"own_{change.__name__}.h5", change, OWN_KERNEL)


def make_wide():
    """Layers without weights, whose outputs would take 4 TB."""
    units = 1000000
    dense = {"kind": "dense", "units": units, "activation": "relu"}
    last = {"kind": "dense", "units": 2, "activation": "linear"}
    layers = [dense] + 990 * [{"kind": "activation", "activation": "relu"}] + [last]
    optimizer = {"kind": "sgd", "learning_rate": 0.1, "weight_decay": 0.0, "momentum": 0.0,
                 "step": 0, "has_state": False}
    with h5py.File("wide.h5", "w") as file:
        own = file.create_group("dtrain")
        own.attrs["format_version"] = 1
        own.attrs["model"] = json.dumps({"inputs": 2, "loss": "sparse_categorical_crossentropy",
                                         "layers": layers, "optimizer": optimizer})
        tensors = own.create_group("tensors")
        tensors["dense/kernel"] = np.zeros((2, units), "f4")
        tensors["dense/bias"] = np.zeros(units, "f4")
        tensors["dense_1/kernel"] = np.zeros((units, 2), "f4")
        tensors["dense_1/bias"] = np.zeros(2, "f4")


def make_other():
    write("empty", b"")
    write("deep.json", b'{"format": ' + b"[" * 100000)
    write("wide.json", b'{"format": 1, "columns": [' + b"{}," * 100000 + b"{}]}")
    write("long.csv", b"a,b\n" + b"1," + b"9" * (1 << 20) + b"\n")
    write("long.config", b"hidden = " + b"1," * 10000 + b"1\n")


make_archives()
make_damaged()
make_models()
make_wide()
make_other()
