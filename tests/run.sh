#!/bin/sh
# run.sh [--all] [--sanitize | --clang | --coverage | --mpich] [-- CTEST ARGUMENTS...]    e.g. run.sh -- -L unit
#
# Installs the test tools, builds dtrain, and runs the tests. The last line is the count; the exit
# status is 0 only if tests ran and none failed.
#
#   (no option)    the short tests: every folder of src and the program, in a few minutes, without a
#                  network after installation; gcc, Release, in build/
#   --all          also the long tests: Keras and ONNX Runtime, Slurm, several hosts, AArch64 under
#                  emulation, valgrind, every call that can fail. They have the label long; -R and -L
#                  select one only with --all
#   --sanitize     gcc with the address and undefined-behaviour sanitizers, in build-sanitize/
#   --clang        clang, Release, in build-clang/
#   --coverage     gcc, -O1, in build-coverage/; then, for each folder and file, how many of its lines ran
#                  and which did not, with gcovr. What a process did that was killed or aborted counts as
#                  not run.
#   --mpich        MPICH instead of Open MPI, in build-mpich/: the tests mpi and cli. Prints what does not hold
#                  under its mpiexec, with the reasons
#
# JOBS (2) is the number of parallel compilers; twice as many tests run in parallel, because most wait.
# CI=true makes warnings errors, but not with --sanitize.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
jobs=${JOBS:-2}
kinds="build test"
folder=build
type=Release
compiler=""
sanitizers=""
coverage=""
mpich=""
all=""
flags="" # of a Debug build
while [ $# -gt 0 ]; do
    case $1 in
    --all) all=yes ;;
    --sanitize) folder=build-sanitize type=Debug sanitizers=address,undefined ;;
    --clang) folder=build-clang compiler=clang kinds="$kinds clang" ;;
    --coverage) folder=build-coverage type=Debug coverage=yes kinds="$kinds coverage" ;;
    --mpich) folder=build-mpich mpich=yes kinds="$kinds mpich" ;;
    --)
        shift
        break
        ;;
    -h | --help)
        sed -n '2,/^set /s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    *)
        echo "run.sh: unknown option $1 (--all, --sanitize, --clang, --coverage, --mpich, --help)" >&2
        exit 2
        ;;
    esac
    shift
done
# -O1: the sanitizers' checks, or the counters, on top of -O0 would double the time.
[ -z "$sanitizers" ] || flags=-O1
[ -z "$coverage" ] || flags="-O1 --coverage"
# With sanitizers gcc warns of overflows that their own checks seem to make possible.
werror=OFF
if [ "${CI:-}" = true ] && [ -z "$sanitizers" ]; then werror=ON; fi

# Word splitting is meant: one argument a kind.
# shellcheck disable=SC2086
sh "$root/jobs/install.sh" $kinds
# Without valgrind, Slurm and namespaces the tests that need them are skipped.
[ -z "$all" ] || sh "$root/jobs/install.sh" long || [ "${DTRAIN_NO_SKIP:-}" != 1 ]
if [ -n "$all" ]; then export DTRAIN_LONG=1; else set -- -LE '^long$' "$@"; fi

build=$root/$folder
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# The tests call mpirun -q -np N, and know a rank by its variable of Open MPI. The pause is for programs that
# end at once: mpiexec of MPICH 4.0 may die of SIGPIPE if its ranks end before it has closed their stdin.
if [ -n "$mpich" ]; then
    mkdir "$work/bin"
    cat >"$work/bin/mpirun" <<'MPIRUN'
#!/bin/sh
[ "$1" != -q ] || shift
n=$2
shift 2
exec mpiexec.mpich -n "$n" sh -c 'export OMPI_COMM_WORLD_RANK=$PMI_RANK && sleep 0.05 && exec "$@"' sh "$@"
MPIRUN
    chmod +x "$work/bin/mpirun"
    export PATH="$work/bin:$PATH" DTRAIN_OTHER_MPIEXEC=mpirun.openmpi
    set -- -L '^(mpi|cli)$' "$@"
fi

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
    ${mpich:+-DMPI_C_COMPILER=mpicc.mpich -DMPIEXEC_EXECUTABLE="$(command -v mpiexec.mpich)"} \
    ${compiler:+-DCMAKE_C_COMPILER="$compiler"} ${flags:+-DCMAKE_C_FLAGS="$flags"}
quietly cmake --build "$build" -j "$jobs"
[ -z "$coverage" ] || find "$build" -name '*.gcda' -exec rm -f {} +

status=0
{ (cd "$build" && ctest --output-on-failure --no-label-summary --no-tests=error -j $((2 * jobs)) "$@") || echo $? >"$work/status"; } |
    tee "$work/ctest"
[ ! -f "$work/status" ] || status=$(cat "$work/status")

# Which lines of src/ and include/ ran, in any test.
print_coverage() {
    gcovr -r "$root" --object-directory "$build" -j "$jobs" --exclude-directories '.*CompilerId.*' \
        -f "$root/src/" -f "$root/include/" --txt "$build/coverage.txt" "$build" >"$work/gcovr" 2>&1 ||
        { cat "$work/gcovr" >&2; return 1; }
    awk '
        function row(name, lines, ran, missing) {
            printf "%-42s %6d %6d %6.1f %%  %s\n", name, lines, ran, (lines > 0 ? 100 * ran / lines : 100), missing
        }
        wrapped != "" { $0 = wrapped " " $0; wrapped = "" }
        /^(src|include)\// && NF == 1 { wrapped = $1; next }
        /^(src|include)\// {
            folder = $1
            sub("/[^/]*$", "", folder)
            if (!(folder in lines)) folders[++count] = folder
            of[folder, ++files[folder]] = $1
            file_lines[$1] = $2; file_ran[$1] = $3; missing[$1] = $5
            lines[folder] += $2; ran[folder] += $3
            all += $2; all_ran += $3
        }
        END {
            printf "\n%-42s %6s %6s  %7s  %s\n", "", "lines", "ran", "", "not run"
            for (i = 1; i <= count; i++) {
                folder = folders[i]
                row(folder "/", lines[folder], ran[folder], "")
                for (k = 1; k <= files[folder]; k++) {
                    file = of[folder, k]
                    row("  " substr(file, length(folder) + 2), file_lines[file], file_ran[file], missing[file])
                }
            }
            row("in all", all, all_ran, "")
            exit all == 0
        }' "$build/coverage.txt"
}
[ -z "$coverage" ] || print_coverage || status=1

# What does not hold under MPICH, with the reasons.
[ -z "$mpich" ] || grep '^left out under MPICH: ' "$build/Testing/Temporary/LastTest.log" | sort -u

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
