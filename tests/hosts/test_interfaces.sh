#!/bin/sh
# The launch doctor and the network: interfaces that lead nowhere are left out where they are known, and
# named where they are not.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy
need_hosts 2 2
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("some")'
# As on a site where nobody has said anything.
net=$OMPI_MCA_btl_tcp_if_include
unset OMPI_MCA_btl_tcp_if_include
export OMPI_MCA_mca_base_env_list=DTRAIN_START_TIMEOUT # mpirun -x
# Where it is to be reached; all other runs have the minute that is the rule.
soon=1s

on_both() {
    for host in h1 h2; do
        hosts exec $host "$@"
    done
}

# bridge NAME ADDRESS_ON_H1 ADDRESS_ON_H2: a bridge without a way out, up on both hosts.
bridge() {
    on_both ip link add "$1" type bridge
    address "$@"
}

# cable NAME ADDRESS_ON_H1 ADDRESS_ON_H2: an interface that is connected to NAME-end of the same host.
cable() {
    on_both ip link add "$1" type veth peer name "$1-end"
    on_both ip link set "$1-end" up
    address "$@"
}

address() {
    hosts exec h1 ip addr add "$2" dev "$1"
    hosts exec h2 ip addr add "$3" dev "$1"
    on_both ip link set "$1" up
}

# ---- bridges within a host: Docker's has the same address on all hosts ----
bridge docker0 172.17.0.1/16 172.17.0.1/16
bridge virbr0 192.168.122.1/24 192.168.122.1/24
bridge of-mine 172.18.0.1/16 172.18.0.1/16
on_both ip link add guest type veth peer name guest-end
on_both ip link set guest master of-mine up
on_both ip link set guest-end up
cable idrac 169.254.1.2/16 169.254.1.2/16 # a server's management card
run 4 --epochs 1 some
own_words
expect_status 0
expect_empty_stderr
expect_stdout '^job +4 ranks on 2 hosts'
expect_stdout '^network +MPI does not use docker0,virbr0,of-mine,idrac here,$'
# On one host nothing is done.
run 2 --epochs 1 some
expect_status 0
expect_stdout '^job +2 ranks on 1 host,'
expect_no_stdout '^network'

# The user's own word counts, in whatever way it is given: here it leads nowhere.
cannot_reach='cannot reach the ranks of other hosts: no word for [1-9] s; '
own_word() {
    DTRAIN_START_TIMEOUT=$soon run 4 --epochs 1 some
    own_words
    expect_status 1
    expect_stderr "^dtrain: error: rank [0-3] on h[12] $cannot_reach"
    expect_no_stdout '^network'
}
OMPI_MCA_btl_tcp_if_include=172.17.0.0/16
export OMPI_MCA_btl_tcp_if_include
own_word
expect_stderr "; OMPI_MCA_btl_tcp_if_include=172.17.0.0/16 has to be the network that all hosts share, "
unset OMPI_MCA_btl_tcp_if_include
mkdir -p home/.openmpi
echo 'btl_tcp_if_exclude = lo' >home/.openmpi/mca-params.conf
real_home=$HOME
HOME=$PWD/home
own_word
HOME=$real_home
OMPI_MCA_btl_tcp_if_include=$net
run 4 --epochs 1 some
expect_status 0
unset OMPI_MCA_btl_tcp_if_include
on_both ip link del idrac
on_both ip link del virbr0
on_both ip link del of-mine
on_both ip link del guest

# ---- other interfaces: what could have been meant is named, once a host ----
cable eth1 192.168.7.1/24 192.168.7.2/24
DTRAIN_START_TIMEOUT=$soon run 4 --epochs 1 some
own_words
[ "$status" -ne 0 ] || fail "another exit status" # 1, or that of a rank that mpirun has killed
prefix=${net%.0/24}
advice="OMPI_MCA_btl_tcp_if_include to the network that all hosts share"
# A host that comes to it more than a second later is ended by mpirun before.
lines=0
for host in 1 2; do
    grep -q "on h$host " stderr || continue
    expect_stderr "on h$host $cannot_reach.*the wrong one of eth0 $prefix.$host/24, eth1 192.168.7.$host/24; set $advice"
    [ "$(grep -c "on h$host " stderr)" -eq 1 ] || fail "one line from h$host"
    lines=$((lines + 1))
done
expect_stderr "as in OMPI_MCA_btl_tcp_if_include=$net; the job ends\$"
[ "$(grep -c . stderr)" -eq "$lines" ] || fail "nothing but a line a host"
expect_no_stderr docker0
# What it says helps.
OMPI_MCA_btl_tcp_if_include=$(sed -n 's/.* as in OMPI_MCA_btl_tcp_if_include=\(.*\); the job ends/\1/p;1q' stderr)
export OMPI_MCA_btl_tcp_if_include
run 4 --epochs 1 some
own_words
expect_status 0
expect_empty_stderr
unset OMPI_MCA_btl_tcp_if_include

# An interface without a cable does not count.
on_both ip link set eth1-end down
run 4 --epochs 1 some
expect_status 0
expect_stdout '^network +MPI does not use docker0,eth1 here, which lead nowhere$'
# If the one that is left does not lead there, the line has what was left out.
hosts exec h1 ip neigh replace "$prefix.2" lladdr 02:00:00:00:00:99 dev eth0
DTRAIN_START_TIMEOUT=$soon run 4 --epochs 1 some
hosts exec h1 ip neigh del "$prefix.2" dev eth0
own_words
[ "$status" -ne 0 ] || fail "another exit status"
expect_stderr "$cannot_reach.*MPI over TCP has eth0 $prefix.[12]/24 here, without docker0,eth1; a firewall"

# ---- the variable ----
DTRAIN_START_TIMEOUT=60 run 4 --epochs 1 some
own_words
expect_status 2
expect_one_stderr_line "dtrain: error: DTRAIN_START_TIMEOUT=60: expected a time such as 60s"
DTRAIN_START_TIMEOUT=never run 4 --epochs 1 some
expect_status 0
