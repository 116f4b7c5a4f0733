#!/bin/sh
# hour.sh [SECONDS [RANKS [DTRAIN]]]    trains for SECONDS (3600) on RANKS (8), saving a checkpoint every 5 s, and
#                             looks every 20 s at each rank's resident memory and open descriptors.
#
# Prints, for each rank, both after the first minute and at the end, and fails when memory grew by more
# than 1 %, or a descriptor is left open. In the end the run is stopped by SIGUSR1, and has to say so.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
seconds=${1:-3600}
ranks=${2:-8}
DTRAIN=${3:-$here/../../build/dtrain}
DTRAIN=$(cd "$(dirname "$DTRAIN")" && pwd)/$(basename "$DTRAIN")
export DTRAIN
[ -x "$DTRAIN" ] || { echo "$DTRAIN is not there" >&2; exit 2; }
[ "$seconds" -ge 90 ] || { echo "hour.sh: at least 90 seconds" >&2; exit 2; }
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none HWLOC_COMPONENTS=-gl
work=$(mktemp -d "${TMPDIR:-/tmp}/dtrain-hour.XXXXXX")
job=""
leave() {
    [ -z "$job" ] || kill -KILL "$job" 2>/dev/null || :
    rm -rf "$work"
}
trap leave EXIT
trap 'exit 1' HUP INT TERM
cd "$work"
cat >with-pid <<'SH'
#!/bin/sh
echo $$ >"pid.${OMPI_COMM_WORLD_RANK:-0}"
exec "$DTRAIN" "$@"
SH
chmod +x with-pid
# A network so wide that epochs take seconds: the log of a million short ones would be what grows.
mpirun -q -np "$ranks" ./with-pid --out run --epochs 1000000000 --patience 1000000000 --hidden 512,512 \
    --checkpoint-every 5s --progress >out 2>err </dev/null &
job=$!

# look FILE: "rank RSS-in-KiB descriptors", a line a rank.
look() {
    rank=0
    while [ "$rank" -lt "$ranks" ]; do
        pid=$(cat "pid.$rank")
        echo "$rank $(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status") $(ls "/proc/$pid/fd" | wc -l)"
        rank=$((rank + 1))
    done >"$1"
}

begin=$(date +%s)
elapsed() { echo $(($(date +%s) - begin)); }
first=""
while [ "$(elapsed)" -lt "$seconds" ]; do
    sleep 20
    kill -0 "$job" 2>/dev/null || { echo "hour.sh: the run ended early" >&2; tail -n 3 out err >&2; exit 1; }
    look now
    if [ -z "$first" ] && [ "$(elapsed)" -ge 60 ]; then
        cp now first
        first=$(elapsed)
    fi
    cat now >>all
done
cp now last
kill -USR1 "$job"
status=0
wait "$job" || status=$?
job=""
echo "$ranks ranks, $(elapsed) s, $(sed -n 's/^summary.epochs=//p' out) epochs, exit status $status"
echo "rank: resident memory (KiB) and descriptors after $first s, at the end, most"
failed=0
[ "$status" -eq 75 ] || { echo "expected exit status 75"; failed=1; }
while read -r rank rss descriptors; do
    read -r last_rss last_descriptors <<LINE
$(awk -v rank="$rank" '$1 == rank { print $2, $3 }' last)
LINE
    most=$(awk -v rank="$rank" '$1 == rank { if ($2 > rss) rss = $2; if ($3 > n) n = $3 } END { print rss, n }' all)
    growth=$(awk -v a="$rss" -v b="$last_rss" 'BEGIN { printf "%+.2f", 100 * (b - a) / a }')
    echo "$rank: $rss $descriptors, $last_rss $last_descriptors, $most; memory $growth %"
    [ "$last_rss" -le $((rss + rss / 100)) ] || failed=1
    [ "$last_descriptors" -le "$descriptors" ] || failed=1
done <first
exit "$failed"
