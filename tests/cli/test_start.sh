#!/bin/sh
# Before training: a rank that never comes, an MPI_Init that hangs, a signal meanwhile, ranks without a way to each
# other. Each ends soon, and not without a word.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
export DTRAIN_START_TIMEOUT=1s
export REAL_DTRAIN="$DTRAIN"
DTRAIN=$PWD/wrapped

# wrap COMMANDS: from now on each rank does this before it becomes dtrain.
wrap() {
    # shellcheck disable=SC2016
    printf '#!/bin/sh\n%s\nexec "$REAL_DTRAIN" "$@"\n' "$1" >wrapped
    chmod +x wrapped
}
waits='waits in MPI_Init for [0-9]+ s: another of the 3 ranks did not start, or hangs; DTRAIN_START_TIMEOUT=5min waits longer$'

# ---- a rank that never comes: the first one that is there says so ----
# shellcheck disable=SC2016
wrap '[ "$OMPI_COMM_WORLD_RANK" -ne 2 ] || exec sleep 1000'
run 3 predict model rows
expect_job_status 1
expect_one_stderr_line "dtrain: error: rank 0 on "
expect_stderr "$waits"

# ---- SIGTERM meanwhile ends a rank at once ----
# shellcheck disable=SC2016
wrap 'echo $$ >"pid.$OMPI_COMM_WORLD_RANK"; [ "$OMPI_COMM_WORLD_RANK" -ne 1 ] || exec sleep 1000'
catches_usr1() { # it is in MPI_Init, or about to be; 10: the bit of 0x200
    [ -s pid.0 ] || return 1
    caught=$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$(cat pid.0)/status" 2>/dev/null) || return 1
    [ $((0x0$caught & 0x200)) -ne 0 ]
}
status=0
DTRAIN_START_TIMEOUT=60s timeout -k 5 "$RUN_TIMEOUT" mpirun -q -np 2 "$DTRAIN" --epochs 1 </dev/null >stdout 2>stderr &
job=$!
until_it "rank 0 catches SIGUSR1" catches_usr1
kill "$(cat pid.0)"
wait $job || status=$?
expect_job_status 143

# ---- ranks without a way to each other: MPI's own words, under mpirun -q, too ----
has_open_mpi "a setting of Open MPI takes the way from the ranks" || exit 0
wrap :
OMPI_MCA_pml=ob1 OMPI_MCA_btl=self run 2 --epochs 1
expect_status 1
# Which of its paragraphs arrives depends on which rank ends first, and on mpirun's haste.
expect_stderr "MPI process is unreachable|unable to reach each other|error occurred in MPI_Init"
