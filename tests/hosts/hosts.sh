#!/bin/bash
# hosts.sh: several hosts on one Linux machine, for tests of MPI over TCP.
#
#   hosts.sh up DIR N [SLOTS]     starts hosts h1..hN with room for SLOTS (2) ranks each; DIR is made
#   hosts.sh env DIR              prints the exports that mpirun needs:  eval "$(hosts.sh env DIR)"
#   hosts.sh exec DIR HOST CMD... runs CMD on HOST, in the folder where this is called
#   hosts.sh cut DIR HOST         pulls HOST's cable; join plugs it in again
#   hosts.sh join DIR HOST
#   hosts.sh rate DIR MBIT|off    limits what each host sends, in Mbit/s
#   hosts.sh crash DIR HOST       kills all that runs on HOST, and HOST
#   hosts.sh down DIR             ends all; may be said again
#
# A host is a set of namespaces (network, hostname, mounts, processes), kept by one process: an address
# of its own on a switch of their own, its own name, /dev/shm, /sys (which shows its own interfaces) and
# process numbers. All other folders are shared, as on a cluster. So its ranks reach those of other hosts over TCP alone. mpirun is
# started outside, on the head node, x.y.z.254. Needs root and the Debian packages iproute2, procps,
# util-linux. Exit status 77: the kernel, or a container around us, does not give namespaces.
set -eu

PATH=$PATH:/usr/sbin:/sbin

die() {
    echo "hosts.sh: $*" >&2
    exit 1
}

usage() {
    sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

[ $# -ge 2 ] || usage
verb=$1 dir=$2
shift 2
[ "$verb" != up ] || mkdir -p "$dir"
[ ! -d "$dir" ] || dir=$(cd "$dir" && pwd -P)
state=$dir/hosts

# A process number may have been given anew: it counts while that process has our mark.
alive() { # alive NAME
    local pid
    pid=$(cat "$state/$1.pid" 2>/dev/null) && [ -n "$pid" ] &&
        tr '\0' '\n' 2>/dev/null <"/proc/$pid/environ" | grep -qxF "DTRAIN_HOST=$dir/$1"
}

pid_of() { # pid_of NAME: of its first process, as seen from outside
    alive "$1" || die "there is no $1 in $dir"
    cat "$state/$1.pid"
}

# The switch has a network namespace of its own, out of reach of this machine's packet filter.
in_switch() { nsenter -t "$(pid_of switch)" -n "$@"; }

start_switch() { # start_switch KEY NET
    local pid
    DTRAIN_HOST="$dir/switch" setsid unshare --net sleep infinity </dev/null >/dev/null 2>&1 &
    pid=$!
    echo "$pid" >"$state/switch.pid"
    for _ in $(seq 15000); do
        [ "$(readlink "/proc/$pid/ns/net")" != "$(readlink /proc/self/ns/net)" ] && break
        sleep 0.02
    done
    in_switch ip link add br0 type bridge
    in_switch ip link set br0 up
    in_switch ip link add head type veth peer name "dt$1" netns $$
    in_switch ip link set head master br0 up
    ip addr add "$2.254/24" dev "dt$1"
    ip link set "dt$1" up
}

start_host() { # start_host NUMBER NET
    local h=h$1 pid
    # The holder is process 1 of the host, and collects orphans. hosts/tmp is another folder on each
    # host: Open MPI's session folders bear process numbers, which are not unique between hosts.
    # shellcheck disable=SC2016
    DTRAIN_HOST="$dir/$h" setsid unshare --mount --uts --net --pid --fork --mount-proc \
        --propagation private bash -c '
            hostname "$1" && mount -t tmpfs tmpfs /dev/shm && mount -t tmpfs tmpfs "$2/tmp" &&
                chmod 1777 /dev/shm "$2/tmp" && mount --bind "$2/etc-hosts" /etc/hosts &&
                mount -t sysfs sysfs /sys &&
                ip link set lo up || exit 1
            : >"$2/$1.ready"
            while :; do sleep 3600 & wait $! || :; done' \
        holder "$h" "$state" </dev/null >"$state/$h.log" 2>&1 &
    pid=$!
    for _ in $(seq 15000); do
        [ ! -e "$state/$h.ready" ] || break
        kill -0 "$pid" 2>/dev/null || die "host $h did not start: $(cat "$state/$h.log")"
        sleep 0.02
    done
    [ -e "$state/$h.ready" ] || die "host $h did not start within 300 s"
    pid=$(ps -o pid= --ppid "$pid" | tr -d ' ') # unshare has one child, the holder
    echo "$pid" >"$state/$h.pid"
    in_switch ip link add "$h" type veth peer name eth0 netns "$pid"
    in_switch ip link set "$h" master br0 up
    nsenter -t "$pid" -n sh -c "ip addr add $2.$1/24 dev eth0 && ip link set eth0 up"
}

# What mpirun takes for ssh: AGENT HOST COMMAND... As with ssh a bare environment reaches the other
# side, and of the variables that a site's login files would set there, those of the libraries.
write_agent() {
    cat >"$dir/rsh" <<AGENT
#!/bin/sh
host=\$1
shift
command="cd; \$*"
set --
pid=\$(cat "$state/\$host.pid") || exit 255
for v in \$(env | sed -n 's/^\(\(OPENBLAS\|OMP\|HDF5\|ASAN\|UBSAN\)_[A-Z0-9_]*\)=.*/\1/p'); do
    eval "set -- \"\\\$@\" \"\$v=\\\$\$v\""
done
exec nsenter -t "\$pid" -m -u -n -p env -i HOME="\$HOME" USER="\${USER:-root}" \\
    PATH="\$PATH" LD_LIBRARY_PATH="\${LD_LIBRARY_PATH:-}" "\$@" sh -c "\$command"
AGENT
    chmod 755 "$dir/rsh"
}

up() { # up N SLOTS
    local n=$1 slots=$2 key net=''
    [ "$(id -u)" -eq 0 ] || die "only root can start hosts"
    unshare --mount --uts --net --pid --fork --propagation private true 2>/dev/null || exit 77
    # mpirun takes the agent's name for a command line.
    case $dir in *[[:space:]]*) die "no spaces in the folder's name, please: $dir" ;; esac
    down
    trap down EXIT # until all are there
    mkdir -p "$state/tmp"
    key=$(printf %s "$dir" | cksum | cut -d' ' -f1)
    while [ -z "$net" ]; do
        net=10.$((64 + key % 64)).$((key / 64 % 256))
        if ip -4 route show | grep -qF "$net."; then net='' key=$((key + 1)); fi
    done
    echo "$net" >"$state/subnet"
    start_switch "$key" "$net"
    : >"$dir/hostfile"
    {
        echo "127.0.0.1 localhost"
        for i in $(seq "$n"); do echo "$net.$i h$i"; done
    } >"$state/etc-hosts"
    for i in $(seq "$n"); do
        start_host "$i" "$net"
        echo "h$i slots=$slots" >>"$dir/hostfile"
    done
    write_agent
    trap - EXIT
}

print_env() {
    local net
    net=$(cat "$state/subnet" 2>/dev/null) || die "there are no hosts in $dir"
    cat <<ENV
export OMPI_MCA_plm=rsh OMPI_MCA_plm_rsh_agent=$dir/rsh OMPI_MCA_orte_default_hostfile=$dir/hostfile
export OMPI_MCA_oob_tcp_if_include=$net.0/24 OMPI_MCA_btl_tcp_if_include=$net.0/24
export OMPI_MCA_orte_tmpdir_base=$state/tmp
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
ENV
}

set_rate() { # set_rate MBIT|off
    local f pid
    for f in "$state"/h*.pid; do
        alive "$(basename "$f" .pid)" || continue # it crashed
        pid=$(cat "$f")
        nsenter -t "$pid" -n tc qdisc del dev eth0 root 2>/dev/null || :
        [ "$1" = off ] || nsenter -t "$pid" -n tc qdisc add dev eth0 root tbf \
            rate "${1}mbit" burst 256kb latency 100ms
    done
}

down() {
    local f name net dev
    [ -d "$state" ] || return 0
    # With process 1 of a namespace all of it ends, and with its last process a network goes.
    for f in "$state"/*.pid; do
        [ -e "$f" ] || continue
        name=$(basename "$f" .pid)
        if alive "$name"; then kill -9 "$(cat "$f")" || :; fi
    done
    # That happens a moment later, and an "up" may follow at once.
    net=$(cat "$state/subnet" 2>/dev/null || :)
    for _ in $(seq 250); do
        dev=
        [ -z "$net" ] || dev=$(ip -4 -o addr show | awk -v a="$net.254/24" '$4 == a {print $2}')
        [ -n "$dev" ] || break
        sleep 0.02
    done
    rm -rf "$state" "$dir/rsh" "$dir/hostfile"
}

case $verb in
up)
    [ $# -ge 1 ] || usage
    up "$1" "${2:-2}"
    ;;
env) print_env ;;
exec)
    [ $# -ge 2 ] || usage
    pid=$(pid_of "$1")
    shift
    exec nsenter -t "$pid" -m -u -n -p --wd="$PWD" "$@"
    ;;
cut) in_switch ip link set "$1" down ;;
join) in_switch ip link set "$1" up ;;
rate) set_rate "$1" ;;
crash) kill -9 "$(pid_of "$1")" ;;
down) down ;;
*) usage ;;
esac
