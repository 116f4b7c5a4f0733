#!/bin/sh
# The launch doctor: what it says, refuses and mends.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("some")'
# The launcher or batch job that runs these tests must not affect them.
for name in $(env | sed -n 's/^\(SLURM_[A-Z_]*\|PMI_[A-Z_]*\|PMIX_[A-Z_]*\|MPI_LOCAL[A-Z]*\)=.*/\1/p'); do
    unset "$name"
done

# ---- many at a time, without a launcher ----
for loop in 1 2 3 4 5 6 7 8; do
    for start in 1 2 3 4 5 6 7 8 9 10 11 12; do
        code=0
        "$DTRAIN" no-such-data >"out.$loop.$start" 2>&1 || code=$?
        [ "$code" -eq 3 ] || echo "$code $(cat "out.$loop.$start")" >"failed.$loop.$start"
    done &
done
wait
cat failed.* >failed 2>/dev/null || :
[ ! -s failed ] || fail "each of 96 starts ends with status 3: $(cat failed)"
rm -f out.* failed

# ---- more ranks than CPUs ----
cpus=$(nproc)
if [ "$cpus" -lt 16 ]; then
    run $((cpus + 1)) --epochs 1 --out crowded some
    expect_status 0
    expect_empty_stderr
    expect_stdout "^job +$((cpus + 1)) ranks on 1 host, $cpus CPUs? here \\(fewer than ranks: waiting ranks yield\\)"
fi
run 1 --epochs 1 --out roomy some
expect_status 0
expect_no_stdout 'fewer than ranks'

# What the ranks were started with is seen in a rank's environment, which dtrain changes for itself
# and for MPI: read from the running process it would be the old one. So MPI is asked, by its own
# report of the values in force.
yields() {
    OMPI_MCA_mpi_show_mca_params=all run "$@"
    expect_status 0
    sed -n 's/.*mpi_yield_when_idle[ =]*\(true\|false\|[01]\).*/\1/p' stdout stderr | head -n 1
}
# A hostfile that promises more slots than there are CPUs: mpirun believes it, and does not yield.
if [ "$cpus" -lt 16 ]; then
    echo "localhost slots=$((cpus + 1))" >hosts
    export OMPI_MCA_orte_default_hostfile="$PWD/hosts" OMPI_MCA_rmaps_base_oversubscribe=0
    found=$(yields $((cpus + 1)) --quiet --epochs 1 --out yielding some)
    case $found in
    true | 1) ;;
    "") echo "mpi_yield_when_idle: not shown by this MPI" ;;
    *) fail "waiting ranks yield, mpi_yield_when_idle is $found" ;;
    esac
    # The user's own word is respected.
    export OMPI_MCA_mpi_yield_when_idle=0
    found=$(yields $((cpus + 1)) --quiet --epochs 1 --batch 600 --out spinning some)
    case $found in
    false | 0 | "") ;;
    *) fail "OMPI_MCA_mpi_yield_when_idle=0 is respected, found $found" ;;
    esac
    unset OMPI_MCA_mpi_yield_when_idle OMPI_MCA_orte_default_hostfile
    export OMPI_MCA_rmaps_base_oversubscribe=1
fi

# ---- kernels ----
# Each version comes to the same weights, log and predictions.
export DTRAIN_ISA=portable # where AVX2 is missing, BLAS is the default
run 2 --quiet --epochs 2 --hidden 40,20 --out own some
expect_status 0
keep_summary own
run 1 predict own some --out own.csv
expect_status 0
for isa in avx512 avx2 neon; do
    export DTRAIN_ISA=$isa
    run 0 --quiet --epochs 1 --out probe --force some
    if [ "$status" -ne 0 ]; then
        expect_status 2
        expect_one_stderr_line "dtrain: error: DTRAIN_ISA=$isa: this CPU does not have it"
        continue
    fi
    rm -rf again
    run 3 --epochs 2 --hidden 40,20 --out again some
    expect_stdout "^kernels +dtrain's own, $isa: the same bits on any CPU; 1 thread a rank\$"
    expect_same_run own again
    run 2 predict own some --out "$isa.csv" --quiet
    expect_status 0
    expect_same_file own.csv "$isa.csv"
done
for ranks in 0 3; do
    DTRAIN_ISA=sse9 run $ranks --epochs 1 --out bad-isa some
    expect_status 2
    expect_one_stderr_line "dtrain: error: DTRAIN_ISA=sse9: expected avx512, avx2, neon, portable or blas"
    DTRAIN_ISA=sse9 run $ranks predict own some
    expect_status 2
    expect_one_stderr_line "dtrain: error: DTRAIN_ISA=sse9: expected"
    DTRAIN_ISA=portable run $ranks --engine blas --epochs 1 --out bad-isa some
    expect_status 2
    expect_one_stderr_line "dtrain: error: --engine blas, but DTRAIN_ISA=portable; leave one of them out"
done
unset DTRAIN_ISA
expect_no_file bad-isa

# ---- BLAS ----
run 2 --engine blas --epochs 1 --threads 64 --out threads some
expect_status 0
expect_one_stderr_line "dtrain: warning: 64 threads on each of 2 ranks need 128 CPUs; "
expect_stdout '^BLAS .* 64 threads a rank'
# The CPU and the release of OpenBLAS decide which kernels it picks, so the test pins them. The
# Nehalem kernels run on every x86-64 CPU with SSE4.2.
blas_is_pinned=yes
if OPENBLAS_CORETYPE=Nehalem "$DTRAIN" --version | grep -q ', Nehalem kernels$'; then
    export OPENBLAS_CORETYPE=Nehalem
    run 2 --engine blas --epochs 1 --out pinned some
    expect_status 0
    expect_empty_stderr
    below=""
    ! grep -qw avx2 /proc/cpuinfo || below="; OPENBLAS_CORETYPE keeps it below .*, which this CPU has"
    expect_stdout "^BLAS .*, Nehalem kernels, 1 thread a rank$below\$"
    "$PYTHON" - <<'PY' || fail "/environment has the kernels in use and the variable"
import h5py
environment = h5py.File("pinned/run.h5", "r")["environment"].attrs
assert environment["blas_kernels"] == "Nehalem", environment["blas_kernels"]
assert environment["openblas_coretype"] == "Nehalem"
PY

    # Ranks whose BLAS picks other kernels: their last bits would differ.
    cat >mixed <<'SH'
#!/bin/sh
[ "$OMPI_COMM_WORLD_RANK" -ne 1 ] || export OPENBLAS_CORETYPE=Prescott
exec "$REAL_DTRAIN" "$@"
SH
    chmod +x mixed
    export REAL_DTRAIN="$DTRAIN"
    DTRAIN=$PWD/mixed
    run 3 --engine blas --epochs 1 --out mixed-kernels some
    expect_status 2
    expect_one_stderr_line "but Prescott on rank 1"
    expect_one_stderr_line "set OPENBLAS_CORETYPE=Prescott on all hosts (mpirun -x OPENBLAS_CORETYPE=Prescott ...)"
    expect_no_file mixed-kernels
    # dtrain's own kernels do not depend on it.
    run 3 --engine own --epochs 1 --out mixed-kernels some
    expect_status 0
    expect_empty_stderr
    DTRAIN=$REAL_DTRAIN
    unset OPENBLAS_CORETYPE
    run 2 --engine blas --epochs 1 --out free some
    expect_no_stdout OPENBLAS_CORETYPE
else
    blas_is_pinned=no
fi

# ---- ranks that take their time to connect (tests/hosts has some that never do) ----
for bad in 60 -1s soon ""; do
    DTRAIN_START_TIMEOUT=$bad run 2 --epochs 1 --out bad-time some
    expect_status 2
    expect_one_stderr_line "dtrain: error: DTRAIN_START_TIMEOUT=$bad: expected a time such as 60s or 5min"
    expect_no_file bad-time
done
for good in never 10min; do
    DTRAIN_START_TIMEOUT=$good run 2 --quiet --epochs 1 --out "good-$good" some
    expect_status 0
    expect_empty_stderr
done
[ "$blas_is_pinned" = yes ] || skip "this BLAS does not use OPENBLAS_CORETYPE; the rest passed"
