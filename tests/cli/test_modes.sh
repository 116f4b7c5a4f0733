#!/bin/sh
# New files follow the umask, a file that is replaced keeps its owner and mode, and in a folder that others
# may write to their links are not followed.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("some", rows=(200, 50, 50), columns=4)'

# expect_form FILE FORM: as stat has it, "MODE" or "MODE UID".
expect_form() {
    form='%a'
    case $2 in *" "*) form='%a %u' ;; esac
    [ "$(stat -c "$form" "$1")" = "$2" ] || fail "$1 is $2, found $(stat -c "$form" "$1")"
}
predict() { run 0 predict run/model.h5 some --quiet --out "$@"; }

umask 027
run 0 --quiet --out run --epochs 1 some
expect_status 0
for file in run/model.h5 run/run.h5; do expect_form $file 640; done
for out in new.csv new.npz; do
    predict $out
    expect_status 0
    expect_form $out 640
done
run 0 export run/model.h5 --to new.onnx
expect_status 0
expect_form new.onnx 640

# ---- replaced ----
umask 022
for out in new.csv new.npz; do
    for mode in 600 664 444; do
        chmod $mode $out
        predict $out
        expect_status 0
        expect_empty_stderr
        expect_form $out $mode
    done
done
chmod 600 run/model.h5 run/run.h5
run 0 --quiet --out run --force --epochs 1 --csv-log run/epochs.csv some
expect_status 0
for file in run/model.h5 run/run.h5; do expect_form $file 600; done
expect_form run/epochs.csv 644

# ---- links of one's own ----
mkdir -m 1777 open
: >mine.csv
ln -s ../mine.csv open/mine.csv
predict open/mine.csv
expect_status 0
[ -h open/mine.csv ] && [ -s mine.csv ] || fail "an own link is followed"

[ "$(id -u)" -eq 0 ] || skip "other users' files need root; the rest passed"
nobody=65534
# ---- another owner ----
chown $nobody new.csv
chmod 640 new.csv
predict new.csv
expect_status 0
expect_form new.csv "640 $nobody"

# ---- links of others ----
echo precious >precious.csv
ln -s "$PWD/precious.csv" open/theirs.csv
ln -s theirs.csv open/chain.csv # an own link to another's
chown -h $nobody open/theirs.csv
mkdir precious
ln -s "$PWD/precious" open/theirs
chown -h $nobody open/theirs
for name in theirs chain; do
    predict open/$name.csv
    expect_status 4
    expect_one_stderr_line "dtrain: error: open/$name.csv: cannot write: open/theirs.csv is a link of user $nobody in a folder that others may write to"
done
run 0 --quiet --out run --force --epochs 1 --csv-log open/theirs.csv some
expect_status 4
expect_one_stderr_line "open/theirs.csv: cannot write: open/theirs.csv is a link of user $nobody"
for folder in open/theirs open/theirs/; do
    run 0 --quiet --out $folder --epochs 1 some
    expect_status 4
    expect_one_stderr_line "$folder: cannot write: open/theirs is a link of user $nobody"
done
[ "$(cat precious.csv)" = precious ] || fail "the file behind the link is as it was"
[ -z "$(ls precious)" ] || fail "nothing is in the folder behind the link"
# The folder's owner may lead whoever writes to it, and so may anybody where only few may write.
chown $nobody open
predict open/theirs.csv
expect_status 0
grep -q precious precious.csv && fail "the link of the folder's owner is followed"
mkdir closed
mv open/theirs.csv closed/
predict closed/theirs.csv
expect_status 0

# ---- who may not give files away says so ----
command -v setpriv >/dev/null || skip "setpriv is not there; the rest passed"
chmod 755 . open
cp "$DTRAIN" own-dtrain 2>/dev/null && chmod 755 own-dtrain
chmod -R a+rX run some*
mkdir -m 777 shared
echo old >shared/p.csv
chmod 660 shared/p.csv
status=0
setpriv --reuid $nobody --regid $nobody --clear-groups "$PWD/own-dtrain" predict run/model.h5 some --quiet \
    --out shared/p.csv </dev/null >stdout 2>stderr || status=$?
own_words
expect_status 0
expect_one_stderr_line "dtrain: warning: shared/p.csv: belonged to user 0, group 0; this process cannot keep the owner: now user $nobody, group $nobody, mode 600"
expect_form shared/p.csv "600 $nobody"
