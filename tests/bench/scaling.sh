#!/bin/bash
# scaling.sh [--quick] [--keep FOLDER] [--write] DTRAIN
#
# Measures what the model of results/SCALING.md needs, and the points that it is checked against; fits
# it, and prints the page's tables. Prints no judgement of a time: the exit status is 0 when all ran.
#
#   --quick         one short round: to try the scripts; the figures are rough
#   --keep FOLDER   leaves the measurements there, as CSV; `scaling.py FOLDER` makes the tables again
#   --write         puts the tables into results/SCALING.md, between its marks
#
# 8 to 10 minutes on 2 cores (--quick: 4); let nothing else run on the machine meanwhile. As root it has
# several hosts on this machine (tests/hosts/hosts.sh); otherwise what needs them is left out, and a
# line says so. Needs python3 with NumPy and 1 GiB in TMPDIR.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
here=$PWD
load=$(cut -d' ' -f1-3 /proc/loadavg)
command="bash tests/bench/scaling.sh${*:+ $*}"
quick="" keep="" write=""
while [ $# -gt 1 ]; do
    case $1 in
    --quick) quick=1 ;;
    --write) write=1 ;;
    --keep)
        keep=$2
        shift
        ;;
    *) break ;;
    esac
    shift
done
case ${1:-} in
-h | --help)
    sed -n '2,/^set /s/^# \{0,1\}//p' "$0" | sed '$d'
    exit 0
    ;;
esac
if [ $# -ne 1 ] || [ ! -x "$1" ] || [ -d "$1" ]; then
    echo "scaling.sh: expected the program dtrain as the last word, found '${1:-nothing}' (--help)" >&2
    exit 2
fi
DTRAIN=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")

# A python3 earlier in PATH may lack what the system's has.
for python in "${PYTHON:-}" python3 /usr/bin/python3 ''; do
    [ -n "$python" ] || continue
    if "$python" -c "import numpy" 2>/dev/null; then break; fi
done
[ -n "$python" ] || { echo "scaling.sh: no python3 has numpy" >&2; exit 1; }

rounds=2 seconds=0.7 line_seconds=0.25
if [ -n "$quick" ]; then
    rounds=1 seconds=0.3 line_seconds=0.1
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/dtrain-scaling.XXXXXX")
leave() {
    cd /
    bash "$root/tests/hosts/hosts.sh" down "$work/hosts" >&2 || :
    rm -rf "$work"
}
trap leave EXIT
trap 'exit 1' HUP INT TERM
mkdir "$work/csv"
cd "$work"

# Unbound, as in tests/bench/run.sh: a bound rank could not get out of the way of another process.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
export HWLOC_COMPONENTS="${HWLOC_COMPONENTS:--gl}"
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1

say() { echo "scaling.sh: $*" >&2; }

# ---- the data ----

# Rows of noise; and below a --learning-rate of next to nothing, so that all steps of a run are alike.
"$python" - <<'PY'
import numpy as np
random = np.random.default_rng(1)
def save(name, rows, columns, classes, save=np.savez):
    x = random.standard_normal((rows, columns), dtype=np.float32)
    save(name, inputs=x, targets=random.integers(0, classes, rows))
save("51-2-6400", 6400, 51, 2)
for rows in (128, 512, 2048, 8192):
    save(f"784-2-{rows}", rows, 784, 2)
    save(f"784-10-{rows}", rows, 784, 10)
save("large-784", 65536, 784, 2)
save("large-51", 1000000, 51, 2)
x = random.integers(0, 256, (16384, 784), dtype=np.uint8) * (random.random((16384, 784)) < 0.2)
np.savez_compressed("large-deflated", inputs=x.astype(np.float32), targets=random.integers(0, 2, 16384))
PY

# data_of NETWORK BATCH: sets $data, $rows and $hidden. Enough steps in an epoch, and not too many.
data_of() {
    local size
    hidden=${1#*-} hidden=${hidden%-*} hidden=${hidden//-/,}
    rows=6400
    if [ "${1%%-*}" = 784 ]; then
        for size in 128 512 2048 8192; do
            rows=$size
            [ $((32 * $2)) -gt "$size" ] || break
        done
    fi
    data=${1%%-*}-${1##*-}-$rows.npz
}

# ---- launching ----

# Open MPI's own choice among its all-reduce algorithms, or one of them by name.
algorithm=default
choose() {
    algorithm=$1
    unset OMPI_MCA_coll_tuned_use_dynamic_rules OMPI_MCA_coll_tuned_allreduce_algorithm
    case $1 in
    default) return ;;
    doubling) export OMPI_MCA_coll_tuned_allreduce_algorithm=3 ;;
    ring) export OMPI_MCA_coll_tuned_allreduce_algorithm=4 ;;
    rabenseifner) export OMPI_MCA_coll_tuned_allreduce_algorithm=6 ;;
    esac
    export OMPI_MCA_coll_tuned_use_dynamic_rules=1
}

# launch RANKS WORDS...: dtrain on so many ranks; the hosts are those in the environment
launch() {
    local ranks=$1
    shift
    if [ "$ranks" -eq 1 ]; then
        "$DTRAIN" "$@"
    else
        mpirun -q --map-by "${by:-slot}" -np "$ranks" "$DTRAIN" "$@"
    fi
}

# ---- steps ----

# One sum after the backward pass, unless a line is about the other way.
plain=""
if "$DTRAIN" train --help | grep -q '^  --overlap '; then plain="--overlap off"; fi

# train EPOCHS: with the settings below; leaves its words in ./stdout
train() {
    # Word splitting is meant: an option and its value.
    # shellcheck disable=SC2086
    launch "$ranks" "$data" --hidden "$hidden" --batch "$batch" --shards "$shards" --sum "$sum" \
        --threads "$threads" --epochs "$1" --learning-rate 1e-9 --patience 1000000 \
        --validation-split 0 --test-split 0 --checkpoint-every never --force --out run \
        ${extra:-$plain} >stdout 2>stderr </dev/null || {
        tail -n 20 stdout stderr >&2
        say "dtrain failed: $network, $ranks ranks, batch $batch"
        exit 1
    }
}

# step LINK NETWORK RANKS SUM SHARDS BATCH [THREADS [EXTRA]]: a line of steps.csv, the best round's
step() {
    local link=$1 best="" line epochs took
    network=$2 ranks=$3 sum=$4 shards=$5 batch=$6 threads=${7:-1} extra=${8:-}
    data_of "$network" "$batch"
    train 1
    took=$(awk -F= -v rows="$rows" '/^summary.samples_per_second=/ { print rows / $2 }' stdout)
    epochs=$(awk -v took="$took" -v s="$seconds" 'BEGIN { n = int(s / took) + 1; print n < 2 ? 2 : n }')
    for _ in $(seq "$rounds"); do
        train "$epochs"
        line=$(awk -v rows="$rows" -v batch="$batch" -v epochs="$epochs" '
            /^(forward|backward|all-reduce|update) / { phase[$1] = $2 }
            /^summary.samples_per_second=/ { sub(/.*=/, ""); rate = $0 }
            END {
                steps = int((rows + batch - 1) / batch)
                printf "%.4f,", rows / steps / rate * 1e6
                scale = 1e6 / steps / epochs
                printf "%.4f,%.4f,%.4f,%.4f\n", phase["forward"] * scale, phase["backward"] * scale,
                    phase["all-reduce"] * scale, phase["update"] * scale
            }' stdout)
        best=$(printf '%s\n%s\n' "$best" "$line" | sed '/^$/d' | sort -g | head -n 1)
    done
    echo "$link,$algorithm,$network,$ranks,$sum,$shards,$batch,$threads,${extra:-none},$best" >>csv/steps.csv
}
echo "link,algorithm,network,ranks,sum,shards,batch,threads,extra,step_us,forward_us,backward_us,allreduce_us,update_us" \
    >csv/steps.csv

# A rank's part of a step, by itself: with one rank nothing is sent, and `--shards s --batch s*n` is what
# a rank does that owns s shards with n rows of the batch each.
say "steps on one rank"
for network in 51-30-2 784-512-2 784-1024-1024-10; do
    case $network in
    51-*) sizes="1 4 16 25 100 800" ;;
    784-512-*) sizes="1 4 16 64 512" ;;
    *) sizes="1 4 16 64 256" ;;
    esac
    for n in $sizes; do
        for s in 1 2 8; do
            step alone "$network" 1 exact $s $((s * n))
        done
        step alone "$network" 1 fast 1 "$n"
    done
done
say "steps with more than one thread"
for n in 256 2048; do
    step alone 784-1024-1024-10 1 exact 1 $n
    step alone 784-1024-1024-10 1 exact 1 $n 2
    step alone 784-512-2 1 exact 1 $n
    step alone 784-512-2 1 exact 1 $n 2
done

# What it is checked against: whole steps of more ranks.
# check LINK RANKS NETWORK BATCH...
check() {
    local link=$1 ranks=$2 network=$3 b
    shift 3
    for b in "$@"; do
        step "$link" "$network" "$ranks" exact 8 "$b"
        step "$link" "$network" "$ranks" fast 8 "$b"
    done
}
say "steps on two ranks"
check memory 2 51-30-2 100 800
check memory 2 784-512-2 128 1024
check memory 2 784-1024-1024-10 512 2048
for n in 100 800; do step alone 51-30-2 1 exact 8 $n; done
for n in 128 1024; do step alone 784-512-2 1 exact 8 $n; done
for n in 512 2048; do step alone 784-1024-1024-10 1 exact 8 $n; done

# ---- the bare all-reduce, and rank 0's dealing ----

sizes=1,64,512,1627,4096,16384,65536,262144,403000,1863690
# allreduce LINK RANKS
allreduce() {
    local link=$1
    launch "$2" measure --elements $sizes --seconds $line_seconds </dev/null 2>stderr >stdout || {
        cat stderr >&2
        say "dtrain measure failed"
        exit 1
    }
    sed "1d; s/^/$link,$algorithm,/" stdout >>csv/allreduce.csv
}
echo "link,algorithm,ranks,hosts,sum,elements,bytes,median_us,least_us,most_us,repeats" >csv/allreduce.csv

# deal LINK RANKS FILE ROWS COLUMNS: a line of dealing.csv, the best of three
deal() {
    local best
    best=$(for _ in 1 2 3; do
        launch "$2" "$3.npz" --hidden none --batch 65536 --shards 8 --sum fast --epochs 1 \
            --validation-split 0 --test-split 0 --force --out run </dev/null 2>stderr |
            awk '/^load / { print $2 }'
    done | sort -g | head -n 1)
    [ -n "$best" ] || { cat stderr >&2 && say "dtrain failed: dealing $3" && exit 1; }
    echo "$1,$2,$3,$4,$5,$best" >>csv/dealing.csv
}
echo "link,ranks,file,rows,columns,load_s" >csv/dealing.csv
deal_all() {
    deal "$1" "$2" large-784 65536 784
    deal "$1" "$2" large-51 1000000 51
}

say "the bare all-reduce, and dealing, on this machine"
allreduce memory 2
deal_all memory 1
deal_all memory 2
deal memory 1 large-deflated 16384 784

hosts() { bash "$root/tests/hosts/hosts.sh" "$@"; }
on_hosts() { # on_hosts COUNT
    local rate link algorithms
    hosts up "$work/hosts" "$1" 2 || return $?
    (
        eval "$(hosts env "$work/hosts")"
        by=node
        for rate in off 1000; do
            hosts rate "$work/hosts" $rate || exit 1
            link=TCP algorithms="default doubling"
            if [ $rate != off ]; then link=TCP-$rate algorithms="default ring rabenseifner doubling"; fi
            for algorithm in $algorithms; do
                choose "$algorithm"
                allreduce "$link" "$1"
            done
            # What follows is by recursive doubling, the last of them.
            if [ "$1" -eq 2 ] && [ $rate != off ]; then
                check "$link" 2 51-30-2 100 800
                check "$link" 2 784-512-2 1024
                check "$link" 2 784-1024-1024-10 512 2048
                for n in ${plain:+512 2048}; do
                    step "$link" 784-1024-1024-10 2 exact 8 "$n" 1 "--overlap on"
                done
            fi
            if [ "$1" -eq 4 ]; then
                step "$link" 51-30-2 4 exact 8 100
                if [ $rate != off ]; then step "$link" 784-512-2 4 exact 8 1024; fi
            fi
            deal_all "$link" "$1"
        done
    ) || exit 1
    hosts down "$work/hosts"
}
if [ "$(id -u)" -eq 0 ] && [ "$(uname -s)" = Linux ]; then
    for count in 2 4; do
        say "$count hosts"
        status=0
        on_hosts $count || status=$?
        [ $status -ne 77 ] || { say "no hosts here: TCP is left out" && break; }
        [ $status -eq 0 ] || exit 1
    done
else
    say "hosts need root: TCP is left out"
fi

# ---- the tables ----

{
    echo "name,value"
    echo "CPU,\"$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)\""
    echo "CPUs,$(getconf _NPROCESSORS_ONLN)"
    echo "system,$(uname -sr)"
    "$DTRAIN" --version | sed -n '1s/ (.*//; 1s/^dtrain /dtrain,/p; 2s/^/MPI,/p; 3s/\(.*\)/BLAS,"\1"/p'
    echo "date,$(date -u +%F)"
    echo "load average before the first measurement,$load"
    echo "command,\`$command\`"
} >csv/machine.csv
if [ -n "$keep" ]; then
    cd "$here"
    mkdir -p "$keep"
    cp "$work"/csv/*.csv "$keep"
    cd "$work"
fi
"$python" "$root/tests/bench/scaling.py" ${write:+--write "$root/results/SCALING.md"} csv
