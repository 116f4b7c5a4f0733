"""compare.py [--quick] [--markdown] [--command TEXT] PATH_TO_DTRAIN

What run.sh starts, in an empty folder and with the environment set: makes the data, runs dtrain and
its peers in turn, and prints the tables.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
PHASES = ("forward", "backward", "all-reduce", "update", "validate")


class Case:
    """One network and its data; `required` is the ratio to PyTorch that R ranks shall have."""

    def __init__(self, name, rows, columns, hidden, batch, required, sklearn):
        self.name, self.rows, self.columns, self.hidden = name, rows, columns, hidden
        self.batch, self.required, self.sklearn = batch, required, sklearn
        self.data = f"{name}.npz"
        self.model = f"{columns}-{hidden}-2"
        self.steps = -(-rows // batch)
        self.epochs = {}
        # What is the quicker for PyTorch with 2 threads: libgomp's spin against OpenBLAS's (31 ms a
        # wide step instead of 11), but waking them up costs a small step more than it takes.
        self.wait_policy = "passive" if hidden >= 512 else "active"


CASES = (Case("tutorial", 8900, 51, 30, 100, {1: 15.0, 2: 80.0}, True),
         Case("wide", 20480, 784, 512, 1024, {1: 0.75, 2: 1.5}, False))


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(command, **environment):
    """Runs a program, returns its stdout; one that fails ends the benchmark."""
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env={**os.environ, **environment}, timeout=900, check=False)
    if done.returncode != 0:
        sys.exit(f"{done.stdout[-3000:]}{done.stderr[-3000:]}"
                 f"compare.py: exit status {done.returncode}: {' '.join(command)}")
    return done.stdout


def make_data(case):
    """Two classes of about equal size that a plane separates, but for noise."""
    random = np.random.default_rng(1)
    x = random.standard_normal((case.rows, case.columns), dtype=np.float32)
    score = x @ random.standard_normal(case.columns) / np.sqrt(case.columns)
    y = (score + 0.5 * random.standard_normal(case.rows) > 0).astype(np.int64)
    np.savez(case.data, inputs=x, targets=y)


# ---- the programs ----


def mpirun(ranks, *command):
    return ["mpirun", "-q", "-np", str(ranks), *command]


def run_dtrain(dtrain, case, ranks, how, epochs):
    """Returns microseconds a step, the phases' share of them, and whatever else it printed."""
    out = run(mpirun(ranks, dtrain, case.data, "--hidden", str(case.hidden),
                     "--batch", str(case.batch), "--epochs", str(epochs), "--patience", "1000000",
                     "--validation-split", "0", "--test-split", "0", "--sum", how,
                     "--out", f"run-{case.name}"))
    rate = float(re.search(r"^summary\.samples_per_second=(.*)$", out, re.M)[1])
    us = case.rows / case.steps / rate * 1e6
    means = {phase: float(re.search(rf"^{phase} +(\S+)", out, re.M)[1]) for phase in PHASES}
    parts = {phase: mean / (epochs * case.steps) * 1e6 for phase, mean in means.items()}
    # The shuffle and the loop itself; "validate" is between epochs, outside the rate.
    parts["other"] = max(0.0, us - sum(parts[phase] for phase in PHASES[:-1]))
    return us, parts, out


def measure_dtrain(dtrain, case, ranks, how, seconds):
    """A run of at least `seconds`; how many epochs that takes is kept for the next round."""
    while True:
        epochs = case.epochs.get((ranks, how), 2)
        us, parts, out = run_dtrain(dtrain, case, ranks, how, epochs)
        took = us * case.steps * epochs / 1e6
        if took >= seconds:
            return us, parts, out
        case.epochs[ranks, how] = min(10 * epochs, int(1.3 * seconds / took * epochs) + 1)


def run_peer(script, case, seconds, *options, threads=1):
    out = run([sys.executable, os.path.join(HERE, script), case.data, str(case.hidden),
               str(case.batch), str(seconds), *options],
              OPENBLAS_NUM_THREADS=str(threads), OMP_NUM_THREADS=str(threads),
              **({"OMP_WAIT_POLICY": case.wait_policy} if threads > 1 else {}))
    return json.loads(out.splitlines()[-1])


def product_us(case):
    """The two large matrix products of a step, alone, in this process's OpenBLAS: best of many."""
    x = np.ones((case.batch, case.columns), np.float32)
    w = np.ones((case.columns, case.hidden), np.float32)
    d = np.ones((case.batch, case.hidden), np.float32)
    y, dw = np.empty_like(d), np.empty_like(w)
    best, end = np.inf, time.perf_counter() + 1.0
    while time.perf_counter() < end:
        begin = time.perf_counter()
        np.matmul(x, w, out=y)
        np.matmul(x.T, d, out=dw)
        best = min(best, time.perf_counter() - begin)
    return best * 1e6


def best_wall_s(command, rounds):
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        run(command)
        times.append(time.perf_counter() - begin)
    return min(times)


# ---- one run of all ----


class Results:
    def __init__(self):
        self.us = {}  # (case, program, ranks): one value a round
        self.parts = {}  # the phases of the best round
        self.facts = {}

    def add(self, case, program, ranks, us, parts=None):
        values = self.us.setdefault((case.name, program, ranks), [])
        values.append(us)
        if parts is not None and us == min(values):
            self.parts[case.name, program, ranks] = parts
        say(f"  {case.name:9s} {ranks_text(ranks):8s} {program:20s} {us:10.1f} us/step")

    def best(self, case, program, ranks):
        return min(self.us[case.name, program, ranks])

    def ratios(self, case, program, peer, ranks):
        """Peer / program, round by round."""
        pairs = zip(self.us[case.name, peer, ranks], self.us[case.name, program, ranks])
        return [theirs / ours for theirs, ours in pairs]


def one_round(results, dtrain, case, seconds):
    for ranks in (1, 2):
        for how in ("exact", "fast"):
            us, parts, out = measure_dtrain(dtrain, case, ranks, how, seconds)
            results.add(case, f"dtrain, {how} sum", ranks, us, parts)
            results.facts["dtrain BLAS"] = re.search(r"^BLAS +(.*)$", out, re.M)[1]
            if how == "exact":
                peer = run_peer("peer_torch.py", case, seconds, "--ranks", str(ranks))
                results.facts["torch"], results.facts["torch BLAS"] = peer["version"], peer["blas"]
                name = "PyTorch" if ranks == 1 else "PyTorch DDP (gloo)"
                results.add(case, name, ranks, peer["us"])
        if ranks == 1 and case.sklearn:
            peer = run_peer("peer_sklearn.py", case, seconds)
            results.facts["sklearn"] = peer["version"]
            results.add(case, "scikit-learn", 1, peer["us"])
        if ranks == 2:
            # No requirement: what one would do on one machine instead of DDP.
            peer = run_peer("peer_torch.py", case, seconds, "--threads", "2", threads=2)
            results.add(case, "PyTorch, 2 threads", 2, peer["us"])


def measure_start(results, dtrain, rounds):
    tutorial = CASES[0]
    whole = [dtrain, tutorial.data, "--out", "run-start"]
    out = run(mpirun(1, *whole))
    results.facts["start epochs"] = re.search(r"^summary\.epochs=(.*)$", out, re.M)[1]
    commands = {
        "`dtrain --version`": [dtrain, "--version"],
        "the tutorial's whole run, `mpirun -np 1 dtrain`": mpirun(1, *whole),
        "the tutorial's whole run, `mpirun -np 2 dtrain`": mpirun(2, *whole),
        '`python3 -c "import torch"`, no training': [sys.executable, "-c", "import torch"],
    }
    results.facts["start"] = [(what, best_wall_s(command, rounds))
                              for what, command in commands.items()]


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


def ranks_text(ranks):
    return "1 rank" if ranks == 1 else f"{ranks} ranks"


def number(value):
    return f"{value:.0f}" if value >= 1000 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def configurations():
    for case in CASES:
        for ranks in (1, 2):
            for how in ("exact", "fast"):
                yield case, ranks, how


def ratio_table(results):
    rows = [("case", "peer", "dtrain us", "peer us", "ratio", "min to max", "required")]
    for case, ranks, how in configurations():
        program = f"dtrain, {how} sum"
        peers = ["PyTorch"] + ["scikit-learn"] * case.sklearn
        if ranks == 2:
            peers = ["PyTorch DDP (gloo)", "PyTorch, 2 threads"]
        for peer in peers:
            ratios = results.ratios(case, program, peer, ranks)
            required = how == "exact" and peer == peers[0]
            rows.append((f"{case.model}, batch {case.batch}, {ranks_text(ranks)}, {how}", peer,
                         number(results.best(case, program, ranks)),
                         number(results.best(case, peer, ranks)),
                         f"{number(statistics.median(ratios))}x",
                         f"{number(min(ratios))} to {number(max(ratios))}",
                         f"{case.required[ranks]:g}x" if required else ""))
    return table(rows, left=2)


def phase_table(results):
    columns = ("forward", "backward", "all-reduce", "update", "other", "validate")
    rows = [("case", "step", *columns[:-1], "between epochs")]
    for case, ranks, how in configurations():
        program = f"dtrain, {how} sum"
        parts = results.parts[case.name, program, ranks]
        rows.append((f"{case.model}, {ranks_text(ranks)}, {how}",
                     number(results.best(case, program, ranks)),
                     *(number(parts[column]) for column in columns)))
    return table(rows)


def bounds(results):
    """What the phases say, one line a case."""
    lines = []
    for case in CASES:
        for ranks in (1, 2):
            program = "dtrain, exact sum"
            step = results.best(case, program, ranks)
            parts = results.parts[case.name, program, ranks]
            order = sorted(parts.keys() - {"validate"}, key=parts.get, reverse=True)
            shares = ", ".join(f"{part} {parts[part] / step:.0%}" for part in order[:3])
            lines.append(f"- {case.model}, {ranks_text(ranks)}, exact: {shares}.")
        product = results.facts["product", case.name]
        rate = 4e-3 * case.batch * case.columns * case.hidden / product
        exact = results.best(case, "dtrain, exact sum", 1)
        peer = results.best(case, "PyTorch", 1)
        lines.append(f"- {case.model}: its two large products (X W and X^T dY) alone take "
                     f"{number(product)} us on one core, {rate:.0f} GFlop/s:\n"
                     f"  {product / exact:.0%} of dtrain's step on one rank, "
                     f"{product / peer:.0%} of PyTorch's.")
    return "\n".join(lines)


def start_table(results):
    rows = [(what, f"{seconds:.2f}") for what, seconds in results.facts["start"]]
    return table([("start-up", "seconds"), *rows])


def cpu_model():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return re.search(r"^model name\s*: (.*)$", file.read(), re.M)[1]
    except (OSError, TypeError):
        return platform.machine()


def first_line(command):
    return run(command).splitlines()[0].strip()


def build_facts(dtrain):
    """Compiler and build type, if the binary lies in its build folder."""
    path = os.path.join(os.path.dirname(dtrain), "CMakeCache.txt")
    try:
        with open(path, encoding="utf-8") as file:
            cache = dict(re.findall(r"^(\w+):\w+=(.*)$", file.read(), re.M))
        native = ", -march=native" if cache.get("DTRAIN_NATIVE") == "ON" else ""
        compiler = first_line([cache["CMAKE_C_COMPILER"], "--version"])
        return f"{compiler}, {cache['CMAKE_BUILD_TYPE']}{native}"
    except (OSError, KeyError):
        return "not known"


def machine_table(results, dtrain, command, load):
    versions = run([dtrain, "--version"]).splitlines()
    cpus, usable = os.cpu_count(), len(os.sched_getaffinity(0))
    facts = [("machine", "value"),
             ("CPU", f"{cpu_model()}, {cpus} CPUs, {usable} of them usable"),
             ("system", f"{platform.system()} {platform.release()}"),
             ("dtrain", f"{versions[0]}; {build_facts(dtrain)}"),
             ("MPI", versions[1]),
             ("dtrain's BLAS", results.facts["dtrain BLAS"]),
             ("PyTorch", results.facts["torch"]),
             ("PyTorch's BLAS", results.facts["torch BLAS"]),
             ("scikit-learn", results.facts["sklearn"]),
             ("Python", f"{platform.python_version()}, numpy {np.__version__}"),
             ("OPENBLAS_CORETYPE", os.environ.get("OPENBLAS_CORETYPE", "not set")),
             ("date", time.strftime("%Y-%m-%d")),
             ("load average", "{:.2f} {:.2f} {:.2f} before the first measurement".format(*load)),
             ("command", f"`{command}`")]
    return table(facts, left=2)


def text_of(results, rounds, seconds):
    return f"""\
dtrain and its peers train the same network on the same arrays (standard normal inputs, two classes
of about equal size, with noise; 8900 x 51 and 20480 x 784 float32) with the same batch and Adam. A
round runs every program once, one after the other, each for about {seconds:g} s or more; there were
{rounds} rounds. "us" is microseconds a step, the best round's; "ratio" is the median of the rounds'
peer / dtrain, next to the smallest and the largest: above 1, dtrain is the quicker. A figure of
dtrain is the mean of its whole run (`summary.samples_per_second`: shuffle, steps, metrics); that of
a peer is the best of four repetitions in its run, after a warm-up. Every rank has one thread
(OPENBLAS_NUM_THREADS=1 and OMP_NUM_THREADS=1; torch.set_num_threads alone does not reach OpenBLAS),
except in "PyTorch, 2 threads": one process on two cores, compared with dtrain's two ranks; it has
the OMP_WAIT_POLICY that is the quicker for it (wide: passive, small: active). PyTorch runs the
plain loop over tensors in memory: a permutation an epoch, then index, zero_grad, forward,
loss, backward, step. DDP: two processes, gloo, the same global batch. scikit-learn: MLPClassifier,
no penalty, no early stopping (with two classes it has one output). dtrain's exact sum gives the
same bits on any number of ranks; the peers' sums do not."""


BOUND_TEXT = """\
Microseconds a step of dtrain's best round, means over the ranks. "forward" holds gathering the
batch's rows, the loss and the metrics; "backward" the rounding and adding of the exact sum;
"all-reduce" also the wait for the slower rank; "other" is the shuffle. "between epochs" is the
check that all ranks hold the same weights and what else comes after an epoch: it is not in the
step, nor in the rate, and the peers' loops have none of it."""


def print_all(results, arguments, rounds, seconds, load):
    if arguments.markdown:
        print("# Benchmarks\n")
        print(text_of(results, rounds, seconds) + "\n")
        print(machine_table(results, arguments.dtrain, arguments.command, load) + "\n")
        print("## Against the peers\n")
    print(ratio_table(results) + "\n")
    if arguments.markdown:
        print("## What bounds each case\n")
        print(BOUND_TEXT + "\n")
    print(phase_table(results) + "\n")
    print(bounds(results) + "\n")
    if arguments.markdown:
        print("## Start-up\n")
        print("Wall-clock time of a whole process, best of several. The whole run loads 8900\n"
              "rows, splits them 80/10/10, trains with the defaults "
              f"({results.facts['start epochs']} epochs until it stops early),\n"
              "evaluates, and writes run.h5 and model.h5.\n")
    print(start_table(results))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--command", default="")
    parser.add_argument("dtrain")
    arguments = parser.parse_args()
    rounds, seconds = (3, 0.5) if arguments.quick else (5, 2.0)
    load = os.getloadavg()
    if load[0] > 0.3:
        say(f"load average {load[0]:.2f}: something else is running, the figures will suffer")
    results = Results()
    for case in CASES:
        make_data(case)
        results.facts["product", case.name] = product_us(case)
    for i in range(rounds):
        say(f"round {i + 1} of {rounds}")
        for case in CASES:
            one_round(results, arguments.dtrain, case, seconds)
    measure_start(results, arguments.dtrain, rounds)
    print_all(results, arguments, rounds, seconds, load)


if __name__ == "__main__":
    main()
