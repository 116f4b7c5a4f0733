#!/bin/sh
# kill.sh [COUNT [DTRAIN [SEED]]]    kills COUNT (200) training runs with SIGKILL, each at a random moment, a
#                             random rank or all of them, on 1 to 8 ranks; resumes each on another number of
#                             ranks; and compares the result with a run that nobody killed.
#
# The runs take turns at six networks: the tutorial's; dropout and batch normalization; row and class
# weights with averaged weights; regression; embedded categories and members on arrays; a table by
# --preset tabular.
#
# Each time: the job ends by itself within 10 s of the kill, no process is left, whatever is there of
# run.h5 and checkpoint.h5 can be read, and the run that goes on ends with the same weights, epochs and
# evaluation, to the bit. A run that was killed before its first checkpoint begins anew. Prints a line a
# kill, and in the end what results/RELIABILITY.md has. Needs python3 with numpy and h5py. 200 take about
# half an hour on two cores.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
count=${1:-200}
DTRAIN=${2:-$here/../../build/dtrain}
seed=${3:-1}
DTRAIN=$(cd "$(dirname "$DTRAIN")" && pwd)/$(basename "$DTRAIN")
export DTRAIN
[ -x "$DTRAIN" ] || { echo "$DTRAIN is not there" >&2; exit 2; }
for PYTHON in python3 /usr/bin/python3; do
    "$PYTHON" -c 'import numpy, h5py' 2>/dev/null && break
done

export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
export HWLOC_COMPONENTS=-gl PYTHONPATH="$here/../cli" PYTHONDONTWRITEBYTECODE=1
work=$(mktemp -d "${TMPDIR:-/tmp}/dtrain-kill.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work"
"$PYTHON" - <<'PY'
import numpy as np
from make_data import save, save_parts
parts = dict(rows=(4000, 500, 500), columns=50)
save_parts("some", **parts)
for part in ("train", "validation", "test"):
    with np.load(f"some-{part}.npz") as some:
        x, y = some["inputs"], some["targets"]
    save(f"weighted-{part}.npz", inputs=x, targets=y, weights=np.abs(x[:, 0]) + 0.5)
    save(f"values-{part}.npz", inputs=x, targets=np.stack([x[:, 1] * x[:, 2] + y, x[:, 3]], 1))
    if part == "train":
        with open("table.csv", "w", encoding="utf-8") as table:
            table.write("a,b,c,kind,day,label\n")
            for r, label in zip(x, y):
                table.write(f"{r[0]},{r[1]},{r[2]},k{int(r[3] * 3) % 9},2024-01-{int(abs(r[4]) * 9) % 28 + 1:02},{label}\n")
PY
"$DTRAIN" prepare table.csv --target label --preset tabular --out table --quiet >prepared.txt
often="--quiet --patience 1000 --checkpoint-every 0.1s"
# of KIND: the data and network, for a training of one or two seconds.
options_of() {
    case $1 in
    tutorial) echo "$often --epochs 300 --batch 40 some" ;;
    dropout) echo "$often --epochs 90 --batch 40 --hidden 32,32 --dropout 0.2 --norm batch --noise 0.01 some" ;;
    weights) echo "$often --epochs 250 --batch 40 --weights weights --class-weight balanced --ema 0.99 --optimizer adamw weighted" ;;
    values) echo "$often --epochs 200 --batch 40 --loss huber --schedule cosine --warmup 2 --residual --hidden 24,24 values" ;;
    members) echo "$often --epochs 30 --batch 40 --preset tabular --members 4 --hidden 16,16 --category-embedding 4 --bins 8 table" ;;
    table) echo "$often --epochs 30 --batch 40 --target label --preset tabular --members 2 --hidden 16 --bins 8 table.csv" ;;
    esac
}
kinds="tutorial dropout weights values members table"
cat >with-pid <<'SH'
#!/bin/sh
echo $$ >"pid.${OMPI_COMM_WORLD_RANK:-0}"
exec "$DTRAIN" "$@"
SH
chmod +x with-pid

fail() {
    echo "kill.sh: kill $kill ($kind, $how, $ranks ranks, after $pause s): $1" >&2
    cp -r "$work" "$work.kept"
    echo "kept: $work.kept" >&2
    exit 1
}

# draw KILL: ranks, ranks to go on with, hundredths of a second, and who (below `ranks`: that one).
draw() {
    "$PYTHON" -c 'import random, sys
r = random.Random(int(sys.argv[1]) * 1000003 + int(sys.argv[2]))
ranks = r.randint(1, 8)
again = r.choice([n for n in range(1, 9) if n != ranks])
print(ranks, again, f"{r.uniform(0.3, 2.5):.2f}", r.randrange(2 * ranks))' "$seed" "$1"
}

alive() {
    for file in pid.*; do
        if [ -s "$file" ] && kill -0 "$(cat "$file")" 2>/dev/null; then
            return 0
        fi
    done
    return 1
}

for kind in $kinds; do
    began=$(date +%s%N)
    # shellcheck disable=SC2046
    timeout 120 mpirun -q -np 1 "$DTRAIN" --out "whole-$kind" $(options_of "$kind") >whole.txt
    echo "$kind: $(sed -n 's/^summary.epochs=//p' whole.txt) epochs in $((($(date +%s%N) - began) / 1000000)) ms, weights $(sed -n 's/^summary.weights_crc=//p' whole.txt)"
done

same=0 launchers=0 logs=0 anew=0 ended=0 stopped_middle=0 worst=0
kill=0
while [ "$same" -lt "$count" ]; do
    kill=$((kill + 1))
    rm -rf run pid.*
    # shellcheck disable=SC2086
    set -- $kinds
    shift $((kill % $#))
    kind=$1 options=$(options_of "$1")
    # shellcheck disable=SC2046
    set -- $(draw "$kill") # at times before MPI is up, or past the end
    ranks=$1 again=$2 pause=$3 victim=$4
    how="rank $victim"
    [ "$victim" -lt "$ranks" ] || how="all ranks"
    # shellcheck disable=SC2086
    timeout 120 mpirun -q -np "$ranks" ./with-pid --out run $options >out 2>err </dev/null &
    job=$!
    sleep "$pause"
    began=$(date +%s%N)
    for file in pid.*; do
        [ "$how" = "all ranks" ] || [ "$file" = "pid.$victim" ] || continue
        [ ! -s "$file" ] || kill -KILL "$(cat "$file")" 2>/dev/null || :
    done
    # Open MPI's mpirun may wait for ever if ranks are killed while they connect to it.
    waited=0 forced=0
    while [ "$waited" -lt 100 ] && kill -0 "$job" 2>/dev/null; do
        sleep 0.1
        waited=$((waited + 1))
    done
    if [ "$waited" -eq 100 ] && ! alive; then
        kill -KILL -- "-$job"
        forced=1 launchers=$((launchers + 1))
    fi
    status=0
    wait "$job" || status=$?
    took=$((($(date +%s%N) - began) / 1000000))
    [ "$status" -ne 124 ] || fail "the job hangs"
    waited=0
    while alive; do
        [ "$waited" -lt 50 ] || fail "a process is left"
        sleep 0.1
        waited=$((waited + 1))
    done
    if [ "$status" -ne 0 ] && [ "$forced" -eq 0 ]; then
        [ "$took" -le 10000 ] || fail "the job took $took ms to end"
        [ "$took" -le "$worst" ] || worst=$took
    fi
    state=$("$PYTHON" - <<'PY'
import os, h5py
epochs = 0
if os.path.exists("run/run.h5"):
    with h5py.File("run/run.h5", "r") as run:
        status = run.attrs["status"]
        assert status in ("running", "ok"), status
        rows = int(run["data"].attrs["train_rows"])
        epochs = len(run["epochs"][:])
if os.path.exists("run/checkpoint.h5"):
    with h5py.File("run/checkpoint.h5", "r") as checkpoint:
        state = checkpoint["state"][0]
        names = []
        checkpoint.visit(names.append)
        for name in names:
            if isinstance(checkpoint[name], h5py.Dataset):
                checkpoint[name][()]
        print("middle" if state["rows"] % rows else "between")
elif os.path.exists("run/run.h5") and status == "ok":
    print("ended")
else:
    print("early")
PY
    ) || fail "the log or the checkpoint cannot be read"
    case $state in
    ended) # too late to kill anything
        ended=$((ended + 1))
        continue
        ;;
    early)
        anew=$((anew + 1))
        # shellcheck disable=SC2086
        timeout 120 mpirun -q -np "$again" "$DTRAIN" --out run $options >out 2>err || fail "anew: $(cat err)"
        ;;
    *)
        [ "$state" = between ] || stopped_middle=$((stopped_middle + 1))
        timeout 120 mpirun -q -np "$again" "$DTRAIN" --resume run --quiet >out 2>err || fail "resume: $(cat err)"
        ;;
    esac
    "$PYTHON" "$here/../cli/compare_runs.py" "whole-$kind" run >wrong 2>&1 || fail "other results: $(cat wrong)"
    [ ! -e run/checkpoint.h5 ] || fail "a checkpoint is left of a run that ended"
    [ -z "$(find run -name '*.tmp')" ] || fail "half a file is left"
    same=$((same + 1)) logs=$((logs + 1))
    echo "kill $kill: $kind, $how of $ranks after $pause s: $state, exit $status, gone after $took ms; on $again ranks: the same"
done
echo
echo "$count kills: $same times the same weights, epochs and evaluation; $logs readable logs"
echo "$((count - anew)) went on from a checkpoint ($stopped_middle of them in the middle of an epoch), $anew began anew"
echo "$ended runs had ended before the kill, and do not count"
echo "$launchers times no rank was left, but mpirun waited for ever"
echo "longest time from the kill to the end of the job: $worst ms"
