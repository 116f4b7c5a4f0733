#!/bin/sh
# local.sh [DTRAIN ARGUMENTS...]    e.g. local.sh ../data/deposit --hidden 64,32
#
# Installs missing packages, builds dtrain into build/, and runs it on this machine with 8 ranks, or
# with RANKS ranks.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build
ranks=${RANKS:-8}

sh "$root/jobs/install.sh" build

log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 1' HUP INT TERM
{
    # An existing build folder keeps its settings, including tests.
    if [ -f "$build/CMakeCache.txt" ]; then
        cmake -S "$root" -B "$build"
    else
        cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF
    fi && cmake --build "$build" --target dtrain -j "${JOBS:-2}"
} >"$log" 2>&1 || {
    tail -n 50 "$log" >&2
    echo "local.sh: the build failed" >&2
    exit 1
}
rm -f "$log" # the exec below leaves no one to do it

# Variables that are already set are kept. Each has two names, because Open MPI 5 renamed them.
if [ "$(id -u)" -eq 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    export PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
# mpirun counts cores, not hardware threads, and may use only some of them.
cpus=$(nproc)
cores=$(lscpu -p=CORE,SOCKET 2>/dev/null | grep -v '^#' | sort -u | wc -l)
if [ "$cores" -gt 0 ] && [ "$cores" -lt "$cpus" ]; then
    cpus=$cores
fi
if [ "$ranks" -gt "$cpus" ]; then
    export OMPI_MCA_rmaps_base_oversubscribe="${OMPI_MCA_rmaps_base_oversubscribe:-1}"
    export OMPI_MCA_hwloc_base_binding_policy="${OMPI_MCA_hwloc_base_binding_policy:-none}"
    export PRTE_MCA_rmaps_default_mapping_policy="${PRTE_MCA_rmaps_default_mapping_policy:-:oversubscribe}"
fi
# Containers often forbid process_vm_readv; two copies through shared memory are no slower here.
export OMPI_MCA_btl_vader_single_copy_mechanism="${OMPI_MCA_btl_vader_single_copy_mechanism:-none}"
# hwloc looks for NVIDIA cards on ten X displays of "localhost": if /etc/hosts does not contain it,
# each rank waits for the name server. Measured on a bare Debian: start in 0.4 s instead of 15 s.
export HWLOC_COMPONENTS="${HWLOC_COMPONENTS:--gl}"

# -q: a failed run prints its reason in one line; without -q mpirun would add a paragraph.
exec mpirun -q -np "$ranks" "$build/dtrain" "$@"
