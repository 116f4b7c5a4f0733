"""check_weighted.py RUN...: are the numbers that RUN/run.h5 has of its sets, whose rows have weights, the array w of
RUN-validation.npz and RUN-test.npz, those of scikit-learn with sample_weight, to 1e-12, on what dtrain predict made of
the rows: RUN-validation.made.npz, RUN-test.made.npz?"""

import sys

import h5py
import numpy as np
from sklearn import metrics
from sklearn.utils.stats import _weighted_percentile

from check_scores import bins_of, one_against_rest

def of_classes(y, w, made):
    p, predicted = made["probabilities"].astype(np.float64), made["predicted"]
    two = p.shape[1] == 2

    def area(score):
        return one_against_rest(lambda mine, scores: score(mine, scores, sample_weight=w), y, p)

    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        y, predicted, average="macro", zero_division=0, sample_weight=w)
    brier = metrics.brier_score_loss(y, p[:, 1], sample_weight=w) if two else np.average(
        np.sum((p - np.eye(p.shape[1])[y]) ** 2, axis=1), weights=w)
    # Not scikit-learn's: a mean over the weight of the rows, of |accuracy - confidence| of their bin.
    bins = [(w[rows], c, r) for rows, c, r in bins_of(y, p) if rows.any() and w[rows].sum() > 0]
    calibration = sum(v.sum() * abs(np.average(c, weights=v) - np.average(r, weights=v)) for v, c, r in bins) / w.sum()
    return {"accuracy": metrics.accuracy_score(y, predicted, sample_weight=w),
            "log_loss": metrics.log_loss(y, p, labels=range(p.shape[1]), sample_weight=w), "brier": brier,
            "roc_auc": area(metrics.roc_auc_score), "pr_auc": area(metrics.average_precision_score),
            "precision": precision, "recall": recall, "f1": f1, "calibration_error": calibration}


def median(errors, w):
    """The same from below and from above: what median_absolute_error has from 1.8 on."""
    return (_weighted_percentile(errors, w, 50) - _weighted_percentile(-errors, w, 50)) / 2


def of_values(y, w, made):
    p, y = (values.astype(np.float64).reshape(len(w), -1) for values in (made["predicted"], y))
    shares = {"r2": metrics.r2_score(y, p, sample_weight=w),
              "explained_variance": metrics.explained_variance_score(y, p, sample_weight=w),
              "median_ae": np.mean([median(np.abs(errors), w) for errors in (p - y).T])}
    if y.shape[1] > 1: # the others are in the targets' standard deviations
        return shares
    return shares | {"mae": metrics.mean_absolute_error(y, p, sample_weight=w),
                     "rmse": np.sqrt(metrics.mean_squared_error(y, p, sample_weight=w))}


def check(run, part):
    rows, made = np.load(f"{run}-{part}.npz"), np.load(f"{run}-{part}.made.npz")
    w = rows["w"].astype(np.float64)
    if w.min() == w.max():
        sys.exit("all rows weigh the same, so this shows nothing")
    wanted = (of_classes if "probabilities" in made else of_values)(rows["targets"], w, made)
    with h5py.File(f"{run}/run.h5", "r") as log:
        found = log[f"evaluation/{part}"].attrs
        for name, value in wanted.items():
            if not abs(found[name] - value) <= 1e-12 * max(1, abs(value)):
                sys.exit(f"{run}: {part} {name}: expected {value!r}, found {found[name]!r}")
    print(f"{run}: {part}: {', '.join(wanted)} agree")


for run_folder in sys.argv[1:]:
    for set_name in ("validation", "test"):
        check(run_folder, set_name)
