"""The cases: networks of every kind of layer, and plans of every loss, optimizer, schedule and regularization."""

from dataclasses import dataclass, field, replace

import numpy as np

import layers as of
from functions import ACTIVATIONS
from training import Plan, Rows

CLASSES, MANY = 3, 20
NORMS = {"layer": (of.LayerNorm, {"epsilon": 1e-3}), "rms": (of.RmsNorm, {"epsilon": 1e-6}),
         "batch": (of.BatchNorm, {"epsilon": 1e-3, "momentum": 0.9})}


# ---- data: four numbers, a column of three categories, one of two, all the same for each case ----

NUMBERS, CATEGORIES = 4, (3, 2)
INPUTS = NUMBERS + sum(CATEGORIES)


def make_rows(count, seed, targets=None, classes=CLASSES):
    """`targets`: their number, of values; None: classes."""
    random = np.random.default_rng(seed)
    one_hot = [np.eye(n)[random.integers(0, n, count)] for n in CATEGORIES]
    x = np.concatenate([random.normal(size=(count, NUMBERS)), *one_hot], axis=1).astype(np.float32)
    rule = np.random.default_rng(99).normal(size=(INPUTS, classes))
    scores = x @ rule + random.normal(size=(count, classes))
    w = (random.integers(1, 9, count) / 4).astype(float)
    if targets is None:
        y = scores.argmax(axis=1)
        y[:classes] = range(classes)
        return Rows(x, y.astype(np.int64), w)
    return Rows(x, (scores[:, :targets] * 2 + 5).astype(np.float32), w)


# ---- networks, with random parameters ----

class Maker:
    def __init__(self, seed):
        self.random = np.random.default_rng(seed)

    def normal(self, *shape, spread=0.3, mean=0.0):
        return (mean + spread * self.random.normal(size=shape)).astype(np.float32)

    def dense(self, D, H, activation, bias=True):
        params = {"kernel": self.normal(D, H, spread=D**-0.5), "bias": self.normal(H)}
        if not bias:
            del params["bias"]
        return of.Dense({"units": H, "activation": activation, **({} if bias else {"bias": "none"})}, params)

    def norm(self, name, H):
        layer, options = NORMS[name]
        params = {layer.scale if name == "rms" else "gamma": self.normal(H, mean=1)}
        moving = {}
        if name != "rms":
            params["beta"] = self.normal(H)
        if name == "batch":
            moving = {"moving_mean": self.normal(H), "moving_variance": self.normal(H, spread=0.1, mean=1)}
        return layer(options, params, moving=moving)

    def scale(self, K, D, start="ones", shifts=False):
        options = {"members": K, "start": start, **({"shifts": "members"} if shifts else {})}
        params = {"scale": self.normal(K, D, mean=1)}
        if shifts:
            params["shift"] = self.normal(K, D)
        return of.MemberScale(options, params)

    def member_dense(self, K, D, C):
        return of.MemberDense({"units": C}, {"kernel": self.normal(K * D, C, spread=D**-0.5),
                                             "bias": self.normal(K, C)})

    def piecewise(self, x, width):
        """Bins of the first three numbers, at the rows' values: an edge is some row's own value."""
        edges = [np.sort(x[:n, d]) for d, n in enumerate((5, 2, 9))]
        counts = np.zeros(x.shape[1])
        counts[:3] = [len(e) for e in edges]
        total = int(counts.sum())
        params = {"slope": self.normal(3, width), "shift": self.normal(3, width),
                  "bins": self.normal(total - 3, width)}
        return of.PiecewiseLinear({"inputs": 3, "edges": total, "width": width}, params,
                                  {"edge_counts": counts, "edges": np.concatenate(edges)})

    def periodic(self, D, width, frequencies):
        encoded = np.zeros(D)
        encoded[[0, 2]] = 1
        params = {"frequencies": self.normal(2, frequencies), "kernel": self.normal(2 * frequencies, width),
                  "bias": self.normal(width)}
        return of.Periodic({"inputs": 2, "frequencies": frequencies, "width": width, "scale": 0.3}, params,
                           {"encoded": encoded})

    def categories(self, width, lead=0, numbers=NUMBERS):
        """`numbers` inputs that are not encoded, or are by the layer before, precede them."""
        groups = [0] * (lead + numbers) + [g + 1 for g, n in enumerate(CATEGORIES) for _ in range(n)]
        return of.CategoryEmbedding({"inputs": sum(CATEGORIES), "columns": len(CATEGORIES), "width": width},
                                    {"table": self.normal(sum(CATEGORIES), width)}, {"groups": np.array(groups)},
                                    lead=lead)


def hidden(activation="tanh", H=10, outputs=CLASSES):
    return lambda make, x: [make.dense(INPUTS, H, activation), make.dense(H, outputs, "linear")]


def normed(norm):
    """Batch normalization takes a bias before it away: it would have no gradient."""
    return lambda make, x: [make.dense(INPUTS, 10, "linear", bias=norm != "batch"), make.norm(norm, 10),
                            of.Activation({"activation": "gelu"}), make.dense(10, CLASSES, "linear")]


def rectified(**options):
    return lambda make, x: [make.dense(INPUTS, 10, "linear"), of.Rectifier(options), make.dense(10, CLASSES, "linear")]


def bent(slopes):
    return lambda make, x: [make.dense(INPUTS, 10, "linear"),
                            of.PRelu({"slopes": slopes}, {"alpha": make.normal(10 if slopes == "units" else 1)}),
                            make.dense(10, CLASSES, "linear")]


def residual(make, x):
    """Two adds, one of the outputs of the other."""
    return [make.dense(INPUTS, 10, "tanh"), make.dense(10, 10, "relu"), of.Add({"from": 0}),
            make.dense(10, 10, "silu"), of.Add({"from": 2}), make.dense(10, CLASSES, "linear")]


def normalized(make, x):
    scale = of.Normalization({}, constants={"mean": make.normal(INPUTS, spread=1),
                                            "variance": np.square(make.normal(INPUTS, mean=2))})
    return [scale, make.dense(INPUTS, 10, "tanh"), make.dense(10, CLASSES, "linear")]


def piecewise(make, x):
    return [make.piecewise(x, 3), make.dense(3 * 3 + INPUTS - 3, 10, "tanh"), make.dense(10, CLASSES, "linear")]


def periodic(make, x):
    return [make.periodic(INPUTS, 3, 5), make.dense(2 * 3 + INPUTS - 2, 10, "tanh"), make.dense(10, CLASSES, "linear")]


def categories(make, x):
    return [make.categories(4), make.dense(2 * 4 + NUMBERS, 10, "tanh"), make.dense(10, CLASSES, "linear")]


def all_encodings(make, x):
    """Piecewise numbers, then categories, then what is neither; members begin with scales of all that."""
    D = 9 + 2 * 4 + 1
    return [make.piecewise(x, 3), make.categories(4, lead=9, numbers=1), make.scale(3, D, "normal"),
            make.dense(D, 10, "gelu"), make.member_dense(3, 10, CLASSES)]


def mini(make, x):
    return [make.scale(4, INPUTS, "normal"), make.dense(INPUTS, 10, "relu"), make.dense(10, 8, "tanh"),
            make.member_dense(4, 8, CLASSES)]


def full(outputs=CLASSES, norm=None):
    def make_all(make, x):
        made, D = [], INPUTS
        for block, H in enumerate((10, 10)):
            made += [make.scale(3, D, "normal" if block == 0 else "ones"), make.dense(D, H, "linear", bias=False),
                     make.scale(3, H, shifts=True)]
            made += [make.norm(norm, H)] if norm else []
            made.append(of.Activation({"activation": "relu"}))
            D = H
        return [*made, of.Add({"from": len(made) // 2 - 1}), make.member_dense(3, D, outputs)]
    return make_all


def wide(make, x):
    """More units than a panel of dtrain's kernels has columns, and a last layer of more than a narrow one has."""
    return [make.dense(INPUTS, 70, "tanh"), make.dense(70, 33, "relu"), make.dense(33, MANY, "linear")]


# ---- the table ----

@dataclass
class Case:
    network: object = hidden()
    plan: Plan = field(default_factory=lambda: Plan(rate=0.1, optimizer="sgd"))
    unlike: str = "" # the case that this one would be without its point: its weights must differ
    rows: int = 64
    targets: int = None # values of a row; None: classes
    classes: int = CLASSES
    weighted: bool = False
    class_weight: str = "" # as --class-weight says it
    batch: int = None # rows; None: all of them
    words: tuple = () # other options, which change no number
    number: str = "" # the option of the loss's number
    seed: int = 1
    kink: bool = False # dtrain takes another side of a kink than the reference


def make_cases():
    sgd, adam = Plan(rate=0.1, optimizer="sgd"), Plan(rate=0.01)

    def plans(base, unlike, **changes):
        return {name: Case(plan=replace(base, **change), unlike=unlike) for name, change in changes.items()}
    cases = {"sgd": Case(), "adam": Case(plan=adam, unlike="sgd")}
    # Layers.
    cases |= {f"activation {name}": Case(hidden(name)) for name in ACTIVATIONS}
    cases |= {f"norm {name}": Case(normed(name)) for name in NORMS}
    cases |= {name.replace("_", " "): Case(network, adam) for name, network in {
        "residual": residual, "normalization": normalized, "piecewise": piecewise, "periodic": periodic,
        "categories": categories, "all_encodings": all_encodings, "members_mini": mini, "members_full": full(),
        "members_full_batch_norm": full(norm="batch"), "members_full_layer_norm": full(norm="layer"),
        "no_hidden_layer": lambda make, x: [make.dense(INPUTS, CLASSES, "linear")],
        "rectifier_relu6": rectified(slope=0.0, threshold=0.0, limit=1.0, curve=0.0),
        "rectifier_leaky": rectified(slope=0.1, threshold=0.2, limit=0.0, curve=0.0),
        "rectifier_elu": rectified(slope=0.0, threshold=0.0, limit=0.0, curve=0.7),
        "prelu": bent("units"), "prelu_of_one_slope": bent("one")}.items()}
    cases["wide"] = Case(wide, adam, rows=150, classes=MANY)
    # Where dtrain and the reference are on different sides of relu's kink: found among 88 seeds. dtrain's own kernels
    # have these bits on any CPU.
    cases["relu kink"] = Case(hidden("relu", 32), adam, rows=200, seed=10, kink=True, words=("--engine", "own"))
    # Losses.
    cases |= plans(sgd, "sgd", **{"label smoothing": {"number": 0.2}})
    cases["label smoothing"].number = "--label-smoothing"
    for loss, number, option in (("mse", 0, ""), ("mae", 0, ""), ("huber", 0.5, "--huber-delta"),
                                 ("quantile", 0.8, "--quantile")):
        for targets in (1, 2):
            cases[f"{loss} {targets}"] = Case(hidden(outputs=targets), replace(sgd, loss=loss, number=number),
                                              targets=targets, number=option, unlike="" if loss == "mse" else
                                              f"mse {targets}")
    cases["members mse"] = Case(full(outputs=2), replace(adam, loss="mse"), targets=2)
    # Weights.
    cases["weights"] = Case(weighted=True, unlike="sgd")
    cases["class weights"] = Case(class_weight="0=0.5,1=4", unlike="sgd")
    cases["balanced"] = Case(class_weight="balanced", unlike="sgd")
    cases["both weights"] = Case(weighted=True, class_weight="0=0.5,1=4", unlike="weights")
    cases["weights mae"] = Case(hidden(outputs=2), replace(sgd, loss="mae"), targets=2, weighted=True, unlike="mae 2")
    cases["weights members"] = Case(mini, adam, weighted=True, unlike="members mini")
    cases["weights batch norm"] = Case(normed("batch"), weighted=True, unlike="norm batch")
    # Optimizers, schedules, regularization, averages.
    cases |= plans(sgd, "sgd", **{"momentum": {"momentum": 0.9}, "sgd weight decay": {"weight_decay": 0.1},
                                  "l2": {"l2": 0.03}, "l1": {"l1": 0.02}, "clip norm": {"clip_norm": 0.1},
                                  "clip value": {"clip_value": 0.02}, "max norm": {"max_norm": 0.8},
                                  "ema": {"ema": 0.998}, "ema 0.3": {"ema": 0.3}})
    cases |= plans(sgd, "momentum", nesterov={"momentum": 0.9, "nesterov": True})
    cases |= plans(adam, "adam", adamw={"optimizer": "adamw"}, nadam={"optimizer": "nadam"},
                   rmsprop={"optimizer": "rmsprop"}, adagrad={"optimizer": "adagrad"},
                   **{"adam numbers": {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
                      "adamw 0.3": {"optimizer": "adamw", "weight_decay": 0.3}})
    cases |= plans(replace(adam, optimizer="rmsprop"), "rmsprop", **{"rmsprop rho": {"rho": 0.5}})
    cases |= plans(sgd, "sgd", cosine={"schedule": "cosine"}, onecycle={"schedule": "onecycle"},
                   step={"schedule": "step", "schedule_factor": 0.5, "schedule_every": 3},
                   exponential={"schedule": "exponential", "schedule_factor": 0.5, "schedule_every": 3},
                   warmup={"schedule": "cosine", "warmup": 5})
    cases |= plans(replace(sgd, rate=2.0), "", **{"large steps": {}})
    cases |= plans(replace(sgd, rate=2.0), "large steps",
                   plateau={"schedule": "plateau", "schedule_factor": 0.3, "schedule_every": 2})
    cases["all regularization"] = Case(full(norm="layer"), replace(
        adam, optimizer="adamw", weight_decay=0.1, l2=0.01, l1=1e-3, clip_norm=0.5, max_norm=0.9, ema=0.9,
        schedule="onecycle"), unlike="members full layer norm")
    # Several steps an epoch, and the ways in which the same is computed.
    cases["batches"] = Case(plan=replace(adam, epochs=5), batch=16, unlike="adam")
    cases["batches batch norm"] = Case(normed("batch"), replace(sgd, epochs=5, schedule="cosine", warmup=1.5), batch=16)
    cases["batches weights"] = Case(plan=replace(sgd, epochs=5, momentum=0.9), batch=16, weighted=True)
    cases["sum fast"] = Case(residual, adam, words=("--sum", "fast"))
    cases["engine blas"] = Case(residual, adam, words=("--engine", "blas"))
    cases["threads"] = Case(wide, adam, rows=150, classes=MANY, words=("--threads", "3", "--shards", "3"))
    return cases
