#!/bin/sh
# run.sh [--quick] [--markdown] [--parts LIST]    e.g. run.sh --markdown >results/BENCHMARKS.md
#
# Measures dtrain against PyTorch and JAX: the same arrays, networks and batches, in turn, in one run.
# Prints microseconds a step, ratios, the phases of dtrain's steps, the times of a saturated network, and
# start-up times; stderr reports the progress. The exit status does not depend on the times.
#
#   --markdown     a complete page, with how it was measured and on what
#   --quick        one short round, to try the scripts; the figures are rough
#   --parts LIST   of steps, saturated and start; all without it
#
# DTRAIN=PATH names the binary; without it, dtrain is built in build/. VENV=DIR names the virtual
# environment of the peers, which peers.sh creates if necessary; without it, it is in the user's cache.
# If it cannot be created, the peers are skipped. About 30 minutes (--quick: 5). Let nothing else run on
# the machine meanwhile.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
command="sh tests/bench/run.sh${*:+ $*}"
for option in "$@"; do
    case $option in
    -h | --help)
        sed -n '2,/^set /s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    esac
done
quick="" parts="" markdown=""
while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick="--rounds 1 --seconds 0.5" ;;
    --markdown) markdown=--markdown ;;
    --parts)
        [ $# -gt 1 ] || { echo "run.sh: --parts requires a list" >&2; exit 2; }
        parts="--parts $2"
        shift
        ;;
    *)
        echo "run.sh: unknown option $1 (--quick, --markdown, --parts LIST, --help)" >&2
        exit 2
        ;;
    esac
    shift
done

kinds=bench
[ -n "${DTRAIN:-}" ] || kinds="build bench"
# Word splitting is meant: one argument a kind.
# shellcheck disable=SC2086
sh "$root/jobs/install.sh" $kinds >&2

if [ -z "${DTRAIN:-}" ]; then
    DTRAIN=$root/build/dtrain
    log=$(mktemp)
    if ! { { [ -f "$root/build/CMakeCache.txt" ] ||
        cmake -S "$root" -B "$root/build" -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF; } &&
        cmake --build "$root/build" --target dtrain -j "${JOBS:-2}"; } >"$log" 2>&1; then
        tail -n 50 "$log" >&2
        rm -f "$log"
        echo "run.sh: the build failed" >&2
        exit 1
    fi
    rm -f "$log"
fi
[ -x "$DTRAIN" ] || { echo "run.sh: $DTRAIN is not an executable file" >&2; exit 1; }

# A python3 earlier in PATH may lack NumPy, which the system's has.
venv=${VENV:-${XDG_CACHE_HOME:-${HOME:-$root/build}/.cache}/dtrain-bench/peers}
python=$venv/bin/python
if ! sh "$root/tests/bench/peers.sh" "$venv"; then
    venv=""
    for python in python3 /usr/bin/python3 ''; do
        if "${python:-false}" -c "import numpy" 2>/dev/null; then break; fi
    done
    [ -n "$python" ] || { echo "run.sh: python3 does not have numpy" >&2; exit 1; }
fi

# Word splitting is meant: several arguments, or none.
# shellcheck disable=SC2086
PYTHONDONTWRITEBYTECODE=1 exec "$python" "$root/tests/bench/compare.py" ${venv:+--venv "$venv"} \
    $quick $parts $markdown --command "$command" "$DTRAIN"
