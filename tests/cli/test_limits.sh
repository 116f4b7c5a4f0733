#!/bin/sh
# Limits. A file at the limit of `ulimit -f` is a write that fails: exit
# status 4, one line, and neither a half-written nor a temporary file.
# Tables too wide for memory are refused by their header.
# ulimit -f is in units of 512 bytes, in POSIX; bash calls that its POSIX mode.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("some", columns=20)'
awk 'BEGIN { print "a,b,y"; for (i = 0; i < 3000; i++) print i * 31 % 101 "," i * 17 % 89 "," i % 2 }' >table.csv
run 0 --quiet --epochs 1 --hidden 300 --out of-arrays some
expect_status 0
run 0 --quiet --epochs 1 --out of-table table.csv --target y
expect_status 0

# ---- the size of files ----
# too_large BLOCKS FILE ARGUMENTS...: without mpirun. FILE does not come to be.
too_large() {
    too_large_blocks=$1
    too_large_file=$2
    shift 2
    harness_command="ulimit -f $too_large_blocks; dtrain $*"
    status=0
    (ulimit -f "$too_large_blocks" && exec timeout -k 5 "$RUN_TIMEOUT" "$DTRAIN" "$@") \
        </dev/null >stdout 2>stderr || status=$?
    too_large_ended "$too_large_file: cannot write: File too large"
    expect_no_file "$too_large_file"
}

too_large_ended() {
    own_words
    expect_status 4
    expect_one_stderr_line "dtrain: error: $1"
    expect_no_stdout '^summary\.status=ok'
    left=$(find . -name '*.tmp')
    [ -z "$left" ] || fail "no temporary file is left, found $left"
}

# UCX, which MPICH uses, otherwise writes a file in /dev/shm for the ranks of a host.
export UCX_TLS=self
too_large 8 in-log/run.h5 --quiet --out in-log --epochs 1 some
too_large 200 in-model/model.h5 --quiet --out in-model --epochs 1 --hidden 6000 some
too_large 60 made/train.npz prepare table.csv --target y --out made --quiet --store
too_large 8 rows.csv predict of-table table.csv --out rows.csv --quiet
too_large 8 rows.npz predict of-table table.csv --out rows.npz --quiet
too_large 2 page.html report of-arrays of-table --html page.html
too_large 1 runs.csv report of-arrays of-arrays of-table of-table of-table --csv runs.csv
too_large 4 why/explain.h5 explain of-table table.csv --out why
for ending in keras h5 onnx npz; do
    too_large 8 "model.$ending" export of-arrays --to "model.$ending"
done

# What is printed may go to a file, too.
for command in "predict of-table table.csv" "evaluate of-table table.csv" "report of-table" "inspect of-table/run.h5"; do
    harness_command="ulimit -f 0; dtrain $command"
    # Word splitting is meant. stderr goes through a pipe, which has no limit.
    # shellcheck disable=SC2086
    { (
        ulimit -f 0
        exec timeout -k 5 "$RUN_TIMEOUT" "$DTRAIN" $command 2>&1 >stdout
    ) </dev/null || echo "status $?"; } | cat >stderr
    status=$(sed -n 's/^status //p' stderr)
    sed -i '/^status /d' stderr
    too_large_ended "stdout: "
done

unset UCX_TLS

# On several ranks; the limit leaves room for the segments that MPI shares, and not for the model.
cat >limited <<'SH'
#!/bin/sh
ulimit -f 9000
exec "$REAL_DTRAIN" "$@"
SH
chmod +x limited
export REAL_DTRAIN="$DTRAIN"
DTRAIN=$PWD/limited
run 2 --quiet --reduce allreduce --out on-ranks --epochs 1 --hidden 1200,1000 some
DTRAIN=$REAL_DTRAIN
too_large_ended "on-ranks/model.h5: cannot write: File too large"
expect_file on-ranks/run.h5

# ---- the columns of a table ----
# Refused before memory is taken: 3 GiB, once.
awk 'BEGIN { for (i = 0; i < 1000000; i++) printf "c%d,", i; print "y"
    for (r = 0; r < 3; r++) { for (i = 0; i < 1000000; i++) printf "%d,", i % 7; print r } }' >wide.csv
for command in "prepare --out wide --target y wide.csv" "--out wide --target y wide.csv"; do
    harness_command="ulimit -v 500000; dtrain $command"
    status=0
    # Word splitting is meant. ulimit -v is not in POSIX, but in dash and bash.
    # shellcheck disable=SC2086,SC3045
    (ulimit -v 500000 && exec timeout -k 5 "$RUN_TIMEOUT" "$DTRAIN" $command) </dev/null >stdout 2>stderr || status=$?
    own_words
    expect_status 3
    expect_one_stderr_line "dtrain: error: wide.csv: has 1000001 columns, expected at most 131072; leave some out"
    expect_no_file wide
done

# ---- the address space ----
# Less than the threads of OpenBLAS would take, which used to wait for it without end.
# shellcheck disable=SC3045
roomy() {
    (ulimit -v 200000 && exec timeout -s KILL 30 "$@") </dev/null >stdout 2>stderr
}
if roomy env OPENBLAS_NUM_THREADS=1 "$DTRAIN" --version; then
    for threads in -uOPENBLAS_NUM_THREADS OPENBLAS_NUM_THREADS=; do
        harness_command="ulimit -v 200000; env $threads dtrain --version"
        status=0
        roomy env "$threads" "$DTRAIN" --version || status=$?
        expect_status 0
    done
fi
# Under valgrind dtrain does not start /proc/self/exe, which may be another program: here, the one that loads it.
loader=$(ls /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1 2>/dev/null | head -n 1)
# shellcheck disable=SC3045
loaded() {
    (ulimit -v 100000000 && exec env -u OPENBLAS_NUM_THREADS "$@" "$loader" "$DTRAIN" --version) </dev/null >stdout 2>stderr
}
if [ -n "$loader" ] && loaded && ! grep -q '^dtrain ' stdout; then
    harness_command="LD_PRELOAD=vgpreload.so $loader dtrain --version"
    status=0
    loaded LD_PRELOAD=vgpreload.so || status=$?
    expect_status 0
    expect_stdout '^dtrain '
fi

# ---- numbers in the environment of the job scripts ----
for script in train scaling sweep; do
    # shellcheck disable=SC2016 # values that a shell would expand
    for value in 'SLURM_RESTART_COUNT=a[$(touch hit)]' SLURM_CPUS_PER_TASK=08 SLURM_NTASKS=-1 DTRAIN_RESTARTS=1x \
        'SLURM_TASKS_PER_NODE=x[$(touch hit)]'; do
        harness_command="$value bash jobs/$script.sbatch"
        status=0
        env SLURM_JOB_ID=1 SLURM_JOB_NAME=x DTRAIN_JOBS="$TESTS/../jobs" "$value" \
            timeout -k 5 60 bash "$TESTS/../jobs/$script.sbatch" </dev/null >stdout 2>stderr || status=$?
        expect_status 2
        expect_one_stderr_line "$script.sbatch: error: $value: expected "
        expect_no_file hit
    done
done
