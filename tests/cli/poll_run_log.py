"""poll_run_log.py RUN.h5: reads the log of a running training again and again, as a plotting script
does, until at least 4 versions were seen. Fails on the first error."""

import sys
import time

import h5py

READS, VERSIONS = 50, 4

reads, sizes, previous = 0, set(), -1
while reads < READS or len(sizes) < VERSIONS:
    with h5py.File(sys.argv[1], "r") as run:
        epochs = run["epochs"]["epoch"]
        assert run.attrs["status"] == "running", run.attrs["status"]
        assert run["config"].attrs["seed"] == 1
    assert list(epochs) == list(range(1, len(epochs) + 1)), "/epochs has holes"
    assert len(epochs) >= previous, "/epochs shrinks"
    previous = len(epochs)
    sizes.add(len(epochs))
    reads += 1
    time.sleep(0.01)
