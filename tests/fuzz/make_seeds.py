#!/usr/bin/env python3
"""make_seeds.py PATH_TO_DTRAIN    makes the seeds of npz, npy, hdf5, config, model, run and
                               checkpoint anew, and the recipes of tables with dates

They are checked in, so that nobody needs this but who changes a format. Needs numpy and h5py.
model/keras_only.h5 stays: it is of the first format, which has no part of dtrain's own.
"""
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile

import h5py
import numpy as np

SEEDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seeds")


def save(kind, name, data):
    os.makedirs(os.path.join(SEEDS, kind), exist_ok=True)
    with open(os.path.join(SEEDS, kind, name), "wb") as file:
        # Without dtrain's checksum behind the end, at which all damage would be found.
        file.write(data[:-16] if data[-16:-4] == b"dtrain-crc32" else data)


def npy(array, version=None):
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version=version)
    return out.getvalue()


def archive(members, method=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as zip_file:
        for name, data in members.items():
            zip_file.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return out.getvalue()


def make_npy(rng):
    x = rng.normal(size=(4, 3))
    for descr in ("<f8", ">f8", "<f4", ">f4", "<f2", "<i8", ">i8", "<u8", "<i4", "<u2", "|i1",
                  "|b1"):
        save("npy", descr.replace("<", "little_").replace(">", "big_").replace("|", ""),
             npy(x.astype(descr)))
    save("npy", "fortran", npy(np.asfortranarray(x)))
    save("npy", "scalar", npy(np.array(3.0)))
    save("npy", "empty", npy(np.zeros((0, 5))))
    save("npy", "images", npy(np.zeros((2, 3, 3, 1), "u1")))
    save("npy", "version2", npy(x, (2, 0)))
    save("npy", "version3", npy(x, (3, 0)))
    save("npy", "text", npy(np.array(["a", "bc"])))
    save("npy", "pickled", npy(np.array([1, "a"], dtype=object)))


def make_npz(rng):
    x = npy(rng.normal(size=(6, 2)).astype("f4"))
    y = npy(np.array([0, 1, 0, 1, 1, 0]))
    one_hot = npy(np.eye(3, dtype="f4")[[0, 1, 2, 2, 1, 0]])
    pair = {"inputs.npy": x, "targets.npy": y}
    sets = {f"{array}_{part}.npy": data for part in ("train", "val", "test")
            for array, data in (("x", x), ("y", y))}
    save("npz", "stored", archive(pair))
    save("npz", "deflated", archive(pair, zipfile.ZIP_DEFLATED))
    save("npz", "one_hot", archive({"x.npy": x, "y.npy": one_hot}))
    save("npz", "sets", archive(sets, zipfile.ZIP_DEFLATED))
    save("npz", "rows", archive({"arr_0.npy": x}))
    save("npz", "names", archive({"../../x.npy": x, "/y.npy": y, "z": b"no array"}))
    save("npz", "none", archive({}))


def make_hdf5(rng):
    """Datasets of several types, in one piece, in chunks and compressed, in groups and out of them."""
    x, y = rng.normal(size=(6, 2)).astype("f4"), np.array([0, 1, 0, 1, 1, 0])

    def file(name, **data):
        out = io.BytesIO()
        with h5py.File(out, "w") as h5:
            for key, value in data.items():
                h5.create_dataset(key.replace("__", "/"), **value)
        save("hdf5", name, out.getvalue())

    file("pair.h5", x={"data": x}, y={"data": y})
    file("sets.h5", **{f"{part}__{name}": {"data": data} for part in ("train", "val", "test")
                       for name, data in (("inputs", x.astype(">f8")), ("targets", y.astype("u1")))})
    file("chunks.h5", x={"data": x, "chunks": (2, 1), "compression": "gzip", "shuffle": True, "fletcher32": True},
         y={"data": np.array(["no", "yes"], dtype=object)[y], "chunks": (4,), "maxshape": (None,)})
    file("empty.h5", x={"shape": (1 << 40, 2), "dtype": "f2", "chunks": (64, 2)}, y={"data": y > 0})


def make_config():
    save("config", "all", b"""# a run
hidden = 64,32
activation = tanh
batch = 256
epochs = 20
learning-rate = 1e-3
patience = 3
min-delta = 0.5
monitor = val_accuracy
no-restore-best = yes
seed = 7
shards = 16
sum = fast
validation-split = 0.2
inputs = x
targets = "y"
out = results/a
csv-log = log.csv
quiet = no
""")
    save("config", "times", b"checkpoint-every = 90s\ntime-limit = 1.5h\nstall-timeout = never\n")
    save("config", "epochs", b"checkpoint-every=5\ntime-limit=01:30:00\n")
    save("config", "spaces", b"\n  \thidden =\t8 # one\r\n#\nepochs=3")
    save("config", "wrong", b"epocs = 3\n")


def copy(source, target):
    """All of a group, its tables no longer than they are: a tenth of the file."""
    for name in source.attrs:
        value = source.attrs[name]
        if isinstance(value, str):
            target.attrs[name] = value
        else:
            target.attrs.create(name, value, dtype=source.attrs.get_id(name).dtype)
    for name in source:
        item = source[name]
        if isinstance(item, h5py.Group):
            copy(item, target.create_group(name))
        else:
            target.create_dataset(name, data=item[()], dtype=item.dtype)


def stop_early(dtrain, folder, rng):
    """A training that is stopped after its first epochs, which leaves c/checkpoint.h5."""
    x = rng.normal(size=(400000, 2)).astype("f4")
    np.savez(os.path.join(folder, "large.npz"), x=x, y=(x[:, 0] > 0).astype("i4"))
    process = subprocess.Popen([dtrain, "train", "large.npz", "--hidden", "2", "--epochs", "1000",
                                "--patience", "1000", "--checkpoint-every", "1", "--out", "c"],
                               cwd=folder, stdout=subprocess.DEVNULL)
    while not os.path.exists(os.path.join(folder, "c/checkpoint.h5")):
        time.sleep(0.01)
    process.send_signal(signal.SIGUSR1)
    if process.wait() != 75:
        sys.exit("the training did not stop early")


def make_h5(dtrain, rng):
    with tempfile.TemporaryDirectory() as folder:
        def run(*words):
            subprocess.run([dtrain, *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)

        x = rng.normal(size=(60, 2)).astype("f4")
        np.savez(os.path.join(folder, "d.npz"), x=x, y=(x[:, 0] > 0).astype("i4"))
        run("train", "d.npz", "--hidden", "2", "--epochs", "2", "--out", "r")
        run("export", "r/model.h5", "--to", "model.keras")
        stop_early(dtrain, folder, rng)
        for name in ("r/run.h5", "c/checkpoint.h5"):
            with h5py.File(os.path.join(folder, name)) as source, \
                    h5py.File(os.path.join(folder, os.path.basename(name)), "w") as target:
                copy(source, target)
        for kind, path in (("model", "r/model.h5"), ("model", "model.keras"), ("run", "run.h5"),
                           ("checkpoint", "checkpoint.h5")):
            with open(os.path.join(folder, path), "rb") as file:
                save(kind, os.path.basename(path), file.read())


def make_tables(dtrain, rng):
    """A recipe with dates, and models that are trained on tables by the preset."""
    days = [f"2024-{1 + i % 12:02}-{1 + i % 28:02}T{i % 24:02}:30" for i in range(120)]
    columns = {"since": days, "day": [f"{1 + i % 28}.{1 + i % 12}.{2000 + i % 20}" for i in range(120)],
               "price": [f"${1000 + 7 * i:,}" if i % 9 else "" for i in range(120)],
               "size": rng.normal(size=120).round(3), "kind": [f"k{i % 5}" for i in range(120)],
               "ok": ["no", "yes"] * 60}
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "t.csv"), "w", encoding="utf-8") as table:
            table.write(";".join(columns) + "\n")
            for row in zip(*columns.values()):
                table.write(";".join(map(str, row)) + "\n")

        def run(*words):
            subprocess.run([dtrain, *words], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)

        small = ("--hidden", "2", "--members", "2", "--embedding-width", "2", "--bins", "4", "--epochs", "1")
        run("prepare", "t.csv", "--target", "ok", "--preset", "tabular", "--out", "p")
        run("train", "p", "--preset", "tabular", *small, "--category-embedding", "2", "--out", "m")
        run("train", "t.csv", "--target", "size", "--fill", "mean", "--hidden", "2", "--epochs", "1",
            "--restarts", "2", "--average", "--out", "v")
        for kind, name, path in (("recipe", "dates.json", "p/recipe.json"), ("model", "tabular.h5", "m/model.h5"),
                                 ("model", "average.h5", "v/model.h5")):
            with open(os.path.join(folder, path), "rb") as file:
                save(kind, name, file.read())


def make_keras():
    """What Keras 1, 2 and 3 write, with layers that dtrain's own files have not."""
    sys.path.insert(0, os.path.join(os.path.dirname(SEEDS), "..", "cli"))
    from make_keras import Model
    folder = os.path.join(SEEDS, "model")
    leaky = {"class_name": "LeakyReLU", "config": {"alpha": 0.1}}
    layers = [("Flatten", {}), ("Rescaling", {"scale": [0.5, 2.0]}), ("Dense", {"units": 2, "activation": leaky}),
              ("BatchNormalization", {"scale": False}), ("ReLU", {"max_value": 6.0}), ("Normalization", {}),
              ("LayerNormalization", {}), ("Dropout", {"rate": 0.1}),
              ("Dense", {"units": 1, "activation": "sigmoid", "use_bias": False})]
    adam = {"class_name": "Adam", "config": {"learning_rate": 0.01}}
    model = Model(2, layers, "binary_crossentropy", adam)
    state = [np.int64(9), np.float32(0.01)]
    for arrays in model.weights:
        for name, array in arrays:
            if name in ("kernel", "bias", "gamma", "beta"):
                state += [array, abs(array)]
    model.save_keras(os.path.join(folder, "layers.keras"), state=state)
    model.save_keras(os.path.join(folder, "keras_2.keras"), keras=2, functional=True)
    layers = [layers[2], layers[3], ("Dense", {"units": 2, "activation": "hard_sigmoid"}),
              ("Rescaling", {"scale": -2.0, "offset": [1.0, 3.0]})]
    Model(2, layers, "mse").save_h5(os.path.join(folder, "keras_1.h5"), keras=1)
    inner = [("Dense", {"units": 3}), ("PReLU", {})]
    layers = [("Sequential", {"layers": inner}), ("PReLU", {}), ("Dense", {"units": 2, "activation": "softmax"})]
    Model(2, layers, "categorical_crossentropy").save_keras(os.path.join(folder, "nested.keras"))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    rng = np.random.default_rng(1)
    make_npy(rng)
    make_npz(rng)
    make_hdf5(rng)
    make_config()
    make_h5(os.path.abspath(sys.argv[1]), rng)
    make_tables(os.path.abspath(sys.argv[1]), rng)
    make_keras()


main()
