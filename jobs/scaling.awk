# awk -f scaling.awk runs.csv: prints the medians of scaling.sbatch's rounds, a line for each kind of run.
#
#   ideal_us             step_us without any loss
#   speedup              training rows a second, over those of a rank of the smallest job
#   efficiency           speedup, over the ranks
#   communication_share  of the time of a step: adding over the ranks, and waiting for each other
#   wait_share           of the time of a step: only waiting
#   allreduce_us         of a step, without waiting; mean over the ranks
# An empty field means unknown.

function median(values, count,    i, k, moved) {
    if (count == 0) return ""
    for (i = 2; i <= count; i++) {
        moved = values[i]
        for (k = i; k > 1 && values[k - 1] > moved; k--) values[k] = values[k - 1]
        values[k] = moved
    }
    least = values[1]
    most = values[count]
    return (values[int((count + 1) / 2)] + values[int(count / 2) + 1]) / 2
}

# The median of a column over the repetitions of a kind; sets least and most.
function median_of(kind, name,    i, count, values) {
    for (i = 1; i <= repeats[kind]; i++)
        if (value[kind, i, name] != "") values[++count] = value[kind, i, name] + 0
    return median(values, count)
}

# Clocks of two ranks and a rounded sum may make it a little more than 1.
function share(part, whole) { return whole == 0 ? "" : sprintf("%.4f", part < whole ? part / whole : 1) }
function us(time) { return time == "" ? "" : sprintf("%.2f", time) }

function print_kind(kind, line, speed,    ranks, step, speedup, added, waited, bare, ideal) {
    ranks = value[kind, 1, "ranks"]
    added = median_of(kind, "allreduce_us")
    waited = median_of(kind, "wait_us")
    bare = us(median_of(kind, "bare_us"))
    step = median_of(kind, "step_us") # the last one, for least and most
    speedup = speed / base[line]
    ideal = base_step[line] * (line ~ /strong/ ? base_ranks[line] / ranks : 1)
    print line, ranks, value[kind, 1, "hosts"], value[kind, 1, "shards"], value[kind, 1, "batch"],
        value[kind, 1, "steps"], repeats[kind], us(step), us(ideal), us(least), us(most),
        sprintf("%.0f", speed), sprintf("%.3f", speedup), sprintf("%.4f", speedup / ranks),
        share(added + waited, step), share(waited, step), us(added), us(waited), bare
}

BEGIN { FS = OFS = "," }
NR == 1 {
    for (i = 1; i <= NF; i++) title[i] = $i
    next
}
{
    kind = $1 "," $2 "," $3
    if (!(kind in repeats)) kinds[++found] = kind
    repeats[kind]++
    for (i = 1; i <= NF; i++) value[kind, repeats[kind], title[i]] = $i
}
END {
    print "mode,sum,ranks,hosts,shards,batch,steps,runs,step_us,ideal_us,step_least_us,step_most_us," \
        "samples_per_second,speedup,efficiency,communication_share,wait_share,allreduce_us,wait_us,bare_allreduce_us"
    # The smallest job of each mode and sum is what the others are measured by.
    for (i = 1; i <= found; i++) {
        speed[i] = median_of(kinds[i], "samples_per_second")
        ranks = value[kinds[i], 1, "ranks"]
        line = value[kinds[i], 1, "mode"] "," value[kinds[i], 1, "sum"]
        if (!(line in base_ranks) || ranks < base_ranks[line]) {
            base_ranks[line] = ranks
            base[line] = speed[i] / ranks
            base_step[line] = median_of(kinds[i], "step_us")
        }
    }
    for (k = 1; k <= split("strong,exact strong,fast weak,exact weak,fast", lines, " "); k++)
        for (i = 1; i <= found; i++)
            if (index(kinds[i], lines[k] ",") == 1) print_kind(kinds[i], lines[k], speed[i])
}
