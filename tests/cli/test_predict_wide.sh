#!/bin/sh
# Predictions and figures of wide layers, when OpenBLAS computes the products, are the same on any number
# of ranks: also with its kernels for AVX2, in which a row's bits depend on its place in a product.
# long: a large network on 8 ranks; mpi/test_predictor has its bits
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
export DTRAIN_ISA=blas

run 2 --quiet --epochs 1 --hidden 301,77 --out wide
expect_status 0

kernels=default
if grep -qw avx2 /proc/cpuinfo 2>/dev/null; then kernels="default Haswell"; fi
for kernel in $kernels; do
    if [ "$kernel" != default ]; then
        OPENBLAS_CORETYPE=$kernel
        export OPENBLAS_CORETYPE
    fi
    for ranks in 1 2 3 8; do
        run "$ranks" predict wide wide/example --set train --out "$kernel-$ranks.csv" --quiet
        expect_status 0
        run "$ranks" evaluate wide wide/example --set train --quiet
        expect_status 0
        cp stdout "$kernel-$ranks.txt"
        expect_same_file "$kernel-1.csv" "$kernel-$ranks.csv"
        expect_same_file "$kernel-1.txt" "$kernel-$ranks.txt"
    done
    [ "$(wc -l <"$kernel-1.csv")" -eq 40001 ] || fail "a header and 40000 rows"
done
