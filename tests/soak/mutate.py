#!/usr/bin/env python3
"""Damages input files in every way, and gives them to the real program.

    mutate.py PATH_TO_DTRAIN [--count 100000] [--jobs 2] [--seed 1] [--share 0.03] [--kinds npz,run]
              [--only N] [--keep DIR] [--corpus DIR]

Begins with the seeds in tests/fuzz/seeds, what fuzzing has found in build-fuzz/corpus (--corpus),
and files that dtrain itself writes first. Each input is made by one to four changes: bits, bytes and
numbers changed, blocks cut, repeated, exchanged, filled, taken from another file; what is inside a
ZIP archive is also changed before it is packed, so that the checksums are right.

Expected of each: exit status 0 or 3 (of a configuration or a search space 2, too); with 3 exactly one line
`dtrain: error: ...`; no signal, not more than --timeout seconds nor --memory MiB, nothing written but
where it was told to. --share of the inputs that can be trained on, evaluated or predicted with are.

Input N is the same in every run with the same seed and the same files: --only N makes it again and says
what came of it. Failures are kept in --keep. Exit status 1 when there were any. Needs Python 3.9 alone.
"""
import argparse
import collections
import io
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SEEDS = os.path.join(ROOT, "tests", "fuzz", "seeds")

# What is run with a file F; D is a worker's folder, B the folder of sound files. "mpi": starts MPI.
Command = collections.namedtuple("Command", "words mpi allowed", defaults=(False, (0, 3)))
TRAIN = ["--epochs", "1", "--quiet", "--out", "D/out/run"]
COMMANDS = {
    "npz": [Command(["inspect", "F"]), Command(["inspect", "--json", "F"]),
            Command(["train", "F", *TRAIN], True), Command(["predict", "B/model.h5", "F"], True),
            Command(["evaluate", "B/model.h5", "F"], True)],
    "hdf5": [Command(["inspect", "F"]), Command(["inspect", "--json", "F"]),
             Command(["train", "F", *TRAIN], True), Command(["predict", "B/model.h5", "F"], True),
             Command(["evaluate", "B/model.h5", "F"], True)],
    "csv": [Command(["prepare", "F", "T", "--out", "D/out/p", "--fill", "mode"],
                    False, (0, 2, 3)),
            Command(["prepare", "F", "T", "--out", "D/out/p", "--preset", "tabular"],
                    False, (0, 2, 3)),
            Command(["F", "T", "--fill", "mode", *TRAIN], True, (0, 2, 3)),
            Command(["predict", "B/bank.h5", "F", "--on-error", "empty"], True),
            Command(["evaluate", "B/bank.h5", "F", "--on-error", "skip"], True),
            Command(["predict", "B/bank.h5", "F"], True),
            Command(["evaluate", "B/bank.h5", "F"], True)],
    "recipe": [Command(["inspect", "F"]), Command(["inspect", "--json", "F"])],
    "config": [Command(["train", "D/no-such-data", "--config", "F"], True, (0, 2, 3))],
    "model": [Command(["inspect", "F"]), Command(["export", "F", "--to", "D/out/m.npz"]),
              Command(["export", "F", "--to", "D/out/m.keras"], False, (0, 2, 3)), # an ensemble cannot
              Command(["predict", "F", "B/rows.npz"], True),
              Command(["evaluate", "F", "B/rows.npz"], True),
              # an ensemble cannot, either
              Command(["train", "B/rows.npz", "--init-from", "F", *TRAIN], True, (0, 2, 3))],
    "run": [Command(["inspect", "F"]), Command(["report", "F"]),
            Command(["report", "F", "--csv", "-"]),
            Command(["report", "F", "--html", "D/out/r.html"]),
            Command(["train", "--like", "F", *TRAIN], True)],
    "checkpoint": [Command(["inspect", "F"]),
                   Command(["train", "--resume", "D/in", "--quiet", "--out", "D/out/run"], True)],
    "space": [Command(["search", "D/no-such-data", "--space", "F", "--out", "D/out/s"], True, (0, 2, 3))],
    "search": [Command(["inspect", "F"]), Command(["report", "F"]), Command(["report", "F", "--csv", "-"]),
               Command(["report", "F", "--html", "D/out/r.html"])],
    "explain": [Command(["inspect", "F"]), Command(["report", "D/in", "--html", "D/out/r.html"])],
}
WEIGHTS = {"npz": 16, "hdf5": 10, "csv": 24, "recipe": 8, "config": 2, "model": 20, "run": 10, "checkpoint": 10,
           "space": 2, "search": 6, "explain": 4}
# Where the file has to lie, what sound file lies beside it, and the seeds' folder.
NAMES = {"checkpoint": "checkpoint.h5", "csv": "t.csv", "explain": "explain.h5"}
BESIDE = {"explain": "r/run.h5"}
CORPORA = {"csv": ("csv", "prepare")}
NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
           0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF, 1 << 40, 1 << 20)
WORDS = (b"nan", b"inf", b"-1", b"1e999", b"99999999999999999999", b"\0", b"\n", b"\"", b",", b";",
         b"../../", b"/etc/passwd", b"{", b"[[[[", b"}", b"null", b"\xff\xfe", b"0x10", b"=", b"#")


# ---- changing ----

def change(rng, data, others):
    """One change."""
    data = bytearray(data)
    size = len(data)
    at = rng.randrange(size + 1)
    length = min(size - at, int(2 ** rng.uniform(0, 10)))
    kind = rng.randrange(13)
    if size == 0:
        return bytearray(rng.choice(WORDS))
    if kind == 0:
        data[min(at, size - 1)] ^= 1 << rng.randrange(8)
    elif kind == 1:
        for _ in range(rng.randrange(1, 9)):
            data[rng.randrange(size)] = rng.randrange(256)
    elif kind in (2, 3, 4):
        width = rng.choice((1, 2, 4, 8))
        number = rng.choice(NUMBERS) + rng.choice((0, 0, 0, -1, 1, 7))
        data[at:at + width] = struct.pack("<Q", number & (1 << 64) - 1)[:width]
    elif kind == 5:
        del data[at:]
    elif kind == 6:
        del data[at:at + length]
    elif kind == 7:
        data[at:at] = data[at:at + length] * rng.choice((1, 1, 2, 20))
    elif kind == 8:
        to = rng.randrange(size)
        block = data[at:at + length]
        data[to:to + len(block)] = block
    elif kind == 9:
        data[at:at + length] = bytes([rng.choice((0, 255, 32, rng.randrange(256)))]) * length
    elif kind == 10:
        other = rng.choice(others)
        begin = rng.randrange(len(other) + 1)
        data[at:at + length] = other[begin:begin + length]
    elif kind == 11:
        data[at:at + rng.choice((0, 1, 4))] = rng.choice(WORDS)
    else:
        number = rng.choice(("little", "big"))
        width = min(rng.choice((1, 2, 4, 8)), size - at)
        value = int.from_bytes(data[at:at + width], number) + rng.randrange(-8, 9)
        data[at:at + width] = (value % (1 << 8 * width)).to_bytes(width, number) if width else b""
    return data


def changed(rng, data, others):
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        data = change(rng, data, others)
    return bytes(data)


def repacked(rng, data, others):
    """The archive with one member changed and all checksums right; None when it is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(info, archive.read(info)) for info in archive.infolist()]
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError, EOFError,
            RuntimeError, struct.error, OverflowError, UnicodeError):
        return None
    if not members or sum(len(member) for _, member in members) > 1 << 22:
        return None
    out = io.BytesIO()
    chosen = rng.randrange(len(members))
    try:
        with zipfile.ZipFile(out, "w") as archive:
            for i, (info, member) in enumerate(members):
                if i == chosen:
                    head = min(len(member), 128) if member[:6] == b"\x93NUMPY" else len(member)
                    member = changed(rng, member[:head], others) + member[head:]
                archive.writestr(zipfile.ZipInfo(info.filename), member,
                                 compress_type=info.compress_type)
    except (ValueError, struct.error, OverflowError, UnicodeError, NotImplementedError):
        return None
    return out.getvalue()


# ---- sound files ----

def run_once(dtrain, folder, *words):
    subprocess.run([dtrain, *words], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                   env=environment(folder))


def npy(descr, shape, data):
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    text += " " * (117 - len(text)) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + data


def make_sound(dtrain, folder):
    """Data, models, a run and a checkpoint; returns them by kind."""
    rng = random.Random(1)
    rows = 60
    x = [rng.gauss(0, 1) for _ in range(2 * rows)]
    y = [int(x[2 * i] > 0) for i in range(rows)]
    with zipfile.ZipFile(os.path.join(folder, "rows.npz"), "w") as archive:
        archive.writestr("x.npy", npy("<f4", (rows, 2), struct.pack(f"<{2 * rows}f", *x)))
        archive.writestr("y.npy", npy("<i4", (rows,), struct.pack(f"<{rows}i", *y)))
    with open(os.path.join(folder, "bank.csv"), "w", encoding="utf-8") as table:
        table.write("age,job,city,paid,since,y\n")
        for i in range(rows):
            table.write(f"{rng.randrange(18, 90)},{rng.choice('uvx')},c{i % 4},\"${rng.randrange(900, 4000):,}\","
                        f"2024-{i % 12 + 1:02}-{i % 28 + 1:02},{'ab'[y[i]]}\n")
    run_once(dtrain, folder, "train", "rows.npz", "--hidden", "2", "--epochs", "2", "--out", "r")
    run_once(dtrain, folder, "prepare", "bank.csv", "--target", "y", "--out", "bank")
    run_once(dtrain, folder, "train", "bank", "--hidden", "2", "--epochs", "1", "--out", "b")
    shutil.copy(os.path.join(folder, "r/model.h5"), os.path.join(folder, "model.h5"))
    shutil.copy(os.path.join(folder, "b/model.h5"), os.path.join(folder, "bank.h5"))
    run_once(dtrain, folder, "explain", "model.h5", "rows.npz", "--out", "e")
    with open(os.path.join(folder, "space.txt"), "w", encoding="utf-8") as space:
        space.write("# two lists and two ranges\nhidden = 2 | 4,2 | none\nactivation = relu | tanh\n"
                    "learning-rate = log 1e-4 .. 1e-2\ndropout = 0 .. 0.5 in 6\n")
    run_once(dtrain, folder, "search", "rows.npz", "--space", "space.txt", "--trials", "3", "--epochs", "2",
             "--halving", "3", "--out", "s")
    run_once(dtrain, folder, "export", "model.h5", "--to", "model.keras")
    run_once(dtrain, folder, "export", "bank.h5", "--to", "bank.keras")
    # Its time is up after the first step: it stops with a checkpoint, and exit status 75.
    subprocess.run([dtrain, "train", "rows.npz", "--hidden", "2", "--out", "c", "--time-limit", "1s"],
                   cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, check=False, timeout=60)
    sound = {"model": ["model.h5", "bank.h5", "model.keras", "bank.keras"], "run": ["r/run.h5"],
             "checkpoint": ["c/checkpoint.h5"],
             "search": ["s/search.h5"], "explain": ["e/explain.h5"], "space": ["space.txt"],
             "npz": ["rows.npz", "bank/train.npz"], "csv": ["bank.csv"],
             "recipe": ["bank/recipe.json"]}
    return {kind: [unsealed(read(os.path.join(folder, name))) for name in names]
            for kind, names in sound.items()}


def unsealed(data):
    """Without dtrain's checksum behind the end of HDF5 files, at which all damage would be found."""
    return data[:-16] if data[-16:-4] == b"dtrain-crc32" else data


def read(path):
    with open(path, "rb") as file:
        return file.read()


def files_of(folder, name):
    """All files of a kind in a folder, in an order that is always the same."""
    found = []
    folder = os.path.join(folder, name)
    for entry in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        data = read(os.path.join(folder, entry))
        # The first byte of these is the harness's choice of options.
        found.append(data[1:] if name == "prepare" else data)
    return found


def collect(kinds, sound, corpus):
    """What to begin with, by kind: the files that are sound or nearly so, and the fuzzers'."""
    files = {}
    for kind in kinds:
        names = CORPORA.get(kind, (kind,))
        first = sum((files_of(SEEDS, name) for name in names), sound.get(kind, []))
        if first:
            files[kind] = (first, sum((files_of(corpus, name) for name in names), []))
    return files


# ---- running ----

def environment(folder):
    """A place of its own for what MPI and the program may want to write."""
    return dict(os.environ, TMPDIR=folder, HOME=folder, OMPI_ALLOW_RUN_AS_ROOT="1",
                OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", HWLOC_COMPONENTS="-gl",
                OMPI_MCA_orte_tmpdir_base=folder, OMPI_MCA_btl="self", OPENBLAS_NUM_THREADS="1",
                ASAN_OPTIONS="detect_leaks=0:allocator_may_return_null=1")


class Worker:
    """A folder: in/ holds the file, out/ takes what is written, and nothing else may appear."""

    def __init__(self, folder, options):
        self.folder = folder
        self.options = options
        for name in ("in", "out", "tmp", "cwd"):
            os.makedirs(os.path.join(folder, name))
        self.environment = environment(os.path.join(folder, "tmp"))

    def words(self, case):
        path = os.path.join(self.folder, "in", NAMES.get(case.kind, "f"))
        with open(path, "wb") as file:
            file.write(case.data)
        if case.kind in BESIDE:
            shutil.copy(os.path.join(self.options.sound, BESIDE[case.kind]), os.path.dirname(path))
        head = case.data.split(b"\n", 1)[0].replace(b";", b",").replace(b"\0", b"")
        target = head.split(b",")[-(case.index % 2)].strip(b"\" \r").decode("utf-8", "surrogateescape")
        words = []
        for word in case.command.words:
            word = {"F": path, "T": "--target=" + (target or "y")}.get(word, word)
            if word.startswith("D/"):
                word = self.folder + word[1:]
            if word.startswith("B/"):
                word = self.options.sound + word[1:]
            words.append(word)
        return words

    def wait(self, process):
        """Returns status, seconds, MiB; status None: it took too long."""
        begin = time.monotonic()
        pause = 0.0005
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            seconds = time.monotonic() - begin
            if pid != 0:
                process.returncode = 0 # Popen is not to wait for it
                return os.waitstatus_to_exitcode(status), seconds, usage.ru_maxrss / 1024
            if seconds > self.options.timeout:
                process.kill()
                os.wait4(process.pid, 0)
                process.returncode = 0
                return None, seconds, 0.0
            time.sleep(pause)
            pause = min(pause * 1.3, 0.02)

    def strangers(self):
        """What appeared where nothing may."""
        found = [name for name in os.listdir(os.path.join(self.folder, "cwd"))]
        found += [name for name in os.listdir(self.folder)
                  if name not in ("in", "out", "tmp", "cwd", "stderr", "stdout")]
        found += [name for name in os.listdir(os.path.join(self.folder, "in"))
                  if name not in (*NAMES.values(), *map(os.path.basename, BESIDE.values()), "f")]
        return found

    def run(self, case):
        """Returns (status, seconds, MiB, complaint or None)."""
        words = self.words(case)
        errors = os.path.join(self.folder, "stderr")
        with open(errors, "wb") as stderr:
            process = subprocess.Popen([self.options.dtrain, *words], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=stderr,
                                       cwd=os.path.join(self.folder, "cwd"), env=self.environment)
            status, seconds, mebibytes = self.wait(process)
        text = read(errors)
        complaint = self.judge(case, status, mebibytes, text)
        if os.listdir(os.path.join(self.folder, "out")):
            shutil.rmtree(os.path.join(self.folder, "out"))
            os.mkdir(os.path.join(self.folder, "out"))
        for left in os.listdir(os.path.join(self.folder, "in")):
            os.remove(os.path.join(self.folder, "in", left))
        return status, seconds, mebibytes, complaint

    def judge(self, case, status, mebibytes, text):
        lines = text.decode("utf-8", "replace").split("\n")[:-1]
        wrong = [line for line in lines if line.startswith("dtrain: error: ")]
        other = [line for line in lines if not line.startswith(("dtrain: error: ",
                                                                "dtrain: warning: "))]
        strangers = self.strangers()
        if status is None:
            return f"did not end within {self.options.timeout} s"
        if status < 0:
            return f"ended by signal {-status}: {text[-300:]!r}"
        if status not in case.command.allowed:
            return f"exit status {status}: {text[-300:]!r}"
        if len(wrong) != (status != 0) or other:
            return f"exit status {status} with {text[-300:]!r}"
        if mebibytes > self.options.memory:
            return f"took {mebibytes:.0f} MiB"
        if strangers:
            return f"wrote {strangers}"
        return None


Case = collections.namedtuple("Case", "index kind command data")


def make_case(index, options, files):
    rng = random.Random(f"{options.seed}:{index}")
    kinds = list(files)
    kind = rng.choices(kinds, [WEIGHTS[k] for k in kinds])[0]
    commands = COMMANDS[kind]
    slow = [c for c in commands if c.mpi]
    quick = [c for c in commands if not c.mpi] or slow
    command = rng.choice(slow if slow and rng.random() < options.share else quick)
    first, fuzzed = files[kind]
    others = fuzzed if fuzzed and rng.random() < 0.3 else first
    data = rng.choice(others)
    made = repacked(rng, data, others) if data[:2] == b"PK" and rng.random() < 0.6 else None
    return Case(index, kind, command, made or changed(rng, data, others))


class Tally:
    def __init__(self):
        self.lock = threading.Lock()
        self.next = 0
        self.kinds = collections.defaultdict(lambda: [0, 0, 0, 0, 0.0, 0.0, 0])
        self.failures = 0

    def take(self, count):
        with self.lock:
            self.next += 1
            return self.next - 1 if self.next <= count else None

    def add(self, case, result, options):
        status, seconds, mebibytes, complaint = result
        with self.lock:
            row = self.kinds[case.kind]
            row[0] += 1
            row[1] += status == 0
            row[2] += status == 3
            row[3] += status == 2
            row[4] = max(row[4], seconds)
            row[5] = max(row[5], mebibytes)
            row[6] += complaint is not None
            if complaint is None:
                return
            self.failures += 1
            path = os.path.join(options.keep, f"{options.seed}-{case.index}-{case.kind}")
            with open(path, "wb") as file:
                file.write(case.data)
            print(f"{path}: dtrain {' '.join(case.command.words)}: {complaint}", flush=True)

    def table(self):
        titles = ("kind", "runs", "exit 0", "exit 3", "exit 2", "worst s", "MiB", "failed")
        print("{:<11}{:>8}{:>8}{:>8}{:>8}{:>9}{:>7}{:>8}".format(*titles))
        total = [0, 0, 0, 0, 0.0, 0.0, 0]
        for kind, row in self.kinds.items():
            total = [max(a, b) if i in (4, 5) else a + b for i, (a, b) in enumerate(zip(total, row))]
            print("{:<11}{:>8}{:>8}{:>8}{:>8}{:>9.2f}{:>7.0f}{:>8}".format(kind, *row))
        print("{:<11}{:>8}{:>8}{:>8}{:>8}{:>9.2f}{:>7.0f}{:>8}".format("all", *total))


def work(folder, options, files, tally):
    worker = Worker(folder, options)
    while (index := tally.take(options.count)) is not None:
        case = make_case(index, options, files)
        tally.add(case, worker.run(case), options)


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dtrain")
    parser.add_argument("--count", type=int, default=100000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=float, default=0.03)
    parser.add_argument("--kinds", default=",".join(COMMANDS))
    parser.add_argument("--only", type=int)
    parser.add_argument("--keep", default=os.path.join(ROOT, "build-fuzz", "mutated"))
    parser.add_argument("--corpus", default=os.path.join(ROOT, "build-fuzz", "corpus"))
    parser.add_argument("--timeout", type=float, default=20.0)
    parser.add_argument("--memory", type=float, default=1024.0)
    options = parser.parse_args()
    options.dtrain = os.path.abspath(options.dtrain)
    return options


def main():
    options = parse()
    tally = Tally()
    os.makedirs(options.keep, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dtrain-mutate-") as folder:
        options.sound = os.path.join(folder, "sound")
        os.mkdir(options.sound)
        sound = make_sound(options.dtrain, options.sound)
        files = collect(options.kinds.split(","), sound, options.corpus)
        if options.only is not None:
            case = make_case(options.only, options, files)
            tally.add(case, Worker(os.path.join(folder, "w"), options).run(case), options)
            with open(os.path.join(options.keep, f"{options.seed}-{case.index}-{case.kind}"),
                      "wb") as file:
                file.write(case.data)
        else:
            threads = [threading.Thread(target=work, args=(os.path.join(folder, f"w{i}"), options,
                                                           files, tally))
                       for i in range(options.jobs)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    tally.table()
    sys.exit(1 if tally.failures else 0)


main()
