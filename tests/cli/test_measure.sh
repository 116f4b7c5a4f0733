#!/bin/sh
# dtrain measure: the form of its table, on one rank and on several, and what it refuses.
# long: measures on several numbers of ranks
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"

# check RANKS ELEMENTS SUMS: the table in stdout has a line for each, and its numbers can be true
check() {
    expect_status 0
    expect_empty_stderr
    awk -F, -v ranks="$1" -v elements="$2" -v sums="$3" '
        function wrong(what) { print "line " NR ", " what ": " $0; bad = 1 }
        BEGIN {
            lines[0, "sum"] = "barrier"
            lines[0, "elements"] = 0
            size_count = split(elements, sizes, " ")
            sum_count = split(sums, names, " ")
            expected = 1
            for (i = 1; i <= size_count; i++)
                for (j = 1; j <= sum_count; j++) {
                    lines[expected, "sum"] = names[j]
                    lines[expected++, "elements"] = sizes[i]
                }
        }
        NR == 1 {
            if ($0 != "ranks,hosts,sum,elements,bytes,median_us,least_us,most_us,repeats")
                wrong("not the header")
            next
        }
        {
            if (NF != 9) wrong("nine fields")
            if ($1 != ranks || $2 != 1) wrong("ranks and hosts")
            if ($3 != lines[NR - 2, "sum"] || $4 != lines[NR - 2, "elements"]) wrong("sum and elements")
            if ($5 != $4 * ($3 == "exact" ? 8 : 4)) wrong("bytes")
            for (i = 6; i <= 8; i++)
                if ($i !~ /^[0-9]+\.[0-9][0-9][0-9]$/) wrong("a time")
            if ($7 > $6 || $6 > $8) wrong("least, median, most")
            if (ranks > 1 && $6 <= 0) wrong("a message takes time")
            if ($9 !~ /^[0-9]+$/ || $9 < 5) wrong("repeats")
        }
        END {
            if (NR != expected + 1) { print "lines: " NR; bad = 1 }
            exit bad
        }' stdout >wrong || fail "a table of $1 ranks: $(cat wrong)"
}

for ranks in 1 2 3; do
    run $ranks measure --elements 1,1627,300000 --seconds 0.01
    check $ranks "1 1627 300000" "exact fast"
done
run 2 measure --elements=7 --sum fast --seconds 0.01
check 2 7 fast
run 2 measure --elements 7,5 --sum exact --seconds 0.01
check 2 "7 5" exact
run 2 measure --elements none --seconds 0.01
check 2 "" "exact fast"
run 0 measure --seconds 0.001
check 1 "1 4 16 64 256 1024 4096 16384 65536 262144 1048576 4194304" "exact fast"

run 2 measure --elements 1,1000000 --sum exact --seconds 0.2
check 2 "1 1000000" exact

# ---- what it refuses ----
# refuses WORDS... TEXT
refuses() {
    words=""
    while [ $# -gt 1 ]; do
        words="$words $1"
        shift
    done
    # Word splitting is meant.
    # shellcheck disable=SC2086
    run 2 measure $words
    expect_status 2
    expect_one_stderr_line "$1"
    [ ! -s stdout ] || fail "nothing on stdout"
}
refuses --elements 0 "--elements is 0, but must be between 1 and 1073741824"
refuses --elements 5,x "--elements"
refuses --elements 2000000000 "must be between 1 and 1073741824"
refuses --seconds 0 "--seconds"
refuses --sum slow "--sum"
refuses --element 5 "did you mean --elements?"
refuses --seconds "--seconds"
refuses numbers.npz "dtrain measure accepts only options, but found 'numbers.npz'"

# ---- who helps ----
run 2 measure --help
expect_status 0
[ "$(grep -c '^Usage: ' stdout)" -eq 1 ] || fail "the help is there once"
expect_stdout '^  --elements LIST '
run 0 mesure
expect_status 2
expect_one_stderr_line "did you mean dtrain measure?"
