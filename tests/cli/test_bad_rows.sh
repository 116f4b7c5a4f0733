#!/bin/sh
# Bad rows, labels and numbers in sound files: exit status 3, one line that says where.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
# shellcheck source-path=SCRIPTDIR source=bad_input.sh
. "$TESTS/cli/bad_input.sh"

# ---- shapes ----
bad 0 "inputs has 80 rows, but targets has 79" rows.npz
bad 3 "inputs has 80 rows, but targets has 79" rows.npz
bad 0 "inputs has 0 rows" no-rows.npz
bad 0 "inputs has 0 columns" no-columns.npz
bad 0 "inputs is a single number" number.npz
bad 0 "targets has 3 dimensions" cube-targets.npz

# ---- labels ----
bad 0 "targets: row 17 is -1;" negative-label.npz
bad 3 "targets: row 17 is -1;" negative-label.npz
bad 0 "targets: row 17 is 0.5;" fractional-label.npz
bad 0 "targets: row 17 is nan;" nan-label.npz
bad 0 "targets: row 17 is " infinite-label.npz
bad 0 "targets: row 17 is class 1099511627776;" huge-label.npz
bad 0 "every row is class 1" one-class.npz
bad 3 "every row is class 1" one-class.npz
bad 0 "targets: row 17 is not one-hot" one-hot-two.npz
bad 0 "targets: row 17 is not one-hot" one-hot-none.npz
bad 0 "targets: row 17 is not one-hot" one-hot-soft.npz

# ---- numbers that are none ----
bad 0 "inputs: row 42, column 3 is NaN" nan.npz
bad 3 "inputs: row 42, column 3 is NaN" nan.npz
bad 0 "inputs: row 79, column 0 is infinite" infinity.npz
bad 0 "inputs: row 5, column 1 is NaN" half-nan.npz
bad 0 "inputs: row 6, column 2 is beyond the range of float32" too-large.npz
bad 3 "inputs: row 42, column 3 is NaN" nan-fortran.npz
bad 0 "inputs: row 42, column 17 is NaN" nan-image.npz
bad 0 "inputs: row 42, column 17 is NaN" nan-image-fortran.npz
bad 3 "inputs: row 299998, column 1 is NaN" nan-late.npz
bad 3 "inputs: row 299998, column 1 is NaN" nan-late-fortran.npz

# ---- sets that do not fit together ----
bad 0 "columns-validation.npz: inputs has 5 columns, but the training set has 4" columns
bad 3 "columns-validation.npz: inputs has 5 columns, but the training set has 4" columns
bad 0 "classes-validation.npz: targets: row 3 is class 2, but the training set's classes are 0 to 1" \
    classes
bad 3 "row 3 is class 2" classes
bad 0 "wide-test.npz: targets: row 3 is class 2, but" wide
bad 3 "late-test.npz: inputs: row 19, column 2 is NaN" late

# A try that failed must not make the next one go to results/NAME-2.
expect_no_file results
