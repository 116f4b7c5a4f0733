# Sourced by tests of options that change weights, after harness.sh: the data, trains() and same_everywhere().
#
# mpi/test_networks trains a network for every row of every list on 1, 2, 3 and 8 ranks, and from a
# checkpoint. The scripts show that options reach the program and its files, and that it all holds for the
# program as users start it, with a signal: same_everywhere for one run each, trains for the others.
#
# shellcheck shell=sh
need_python numpy h5py
: "${DTRAIN_FAULTS:=$(dirname "$DTRAIN")/tests/dtrain-faults}"
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("some")'
REAL=$DTRAIN
STOP=40 # the step after which a run is interrupted, in the last epoch
all_crcs="" rows=""

# trains ROW NAME BANNER OPTIONS... trains four epochs on one rank, and leaves the weights, which no other
# options have, in $crc. ROW is that of the table of optimizers or schedules.
trains() {
    rows="$rows $1"
    name=$2 banner=$3
    shift 3
    run 0 some --epochs 4 --patience 9 --hidden 40,20 --batch 50 --learning-rate 0.01 "$@" --out "$name"
    expect_status 0
    expect_empty_stderr
    expect_stdout "^training +$banner, batch 50, "
    crc=$(summary weights_crc)
    case " $all_crcs " in
    *" $crc "*) fail "$name has weights of its own, as no other options have" ;;
    esac
    all_crcs="$all_crcs $crc"
}

# same_everywhere, likewise, also trains on 2, 3 and 8 ranks, and interrupted in the last epoch: the same
# weights.
same_everywhere() {
    trains "$@"
    shift 3
    set -- some --epochs 4 --patience 9 --hidden 40,20 --batch 50 --learning-rate 0.01 "$@"
    for ranks in 2 3 8; do
        run "$ranks" "$@" --out "$name-$ranks"
        expect_status 0
        [ "$(summary weights_crc)" = "$crc" ] || fail "$name: the weights of one rank on $ranks"
    done
    DTRAIN=$DTRAIN_FAULTS DTRAIN_FAULT=signal:0:$STOP
    export DTRAIN_FAULT
    run 3 "$@" --out "$name-stopped"
    unset DTRAIN_FAULT
    DTRAIN=$REAL
    expect_status 75
    expect_stdout '^stopped    SIGTERM in epoch 4, '
    run 2 --resume "$name-stopped" --reduce allreduce
    expect_status 0
    [ "$(summary weights_crc)" = "$crc" ] || fail "$name: the weights without an interruption"
}

# expect_all_rows OPTION: each name that --help lists for the option was a ROW.
expect_all_rows() {
    run 0 --help
    names=$(sed -n "/^  --$1 /,/^  --[a-z]/p" stdout | tr -d '\n' | sed -n 's/.*(\([a-z |]*|[a-z |]*\)).*/\1/p' |
        tr '|' ' ')
    [ "$(echo "$names" | wc -w)" -gt 2 ] || fail "--help lists the names of --$1"
    for listed in $names; do
        case " $rows " in
        *" $listed "*) ;;
        *) fail "--$1 $listed has a row in this test" ;;
        esac
    done
}
