#!/bin/sh
# cycles.sh [TREE [BUILD]]: checks that no files of a folder of src call each other in a circle. It reads
# the object files of a build with CMake. Exits with 77 (skipped) if there is no nm or tsort.
set -eu

tree=${1:-$(cd "$(dirname "$0")/.." && pwd)}
build=${2:-$tree/build}
command -v nm >/dev/null && command -v tsort >/dev/null || { echo "there is no nm, or no tsort"; exit 77; }

# Prints "FILE FILE" for each call from one file of a folder into another.
list_calls() {
    cd "$build/CMakeFiles/dt_$1.dir/src"
    # Sources, since a build may contain the objects of sources that are gone.
    (cd "$tree/src" && find "$1" -name '*.c' ! -name main.c) | sed 's/$/.o/' | xargs nm -A -g | awk '
        { file = $1; sub(":.*", "", file) }
        $(NF - 1) == "U" { from[++calls] = file; name[calls] = $NF }
        $(NF - 1) ~ /^[A-TV-Z]$/ { home[$NF] = file }
        END { for (i = 1; i <= calls; i++) if (name[i] in home) print from[i], home[name[i]] }'
}

failed=0
for folder in "$tree"/src/*/; do
    room=$(basename "$folder")
    list=$(list_calls "$room")
    if [ -z "$list" ]; then
        echo "src/$room: no file calls another in $build; is it built?"
        failed=1
    elif ! loop=$(echo "$list" | tsort 2>&1 >/dev/null); then
        echo "src/$room: these files call each other in a circle:"
        echo "$loop"
        failed=1
    fi
done
exit "$failed"
