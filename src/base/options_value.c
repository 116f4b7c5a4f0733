#include "dtrain/base/options.h"

#include "dtrain/base/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether a number may be left out. */
static bool may_be_none(const dt_option *option)
{
    return option->fallback != NULL && strcmp(option->fallback, "none") == 0;
}

static dt_status parse_number(double *out, const dt_option *option, const char *text)
{
    char *end = NULL;
    errno = 0;
    if (option->kind == DT_OPTION_FLOAT) {
        *out = strtod(text, &end);
    } else {
        const long long whole = strtoll(text, &end, 10);
        *out = (double)whole;
    }
    if (end == text || *end != '\0' || isnan(*out))
        return dt_fail(DT_USAGE, "--%s takes a %s, not '%s'", option->name,
                       option->kind != DT_OPTION_FLOAT ? "whole number"
                       : may_be_none(option)           ? "number, or none"
                                                       : "number",
                       text);
    if (errno == ERANGE || *out < option->minimum || *out > option->maximum)
        return dt_fail(DT_USAGE, "--%s is %s, but must be between %.16g and %.16g", option->name,
                       text, option->minimum, option->maximum);
    return DT_OK;
}

/* The choice with the most similar spelling, or "". */
static void suggest_choice(char *out, size_t bytes, const char *choices, const char *text)
{
    enum { CHOICES_MAX = 64, NAME_BYTES = 32 };
    char all[CHOICES_MAX][NAME_BYTES];
    const char *names[CHOICES_MAX];
    size_t count = 0;
    for (const char *from = choices; count < CHOICES_MAX; from++) {
        const size_t length = strcspn(from, "|");
        (void)snprintf(all[count], NAME_BYTES, "%.*s", (int)length, from);
        names[count] = all[count];
        count++;
        from += length;
        if (*from == '\0')
            break;
    }
    const size_t nearest = dt_text_nearest(text, names, count);
    (void)snprintf(out, bytes, "%s%s%s", nearest != SIZE_MAX ? "; did you mean " : "",
                   nearest != SIZE_MAX ? names[nearest] : "", nearest != SIZE_MAX ? "?" : "");
}

static dt_status parse_choice(double *out, const dt_option *option, const char *text)
{
    const int index = dt_text_find_typed(option->choices, text);
    *out = (double)index;
    char advice[64];
    if (index >= 0)
        return DT_OK;
    suggest_choice(advice, sizeof advice, option->choices, text);
    return dt_fail(DT_USAGE, "--%s takes one of %s, not '%s'%s", option->name, option->choices,
                   text, advice);
}

/* Numbers or choices, separated by commas. */
static dt_status parse_list(dt_option_list *out, const dt_option *option, const char *text)
{
    const bool numbers = option->kind == DT_OPTION_LIST;
    *out = (dt_option_list){0};
    if (numbers && strcmp(dt_options_own_value(option, text), "none") == 0)
        return DT_OK;
    char item[32];
    for (const char *from = text;;) {
        const size_t length = strcspn(from, ",");
        if (length >= sizeof item)
            return dt_fail(DT_USAGE, "--%s takes %s, not '%s'", option->name,
                           numbers ? "whole numbers" : "names", text);
        (void)snprintf(item, sizeof item, "%.*s", (int)length, from);
        double value = 0;
        dt_status status =
            numbers ? parse_number(&value, option, item) : parse_choice(&value, option, item);
        if (status != DT_OK)
            return status;
        if (out->count == DT_OPTION_LIST_MAX)
            return dt_fail(DT_USAGE, "--%s takes at most %d %s", option->name, DT_OPTION_LIST_MAX,
                           numbers ? "numbers" : "names");
        out->values[out->count++] = (size_t)value;
        if (from[length] == '\0')
            return DT_OK;
        from += length + 1;
    }
}

static dt_status parse_flag(bool *out, const dt_option *option, const char *text)
{
    const int yes = dt_text_find_choice("yes|true|1|on", text);
    if (yes < 0 && dt_text_find_choice("no|false|0|off", text) < 0)
        return dt_fail(DT_USAGE, "--%s takes yes or no, not '%s'", option->name, text);
    *out = yes >= 0;
    return DT_OK;
}

/* A repeated option adds words: if it replaced them, nobody would notice the lost ones. */
static dt_status add_words(char *words, const dt_option *option, const char *text, bool again)
{
    const size_t used = again ? strlen(words) : 0;
    const int written = snprintf(words + used, DT_OPTION_TEXT_BYTES - used, "%s%s",
                                 used > 0 && text[0] != '\0' ? "," : "", text);
    if ((size_t)written >= DT_OPTION_TEXT_BYTES - used)
        return dt_fail(DT_USAGE, "--%s is longer than %d bytes", option->name,
                       DT_OPTION_TEXT_BYTES - 1);
    return DT_OK;
}

/* The time is above 0: only "never" means 0, because "0s" could be read as "always". */
static dt_status parse_duration(double *out, const dt_option *option, const char *text)
{
    const bool interval = option->kind == DT_OPTION_INTERVAL;
    char least[DT_TEXT_DURATION_BYTES], most[DT_TEXT_DURATION_BYTES];
    if (!dt_text_duration(out, text)) {
        if (text[0] != '\0' && text[strspn(text, "0123456789.")] == '\0')
            return dt_fail(DT_USAGE, "--%s %s needs a unit, as 90s, 10min, 1.5h", option->name,
                           text);
        return dt_fail(DT_USAGE, "--%s takes a time, as 90s, 10min, 1.5h, 2d, HH:MM:SS%s, not '%s'",
                       option->name,
                       interval ? ", a whole number of epochs, or never" : ", or never", text);
    }
    if (strcmp(text, "never") == 0)
        return DT_OK;
    if (!(*out > 0.0))
        return dt_fail(DT_USAGE, "--%s is %s, but must be above 0s, or never", option->name, text);
    if (*out < option->minimum || *out > option->maximum)
        return dt_fail(DT_USAGE, "--%s is %s, but must be between %s and %s", option->name, text,
                       option->minimum > 0.0 ? dt_text_show_duration(least, option->minimum) : "0s",
                       dt_text_show_duration(most, option->maximum));
    return DT_OK;
}

static dt_status parse_interval(dt_option_interval *out, const dt_option *option, const char *text)
{
    *out = (dt_option_interval){0};
    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
        return parse_duration(&out->seconds, option, text);
    errno = 0;
    const long long epochs = strtoll(text, NULL, 10);
    if (errno == ERANGE || epochs < 1 || epochs > DT_OPTION_EPOCHS_MAX)
        return dt_fail(DT_USAGE, "--%s is %s epochs, but must be between 1 and %d, or never",
                       option->name, text, DT_OPTION_EPOCHS_MAX);
    out->epochs = epochs;
    return DT_OK;
}

dt_status dt_options_parse_value(const dt_option *option, void *settings, const char *text,
                                 bool again)
{
    void *target = (char *)settings + option->offset;
    double number = 0;
    dt_status status = DT_OK;
    switch (option->kind) {
    case DT_OPTION_FLAG:
        return parse_flag(target, option, text);
    case DT_OPTION_INT:
        status = parse_number(&number, option, text);
        if (status == DT_OK)
            *(int64_t *)target = (int64_t)number;
        return status;
    case DT_OPTION_FLOAT:
        if (strcmp(text, "none") != 0 || !may_be_none(option))
            return parse_number(target, option, text);
        *(double *)target = NAN;
        return DT_OK;
    case DT_OPTION_TEXT:
        if (strlen(text) >= DT_OPTION_TEXT_BYTES)
            return dt_fail(DT_USAGE, "--%s is longer than %d bytes", option->name,
                           DT_OPTION_TEXT_BYTES - 1);
        (void)snprintf(target, DT_OPTION_TEXT_BYTES, "%s", text);
        return DT_OK;
    case DT_OPTION_WORDS:
        return add_words(target, option, text, again);
    case DT_OPTION_CHOICE:
        status = parse_choice(&number, option, text);
        *(int *)target = (int)number;
        return status;
    case DT_OPTION_CHOICES:
    case DT_OPTION_LIST:
        return parse_list(target, option, text);
    case DT_OPTION_DURATION:
        return parse_duration(target, option, text);
    case DT_OPTION_INTERVAL:
        return parse_interval(target, option, text);
    }
    return dt_fail(DT_INTERNAL, "option %s has no kind", option->name);
}

/* ---- showing ---- */

static void format_list(char *out, size_t bytes, const dt_option_list *list)
{
    size_t used = 0;
    (void)snprintf(out, bytes, "none");
    for (size_t i = 0; i < list->count && used < bytes; i++)
        used +=
            (size_t)snprintf(out + used, bytes - used, "%s%zu", i > 0 ? "," : "", list->values[i]);
}

/* Returns the number of bytes. */
static size_t format_choice(char *out, size_t bytes, const char *choices, size_t index)
{
    while (index-- > 0)
        choices = strchr(choices, '|') + 1;
    return (size_t)snprintf(out, bytes, "%.*s", (int)strcspn(choices, "|"), choices);
}

static void format_choices(char *out, size_t bytes, const char *choices, const dt_option_list *list)
{
    size_t used = 0;
    (void)snprintf(out, bytes, "%s", "");
    for (size_t i = 0; i < list->count && used + 1 < bytes; i++) {
        if (i > 0)
            out[used++] = ',';
        used += format_choice(out + used, bytes - used, choices, list->values[i]);
    }
}

static void format_interval(char *out, size_t bytes, const dt_option_interval *interval)
{
    char text[DT_TEXT_DURATION_BYTES];
    if (interval->epochs > 0)
        (void)snprintf(out, bytes, "%lld", (long long)interval->epochs);
    else
        (void)snprintf(out, bytes, "%s", dt_text_show_duration(text, interval->seconds));
}

const char *dt_options_format(char *out, size_t bytes, const dt_option *option,
                              const void *settings)
{
    const void *value = (const char *)settings + option->offset;
    switch (option->kind) {
    case DT_OPTION_FLAG:
        (void)snprintf(out, bytes, "%s", *(const bool *)value ? "yes" : "no");
        break;
    case DT_OPTION_INT:
        (void)snprintf(out, bytes, "%lld", (long long)*(const int64_t *)value);
        break;
    case DT_OPTION_FLOAT:
        if (isnan(*(const double *)value))
            (void)snprintf(out, bytes, "none");
        else
            (void)snprintf(out, bytes, "%.15g", *(const double *)value);
        break;
    case DT_OPTION_TEXT:
    case DT_OPTION_WORDS:
        (void)snprintf(out, bytes, "%s", (const char *)value);
        break;
    case DT_OPTION_CHOICE:
        (void)format_choice(out, bytes, option->choices, (size_t) * (const int *)value);
        break;
    case DT_OPTION_CHOICES:
        format_choices(out, bytes, option->choices, value);
        break;
    case DT_OPTION_LIST:
        format_list(out, bytes, value);
        break;
    case DT_OPTION_DURATION:
        format_interval(out, bytes, &(dt_option_interval){.seconds = *(const double *)value});
        break;
    case DT_OPTION_INTERVAL:
        format_interval(out, bytes, value);
        break;
    }
    return out;
}

bool dt_options_is_fallback(const dt_option *option, const void *settings)
{
    char value[DT_OPTION_TEXT_BYTES];
    return option->fallback != NULL &&
           strcmp(dt_options_format(value, sizeof value, option, settings), option->fallback) == 0;
}
