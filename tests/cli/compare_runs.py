"""compare_runs.py RUN RUN...: says whether folders of results hold the same training, times aside.

Equal to the bit: model.h5's weights and Adam's state, run.h5's /epochs but for the times, /evaluation, and the
checksum of the weights. With --differ: the weights have to differ from the first run's.
"""

import sys

import h5py
import numpy as np

TIMES = {"seconds", "samples_per_second"}


def read(folder):
    """Returns {what: bytes} of all that a run may not change with the number of ranks."""
    found = {}
    with h5py.File(f"{folder}/run.h5", "r") as run:
        if run.attrs["status"] != "ok":
            sys.exit(f"{folder}: status {run.attrs['status']}")
        epochs = run["epochs"][:]
        if len(epochs) == 0:
            sys.exit(f"{folder}: no epochs")
        for name in epochs.dtype.names:
            if name not in TIMES:
                found[f"/epochs {name}"] = np.ascontiguousarray(epochs[name]).tobytes()
        for part, group in run["evaluation"].items():
            for name, value in group.attrs.items():
                found[f"/evaluation/{part} {name}"] = np.asarray(value).tobytes()
            for name, table in group.items():
                found[f"/evaluation/{part}/{name}"] = table[:].tobytes()
        found["/summary weights_crc"] = int(run["summary"].attrs["weights_crc"])
        found["/summary best_epoch"] = int(run["summary"].attrs["best_epoch"])
    with h5py.File(f"{folder}/model.h5", "r") as model:
        def add(name, thing):
            if isinstance(thing, h5py.Dataset):
                found[f"model.h5 {name}"] = thing[()].tobytes()
        model.visititems(add)
        found["model.h5 layers and optimizer"] = model["dtrain"].attrs["model"]
    return found


def main():
    folders = [word for word in sys.argv[1:] if word != "--differ"]
    differ = "--differ" in sys.argv
    first, *others = (read(folder) for folder in folders)
    wrong = 0
    for folder, other in zip(folders[1:], others):
        names = sorted(set(first) | set(other))
        unequal = [name for name in names if first.get(name) != other.get(name)]
        if differ and not any(name.startswith("model.h5") for name in unequal):
            print(f"{folders[0]} and {folder} have the same weights")
            wrong = 1
        if not differ and unequal:
            print(f"{folders[0]} and {folder} differ in: {', '.join(unequal)}")
            wrong = 1
    sys.exit(wrong)


if __name__ == "__main__":
    main()
