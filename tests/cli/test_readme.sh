#!/bin/sh
# README.md's commands, as a reader types them, and what README shows of their output. The first block,
# the installation, has no `sh` behind its fence: it builds.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
unset COLUMNS # the usual width
mkdir build
ln -s "$DTRAIN" build/dtrain

# block-N.sh are the commands, and block-N.text what README shows after block N.
awk '
    /^```sh$/ { file = "block-" ++n ".sh"; next }
    /^```text$/ { file = "block-" n ".text"; next }
    /^```/ { file = ""; next }
    file != "" { print >file }' "$TESTS/../README.md"
expect_file block-1.sh

# Seconds differ from run to run.
untimed() { sed -E 's/[0-9]+\.[0-9]+ s( |$)/# s\1/; s/^( +[0-9]+ +0\.[0-9]{5} +[0-9]+) +[0-9]+\.[0-9]+/\1 #/'; }
shown=0
n=1
while [ -e "block-$n.sh" ]; do
    harness_command="README.md's commands: $(cat "block-$n.sh")"
    timeout -k 5 "$RUN_TIMEOUT" sh -eu "block-$n.sh" </dev/null >stdout 2>stderr || fail "they succeed"
    own_words
    expect_empty_stderr
    if [ -e "block-$n.text" ]; then
        untimed <stdout >untimed
        mv untimed stdout
        untimed <"block-$n.text" >text
        while IFS= read -r line; do
            [ "$line" = ... ] || expect_stdout_line "$line"
        done <text
        shown=$((shown + 1))
    fi
    n=$((n + 1))
done
[ "$shown" -ge 2 ] || fail "README.md shows what a run and a search print"
for file in predictions.csv clients.keras results/clients/explain.h5 results/search/best/model.h5 \
    report.html; do
    expect_file "$file"
done

# A trial has --split-seed 1, and the other run the same split by --seed 1: that is not a difference.
run 0 report results/clients results/search/best
expect_no_stdout split_seed
