# Sourced by tests/hosts/test_*.sh, which CTest runs as: sh test_x.sh PATH_TO_DTRAIN
#
#   . "$(dirname "$0")/harness.sh"
#   need_hosts 2
#   run 4 --epochs 1                    # as in cli/harness.sh: mpirun, here over the hosts
#
# All of cli/harness.sh (run, expect_..., fail, skip), and:
#
#   need_hosts N [SLOTS]          starts hosts h1..hN (hosts.sh) with SLOTS (2) ranks each, and has mpirun use
#                                 them; they end with the test. Skips where there cannot be any
#   use_hosts HOST...             has mpirun use these alone from now on
#   hosts VERB ARGS...            hosts.sh VERB, of this test's hosts: cut h2, crash h2, exec h1 CMD...
#   start RANKS ARGS...           dtrain in the background; leaves ./stdout, ./stderr, and a file pid.RANK a rank
#   kill_rank RANK HOST           SIGKILL to one of its ranks
#   own_words                     leaves in ./stderr what dtrain says, without Open MPI's own
#   finish                        it ends: $status; nothing of it is left
#
# mpirun itself runs outside the hosts, as on a head node.
#
# shellcheck shell=sh source-path=SCRIPTDIR source=../cli/harness.sh
. "$(dirname "$0")/../cli/harness.sh"

hosts_folder=$harness_folder/machine
job=""

hosts() {
    hosts_verb=$1
    shift
    bash "$TESTS/hosts/hosts.sh" "$hosts_verb" "$hosts_folder" "$@"
}

need_hosts() {
    [ "$(id -u)" -eq 0 ] || skip "several hosts on one machine need root"
    for hosts_tool in bash ip nsenter unshare; do
        PATH=$PATH:/usr/sbin:/sbin command -v "$hosts_tool" >hosts-tool || skip "needs $hosts_tool"
    done
    trap 'hosts_leave' EXIT
    hosts_got=0
    hosts up "$@" >hosts-up 2>&1 || hosts_got=$?
    [ "$hosts_got" -ne 77 ] || skip "no namespaces here"
    [ "$hosts_got" -eq 0 ] || fail "hosts start: $(cat hosts-up)"
    hosts env >hosts-env
    # shellcheck source=/dev/null
    . ./hosts-env
}

hosts_leave() {
    hosts_leave_status=$?
    [ -z "$job" ] || stop_job
    hosts down || :
    harness_leave
    exit "$hosts_leave_status"
}

use_hosts() {
    for hosts_name in "$@"; do
        grep "^$hosts_name " "$hosts_folder/hostfile"
    done >hostfile
    export OMPI_MCA_orte_default_hostfile="$PWD/hostfile"
}

# A rank's number on its host: each host counts its processes anew.
cat >with-pid <<'SH'
#!/bin/sh
echo $$ >"pid.$OMPI_COMM_WORLD_RANK"
exec "$DTRAIN" "$@"
SH
chmod +x with-pid

start() {
    start_ranks=$1
    shift
    rm -f ended mpirun.pid pid.*
    # shellcheck disable=SC2034 # fail prints it
    harness_command="$start_ranks ranks in the background: dtrain $*"
    {
        got=0
        mpirun -q -x DTRAIN -np "$start_ranks" ./with-pid "$@" </dev/null >stdout 2>stderr &
        echo $! >mpirun.pid
        wait $! || got=$?
        echo "$got" >ended
    } 2>/dev/null &
    job=$!
}

has_ended() { [ -s ended ]; }

kill_rank() { hosts exec "$2" kill -KILL "$(cat "pid.$1")"; }

# What mpirun leaves behind ends with the hosts.
stop_job() {
    [ ! -s mpirun.pid ] || [ -s ended ] || kill -KILL "$(cat mpirun.pid)" 2>/dev/null || :
    wait "$job" 2>/dev/null || :
    job=""
}

finish() {
    until_it "the job ends" has_ended
    wait "$job" || :
    job=""
    status=$(cat ended)
    own_words
}

# Also takes away what a host says when a rank on another dies: "[h2][[13771,1],3][.../btl_tcp.c:559...]
# recv(19) failed: Connection reset by peer".
own_words() { sed -i -e '/setpgid/d' -e '/^\[warn\] Epoll /d' -e '/^\[[a-z0-9]*\]\[\[/d' stderr; }
