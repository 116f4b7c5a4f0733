#!/bin/sh
# dtrain prepare: free text is dropped and keys are hinted at, in a line each that says what to type;
# what it says to type works.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"

awk 'BEGIN {
    print "row,note,street,client_id,phone,age,y"
    for (i = 0; i < 200; i++)
        printf "%d,%s,%s,%d,%.0f,%d,%s\n", i + 1, "call " i * 13 % 180, "Elm " i * 7 % 150,
            i * 37 % 200 * 3 + 11, 4915200000000000 + i * 1237, 20 + i % 50, i % 3 ? "no" : "yes"
}' >table.csv
run 0 prepare table.csv --target y --out data --quiet
expect_status 0
expect_stderr "2 columns of texts that hardly repeat are dropped: 'note' [(]180 values in 200 rows, as 'call 0'[)], 'street' [(]150 values in 200 rows, as 'Elm 0'[)]; use --categorical 'note,street' to keep them"
expect_stderr "1 column counts the rows, and is dropped: 'row' [(]1 to 200[)]; use --numeric 'row' to keep it"
expect_stderr "2 columns look like keys: 'client_id' [(]200 values in 200 rows[)], 'phone' [(]200 values in 200 rows, beyond float32[)]; use --drop 'client_id,phone', or --numeric if they are intended"
expect_stdout_line "summary.inputs=3"

run 0 prepare table.csv --target y --out kept --quiet --categorical note,street --numeric row,client_id,phone
expect_status 0
expect_no_stderr "hardly"
expect_no_stderr "counts"
expect_no_stderr "look"
run 0 prepare table.csv --target y --out dropped --quiet --drop note,street,row,client_id,phone
expect_status 0
expect_one_stderr_line "rows also occur in train"
expect_stdout_line "summary.inputs=1"

# ---- names that lists have to quote ----

sed '1s/.*/row,"note, free",street,client_id,phone,"age ""x""",y/' table.csv >quoted.csv
run 0 prepare quoted.csv --target y --out quoted --quiet
expect_stderr "--categorical '\"note, free\",street' to keep them"
run 0 prepare quoted.csv --target y --out quoted2 --quiet --categorical '"note, free",street'
expect_status 0
expect_no_stderr "hardly"

cut -d, -f2,7 table.csv >text.csv
run 0 prepare text.csv --target y --out refused
expect_status 3
expect_stderr "is left to learn from; use --categorical COLUMN to keep texts that hardly repeat"
expect_no_file refused
run 0 prepare text.csv --target y --out text --categorical note --quiet
expect_status 0

cut -d, -f1,7 table.csv >counter.csv
run 0 prepare counter.csv --target y --out refused
expect_status 3
expect_stderr "is left to learn from; use --numeric COLUMN to keep numbers that count the rows"
run 0 prepare counter.csv --target y --out counter --numeric row --quiet
expect_status 0

# ---- NA among codes ----

awk 'BEGIN {
    split("DE NA FR US ZA", codes, " ")
    print "country,x,seen,y"
    for (i = 0; i < 90; i++)
        print codes[i * 7 % 5 + 1] "," i * 13 % 90 "," (i % 10 ? i % 3 : "null") "," (i % 4 > 1 ? "yes" : "no")
}' >codes.csv
run 0 prepare codes.csv --target y --out codes --fill category,median --quiet
expect_status 0
expect_stderr_line "dtrain: warning: 1 column has 'NA' among codes, which is read as a missing value: 'country' (18 cells); --missing-only 'null' makes it a code"
run 0 prepare codes.csv --target y --out left --fill drop --quiet
expect_status 0
expect_stderr "1 column has 'NA' among codes, which is read as a missing value: 'country' [(]18 cells[)]; --missing-only 'null'"
run 0 prepare codes.csv --target y --out only --fill category,median --missing-only 'null' --quiet
expect_status 0
expect_no_stderr "NA"
sed 's/null/NA/' codes.csv >both.csv
run 0 prepare both.csv --target y --out both --fill category,median --quiet
expect_status 0
expect_stderr "'country' [(]18 cells[)]; write it in another way if it is a code"
sed 's/DE/yes/; s/FR/no/; s/US/yes/; s/ZA/no/' codes.csv >words.csv
run 0 prepare words.csv --target y --out words --fill category,median --quiet
expect_status 0
expect_no_stderr "among codes"
