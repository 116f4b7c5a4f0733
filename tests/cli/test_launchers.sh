#!/bin/sh
# Who started dtrain: a step of Slurm that MPI does not see, the script of such a job, another MPI's launcher.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("some")'
# The launcher or batch job that runs these tests must not affect them.
for name in $(env | sed -n 's/^\(SLURM_[A-Z_]*\|PMI_[A-Z_]*\|PMIX_[A-Z_]*\|MPI_LOCAL[A-Z]*\)=.*/\1/p'); do
    unset "$name"
done

# ---- a step of Slurm that MPI does not see ----
export SLURM_NTASKS=4 SLURM_PROCID=2 SLURM_JOB_ID=77 SLURM_NODELIST=here SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=4
run 0 --epochs 1 some
expect_status 2
expect_empty_stderr # one task speaks for all
SLURM_PROCID=0
for command in "" evaluate predict measure; do
    # shellcheck disable=SC2086
    run 0 $command some some
    expect_status 2
    expect_one_stderr_line "dtrain: error: Slurm started 4 tasks here, each alone"
    expect_one_stderr_line "srun --mpi=pmix dtrain"
    [ ! -s stdout ] || fail "nothing on stdout"
done
pmi="MPICH itself speaks PMI, so that a launcher that does is its own"
if has_open_mpi "$pmi"; then
    PMI_RANK=0 PMI_SIZE=4 PMI_FD=13 run 0 --epochs 1 some # srun --mpi=pmi2
    expect_status 2
    expect_one_stderr_line "dtrain: error: Slurm started 4 tasks here, each alone"
fi
expect_no_file results
# Under mpirun in the same job all is well, and the job is recorded.
run 2 --quiet --epochs 1 --out in-a-job some
expect_status 0
expect_empty_stderr
"$PYTHON" -c 'import h5py
assert h5py.File("in-a-job/run.h5")["environment"].attrs["slurm_job_id"] == "77"' ||
    fail "/environment slurm_job_id is 77"
# --help and --version never need ranks, and a step of one task counts as its own job.
run 0 --version
expect_status 0
run 0 --help
expect_status 0
SLURM_NTASKS=1 SLURM_STEP_NUM_TASKS=1 run 0 --quiet --epochs 1 --out one-task some
expect_status 0

# ---- the script of such a job: in no step, or in one that Slurm numbers from the end ----
unset SLURM_STEP_ID SLURM_STEP_NUM_TASKS
for step in none 4294967290 4294967291; do # the interactive step, the batch step
    [ $step = none ] || export SLURM_STEP_ID=$step SLURM_STEPID=$step SLURM_STEP_NUM_TASKS=1
    run 0 --epochs 1 --out in-script some
    expect_status 2
    expect_one_stderr_line "dtrain: error: this script runs dtrain once, in a Slurm job of 4 tasks; start it with: srun --mpi=pmix dtrain ... or: mpirun dtrain ...; for one rank: mpirun -np 1 dtrain"
    run 1 --quiet --epochs 1 --force --out in-script some
    expect_status 0
    run 0 evaluate in-script some
    expect_status 0
    expect_empty_stderr
    run 0 predict in-script some --out "in-script-$step.csv" --quiet
    expect_status 0
    expect_empty_stderr
    run 0 inspect in-script/model.h5
    expect_status 0
done
unset SLURM_NTASKS SLURM_PROCID SLURM_JOB_ID SLURM_NODELIST SLURM_STEP_ID SLURM_STEPID SLURM_STEP_NUM_TASKS

# ---- the launcher of another MPI ----
# A real one, if there is one.
for mpiexec in ${DTRAIN_OTHER_MPIEXEC:-mpiexec.mpich}; do
    command -v "$mpiexec" >/dev/null || continue
    harness_command="$mpiexec -n 3 dtrain"
    status=0
    "$mpiexec" -n 3 "$DTRAIN" --epochs 1 --out never some >stdout 2>stderr || status=$?
    [ "$status" -ne 0 ] || fail "it is refused"
    [ "$(grep -c '^dtrain: error: .* started 3 processes, each alone' stderr)" -eq 1 ] || fail "one line of one process"
    expect_no_file never
done
if ! has_open_mpi "$pmi"; then
    expect_stderr '^dtrain: error: mpirun of Open MPI \(.*was built with MPICH [0-9.]+; start it with: its mpirun -np 3 '
    exit 0
fi
# launched ENVIRONMENT...: three processes; as many lines are on stderr as were said by any.
launched() {
    : >stdout
    : >stderr
    harness_command="3 processes with $*: dtrain $command"
    for number in 0 1 2; do
        {
            code=0
            # shellcheck disable=SC2046,SC2086
            env $(echo "$@" | sed "s/@/$number/g") "$DTRAIN" $command >>stdout 2>>stderr || code=$?
            echo "$code" >"code.$number"
        } &
    done
    wait
    own_words
    status=$(sort -u code.* | tr '\n' ' ')
    status=${status% }
}
mpich="PMI_RANK=@ PMI_SIZE=3 PMI_FD=9 MPI_LOCALNRANKS=3 MPI_LOCALRANKID=@"
for command in "--epochs 1 --out never some" "evaluate one-task some" "predict one-task some --out never"; do
    launched "$mpich"
    expect_status 2
    expect_one_stderr_line "dtrain: error: mpiexec of MPICH (PMI_SIZE=3) started 3 processes, each alone: dtrain was built with"
    expect_one_stderr_line "mpirun -np 3 dtrain ..."
    [ ! -s stdout ] || fail "nothing on stdout"
    expect_no_file never
done
refused() {
    text=$1
    shift
    launched "$@"
    expect_status 2
    expect_one_stderr_line "dtrain: error: $text started 3 processes, each alone"
    expect_no_file never
}
command="--epochs 1 --out never some"
refused "mpiexec of another MPI (PMI_SIZE=3)" PMI_RANK=@ PMI_SIZE=3
refused "mpiexec of another MPI (MPI_LOCALNRANKS=3)" PMI_PORT=here:1234 PMI_ID=@ MPI_LOCALNRANKS=3 MPI_LOCALRANKID=@
refused "mpiexec of Intel MPI (PMI_SIZE=3)" "$mpich" I_MPI_HYDRA_UUID=5 I_MPI_PIN_INFO=1
refused "mpiexec of Cray PALS (PMI_SIZE=3)" PALS_RANKID=@ PMI_RANK=@ PMI_SIZE=3 PMI_LOCAL_SIZE=3
refused "mpirun of MVAPICH (MV2_COMM_WORLD_SIZE=3)" MV2_COMM_WORLD_SIZE=3 MV2_COMM_WORLD_RANK=@
# hydra in a Slurm job: its proxy is a step of one task, with its own PMIx.
refused "mpiexec of MPICH (PMI_SIZE=3)" "$mpich" SLURM_NTASKS=3 SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=1 SLURM_PROCID=0 \
    PMIX_RANK=0 PMIX_NAMESPACE=slurm.pmix.44.0
# What needs no ranks is done once.
command=--version
launched "$mpich"
expect_status 0
[ "$(grep -c '^dtrain' stdout)" -eq 1 ] || fail "one version"
# One process on purpose, and Open MPI's own mpirun in the script of another.
command="--quiet --epochs 1 --out alone some"
PMI_RANK=0 PMI_SIZE=1 MPI_LOCALNRANKS=1 MPI_LOCALRANKID=0 run 0 --quiet --epochs 1 --out alone some
expect_status 0
PMI_RANK=0 PMI_SIZE=4 run 1 --quiet --epochs 1 --out alone-again some
expect_status 0
PMI_RANK=0 PMI_SIZE=4 run 2 --quiet --epochs 1 --out two some
expect_status 0
expect_stdout_line summary.ranks=2
expect_empty_stderr
