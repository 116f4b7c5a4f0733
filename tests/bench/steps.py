"""steps.py DTRAIN [DTRAIN...] [--ranks N] [--rounds N] [--options "..."]

Microseconds a step of one or more builds of dtrain, on four networks, next to the peak of one core.

A round runs every build once on each network, one after the other. A figure is the median of the
rounds: seconds of the phases forward, backward, all-reduce and update (the mean over the ranks),
divided by the number of steps. The ratio is the median of the rounds' first build / this build. The
peak is the speed of fused multiply-adds on registers, measured in each round; "% of peak" counts the
floating-point operations of the products alone.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile

import numpy as np

PEAK = r"""
#include <immintrin.h>
#include <stdio.h>
#include <time.h>
#ifdef __AVX512F__
typedef __m512 vector;
#define SET _mm512_set1_ps
#define FMA _mm512_fmadd_ps
#else
typedef __m256 vector;
#define SET _mm256_set1_ps
#define FMA _mm256_fmadd_ps
#endif
enum { SUMS = 12, STEPS = 3000000 };
int main(void)
{
    double best = 0;
    for (int round = 0; round < 5; round++) {
        vector sum[SUMS];
        const vector a = SET(0.999f), b = SET(1e-3f);
        for (int i = 0; i < SUMS; i++) sum[i] = SET((float)i);
        struct timespec begin, end;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        for (long k = 0; k < STEPS; k++) {
#pragma GCC unroll 12
            for (int i = 0; i < SUMS; i++) sum[i] = FMA(a, sum[i], b);
        }
        clock_gettime(CLOCK_MONOTONIC, &end);
        for (int i = 1; i < SUMS; i++) sum[0] = FMA(sum[i], b, sum[0]);
        if (((float *)&sum[0])[0] == 42.0f) puts("");
        const double s = (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
        const double speed = 2.0 * STEPS * SUMS * sizeof(vector) / 4 / s / 1e9;
        best = speed > best ? speed : best;
    }
    printf("%.1f\n", best);
}
"""
# Name, rows, inputs, classes, hidden layers, batch, epochs.
NETWORKS = [
    ("51-30-2, 100", 40000, 51, 2, [30], 100, 20),
    ("784-512-2, 1024", 20480, 784, 2, [512], 1024, 4),
    ("100-256-256-256-2, 256", 20480, 100, 2, [256, 256, 256], 256, 6),
    ("784-1024-1024-10, 512", 10240, 784, 10, [1024, 1024], 512, 3),
]


def make_data(folder):
    random = np.random.default_rng(1)
    for i, (_, rows, inputs, classes, *_) in enumerate(NETWORKS):
        x = random.standard_normal((rows, inputs), dtype=np.float32)
        y = random.integers(0, classes, rows)
        sets = {f"{a}_{p}": v for p in ("train", "val", "test")
                for a, v in (("x", x if p == "train" else x[:100]), ("y", y if p == "train" else y[:100]))}
        np.savez(f"{folder}/{i}.npz", **sets)


def make_peak(folder):
    with open(f"{folder}/peak.c", "w", encoding="utf-8") as file:
        file.write(PEAK)
    subprocess.run(["cc", "-O2", "-march=native", "-o", f"{folder}/peak", f"{folder}/peak.c"], check=True)


def flop(network):
    """Of the products of a step: forward, weights' gradient, and inputs' gradient but for the first layer's."""
    _, _, inputs, classes, hidden, batch, _ = network
    widths = [inputs, *hidden, classes]
    products = [a * b for a, b in zip(widths, widths[1:])]
    return 2 * batch * (3 * sum(products) - products[0])


def measure(program, ranks, folder, i, options):
    """Returns microseconds a step."""
    _, rows, _, _, hidden, batch, epochs = NETWORKS[i]
    launcher = [] if ranks == 1 else ["mpirun", "-q", "-np", str(ranks)]
    done = subprocess.run([*launcher, program, "--hidden", ",".join(map(str, hidden)), "--batch", str(batch),
                           "--epochs", str(epochs), "--patience", "1000000", "--force", "--out",
                           f"{folder}/out", *options, f"{folder}/{i}.npz"],
                          check=True, capture_output=True, text=True)
    phases = dict(re.findall(r"^(forward|backward|all-reduce|update) +([0-9.]+)", done.stdout, re.M))
    return sum(map(float, phases.values())) / (epochs * -(-rows // batch)) * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("programs", nargs="+")
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--options", default="")
    args = parser.parse_args()
    for name in ("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"):
        os.environ[name] = "1"
    with tempfile.TemporaryDirectory() as folder:
        make_data(folder)
        make_peak(folder)
        times = {(i, p): [] for i in range(len(NETWORKS)) for p in range(len(args.programs))}
        peaks = []
        for _ in range(args.rounds):
            peaks.append(float(subprocess.run([f"{folder}/peak"], check=True, capture_output=True).stdout))
            for i in range(len(NETWORKS)):
                for p, program in enumerate(args.programs):
                    times[i, p].append(measure(program, args.ranks, folder, i, args.options.split()))
        peak = statistics.median(peaks)
        print(f"{args.ranks} rank(s), {args.rounds} rounds, peak of one core {peak:.0f} GF/s\n")
        print("| network, batch | build | us a step | % of peak | ratio |\n|---|---|---|---|---|")
        for i, network in enumerate(NETWORKS):
            for p, program in enumerate(args.programs):
                us = statistics.median(times[i, p])
                share = 100 * flop(network) / (us * 1e-6) / 1e9 / peak / args.ranks
                ratio = statistics.median(a / b for a, b in zip(times[i, 0], times[i, p]))
                print(f"| {network[0]} | {program} | {us:.4g} | {share:.0f} | {ratio:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
