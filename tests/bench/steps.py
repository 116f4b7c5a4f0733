"""steps.py DTRAIN [DTRAIN...] [--ranks N] [--rounds N] [--options "..."]

Microseconds a step of one or more builds of dtrain, on four networks, next to the peak of one core.

A round runs every build once on each network, one after the other. A figure is the median of the
rounds: seconds of training (shuffle, steps and metrics; not the validation) divided by the number of
steps. The ratio is the median of the rounds' first build / this build. The peak is the speed of fused
multiply-adds on registers, measured in each round; "% of peak" counts the floating-point operations
of the products alone. compare.py runs the same networks against PyTorch and JAX.
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
    ("51-30-2, 100", 40000, 51, 2, [30], 100, 100),
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


def make_peak(folder, name="native"):
    """Compiles the measurement of the peak for this CPU, or for AVX2 alone; returns its command."""
    program = f"{folder}/peak-{name}"
    with open(f"{program}.c", "w", encoding="utf-8") as file:
        file.write(PEAK)
    flags = ["-mavx2", "-mfma"] if name == "avx2" else ["-march=native"]
    subprocess.run(["cc", "-O2", *flags, "-o", program, f"{program}.c"], check=True)
    return [program]


def measure_peak(command):
    """Returns GFlop/s of one core."""
    return float(subprocess.run(command, check=True, capture_output=True).stdout)


def flop(network):
    """Of the products of a step: forward, weights' gradient, and inputs' gradient but for the first layer's."""
    _, _, inputs, classes, hidden, batch, _ = network
    widths = [inputs, *hidden, classes]
    products = [a * b for a, b in zip(widths, widths[1:])]
    return 2 * batch * (3 * sum(products) - products[0])


def share_of_peak(network, us, peak, cores):
    return flop(network) / (us * 1e-6) / 1e9 / peak / cores


def allow_mpirun():
    """Root, more ranks than cores, no binding (a bound rank cannot give way); for Open MPI 4 and 5."""
    for name, value in (("OMPI_ALLOW_RUN_AS_ROOT", "1"), ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"),
                        ("PRTE_ALLOW_RUN_AS_ROOT", "1"), ("PRTE_ALLOW_RUN_AS_ROOT_CONFIRM", "1"),
                        ("OMPI_MCA_rmaps_base_oversubscribe", "1"),
                        ("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe"),
                        ("OMPI_MCA_hwloc_base_binding_policy", "none"),
                        ("PRTE_MCA_hwloc_default_binding_policy", "none"), ("HWLOC_COMPONENTS", "-gl")):
        os.environ.setdefault(name, value)


def train(command, folder, data, network, options):
    """Trains `network` with the command of a dtrain, on any number of ranks; returns what it prints."""
    _, _, _, _, hidden, batch, epochs = network
    done = subprocess.run([*command, "--hidden", ",".join(map(str, hidden)), "--batch", str(batch), "--epochs",
                           str(epochs), "--patience", "1000000", "--force", "--out", f"{folder}/out", *options,
                           data], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{done.stderr[-2000:]}{' '.join(command)}: exit status {done.returncode}")
    return done.stdout


def step_us(output, network):
    """Microseconds a step, from what train() returned."""
    _, rows, _, _, _, batch, _ = network
    rate = float(re.search(r"^summary\.samples_per_second=(.*)$", output, re.M)[1])
    return rows / -(-rows // batch) / rate * 1e6


def launcher(ranks):
    return [] if ranks == 1 else ["mpirun", "-q", "-np", str(ranks)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("programs", nargs="+")
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--options", default="")
    args = parser.parse_args()
    allow_mpirun()
    with tempfile.TemporaryDirectory() as folder:
        make_data(folder)
        peak_command = make_peak(folder)
        times = {(i, p): [] for i in range(len(NETWORKS)) for p in range(len(args.programs))}
        peaks = []
        for _ in range(args.rounds):
            peaks.append(measure_peak(peak_command))
            for i, network in enumerate(NETWORKS):
                for p, program in enumerate(args.programs):
                    output = train([*launcher(args.ranks), program], folder, f"{folder}/{i}.npz", network,
                                   args.options.split())
                    times[i, p].append(step_us(output, network))
        peak = statistics.median(peaks)
        print(f"{args.ranks} rank(s), {args.rounds} rounds, peak of one core {peak:.0f} GF/s\n")
        print("| network, batch | build | us a step | % of peak | ratio |\n|---|---|---|---|---|")
        for i, network in enumerate(NETWORKS):
            for p, program in enumerate(args.programs):
                us = statistics.median(times[i, p])
                share = 100 * share_of_peak(network, us, peak, args.ranks)
                ratio = statistics.median(a / b for a, b in zip(times[i, 0], times[i, p]))
                print(f"| {network[0]} | {program} | {us:.4g} | {share:.0f} | {ratio:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
