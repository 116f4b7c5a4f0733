#!/bin/sh
# Labels of .npz that are not 0, 1, 2 ...: they become classes with names.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
"$PYTHON" - <<'END'
import numpy as np

rng = np.random.default_rng(5)
x = rng.normal(size=(400, 3)).astype("f4")
k = (x[:, 0] > -0.4).astype(int) + (x[:, 0] > 0.6)
words = np.array(["birch", "oak", "élm"])
forms = {"plain": k, "from-1": k + 1, "negative": np.array([-7, 0, 7], "i2")[k],
         "gaps": np.array([2, 3, 40])[k], "whole": (k + 1).astype("f8"), "column": (k + 5)[:, None],
         "large": k * 10**12, "numerals": np.array(["2", "3", "11"])[k],
         "text": words[np.array([0, 2, 1])[k]], "other-end": words[k].astype(">U9"),
         "bytes": np.char.encode(words, "utf-8")[k], "latin": np.char.encode(words, "latin-1")[k]}
for name, y in forms.items():
    np.savez(f"{name}.npz", x=x, y=y)
np.savez("bool.npz", x=x, y=k > 1)
np.savez("few.npz", x=x[k > 0], y=k[k > 0] + 1)  # without class 1
np.savez("strange.npz", x=x, y=k + 2)  # class 4 is not one of from-1's
np.savez("objects.npz", x=x, y=words[k].astype(object))
np.savez("blank.npz", x=x, y=np.array(["a", "", "b"])[k])
np.savez("amounts.npz", x=x, y=1000 + 3 * rng.permutation(400))
np.savez("counted.npz", x=x, y=rng.permutation(400))
np.savez("ages.npz", x=x, y=np.arange(400) % 21 + 18)
np.savez("words.npz", x=words[k].reshape(-1, 1).repeat(2, 1), y=k)
np.savez("kept.npz", x_train=x[:200], y_train=k[:200] + 1, x_val=x[200:], y_val=np.full(200, 9))
END

# names FILE NAMES WEIGHTS: trains to the weights of the same classes as ids; the names are in all results.
names() {
    run 0 "$1.npz" --out "$1" --epochs 3 --learning-rate 0.05
    expect_status 0
    expect_empty_stderr
    [ "$2" = 0,1,2 ] || expect_stdout "^data .* classes: $(echo "$2" | sed 's/,/, /g')\$"
    [ -z "$3" ] || [ "$(summary weights_crc)" = "$3" ] || fail "the weights of ids"
    crc=$(summary weights_crc)
    run 0 predict "$1" "$1.npz"
    expect_stdout_line "row,class,p_$(echo "$2" | sed 's/,/,p_/g')"
    [ -z "$3" ] || return 0
    run 0 evaluate "$1" "$1.npz"
    expect_status 0
    for name in $(echo "$2" | tr , ' '); do
        expect_stdout "^$name +[0-9]+ "
    done
    NAMES=$2 "$PYTHON" -c "import h5py, os
with h5py.File('$1/run.h5') as run:
    assert [name.decode() for name in run['data/class_names'][()]] == os.environ['NAMES'].split(',')"
}
names plain 0,1,2 ""
plain=$crc
for form in from-1=1,2,3 negative=-7,0,7 gaps=2,3,40 whole=1,2,3 column=5,6,7 \
    large=0,1000000000000,2000000000000 numerals=2,3,11; do
    names "${form%=*}" "${form#*=}" "$plain"
done
for form in text other-end bytes latin; do
    names $form birch,oak,élm ""
done
names bool False,True ""
run 0 predict gaps gaps.npz --out gaps-said.npz --quiet
"$PYTHON" -c "import numpy as np
assert set(np.load('gaps-said.npz')['predicted']) == {2, 3, 40}"
run 3 gaps.npz --out gaps-3 --epochs 3 --learning-rate 0.05 --class-weight 2=1,40=1 --quiet
expect_status 0
[ "$(summary weights_crc)" = "$plain" ] || fail "the weights of ids"
expect_stdout_line "summary.status=ok"
run 0 report gaps
expect_stdout "^ *40 "

# ---- a model knows its classes by their names ----
run 0 few.npz --init-from from-1 --out more --epochs 1 --quiet
expect_status 0
expect_one_stderr_line "warning: 1 of 3 classes have no training rows, the first is class '1'"
run 0 predict more few.npz
expect_stdout_line "row,class,p_1,p_2,p_3"
run 0 strange.npz --init-from from-1 --out no
expect_status 3
expect_one_stderr_line "the data has the class '4', but the model's classes are 1, 2, 3"
run 0 evaluate from-1 strange.npz
expect_status 3
expect_one_stderr_line "strange.npz: y: row "
expect_stderr "is class 4, but the training set's classes are 1, 2, 3$"
run 0 evaluate bool plain.npz
expect_status 3
run 0 export text --to text.keras
run 0 evaluate text.keras text.npz --quiet
expect_status 0

# ---- refused ----
refuses() {
    run 0 "$1.npz" --out no
    expect_status 3
    expect_one_stderr_line "$2"
    expect_no_file no
}
refuses objects "found pickled Python objects (dtype '|O'); save it again with dtype=float32, labels with .astype(str)"
refuses blank "blank.npz: y: row "
expect_stderr "has no label \(''\); remove such rows$"
refuses words "words.npz: array 'x': expected numbers, found strings"
refuses amounts "amounts.npz: y has 400 different labels in 400 rows; use --task classification for classes, or --task regression for values"
refuses counted "counted.npz: y has 400 different labels in 400 rows; use --task classification"
refuses kept "y_val: row 0 is class 9, but the training set's classes are 1, 2, 3"
run 0 text.npz --task regression --out no
expect_status 3
expect_one_stderr_line "text.npz: y is text, but the targets have to be values"
run 0 amounts.npz --task regression --out amounts --epochs 1 --quiet
expect_status 0

# ---- what may be values ----
run 0 ages.npz --out ages --epochs 1 --quiet
expect_status 0
expect_one_stderr_line "ages.npz: y has 21 whole numbers, which are used as classes; use --task regression to predict a quantity, or --task classification to confirm"
run 0 ages.npz --task classification --out ages --force --epochs 1 --quiet
expect_status 0
expect_empty_stderr
