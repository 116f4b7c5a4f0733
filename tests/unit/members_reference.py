#!/usr/bin/env python3
"""The networks of --numeric-embedding piecewise --members 2, with --members-kind mini and full, and of
--numeric-embedding periodic --members 2, in NumPy and float64, forward and backward by the formulas of their layers' headers, and three steps of AdamW with averaged weights. Prints
tests/unit/members_golden.h:

    python3 tests/unit/members_reference.py [--check] [--golden FILE] >tests/unit/members_golden.h

With --check each gradient is compared with central differences. FILE has numbers that somebody else computed, as JSON:
for each case parameters, outputs, loss, gradients, and what three steps lead to; they are compared with ours.
"""
import argparse
import json

import numpy as np

K, H, WIDTH, ROWS = 2, 3, 2, 6
FREQUENCIES = 3
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


# As dtrain has them. Full members have scales s and biases beside each kernel, and r before the second.
MINI = ("slope", "shift", "bins", "r0", "W0", "b0", "W1", "b1", "Wo", "bo")
FULL = ("slope", "shift", "bins", "r0", "W0", "s0", "b0", "r1", "W1", "s1", "b1", "Wo", "bo")
WAVES = ("turns", "kernel", "bias", *MINI[3:])
KINDS = {"mini": MINI, "full": FULL, "waves": WAVES}
# The order of the formula of their initial values, and the names that FILE has.
FORMULA = {"slope": "Ew", "shift": "Eb", "bins": "Ev", "r0": "r0", "W0": "W0", "b0": "b0", "W1": "W1", "b1": "b1",
           "Wo": "Wo", "bo": "bo", "s0": "s0", "r1": "r1", "s1": "s1"}
ORDER = (*WAVES[:3], *FORMULA)


def shapes(C, kind):
    """Of the bins, as many for each input."""
    each = (K, H)
    bias = each if kind == "full" else (H,)
    made = {"turns": (D, FREQUENCIES), "kernel": (2 * FREQUENCIES, WIDTH), "bias": (WIDTH,),
            "slope": (D, WIDTH), "shift": (D, WIDTH), "bins": (D, max(BINS), WIDTH), "r0": (K, INPUTS),
            "W0": (INPUTS, H), "b0": bias, "W1": (H, H), "b1": bias, "Wo": (K, H, C), "bo": (K, C),
            "s0": each, "r1": each, "s1": each}
    return {name: made[name] for name in KINDS[kind]}


def without_padding(bins):
    return np.concatenate([b[:count] for b, count in zip(bins, BINS)])


def initial(C, kind):
    """0.5 sin(1.7 i), i = 1, 2, ... through all tensors."""
    params, i, sizes = {}, 1, shapes(C, kind)
    for name in (n for n in ORDER if n in sizes):
        count = int(np.prod(sizes[name]))
        params[name] = (0.5 * np.sin(1.7 * np.arange(i, i + count))).reshape(sizes[name])
        i += count
    if "bins" in params:
        params["bins"] = without_padding(params["bins"])
    return {name: params[name] for name in KINDS[kind]}


def encoding():
    """E [rows, D, bins]: ones before the bin, the place in it, zeros behind."""
    out = []
    for d, edges in enumerate(EDGES):
        e = np.array(edges)
        out.append(np.clip((Z[:, d:d + 1] - e[:-1]) / np.diff(e), 0, 1))
    return out


def encode_by_bins(p):
    E = encoding()
    first = np.cumsum([0, *BINS])
    return [Z[:, d:d + 1] * p["slope"][d] + p["shift"][d] + E[d] @ p["bins"][first[d]:first[d + 1]] for d in range(D)]


def bin_gradients(_, dh):
    E = encoding()
    return {"slope": np.einsum("nd,ndj->dj", Z, dh), "shift": dh.sum(axis=0),
            "bins": np.concatenate([E[d].T @ dh[:, d] for d in range(D)])}


def waves(p):
    """v, F and F kernel + bias."""
    v = 2 * np.pi * Z[:, :, None] * p["turns"]
    F = np.concatenate([np.cos(v), np.sin(v)], axis=2)
    return v, F, F @ p["kernel"] + p["bias"]


def encode_by_waves(p):
    h = np.maximum(waves(p)[2], 0)
    return [h[:, d] for d in range(D)]


def wave_gradients(p, dh):
    v, F, sums = waves(p)
    dh = dh * (sums > 0)
    dF = dh @ p["kernel"].T
    dv = np.cos(v) * dF[:, :, FREQUENCIES:] - np.sin(v) * dF[:, :, :FREQUENCIES]
    return {"turns": (2 * np.pi * Z[:, :, None] * dv).sum(axis=0), "kernel": np.einsum("ndk,ndj->kj", F, dh),
            "bias": dh.sum(axis=(0, 1))}


def forward(p):
    h = encode_by_waves(p) if "turns" in p else encode_by_bins(p)
    X = np.concatenate([*h, ONE_HOT], axis=1)
    S0 = X[:, None, :] * p["r0"]
    U0 = S0 @ p["W0"]
    A0 = U0 * p.get("s0", 1) + p["b0"]
    S1 = np.maximum(A0, 0) * p.get("r1", 1)
    U1 = S1 @ p["W1"]
    A1 = U1 * p.get("s1", 1) + p["b1"]
    out = np.einsum("nkh,khc->nkc", np.maximum(A1, 0), p["Wo"]) + p["bo"]
    return out, (X, S0, U0, A0, S1, U1, A1)


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
    out, (X, S0, U0, A0, S1, U1, A1) = forward(p)
    rows = 0 if p["b0"].ndim == 2 else (0, 1)
    value, dout = loss(out, classes)
    g = {"Wo": np.einsum("nkh,nkc->khc", np.maximum(A1, 0), dout), "bo": dout.sum(axis=0)}
    d1 = np.einsum("nkc,khc->nkh", dout, p["Wo"]) * (A1 > 0)
    g["b1"], g["s1"] = d1.sum(axis=rows), (d1 * U1).sum(axis=0)
    dU = d1 * p.get("s1", 1)
    g["W1"] = np.einsum("nki,nkh->ih", S1, dU)
    dS = dU @ p["W1"].T
    g["r1"] = (dS * np.maximum(A0, 0)).sum(axis=0)
    d0 = dS * p.get("r1", 1) * (A0 > 0)
    g["b0"], g["s0"] = d0.sum(axis=rows), (d0 * U0).sum(axis=0)
    dU = d0 * p.get("s0", 1)
    g["W0"] = np.einsum("nki,nkh->ih", S0, dU)
    dS = dU @ p["W0"].T
    g["r0"] = np.einsum("nki,ni->ki", dS, X)
    dX = (dS * p["r0"]).sum(axis=1)
    dh = dX[:, :D * WIDTH].reshape(ROWS, D, WIDTH)
    g.update((wave_gradients if "turns" in p else bin_gradients)(p, dh))
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


def train(p, classes, keras=True):
    """Losses before each step and after the last; the parameters and their average. Epsilon is Keras's, or that of
    AdamW's paper."""
    decays = ("W0", "W1", "Wo", "kernel")
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
            root = np.sqrt(1 - 0.999**t)
            epsilon = 1e-7 if keras else 1e-8 * root
            p[n] = p[n] - RATE * root / (1 - 0.9**t) * m[n] / (np.sqrt(v[n]) + epsilon)
            average[n] = share * average[n] + (1 - share) * p[n]
    return [*losses, gradients(p, classes)[0]], p, average


def compare(what, ours, theirs):
    """FILE's inputs and parameters are rounded to 12 digits."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert np.abs(ours - theirs.reshape(ours.shape)).max() < 2e-12 * max(1, np.abs(theirs).max()), what


def check_golden(case, p, classes):
    """The parameters are those of the formula, and with them all else is the same, for FILE's inputs: none of them is
    beyond the edges, as some of ours are."""
    def of(name, values):
        return without_padding(np.array(values)) if name == "bins" else values
    own = Z.copy()
    Z[:] = case["z"]
    for name, values in p.items():
        compare(name, values, of(name, case["params"][FORMULA[name]]))
    value, out, g = gradients(p, classes)
    compare("loss", value, case["loss"])
    compare("outputs", out, case["outputs"])
    for name, values in g.items():
        compare(f"gradient of {name}", values, of(name, case["grads"][FORMULA[name]]))
    losses, trained, _ = train(dict(p), classes, keras=False)
    compare("losses", losses, case["adamw"]["losses"])
    compare("prediction", prediction(forward(trained)[0], classes), case["adamw"]["prediction"])
    for name in ("bo", "W1"):
        compare(f"trained {name}", trained[name], case["adamw"][name])
    Z[:] = own


def flat(params):
    return np.concatenate([params[n].ravel() for n in params])


def show(name, values):
    values = np.ravel(values)
    print(f"static const double {name}[] = {{")
    for i in range(0, len(values), 4):
        print("    " + " ".join(f"{v:.15g}," for v in values[i:i + 4]))
    print("};")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--golden")
    words = parser.parse_args()
    golden = json.load(open(words.golden, encoding="utf-8")) if words.golden else None
    print("/* By tests/unit/members_reference.py, in float64; do not edit. */")
    print("/* clang-format off */")
    print(f"enum {{ GOLDEN_ROWS = {ROWS}, GOLDEN_STEPS = {STEPS} }};")
    show("golden_x", np.concatenate([Z, ONE_HOT], axis=1))
    show("golden_edges", [e for edges in EDGES for e in edges])
    cases = [(classes, C, name, kind) for kind in KINDS
             for classes, C, name in ((True, 3, "class"), (False, 1, "value"))]
    for classes, C, task, kind in cases:
        name = task if kind == "mini" else f"{kind}_{task}"
        p = initial(C, kind)
        if words.check:
            check(p, classes)
        if golden and kind != "waves":
            check_golden(golden[f"{'class' if classes else 'reg'}-{'tabm' if kind == 'full' else 'mini'}"], p, classes)
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
