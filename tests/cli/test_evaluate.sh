#!/bin/sh
# dtrain evaluate: its numbers against scikit-learn's where they are hard (ties, certainty, classes that
# no row has), the same on any number of ranks; and what it refuses. (Tables: test_chain.sh.)
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy sklearn h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" "$TESTS/cli/make_table.py" two.csv 1200 2 2
"$PYTHON" "$TESTS/cli/make_table.py" four.csv 1200 4 3
for name in two four; do
    run 0 prepare "$name.csv" --target outcome --drop key --out "$name" --fill mean,category --quiet
    expect_status 0
    run 0 "$name" --out "model-$name" --epochs 4 --batch 32 --quiet
    expect_status 0
done
"$PYTHON" - <<'PY'
import numpy as np
rng = np.random.default_rng(4)
for name, C in (("two", 2), ("four", 4)):
    sets = np.load(f"{name}/train.npz")
    x, y = sets["inputs"], sets["targets"]

    def save(kind, inputs, targets):
        np.savez(f"{name}-{kind}.npz", inputs=inputs, targets=targets)

    save("certain", x * 300, y) # probabilities of 0 and 1, also for the wrong class
    save("tied", np.repeat(x[::100], 40, axis=0), rng.integers(0, C, 40 * len(x[::100])))
    save("equal", np.zeros_like(x[:30]), np.arange(30) % C)
    save("first", x[y < C - 1], y[y < C - 1]) # no row of the last class
    save("last", x[y == C - 1], y[y == C - 1]) # no other
    save("single", x[5:6], y[5:6])
    save("hot", x, np.eye(C)[y])
    save("strange", x, np.where(np.arange(len(y)) == 100, C + 3, y))
    save("nan", np.where(np.arange(x.size).reshape(x.shape) == 2000, np.nan, x), y)
    save("narrow", x[:, :-2], y)
PY

# agrees MODEL DATA.npz RANKS: and says the same on this number of ranks; compared below, all together
: >list
agrees() {
    run 0 predict "$1" "$2" --out "made-$2" --quiet
    expect_status 0
    run "$3" evaluate "$1" "$2"
    expect_status 0
    ! grep -qv 'rows are of class [^ ]*, so ROC-AUC and PR-AUC are undefined$' stderr || fail "no other warning"
    mv stdout several
    run 0 evaluate "$1" "$2"
    expect_status 0
    expect_same_file stdout several
    cp stdout "$2.said"
    echo "$2.said made-$2 $2" >>list
}
for name in two four; do
    agrees "model-$name" "$name-certain.npz" 3
    agrees "model-$name" "$name-tied.npz" 8
    agrees "model-$name" "$name-equal.npz" 2
    agrees "model-$name" "$name-first.npz" 3
    agrees "model-$name" "$name-last.npz" 2
    agrees "model-$name" "$name-single.npz" 3
done
"$PYTHON" "$TESTS/cli/check_scores.py" list >agreement 2>wrong ||
    fail "scikit-learn agrees: $(cat wrong)"
[ "$(wc -l <agreement)" -eq 12 ] || fail "all were compared"

# Rows with weights, which training logs of each set: as scikit-learn's sample_weight.
"$PYTHON" - <<'PY'
import numpy as np
from make_data import learnable
for seed, (part, rows) in enumerate((("train", 300), ("validation", 201), ("test", 150))):
    w = (np.random.default_rng(seed).integers(0, 9, rows) / 4).astype(np.float32)
    for classes in (2, 4):
        x, y = learnable(rows, columns=6, classes=classes, seed=seed)
        np.savez(f"weighted{classes}-{part}.npz", inputs=x, targets=y, w=w)
    y = np.stack([50 * x[:, 0] + x[:, 1] ** 2 + 7, x[:, 2] / 64], 1).astype(np.float32)
    np.savez(f"weighted1-{part}.npz", inputs=x, targets=y[:, 0], w=w)
    np.savez(f"weightedy-{part}.npz", inputs=x, targets=y, w=w)
PY
for name in weighted2 weighted4 weighted1 weightedy; do
    run 0 "$name" --weights w --out "$name" --epochs 3 --batch 32 --quiet
    expect_status 0
    for part in validation test; do
        run 0 predict "$name" "$name-$part.npz" --out "$name-$part.made.npz" --quiet
        expect_status 0
    done
done
"$PYTHON" "$TESTS/cli/check_weighted.py" weighted2 weighted4 weighted1 weightedy >agreement 2>wrong ||
    fail "scikit-learn agrees: $(cat wrong)"
[ "$(wc -l <agreement)" -eq 8 ] || fail "all were compared"

# One-hot targets are the same classes; --set chooses; --quiet leaves the summary.
run 0 evaluate model-two two-hot.npz --quiet
expect_status 0
expect_no_stdout '^[^s]'
mv stdout hot
run 0 evaluate model-two/model.h5 two --set train --quiet
expect_status 0
expect_same_file hot stdout
run 0 evaluate model-two two --set validation --quiet
expect_status 0
! cmp -s hot stdout || fail "another set"
[ "$(summary rows)" -eq 120 ] || fail "120 rows for validation"
[ "$(grep -c '^summary\.' stdout)" -eq 22 ] || fail "rows, ten numbers twice, status"

# Classes go by their names.
run 0 evaluate model-four four
expect_status 0
expect_stdout '^maybe later +30 '
expect_stdout '^true . predicted +maybe later +never +no +yes$'

# ---- refusals ----

refuse() {
    code=$1
    text=$2
    shift 2
    run "${RANKS:-0}" evaluate "$@"
    expect_status "$code"
    expect_one_stderr_line "dtrain: error: $text"
    [ ! -s stdout ] || fail "nothing on stdout"
}
sed '900s/yes$/perhaps/' two.csv >strange.csv
sed '900s/yes$//' two.csv >unlabelled.csv
cut -d, -f1-9 two.csv >no-target.csv
sed '900s/^[^,]*,[^,]*/1,old/' two.csv >text.csv
for RANKS in 0 3; do
    refuse 3 "strange.csv: row 899 (line 900): column 'outcome': 'perhaps' is not one of the classes" \
        model-two strange.csv
    refuse 3 "text.csv: row 899 (line 900): column 'age': 'old' is not a number" model-two text.csv
    refuse 3 "two-strange.npz: " model-two two-strange.npz
done
RANKS=0
refuse 3 "unlabelled.csv: row 899 (line 900): column 'outcome'" model-two unlabelled.csv
refuse 3 "no-target.csv: no column 'outcome'" model-two no-target.csv
refuse 3 "four.csv: row 601 (line 602): column 'outcome': 'maybe later' is not one of the classes" \
    model-two four.csv
refuse 3 "two-narrow.npz: inputs has " model-two two-narrow.npz
expect_stderr 'but the model takes [0-9]+ inputs$'
refuse 3 "two-nan.npz: " model-two two-nan.npz
refuse 3 "nowhere.csv: cannot open" model-two nowhere.csv
refuse 3 "nowhere" nowhere two.csv
refuse 2 "dtrain evaluate requires a model and data, but found 1 word" model-two
refuse 2 "unknown option --out" model-two two --out file
refuse 2 "--set takes one of train|validation|test" model-two two --set all
refuse 2 "--set train was given, but two.csv has no sets to choose from" model-two two.csv --set train
refuse 2 "--set test was given, but two-hot.npz has no sets" model-two two-hot.npz --set test
mkdir only && cp two/train.npz two/recipe.json only
refuse 3 "only: it has no test set; choose another --set" model-two only
refuse 3 "two: no model.h5 in this folder; the model comes first" two model-two
mkdir trials && : >trials/search.h5
refuse 3 "trials: is the folder of a search; name its best model, trials/best" trials two.csv
cp -r two other && run 0 prepare two.csv --target outcome --fill median,mode --seed 99 --out other --quiet && expect_status 0
refuse 3 "other/recipe.json is not the recipe that the model was trained with" model-two other
refuse 3 "other/recipe.json is not the recipe that the model was trained with" model-two other/test.npz
head -c 2000 model-two/model.h5 >cut.h5
refuse 3 "cut.h5: truncated HDF5 file" cut.h5 two
run 0 two/train.npz --out bare --epochs 1 --quiet
expect_status 0
refuse 3 "two.csv: a table of text, but the model has no recipe" bare two.csv
run 0 evaluate bare two
expect_status 0
expect_stdout '^0 +60 '
