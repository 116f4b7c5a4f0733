#!/usr/bin/env python3
"""Compares dtrain's models with boosted trees on tables of one's own.

    python3 tests/bench/quality.py FOLDER [--splits 0,1] [--sets a,b] [--ranks 2]

FOLDER has a CSV a set, with columns split0, split1 ... (train, validation or test), and sets.json:

    {"a": {"target": "y", "task": "class" or "reg", "categorical": ["c"],
           "boosters": {"0": {"LightGBM": {"logloss": 0.3, "acc": 0.9, "auc": 0.95}, ...}}}}

"boosters" are the test errors of other programs on each split: logloss, acc and auc for classes, rmse for values.
Their validation errors, if they are there as "val_logloss" or "val_rmse", say which one a user would have chosen.
Each setting below is trained once a split, with dtrain's defaults for all that it does not name. The output are
tables for results/QUALITY.md: the test errors, and how far they are from those of the boosters on the same rows
("linear" and "MLP" are not boosters), as a mean with its standard error over sets and splits; --without SET gives the
means without that set as well.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

# What prepare and train are given.
WIDE = ["--hidden", "256,256", "--dropout", "0.1", "--optimizer", "adamw", "--weight-decay", "0.0003",
        "--patience", "12", "--batch", "256", "--epochs", "200"]
FILL = ["--fill", "median"]
SETTINGS = {
    "defaults": (FILL, []),
    "2 x 256, dropout, AdamW, patience 12": (FILL, WIDE),
    "the same, averaged weights": (FILL, [*WIDE, "--ema", "0.998"]),
    "--preset tabular": (["--preset", "tabular"], ["--preset", "tabular"]),
}


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return dict(line[len("summary."):].split("=", 1) for line in done.stdout.splitlines()
                if line.startswith("summary."))


def prepared(dtrain, table, info, split, folder, options):
    """The table as dtrain prepare makes it, with the columns that the boosters had."""
    columns = table.open().readline().strip().split(",")
    others = [c for c in columns if c.startswith("split") and c != f"split{split}"]
    words = [dtrain, "prepare", str(table), "--out", str(folder), "--target", info["target"],
             "--split-column", f"split{split}", "--drop", ",".join(others), *options,
             "--task", "classification" if info["task"] == "class" else "regression"]
    if info["categorical"]:
        words += ["--categorical", ",".join(info["categorical"])]
    run(*words)


def trained(dtrain, ranks, data, out, options):
    begin = time.monotonic()
    made = run("mpirun", "-np", str(ranks), dtrain, "train", str(data), "--out", str(out), "--force",
               "--quiet", *options)
    seconds = time.monotonic() - begin
    epochs = f"{made['epochs']}, {made['best_epoch']}"
    return run(dtrain, "evaluate", str(out), str(data), "--set", "test"), epochs, seconds


def gap(error, other):
    return 100 * (error / other - 1)


def show_means(title, pairs):
    """pairs: for each set and split the error, and a dict of the others' errors."""
    columns = {}
    for error, others, validated in pairs:
        boosters = {k: v for k, v in others.items() if k not in ("linear", "MLP")}
        for name, other in others.items():
            columns.setdefault(name, []).append(gap(error, other))
        if validated:
            columns.setdefault("best on validation", []).append(gap(error, boosters[min(validated, key=validated.get)]))
        columns.setdefault("best in hindsight", []).append(gap(error, min(boosters.values())))
    for name, values in columns.items():
        mean = sum(values) / len(values)
        spread = (sum((v - mean)**2 for v in values) / max(1, len(values) - 1) / len(values))**0.5
        better = sum(v < 0 for v in values)
        print(f"| {title} | {name} | {mean:+.1f} +- {spread:.1f} % | {better} of {len(values)} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--splits", default="0")
    parser.add_argument("--sets", default="")
    parser.add_argument("--settings", help="titles of some settings, separated by ';'")
    parser.add_argument("--without", default="")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--dtrain", default="build/dtrain")
    parser.add_argument("--options", help="also give these to train, separated by blanks")
    words = parser.parse_args()
    sets = json.loads((words.folder / "sets.json").read_text())
    names = words.sets.split(",") if words.sets else list(sets)
    titles = words.settings.split(";") if words.settings else list(SETTINGS)
    more = words.options.split() if words.options else []
    pairs = {title: {} for title in titles}
    print("| set, split | settings | test error | to the best booster | accuracy, AUC; R2 | epochs, best | seconds |")
    print("|---|---|---|---|---|---|---|")
    for name in names:
        info = sets[name]
        key = "logloss" if info["task"] == "class" else "rmse"
        for split in words.splits.split(","):
            others = {k: v[key] for k, v in info["boosters"][split].items()}
            boosters = {k: v for k, v in others.items() if k not in ("linear", "MLP")}
            validated = {k: info["boosters"][split][k]["val_" + key] for k in boosters
                         if "val_" + key in info["boosters"][split][k]}
            for title in titles:
                with tempfile.TemporaryDirectory() as folder:
                    work = pathlib.Path(folder)
                    prepared(words.dtrain, words.folder / f"{name}.csv", info, split, work / "data",
                             SETTINGS[title][0])
                    found, epochs, seconds = trained(words.dtrain, words.ranks, work / "data", work / "run",
                                                     [*SETTINGS[title][1], *more])
                error = float(found["log_loss" if key == "logloss" else "rmse"])
                pairs[title][name, split] = error, others, validated
                other = (f"{float(found['accuracy']):.4f}, {float(found['roc_auc']):.4f}"
                         if key == "logloss" else f"{float(found['r2']):.4f}")
                print(f"| {name}, {split} | {title} | {error:.5g} | {gap(error, min(boosters.values())):+.1f} % "
                      f"| {other} | {epochs} | {seconds:.1f} |", flush=True)
    print("\n| settings | against | mean change of the test error | better on |\n|---|---|---|---|")
    for title, found in pairs.items():
        show_means(title, found.values())
        rest = [p for (name, _), p in found.items() if name != words.without]
        if words.without and len(rest) < len(found):
            show_means(f"{title}, without {words.without}", rest)


main()
