#!/bin/sh
# Options that are right: from the command line, from --config FILE, and both.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("some")'

# recorded FOLDER NAME VALUE...: /config has these.
recorded() {
    "$PYTHON" - "$@" <<'PY' >wrong || fail "$(cat wrong)"
import sys
import h5py
config = h5py.File(f"{sys.argv[1]}/run.h5", "r")["config"].attrs
for name, value in zip(sys.argv[2::2], sys.argv[3::2]):
    if str(config[name]) != value:
        sys.exit(print(f"{sys.argv[1]}: /config {name} is {value}, found {config[name]}") or 1)
PY
}

# Comments, blank lines, spaces or none, Windows line ends, no newline at the end.
printf '# the run of Tuesday\n\n  hidden=7, 3\nbatch = 40\t# rows\r\nseed =9\r\nno-restore-best = yes\nepochs = 2' >plain.txt
run 0 --quiet --config plain.txt --out plain some
expect_status 0
expect_empty_stderr
recorded plain hidden 7,3 batch 40 seed 9 no_restore_best 1 epochs 2 patience 2

# The command line wins, wherever it stands; what it does not name comes from the file.
for order in before after; do
    case $order in
    before) run 2 --batch 60 --no-restore-best=no --config plain.txt --out "$order" --quiet some ;;
    after) run 2 --quiet --config plain.txt --out "$order" some --no-restore-best=no --batch=60 ;;
    esac
    expect_status 0
    recorded "$order" batch 60 no_restore_best 0 hidden 7,3 seed 9
done
"$PYTHON" "$TESTS/cli/compare_runs.py" before after >wrong || fail "the same options: $(cat wrong)"

# The same by name and by file is the same run; `train` may be said; -- ends the options.
run 1 train --quiet --hidden 7,3 --batch 40 --seed 9 --no-restore-best --epochs 2 --out named -- some
expect_status 0
"$PYTHON" "$TESTS/cli/compare_runs.py" plain named >wrong || fail "the same options: $(cat wrong)"

# A file that is empty, and one option given twice: the last counts.
: >nothing.txt
run 0 --quiet --config nothing.txt --epochs 5 --epochs 1 --out twice some
expect_status 0
recorded twice epochs 1 batch 100

# The file's --quiet and --out are obeyed too.
printf 'quiet = yes\nout = from/file\nepochs = 1\n' >quiet.txt
run 2 --config quiet.txt some
expect_status 0
expect_file from/file/run.h5
expect_no_file results
expect_no_stdout '^epoch'
expect_no_stdout '^job'

# A split is for data without the set.
run 0 --validation-split 0.2 --epochs 1 some
expect_status 2
expect_one_stderr_line "--validation-split was given, but the data has a validation set already"
run 3 --test-split 0.2 --epochs 1 some
expect_status 2
expect_one_stderr_line "--test-split was given, but the data has a test set already"
printf 'validation-split = 0.2\n' >split.txt
run 0 --config split.txt --epochs 1 some
expect_status 2
expect_one_stderr_line "--validation-split was given, but the data has a validation set already"
run 0 --quiet --validation-split 0.9 --test-split 0 --epochs 1 --out ninety some-train.npz
expect_status 0
# A refused command leaves no folder: the next one would go to results/some-2.
expect_no_file results
# If the data has a test set, nine tenths for validation leave a tenth for training.
rm some-validation.npz
run 0 --quiet --validation-split 0.9 --epochs 1 --out own-test some
expect_status 0
