#!/bin/sh
# train --progress on a terminal: a line that changes, when an epoch takes a second or so.
# long: epochs of seconds, six times three
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
: "${DTRAIN_FAULTS:=$(dirname "$DTRAIN")/tests/dtrain-faults}"
[ -x "$DTRAIN_FAULTS" ] || skip "dtrain-faults is not built"
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts
save_parts("many", rows=(700, 100, 100), classes=3)'

command -v script >/dev/null || skip "needs script(1)"
# on_terminal COMMAND: runs it on its own terminal, whose output is in ./shown.
on_terminal() {
    harness_command="on a terminal: $1"
    status=0
    timeout -k 5 "$RUN_TIMEOUT" script -qec "$1" /dev/null </dev/null >shown 2>stderr || status=$?
    cp shown stdout
}
on_terminal "true"
[ "$status" -eq 0 ] || skip "another script(1), or no terminals here"
# However fast the machine is, an epoch takes 1.4 s.
DTRAIN=$DTRAIN_FAULTS
export DTRAIN_FAULT=slow:0:1+
words='train --epochs 3 --batch 1 --force --out shown-run many'
cat >live.py <<'PY'
import re
import sys
text = open("shown", newline="").read()
steps = [(int(e), int(s)) for e, s in re.findall(r"\r\x1b\[Kepoch +(\d+)/3  step (\d+)/700  loss ", text)]
if sys.argv[1] == "silent":
    assert not steps and "\x1b" not in text, text[:2000]
    sys.exit()
assert len(steps) >= 2 and steps == sorted(set(steps)), steps
# What a terminal has in the end: no live line is left, and none has run into another.
screen = []
for line in text.replace("\r\n", "\n").split("\n"):
    shown = re.split(r"\r\x1b\[K", line)[-1]
    assert "\x1b" not in shown and "\r" not in shown, repr(shown)
    screen.append(shown)
assert not any("step" in line for line in screen), screen
assert sum(bool(re.match(r"epoch [123]/3  loss \d", line)) for line in screen) == 3, screen
widest = max(len(part) for part in re.split(r"\r\x1b\[K|\n", text) if "step" in part)
assert widest <= 79, widest
PY
on_terminal "'$DTRAIN' $words --progress"
expect_status 0
"$PYTHON" live.py live 2>wrong || fail "a live line: $(cat wrong)"
if has_open_mpi "mpiexec of MPICH does not give its ranks a terminal"; then
    on_terminal "mpirun -q -np 2 '$DTRAIN' $words --progress"
    expect_status 0
    "$PYTHON" live.py live 2>wrong || fail "a live line of two ranks: $(cat wrong)"
fi
on_terminal "'$DTRAIN' $words"
expect_status 0
"$PYTHON" live.py silent 2>wrong || fail "no live line without --progress: $(cat wrong)"
on_terminal "'$DTRAIN' $words --progress --quiet"
expect_status 0
"$PYTHON" live.py silent 2>wrong || fail "no live line with --quiet: $(cat wrong)"
# mpirun gives its ranks a terminal, also where its own output goes elsewhere.
on_terminal "mpirun -q -np 2 '$DTRAIN' $words --progress | cat"
expect_status 0
"$PYTHON" live.py silent 2>wrong || fail "no live line behind a pipe: $(cat wrong)"
on_terminal "mpirun -q -np 2 '$DTRAIN' $words --progress >in-file"
expect_status 0
cp in-file shown
"$PYTHON" live.py silent 2>wrong || fail "no live line in a file: $(cat wrong)"
