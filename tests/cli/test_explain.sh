#!/bin/sh
# dtrain explain: its numbers against scikit-learn's, with the same permutations of dtrain's own
# predictions; the same files on any number of ranks; and what it refuses.
# long: starts scikit-learn, and explains each model on several numbers of ranks
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy sklearn h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" - <<'PY'
import numpy as np
from make_data import learnable
from make_table import HEADER, make_rows, write_table

rng = np.random.default_rng(5)
rows = make_rows(600, 2, 1)
days = rng.integers(0, 900, len(rows))
for n, row in enumerate(rows):
    row[2] = None if n % 19 == 0 else row[2] # a category of its own
    row[-1:-1] = [str(np.datetime64("2021-01-31") + int(days[n]))]
header = HEADER[:-1] + ["signup"] + HEADER[-1:]
write_table("table.csv", rows, header)
fewer = [row[:8] + ["1"] + row[9:] for row in rows[::3]]
write_table("constant.csv", fewer, header)
write_table("one.csv", fewer[:1], header)
write_table("none.csv", [], header)
write_table("unlabelled.csv", [row[:-1] for row in fewer], header[:-1])
for seed, (part, count) in enumerate((("train", 300), ("validation", 100), ("test", 150))):
    x, _ = learnable(count, columns=5, seed=seed)
    w = rng.integers(0, 9, count) / 4
    y = np.stack([5000 * x[:, 0] + x[:, 1] ** 2 + 7, x[:, 2] / 64], 1).astype(np.float32)
    np.savez(f"values-{part}.npz", inputs=x, targets=y)
    x, y = learnable(count, columns=5, classes=3, seed=seed)
    np.savez(f"three-{part}.npz", inputs=x, targets=y)
np.savez("narrow.npz", inputs=x[:, :-1], targets=y)
np.savez("alike.npz", inputs=x, targets=np.zeros(len(x), int))
PY
run 0 prepare table.csv --target outcome --drop key --out prepared --fill indicator,category \
    --weights day --quiet
expect_status 0
run 0 prepared --out model --epochs 3 --batch 32 --quiet
expect_status 0
run 0 prepared --out strong --preset tabular --epochs 2 --quiet
expect_status 0
for name in values three; do
    run 0 $name --out model-$name --epochs 3 --batch 32 --quiet
    expect_status 0
done

# explains MODEL DATA RANKS OPTIONS...: the same files on these numbers of ranks as on one.
explains() {
    model=$1 data=$2 several=$3
    shift 3
    for ranks in $several; do
        run "$ranks" explain "$model" "$data" "$@" --repeats 3 --out "on-$ranks" --quiet
        expect_status 0
    done
    run 0 explain "$model" "$data" "$@" --repeats 3
    expect_status 0
    [ "$(awk 'length > 80' stdout)" = "" ] || fail "no line has more than 80 columns"
    for ranks in $several; do
        for file in explain.h5 explain.csv explain-dependence.csv; do
            expect_same_file "$model/$file" "on-$ranks/$file"
        done
    done
}
# agrees FOLDER MODEL ARRAYS.npz [WEIGHTS]: what lies in FOLDER is what scikit-learn finds.
agrees() {
    "$PYTHON" "$TESTS/cli/check_explain.py" "$DTRAIN" "$@" >>agreement 2>wrong ||
        fail "scikit-learn agrees: $(cat wrong)"
}

# Numbers, missing ones, dates, categories, weights; classes, several values, arrays without a recipe.
explains model prepared "2 3 8" --metric roc_auc --dependence-rows 40 --points 7 \
    --seed 12345678901
expect_stdout_line 'summary.metric=roc_auc'
cp -r model by-area
agrees by-area model prepared/test.npz weights
explains model prepared 2
expect_stdout '^(age|balance|rate) +[0-9.e-]+ +[0-9.e-]+ +[0-9.e-]+ +##################$'
expect_stdout_line 'summary.metric=loss'
awk '/^column /{ on = 1 } /^summary/{ on = 0 } on' stdout >tables
run 0 inspect model/explain.h5
expect_status 0
expect_stdout '^model/explain.h5: explanation of a model; [0-9]+ columns$'
expect_stdout '^  metric +loss$'
awk '/^column /{ on = 1 } on' stdout >again
diff -B tables again >&2 || fail "inspect prints the tables again"
run 0 inspect --json model/explain.h5
"$PYTHON" -c "import json; d = json.load(open('stdout')); assert d['kind'] == 'explanation' and d['attributes']['repeats'] == 3 and d['importance'][0]['importance'] > 0, d" ||
    fail "inspect --json of an explanation"
agrees model model prepared/test.npz weights
explains strong prepared "2 8" --points 3
agrees strong strong prepared/test.npz weights
explains model-values values "3 8"
expect_stdout_line 'summary.metric=rmse'
agrees model-values model-values values-test.npz
explains model-three three 3 --metric accuracy
agrees model-three model-three three-test.npz
[ "$(wc -l <agreement)" -eq 5 ] || fail "all were compared: $(cat agreement)"

# A table is explained as the arrays that it becomes; a column of one value does not matter at all.
run 2 explain model constant.csv --out constant --repeats 1
expect_status 0
expect_empty_stderr
"$PYTHON" - <<'PY' || fail "a constant column"
import h5py
with h5py.File("constant/explain.h5") as file:
    table, points = file["importance"][:], file["dependence"][:]
    own = table[table["column"] == b"campaign"][0]
    assert own["importance"] == 0 and own["second_importance"] == 0, own
    assert (table["importance"] != 0).sum() > 3 and (own["standard_error"] != own["standard_error"])
    assert points[points["column"] == b"campaign"]["text"].tolist() == [b"1"]
    dates = points[points["column"] == b"signup"]["text"].tolist()
    assert all(d.startswith(b"202") and len(d) == 10 for d in dates) and len(dates) == 20, dates
    assert b"(missing)" in points[points["column"] == b"rate"]["text"].tolist()
PY

# Without dependences; the report shows only explanations of the run's own model.
run 0 explain model prepared --points 0 --repeats 1 --quiet
expect_status 0
expect_no_stdout '^[^s]'
[ "$(wc -l <model/explain-dependence.csv)" -eq 1 ] || fail "no dependences"
run 0 explain model prepared --repeats 2 --quiet
run 0 report model --html page.html
expect_status 0
expect_empty_stderr
expect_stdout '^importance: how much worse loss and accuracy become$'
grep -q '<h2>What matters</h2>' page.html || fail "the page has a part about columns"
grep -q '<figcaption>signup</figcaption>' page.html || ! command -v gnuplot >/dev/null ||
    fail "the page draws the dependence on a date"
cp model/explain.h5 strong/
run 0 report strong
expect_status 0
expect_one_stderr_line "strong/explain.h5: belongs to another model than the run's, so it is not shown; "
expect_no_stdout '^importance'
echo none >strong/explain.h5
run 0 report strong
expect_status 3
expect_one_stderr_line 'strong/explain.h5: '

# ---- refusals: one line, and no files ----
# refuses STATUS TEXT ARGS...
refuses() {
    want=$1 text=$2
    shift 2
    run 2 explain "$@" --out refused
    expect_status "$want"
    expect_one_stderr_line "$text"
    [ ! -d refused ] || [ -z "$(ls refused)" ] || fail "no files: $(ls refused)"
}
refuses 2 'explain requires a model and data, but found 1 word' model
refuses 2 '--repeats' model prepared --repeats 0
refuses 2 '--metric rmse: the model'"'"'s task is classification, which has accuracy, loss, ' \
    model prepared --metric rmse
refuses 2 '--metric f1: the model'"'"'s task is regression, which has rmse, ' model-values values --metric f1
refuses 3 'one.csv: one row only' model one.csv
refuses 3 'none.csv: ' model none.csv
refuses 3 'outcome' model unlabelled.csv
refuses 3 'narrow.npz: inputs has 4 columns, but the model takes 5 inputs' model-three narrow.npz
refuses 3 'roc_auc is undefined for these rows' model-three alike.npz --metric roc_auc
echo text >taken
run 0 explain model prepared --out taken
expect_status 4
expect_one_stderr_line taken
