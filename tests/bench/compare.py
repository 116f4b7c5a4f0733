"""compare.py DTRAIN [--venv VENV] [--rounds N] [--seconds S] [--parts LIST] [--markdown]

Measures dtrain against PyTorch and JAX on the four networks of steps.py, in turn, in one run, and
prints the tables of results/BENCHMARKS.md. run.sh builds dtrain, creates the peers' environment and
starts this script.

  --venv VENV      virtual environment of the peers (peers.sh VENV); without it they are skipped
  --rounds N       rounds; every figure is the median of the rounds [5]
  --seconds S      time of one measurement of a peer, without its warm-up [2]
  --parts LIST     of "steps" (against the peers), "saturated", and "start" (start-up) [all]
  --markdown       a complete page, with how it was measured and on what
  --command TEXT   the command that the page names
"""

import argparse
import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from steps import (NETWORKS, allow_mpirun, launcher, make_data, make_peak, measure_peak, share_of_peak, step_us,
                   train)

HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = {"PyTorch": "peer_torch.py", "JAX": "peer_jax.py"}
PHASES = ("forward", "backward", "all-reduce", "update")
CPUS = sorted(os.sched_getaffinity(0))
WIDE = NETWORKS[1]  # 784-512-2, the network of the part "saturated"
SATURATED_EPOCHS = 12


class Setting:
    """One way to run dtrain; the peers have as many threads as it has cores."""

    def __init__(self, name, ranks, how, networks=None, isa=None, cores=None):
        self.name, self.ranks, self.cores = name, ranks, cores or ranks
        self.options = ["--sum", how]
        self.networks = range(len(NETWORKS)) if networks is None else networks
        self.environment = {} if isa is None else {"DTRAIN_ISA": isa}
        self.peak = isa or "native"


SETTINGS = (
    Setting("1 rank, exact", 1, "exact"),
    Setting("1 rank, fast", 1, "fast"),
    Setting("1 rank, exact, AVX2", 1, "exact", isa="avx2"),
    Setting("2 ranks, exact", 2, "exact"),
    Setting("2 ranks, fast", 2, "fast"),
    Setting("8 ranks, exact", 8, "exact", networks=[0], cores=2),
    Setting("8 ranks, fast", 8, "fast", networks=[0], cores=2),
)


def say(text):
    print(text, file=sys.stderr, flush=True)


def pinned(cores):
    return ["taskset", "-c", ",".join(map(str, CPUS[:cores]))]


def run(command, **environment):
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=900,
                          env={**os.environ, **environment}, check=False)


# ---- against the peers ----


class Peers:
    """Runs the peers; one that fails is skipped from then on, with a message."""

    def __init__(self, venv, seconds, folder):
        self.folder = folder
        self.python = os.path.join(venv, "bin", "python") if venv else None
        self.seconds = seconds
        self.names = list(PEERS) if venv else []
        self.versions = {}
        if not venv:
            say("compare.py: the peers are skipped: no virtual environment (--venv)")

    def measure(self, name, data, network, threads):
        """Returns what the peer reports, or None."""
        if name not in self.names:
            return None
        _, _, _, _, hidden, batch, _ = network
        done = run([*pinned(threads), self.python, os.path.join(HERE, PEERS[name]), data,
                    ",".join(map(str, hidden)), str(batch), str(self.seconds), "--threads", str(threads)],
                   OMP_NUM_THREADS=str(threads), TORCHINDUCTOR_CACHE_DIR=os.path.join(self.folder, "compiled"),
                   PYTHONDONTWRITEBYTECODE="1")
        if done.returncode != 0:
            self.names.remove(name)
            say(f"{done.stderr[-2000:]}compare.py: {name} is skipped: exit status {done.returncode}")
            return None
        for line in done.stderr.splitlines():  # the rest is the packages' warnings
            if line.startswith(PEERS[name]):
                say(line)
        result = json.loads(done.stdout.splitlines()[-1])
        self.versions[name] = result["version"]
        return result


class Results:
    def __init__(self):
        self.us = {}      # (network, program): one value a round; a peer's program is (name, threads)
        self.hows = {}    # (network, program): the faster way of each round
        self.phases = {}  # (network, setting): microseconds a step of each phase, one dictionary a round
        self.peaks = {"native": [], "avx2": []}
        self.kernels = {}

    def add(self, i, program, us):
        self.us.setdefault((i, program), []).append(us)
        name = program if isinstance(program, str) else f"{program[0]}, {program[1]} thread(s)"
        say(f"  {NETWORKS[i][0]:24s} {name:24s} {us:10.1f} us/step")

    def add_phases(self, i, setting, output, us):
        _, rows, _, _, _, batch, epochs = NETWORKS[i]
        found = {name: float(seconds) / (epochs * -(-rows // batch)) * 1e6
                 for name, seconds in re.findall(r"^(\S+) +([0-9.]+)", output, re.M) if name in PHASES}
        found["other"] = max(0.0, us - sum(found.values()))
        self.phases.setdefault((i, setting.name), []).append(found)

    def median(self, i, program):
        return statistics.median(self.us[i, program])

    def has(self, i, program, rounds):
        return len(self.us.get((i, program), [])) == rounds


def one_round(results, dtrain, peers, folder, peaks):
    for name, command in peaks.items():
        results.peaks[name].append(measure_peak([*pinned(1), *command]))
    for i, network in enumerate(NETWORKS):
        data = f"{folder}/{i}.npz"
        for cores in sorted({setting.cores for setting in SETTINGS}):
            for setting in SETTINGS:
                if setting.cores != cores or i not in setting.networks or cores > len(CPUS):
                    continue
                command = ["env", *(f"{name}={value}" for name, value in setting.environment.items()),
                           *pinned(cores), *launcher(setting.ranks), dtrain]
                output = train(command, folder, data, network, setting.options)
                us = step_us(output, network)
                results.add(i, setting.name, us)
                results.add_phases(i, setting, output, us)
                results.kernels[setting.peak] = re.search(r"^kernels +(.*)$", output, re.M)[1]
            if cores > len(CPUS):
                continue
            for name in PEERS:
                found = peers.measure(name, data, network, cores)
                if found is not None:
                    results.add(i, (name, cores), found["us"])
                    results.hows.setdefault((i, (name, cores)), []).append(found["how"])


# ---- saturated ----


def make_separable(path):
    """The wide network's data, but column 0 gives the class away: soon most rows have no gradient."""
    _, rows, inputs, *_ = WIDE
    x = np.random.default_rng(2).standard_normal((rows, inputs), dtype=np.float32)
    x[:, 0] += np.where(x[:, 0] > 0, np.float32(3), np.float32(-3))
    y = (x[:, 0] > 0).astype(np.int64)
    sets = {f"{name}_{part}": values if part == "train" else values[:100]
            for part in ("train", "val", "test") for name, values in (("x", x), ("y", y))}
    np.savez(path, **sets)


def epoch_times(dtrain, folder, data, options):
    network = (*WIDE[:-1], SATURATED_EPOCHS)
    output = train([*pinned(1), dtrain], folder, data, network, options)
    seconds = [float(value) for value in re.findall(r"^epoch +\d+/.* ([0-9.]+) s\b", output, re.M)]
    assert len(seconds) == SATURATED_EPOCHS, output
    return [value / (WIDE[1] / WIDE[5]) * 1e6 for value in seconds]


def measure_saturated(dtrain, folder):
    """Returns microseconds a step: of the slowest saturated epoch, and of a fresh network's (the median)."""
    slowest = max(epoch_times(dtrain, folder, f"{folder}/separable.npz", ["--learning-rate", "0.05"]))
    fresh = statistics.median(epoch_times(dtrain, folder, f"{folder}/1.npz", []))
    say(f"  saturated: slowest epoch {slowest:.0f} us/step, fresh {fresh:.0f} us/step")
    return slowest, fresh


# ---- start-up ----


def start_commands(dtrain, folder, peers):
    # The network and the options are the defaults, the tutorial's.
    whole = [dtrain, f"{folder}/0.npz", "--epochs", "2", "--quiet", "--force", "--out", f"{folder}/out"]
    commands = {"`dtrain --version`": [dtrain, "--version"],
                "two epochs of 51-30-2, `dtrain`": whole,
                "two epochs of 51-30-2, `mpirun -np 2 dtrain`": [*launcher(2), *whole]}
    for name in peers.names:
        module = name.lower().replace("pytorch", "torch")
        commands[f'`python3 -c "import {module}"`, no training'] = [peers.python, "-c", f"import {module}"]
    return commands


def wall_s(command):
    begin = time.perf_counter()
    done = run(command)
    if done.returncode != 0:
        sys.exit(f"{done.stderr[-2000:]}{' '.join(command)}: exit status {done.returncode}")
    return time.perf_counter() - begin


# ---- the tables ----


def table(rows, left=1):
    """Markdown that can be read as it is; the first `left` columns are text."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]

    def line(row):
        cells = (text.ljust(width) if i < left else text.rjust(width)
                 for i, (text, width) in enumerate(zip(row, widths)))
        return "| " + " | ".join(cells) + " |"

    rule = "|" + "|".join("-" * (width + 2) if i < left else "-" * (width + 1) + ":"
                          for i, width in enumerate(widths)) + "|"
    return "\n".join([line(rows[0]), rule, *map(line, rows[1:])])


def number(value):
    return f"{value:.0f}" if value >= 1000 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratio_cells(results, i, setting, name, rounds):
    """The peer's median, and peer / dtrain: the median of the rounds' ratios, smallest, largest."""
    program = (name, setting.cores)
    if not results.has(i, program, rounds):
        return "-", "-"
    ratios = [theirs / ours for theirs, ours in zip(results.us[i, program], results.us[i, setting.name])]
    mark = "\\*" if statistics.mode(results.hows[i, program]) == "torch.compile" else ""
    return (f"{number(results.median(i, program))}{mark}",
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def peers_table(results, rounds):
    rows = [("network, batch", "dtrain", "us", "% of peak", "PyTorch us", "ratio", "JAX us", "ratio")]
    for i, network in enumerate(NETWORKS):
        for setting in SETTINGS:
            if not results.has(i, setting.name, rounds):
                continue
            us = results.median(i, setting.name)
            peak = statistics.median(results.peaks[setting.peak])
            rows.append((network[0], setting.name, number(us),
                         f"{100 * share_of_peak(network, us, peak, setting.cores):.0f}",
                         *ratio_cells(results, i, setting, "PyTorch", rounds),
                         *ratio_cells(results, i, setting, "JAX", rounds)))
    return table(rows, left=2)


def phase_table(results):
    columns = (*PHASES, "other")
    rows = [("network, batch", "dtrain", *columns)]
    for (i, name), rounds in results.phases.items():
        rows.append((NETWORKS[i][0], name, *(number(statistics.median(phases[column] for phases in rounds))
                                             for column in columns)))
    return table(rows, left=2)


def saturated_table(measured):
    slowest, fresh = (statistics.median(values) for values in zip(*measured))
    ratios = [a / b for a, b in measured]
    return table([("network, batch", "slowest epoch, us", "fresh, us", "ratio", "min to max"),
                  (WIDE[0], number(slowest), number(fresh), f"{statistics.median(ratios):.2f}",
                   f"{min(ratios):.2f} to {max(ratios):.2f}")])


def start_table(measured):
    rows = [(what, f"{statistics.median(seconds):.2f}") for what, seconds in measured.items()]
    return table([("start-up", "seconds"), *rows])


def cpu_model():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return re.search(r"^model name\s*: (.*)$", file.read(), re.M)[1]
    except (OSError, TypeError):
        return platform.machine()


def build_facts(dtrain):
    """Compiler and build type, if the binary is in its build folder."""
    try:
        with open(os.path.join(os.path.dirname(dtrain), "CMakeCache.txt"), encoding="utf-8") as file:
            cache = dict(re.findall(r"^(\w+):\w+=(.*)$", file.read(), re.M))
        compiler = run([cache["CMAKE_C_COMPILER"], "--version"]).stdout.splitlines()[0]
        return f"; {compiler}, {cache['CMAKE_BUILD_TYPE']}"
    except (OSError, KeyError, IndexError):
        return ""


def machine_table(arguments, results, peers, load):
    versions = run([arguments.dtrain, "--version"]).stdout.splitlines()
    facts = [("machine", "value"),
             ("CPU", f"{cpu_model()}, {os.cpu_count()} CPUs, {len(CPUS)} of them usable"),
             ("peak of one core", ", ".join(f"{name} {statistics.median(values):.0f} GFlop/s"
                                            for name, values in results.peaks.items() if values) or "not measured"),
             ("system", f"{platform.system()} {platform.release()}"),
             ("dtrain", versions[0] + build_facts(arguments.dtrain)),
             ("dtrain's kernels", results.kernels.get("native", "not measured")),
             ("MPI", versions[1])]
    facts += [("peer", version) for version in peers.versions.values()]
    if peers.python:
        facts.append(("Python of the peers", run([peers.python, "--version"]).stdout.split()[-1]))
    facts += [("date", datetime.date.today().isoformat()),
              ("load average", "{:.2f} {:.2f} {:.2f} before the first measurement".format(*load)),
              ("command", f"`{arguments.command}`")]
    return table(facts, left=2)


STEPS_TEXT = """\
dtrain and its peers train the same networks on the same arrays (standard normal inputs, random
classes, float32, in memory) with the same global batch, Adam (learning rate 0.001, epsilon 1e-7)
and softmax cross-entropy. Every epoch is shuffled. In each of {rounds} rounds every program runs
once, one after the other.

- "us" is microseconds a step, the median of the rounds. "ratio" is the peer's time / dtrain's time:
  the median of the rounds' ratios, with the smallest and the largest. Above 1, dtrain is faster.
- dtrain's figure of a round is the mean of its whole run: shuffle, steps and metrics. A peer's is
  the best of four repetitions after a warm-up: shuffle and steps.
- One rank runs on one core, next to a peer with one thread; two and eight ranks run on two cores,
  next to a peer with two threads. `taskset` binds all of them.
- "% of peak" counts the floating-point operations of the matrix products. The peak is the speed of
  fused multiply-adds on registers, times the number of cores.
- AVX2: `DTRAIN_ISA=avx2` forces dtrain's AVX2 kernels, and the peak is that of AVX2 instructions.
  The peers use what the CPU has, and so do dtrain's loops over single elements (activations, Adam).
- PyTorch: the plain loop with `Adam(fused=True)`, and the same loop with `torch.compile` for the
  forward and backward pass. The faster of the two counts in each round; \\* marks `torch.compile`.
- JAX: the whole epoch is one compiled function (`lax.scan` over the steps, donated buffers).
- dtrain's exact sum gives the same bits on any number of ranks; the peers' sums do not."""

PHASES_TEXT = """\
Microseconds a step, means over the ranks, medians of the rounds. "forward" includes gathering the
batch's rows, the loss and the metrics; "backward" includes the rounding and adding of the exact
sum; "all-reduce" is the wait for the slower rank, because on one host "update" includes the
additions over the ranks. "other" is the shuffle."""

SATURATED_TEXT = """\
784-512-2 on separable data: column 0 is shifted by 3 away from zero, and its sign is the class.
With learning rate 0.05 the network soon saturates, and its gradients underflow. The table compares
the slowest of {epochs} epochs with the median epoch on the data above with the default learning
rate (one rank, exact sum). The ratio must be at most 1.2."""

START_TEXT = """\
These are wall-clock times of a whole process. "Two epochs" means: load {rows} rows, train,
evaluate, and write the files."""


def page(arguments, results, peers, saturated, start, load):
    """Yields the parts of the page; the tables alone without --markdown."""
    markdown = arguments.markdown
    if markdown:
        yield "# Benchmarks"
        yield machine_table(arguments, results, peers, load)
    if results.us:
        if markdown:
            yield "## Against the peers"
            yield STEPS_TEXT.format(rounds=arguments.rounds)
        yield peers_table(results, arguments.rounds)
        if markdown:
            yield "## The phases of a step"
            yield PHASES_TEXT
        yield phase_table(results)
    if saturated:
        if markdown:
            yield "## A saturated network"
            yield SATURATED_TEXT.format(epochs=SATURATED_EPOCHS)
        yield saturated_table(saturated)
    if start:
        if markdown:
            yield "## Start-up"
            yield START_TEXT.format(rows=NETWORKS[0][1])
        yield start_table(start)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dtrain")
    parser.add_argument("--venv")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--parts", type=lambda text: text.split(","), default=["steps", "saturated", "start"])
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--command", default=f"python3 tests/bench/compare.py {' '.join(sys.argv[1:])}")
    arguments = parser.parse_args()
    arguments.dtrain = os.path.abspath(arguments.dtrain)
    load = os.getloadavg()
    if load[0] > 0.3:
        say(f"compare.py: load average {load[0]:.2f}: another program is running; the figures are unreliable")
    allow_mpirun()
    results, saturated, start = Results(), [], {}
    with tempfile.TemporaryDirectory(prefix="dtrain-bench.") as folder:
        peers = Peers(arguments.venv and os.path.abspath(arguments.venv), arguments.seconds, folder)
        make_data(folder)
        make_separable(f"{folder}/separable.npz")
        peaks = {"native": make_peak(folder), "avx2": make_peak(folder, "avx2")}
        for number_ in range(arguments.rounds):
            say(f"round {number_ + 1} of {arguments.rounds}")
            if "steps" in arguments.parts:
                one_round(results, arguments.dtrain, peers, folder, peaks)
            if "saturated" in arguments.parts:
                saturated.append(measure_saturated(arguments.dtrain, folder))
            if "start" in arguments.parts:
                for what, command in start_commands(arguments.dtrain, folder, peers).items():
                    start.setdefault(what, []).append(wall_s(command))
    print("\n\n".join(page(arguments, results, peers, saturated, start, load)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
