"""check_report.py html FILE PLOTS | csv FILE RUN...: checks what `dtrain report` wrote."""
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
            for name in ("rows loss accuracy majority_accuracy roc_auc pr_auc precision recall f1 "
                         "log_loss brier calibration_error").split():
                want, got = f["evaluation"][group].attrs[name], row[f"{prefix}_{name}"]
                assert (got == "" and math.isnan(want)) or float(got) == want, (run, name, got, want)
                checked += 1
        assert checked == (36 if "evaluation" in f else 0), checked
        assert int(row["epochs"]) == len(f["epochs"])
        assert int(row["ranks"]) == f["environment"].attrs["ranks"]
        if "summary" in f:
            for name in "best_epoch samples_per_second weights_crc".split():
                assert float(row[name]) == f["summary"].attrs[name], name
            assert math.isclose(float(row["seconds"]), sum(f["epochs"]["seconds"]))
        for name, want in f["config"].attrs.items():
            got = row["config_" + name]
            if isinstance(want, str):
                assert got == guarded(want), (name, got, want)
            elif getattr(want, "dtype", None) is not None and want.dtype.kind in "iuf" and want.shape == ():
                assert float(got) == want, (name, got, want)
            else:
                texts = [t.decode() if isinstance(t, bytes) else t for t in want]
                assert got == guarded(" ".join(texts)), (name, got, want)


if sys.argv[1] == "html":
    check_html(sys.argv[2], int(sys.argv[3]))
else:
    check_csv(sys.argv[2], sys.argv[3:])
