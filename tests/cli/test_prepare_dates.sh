#!/bin/sh
# dtrain prepare and predict: dates in every form make the same inputs, those that Python's calendar
# says; what is kept in the recipe, what is refused and what overrides.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy

cat >tables.py <<'PY'
import datetime
import random

draw = random.Random(5)
start = datetime.datetime(2019, 3, 4, 5, 20)
rows = [(start + datetime.timedelta(hours=draw.randrange(24 * 700)), draw.randrange(90))
        for _ in range(240)]
forms = {"iso": "%Y-%m-%d %H:%M", "german": "%d.%m.%Y %H:%M", "british": "%d/%m/%Y %H:%M:%S",
         "american": "%m/%d/%y %I:%M %p", "names": "%d %b %Y %H:%M", "letters": "%B %d, %Y %H:%M",
         "rfc": "%a, %d %b %Y %H:%M:%S +0000", "compact": "%Y%m%dT%H%M%S",
         "zone": "%Y-%m-%dT%H:%M:%S.000Z", "digits": "%Y%m%d%H%M%S"}


def write(name, form):
    with open(f"{name}.csv", "w") as table:
        table.write("when;x;y\n")
        for date, x in rows:
            table.write(f"{date.strftime(form)};{x};{'late' if date.year > 2019 else 'early'}\n")
PY
"$PYTHON" - <<'PY' || fail "no tables"
import tables

for name, form in tables.forms.items():
    tables.write(name, form)
tables.write("days", "%d.%m.%Y")
PY

run 0 prepare iso.csv --target y --out iso --scale when=none --split ordered --test-split 0
expect_status 0
expect_stdout "^when +date +0 +[0-9]+ +2019-03-0. .* to 2021-.*; scale none; ymd; month, weekday, hour$"
expect_stderr "1 column holds dates, which become numbers: 'when' [(]ymd: '[-0-9 :]*' is 20"
"$PYTHON" - <<'PY' || fail "the inputs are not what the calendar says"
import calendar
import datetime

import numpy as np
import tables

got = np.concatenate([np.load(f"iso/{part}.npz")["inputs"] for part in ("train", "validation")])
assert got.shape == (240, 8), got.shape
for row, (date, _) in zip(got, tables.rows):
    time = (date.hour * 60 + date.minute) / 1440
    days = (date - datetime.datetime(1970, 1, 1)).total_seconds() / 86400
    month = calendar.monthrange(date.year, date.month)[1]
    shares = [(date.month - 1 + (date.day - 1 + time) / month) / 12, (date.weekday() + time) / 7,
              time]
    expected = [days]
    for share in shares:
        expected += [np.sin(2 * np.pi * share), np.cos(2 * np.pi * share)]
    assert np.abs(row[:7] - np.array(expected, "f4")).max() < 2e-7 * days, (date, row, expected)
    assert np.abs(row[1:7] - expected[1:]).max() < 1e-7, (date, row, expected)
PY

for form in german british american names letters rfc compact zone digits; do
    run 0 prepare "$form.csv" --target y --out "$form" --scale when=none --split ordered \
        --test-split 0 --quiet
    expect_status 0
    expect_stderr "1 column holds dates"
    expect_same_file "$form/train.npz" iso/train.npz
done

# ---- new rows, and the recipe ----

run 0 prepare american.csv --target y --out data --fill indicator --quiet
expect_status 0
run 0 train data --out run --epochs 2 --quiet
expect_status 0
run 0 inspect data/recipe.json
expect_stdout "^when +date +7 +0 .* standard, center 18[0-9.]*, spread [0-9.]*; mdy"
run 0 inspect run/model.h5 --json
expect_stdout '"order": "mdy"'
expect_stdout '"minimum": 1[78][0-9]{3}[.]'
printf 'x;when\n5;1/31/21 1:30 PM\n5;01/31/2021 13:30\n5;Jan 31, 2021 13:30\n5;12/24/2090 0:00\n' >new.csv
run 0 predict run new.csv
expect_status 0
expect_empty_stderr
[ "$(sed -n '2,4s/^[0-9]*,//p' stdout | sort -u | wc -l)" -eq 1 ] || fail "one date, three results"
# In another form than the training rows, a date is read in the one way that it can be, or refused.
printf 'x;when\n5;1/31/21\n5;2021-01-31\n5;31.01.2021\n5;20210131\n5;01-31-2021\n' >new.csv
run 0 predict run new.csv
expect_status 0
expect_empty_stderr
[ "$(sed '1d; s/^[0-9]*,//' stdout | sort -u | wc -l)" -eq 1 ] || fail "one date, several results"
printf 'x;when\n5;1/31/21\n5;05.06.2021\n5;04-04-2021\n5;31/01/2021\n' >new.csv
run 0 predict run new.csv --out none.csv
expect_status 3
expect_one_stderr_line "row 2 (line 3): column 'when': '05.06.2021' may be 2021-06-05 or 2021-05-06, since the training rows are written as mdy with '/' between the parts; write dates so, or as 2021-06-05; use --on-error skip to skip such rows"
expect_no_file none.csv
run 0 predict run new.csv --on-error skip --out some.csv --quiet
expect_status 0
expect_one_stderr_line "2 of 4 rows cannot be prepared"
sed '2d; 3d' new.csv >slip.csv
run 0 predict run slip.csv
expect_status 3
expect_one_stderr_line "'31/01/2021' is not a date of the form mdy, as the recipe requires; use --on-error skip"
# A recipe without the divider, as older ones, knows the order alone.
sed '/"divider"/d' data/recipe.json >older.json && mv older.json data/recipe.json
run 0 train data --out older --epochs 1 --quiet
expect_status 0
run 0 predict older new.csv --on-error skip --out some.csv --quiet
expect_status 0
expect_one_stderr_line "1 of 4 rows cannot be prepared"

# ---- what overrides it, and what is refused ----

run 0 prepare days.csv --target y --out o1 --categorical when --quiet
expect_status 0
expect_no_stderr "date"
run 0 prepare days.csv --target y --out o2 --drop when --quiet
expect_status 0
expect_stdout_line "summary.inputs=1"
run 0 prepare days.csv --target y --out o3 --dates when=dmy --quiet
expect_status 0
expect_empty_stderr
awk -F'[.;]' 'NR == 1 || $1 <= 12 { print NR == 1 ? $0 : $1 "/" $2 "/" $3 ";" $4 ";" $5 }' days.csv >doubt.csv
run 0 prepare doubt.csv --target y --out refused
expect_status 3
expect_stderr "column 'when': '[0-9/]*' may be 20.*; use --dates 'when=dmy' or 'when=mdy'"
expect_no_file refused
run 0 prepare days.csv --target when --out refused
expect_status 3
expect_stderr "the target 'when' holds dates, as '"
expect_no_file refused
