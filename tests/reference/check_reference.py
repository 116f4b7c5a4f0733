"""Does dtrain train as plain NumPy in float64 does? Run by tests/cli/test_reference.sh, with the program in $DTRAIN, in
an empty folder; cases are named as arguments, all of them without any.

Each case (cases.py) starts dtrain from a model of the reference's own weights, makes 20 steps, and compares all weights
and the losses of all epochs. comparison.py says what may differ. The reference's gradients are compared with central
differences first. A line is printed for each case: the largest difference in the float64 numbers' tolerances, and, if
relu's kink or another was met, the elements in question and the side that dtrain took."""

import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from cases import INPUTS, NORMS, Maker, make_cases, make_rows
from comparison import branches
from functions import ACTIVATIONS, LOSSES
from layers import LAYERS
from program import Wrong, names_in_help, options_of, results, run, save_rows, save_start
from training import OPTIMIZERS, SCHEDULES, Arithmetic, Network, Plan, Rows, gradient

SHARDS = 8
LEAST_EFFECT = 100 # tolerances by which each array moves, and a case differs from the one it is unlike


def expect(condition, message):
    if not condition:
        raise Wrong(message)


# ---- the order of rows ----

def find_batches(count, batch, epochs):
    """The rows of each step of each epoch, as dtrain shuffles them: it does not depend on what the rows are.

    Here row i is the unit vector i, and the targets are 1 and -1, so far from the outputs that the slope of the
    absolute error never changes: with the rate 2^-t of step t, weight i moves by the sum of 2^-t over its steps.
    """
    steps = count // batch
    expect(steps * batch == count and steps * epochs <= 20, "so many steps can be told apart")
    y = np.where(np.arange(count) % 2 == 0, 1.0, -1.0).astype(np.float32)
    rows = Rows(np.eye(count, dtype=np.float32), y, np.ones(count))
    network = Network([Maker(0).dense(count, 1, "linear")])
    for a in network.layers[0].params.values():
        a[:] = 0
    unit = 0.125
    plan = Plan(loss="mae", optimizer="sgd", rate=unit * batch, epochs=epochs, schedule="exponential",
                schedule_factor=2.0**-steps, schedule_every=1)
    save_rows("order", rows, rows)
    save_start("order.h5", network, count, plan, None)
    train_dtrain("order", plan, ("--batch", batch, "--shards", SHARDS, "--task", "regression"), "")
    moved = np.abs(results("order-run", ["dense/kernel"])[0]["dense/kernel"][:, 0]) / unit
    sums = np.round(moved * 2.0**(steps * epochs - 1)).astype(int)
    expect(np.abs(moved * 2.0**(steps * epochs - 1) - sums).max() < 0.1, "weights move by sums of powers of two")
    batches = [[np.flatnonzero(sums >> (steps * epochs - 1 - (epoch * steps + step)) & 1) for step in range(steps)]
               for epoch in range(epochs)]
    for epoch in batches:
        expect(sorted(np.concatenate(epoch)) == list(range(count)), "each row is in one step of each epoch")
    return batches


# ---- a case ----

def train_dtrain(name, plan, words, number_option):
    run("train", name, "--init-from", f"{name}.h5", "--patience", 99, "--no-restore-best", "--quiet", "--force",
        "--out", f"{name}-run", *words, *options_of(plan, Plan(), number_option))


def class_weights(text, y):
    if text == "balanced":
        return len(y) / (len(np.unique(y)) * np.bincount(y))[y]
    given = dict(part.split("=") for part in text.split(",")) if text else {}
    return np.array([float(given.get(str(label), 1)) for label in y])


class Prepared:
    """A case's rows, network and batches; dtrain's names of files."""

    def __init__(self, name, case):
        self.case, self.file = case, name.replace(" ", "_")
        seeds = 2 * case.seed, 2 * case.seed + 1
        self.train, self.validation = (make_rows(n, seed, case.targets, case.classes)
                                       for n, seed in zip((case.rows, 40), seeds))
        self.network = Network(case.network(Maker(case.seed), self.train.x))
        self.given = Rows(self.train.x, self.train.y, self.train.w)
        self.words = ["--batch", case.batch or case.rows, *case.words]
        self.scales = None
        if case.weighted:
            self.words += ["--weights", "w"]
        else:
            self.train.w, self.validation.w = np.ones(case.rows), np.ones(40)
        if case.class_weight:
            self.words += ["--class-weight", case.class_weight]
            self.train.w = self.train.w * class_weights(case.class_weight, self.train.y)
        if case.targets:
            self.standardize()

    def standardize(self):
        """Training is in the units that the model has."""
        self.scales = [{"mean": 4.5 + j, "deviation": 3.0 - j} for j in range(self.case.targets)]
        mean, deviation = (np.array([scale[part] for scale in self.scales]) for part in ("mean", "deviation"))
        self.train, self.validation = (Rows(rows.x, (rows.y.astype(float) - mean) / deviation, rows.w)
                                       for rows in (self.train, self.validation))

    def save(self):
        """The rows in the file have the targets' own units, and weights of their own alone."""
        own = make_rows(40, 2 * self.case.seed + 1, self.case.targets, self.case.classes)
        save_rows(self.file, self.given, own)
        save_start(f"{self.file}.h5", self.network, INPUTS, self.case.plan, self.scales)

    def batches(self, orders):
        case = self.case
        if case.batch is None:
            return [[np.arange(case.rows)]] * case.plan.epochs
        return orders[case.rows, case.batch, case.plan.epochs]


def loss_of(network, rows, plan):
    return gradient(network, rows, plan, Arithmetic(np.float64))


def check_gradients(prepared):
    """Along a random direction of each array, by central differences: |error| is about h^2, and 1e-16 / h."""
    h, random = 1e-5, np.random.default_rng(5)
    network = prepared.network.cast(np.float64)
    rows, plan = prepared.train, prepared.case.plan
    loss_of(network, rows, plan)
    found = {name: layer.gradients[tensor] for name, (layer, tensor) in network.params().items()}
    for name, (layer, tensor) in network.params().items():
        direction, start = random.normal(size=layer.params[tensor].shape), layer.params[tensor]
        sides = []
        for sign in (1, -1):
            layer.params[tensor] = start + sign * h * direction
            sides.append(loss_of(network, rows, plan))
        layer.params[tensor] = start
        wanted, is_ = (sides[0] - sides[1]) / (2 * h), float((found[name] * direction).sum())
        expect(abs(wanted - is_) < 1e-7 * max(1, abs(wanted)), f"{name}: gradient {is_}, by differences {wanted}")


def place_of(index):
    """Of an element: row, member if there are any, and unit; of a weight its indices."""
    words = ("row", "unit") if len(index) == 2 else ("row", "member", "unit")
    return ", ".join(f"{word} {i}" for word, i in zip(words, index))


def check_case(name, prepared, batches, checked):
    """Returns the case's line. `checked` keeps the reference's branch of each case."""
    check_gradients(prepared)
    values, train_loss, val_loss = results(f"{prepared.file}-run", prepared.network.values())
    tried = []
    for branch in branches(prepared.network, prepared.train, prepared.validation, prepared.case.plan, batches):
        checked.setdefault(name, branch)
        tried.append((branch.compare(values, train_loss, val_loss), branch.sides))
        if tried[-1][0][0] <= 1:
            break
    (worst, where), sides = min(tried, key=lambda t: t[0][0])
    check_moved(prepared.network.values(), checked[name])
    kinks = "".join(f"; step {step + 1}, {at}, {place_of(index)}: {'above' if side else 'below'}"
                    for (step, at, index), side in sides.items())
    line = f"{name}: {worst:.2f} tolerances, of {where}{kinks}"
    expect(worst <= 1, f"{line}: differs from the reference; {len(tried)} ways to take the sides of kinks were tried")
    if prepared.case.kink:
        alone = tried[0][0][0]
        expect(alone > LEAST_EFFECT, f"{line}: with the reference's sides, {alone:.2f}; this shows nothing")
        line += f"; with the reference's own sides, {alone:.0f} tolerances"
    return line


def check_moved(start, branch):
    """Otherwise the comparison shows nothing."""
    for name, a in start.items():
        moved = float((np.abs(branch.exact.values[name] - a) / branch.tolerances[name]).max())
        expect(moved > LEAST_EFFECT, f"{name}: moves by {moved:.1f} tolerances; this shows nothing")


def check_effect(name, unlike, checked):
    one, other = checked[name], checked[unlike]
    effect = max(float((np.abs(a - other.exact.values[key]) / one.tolerances[key]).max())
                 for key, a in one.exact.values.items())
    expect(effect > LEAST_EFFECT, f"{name}: differs from '{unlike}' by {effect:.1f} tolerances; this shows nothing")


def check_names(prepared):
    """Each name that --help lists is in a case, and each kind of layer but dropout and noise, which are random."""
    plans = [case.case.plan for case in prepared.values()]
    root = os.path.dirname(os.path.abspath(__file__)) + "/../.."
    with open(f"{root}/include/dtrain/nn/layer.h", encoding="ascii") as file:
        count = int(re.search(r"DT_LAYER_KIND_COUNT = (\d+)", file.read())[1])
    kinds = {layer.kind for case in prepared.values() for layer in case.network.layers}
    expect(kinds == set(LAYERS) and len(kinds) == count - 2, f"each of {count} kinds of layers is in a case")
    expect(names_in_help("activation") == set(ACTIVATIONS), "--activation: each is in a case")
    expect(names_in_help("loss") - {"auto"} == {plan.loss for plan in plans} == set(LOSSES),
           "--loss: each is in a case")
    expect(names_in_help("norm") - {"none"} == set(NORMS), "--norm: each is in a case")
    expect(names_in_help("optimizer") == {plan.optimizer for plan in plans} == set(OPTIMIZERS),
           "--optimizer: each is in a case")
    expect(names_in_help("schedule") == {plan.schedule for plan in plans} == set(SCHEDULES),
           "--schedule: each is in a case")


def main(names):
    cases = make_cases()
    chosen = {name: case for name, case in cases.items() if not names or name in names}
    prepared = {name: Prepared(name, case) for name, case in cases.items()}
    if not names:
        check_names(prepared)
    shuffled = {(case.rows, case.batch, case.plan.epochs) for case in chosen.values() if case.batch}
    orders = {key: find_batches(*key) for key in shuffled}

    def run_case(name):
        case = prepared[name]
        case.save()
        train_dtrain(case.file, case.case.plan, case.words, case.case.number)
    failed, checked = 0, {}
    with ThreadPoolExecutor(2) as pool: # dtrain computes beside NumPy
        running = {name: pool.submit(run_case, name) for name in chosen}
        for name, case in chosen.items():
            try:
                running[name].result()
                print(check_case(name, prepared[name], prepared[name].batches(orders), checked), flush=True)
                if case.unlike and (not names or case.unlike in checked):
                    check_effect(name, case.unlike, checked)
            except Wrong as wrong:
                failed += 1
                print(f"FAILED: {name}: {wrong}", flush=True)
    print(f"{len(chosen) - failed} of {len(chosen)} cases agree")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main(sys.argv[1:])
