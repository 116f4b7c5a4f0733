#!/bin/sh
# Every call that can fail is made to, one a run, on each of two ranks: whatever fails, and
# whenever, the run ends by itself with its exit status and one line, leaves no half file, and can be
# gone on with or run again.
# FULL=1 tries every allocation instead of a sample.
#
# DTRAIN_FAULTS is dtrain with a hook; tests/faults/fault_hook.c says what DTRAIN_FAULT may be.
# long: some three hundred runs
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
: "${DTRAIN_FAULTS:=$(dirname "$DTRAIN")/tests/dtrain-faults}"
[ -x "$DTRAIN_FAULTS" ] || skip "dtrain-faults is not built"
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("some", rows=(64, 16, 16), columns=4)'
CASES=$PWD
AT_ONCE=4 # cases: most of each is mpirun's waiting

# ---- the hook itself ----
if grep -q DTRAIN_FAULT "$DTRAIN"; then
    fail "the program that users get has no hook"
fi
DTRAIN=$DTRAIN_FAULTS
for wrong in "" write write: write:x write:0: write:0:0 write:0:-1 write:0:1x write:0:1++ write:0+ \
    write:-1 writes:0 :0 write:99999999999999999999 write:0:99999999999999999999; do
    export DTRAIN_FAULT="$wrong"
    run 0 --version
    expect_status 2
    expect_one_stderr_line "dtrain-faults: DTRAIN_FAULT is '$wrong', expected POINT:RANK[:NTH[+]]"
done
unset DTRAIN_FAULT

# ---- the run that is disturbed ----
# In the folder of a case.
train() {
    run 2 --hidden 4 --batch 16 --epochs 3 --out out --csv-log log.csv --checkpoint-every 1 \
        "$CASES/some"
}
mkdir plain
cd plain
export DTRAIN_FAULT_CALLS="$CASES/calls"
train
unset DTRAIN_FAULT_CALLS
expect_status 0
expect_empty_stderr
good_weights=$(summary weights_crc)
cp log.csv ../good.csv
cd ..

# lines_of_failure: one line of an error, and besides that warnings.
lines_of_failure() {
    [ "$(grep -c '^dtrain: error: ' stderr)" -eq 1 ] || fail "one line of an error on stderr"
    ! grep -Evq '^dtrain: (error|warning): ' stderr || fail "nothing else on stderr but warnings"
}

no_temporary_file() {
    left=$(find . -name '*.tmp')
    [ -z "$left" ] || fail "no temporary file is left, found $left"
}

# as_undisturbed: the last run ended well, and has all that the undisturbed one has.
as_undisturbed() {
    expect_status 0
    [ "$(summary weights_crc)" = "$good_weights" ] || fail "the weights are $good_weights"
    for file in out/run.h5 out/model.h5; do
        expect_file "$file"
    done
    expect_same_file log.csv ../good.csv
}

# again: the run is gone on with, or, where nothing was saved to go on from, begun anew.
again() {
    unset DTRAIN_FAULT
    mv stdout stdout.failed
    mv stderr stderr.failed
    if [ -e out/checkpoint.h5 ]; then
        run 2 --resume out
    else
        train
    fi
    as_undisturbed
    # Who was killed left the file of the owner.
    [ ! -e killed ] || sed -i '/^dtrain: warning: out: took it over from pid .*, which has died$/d' stderr
    expect_empty_stderr
    no_temporary_file
    expect_no_file out/checkpoint.h5
    expect_no_file out/owner
}

# disturbed POINT RANK NTH STATUSES: one case, in its own folder.
disturbed() {
    mkdir "$CASES/$1-$2-$3"
    cd "$CASES/$1-$2-$3"
    export DTRAIN_FAULT="$1:$2:$3" DTRAIN_FAULT_FIRED="$PWD/fired"
    train
    harness_command="DTRAIN_FAULT=$DTRAIN_FAULT $harness_command"
    no_temporary_file
    if [ ! -e fired ] || [ "$status" -eq 0 ]; then
        as_undisturbed
        [ -e fired ] || expect_empty_stderr
        expect_no_stderr '^dtrain: error: '
        [ "$1" != allocate ] || [ ! -e fired ] || expect_stderr '^dtrain: warning: '
    else
        lines_of_failure
        expect_no_stdout '^summary\.status=ok'
    fi
    [ -e fired ] || return 0
    case " $4 " in
    *" $status "*) ;;
    *) fail "an exit status of: $4" ;;
    esac
    [ "$status" -ne 3 ] || expect_no_file out
    if [ -d out ]; then
        cp -R out failed
    fi
    [ ! -d out ] || [ "$status" -eq 0 ] || again
}

pids=""
cases=0
finish() {
    good=true
    for pid in $pids; do
        wait "$pid" || good=false
    done
    $good || exit 1
    pids=""
    cases=0
}

# every_call POINT MOST STATUSES [+]: on each rank one call after the other; of more than MOST one in
# so many. With + all that come after it fail, too.
every_call() {
    for rank in 0 1; do
        calls=$(sed -n "s/^$1 //p" "calls.$rank")
        stride=1
        [ -n "${FULL:-}" ] || stride=$(((calls + $2 - 1) / $2))
        [ "$stride" -gt 0 ] || stride=1
        for nth in $(seq 1 "$stride" "$calls"); do
            (disturbed "$1" "$rank" "$nth${4:-}" "$3") &
            pids="$pids $!"
            cases=$((cases + 1))
            [ "$cases" -lt $AT_ONCE ] || finish
        done
    done
}

every_call open 20 "0 3 4"
every_call read 8 "3"
every_call write 20 "0 4"
every_call fsync 20 "0 4"
every_call rename 20 "0 4"
every_call write 20 "0 4" +
every_call rename 20 "0 4" +
every_call allocate 14 "0 6"
every_call json 5 "0 6"
finish
report=""
for point in open read write fsync rename allocate json; do
    for rank in 0 1; do
        fired=$(find . -path "./$point-$rank-*[0-9]/fired" | wc -l)
        report="$report, $point $fired of $(sed -n "s/^$point //p" "calls.$rank")"
        [ "$rank" -eq 1 ] || [ "$fired" -gt 2 ] || fail "3 calls or more at $point on rank 0"
    done
done

# ---- ends in the middle of training: 12 steps, 4 an epoch ----
# at_step POINT RANK NTH STATUS: one case. Not with `run`, to which 137 is a hang.
at_step() {
    mkdir "$CASES/$1-$2-$3"
    cd "$CASES/$1-$2-$3"
    export DTRAIN_FAULT="$1:$2:$3" DTRAIN_FAULT_FIRED="$PWD/fired"
    harness_command="DTRAIN_FAULT=$DTRAIN_FAULT"
    status=0
    timeout -k 5 "$RUN_TIMEOUT" mpirun -q -np 2 "$DTRAIN" --hidden 4 --batch 16 --epochs 3 --out out \
        --csv-log log.csv --checkpoint-every 1 "$CASES/some" </dev/null >stdout 2>stderr || status=$?
    expect_job_status "$4"
    expect_file fired
    case $1 in
    kill | exit) # whoever dies cannot tidy up
        find . -name '*.tmp' -exec rm {} +
        : >killed
        ;;
    *) no_temporary_file ;;
    esac
    if [ "$1" = signal ]; then
        expect_empty_stderr
        expect_file out/checkpoint.h5
    elif [ "$1" = nan ] || ranks_report_death; then
        lines_of_failure
    fi
    again
}

for nth in 1 5 8; do
    for rank in 0 1; do
        (at_step signal "$rank" "$nth" 75) &
        pids="$pids $!"
        (at_step nan "$rank" "$nth" 5) &
        pids="$pids $!"
    done
    (at_step kill $((nth % 2)) "$nth" 137) &
    pids="$pids $!"
    if has_open_mpi "mpiexec of MPICH kills the other ranks, and exits with 0, if a rank calls exit(0) too early"; then
        (at_step exit $((nth % 2)) "$nth" 1) &
        pids="$pids $!"
    fi
    finish
done

# ---- other commands ----
# alone NAME MOST STATUSES ARGUMENTS...: the same of `dtrain ARGUMENTS...` without mpirun.
alone() {
    alone_name=$1
    alone_most=$2
    alone_statuses=$3
    shift 3
    mkdir "$CASES/$alone_name"
    cd "$CASES/$alone_name"
    export DTRAIN_FAULT_CALLS="$CASES/$alone_name.calls"
    run 0 "$@"
    unset DTRAIN_FAULT_CALLS
    expect_status 0
    alone_report=""
    for point in open read write fsync rename allocate json zlib; do
        calls=$(sed -n "s/^$point //p" "$CASES/$alone_name.calls.0")
        stride=1
        [ -n "${FULL:-}" ] || stride=$(((calls + alone_most - 1) / alone_most))
        # jansson left out the beginning of a text at one of them.
        [ "$alone_name $point" != "prepare json" ] || stride=1
        fired=0
        [ "$stride" -gt 0 ] || continue
        for nth in $(seq 1 "$stride" "$calls"); do
            mkdir "$CASES/$alone_name-$point-$nth"
            cd "$CASES/$alone_name-$point-$nth"
            DTRAIN_FAULT=$point:0:$nth
            DTRAIN_FAULT_FIRED=$PWD/fired
            export DTRAIN_FAULT DTRAIN_FAULT_FIRED
            run 0 "$@"
            unset DTRAIN_FAULT
            harness_command="DTRAIN_FAULT=$point:0:$nth $harness_command"
            expect_file fired
            no_temporary_file
            if [ "$status" -ne 0 ]; then
                expect_one_stderr_line "dtrain: error: "
                case " $alone_statuses " in
                *" $status "*) ;;
                *) fail "an exit status of: $alone_statuses" ;;
                esac
                run 0 "$@"
                expect_status 0
            fi
            expect_empty_stderr
            for made in "$CASES/$alone_name"/*; do
                case ${made##*/} in
                stdout | stderr) ;;
                *.html) # it has the time in it
                    [ "$(tail -n 1 "${made##*/}")" = "</html>" ] || fail "a whole ${made##*/}"
                    ;;
                *) diff -r "$made" "${made##*/}" >different 2>&1 || fail "the same ${made##*/}" ;;
                esac
            done
            fired=$((fired + 1))
        done
        alone_report="$alone_report, $point $fired of $calls"
    done
    cd "$CASES"
    echo "calls of $alone_name that failed:${alone_report#,}"
}

{
    echo "age,job,bought"
    for i in $(seq 50); do
        case $((i % 3)) in 0) job=cook ;; 1) job=smith ;; *) job=baker ;; esac
        echo "$((20 + i * 7 % 37)),$job,$((i % 2))"
    done
} >table.csv
(alone prepare 15 "3 4 6" prepare --target bought --categorical job --out made "$CASES/table.csv.gz") &
pids="$pids $!"
gzip -k table.csv
(alone inspect 10 "3 6" inspect "$CASES/some-train.npz") &
pids="$pids $!"
(alone keras 15 "3 4 6" export --to model.keras "$CASES/plain/out") &
pids="$pids $!"
(alone npz 15 "3 4 6" export --to model.npz "$CASES/plain/out") &
pids="$pids $!"
(alone report 15 "3 4 6" report --html page.html --csv table.csv "$CASES/plain/out") &
pids="$pids $!"
(alone predict 5 "3 4 6" predict --out rows.csv "$CASES/plain/out" "$CASES/some-test.npz") &
pids="$pids $!"
finish

# libhdf5's own allocations, in the process that reads a file; those before it starts are the first ones.
export DTRAIN_FAULT_CALLS="$CASES/hdf5.calls"
run 0 inspect plain/out/model.h5
unset DTRAIN_FAULT_CALLS
first=$(sed -n 's/^hdf5 //p' hdf5.calls.0)
if [ "$first" -gt 0 ]; then # not with a sanitizer, whose malloc is used
    for nth in 1 40 80 120 160 200 240; do
        export DTRAIN_FAULT="hdf5:0:$((first + nth))" DTRAIN_FAULT_FIRED="$PWD/fired"
        run 0 inspect plain/out/model.h5
        unset DTRAIN_FAULT
        expect_file fired
        [ "$status" -ne 0 ] || continue
        expect_one_stderr_line "dtrain: error: plain/out/model.h5: "
        case $status in 3 | 6) ;; *) fail "an exit status of: 3 6" ;; esac
    done
fi

# What is under its final name is whole.
"$PYTHON" - <<'PY' || fail "what a failed run leaves is whole"
import glob
import h5py

def read(name, item):
    if isinstance(item, h5py.Dataset):
        item[()]

names = glob.glob("*/failed/*")
assert len(names) > 10, names
for name in names:
    with h5py.File(name, "r") as file:
        file.visititems(read)
        if name.endswith("run.h5"):
            assert file.attrs["status"] in ("running", "failed", "ok"), (name, file.attrs["status"])
for name in glob.glob("*/log.csv"):
    lines = open(name, newline="").read()
    assert lines.endswith("\n") and lines.startswith("epoch,"), name
PY

echo "calls that failed, on rank 0 and on rank 1:${report#,}"
