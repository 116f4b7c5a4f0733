/* Which setting of a search the order of its trials depends on: the values of each in groups. */
#include "report_search.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUPS = 4 };

/* ---- groups ---- */

static bool is_same(const dt_report_setting *setting, size_t a, size_t b)
{
    if (setting->numbers != NULL)
        return !(setting->numbers[a] < setting->numbers[b]) &&
               !(setting->numbers[a] > setting->numbers[b]);
    return strcmp(setting->texts.texts[a], setting->texts.texts[b]) == 0;
}

static int compare_numbers(const void *a, const void *b)
{
    const double first = *(const double *)a, second = *(const double *)b;
    return first < second ? -1 : first > second;
}

/* Of a range, quarters of the trials by their numbers. */
static void group_by_quarters(dt_report_setting *setting, const double *sorted, size_t trials)
{
    setting->group_count = trials < GROUPS ? trials : GROUPS;
    for (size_t i = 0; i < trials; i++) {
        size_t group = 0;
        while (group + 1 < setting->group_count &&
               setting->numbers[i] >= sorted[(group + 1) * trials / setting->group_count])
            group++;
        setting->groups[i] = group;
    }
}

/* A group for each value. Returns false if there are more than `most`. */
static bool group_by_value(dt_report_setting *setting, size_t trials, size_t most)
{
    setting->group_count = 0;
    for (size_t i = 0; i < trials; i++) {
        size_t before = 0;
        while (before < i && !is_same(setting, before, i))
            before++;
        setting->groups[i] = before < i ? setting->groups[before] : setting->group_count++;
        if (setting->group_count > most)
            return false;
    }
    return true;
}

/* The index of a trial's value among the choices of the space; how many choices there are: it is
 * none of them. */
static size_t find_choice(size_t *count, const dt_report_setting *setting, size_t trial)
{
    size_t found = SIZE_MAX;
    *count = 0;
    for (const char *at = setting->values; at != NULL; at = strchr(at, '|')) {
        char choice[128];
        at += *at == '|';
        at += strspn(at, " \t");
        size_t length = strcspn(at, "|");
        while (length > 0 && (at[length - 1] == ' ' || at[length - 1] == '\t'))
            length--;
        (void)snprintf(choice, sizeof choice, "%.*s", (int)length, at);
        const double number = strtod(choice, NULL);
        const bool same =
            setting->numbers != NULL
                ? !(number < setting->numbers[trial]) && !(number > setting->numbers[trial])
                : strcmp(choice, setting->texts.texts[trial]) == 0;
        if (same && found == SIZE_MAX)
            found = *count;
        ++*count;
    }
    return found == SIZE_MAX ? *count : found;
}

/* Choices that no trial has drawn have no group. */
static void drop_empty(dt_report_setting *setting, size_t trials)
{
    size_t kept = 0;
    for (size_t group = 0; group < setting->group_count; group++) {
        bool drawn = false;
        for (size_t i = 0; i < trials; i++) {
            if (setting->groups[i] != group)
                continue;
            setting->groups[i] = kept; /* none of the later groups */
            drawn = true;
        }
        kept += drawn;
    }
    setting->group_count = kept;
}

/* In the order of the space. Returns false if a value is not one of the choices. */
static bool group_by_choice(dt_report_setting *setting, size_t trials)
{
    for (size_t i = 0; i < trials; i++) {
        setting->groups[i] = find_choice(&setting->group_count, setting, i);
        if (setting->groups[i] == setting->group_count)
            return false;
    }
    drop_empty(setting, trials);
    return true;
}

DT_MUST_USE static dt_status make_groups(dt_report_setting *setting, size_t trials)
{
    dt_status status = DT_OK;
    double *sorted = NULL;
    if (setting->numbers == NULL || !setting->is_range) {
        if (!group_by_choice(setting, trials))
            (void)group_by_value(setting, trials, trials);
        return DT_OK;
    }
    if (group_by_value(setting, trials, GROUPS))
        return DT_OK;
    DT_TRY(dt_memory_alloc(&sorted, trials, sizeof *sorted, "trials"));
    memcpy(sorted, setting->numbers, trials * sizeof *sorted);
    qsort(sorted, trials, sizeof *sorted, compare_numbers);
    group_by_quarters(setting, sorted, trials);
out:
    dt_memory_free(sorted);
    return status;
}

/* The share of the variance of the trials' ranks between the groups, minus the share expected by
 * chance (epsilon squared of an analysis of variance). It uses ranks, because a few bad values
 * would dominate the variance of values. */
DT_MUST_USE static dt_status measure(dt_report_setting *setting, const dt_report_search *s)
{
    dt_status status = DT_OK;
    double *sums = NULL, *counts = NULL;
    double between = 0.0, total = 0.0, groups = 0.0;
    const double n = (double)s->ranked, mean = (n - 1.0) / 2.0;
    DT_TRY(dt_memory_alloc(&sums, setting->group_count, sizeof *sums, "groups"));
    DT_TRY(dt_memory_alloc(&counts, setting->group_count, sizeof *counts, "groups"));
    for (size_t place = 0; place < s->ranked; place++) {
        const size_t group = setting->groups[s->order[place]];
        sums[group] += (double)place - mean;
        counts[group] += 1.0;
        total += ((double)place - mean) * ((double)place - mean);
    }
    for (size_t g = 0; g < setting->group_count; g++) {
        between += counts[g] > 0.0 ? sums[g] * sums[g] / counts[g] : 0.0;
        groups += counts[g] > 0.0;
    }
    const double within = total - between;
    if (n > groups && groups > 1.0)
        setting->share = (between - (groups - 1.0) * within / (n - groups)) / total;
    setting->share = setting->share > 0.0 ? setting->share : 0.0; /* no NaN */
out:
    dt_memory_free(sums);
    dt_memory_free(counts);
    return status;
}

static int compare_shares(const void *a, const void *b)
{
    const dt_report_setting *first = a, *second = b;
    if (first->share > second->share || first->share < second->share)
        return first->share > second->share ? -1 : 1;
    return strcmp(first->name, second->name);
}

dt_status dt_report_search_find_what_matters(dt_report_search *s)
{
    dt_status status = DT_OK;
    for (size_t i = 0; i < s->setting_count; i++) {
        DT_TRY(make_groups(&s->settings[i], s->trials));
        DT_TRY(measure(&s->settings[i], s));
    }
    if (s->setting_count > 0)
        qsort(s->settings, s->setting_count, sizeof *s->settings, compare_shares);
out:
    return status;
}

/* ---- values ---- */

const char *dt_report_search_text(char out[64], const dt_report_setting *setting, size_t trial)
{
    if (setting->numbers != NULL)
        (void)dt_text_number(out, setting->numbers[trial], 4);
    else
        (void)snprintf(out, 64, "%s", setting->texts.texts[trial]);
    return out;
}

/* "0.001 to 0.003": the numbers that the group's trials have. */
static void name_group(char out[64], const dt_report_search *s, const dt_report_setting *setting,
                       size_t group)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < s->trials; i++) {
        if (setting->groups[i] != group)
            continue;
        (void)dt_report_search_text(out, setting, i);
        if (setting->numbers == NULL)
            return;
        low = fmin(low, setting->numbers[i]);
        high = fmax(high, setting->numbers[i]);
    }
    if (low < high)
        (void)dt_text_range(out, low, high, 3);
}

dt_status dt_report_search_group(dt_report_group_values *out, const dt_report_search *search,
                                 const dt_report_setting *setting, size_t group)
{
    dt_status status = DT_OK;
    double *values = NULL;
    *out = (dt_report_group_values){.median = NAN, .best = NAN};
    DT_TRY(dt_memory_alloc(&values, search->trials, sizeof *values, "trials"));
    name_group(out->name, search, setting, group);
    for (size_t place = 0; place < search->ranked; place++) {
        const size_t trial = search->order[place];
        if (setting->groups[trial] == group)
            values[out->count++] = search->columns[SEARCH_VALUE][trial];
    }
    if (out->count == 0)
        goto out;
    qsort(values, out->count, sizeof *values, compare_numbers);
    out->median = (values[(out->count - 1) / 2] + values[out->count / 2]) / 2.0;
    out->best = search->larger_is_better ? values[out->count - 1] : values[0];
out:
    dt_memory_free(values);
    return status;
}
