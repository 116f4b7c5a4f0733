#!/bin/sh
# jobs/train.sbatch on 1 and 2 nodes, by srun and by mpirun: the bits of one rank without Slurm.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python h5py numpy
start_slurm 2 8
options="--epochs 4 --hidden 8 --batch 400"

# ---- started by srun and by mpirun ----
# shellcheck disable=SC2086
for launcher in srun mpirun; do
    for nodes in 1 2; do
        id=$(submit --nodes=$nodes --ntasks-per-node=2 --export=ALL,LAUNCHER=$launcher jobs/train.sbatch $options)
        echo "$launcher $nodes $id" >>all
    done
done

# ---- from other places: beside site.sh; from another folder ----
mkdir beside elsewhere
cp jobs/site.sh jobs/train.sbatch beside
beside=$(cd beside && submit --ntasks-per-node=1 train.sbatch --epochs 1)
elsewhere=$(cd elsewhere && submit --ntasks-per-node=1 --export="ALL,DTRAIN_JOBS=$harness_folder/beside" --job-name=name \
    ../jobs/train.sbatch --epochs 1)

# ---- more CPUs for each rank: as many threads, unless the user says otherwise ----
threads=$(submit --nodes=1 --ntasks-per-node=1 --cpus-per-task=2 jobs/train.sbatch --epochs 1)
own=$(submit --nodes=1 --ntasks-per-node=1 --cpus-per-task=2 jobs/train.sbatch --epochs 1 --threads=1)

# ---- mpirun binds, unless the environment says otherwise, as that of these tests does ----
for cpus in 1 2; do
    id=$(unset OMPI_MCA_hwloc_base_binding_policy && submit --nodes=1 --ntasks-per-node=1 --cpus-per-task=$cpus \
        --export=ALL,LAUNCHER=mpirun jobs/train.sbatch --epochs 1)
    echo "$cpus $id" >>bound
done

# ---- a run that is like another one; the user's own folder ----
# shellcheck disable=SC2086
reference alone 1 $options
like=$(submit --ntasks-per-node=2 --export=ALL,DTRAIN_RESULTS=ours jobs/train.sbatch --like alone --out theirs)

# ---- an array: a folder for each element ----
array=$(submit --array=3,5 --nodes=1 --ntasks-per-node=1 jobs/train.sbatch --epochs 1)

# ---- ranks that crash before dtrain has begun, as under srun they now and then do: once more, then no more ----
cat >crash-once <<'SH'
#!/bin/sh
! mkdir "crashed-$SLURM_PROCID" 2>/dev/null || kill -SEGV $$
exec "$REAL" "$@"
SH
printf '#!/bin/sh\nkill -SEGV $$\n' >crash
chmod +x crash-once crash
once=$(submit --ntasks-per-node=2 --export="ALL,DTRAIN=$PWD/crash-once,REAL=$DTRAIN" jobs/train.sbatch --epochs 1)
always=$(submit --ntasks-per-node=2 --export="ALL,DTRAIN=$PWD/crash" jobs/train.sbatch --epochs 1)

while read -r launcher nodes id; do
    wait_for_job "$id"
    expect_job "$id" COMPLETED 0
    expect_stdout "^train.sbatch: ranks are started by $launcher "
    expect_stdout "^job  .* $((2 * nodes)) ranks on $nodes hosts?, $(nproc) CPUs? here"
    expect_no_stdout "error|warning"
    expect_same_as alone "results/train-$id"
    "$PYTHON" - "results/train-$id/run.h5" "$id" "$(job_fact "$id" NodeList)" <<'PY' || fail "run.h5 has job and nodes"
import sys, h5py
found = h5py.File(sys.argv[1])["environment"].attrs
assert [found["slurm_job_id"], found["slurm_node_list"]] == sys.argv[2:], dict(found)
PY
done <all

for id in "$beside" "$elsewhere" "$threads" "$own" "$like" "${array}_3" "${array}_5"; do
    wait_for_job "$id"
    expect_job "$id" COMPLETED 0
done
while read -r cpus id; do
    wait_for_job "$id"
    expect_job "$id" COMPLETED 0
    [ "$cpus" -gt "$(nproc)" ] || expect_stdout "^job  .* 1 rank on 1 host, $cpus CPUs? here"
done <bound

wait_for_job "$once"
expect_job "$once" COMPLETED 0
expect_stdout_line "train.sbatch: srun ended with 139 before training began; once more"
wait_for_job "$always"
expect_job "$always" FAILED 139
[ "$(grep -c 'once more$' stdout)" -eq 2 ] || fail "three starts"
[ "$(job_fact "$always" Restarts)" -eq 0 ] || fail "no restart"

expect_file "beside/results/train-$beside/model.h5"
expect_file "elsewhere/results/name-$elsewhere/model.h5"
expect_file "results/train-${array}_3/model.h5"
expect_file "results/train-${array}_5/model.h5"
expect_job "$threads" COMPLETED
expect_stdout "^(kernels|BLAS) .* 2 threads a rank"
expect_job "$own" COMPLETED
expect_stdout "^(kernels|BLAS) .* 1 thread a rank"
expect_job "$like" COMPLETED
expect_file theirs/model.h5
expect_no_file ours

# ---- Slurm's PMIx servers talk by way of slurmd; as they do by themselves, when the user says so ----
echo 'PMIxDirectConn=true' >"${SLURM_CONF%/*}/mpi.conf.new"
grep -v '^PMIxDirectConn=' "${SLURM_CONF%/*}/mpi.conf" >>"${SLURM_CONF%/*}/mpi.conf.new"
mv "${SLURM_CONF%/*}/mpi.conf.new" "${SLURM_CONF%/*}/mpi.conf"
scontrol reconfigure
until_it "Slurm has read mpi.conf" sh -c 'scontrol show config | grep -q "^PMIxDirectConn *= yes"'
for said in '' true; do
    id=$(submit --nodes=2 --ntasks-per-node=1 --export="ALL,SLURMD_DEBUG=5${said:+,SLURM_PMIX_DIRECT_CONN=$said}" \
        jobs/train.sbatch --epochs 1)
    wait_for_job "$id"
    expect_job "$id" COMPLETED 0
    expect_stdout "mpi/pmix" # it would be in the log
    if [ "$said" ]; then
        expect_stdout "DIRECT PROTO: accepted connection"
    else
        expect_no_stdout "DIRECT PROTO: accepted connection"
    fi
done
