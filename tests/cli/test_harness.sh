#!/bin/sh
# The harness itself: each expectation must be able to fail. A stand-in takes dtrain's place.
harness=$(cd "$(dirname "$0")" && pwd)/harness.sh
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$harness"

cat >stand-in <<'END'
#!/bin/sh
case ${1:-} in
sleep) exec sleep 30 ;;
--version) echo "${LIBRARY:-Open MPI 4}" && exit ;;
esac
[ "${OMPI_COMM_WORLD_RANK:-0}" -eq 0 ] || exit "${1:-0}"
echo "one"; echo "summary.epochs=12"; echo "two words" >&2
[ "${2:-}" != twice ] || echo "more" >&2
exit "${1:-0}"
END
chmod +x stand-in

# tries EXPECTED_STATUS EXPECTED_TEXT LINES: runs LINES as a test of their own.
tries() {
    printf '. "%s"\n%s\n' "$harness" "$3" >inner.sh
    harness_got=0
    sh inner.sh "$PWD/stand-in" >inner.out 2>&1 || harness_got=$?
    # shellcheck disable=SC2034 # fail prints it
    harness_command="sh inner.sh: $3"
    cp inner.out stdout
    [ "$harness_got" -eq "$1" ] || fail "the inner test ends with $1 (found $harness_got)"
    [ -z "$2" ] || grep -Fq -e "$2" inner.out || fail "the inner test prints: $2"
}
holds() { tries 0 "" "$1"; }
fails() { tries 1 "FAILED: inner.sh: expected: " "$1"; }

# The lines hold variables of the inner test.
# shellcheck disable=SC2016
{
    holds 'run 0 3; expect_status 3; expect_stdout "^on[e]$"; expect_stdout_line one; expect_no_stdout two
           expect_stderr "^two"; expect_stderr_line "two words"; expect_no_stderr one
           expect_one_stderr_line "two w"; expect_file stdout; expect_no_file x; expect_same_file stdout stdout
           [ "$(summary epochs)" = 12 ]'
    holds 'run 2 3; expect_status 3; expect_one_stderr_line "two words"'
    holds 'run 1; expect_status 0'
    fails 'run 0 3; expect_status 0'
    fails 'run 2 3; expect_status 4'
    fails 'run 0; expect_stdout two'
    fails 'run 0; expect_no_stdout one'
    fails 'run 0; expect_stdout_line on'
    fails 'run 0; expect_stderr one'
    fails 'run 0; expect_no_stderr two'
    fails 'run 0; expect_stderr_line two'
    fails 'run 0; expect_empty_stderr'
    fails 'run 0; expect_one_stderr_line one'
    fails 'run 0 0 twice; expect_one_stderr_line two'
    fails 'run 0; expect_file x'
    fails 'run 0; expect_no_file stdout'
    fails 'run 0; expect_same_file stdout stderr'
    fails 'run 0; summary loss'
    fails 'x=$(run 0; summary loss)'
    tries 1 "finishes within 1 seconds" 'RUN_TIMEOUT=1; run 0 sleep'
    tries 1 "finishes within 1 seconds" 'RUN_TIMEOUT=1; run 2 sleep'
    tries 1 "-- exit status: 3" 'run 0 3; fail "something else"'
    tries 77 "skipped: no reason" 'unset DTRAIN_NO_SKIP; skip "no reason"'
    tries 1 "it need not be skipped: no reason" 'DTRAIN_NO_SKIP=1; skip "no reason"'
    tries 77 "skipped: needs python3 with sys no_such_module" 'unset DTRAIN_NO_SKIP; need_python sys no_such_module'
    holds 'need_python sys; "$PYTHON" -c "import sys"'
    holds 'has_open_mpi "no reason"; run 0 143; expect_job_status 143'
    fails 'run 0 15; expect_job_status 143'
    tries 1 "left out under MPICH: inner: no reason" 'export LIBRARY="MPICH 4"; has_open_mpi "no reason"'
    holds 'export LIBRARY="MPICH 4"; run 0 9; expect_job_status 1'
    fails 'export LIBRARY="MPICH 4"; run 0 8; expect_job_status 1'
}
