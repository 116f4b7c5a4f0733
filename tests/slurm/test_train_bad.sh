#!/bin/sh
# What jobs/train.sbatch cannot do: one line in the job's output, the exit status of DESIGN.md, and no job
# that goes on.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
start_slurm 1 16

# bad STATUS TEXT ARGS...    a job that is to end so; from the folder $from
from=.
bad() {
    bad_status=$1 bad_text=$2
    shift 2
    bad_id=$(cd "$from" && submit --nodes=1 --ntasks-per-node=2 "$@") || exit 1
    echo "$bad_id $bad_status $bad_text" >>all
}

# What a job script needs, without what a site may not have.
mkdir bin && for tool in bash cat dirname sed grep scontrol squeue; do ln -s "$(command -v $tool)" bin; done

# ---- the environment ----
bad 2 "no MPI here: " --export="ALL,PATH=$PWD/bin" jobs/train.sbatch
bad 2 "LAUNCHER=srun, but srun has no PMIx here" --export="ALL,LAUNCHER=srun,PATH=$PWD/bin" jobs/train.sbatch
bad 2 "LAUNCHER=mpirun, but mpirun is not in PATH" --export="ALL,LAUNCHER=mpirun,PATH=$PWD/bin" jobs/train.sbatch
bad 2 "LAUNCHER=slurm: expected auto, srun or mpirun" --export=ALL,LAUNCHER=slurm jobs/train.sbatch
bad 2 "DTRAIN=/nowhere/dtrain is not a program here" --export=ALL,DTRAIN=/nowhere/dtrain jobs/train.sbatch
bad 2 "no dtrain: neither $PWD/build/dtrain nor in PATH" --export="ALL,DTRAIN=,PATH=$PWD/bin" jobs/train.sbatch
bad 2 "DTRAIN_MAX_REQUEUE=many: expected a whole number" --export=ALL,DTRAIN_MAX_REQUEUE=many jobs/train.sbatch
bad 2 "/nowhere/site.sh: not there; " --export=ALL,DTRAIN_JOBS=/nowhere jobs/train.sbatch
mkdir lonely && cp "$TESTS/../jobs/train.sbatch" lonely
from=lonely
bad 2 "$PWD/lonely/site.sh: not there; " train.sbatch
from=.

# ---- what dtrain says ----
bad 2 "unknown option --nonsense" jobs/train.sbatch --nonsense
bad 3 "no-such-data: no such file" jobs/train.sbatch no-such-data
mkdir file nowhere
ln -s ../jobs file/jobs && echo "not a folder" >file/results
ln -s ../jobs nowhere/jobs && ln -s /proc nowhere/results
from="file"
bad 4 "cannot make the folder: 'results' is a file" jobs/train.sbatch
from=nowhere
bad 4 "cannot make the folder: " jobs/train.sbatch
from=.
# A resumed run refuses other options. The jobs run side by side, so each has a folder of its own.
run 1 --epochs 50 --patience 50 --time-limit 1s --out stopped-1
expect_status 75
cp -r stopped-1 stopped-2 && cp -r stopped-1 stopped-3
bad 2 "--resume stopped-1: --hidden is 7, but was 30" --export=ALL,DTRAIN_RESULTS=stopped-1 jobs/train.sbatch --hidden 7
bad 2 "--resume stopped-2: --hidden is 7, but was 30" jobs/train.sbatch --out stopped-2 --hidden 7
bad 2 "--resume stopped-3: --hidden is 7, but was 30" jobs/train.sbatch --resume=stopped-3 --hidden 7
run 1 --quiet --epochs 1 --out finished
expect_status 0
bad 2 "finished/run.h5: an earlier run ended here; use --force to replace its results" jobs/train.sbatch --out finished

while read -r id bad_status text; do
    wait_for_job "$id"
    expect_job "$id" FAILED "$bad_status"
    expect_one_error "$text"
    expect_no_stdout 'queued again|goes on when'
    [ "$(job_fact "$id" Restarts)" -eq 0 ] || fail "no restart"
done <all
[ "$(wc -l <all)" -eq "$(squeue -h -t all -o %i | wc -l)" ] || fail "no other jobs"

# ---- no job at all ----
harness_command="bash jobs/train.sbatch"
bash jobs/train.sbatch >stdout 2>stderr && status=0 || status=$?
expect_status 2
expect_one_stderr_line "this is not a Slurm job"
