"""The tables that packages of PyPI and Debian ship, as files of text: names, and how each becomes a file."""

import os
import re
import tarfile
import importlib.util

import pandas as pd

FRAMES = ("load_breast_cancer", "load_diabetes", "load_digits", "load_iris", "load_linnerud", "load_wine")


def folder_of(package):
    """Returns the folder of an installed package without importing it; None: it is not installed."""
    found = importlib.util.find_spec(package)
    return os.path.dirname(found.origin) if found else None


def write_frame(frame, path):
    """As a person would: with the index only where it is a name or a date."""
    frame.to_csv(path, index=not isinstance(frame.index, pd.RangeIndex))


def copy_bytes(data, path):
    with open(path, "wb") as file:
        file.write(data)


def of_pydataset(folder):
    """R's Rdatasets of 2015: text in an archive."""
    with tarfile.open(os.path.join(folder, "resources.tar.gz")) as archive:
        for member in archive:
            match = re.fullmatch(r"resources/rdata/csv/(\w+)/([^.].*)\.csv", member.name)
            if match:
                data = archive.extractfile(member).read()
                yield "/".join(("pydataset", *match.groups())), lambda path, data=data: copy_bytes(data, path)


def of_rdatasets(folder):
    """R's Rdatasets of 2024: pickled frames."""
    for package in sorted(os.listdir(os.path.join(folder, "_data"))):
        inside = os.path.join(folder, "_data", package)
        for file in sorted(os.listdir(inside)) if os.path.isdir(inside) else ():
            if file.endswith(".pkl.compress"):
                source = os.path.join(inside, file)
                yield (f"rdatasets/{package}/{file[:-len('.pkl.compress')]}",
                       lambda path, source=source: write_frame(pd.read_pickle(source, compression="xz"), path))


def of_files(package, below):
    """Text files of a package, as they are."""
    def tables(folder):
        for at, folders, files in os.walk(os.path.join(folder, below)):
            folders.sort()
            for file in sorted(files):
                if file.endswith((".csv", ".csv.gz")):
                    source = os.path.join(at, file)
                    name = os.path.relpath(source, os.path.join(folder, below))[:-len(".csv")]
                    with open(source, "rb") as opened:
                        data = opened.read()
                    yield f"{package}/{name}", lambda path, data=data: copy_bytes(data, path)
    return tables


def of_sklearn(_):
    from sklearn import datasets
    for name in FRAMES:
        yield (f"sklearn/{name[len('load_'):]}",
               lambda path, name=name: write_frame(getattr(datasets, name)(as_frame=True).frame, path))


COLLECTIONS = {"pydataset": of_pydataset, "palmerpenguins": of_files("palmerpenguins", "data"),
               "vega_datasets": of_files("vega_datasets", "_data"),
               "statsmodels": of_files("statsmodels", "datasets"), "sklearn": of_sklearn,
               "rdatasets": of_rdatasets}


def find(packages=None):
    """Returns {name: write}, where write(path) makes the table's file."""
    tables = {}
    for package, tables_of in COLLECTIONS.items():
        folder = folder_of(package) if packages is None or package in packages else None
        if folder:
            tables.update(tables_of(folder))
    return tables
