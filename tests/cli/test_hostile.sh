#!/bin/sh
# Files that mean ill: one line and exit 3, no crash, no hang, no memory, and nothing written or run.
# long: waits for children that never answer
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python numpy h5py

mkdir -p top/middle/here # so that a way up would end within the scratch folder
cd top/middle/here
"$PYTHON" - <<'END'
import numpy as np
rng = np.random.default_rng(1)
x = rng.normal(size=(60, 2)).astype("f4")
np.savez("rows.npz", x=x, y=(x[:, 0] > 0).astype("i4"))
END
run 0 train rows.npz --hidden 2 --epochs 2 --out r
expect_status 0
run 0 export r/model.h5 --to model.keras
expect_status 0
"$PYTHON" "$TESTS/cli/make_hostile.py" .
mkdir before
mv rows.npz r model.keras before
for name in rows.npz r model.keras; do ln -s "before/$name" "$name"; done

# Memory of this program alone; what MPI maps does not count.
refused() {
    run 0 "$@"
    expect_status 3
    expect_one_stderr_line "dtrain: error: "
}
small() {
    # 600 MB of address space are enough for the program, but not for the claimed sizes. A sanitizer needs more.
    case $(ldd "$DTRAIN") in *libasan*) refused "$@"; return ;; esac
    harness_command="under ulimit -v: dtrain $*"
    status=0
    (ulimit -v 600000 && exec timeout -k 5 "$RUN_TIMEOUT" "$DTRAIN" "$@") </dev/null >stdout 2>stderr || status=$?
    expect_status 3
    expect_one_stderr_line "dtrain: error: "
}

# 1 MiB that claims 1 TiB, and what deflate really makes of 256 KiB where 256 MiB are not wanted.
for file in bomb.npz stored-bomb.npz; do
    small inspect $file
    refused train $file --out t
    refused predict r/model.h5 $file
done
for file in bomb-config.keras bomb-weights.keras dense-config.keras deep.keras; do
    run 0 inspect $file
    [ "$status" -eq 0 ] || [ "$status" -eq 3 ] || fail "exit status 0 or 3"
    small export $file --to t.npz
done
refused inspect dense-weights.keras
run 0 inspect dense.npz
expect_status 0
small inspect huge.h5
small export huge.h5 --to t.npz
small inspect own_huge.h5
refused train rows.npz --init-from huge.h5 --out t
refused train rows.npz --init-from own_huge.h5 --out t

for ranks in 0 2; do
    run $ranks predict wide.h5 rows.npz
    expect_status 6
    expect_one_stderr_line "the outputs of the model's layers"
done

# Names in archives are names.
run 0 inspect paths.npz
expect_status 0
run 0 train paths.npz --epochs 1 --batch 1 --out t1
[ "$status" -eq 0 ] || [ "$status" -eq 3 ] || fail "exit status 0 or 3"
run 0 inspect paths.keras
expect_status 0
[ "$(ls -A ../..)" = middle ] && [ "$(ls -A ..)" = here ] || fail "nothing new two folders up"
expect_no_file /tmp/dtrain-hostile

# A model leads to no other file, loads no filter, and runs nothing; circles and depth end.
for model in external_link soft_link external_storage virtual packed deep_config lambda_layer \
    own_external_link own_soft_link own_external_storage own_virtual own_packed own_deep_json; do
    HDF5_PLUGIN_PATH=. refused inspect $model.h5
    HDF5_PLUGIN_PATH=. refused export $model.h5 --to t.npz
done
run 0 inspect deep_groups.h5
expect_status 0
expect_no_file pwned
refused inspect deep.json
refused inspect wide.json

# libhdf5 itself crashes, comes to no end, or takes all memory there is.
for file in crash-model.h5 crash.keras; do
    [ $file = before ] || refused inspect $file
    refused export $file --to t.npz
    refused predict $file rows.npz
    refused evaluate $file rows.npz
    refused train rows.npz --init-from $file --out t
done
refused inspect crash-run.h5
refused report crash-run.h5
refused train --like crash-run.h5 --out t
refused inspect no-end-model.h5
refused report no-end-run.h5
for file in memory-model.h5 memory-run.h5 memory.keras; do
    run 0 inspect $file
    [ "$status" -eq 0 ] || [ "$status" -eq 3 ] || fail "exit status 0 or 3"
done
run 2 train rows.npz --init-from crash-model.h5 --out t
expect_status 3
expect_one_stderr_line "crash-model.h5: "

# No files at all.
mkfifo pipe.h5
for file in empty before pipe.h5 /dev/zero /dev/null no-such; do
    [ $file = before ] || refused inspect $file
    refused export $file --to t.npz
    [ $file = before ] || refused report $file
    refused predict $file rows.npz
    refused predict r/model.h5 $file
    [ $file = before ] || refused train $file --out t
    refused train rows.npz --init-from $file --out t
    refused train --like $file --out t
    refused prepare $file --target y --out t
    rm -rf t
done
for file in long.config before /dev/zero no-such; do
    run 0 train rows.npz --config $file --out t
    expect_status 2
done
refused prepare long.csv --target a --out t

# A file that shrinks and grows while it is read.
cp rows.npz moving.npz
cp r/model.h5 moving.h5
(
    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        : >moving.npz
        head -c 700 rows.npz >moving.npz
        cat rows.npz >moving.npz
        head -c 9000 r/model.h5 >moving.h5
        cat r/model.h5 >moving.h5
    done
) &
mover=$!
while kill -0 $mover 2>/dev/null; do
    for file in moving.npz moving.h5; do
        run 0 inspect $file
        [ "$status" -eq 0 ] || [ "$status" -eq 3 ] || fail "exit status 0 or 3"
    done
done
wait $mover

# Nothing stands where nothing was to be written.
expect_no_file t.npz
expect_no_file pwned
