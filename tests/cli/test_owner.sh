#!/bin/sh
# A folder of results belongs to one run at a time: of two that start at once one is refused, one that is
# killed is followed, and one that loses its folder stops.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("some", rows=(400, 50, 50), columns=8)'

live=""
end_live() {
    [ -z "$live" ] || kill -KILL "$live" 2>/dev/null || :
    [ -z "$live" ] || wait "$live" 2>/dev/null || :
    live=""
}
trap 'end_live; harness_leave' EXIT

# start OPTIONS...: a run in the folder `run` that would take for ever, until it has a checkpoint.
start() {
    "$DTRAIN" --quiet --out run --epochs 100000000 --patience 100000000 --checkpoint-every 0.2s "$@" some \
        </dev/null >live.out 2>live.err &
    live=$!
    until_it "run/checkpoint.h5 is there" test -e run/checkpoint.h5
}

# ---- joint starts ----
for pair in 1 2 3 4 5 6; do
    for seed in 1 2; do
        (
            got=0
            "$DTRAIN" --quiet --out "joint-$pair" --epochs 20 --seed "$seed" --hidden "3$seed" some \
                >"out.$seed" 2>"err.$seed" </dev/null || got=$?
            echo "$got" >"status.$seed"
        ) &
    done
    wait
    case $(cat status.1 status.2 | tr '\n' ' ') in
    "0 2 " | "2 0 ")
        cat err.1 err.2 >stderr
        expect_one_stderr_line "dtrain: error: joint-$pair"
        expect_stderr ': (pid .*\) is writing here; wait until it ends, or end it, or use another --out|an earlier run ended here; .*)$'
        ;;
    *) fail "one of the two ends well, and the other is refused: $(cat status.* err.*)" ;;
    esac
    "$PYTHON" - "joint-$pair" <<'PY' || fail "run.h5 and model.h5 are of the same run"
import sys
import h5py
run = h5py.File(sys.argv[1] + "/run.h5")
hidden = int(run["config"].attrs["hidden"])
assert run.attrs["status"] == "ok"
model = h5py.File(sys.argv[1] + "/model.h5")
shapes = []
model.visititems(lambda name, item: shapes.append(item.shape) if isinstance(item, h5py.Dataset) else None)
assert (8, hidden) in shapes, (hidden, shapes)
PY
    expect_no_file "joint-$pair/owner"
    [ -z "$(find "joint-$pair" -name '*.tmp' -o -name 'owner*')" ] || fail "nothing is left beside the results"
done

# ---- a resumed run ----
start
expect_file run/owner
for words in "--out run some" "--out run --force some" "--resume run" "--resume run --out copy"; do
    # shellcheck disable=SC2086
    run 3 $words
    expect_status 2
    expect_one_stderr_line "dtrain: error: run: pid $live on "
done
expect_stderr '\) is writing here; wait until it ends, or end it$'
expect_no_file copy
"$DTRAIN" report run >stdout 2>stderr || fail "a report can be made of it meanwhile"
# ---- it is killed, and followed on another number of ranks ----
end_live
: >run/run.h5.99999.tmp # of nobody that is known to have died
run 3 --resume run --epochs 1 --force
expect_status 0
expect_stderr '^dtrain: warning: run: took it over from pid [0-9]+ on .*\), which has died$'
expect_no_file run/owner
expect_file run/run.h5.99999.tmp
rm -rf run

# ---- on another host, to the file system's clock ----
start
sed -e 's/^host .*/host elsewhere/' -e 's/^boot .*/boot elsewhere/' run/owner >owner
end_live
cp owner run/owner
run 1 --resume run
expect_status 2
expect_one_stderr_line " on elsewhere (since "
expect_stderr ' wrote here [0-9] s ago; end it; if it is dead, remove run/owner, or try again in [0-9]* s$'
touch -d '11 minutes ago' run/owner
run 2 --resume run --epochs 1 --force
expect_status 0
expect_stderr '^dtrain: warning: run: took it over from pid .*, which has not responded for 6[0-9][0-9] s$'
rm -rf run

# ---- a run that loses its folder (it slept too long) stops, and writes nothing more there ----
start
cp owner run/owner
before=$(cat run/owner)
status=0
wait "$live" || status=$?
live=""
cp live.err stderr
expect_status 4
expect_stderr '^dtrain: error: run: another run took it over; this one stops$'
[ "$(cat run/owner)" = "$before" ] || fail "the other's file stays"
expect_file run/checkpoint.h5
rm -rf run

# ---- its own end, whichever: the file goes ----
start
kill -TERM "$live"
status=0
wait "$live" || status=$?
live=""
expect_status 75
expect_no_file run/owner
run 2 --resume run --hidden 3 # refused, after the folder was taken
expect_status 2
expect_no_file run/owner
