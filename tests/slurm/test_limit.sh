#!/bin/sh
# Runs that take longer than their jobs may: signal, checkpoint, exit status 75, then the next job, to the
# same bits, with one log.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python h5py numpy
start_slurm 1 16
options="--epochs 40 --patience 40 --hidden 256 --batch 400"
# shellcheck disable=SC2086
reference alone 1 $options
slow_down

# start SBATCH_ARGUMENTS...    prints the id of a job that is held in its first epochs
start() {
    # shellcheck disable=SC2086
    started=$(submit --ntasks-per-node=2 "$@" jobs/train.sbatch $options) || exit 1
    case "$*" in *--array=7*) started=${started}_7 ;; esac
    wait_for_line "$started" "^epoch +2/"
    hold "$started"
    echo "$started"
}

# The time limit that Slurm itself keeps an eye on, every 30 s: a minute, and the signal a minute ahead.
limited=$(start --time=1 --signal=B:USR1@60)
# The others get the signal at once. --like is for the first job alone: dtrain takes it or --resume.
array=$(options="--like alone" start --array=7)
bounded=$(start --export=ALL,LAUNCHER=mpirun,DTRAIN_MAX_REQUEUE=1)
followed=$(start --export=ALL,LAUNCHER=mpirun --no-requeue --job-name=other --time=7)
for id in "$array" "$bounded" "$followed"; do
    scancel --batch --signal=USR1 "$id"
    release "$id"
done

# Signals while ranks have not yet come to dtrain, which alone knows what to do on them.
cat >slow-start <<'SH'
#!/bin/sh
sleep 3
exec "$DTRAIN_FAST" "$@"
SH
chmod +x slow-start
# shellcheck disable=SC2086
hasty=$(submit --ntasks-per-node=2 --export="ALL,DTRAIN=$PWD/slow-start,DTRAIN_FAST=$DTRAIN" jobs/train.sbatch $options)
wait_for_line "$hasty" "^train.sbatch: "
for _ in 1 2 3; do
    scancel --batch --signal=USR1 "$hasty"
    sleep 0.2
done

# Before its minute is over, in which Slurm would end it.
release "$limited"

# ---- no more restarts than are allowed; then by hand, as the job says ----
wait_for_line "$bounded" "^resume "
hold "$bounded"
scancel --batch --signal=USR1 "$bounded"
release "$bounded"
wait_for_job "$bounded"
expect_job "$bounded" FAILED 75
expect_stdout_line "train.sbatch: queued again, restart 1 of at most 1"
expect_stdout_line "train.sbatch: restart 1, on localhost"
[ "$(job_fact "$bounded" Restarts)" -eq 1 ] || fail "one restart"
advice=$(sed -n 's/^train.sbatch: not queued again, DTRAIN_MAX_REQUEUE=1; to go on: sbatch //p' stdout)
# shellcheck disable=SC2086
by_hand=$(submit --ntasks-per-node=3 $advice)

# ---- where no job may be queued again: another one, of the same form, with the same log and folder ----
wait_for_job "$followed"
expect_job "$followed" FAILED 75
follower=$(sed -n 's/^train.sbatch: job \([0-9]*\) goes on when this one has ended, restart 1 of at most 20$/\1/p' stdout)
[ -n "$follower" ] || fail "a job that goes on"
for fact in JobName Partition NumNodes NumTasks CPUs/Task TimeLimit Requeue StdOut; do
    [ "$(job_fact "$follower" $fact)" = "$(job_fact "$followed" $fact)" ] ||
        fail "$fact of $follower is that of $followed, found $(job_fact "$follower" $fact)"
done
wait_for_job "$follower"
expect_job "$follower" COMPLETED 0
expect_epochs 40
expect_same_as alone "results/other-$followed"

# ---- the others ended well, with the bits of the run that was never stopped ----
wait_for_job "$by_hand"
expect_job "$by_hand" COMPLETED 0
expect_same_as alone "results/train-$bounded"
wait_for_job "$array"
expect_job "$array" COMPLETED 0
expect_epochs 40
expect_same_as alone "results/train-$array"
wait_for_job "$hasty"
expect_job "$hasty" COMPLETED 0
expect_epochs 40
expect_same_as alone "results/train-$hasty"

wait_for_job "$limited"
expect_job "$limited" COMPLETED 0
expect_stdout '^summary.stopped=SIGUSR1 in epoch [0-9]+'
expect_stdout_line "train.sbatch: queued again, restart 1 of at most 20"
expect_stdout "^resume +results/train-$limited: epoch [0-9]+"
expect_epochs 40
expect_same_as alone "results/train-$limited"
[ "$(job_fact "$limited" Restarts)" -ge 1 ] || fail "a restart"
