#!/bin/sh
# A short life of dtrain under valgrind: from a table to predictions, on no, one and two ranks, and what
# fails on the way. No read of what was never written, no access outside a block, no block lost. What the
# libraries beneath do is suppressed: by Open MPI's own list and by tests/valgrind.supp, which says why.
# long: valgrind is thirty times slower
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
command -v valgrind >/dev/null || skip "needs valgrind"
! grep -q __asan_init "$DTRAIN" || skip "the sanitizers and valgrind do not go together"
# Valgrind does not support AVX-512. OpenBLAS is not used here, but picks its kernels all the same.
export DTRAIN_ISA=avx2 OPENBLAS_CORETYPE=Haswell
grep -qw avx2 /proc/cpuinfo || export DTRAIN_ISA=portable OPENBLAS_CORETYPE=Nehalem

lists="--suppressions=$TESTS/valgrind.supp"
mpi_list=$(dirname "$(dirname "$(command -v mpirun)")")/share/openmpi/openmpi-valgrind.supp
[ ! -f "$mpi_list" ] || lists="$lists --suppressions=$mpi_list"

# In dtrain's place, for `run`: an exit status of 99 where valgrind found something.
cat >memcheck <<SCRIPT
#!/bin/sh
exec valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite \\
    --errors-for-leak-kinds=definite --track-fds=no --num-callers=20 $lists \\
    --gen-suppressions=all --log-file='$PWD/found.%p' '$DTRAIN' "\$@"
SCRIPT
chmod +x memcheck
DTRAIN=$PWD/memcheck

# expect_clean STATUS: that is dtrain's exit status, and no process had a finding.
expect_clean() {
    cat found.* >found 2>/dev/null || :
    if [ -s found ]; then
        head -n 200 found >&2
        fail "no finding of valgrind's"
    fi
    rm -f found.*
    expect_status "$1"
}

awk 'BEGIN {
    print "key;age;job;balance;outcome"
    split("admin.,services,\"retired; early\",technician", jobs, ",")
    for (i = 1; i <= 400; i++) {
        age = 20 + i * 7919 % 60
        balance = i * 104729 % 4001 - 2000 + 0.25
        print i ";" (i % 17 ? age : "") ";" jobs[i * 31 % 4 + 1] ";" balance ";" (age * 40 + balance > 1500 ? "yes" : "no")
    }
}' >table.csv

run 0 prepare table.csv --target outcome --drop key --out set --fill median --scale balance=robust
expect_clean 0
run 1 set --out one --epochs 3 --batch 32 --hidden 8,4
expect_clean 0
weights=$(summary weights_crc)
run 2 set --out two --epochs 3 --batch 32 --hidden 8,4
expect_clean 0
[ "$(summary weights_crc)" = "$weights" ] || fail "the weights of one rank: $weights"
# The time is up before it has begun: a checkpoint after the first step, and on from there.
run 2 set --out three --epochs 3 --batch 32 --hidden 8,4 --time-limit 1s
expect_clean 75
run 1 --resume three
expect_clean 0
[ "$(summary weights_crc)" = "$weights" ] || fail "the weights of an uninterrupted run: $weights"
run 2 evaluate two/model.h5 table.csv
expect_clean 0
run 2 predict two/model.h5 table.csv --out two.csv
expect_clean 0
run 0 predict one/model.h5 table.csv --out one.csv
expect_clean 0
expect_same_file one.csv two.csv
run 0 report one two
expect_clean 0
run 0 inspect two/model.h5
expect_clean 0

# What fails lets go of everything, too.
run 0 inspect set/train.npz --json
expect_clean 0
head -c 2000 set/train.npz >half.npz
run 2 half.npz --out half
expect_clean 3
sed '300s/;[a-z]*$/;perhaps/' table.csv >odd.csv
run 2 evaluate two/model.h5 odd.csv
expect_clean 3
