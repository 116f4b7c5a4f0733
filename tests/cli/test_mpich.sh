#!/bin/sh
# Another MPI: the program linked with MPICH gives the same weights on 1, 2 and 3 ranks as with the MPI of the
# build. Only comm/ includes mpi.h, so that only comm/ is compiled anew.
# long: compiles comm/
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy
command -v mpicc.mpich >/dev/null && command -v mpiexec.mpich >/dev/null || skip "needs mpich and libmpich-dev"
build=$(dirname "$DTRAIN")
root=$(cd "$TESTS/.." && pwd)
version=$("$DTRAIN" --version | sed -n '1s/^dtrain \([0-9.]*\).*/\1/p')
for file in "$root"/src/comm/*.c "$root"/src/comm/*/*.c "$root"/src/cli/main.c; do
    harness_command="mpicc.mpich -c $file"
    mpicc.mpich -std=gnu11 -O2 -Wall -Wextra -Werror -Wno-missing-field-initializers -ffp-contract=off \
        -I"$root/include" "-DDTRAIN_VERSION=\"$version\"" -c "$file" \
        -o "$(echo "${file#"$root"/}" | tr / _).o" 2>stderr || fail "$file compiles with MPICH"
done
libraries=$(find "$build" -maxdepth 1 -name '*.a' ! -name libdt_comm.a)
others=$(pkg-config --libs hdf5-serial openblas jansson zlib 2>/dev/null ||
    pkg-config --libs hdf5 openblas jansson zlib)
for library in libprotobuf-c; do others="$others $(pkg-config --libs $library 2>/dev/null || :)"; done
harness_command="mpicc.mpich -o dtrain-mpich"
# Word splitting is meant.
# shellcheck disable=SC2086
mpicc.mpich ./*.o -Wl,--start-group $libraries -Wl,--end-group -lhdf5_serial_hl $others -lm -lpthread \
    -o dtrain-mpich 2>stderr || fail "the program links with MPICH"
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("some")'
! ldd dtrain-mpich | grep -q libmpi.so || fail "no library depends on another MPI"
./dtrain-mpich --version | grep -q MPICH || fail "--version names MPICH"
for ranks in 1 2 3; do
    run $ranks --quiet --epochs 3 --out "first-$ranks" some
    expect_status 0
    crc=$(summary weights_crc)
    for reduce in window allreduce; do
        harness_command="mpiexec.mpich -n $ranks dtrain-mpich --reduce $reduce"
        status=0
        timeout -k 5 "$RUN_TIMEOUT" mpiexec.mpich -n $ranks ./dtrain-mpich --quiet --epochs 3 --reduce $reduce \
            --out "mpich-$ranks-$reduce" some </dev/null >stdout 2>stderr || status=$?
        expect_status 0
        expect_empty_stderr
        [ "$(summary weights_crc)" = "$crc" ] || fail "the weights are $crc"
        expect_stdout_line "summary.ranks=$ranks"
    done
done
# An error on one rank's own data ends all of them, with one line.
harness_command="mpiexec.mpich -n 3 dtrain-mpich no-such-file.npz"
status=0
timeout -k 5 "$RUN_TIMEOUT" mpiexec.mpich -n 3 ./dtrain-mpich no-such-file.npz </dev/null >stdout 2>stderr || status=$?
expect_status 3
[ "$(grep -c '^dtrain: error: no-such-file.npz' stderr)" -eq 1 ] || fail "one line"
