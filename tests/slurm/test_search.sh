#!/bin/sh
# jobs/search.sbatch: a search that takes longer than its job may is queued again, goes on, and has the table of
# one that was never stopped.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python h5py numpy
start_slurm 1 16
"$PYTHON" - <<'PY'
import sys, os
sys.path.insert(0, os.environ["TESTS"] + "/cli")
from make_data import save_parts
save_parts("some", rows=(400, 120, 100))
PY
printf 'hidden = 8 | 16 | 24\nlearning-rate = log 1e-3 .. 3e-2\n' >space
options="--space space --trials 4 --epochs 200 --patience 200 --batch 50"
# shellcheck disable=SC2086
run 1 search some $options --out alone
expect_status 0
slow_down

# expect_same_table FOLDER: it is that of the search without Slurm.
expect_same_table() {
    "$PYTHON" "$TESTS/cli/compare_searches.py" alone "$1" >wrong 2>&1 || fail "the same search: $(cat wrong)"
}

# Is the first trial under way, in a folder?
trains() { grep -Eqs '^epoch +2/' "$1/trial-1/output.txt"; }

# shellcheck disable=SC2086
limited=$(submit --ntasks-per-node=2 jobs/search.sbatch some $options)
until_it "a trial of job $limited trains" trains "results/search-$limited"
hold "$limited"
scancel --batch --signal=USR1 "$limited"
release "$limited"
# shellcheck disable=SC2086
spread=$(submit --ntasks-per-node=4 --export=ALL,LAUNCHER=mpirun jobs/search.sbatch some $options --ranks-per-trial 2)

wait_for_job "$limited"
expect_job "$limited" COMPLETED 0
expect_stdout '^stopped    .*SIGUSR1'
expect_stdout_line "search.sbatch: queued again, restart 1 of at most 20"
expect_stdout_line summary.ok=4
expect_no_file "results/search-$limited/checkpoint.h5"
expect_same_table "results/search-$limited"
[ "$(job_fact "$limited" Restarts)" -eq 1 ] || fail "one restart"

wait_for_job "$spread"
expect_job "$spread" COMPLETED 0
expect_stdout ' 2 groups of 2 ranks$'
expect_same_table "results/search-$spread"

# Outside Slurm, and beside no train.sbatch, one line says what to do.
mkdir empty
status=0
(cd empty && bash ../jobs/search.sbatch some) >stdout 2>stderr || status=$?
expect_status 2
expect_one_stderr_line 'search.sbatch: error: '
