#!/bin/sh
# dtrain predict and evaluate: cells that mean other numbers than those of the training rows are named.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"

# rows(UNIT OF RATE, FACTOR OF RATE, UNIT OF WEIGHT, FACTOR OF HEIGHT)
rows() {
    awk -v percent="$1" -v rate="$2" -v kg="$3" -v height="$4" 'BEGIN {
        print "rate,weight,height,heavy,price,y"
        for (i = 1; i <= 240; i++) {
            r = i * 37 % 391 / 10 + 1.5; w = i * 53 % 40 + 50; h = i * 29 % 45 + 150
            tail = 100 / (i * 71 % 240 + 0.3)
            printf "%s%s,%s%s,%s,%.4f,%.2f,%s\n", r * rate, percent, w, kg, h * height, tail, \
                (r + w) * 1000, (r + w > 91 ? "yes" : "no")
        }
    }'
}

rows % 1 ' kg' 1 >people.csv
run 0 people.csv --target y --out run --epochs 2 --quiet
expect_status 0
run 0 predict run people.csv --out all.csv --quiet
expect_status 0
expect_empty_stderr # of the table that it was trained on, nothing is strange

# ---- units ----

rows '' 0.01 ' kg' 1 >shares.csv
run 0 predict run shares.csv --out shares.out.csv
expect_status 3
expect_one_stderr_line "shares.csv: row 1 (line 2): column 'rate': '0.052' has no '%', which the training rows have, and may be a share; write 5.2% for it, or use --numeric 'rate' to take it for 0.052%; use --on-error skip to skip such rows"
expect_no_file shares.out.csv
run 0 evaluate run shares.csv
expect_status 3
expect_one_stderr_line "'0.052' has no '%'"
run 0 predict run shares.csv --numeric rate --out taken.csv --quiet
expect_status 0
expect_empty_stderr

rows '' 1 '' 1 >bare.csv
run 2 predict run bare.csv --out bare.out.csv --quiet
expect_status 0
expect_stderr_line "dtrain: warning: bare.csv: column 'rate': 240 numbers have no '%', which the training rows have, as '5.2' in row 1; correct the table if these numbers mean something else"
expect_stderr_line "dtrain: warning: bare.csv: column 'weight': 240 numbers have no 'kg', which the training rows have, as '63' in row 1; correct the table if these numbers mean something else"
[ "$(wc -l <stderr)" -eq 2 ] || fail "more than one line a column"
expect_same_file all.csv bare.out.csv

# ---- ranges ----

rows % 1 ' kg' 0.01 >metres.csv
run 2 evaluate run metres.csv
expect_status 0
expect_one_stderr_line "metres.csv: column 'height': 240 of 240 cells (100 %) are far outside the range of the training rows, 150 to 194, as '1.79' in row 1; check the unit of the column"
# One row of another unit among many is no reason, one that stands alone is.
sed '5s/.*/7%,60 kg,17900,1,1,no/' people.csv >slip.csv
run 0 predict run slip.csv --out slip.out.csv --quiet
expect_status 0
expect_empty_stderr
sed -n '1p;5p' slip.csv >alone.csv
run 0 predict run alone.csv --out alone.out.csv --quiet
expect_status 0
expect_one_stderr_line "column 'height': 1 of 1 cells (100 %) is far outside"

# All beside the range, though not far: metres of a wide range.
awk -F, 'NR == 1 { print; next } { printf "%s,%s,%s,%s,%s,%s\n", $1, $2, 145 - $3 % 5, $4, $5, $6 }' people.csv >below.csv
run 0 predict run below.csv --out below.out.csv --quiet
expect_status 0
expect_one_stderr_line "column 'height': 240 of 240 cells (100 %) are outside the range of the training rows, 150 to 194, as '14"

# ---- a recipe of values, which older ones are without ranges ----

run 0 people.csv --target price --drop y --out values --epochs 1 --quiet
expect_status 0
awk -F, 'NR == 1 { print; next } { printf "%s,%s,%s,%s,%d,%s\n", $1, $2, $3, $4, $5 / 1000, $6 }' people.csv >thousands.csv
run 0 evaluate values thousands.csv
expect_status 0
expect_one_stderr_line "column 'price': 240 of 240 cells (100 %) are outside the range of the training rows, "

# ---- what the table has both ways, and a person knows, is said once ----

sed '3,40s/ kg//' people.csv >both.csv
run 0 both.csv --target y --out both --epochs 1 --quiet
expect_status 0
expect_stderr "1 column has a unit in some cells only: 'weight'"
run 0 predict both both.csv --out both.out.csv --quiet
expect_status 0
expect_empty_stderr

# Units that training had none of are one.
sed 's/ kg//; s/%//' people.csv >plain.csv
run 0 plain.csv --target y --out plain --epochs 1 --quiet
expect_status 0
awk -F, 'NR == 1 { print; next } { printf "%s,%s,%s,%s,%s,%s\n", $1, $2 " kg", $3, $4, $5, $6 }' plain.csv >kg.csv
run 0 predict plain kg.csv --out kg.out.csv --quiet
expect_status 0
expect_one_stderr_line "kg.csv: column 'weight': 240 numbers have a unit, which the training rows do not have, as '63 kg' in row 1;"
sed '100s/ kg/ g/' kg.csv >two.csv
run 2 predict plain two.csv --out two.out.csv --quiet
expect_status 3
expect_one_stderr_line "two.csv: column 'weight': its numbers have 'kg' and other units, and the training rows have none; write them in one unit"
expect_no_file two.out.csv

# ---- a ragged row ----

sed '7s/,.*//' people.csv >ragged.csv
run 2 predict run ragged.csv --out ragged.out.csv
expect_status 3
expect_one_stderr_line "; use --on-error skip to skip such rows"
run 0 predict run ragged.csv --on-error skip --out ragged.out.csv --quiet
expect_status 0
