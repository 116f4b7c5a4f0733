#!/bin/sh
# analyse.sh            clang-tidy (what .clang-tidy says) over each file of src/, and cppcheck (less what
#                       .cppcheck says) over all of it. The last line is the count, cppcheck being one;
#                       the exit status is 0 only if neither found anything.
# analyse.sh FILE...    clang-tidy over these files alone
#
# JOBS (2) says how many files at once. Both files are made for Debian 12's releases, clang-tidy 14 and
# cppcheck 2.10; others may find more.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build-analyse
jobs=${JOBS:-2}

# The checks of one file, in its own process: analyse.sh --one FILE
if [ "${1:-}" = --one ]; then
    file=$2
    set --
    # Before the first line of the file: what the analyzer may suppose of dtrain's own functions.
    case ${file#"$root"/} in
    src/base/memory.c | src/base/status.c | src/comm/comm.c) ;; # where they are defined
    *) set -- --extra-arg-before=-include "--extra-arg-before=$root/tests/analyse_model.h" ;;
    esac
    if grep -q '^#define _GNU_SOURCE' "$file"; then set -- --extra-arg-before=-D_GNU_SOURCE= "$@"; fi
    if clang-tidy -quiet -p "$build" "$@" "$file" >"$DTRAIN_ANALYSE/$$" 2>"$DTRAIN_ANALYSE/$$.err"; then
        echo passed >>"$DTRAIN_ANALYSE/passed"
    else
        # clang-tidy itself only has something to say where it could not begin.
        [ -s "$DTRAIN_ANALYSE/$$" ] || cat "$DTRAIN_ANALYSE/$$.err"
        cat "$DTRAIN_ANALYSE/$$"
        echo failed >>"$DTRAIN_ANALYSE/failed"
    fi
    exit 0
fi

if [ $# -eq 0 ]; then
    what="src/"
else
    case $1 in
    -h | --help)
        sed -n '2,/^set /s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    esac
    what="$*"
fi

sh "$root/jobs/install.sh" build analyse
DTRAIN_ANALYSE=$(mktemp -d "${TMPDIR:-/tmp}/dtrain-analyse.XXXXXX")
export DTRAIN_ANALYSE
trap 'rm -rf "$DTRAIN_ANALYSE"' EXIT
trap 'exit 1' HUP INT TERM

quietly() {
    if ! "$@" >"$DTRAIN_ANALYSE/log" 2>&1; then
        tail -n 50 "$DTRAIN_ANALYSE/log" >&2
        echo "analyse.sh: $1 failed" >&2
        exit 1
    fi
}
quietly cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF \
    -DCMAKE_EXPORT_COMPILE_COMMANDS=ON
# onnx.c includes a header generated from the format's description.
[ ! -d "$build/onnx" ] || quietly cmake --build "$build" --target onnx_proto

count() { if [ -f "$DTRAIN_ANALYSE/$1" ]; then wc -l <"$DTRAIN_ANALYSE/$1"; else echo 0; fi; }

start=$(date +%s)
echo "clang-tidy: $what"
if [ $# -eq 0 ]; then
    # The longest first, so that no core waits for the last one.
    find "$root/src" -name '*.c' -exec ls -S {} + >"$DTRAIN_ANALYSE/files"
else
    for file in "$@"; do
        (cd "$(dirname "$file")" && echo "$PWD/${file##*/}")
    done >"$DTRAIN_ANALYSE/files"
fi
tr '\n' '\0' <"$DTRAIN_ANALYSE/files" | xargs -0 -P "$jobs" -n 1 sh "$root/tests/analyse.sh" --one
echo "clang-tidy: $(count failed) of $(wc -l <"$DTRAIN_ANALYSE/files") files with findings, $(($(date +%s) - start)) s"

if [ $# -eq 0 ]; then
    start=$(date +%s)
    if (cd "$root" && cppcheck --project="$build/compile_commands.json" --quiet --error-exitcode=1 --std=c11 \
        --enable=warning,style,performance,portability --library=posix,gnu,zlib --inline-suppr \
        --suppressions-list=.cppcheck --relative-paths="$root" \
        --template='{file}:{line}:{column}: {severity}: {message} [{id}]'); then
        echo passed >>"$DTRAIN_ANALYSE/passed"
    else
        echo failed >>"$DTRAIN_ANALYSE/failed"
    fi
    echo "cppcheck: $(($(date +%s) - start)) s"
fi

echo "$(count passed) passed, $(count failed) failed, 0 skipped"
[ "$(count failed)" -eq 0 ] && [ "$(count passed)" -gt 0 ]
