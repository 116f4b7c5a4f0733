"""categories.py OLD NEW [TABLE...] [--rounds N]

How much faster one build of dtrain is than another where inputs are zeros: a made table with a column
of 1000 categories and 5 numbers, two without any zeros, and folders that `dtrain prepare --preset
tabular` made.

A round runs both builds once on each table, in turn. A ratio is the median of the rounds' old / new
seconds, with the smallest and the largest: above 1, NEW is faster. "all" is forward, backward, sum,
update and validation; "fastest" compares the fastest run of each build, which other programs on the
machine disturb least. The script stops if the weights of the two builds differ in any bit.
"""

import argparse
import os
import re
import statistics
import subprocess
import tempfile

import numpy as np

WIDE = "--hidden 256,256 --batch 256 --patience 100 --epochs"
PHASES = ("forward", "backward", "all")


def make_tables(folder):
    """Returns title, data and options of each made table."""
    random = np.random.default_rng(1)
    rows = 8000
    numbers = random.standard_normal((rows, 100), dtype=np.float32)
    categories = np.zeros((rows, 1000), np.float32)
    categories[np.arange(rows), random.integers(0, 1000, rows)] = 1
    targets = (numbers[:, :5].sum(1) > 0).astype(np.int64)
    tables = [("5 numbers, 1000 categories; 256,256", np.hstack([numbers[:, :5], categories]), f"{WIDE} 4"),
              ("100 numbers; 256,256", numbers, f"{WIDE} 10"),
              ("51 numbers; 30", numbers[:, :51], "--patience 100 --epochs 60")]
    made = []
    for i, (title, x, options) in enumerate(tables):
        parts = {"train": slice(0, 6400), "validation": slice(6400, 7200), "test": slice(7200, rows)}
        np.savez(f"{folder}/{i}.npz", **{f"{a}_{p}": v[s] for p, s in parts.items()
                                         for a, v in (("x", x), ("y", targets))})
        made.append((title, f"{folder}/{i}.npz", options))
    return made


def run(dtrain, data, options, isa, folder):
    done = subprocess.run([dtrain, "train", data, *options.split(), "--out", f"{folder}/run", "--force"],
                          env={**os.environ, "DTRAIN_ISA": isa}, check=True, capture_output=True, text=True)
    seconds = {name: float(value) for name, value in
               re.findall(r"^(forward|backward|all-reduce|update|validate) +([\d.]+)", done.stdout, re.M)}
    seconds["all"] = sum(seconds.values())
    return seconds, re.search(r"weights_crc=(\w+)", done.stdout)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("builds", nargs=2, metavar=("OLD", "NEW"))
    parser.add_argument("tables", nargs="*", metavar="TABLE")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--isa", default="avx512,avx2")
    words = parser.parse_args()
    builds = words.builds
    print("| table; network | kernels | forward | backward | all | fastest |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        tables = make_tables(folder) + [(f"{os.path.basename(t.rstrip('/'))}; `--preset tabular`", t,
                                         "--preset tabular --epochs 1") for t in words.tables]
        for title, data, options in tables:
            for isa in words.isa.split(","):
                ratios = {phase: [] for phase in PHASES}
                fastest = [float("inf"), float("inf")]
                for i in range(words.rounds):
                    found = {}
                    for build in (builds if i % 2 == 0 else builds[::-1]):
                        found[build] = run(build, data, options, isa, folder)
                    (old, old_crc), (new, new_crc) = (found[b] for b in builds)
                    if old_crc != new_crc:
                        raise SystemExit(f"{title}, {isa}: the weights differ")
                    fastest = [min(fastest[0], old["all"]), min(fastest[1], new["all"])]
                    for phase in PHASES:
                        ratios[phase].append(old[phase] / new[phase])
                cells = (f"{statistics.median(r):.2f} ({min(r):.2f} to {max(r):.2f})" for r in ratios.values())
                print(f"| {title} | {isa} | {' | '.join(cells)} | {fastest[0] / fastest[1]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
