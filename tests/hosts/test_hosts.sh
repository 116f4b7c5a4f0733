#!/bin/sh
# The same bits on one rank, on two hosts and on four; and the hosts in the log.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py
need_hosts 4 2
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
"$PYTHON" -c 'from make_data import save_parts; save_parts("some")'
usual="--epochs 4 --patience 3 --batch 24 --hidden 16,8 --learning-rate 0.01"

# ---- the contract ----
# shellcheck disable=SC2086
run 0 --out one $usual some
expect_status 0
keep_summary one
# shellcheck disable=SC2086
run 4 --out two-hosts $usual some
own_words
expect_empty_stderr
expect_stdout '^job +4 ranks on 2 hosts, [0-9]+ CPUs? here'
expect_no_stdout '^network' # there is nothing to be left out
expect_same_run one two-hosts
# shellcheck disable=SC2086
run 8 --out four-hosts $usual some
own_words
expect_empty_stderr
expect_stdout '^job +8 ranks on 4 hosts'
expect_same_run one four-hosts
# By messages alone, and with the sums of each host in its shared memory.
for reduce in allreduce window; do
    # shellcheck disable=SC2086
    run 8 --reduce $reduce --overlap off --out $reduce $usual some
    own_words
    expect_empty_stderr
    expect_stdout "exact sum by $reduce;"
    expect_same_run one $reduce
done
# Hosts with different numbers of ranks: some own no slice.
# shellcheck disable=SC2086
run 5 --reduce window --out uneven $usual some
own_words
expect_empty_stderr
expect_same_run one uneven
# Neighbours in number on different hosts.
export OMPI_MCA_rmaps_base_mapping_policy=node
# shellcheck disable=SC2086
run 6 --out by-node $usual some
unset OMPI_MCA_rmaps_base_mapping_policy
expect_stdout '^job +6 ranks on 4 hosts'
expect_same_run one by-node

"$PYTHON" - <<'PY' || fail "run.h5 has the hosts"
import h5py
def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)
for folder, ranks, expected in (("two-hosts", 4, ["h1", "h1", "h2", "h2"]),
                                ("four-hosts", 8, ["h1", "h1", "h2", "h2", "h3", "h3", "h4", "h4"]),
                                ("by-node", 6, ["h1", "h2", "h3", "h4", "h1", "h2"])):
    run = h5py.File(f"{folder}/run.h5", "r")
    environment = run["environment"]
    found = [text(value) for value in run["ranks"]["host"]]
    assert found == expected, (folder, found)
    assert [text(value) for value in environment["rank_hosts"]] == expected, folder
    assert text(environment.attrs["host"]) == "h1", environment.attrs["host"]
    assert environment.attrs["hosts"] == len(set(expected)), environment.attrs["hosts"]
    assert environment.attrs["ranks"] == ranks == len(run["ranks"])
PY

# ---- the results: the same over hosts as on one rank ----
run 0 evaluate one some-test.npz
mv stdout evaluated
run 4 evaluate two-hosts some-test.npz
expect_status 0
grep -v '^model\|one\|two-hosts' evaluated >a || :
grep -v '^model\|one\|two-hosts' stdout >b || :
[ -s a ] || fail "evaluate says something"
expect_same_file a b
run 0 predict one some-test.npz --out one.csv
run 8 predict four-hosts some-test.npz --out four.csv
expect_status 0
expect_same_file one.csv four.csv
run 0 report one two-hosts four-hosts
expect_status 0
expect_stdout two-hosts

# ---- data and results of the first host alone: rank 0 reads and writes ----
hosts exec h1 sh -c 'cp some-*.npz /dev/shm'
! hosts exec h2 test -e /dev/shm/some-train.npz || fail "the hosts share /dev/shm"
# shellcheck disable=SC2086
run 4 --out /dev/shm/own $usual /dev/shm/some
expect_status 0
keep_summary own
expect_same_file own.summary one.summary
hosts exec h1 cp -r /dev/shm/own own
expect_same_run one own
# ... and where it is not there, one line says so.
# shellcheck disable=SC2086
run 4 --out nothing $usual /dev/shm/none
own_words
expect_status 3
expect_one_stderr_line "dtrain: error: /dev/shm/none"
expect_no_file nothing
