#!/bin/sh
# layering.sh [REPO]       checks the rules of the house (jobs/DEVELOPMENT.md); prints one
#                          line a violation; exit 1 when there are any
# layering.sh --self-test  breaks every rule in a temporary tree, and checks that each is seen
#
# Comments are not looked at, nor what stands inside strings; so a word in an error text is fine.
set -eu

# " ROOM:ROOM ...": who may include from whom, as CMakeLists.txt says; a room from itself, too.
read_rooms() {
    sed -n 's/^dtrain_room(\([a-z]*\)\( DEPS\)\{0,1\}\([a-z ]*\).*/\1\3/p' CMakeLists.txt >"$work/rooms"
    rooms=$(sed 's/ .*//' "$work/rooms" | tr '\n' ' ')
    rooms=${rooms% }
    may_include=" "
    while read -r room others; do
        for other in $room $others; do may_include="$may_include$room:$other "; done
    done <"$work/rooms"
}

violations=0
violation() {
    echo "$1"
    violations=$((violations + 1))
}

# Prints the lines of all C files in $work/sources without comments, as FILE:LINE:TEXT, into $work/code,
# and into $work/calls also without the text between quotes, if the line has a parenthesis.
strip_comments() {
    # shellcheck disable=SC2016
    xargs awk -v calls="$work/calls" '
    FNR == 1 { comment = 0 }
    {
        rest = $0; code = ""; bare = ""; quote = ""
        while (rest != "") {
            if (comment) {
                if (!(at = index(rest, "*/"))) break
                comment = 0; rest = substr(rest, at + 2); code = code " "; bare = bare " "
            } else if (quote != "") {
                if (!match(rest, /[\\"\047]/)) { code = code rest; break }
                c = substr(rest, RSTART, 1)
                n = RSTART - 1 + (c == "\\" ? 2 : 1)
                code = code substr(rest, 1, n)
                rest = substr(rest, n + 1)
                if (c == quote) { quote = ""; bare = bare c }
            } else if (match(rest, /\/[*\/]|["\047]/)) {
                code = code substr(rest, 1, RSTART - 1); bare = bare substr(rest, 1, RSTART - 1)
                mark = substr(rest, RSTART, RLENGTH)
                rest = substr(rest, RSTART + RLENGTH)
                if (mark == "//") break
                if (mark == "/*") comment = 1
                else { quote = mark; code = code mark; bare = bare mark }
            } else { code = code rest; bare = bare rest; break }
        }
        if (code ~ /[^ \t]/) print FILENAME ":" FNR ":" code
        if (bare ~ /\(/) print FILENAME ":" FNR ":" bare >calls
    }' <"$work/sources" >"$work/code"
}

room_allowed() {
    case $may_include in
    *" $1:$2 "*) ;;
    *) return 1 ;;
    esac
}

is_room() { room_allowed "$1" "$1"; }

# Whether file $1 may include the library header $2.
library_allowed() {
    case $2 in
    mpi.h) case $1 in src/comm/* | include/dtrain/comm/* | src/cli/main.c) ;; *) return 1 ;; esac ;;
    pthread.h) case $1 in src/comm/watchdog/*.c | src/base/pool.c | src/base/watch_thread.c) ;; *) return 1 ;; esac ;;
    hdf5.h | hdf5_hl.h | H5*.h) case $1 in src/io/hdf5/*.c) ;; *) return 1 ;; esac ;;
    zlib.h) case $1 in src/io/npz/*.c | src/io/csv/csv_input.c | src/base/crc32.c) ;; *) return 1 ;; esac ;;
    csv.h) case $1 in src/io/csv/*.c) ;; *) return 1 ;; esac ;;
    cblas.h) case $1 in src/nn/linalg*.c) ;; *) return 1 ;; esac ;;
    jansson.h) case $1 in src/io/json*.c | src/model/*) ;; *) return 1 ;; esac ;;
    *.pb-c.h | protobuf-c.h | protobuf-c/*) case $1 in src/model/onnx.c | src/model/onnx_graph.[ch]) ;; *) return 1 ;; esac ;;
    esac
}

# Sets $room to the room of file $1, or to "".
find_room() {
    room=${1#src/}
    room=${room#include/dtrain/}
    case $room in
    */*) room=${room%%/*} ;;
    *) room="" ;;
    esac
}

check_includes() {
    sed -n 's/^\([^:]*\):\([0-9]*\):[ \t]*#[ \t]*include[ \t]*\(.*\)/\1 \2 \3/p' "$work/code" >"$work/includes"
    while read -r file line included; do
        find_room "$file"
        is_room "$room" || continue
        name=${included#?}
        name=${name%%[\">]*}
        library_allowed "$file" "$name" || violation "$file:$line: $name has no place here"
        case $included in
        '"dtrain/'*)
            other=${name#dtrain/}
            other=${other%%/*}
            if ! is_room "$other"; then
                violation "$file:$line: $name is in no room"
            elif ! room_allowed "$room" "$other"; then
                violation "$file:$line: $room/ may not include from $other/"
            fi
            ;;
        '"'*)
            # A private header of the same room.
            case $name in
            */*) found=$(cd "${file%/*}" && [ -f "$name" ] && cd "$(dirname "$name")" && pwd) || found="" ;;
            *) found=$PWD/${file%/*} && [ -f "$found/$name" ] || found="" ;;
            esac
            case $found/ in
            "$PWD/src/$room/"*) ;;
            *) violation "$file:$line: \"$name\" is neither \"dtrain/...\" nor in this room" ;;
            esac
            ;;
        '<dtrain/'*) violation "$file:$line: <$name> is to be written \"$name\"" ;;
        esac
    done <"$work/includes"
}

# name( as a whole word: not snprintf(, MPI_Abort(, dt_exit( or operand(.
banned="exit abort atoi strcpy sprintf rand"
# The last bit of these depends on the version of the C library: base/elementary.h and
# src/nn/vector_math.h have functions of the same bits everywhere.
libm="exp exp2 exp10 expm1 log log2 log10 log1p pow cbrt hypot erf erfc tgamma lgamma sin cos sincos tan"
libm="$libm asin acos atan atan2 sinh cosh tanh asinh acosh atanh"
check_calls() {
    pattern="$(echo "$banned" | tr ' ' '|')|_exit|_Exit|($(echo "$libm" | tr ' ' '|'))[fl]?"
    grep -E "^[^:]*:[0-9]*:(.*[^A-Za-z0-9_])?($pattern)[ 	]*\(" "$work/calls" >"$work/banned" || :
    while IFS= read -r found; do
        call=${found#*:*:}
        file=${found%%:*}
        case $file in # a failed assertion; the end of a job that hangs; a child of ours
        src/base/status.c | src/comm/watchdog/watchdog.c | src/comm/launch/launch_interfaces.c | src/io/hdf5/h5_remote.c)
            echo "$call" | sed -E 's/(^|[^A-Za-z0-9_])_[eE]xit[ 	]*\(/\1(/g' |
                grep -Eq "(^|[^A-Za-z0-9_])($pattern)[ 	]*\(" || continue
            ;;
        esac
        violation "${found%":$call"}: banned call: $call"
    done <"$work/banned"
}

# x.c belongs to the header x.h, and zip_writer.c to zip.h: a long module is split that way. What
# only its own room needs may have its header beside it. The files of a folder may all belong to the
# header of its name: src/nn/layers/ to layer.h. A command's file belongs to src/cli/commands.h.
check_header() {
    room=$2
    module=${1##*/}
    module=${module%.c}
    folder=${1%/*}
    folder=${folder##*/}
    [ "$1" != src/cli/main.c ] || return 0
    [ "$folder" = "$room" ] || [ ! -f "include/dtrain/$room/${folder%s}.h" ] || return 0
    [ "$folder" = "$room" ] || [ ! -f "include/dtrain/$room/${folder%es}.h" ] || return 0
    while :; do
        [ ! -f "include/dtrain/$room/$module.h" ] || return 0
        [ ! -f "src/$room/$module.h" ] || return 0
        [ ! -f "${1%/*}/$module.h" ] || return 0
        ! grep -qs "dt_cli_$module(" "src/$room/commands.h" || return 0
        case $module in
        *_*) module=${module%_*} ;;
        *) break ;;
        esac
    done
    violation "$1: no header in include/dtrain/$room/ that it belongs to"
}

check_flags() {
    find . \( -name 'build*' -o -name .git \) -prune -o -name CMakeLists.txt -print >"$work/lists"
    while read -r list; do
        sed 's/#.*//' "$list" | grep -nE 'Ofast|fast-math|associative-math|unsafe-math|reciprocal-math' >"$work/flags" || :
        while IFS= read -r found; do
            violation "$list:${found%%:*}: this flag would delete the exact sum"
        done <"$work/flags"
    done <"$work/lists"
}

# clang makes the pickers of versions external (base/vectorize.h).
check_vectorized() {
    find src -name '*.c' -exec grep -hoE '^DT_VECTORIZE static [A-Za-z0-9_ *]+\(' {} + |
        sed 's/($//; s/.*[ *]//' | sort | uniq -d >"$work/twice"
    while IFS= read -r name; do
        violation "$name: two functions of this name with DT_VECTORIZE"
    done <"$work/twice"
}

check_top_level() {
    # What git knows; in a tarball, or on a machine without git, what is there.
    if ! git -c safe.directory='*' ls-files >"$work/files" 2>/dev/null || [ ! -s "$work/files" ]; then
        find . -path './?*' -prune ! -name 'build*' | sed 's|^\./||' >"$work/files"
    fi
    sed 's|/.*||' "$work/files" | sort -u >"$work/top"
    while IFS= read -r entry; do
        case $entry in
        CMakeLists.txt | src | include | jobs | tests | results | README.md | LICENSE | CHANGELOG.md | .*) ;;
        *) violation "$entry: not at the top level" ;;
        esac
    done <"$work/top"
}

check() {
    violations=0
    if [ ! -d src ] || [ ! -d include/dtrain ]; then
        echo "no src/ and include/dtrain/ in $PWD" >&2
        exit 2
    fi
    read_rooms
    find src include/dtrain -type f -name '*.[ch]' >"$work/sources"
    [ -s "$work/sources" ] || { echo "no C files in $PWD" >&2; exit 2; }
    while IFS= read -r source; do
        find_room "$source"
        if ! is_room "$room"; then
            violation "$source: in no room of: $rooms"
            continue
        fi
        case $source in
        src/*.c) check_header "$source" "$room" ;;
        esac
    done <"$work/sources"
    strip_comments
    check_includes
    check_calls
    check_flags
    check_vectorized
    check_top_level
    [ "$violations" -eq 0 ]
}

# --- self-test ---

# plant PATH TEXT EXPECTED: adds a file to a copy of the good tree, and wants EXPECTED said about it.
# An EXPECTED of "" means that the tree stays good.
plant() {
    rm -rf "$work/tree"
    cp -R "$work/good" "$work/tree"
    mkdir -p "$work/tree/$(dirname "$1")"
    printf '%s\n' "$2" >"$work/tree/$1"
    got=0
    (cd "$work/tree" && check) >"$work/said" 2>&1 || got=$?
    if [ -z "$3" ] && [ "$got" -ne 0 ]; then
        echo "self-test: wrongly seen: $2"
    elif [ -n "$3" ] && { [ "$got" -ne 1 ] || ! grep -Fq -e "$3" "$work/said"; }; then
        echo "self-test: not seen in $1: $2 (wanted: $3)"
    else
        return 0
    fi
    cat "$work/said"
    failures=$((failures + 1))
}

# plant_calls PATH BEFORE AFTER: adds a file with one of $calls on each line, and expects each to be reported.
plant_calls() {
    of_calls="" line=0
    for call in $calls; do
        of_calls="$of_calls$2$call$3
"
    done
    plant "$1" "$of_calls" 'banned call'
    for call in $calls; do
        line=$((line + 1))
        grep -Fq "$1:$line: banned call" "$work/said" && continue
        echo "self-test: not seen in $1: $2$call$3"
        failures=$((failures + 1))
    done
}

self_test() {
    failures=0
    mkdir -p "$work/good/src/cli" "$work/good/results"
    touch "$work/good/README.md" "$work/good/LICENSE" "$work/good/.gitignore"
    grep '^dtrain_room(' "$repo/CMakeLists.txt" >"$work/good/CMakeLists.txt"
    echo 'add_compile_options(-Wall) # no -ffast-math' >>"$work/good/CMakeLists.txt"
    (cd "$work/good" && read_rooms)
    for room in $(sed 's/ .*//' "$work/rooms"); do
        mkdir -p "$work/good/src/$room" "$work/good/include/dtrain/$room"
        echo '#include <stddef.h>' >"$work/good/include/dtrain/$room/m.h"
        printf '#include "dtrain/base/m.h"\n#include "dtrain/%s/m.h"\n' "$room" >"$work/good/src/$room/m.c"
    done
    echo '#include <mpi.h>' >"$work/good/src/cli/main.c"
    mkdir -p "$work/good/src/comm/watchdog" "$work/good/src/io/hdf5" "$work/good/src/io/npz"
    for module in comm/watchdog io/h5 io/json model/onnx io/zip nn/linalg; do
        touch "$work/good/include/dtrain/$module.h"
    done

    # What is allowed.
    plant src/comm/m.c '#include <mpi.h>' ''
    plant include/dtrain/comm/m.h '#include <mpi.h>' ''
    plant src/comm/watchdog/watchdog.c '#include <pthread.h>' ''
    plant src/io/hdf5/h5_table.c '#include <hdf5.h>' ''
    plant src/io/npz/zip_writer.c '#include <zlib.h>' ''
    plant src/nn/linalg.c '#include <cblas.h>' ''
    plant src/io/json.c '#include <jansson.h>' ''
    plant src/model/onnx.c '#include <onnx.pb-c.h>' ''
    touch "$work/good/include/dtrain/base/status.h"
    plant src/base/status.c 'void f(void) { _exit(1); }' ''
    plant src/io/m.c 'int operand(int); int x = snprintf(a, b, c) + operand(1) + dt_exit(2);' ''
    plant src/comm/m.c 'MPI_Abort(c, 1); my_rand(); exit_status = 2; atoi_like(3);' ''
    plant src/nn/m.c 'dt_exp(1); dt_elementary_log(2); logs(3); sqrt(4); expected(5);' ''
    plant src/io/m.c 'f("call exit(1) \" abort()"); /* abort() */ char q = 0x27; // exit(3)' ''
    plant src/io/m.c '/* many
lines: exit(1); #include "dtrain/cli/m.h"
*/ int x;' ''
    plant src/io/m.c '#include "dtrain/base/m.h" /* and "dtrain/cli/m.h" */' ''
    plant results/README.md 'text' ''

    touch "$work/good/include/dtrain/nn/row.h"
    mkdir -p "$work/good/src/nn/rows"
    plant src/nn/rows/first.c 'int x;' ''
    touch "$work/good/include/dtrain/run/run.h"
    plant src/nn/rows.c 'int x;' 'src/nn/rows.c: no header'
    plant src/run/stray.c 'int x;' 'src/run/stray.c: no header'
    echo 'int dt_cli_first(int argc);' >"$work/good/src/cli/commands.h"
    plant src/cli/first_part.c 'int x;' ''
    plant src/cli/second.c 'int x;' 'src/cli/second.c: no header'

    plant src/nn/m.c 'DT_VECTORIZE static void move(int x);' ''
    plant src/nn/m.c 'DT_VECTORIZE static void move(int x);
DT_VECTORIZE static uint64_t *move(int x);' 'move: two functions of this name'

    # What is not.
    plant src/base/m.c '#include "dtrain/io/m.h"' 'src/base/m.c:1: base/ may not include from io/'
    plant include/dtrain/nn/m.h '#include "dtrain/comm/m.h"' 'nn/ may not include from comm/'
    plant src/data/m.c '  #  include   "dtrain/train/m.h"' 'data/ may not include from train/'
    plant src/train/m.c '#include "dtrain/cli/m.h"' 'train/ may not include from cli/'
    plant src/train/m.c '#include "dtrain/other/m.h"' 'is in no room'
    plant src/train/m.c '#include "../cli/private.h"' 'is neither'
    touch "$work/good/src/cli/private.h" "$work/good/src/comm/private.h" "$work/good/src/comm/watchdog/private.h"
    plant src/train/m.c '#include "../cli/private.h"' 'is neither'
    plant src/comm/watchdog/watchdog.c '#include "../private.h"' ''
    plant src/comm/m.c '#include "watchdog/private.h"' ''
    plant src/train/m.c '#include <dtrain/base/m.h>' 'is to be written'
    plant src/cli/m.c '#include <mpi.h>' 'mpi.h has no place here'
    plant include/dtrain/train/m.h '#include "mpi.h"' 'mpi.h has no place here'
    plant src/train/m.c '#include <pthread.h>' 'pthread.h has no place here'
    plant src/train/m.c '#include <hdf5.h>' 'hdf5.h has no place here'
    plant include/dtrain/io/h5.h '#include <hdf5.h>' 'hdf5.h has no place here'
    plant src/io/m.c '#include <H5public.h>' 'H5public.h has no place here'
    plant src/io/m.c '#include <zlib.h>' 'zlib.h has no place here'
    plant src/train/m.c '#include <cblas.h>' 'cblas.h has no place here'
    plant src/train/m.c '#include <jansson.h>' 'jansson.h has no place here'
    plant src/io/m.c '#include <onnx.pb-c.h>' 'onnx.pb-c.h has no place here'
    plant include/dtrain/model/onnx.h '#include <protobuf-c/protobuf-c.h>' 'protobuf-c.h has no place here'
    # All calls in one file: each plant looks at the whole tree.
    calls="$banned $libm expf log1pl _exit _Exit"
    plant_calls src/io/m.c 'void f(void) { ' '(1); }'
    plant_calls include/dtrain/io/m.h '#define F  ' ' (1)'
    plant src/io/m.c 'f("a /* b"); exit(1); /* c */' 'banned call'
    plant src/io/m.c "char c = '\"'; exit(1); char d = '\"';" 'banned call'
    plant src/base/status.c 'void f(void) { exit(1); }' 'src/base/status.c:1: banned call'
    plant src/io/other.c 'int x;' 'src/io/other.c: no header'
    plant src/io/other_part.c 'int x;' 'src/io/other_part.c: no header'
    plant src/extra/m.c 'int x;' 'src/extra/m.c: in no room'
    plant src/m.c 'int x;' 'src/m.c: in no room'
    for flag in -ffast-math -Ofast -fassociative-math -funsafe-math-optimizations; do
        plant CMakeLists.txt "$(cat "$work/good/CMakeLists.txt")
add_compile_options($flag)" "./CMakeLists.txt:$(($(wc -l <"$work/good/CMakeLists.txt") + 1)): this flag"
        plant tests/CMakeLists.txt "add_compile_options($flag)" './tests/CMakeLists.txt:1: this flag'
    done
    plant notes.txt 'text' 'notes.txt: not at the top level'
    plant docs/x.md 'text' 'docs: not at the top level'
    [ "$failures" -eq 0 ]
}

work=$(mktemp -d "${TMPDIR:-/tmp}/dtrain-layering.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
repo=$(cd "$(dirname "$0")/.." && pwd)
if [ "${1:-}" = --self-test ]; then
    self_test
else
    cd "${1:-$repo}"
    check
fi
