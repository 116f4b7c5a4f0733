#!/bin/sh
# dtrain report: tables, CSV, the page with its plots; runs without results; what it refuses.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python h5py
checker=$TESTS/cli/check_report.py
check() { "$PYTHON" "$checker" "$@" >check.log 2>&1 || fail "check_report.py $*: $(tail -n 3 check.log)"; }

# A gnuplot is wanted for what it draws, not for whether it is there.
plots=yes
command -v gnuplot >/dev/null || plots=no
count() { if [ "$plots" = yes ]; then echo "$1"; else echo 0; fi; }

run 1 --hidden 8 --epochs 4 --out one
expect_status 0
crc=$(summary weights_crc)
run 2 --hidden 16,8 --epochs 3 --seed 2 --out deep/two
expect_status 0
run 1 --learning-rate 1e6 --out diverged
expect_status 5

# ---- side by side ----
run 0 report one deep/two/run.h5 diverged
expect_status 0
expect_empty_stderr
expect_stdout '^what differs .*hidden'
expect_stdout '^two +.*16,8'
expect_stdout '^one +ok +4 .* 1 .* '"$crc"'$'
expect_stdout '^diverged +diverged +0 +- '
expect_stdout_line 'diverged: no epochs'
expect_no_stdout 'gnuplot|batch|command_line| $' # nothing that is equal, no plots in a pipe
! LC_ALL=C grep -q "$(printf '\033')" stdout || fail "no escape sequences"

# order REGEX: the runs' names in the order of the first table.
order() {
    found=$(sed -n '2,4p' stdout | cut -d ' ' -f 1 | tr '\n' ' ')
    echo "$found" | grep -qx "$1 " || fail "the order is $1, not $found"
}
for key in val_loss test_accuracy hidden name epochs; do
    run 0 report --sort "$key" one deep/two diverged
    expect_status 0
    case $key in
    hidden) order 'one diverged two' ;; # 8, 30, then what is not a number
    name) order 'diverged one two' ;;
    epochs) order 'diverged two one' ;;
    *) sed -n 4p stdout | grep -q '^diverged' || fail "a run without $key comes last" ;;
    esac
done
run 0 report --sort val_los one deep/two
expect_status 2
expect_one_stderr_line 'did you mean val_loss?'
run 0 report --sort nonsense one
expect_status 2

COLUMNS=60 run 0 report one deep/two
expect_status 0
[ "$(awk '{ if (length > w) w = length } END { print w }' stdout)" -le 60 ] || fail "at most 60 columns"

# ---- the same name, and the same run twice ----
mkdir -p other && cp -R one other/one
run 0 report one other/one one
expect_status 0
expect_stdout '^no difference in options, data or machine$'
expect_stdout '^other/one '
expect_stdout '/one \(2\) '

# ---- a portrait ----
run 0 report one
expect_status 0
expect_stdout '^options +epochs = 4$'
expect_stdout '^ +hidden = 8$'
expect_stdout '^accuracy +0\.[0-9]{4} +0\.[0-9]{4} +0\.[0-9]{4}  share of rows$'
expect_stdout '^true . predicted +0 +1$'
expect_stdout '^rank +host +training rows +load s'
run 0 report diverged
expect_status 0
expect_stdout_line 'no epochs'

# ---- CSV ----
run 0 report --csv table.csv one deep/two diverged
expect_status 0
expect_stdout_line 'table: table.csv'
check csv table.csv one deep/two diverged
run 0 report --csv - one deep/two diverged
expect_status 0
expect_same_file stdout table.csv

# ---- a threshold: beside a run that has none ----
run 1 --hidden 8 --epochs 4 --threshold recall=0.9 --out at
expect_status 0
threshold=$(summary threshold)
shown=$("$PYTHON" -c "print('%.4f' % $threshold)")
run 0 report at
expect_status 0
expect_stdout "^threshold +$shown\$"
run 0 report one
expect_no_stdout '^threshold'
run 0 report one deep/two
expect_no_stdout 'course.*threshold'
run 0 report --csv threshold.csv at one
expect_status 0
expect_stdout '^course +status +epochs +best +threshold +seconds'
expect_stdout "^at +ok +4 +[0-9]+ +$shown "
expect_stdout '^one +ok +4 +[0-9]+ +- '
check csv threshold.csv at one
run 0 report --html at.html at one
grep -q "<td>$shown</td>" at.html || fail "the threshold on the page"
[ "$plots" = no ] || grep -q 'The dot on a curve' at.html || fail "what the dot is"

# ---- the page ----
run 0 report --html page.html one deep/two diverged
expect_status 0
# 4 curves, 2 ROC, 2 precision and recall, 2 calibration, time of the runs, and of the ranks of each run that has ended
check html page.html "$(count 13)"
# What was trained on what; settings and results in one row; the best of validation is marked, never that of the test.
grep -q '<p><strong>classification</strong> in the built-in example; 40000 training rows, 5000 validation rows, 5000 test rows; 51 inputs, 2 classes[.]' page.html ||
    fail "the heading of several networks"
grep -q '<th>hidden</th>.*<th>val loss</th>' page.html || fail "settings and results in one table"
grep -q 'class="best"' page.html || fail "the best is marked"
"$PYTHON" - page.html <<'PY' || fail "only results of the validation set are marked"
import re, sys
for table in re.findall(r"<table>(.*?)</table>", open(sys.argv[1]).read(), re.S):
    rows = [re.findall(r"<t[hd]([^>]*)>(.*?)</t[hd]>", row, re.S) for row in re.findall(r"<tr>(.*?)</tr>", table, re.S)]
    for row in rows:
        for column, (attributes, _) in enumerate(row):
            assert "best" not in attributes or rows[0][column][1].startswith("val "), rows[0][column]
PY
if [ "$plots" != no ]; then
    grep -q 'ROC-AUC 0[.][0-9]* (validation), 0[.][0-9]* (test); PR-AUC 0' page.html || fail "areas in the legend"
    ! sed 1,20d page.html | grep -q '<title>' || fail "no title of gnuplot's as a tooltip"
fi
run 0 report --html one.html one
expect_status 0
check html one.html "$(count 9)"
grep -q '51 inputs, 2 classes; network 51-8-2 with [0-9]* parameters[.]' one.html || fail "the heading of one network"
! grep -q 'The dot on a curve' one.html || fail "no dot without a threshold"
run 0 report --html none.html diverged
expect_status 0
check html none.html 0

# ---- one that is under way, and ten classes with names from a file ----
"$PYTHON" - <<'PY'
import os, shutil
import h5py
os.makedirs("running")
shutil.copy("one/run.h5", "running/run.h5")
with h5py.File("running/run.h5", "a") as f:
    for name in ("evaluation", "summary", "ranks"):
        del f[name]
    f.attrs["status"] = "running"
PY
run 0 report running one
expect_status 0
expect_stdout '^running +running +4 '
expect_stdout_line "running: running, or killed; its validation metrics are those of the best epoch"
run 0 report running
expect_status 0
expect_stdout '^(best, last|last) +4 '
run 0 report --html running.html running
check html running.html "$(count 2)"

# ---- names that would do harm ----
hostile="x';system(\"touch pwned\")\`touch pwned\`<script>alert(1)<" # a slash would end the name
mkdir "$hostile"
cp one/run.h5 "$hostile/run.h5"
"$PYTHON" - "$hostile/run.h5" <<'PY'
import sys
import h5py
with h5py.File(sys.argv[1], "a") as f:
    f["config"].attrs["inputs"] = "</td><img src=x onerror=alert(1)>\"',\n=1+1`touch pwned`"
    if "class_names" in f["data"]:
        del f["data/class_names"]
    f["data"].create_dataset("class_names", data=["<b>'no'", "`touch pwned`\x1b[2J"],
                             dtype=h5py.string_dtype())
PY
run 0 report --plots --html hostile.html --csv hostile.csv "$hostile" one
expect_status 0
check html hostile.html "$(count 13)"
check csv hostile.csv "$hostile" one
! grep -q '<script\|<img\|<b>' hostile.html || fail "names are escaped in the page"
run 0 report --plots "$hostile"
expect_status 0
! LC_ALL=C grep -q "$(printf '\033')" stdout || fail "no escape sequences from a file"
[ -z "$(find . -name pwned)" ] || fail "no name is run"

# ---- texts that a spreadsheet would run, beside those that it would not ----
mkdir ./=1+1 ./@run ./+.5e-3
for name in =1+1 @run +.5e-3; do cp one/run.h5 "./$name/run.h5"; done
"$PYTHON" - <<'PY'
import h5py
with h5py.File("=1+1/run.h5", "a") as f:
    for i, text in enumerate(['=HYPERLINK("http://x","y")', "+1+1", "-2-3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "-x", "+",
                              "-", "+nan(A1)", "-5", "+1.5e-3", "a=b", "1-2", "'=1", "", "-0.5"]):
        f["config"].attrs[f"text_{i:02}"] = text
    f["config"].attrs["text_number"] = -1e-9
PY
run 0 report --csv run.csv =1+1 @run +.5e-3 one
expect_status 0
check csv run.csv =1+1 @run +.5e-3 one
grep -q "^'@run,'@run,ok," run.csv || fail "name and path are made harmless"
grep -q "^+.5e-3,+.5e-3,ok," run.csv || fail "a number stays as it is"
grep -q "^'=1+1,'=1+1,ok,.*,\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\",'+1+1,'-2-3,'@SUM(A1),\"'	=1\"" run.csv ||
    fail "options are made harmless"
grep -q "^=1\",'-x,'+,'-,'+nan(A1),-5,+1.5e-3,a=b,1-2,'=1,,-0.5,-1e-09" run.csv || fail "the other texts stay as they are"
run 0 report --help
tr '\n' ' ' <stdout | grep -q "weights_crc is decimal. A text .* has ' before it.* =, +, -, @" ||
    fail "--help tells of both"

# ---- waiting that was not measured ----
cp -R deep/two unmeasured
"$PYTHON" - <<'PY'
import h5py
with h5py.File("unmeasured/run.h5", "a") as f:
    ranks = f["ranks"][()]
    for i, (allreduce, wait) in enumerate([(2.5, float("nan")), (3.0, 1.0)]):
        ranks["allreduce_s"][i], ranks["wait_s"][i] = allreduce, wait
    f["ranks"][...] = ranks
PY
run 0 report --html unmeasured.html unmeasured
expect_status 0
expect_stdout '^ *rank +host .* all-reduce s +waiting s '
[ "$(awk '/^ *rank /{ on = 1; next } on && NF { print $7, $8 } on && !NF { exit }' stdout)" = "2.5000 -
2.0000 1.0000" ] || fail "no waiting, and all-reduce whole"
check html unmeasured.html "$(count 9)"
grep -q '<td>2.5000</td><td>-</td>' unmeasured.html || fail "the same on the page"
grep -q '<td>2.0000</td><td>1.0000</td>' unmeasured.html || fail "measured beside not measured"
run 0 report --html unmeasured.html unmeasured one
expect_status 0
check html unmeasured.html "$(count 13)"

# ---- of two runs without a test set the validation set is compared ----
for name in first second; do
    mkdir "$name"
    cp one/run.h5 "$name/run.h5"
    "$PYTHON" -c "import h5py; del h5py.File('$name/run.h5', 'a')['evaluation/test']"
done
auc=$("$PYTHON" -c "import h5py; print('%.4f' % h5py.File('one/run.h5')['evaluation/validation'].attrs['roc_auc'])")
run 0 report first second
expect_status 0
expect_stdout '^on the validation set +majority accuracy +log loss +calibration +ROC-AUC '
[ "$(awk '/^on the validation/{ on = 1; next } on && NF { print $1, $5 } on && !NF { exit }' stdout)" = "first $auc
second $auc" ] || fail "the validation set's ROC-AUC, $auc"

# ---- regression: one target, two of them, another loss ----
"$PYTHON" - <<'PY'
import numpy as np
g = np.random.default_rng(5)
x = g.standard_normal((900, 4)).astype("float32")
y = 5000 + 900 * x[:, 0] - 400 * np.abs(x[:, 1]) + 100 * g.standard_normal(900)
np.savez("values.npz", inputs=x, targets=y)
np.savez("heavy.npz", inputs=x, targets=y, w=(np.arange(900) % 5 / 4).astype("float32"))
np.savez("values2.npz", inputs=x, targets=np.stack([y, np.exp(x[:, 2])], axis=1))
PY
run 2 values.npz --hidden 16 --epochs 12 --batch 32 --learning-rate 0.01 --out value
expect_status 0
run 1 values.npz --hidden 4 --epochs 2 --loss mae --out short
expect_status 0
run 1 values2.npz --hidden 16 --epochs 6 --batch 32 --out values
expect_status 0
run 2 heavy.npz --weights w --hidden 16 --epochs 12 --batch 32 --learning-rate 0.01 --out heavy
expect_status 0

run 0 report --plots value
expect_status 0
expect_empty_stderr
expect_stdout '^task +regression, loss mse$'
expect_stdout '^ +4 inputs, 1 target, '
expect_stdout '^ +epoch +train loss +train RMSE +train MAE +val loss +val RMSE +val MAE$'
expect_stdout '^baseline RMSE( +[0-9.]+){3}  always the mean of the training rows$'
expect_stdout '^loss( +[0-9.]+){3}  squared standard deviations of the target$'
expect_stdout '^R2( +0\.[0-9]{4}){3}  1 is best$'
expect_stdout '^residual in RMSE +rows$'
expect_no_stdout 'accuracy|nats|AUC|pinball|^target'
[ "$plots" = no ] || expect_stdout 'RMSE, units of the target'
test_rows=$("$PYTHON" -c "import h5py; print(h5py.File('value/run.h5')['evaluation/test'].attrs['rows'])")
[ "$(awk '/^residual in/{ on = 1; next } on && !NF { exit } on { n += $NF } END { print n }' stdout)" = "$test_rows" ] ||
    fail "each row of the test set has its residual"
run 0 report heavy
expect_status 0
expect_stdout '^residual in RMSE +weight$'
"$PYTHON" - <<'PY' || fail "the residuals of the test set, by weight"
import h5py
bins = h5py.File("heavy/run.h5")["evaluation/test/residuals"][0].reshape(10, 4).sum(axis=1)
lines = [line.split() for line in open("stdout")]
start = [line[:2] for line in lines].index(["residual", "in"]) + 1
assert bins.sum() > 10 and [float(line[-1]) for line in lines[start:start + 10]] == bins.tolist(), (lines, bins)
PY
run 0 report values
expect_status 0
expect_stdout '^ +4 inputs, 2 targets, '
expect_stdout '^RMSE( +[0-9.]+){3}  standard deviations of the target$'
expect_stdout '^target, test set +RMSE +MAE +median AE +R2 +expl. variance +baseline RMSE$'
[ "$(grep -cE '^[01]( +-?[0-9.]+){6}$' stdout)" = 2 ] || fail "a row for each target"
expect_no_stdout '^baseline' # it is in other units than the RMSE

run 0 report short value # losses differ: by val_rmse
expect_status 0
expect_empty_stderr
order 'value short .*'
check table stdout test short value
run 0 report --sort val_mae short value
order 'value short .*'
run 0 report --sort val_r2 short value
order 'value short .*'
run 0 report --sort hidden value short
order 'short value .*'
run 0 report --sort val_rmse one
expect_status 2

# Runs of a task and of the same data stand together, classification first; a number that a task does not have is not there.
run 0 report value one values deep/two
expect_status 0
expect_empty_stderr
[ "$(grep -E '^(one|two|value|values) +ok ' stdout | cut -d ' ' -f 1 | sort | tr '\n' ' ')" = 'one two value values ' ] ||
    fail "one table of the course"
[ "$(grep '^what differs' stdout | grep -ow task | wc -l)" -eq 1 ] || fail "the task is shown once"
[ "$(grep -cE '^classification +train loss +val loss +test loss +train accuracy' stdout)" = 1 ] || fail "a table of classes"
# Two of values, because the data differ.
[ "$(grep -cE '^regression +train loss +val loss +test loss +train RMSE' stdout)" = 2 ] || fail "two tables of values"
[ "$(awk '/^regression/ { on = 1; next } !NF { on = 0 } on { print $1 }' stdout | sort | tr '\n' ' ')" = 'value values ' ] ||
    fail "the regression runs are in them"
run 0 report --html values.html --csv values.csv value one values deep/two
expect_status 0
check csv values.csv value one values deep/two
# 4 curves, 2 ROC, 2 precision and recall, 2 calibration; 4 curves, predictions, 2 of residuals; the same of two targets; 5 of times
check html values.html "$(count 32)"
run 0 report --html value.html value # 2 curves, predictions, 2 of residuals, times
check html value.html "$(count 6)"
! grep -Eq 'ROC|Confusion|accuracy' value.html || fail "a page without words about classes"
run 0 report --csv - value
head -n 1 stdout | grep -q 'val_rmse.*val_baseline_rmse' || fail "columns of the task"
expect_no_stdout 'accuracy|roc_auc'

# names of targets, from any file
"$PYTHON" - <<'PY'
import os, shutil
import h5py
os.makedirs("named")
shutil.copy("values/run.h5", "named/run.h5")
with h5py.File("named/run.h5", "a") as f:
    f["data"].create_dataset("target_names", data=["<b>rent", "price"], dtype="S40")
PY
run 0 report named --html named.html
expect_status 0
expect_stdout '^<b>rent( +-?[0-9.]+){6}$'
expect_stdout '^residual in RMSE +rows, target <b>rent +rows, target price$'
! grep -q '<b>rent' named.html || fail "a name is HTML"
[ "$plots" = no ] || grep -q '<figcaption>residuals, test set, target &#60;b&#62;rent</figcaption>' named.html || fail "a target's figure"

# long ones: cut between characters, and those that begin alike differ
"$PYTHON" - <<'PY'
import h5py
with h5py.File("named/run.h5", "a") as f:
    del f["data/target_names"]
    f["data"].create_dataset("target_names", dtype="S40", data=[
        ("temperature outside the house, " + c).encode() for c in ("\u00e9t\u00e9", "hiver")])
PY
run 0 report named
expect_status 0
expect_stdout 'rows, target temperature outside the house, été +rows, target temperature outside the house, hiver$'
"$PYTHON" - <<'PY'
import h5py
with h5py.File("named/run.h5", "a") as f:
    del f["data/target_names"]
    f["data"].create_dataset("target_names", dtype="S302", data=[("ab" + "\u00e9" * 150).encode(), b"price"])
PY
run 0 report --html named.html named
expect_status 0
"$PYTHON" - <<'PY' || fail "whole characters"
assert "\ufffd" not in open("stdout", encoding="utf-8").read() + open("named.html", encoding="utf-8").read()
PY

# under way; and a log that names no task has classes
"$PYTHON" - <<'PY'
import os, shutil
import h5py
os.makedirs("under-way")
shutil.copy("value/run.h5", "under-way/run.h5")
with h5py.File("under-way/run.h5", "a") as f:
    for name in ("evaluation", "summary", "ranks"):
        del f[name]
    f.attrs["status"] = "running"
os.makedirs("untold")
shutil.copy("one/run.h5", "untold/run.h5")
with h5py.File("untold/run.h5", "a") as f:
    del f["data"].attrs["task"]
PY
rmse=$("$PYTHON" -c "import h5py; e = h5py.File('value/run.h5')['epochs'][:]; print('%.6g' % e['val_rmse'][e['improved'] > 0][-1])")
run 0 report under-way value
expect_status 0
expect_stdout "^under-way +- +[0-9.]+ +- +- +$rmse +-\$"
run 0 report --html under-way.html under-way
expect_status 0
check html under-way.html "$(count 2)"
run 0 report --html untold.html untold
expect_status 0
expect_stdout '^task +classification, loss cross-entropy$'
expect_stdout '^true . predicted +0 +1$'

# what is drawn of the targets, by the scripts that gnuplot gets; nothing of shapes that do not fit
mkdir tools scripts
cat >tools/gnuplot <<'EOF'
#!/bin/sh
cat >"$SCRIPTS/$(ls "$SCRIPTS" | wc -l | awk '{ printf "%03d", $1 }')"
echo '<svg><text> -1500000.5</text><text>2015</text><text>10115 </text></svg>'
EOF
chmod +x tools/gnuplot
for name in value values heavy; do
    rm -rf scripts && mkdir scripts
    SCRIPTS=$PWD/scripts PATH=$PWD/tools:$PATH "$DTRAIN" report --html drawn.html "$name" >stdout 2>stderr || fail "a page"
    check plots scripts test "$name"
done
grep -qF '<text> -1 500 000.5</text><text>2015</text><text>10115 </text>' drawn.html || fail "thousands of a tick are separated"
# and of two classes, with and without a threshold
rm -rf scripts && mkdir scripts
SCRIPTS=$PWD/scripts PATH=$PWD/tools:$PATH "$DTRAIN" report --html drawn.html --sort name one at >stdout 2>stderr ||
    fail "a page"
check class-plots scripts at one
rm -r tools
cp -R values odd
"$PYTHON" - <<'PY'
import h5py
import numpy as np
with h5py.File("odd/run.h5", "a") as f:
    for name, of in f["evaluation"].items():
        targets = of["targets"][:]
        targets["residual_limit"], targets["high"] = [0, np.inf], targets["low"]
        of["targets"][...] = targets
    del f["evaluation/validation/joint"], f["evaluation/test/residuals"], f["evaluation/validation/targets"]
    f["evaluation/validation/joint"] = np.ones((2, 3, 4), dtype="i8")
    f["evaluation/test/residuals"] = np.ones((1, 7), dtype="i8")
PY
run 0 report --html odd.html odd values
expect_status 0
expect_empty_stderr
run 0 report --html odd.html odd
expect_status 0
check html odd.html "$(count 3)" # curves and times

# ---- gnuplot: drawn as text when asked, missing, failing, or something else altogether ----
run 0 report --plots one deep/two
expect_status 0
[ "$plots" = no ] || expect_stdout '^  [*] (one|two)$'
[ "$plots" = no ] || expect_stdout 'validation loss, nats per row'

mkdir tools
with_tools() { PATH=$PWD/tools "$@"; } # the program is named by its path
for kind in missing fails silent closes words; do
    case $kind in
    missing) rm -f tools/gnuplot ;;
    fails) printf '#!/bin/sh\necho "so it is" >&2\nexit 3\n' >tools/gnuplot ;;
    silent) printf '#!/bin/sh\nwhile read -r line; do :; done\nexit 0\n' >tools/gnuplot ;;
    closes) printf '#!/bin/sh\nexec <&-\nexit 0\n' >tools/gnuplot ;;
    words) printf '#!/bin/sh\nwhile read -r line; do :; done\necho "<b>as it likes"\n' >tools/gnuplot ;;
    esac
    [ ! -f tools/gnuplot ] || chmod +x tools/gnuplot
    status=0
    with_tools "$DTRAIN" report --plots --html "$kind.html" one deep/two >stdout 2>stderr || status=$?
    harness_command="report without plots: gnuplot $kind"
    expect_status 0
    [ $kind = words ] || expect_stdout '^no plots: gnuplot.*gnuplot-nox'
    expect_one_stderr_line 'gnuplot-nox'
    check html "$kind.html" 0
    grep -q 'gnuplot-nox' "$kind.html" || fail "the page says what to install"
    case $kind in
    missing) expect_stderr 'not found' ;;
    fails) expect_stderr 'gnuplot failed: so it is' ;;
    words) expect_stderr 'printed no SVG' ;;
    *) expect_stderr 'printed nothing' ;;
    esac
done

# ---- what it refuses: one line, naming it, and nothing written ----
# refused STATUS TEXT ARGS...
refused() {
    want=$1 text=$2
    shift 2
    run 0 report "$@"
    expect_status "$want"
    expect_one_stderr_line "$text"
    [ ! -s stdout ] || fail "nothing on stdout"
}
refused 2 'dtrain report requires a RUN'
refused 2 'RUN is an empty word' ''
refused 2 '--csv' --csv '' one
refused 2 'name the same file' --csv x --html x one
refused 2 'html ./x and --csv x name the same file' --html ./x --csv x one
mkdir sub
ln -s sub linked
refused 2 'name the same file' --html sub/x --csv linked/x one
refused 2 'name the same file' --html "$PWD/x" --csv sub/../x one
expect_no_file x
expect_no_file sub/x
touch there
ln -s there link
refused 2 'name the same file' --html link --csv there one
refused 2 'html - : expected a file' --html - one
cp one/model.h5 kept-model.h5
cp one/run.h5 kept-run.h5
ln -s one/model.h5 to-model
refused 2 'html one/run.h5: is one of the runs' --html one/run.h5 one
refused 2 'is one of the runs' --csv one/../one/run.h5 deep/two one
refused 2 'html one/model.h5: is the model of one of the runs' --html one/model.h5 one
refused 2 'is the model of one of the runs' --csv to-model deep/two/run.h5 one/run.h5
expect_same_file one/model.h5 kept-model.h5
expect_same_file one/run.h5 kept-run.h5
refused 2 'is the model of one of the runs' --csv running/model.h5 running # it comes yet
expect_no_file running/model.h5
(cd one && refused 2 'is the model of one of the runs' --csv model.h5 .) || exit 1
expect_same_file one/model.h5 kept-model.h5
run 0 report --html sub/x --csv x one # other folders, other files
expect_status 0
check html sub/x "$(count 9)"
check csv x one
refused 2 '--plots' --csv - --plots one
refused 2 'unknown option' --hmtl x one
refused 3 'no-such-run' one no-such-run
refused 3 'is a model' one/model.h5
mkdir empty
refused 3 'empty: no run in this folder or below it' --html refused.html one empty
expect_no_file refused.html
head -c 3000 one/run.h5 >cut.h5
refused 3 'cut.h5' one cut.h5
echo 'no HDF5' >text.h5
refused 3 'text.h5' text.h5
"$PYTHON" - <<'PY'
import shutil
import h5py
h5py.File("foreign.h5", "w").create_dataset("x", data=[1])
shutil.copy("one/run.h5", "old.h5")
h5py.File("old.h5", "a").attrs["format_version"] = 1
PY
refused 3 'foreign.h5: is an HDF5 file, but not the log of a run' foreign.h5
refused 3 'old.h5: its format version is 1' one old.h5
refused 4 'no/such/folder' --html no/such/folder/x.html one

run 0 report --help
expect_status 0
expect_stdout '^ +--html FILE'
