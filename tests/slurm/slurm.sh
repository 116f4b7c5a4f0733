#!/bin/bash
# slurm.sh: a Slurm of our own on one Linux machine, for tests of the job scripts.
#
#   slurm.sh up DIR [NODES [CPUS [LINE...]]]
#                                    starts it, 1 node of 8 CPUs unless said otherwise, with these lines
#                                    of slurm.conf; prints the exports that sbatch and all others need:
#                                    eval "$(slurm.sh up DIR 2 4)"
#   slurm.sh crash DIR NODE          kills all that runs on NODE, and NODE (not with a single node)
#   slurm.sh down DIR                ends it and its jobs; the logs stay in DIR/log; may be said again
#
# munged, slurmctld and a slurmd for each node, without systemd, cgroups and accounting. CPUS may be more
# than there are. A single node is this machine, "localhost"; several are the hosts h1, h2 ... of
# tests/hosts/hosts.sh. Needs root and the Debian packages slurm-wlm and munge. Exit status 77: this
# machine does not give what it takes, and stderr says what.
set -eu

PATH=$PATH:/usr/sbin:/sbin
hosts=$(cd "$(dirname "$0")/../hosts" && pwd -P)/hosts.sh

die() {
    echo "slurm.sh: $*" >&2
    exit 1
}

cannot() {
    echo "slurm.sh: $*" >&2
    exit 77
}

usage() {
    sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

[ $# -ge 2 ] || usage
verb=$1
[ "$verb" != up ] || mkdir -p "$2"
[ -d "$2" ] || exit 0
dir=$(cd "$2" && pwd -P)
shift 2
# Names of sockets are limited to 107 bytes, and slurm.conf takes no spaces: hence a short folder.
run=$(readlink "$dir/run" 2>/dev/null || :)

# A port that nobody answers on.
free_port() {
    local p=$1
    while (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null; do p=$((p + 1)); done
    echo "$p"
}

write_conf() { # write_conf CONTROLLER PORT CPUS NODELINES LINE...
    # Open MPI names its shared memory by host and by the number of the Slurm job: two Slurms on this
    # machine must not have a job 1 each.
    local first_job=$((key % 50000 * 1000 + 1))
    # With direct connections between Slurm's PMIx servers, the default, a rank may leave MPI_Init while
    # another waits in its first fence; that one crashes, in 2 to 4 of 100 starts on 4 nodes.
    printf 'PMIxCliTmpDirBase=%s\nPMIxDirectConn=false\n' "$tmp" >"$run/mpi.conf"
    # No cgroups are used, but slurmd looks for them, and does not start where it finds none.
    if [[ $(slurmd -V) =~ (2[3-9]|[3-9][0-9])\. ]]; then
        echo CgroupPlugin=disabled
    else
        echo CgroupPlugin=cgroup/v1
    fi >"$run/cgroup.conf"
    cat >"$run/slurm.conf" <<CONF
ClusterName=test
FirstJobId=$first_job
SlurmctldHost=localhost($1)
SlurmctldPort=$2
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
# A requeued job waits until its credential has expired, 120 s by default.
AuthInfo=socket=$run/munge.sock,cred_expire=5
StateSaveLocation=$run/ctld
SlurmdSpoolDir=$run/spool.%n
SlurmctldPidFile=$run/slurmctld.pid
SlurmdPidFile=$run/slurmd.%n.pid
SlurmctldLogFile=$run/log/slurmctld.log
SlurmdLogFile=$run/log/slurmd.%n.log
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
# Tests wait for each of these delays.
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
SlurmdParameters=config_overrides
ReturnToService=2
SlurmctldTimeout=30
SlurmdTimeout=10
KillWait=10
MinJobAge=3600
NodeName=DEFAULT CPUs=$3 Sockets=1 CoresPerSocket=$3 ThreadsPerCore=1 RealMemory=4096 State=UNKNOWN
$4
PartitionName=batch Nodes=ALL Default=YES MaxTime=INFINITE OverSubscribe=NO State=UP
CONF
    shift 4
    printf '%s\n' "$@" >>"$run/slurm.conf" # the last one of a name counts
}

# Keeps its hands off the standard streams, or whoever reads our exports would wait for its end.
start() { # start LOG COMMAND...
    local log=$run/log/$1.err
    shift
    "$@" </dev/null >"$log" 2>&1 || { tail -n 5 "$log" >&2; die "$1 did not start"; }
}

idle_nodes() { timeout 5 sinfo -h -N -t idle -o %N 2>/dev/null | sort -u | wc -l; } # one line a partition

up() { # up NODES CPUS LINE...
    local nodes=$1 cpus=$2 controller=127.0.0.1 names=localhost lines key net port nodeport enter status
    [ "$(id -u)" -eq 0 ] || cannot "only root can start Slurm's daemons"
    for tool in munged slurmctld slurmd sinfo; do
        command -v "$tool" >/dev/null || cannot "$tool is not installed; run: sh jobs/install.sh long"
    done
    down
    run=$(mktemp -d /tmp/slurm.XXXXXX)
    chmod 755 "$run"
    ln -sfn "$run" "$dir/run"
    rm -rf "$dir/log"
    ln -s "$run/log" "$dir/log"
    mkdir "$run/log" "$run/ctld" "$run/tmp"
    tmp=$run/tmp
    trap 'down >&2' EXIT # until all is there
    key=$(printf %s "$run" | cksum | cut -d' ' -f1) # two at a time do not race for a port
    port=$(free_port $((20000 + key % 4000 * 2)))
    nodeport=$(free_port $((port + 1)))
    lines="NodeName=localhost NodeAddr=127.0.0.1 Port=$nodeport"
    if [ "$nodes" -gt 1 ]; then
        status=0
        bash "$hosts" up "$run/net" "$nodes" "$cpus" || status=$?
        [ $status -ne 77 ] || cannot "no namespaces here, for several nodes"
        [ $status -eq 0 ] || exit 1
        net=$(cat "$run/net/hosts/subnet")
        controller=$net.254 tmp=$run/net/hosts/tmp names='' lines=''
        for i in $(seq "$nodes"); do
            names="$names h$i"
            lines="$lines
NodeName=h$i NodeAddr=$net.$i Port=$nodeport"
        done
    fi
    write_conf "$controller" "$port" "$cpus" "$lines" "${@:3}"
    export SLURM_CONF=$run/slurm.conf
    (umask 077 && head -c 1024 /dev/urandom >"$run/munge.key")
    start munged munged --force --key-file="$run/munge.key" --socket="$run/munge.sock" \
        --pid-file="$run/munged.pid" --log-file="$run/log/munged.log" \
        --seed-file="$run/munged.seed" --num-threads=10
    start slurmctld slurmctld -c -f "$SLURM_CONF"
    for name in $names; do
        enter=
        [ "$nodes" -eq 1 ] || enter="bash $hosts exec $run/net $name"
        # shellcheck disable=SC2086
        start "slurmd.$name" $enter slurmd -f "$SLURM_CONF" -N "$name"
    done
    for _ in $(seq 6000); do
        [ "$(idle_nodes)" -ne "$nodes" ] || break
        sleep 0.05
    done
    if [ "$(idle_nodes)" -ne "$nodes" ]; then
        tail -qn 5 "$run"/log/*.log >&2
        die "the nodes are not idle after 300 s"
    fi
    trap - EXIT
    echo "export SLURM_CONF=$run/slurm.conf"
    echo "export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"
    # The nodes have more CPUs than there are: not all ranks on the first one, and a rank that waits makes
    # way for the others.
    echo "export OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1"
    echo "export OMPI_MCA_orte_tmpdir_base=$tmp"
}

# The processes of a daemon of this Slurm.
daemon() {
    local p
    for p in $(pgrep -f -- "$1.*$run/" || :); do
        [ "$p" -eq $$ ] || [ -z "$(tr '\0' ' ' 2>/dev/null <"/proc/$p/cmdline")" ] || echo "$p"
    done
}

# TERM, and 5 s later KILL for the remaining processes.
end_daemon() {
    local pids
    for _ in $(seq 100); do
        pids=$(daemon "$1")
        [ -n "$pids" ] || return 0
        # shellcheck disable=SC2086
        kill $pids 2>/dev/null || :
        sleep 0.05
    done
    # shellcheck disable=SC2046
    kill -9 $(daemon "$1") 2>/dev/null || :
}

# What a job runs has both variables; a job of another Slurm that we are in has another SLURM_CONF. A
# slurmstepd, which looks after a step, is known by its folder alone.
end_jobs() {
    local p environment
    for p in /proc/[0-9]*; do
        p=${p#/proc/}
        environment=$(tr '\0' '\n' 2>/dev/null <"/proc/$p/environ") || continue
        if [[ "$environment" == *"SLURM_CONF=$run/slurm.conf"* && "$environment" == *SLURM_JOB_ID=* ]]; then
            kill -9 "$p" 2>/dev/null || :
        fi
    done
}

end_steps() {
    local p
    for p in $(pgrep -f '^slurmstepd: ' || :); do
        [ "$(readlink "/proc/$p/cwd")" != "$run/log" ] || kill -9 "$p" 2>/dev/null || :
    done
}

down() {
    case $run in
    /tmp/slurm.?*) [ -d "$run" ] || run= ;;
    *) run= ;;
    esac
    if [ -z "$run" ]; then
        rm -f "$dir/run"
        return 0
    fi
    end_daemon slurmctld # nothing new starts
    end_jobs
    end_daemon slurmd
    end_jobs
    end_steps
    end_daemon munged
    [ ! -d "$run/net" ] || bash "$hosts" down "$run/net"
    rm -f "$dir/run" "$dir/log"
    cp -r "$run/log" "$dir/log"
    rm -rf "$run"
}

case $verb in
up) up "${1:-1}" "${2:-8}" "${@:3}" ;;
crash)
    [ $# -eq 1 ] || usage
    bash "$hosts" crash "$run/net" "$1"
    ;;
down) down ;;
*) usage ;;
esac
