#include "watchdog_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MOST_NAMED = 8 };

const char *dt_place_name(dt_place place)
{
    static const char *const names[DT_AT_COUNT] = {
        [DT_AT_START] = "at the start",
        [DT_AT_LOAD] = "while reading the data",
        [DT_AT_STEP] = "in a training step",
        [DT_AT_VALIDATE] = "in the validation",
        [DT_AT_CHECKPOINT] = "while writing a checkpoint",
        [DT_AT_LOG] = "while writing the log, or its output",
        [DT_AT_EVALUATE] = "in the evaluation",
        [DT_AT_SAVE] = "while saving the model",
        [DT_AT_END] = "at the end",
    };
    /* From memory that other processes also write. */
    return (unsigned)place < DT_AT_COUNT ? names[place] : "somewhere";
}

DT_PRINTF(2, 3) static void append(char out[DT_LINE_BYTES], const char *format, ...)
{
    const size_t used = strlen(out);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(out + used, DT_LINE_BYTES - used, format, arguments);
    va_end(arguments);
}

static void append_where(char out[DT_LINE_BYTES], const dt_slot *slot)
{
    const int place = atomic_load_explicit(&slot->place, memory_order_relaxed);
    const long long epoch = atomic_load_explicit(&slot->epoch, memory_order_relaxed);
    const unsigned long long step = atomic_load_explicit(&slot->step, memory_order_relaxed);
    append(out, " %s", dt_place_name((dt_place)place));
    if (epoch > 0 && place == DT_AT_STEP)
        append(out, " (epoch %lld, step %llu)", epoch, step);
    else if (epoch > 0)
        append(out, " (epoch %lld)", epoch);
}

/* Adds an item to a list, of which the first few are named. */
static bool begin_item(char out[DT_LINE_BYTES], int *listed)
{
    const bool named = *listed < MOST_NAMED;
    if (named && *listed > 0)
        append(out, ", ");
    ++*listed;
    return named;
}

static void end_list(char out[DT_LINE_BYTES], int listed)
{
    if (listed > MOST_NAMED)
        append(out, ", and %d more", listed - MOST_NAMED);
    append(out, "; the job ends\n");
}

static int rank_of(const dt_host *host, int i)
{
    return atomic_load_explicit(&host->board->slots[i].rank, memory_order_relaxed);
}

void dt_line_of_dead(char out[DT_LINE_BYTES], const dt_host *host, const dt_sight *sights)
{
    int listed = 0;
    out[0] = '\0';
    append(out, "dtrain: error: ");
    for (int i = 0; i < host->count; i++) {
        if (!sights[i].dead || !begin_item(out, &listed))
            continue;
        append(out, "rank %d on %s died", rank_of(host, i), host->name);
        append_where(out, &host->board->slots[i]);
    }
    end_list(out, listed);
}

/* ---- a stall ---- */

static bool has_ended(const dt_host *host, int i)
{
    return atomic_load_explicit(&host->board->slots[i].ended, memory_order_relaxed) != 0;
}

static bool waits(const dt_sight *sight)
{
    return sight->responds && sight->calls % 2 == 1;
}

/* The collective that the furthest of the ranks is in. */
static unsigned long long furthest_call(const dt_host *host, const dt_sight *sights)
{
    unsigned long long calls = 0;
    for (int i = 0; i < host->count; i++)
        if (!has_ended(host, i) && sights[i].calls > calls)
            calls = sights[i].calls;
    return calls;
}

static bool all_wait(const dt_host *host, const dt_sight *sights)
{
    bool all = true;
    for (int i = 0; i < host->count; i++)
        all = all && (has_ended(host, i) || waits(&sights[i]));
    return all;
}

/* The ranks that the others wait for. A rank in an earlier collective than others may itself wait
 * for a late rank; it is named only if no other rank can be the cause. */
static bool is_late(const dt_host *host, const dt_sight *sights, int i)
{
    if (has_ended(host, i))
        return false;
    if (!all_wait(host, sights))
        return !waits(&sights[i]);
    return host->count == host->job_size && sights[i].calls < furthest_call(host, sights);
}

/* The waiting ranks, as "ranks 0-3, 6 on HOST wait". */
static void append_waiting(char out[DT_LINE_BYTES], const dt_host *host)
{
    int waiting = 0, listed = 0, first = -1;
    for (int i = 0; i < host->count; i++)
        waiting += !has_ended(host, i);
    append(out, waiting == 1 ? "rank " : "ranks ");
    for (int i = 0; i < host->count; i++) {
        if (has_ended(host, i))
            continue;
        const int rank = rank_of(host, i);
        const bool joins = i > 0 && !has_ended(host, i - 1) && rank_of(host, i - 1) == rank - 1;
        const bool extends =
            i + 1 < host->count && !has_ended(host, i + 1) && rank_of(host, i + 1) == rank + 1;
        if (!joins && begin_item(out, &listed)) {
            append(out, "%d", rank);
            first = rank;
        }
        if (!extends && first >= 0 && first != rank)
            append(out, "-%d", rank);
        first = extends ? first : -1;
    }
    if (listed > MOST_NAMED)
        append(out, " and more");
    append(out, " on %s %s", host->name, waiting == 1 ? "waits" : "wait");
}

static const char *others(const dt_host *host)
{
    if (host->count == host->job_size)
        return "for each other";
    return host->all ? "for those of other hosts" : "for other ranks";
}

void dt_line_of_stall(char out[DT_LINE_BYTES], const dt_host *host, const dt_sight *sights,
                      double still_s)
{
    int listed = 0;
    out[0] = '\0';
    append(out, "dtrain: error: no progress for %.0f s: ", still_s);
    for (int i = 0; i < host->count; i++) {
        if (!is_late(host, sights, i) || !begin_item(out, &listed))
            continue;
        append(out, "rank %d on %s %s", rank_of(host, i), host->name,
               sights[i].responds ? "is stuck" : "does not respond (stopped?)");
        append_where(out, &host->board->slots[i]);
    }
    if (listed == 0) {
        append_waiting(out, host);
        append(out, " %s", others(host));
        append_where(out, &host->board->slots[host->own]);
    }
    end_list(out, listed);
}
