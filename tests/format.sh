#!/bin/sh
# format.sh [REPO]: every C file is as .clang-format has it. Exit 77 (skipped) without clang-format.
set -eu
cd "${1:-$(dirname "$0")/..}"

# Releases of clang-format differ in details; the files are formatted with Debian 12's.
for formatter in clang-format-14 clang-format ''; do
    [ -n "$formatter" ] || { echo "skipped: needs clang-format 14"; exit 77; }
    if "$formatter" --version 2>/dev/null | grep -q 'version 14\.'; then break; fi
done
find include src tests -name '*.[ch]' -exec "$formatter" --dry-run -Werror {} +

# clang-format leaves comments alone.
find include src tests -name '*.[ch]' -o -name '*.inc' | xargs awk '
    length($0) > 100 { print FILENAME ":" FNR ": " length($0) " columns, at most 100"; wide = 1 }
    END { exit wide }'
