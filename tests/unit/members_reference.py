#!/usr/bin/env python3
"""The network of --numeric-embedding piecewise --members 2 in NumPy and float64, forward and backward by the formulas
of its layers' headers, and three steps of AdamW with averaged weights. Prints tests/unit/members_golden.h:

    python3 tests/unit/members_reference.py >tests/unit/members_golden.h

With --check each gradient is compared with central differences.
"""
import sys

import numpy as np

K, H, WIDTH, ROWS = 2, 3, 2, 6
EDGES = [[-0.514023542404, -0.302539050579, 0.0, 0.669796526432, 1.805550694466],
         [-0.153644248843, 0.0, 0.798606753349, 1.473963618279]]
Z = np.array([[-0.514023542404, -0.345511555672, -0.173621550202, 0.173621550202, 0.835188150406, 1.9],
              [-0.153644248843, -0.2, -0.153644248843, 0.153644248843, 1.013594269753, 1.473963618279]]).T
ONE_HOT = np.array([[1, 0], [0, 1], [1, 0], [0, 0], [0, 1], [1, 0]], float)
CLASSES, VALUES = np.array([0, 1, 2, 1, 0, 2]), np.array([-1, 0.5, 0, 2, -0.25, 1])
RATE, DECAY, EMA, STEPS = 0.01, 0.1, 0.998, 3
D, O = len(EDGES), ONE_HOT.shape[1]
INPUTS = D * WIDTH + O
BINS = [len(e) - 1 for e in EDGES]


def shapes(C):
    return {"slope": (D, WIDTH), "shift": (D, WIDTH), "bins": (sum(BINS), WIDTH), "scale": (K, INPUTS),
            "W0": (INPUTS, H), "b0": (H,), "W1": (H, H), "b1": (H,), "Wo": (K, H, C), "bo": (K, C)}


def initial(C):
    """0.5 sin(1.7 i), i = 1, 2, ... through all tensors."""
    params, i = {}, 1
    for name, shape in shapes(C).items():
        count = int(np.prod(shape))
        params[name] = (0.5 * np.sin(1.7 * np.arange(i, i + count))).reshape(shape)
        i += count
    return params


def encoding():
    """E [rows, D, bins]: ones before the bin, the place in it, zeros behind."""
    out = []
    for d, edges in enumerate(EDGES):
        e = np.array(edges)
        out.append(np.clip((Z[:, d:d + 1] - e[:-1]) / np.diff(e), 0, 1))
    return out


def forward(p):
    E = encoding()
    first = np.cumsum([0, *BINS])
    h = [Z[:, d:d + 1] * p["slope"][d] + p["shift"][d] + E[d] @ p["bins"][first[d]:first[d + 1]] for d in range(D)]
    X = np.concatenate([*h, ONE_HOT], axis=1)
    S = X[:, None, :] * p["scale"]
    A0 = S @ p["W0"] + p["b0"]
    A1 = np.maximum(A0, 0) @ p["W1"] + p["b1"]
    out = np.einsum("nkh,khc->nkc", np.maximum(A1, 0), p["Wo"]) + p["bo"]
    return out, (E, first, X, S, A0, A1)


def loss(out, classes):
    """The mean over rows and members, and its gradient."""
    if classes:
        e = np.exp(out - out.max(axis=2, keepdims=True))
        q = e / e.sum(axis=2, keepdims=True)
        target = np.eye(out.shape[2])[CLASSES][:, None, :]
        return -(target * np.log(q)).sum(axis=2).mean(), (q - target) / (ROWS * K)
    error = out - VALUES[:, None, None]
    return (error**2).mean(), 2 * error / (ROWS * K)


def prediction(out, classes):
    if classes:
        e = np.exp(out - out.max(axis=2, keepdims=True))
        out = e / e.sum(axis=2, keepdims=True)
    return out.mean(axis=1)


def gradients(p, classes):
    out, (E, first, X, S, A0, A1) = forward(p)
    value, dout = loss(out, classes)
    g = {"Wo": np.einsum("nkh,nkc->khc", np.maximum(A1, 0), dout), "bo": dout.sum(axis=0)}
    d1 = np.einsum("nkc,khc->nkh", dout, p["Wo"]) * (A1 > 0)
    g["W1"] = np.einsum("nki,nkh->ih", np.maximum(A0, 0), d1)
    g["b1"] = d1.sum(axis=(0, 1))
    d0 = (d1 @ p["W1"].T) * (A0 > 0)
    g["W0"] = np.einsum("nki,nkh->ih", S, d0)
    g["b0"] = d0.sum(axis=(0, 1))
    dS = d0 @ p["W0"].T
    g["scale"] = np.einsum("nki,ni->ki", dS, X)
    dX = (dS * p["scale"]).sum(axis=1)
    dh = dX[:, :D * WIDTH].reshape(ROWS, D, WIDTH)
    g["slope"] = np.einsum("nd,ndj->dj", Z, dh)
    g["shift"] = dh.sum(axis=0)
    g["bins"] = np.concatenate([E[d].T @ dh[:, d] for d in range(D)])
    return value, out, {name: g[name] for name in p}


def check(p, classes):
    _, _, g = gradients(p, classes)
    for name in p:
        for i in np.ndindex(p[name].shape):
            was = p[name][i]
            found = []
            for step in (1e-6, -1e-6):
                p[name][i] = was + step
                found.append(loss(forward(p)[0], classes)[0])
            p[name][i] = was
            assert abs((found[0] - found[1]) / 2e-6 - g[name][i]) < 1e-8, (name, i)


def train(p, classes):
    """Losses before each step and after the last; the parameters and their average."""
    decays = ("W0", "W1", "Wo")
    m = {n: np.zeros_like(v) for n, v in p.items()}
    v = {n: np.zeros_like(w) for n, w in p.items()}
    average = {n: w.copy() for n, w in p.items()}
    losses = []
    for t in range(1, STEPS + 1):
        value, _, g = gradients(p, classes)
        losses.append(value)
        share = min(EMA, (1 + t) / (10 + t))
        for n in p:
            m[n] = 0.9 * m[n] + 0.1 * g[n]
            v[n] = 0.999 * v[n] + 0.001 * g[n]**2
            if n in decays:
                p[n] = p[n] * (1 - RATE * DECAY)
            alpha = RATE * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            p[n] = p[n] - alpha * m[n] / (np.sqrt(v[n]) + 1e-7) # epsilon as Keras has it
            average[n] = share * average[n] + (1 - share) * p[n]
    return [*losses, gradients(p, classes)[0]], p, average


def flat(params):
    return np.concatenate([params[n].ravel() for n in params])


def show(name, values):
    values = np.ravel(values)
    print(f"static const double {name}[] = {{")
    for i in range(0, len(values), 4):
        print("    " + " ".join(f"{v:.15g}," for v in values[i:i + 4]))
    print("};")


def main():
    print("/* By tests/unit/members_reference.py, in float64; do not edit. */")
    print("/* clang-format off */")
    print(f"enum {{ GOLDEN_ROWS = {ROWS}, GOLDEN_STEPS = {STEPS} }};")
    show("golden_x", np.concatenate([Z, ONE_HOT], axis=1))
    show("golden_edges", [e for edges in EDGES for e in edges])
    for classes, C, name in ((True, 3, "class"), (False, 1, "value")):
        p = initial(C)
        if "--check" in sys.argv:
            check(p, classes)
        value, out, g = gradients(p, classes)
        show(f"golden_{name}_params", flat(p))
        show(f"golden_{name}_outputs", out)
        show(f"golden_{name}_prediction", prediction(out, classes))
        show(f"golden_{name}_gradients", flat(g))
        losses, trained, average = train(p, classes)
        show(f"golden_{name}_losses", losses)
        show(f"golden_{name}_trained", flat(trained))
        show(f"golden_{name}_average", flat(average))


if __name__ == "__main__":
    main()
