#!/bin/sh
# A rank that is killed, or stopped, takes the whole job down, and one line names it.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"

# Each rank leaves its process id before it becomes dtrain, so that it can be signalled by it.
cat >with-pid <<'SH'
#!/bin/sh
echo $$ >"pid.$OMPI_COMM_WORLD_RANK"
exec "$DTRAIN" "$@"
SH
chmod +x with-pid

# The processes of the job that still run; those that only wait to be taken note of do not.
living() {
    for file in pid.*; do
        [ -s "$file" ] || continue
        state=$(sed 's/.*) //; s/ .*//' "/proc/$(cat "$file")/stat" 2>/dev/null) || continue
        case $state in
        Z | X | "") ;;
        *) cat "$file" ;;
        esac
    done
}

job=""
stop_all() {
    for pid in $(living); do
        kill -KILL "$pid" 2>/dev/null || :
    done
    [ -z "$job" ] || wait "$job" 2>/dev/null || :
    job=""
    rm -f pid.*
}
trap 'stop_all; harness_leave' EXIT

ended() { [ -s ended ]; }
nobody_is_left() { [ -z "$(living)" ]; }

# start RANKS OPTIONS...: a job in the background, until its first epochs are through.
start() {
    ranks=$1
    shift
    rm -rf run ended pid.*
    # shellcheck disable=SC2034 # fail prints it
    harness_command="$ranks ranks in the background: dtrain $*"
    {
        got=0
        timeout -k 5 "$RUN_TIMEOUT" mpirun -q -np "$ranks" ./with-pid --out run \
            --patience 100000000 "$@" </dev/null >stdout 2>stderr || got=$?
        echo "$got" >ended
    } &
    job=$!
    until_it "run/run.h5 is there" test -e run/run.h5
    sleep 0.5
}

signal() {
    name=$1
    shift
    for rank in "$@"; do
        kill "-$name" "$(cat "pid.$rank")" || fail "rank $rank is there to be signalled"
    done
}

# finish: the job ends, and nothing of it is left.
finish() {
    until_it "the job ends" ended
    wait "$job" || :
    job=""
    status=$(cat ended)
    # mpirun does not wait until those it killed are gone.
    until_it "no process is left" nobody_is_left
}

for_long="--epochs 100000000"
where="(in|while|at) [a-z ]+( \(epoch [0-9]+(, step [0-9]+)?\))?"

# Killed.
for victim in 2 $(! is_long || echo 0); do
    # shellcheck disable=SC2086
    start 4 $for_long
    signal KILL "$victim"
    finish
    [ "$status" -ne 0 ] || fail "an exit status that is not 0"
    expect_no_file run/model.h5
    ranks_report_death || continue
    expect_one_stderr_line "dtrain: error: rank $victim on $(uname -n) died "
    expect_stderr "^dtrain: error: rank $victim on [^ ]+ died $where; the job ends\$"
done

# Stopped: the others wait for it, and say so. Pauses of a busy machine lengthen the limit.
# shellcheck disable=SC2086
start 4 $for_long --stall-timeout 3s
signal STOP 1
finish
[ "$status" -ne 0 ] || fail "an exit status that is not 0"
expect_one_stderr_line "rank 1 on $(uname -n) does not respond (stopped?) "
expect_stderr "^dtrain: error: no progress for [0-9]+ s: rank 1 on [^ ]+ does not respond .*; the job ends\$"
expect_stderr " \(stopped\?\) $where; the job ends\$"
expect_no_file run/owner

is_long || exit 0

# Stopped and killed at once.
# shellcheck disable=SC2086
start 3 $for_long
signal STOP 0 1
signal KILL 2
finish
[ "$status" -ne 0 ] || fail "an exit status that is not 0"

# All are stopped, for longer than the limit: as with Ctrl-Z nobody is late, and the run goes on,
# until it is asked to end.
epochs() { grep -c '^epoch ' stdout || :; }
grown() { [ "$(epochs)" -ge "$1" ]; }
# shellcheck disable=SC2086
start 2 $for_long --stall-timeout 2s
signal STOP 0 1
sleep 4
! ended || fail "a job that is stopped is still there"
before=$(epochs)
signal CONT 0 1
until_it "the run goes on" grown "$((before + 3))"
signal USR1 0 1
finish
expect_status 75
expect_empty_stderr

# A word of nobody where nothing is wrong.
run 4 --quiet --epochs 5 --out quiet --stall-timeout 10s
expect_status 0
expect_empty_stderr
