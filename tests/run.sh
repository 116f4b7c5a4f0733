#!/bin/sh
# run.sh [--sanitize | --clang] [-- CTEST ARGUMENTS...]    e.g. run.sh -- -L unit
#
# Installs the test tools, builds dtrain, and runs every test. The last line is the count; the exit
# status is 0 only if tests ran and none failed.
#
#   (no option)    gcc, Release, in build/
#   --sanitize     gcc with the address and undefined-behaviour sanitizers, in build-sanitize/
#   --clang        clang, Release, in build-clang/
#
# JOBS (2) says how many compilers and tests run side by side. CI=true makes warnings errors,
# but not with --sanitize.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
jobs=${JOBS:-2}
kinds="build test"
folder=build
type=Release
compiler=""
sanitizers=""
while [ $# -gt 0 ]; do
    case $1 in
    --sanitize) folder=build-sanitize type=Debug sanitizers=address,undefined ;;
    --clang) folder=build-clang compiler=clang kinds="$kinds clang" ;;
    --)
        shift
        break
        ;;
    -h | --help)
        sed -n '2,/^set /s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    *)
        echo "run.sh: unknown option $1 (--sanitize, --clang, --help)" >&2
        exit 2
        ;;
    esac
    shift
done
# With sanitizers gcc warns of overflows that their own checks seem to make possible.
werror=OFF
if [ "${CI:-}" = true ] && [ -z "$sanitizers" ]; then werror=ON; fi

# Word splitting is meant: one argument a kind.
# shellcheck disable=SC2086
sh "$root/jobs/install.sh" $kinds

build=$root/$folder
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# -O1: the sanitizers' checks on top of -O0 would double the time.
quietly() {
    if ! "$@" >"$work/log" 2>&1; then
        tail -n 100 "$work/log" >&2
        echo "run.sh: the build failed" >&2
        exit 1
    fi
    grep -E 'warning:' "$work/log" >&2 || :
}
quietly cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE="$type" -DBUILD_TESTING=ON \
    -DDTRAIN_WERROR="$werror" -DDTRAIN_SANITIZE="$sanitizers" \
    ${compiler:+-DCMAKE_C_COMPILER="$compiler"} ${sanitizers:+-DCMAKE_C_FLAGS=-O1}
quietly cmake --build "$build" -j "$jobs"

status=0
{ (cd "$build" && ctest --output-on-failure --no-label-summary --no-tests=error -j "$jobs" "$@") || echo $? >"$work/status"; } |
    tee "$work/ctest"
[ ! -f "$work/status" ] || status=$(cat "$work/status")

# Counted test by test, since ctest's own summary counts skipped tests as passed. A test that could
# not be run counts as failed; one without a line of its own (ctest died) as well.
counts=$(awk '
    /^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / {
        split($1, of, "/"); total = of[2]
        if ($0 ~ / +Passed +[0-9.]+ sec/) passed++
        else if ($0 ~ /\*\*\*Skipped |\*\*\*Not Run \(Disabled\)/) skipped++
    }
    END { printf "%d %d %d", passed, total - passed - skipped, skipped }' "$work/ctest")
# shellcheck disable=SC2086
set -- $counts
if [ "$status" -eq 0 ] && { [ "$2" -ne 0 ] || [ "$1" -eq 0 ]; }; then
    status=1
fi
echo "$1 passed, $2 failed, $3 skipped"
exit "$status"
