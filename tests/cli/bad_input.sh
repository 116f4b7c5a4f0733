# Sourced by test_bad_input.sh and test_bad_rows.sh, after harness.sh: the bad files, and bad().
#
# shellcheck shell=sh
need_python numpy
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -W ignore "$TESTS/cli/make_bad_data.py"

# bad RANKS TEXT ARGUMENTS...: TEXT is in the line, after the first argument as the file's name.
bad() {
    bad_ranks=$1
    bad_text=$2
    shift 2
    run "$bad_ranks" "$@"
    expect_status 3
    expect_one_stderr_line "$bad_text"
    expect_stderr "^dtrain: error: $1"
    expect_no_stdout '^(epoch|summary\.)'
    [ -z "$(find . -name '*.h5' -o -name '*.tmp')" ] || fail "no results: $(find . -name '*.h5*')"
}
