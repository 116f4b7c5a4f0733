#!/bin/sh
# memory.sh PATH_TO_DTRAIN [MIB]: what rank 0 holds while it deals a stored .npz of MIB (2048) MiB to
# 4 ranks, in C order and in Fortran order. Passes if its peak is at most its own share + 64 MiB.
# Needs python3 with numpy, and MIB of disk in TMPDIR (/tmp); the file is removed at the end.
RUN_TIMEOUT=${RUN_TIMEOUT:-900}
mebibytes=${2:-2048}
[ $# -lt 2 ] || set -- "$1"
# shellcheck source-path=SCRIPTDIR/../cli source=harness.sh
. "$(dirname "$0")/../cli/harness.sh"
need_python numpy

# Stands between mpirun and each rank: the kernel's own word on the peak, when the rank has ended.
cat >measured <<'SH'
import os
import sys
pid = os.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(pid, 0)
with open("peak." + os.environ["OMPI_COMM_WORLD_RANK"], "w") as file:
    file.write(f"{usage.ru_maxrss}\n")
sys.exit(os.waitstatus_to_exitcode(status))
SH

# make_file ORDER: the same bytes, called C or Fortran order.
make_file() {
    "$PYTHON" - "$1" "$mebibytes" <<'PY'
import sys
import zipfile
import numpy as np
order, columns = sys.argv[1], 784
rows = int(sys.argv[2]) * 2**20 // (columns * 4)
block = np.random.default_rng(1).random(columns * 4096, np.float32) - np.float32(0.5)
with zipfile.ZipFile("large.npz", "w") as archive:
    with archive.open("x.npy", "w", force_zip64=True) as member:
        np.lib.format.write_array_header_1_0(member, {
            "descr": "<f4", "fortran_order": order == "fortran", "shape": (rows, columns)})
        for first in range(0, rows * columns, len(block)):
            member.write(block[:rows * columns - first])
    with archive.open("y.npy", "w") as member:
        np.lib.format.write_array(member, np.arange(rows, dtype=np.int64) % 2)
print(rows)
PY
}

launcher=$DTRAIN
cat >wrapped <<SH
#!/bin/sh
exec "$PYTHON" "$PWD/measured" "$launcher" "\$@"
SH
chmod +x wrapped
DTRAIN=$PWD/wrapped
over=0
for order in c fortran; do
    rows=$(make_file "$order")
    run 4 --epochs 1 --batch 4096 --validation-split 0 --test-split 0 --out "run-$order" large.npz
    expect_status 0
    rm large.npz
    load=$(sed -n 's/^load  *[0-9.]*  *\([0-9.]*\) .*/\1/p' stdout)
    for rank in 0 1 2 3; do
        # Shards 2r and 2r+1 of 8; a row is 784 float32, a label and a place in the order.
        share=$(((rows + 7 - 2 * rank) / 8 + (rows + 6 - 2 * rank) / 8))
        share=$((share * (784 * 4 + 8) / 1024))
        peak=$(cat "peak.$rank")
        echo "$order order, $rows rows, rank $rank: peak $((peak / 1024)) MiB, own share" \
            "$((share / 1024)) MiB, above it $(((peak - share) / 1024)) MiB"
        [ "$rank" -ne 0 ] || [ $((peak - share)) -le 65536 ] || over=1
    done
    echo "$order order: loaded in $load s"
done
[ "$over" -eq 0 ] || fail "rank 0's peak is at most its own share + 64 MiB"
