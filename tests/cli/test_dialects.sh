#!/bin/sh
# Tables as other programs write them: prepare says what it decided, and predict decides the same, so
# that all of them give the same predictions.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
ranks=0

# 200 rows between semicolons: a number, a town, another number, the class
rows() {
    awk -v OFS="${1:-;}" 'BEGIN {
        for (n = 0; n < 200; n++) {
            town = n % 3 == 0 ? "K\303\266ln" : n % 3 == 1 ? "Genf" : "Bern"
            print sin(n) * 9, town, n * 7 % 40 + 1, (sin(n) > 0 ? "up" : "down")
        }
    }'
}
names='height;town;count;y'

# prepared TABLE TARGET WARNING OPTIONS...: prepares data/, and checks the one warning ("": none)
prepared() {
    table=$1
    target=$2
    warning=$3
    shift 3
    run 0 prepare "$table" --target "$target" --out data "$@"
    expect_status 0
    expect_stdout "^table .*: 200 rows"
    expect_stdout_line summary.rows=200
    case $warning in
    '') expect_empty_stderr ;;
    *) expect_one_stderr_line "$warning" ;;
    esac
}

# same_predictions TABLE OPTIONS...: those of `expected`
same_predictions() {
    run "$ranks" predict run "$@"
    expect_status 0
    expect_same_file stdout expected
}

{ echo "$names"; rows; } >plain.csv
rows >bare.csv
awk -F';' -v OFS=';' '{ print $1, $2, $3 }' bare.csv >new.csv
{ echo "$names"; rows; } | iconv -f utf-8 -t windows-1252 >western.csv
iconv -f utf-8 -t windows-1252 bare.csv >western-bare.csv
{ printf '\377\376'; iconv -f utf-8 -t utf-16le plain.csv; } >wide.csv
gzip -c plain.csv >plain.csv.gz
{ echo 'sep=;'; cat plain.csv; } >excel.csv
{ printf '# made by hand; 2020\n#\n'; cat plain.csv; } >comments.csv
{ printf 'Report of towns\n\n'; cat plain.csv; } >title.csv
{ echo "$names;"; rows; } >header-ends.csv
{ echo "$names"; rows | sed 's/$/;/'; } >rows-end.csv
{ echo "$names" | tr ';' ' '; rows ' '; } >blanks.txt
{ echo "$names" | tr ';' '^'; rows '^'; } >carets.txt
{ echo "$names" | tr ';' ':'; rows ':'; } >colons.txt
{ echo "# $names" | tr ';' ' '; rows ' '; } >numpy.txt

# ---- with a header ----

prepared plain.csv y ''
cp data/train.npz expected.npz
run 0 train data --out run --epochs 2 --quiet
expect_status 0
run 0 predict run plain.csv
expect_status 0
cp stdout expected
for table in wide.csv plain.csv.gz excel.csv comments.csv header-ends.csv rows-end.csv blanks.txt carets.txt numpy.txt; do
    prepared "$table" y ''
    expect_same_file data/train.npz expected.npz
    same_predictions "$table"
    expect_empty_stderr
done
printf 'PK\003\004and so on' >book.xlsx
run 0 book.xlsx --target y --out book
expect_status 3
expect_one_stderr_line "book.xlsx: is a ZIP archive, expected a table (an .xlsx? save it as CSV)"
prepared colons.txt y '' --separator :
expect_same_file data/train.npz expected.npz
same_predictions colons.txt --separator colon
run 0 prepare colons.txt --target y --out data
expect_status 3
expect_one_stderr_line "; if this is more than one column, see --separator"
prepared western.csv y "western.csv: is not UTF-8, so it is read as Windows-1252"
expect_same_file data/train.npz expected.npz
same_predictions western.csv
expect_one_stderr_line "western.csv: is not UTF-8, so it is read as Windows-1252"
same_predictions western.csv --encoding windows-1252
expect_empty_stderr
{ echo "$names"; rows | head -n 90; echo "$names"; rows | tail -n +91; } >joined.csv
prepared joined.csv y "joined.csv: line 92 repeats the header; skipped"
expect_same_file data/train.npz expected.npz
same_predictions joined.csv
expect_one_stderr_line "joined.csv: line 92 repeats the header; skipped"
ranks=3
same_predictions joined.csv
ranks=0
prepared title.csv y "title.csv: skipped 2 lines above the header on line 3"
expect_same_file data/train.npz expected.npz
prepared title.csv y '' --skip-lines 2
same_predictions title.csv --skip-lines 2
cat plain.csv.gz | "$DTRAIN" predict run - >stdout || fail "predict reads stdin"
expect_same_file stdout expected
run 0 predict run bare.csv
expect_status 3
expect_one_stderr_line "bare.csv: line 1 ('0' ...) contains none of the required columns, such as '"
same_predictions bare.csv --header no

# ---- without one ----

prepared bare.csv 4 "bare.csv: line 1 (0, Köln, 1, ...) is a row, not a header: the columns are named 'column 1'"
prepared bare.csv y '' --columns height,town,count,y
expect_same_file data/train.npz expected.npz
prepared bare.csv 'column 4' '' --header no
prepared bare.csv '#4' '' --header no
run 0 train data --out run --force --epochs 2 --quiet
expect_status 0
for table in bare.csv new.csv western-bare.csv; do
    same_predictions "$table"
done
{ echo 'column 4;column 3;column 1;column 2'; awk -F';' -v OFS=';' '{ print $4, $3, $1, $2 }' bare.csv; } >named.csv
same_predictions named.csv
awk -F';' -v OFS=';' '{ print $1, $2 }' bare.csv >narrow.csv
run 0 predict run narrow.csv
expect_status 3
expect_one_stderr_line "narrow.csv: has 2 columns, but 4 are named, or 3 without the target"

# ---- names ----

awk 'BEGIN {
    print "\"years, total\",a,a,y"
    for (n = 0; n < 60; n++) print n % 9 + 1 "," n * 7 % 11 "," n * 5 % 13 "," n % 2
}' >names.csv
run 0 prepare names.csv --target y --out data --categorical '"years, total"' --scale 'none,"a.1"=minmax'
expect_status 0
expect_one_stderr_line "names.csv: 1 column has the name of another column; column 3 is renamed 'a.1'"
expect_stdout '^years, total +categorical'
expect_stdout '^a\.1 +numeric .*minmax'
run 0 prepare names.csv --target y --out data --categorical 'years, total'
expect_status 3
expect_stderr "no column 'years'; write a name with a comma in quotes, as '\"years, total\"', or .*#1$"

# ---- options override the recipe's dialect, which overrides the one found in the table ----

awk 'BEGIN {
    print "size,type;price;y"
    for (n = 0; n < 60; n++) printf "%d.5,%d;%d,%03d;%s\n", n % 7, n % 5, n % 9 + 1, n * 7, n % 4 < 2 ? "up" : "down"
}' >commas.csv
run 0 prepare commas.csv --target y --out data --separator semicolon --categorical '#1' --thousands price=comma --quiet
expect_status 0
run 0 train data --out run --force --epochs 2 --quiet
expect_status 0
run 0 predict run commas.csv
expect_status 0
cp stdout expected
sed 's/;/|/g' commas.csv >bars.csv
same_predictions bars.csv
same_predictions commas.csv --separator semicolon
sed 1d commas.csv >commas-bare.csv
same_predictions commas-bare.csv --header no
awk -F';' -v OFS=';' '{ print $2, $1 }' commas-bare.csv >turned.csv
same_predictions turned.csv --columns 'price,"size,type"'
run 0 predict run commas.csv --separator comma
expect_status 3
expect_one_stderr_line "commas.csv: line 1 ('size' ...) contains none of the required columns"
run 2 evaluate run commas.csv
expect_status 0
loss=$(summary loss)
run 0 evaluate run commas-bare.csv --separator semicolon --header no
expect_status 0
[ "$(summary loss)" = "$loss" ] || fail "the loss without a header"

# A table with the other decimal sign: thousands between commas could become decimals.
{ echo 'price;rate;y'; awk 'BEGIN { for (n = 0; n < 60; n++) printf "%d,%03d;%d.25;%d\n", n % 9 + 1, n * 7, n % 5, n % 2 }'; } >points.csv
run 0 prepare points.csv --target y --out data --thousands price=comma --quiet
expect_status 0
run 0 train data --out run --force --epochs 2 --quiet
expect_status 0
run 0 predict run points.csv
expect_status 0
cp stdout expected
tr '.,' ',.' <points.csv >german.csv
run 0 predict run german.csv
expect_status 3
expect_one_stderr_line "dtrain: error: german.csv: has decimal commas, but column 'price' had decimal points in training; use --decimal comma or --decimal point"
same_predictions german.csv --decimal comma
expect_empty_stderr
same_predictions points.csv --decimal point

# ---- refusals ----

run 0 prepare plain.csv --target y --out none --columns a,b
expect_status 3
expect_one_stderr_line "plain.csv: has 4 columns, but 2 are named"
head -c 1000 plain.csv.gz >cut.csv.gz
run 0 prepare cut.csv.gz --target y --out none
expect_status 3
expect_one_stderr_line "cut.csv.gz: the gzip data ends early; is the file complete?"
(
    TMPDIR=$PWD/nowhere
    export TMPDIR
    cat plain.csv | "$DTRAIN" prepare - --target y --out none >stdout 2>stderr || [ $? -eq 4 ]
)
expect_one_stderr_line "stdin: cannot be stored in a temporary file in $PWD/nowhere: No such file or directory; set TMPDIR"
expect_no_file none
