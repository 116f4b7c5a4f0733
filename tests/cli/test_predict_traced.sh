#!/bin/sh
# predict prints the row numbers and ids that prepare wrote beside the inputs, of arrays in all forms;
# evaluate takes two .npy files.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy pandas h5py

# Several batches for three ranks; keys with all that a CSV can hold.
"$PYTHON" - <<'END'
import csv
import random
random.seed(4)
texts = ["plain", "with, comma", 'with "quotes"', " blanks ", "0012", "ünï"]
with open("table.csv", "w", newline="") as file:
    out = csv.writer(file, lineterminator="\n")
    out.writerow(["client, no", "number", "age", "fare", "class"])
    for i in range(9000):
        age, fare = random.randint(1, 90), random.randint(1, 60)
        out.writerow([f"{texts[i % 6]} {i}", 10**17 + 3 * i, age, fare, "yes" if age + fare > 60 else "no"])
END
run 0 prepare table.csv --target class --id "client, no" --drop number --validation-split 0.1 --test-split 0.7 \
    --out set-text --quiet
expect_status 0
run 0 prepare table.csv --target class --id number --drop '"client, no"' --validation-split 0.1 --test-split 0.7 \
    --out set-number --quiet
expect_status 0
run 0 set-text --epochs 1 --out text --quiet
expect_status 0
run 0 set-number --epochs 1 --out number --quiet
expect_status 0

"$PYTHON" - <<'END'
import h5py
import numpy as np
arrays = dict(np.load("set-text/test.npz"))
with h5py.File("test.h5", "w") as file:
    for name, array in arrays.items():
        file["test/" + name] = array.astype(object) if array.dtype.kind == "U" else array
np.savez("plain.npz", inputs=arrays["inputs"])
np.savez("big.npz", inputs=arrays["inputs"], row=arrays["row"].astype(">i8"))
np.savez("odd.npz", inputs=arrays["inputs"], row=arrays["row"] + 0.5, id=arrays["id"][:7])
np.savez("sets.npz", x_test=arrays["inputs"], row_test=arrays["row"], x_train=arrays["inputs"][:9], y_train=arrays["targets"][:9],
         row_train=np.arange(9))
np.save("x_val.npy", arrays["inputs"])
np.save("y_val.npy", arrays["targets"])
END
predicts() {
    run "$1" predict "$2" "$3" --out "$4.csv" --quiet
    expect_status 0
    [ -n "${5:-}" ] || expect_empty_stderr
}
predicts 0 text set-text/test.npz one
predicts 3 text set-text/test.npz three
expect_same_file one.csv three.csv
predicts 3 text test.h5 h5
expect_same_file one.csv h5.csv
predicts 2 number set-number/test.npz number
predicts 0 text plain.npz plain
predicts 2 text big.npz big
predicts 2 text sets.npz sets
expect_same_file big.csv sets.csv
predicts 2 text odd.npz odd warns
expect_stderr '^dtrain: warning: odd.npz: row is not printed, because it does not have a whole number for each of [0-9]+ rows$'
expect_stderr '^dtrain: warning: odd.npz: id is not printed, because it does not have a whole number or a short text for each of'
expect_same_file plain.csv odd.csv
run 2 predict text set-text/test.npz --brief
expect_status 0
cp stdout brief.csv
run 2 predict text set-text --set validation --out validation.csv --quiet
expect_status 0
"$PYTHON" - >wrong 2>&1 <<'END' || fail "each row's number and id: $(cat wrong)"
import numpy as np
import pandas as pd
def read(name): return pd.read_csv(name, dtype=str, keep_default_na=False)
table, plain, one, number = (read(f"{name}.csv") for name in ("table", "plain", "one", "number"))
rows = np.load("set-text/test.npz")["row"]
assert len(rows) > 6000 and list(one["row"].astype(int)) == list(rows)
assert list(one.columns) == ["client, no", *plain.columns]
assert list(one["client, no"]) == list(np.load("set-text/test.npz")["id"])
assert list(one["client, no"]) == list(table["client, no"].iloc[rows - 1].str.strip())
assert one.drop(columns=["client, no", "row"]).equals(plain.drop(columns="row"))
assert list(plain["row"].astype(int)) == list(range(1, len(rows) + 1))
assert list(number["number"]) == list(table["number"].iloc[number["row"].astype(int) - 1])
assert read("brief.csv").equals(one[["client, no", "class"]])
assert read("big.csv").equals(one.drop(columns="client, no"))
assert list(read("validation.csv")["row"].astype(int)) == list(np.load("set-text/validation.npz")["row"])
END

# ---- two .npy files ----
run 0 evaluate text set-text/test.npz
expect_status 0
sed 's/^data .*//' stdout >expected
run 2 evaluate text x_val.npy y_val.npy
expect_status 0
expect_empty_stderr
expect_stdout '^data +x_val.npy, x_val: [0-9]+ rows'
sed 's/^data .*//' stdout | cmp -s - expected || fail "the evaluation of the .npz"
run 0 evaluate text x_val.npy
expect_status 3
expect_stderr "error: x_val.npy: contains only x_val .6300,2."
run 0 evaluate text x_val.npy y_val.npy --set train
expect_status 2
expect_one_stderr_line "--set train was given, but x_val.npy has no sets to choose from"
for words in "x_val.npy set-text" "set-text y_val.npy"; do
    # shellcheck disable=SC2086 # words
    run 0 evaluate text $words
    expect_status 2
    expect_one_stderr_line "dtrain evaluate requires a model and data, but found 3 words"
done
run 0 predict text x_val.npy y_val.npy
expect_status 2
