#!/bin/sh
# A rank that dies on another host, a host that crashes, a cable that is cut: the job ends, and goes on
# from its checkpoint on the hosts that are left, to the same bits.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
need_hosts 3 2

export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("some")'

usual="--epochs 40 --patience 1000 --batch 24 --hidden 16,8"
# shellcheck disable=SC2086
run 0 --out whole $usual some
expect_status 0
keep_summary whole

# interrupted FOLDER RANKS ARGS...: a run, as soon as it has a checkpoint. A slow network makes seconds
# of what is done in a fraction of one otherwise: 5 ms a step.
interrupted() {
    folder=$1 ranks=$2
    shift 2
    hosts rate 5 >rated 2>&1 || fail "the rate of the network can be limited"
    # shellcheck disable=SC2086
    start "$ranks" --out "$folder" --checkpoint-every 1 $usual "$@" some
    until_it "$folder/checkpoint.h5 is there" test -e "$folder/checkpoint.h5"
}

# ---- a rank ----
interrupted a 6
kill_rank 5 h3
finish
[ "$status" -ne 0 ] || fail "an exit status that is not 0"
expect_one_stderr_line "dtrain: error: rank 5 on h3 died "
expect_no_file a/model.h5
hosts rate off
run 4 --resume a # on h1 and h2
expect_stdout '^job +4 ranks on 2 hosts'
expect_same_run whole a

# ---- a host ----
interrupted b 6
hosts crash h3
finish
[ "$status" -ne 0 ] || fail "an exit status that is not 0"
expect_no_file b/model.h5
use_hosts h1 h2
hosts rate off
run 3 --resume b
expect_stdout '^job +3 ranks on 2 hosts'
expect_same_run whole b

# ---- a cable ----
# The ranks on both sides end; of those that mpirun still reaches, one says why. mpirun itself may wait
# for the other host.
interrupted c 4 --stall-timeout 2s
hosts cut h2
told() { grep -q 'no progress for' stderr; }
until_it "the ranks of h1 see that nothing goes on" told
# gone HOST RANK RANK
gone() { ! hosts exec "$1" sh -c "kill -0 $(cat "pid.$2") || kill -0 $(cat "pid.$3")" 2>/dev/null; }
until_it "the ranks of h1 end" gone h1 0 1
until_it "the ranks of h2 end" gone h2 2 3
stop_job
own_words
expect_one_stderr_line "dtrain: error: no progress for "
expect_stderr ' s: ranks 0-1 on h1 wait for those of other hosts '
expect_no_file c/model.h5
use_hosts h1
run 2 --resume c
expect_stdout '^job +2 ranks on 1 host,'
expect_same_run whole c
