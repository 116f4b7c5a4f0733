"""check_threshold.py RULE RUN DATA PREDICTIONS STDOUT: is the threshold of the model in the folder RUN what the
rule gives on the validation set DATA, tried at the probability of each row, of which PREDICTIONS is what
dtrain predict made? Does dtrain predict use it, and dtrain evaluate, which printed STDOUT, and the log? Rows
are weighted if the file has weights and RULE begins with "weighted ". Prints the threshold."""

import sys

import h5py
import numpy as np

rule, run, data, predictions, stdout = sys.argv[1:]
weighted = rule.startswith("weighted ")
rule = rule.removeprefix("weighted ")
labels = np.load(data)["targets"]
weights = np.load(data)["weights"].astype(float) if weighted else np.ones(len(labels))
made = np.load(predictions)
p = made["probabilities"][:, 1]
kind, _, number = rule.partition("=")


def quality(threshold):
    """Precision, recall and F1 of class 1."""
    taken = p >= threshold
    hits = weights[taken & (labels == 1)].sum()
    rows = weights[labels == 1].sum()
    return hits / weights[taken].sum(), hits / rows, 2 * hits / (weights[taken].sum() + rows)


def choose():
    scores = np.unique(p)
    precision, recall, f1 = np.transpose([quality(score) for score in scores])
    if kind == "f1":
        return scores[np.argmax(f1)] # the smallest of equals
    if kind == "recall":
        return scores[recall >= float(number)].max()
    if kind == "precision":
        return scores[precision >= float(number)].min()
    return np.float32(rule)


def equal(found, expected, what):
    if found != expected:
        sys.exit(f"{what}: expected {expected!r}, found {found!r}")


with open(stdout, encoding="utf-8") as file:
    said = dict(line.strip().split("=", 1) for line in file if line.startswith("summary."))
expected = choose()
log = h5py.File(f"{run}/run.h5", "r")
threshold = log["summary"].attrs["threshold"]
predicted = (p >= expected).astype(int)
equal(np.float32(threshold), expected, "the threshold in run.h5")
equal(np.float32(said["summary.threshold"]), expected, "summary.threshold of evaluate")
equal(made["predicted"].tolist(), predicted.tolist(), "predicted")
if np.array_equal(predicted, p >= 0.5):
    sys.exit("the threshold makes no difference, so this shows nothing")
equal(said["summary.accuracy"], f"{np.mean(predicted == labels):.9g}", "accuracy of evaluate")
confusion = np.zeros((2, 2), int)
np.add.at(confusion, (labels, predicted), 1)
group = log["evaluation/validation"]
equal(group["confusion"][:].tolist(), confusion.tolist(), "confusion matrix in run.h5")
hits = weights[predicted == labels].sum() / weights.sum()
if abs(group.attrs["accuracy"] - hits) > 1e-12:
    sys.exit(f"accuracy in run.h5: expected {hits}, found {group.attrs['accuracy']}")
print(f"{threshold:.9g}")
