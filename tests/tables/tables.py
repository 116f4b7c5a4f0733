#!/usr/bin/env python3
"""tables.py PATH_TO_DTRAIN [NAME...] [--packages LIST] [--list FILE] [--jobs N] [--keep DIR]

Runs prepare, train, evaluate and predict of dtrain on the tables that installed packages ship, and compares rows,
columns and values with what pandas reads. The target is the last column that can be one.

A table either passes, or dtrain refuses it: with one line, exit status 3, and nothing written. All else is a
failure. Prints a line for each table, and the refusals by their kind.
"""

import argparse
import collections
import concurrent.futures
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

import against_pandas
import shipped

SECONDS = 300  # of one command; only for one that hangs
RANKS_EVERY = 8


class Refused(Exception):
    pass


class Failed(Exception):
    pass


class Unread(Exception):
    """Of pandas."""


def run(command, made):
    """Returns the lines of stdout and stderr; `made` must not be there if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, stdin=subprocess.DEVNULL, check=False)
    except subprocess.TimeoutExpired:
        raise Failed("hangs: " + " ".join(command)) from None
    said = done.stdout.decode(errors="replace").splitlines()
    errors = [line for line in done.stderr.decode(errors="replace").splitlines()
              if "setpgid" not in line and not line.startswith("[warn] Epoll")]
    if done.returncode == 0:
        return said, errors
    wrong = [line for line in errors if not line.startswith("dtrain: warning: ")]
    if done.returncode != 3 or len(wrong) != 1 or not wrong[0].startswith("dtrain: error: "):
        raise Failed(f"exit {done.returncode}: {' | '.join(wrong)[:300]}")
    if os.path.exists(made):
        raise Failed(f"{made} is left: {wrong[0]}")
    raise Refused(wrong[0][len("dtrain: error: "):])


def summary(said, key):
    return next(line.split("=", 1)[1] for line in said if line.startswith(f"summary.{key}="))


def try_table(dtrain, write, folder, ranks):
    """Returns (rows, columns, target, notes)."""
    path, sets, model, out = (os.path.join(folder, name) for name in ("table.csv", "sets", "model", "out.csv"))
    write(path)
    try:
        table = against_pandas.Table(path)
    except ValueError as error:  # also pandas' ParserError
        raise Unread(f"pandas: {str(error).strip()}") from None
    shape, target = table.values.shape, table.target()
    try:
        prepare = [dtrain, "prepare", path, "--target", shown(target), "--out", sets, "--fill", against_pandas.FILL]
        try:
            said, _ = run(prepare, sets)
        except Refused as refused:
            follow(prepare, sets, str(refused))
            raise
        kind, notes = against_pandas.compare_sets(table, target, sets, said)
        launch = ["mpirun", "-q", "-np", str(ranks)] if ranks > 1 else []
        run([*launch, dtrain, "train", sets, "--epochs", "2", "--out", model], model)
        evaluated, _ = run([dtrain, "evaluate", model, path, "--quiet"], out)
        run([dtrain, "predict", model, path, "--out", out], out)
        against_pandas.compare_predictions(table, target, out, "classes" in kind,
                                           float(summary(evaluated, "accuracy" if "classes" in kind else "rmse")))
    except Refused as refused:
        raise Refused(str(refused).replace(path + ": ", ""), *shape, target) from None
    except against_pandas.Wrong as wrong:
        raise Failed(f"differs from pandas: {wrong}", *shape, target) from None
    except Failed as failed:
        raise Failed(*failed.args, *shape, target) from None
    except Exception as error: # what the comparison did not foresee
        raise Failed(f"not compared: {error!r}", *shape, target) from None
    return (*shape, f"{target}: {kind}", notes)


def advice(error):
    """Returns the options that an error line advises first, or []."""
    match = re.search(r"--(fill|missing|task|decimal|thousands|dates) (?:'[^']*'|[a-z]+)( --fill (?:'[^']*'|[a-z]+))?", error)
    return shlex.split(match[0]) if match else []


def follow(command, made, error):
    """Fails if the same error comes again although its advice is followed."""
    options = advice(error)
    if not options:
        return
    if "--fill" in options: # it takes a list
        at = options.index("--fill")
        options[at + 1] += "," + against_pandas.FILL
    try:
        run([*command, *options], made)
    except Refused as refused:
        if str(refused) == error:
            raise Failed(f"the advice {' '.join(options)} does not help: {error}") from None


def shown(name):
    """A column's name as an option takes it."""
    return '"' + name.replace('"', '""') + '"' if re.search('[",=#]', name) or name != name.strip() else name


def outcome(dtrain, name, write, ranks, keep):
    """Returns (name, verdict, rows, columns, text)."""
    folder = tempfile.mkdtemp(prefix="dtrain-tables.")
    try:
        rows, columns, target, notes = try_table(dtrain, write, folder, ranks)
        counted = collections.Counter(notes)
        text = "; ".join([target, *(f"{n} {note}" if n > 1 else note for note, n in counted.items())])
        return name, "same", rows, columns, text
    except (Refused, Failed, Unread) as ended:
        text, *shape = ended.args
        shape = [*shape, "", "", ""][:3]
        verdict = {Refused: "refused", Failed: "FAILED", Unread: "unread"}[type(ended)]
        if keep and verdict == "FAILED":
            shutil.copytree(folder, os.path.join(keep, name.replace("/", "__")), dirs_exist_ok=True)
        return name, verdict, shape[0], shape[1], f"{shape[2]}: {text}"
    finally:
        shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dtrain")
    parser.add_argument("names", nargs="*", help="tables, as pydataset/MASS/Cars93 [all]")
    parser.add_argument("--packages", help="of which all tables are taken, as vega_datasets,statsmodels")
    parser.add_argument("--list", help="file of tables, a line each: the name, and the verdict unless it is same")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", help="folder for the files of tables that fail")
    asked = parser.parse_intermixed_args()
    tables = shipped.find(asked.packages.split(",") if asked.packages else None)
    names, expected = asked.names or list(tables), {}
    if asked.list:
        with open(asked.list, encoding="utf-8") as file:
            expected = {name: verdict or "same" for name, _, verdict in (line.strip().partition(" ") for line in file)}
        names = list(expected)
    absent = [name for name in names if name not in tables]
    if absent:
        sys.exit(f"tables.py: no installed package has {', '.join(absent)}")
    counts, surprises = collections.Counter(), 0
    with concurrent.futures.ThreadPoolExecutor(asked.jobs) as pool:
        jobs = [pool.submit(outcome, asked.dtrain, name, tables[name], 1 + (i % RANKS_EVERY == 0), asked.keep)
                for i, name in enumerate(names)]
        for job in jobs:
            name, verdict, rows, columns, text = job.result()
            counts[verdict] += 1
            surprises += expected.get(name, verdict) != verdict
            print(f"{verdict:8} {name:40} {rows:>7} {columns:>4}  {text}", flush=True)
    print(f"{len(names)} tables: {counts['same']} as pandas reads them, {counts['refused']} refused, "
          f"{counts['unread']} not by pandas, {counts['FAILED']} failed")
    if surprises:
        print(f"{surprises} of them are not as {asked.list} has them")
    sys.exit(1 if counts["FAILED"] or surprises else 0)


if __name__ == "__main__":
    main()
