"""check_prepare.py LIST: each line of the file LIST is DIR TABLE [OPTIONS of dtrain prepare]; are DIR's
arrays what pandas and scikit-learn make of TABLE, fitted on DIR's training rows? Prints how far apart
they are."""

import argparse
import json
import sys
import warnings

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (FunctionTransformer, MinMaxScaler, OneHotEncoder,
                                   QuantileTransformer, RobustScaler, StandardScaler)

PARTS = ("train", "validation", "test")
MISSING = "NA,N/A,n/a,NaN,nan,NULL,null,#N/A"
STRATEGIES = {"mean": "mean", "median": "median", "mode": "most_frequent", "indicator": "mean",
              "median-indicator": "median"}


class Wrong(Exception):
    pass


def parse_options(words):
    """Those that say which row goes where are passed over: the rows' keys tell."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("table")
    parser.add_argument("--target", default="outcome")
    parser.add_argument("--missing", default=MISSING)
    parser.add_argument("--max-categories", type=int, default=1000)
    for name in ("--drop", "--numeric", "--categorical", "--scale", "--fill"):
        parser.add_argument(name, default="")
    return parser.parse_known_args(words)[0]


def names(text):
    return [name for name in text.split(",") if name]


def methods(text):
    """'mean,category,age=median' -> (['mean', 'category'], {'age': 'median'})"""
    return ([item for item in names(text) if "=" not in item],
            dict(item.rsplit("=", 1) for item in names(text) if "=" in item))


def equal(found, expected, what):
    if not np.array_equal(found, expected):
        raise Wrong(f"{what}: expected {expected}, found {found}")


def read_sets(folder):
    sets = {}
    for part in PARTS:
        try:
            arrays = np.load(f"{folder}/{part}.npz")
        except FileNotFoundError:
            continue
        equal(sorted(arrays.files), ["inputs", "row", "targets"], f"the members of {part}.npz")
        x, y = arrays["inputs"], arrays["targets"]
        equal((x.dtype.str, y.dtype.str, x.ndim, y.ndim), ("<f4", "<i8", 2, 1), f"the types of {part}")
        equal(len(x), len(y), f"the rows of {part}")
        sets[part] = x, y
    return sets


def signed_log(x):
    return np.sign(x) * np.log1p(np.abs(x))


class Clipped:
    """The scale "clipped" by its formula, with NumPy's quantiles."""

    def fit(self, x):
        low, self.center, high = np.quantile(x, [0.25, 0.5, 0.75])
        self.spread = (high - low) or (x.max() - x.min()) / 2 or 1
        return self

    def transform(self, x):
        z = (x - self.center) / self.spread
        return z / np.sqrt(1 + (z / 3) ** 2)


def scaler(method, rows):
    return {"standard": StandardScaler, "minmax": MinMaxScaler, "robust": RobustScaler,
            "quantile": lambda: QuantileTransformer(n_quantiles=min(1000, rows), subsample=rows),
            "none": FunctionTransformer, "clipped": Clipped,
            "log": lambda: make_pipeline(FunctionTransformer(signed_log), StandardScaler())}[method]()


def numeric_inputs(cells, training, fill, scale):
    imputer = SimpleImputer(strategy=STRATEGIES.get(fill, "mean"), add_indicator=fill.endswith("indicator"))
    filled = imputer.fit(cells[training]).transform(cells)
    scaled = scaler(scale, int(training.sum())).fit(filled[training, :1]).transform(filled[:, :1])
    return np.hstack([scaled, filled[:, 1:]])


def categorical_inputs(cells, training, fill, most):
    missing = pd.isna(cells)
    if fill == "category" and not missing[training].any():
        fill = "mode" # a category that no training row has would teach nothing
    if fill == "mode":
        imputer = SimpleImputer(strategy="most_frequent")
        cells = imputer.fit(cells[training, None]).transform(cells[:, None])[:, 0]
    if all(str(cell).isdigit() for cell in cells[~missing]): # in the order of numbers
        cells = np.array([cell if pd.isna(cell) else int(cell) for cell in cells], dtype=object)
    known = training & ~missing if fill == "category" else training
    # scikit-learn would fold the rarest of exactly max_categories, too: into an input of its own.
    fold = len(set(cells[known])) > most
    encoder = OneHotEncoder(sparse_output=False, max_categories=most if fold else None,
                            handle_unknown="infrequent_if_exist" if fold else "ignore")
    encoder.fit(cells[known, None])
    if fill != "category":
        return encoder.transform(cells[:, None])
    inputs = encoder.transform(np.where(missing, cells[known][0], cells)[:, None])
    inputs[missing] = 0
    return np.hstack([inputs, missing[:, None]])


def read_table(asked):
    table = pd.read_csv(asked.table, keep_default_na=False, na_values=[""] + names(asked.missing),
                        dtype={name: str for name in names(asked.categorical) + [asked.target]})
    general, of_columns = methods(asked.fill)
    table = table.drop(columns=names(asked.drop))
    if "drop" in general:
        table = table.dropna()
    table = table.dropna(subset=[name for name, fill in of_columns.items() if fill == "drop"])
    return table.reset_index(drop=True)


def all_inputs(asked, table, training):
    fills, fill_of = methods(asked.fill)
    scales, scale_of = methods(asked.scale)
    blocks = {"numeric": [], "categorical": []}
    for name in table.columns.drop(asked.target):
        role = "categorical" if table[name].dtype == object else "numeric"
        own = ("mean", "median", "indicator", "median-indicator") if role == "numeric" else ("category",)
        fill = next((m for m in fills if m in own), "mode" if "mode" in fills else "")
        fill = fill_of.get(name, fill)
        if role == "numeric":
            scale = scale_of.get(name, (scales or ["standard"])[0])
            inputs = numeric_inputs(table[[name]].to_numpy(dtype=float), training, fill, scale)
        else:
            inputs = categorical_inputs(table[name].to_numpy(), training, fill, asked.max_categories)
        blocks[role].append(inputs)
    return np.hstack(blocks["numeric"] + blocks["categorical"])


def check_recipe(asked, classes, width):
    with open(f"{asked.folder}/recipe.json", encoding="utf-8") as file:
        recipe = json.load(file)
    equal(recipe["target"], {"column": asked.target, "classes": classes}, "the recipe's target")
    equal(recipe["inputs"], width, "the recipe's inputs")
    equal([column["name"] for column in recipe["columns"]],
          list(pd.read_csv(asked.table, nrows=0)), "the recipe's columns")


def check(asked):
    sets, table = read_sets(asked.folder), read_table(asked)
    # The key is the first input, unscaled: which rows are in which set, in the table's order?
    row_of = {np.float32(key): row for row, key in enumerate(table["key"])}
    rows = {part: np.array([row_of[key] for key in x[:, 0]]) for part, (x, y) in sets.items()}
    for part, found in rows.items():
        equal(found, np.sort(found), f"the order of {part}")
    equal(np.sort(np.concatenate(list(rows.values()))), np.arange(len(table)), "the rows of all sets")
    training = np.zeros(len(table), dtype=bool)
    training[rows["train"]] = True

    expected = all_inputs(asked, table, training)
    classes = sorted(set(table[asked.target]))
    label = table[asked.target].map(classes.index).to_numpy()
    check_recipe(asked, classes, expected.shape[1])
    worst = 0.0
    for part, (x, y) in sets.items():
        wanted = expected[rows[part]]
        equal(x.shape, wanted.shape, f"the shape of {part}")
        equal(y, label[rows[part]], f"the targets of {part}")
        apart = np.abs(x - wanted) / np.maximum(1, np.abs(wanted))
        if not apart.max() <= 1e-6:
            bad = ~(apart <= 1e-6)
            row, column = np.argwhere(bad)[0]
            raise Wrong(f"{part}, row {row}, input {column}: expected {wanted[row, column]!r}, "
                        f"found {x[row, column]!r}; {bad.sum()} cells differ")
        worst = max(worst, apart.max())
    return f"{len(table)} rows, {expected.shape[1]} inputs, largest difference {worst:.2g}"


if __name__ == "__main__":
    warnings.filterwarnings("ignore", message="Found unknown categories")
    with open(sys.argv[1], encoding="utf-8") as lines:
        for line in lines:
            try:
                print(check(parse_options(line.split())))
            except Wrong as wrong:
                sys.exit(f"{line.strip()}: {wrong}")
