#!/bin/sh
# Results that cannot be written (4) and memory that is not there (6): one line, on all numbers of
# ranks, and nothing half-written.
# ulimit -v is not in POSIX, but in dash and bash.
# shellcheck disable=SC3045
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("some", columns=20)'

mounted=""
unmount_all() {
    for folder in $mounted; do
        umount "$folder" || :
    done
    harness_leave
}
trap unmount_all EXIT

# ends STATUS TEXT RANKS ARGUMENTS...
ends() {
    ends_status=$1
    ends_text=$2
    shift 2
    run "$@"
    expect_status "$ends_status"
    expect_one_stderr_line "$ends_text"
    expect_stderr '^dtrain: error: '
    expect_no_stdout '^summary\.status=ok'
}

# ---- unwritable ----
: >file
for ranks in 0 3; do
    ends 4 "'file' is a file" "$ranks" --out file --epochs 1 some
    ends 4 "'file' is a file" "$ranks" --out file/below --epochs 1 some
done
mkdir -p blocked/run.h5
ends 4 "blocked/run.h5: " 3 --out blocked --epochs 1 some
mkdir -p late/model.h5
for ranks in 0 3; do
    ends 4 "late/model.h5: " "$ranks" --out late --epochs 1 some
    # The run's numbers are shown, but not logged: they are of a model that is not there.
    expect_stdout '^summary\.test_accuracy=0\.'
    expect_stdout '^summary\.weights_crc='
    "$PYTHON" - <<'PY' || fail "the log says failed, and has the epochs alone"
import h5py
run = h5py.File("late/run.h5", "r")
assert run.attrs["status"] == "failed" and len(run["epochs"]) == 1
assert not {"evaluation", "summary", "ranks"} & set(run), set(run)
PY
done
# Neither saved nor evaluated: what went wrong first is told.
"$PYTHON" - <<'PY'
from make_data import learnable, save, save_parts
save_parts("far")
x, y = learnable(20, seed=3)
x[:2], y[:2] = 3e38, (0, 1)  # beyond float32 in the network
save("far-test.npz", inputs=x, targets=y)
PY
for ranks in 0 3; do
    ends 4 "late/model.h5: " "$ranks" --out late --epochs 1 far
    expect_no_stdout '^(summary\.|model +saved)'
done
mkdir there
(
    cd there
    : >results
)
# Without --out the results go to ./results, here a file.
cp some-*.npz there
cd there
ends 4 "'results' is a file" 0 --epochs 1 some
ends 4 "'results' is a file" 0 --epochs 1
cd ..
if [ "$(id -u)" -ne 0 ]; then
    mkdir read-only
    chmod a-w read-only
    ends 4 "read-only/results: cannot make the folder: Permission denied" 0 --out read-only/results some
    ends 4 "read-only/run.h5: cannot create: Permission denied" 3 --out read-only some
fi

is_long || exit 0

# ---- memory ----
# The address sanitizer reserves terabytes, and cannot start under a limit.
if ! (ulimit -v 3000000 && "$DTRAIN" --version >/dev/null 2>&1); then
    echo "no memory: left out, this build does not start under a limit"
else
    # More than the limit in one piece, in more than one, and beyond 64 bits. The limit keeps a machine
    # that promises more memory than it has from being used up.
    (
        ulimit -v 3000000
        for ranks in 0 3; do
            ends 6 "no memory for" "$ranks" --out huge --hidden 1000000000 some
            ends 6 "no memory for" "$ranks" --out huge --hidden 10000000,1000000000 some
            ends 6 "no memory for" "$ranks" --out huge --hidden 30,8000000 some
            ends 6 "is too large; use fewer units" "$ranks" --out huge --hidden 1073741824,1073741824,1073741824,1073741824 some
        done
    )
    # Memory that fails on one rank alone; the others must not wait for it.
    cat >tight <<'SH'
#!/bin/sh
[ "$OMPI_COMM_WORLD_RANK" -ne "$TIGHT_RANK" ] || ulimit -v 500000
exec "$REAL_DTRAIN" "$@"
SH
    chmod +x tight
    export REAL_DTRAIN="$DTRAIN" TIGHT_RANK=1
    DTRAIN=$PWD/tight
    for TIGHT_RANK in 0 1 2; do
        ends 6 "no memory for" 3 --out huge --epochs 1 --hidden 100000 some
    done
    DTRAIN=$REAL_DTRAIN
    # A run that failed with an open log records it there. There is no model.
    left=$([ ! -d huge ] || find huge -type f ! -name run.h5)
    [ -z "$left" ] || fail "nothing but a log is left, found $left"
    [ ! -e huge/run.h5 ] || "$PYTHON" -c 'import h5py; assert h5py.File("huge/run.h5", "r").attrs["status"] == "failed"' ||
        fail "the log of a run without memory says failed"
fi

# ---- full disk ----
# whole_or_absent FOLDER: no file under its final name but what HDF5 opens; no temporary file.
whole_or_absent() {
    left=$(find "$1" -name '*.tmp')
    [ -z "$left" ] || fail "no temporary file is left, found $left"
    for file in "$1"/*.h5; do
        [ ! -e "$file" ] || ! command -v h5dump >/dev/null || h5dump -H "$file" >/dev/null 2>&1 ||
            fail "$file is whole"
    done
}

# full_disk KIB: a folder that holds no more than that.
full_disk() {
    mkdir "disk-$1"
    mount -t tmpfs -o "size=$1k" none "disk-$1" 2>/dev/null || return 1
    mounted="$mounted disk-$1"
}
if [ "$(id -u)" -eq 0 ] && full_disk 4; then
    for ranks in 0 3; do
        ends 4 "disk-4/run/run.h5: cannot write: No space left on device" "$ranks" \
            --out disk-4/run --epochs 1 some
        whole_or_absent disk-4/run
    done
    # Room for the log, not for the model of 20*3000 weights.
    full_disk 128
    ends 4 "disk-128/run/model.h5: cannot write: No space left on device" 3 \
        --out disk-128/run --epochs 1 --hidden 3000 some
    expect_no_file disk-128/run/model.h5
    expect_file disk-128/run/run.h5
    expect_stdout '^summary\.test_accuracy=0\.'
    "$PYTHON" -c 'import h5py; assert h5py.File("disk-128/run/run.h5").attrs["status"] == "failed"' ||
        fail "the log of a run whose model found no room says failed"
    whole_or_absent disk-128/run
    # No room for the example's data.
    full_disk 1024
    ends 4 "No space left on device" 2 --out disk-1024/run --epochs 1
    whole_or_absent disk-1024/run
    left=$(find disk-1024 -type f)
    [ -z "$left" ] || fail "no half of the example is left, found $left"
    full_disk 64
    mount -o remount,ro disk-64
    ends 4 "disk-64/results: cannot make the folder: Read-only file system" 0 --out disk-64/results some
    ends 4 "disk-64/owner: cannot write: Read-only file system" 3 --out disk-64 some
else
    echo "full disk and read-only file system: left out, mounting needs root"
fi
