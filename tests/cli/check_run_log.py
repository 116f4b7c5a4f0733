"""check_run_log.py FOLDER PREFIX RANKS: is FOLDER/run.h5 as documented, and does it agree with model.h5
and with the data PREFIX-train.npz, -validation.npz, -test.npz, evaluated anew by NumPy?"""

import datetime
import os
import sys
import zipfile
import zlib

import h5py
import numpy as np
import pandas as pd

EPOCHS = {"epoch": "i8", "train_loss": "f8", "train_accuracy": "f8", "val_loss": "f8",
          "val_accuracy": "f8", "learning_rate": "f8", "seconds": "f8", "samples_per_second": "f8",
          "weights_crc": "u4", "improved": "i4"}
RANKS = {"rank": "i8", "host": "S72", "rows": "i8", "load_s": "f8", "forward_s": "f8",
         "backward_s": "f8", "allreduce_s": "f8", "wait_s": "f8", "update_s": "f8", "validate_s": "f8"}
QUALITIES = ["log_loss", "brier", "calibration_error", "roc_auc", "pr_auc", "precision", "recall", "f1"]
CLASSES = {"class": "i8", "rows": "i8", "predicted": "i8", "precision": "f8", "recall": "f8",
           "f1": "f8", "roc_auc": "f8", "pr_auc": "f8"}
CALIBRATION = {"lower": "f8", "upper": "f8", "rows": "i8", "confidence": "f8", "accuracy": "f8"}
ROC = {"fpr": "f8", "tpr": "f8", "threshold": "f8"}
PR = {"recall": "f8", "precision": "f8", "threshold": "f8"}
# As test_run_log.sh calls the run; the type says how the attribute must read.
CONFIG = {"inputs": "", "targets": "", "weights": "", "task": "classification", "loss": "cross-entropy",
          "class_weight": "", "ema": 0.0, "label_smoothing": 0.0, "huber_delta": 1.0, "quantile": 0.5,
          "checkpoint_every": "10min",
          "resume": "", "force": 0, "time_limit": "never", "stall_timeout": "10min", "validation_split": 0.1, "test_split": 0.1,
          "threshold": "", "scale": "", "preset": "tutorial", "hidden": "20,10", "activation": "tanh", "norm": "none", "residual": 0,
          "numeric_embedding": "none", "bins": 48, "bins_by": "quantile", "embedding_width": 8, "frequencies": 48, "frequency_scale": 0.01, "category_embedding": 0, "members": 1, "members_kind": "mini", "init": "glorot_uniform",
          "dropout": 0.0, "noise": 0.0, "batch": 64, "epochs": 7,
          "learning_rate": 0.002, "optimizer": "adam", "momentum": 0.0, "nesterov": 0, "rho": 0.9,
          "schedule": "constant", "schedule_factor": 0.1, "schedule_every": 10, "warmup": 0.0, "weight_decay": 0.0, "l2": 0.0, "l1": 0.0, "clip_norm": 0.0, "clip_value": 0.0, "max_norm": 0.0,
          "patience": 3, "min_delta": 0.0001, "monitor": "val_accuracy", "min_epochs": 1, "baseline": 0.25,
          "no_restore_best": 0, "restarts": 1, "average": 0, "folds": 0, "folds_by_id": 0, "repeats": 1, "fold": 0, "seed": 5, "split_seed": -1, "shards": 9, "sum": "exact", "threads": 1, "engine": "auto", "reduce": "auto", "overlap": "auto", "init_from": "",
          "csv_log": "", "progress": 0, "quiet": 0, "like": "",
          # what a preparation of a table has: the defaults
          "target": "", "id": "", "drop": "", "numeric": "", "categorical": "", "fill": "error",
          "missing": "", "missing_only": "NA, N/A, n/a, NaN, nan, NULL, null, None, <NA>, #N/A, #NA, #N/A N/A, -NaN, -nan, 1.#IND, -1.#IND, 1.#QNAN, -1.#QNAN",
          "on_error": "stop", "encoding": "auto", "header": "auto", "columns": "", "skip_lines": 0, "unseen": "ignore", "max_categories": 1000,
          "split": "stratified", "split_column": "", "split_by": "", "drop_duplicates": 0, "separator": "auto", "decimal": "auto", "thousands": "auto", "dates": "auto"}
MEMBERS = {"set": "S12", "array": "S8", "file": "S256", "member": "S64", "bytes": "i8", "crc32": "u4"}
SETS = ("train", "validation", "test")
ENVIRONMENT_TEXTS = ["dtrain_version", "git_commit", "working_directory", "command_line", "host", "cpu", "kernels", "blas", "blas_kernels", "blas_picked",
                     "openblas_coretype", "mpi", "hdf5", "zlib", "slurm_job_id", "slurm_job_name", "slurm_node_list",
                     "slurm_tasks_per_node", "slurm_cpus_per_task", "slurm_array_job_id", "slurm_array_task_id",
                     "slurm_restart_count",
                     "started"]
ENVIRONMENT_NUMBERS = ["ranks", "hosts", "host_cpus", "blas_threads"]

folder, prefix, ranks = sys.argv[1], sys.argv[2], int(sys.argv[3])


def equal(found, expected, what):
    if not (np.all(np.isclose(found, expected, rtol=0, atol=0)) if isinstance(expected, float)
            else found == expected):
        sys.exit(f"{folder}: {what}: expected {expected!r}, found {found!r}")


def near(found, expected, what, tolerance=1e-6):
    if not abs(found - expected) <= tolerance:
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
    """Returns loss, accuracy, confusion matrix and probabilities, in double precision; and labels."""
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
    return (-logs[np.arange(len(labels)), labels].mean(), (predicted == labels).mean(), confusion,
            np.exp(logs), labels)


def areas(scores, positive):
    """Returns ROC-AUC and average precision, pair by pair."""
    above = scores[:, None] < scores[None, :]
    at_least = scores[:, None] <= scores[None, :]
    won = above[np.ix_(~positive, positive)].mean() / 2 + at_least[np.ix_(~positive, positive)].mean() / 2
    precision = (at_least & positive[None, :]).sum(axis=1) / at_least.sum(axis=1)
    return won, precision[positive].mean()


def qualities(p, labels, predicted):
    """Returns what /evaluation has of each set, but for the curves, by formulas."""
    rows, classes = p.shape
    onehot = np.eye(classes)[labels]
    confidence, hits = p[np.arange(rows), predicted], predicted == labels
    bins = np.digitize(confidence, np.arange(1, 10) / 10, right=True)
    error = sum(abs(confidence[bins == b].sum() - hits[bins == b].sum()) for b in range(10)) / rows
    squares = ((p - onehot) ** 2).sum(axis=1).mean()
    return {"log_loss": -np.log(p[np.arange(rows), labels]).mean(),
            "brier": squares / 2 if classes == 2 else squares, "calibration_error": error}


def check_curves(group, p, labels, part):
    table = group["classes"][:]
    if part == "train":
        for name in ("roc_auc", "pr_auc"):
            equal(bool(np.isnan(table[name]).all()), True, f"{part} {name} of the classes is NaN")
            equal(bool(np.isnan(group.attrs[name])), True, f"{part} {name} is NaN")
            equal(bool(np.isnan(group.attrs[f"majority_{name}"])), True, f"{part} majority_{name}")
        return
    expected = np.array([areas(p[:, c], labels == c) for c in range(p.shape[1])])
    whole = expected[1] if len(expected) == 2 else expected.mean(axis=0)
    shares = np.bincount(labels) / len(labels)
    for i, name in enumerate(("roc_auc", "pr_auc")):
        for c, value in enumerate(expected[:, i]):
            # float32 can swap two rows of all but equal scores
            near(float(table[name][c]), value, f"{part} {name} of class {c}", 1e-3)
        near(group.attrs[name], whole[i], f"{part} {name}", 1e-3)
    near(group.attrs["majority_roc_auc"], 0.5, f"{part} majority_roc_auc")
    near(group.attrs["majority_pr_auc"], shares[1] if len(shares) == 2 else shares.mean(),
         f"{part} majority_pr_auc")
    if len(expected) == 2:
        roc = group["roc"][:]
        equal([tuple(roc[0])[:2], tuple(roc[-1])[:2]], [(0.0, 0.0), (1.0, 1.0)], f"{part} roc's ends")
        equal(bool(np.isinf(roc["threshold"][0])), True, f"{part} roc's first threshold")
        equal(bool((np.diff(roc["threshold"]) < 0).all()), True, f"{part} roc's thresholds fall")
        area = ((roc["tpr"][1:] + roc["tpr"][:-1]) * np.diff(roc["fpr"])).sum() / 2
        near(area, group.attrs["roc_auc"], f"{part} area under roc", 1e-4)  # thinned
        pr = group["pr"][:]
        equal([tuple(pr[0])[:2], pr["recall"][-1]], [(0.0, 1.0), 1.0], f"{part} pr's ends")
        equal(pr["precision"][-1], shares[1], f"{part} pr's last precision")
        equal(pr["threshold"].tolist(), roc["threshold"].tolist(), f"{part} pr's thresholds")
        area = (np.diff(pr["recall"]) * pr["precision"][1:]).sum()
        near(area, group.attrs["pr_auc"], f"{part} average precision of pr", 1e-12)


def check_classes(group, confusion, part):
    """Rows, predictions, precision, recall, f1; and their means."""
    table = group["classes"][:]
    hits, rows, predicted = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    columns = {"class": np.arange(len(hits)), "rows": rows, "predicted": predicted,
               "precision": hits / np.maximum(predicted, 1), "recall": hits / np.maximum(rows, 1),
               "f1": 2 * hits / np.maximum(rows + predicted, 1)}
    for name, values in columns.items():
        for c, value in enumerate(values):
            near(float(table[name][c]), value, f"{part} {name} of class {c}")
    occurs = rows + predicted > 0
    for name in ("precision", "recall", "f1"):
        near(group.attrs[name], columns[name][occurs].mean(), f"{part} {name}")


def check_calibration(group, p, labels, predicted, part):
    table = group["calibration"][:]
    equal(table["upper"].tolist(), [(b + 1) / 10 for b in range(10)], f"{part} bins")
    equal(table["lower"].tolist(), [b / 10 for b in range(10)], f"{part} bins")
    confidence = p[np.arange(len(p)), predicted]
    bins = np.digitize(confidence, np.arange(1, 10) / 10, right=True)
    equal(table["rows"].tolist(), np.bincount(bins, minlength=10).tolist(), f"{part} rows of bins")
    for b in range(10):
        if table["rows"][b] == 0:
            equal(bool(np.isnan(table["confidence"][b]) and np.isnan(table["accuracy"][b])), True,
                  f"{part} empty bin {b}")
        else:
            near(table["confidence"][b], confidence[bins == b].mean(), f"{part} confidence of bin {b}")
            near(table["accuracy"][b], (predicted == labels)[bins == b].mean(),
                 f"{part} accuracy of bin {b}")


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
    for epoch, value in enumerate(epochs["val_accuracy"]):  # the first is not judged: --min-epochs 1
        expected.append(int(epoch >= 1 and value - 0.0001 > top))
        top = value if expected[-1] else top
    equal(list(epochs["improved"]), expected, "/epochs improved, by val_accuracy")
    row = epochs.iloc[best - 1]
    equal(int(row["weights_crc"]), int(run["summary"].attrs["weights_crc"]), "the best epoch's crc")
    equal(run["evaluation/validation"].attrs["loss"], float(row["val_loss"]), "val_loss, restored")
    return epochs


def check_majority(group, class_rows, rows, part):
    """Always the training set's majority class; the probabilities are the shares of its classes."""
    shares, majority, total = class_rows / class_rows.sum(), int(np.argmax(class_rows)), rows.sum()
    labels = np.repeat(np.arange(len(rows)), rows)
    expected = qualities(np.tile(shares, (total, 1)), labels, np.full(total, majority))
    share = rows[majority] / total
    occurs = np.sum((rows > 0) | (np.arange(len(rows)) == majority))
    expected.update(loss=expected["log_loss"], accuracy=share, precision=share / occurs, recall=1 / occurs,
                    f1=2 * share / (1 + share) / occurs)
    equal(group.attrs["majority_accuracy"], float(share), f"{part} majority_accuracy")
    for name, value in expected.items():
        near(group.attrs[f"majority_{name}"], value, f"{part} majority_{name}")


def check_evaluation(run, weights):
    for part in ("train", "validation", "test"):
        group = run[f"evaluation/{part}"]
        loss, accuracy, confusion, p, labels = evaluate(weights, part)
        curve = ["roc", "pr"] if p.shape[1] == 2 and part != "train" else []
        check_names(group, ["rows", "loss", "accuracy", "majority_loss", "majority_accuracy", *QUALITIES,
                            *(f"majority_{name}" for name in QUALITIES)],
                    ["confusion", "classes", "calibration", *curve])
        check_table(group["classes"], CLASSES)
        check_table(group["calibration"], CALIBRATION)
        for name in curve:
            check_table(group[name], {"roc": ROC, "pr": PR}[name])
        near(group.attrs["loss"], loss, f"{part} loss")
        equal(group.attrs["accuracy"], float(accuracy), f"{part} accuracy")
        equal(group["confusion"][:].tolist(), confusion.tolist(), f"{part} confusion")
        equal(int(confusion.sum()), int(group.attrs["rows"]), f"{part} confusion's sum")
        rows = confusion.sum(axis=1)
        equal(run[f"data/{part}_class_rows"][:].tolist(), rows.tolist(), f"{part}_class_rows")
        equal(int(run["data"].attrs[f"{part}_rows"]), int(rows.sum()), f"{part}_rows")
        predicted = p.argmax(axis=1)
        for name, value in qualities(p, labels, predicted).items():
            near(group.attrs[name], value, f"{part} {name}")
        check_classes(group, confusion, part)
        check_calibration(group, p, labels, predicted, part)
        check_curves(group, p, labels, part)
        check_majority(group, run["data/train_class_rows"][:], rows, part)


def check_members(run):
    """The arrays as Python's zipfile finds them."""
    table = run["data/members"][:]
    check_table(run["data/members"], MEMBERS)
    equal(run["data/members"].attrs["bytes_unit"], "B", "/data/members bytes_unit")
    expected = []
    for part in SETS:
        path = f"{prefix}-{part}.npz"
        with zipfile.ZipFile(path) as archive:
            for name in ("inputs", "targets"):
                data = archive.read(f"{name}.npy")
                expected.append((part, name, path, name, len(data), zlib.crc32(data)))
    found = [tuple(value.decode() if isinstance(value, bytes) else int(value) for value in row)
             for row in table]
    equal(found, expected, "/data/members")


def check_scale(run, path, labels):
    """The dimensions of what counts by class are labelled, and have the names as their scale."""
    dims = run[path].dims
    equal([dim.label for dim in dims], labels, f"{path}: the labels of its dimensions")
    for dim in dims:
        equal(len(dim), 1, f"{path}: how many scales a dimension has")
        equal(dim[0].name, "/data/class_names", f"{path}: the scale")


def check_data(run, weights):
    classes = weights[-1].size
    check_names(run["data"], ["inputs", "task", "classes", "parameters", "network",
                              *(f"{part}_rows" for part in SETS)],
                ["class_names", "members", *(f"{part}_class_rows" for part in SETS)])
    attributes = run["data"].attrs
    equal(int(attributes["inputs"]), weights[0].shape[0], "/data inputs")
    equal(attributes["task"], "classification", "/data task")
    equal(int(attributes["classes"]), classes, "/data classes")
    equal(int(attributes["parameters"]), sum(array.size for array in weights), "/data parameters")
    equal(attributes["network"], f"12-20-10-{classes}", "/data network")
    names = run["data/class_names"]
    equal(h5py.h5ds.is_scale(names.id), True, "/data/class_names is a dimension scale")
    equal([name.decode() for name in names[:]], [str(c) for c in range(classes)], "/data/class_names")
    for part in SETS:
        check_scale(run, f"data/{part}_class_rows", ["class"])
        check_scale(run, f"evaluation/{part}/confusion", ["true class", "predicted class"])
    check_members(run)


def check_environment(run):
    check_names(run["environment"], ENVIRONMENT_TEXTS + ENVIRONMENT_NUMBERS, ["rank_hosts"])
    environment = run["environment"].attrs
    for name in ENVIRONMENT_TEXTS:
        equal(type(environment[name]), str, f"/environment {name}")
    for name in ENVIRONMENT_NUMBERS:
        equal(environment[name].dtype.kind, "i", f"/environment {name}")
    equal(environment["command_line"].startswith("dtrain --hidden 20,10 "), True, "command_line")
    equal(os.path.realpath(environment["working_directory"]), os.getcwd(), "working_directory")
    began = datetime.datetime.strptime(environment["started"], "%Y-%m-%dT%H:%M:%SZ")
    equal(began.year >= 2024, True, "started")
    equal(int(environment["ranks"]), ranks, "/environment ranks")
    equal(int(environment["hosts"]), 1, "/environment hosts")
    hosts = run["environment/rank_hosts"]
    equal([host.decode() for host in hosts[:]], [environment["host"]] * ranks, "rank_hosts")
    equal([dim.label for dim in hosts.dims], ["rank"], "the label of rank_hosts")


def check_sessions(run):
    check_table(run["sessions"], {"epoch": "i8", "rows": "i8", "ranks": "i8", "hosts": "i8",
                                  "started": "S24", "host": "S72", "slurm_job_id": "S32"})
    table = run["sessions"][:]
    equal((len(table), int(table["epoch"][0]), int(table["rows"][0]), int(table["ranks"][0])), (1, 1, 0, ranks),
          "/sessions: one, from the beginning")
    equal(table["started"][0].decode()[10::9], "TZ", "/sessions started, as 2026-01-31T23:59:59Z")


def check_ranks(run):
    check_table(run["ranks"], RANKS)
    table = run["ranks"][:]
    equal(table["rank"].tolist(), list(range(ranks)), "/ranks rank")
    equal(int(table["rows"].sum()), int(run["data"].attrs["train_rows"]), "/ranks rows")
    equal({host.decode() for host in table["host"]}, {run["environment"].attrs["host"]}, "/ranks host")
    for name in RANKS:
        if name.endswith("_s"):
            equal(bool(np.isfinite(table[name]).all() and (table[name] >= 0).all()), True, f"/ranks {name}")
    # An estimate from some of the steps: it may be somewhat more than what it is a part of.
    equal(bool((table["wait_s"] <= table["allreduce_s"] * 32 + 1).all()), True, "/ranks wait_s")


def main():
    with h5py.File(f"{folder}/run.h5", "r") as run:
        check_names(run, ["format_version", "status"],
                    ["config", "data", "environment", "epochs", "evaluation", "ranks", "sessions",
                     "summary"])
        equal(run.attrs["status"], "ok", "status")
        equal(int(run.attrs["format_version"]), 2, "format_version")
        check_table(run["epochs"], EPOCHS)

        config = dict(run["config"].attrs)
        for name, value in CONFIG.items():
            equal(config.pop(name, None), value, f"/config {name}")
        equal(list(config.pop("data")), [prefix], "/config data")
        equal(config.pop("out"), folder, "/config out")
        equal(config, {"config": ""}, "/config: what else there is")

        check_environment(run)
        weights = read_weights()
        check_data(run, weights)
        classes = weights[-1].size
        equal([array.shape for array in weights],
              [(12, 20), (20,), (20, 10), (10,), (10, classes), (classes,)], "the shapes of the weights")
        crc = 0
        for array in weights:
            crc = zlib.crc32(np.ascontiguousarray(array, "<f4").tobytes(), crc)
        check_names(run["summary"], ["epochs", "best_epoch", "weights_crc", "samples_per_second", "reduce"], [])
        equal(run["summary"].attrs["reduce"], "none" if ranks == 1 else "window", "how gradients are added up")
        equal(int(run["summary"].attrs["weights_crc"]), crc, "weights_crc of model.h5")

        check_epochs(run)
        check_evaluation(run, weights)
        check_ranks(run)
        check_sessions(run)
        print(f"{crc:08x}")


main()
