#!/bin/sh
# The first word: a command, data, or a slip of either; judged by rank 0 alone, for all ranks.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1

# ---- slips ----
for ranks in 0 1 3; do
    run "$ranks" predit x
    expect_status 2
    expect_one_stderr_line "dtrain: error: predit: no such command, file or folder; did you mean dtrain predict?"
    [ ! -s stdout ] || fail "nothing on stdout"
    run "$ranks" trian
    expect_status 2
    expect_one_stderr_line "did you mean dtrain train?"
    # Like no command: it must be data.
    run "$ranks" nothing-like-it
    expect_status 3
    expect_one_stderr_line "dtrain: error: nothing-like-it: no such file or folder"
    # One word of small letters alone, and no data's beginning.
    run "$ranks" tune
    expect_status 2
    expect_one_stderr_line "dtrain: error: no command, file or folder 'tune'; commands are train, search, prepare, evaluate, "
done
expect_no_file results
run 0 help tune
expect_status 2
expect_one_stderr_line "dtrain: error: no command, file or folder 'tune'; commands are train, "
for command in '' train predict; do
    run 0 help $command
    expect_status 0
    cp stdout help.txt
    run 0 $command --help
    expect_same_file stdout help.txt
done
run 0 -V
expect_status 0
cp stdout version.txt
run 0 --version
expect_same_file stdout version.txt
"$PYTHON" -c 'from make_data import save_parts; save_parts("prefix", rows=(80, 20, 20), columns=4)'
run 0 prefix --batch_size 20 --lr 0.002 --max-iter 1 --quiet --out aliases
expect_status 0
run 0 prefix --batch 20 --learning-rate 0.002 --epochs 1 --quiet --out options
expect_same_file aliases/model.h5 options/model.h5

# ---- data called like a slip ----
mkdir host-0 host-1
"$PYTHON" -c 'from make_data import save_parts
import os
os.makedirs("host-0/predit")
save_parts("host-0/predit/", separator="", rows=(80, 20, 20), columns=4)'
cd host-0
run 2 --quiet --epochs 1 --out ../plain predit
expect_status 0
cd ..

# ---- files that only one rank's host has: all ranks go the same way, and none waits ----
cat >elsewhere <<'SH'
#!/bin/sh
cd "$HOSTS/host-$([ "$OMPI_COMM_WORLD_RANK" -eq "$OWNER" ] && echo 0 || echo 1)" || exit 1
exec "$REAL_DTRAIN" "$@"
SH
chmod +x elsewhere
export REAL_DTRAIN="$DTRAIN" HOSTS="$PWD" OWNER=0
DTRAIN=$PWD/elsewhere
run 3 predit --quiet --epochs 1 --out "$PWD/shared"
expect_status 0
expect_stdout_line "summary.status=ok"
expect_same_file plain/model.h5 shared/model.h5
OWNER=1
run 3 predit --quiet --epochs 1
expect_status 2
expect_one_stderr_line "did you mean dtrain predict?"
