"""peer_sklearn.py DATA.npz HIDDEN BATCH SECONDS

Trains scikit-learn's MLPClassifier on DATA's inputs and targets for about SECONDS after a warm-up.
Prints one line of JSON: microseconds a step (the time of fit over its steps), best of several.
"""

import json
import sys
import time
import warnings

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

REPETITIONS = 4


def fit(x, y, hidden, batch, epochs):
    """Returns seconds a step; never stops before the last epoch."""
    model = MLPClassifier((hidden,), solver="adam", batch_size=batch, learning_rate_init=0.001,
                          epsilon=1e-7, alpha=0.0, max_iter=epochs, early_stopping=False, tol=0.0,
                          n_iter_no_change=epochs + 1, random_state=1)
    begin = time.perf_counter()
    model.fit(x, y)
    return (time.perf_counter() - begin) / (model.n_iter_ * -(-len(x) // batch))


def main():
    path, hidden, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    seconds = float(sys.argv[4])
    warnings.simplefilter("ignore", ConvergenceWarning)  # it is told to stop early
    with np.load(path) as data:
        x, y = data["inputs"], data["targets"]
    fit(x, y, hidden, batch, 1)
    epoch_s = fit(x, y, hidden, batch, 1) * -(-len(x) // batch)
    epochs = max(1, round(seconds / REPETITIONS / epoch_s))
    best = min(fit(x, y, hidden, batch, epochs) for _ in range(REPETITIONS))
    print(json.dumps({"us": best * 1e6, "version": sklearn.__version__}))


if __name__ == "__main__":
    main()
