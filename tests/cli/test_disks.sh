#!/bin/sh
# Disks that fill up, go away or turn read-only while a run is under way: training goes on, says so once,
# and what could not be written in the end is exit status 4; what has been written stays whole.
# long: waits for checkpoints that are written every half second
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("some", rows=(6000, 150, 150), columns=20)'

mounted=""
pid=""
leave() {
    [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || :
    for folder in $mounted; do
        umount "$folder" || :
    done
    harness_leave
}
trap leave EXIT

# begin FOLDER ARGUMENTS...: a run in the background that ends when it is sent SIGTERM.
begin() {
    begin_folder=$1
    shift
    harness_command="in the background: dtrain --out $begin_folder $* some"
    "$DTRAIN" --quiet --out "$begin_folder" --epochs 100000000 --patience 100000000 --batch 10 "$@" some \
        >stdout 2>stderr </dev/null &
    pid=$!
}

finish() {
    kill -TERM "$pid"
    status=0
    wait "$pid" || status=$?
    pid=""
}

# goes_on FOLDER: from the checkpoint there, by 2 more epochs.
goes_on() {
    epochs=$("$PYTHON" -c 'import h5py, sys; print(int(h5py.File(sys.argv[1])["state"]["epoch"][0]) + 2)' "$1/checkpoint.h5")
    run 2 --quiet --resume "$1" --force --epochs "$epochs" --checkpoint-every never
    expect_status 0
    expect_file "$1/model.h5"
}

# ---- the folder vanishes: it is made anew ----
begin gone --checkpoint-every 0.5s
until_it "gone/checkpoint.h5 is there" test -e gone/checkpoint.h5
rm -rf gone
until_it "gone/checkpoint.h5 is there" test -e gone/checkpoint.h5
until_it "gone/run.h5 is there" test -e gone/run.h5
finish
expect_status 75
goes_on gone

if [ "$(id -u)" -ne 0 ] || ! { mkdir disk && mount -t tmpfs -o size=4096k none disk; }; then
    skip "full and read-only disks need root and mount; the rest passed"
fi
mounted=disk

# ---- full for a while ----
begin disk/run --checkpoint-every 0.5s
until_it "disk/run/checkpoint.h5 is there" test -e disk/run/checkpoint.h5
dd if=/dev/zero of=disk/ballast bs=1k 2>/dev/null || : # until it is full
until_it "the run reports the full disk" grep -q "No space left on device; training continues, and the" stderr
"$PYTHON" -c 'import h5py; h5py.File("disk/run/run.h5"); assert len(h5py.File("disk/run/checkpoint.h5")["state"]) == 1' ||
    fail "log and checkpoint from before the disk was full are whole"
touch "$PWD/mark"
rm disk/ballast
newer() { [ disk/run/checkpoint.h5 -nt mark ]; }
until_it "a checkpoint is written anew" newer
finish
expect_status 75
expect_no_stderr 'error'
goes_on disk/run

# ---- full to the end: failed writes are reported, and the last checkpoint is whole ----
rm -rf disk/*
begin disk/run --checkpoint-every 0.5s
until_it "disk/run/checkpoint.h5 is there" test -e disk/run/checkpoint.h5
dd if=/dev/zero of=disk/ballast bs=1k 2>/dev/null || :
until_it "the run reports the full disk" grep -q "checkpoint.h5: cannot write: No space left on device; training continues" stderr
finish
expect_status 4
expect_stderr '^dtrain: error: disk/run/checkpoint.h5: cannot write: No space left on device$'
rm disk/ballast
left=$(find disk -name '*.tmp')
[ -z "$left" ] || fail "no temporary file is left, found $left"
goes_on disk/run

# ---- read-only ----
rm -rf disk/*
begin disk/run --checkpoint-every 0.5s
until_it "disk/run/checkpoint.h5 is there" test -e disk/run/checkpoint.h5
until_it "the disk is read-only" mount -o remount,ro disk 2>/dev/null
until_it "the run reports the read-only disk" grep -q "Read-only file system; training continues" stderr
finish
expect_status 4
expect_stderr '^dtrain: error: disk/run/checkpoint.h5: .*Read-only file system$'
mount -o remount,rw disk
goes_on disk/run

# ---- a run that ends on a full disk: its numbers are shown ----
rm -rf disk/*
dd if=/dev/zero of=ballast bs=1k count=4096 2>/dev/null
"$DTRAIN" --quiet --out disk/run --epochs 40 --patience 1000 --batch 10 --hidden 200 some >stdout 2>stderr </dev/null &
pid=$!
until_it "disk/run/run.h5 is there" test -e disk/run/run.h5
cp ballast disk/ 2>/dev/null || :
status=0
wait "$pid" || status=$?
pid=""
expect_status 4
expect_stdout '^summary\.test_accuracy=0\.'
expect_no_stdout '^summary\.status=ok'
expect_stderr '^dtrain: error: disk/run/model.h5: cannot write: No space left on device$'
expect_no_file disk/run/model.h5
