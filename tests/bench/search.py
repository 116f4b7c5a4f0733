"""search.py DTRAIN TABLE TARGET [--trials 40] [--epochs 20] [--rounds 3] [--ranks 2]

Measures a random search over settings of the tutorial's network: `dtrain search` on some ranks, the same trials as
separate runs of dtrain (as many at a time as there are ranks; then one after the other, each on all ranks), and
scikit-learn's RandomizedSearchCV of MLPClassifier with as many jobs. All train the same network (30 ReLU units, Adam,
batches of 100) for the same number of epochs on the same arrays. First, all validate on the same rows (scikit-learn by
PredefinedSplit, without refit). Then `dtrain search --folds 5` is measured against RandomizedSearchCV as it is by
default: five folds, and the best setting trained once more on all rows. They take turns in each round, so that a busy
machine slows all of them; ratios are those of a round, to the dtrain search of the same kind, and their median is
printed. The separate runs have to come to the same weights.

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
    subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL, env={**os.environ, **USUAL})


def search(arguments, folder, usual, name="search"):
    (folder / "space").write_text(SPACE)
    shutil.rmtree(folder / name, ignore_errors=True)
    run("mpirun", "-q", "-np", arguments.ranks, arguments.dtrain, "search", folder / "data", "--space", folder / "space",
        "--trials", arguments.trials, *usual, "--out", folder / name)


def separate(arguments, folder, usual, launcher, at_once):
    trials = h5py.File(folder / "search/search.h5")["trials"][:]

    def one(row):
        shutil.rmtree(folder / f"separate-{row['trial']}", ignore_errors=True)
        run(*launcher, arguments.dtrain, folder / "data", *usual, "--learning-rate", repr(float(row["learning_rate"])),
            "--l2", repr(float(row["l2"])), "--split-seed", 1, "--out", folder / f"separate-{row['trial']}")
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(one, trials))
    for row in trials:
        log = h5py.File(folder / f"separate-{row['trial']}/run.h5")
        assert log["summary"].attrs["weights_crc"] == row["weights_crc"], row["trial"]


def sklearn_search(arguments, folder, by_default):
    from joblib import parallel_backend
    from scipy.stats import loguniform
    from sklearn.model_selection import PredefinedSplit, RandomizedSearchCV
    from sklearn.neural_network import MLPClassifier
    sets = [np.load(folder / f"data/{part}.npz") for part in (("train",) if by_default else ("train", "validation"))]
    x, y = (np.concatenate([part[array] for part in sets]) for array in ("inputs", "targets"))
    one_split = {} if by_default else {
        "cv": PredefinedSplit(np.repeat([-1, 0], [len(part["targets"]) for part in sets])), "refit": False}
    network = MLPClassifier((30,), batch_size=100, max_iter=arguments.epochs, tol=0.0, n_iter_no_change=10**6)
    space = {"learning_rate_init": loguniform(1e-4, 1e-2), "alpha": loguniform(1e-6, 1e-2)}
    found = RandomizedSearchCV(network, space, n_iter=arguments.trials, scoring="neg_log_loss",
                               n_jobs=arguments.ranks, random_state=1, **one_split)
    with parallel_backend("multiprocessing"):  # whose processes' time is known at the end
        found.fit(x, y)


def measure(function, *arguments):
    """Seconds on the clock, and of the CPUs, in a process of its own."""
    begin = time.perf_counter()
    child = os.fork()
    if child == 0:
        try:
            function(*arguments)
            os._exit(0)
        finally:
            os._exit(1)
    _, status, usage = os.wait4(child, 0)
    assert status == 0, function.__name__
    return time.perf_counter() - begin, usage.ru_utime + usage.ru_stime


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
        usual = ["--quiet", "--epochs", arguments.epochs, "--patience", arguments.epochs]
        ways = [("dtrain search", search, (usual,), 0),
                ("separate runs, several at a time", separate, (usual, (), arguments.ranks), 0),
                ("separate runs, mpirun for each", separate, (usual, ("mpirun", "-q", "-np", arguments.ranks), 1), 0),
                ("RandomizedSearchCV, one split", sklearn_search, (False,), 0),
                ("dtrain search --folds 5", search, ([*usual, "--folds", 5], "folds"), 4),
                ("RandomizedSearchCV by default", sklearn_search, (True,), 4)]
        rounds = []
        for _ in range(arguments.rounds):
            rounds.append([measure(function, arguments, folder, *more) for _, function, more, _ in ways])
            print(*(f"{clock:.2f} s ({cpu:.2f} s CPU)" for clock, cpu in rounds[-1]), sep=", ", file=sys.stderr)
        print(f"{arguments.trials} trials of {arguments.epochs} epochs, {arguments.ranks} ranks or jobs; "
              f"medians of {arguments.rounds} rounds\n{'':36}  clock   times    CPUs   times")
        for i, (what, _, _, base) in enumerate(ways):
            numbers = [statistics.median(f(row) for row in rounds)
                       for f in (lambda row: row[i][0], lambda row: row[i][0] / row[base][0],
                                 lambda row: row[i][1], lambda row: row[i][1] / row[base][1])]
            print(f"{what:34} {numbers[0]:7.2f} s {numbers[1]:6.1f} {numbers[2]:7.2f} s {numbers[3]:6.1f}")


if __name__ == "__main__":
    main()
