#!/bin/sh
# dtrain prepare and predict: numbers as people write them make the inputs that plain ones make.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy

"$PYTHON" - <<'PY' || fail "no tables"
import random

draw = random.Random(7)
rows = [(draw.randrange(200, 900000) / 4, draw.randrange(-900, 900) / 100, draw.randrange(1, 250))
        for _ in range(240)]


def groups(number, sign, decimals, point):
    text = f"{abs(number):,.{decimals}f}"
    text = text.replace(",", "G").replace(".", point).replace("G", sign)
    return text, number < 0


def write(name, separator, encode):
    with open(name, "w", encoding="utf-8") as table:
        table.write(separator.join(("income", "change", "weight", "y")) + "\n")
        for income, change, weight in rows:
            cells = [*encode(income, change, weight), "high" if income > 110000 else "low"]
            table.write(separator.join(f'"{c}"' if separator in c else c for c in cells) + "\n")


def american(income, change, weight):
    text, _ = groups(income, ",", 2, ".")
    number, below = groups(change, ",", 2, ".")
    return f"${text}", f"({number})" if below else number, f"{weight} kg"


def german(income, change, weight):
    text, _ = groups(income, ".", 2, ",")
    number, below = groups(change, ".", 2, ",")
    return f"{text} €", ("−" if below else "") + number + " %", f"{weight}kg"


def french(income, change, weight):
    text, _ = groups(income, "\u202f", 2, ",")
    number, below = groups(change, " ", 2, ",")
    return f"{text}\u00a0€", ("-" if below else "+") + number, f"{weight}"


def swiss(income, change, weight):
    text, _ = groups(income, "'", 2, ".")
    return f"CHF {text}", f"{change:.2f}".replace("-", "- "), f"{weight:.1f}D0"


write("plain.csv", ",", lambda *row: [f"{number}" for number in row])
for name, separator, encode in (("american", ",", american), ("german", ";", german),
                                ("french", ";", french), ("swiss", "\t", swiss)):
    write(f"{name}.csv", separator, encode)
PY

run 0 prepare plain.csv --target y --out plain --quiet
expect_status 0
expect_no_stderr "--thousands"
run 0 train plain --out run --epochs 3 --quiet
expect_status 0
run 0 predict run plain.csv --out plain-predicted.csv --quiet
expect_status 0
for table in american german french swiss; do
    run 0 prepare "$table.csv" --target y --out "$table" --quiet
    expect_status 0
    expect_stderr "in column 'income' is "
    expect_stderr "use --decimal, --thousands or --categorical if this is wrong"
    for set in train validation test; do
        expect_same_file "$table/$set.npz" "plain/$set.npz"
    done
    run 0 train "$table" --out run --force --epochs 3 --quiet
    expect_status 0
    run 0 predict run "$table.csv" --out predicted.csv --quiet
    expect_status 0
    expect_same_file predicted.csv plain-predicted.csv
done

# ---- what the recipe keeps ----

run 0 inspect american/recipe.json --json
expect_status 0
expect_stdout '"written": "thousands comma; decimal point; unit [$]"'
run 0 inspect german/recipe.json --json
expect_status 0
expect_stdout '"written": "thousands point; decimal comma; unit €"'
run 0 train german --out run --force --epochs 1 --quiet
expect_status 0
printf 'income;change;weight\n1.234,50 €;10,00 %%;12kg\n' >new.csv
run 0 predict run new.csv
cp stdout expected
printf 'income,change,weight\n"1.234,50 €","10,00 %%",12kg\n' >new.csv
run 0 predict run new.csv # whose decimal sign is not that of most tables between commas
expect_status 0
expect_same_file stdout expected
run 0 train american --out run --force --epochs 1 --quiet
expect_status 0
printf 'income,change,weight\n"$1,234.00",1,12 lb\n' >pounds.csv
run 0 predict run pounds.csv
expect_status 3
expect_stderr "row 1 [(]line 2[)]: column 'weight': '12 lb' is in 'lb', but the training rows are in 'kg'"
printf 'income,change,weight\n1234,1,12\n"$1,234.00",1.0,12 kg\n' >mixed.csv
run 0 predict run mixed.csv
expect_status 0
[ "$(sed -n 2p stdout | cut -d, -f2-)" = "$(sed -n 3p stdout | cut -d, -f2-)" ] ||
    fail "the same numbers, but not the same prediction: $(cat stdout)"

# ---- other spellings than in training: what can be one number only is it, and else an error ----

run 0 prepare plain.csv --target y --out plain --quiet --fill median
expect_status 0
run 0 train plain --out run --force --epochs 1 --quiet
expect_status 0
printf 'income,change,weight\n7567,1,12\n5950,2.5,7\n' >new.csv
run 0 predict run new.csv
cp stdout expected
printf 'income,change,weight\n"7,567.0",1,12 kg\n$5950,"2,5",7\n' >new.csv
run 0 predict run new.csv
expect_status 0
expect_same_file stdout expected
printf 'income;change;weight\n7.567;1;12\n5.950;2.5;7\n' >new.csv
for ranks in 0 2; do
    run $ranks predict run new.csv --out refused.csv
    expect_status 3
    expect_one_stderr_line "error: new.csv: column 'income': '7.567' may be 7.567 or 7567; use --thousands 'income=point' for 7567, --decimal 'income=point' for 7.567"
    [ ! -e refused.csv ] || fail "refused, but written"
done
run 0 predict run new.csv --thousands income=point
expect_status 0
expect_same_file stdout expected
run 0 predict run new.csv --decimal income=point
expect_status 0
! cmp -s stdout expected || fail "7.567 is 7567"
printf 'income,change,weight\n7567,1,12\n-.-,2.5,7\n' >new.csv
run 0 predict run new.csv
expect_status 3
expect_stderr "column 'income': '-[.]-' is not a number; use --missing '-[.]-' to fill such cells, or use --on-error skip to skip such rows"
run 0 predict run new.csv --missing '-.-'
expect_status 0
[ "$(wc -l <stdout)" -eq 3 ] || fail "not two predictions: $(cat stdout)"

# ---- one letter is a unit only if all numbers have it ----

awk 'BEGIN { print "house,big,far,y"
    for (i = 1; i <= 60; i++)
        print i % 23 (i == 40 ? "B" : "") "," i % 2 * 700 + i % 17 (i % 2 ? "" : "K") "," i % 19 "m," (i % 3 ? "a" : "b") }' >letters.csv
run 0 prepare letters.csv --target y --out letters
expect_status 3
expect_one_stderr_line "column 'house': '17B' is not a number, but 59 of its 60 cells are; use --missing '17B' --fill median, --categorical or --drop"
run 0 prepare letters.csv --target y --out letters --categorical house
expect_status 0
expect_stderr "'0m' in column 'far' is 0|'1m' in column 'far' is 1"
expect_stderr "column 'big' is used as categories, although 50 % of its cells are numbers"
run 0 prepare letters.csv --target y --out refused --categorical house --numeric big
expect_status 3
expect_stderr "column 'big': '2K' is not a number"

# ---- a value to be predicted, and weights ----

awk -F, 'NR == 1 { print "price,a,n"; next } { printf "\"$%d,%03d\",%d,%d x\n", NR, NR, NR % 7, NR % 3 + 1 }' \
    plain.csv >values.csv
run 0 prepare values.csv --target price --weights n --out values --quiet
expect_status 0
"$PYTHON" - <<'PY' || fail "targets and weights are the numbers"
import numpy as np

sets = [np.load(f"values/{part}.npz") for part in ("train", "validation", "test")]
targets = np.sort(np.concatenate([s["targets"] for s in sets]))
assert (targets == [n * 1001 for n in range(2, 242)]).all(), targets
weights = np.concatenate([s["weights"] for s in sets])
assert sorted(set(weights)) == [1, 2, 3], weights
PY

# ---- what means something else: the advice works when it is typed ----

awk 'BEGIN { print "zip,temp,y"; for (i = 0; i < 120; i++) printf "%05d,%s,%d\n", i * 37 % 90 * 101, i % 20 ? i % 19 : "-999", i % 2 }' \
    >odd.csv
run 0 prepare odd.csv --target y --out odd --quiet
expect_status 0
expect_stderr "1 column has numbers with leading zeros, as codes have: 'zip' [(]as '00000'[)]; use --categorical 'zip' to keep it as texts"
expect_stderr "1 column has one number that repeats far more often than all others: 'temp' [(]'-999' in 6 cells[)]; if it means a missing value, use --missing='-999' --fill median"
run 0 prepare odd.csv --target y --out odd2 --quiet --missing='-999' --fill median --categorical 'zip'
expect_status 0
expect_no_stderr "far beyond|leading zeros"

# ---- a unit in some cells ----

awk 'BEGIN { print "rate,w,price,y"
    for (i = 1; i <= 60; i++)
        print (i % 3 ? i % 90 "%" : "0." i % 90) "," i % 17 + 40 (i % 2 ? " kg" : "") "," i % 7 "," i % 2 }' >some.csv
run 0 prepare some.csv --target y --out some
expect_status 3
expect_one_stderr_line "some.csv: column 'rate': 40 cells have %, and 20 have none, as '0.3', which may be a share; write them in one way, or use --numeric 'rate' to take '0.3' for 0.3 %, or --drop 'rate'"
run 0 prepare some.csv --target y --out some --quiet --numeric 'rate'
expect_status 0
expect_stderr "2 columns have a unit in some cells only: 'rate' [(]40 cells have '%', 20 have none, as '0.3'[)], 'w' [(]30 cells have 'kg', 30 have none, as '42'[)]"

# ---- what is not a number, though it has digits ----

awk 'BEGIN { print "code,n,y,range"; for (i = 0; i < 60; i++) printf "A%dB,%d,%d,%d to %d\n", i % 9, i * i % 50, i % 2, i % 6, i % 6 + 2 }' \
    >codes.csv
run 0 prepare codes.csv --target y --out codes --quiet
expect_status 0
expect_stderr "1 column has digits in the cells, but becomes categories: 'range' [(]'0 to 2' is not a number[)]; use --categorical 'range' or --drop"
run 0 prepare codes.csv --target y --out codes2 --quiet --categorical range
expect_status 0
expect_no_stderr "digits"
