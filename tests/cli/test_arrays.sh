#!/bin/sh
# Arrays by the names that people give them, in .npz and .npy: the same weights as of the plain names.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy
"$PYTHON" - <<'END'
import os

import numpy as np

rng = np.random.default_rng(11)
x = rng.normal(size=(360, 4)).astype("f4")
y = (x[:, 1] > 0.1).astype("u1")
parts = {"train": slice(0, 200), "val": slice(200, 280), "test": slice(280, 360)}


def save(file, form, words=("train", "val", "test"), names="xy"):
    np.savez(file, **{form.format(set=word, name=name): (x, y)[i][rows]
                      for word, rows in zip(words, parts.values()) for i, name in enumerate(names)})


save("plain", "{name}_{set}")
save("first", "{set}_{name}", names=("images", "labels"))
save("slash", "{set}/{name}", ("training", "dev", "testing"), ("Data", "Target"))
save("glued", "{name}{set}", ("Train", "Valid", "Test"), ("X", "Y"))
save("own", "{set}.{name}", names=("pixels", "kinds"))
np.savez("guess.npz", *[array[rows] for array in (x, y) for rows in parts.values()])
for folder, form in (("npy", "{name}_{set}.npy"), ("pair", "{name}.npy")):
    os.makedirs(folder)
    for i, name in enumerate("Xy"):
        for word, rows in parts.items():
            np.save(f"{folder}/" + form.format(name=name, set=word), (x, y)[i][rows])
np.savez("odd.npz", a=x, b=x, c=y)
np.savez("lost.npz", x_train=x, y_train=y, x_test=x[:9])
END

# alike RANKS ARGUMENTS...: trains to the weights, and has the test set, of plain.npz.
alike() {
    run "$@" --quiet --epochs 2 --out run --force
    expect_status 0
    found="$(summary weights_crc) $(summary test_loss)"
    [ "$found" = "${expected:=$found}" ] || fail "the weights and test loss of plain.npz: $expected"
}
alike 0 plain.npz
for file in first slash glued; do
    alike 0 $file.npz
    expect_empty_stderr
done
alike 3 own.npz --inputs pixels --targets kinds
alike 0 own.npz --inputs train.pixels --targets train.kinds
expect_empty_stderr
alike 0 npy
alike 2 npy/X_train.npy npy/y_train.npy npy/X_val.npy npy/y_val.npy npy/X_test.npy npy/y_test.npy
expect_empty_stderr
alike 0 guess.npz
expect_one_stderr_line "guess.npz: by their shapes, arr_0 and arr_3 are the train set, arr_1 and arr_4 are the validation set"

run 0 lost.npz --out lost --quiet --epochs 1
expect_status 0
expect_one_stderr_line "lost.npz: x_test is not used, because it has no targets"
run 0 pair/X.npy pair/y.npy --out pair/run --quiet --epochs 1
expect_status 0
run 0 evaluate run pair --quiet
expect_status 0
run 0 predict run npy/X_train.npy
expect_status 0
[ "$(wc -l <stdout)" = 201 ] || fail "200 rows"
run 0 evaluate run first.npz --inputs images --targets labels --set train --quiet
expect_stdout_line "summary.rows=200"
run 0 pair/X.npy --out no
expect_status 3
expect_one_stderr_line "pair/X.npy: contains only X [80,4]; inputs and targets must be in one .npz as x and y, or in one folder"
run 0 pair/X.npy pair/X.npy --out no
expect_status 3
expect_one_stderr_line "have the same name"
alike 0 own.npz # there are no other arrays
expect_one_stderr_line "own.npz: by their shapes, train.pixels and train.kinds are the train set, val.pixels"
run 0 odd.npz --out no
expect_status 3
expect_one_stderr_line "odd.npz: no arrays that fit together as inputs and targets; it contains a [360,4], b [360,4], c [360]: use --inputs a"
