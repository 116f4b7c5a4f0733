#!/usr/bin/env python3
"""Changes one byte of a file at a time, and counts what `dtrain inspect` says of it.

    flip.py PATH_TO_DTRAIN FILE... [--count 500] [--seed 1]

Prints for each file how many of --count bytes, chosen at random, were found (exit status 3), how many
were not (0), and of these how many lie within the values of datasets. Any other exit status is an
error. Exit status 1 when there was one. Needs h5py for the last number.
"""
import argparse
import os
import random
import subprocess
import sys
import tempfile


def places_of_values(path):
    """The ranges of bytes that hold values; none where h5py is missing."""
    try:
        import h5py
    except ImportError:
        return []
    ranges = []

    def take(_, item):
        if isinstance(item, h5py.Dataset) and item.chunks is not None:
            chunks = [item.id.get_chunk_info(i) for i in range(item.id.get_num_chunks())]
            ranges.extend((chunk.byte_offset, chunk.byte_offset + chunk.size) for chunk in chunks)
        elif isinstance(item, h5py.Dataset) and item.id.get_offset() is not None:
            ranges.append((item.id.get_offset(), item.id.get_offset() + item.id.get_storage_size()))

    with h5py.File(path) as file:
        file.visititems(take)
    return ranges


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dtrain")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    wrong = 0
    print("{:<24}{:>9}{:>9}{:>12}{:>17}".format("file", "bytes", "found", "not found", "of them, values"))
    for path in options.files:
        rng = random.Random(options.seed)
        with open(path, "rb") as file:
            whole = file.read()
        values = places_of_values(path)
        found = missed = in_values = 0
        for at in rng.sample(range(len(whole)), min(options.count, len(whole))):
            data = bytearray(whole)
            data[at] ^= 1 << rng.randrange(8)
            with tempfile.NamedTemporaryFile(suffix=".h5") as file:
                file.write(data)
                file.flush()
                status = subprocess.run([options.dtrain, "inspect", file.name], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
                                        timeout=60).returncode
            found += status == 3
            missed += status == 0
            in_values += status == 0 and any(first <= at < end for first, end in values)
            if status not in (0, 3):
                wrong += 1
                print(f"{path}: byte {at}: exit status {status}")
        print(f"{os.path.basename(path):<24}{len(whole):>9}{found:>9}{missed:>12}{in_values:>17}", flush=True)
    sys.exit(1 if wrong else 0)


main()
