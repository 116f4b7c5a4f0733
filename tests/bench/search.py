"""search.py DTRAIN TABLE TARGET [--trials 40] [--epochs 20] [--rounds 3] [--ranks 2]

Measures a random search over settings of the tutorial's network: `dtrain search` on some ranks, the same trials as
separate runs of dtrain, as many at a time as there are ranks, and scikit-learn's RandomizedSearchCV of MLPClassifier
with as many jobs. All train the same network (30 ReLU units, Adam, batches of 100) for the same number of epochs on
the same arrays, and validate on the same rows; scikit-learn has one split (PredefinedSplit) and does not refit. The
three take turns in each round, so that a busy machine slows all of them; ratios are those of a round, and their
median is printed. The separate runs have to come to the same weights.

TABLE is prepared first, by `dtrain prepare`. Requires h5py, numpy and scikit-learn.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np

SPACE = "learning-rate = log 1e-4 .. 1e-2\nl2 = log 1e-6 .. 1e-2\n"
USUAL = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
         "OMPI_MCA_rmaps_base_oversubscribe": "1", "OPENBLAS_NUM_THREADS": "1"}


def run(*words):
    subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL,
                   env={**os.environ, **USUAL})


def search(arguments, folder, usual):
    (folder / "space").write_text(SPACE)
    shutil.rmtree(folder / "search", ignore_errors=True)
    run("mpirun", "-q", "-np", arguments.ranks, arguments.dtrain, "search", folder / "data", "--space", folder / "space",
        "--trials", arguments.trials, *usual, "--out", folder / "search")


def separate(arguments, folder, usual, trials):
    def one(row):
        run(arguments.dtrain, folder / "data", *usual, "--learning-rate", repr(float(row["learning_rate"])), "--l2",
            repr(float(row["l2"])), "--split-seed", 1, "--out", folder / f"separate-{row['trial']}")
    with ThreadPoolExecutor(arguments.ranks) as pool:
        list(pool.map(one, trials))


def sklearn_search(arguments, x, y, fold):
    from scipy.stats import loguniform
    from sklearn.model_selection import PredefinedSplit, RandomizedSearchCV
    from sklearn.neural_network import MLPClassifier
    network = MLPClassifier((30,), batch_size=100, max_iter=arguments.epochs, tol=0.0, n_iter_no_change=10**6)
    space = {"learning_rate_init": loguniform(1e-4, 1e-2), "alpha": loguniform(1e-6, 1e-2)}
    found = RandomizedSearchCV(network, space, n_iter=arguments.trials, scoring="neg_log_loss",
                               cv=PredefinedSplit(fold), n_jobs=arguments.ranks, refit=False, random_state=1)
    found.fit(x, y)


def measure(function, *arguments):
    begin = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("dtrain", "table", "target"):
        parser.add_argument(name)
    for name, value in (("trials", 40), ("epochs", 20), ("rounds", 3), ("ranks", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    arguments = parser.parse_args()
    arguments.dtrain = Path(arguments.dtrain).resolve()
    warnings.filterwarnings("ignore")
    os.environ["PYTHONWARNINGS"] = "ignore"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(arguments.dtrain, "prepare", arguments.table, "--target", arguments.target, "--out", folder / "data")
        sets = [np.load(folder / f"data/{part}.npz") for part in ("train", "validation")]
        x, y = (np.concatenate([part[array] for part in sets]) for array in ("inputs", "targets"))
        fold = np.repeat([-1, 0], [len(part["targets"]) for part in sets])
        usual = ["--quiet", "--epochs", arguments.epochs, "--patience", arguments.epochs]
        rounds = []
        for _ in range(arguments.rounds):
            seconds = [measure(search, arguments, folder, usual)]
            trials = h5py.File(folder / "search/search.h5")["trials"][:]
            seconds.append(measure(separate, arguments, folder, usual, trials))
            for row in trials:
                log = h5py.File(folder / f"separate-{row['trial']}/run.h5")
                assert log["summary"].attrs["weights_crc"] == row["weights_crc"], row["trial"]
            seconds.append(measure(sklearn_search, arguments, x, y, fold))
            rounds.append(seconds)
            print("search {:.2f} s, separate runs {:.2f} s, scikit-learn {:.2f} s".format(*seconds), file=sys.stderr)
        print(f"{arguments.trials} trials of {arguments.epochs} epochs, {len(y)} rows, {arguments.ranks} ranks or jobs; "
              f"medians of {arguments.rounds} rounds")
        for i, what in enumerate(("dtrain search", "separate runs of dtrain", "RandomizedSearchCV, MLPClassifier")):
            print(f"{what:36} {statistics.median(row[i] for row in rounds):8.2f} s  "
                  f"{statistics.median(row[i] / row[0] for row in rounds):6.1f} times")


if __name__ == "__main__":
    main()
