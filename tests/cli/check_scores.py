"""check_scores.py LIST: each line of the file LIST is STDOUT PREDICTIONS.npz TARGETS.npz [RUN.h5]. Are the
numbers that dtrain evaluate printed, in the file STDOUT, those of scikit-learn on the probabilities that
dtrain predict gave for the same rows? And with RUN.h5, those that dtrain train logged for its test set?
Prints a line for each."""

import re
import sys

import h5py
import numpy as np
from sklearn import metrics

PLACES = 5e-5 + 1e-9 # half a unit of the last of four


class Wrong(Exception):
    pass


def near(found, expected, what, tolerance=1e-12):
    if not abs(found - expected) <= tolerance and not (np.isnan(found) and np.isnan(expected)):
        raise Wrong(f"{what}: expected {expected!r}, found {found!r}")


def keras_loss(y, p):
    """sparse_categorical_crossentropy's clip"""
    return np.mean(-np.log(np.clip(p, 1e-7, 1 - 1e-7)[np.arange(len(y)), y]))


def brier(y, p):
    if p.shape[1] == 2:
        return metrics.brier_score_loss(y, p[:, 1])
    return np.mean(np.sum((p - np.eye(p.shape[1])[y]) ** 2, axis=1))


def bins_of(y, p):
    """rows, mean confidence and accuracy of (0, 0.1], (0.1, 0.2] ..."""
    confidence, right = p.max(axis=1), p.argmax(axis=1) == y
    place = np.ceil(confidence * 10).astype(int) - 1
    return [(place == b, confidence[place == b], right[place == b]) for b in range(10)]


def calibration_error(y, p):
    return sum(len(c) / len(y) * abs(c.mean() - r.mean()) for _, c, r in bins_of(y, p) if len(c))


def one_against_rest(score, y, p):
    """of class 1 when there are two; else the mean over those classes that some but not all rows have"""
    if p.shape[1] == 2:
        return score(y == 1, p[:, 1]) if 0 < np.sum(y == 1) < len(y) else np.nan
    each = [score(y == c, p[:, c]) for c in range(p.shape[1]) if 0 < np.sum(y == c) < len(y)]
    return np.mean(each) if each else np.nan


def all_metrics(y, p, predicted):
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        y, predicted, average="macro", zero_division=0)
    return {"accuracy": metrics.accuracy_score(y, predicted), "loss": keras_loss(y, p),
            "log_loss": metrics.log_loss(y, p, labels=range(p.shape[1])), "brier": brier(y, p),
            "calibration_error": calibration_error(y, p),
            "roc_auc": one_against_rest(metrics.roc_auc_score, y, p),
            "pr_auc": one_against_rest(metrics.average_precision_score, y, p),
            "precision": precision, "recall": recall, "f1": f1}


def section(lines, first):
    """The lines of the table below the one that matches, up to a blank one, cut at blanks."""
    start = next(n for n, line in enumerate(lines) if re.match(first, line)) + 1
    return [line.split() for line in lines[start:lines.index("", start)]]


def check_tables(lines, y, p, predicted):
    C = p.shape[1]
    confusion = metrics.confusion_matrix(y, predicted, labels=range(C))
    found = [row[-C:] for row in section(lines, r"true \\ predicted")]
    if not np.array_equal(np.array(found, dtype=int), confusion):
        raise Wrong(f"confusion matrix: expected {confusion}, found {found}")
    scores = metrics.precision_recall_fscore_support(y, predicted, labels=range(C), zero_division=0)
    for c, row in enumerate(section(lines, "class +rows")):
        rows, counted, *found = (float(cell) if cell != "-" else np.nan for cell in row[-7:])
        mine = y == c
        wanted = [s[c] for s in scores[:3]] + (
            [metrics.roc_auc_score(mine, p[:, c]), metrics.average_precision_score(mine, p[:, c])]
            if 0 < mine.sum() < len(y) else [np.nan, np.nan])
        if rows != mine.sum() or counted != np.sum(predicted == c):
            raise Wrong(f"class {c}: {rows} rows, {counted} predicted")
        for f, w in zip(found, wanted):
            near(f, w, f"class {c}", PLACES)
    bins = [(b, c, r) for b, (_, c, r) in enumerate(bins_of(y, p)) if len(c)]
    table = section(lines, "confidence +rows")
    if len(table) != len(bins):
        raise Wrong(f"{len(table)} bins of confidence, expected {len(bins)}")
    for (b, c, r), row in zip(bins, table):
        for f, w in zip(map(float, [row[0], *row[-3:]]), (b / 10, len(c), c.mean(), r.mean())):
            near(f, w, f"confidence bin {b}", PLACES)


def check_pr(table, y, p):
    """All points, or those that were kept, are precision_recall_curve's."""
    precision, recall, thresholds = metrics.precision_recall_curve(y == 1, p[:, 1])
    curve = dict(zip([*thresholds, np.inf], zip(recall, precision)))
    kept_all = len(curve) <= 1001
    if len(table) < 2 or len(table) > 1001 or kept_all and len(table) != len(curve):
        raise Wrong(f"pr has {len(table)} points, of {len(curve)}")
    for point in table:
        for found, expected in zip((point["recall"], point["precision"]), curve[point["threshold"]]):
            near(found, expected, f"pr at {point['threshold']}")


def check(stdout, predictions, targets, run=None):
    with open(stdout, encoding="utf-8") as file:
        lines = file.read().split("\n")
    said = dict(line[8:].split("=", 1) for line in lines if line.startswith("summary."))
    made, y = np.load(predictions), np.load(targets)["targets"]
    p = made["probabilities"].astype(np.float64)
    predicted = made["predicted"]
    near(float(said["rows"]), len(y), "rows")
    near(len(p), len(y), "rows predicted")
    if not np.array_equal(predicted, p.argmax(axis=1)):
        raise Wrong("predicted is not the most probable class, the first of equals")
    wanted = all_metrics(y, p, predicted)
    for name, value in wanted.items():
        near(float(said.get(name, "nan")), value, name, 1e-8) # of nine digits

    # The baseline always says the most frequent class of these rows, with the classes' shares.
    shares = np.bincount(y, minlength=p.shape[1]) / len(y)
    baseline = all_metrics(y, np.tile(shares, (len(y), 1)), np.full(len(y), shares.argmax()))
    for name, value in baseline.items():
        near(float(said.get(f"majority_{name}", "nan")), value, f"majority_{name}", 1e-8)
    check_tables(lines, y, p, predicted)

    if run is not None:
        group = h5py.File(run, "r")["evaluation/test"]
        logged = group.attrs
        if p.shape[1] == 2:
            check_pr(group["pr"][:], y, p)
        for name in wanted: # training's loss is not clipped
            near(float(said.get(name, "nan")), logged[name], f"run.h5 {name}", 1e-6 if name == "loss" else 1e-8)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as list_of_files:
        for line in list_of_files:
            try:
                check(*line.split())
            except Wrong as wrong:
                sys.exit(f"{line.strip()}: {wrong}")
            print(f"{line.strip()}: agrees")
