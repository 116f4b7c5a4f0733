"""check_report.py html FILE PLOTS | csv FILE RUN... | table FILE SET RUN... | plots FOLDER SET RUN | class-plots FOLDER RUN...

Checks what `dtrain report` wrote: the page, the CSV, the tables of regression runs side by side, and the
scripts for gnuplot by which it draws the targets of one regression run, or the curves of classification runs."""
import csv
import html.parser
import math
import re
import sys


def check_html(path, plots):
    text = open(path, encoding="utf-8").read()
    voids = {"meta", "br"}

    class Page(html.parser.HTMLParser):
        def __init__(self):
            super().__init__()
            self.open, self.seen, self.ids = [], {}, []

        def handle_starttag(self, tag, attributes):
            self.seen[tag] = self.seen.get(tag, 0) + 1
            for name, value in attributes:
                assert name not in ("src", "onload", "onclick"), (tag, name)
                assert not (name.endswith("href") and not value.startswith("#")), (tag, value)
                if name == "id":
                    self.ids.append(value)
            if tag not in voids:
                self.open.append(tag)

        def handle_startendtag(self, tag, attributes):
            self.handle_starttag(tag, attributes)
            if tag not in voids:
                self.open.pop()

        def handle_endtag(self, tag):
            assert self.open and self.open[-1] == tag, (tag, self.open[-3:], self.getpos())
            self.open.pop()

    page = Page()
    page.feed(text)
    page.close()
    assert page.open == [], page.open
    assert not re.search(r"https?://|@import|url\((?!#)", text), "the page refers to something outside"
    assert "script" not in page.seen and "img" not in page.seen and "link" not in page.seen, page.seen
    assert page.seen.get("svg", 0) == plots, (page.seen.get("svg"), plots)
    assert page.seen.get("figure", 0) == plots and page.seen["table"] >= 2
    assert len(page.ids) == len(set(page.ids)), "ids are not unique"


def guarded(text):
    """What a spreadsheet would run has ' before it."""
    number = re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text)
    return "'" + text if text[:1] in tuple("=+-@\t\r\n") and not number else text


def check_csv(path, runs):
    import h5py

    rows = list(csv.DictReader(open(path, newline="", encoding="utf-8")))
    assert len(rows) == len(runs), rows
    by_path = {row["path"]: row for row in rows}
    for run in runs:
        row, f = by_path[guarded(run)], h5py.File(run + "/run.h5")
        assert row["status"] == f.attrs["status"]
        groups = {"train": "train", "val": "validation", "test": "test"}
        checked = 0
        for prefix, group in groups.items():
            if f"evaluation/{group}" not in f:
                continue
            names = [name for name in f["evaluation"][group].attrs if not name.startswith(("majority_", "baseline_"))]
            several = f["data"].attrs.get("values", 1) > 1  # the baseline has other units then
            for name in names + ["baseline_rmse" if "rmse" in names else "majority_accuracy"]:
                want, got = f["evaluation"][group].attrs[name], row[f"{prefix}_{name}"]
                if several and name == "baseline_rmse":
                    assert got == ""
                else:
                    assert (got == "" and math.isnan(want)) or float(got) == want, (run, name, got, want)
                checked += 1
        assert checked == (0 if "evaluation" not in f else 27 if "values" in f["data"].attrs else 36), checked
        assert int(row["epochs"]) == len(f["epochs"])
        assert int(row["ranks"]) == f["environment"].attrs["ranks"]
        if "summary" in f:
            for name in "best_epoch samples_per_second weights_crc".split():
                assert float(row[name]) == f["summary"].attrs[name], name
            if "threshold" in row:
                want = f["summary"].attrs.get("threshold")
                assert row["threshold"] == "" if want is None else float(row["threshold"]) == want, row["threshold"]
            assert math.isclose(float(row["seconds"]), sum(f["epochs"]["seconds"]))
        for name, want in f["config"].attrs.items():
            got = row["config_" + name]
            if isinstance(want, str):
                assert got == guarded(want), (name, got, want)
            elif getattr(want, "dtype", None) is not None and want.dtype.kind in "iuf" and want.shape == ():
                assert got == "" if want != want else float(got) == want, (name, got, want)
            else:
                texts = [t.decode() if isinstance(t, bytes) else t for t in want]
                assert got == guarded(" ".join(texts)), (name, got, want)


def check_table(path, group, runs):
    """Each number of the tables of regression runs that has a column there."""
    import h5py

    lines = [re.split(r"  +", line.strip()) for line in open(path)]
    names = {"test RMSE": "rmse", "test loss": "loss", "baseline RMSE": "baseline_rmse", "MAE": "mae",
             "median AE": "median_ae", "R2": "r2", "expl. variance": "explained_variance"}
    checked, titles = set(), []
    for line in lines:
        if line[0] in ("regression", f"on the {group} set"):
            titles = line
        elif titles and line[0] in runs:
            attrs = h5py.File(line[0] + "/run.h5")["evaluation"][group].attrs
            for title, text in zip(titles, line):
                if title in names:
                    want = attrs[names[title]]
                    assert math.isclose(float(text), want, rel_tol=1e-5, abs_tol=6e-5), (line[0], title, text, want)
                    checked.add((line[0], title))
        else:
            titles = []
    assert len(checked) == len(runs) * len(names), checked


def check_plots(folder, group, run):
    import glob

    import h5py
    import numpy

    f = h5py.File(run + "/run.h5")
    evaluation, drawn = f["evaluation"], {"joint": 0, "residuals": 0}
    for path in sorted(glob.glob(folder + "/*")):
        script = open(path).read()
        data = numpy.array([[float(n) for n in line.split()]
                            for line in re.search(r"<< EOD\n(.*?)EOD", script, re.S).group(1).splitlines()])
        if "'prediction'" in script:
            target = drawn["joint"]
            joint, row = evaluation[group]["joint"][target], evaluation[group]["targets"][target]
            place = (data[:, :2] - row["low"]) / (row["high"] - row["low"]) * len(joint) - 0.5
            assert numpy.allclose(place, numpy.argwhere(joint), atol=1e-4), path
            rows = joint[joint > 0]
            weighted = joint.dtype == "f8"
            shades = numpy.log(rows / (rows.min() if weighted else 1))
            assert numpy.allclose(data[:, 2], 40 + 210 * shades / shades.max(), atol=0.51), path
            assert ("fullest cell: weight %.4g)" % rows.max() if weighted else f"fullest cell: {rows.max()} row") in script
            drawn["joint"] += 1
        elif "prediction - target" in script:
            targets = len(evaluation[group]["targets"])
            which, target = ("validation", "test")[drawn["residuals"] // targets], drawn["residuals"] % targets
            rows, limit = evaluation[which]["residuals"][target], evaluation[which]["targets"][target]["residual_limit"]
            unit = float(re.search(r"^unit = (.*)$", script, re.M).group(1))
            peak = rows.max() / rows.sum() / (2 * limit / len(rows)) * unit
            assert 0.01 < peak < 10 and f"per {unit:g} unit" in script, (path, unit, peak)
            assert f"'share of {'weight' if rows.dtype == 'f8' else 'rows'} per " in script
            ends = numpy.linspace(-limit, limit, len(rows) + 1)
            assert numpy.allclose(data[1:-1, 0], numpy.repeat(ends, 2)[1:-1], rtol=1e-6, atol=1e-6 * limit), path
            assert numpy.allclose(data[1:-1, 1], numpy.repeat(rows / rows.sum() / (ends[1] - ends[0]), 2), rtol=1e-6)
            assert data[0, 1] == data[-1, 1] == 0
            drawn["residuals"] += 1
    assert drawn == {"joint": len(f["evaluation/test/targets"]), "residuals": 2 * len(f["evaluation/test/targets"])}, drawn


def check_class_plots(folder, runs):
    """ROC, precision and recall of both sets: all points of each run, and the one at its threshold."""
    import glob

    import h5py
    import numpy

    logs, drawn = [h5py.File(run + "/run.h5") for run in runs], []
    for path in sorted(glob.glob(folder + "/*")):
        script = open(path).read()
        kind = "roc" if "'false positives" in script else "pr" if "'recall" in script else None
        if kind is None:
            continue
        group = ("validation", "test")[len(drawn) // 2]
        drawn.append((group, kind))
        parts = {name: numpy.array([[float(n) for n in line.split()] for line in lines.splitlines()])
                 for name, lines in re.findall(r"^\$(\w+) << EOD\n(.*?)EOD", script, re.S | re.M)}
        wanted = set()
        for i, log in enumerate(logs):
            points = log["evaluation"][group][kind][:]
            x, y = ("fpr", "tpr") if kind == "roc" else ("recall", "precision")
            both = numpy.stack([points[x], points[y]], axis=1)
            assert len(both) > 20 and numpy.allclose(parts[f"d{i}"], both, rtol=1e-8, atol=0), (path, i)
            wanted.add(f"d{i}")
            if "threshold" in log["summary"].attrs:
                at = numpy.flatnonzero(points["threshold"] >= log["summary"].attrs["threshold"])[-1]
                assert 0 < at < len(both) - 1, "a dot within the curve"
                assert numpy.allclose(parts[f"t{i}"], both[at:at + 1], rtol=1e-8, atol=0), (path, i)
                wanted.add(f"t{i}")
        assert set(parts) == wanted and len(wanted) == len(runs) + 1, parts.keys()
        share = logs[0]["evaluation"][group].attrs["majority_pr_auc"]
        assert ("plot x with" in script) == (kind == "roc") and (f"plot {share:.9g} with" in script) == (kind == "pr")
        assert script.count("with fsteps") == (len(runs) if kind == "pr" else 0)
    assert drawn == [(group, kind) for group in ("validation", "test") for kind in ("roc", "pr")], drawn


if sys.argv[1] == "html":
    check_html(sys.argv[2], int(sys.argv[3]))
elif sys.argv[1] == "csv":
    check_csv(sys.argv[2], sys.argv[3:])
elif sys.argv[1] == "table":
    check_table(sys.argv[2], sys.argv[3], sys.argv[4:])
elif sys.argv[1] == "class-plots":
    check_class_plots(sys.argv[2], sys.argv[3:])
else:
    check_plots(*sys.argv[2:])
