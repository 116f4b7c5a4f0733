#!/bin/sh
# jobs/scaling.sbatch: a table and a plot, in a job and without Slurm; a run that fails does not end the others.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python h5py numpy
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("some")'
start_slurm 1 4
export BATCH=100 ROWS=20 STEPS=300

# check FOLDER ROUNDS RANKS...    the table is complete, and says what the runs' own logs say
check() {
    "$PYTHON" - "$@" <<'PY' || fail "the table is complete and sane"
import csv, sys, h5py
folder, rounds, ranks = sys.argv[1], int(sys.argv[2]), [int(n) for n in sys.argv[3:]]
rows = list(csv.DictReader(open(f"{folder}/scaling.csv")))
kinds = [(mode, sum, n) for mode in ("strong", "weak") for sum in ("exact", "fast") for n in ranks]
assert [(r["mode"], r["sum"], int(r["ranks"])) for r in rows] == kinds, rows
runs = list(csv.DictReader(open(f"{folder}/runs.csv")))
assert len(runs) == rounds * len(kinds), runs
for r in runs:
    log = h5py.File("{}/runs/{mode}-{sum}-{ranks}-{round}/run.h5".format(folder, **r))
    config, n = log["config"].attrs, int(r["ranks"])
    weak = r["mode"] == "weak"
    assert config["sum"] == r["sum"] and log["environment"].attrs["ranks"] == n
    assert config["batch"] == int(r["batch"]) == (20 * n if weak else 100)
    assert config["shards"] == int(r["shards"]) == (n if weak else 8)
    steps = len(log["epochs"]) * -(-600 // int(r["batch"]))
    assert int(r["steps"]) == steps >= 300, r
    assert int(r["weights_crc"]) == log["summary"].attrs["weights_crc"]
    seconds = len(log["epochs"]) * 600 / log["summary"].attrs["samples_per_second"]
    assert abs(float(r["step_us"]) * steps / 1e6 / seconds - 1) < 1e-3, (r, seconds)
    table = log["ranks"][:]
    apart = float(r["allreduce_us"]) + float(r["wait_us"]) - table["allreduce_s"].mean() / steps * 1e6
    # Means are printed to 0.1 ms, and the estimated wait is at most the whole time.
    assert apart * steps / 1e6 > -2e-4 and apart <= float(r["wait_us"]) + 20, (r, table)
assert len({r["weights_crc"] for r in runs if r["mode"] == "strong" and r["sum"] == "exact"}) == 1
for r in rows:
    same = [q for q in runs if all(q[k] == r[k] for k in ("mode", "sum", "ranks"))]
    times = sorted(float(q["step_us"]) for q in same)
    median = (times[(rounds - 1) // 2] + times[rounds // 2]) / 2
    for key, value in ("step_us", median), ("step_least_us", times[0]), ("step_most_us", times[-1]):
        assert abs(float(r[key]) - value) <= 0.01 + 1e-4 * value, (r, key, value)
    n, base = int(r["ranks"]), next(b for b in rows if (b["mode"], b["sum"]) == (r["mode"], r["sum"]))
    ideal = float(base["step_us"]) * (ranks[0] / n if r["mode"] == "strong" else 1)
    assert abs(float(r["ideal_us"]) - ideal) <= 0.02 + 1e-4 * ideal, (r, ideal)
    faster = float(r["samples_per_second"]) / float(base["samples_per_second"]) * ranks[0]
    assert abs(float(r["speedup"]) - faster) < 2e-3 * faster + 1e-3, (r, faster)
    assert abs(float(r["efficiency"]) * n - faster) < 2e-3 * faster + 1e-3 * n, r
    assert int(r["runs"]) == rounds and int(r["hosts"]) == 1
    assert 0 <= float(r["wait_share"]) <= float(r["communication_share"]) <= 1, r
    assert float(r["communication_share"]) > 0 if n > 1 else float(r["wait_us"]) == 0, r
    assert float(r["bare_allreduce_us"]) > (0.2 if n > 1 else 0), r
PY
}

check_plot() {
    if command -v gnuplot >/dev/null; then
        "$PYTHON" - "$1/scaling.svg" <<'PY' || fail "the plot is whole, with its titles and its lines"
import sys, xml.etree.ElementTree
text = " ".join(xml.etree.ElementTree.parse(sys.argv[1]).getroot().itertext())
for wanted in ("12-30-2", "Strong scaling: 100 rows", "Weak scaling: 20 rows", "time of a step", "parallel efficiency",
               "share of communication", "adding up the gradients", "exact, ideal", "fast, bare"):
    assert wanted in text, wanted
PY
    else
        expect_stdout '^scaling.sbatch: table .*, no plot; elsewhere: gnuplot '
    fi
}

# ---- in a job: all the ranks there are, in two rounds; each kind of run crashes once before dtrain has begun ----
cat >crash-once <<CRASH
#!/bin/sh
[ "\$1" = inspect ] || ! mkdir "crashed-\$1" 2>/dev/null || kill -SEGV \$\$
exec "$DTRAIN" "\$@"
CRASH
chmod +x crash-once
all=$(REPEAT=2 DTRAIN=$PWD/crash-once submit --ntasks-per-node=2 jobs/scaling.sbatch some)
# ---- in another one a kind of runs fails, and the bare all-reduce ----
cat >broken <<BROKEN
#!/bin/sh
case "\$*" in
*"--sum fast --batch 100 --shards 8"*) echo "dtrain: error: broken on purpose" >&2; exit 3 ;;
measure*) exit 1 ;;
esac
exec "$DTRAIN" "\$@"
BROKEN
chmod +x broken
part=$(RANKS="1" REPEAT=1 LAUNCHER=mpirun DTRAIN=$PWD/broken submit --ntasks-per-node=2 jobs/scaling.sbatch --hidden 4 some)
# ---- without Slurm, on this machine ----
by_hand() {
    # shellcheck disable=SC2034
    harness_command="jobs/scaling.sbatch $*"
    status=0
    bash jobs/scaling.sbatch "$@" >stdout 2>stderr || status=$?
}
export REPEAT=1 DTRAIN_RESULTS="here and now" RANKS=2,1 ROWS=61
by_hand some
expect_status 0
expect_empty_stderr
expect_stdout '^scaling.sbatch: ranks are started by mpirun'
expect_stdout '^scaling.sbatch: no weak scaling, ranks 1: steps of 61 rows are less than 10 in an epoch of 600; set ROWS'
[ "$(cut -d, -f1-3 "here and now/scaling.csv" | tail -n +2 | tr '\n' ' ')" = "strong,exact,1 strong,exact,2 strong,fast,1 strong,fast,2 " ] ||
    fail "strong scaling is there, and nothing else"

wait_for_job "$all"
expect_job "$all" COMPLETED 0
expect_no_stdout 'error|warning'
expect_stdout "^scaling.sbatch: ranks 1 2: 12-30-2, 452 parameters, 600 rows; all in results/scaling-$all\$"
expect_stdout '^strong +exact +2 +1 +100 '
[ "$(grep -c '^scaling.sbatch: srun ended with 139 before training began; once more$' stdout)" -eq 2 ] ||
    fail "a run and a bare all-reduce are started again"
check "results/scaling-$all" 2 1 2
check_plot "results/scaling-$all"
wait_for_job "$part"
expect_job "$part" FAILED 1
expect_stdout '^scaling.sbatch: ranks are started by mpirun'
expect_stdout "^scaling.sbatch: strong-fast-1-1: exit status 3; results/scaling-$part/runs/strong-fast-1-1.log: dtrain: error: broken"
expect_stdout "^scaling.sbatch: bare all-reduce, ranks 1: results/scaling-$part/runs/bare-1.log: says nothing"
expect_stdout '^scaling.sbatch: error: 2 failed, see above$'
[ "$(cut -d, -f1-3 "results/scaling-$part/scaling.csv" | tail -n +2 | tr '\n' ' ')" = "strong,exact,1 weak,exact,1 weak,fast,1 " ] ||
    fail "the others are there"
expect_file "results/scaling-$part/scaling.svg"

# ---- refusals ----
unset DTRAIN_RESULTS
many=$(RANKS="1 2 3" submit --ntasks-per-node=2 jobs/scaling.sbatch some)
wait_for_job "$many"
expect_job "$many" FAILED 2
expect_one_error "RANKS=1 2 3: the job has 2 tasks"
unset SLURM_CONF
refused() { # refused STATUS TEXT ARGS...
    refused_status=$1 refused_text=$2
    shift 2
    by_hand "$@"
    expect_status "$refused_status"
    expect_one_stderr_line "scaling.sbatch: error: $refused_text"
}
refused 2 "--batch is chosen here" some --batch=5
export DTRAIN_RESULTS="here and now" RANKS="1 none"
refused 2 "RANKS=1 none: expected whole numbers"
RANKS=1 STEPS=-1
refused 2 "STEPS=-1: expected a whole number"
STEPS=5 BATCH=601
refused 2 "BATCH=601: more than the 600 rows" some
BATCH=100
refused 3 "the first run failed" no-such-data
expect_stdout '^scaling.sbatch: first: exit status 3; .*dtrain: error: no-such-data'
: >file
DTRAIN_RESULTS=file/below
refused 4 "file/below cannot be made" some
