#!/bin/sh
# jobs/sweep.sbatch: a run a line; the one that fails and the one that is queued again, and the report.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python h5py numpy
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("some", rows=(4000, 400, 400))'
start_slurm 1 8

# by_hand ARGS...    jobs/sweep.sbatch on the login node
by_hand() {
    # shellcheck disable=SC2034
    harness_command="bash jobs/sweep.sbatch $*"
    status=0
    bash jobs/sweep.sbatch "$@" >stdout 2>stderr || status=$?
}

# expect_submitted    sets $array, $report and $folder from what jobs/sweep.sbatch says
expect_submitted() {
    expect_stdout '^sweep.sbatch: [0-9]+ runs are job [0-9]+, the report on them is job [0-9]+; all in results/'
    array=$(sed -n 's/.* runs are job \([0-9]*\),.*/\1/p' stdout)
    report=$(sed -n 's/.* is job \([0-9]*\); .*/\1/p' stdout)
    folder=$(sed -n 's/.* all in //p' stdout)
}

# ---- six settings ----
cat >table <<'TABLE'
# hidden and learning rate; as some editors write it, there is a carriage return, and blanks at a line's end
--hidden 8 --learning-rate 0.01
--hidden 64	--epochs 400 --patience 400  

  # the third one is invalid
--hidden -3
--hidden 16,8 --learning-rate 0.003
--activation tanh
TABLE
printf -- '--hidden none\r\n' | sed 's/none/4/' >>table
cp table table-before
slow_down
export DTRAIN_AT_ONCE=4
by_hand --ntasks-per-node=2 --job-name="six of" table --epochs 3 some
expect_status 0
expect_empty_stderr
expect_submitted
[ "$folder" = "results/six_of-$array" ] || fail "a folder by the name and number of the array, found $folder"
unset DTRAIN_AT_ONCE
echo "--hidden nonsense" >table # what was submitted stays as it was
six=$array six_report=$report six_folder=$folder

# The second one is held, to be asked to stop when all the others have ended.
mkdir "held-$six"
wait_for_line "${six}_2" '^epoch +2/'
hold "$six/2"

# ---- jobs cannot be queued again: another job resumes, and another report follows ----
echo "--hidden 64 --epochs 400 --patience 400" >one
by_hand --ntasks-per-node=2 --no-requeue --job-name=chain one some
expect_status 0
expect_submitted
chain=$array chain_report=$report
mkdir "held-$chain"
wait_for_line "${chain}_1" '^epoch +2/'
hold "$chain/1"
scancel --batch --signal=USR1 "${chain}_1"
release "$chain/1"

# ---- meanwhile: from within a job, with a table of which nothing comes, in the form the first job was given ----
printf '%s\n' '--hidden 0.5' '--batch many' >hopeless
first=$(submit --ntasks-per-node=1 --time=7 --job-name=none jobs/sweep.sbatch hopeless some)
wait_for_job "$first"
expect_job "$first" COMPLETED 0
expect_submitted
[ "$(job_fact "${array}_2" TimeLimit)" = 00:07:00 ] || fail "the runs have the first job's time limit"
[ "$(job_fact "${array}_2" NumCPUs)" = 1 ] || fail "the runs have the first job's task"
wait_for_job "$report"
expect_job "$report" FAILED 1
expect_stdout "^sweep.sbatch: 0 of 2 runs are whole: results/none-$array\$"
expect_stdout '^sweep.sbatch: run 2: --batch many .*: exit status 2,.*; results/none-.*/2.log: dtrain: error: --batch'
expect_no_stdout 'the best'

# ---- an array by hand that is longer than the table ----
seven=$(submit --array=1,7 --ntasks-per-node=1 jobs/sweep.sbatch hopeless some)
wait_for_job "$seven"
expect_job "${seven}_7" FAILED 2
expect_one_error "array index 7: hopeless has 2 settings"
[ "$(wc -l <stdout)" -eq 1 ] || fail "one line in the job's output"
[ "$(job_fact "${seven}_7" Restarts)" -eq 0 ] || fail "it is not queued again"

# ---- refusals before submission ----
mkdir no-slurm # waiting for one that does not answer takes a minute
for tool in sbatch scontrol squeue; do
    printf '#!/bin/sh\nexit 1\n' >no-slurm/$tool
    chmod +x no-slurm/$tool
done
without_slurm() { # without_slurm COMMAND...
    slurm_path=$PATH
    PATH=$PWD/no-slurm:$PATH
    "$@"
    PATH=$slurm_path
}
: >empty
seq 1001 >long
refused() { # refused STATUS TEXT ARGS...
    refused_status=$1 refused_text=$2
    shift 2
    by_hand "$@"
    expect_status "$refused_status"
    expect_one_stderr_line "sweep.sbatch: error: $refused_text"
    [ ! -s stdout ] || fail "nothing on stdout"
}
jobs_of_all() { squeue -h -r -t all -o %i | sort; }
jobs_of_all >before
refused 2 "no table of settings"
refused 3 "no-such: " no-such some
refused 3 "empty: no settings" empty some
refused 3 "some-train.npz: no settings" some-train.npz
refused 2 "long: 1001 settings, but an array of this Slurm ends at 1000" long some
refused 3 "results: no folder of a sweep" --report results
without_slurm refused 2 "no Slurm answers here" hopeless
jobs_of_all >after
expect_same_file before after

# ---- the second one of the six stops with a checkpoint, is queued again, and resumes ----
others_ended() { [ "$(squeue -h -r -j "$six" -o %i)" = "${six}_2" ]; }
until_it "the others have ended" others_ended
scancel --batch --signal=USR1 "${six}_2"
release "$six/2"
wait_for_line "${six}_2" '^train.sbatch: queued again'
wait_for_job "$six"
wait_for_job "$six_report"
expect_job "${six}_2" COMPLETED 0
expect_stdout '^sweep.sbatch: run 2 of 6: --hidden 64.--epochs 400 --patience 400$'
expect_epochs 400
[ "$(job_fact "${six}_2" Restarts)" -eq 1 ] || fail "one restart"
expect_job "${six}_3" FAILED 2
expect_one_error "--hidden is -3"
expect_job "$six_report" COMPLETED 0

# ---- the report: complete and incomplete runs, and the best one by the runs' own logs ----
grep -v '^ *#\|^ *$' table-before | sed 's/[[:space:]]*$//' | grep . >settings
"$PYTHON" - "$six_folder" settings >best <<'PY' || fail "five runs are there"
import sys, h5py
folder, settings = sys.argv[1], open(sys.argv[2]).read().splitlines()
losses = {}
for run in (1, 2, 4, 5, 6):
    log = h5py.File(f"{folder}/{run}/run.h5")
    assert log.attrs["status"] == "ok" and len(log["epochs"]) == (400 if run == 2 else 3), run
    losses[run] = log["evaluation/validation"].attrs["loss"]
best = min(losses, key=losses.get)
print(f"sweep.sbatch: the best by validation loss, {float(losses[best])!r}, is run {best}: {settings[best - 1]}"
      " (all runs: --epochs 3 some)")
PY
expect_report() {
    expect_stdout_line "sweep.sbatch: 5 of 6 runs are whole: $six_folder"
    expect_stdout "^sweep.sbatch: run 3: --hidden -3 \\(all runs: --epochs 3 some\\): exit status 2.*; $six_folder/3.log: dtrain: error: --hidden is -3"
    [ "$(grep -c '^sweep.sbatch: run ' stdout)" -eq 1 ] || fail "no other run is named"
    expect_stdout_line "$(cat best)"
    expect_stdout '^what differs +activation '
    expect_file "$six_folder/report.html"
    [ "$(wc -l <"$six_folder/report.csv")" -eq 6 ] || fail "a title and five runs in report.csv"
}
expect_report

# ---- once more, by hand, when Slurm has forgotten it all; then of less ----
rm "$six_folder/report.html" "$six_folder/report.csv"
without_slurm by_hand --report "$six_folder/"
expect_status 0
expect_empty_stderr
expect_report
echo "not HDF5" >"$six_folder/1/run.h5"
rm -r "${six_folder:?}/4" "$six_folder/4.log" "$six_folder/4.status"
rm "$six_folder/5/run.h5"
echo 75 >"$six_folder/5.status"
by_hand --report "$six_folder"
expect_status 0
expect_stdout_line "sweep.sbatch: 2 of 6 runs are whole: $six_folder"
expect_stdout '^sweep.sbatch: run 1: .*: did not finish.*/1.log$'
expect_stdout '^sweep.sbatch: run 4: .*: did not finish.*; no log .*/4.log$'
expect_stdout '^sweep.sbatch: run 5: .*: stopped early, with a checkpoint.*/5.log$'

# ---- the report of the chain ----
wait_for_job "$chain_report"
next=$(sed -n 's/^sweep.sbatch: of the runs, job [0-9]* goes on; the next report is job \([0-9]*\)$/\1/p' "results/chain-$chain/report.log")
[ -n "$next" ] || fail "a report follows: $(cat "results/chain-$chain/report.log")"
wait_for_job "$next"
expect_job "$next" COMPLETED 0
expect_stdout "^sweep.sbatch: 0 of 1 runs are whole: results/chain-$chain\$"
expect_stdout "^sweep.sbatch: run 1: .* some\): stopped early, with a checkpoint.*; results/chain-$chain/1.log\$"
expect_stdout "^sweep.sbatch: 1 of 1 runs are whole: results/chain-$chain\$"
expect_stdout '^sweep.sbatch: the best by validation loss, .*, is run 1: --hidden 64 --epochs 400 --patience 400 \(all runs: some\)$'

# ---- where nothing can be written: known when the array has its number, and none of it starts ----
rm -r results
: >results
by_hand hopeless some
expect_status 4
expect_one_stderr_line "sweep.sbatch: error: results/sweep-"
expect_one_stderr_line " cannot be made: "
jobs_of_all | comm -13 after - >new
[ -s new ] || fail "the array was there"
while read -r id; do
    [ "$(job_state "$id")" = CANCELLED ] || fail "job $id is cancelled, found $(job_state "$id")"
done <new
