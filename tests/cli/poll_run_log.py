"""poll_run_log.py RUN.h5 SECONDS: opens the file of a run that goes on over and over, as a plotting
script would. Fails on the first error, and when the file does not grow."""

import sys
import time

import h5py

path, seconds = sys.argv[1], float(sys.argv[2])
reads, sizes, previous = 0, set(), -1
end = time.monotonic() + seconds
while time.monotonic() < end:
    with h5py.File(path, "r") as run:
        epochs = run["epochs"]["epoch"]
        assert run.attrs["status"] == "running", run.attrs["status"]
        assert run["config"].attrs["seed"] == 1
    assert list(epochs) == list(range(1, len(epochs) + 1)), "/epochs has holes"
    assert len(epochs) >= previous, "/epochs shrinks"
    previous = len(epochs)
    sizes.add(len(epochs))
    reads += 1
    time.sleep(0.01)
print(f"{reads} reads, {len(sizes)} versions, {previous} epochs")
assert reads >= 50 and len(sizes) >= 3, "the file was not written again and again"
