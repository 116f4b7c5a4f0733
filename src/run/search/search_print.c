/* What a search says: rank 0 prints. */
#include "search_internal.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/log.h"
#include "dtrain/base/text.h"
#include "dtrain/base/text_wrap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BEST_SHOWN = 10, SHORT = 3, FULL = 6 };
enum { SETTINGS_BYTES = DT_SPACE_SETTINGS_MAX * (DT_SPACE_NAME_BYTES + DT_SPACE_VALUE_BYTES) };

static int64_t count_state(const dt_search *s, const char *state)
{
    int64_t count = 0;
    for (int64_t i = 0; i < s->trials; i++)
        count += strcmp(s->dealer.rows[i].state, state) == 0;
    return count;
}

/* Trials that are finished. */
static int64_t count_ended(const dt_search *s)
{
    return s->trials - count_state(s, "waiting") - count_state(s, "running") -
           count_state(s, "paused");
}

static const char *monitor_name(char out[64], const dt_search *s)
{
    (void)snprintf(out, 64, "val_%s", dt_settings_monitor(&s->run->settings)->name);
    return out;
}

/* ---- the beginning ---- */

static void print_rungs(const dt_search *s)
{
    const int64_t rungs = dt_search_rungs(s);
    int64_t trials = s->trials;
    dt_log_say("halving    ");
    for (int64_t rung = 1; rung <= rungs; rung++) {
        const int64_t epochs = dt_search_rung_epochs(s, rung);
        dt_log_say("%s%lld trial%s to epoch %lld", rung > 1 ? ", " : "", (long long)trials,
                   trials == 1 ? "" : "s",
                   (long long)(epochs > 0 ? epochs : s->run->settings.epochs));
        trials /= s->settings.halving > 1 ? s->settings.halving : 1;
    }
    dt_log_say("\n");
}

void dt_search_print_start(const dt_search *s)
{
    char name[64];
    const dt_run *r = s->run;
    const int each = dt_comm_size(r->comm), groups = dt_crew_count(s->crew);
    const dt_dataset *sets = r->sets;
    dt_environment_report(&s->environment);
    dt_log_say("data       %s: %llu training, %llu validation, %llu test rows; %zu inputs\n",
               r->source.name, (unsigned long long)sets[DT_TRAIN].N,
               (unsigned long long)sets[DT_VALIDATION].N, (unsigned long long)sets[DT_TEST].N,
               sets[DT_TRAIN].D);
    if (r->unscaled[0] != '\0')
        dt_log_warn("%s", r->unscaled);
    for (size_t i = 0; i < s->space.count; i++)
        dt_log_say("%-10s %s = %s\n", i == 0 ? "space" : "", s->space.settings[i].name,
                   s->space.settings[i].text);
    char folds[48] = "";
    const int64_t parts = r->settings.folds * r->settings.repeats;
    if (parts > 0)
        (void)snprintf(folds, sizeof folds, ", mean of %lld folds", (long long)parts);
    dt_log_say(
        "search     %lld trials, %s, by %s%s; %d group%s of %d rank%s\n", (long long)s->trials,
        s->settings.sampling == DT_SAMPLING_GRID ? "all points of the grid" : "at random",
        monitor_name(name, s), folds, groups, groups == 1 ? "" : "s", each, each == 1 ? "" : "s");
    if (s->settings.halving > 1)
        print_rungs(s);
    if (r->settings.resume[0] != '\0')
        dt_log_say("resume     %lld trials have ended before; others continue from checkpoints\n",
                   (long long)s->dealer.done_before);
    dt_log_say("run        seed %lld, %lld shards; results in %s\n\n", (long long)r->settings.seed,
               (long long)r->settings.shards, r->folder);
}

/* ---- trials ---- */

void dt_search_print_trial(const dt_search *s, const dt_trial *row)
{
    char values[SETTINGS_BYTES], name[64], deviation[32] = "", value[DT_TEXT_NUMBER_BYTES];
    const int width = snprintf(NULL, 0, "%lld", (long long)s->trials);
    (void)dt_search_describe(values, sizeof values, s, row->trial, SHORT);
    if (!isnan(row->deviation))
        (void)snprintf(deviation, sizeof deviation, " +- %s",
                       dt_text_aligned(value, row->deviation, row->value, 5));
    if (isnan(row->value))
        dt_log_say("trial %*lld  %s  %s\n", width, (long long)row->trial, row->state, values);
    else
        dt_log_say("trial %*lld  %s %-7s%s  %4lld epochs  %4s  %s\n", width, (long long)row->trial,
                   monitor_name(name, s), dt_text_rounded(value, row->value, 5), deviation,
                   (long long)row->epochs, dt_search_best(s) == row->trial - 1 ? "best" : "",
                   values);
}

/* Seconds until the end, estimated from the trials so far. */
static double left_s(const dt_search *s, int64_t ended)
{
    const int64_t now = ended - s->dealer.done_before;
    const double passed_s = dt_clock_s() - s->started_s;
    return now > 0 ? passed_s * (double)(s->trials - ended) / (double)now : NAN;
}

void dt_search_print_progress(const dt_search *s)
{
    if (!dt_log_live_due())
        return;
    char best[160] = "", left[64] = "", value[DT_TEXT_NUMBER_BYTES], shown[DT_TEXT_DURATION_BYTES],
         name[64];
    const int64_t ended = count_ended(s), index = dt_search_best(s);
    const double seconds = left_s(s, ended);
    if (index >= 0)
        (void)snprintf(best, sizeof best, "  best %s %s, trial %lld", monitor_name(name, s),
                       dt_text_rounded(value, s->dealer.rows[index].value, 5),
                       (long long)index + 1);
    if (!isnan(seconds) && s->settings.halving < 2)
        (void)snprintf(left, sizeof left, "  left %s",
                       dt_text_show_duration(shown, seconds < 60.0 ? ceil(seconds)
                                                                   : 60.0 * ceil(seconds / 60.0)));
    dt_log_live("trials %lld/%lld  %lld running%s%s", (long long)ended, (long long)s->trials,
                (long long)count_state(s, "running"), best, left);
}

/* ---- the end ---- */

/* A trial for the list of the best ones. */
typedef struct shown {
    int64_t index;
    double value; /* the smaller the better */
} shown;

static int compare(const void *a, const void *b)
{
    const shown *first = a, *second = b;
    if (first->value < second->value || first->value > second->value)
        return first->value < second->value ? -1 : 1;
    return first->index < second->index ? -1 : first->index > second->index;
}

/* The best trials, and the widths of the columns of their settings. */
typedef struct best_list {
    shown rows[BEST_SHOWN + 1];
    size_t count;
    int widths[DT_SPACE_SETTINGS_MAX];
    bool in_columns; /* all of them fit side by side into a line */
} best_list;

static void find_best(best_list *out, const dt_search *s)
{
    const double sign = dt_settings_monitor(&s->run->settings)->larger_is_better ? -1.0 : 1.0;
    for (int64_t i = 0; i < s->trials; i++) {
        const dt_trial *row = &s->dealer.rows[i];
        if (strcmp(row->state, "ok") != 0 || isnan(row->value))
            continue;
        out->rows[out->count++] = (shown){i, sign * row->value};
        qsort(out->rows, out->count, sizeof *out->rows, compare);
        out->count = out->count > BEST_SHOWN ? BEST_SHOWN : out->count;
    }
}

/* Without columns, each row has the names of the settings, too. */
static void measure_columns(best_list *list, const dt_search *s, size_t used)
{
    char value[DT_SPACE_VALUE_BYTES];
    for (size_t i = 0; i < s->space.count; i++) {
        size_t width = dt_text_width(s->space.settings[i].name);
        for (size_t row = 0; row < list->count; row++) {
            const int64_t trial = list->rows[row].index + 1;
            const size_t wide = dt_text_width(dt_search_show_value(value, s, i, trial, SHORT));
            width = wide > width ? wide : width;
        }
        list->widths[i] = (int)width;
        used += 2 + width;
    }
    list->in_columns = used <= dt_log_width();
}

static void print_best(const dt_search *s)
{
    best_list list = {.count = 0};
    char name[64], values[SETTINGS_BYTES], value[DT_TEXT_NUMBER_BYTES];
    const int width = strlen(monitor_name(name, s)) > 10 ? (int)strlen(name) : 10;
    find_best(&list, s);
    const double best = s->dealer.rows[list.rows[0].index].value;
    measure_columns(&list, s, strlen("trial    best epoch  seconds") + (size_t)width);
    dt_log_say("\ntrial  %*s  best epoch  seconds%s", width, name,
               list.in_columns ? "" : "  settings");
    for (size_t i = 0; i < s->space.count && list.in_columns; i++)
        dt_log_say("  %*s", list.widths[i], s->space.settings[i].name);
    for (size_t row = 0; row < list.count; row++) {
        const int64_t trial = list.rows[row].index + 1;
        const dt_trial *facts = &s->dealer.rows[trial - 1];
        char epoch[24] = "-"; /* of folds, each has its own */
        if (facts->best_epoch > 0)
            (void)snprintf(epoch, sizeof epoch, "%lld", (long long)facts->best_epoch);
        dt_log_say("\n%5lld  %*s  %10s  %7.2f", (long long)trial, width,
                   dt_text_aligned(value, facts->value, best, 5), epoch, facts->seconds);
        for (size_t i = 0; i < s->space.count && list.in_columns; i++)
            dt_log_say("  %*s", list.widths[i], dt_search_show_value(values, s, i, trial, SHORT));
        if (!list.in_columns)
            dt_log_say("  %s", dt_search_describe(values, sizeof values, s, trial, SHORT));
    }
    dt_log_say("\n\n");
}

/* "diverged 2, refused 1" */
static void print_others(const dt_search *s)
{
    static const char *const states[] = {"diverged", "refused", "failed", "dropped"};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        const int64_t count = count_state(s, states[i]);
        if (count > 0)
            dt_log_result("summary.%s=%lld\n", states[i], (long long)count);
    }
}

void dt_search_print_end(const dt_search *s, dt_status status)
{
    char name[64], values[SETTINGS_BYTES];
    const int64_t best = dt_search_best(s);
    dt_log_live_end();
    if (best >= 0)
        print_best(s);
    if (status == DT_STOPPED)
        dt_log_say("\nstopped    %s; trials under way have checkpoints\n"
                   "           to resume on any number of ranks:\n"
                   "           mpirun -np N dtrain search --resume %s\n\n",
                   dt_status_text(), s->run->folder);
    dt_log_summary("folder", "%s", s->run->folder);
    dt_log_result("summary.ranks=%d\n", dt_comm_size(s->all));
    dt_log_result("summary.trials=%lld\n", (long long)s->trials);
    dt_log_result("summary.ok=%lld\n", (long long)count_state(s, "ok"));
    print_others(s);
    if (best >= 0) {
        dt_log_result("summary.best_trial=%lld\n", (long long)best + 1);
        dt_log_result("summary.best_%s=%.9g\n", monitor_name(name, s), s->dealer.rows[best].value);
        if (!isnan(s->dealer.rows[best].deviation))
            dt_log_result("summary.best_%s_deviation=%.9g\n", name, s->dealer.rows[best].deviation);
        dt_log_summary("best_settings", "%s",
                       dt_search_describe(values, sizeof values, s, best + 1, FULL));
        dt_log_summary("best_folder", "%s/trial-%lld", s->run->folder, (long long)best + 1);
    }
    dt_log_result("summary.seconds=%.2f\n", dt_clock_s() - s->started_s);
    if (status == DT_OK || status == DT_STOPPED)
        dt_log_result("summary.status=%s\n", status == DT_OK ? "ok" : "stopped");
}
