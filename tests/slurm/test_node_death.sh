#!/bin/sh
# A node that dies: its jobs end, Slurm queues them again, and they go on from their checkpoints on what is
# left, to the same bits.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python h5py numpy
start_slurm 3 4 MessageTimeout=4
slow_down
options="--epochs 30 --patience 30 --hidden 128 --batch 400 --checkpoint-every 1"

# Both on h1 and h2, while h3 is away.
scontrol update NodeName=h3 State=DRAIN Reason=later
# shellcheck disable=SC2086
for launcher in srun mpirun; do
    id=$(submit --nodes=2 --ntasks-per-node=1 --export=ALL,LAUNCHER=$launcher jobs/train.sbatch $options)
    wait_for_line "$id" "^epoch +2/"
    hold "$id"
    echo "$launcher $id" >>all
    [ "$(job_fact "$id" NodeList)" = "h[1-2]" ] || fail "job $id is on h1 and h2"
done
scontrol update NodeName=h3 State=RESUME
bash "$TESTS/slurm/slurm.sh" crash slurm h2
# Now that it may: Slurm notices sooner.
printf 'SlurmdTimeout=3\nKillWait=2\n' >>"$SLURM_CONF"
scontrol reconfigure
# shellcheck disable=SC2086
reference alone 1 $options

while read -r launcher id; do
    wait_for_job "$id"
    expect_job "$id" COMPLETED 0
    [ "$(job_fact "$id" Restarts) $(job_fact "$id" NodeList)" = "1 h[1,3]" ] || fail "job $id went on on h1 and h3"
    expect_stdout '^train.sbatch: restart 1, on h\[1,3\]$'
    expect_stdout "^resume +results/train-$id: epoch [1-9]"
    expect_same_as alone "results/train-$id"
done <all
expect_stdout '^train.sbatch: mpirun ended with [0-9]+, and not all of h\[1-2\] answer'
