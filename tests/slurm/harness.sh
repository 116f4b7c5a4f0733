# Sourced by tests/slurm/test_*.sh, which CTest runs as: sh test_x.sh PATH_TO_DTRAIN
#
# All of tests/cli/harness.sh, and a Slurm of the test's own, taken down at its end. The test's folder has
# jobs/, as a project has, and its jobs run the program under test.
#
#   start_slurm NODES CPUS LINE...  with these lines of slurm.conf; skips the test where this machine does
#                                   not give what it takes
#   submit ARGS...                  sbatch; prints the job's id
#   wait_for_job ID                 until the job has ended for good, or the job array all its jobs
#   wait_for_line ID REGEX          until a line of the job's log matches
#   job_fact ID NAME                what Slurm knows of a job: JobState, Restarts, StdOut, NodeList ...
#   job_state ID                    its JobState: PENDING, RUNNING, COMPLETED, FAILED, CANCELLED ...
#   expect_job ID STATE [STATUS]    it ended so, and its log is now ./stdout, which all expectations look at
#   expect_one_error TEXT           ./stdout has one error of dtrain or of a job script, no warning, and TEXT is in it
#   reference NAME NP ARGS...       a run without Slurm, for expect_same_run
#   expect_same_as NAME FOLDER      as expect_same_run, of the run that ./stdout ends with
#   expect_epochs N                 ./stdout has the lines of epochs 1 to N, in order, each once
#   slow_down                       from now on a step takes 2 ms longer, so that a run does not end before it
#                                   is held, however fast the machine is
#   hold ID                         stops the job's ranks, so that the run does not end before something happens
#   release ID                      lets them go on, once USR1 has reached each of them
#
# shellcheck shell=sh source-path=SCRIPTDIR/../cli source=harness.sh
. "$(dirname "$0")/../cli/harness.sh"

# A job around these tests must not affect them.
for harness_name in $(env | sed -n 's/^\(S\(LURM\|BATCH\)_[A-Z_]*\|DTRAIN_[A-Z_]*\|LAUNCHER\)=.*/\1/p'); do
    case $harness_name in
    DTRAIN_NO_SKIP | DTRAIN_LONG | DTRAIN_FAULTS) ;;
    *) unset "$harness_name" ;;
    esac
done
ln -s "$TESTS/../jobs" jobs
# With its own name, so that its processes differ from those of other tests.
ln -s "$DTRAIN" dtrain
: "${DTRAIN_FAULTS:=$(dirname "$DTRAIN")/tests/dtrain-faults}"
DTRAIN=$harness_folder/dtrain

slurm_leave() {
    trap '' HUP INT TERM # ctest sends more than one
    [ ! -d "$harness_folder/slurm" ] || bash "$TESTS/slurm/slurm.sh" down "$harness_folder/slurm" || :
    harness_leave
}
trap slurm_leave EXIT

start_slurm() {
    bash "$TESTS/slurm/slurm.sh" up "$harness_folder/slurm" "$@" >exports 2>stderr && status=0 || status=$?
    [ "$status" -ne 77 ] || skip "$(tail -n 1 stderr)"
    [ "$status" -eq 0 ] || fail "Slurm starts"
    eval "$(cat exports)"
    rm -f exports stderr
    # ctest kills a test that takes too long, and all below it, with a signal that no trap sees.
    # shellcheck disable=SC2016
    (setsid sh -c 'while kill -0 "$1" 2>/dev/null; do sleep 2; done
        [ ! -d "$3" ] || bash "$2" down "$3"' watch $$ "$TESTS/slurm/slurm.sh" "$harness_folder/slurm" \
        </dev/null >/dev/null 2>&1 &)
}

submit() {
    harness_command="sbatch $*"
    sbatch --parsable "$@" 2>stderr || fail "the job is taken"
}

job_fact() { scontrol show job "$1" | sed -n "s|^\(.* \)\{0,1\}$2=\([^ ]*\).*|\2|p"; }
job_state() { job_fact "$1" JobState; }

has_ended() { [ -z "$(squeue -h -j "$1" -o %i 2>/dev/null)" ]; }
has_line() { grep -Eqs -e "$2" "$(job_fact "$1" StdOut)"; }
wait_for_job() { until_it "job $1 has ended" has_ended "$1"; }
wait_for_line() { until_it "job $1 writes: $2" has_line "$1" "$2"; }

show_more() {
    squeue -a -o '%i %j %T %r %N' >&2 || :
    tail -n 20 ./*.log >&2 || : # there may be none
}

expect_job() {
    cat "$(job_fact "$1" StdOut)" >stdout
    : >stderr
    harness_command="job $1"
    status=$(job_fact "$1" ExitCode)
    status=${status%:*}
    harness_state=$(job_state "$1")
    [ "$harness_state $status" = "$2 ${3:-$status}" ] || fail "job $1 is $2 ${3:-}, found $harness_state $status"
}

# Each line that has the mark of a message of dtrain's or of a job script's is one.
expect_one_error() {
    [ "$(grep -Ec '^(dtrain|[a-z]+\.sbatch): (error|warning): ' stdout)" -eq 1 ] || fail "exactly one error, with: $1"
    grep -E '^(dtrain|[a-z]+\.sbatch): error: ' stdout | grep -Fq -e "$1" || fail "this in the one error: $1"
}

reference() {
    harness_name=$1
    shift
    run "$@" --out "$harness_name"
    expect_status 0
    keep_summary "$harness_name"
}

expect_same_as() {
    # Of a run that was stopped and went on there is more than one summary.
    awk '/^summary\.folder=/ { n = 0 } { line[n++] = $0 } END { for (i = 0; i < n; i++) print line[i] }' \
        stdout >last-part
    cp stdout whole-log
    mv last-part stdout
    expect_same_run "$1" "$2"
    mv whole-log stdout
}

expect_epochs() {
    sed -n 's/^epoch *\([0-9]*\)\/.*/\1/p' stdout >epochs
    seq "$1" | cmp -s - epochs || fail "the log has epochs 1 to $1, each once, found $(tr '\n' ' ' <epochs)"
}

# A job's ranks on all nodes, as this machine numbers them.
ranks_of() { pgrep -f "^$DTRAIN .*--out results/[^ ]*-$1( |\$)"; }

slow_down() {
    [ -x "$DTRAIN_FAULTS" ] || skip "dtrain-faults is not built"
    ln -sf "$DTRAIN_FAULTS" dtrain
    export DTRAIN_FAULT=slow:0:1+
}

hold() {
    ranks_of "$1" >"held-$1" || fail "job $1 has ranks"
    xargs kill -STOP <"held-$1"
}

# USR1 is 10: the bit of 0x200.
have_usr1() {
    while read -r harness_rank; do
        harness_pending=$(sed -n 's/^ShdPnd:[[:space:]]*//p' "/proc/$harness_rank/status")
        [ $((0x$harness_pending & 0x200)) -ne 0 ] || return 1
    done <"held-$1"
}

release() {
    until_it "USR1 reaches each rank of job $1" have_usr1 "$1"
    xargs kill -CONT <"held-$1"
}
