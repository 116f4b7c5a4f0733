"""features.py DTRAIN [--rounds N]

What each option of training costs: microseconds a step of the network 100-256-256-256-2 (batch 256) on one rank, with
one option at a time. A round runs all of them once, one after the other, in turn with the network without options. A
ratio is the median of the rounds' (with the option / without it); the smallest and the largest stand behind it.
"""

import argparse
import statistics
import tempfile

from steps import NETWORKS, allow_mpirun, make_data, step_us, train

NETWORK = 2  # of steps.py
FEATURES = ["--dropout 0.1", "--noise 0.1", "--norm layer", "--norm rms", "--norm batch", "--residual",
            "--activation gelu", "--activation silu", "--activation tanh", "--ema 0.998", "--l2 0.001 --l1 0.001",
            "--clip-norm 1", "--clip-value 1", "--max-norm 3", "--optimizer adamw", "--optimizer nadam",
            "--optimizer sgd --momentum 0.9", "--schedule cosine", "--class-weight balanced", "--label-smoothing 0.1",
            "--numeric-embedding piecewise", "--members 4"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=3)
    words = parser.parse_args()
    allow_mpirun()
    ratios, plain = {feature: [] for feature in FEATURES}, []
    with tempfile.TemporaryDirectory() as folder:
        make_data(folder)
        data = f"{folder}/{NETWORK}.npz"

        def measure(options):
            return step_us(train([words.program], folder, data, NETWORKS[NETWORK], options), NETWORKS[NETWORK])

        for _ in range(words.rounds):
            for feature in FEATURES:
                without = measure([])
                plain.append(without)
                ratios[feature].append(measure(feature.split()) / without)
    print(f"Without options: {statistics.median(plain):.0f} us a step.\n\n| option | ratio |\n|---|---|")
    for feature, found in ratios.items():
        print(f"| `{feature}` | {statistics.median(found):.2f} ({min(found):.2f} to {max(found):.2f}) |")


main()
