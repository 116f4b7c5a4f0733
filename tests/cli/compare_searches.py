"""compare_searches.py A B: the tables and curves of two searches are the same, to the bit, but for times and
ranks; and so are the runs of their trials."""
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np

here, (a, b) = Path(__file__).parent, sys.argv[1:]
files = [h5py.File(f"{name}/search.h5") for name in (a, b)]
for name in ("trials", "curves", "space"):
    tables = [file[name][:] for file in files]
    assert tables[0].dtype == tables[1].dtype, name
    for column in tables[0].dtype.names:
        if column not in ("seconds", "ranks"):
            values = [table[column].tobytes() for table in tables]
            assert values[0] == values[1], (name, column, *(table[column] for table in tables))
for attribute in ("trials", "best_trial", "rungs", "monitor"):
    assert files[0]["search"].attrs[attribute] == files[1]["search"].attrs[attribute], attribute
best = files[0]["search"].attrs["best_trial"]
if best > 0:
    assert Path(a, "best").resolve() == Path(a, f"trial-{best}").resolve()
    subprocess.run([sys.executable, here / "compare_runs.py", f"{a}/best", f"{b}/best"], check=True)
