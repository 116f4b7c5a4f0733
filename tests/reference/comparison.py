"""What float32 may differ by from the reference in float64, and whether dtrain does not differ by more.

The tolerance. Each case is also computed SAMPLES times in float32, with an error of up to an ulp in each number that a
layer, the loss or the sum over rows hands on (training.Arithmetic). How far a weight then lies from the reference
shows what rounding does to it: all that the network and the optimizer make of it is in there, such as Adam's
division, which turns the rounding error of a gradient near 0 into a part of the learning rate. dtrain may lie FACTOR
times as far as the farthest sample:

    tolerance of a number = FACTOR max(its largest distance among the samples, the root of the mean square distance of
                            its array's numbers, half an ulp of the number)

FACTOR = 16 is 2 * 8. 2: dtrain's functions (exp, tanh ...) have errors of up to 4 ulps where NumPy's have 1 or 2, and
its sums over the rows of a shard are chains where NumPy's are blocks. 8: chance. If the errors of a number are drawn
from a normal distribution, that of dtrain is more than c times as large as the largest of 8 samples with a probability
of E[2 (1 - Phi(c m))], m the largest of 8 absolute standard normal numbers, and P(m < x) < (0.8 x)^8: that is at most
(0.8 / c)^8 E|U|^8 = 105 (0.8 / c)^8, U standard normal, 1e-6 for c = 8. The second term is for arrays all of whose
errors are alike: 8 standard deviations are far beyond chance. The third is for numbers that no sample moves.

Kinks. At relu's kink the derivative jumps, and float32 may lie on the other side of it than the reference. An element
is undecided if its distance from the kink in the reference is within the tolerance of that distance, by the same rule.
Both sides are then right: the reference and the samples are computed again with each, and dtrain must come to the
results of one. Which elements are undecided is found anew for each, from the first step on.
"""

from dataclasses import dataclass

import numpy as np

from training import Arithmetic, ULP, train

SAMPLES, FACTOR, MOST_BRANCHES = 8, 16, 32


def tolerance(exact, samples):
    """Of each number of an array, from samples of it."""
    distances = np.abs(np.array(samples, float) - exact)
    alike = np.sqrt((distances**2).mean())
    return FACTOR * np.maximum(np.maximum(distances.max(axis=0), alike), np.abs(exact) * ULP / 2)


@dataclass
class Branch:
    """A course in float64, with what float32 may differ from it."""
    exact: object
    tolerances: dict
    sides: dict

    def compare(self, values, train_loss, val_loss):
        """Returns the largest difference in tolerances, and what it is of."""
        found = {**values, "train loss": train_loss, "validation loss": val_loss}
        return max((float((np.abs(found[name] - a) / self.tolerances[name]).max()), name)
                   for name, a in arrays_of(self.exact).items())


def arrays_of(course):
    return {**course.values, "train loss": np.array(course.train_loss), "validation loss": np.array(course.val_loss)}


def find_undecided(exact, samples):
    """Yields the undecided elements, from the first step on: ((step, name, index), distance). One that nothing moves
    from its kink (a tolerance of 0) is decided."""
    for key in sorted(exact.kinks):
        distance = exact.kinks[key]
        allowed = tolerance(distance, [sample.kinks[key] for sample in samples])
        for index in zip(*np.nonzero((np.abs(distance) <= allowed) & (allowed > 0))):
            yield (*key, index), distance[index]


def branches(network, train_rows, validation, plan, batches):
    """Yields each Branch that is right, the reference's own sides first."""
    open_sides, count = [{}], 0
    while open_sides and count < MOST_BRANCHES:
        sides = open_sides.pop()
        count += 1
        exact = train(network, train_rows, validation, plan, batches, Arithmetic(np.float64, sides=sides))
        samples = [train(network, train_rows, validation, plan, batches,
                         Arithmetic(np.float32, np.random.default_rng(seed), sides)) for seed in range(SAMPLES)]
        undecided = next((u for u in find_undecided(exact, samples) if u[0] not in sides), None)
        if undecided is not None:
            place, distance = undecided
            open_sides += [{**sides, place: distance <= 0}, {**sides, place: distance > 0}]
            continue
        arrays = [arrays_of(sample) for sample in samples]
        yield Branch(exact, {name: tolerance(a, [sample[name] for sample in arrays])
                             for name, a in arrays_of(exact).items()}, sides)
