"""check_run_log.py FOLDER PREFIX RANKS: is FOLDER/run.h5 as documented, and does it agree with model.h5
and with the data PREFIX-train.npz, -validation.npz, -test.npz, evaluated anew by NumPy?"""

import datetime
import sys
import zlib

import h5py
import numpy as np
import pandas as pd

EPOCHS = {"epoch": "i8", "train_loss": "f8", "train_accuracy": "f8", "val_loss": "f8",
          "val_accuracy": "f8", "learning_rate": "f8", "seconds": "f8", "samples_per_second": "f8",
          "weights_crc": "u4", "improved": "i4"}
RANKS = {"rank": "i8", "host": "S72", "rows": "i8", "load_s": "f8", "forward_s": "f8",
         "backward_s": "f8", "allreduce_s": "f8", "update_s": "f8", "validate_s": "f8"}
# As test_run_log.sh calls the run; the type says how the attribute must read.
CONFIG = {"inputs": "", "targets": "", "validation_split": 0.1, "test_split": 0.1,
          "hidden": "20,10", "activation": "tanh", "batch": 64, "epochs": 7,
          "learning_rate": 0.002, "patience": 3, "min_delta": 0.0001, "monitor": "val_accuracy",
          "no_restore_best": 0, "seed": 5, "shards": 9, "sum": "exact", "threads": 1, "quiet": 0}
ENVIRONMENT_TEXTS = ["dtrain_version", "command_line", "host", "cpu", "blas", "blas_kernels",
                     "openblas_coretype", "mpi", "hdf5", "zlib", "slurm_job_id", "started"]
ENVIRONMENT_NUMBERS = ["ranks", "hosts", "host_cpus", "blas_threads"]

folder, prefix, ranks = sys.argv[1], sys.argv[2], int(sys.argv[3])


def equal(found, expected, what):
    if not (np.all(np.isclose(found, expected, rtol=0, atol=0)) if isinstance(expected, float)
            else found == expected):
        sys.exit(f"{folder}: {what}: expected {expected!r}, found {found!r}")


def near(found, expected, what):
    if not abs(found - expected) <= 1e-6:
        sys.exit(f"{folder}: {what}: expected {expected!r}, found {found!r}")


def check_names(group, attributes, members):
    equal(set(group.attrs), set(attributes), f"the attributes of {group.name}")
    equal(set(group), set(members), f"what is in {group.name}")


def check_table(table, columns):
    equal({name: table.dtype[name].str.strip("<|") for name in table.dtype.names}, columns,
          f"the columns of {table.name}")
    for name in table.attrs:
        equal(type(table.attrs[name]), str, f"{table.name} {name}")
    for name in table.dtype.names:
        if name.endswith("_s") or name == "seconds":
            equal(table.attrs[f"{name}_unit"], "s", f"{table.name} {name}_unit")


def read_weights():
    """Returns the kernels and biases, layer after layer."""
    with h5py.File(f"{folder}/model.h5", "r") as model:
        weights = model["model_weights"]
        names = [name if isinstance(name, str) else name.decode()
                 for name in weights.attrs["layer_names"]]
        return [weights[f"{name}/{name}/{part}:0"][()] for name in names
                for part in ("kernel", "bias")]


def evaluate(weights, part):
    """Returns loss, accuracy and confusion matrix, in double precision."""
    with np.load(f"{prefix}-{part}.npz") as data:
        values, labels = data["inputs"].astype(float), data["targets"].astype(int)
    for i in range(0, len(weights), 2):
        values = values @ weights[i].astype(float) + weights[i + 1].astype(float)
        if i + 2 < len(weights):
            values = np.tanh(values)
    values -= values.max(axis=1, keepdims=True)
    logs = values - np.log(np.exp(values).sum(axis=1, keepdims=True))
    classes = values.shape[1]
    predicted = values.argmax(axis=1)
    confusion = np.zeros((classes, classes), int)
    np.add.at(confusion, (labels, predicted), 1)
    return -logs[np.arange(len(labels)), labels].mean(), (predicted == labels).mean(), confusion


def check_epochs(run):
    epochs = pd.DataFrame(run["epochs"][:])
    count = run["summary"].attrs["epochs"]
    equal(list(epochs["epoch"]), list(range(1, count + 1)), "/epochs epoch")
    equal(bool(np.isfinite(epochs.to_numpy(float)).all()), True, "/epochs are numbers")
    equal(bool((epochs["learning_rate"] == 0.002).all()), True, "/epochs learning_rate")
    equal(bool((epochs[["seconds", "samples_per_second"]] > 0).all(axis=None)), True, "times")
    equal(set(epochs["improved"]) <= {0, 1}, True, "/epochs improved")
    best = int(run["summary"].attrs["best_epoch"])
    equal(int(epochs["epoch"][epochs["improved"] == 1].max()), best, "/summary best_epoch")
    # min_delta keeps an equal or hardly better value from counting.
    top, expected = -np.inf, []
    for value in epochs["val_accuracy"]:
        expected.append(int(value - 0.0001 > top))
        top = value if expected[-1] else top
    equal(list(epochs["improved"]), expected, "/epochs improved, by val_accuracy")
    row = epochs.iloc[best - 1]
    equal(int(row["weights_crc"]), int(run["summary"].attrs["weights_crc"]), "the best epoch's crc")
    equal(run["evaluation/validation"].attrs["loss"], float(row["val_loss"]), "val_loss, restored")
    return epochs


def check_evaluation(run, weights):
    majority = int(np.argmax(run["data/train_class_rows"][:]))
    for part in ("train", "validation", "test"):
        group = run[f"evaluation/{part}"]
        check_names(group, ["rows", "loss", "accuracy", "majority_accuracy"], ["confusion"])
        loss, accuracy, confusion = evaluate(weights, part)
        near(group.attrs["loss"], loss, f"{part} loss")
        equal(group.attrs["accuracy"], float(accuracy), f"{part} accuracy")
        equal(group["confusion"][:].tolist(), confusion.tolist(), f"{part} confusion")
        equal(int(confusion.sum()), int(group.attrs["rows"]), f"{part} confusion's sum")
        rows = confusion.sum(axis=1)
        equal(run[f"data/{part}_class_rows"][:].tolist(), rows.tolist(), f"{part}_class_rows")
        equal(int(run["data"].attrs[f"{part}_rows"]), int(rows.sum()), f"{part}_rows")
        equal(group.attrs["majority_accuracy"], float(rows[majority] / rows.sum()),
              f"{part} majority_accuracy")


def main():
    with h5py.File(f"{folder}/run.h5", "r") as run:
        check_names(run, ["format_version", "status"],
                    ["config", "data", "environment", "epochs", "evaluation", "ranks", "summary"])
        equal(run.attrs["status"], "ok", "status")
        check_table(run["epochs"], EPOCHS)
        check_table(run["ranks"], RANKS)

        config = dict(run["config"].attrs)
        for name, value in CONFIG.items():
            equal(config.pop(name, None), value, f"/config {name}")
        equal(list(config.pop("data")), [prefix], "/config data")
        equal(config.pop("out"), folder, "/config out")
        equal(set(config) <= {"config"}, True, f"/config: no more than that: {set(config)}")

        check_names(run["environment"], ENVIRONMENT_TEXTS + ENVIRONMENT_NUMBERS, [])
        environment = run["environment"].attrs
        for name in ENVIRONMENT_TEXTS:
            equal(type(environment[name]), str, f"/environment {name}")
        equal(environment["command_line"].startswith("dtrain --hidden 20,10 "), True, "command_line")
        began = datetime.datetime.strptime(environment["started"], "%Y-%m-%dT%H:%M:%SZ")
        age = (datetime.datetime.utcnow() - began).total_seconds()
        equal(-2 <= age < 600, True, f"started less than ten minutes ago, not {age} s")
        equal(int(environment["ranks"]), ranks, "/environment ranks")
        equal(int(environment["hosts"]), 1, "/environment hosts")

        weights = read_weights()
        parameters = sum(array.size for array in weights)
        equal(int(run["data"].attrs["inputs"]), weights[0].shape[0], "/data inputs")
        equal(int(run["data"].attrs["classes"]), weights[-1].size, "/data classes")
        equal(int(run["data"].attrs["parameters"]), parameters, "/data parameters")
        equal([array.shape for array in weights], [(12, 20), (20,), (20, 10), (10,), (10, 3), (3,)],
              "the shapes of the weights")
        crc = 0
        for array in weights:
            crc = zlib.crc32(np.ascontiguousarray(array, "<f4").tobytes(), crc)
        equal(int(run["summary"].attrs["weights_crc"]), crc, "weights_crc of model.h5")

        check_epochs(run)
        check_evaluation(run, weights)
        table = run["ranks"][:]
        equal(table["rank"].tolist(), list(range(ranks)), "/ranks rank")
        equal(int(table["rows"].sum()), int(run["data"].attrs["train_rows"]), "/ranks rows")
        equal({host.decode() for host in table["host"]}, {environment["host"]}, "/ranks host")
        equal(all(bool((table[name] >= 0).all()) for name in RANKS if name.endswith("_s")), True,
              "/ranks times")
        print(f"{crc:08x}")


main()
