#!/bin/sh
# overlap.sh PATH_TO_DTRAIN [ROUNDS]: the time of a step with --overlap on and off, 784-1024-1024-10, 2 ranks:
# on two hosts with a link of 1 Gbit/s between them and with an unlimited one (tests/hosts/hosts.sh), and
# on one host. Medians over the epochs of ROUNDS (5) rounds, in which the settings take turns.
# Needs root, two idle cores, python3 with numpy and h5py; half a minute a round and batch. Fails when
# the exact sum's weights are not the same.
RUN_TIMEOUT=${RUN_TIMEOUT:-300}
rounds=${2:-5}
[ $# -lt 2 ] || set -- "$1"
# shellcheck source-path=SCRIPTDIR/../cli source=harness.sh
. "$(dirname "$0")/../cli/harness.sh"
need_python numpy h5py
[ "$(id -u)" -eq 0 ] || skip "only root can start hosts"

hosts=$(mktemp -d "${TMPDIR:-/tmp}/dtrain-hosts.XXXXXX")
leave() {
    bash "$TESTS/hosts/hosts.sh" down "$hosts"
    rm -rf "$hosts"
    harness_leave
}
trap leave EXIT
started=0
bash "$TESTS/hosts/hosts.sh" up "$hosts" 2 1 || started=$?
[ "$started" -ne 77 ] || skip "there are no namespaces for hosts here"
[ "$started" -eq 0 ] || fail "the hosts start"

"$PYTHON" - <<'PY'
import numpy as np
random = np.random.default_rng(1)
np.savez("wide.npz", x=random.standard_normal((8192, 784), dtype=np.float32),
         y=random.integers(0, 10, 8192))
PY

# The median time of a step in milliseconds, of all epochs of the runs in the named folders.
step_ms() { # step_ms BATCH FOLDER...
    "$PYTHON" - "$@" <<'PY'
import sys
import h5py
import numpy as np
steps = -(-8192 // int(sys.argv[1]))
seconds = [h5py.File(f"{folder}/run.h5")["epochs"]["seconds"] for folder in sys.argv[2:]]
print(f"{1e3 * np.median(np.concatenate(seconds)) / steps:.1f}")
PY
}

# measure LINK SUM BATCH, with the environment's hosts
measure() {
    crc=
    for round in $(seq "$rounds"); do
        for overlap in off on; do
            run 2 --quiet --hidden 1024,1024 --epochs 3 --batch "$3" --sum "$2" --overlap "$overlap" \
                --validation-split 0 --test-split 0 --checkpoint-every never \
                --out "$overlap-$round" --force wide.npz
            expect_status 0
            if [ "$2" = exact ]; then
                : "${crc:=$(summary weights_crc)}"
                [ "$(summary weights_crc)" = "$crc" ] || fail "the same weights, with --overlap $overlap"
            fi
        done
    done
    # shellcheck disable=SC2046
    set -- "$@" $(step_ms "$3" $(seq -f 'off-%g' "$rounds")) $(step_ms "$3" $(seq -f 'on-%g' "$rounds"))
    echo "$@" | awk '{printf "%-24s %-5s %5d %9.1f %9.1f %6.2f\n", $1, $2, $3, $4, $5, $4 / $5}'
}

printf '%-24s %-5s %5s %9s %9s %6s\n' ranks sum batch 'off, ms' 'on, ms' ratio
for link in 1000 off one-host; do
    name=two-hosts,1-Gbit/s
    [ "$link" != off ] || name=two-hosts,unlimited
    for batch in 1024 2048; do
        for sum in exact fast; do
            # In a shell of its own: one-host has nothing of the hosts' environment. Each rank has a
            # core to itself, and need not yield.
            (
                trap - EXIT
                if [ "$link" = one-host ]; then
                    name=one-host
                else
                    eval "$(bash "$TESTS/hosts/hosts.sh" env "$hosts")"
                    bash "$TESTS/hosts/hosts.sh" rate "$hosts" "$link"
                fi
                OMPI_MCA_mpi_yield_when_idle=0
                export OMPI_MCA_mpi_yield_when_idle
                measure "$name" "$sum" "$batch"
            )
        done
    done
done
