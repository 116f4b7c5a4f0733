#!/bin/sh
# run.sh [SECONDS [HARNESS...]]    fuzzes with clang's libFuzzer under ASan and UBSan: each harness
#                                  (csv prepare recipe ...) for SECONDS (60), beginning with its seeds
#
# What is found is left in build-fuzz/, and the exit status is 1. CTest replays the seeds, and what
# fuzzing has collected, with any compiler (fuzz/*); this looks for new ones. To keep them:
#     tar -C build-fuzz/corpus -cJf tests/fuzz/corpora.tar.xz .
# Needs clang: jobs/install.sh clang.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
seconds=${1:-60}
[ $# -eq 0 ] || shift
cd "$root"
[ $# -gt 0 ] || set -- $(ls tests/fuzz/fuzz_*.c | sed 's|.*/fuzz_||; s|\.c$||')
command -v clang >/dev/null || { echo "fuzz/run.sh: needs clang (sh jobs/install.sh clang)" >&2; exit 1; }

build=build-fuzz
flags="-g -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fsanitize=fuzzer-no-link"
mkdir -p "$build"
quietly() { "$@" >"$build/log" 2>&1 || { tail -n 50 "$build/log" >&2; exit 1; }; }
quietly cmake -S . -B "$build" -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Debug -DDTRAIN_FUZZ=ON \
    -DCMAKE_C_FLAGS="$flags" -DBUILD_TESTING=ON
found=0
for harness in "$@"; do
    quietly cmake --build "$build" -j "${JOBS:-2}" --target "fuzz_$harness"
    corpus=$build/corpus/$harness
    mkdir -p "$corpus" "$build/found"
    echo "== $harness, $seconds s"
    # -rss_limit_mb: an allocation that trusts a size in the file shows. -timeout: of the clock, on a busy machine.
    if ! ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1 "$build/tests/fuzz_$harness" \
        -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=120 -print_final_stats=1 \
        -artifact_prefix="$build/found/$harness-" "$corpus" "tests/fuzz/seeds/$harness" \
        >"$build/$harness.log" 2>&1; then
        tail -n 40 "$build/$harness.log"
        found=1
    fi
    grep -E 'stat::number_of_executed_units|stat::peak_rss_mb' "$build/$harness.log" || :
done
exit "$found"
