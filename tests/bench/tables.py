#!/usr/bin/env python3
"""tables.py PATH_TO_DTRAIN [--mib 1024] [--rounds 3] [--markdown]

Measures `dtrain prepare` against pandas.read_csv with scikit-learn's StandardScaler and OneHotEncoder, in
turn, on the same table of text; and `dtrain predict` on it. The table has the 17 columns of the bank-deposit
problem, made up. Seconds are of the wall clock, memory is the kernel's own word on the peak. Never judges a
time: the exit status is 0 if all programs ran. Let nothing else run on the machine meanwhile.

Needs numpy, pandas and scikit-learn (sh jobs/install.sh bench), and three times the table in TMPDIR.
"""
import argparse
import datetime
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

SCRIPT = os.path.abspath(__file__)

PEER = """
import sys, numpy, pandas
from sklearn.preprocessing import OneHotEncoder, StandardScaler
table = pandas.read_csv(sys.argv[1])
targets = (table.pop("deposit") == "yes").to_numpy().astype("int64")
numeric = list(table.select_dtypes("number"))
categorical = [name for name in table if name not in numeric]
scaled = StandardScaler().fit_transform(table[numeric]).astype("float32")
encoded = OneHotEncoder(dtype="float32").fit_transform(table[categorical]).toarray()
inputs = numpy.hstack([scaled, encoded])
if len(sys.argv) > 2:
    numpy.savez_compressed(sys.argv[2], inputs=inputs, targets=targets)
"""

JOBS = ["admin.", "blue-collar", "entrepreneur", "housemaid", "management", "retired", "self-employed",
        "services", "student", "technician", "unemployed", "unknown"]
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


def make_table(path, mebibytes):
    """Writes lines like those of the bank's clients until the file is large enough."""
    import numpy
    random = numpy.random.default_rng(1)
    count = 50000
    columns = [random.integers(18, 95, count), random.choice(JOBS, count),
               random.choice(["married", "single", "divorced"], count),
               random.choice(["primary", "secondary", "tertiary", "unknown"], count),
               random.choice(["no", "yes"], count, p=[.98, .02]),
               random.normal(1500, 3000, count).astype(int), random.choice(["no", "yes"], count),
               random.choice(["no", "yes"], count), random.choice(["cellular", "telephone", "unknown"], count),
               random.integers(1, 32, count), random.choice(MONTHS, count),
               random.exponential(370, count).astype(int), random.integers(1, 12, count),
               numpy.where(random.random(count) < .75, -1, random.integers(1, 800, count)),
               random.integers(0, 6, count), random.choice(["failure", "other", "success", "unknown"], count)]
    chance = 1 / (1 + numpy.exp(1.5 - columns[11] / 250 - (columns[10] == "oct")))
    columns.append(numpy.where(random.random(count) < chance, "yes", "no"))
    lines = [",".join(row) + "\n" for row in zip(*[column.astype(str) for column in columns])]
    header = ("age,job,marital,education,default,balance,housing,loan,contact,day,month,duration,campaign,pdays,"
              "previous,poutcome,deposit\n")
    rows = 0
    with open(path, "w", encoding="ascii") as file:
        file.write(header)
        while file.tell() < mebibytes << 20:
            random.shuffle(lines)
            file.write("".join(lines))
            rows += count
    return rows


def measure(command, environment=None):
    """Runs a command; returns seconds and the peak memory in MiB."""
    begin = time.perf_counter()
    with open("output", "w+", encoding="utf-8") as output:
        child = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            output.seek(0)
            sys.exit(f"{' '.join(command)}: exit {child.returncode}\n{output.read()[-2000:]}")
    return seconds, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("dtrain")
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--make", metavar="TABLE", help="only write the table")
    options = parser.parse_args()
    if options.make:
        print(make_table(options.make, options.mib))
        return
    dtrain = os.path.abspath(options.dtrain)
    environment = dict(os.environ, OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1",
                       OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", HWLOC_COMPONENTS="-gl")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with open("peer.py", "w", encoding="ascii") as file:
            file.write(PEER)
        # In a process of its own: what this one ever held would count as its children's peak.
        rows = int(subprocess.check_output([sys.executable, SCRIPT, dtrain, "--mib", str(options.mib), "--make",
                                            "table.csv"]))
        mebibytes = os.path.getsize("table.csv") / 2**20
        prepare = [dtrain, "prepare", "table.csv", "--target", "deposit", "--quiet", "--out"]
        peer = [sys.executable, "peer.py", "table.csv"]
        programs = {
            "dtrain prepare (three files, deflated)": prepare + ["sets"],
            "dtrain prepare --store (three files, plain)": prepare + ["plain", "--store"],
            "pandas + scikit-learn, arrays in memory": peer,
            "pandas + scikit-learn, one file (savez_compressed)": peer + ["peer.npz"],
        }
        found = {name: [] for name in programs}
        for round_ in range(options.rounds):
            for name, command in programs.items():
                found[name].append(measure(command, environment))
                print(f"round {round_ + 1}: {name}: {found[name][-1][0]:.1f} s", file=sys.stderr)
        measure([dtrain, "train", "sets", "--out", "run", "--epochs", "2", "--batch", "1000", "--quiet"], environment)
        rates = {}
        for ranks in (1, 2):
            launch = ["mpirun", "--oversubscribe", "--bind-to", "none", "-q", "-np", str(ranks)] if ranks > 1 else []
            times = [measure(launch + [dtrain, "predict", "run", "table.csv", "--out", "predictions.csv", "--quiet"],
                             environment) for _ in range(options.rounds)]
            rates[ranks] = times
        report(options, rows, mebibytes, found, rates)


def report(options, rows, mebibytes, found, rates):
    reference = [seconds for seconds, _ in found["pandas + scikit-learn, arrays in memory"]]
    lines = ["| program | seconds, median (all) | peer in memory / this | peak memory, MiB |", "|---|---|---|---|"]
    for name, results in found.items():
        seconds = [result[0] for result in results]
        ratio = statistics.median(other / own for other, own in zip(reference, seconds))
        lines.append(f"| {name} | {statistics.median(seconds):.1f} ({', '.join(f'{s:.1f}' for s in seconds)}) | "
                     f"{ratio:.2f}x | {max(result[1] for result in results):.0f} |")
    predictions = ["| ranks | seconds, median (all) | million rows/s | peak memory of a process, MiB |", "|---|---|---|---|"]
    for ranks, results in rates.items():
        seconds = [result[0] for result in results]
        predictions.append(
            f"| {ranks} | {statistics.median(seconds):.2f} ({', '.join(f'{s:.2f}' for s in seconds)}) | "
            f"{rows / statistics.median(seconds) / 1e6:.2f} | {max(result[1] for result in results):.0f} |")
    if options.markdown:
        import numpy, pandas, sklearn
        cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                    if line.startswith("model name")), platform.machine())
        print(f"""# Tables: preparing and predicting

The table is made up, with the columns of the bank-deposit problem: {rows:,} rows, 17 columns,
{mebibytes:.0f} MiB of text. In each of {options.rounds} rounds every program runs once, one after the other.
`dtrain prepare` reads the table three times (survey, fit, application) on one core. The peers' programs
hold the table in memory; the first of them stops when the arrays are in memory, and writes nothing.

Measured on {datetime.date.today()} on {cpu}, {os.cpu_count()} CPUs, with Python {platform.python_version()},
NumPy {numpy.__version__}, pandas {pandas.__version__} and scikit-learn {sklearn.__version__}, by
`python3 tests/bench/tables.py build/dtrain --rounds {options.rounds} --markdown`.
""")
    print("\n".join(lines))
    print("\n`dtrain predict run table.csv --out predictions.csv` reads, prepares, predicts (51-30-2) and writes:\n")
    print("\n".join(predictions))


main()
