"""The edges of --bins-by tree in NumPy, by the formulas of include/dtrain/nn/bin_tree.h.

    python3 check_bins.py DATA BINS WEIGHTS    compares the edges of an exported .npz with those for DATA/train.npz
    python3 check_bins.py --same A B           compares the edges of two
"""
import sys

import numpy as np

ROWS = 64


def best_cut(v, t):
    """Gain and place of the best cut of rows that are sorted by v; t [rows, targets]."""
    n = len(v)
    rows = np.arange(1, n)
    left = np.cumsum(t, axis=0)[:-1]
    right = t.sum(axis=0) - left
    gain = rows * (n - rows) / n * ((left / rows[:, None] - right / (n - rows)[:, None])**2).sum(axis=1)
    gain[(v[1:] == v[:-1]) | (rows < ROWS) | (n - rows < ROWS)] = 0
    at = int(gain.argmax()) if n > 1 else 0
    return (gain[at], at + 1) if n > 1 else (0, 0)


def finish(edges):
    last = float(edges[-1])
    least = (last - float(edges[0])) / 600000
    kept = list(edges[:1])
    for e in edges[1:-1]:
        if float(e) - float(kept[-1]) >= least and last - float(e) >= least:
            kept.append(e)
    return np.array([*kept, edges[-1]], "f4")


def tree_edges(x, targets, bins):
    order = np.argsort(x, kind="stable")
    v, t = x[order], targets[order]
    values, counts = np.unique(v, return_counts=True)
    if len(values) <= 129 and counts.max() >= 0.1 * len(v):
        return finish(values)
    leaves = [(0, len(v))]
    while len(leaves) < bins:
        gains = [best_cut(v[a:b], t[a:b]) for a, b in leaves]
        i = int(np.argmax([g for g, _ in gains]))
        if gains[i][0] <= 1e-12:
            break
        a, b = leaves[i]
        leaves[i:i + 1] = [(a, a + gains[i][1]), (a + gains[i][1], b)]
    cuts = [a for a, _ in leaves[1:]]
    middles = (v[cuts].astype(float) / 2 + v[np.array(cuts, int) - 1].astype(float) / 2).astype("f4")
    return finish([v[0], *middles, v[-1]])


def targets_of(y):
    if y.dtype.kind == "i":
        return np.eye(y.max() + 1)[y]
    y = y.reshape(len(y), -1).astype(float)
    return (y - y.mean(axis=0)) / y.std(axis=0)


def found_edges(path):
    with np.load(path) as file:
        return np.split(file["edges"], np.cumsum(file["edge_counts"].astype(int))[:-1])


def main():
    if sys.argv[1] == "--same":
        a, b = found_edges(sys.argv[2]), found_edges(sys.argv[3])
        assert all(np.array_equal(p, q) for p, q in zip(a, b, strict=True))
        return
    data, bins, weights = sys.argv[1:]
    with np.load(f"{data}/train.npz") as file:
        x, targets = file["inputs"] + np.float32(0), targets_of(file["targets"])
    found = found_edges(weights)
    assert len(found) == x.shape[1]
    for d, edges in enumerate(found):
        encoded = not set(np.unique(x[:, d])) <= {0, 1} and x[:, d].min() < x[:, d].max()
        expected = tree_edges(x[:, d], targets, int(bins)) if encoded else []
        assert np.array_equal(edges, expected), (d, edges, expected)
    print(*(len(e) for e in found))


if __name__ == "__main__":
    main()
