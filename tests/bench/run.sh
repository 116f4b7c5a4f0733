#!/bin/sh
# run.sh [--quick] [--markdown]    e.g. run.sh --markdown >results/BENCHMARKS.md
#
# Measures dtrain against PyTorch and scikit-learn: the same arrays, model and batch, in turn, in
# one run. Prints microseconds a step, ratios, and where dtrain's time goes; stderr tells how far it
# is. Never judges a time: the exit status is 0 if all programs ran.
#
#   --markdown   a complete page, with how it was measured and on what
#   --quick      three short rounds, to try the scripts; the figures are rough
#
# DTRAIN=PATH names the binary; without it, dtrain is built in build/. 5 to 10 minutes (--quick: 2).
# Let nothing else run on the machine meanwhile.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
command="sh tests/bench/run.sh${*:+ $*}"
quick="" markdown=""
for option in "$@"; do
    case $option in
    --quick) quick=--quick ;;
    --markdown) markdown=--markdown ;;
    -h | --help)
        sed -n '2,/^set /s/^# \{0,1\}//p' "$0" | sed '$d'
        exit 0
        ;;
    *)
        echo "run.sh: unknown option $option (--quick, --markdown, --help)" >&2
        exit 2
        ;;
    esac
done

kinds=bench
[ -n "${DTRAIN:-}" ] || kinds="build bench"
# Word splitting is meant: one argument a kind.
# shellcheck disable=SC2086
sh "$root/jobs/install.sh" $kinds >&2

# A python3 earlier in PATH may lack what the system's has.
for python in "${PYTHON:-}" python3 /usr/bin/python3 ''; do
    [ -n "$python" ] || continue
    if "$python" -c "import numpy, sklearn, threadpoolctl, torch" 2>/dev/null; then break; fi
done
[ -n "$python" ] || { echo "run.sh: no python3 has all of numpy, sklearn and torch" >&2; exit 1; }

work=$(mktemp -d "${TMPDIR:-/tmp}/dtrain-bench.XXXXXX")
trap 'cd / && rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

if [ -z "${DTRAIN:-}" ]; then
    DTRAIN=$root/build/dtrain
    if ! { { [ -f "$root/build/CMakeCache.txt" ] ||
        cmake -S "$root" -B "$root/build" -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF; } &&
        cmake --build "$root/build" --target dtrain -j "${JOBS:-2}"; } >"$work/log" 2>&1; then
        tail -n 50 "$work/log" >&2
        echo "run.sh: the build failed" >&2
        exit 1
    fi
fi
[ -x "$DTRAIN" ] || { echo "run.sh: $DTRAIN is not there" >&2; exit 1; }
DTRAIN=$(cd "$(dirname "$DTRAIN")" && pwd)/$(basename "$DTRAIN")

# Twice, because Open MPI 5 has other names. Bound ranks would have no chance to get out of the way
# of another process, and PyTorch's are not bound either.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
export OMPI_MCA_hwloc_base_binding_policy="${OMPI_MCA_hwloc_base_binding_policy:-none}"
export HWLOC_COMPONENTS="${HWLOC_COMPONENTS:--gl}"
# One thread a rank for all. torch.set_num_threads(1) alone would leave OpenBLAS its own threads.
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
export PYTHONDONTWRITEBYTECODE=1

cd "$work"
# Word splitting is meant: an option that was not given is no argument.
# shellcheck disable=SC2086
"$python" "$root/tests/bench/compare.py" $quick $markdown --command "$command" "$DTRAIN" || exit 1
