# Sourced by tests/cli/test_*.sh, which CTest runs as: sh test_x.sh PATH_TO_DTRAIN
#
#   #!/bin/sh
#   . "$(dirname "$0")/harness.sh"
#   run 8 no-such-file.npz
#   expect_status 3
#   expect_one_stderr_line "dtrain: error: no-such-file.npz: "
#
# POSIX sh. The test stands in a fresh temporary folder, removed at its end (KEEP=1 keeps it). The
# first expectation that does not hold prints the command, its output and itself, and ends the test.
#
#   run NP ARGS...                runs dtrain on NP ranks (0: without mpirun); leaves ./stdout, ./stderr
#                                 and $status. A run that hangs ends the test after RUN_TIMEOUT (300)
#                                 seconds
#   expect_status N               the exit status is N
#   expect_stdout REGEX           a line of stdout matches (extended regular expression)
#   expect_no_stdout REGEX        none does
#   expect_stdout_line LINE       a whole line of stdout is LINE
#   expect_stderr REGEX, expect_no_stderr REGEX, expect_stderr_line LINE    likewise
#   expect_one_stderr_line TEXT   stderr is one line, and TEXT is in it (a fixed text)
#   expect_empty_stderr
#   expect_file PATH, expect_no_file PATH
#   expect_same_file A B
#   with_fault FAULT RANKS ARG... as run, with the program that lets calls fail; needs DTRAIN_FAULTS
#   keep_summary NAME             keeps the last run's summary for expect_same_run, except times and ranks
#   expect_same_run NAME FOLDER   it went well, its summary is the kept one, and its results in FOLDER are
#                                 those in the folder NAME, to the bit; needs need_python
#   summary KEY                   prints the value of the last run's `summary.KEY=` line
#   until_it WHAT CMD...          waits until CMD succeeds. WHAT describes the expected event. Fails after
#                                 RUN_TIMEOUT seconds
#   fail MESSAGE                  ends the test as failed
#   skip REASON                   ends it as skipped (exit 77); with DTRAIN_NO_SKIP=1 as failed
#   is_long                       succeeds if the long tests are to run (run.sh --all)
#   need_python MODULE...         sets $PYTHON to a python3 that has the modules, or skips
#   has_open_mpi REASON           succeeds unless dtrain is built with MPICH (run.sh --mpich); then REASON says
#                                 why the part that is left out holds under Open MPI only; run.sh prints it
#   ranks_report_death            has_open_mpi, for what the other ranks report if a rank dies
#   expect_job_status N           N is the exit status of mpirun if one rank ends with it, and mpirun kills the
#                                 others
#
# shellcheck shell=sh
set -eu

[ $# -eq 1 ] || { echo "usage: sh $0 PATH_TO_DTRAIN" >&2; exit 2; }
case $1 in
/*) DTRAIN=$1 ;;
*) DTRAIN=$PWD/$1 ;;
esac
[ -x "$DTRAIN" ] || { echo "$DTRAIN is not there" >&2; exit 1; }
TESTS=$(cd "$(dirname "$0")/.." && pwd) # the folder tests/, for what a test wants from there
harness_dtrain=$DTRAIN
export DTRAIN TESTS

# The same as in CMakeLists.txt, for a test run by hand.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
export OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_btl_vader_single_copy_mechanism=none
export HWLOC_COMPONENTS=-gl OPENBLAS_NUM_THREADS=1
export COLUMNS=200 # lines stay whole; test_options_columns.sh looks at the usual width
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=0:allocator_may_return_null=1}"
: "${RUN_TIMEOUT:=300}"

harness_folder=$(mktemp -d "${TMPDIR:-/tmp}/dtrain-cli.XXXXXX")
# All mpiruns of a host share a folder. Each mpirun, and each rank, removes it at its end if it is empty, and
# an mpirun that starts at that moment fails. This folder is never empty.
harness_sessions=$(mktemp -d "${TMPDIR:-/tmp}/dtrain-mpi.XXXXXX")
mkdir -p "$harness_sessions/ompi.$(uname -n | sed 's/\..*//').$(id -u)/kept"
export OMPI_MCA_orte_tmpdir_base="$harness_sessions" PRTE_MCA_prte_tmpdir_base="$harness_sessions"
harness_command='(nothing was run)'
status=0

harness_leave() {
    cd / || :
    rm -rf "$harness_sessions"
    if [ -n "${KEEP:-}" ]; then
        echo "kept: $harness_folder" >&2
    else
        # A test may have taken its own write permission away.
        chmod -R u+rwx "$harness_folder" 2>/dev/null || :
        rm -rf "$harness_folder"
    fi
}
trap harness_leave EXIT
trap 'exit 1' HUP INT TERM
cd "$harness_folder"

run() {
    harness_ranks=$1
    shift
    harness_command="$harness_ranks ranks: dtrain $*"
    status=0
    # -q: mpirun's own words about a non-zero exit status are not ours to test. KILL after TERM, since
    # a rank that hangs may catch the TERM.
    if [ "$harness_ranks" -eq 0 ]; then
        timeout -k 5 "$RUN_TIMEOUT" "$DTRAIN" "$@" </dev/null >stdout 2>stderr || status=$?
    else
        timeout -k 5 "$RUN_TIMEOUT" mpirun -q -np "$harness_ranks" "$DTRAIN" "$@" \
            </dev/null >stdout 2>stderr || status=$?
    fi
    own_words
    case $status in
    124 | 137) fail "finishes within $RUN_TIMEOUT seconds" ;;
    esac
}

# Keeps only dtrain's lines in ./stderr. mpirun's "setpgid(...) failed in parent" and "[warn] Epoll MOD(1) on
# fd 26 failed" come now and then, when a rank ends before mpirun has seen that, and mean nothing; nor does it
# matter if the counters of coverage find no room.
own_words() { sed -i -e '/setpgid/d' -e '/^\[warn\] Epoll /d' -e '/^libgcov profiling error/d' stderr; }

fail() {
    {
        echo "FAILED: $0: expected: $1"
        echo "-- command: $harness_command"
        echo "-- exit status: $status"
        echo "-- stdout:"
        [ ! -f stdout ] || tail -n 200 stdout
        echo "-- stderr:"
        [ ! -f stderr ] || tail -n 200 stderr
        show_more
    } >&2
    exit 1
}
show_more() { :; } # for the harnesses of other kinds

skip() {
    [ "${DTRAIN_NO_SKIP:-}" != 1 ] || fail "it need not be skipped: $1"
    echo "skipped: $1"
    exit 77
}

expect_status() { [ "$status" -eq "$1" ] || fail "exit status $1"; }
expect_stdout() { grep -Eq -e "$1" stdout || fail "a line of stdout that matches: $1"; }
expect_no_stdout() { ! grep -Eq -e "$1" stdout || fail "no line of stdout that matches: $1"; }
expect_stdout_line() { grep -Fxq -e "$1" stdout || fail "this line in stdout: $1"; }
expect_stderr() { grep -Eq -e "$1" stderr || fail "a line of stderr that matches: $1"; }
expect_no_stderr() { ! grep -Eq -e "$1" stderr || fail "no line of stderr that matches: $1"; }
expect_stderr_line() { grep -Fxq -e "$1" stderr || fail "this line in stderr: $1"; }
expect_empty_stderr() { [ ! -s stderr ] || fail "nothing on stderr"; }
expect_file() { [ -e "$1" ] || fail "$1 is there"; }
expect_no_file() { [ ! -e "$1" ] || fail "$1 is not there"; }
expect_same_file() { cmp -s "$1" "$2" || fail "$1 and $2 are the same"; }

expect_one_stderr_line() {
    [ "$(wc -l <stderr)" -eq 1 ] || fail "exactly one line on stderr, with: $1"
    grep -Fq -e "$1" stderr || fail "this in the one line on stderr: $1"
}

until_it() {
    harness_tries=$((RUN_TIMEOUT * 10)) harness_what=$1
    shift
    until "$@"; do
        [ "$harness_tries" -gt 0 ] || fail "within $RUN_TIMEOUT seconds: $harness_what"
        sleep 0.1
        harness_tries=$((harness_tries - 1))
    done
}

with_fault() {
    harness_real=$DTRAIN DTRAIN=$DTRAIN_FAULTS DTRAIN_FAULT=$1
    export DTRAIN_FAULT
    shift
    run "$@"
    unset DTRAIN_FAULT
    DTRAIN=$harness_real
}

keep_summary() {
    grep '^summary\.' stdout | grep -vE '(folder|ranks|samples_per_second)=' >"$1.summary"
}

expect_same_run() {
    expect_status 0
    keep_summary now
    expect_same_file now.summary "$1.summary"
    "$PYTHON" "$TESTS/cli/compare_runs.py" "$1" "$2" >wrong 2>&1 || fail "the same results: $(cat wrong)"
    expect_no_file "$2/checkpoint.h5"
    harness_left=$(find "$2" -name '*.tmp')
    [ -z "$harness_left" ] || fail "no temporary file is left, found $harness_left"
}

summary() {
    grep -q -e "^summary\.$1=" stdout || fail "a line summary.$1= in stdout"
    sed -n "s/^summary\.$1=//p" stdout
}

is_long() { [ "${DTRAIN_LONG:-}" = 1 ]; }

is_mpich() {
    case $("$harness_dtrain" --version) in
    *MPICH*) ;;
    *) return 1 ;;
    esac
}

has_open_mpi() {
    is_mpich || return 0
    echo "left out under MPICH: $(basename "$0" .sh): $1"
    return 1
}

ranks_report_death() { has_open_mpi "mpiexec of MPICH kills the other ranks before they can report a dead one"; }

# mpiexec of MPICH combines by OR what wait() gives it for each rank.
expect_job_status() {
    if is_mpich; then
        [ $((status & $1 & 127)) -eq $(($1 & 127)) ] || fail "exit status $1, combined with others"
    else
        expect_status "$1"
    fi
}

need_python() {
    # A python3 earlier in PATH may lack what the system's has.
    harness_imports=$(echo "$*" | tr ' ' ',')
    for PYTHON in "${PYTHON:-}" python3 /usr/bin/python3; do
        if [ -n "$PYTHON" ] && "$PYTHON" -c "import $harness_imports" 2>/dev/null; then
            export PYTHON
            return
        fi
    done
    skip "needs python3 with $*"
}
