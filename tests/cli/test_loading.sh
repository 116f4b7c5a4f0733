#!/bin/sh
# Every way to hand over the same data gives the same weights.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" "$TESTS/cli/make_loading_data.py"

# loads RANKS ARGUMENTS...: trains, prints nothing on stderr; leaves $crc.
loads() {
    run "$@" --quiet --epochs 2 --batch 32
    expect_status 0
    expect_empty_stderr
    crc=$(summary weights_crc)
}
# alike RANKS ARGUMENTS...: and to the weights of three-{train,validation,test}.npz.
alike() {
    loads "$@"
    [ "$crc" = "$expected" ] || fail "summary.weights_crc=$expected, as of the same numbers elsewhere"
    [ "$(summary val_loss),$(summary test_loss)" = "$losses" ] || fail "the same val_loss and test_loss"
}

loads 1 three
expected=$crc
losses=$(summary val_loss),$(summary test_loss)
alike 3 three

# ---- how the numbers are stored ----
for form in deflated fortran pandas half double big big-half column fortran-column one-hot \
    one-hot-fortran one-hot-bool image image-fortran piped zip64; do
    alike 0 "$form"
done
for form in pandas image-fortran one-hot-fortran piped; do
    alike 5 "$form"
done

# ---- which files and which names ----
alike 0 three-train.npz three-validation.npz three-test.npz
alike 0 fortran-train.npz three-validation.npz double-test.npz
alike 0 ./three
alike 0 "$PWD/three"
alike 0 folder
alike 0 folder/
alike 0 named
alike 0 named/some-data
alike 0 below
alike 0 dots
alike 0 short
alike 0 bunch
alike 0 all-val-x.npz
alike 3 all-valid-X.npz
alike 0 all-validation-x.npz
alike 0 --inputs alpha --targets beta odd
alike 2 odd-train.npz odd-validation.npz odd-test.npz --targets beta --inputs alpha
mkdir "with space"
cp folder/*.npz "with space"
alike 0 "with space"
expect_stdout_line "summary.folder=results/with space"

# ---- more rows than are read at a time, split on the way ----
expected=""
for form in long long-fortran long-pandas long-cube; do
    run 3 --quiet --epochs 1 --batch 20000 "$form.npz"
    expect_status 0
    found="$(summary weights_crc) $(summary val_loss) $(summary test_loss)"
    [ "${expected:=$found}" = "$found" ] || fail "crc, val_loss and test_loss: $expected"
done
run 1 --quiet --epochs 1 --batch 20000 long-cube.npz
[ "$(summary weights_crc) $(summary val_loss) $(summary test_loss)" = "$expected" ] ||
    fail "crc, val_loss and test_loss: $expected"
