#include "dtrain/run/space.h"

#include "dtrain/base/crc32.h"
#include "dtrain/base/elementary.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/random.h"
#include "dtrain/base/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char BLANKS[] = " \t";

bool dt_space_may_vary(const dt_option *option)
{
    /* Options of the whole search, and options that change the meaning of --monitor. */
    static const char *const fixed[] = {"class-weight", "threshold",   "task",    "preset",
                                        "init-from",    "restarts",    "average", "monitor",
                                        "folds",        "folds-by-id", "repeats", "fold",
                                        "shards",       "sum",         "engine",  NULL};
    const unsigned of_job =
        DT_SETTING_SESSION | DT_SETTING_NO_WEIGHT | DT_SETTING_HOW_SUMMED | DT_SETTING_THREADS;
    const unsigned of_data = DT_SETTING_DATA | DT_SETTING_TABLE | DT_SETTING_REMAKES;
    if (strcmp(option->name, "seed") == 0) /* the split keeps that of the search */
        return true;
    return (option->flags & (of_job | of_data)) == 0 && !dt_text_is_among(option->name, fixed);
}

/* ---- reading ---- */

/* Copies what stands from `from` up to `end`, without blanks around it. */
static const char *copy_trimmed(char *out, size_t bytes, const char *from, const char *end)
{
    from += strspn(from, BLANKS);
    from = from < end ? from : end;
    while (end > from && strchr(BLANKS, end[-1]) != NULL)
        end--;
    (void)snprintf(out, bytes, "%.*s", (int)(end - from), from);
    return out;
}

/* The choice of that number, "" behind the last. */
static bool find_choice(char out[DT_SPACE_VALUE_BYTES], const char *text, size_t index)
{
    for (; index > 0; index--) {
        text = strchr(text, '|');
        if (text == NULL)
            return false;
        text++;
    }
    (void)copy_trimmed(out, DT_SPACE_VALUE_BYTES, text, text + strcspn(text, "|"));
    return true;
}

/* Whether the option accepts a value; if not, the status is the reason. */
DT_MUST_USE static dt_status check_value(const dt_option *option, const char *value)
{
    dt_status status = DT_OK;
    dt_settings *scratch = NULL; /* too large for the stack */
    DT_TRY(dt_memory_alloc(&scratch, 1, sizeof *scratch, "settings"));
    status = dt_options_parse_value(option, scratch, value, false);
out:
    dt_memory_free(scratch);
    return status;
}

/* Says how values are written to those who write them as for another program: [16, 32], 1 - 9. */
DT_MUST_USE static dt_status advise(dt_status status, const char *text)
{
    if (status != DT_USAGE || strpbrk(text, " ,;([") == NULL || strchr(text, '|') != NULL)
        return status;
    return dt_fail(status, "%s; values are written as 16 | 64, and a range as log 1e-4 .. 1e-2",
                   dt_status_text());
}

DT_MUST_USE static dt_status read_choices(dt_space_setting *s, const dt_option *option)
{
    dt_status status = DT_OK;
    char value[DT_SPACE_VALUE_BYTES], before[DT_SPACE_VALUE_BYTES];
    for (const char *at = s->text; at != NULL; at = strchr(at, '|')) {
        at += *at == '|';
        if (strcspn(at, "|") >= DT_SPACE_VALUE_BYTES)
            return dt_fail(DT_USAGE, "a value is longer than %d bytes", DT_SPACE_VALUE_BYTES - 1);
    }
    for (s->count = 0; find_choice(value, s->text, s->count); s->count++) {
        if (value[0] == '\0')
            return dt_fail(DT_USAGE, "expected values between bars, found '%s'", s->text);
        DT_TRY(advise(check_value(option, value), s->text));
        for (size_t i = 0; i < s->count && find_choice(before, s->text, i); i++)
            if (strcmp(before, value) == 0)
                return dt_fail(DT_USAGE, "the value %s is there twice; remove one", value);
    }
out:
    return status;
}

DT_MUST_USE static dt_status read_end(double *out, const dt_option *option, const char *text)
{
    char *end = NULL;
    const dt_status status = advise(check_value(option, text), text);
    *out = strtod(text, &end);
    if (status == DT_OK && (end == text || !isfinite(*out))) /* "none" */
        return dt_fail(DT_USAGE, "a range is between two numbers, but its end is '%s'", text);
    return status;
}

/* What stands behind "in". */
DT_MUST_USE static dt_status read_count(dt_space_setting *s, const char *text)
{
    enum { COUNT_MAX = 10000 };
    int64_t count = 0;
    if (!dt_text_to_whole(&count, text) || count < 2 || count > COUNT_MAX)
        return dt_fail(DT_USAGE,
                       "a range is divided in 2 to %d values, not in '%s'; write A .. B in N",
                       COUNT_MAX, text);
    s->count = (size_t)count;
    if (!s->is_whole)
        return DT_OK;
    char value[DT_SPACE_VALUE_BYTES], before[DT_SPACE_VALUE_BYTES] = "";
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(dt_space_value(value, s, i), before) == 0)
            return dt_fail(DT_USAGE, "in %zu values, %s would be there twice; use fewer", s->count,
                           value);
        memcpy(before, value, sizeof before);
    }
    return DT_OK;
}

/* "log A .. B in N"; `dots` is where the two stand. */
DT_MUST_USE static dt_status read_range(dt_space_setting *s, const dt_option *option,
                                        const char *dots)
{
    dt_status status = DT_OK;
    char low[DT_SPACE_VALUE_BYTES], high[DT_SPACE_VALUE_BYTES], count[DT_SPACE_VALUE_BYTES];
    const char *from = s->text, *end = dots + strlen(dots);
    s->is_range = true;
    s->is_whole = option->kind == DT_OPTION_INT;
    if (!s->is_whole && option->kind != DT_OPTION_FLOAT)
        return dt_fail(DT_USAGE, "--%s does not accept a range; write its values between bars",
                       option->name);
    if (strncmp(from, "log", 3) == 0 && strchr(BLANKS, from[3]) != NULL) {
        s->is_log = true;
        from += 3;
    }
    const char *in = strstr(dots, " in ");
    (void)copy_trimmed(low, sizeof low, from, dots);
    (void)copy_trimmed(high, sizeof high, dots + 2, in != NULL ? in : end);
    DT_TRY(read_end(&s->from, option, low));
    DT_TRY(read_end(&s->to, option, high));
    if (!(s->from < s->to))
        return dt_fail(
            DT_USAGE, "the range from %s to %s is empty; the first number must be below the second",
            low, high);
    if (s->is_log && !(s->from > 0.0))
        return dt_fail(DT_USAGE, "a logarithmic range must start above 0, not at %s", low);
    if (in != NULL)
        DT_TRY(read_count(s, copy_trimmed(count, sizeof count, in + strlen(" in "), end)));
    else if (s->is_whole && !s->is_log)
        s->count = (size_t)(s->to - s->from) + 1;
out:
    return status;
}

dt_status dt_space_add(dt_space *space, const char *name, const char *text)
{
    dt_status status = DT_OK;
    size_t index = 0;
    DT_TRY(dt_options_find(&index, dt_settings_table(), name));
    const dt_option *option = &dt_settings_table()->options[index];
    if (!dt_space_may_vary(option))
        return dt_fail(DT_USAGE,
                       "--%s is the same for all trials; remove it here, and give it to dtrain "
                       "search",
                       name);
    for (size_t i = 0; i < space->count; i++)
        if (strcmp(space->settings[i].name, name) == 0)
            return dt_fail(DT_USAGE, "%s is there twice; remove one", name);
    if (space->count == DT_SPACE_SETTINGS_MAX)
        return dt_fail(DT_USAGE, "a space has at most %d settings", DT_SPACE_SETTINGS_MAX);
    if (strlen(text) >= DT_OPTION_TEXT_BYTES)
        return dt_fail(DT_USAGE, "is longer than %d bytes", DT_OPTION_TEXT_BYTES - 1);
    dt_space_setting *s = &space->settings[space->count];
    *s = (dt_space_setting){0};
    (void)snprintf(s->name, sizeof s->name, "%s", name);
    (void)snprintf(s->text, sizeof s->text, "%s", text);
    const char *dots = strstr(text, "..");
    DT_TRY(dots != NULL ? read_range(s, option, s->text + (dots - text)) : read_choices(s, option));
    space->count++;
out:
    return status;
}

static dt_status take_line(void *context, const char *name, const char *value)
{
    return dt_space_add(context, name, value);
}

dt_status dt_space_read(dt_space *out, const char *path)
{
    *out = (dt_space){0};
    dt_status status = dt_options_read_file("--space", path, take_line, out);
    if (status == DT_OK && out->count == 0)
        status = dt_fail(DT_USAGE,
                         "--space %s: has no setting; write lines as learning-rate = log 1e-4 .. "
                         "1e-2",
                         path);
    return status;
}

/* ---- values ---- */

/* The number at `share` (0 to 1) of a range. Six digits are enough and readable; they must not
 * exceed an end of the range. */
static const char *write_number(char out[DT_SPACE_VALUE_BYTES], const dt_space_setting *s,
                                double share)
{
    double number = s->from + share * (s->to - s->from);
    if (s->is_log) {
        const double from = dt_elementary_log(s->from), to = dt_elementary_log(s->to);
        number = dt_elementary_exp(from + share * (to - from));
    }
    (void)snprintf(out, DT_SPACE_VALUE_BYTES, s->is_whole ? "%.0f" : "%.6g", number);
    const double written = strtod(out, NULL);
    if (written < s->from || share <= 0.0)
        (void)snprintf(out, DT_SPACE_VALUE_BYTES, "%.16g", s->from);
    else if (written > s->to || share >= 1.0)
        (void)snprintf(out, DT_SPACE_VALUE_BYTES, "%.16g", s->to);
    return out;
}

const char *dt_space_value(char out[DT_SPACE_VALUE_BYTES], const dt_space_setting *setting,
                           size_t index)
{
    DT_ASSERT(index < setting->count);
    if (setting->is_range)
        return write_number(out, setting, (double)index / (double)(setting->count - 1));
    const bool found = find_choice(out, setting->text, index);
    DT_ASSERT(found);
    return out;
}

const char *dt_space_draw(char out[DT_SPACE_VALUE_BYTES], const dt_space_setting *setting,
                          uint64_t seed, int64_t trial)
{
    /* By its name, so that another line in the space does not change the values of the other
     * settings. */
    const uint64_t stream =
        (uint64_t)trial << 32 | dt_crc32(0, setting->name, strlen(setting->name));
    dt_random random = dt_random_start(seed, DT_RANDOM_SEARCH, stream);
    if (setting->count > 0)
        return dt_space_value(out, setting, (size_t)dt_random_below(&random, setting->count));
    return write_number(out, setting, dt_random_uniform(&random));
}

/* ---- the grid ---- */

dt_status dt_space_count(int64_t *out, const dt_space *space, int64_t most)
{
    *out = 1;
    for (size_t i = 0; i < space->count; i++) {
        const dt_space_setting *s = &space->settings[i];
        if (s->count == 0)
            return dt_fail(DT_USAGE,
                           "%s has no number of values for a grid; write %s = %s in 5, or use "
                           "--sample random",
                           s->name, s->name, s->text);
        if (s->count > (uint64_t)most / (uint64_t)*out)
            return dt_fail(DT_USAGE, "the grid has more than %lld points; use --sample random",
                           (long long)most);
        *out *= (int64_t)s->count;
    }
    return DT_OK;
}

size_t dt_space_point(const dt_space *space, size_t index, int64_t point)
{
    uint64_t left = (uint64_t)point - 1;
    for (size_t i = space->count - 1; i > index; i--)
        left /= space->settings[i].count;
    return (size_t)(left % space->settings[index].count);
}

/* ---- comparing ---- */

/* The index of a setting; the count: it is not there. */
static size_t find_setting(const dt_space *space, const char *name)
{
    size_t i = 0;
    while (i < space->count && strcmp(space->settings[i].name, name) != 0)
        i++;
    return i;
}

bool dt_space_differ(char *out, size_t bytes, const dt_space *was, const dt_space *is)
{
    for (size_t i = 0; i < was->count; i++) {
        const dt_space_setting *before = &was->settings[i];
        const size_t now = find_setting(is, before->name);
        const char *text = now < is->count ? is->settings[now].text : "not there";
        if (strcmp(text, before->text) != 0) {
            (void)snprintf(out, bytes, "%s is %.100s, and was %.100s", before->name, text,
                           before->text);
            return true;
        }
    }
    for (size_t i = 0; i < is->count; i++) {
        const size_t before = find_setting(was, is->settings[i].name);
        if (before == was->count)
            (void)snprintf(out, bytes, "%s is %.100s, and was not there", is->settings[i].name,
                           is->settings[i].text);
        else if (before != i) /* which changes the points of a grid */
            (void)snprintf(out, bytes, "%s is line %zu, and was line %zu", is->settings[i].name,
                           i + 1, before + 1);
        else
            continue;
        return true;
    }
    return false;
}
