"""check_explain.py DTRAIN FOLDER MODEL ARRAYS.npz [WEIGHTS]: is what `dtrain explain` wrote into FOLDER, of
MODEL on ARRAYS, what scikit-learn's permutation_importance gives for dtrain's own predictions and the
permutations that include/dtrain/task/explanation.h documents? And are the dependences mean predictions? The
recipe is in MODEL's recipe.json beside it, or there is none. Prints what was compared."""

import csv
import json
import os
import subprocess
import sys

import h5py
import numpy as np
import sklearn.inspection._permutation_importance as sklearn_importance
from sklearn import metrics

PURPOSE = 8 # DT_RANDOM_EXPLAIN
NUMBER, DATE, CATEGORY = 0, 1, 2


def near(found, expected, what, tolerance=1e-12):
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    if found.shape != expected.shape or not np.allclose(found, expected, rtol=0, atol=tolerance, equal_nan=True):
        sys.exit(f"{what}: expected {expected}, found {found}")


# ---- dtrain's random numbers ----

def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & 0xFFFFFFFF, (a >> 32) ^ c[3] ^ k[1], a & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def words(seed, stream):
    block = 0
    while True:
        yield from philox([block, PURPOSE, stream & 0xFFFFFFFF, stream >> 32],
                          [seed & 0xFFFFFFFF, seed >> 32])
        block += 1


def permutation(seed, stream, count):
    """Durstenfeld's inside-out form, with Lemire's bounded numbers."""
    source, out = words(seed, stream), []
    for bound in range(1, count + 1):
        j = 0
        if bound > 1:
            product = next(source) * bound
            while product & 0xFFFFFFFF < bound and product & 0xFFFFFFFF < (2 ** 32 - bound) % bound:
                product = next(source) * bound
            j = product >> 32
        out.append(out[j] if j < len(out) else bound - 1)
        out[j] = bound - 1
    return np.array(out)


class OurShuffles:
    """What scikit-learn takes for a RandomState: it permutes the column that it permuted before."""

    def __init__(self, permutations, count):
        self.permutations, self.last = iter(permutations), np.arange(count)

    def shuffle(self, index):
        wanted = next(self.permutations)
        index[:] = np.argsort(self.last)[wanted]
        self.last = wanted


class Seeds:
    def randint(self, _):
        return 0


# ---- dtrain's predictions ----

class Model:
    """Predicts once, for all that was asked the first time; the second time it gives the answers."""

    def __init__(self, dtrain, path, inputs, columns):
        self.dtrain, self.path, self.inputs, self.columns = dtrain, path, inputs, columns
        self.asked, self.answers = [], None

    def fit(self):
        raise NotImplementedError

    def rows(self, X):
        x = np.empty_like(self.inputs)
        for c, (first, width) in enumerate(self.columns):
            x[:, first:first + width] = self.inputs[X[:, c], first:first + width]
        return x

    def predict_all(self, batches):
        np.savez("asked.npz", inputs=np.concatenate(batches))
        subprocess.run([self.dtrain, "predict", self.path, "asked.npz", "--out", "answers.npz",
                        "--quiet"], check=True, stdout=subprocess.DEVNULL)
        answers = np.load("answers.npz")
        found = answers["probabilities" if "probabilities" in answers else "predicted"]
        ends = np.cumsum([len(b) for b in batches])[:-1]
        predicted = answers["predicted"] if "probabilities" in answers else None
        return list(zip(np.split(found.astype(float), ends),
                        np.split(predicted, ends) if predicted is not None else batches))


def score(name, y, p, predicted, weight):
    """Larger is better."""
    if name == "loss":
        return -np.average(-np.log(np.clip(p, 1e-7, 1 - 1e-7)[np.arange(len(y)), y]), weights=weight)
    if name == "accuracy":
        return metrics.accuracy_score(y, predicted, sample_weight=weight)
    if name == "roc_auc":
        return metrics.roc_auc_score(y == 1, p[:, 1], sample_weight=weight)
    y, p = y.reshape(len(y), -1).astype(float), p.reshape(len(y), -1)
    if name == "rmse":
        return -np.mean(np.sqrt([metrics.mean_squared_error(y[:, j], p[:, j], sample_weight=weight)
                                 for j in range(y.shape[1])]))
    return np.mean([metrics.r2_score(y[:, j], p[:, j], sample_weight=weight) for j in range(y.shape[1])])


def importances(model, y, name, seed, repeats, weight):
    """scikit-learn's, with our permutations."""
    N, count = len(y), len(model.columns)
    streams = [[permutation(seed, c << 32 | r, N) for r in range(repeats)] for c in range(count)]
    for ready in (False, True):
        answers = iter(model.answers or [])
        states = iter([Seeds()] + [OurShuffles(s, N) for s in streams])
        sklearn_importance.check_random_state = lambda _: next(states)

        def scorer(estimator, X, _, sample_weight=None):
            if not ready:
                estimator.asked.append(estimator.rows(X))
                return 0.0
            p, predicted = next(answers)
            return score(name, y, p, predicted, weight)

        X = np.repeat(np.arange(N)[:, None], count, axis=1)
        found = sklearn_importance.permutation_importance(model, X, y, scoring=scorer,
                                                          n_repeats=repeats)
        if not ready and model.answers is None:
            model.answers = model.predict_all(model.asked)
    return found.importances


# ---- the files ----

def original_columns(recipe, D):
    """Names, kinds and inputs, in the order of the inputs."""
    if recipe is None:
        return [(f"input {i}", NUMBER, i, 1, None) for i in range(D)]
    out, first = [], 0
    for kinds in (("numeric", "date"), ("categorical",)):
        for column in recipe["columns"]:
            if column["role"] not in kinds:
                continue
            if column["role"] == "categorical":
                width = (len(column["categories"]) + bool(column.get("rare"))
                         + (column["fill"] == "category"))
            else:
                width = 1 + 2 * len(column.get("parts", [])) + ("indicator" in column["fill"])
            kind = {"numeric": NUMBER, "date": DATE, "categorical": CATEGORY}[column["role"]]
            out.append((column["name"], kind, first, width, column))
            first += width
    assert first == D
    return out


def inputs_of(point, column, inputs):
    """The inputs that a point sets: those of a row that has them."""
    _, kind, first, width, recipe = column
    own = inputs[:, first:first + width]
    text = point["text"].decode()
    if kind == CATEGORY:
        names = recipe["categories"] + ["(rare)"] * bool(recipe.get("rare")) + ["(missing)"]
        return np.eye(width, dtype=np.float32)[names.index(text)]
    if text == "(missing)":
        return own[own[:, -1] == 1][0]
    z = (point["value"] - recipe["center"]) / recipe["spread"] if recipe else point["value"]
    return own[np.flatnonzero(own[:, 0] == np.float32(z))[0]]


def check_dependence(file, model, columns, inputs, weight):
    points, found = file["dependence"][:], file["predictions"][:]
    M, N = int(file.attrs["dependence_rows"]), len(inputs)
    drawn = np.sort(permutation(int(file.attrs["seed"]), 2 ** 64 - 1, N)[:M])
    batches = []
    for point in points:
        column = columns[point["number"]]
        x = inputs[drawn].copy()
        x[:, column[2]:column[2] + column[3]] = inputs_of(point, column, inputs)
        batches.append(x)
    expected = [np.average(p.reshape(M, -1), axis=0, weights=None if weight is None else weight[drawn])
                for p, _ in model.predict_all(batches)]
    scale = max(1.0, np.abs(found).max())
    near(found / scale, np.array(expected) / scale, "dependence")
    for number in np.unique(points["number"]):
        own = points[points["number"] == number]
        if columns[number][1] != CATEGORY or len(own) == columns[number][3]: # else some are left out
            near(own["share"].sum(), 1.0, f"shares of {columns[number][0]}")
        values = own["value"][np.isfinite(own["value"])]
        if not np.all(np.diff(values) > 0):
            sys.exit(f"values of {columns[number][0]} do not rise: {values}")
    return len(points)


def check_csv(folder, file):
    with open(os.path.join(folder, "explain.csv"), newline="", encoding="utf-8") as text:
        lines = list(csv.DictReader(text))
    metric, table = file.attrs["metric"], file["importance"][:]
    near([float(line[metric]) for line in lines], table["importance"], "explain.csv", 0)
    assert [line["column"] for line in lines] == [c.decode() for c in table["column"]]
    with open(os.path.join(folder, "explain-dependence.csv"), newline="", encoding="utf-8") as text:
        lines = list(csv.DictReader(text))
    near([float(list(line.values())[-1]) for line in lines], file["predictions"][:, -1],
         "explain-dependence.csv", 0)


def main():
    dtrain, folder, path, arrays = sys.argv[1:5]
    data = np.load(arrays)
    inputs, y = data["inputs"], data["targets"]
    weight = data[sys.argv[5]].astype(float) if len(sys.argv) > 5 else None
    recipe = None
    beside = os.path.join(os.path.dirname(arrays), "recipe.json")
    if os.path.exists(beside):
        with open(beside, encoding="utf-8") as text:
            recipe = json.load(text)
    columns = original_columns(recipe, inputs.shape[1])
    with h5py.File(os.path.join(folder, "explain.h5")) as file:
        table, permuted = file["importance"][:], file["permuted"][:]
        names = [n.decode() for n in file["metrics"][:]]
        seed, repeats = int(file.attrs["seed"]), int(file.attrs["repeats"])
        number = table["number"]
        assert sorted(number) == list(range(len(columns))), "each column once"
        assert [t.decode() for t in table["column"]] == [columns[n][0] for n in number]
        assert list(table["inputs"]) == [columns[n][3] for n in number]
        assert np.all(np.diff(table["importance"]) <= 0), "the most important first"
        model = Model(dtrain, path, inputs, [c[2:4] for c in columns])
        compared = []
        for key, column in ((file.attrs["metric"], ""), (file.attrs["second_metric"], "second_")):
            expected = importances(model, y, key, seed, repeats, weight)[number]
            scale = max(1.0, np.abs(expected).max())
            place = names.index(key)
            sign = 1.0 if key in ("accuracy", "r2", "roc_auc") else -1.0
            ours = sign * (file["unpermuted"][place] - permuted[:, :, place])
            near(ours / scale, expected / scale, f"importances by {key}")
            means, errors = ((table["importance"], table["standard_error"]) if not column else
                             (table["second_importance"], table["second_standard_error"]))
            near(means / scale, expected.mean(axis=1) / scale, f"mean importance by {key}")
            if repeats > 1:
                near(errors / scale, expected.std(axis=1, ddof=1) / np.sqrt(repeats) / scale,
                     f"standard error by {key}")
            compared.append(key)
        points = check_dependence(file, model, columns, inputs, weight)
        check_csv(folder, file)
    print(f"{folder}: {len(columns)} columns by {' and '.join(compared)}, {points} points")


main()
