#!/usr/bin/env python3
"""scaling.py [--write PAGE] FOLDER

Fits the model of results/SCALING.md to what scaling.sh has measured (FOLDER/*.csv), checks it against
the steps of several ranks, and says what it predicts. Prints the page's tables, each under its name;
--write puts them into PAGE instead, between the lines <!-- begin NAME --> and <!-- end -->.

Needs NumPy alone. Times are in microseconds, unless a name says otherwise.
"""

import argparse
import csv
import math
import os
import re
import sys

import numpy as np

RANKS = (1, 2, 4, 8, 16, 128, 1024)
SHARDS = 8  # the default of --shards; more ranks have a shard each
CASES = (("51-30-2", 100), ("51-30-2", 10000), ("784-512-2", 1024), ("784-512-2", 16384),
         ("784-1024-1024-10", 4096), ("784-1024-1024-10", 65536))
SIZE = {"exact": 8, "fast": 4}  # bytes a parameter has on its way
# What nobody can measure on one machine: time of a message in us, Gbit/s.
ASSUMED = ("15,25", "2,100")
HOST_CORES = 16  # of the hosts in the table on threads: an assumption, too
TILE_ITEMS = 512 * 1024  # as in src/data/dataset_load.c
PIECE_BYTES = 2 << 20  # as in src/train/gradient_sum.c


class Network:
    """Sizes of what a step computes and sends."""

    def __init__(self, name):
        self.name = name
        units = [int(word) for word in name.split("-")]
        self.layers = list(zip(units, units[1:]))
        self.parameters = [D * H + H for D, H in self.layers]
        self.P = sum(self.parameters)
        forward = sum(2 * D * H for D, H in self.layers)
        self.flop = 3 * forward - 2 * self.layers[0][0] * self.layers[0][1]  # of a row


def read(folder, name):
    """The lines of a CSV file; numbers are numbers."""
    def value(text):
        try:
            return float(text)
        except ValueError:
            return text
    path = os.path.join(folder, name + ".csv")
    if not os.path.exists(path):
        sys.exit(f"scaling.py: {path}: expected what scaling.sh --keep leaves, found no such file")
    with open(path, encoding="utf-8", newline="") as file:
        return [{key: value(text) for key, text in line.items()} for line in csv.DictReader(file)]


def fit(columns, values):
    """Least sum of relative errors, by least squares with new weights; no constant below zero."""
    a = np.array(columns, float) / np.array(values, float)[:, None]
    weights, result = np.ones(len(a)), np.zeros(a.shape[1])
    for _ in range(20):
        used = list(range(a.shape[1]))
        while True:
            found = np.linalg.lstsq(a[:, used] * weights[:, None], weights, rcond=None)[0]
            if np.all(found >= 0):
                break
            used = [u for u, x in zip(used, found) if x > 0]
        result[:] = 0.0
        result[used] = found
        errors = a @ result - 1.0
        weights = 1.0 / np.sqrt(np.maximum(np.abs(errors), 0.02))
    return result, errors


def rms(errors):
    return math.sqrt(np.mean(np.square(errors)))


# ---- the model ----


class Compute:
    """What a rank computes in a step: `s` shards with `rows` rows of the batch in all."""

    def __init__(self, steps):
        points = [p for p in steps if p["link"] == "alone" and p["threads"] == 1]
        self.networks = {p["network"]: Network(p["network"]) for p in steps}
        self.constants, self.backward, self.errors = {}, {}, []
        for name in self.networks:
            chosen = [p for p in points if p["network"] == name]
            columns = [self.features(p["sum"] == "exact", p["shards"], p["batch"]) for p in chosen]
            self.constants[name], errors = fit(columns, [p["step_us"] - p["allreduce_us"]
                                                         for p in chosen])
            self.errors += list(zip(chosen, errors))
            # Of a shard's part: few rows have little else.
            few = min(chosen, key=lambda p: (p["sum"] != "exact", p["batch"] / p["shards"],
                                             -p["shards"]))
            self.backward[name] = few["backward_us"] / (few["forward_us"] + few["backward_us"])

    @staticmethod
    def features(exact, s, rows):
        return [1.0, 0.0, s, rows] if exact else [0.0, 1.0, 0.0, rows]

    def us(self, network, exact, s, rows, threads=1.0):
        """With `threads` times the speed for the rows' part, the products, and for nothing else."""
        return float(np.dot(self.features(exact, s, rows / threads), self.constants[network.name]))

    def backward_us(self, network, exact, s, rows):
        """Of each layer, from the first on: its gradient's part, then the way to the layer before."""
        shard, row = self.constants[network.name][2:]
        own, back = [], []
        for l, (D, H) in enumerate(network.layers):
            product = row * rows * 2 * D * H / network.flop
            own.append(product + exact * shard * s * self.backward[network.name] *
                       network.parameters[l] / network.P)
            back.append(product if l > 0 else 0.0)
        return own, back


class Link:
    """The way between two ranks, as assumed: us a message, and us a byte, the adding included."""

    def __init__(self, name, alpha, beta):
        self.name, self.alpha, self.beta = name, alpha, beta

    def two_us(self, size, how):
        """Of two ranks that each get the other's `size` bytes, and add."""
        del how
        return self.alpha + size * self.beta

    def allreduce_us(self, R, elements, how, algorithm="default"):
        """The better of recursive doubling and Rabenseifner's algorithm, or the one named."""
        turns, size = math.ceil(math.log2(R)), elements * SIZE[how]
        if R == 1:
            return 0.0
        doubling = turns * self.two_us(size, how)
        halving = 2 * sum(self.two_us(size / 2**k, how) for k in range(1, turns + 1))
        if algorithm == "ring":
            return 2 * (R - 1) * self.two_us(size / R, how)
        if algorithm == "doubling" or R == 2 and algorithm != "rabenseifner":
            return doubling
        return halving if algorithm == "rabenseifner" else min(doubling, halving)

    def shared_by(self, ranks):
        return Link(self.name, self.alpha, self.beta * ranks)

    def over_hosts_us(self, R, elements, how, cores, memory):
        """With `cores` ranks a host, numbered host by host: the first exchanges stay within the host, and
        in Rabenseifner's algorithm these are the largest ones."""
        turns, inside, size = round(math.log2(R)), round(math.log2(cores)), elements * SIZE[how]
        ways = [memory if k < inside else self.shared_by(cores) for k in range(turns)]
        return min(sum(way.two_us(size, how) for way in ways),
                   2 * sum(way.two_us(size / 2**(k + 1), how) for k, way in enumerate(ways)))


class MeasuredLink(Link):
    """The same from the bare all-reduce of two ranks, between the sizes that were measured."""

    def __init__(self, name, lines):
        self.curves = {}
        for how in SIZE:
            points = sorted((l["bytes"], l["median_us"]) for l in lines if l["sum"] == how)
            self.curves[how] = points
        points = self.curves["exact"]
        super().__init__(name, points[0][1], points[-1][1] / points[-1][0])

    def two_us(self, size, how):
        points = self.curves[how]
        size = max(size, points[0][0])
        if size > points[-1][0]:
            return points[-1][1] * size / points[-1][0]
        sizes, times = np.log(np.array(points)).T
        return math.exp(np.interp(math.log(size), sizes, times))

    def shared_by(self, ranks):
        shared = MeasuredLink.__new__(MeasuredLink)
        Link.__init__(shared, self.name, self.alpha, self.beta * ranks)
        shared.curves = {how: [(size, points[0][1] + max(0.0, us - points[0][1]) * ranks)
                               for size, us in points] for how, points in self.curves.items()}
        return shared


def share(S, R, batch):
    """Shards and rows of the rank that has most of them."""
    s = math.ceil(S / R)
    return s, min(batch, s * math.ceil(batch / S))


def overlapped_us(compute, network, link, how, R, s, rows):
    """What is left of the all-reduce after the backward pass, when it begins during it: in pieces, of
    the last layer first, one after the other; and one sum of a few numbers at the end."""
    own, back = compute.backward_us(network, how == "exact", s, rows)
    piece = PIECE_BYTES // SIZE[how]
    ready = sent = 0.0
    waiting = 0  # parameters that no piece has yet
    for l in reversed(range(len(network.layers))):
        waiting += network.parameters[l]
        done = 0
        while done < waiting and (waiting >= piece or l == 0):
            part = min(piece, waiting - done)
            done += part
            sent = max(sent, ready + own[l] * done / waiting) + link.allreduce_us(R, part, how)
        waiting -= done
        ready += own[l] + back[l]
    return max(0.0, sent - ready) + link.allreduce_us(R, 1, how)


def step_us(compute, network, link, how, R, batch, S=None, overlap=False, threads=1.0):
    """(step, computing, all-reduce as far as it is waited for)"""
    exact = how == "exact"
    s, rows = share(S or max(SHARDS, R), R, batch)
    computing = compute.us(network, exact, s, rows, threads)
    sending = link.allreduce_us(R, network.P, how)
    if overlap and R > 1:
        sending = min(sending, overlapped_us(compute, network, link, how, R, s, rows))
    return computing + sending, computing, sending


def efficiency(compute, network, link, how, R, batch, **more):
    alone = step_us(compute, network, link, how, 1, batch)[0]
    return alone / (R * step_us(compute, network, link, how, R, batch, **more)[0])


# ---- tables ----

LINK_TEXT = {"memory": "shared memory", "TCP": "TCP, no limit", "TCP-1000": "1 Gbit/s"}



def number(value):
    """Three digits, or all of those before the point."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "-"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(digits, 4)}f}"


def time_text(us):
    return f"{number(us)} us" if us < 1e3 else f"{number(us / 1e3)} ms" if us < 1e6 \
        else f"{number(us / 1e6)} s"


def percent(value):
    return f"{100 * value:.0f} %"


def signed(value):
    return f"{100 * value:+.0f} %"


def table(header, rows):
    """Markdown; every column but the first is right-aligned."""
    cells = [[str(cell) for cell in row] for row in [header] + rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    line = "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":"
                          for i, w in enumerate(widths)) + "|"
    text = ["| " + " | ".join(cell.ljust(w) if i == 0 else cell.rjust(w)
                              for i, (cell, w) in enumerate(zip(row, widths))) + " |"
            for row in cells]
    return "\n".join([text[0], line] + text[1:])


def find_links(lines):
    """What two ranks measured, by link; between hosts by recursive doubling, in one exchange."""
    links = {}
    for name in LINK_TEXT:
        two = [l for l in lines if l["link"] == name and l["ranks"] == 2 and l["elements"] > 0 and
               l["algorithm"] == ("default" if name == "memory" else "doubling")]
        if two:
            links[name] = MeasuredLink(LINK_TEXT[name], two)
    return links


def constants_table(compute, links, gains):
    rows = []
    for name, network in compute.networks.items():
        exact, fast, shard, row = compute.constants[name]
        per = 1e3 / network.P
        rows.append([name, number(exact), number(exact * per), number(fast), number(fast * per),
                     number(shard), number(shard * per), number(row), number(network.flop),
                     number(1e-3 * network.flop / row)])
    text = table(["what a rank computes", "exact: us a step", "ns a parameter", "fast: us a step",
                  "ns a parameter", "exact: us a shard", "ns a parameter", "us a row",
                  "flop a row", "Gflop/s"], rows)
    rows = []
    for link in links.values():
        near = [link.two_us(size, "exact") / (link.alpha + link.beta * size) - 1
                for size, _ in link.curves["exact"]]
        rows.append([link.name, number(link.alpha), number(1e3 * link.beta),
                     number(8e-3 / link.beta), percent(rms(near))])
    text += "\n\n" + table(["between two ranks", "a number, us", "large sums, ns a byte",
                            "as Gbit/s", "the line through them is off by (rms)"], rows)
    said = ", ".join(f"{network} with {int(batch)} rows: {gain:.2f}"
                     for (network, batch), gain in sorted(gains.items()))
    return text + f"\n\nThe products on two BLAS threads, times as fast as on one: {said}."


def fit_table(compute):
    rows = []
    for name in compute.networks:
        for how in ("exact", "fast"):
            errors = [(abs(e), e, p) for p, e in compute.errors
                      if p["network"] == name and p["sum"] == how]
            worst = max(errors, key=lambda item: item[0])
            rows.append([f"{name}, {how}", len(errors), percent(rms([e for _, e, _ in errors])),
                         f"{signed(worst[1])}: {int(worst[2]['shards'])} x "
                         f"{number(worst[2]['batch'] / worst[2]['shards'])} rows"])
    return table(["steps of one rank", "points", "error (rms)", "the largest: shards x rows"], rows)


def check_steps_table(compute, links, steps, cpus):
    rows, errors = [], {}
    for p in steps:
        R = int(p["ranks"])
        if R < 2 or p["link"] not in links:
            continue
        network, link = compute.networks[p["network"]], links[p["link"]]
        crowd = max(1.0, R / cpus)
        whole, computing, sending = step_us(compute, network, link, p["sum"], R, int(p["batch"]),
                                            S=int(p["shards"]), overlap=p["extra"] != "none")
        whole += (crowd - 1.0) * computing
        error = whole / p["step_us"] - 1.0
        kind = "more ranks than CPUs" if R > cpus else "with overlap" if p["extra"] != "none" \
            else LINK_TEXT[p["link"]]
        errors.setdefault(kind, []).append(error)
        rows.append([f"{p['network']}, batch {int(p['batch'])}, {p['sum']}"
                     f"{', overlap' if p['extra'] != 'none' else ''}", R, LINK_TEXT[p["link"]],
                     number(p["step_us"]), number(whole), signed(error),
                     number(p["allreduce_us"]), number(sending)])
    text = table(["step of several ranks", "ranks", "link", "measured, us", "model, us", "error",
                  "all-reduce measured", "model"], rows)
    said = "; ".join(f"{kind}: {percent(rms(e))} rms of {len(e)}, worst {signed(max(e, key=abs))}"
                     for kind, e in errors.items())
    return f"{text}\n\nThe model's error: {said}."


def check_allreduce_table(lines, links):
    rows, errors = [], {}
    for l in lines:
        R = int(l["ranks"])
        if l["link"] not in links or l["sum"] == "barrier" or l["link"] == "memory" or \
                R == 2 and l["algorithm"] == "doubling":
            continue
        model = links[l["link"]].allreduce_us(R, l["elements"], l["sum"], l["algorithm"])
        error = model / l["median_us"] - 1
        where = f"{LINK_TEXT[l['link']]}, {R} ranks, {l['algorithm']}"
        errors.setdefault(where, []).append(error)
        if l["sum"] == "exact" and l["elements"] in (1627, 65536, 403000):
            rows.append([where, int(l["bytes"]), number(l["median_us"]), number(model),
                         signed(error)])
    if not rows:
        return "Nothing was measured between hosts: they need root."
    return "\n\n".join((
        table(["all-reduce, a rank a host", "bytes", "measured, us", "model, us", "error"], rows),
        table(["all sizes and both types", "points", "error (rms)", "mean"],
              [[where, len(e), percent(rms(e)), signed(np.mean(e))]
               for where, e in errors.items()])))


class Dealing:
    """Rank 0 reads the rows and sends each rank its own."""

    def __init__(self, lines):
        alone = [l for l in lines if l["ranks"] == 1 and l["file"] != "large-deflated"]
        columns = [[l["rows"] * l["columns"] * 4e-6, l["rows"] * 1e-3] for l in alone]
        (self.us_byte, self.ms_row), _ = fit(columns, [l["load_s"] for l in alone])
        packed = [l for l in lines if l["file"] == "large-deflated"]
        self.deflated = (packed[0]["rows"] * packed[0]["columns"] * 4e-6 / packed[0]["load_s"]
                         if packed else math.nan)

    def seconds(self, rows, columns, R, link):
        size = rows * columns * 4
        messages = math.ceil(rows * columns / TILE_ITEMS) * (R - 1)
        return (size * 1e-6 * self.us_byte + rows * 1e-3 * self.ms_row +
                (size * (R - 1) / R * link.beta + messages * link.alpha) * 1e-6)


def dealing_table(dealing, lines, links):
    rows = []
    for l in lines:
        if l["link"] not in links or l["file"] == "large-deflated":
            continue
        model = dealing.seconds(l["rows"], l["columns"], int(l["ranks"]), links[l["link"]])
        rows.append([f"{int(l['rows'])} x {int(l['columns'])}", int(l["ranks"]),
                     LINK_TEXT[l["link"]] if l["ranks"] > 1 else "none",
                     number(l["load_s"]), number(model),
                     signed(model / l["load_s"] - 1) if l["ranks"] > 1 else "fitted"])
    return table(["rows x columns, float32, stored", "ranks", "link", "measured, s", "model, s",
                  "error"], rows) + (
        f"\n\nReading and dealing: {number(dealing.us_byte * 1e3)} ns a byte "
        f"({number(1e-3 / dealing.us_byte)} GB/s) and {number(dealing.ms_row * 1e6)} ns a row on rank "
        f"0, before anything is sent; of a deflated file {number(dealing.deflated)} MB/s of its rows.")


def dealing_ahead_table(compute, dealing, far):
    network, batch, count = compute.networks["784-512-2"], 16384, 1000000
    rows = []
    for R in RANKS[3:]:
        row = [R]
        for link in far:
            loading = dealing.seconds(count, 784, R, link)
            epoch = step_us(compute, network, link, "exact", R, batch)[0] * count / batch * 1e-6
            row += [number(loading), number(epoch), max(1, math.ceil(9 * loading / epoch))]
        rows.append(row)
    header = ["ranks"]
    for link in far:
        header += [f"{link.name}: dealing, s", "an epoch, s", "epochs until 10 %"]
    return table(header, rows)


def ahead_tables(compute, far):
    text = []
    for name, batch in CASES:
        network, rows = compute.networks[name], []
        for R in RANKS:
            s, most = share(max(SHARDS, R), R, batch)
            row = [R, max(SHARDS, R), most, time_text(compute.us(network, True, s, most))]
            for link in far:
                whole, _, sending = step_us(compute, network, link, "exact", R, batch)
                row += [time_text(whole), percent(sending / whole),
                        percent(efficiency(compute, network, link, "exact", R, batch))]
            rows.append(row)
        header = ["ranks", "shards", "rows a rank", "computing"]
        for link in far:
            header += [f"{link.name}: step", "all-reduce", "efficiency"]
        text.append(f"**{name}, batch {batch}**: {network.P} parameters, "
                    f"{number(network.P * 8e-6)} MB to add up\n\n{table(header, rows)}")
    return "\n\n".join(text)


def ways_table(compute, far):
    """What overlap and the fast sum change."""
    rows = []
    for name, batch in CASES:
        for R in (2, 16, 128, 1024):
            row = [f"{name}, batch {batch}", R]
            for link in far:
                row += [percent(efficiency(compute, compute.networks[name], link, how, R, batch,
                                           overlap=overlap))
                        for how, overlap in (("exact", False), ("exact", True), ("fast", False))]
            rows.append(row)
    header = ["efficiency", "ranks"]
    for link in far:
        header += [f"{link.name}: exact", "with overlap", "fast"]
    return table(header, rows)


def end_of_scaling(compute, network, link, how, batch, **more):
    """The largest power of two of ranks up to which the efficiency stays at 50 % or above."""
    R = 1
    while R < 4096 and efficiency(compute, network, link, how, 2 * R, batch, **more) >= 0.5:
        R *= 2
    return R


def end_table(compute, far):
    rows = []
    for name, batch in CASES:
        network, row = compute.networks[name], [f"{name}, batch {batch}"]
        for link in far:
            for how, more in (("exact", {}), ("exact", {"overlap": True}), ("fast", {})):
                R = end_of_scaling(compute, network, link, how, batch, **more)
                row.append(R if R < 4096 else "4096 or more")
        rows.append(row)
    header = ["ranks at 50 % or above"]
    for link in far:
        header += [f"{link.name}: exact", "exact, overlap", "fast"]
    return table(header, rows)


def batch_table(compute, far):
    rows = []
    for name in compute.networks:
        network = compute.networks[name]
        for link in far:
            row = [f"{name}, {link.name}"]
            for R in (16, 128, 1024):
                batch = R
                while batch < 2**26 and efficiency(compute, network, link, "exact", R, batch) < 0.5:
                    batch *= 2
                row += [batch if batch < 2**26 else "none", number(batch / R)]
            rows.append(row)
    return table(["batch for 50 %", "16 ranks", "rows a rank", "128 ranks", "rows a rank",
                  "1024 ranks", "rows a rank"], rows)


def threads_table(compute, far, gain, memory):
    """1024 cores: a rank each, against a rank a host whose products take all its cores."""
    speed, rows = HOST_CORES * gain, []
    for name, batch in CASES[2:]:
        network = compute.networks[name]
        for link in far:
            computing = step_us(compute, network, link, "exact", 1024, batch)[1]
            sending = link.over_hosts_us(1024, network.P, "exact", HOST_CORES, memory)
            flat = (computing + sending, computing, sending)
            R = 1024 // HOST_CORES
            hybrid = step_us(compute, network, link, "exact", R, batch, threads=speed)
            rows.append([f"{name}, batch {batch}, {link.name}", time_text(flat[0]),
                         percent(flat[2] / flat[0]), time_text(hybrid[0]),
                         percent(hybrid[2] / hybrid[0]), f"{flat[0] / hybrid[0]:.1f}x"])
    return table([f"{1024 // HOST_CORES} hosts of {HOST_CORES} cores", "1024 ranks: step", "all-reduce",
                  f"{1024 // HOST_CORES} ranks of {HOST_CORES} threads: step", "all-reduce",
                  "gain"], rows)


def thread_gains(compute, steps):
    """How much quicker a step's products are on two threads; the rest is taken from the model."""
    gains = {}
    for p in steps:
        if p["link"] != "alone" or p["threads"] != 2:
            continue
        network = compute.networks[p["network"]]
        one = [q["step_us"] for q in steps if q["link"] == "alone" and q["threads"] == 1 and all(
            q[key] == p[key] for key in ("network", "shards", "batch", "sum"))]
        rest = compute.us(network, True, p["shards"], p["batch"], threads=math.inf)
        if one and min(one) > rest and p["step_us"] > rest:
            gains[p["network"], p["batch"]] = (min(one) - rest) / (p["step_us"] - rest)
    return gains


# ---- the page ----


def write_page(path, sections):
    with open(path, encoding="utf-8") as file:
        page = file.read()
    for name, text in sections.items():
        mark = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end -->)", re.S)
        if not mark.search(page):
            sys.exit(f"scaling.py: {path}: expected a line <!-- begin {name} -->, found none")
        page = mark.sub(lambda found, text=text: f"{found[1]}\n{text}\n\n{found[2]}", page)
    with open(path, "w", encoding="utf-8") as file:
        file.write(page)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--write", metavar="PAGE")
    parser.add_argument("--link", metavar="US,GBIT", action="append",
                        help="assume a message of US microseconds and so many Gbit/s between two "
                             f"ranks; may be said again ({' '.join(ASSUMED)})")
    options = parser.parse_args()
    machine, steps, lines, loads = (read(options.folder, name)
                                    for name in ("machine", "steps", "allreduce", "dealing"))
    compute, links = Compute(steps), find_links(lines)
    cpus = int(next((m["value"] for m in machine if m["name"] == "CPUs"), os.cpu_count()))
    dealing, gains = Dealing(loads), thread_gains(compute, steps)
    # Beyond this machine: what it could measure, and what is assumed.
    far = [links["TCP-1000"]] if "TCP-1000" in links else []
    for text in options.link or ASSUMED:
        alpha, rate = (float(word) for word in text.split(","))
        far.append(Link(f"{rate:g} Gbit/s assumed", alpha, 8e-3 / rate + links["memory"].beta))
    # Two threads' gain for two: what is assumed of more.
    gain = min(1.0, (sum(gains.values()) / len(gains) if gains else 2.0) / 2)
    sections = {
        "machine": table(["machine", "value"], [[m["name"], f"{m['value']:g}" if isinstance(m["value"], float)
                                                 else m["value"]] for m in machine]),
        "constants": constants_table(compute, links, gains),
        "fit": fit_table(compute),
        "check-allreduce": check_allreduce_table(lines, links),
        "check-steps": check_steps_table(compute, links, steps, cpus),
        "end": end_table(compute, far),
        "ahead": ahead_tables(compute, far),
        "ways": ways_table(compute, far),
        "batch": batch_table(compute, far),
        "threads": threads_table(compute, far, gain, links["memory"]),
        "dealing": dealing_table(dealing, loads, links),
        "dealing-ahead": dealing_ahead_table(compute, dealing, far),
    }
    if options.write:
        write_page(options.write, sections)
        return
    for name, text in sections.items():
        print(f"## {name}\n\n{text}\n")


main()
