#!/usr/bin/env python3
"""Trains boosted trees and scikit-learn's models on the tables that quality.py reads.

    python3 -m venv VENV
    VENV/bin/pip install lightgbm xgboost-cpu catboost scikit-learn pandas
    VENV/bin/python tests/bench/boosters.py FOLDER OUT.json [--splits 1,0] [--sets a,b]

FOLDER is described in quality.py. OUT.json is a copy of FOLDER/sets.json with new "boosters" of each split:

    "LightGBM": {"logloss": 0.3, "acc": 0.9, "auc": 0.95, "val_logloss": 0.31,
                 "rounds": 120, "seconds": 0.9, "cpu_seconds": 0.8}

Values have rmse, r2, mae and val_rmse; "auc" requires two classes. The names with "val_" are the errors on the
validation rows; all others are of the test rows. "rounds" are the trees of a booster or the epochs of the MLP.
OUT.json is written after each model. If it exists, its finished models (those with "seconds") are not trained again.

LightGBM, XGBoost and CatBoost have a learning rate of 0.05, at most 2,000 rounds, early stopping after 50 rounds
on the validation rows' log loss or RMSE, and their own treatment of categories and of missing numbers. "MLP" is
scikit-learn's MLPClassifier or MLPRegressor with two layers of 256 and early_stopping=True, which holds back a
tenth of the training rows. "linear" is its LogisticRegression or Ridge. Both get standardised numbers (a missing
number is the median) and one-hot categories; values are standardised for the MLP too. Everything else is the default
of each package. For LightGBM and XGBoost, a category that the training rows do not have counts as missing.

Each model uses one thread. "seconds" is the wall time of the training, "cpu_seconds" its processor time: on a
machine that does other work, only the latter can be compared. The output is a table for results/QUALITY.md; its
column "to the given" compares each test error with that in FOLDER/sets.json. The versions stand above the table: on
the same rows, XGBoost 3.1.3 and 3.2.0 differ by up to 3.3 %, and seeds of CatBoost by up to 3.8 %.
"""
import argparse
import json
import os
import pathlib
import time
import warnings

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # the libraries read it when they are loaded

import catboost
import lightgbm
import numpy as np
import pandas as pd
import sklearn
import xgboost
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import (accuracy_score, log_loss, mean_absolute_error, r2_score, roc_auc_score,
                             root_mean_squared_error)
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

RATE, ROUNDS, PATIENCE = 0.05, 2000, 50

# LightGBM 4.7 prefers other names, which older versions do not have.
warnings.filterwarnings("ignore", "The argument 'eval_set' is deprecated")


class Table:
    """The rows of a set, split by one of its columns."""

    def __init__(self, path, info, split):
        cells = pd.read_csv(path, dtype=str, keep_default_na=False)
        part = cells[f"split{split}"]
        y = cells[info["target"]]
        cells = cells.drop(columns=[info["target"], *(c for c in cells if c.startswith("split"))])
        self.categorical = info["categorical"]
        self.numbers = [c for c in cells if c not in self.categorical]
        cells[self.numbers] = cells[self.numbers].replace("", "nan").astype(float)
        self.classes = sorted(y.unique()) if info["task"] == "class" else None
        y = y.map(self.classes.index) if self.classes else y.astype(float)
        rows = {name: part == name for name in ("train", "validation", "test")}
        self.x = {name: cells[rows[name]] for name in rows}
        self.y = {name: y[rows[name]].to_numpy() for name in rows}

    def coded(self):
        """The inputs with categories as pandas' type for them, as LightGBM and XGBoost take them."""
        coded = {name: x.copy() for name, x in self.x.items()}
        for column in self.categorical:
            known = {v: i for i, v in enumerate(sorted(self.x["train"][column].unique()))}
            for name, x in self.x.items():
                codes = [known.get(v, -1) for v in x[column]]
                coded[name][column] = pd.Categorical.from_codes(codes, categories=range(len(known)))
        return coded

    def encoder(self):
        numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
        return ColumnTransformer([("numbers", numbers, self.numbers),
                                  ("categories", OneHotEncoder(handle_unknown="ignore"), self.categorical)],
                                 sparse_threshold=0)


# Each of these trains a model and returns it with its number of rounds and its inputs.


def lightgbm_model(table, seed):
    x, y = table.coded(), table.y
    kind = lightgbm.LGBMClassifier if table.classes else lightgbm.LGBMRegressor
    metric = ("rmse" if not table.classes else
              "binary_logloss" if len(table.classes) == 2 else "multi_logloss")
    model = kind(learning_rate=RATE, n_estimators=ROUNDS, random_state=seed, n_jobs=1, verbosity=-1)
    model.fit(x["train"], y["train"], eval_set=[(x["validation"], y["validation"])], eval_metric=metric,
              callbacks=[lightgbm.early_stopping(PATIENCE, first_metric_only=True, verbose=False)])
    return model, model.best_iteration_, x


def xgboost_model(table, seed):
    x, y = table.coded(), table.y
    kind = xgboost.XGBClassifier if table.classes else xgboost.XGBRegressor
    metric = "rmse" if not table.classes else "logloss" if len(table.classes) == 2 else "mlogloss"
    model = kind(learning_rate=RATE, n_estimators=ROUNDS, early_stopping_rounds=PATIENCE, eval_metric=metric,
                 enable_categorical=True, random_state=seed, n_jobs=1)
    model.fit(x["train"], y["train"], eval_set=[(x["validation"], y["validation"])], verbose=False)
    return model, model.best_iteration + 1, x


def catboost_model(table, seed):
    x, y = table.x, table.y
    kind = catboost.CatBoostClassifier if table.classes else catboost.CatBoostRegressor
    model = kind(learning_rate=RATE, iterations=ROUNDS, early_stopping_rounds=PATIENCE, random_seed=seed,
                 thread_count=1, cat_features=table.categorical, allow_writing_files=False, verbose=False)
    model.fit(x["train"], y["train"], eval_set=(x["validation"], y["validation"]))
    return model, model.tree_count_, x


def mlp_model(table, seed):
    kind = MLPClassifier if table.classes else MLPRegressor
    network = kind(hidden_layer_sizes=(256, 256), early_stopping=True, random_state=seed)
    model = make_pipeline(table.encoder(), network)
    if not table.classes:
        model = TransformedTargetRegressor(model, transformer=StandardScaler())
    model.fit(table.x["train"], table.y["train"])
    return model, (model if table.classes else model.regressor_)[-1].n_iter_, table.x


def linear_model(table, seed):
    del seed  # neither of them is random
    last = LogisticRegression(max_iter=2000) if table.classes else Ridge()
    model = make_pipeline(table.encoder(), last)
    return model.fit(table.x["train"], table.y["train"]), None, table.x


MODELS = {"LightGBM": lightgbm_model, "XGBoost": xgboost_model, "CatBoost": catboost_model, "MLP": mlp_model,
          "linear": linear_model}


def scores(table, model, x, part):
    y = table.y[part]
    if not table.classes:
        found = model.predict(x[part])
        return {"rmse": root_mean_squared_error(y, found), "r2": r2_score(y, found),
                "mae": mean_absolute_error(y, found)}
    found = np.asarray(model.predict_proba(x[part]), dtype=np.float64)
    found /= found.sum(axis=1, keepdims=True)
    made = {"logloss": log_loss(y, found, labels=range(len(table.classes))),
            "acc": accuracy_score(y, found.argmax(axis=1))}
    if len(table.classes) == 2:
        made["auc"] = roc_auc_score(y, found[:, 1])
    return made


def trained(table, name, seed, key):
    begin, begin_cpu = time.perf_counter(), time.process_time()
    model, rounds, x = MODELS[name](table, seed)
    seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - begin_cpu
    made = scores(table, model, x, "test")
    made["val_" + key] = scores(table, model, x, "validation")[key]
    made = {k: round(float(v), 6) for k, v in made.items()}
    if rounds is not None:
        made["rounds"] = int(rounds)
    return {**made, "seconds": round(seconds, 2), "cpu_seconds": round(cpu_seconds, 2)}


def write(path, sets):
    """Replaces the file at once, so that an interrupted run leaves a whole one."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(sets, indent=1) + "\n")
    part.replace(path)


def show(name, split, title, made, key, given):
    other = (f"{made['acc']:.4f}, {made['auc']:.4f}" if "auc" in made else
             f"{made['acc']:.4f}" if "acc" in made else f"{made['r2']:.4f}")
    change = f"{100 * (made[key] / given[key] - 1):+.2f} %" if given else "-"
    print(f"| {name}, {split} | {title} | {made['val_' + key]:.5g} | {made[key]:.5g} | {change} | {other} "
          f"| {made.get('rounds', '-')} | {made['seconds']:.1f} | {made['cpu_seconds']:.1f} |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--splits", default="0,1,2")
    parser.add_argument("--sets", default="")
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--seed", type=int, default=1)
    words = parser.parse_args()
    given = json.loads((words.folder / "sets.json").read_text())
    sets = json.loads((words.out if words.out.exists() else words.folder / "sets.json").read_text())
    print(f"LightGBM {lightgbm.__version__}, XGBoost {xgboost.__version__}, CatBoost {catboost.__version__}, "
          f"scikit-learn {sklearn.__version__}; seed {words.seed}, 1 thread\n")
    print("| set, split | model | validation error | test error | to the given | accuracy, AUC; R2 | rounds "
          "| seconds | CPU seconds |\n|---|---|---|---|---|---|---|---|---|")
    for split in words.splits.split(","):
        for name in words.sets.split(",") if words.sets else list(sets):
            key = "logloss" if sets[name]["task"] == "class" else "rmse"
            table = Table(words.folder / f"{name}.csv", sets[name], split)
            found = sets[name].setdefault("boosters", {}).setdefault(split, {})
            for title in words.models.split(","):
                if "seconds" not in found.get(title, {}):
                    found[title] = trained(table, title, words.seed, key)
                    write(words.out, sets)
                show(name, split, title, found[title], key,
                     given[name].get("boosters", {}).get(split, {}).get(title))


main()
