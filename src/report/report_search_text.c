/* A search in the terminal, and as CSV. */
#include "report_search.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIALS_SHOWN = 20, SETTINGS_SHOWN = 3, BAR = 18 };

void dt_report_fill_trials(dt_text_table *out, const dt_report_search *search, size_t most)
{
    const size_t shown = search->trials < most ? search->trials : most;
    const double best = search->columns[SEARCH_VALUE][search->order[0]];
    char text[64];
    *out = (dt_text_table){.more = search->trials - shown};
    dt_text_table_titles(out, ">trial|state");
    dt_text_table_title(out, ">%s", search->monitor);
    if (search->has_deviation)
        dt_text_table_titles(out, ">+-");
    dt_text_table_titles(out, ">epochs|>seconds|>parameters");
    for (size_t i = 0; i < search->setting_count; i++)
        dt_text_table_title(out, ">%s", search->settings[i].name);
    for (size_t place = 0; place < shown; place++) {
        const size_t trial = search->order[place];
        const bool failed = search->reasons.texts[trial][0] != '\0';
        dt_text_table_add(out, "%.0f", search->columns[SEARCH_TRIAL][trial]);
        dt_text_table_add(out, "%s%s%.60s", search->states.texts[trial], failed ? ": " : "",
                          search->reasons.texts[trial]);
        dt_report_add_aligned(out, search->columns[SEARCH_VALUE][trial], best, 5);
        if (place == 0 && search->ranked > 0)
            dt_text_table_set_best(out);
        if (search->has_deviation)
            dt_report_add_aligned(out, search->columns[SEARCH_DEVIATION][trial], best, 5);
        dt_text_table_add(out, "%.0f", search->columns[SEARCH_EPOCHS][trial]);
        dt_text_table_add(out, "%.2f", search->columns[SEARCH_SECONDS][trial]);
        dt_text_table_add(out, "%.0f", search->columns[SEARCH_PARAMETERS][trial]);
        for (size_t i = 0; i < search->setting_count; i++)
            dt_text_table_add(out, "%s", dt_report_search_text(text, &search->settings[i], trial));
    }
}

/* ---- what the best costs ---- */

static int compare(const void *a, const void *b)
{
    const double first = *(const double *)a, second = *(const double *)b;
    return first < second ? -1 : first > second;
}

/* Of the trials that have been trained to their end. */
static double median_seconds(const dt_report_search *s)
{
    double *seconds = NULL, median = NAN;
    size_t count = 0;
    if (dt_memory_alloc(&seconds, s->trials, sizeof *seconds, "trials") != DT_OK)
        return NAN;
    for (size_t i = 0; i < s->trials; i++)
        if (strcmp(s->states.texts[i], "ok") == 0)
            seconds[count++] = s->columns[SEARCH_SECONDS][i];
    if (count > 0) {
        qsort(seconds, count, sizeof *seconds, compare);
        median = (seconds[(count - 1) / 2] + seconds[count / 2]) / 2.0;
    }
    dt_memory_free(seconds);
    return median;
}

/* The place of the smallest network that is almost as good as the best: within a hundredth of its
 * value. */
static size_t find_cheap(const dt_report_search *s)
{
    const double best = s->columns[SEARCH_VALUE][s->order[0]], near = 0.01 * fabs(best);
    size_t cheap = 0;
    for (size_t place = 1; place < s->ranked; place++) {
        const size_t trial = s->order[place];
        if (fabs(s->columns[SEARCH_VALUE][trial] - best) <= near &&
            s->columns[SEARCH_PARAMETERS][trial] < s->columns[SEARCH_PARAMETERS][s->order[cheap]])
            cheap = place;
    }
    return cheap;
}

const char *dt_report_search_cost(char *out, size_t bytes, const dt_report_search *search)
{
    out[0] = '\0';
    if (search->ranked == 0)
        return out;
    const size_t best = search->order[0], cheap = search->order[find_cheap(search)];
    const double median = median_seconds(search), ranks = search->columns[SEARCH_RANKS][best];
    size_t used = (size_t)snprintf(
        out, bytes, "%.0f parameters, %.0f epochs in %.2f s on %.0f rank%s",
        search->columns[SEARCH_PARAMETERS][best], search->columns[SEARCH_EPOCHS][best],
        search->columns[SEARCH_SECONDS][best], ranks, ranks > 1.5 ? "s" : "");
    if (used < bytes && median > 0.0)
        used += (size_t)snprintf(out + used, bytes - used, ", %.2g times the median time",
                                 search->columns[SEARCH_SECONDS][best] / median);
    if (used < bytes && cheap != best)
        (void)snprintf(
            out + used, bytes - used, "; trial %.0f, with %.0f parameters, is at most 1 %% worse",
            search->columns[SEARCH_TRIAL][cheap], search->columns[SEARCH_PARAMETERS][cheap]);
    return out;
}

/* ---- stdout ---- */

static void add_bar(dt_text_table *table, double share)
{
    static const char full[] = "##################";
    dt_text_table_add(table, "%.*s", (int)(share * BAR + 0.5), full);
}

DT_MUST_USE static dt_status print_what_matters(const dt_report_search *s)
{
    dt_text_table table = {0};
    dt_text_table_titles(&table, "setting|>explains|");
    dt_text_table_title(&table, "values");
    for (size_t i = 0; i < s->setting_count; i++) {
        dt_text_table_add(&table, "%s", s->settings[i].name);
        dt_text_table_add(&table, "%.0f %%", 100.0 * s->settings[i].share);
        add_bar(&table, s->settings[i].share);
        dt_text_table_add(&table, "%s", s->settings[i].values);
    }
    dt_log_show(
        "what matters: how much of the ranking of the trials each setting explains alone\n\n");
    return dt_text_table_print(&table);
}

DT_MUST_USE static dt_status print_setting(const dt_report_search *s,
                                           const dt_report_setting *setting)
{
    dt_status status = DT_OK;
    dt_text_table table = {0};
    enum { GROUPS_SHOWN = 12 };
    const double best = s->columns[SEARCH_VALUE][s->order[0]];
    dt_text_table_title(&table, "%s", setting->name);
    dt_text_table_title(&table, ">trials");
    dt_text_table_title(&table, ">median %s", s->monitor);
    dt_text_table_title(&table, ">best");
    for (size_t g = 0; g < setting->group_count && g < GROUPS_SHOWN; g++) {
        dt_report_group_values group;
        DT_TRY(dt_report_search_group(&group, s, setting, g));
        if (group.name[0] == '\0') /* a quarter of the range without a trial */
            continue;
        dt_text_table_add(&table, "%s", group.name);
        dt_text_table_add(&table, "%zu", group.count);
        dt_report_add_aligned(&table, group.median, best, 5);
        dt_report_add_aligned(&table, group.best, best, 5);
    }
    if (setting->group_count > GROUPS_SHOWN)
        table.more = setting->group_count - GROUPS_SHOWN;
    dt_log_show("\n");
    return dt_text_table_print(&table);
out:
    dt_text_table_clear(&table);
    return status;
}

static size_t count_state(const dt_report_search *s, const char *state)
{
    size_t count = 0;
    for (size_t i = 0; i < s->trials; i++)
        count += strcmp(s->states.texts[i], state) == 0;
    return count;
}

static void print_head(const dt_report_search *s)
{
    static const char *const states[] = {"ok",     "dropped", "diverged", "refused",
                                         "failed", "paused",  "running",  "waiting"};
    char cost[256], value[DT_TEXT_NUMBER_BYTES];
    const char *separator = "";
    dt_log_show("search  %s: %zu trials, %s%s; ", s->path, s->trials, s->sample,
                s->halving > 1 ? ", halving" : "");
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        const size_t count = count_state(s, states[i]);
        if (count == 0)
            continue;
        dt_log_show("%s%zu %s", separator, count, states[i]);
        separator = ", ";
    }
    dt_log_show("\nstatus  %s%s%s\n", s->status, s->reason != NULL ? ": " : "",
                s->reason != NULL ? s->reason : "");
    if (s->ranked > 0)
        dt_log_show("best    trial %.0f: %s %s\ncosts   %s\n",
                    s->columns[SEARCH_TRIAL][s->order[0]], s->monitor,
                    dt_text_rounded(value, s->columns[SEARCH_VALUE][s->order[0]], 5),
                    dt_report_search_cost(cost, sizeof cost, s));
    dt_log_show("\n");
}

dt_status dt_report_search_print(const dt_report_search *search)
{
    dt_status status = DT_OK;
    dt_text_table table;
    print_head(search);
    dt_report_fill_trials(&table, search, TRIALS_SHOWN);
    DT_TRY(dt_text_table_print(&table));
    dt_log_show("\n");
    if (search->ranked < 2)
        goto out;
    DT_TRY(print_what_matters(search));
    for (size_t i = 0; i < search->setting_count && i < SETTINGS_SHOWN; i++)
        DT_TRY(print_setting(search, &search->settings[i]));
out:
    return status;
}

/* ---- CSV ---- */

static void fill_csv(dt_text_table *table, const dt_report_search *s)
{
    dt_text_table_titles(table, "trial|state");
    for (size_t i = 0; i < s->setting_count; i++)
        dt_text_table_title(table, "%s", s->settings[i].name);
    dt_text_table_titles(table, "rung|trained_epochs|best_epoch|seconds|ranks|parameters");
    dt_text_table_title(table, "%s", s->monitor);
    dt_text_table_titles(table, "deviation|reason");
    for (size_t t = 0; t < s->trials; t++) {
        dt_text_table_add(table, "%.0f", s->columns[SEARCH_TRIAL][t]);
        dt_text_table_add(table, "%s", s->states.texts[t]);
        for (size_t i = 0; i < s->setting_count; i++) {
            const dt_report_setting *setting = &s->settings[i];
            if (setting->numbers != NULL)
                dt_report_add_exact(table, setting->numbers[t]);
            else
                dt_text_table_add(table, "%s", setting->texts.texts[t]);
        }
        for (size_t c = SEARCH_RUNG; c < SEARCH_COLUMNS; c++)
            dt_report_add_exact(table, s->columns[c][t]);
        dt_text_table_add(table, "%s", s->reasons.texts[t]);
    }
}

dt_status dt_report_search_csv(const char *path, const dt_report_search *search)
{
    dt_text_table table = {0};
    fill_csv(&table, search);
    const dt_status status = dt_report_put_csv(path, &table);
    dt_text_table_clear(&table);
    return status;
}
