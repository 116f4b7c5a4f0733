#!/bin/sh
# --overlap: gradients on their way while others are computed; the same weights in every way.
# long: large networks; mpi/test_overlap has their bits
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"

# Wide enough for several pieces.
set -- --quiet --epochs 1 --hidden 512,512 --batch 2000
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

# A run may go on with another way; and --like does not bring one along.
set -- --quiet --epochs 2 --batch 700
run 1 "$@" --out whole
expect_status 0
crc=$(summary weights_crc)
run 3 "$@" --overlap off --time-limit 1s --out stopped
expect_status 75
run 2 --quiet --resume stopped --overlap on
expect_status 0
[ "$(summary weights_crc)" = "$crc" ] || fail "the weights of a run that was not stopped"
run 2 --quiet --like stopped --out again
expect_status 0
[ "$(summary weights_crc)" = "$crc" ] || fail "the weights of the run that is repeated"

run 0 --overlap maybe
expect_status 2
expect_one_stderr_line "--overlap takes one of auto|on|off, not 'maybe'"
