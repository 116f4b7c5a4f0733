#!/usr/bin/env python3
"""Compares dtrain's models with boosted trees on tables of one's own.

    python3 tests/bench/quality.py FOLDER [--splits 0] [--sets a,b] [--ranks 2] [--dtrain build/dtrain]

FOLDER has a CSV a set, with columns split0, split1 ... (train, validation or test), and sets.json:

    {"a": {"target": "y", "task": "class" or "reg", "categorical": ["c"],
           "boosters": {"0": {"LightGBM": {"logloss": 0.3, "acc": 0.9, "auc": 0.95}, ...}}}}

"boosters" are the test errors of other programs on each split: logloss, acc and auc for classes,
rmse for values. Each setting below is trained once a split, with dtrain's defaults for all that it
does not name. The output is a table for results/QUALITY.md: the test error, and how far it is from
the best of the boosters on that split ("linear" is not one of them).
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

SETTINGS = {
    "defaults": [],
    "2 x 256, dropout, AdamW, patience 12": [
        "--hidden", "256,256", "--dropout", "0.1", "--optimizer", "adamw", "--weight-decay", "0.0003",
        "--patience", "12", "--batch", "256", "--epochs", "200"],
}
SETTINGS["the same, averaged weights"] = [*SETTINGS["2 x 256, dropout, AdamW, patience 12"],
                                          "--ema", "0.998"]


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return dict(line[len("summary."):].split("=", 1) for line in done.stdout.splitlines()
                if line.startswith("summary."))


def prepared(dtrain, table, info, split, folder):
    """The table as dtrain prepare makes it, with the columns that the boosters had."""
    columns = table.open().readline().strip().split(",")
    others = [c for c in columns if c.startswith("split") and c != f"split{split}"]
    words = [dtrain, "prepare", str(table), "--out", str(folder), "--target", info["target"],
             "--split-column", f"split{split}", "--drop", ",".join(others), "--fill", "median",
             "--task", "classification" if info["task"] == "class" else "regression"]
    if info["categorical"]:
        words += ["--categorical", ",".join(info["categorical"])]
    run(*words)


def trained(dtrain, ranks, data, out, options):
    begin = time.monotonic()
    run("mpirun", "-np", str(ranks), dtrain, "train", str(data), "--out", str(out), "--force",
        "--quiet", *options)
    seconds = time.monotonic() - begin
    return run(dtrain, "evaluate", str(out), str(data), "--set", "test"), seconds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--splits", default="0")
    parser.add_argument("--sets", default="")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--dtrain", default="build/dtrain")
    parser.add_argument("--options", help="train with these alone, separated by blanks")
    words = parser.parse_args()
    sets = json.loads((words.folder / "sets.json").read_text())
    names = words.sets.split(",") if words.sets else list(sets)
    settings = {words.options: words.options.split()} if words.options else SETTINGS
    gaps = {name: [] for name in settings}
    print("| set, split | settings | test error | to the best booster | accuracy, AUC; R2 | seconds |")
    print("|---|---|---|---|---|---|")
    for name in names:
        info = sets[name]
        key = "logloss" if info["task"] == "class" else "rmse"
        for split in words.splits.split(","):
            boosters = {k: v[key] for k, v in info["boosters"][split].items() if k != "linear"}
            best = min(boosters.values())
            with tempfile.TemporaryDirectory() as folder:
                work = pathlib.Path(folder)
                prepared(words.dtrain, words.folder / f"{name}.csv", info, split, work / "data")
                for title, options in settings.items():
                    found, seconds = trained(words.dtrain, words.ranks, work / "data", work / "run",
                                             options)
                    error = float(found["log_loss" if key == "logloss" else "rmse"])
                    gap = 100 * (error / best - 1)
                    gaps[title].append(gap)
                    other = (f"{float(found['accuracy']):.4f}, {float(found['roc_auc']):.4f}"
                             if key == "logloss" else f"{float(found['r2']):.4f}")
                    print(f"| {name}, {split} | {title} | {error:.5g} | {gap:+.1f} % | {other} "
                          f"| {seconds:.1f} |", flush=True)
    for title, values in gaps.items():
        mean = sum(values) / len(values)
        spread = (sum((v - mean)**2 for v in values) / max(1, len(values) - 1) / len(values))**0.5
        print(f"| mean of {len(values)} | {title} | | {mean:+.1f} +- {spread:.1f} % | | |")


main()
