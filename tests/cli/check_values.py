"""check_values.py FOLDER PREFIX [SUMMARY]: do the losses and qualities of a run on values in FOLDER/run.h5 agree with
what NumPy makes of model.h5 and of PREFIX-train.npz, -validation.npz, -test.npz; and the lines of SUMMARY with
them?"""

import json
import sys

import h5py
import numpy as np

folder, prefix = sys.argv[1:3]
QUALITIES = ("rmse", "mae", "median_ae", "r2", "explained_variance", "pinball")
METRICS = ("loss", "rmse", "mae")


def near(found, expected, what, tolerance=2e-5):
    if np.isnan(expected) != np.isnan(found) or abs(found - expected) > tolerance * max(1, abs(expected)):
        sys.exit(f"{folder}: {what}: expected {expected!r}, found {found!r}")


def read_model():
    with h5py.File(f"{folder}/model.h5", "r") as file:
        model = json.loads(file["dtrain"].attrs["model"])
        weights = file["model_weights"]
        layers = [[weights[f"{name}/{name}/{part}:0"][()].astype(float) for part in ("kernel", "bias")]
                  for name in (str(n, "utf-8") if isinstance(n, bytes) else n for n in weights.attrs["layer_names"])]
    return model, layers


def predict(layers, x):
    for i, (kernel, bias) in enumerate(layers):
        x = x @ kernel + bias
        if i + 1 < len(layers):
            x = np.maximum(x, 0)
    return x


def loss_of(model, errors):
    """Of each row, as Keras and scikit-learn have it; errors in standard deviations."""
    number, sizes = model.get("loss_number"), np.abs(errors)
    terms = {"mean_squared_error": lambda: errors ** 2, "mean_absolute_error": lambda: sizes,
             "huber": lambda: np.where(sizes <= number, errors ** 2 / 2, number * (sizes - number / 2)),
             "quantile": lambda: np.maximum((1 - number) * errors, -number * errors)}
    return terms[model["loss"]]().mean(axis=1)


def median(values, w):
    """The mean of the smallest and the largest value of which half of the weight is not above, or not below."""
    order = np.argsort(values)
    values, w = values[order][w[order] > 0], w[order][w[order] > 0]
    half = w.sum() / 2
    upper = values[::-1][np.searchsorted(np.cumsum(w[::-1]), half)]
    return (values[np.searchsorted(np.cumsum(w), half)] + upper) / 2


def qualities(p, y, w, quantile):
    """As scikit-learn's with sample_weight, from 1.8 on."""
    def mean(values):
        return np.average(values, weights=w)

    errors, spread = p - y, mean((y - mean(y)) ** 2)
    pinball = np.nan if quantile is None else mean(np.maximum((1 - quantile) * errors, -quantile * errors))
    return {"rmse": np.sqrt(mean(errors ** 2)), "mae": mean(np.abs(errors)),
            "median_ae": median(np.abs(errors), w), "r2": 1 - mean(errors ** 2) / spread,
            "explained_variance": 1 - mean((errors - mean(errors)) ** 2) / spread, "pinball": pinball}


def check_target(group, table, j, p, y, w, unit, part):
    """One target's row of the table, and its histograms."""
    expected = qualities(p, y, w, None)
    for name in ("rmse", "mae", "median_ae"):
        if name != "median_ae" or part != "train":
            near(table[name][j] / unit, expected[name] / unit, f"{part} {name} of target {j}")
    for name in ("r2", "explained_variance"):
        near(table[name][j], expected[name], f"{part} {name} of target {j}")
    residuals, joint = group["residuals"][j], group["joint"][j]
    if part == "train":
        assert not residuals.any() and not joint.any(), f"{part}: no rows are kept"
        return
    assert residuals.dtype == joint.dtype == ("i8" if (w == 1).all() else "f8"), f"{part}: types"
    assert residuals.sum() == joint.sum() == w.sum(), f"{part}: each row is in a bin"
    assert (table["low"][j], table["high"][j]) == (y[w > 0].min(), y[w > 0].max()), f"{part}: low, high"
    near(table["residual_limit"][j], 4 * table["rmse"][j], f"{part} residual_limit", 1e-15)
    ends = table["low"][j], table["high"][j]
    assert (joint.sum(axis=1) == np.histogram(y, 32, ends, weights=w)[0]).all(), f"{part}: targets' bins"
    limit = table["residual_limit"][j]
    bins = np.clip(np.floor((p - y + limit) / (2 * limit) * 40), 0, 39).astype(int)
    # float32 can move a row that lies on an edge
    moved = np.abs(residuals - np.bincount(bins, weights=w, minlength=40)).sum()
    assert moved <= 4 * w.max(), f"{part}: {moved} rows are in another bin"


def main():
    model, layers = read_model()
    mean, unit = (np.array([target[name] for target in model["targets"]]) for name in ("mean", "deviation"))
    quantile = model["loss_number"] if model["loss"] == "quantile" else None
    data = {part: np.load(f"{prefix}-{part}.npz") for part in ("train", "validation", "test")}
    y_train = data["train"]["targets"].astype(np.float32).astype(float).reshape(len(data["train"]["inputs"]), -1)
    assert np.allclose(mean, y_train.mean(axis=0), rtol=1e-12, atol=0), "mean of the training targets"
    assert np.allclose(unit, y_train.std(axis=0), rtol=1e-12, atol=0), "their standard deviation"
    lines = {}
    if len(sys.argv) > 3:
        lines = dict(line.strip().split("=", 1) for line in open(sys.argv[3]) if line.startswith("summary."))
    with h5py.File(f"{folder}/run.h5", "r") as run:
        T = len(mean)
        assert (run["data"].attrs["task"], run["data"].attrs["values"]) == ("regression", T), "/data"
        weighted = run["config"].attrs["weights"] != ""
        for key, part in (("train", "train"), ("val", "validation"), ("test", "test")):
            group = run[f"evaluation/{part}"]
            y = data[part]["targets"].astype(np.float32).astype(float).reshape(len(data[part]["inputs"]), -1)
            p = predict(layers, data[part]["inputs"].astype(float)) * unit + mean
            w = data[part]["w"].astype(float) if weighted else np.ones(len(y))
            errors = (p - y) / unit
            one_unit = unit[0] if T == 1 else 1.0
            metrics = {"loss": (w * loss_of(model, errors)).sum() / w.sum(),
                       "rmse": one_unit * np.sqrt((w * (errors ** 2).mean(axis=1)).sum() / w.sum()),
                       "mae": one_unit * (w * np.abs(errors).mean(axis=1)).sum() / w.sum()}
            for name in METRICS:
                near(group.attrs[name], metrics[name], f"{part} {name}")
                if lines:
                    near(float(lines[f"summary.{key}_{name}"]), group.attrs[name], f"summary {key}_{name}", 1e-8)
            each = [qualities(p[:, j], y[:, j], w, quantile) for j in range(T)]
            always = [qualities(np.full(len(y), mean[j]), y[:, j], w, None) for j in range(T)]
            for name in QUALITIES:
                if name in METRICS or part == "train" and name == "median_ae":
                    continue
                near(group.attrs[name], np.mean([one[name] for one in each]), f"{part} {name}")
            for name in ("rmse", "mae", "r2", "explained_variance"):
                near(group.attrs[f"baseline_{name}"], np.mean([one[name] for one in always]), f"{part} baseline {name}")
            for j in range(T):
                check_target(group, group["targets"][:], j, p[:, j], y[:, j], w, unit[j], part)
            if lines:
                near(float(lines[f"summary.{key}_r2"]), group.attrs["r2"], f"summary {key}_r2", 1e-8)
                rmse = np.sqrt(np.average((((y - mean) / unit) ** 2).mean(axis=1), weights=w)) * one_unit
                near(float(lines[f"summary.{key}_baseline_rmse"]), rmse, f"summary {key}_baseline_rmse", 1e-7)


main()
