#!/bin/sh
# What would give the hosts other bits, or another program, is told of at the start; and what the line
# says helps.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
need_hosts 2 2
REAL=$DTRAIN
export REAL

# on_h2 COMMAND...: from now on $DTRAIN is what COMMAND... makes of it on h2.
on_h2() {
    cat >differs <<SH
#!/bin/sh
[ "\$(uname -n)" != h2 ] || $*
exec "$REAL" "\$@"
SH
    chmod +x differs
    DTRAIN=$PWD/differs
}

# ---- another build ----
cp "$REAL" other-build
echo >>other-build # another file, the same program
build_of() { "$PYTHON" -c 'import sys, zlib; print("%08x" % zlib.crc32(open(sys.argv[1], "rb").read()))' "$1"; }
on_h2 exec "$PWD/other-build" '"$@"'
run 4 --out other
own_words
expect_status 2
expect_one_stderr_line "dtrain: error: rank 0 (h1) runs dtrain "
expect_one_stderr_line ", build $(build_of "$REAL"), but rank 2 (h2) runs dtrain "
expect_one_stderr_line ", build $(build_of other-build); start the same program on all hosts"
expect_no_file other
run 3 evaluate nothing nothing
own_words
expect_status 2
expect_one_stderr_line "but rank 2 (h2) runs dtrain "

# ---- other instruction sets: the same bits ----
DTRAIN=$REAL
run 0 --epochs 2 --out isa-one
expect_status 0
keep_summary isa-one
on_h2 export DTRAIN_ISA=portable
run 4 --epochs 2 --out isa-both
own_words
expect_empty_stderr
expect_stdout '^job +4 ranks on 2 hosts'
expect_same_run isa-one isa-both

# ---- other kernels of BLAS ----
# The CPU and the release of OpenBLAS decide which kernels it picks, so the test pins them. The
# Nehalem kernels run on every x86-64 CPU with SSE4.2.
OPENBLAS_CORETYPE=Nehalem "$REAL" --version | grep -q ', Nehalem kernels$' ||
    skip "the rest needs an OpenBLAS that has Nehalem kernels"
cat >pinned <<SH
#!/bin/sh
export OPENBLAS_CORETYPE=Nehalem
[ "\$(uname -n)" != h2 ] || export OPENBLAS_CORETYPE=Prescott
exec "$REAL" "\$@"
SH
chmod +x pinned
DTRAIN=$PWD/pinned
run 4 --engine blas --epochs 2 --out other
own_words
expect_status 2
[ "$(wc -l <stderr)" -eq 1 ] || fail "one line on stderr"
expect_stderr_line "dtrain: error: BLAS uses Nehalem kernels on rank 0 (h1) but Prescott on rank 2 (h2), and their results differ in the last bits; set OPENBLAS_CORETYPE=Prescott on all hosts (mpirun -x OPENBLAS_CORETYPE=Prescott ...)"
expect_no_file other
# As it says.
DTRAIN=$REAL
export OPENBLAS_CORETYPE=Prescott
run 0 --engine blas --epochs 2 --out one
keep_summary one
unset OPENBLAS_CORETYPE
OMPI_MCA_mca_base_env_list=OPENBLAS_CORETYPE=Prescott run 4 --engine blas --epochs 2 --out both
own_words
expect_empty_stderr
expect_stdout '^BLAS .*, Prescott kernels'
expect_same_run one both
