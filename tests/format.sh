#!/bin/sh
# format.sh [REPO]: every C file is as .clang-format has it, lines of C and Markdown have at most 100
# columns, README.md is one page, and the links of Markdown files lead somewhere. Exit 77 (skipped)
# without clang-format.
set -eu
cd "${1:-$(dirname "$0")/..}"

# Tables cannot wrap, nor can a single word. What stands between <!-- begin --> and <!-- end --> is
# written by a program (tests/bench/scaling.py).
awk '
    function wrong(what) { print FILENAME ":" FNR ": " what; bad = 1 }
    # As GitHub names a heading.
    function anchor(text) {
        text = tolower(text)
        gsub(/[^a-z0-9 _-]/, "", text)
        gsub(/ /, "-", text)
        return text
    }
    FNR == 1 { generated = code = 0; files[FILENAME] = 1 }
    /^<!-- begin/ { generated = 1 }
    /^<!-- end/ { generated = 0 }
    /^```/ { code = !code }
    length($0) > 100 && !generated && !/^\|/ && NF > 1 { wrong(length($0) " columns, at most 100") }
    FILENAME == "README.md" && FNR == 151 { wrong("at most 150 lines: move a section to results/ or jobs/") }
    code { next }
    /^#+ / { text = $0; sub(/^#+ /, "", text); anchors[FILENAME "#" anchor(text)] = 1 }
    {
        line = $0
        gsub(/`[^`]*`/, "", line)
        while (match(line, /\]\([^)]*\)/)) {
            link = substr(line, RSTART + 2, RLENGTH - 3)
            line = substr(line, RSTART + RLENGTH)
            if (link ~ /^[a-z]+:/) continue
            folder = FILENAME
            if (!sub(/\/[^\/]*$/, "", folder)) folder = ""
            if (link ~ /^#/) link = FILENAME link
            else if (link ~ /^\.\.\//) link = substr(link, 4)
            else if (folder != "") link = folder "/" link
            links[link] = FILENAME ":" FNR
        }
    }
    END {
        for (link in links) {
            file = link
            sub(/#.*/, "", file)
            if (link != file ? !(link in anchors) : (!(file in files) && system("test -e " file) != 0)) {
                print links[link] ": leads nowhere: " link
                bad = 1
            }
        }
        exit bad
    }' *.md results/*.md jobs/*.md

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
