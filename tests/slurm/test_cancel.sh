#!/bin/sh
# scancel in the middle of a run: its log is whole, there is a checkpoint, it is not queued again; and gone on
# with by hand, it comes to the same bits. Beside it, the signal that time is nearly up, on two nodes.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python h5py numpy
start_slurm 2 8
slow_down
options="--epochs 40 --patience 40 --hidden 256 --batch 400 --checkpoint-every 1"

# shellcheck disable=SC2086
for launcher in srun mpirun; do
    for nodes in 1 2; do
        id=$(submit --nodes=$nodes --ntasks-per-node=1 --export=ALL,LAUNCHER=$launcher jobs/train.sbatch $options)
        wait_for_line "$id" "^epoch +2/"
        hold "$id" # Slurm's first signal lets it go on
        echo "$launcher $nodes $id" >>all
    done
done
# shellcheck disable=SC2086
asked=$(submit --nodes=2 --ntasks-per-node=1 --export=ALL,LAUNCHER=mpirun jobs/train.sbatch $options)
wait_for_line "$asked" "^epoch +2/"
hold "$asked"
scancel --batch --signal=USR1 "$asked"
release "$asked"
while read -r launcher nodes id; do
    scancel "$id"
done <all
# shellcheck disable=SC2086
reference alone 1 $options

while read -r launcher nodes id; do
    wait_for_job "$id"
    expect_job "$id" CANCELLED
    # mpirun gives its ranks two seconds, and its own output none; srun all the time that Slurm does.
    [ "$launcher" = mpirun ] || expect_stdout '^summary.stopped=SIGTERM in epoch'
    [ "$(job_fact "$id" Restarts)" -eq 0 ] || fail "no restart"
    count=$(grep -c '^epoch' stdout)
    [ "$count" -ge 2 ] || fail "two epochs at least are in the log"
    expect_epochs "$count"
    expect_stdout "^train.sbatch: Slurm ends this job; to go on: sbatch jobs/train.sbatch --resume results/train-$id\$"
    expect_no_stdout 'queued again|goes on when'
    expect_file "results/train-$id/checkpoint.h5"
    if [ "$launcher" = srun ]; then
        again=$(submit --ntasks-per-node=2 jobs/train.sbatch --resume "results/train-$id")
        echo "$id $again" >>resumed
    else
        run 2 --resume "results/train-$id"
        expect_same_as alone "results/train-$id"
    fi
done <all
while read -r id again; do
    wait_for_job "$again"
    expect_job "$again" COMPLETED 0
    expect_stdout "^resume +results/train-$id: epoch [1-9]"
    expect_same_as alone "results/train-$id"
    expect_no_file "results/train-$again"
done <resumed
wait_for_job "$asked"
expect_job "$asked" COMPLETED 0
expect_stdout '^summary.stopped=SIGUSR1 in epoch'
expect_stdout_line "train.sbatch: queued again, restart 1 of at most 20"
expect_epochs 40
expect_same_as alone "results/train-$asked"
