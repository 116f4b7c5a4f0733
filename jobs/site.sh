# site.sh: the settings of this cluster. The job scripts in this folder read it.
#
# shellcheck shell=bash
# shellcheck disable=SC2034 # dtrain is for the job scripts

# ---- edit this ----
set +u # modules of many sites use variables that are not set
# The modules that dtrain was built with. If `module` is not defined, add -l (a login shell) to the first
# line of the job scripts, or source the file that defines it here.
# module purge
# module load gcc openmpi openblas hdf5
set -u
: "${LAUNCHER:=auto}" # srun; mpirun; auto: srun where Slurm speaks PMIx, as Open MPI does, else mpirun
: "${DTRAIN:=}"       # the program; without it build/dtrain beside this folder, else dtrain in PATH
# ---- end ----

jobs=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
script=${script:-job} # whose messages these are; the job scripts set it

say() { echo "$script: $*"; }

# die STATUS MESSAGE...
die() {
    local status=$1
    shift
    echo "$script: error: $*" >&2
    exit "$status"
}

# Variables in bash arithmetic must be numbers: bash would run the commands in a value such as a[$(id)], and
# read 08 as octal.
for variable in SLURM_NTASKS SLURM_CPUS_PER_TASK SLURM_RESTART_COUNT SLURM_JOB_NUM_NODES SLURM_ARRAY_TASK_ID \
    DTRAIN_RESTARTS; do
    [[ ${!variable:-0} =~ ^(0|[1-9][0-9]{0,8})$ ]] || die 2 "$variable=${!variable}: expected a whole number"
done
tasks_form='^[1-9][0-9]{0,8}([(,]|$)' # bash does not take these brackets but from a variable
[[ ${SLURM_TASKS_PER_NODE:-1} =~ $tasks_form ]] ||
    die 2 "SLURM_TASKS_PER_NODE=$SLURM_TASKS_PER_NODE: expected numbers of tasks, as 4(x2),3"

# Sets $dtrain.
find_dtrain() {
    if [[ $DTRAIN ]]; then
        dtrain=$(command -v "$DTRAIN") || die 2 "DTRAIN=$DTRAIN is not a program here; build dtrain, or set DTRAIN"
    elif [[ -x ${jobs%/*}/build/dtrain ]]; then
        dtrain=${jobs%/*}/build/dtrain
    else
        dtrain=$(command -v dtrain) ||
            die 2 "no dtrain: neither ${jobs%/*}/build/dtrain nor in PATH; build it (jobs/README.md), or set DTRAIN"
    fi
}

speaks_pmix() { [[ $(srun --mpi=list 2>&1) == *pmix* ]]; }

# Sets $launcher and reports it.
find_launcher() {
    case $LAUNCHER in
    auto)
        if speaks_pmix; then
            launcher=srun
        elif command -v mpirun >/dev/null; then
            launcher=mpirun
        else
            die 2 "no MPI here: srun has no PMIx (srun --mpi=list), and mpirun is not in PATH; load its module in" \
                "$jobs/site.sh"
        fi
        ;;
    srun)
        speaks_pmix || die 2 "LAUNCHER=srun, but srun has no PMIx here (srun --mpi=list); set LAUNCHER=mpirun"
        launcher=srun
        ;;
    mpirun)
        command -v mpirun >/dev/null ||
            die 2 "LAUNCHER=mpirun, but mpirun is not in PATH; load its module in $jobs/site.sh"
        launcher=mpirun
        ;;
    *) die 2 "LAUNCHER=$LAUNCHER: expected auto, srun or mpirun" ;;
    esac
    say "ranks are started by $launcher ($(command -v $launcher))"
}

# read_form JOB    sets $form to the sbatch options that make another job of this one's form, its command line included.
read_form() {
    local job=$1 option value
    form=()
    while IFS='=' read -r option value; do
        [[ -z $value ]] || form+=("--$option=$value")
    done <<OPTIONS
partition=${SLURM_JOB_PARTITION:-}
account=${SLURM_JOB_ACCOUNT:-}
qos=${SLURM_JOB_QOS:-}
reservation=${SLURM_JOB_RESERVATION:-}
nodes=${SLURM_JOB_NUM_NODES:-}
ntasks=${SLURM_NTASKS:-}
ntasks-per-node=${SLURM_NTASKS_PER_NODE:-}
cpus-per-task=${SLURM_CPUS_PER_TASK:-}
mem=${SLURM_MEM_PER_NODE:-}
mem-per-cpu=${SLURM_MEM_PER_CPU:-}
constraint=$(scontrol show job "$job" | sed -n 's/^ *Features=\([^ (]*\).*/\1/p')
time=$(squeue -h -j "$job" -o %l)
OPTIONS
}

# starts_again STATUS TRY    whether ranks that ended with STATUS have to be started again, because dtrain has not
# written anything: a segmentation fault in MPI_Init is a fault of Open MPI under srun (see launch). Reports it on
# stderr.
starts_again() {
    [[ $1 -eq 139 && $2 -lt 3 ]] || return 1
    say "$launcher ended with 139 before training began; once more" >&2
}

# launch RANKS CPUS_PER_RANK PROGRAM ARGUMENTS...    RANKS "": as many as the job has tasks
#
# Replaces the calling shell by srun or mpirun, so that a signal to that shell's process reaches the ranks:
# `launch ... & pid=$!`, or `(launch ...)`. Each rank is bound to its cores, unless the environment sets
# something else, which is necessary if jobs share nodes and Slurm does not confine them.
launch() {
    local ranks=$1 cpus=$2 per_node nodes options
    shift 2
    unset SLURM_EXPORT_ENV # of sbatch --export; ranks need all that is set here, as by modules
    if [[ $launcher = srun ]]; then
        options=(--mpi=pmix --cpus-per-task="$cpus") # from 22.05 on srun does not know the job's
        if [[ $ranks ]]; then                        # on as few nodes as will do, as mpirun does
            per_node=${SLURM_TASKS_PER_NODE%%[(,]*}
            nodes=$(((ranks + per_node - 1) / per_node)) # too many, where the first node has fewer tasks than others
            options+=(--ntasks="$ranks" --nodes=$((nodes < SLURM_JOB_NUM_NODES ? nodes : SLURM_JOB_NUM_NODES)))
            unset SLURM_NTASKS_PER_NODE # of all tasks; srun would warn
        fi
        # If Slurm's PMIx servers connect to each other directly, which is the default, a few starts in a
        # hundred crash in MPI_Init (Slurm 22.05, Open MPI 4.1); through slurmd far fewer do.
        export SLURM_PMIX_DIRECT_CONN="${SLURM_PMIX_DIRECT_CONN:-false}"
        # A job submitted from within srun has the mask of that step's cores, which are not this job's.
        [[ ${SLURM_CPU_BIND:-} != *mask* && ${SLURM_CPU_BIND:-} != *map* ]] || unset "${!SLURM_CPU_BIND@}"
        # Without this plugin srun cannot bind, and prints a message each time.
        if [[ $(scontrol show config) =~ TaskPlugin\ +=\ [^[:space:]]*affinity ]]; then
            export SLURM_CPU_BIND="${SLURM_CPU_BIND:-cores}"
        fi
        exec srun "${options[@]}" "$@"
    fi
    # Variables, because options would override the user's settings. OMPI: Open MPI 4, PRTE: 5.
    if [[ ! ${OMPI_MCA_hwloc_base_binding_policy:-} ]]; then
        export OMPI_MCA_hwloc_base_binding_policy=core PRTE_MCA_hwloc_default_binding_policy=core
        if ((cpus > 1)); then
            export OMPI_MCA_rmaps_base_mapping_policy="${OMPI_MCA_rmaps_base_mapping_policy:-slot:PE=$cpus}"
            export PRTE_MCA_rmaps_default_mapping_policy="${PRTE_MCA_rmaps_default_mapping_policy:-slot:PE=$cpus}"
        fi
    fi
    exec mpirun -q ${ranks:+-np "$ranks"} "$@" # -q: dtrain itself says why it failed, in one line
}
