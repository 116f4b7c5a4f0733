#!/bin/sh
# --reduce and --overlap: gradients by messages, on their way while others are computed, or in shared memory;
# the same weights in every way.
# long: large networks; mpi/test_gradient_sum has their bits
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"

need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("some")'

# Wide enough for several pieces, and 40 MiB in shared memory.
set -- some --quiet --epochs 1 --hidden 1024,1024 --batch 200
run 1 "$@" --out one
expect_status 0
crc=$(summary weights_crc)
for overlap in on off; do
    run 3 "$@" --overlap "$overlap" --out "$overlap"
    expect_status 0
    [ "$(summary weights_crc)" = "$crc" ] || fail "the weights of one rank, with --overlap $overlap"
done
run 2 "$@" --overlap on --sum fast --out fast
expect_status 0

for reduce in allreduce window; do
    run 3 "$@" --reduce "$reduce" --out "$reduce"
    expect_status 0
    expect_empty_stderr
    [ "$(summary weights_crc)" = "$crc" ] || fail "the weights of one rank, with --reduce $reduce"
done

# The banner says which way is used.
for case in "--reduce auto:window" "--reduce window:window" "--reduce allreduce:allreduce" \
    "--overlap on:overlapped allreduce" "--reduce allreduce --overlap on:overlapped allreduce"; do
    # shellcheck disable=SC2086
    run 2 ${case%%:*} --epochs 1 --out banner --force some
    expect_status 0
    expect_stdout "^run .* exact sum by ${case#*:}; "
done

# Without shared memory a warning says so, and messages give the same weights.
# 32 MiB are enough for MPI.
mkdir bin
cat >bin/mpirun <<SH
#!/bin/sh
exec unshare -m sh -c 'mount -t tmpfs -o size=32m tmpfs /dev/shm && exec $(command -v mpirun) "\$@"' sh "\$@"
SH
chmod +x bin/mpirun
if unshare -m mount -t tmpfs tmpfs /dev/shm 2>/dev/null; then
    for reduce in auto window; do
        PATH=$PWD/bin:$PATH run 3 "$@" --reduce "$reduce" --out "small-$reduce"
        expect_status 0
        expect_one_stderr_line "MiB in /dev/shm; MPI_Allreduce adds up the gradients"
        [ "$(summary weights_crc)" = "$crc" ] || fail "the weights of one rank, without shared memory"
        h5dump -a /summary/reduce "small-$reduce/run.h5" | grep -q '"allreduce"' ||
            fail "run.h5 says what was used"
    done
else
    echo "the fallback was left out: no right to mount"
fi

# A run may go on with another way; and --like does not bring one along.
set -- --quiet --epochs 2 --batch 700
run 1 "$@" --out whole
expect_status 0
crc=$(summary weights_crc)
run 3 "$@" --reduce allreduce --overlap off --time-limit 1s --out stopped
expect_status 75
run 2 --quiet --resume stopped --reduce auto --overlap on
expect_status 0
[ "$(summary weights_crc)" = "$crc" ] || fail "the weights of a run that was not stopped"
run 2 --quiet --like stopped --out again
expect_status 0
[ "$(summary weights_crc)" = "$crc" ] || fail "the weights of the run that is repeated"

run 0 --reduce shout
expect_status 2
expect_one_stderr_line "--reduce takes one of auto|allreduce|window, not 'shout'"
run 2 --reduce window --overlap on
expect_status 2
expect_one_stderr_line "--reduce window and --overlap on were given"
run 0 --overlap maybe
expect_status 2
expect_one_stderr_line "--overlap takes one of auto|on|off, not 'maybe'"
