#!/bin/sh
# man_pages.sh HELP2MAN DTRAIN VERSION FOLDER
#
# Makes FOLDER/dtrain.1 and one FOLDER/dtrain-COMMAND.1 for each command that `dtrain --help` names, from
# what --help says. A page is no reason for a build to fail: what goes wrong is said in one line, and
# FOLDER is left empty.
set -eu
help2man=$1 dtrain=$2 version=$3 folder=$4

rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
leave_out() {
    rm -f "$folder"/*
    echo "The man pages are left out: $1"
    exit 0
}

"$dtrain" --help >"$work/all" 2>/dev/null || leave_out "$dtrain --help failed."
# The commands stand above the usage of the one that needs no name.
sed -n '/^Usage: /q; s/^  \([a-z][a-z-]*\)  *\(.*\)/\1 \2/p' "$work/all" >"$work/commands"
commands=$(cut -d ' ' -f 1 "$work/commands")
[ -n "$commands" ] || leave_out "$dtrain --help names no commands."
for command in $commands; do
    "$dtrain" "$command" --help >"$work/$command" 2>/dev/null ||
        leave_out "$dtrain $command --help failed."
done

# Usage lines on stdin; words in capitals are the reader's to replace.
synopsis() {
    echo '[SYNOPSIS]'
    awk '
        NR > 1 { print ".br" }
        {
            line = ""
            count = split($0, words, " ")
            for (i = 1; i <= count; i++) {
                match(words[i], /^\[*/)
                open = substr(words[i], 1, RLENGTH)
                word = substr(words[i], RLENGTH + 1)
                match(word, /(\]|\.\.\.)*$/)
                shut = substr(word, RSTART)
                word = substr(word, 1, RSTART - 1)
                gsub(/-/, "\\-", word)
                font = word ~ /^[A-Z]/ ? "I" : "B"
                line = line (i > 1 ? " " : "") open "\\f" font word "\\fR" shut
            }
            print line
        }'
}
usage() { sed -n '/^Usage: /,/^$/{s/^Usage: //;s/^ *//;/./p;}' "$work/$1"; }

exit_status() {
    echo '[EXIT STATUS]'
    sed -n '/^Exit status: /,/\.$/{s/^Exit status: //;p;}' "$work/all" | tr '\n' ' ' |
        sed 's/\. *$//' | tr ',' '\n' | sed 's/^ *\([0-9]*\) \(.*\)/.TP\n\\fB\1\\fR\n\2/'
    echo
}

# see_also PAGE...
see_also() {
    echo '[SEE ALSO]'
    for page in "$@"; do
        printf '\\%%\\fB%s\\fR(1)\n' "$(echo "$page" | sed 's/-/\\-/g')"
    done | sed '$!s/$/,/'
}

# page NAME DESCRIPTION COMMAND: the help of COMMAND, with the sections in $work/sections
page() {
    printf '[NAME]\n%s \\- %s\n' "$1" "$2" >>"$work/sections"
    # help2man reads the output of a program with an option: here of cat with a file.
    sed '/^Usage: /,/^$/d; s/`/"/g' "$work/$3" >"$work/help"
    (cd "$work" && "$help2man" --no-info --version-string="dtrain $version" --help-option=help \
        --include=sections cat) >"$1.1" 2>"$work/said" || leave_out "$help2man: $(head -n 1 "$work/said")"
}

first=$(echo "$commands" | head -n 1)
{
    for command in $commands; do
        usage "$command"
    done | synopsis
    echo '[COMMANDS]'
    sed 's/^\([^ ]*\) \(.*\)/.TP\n\\fB\1\\fR\n\2/' "$work/commands"
    exit_status
    echo '[ENVIRONMENT]'
    printf '.TP\n\\fBCOLUMNS\\fR\nwidth of tables and lines for people, in characters, 60 at least; '
    echo 'without it the width of the terminal, or 80.'
    # shellcheck disable=SC2046
    see_also $(echo "$commands" | sed 's/^/dtrain-/')
} >"$work/sections"
page dtrain "train neural networks on tables, on any number of MPI ranks" "$first"

while read -r command what; do
    {
        usage "$command" | synopsis
        exit_status
        # shellcheck disable=SC2046
        see_also dtrain $(echo "$commands" | grep -vx "$command" | sed 's/^/dtrain-/')
    } >"$work/sections"
    page "dtrain-$command" "$what" "$command"
done <"$work/commands"
