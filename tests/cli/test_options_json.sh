#!/bin/sh
# --json of evaluate, predict and report: one JSON document alone on stdout, numbers in full. Folders
# with runs. Words of the wrong kind.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python h5py

awk 'BEGIN { print "age,job,deposit,rent"; split("a b c", job, " ")
    for (i = 1; i <= 300; i++) print i * 7 % 60 "," job[i % 3 + 1] "," (i * 7 % 60 > 25 ? "yes" : "no") "," i * 7 % 60 * 12.5 }' >t.csv
run 0 t.csv --target deposit --drop rent --epochs 3 --hidden 4 --out runs/a/one
run 0 t.csv --target deposit --drop rent --epochs 3 --hidden 4 --folds 2 --out runs/a/two
run 0 t.csv --target rent --drop deposit --epochs 3 --hidden 4 --out runs/value
expect_status 0

# json CODE: stdout is one document `d`, for which CODE holds
json() {
    expect_status 0
    "$PYTHON" - "$1" <<'PY' 2>wrong || fail "$1: $(tail -n 1 wrong)"
import json, sys
import h5py
d = json.load(open("stdout"), parse_constant=lambda name: sys.exit(f"{name} is not JSON"))
exec(sys.argv[1])
PY
}

run 2 evaluate runs/a/one t.csv --json
json 'import math
assert d["rows"] == 300 and d["task"] == "classification" and d["threshold"] is None and d["bad_rows"] == 0
assert [c["class"] for c in d["classes"]] == ["no", "yes"] and sum(map(sum, d["confusion"])) == 300
hits = sum(d["confusion"][i][i] for i in range(2))
assert d["scores"]["accuracy"] == hits / 300 and 0 < d["majority"]["loss"] < 1
assert len(d["calibration"]) == 10 and None in [b["accuracy"] for b in d["calibration"]]
json.dump(d["scores"], open("scores", "w"))'
run 0 evaluate runs/a/one t.csv
expect_status 0
expect_no_stdout '^log loss'
[ "$(grep -c '^loss ' stdout)" -eq 1 ] || fail "one loss in the table"
"$PYTHON" -c 'import json
said = dict(line[8:].strip().split("=") for line in open("stdout") if line.startswith("summary."))
for name, value in json.load(open("scores")).items():
    assert said[name] == "%.9g" % value, (name, said[name], value)' || fail "nine digits in the summary"
run 0 evaluate runs/value t.csv --json
json 'assert d["task"] == "regression" and "classes" not in d and d["targets"][0]["target"] == "rent"
assert d["scores"]["pinball"] is None and d["scores"]["rmse"] == d["targets"][0]["model"]["rmse"]'

run 0 predict runs/a/one t.csv --out p.csv --json
json 'assert d["out"] == "p.csv" and d["rows"] == 300 and d["bad_rows"] == 0 and d["rows_outside_range"] == 0'
run 0 predict runs/a/one t.csv --json
expect_status 2
expect_one_stderr_line "--json prints the summary of --out FILE"
[ ! -s stdout ] || fail "nothing on stdout"

# ---- reports, of runs in folders, too ----
run 0 report runs --json
json 'assert [r["name"] for r in d["runs"]] and len(d["runs"]) == 3
assert {r["path"] for r in d["runs"]} == {"runs/a/one", "runs/a/two", "runs/value"} # no folds
one = next(r for r in d["runs"] if r["path"] == "runs/a/one")
log = h5py.File("runs/a/one/run.h5")
assert one["results"]["test_loss"] == log["evaluation/test"].attrs["loss"] and one["status"] == "ok"
assert one["config"]["hidden"] in ("4", 4) and one["config"]["learning_rate"] == 0.001
assert one["results"]["epochs"] == 3'
run 0 report runs/a runs/value
expect_status 0
expect_stdout '^one +ok +3 '
expect_stdout '^value +ok +3 '
printf 'hidden = 2 | 3\n' >space
run 0 search t.csv --target deposit --drop rent --space space --sample grid --epochs 2 --out runs/trials
run 0 report runs/trials --json
json 'assert len(d["trials"]) == 2 and {t["settings"]["hidden"] for t in d["trials"]} <= {2, 3, "2", "3"}
assert d["trials"][0]["value"] <= d["trials"][1]["value"] and d["monitor"] == "val_loss" and d["reason"] is None'
run 0 report runs --json
json 'assert len(d["runs"]) == 3 # those of the search are its own'
mkdir empty
run 0 report runs/a empty
expect_status 3
expect_one_stderr_line "dtrain: error: empty: no run in this folder or below it; a run's folder has a run.h5"
[ ! -s stdout ] || fail "nothing on stdout"
run 0 report runs/a/one --json --csv -
expect_status 2
expect_one_stderr_line "--json is the only output on stdout; remove --csv - or --json"

run 0 inspect runs/value --json
json 'assert d["kind"] == "run" and d["file"] == "runs/value/run.h5"'
run 0 inspect runs
expect_status 0
[ "$(grep -c '^runs/[a-z/]*/run.h5: run; status: ok; 3 epochs$' stdout)" -eq 3 ] || fail "all runs of a folder"
run 0 inspect runs --json
expect_status 2
expect_one_stderr_line "runs: has 3 runs, but --json is for one; dtrain report --json takes all"

# ---- words of the wrong kind; nothing is printed before the rows are known to be good ----
sed '2s/^[0-9]*/old/' t.csv >bad.csv
run 0 predict runs/a/one bad.csv
expect_status 3
[ ! -s stdout ] || fail "no header before an error"
run 0 export runs/a/one --to m.onnx
expect_status 0
run 0 predict m.onnx t.csv
expect_status 3
expect_one_stderr_line "dtrain: error: m.onnx: dtrain writes .onnx, but does not read it; name the .h5 or .keras file"
run 0 export runs/a/one m.keras
expect_status 2
expect_one_stderr_line "dtrain: error: the file to write needs --to: dtrain export runs/a/one --to m.keras"
