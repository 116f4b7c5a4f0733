# Sourced by test_contract*.sh, after harness.sh: the data, and same().
#
# shellcheck shell=sh
need_python numpy h5py
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1

"$PYTHON" - <<'PY'
import os
from make_data import save_parts
os.mkdir("data")
save_parts("data/two")
save_parts("data/five", classes=5)
save_parts("data/tiny", rows=(5, 5, 5))
save_parts("data/lone", rows=(401, 0, 0))
PY

all_crcs=""

# same NAME "RANKS..." DTRAIN ARGUMENTS...: one run for each number of ranks, all to the same bits.
same() {
    same_name=$1
    same_ranks=$2
    same_crc=""
    same_folders=""
    shift 2
    for ranks in $same_ranks; do
        run "$ranks" --quiet --out "$same_name/$ranks" "$@"
        expect_status 0
        expect_empty_stderr
        expect_stdout_line "summary.ranks=$ranks"
        expect_stdout_line "summary.status=ok"
        crc=$(summary weights_crc)
        [ "$crc" = "${same_crc:=$crc}" ] || fail "$same_name: weights_crc=$same_crc as on fewer ranks"
        same_folders="$same_folders $same_name/$ranks"
    done
    # shellcheck disable=SC2086
    "$PYTHON" "$TESTS/cli/compare_runs.py" $same_folders >compared ||
        fail "$same_name: the same run on $same_ranks ranks: $(cat compared)"
    case " $all_crcs " in
    *" $same_crc "*) fail "$same_name has weights of its own, as no other options have" ;;
    esac
    all_crcs="$all_crcs $same_crc"
}
