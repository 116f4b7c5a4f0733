#include "dtrain/base/options.h"

#include "dtrain/base/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *member(void *settings, const dt_option *option)
{
    return (char *)settings + option->offset;
}

static const void *member_of(const void *settings, const dt_option *option)
{
    return (const char *)settings + option->offset;
}

static uint64_t given_bits(const dt_option_table *table, const void *settings)
{
    uint64_t bits;
    memcpy(&bits, (const char *)settings + table->given, sizeof bits);
    return bits;
}

static void set_given_bits(const dt_option_table *table, void *settings, uint64_t bits)
{
    memcpy((char *)settings + table->given, &bits, sizeof bits);
}

/* Returns whether the option was given before. */
static bool mark_given(const dt_option_table *table, void *settings, size_t index)
{
    const uint64_t bits = given_bits(table, settings), bit = UINT64_C(1) << index;
    set_given_bits(table, settings, bits | bit);
    return (bits & bit) != 0;
}

/* ---- values ---- */

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
                       option->kind == DT_OPTION_FLOAT ? "number" : "whole number", text);
    if (errno == ERANGE || *out < option->minimum || *out > option->maximum)
        return dt_fail(DT_USAGE, "--%s is %s, but must be between %.16g and %.16g", option->name,
                       text, option->minimum, option->maximum);
    return DT_OK;
}

static dt_status parse_list(dt_option_list *out, const dt_option *option, const char *text)
{
    *out = (dt_option_list){0};
    if (strcmp(text, "none") == 0)
        return DT_OK;
    char item[32];
    for (const char *from = text;;) {
        const size_t length = strcspn(from, ",");
        if (length >= sizeof item)
            return dt_fail(DT_USAGE, "--%s takes whole numbers, not '%s'", option->name, text);
        (void)snprintf(item, sizeof item, "%.*s", (int)length, from);
        double value = 0;
        dt_status status = parse_number(&value, option, item);
        if (status != DT_OK)
            return status;
        if (out->count == DT_OPTION_LIST_MAX)
            return dt_fail(DT_USAGE, "--%s takes at most %d numbers", option->name,
                           DT_OPTION_LIST_MAX);
        out->values[out->count++] = (size_t)value;
        if (from[length] == '\0')
            return DT_OK;
        from += length + 1;
    }
}

/* The index of `text` among "a|b|c", -1 if it is not there. */
static int find_choice(const char *choices, const char *text)
{
    int index = 0;
    for (const char *from = choices;; index++) {
        const size_t length = strcspn(from, "|");
        if (strlen(text) == length && strncmp(from, text, length) == 0)
            return index;
        if (from[length] == '\0')
            return -1;
        from += length + 1;
    }
}

static dt_status parse_flag(bool *out, const dt_option *option, const char *text)
{
    const int yes = find_choice("yes|true|1|on", text);
    if (yes < 0 && find_choice("no|false|0|off", text) < 0)
        return dt_fail(DT_USAGE, "--%s takes yes or no, not '%s'", option->name, text);
    *out = yes >= 0;
    return DT_OK;
}

/* Given again, it adds to what was given before: to lose some words of a list would go unseen. */
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

static dt_status parse_value(const dt_option *option, void *settings, const char *text, bool again)
{
    void *target = member(settings, option);
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
        return parse_number(target, option, text);
    case DT_OPTION_TEXT:
        if (strlen(text) >= DT_OPTION_TEXT_BYTES)
            return dt_fail(DT_USAGE, "--%s is longer than %d bytes", option->name,
                           DT_OPTION_TEXT_BYTES - 1);
        (void)snprintf(target, DT_OPTION_TEXT_BYTES, "%s", text);
        return DT_OK;
    case DT_OPTION_WORDS:
        return add_words(target, option, text, again);
    case DT_OPTION_CHOICE:
        *(int *)target = find_choice(option->choices, text);
        if (*(int *)target < 0)
            return dt_fail(DT_USAGE, "--%s takes one of %s, not '%s'", option->name,
                           option->choices, text);
        return DT_OK;
    case DT_OPTION_LIST:
        return parse_list(target, option, text);
    }
    return dt_fail(DT_INTERNAL, "option %s has no kind", option->name);
}

void dt_options_set_defaults(const dt_option_table *table, void *settings)
{
    DT_ASSERT(table->count <= DT_OPTION_MAX);
    for (size_t i = 0; i < table->count; i++) {
        const dt_option *option = &table->options[i];
        if (option->kind == DT_OPTION_FLAG)
            *(bool *)member(settings, option) = false;
        else
            DT_ASSERT(parse_value(option, settings, option->fallback ? option->fallback : "",
                                  false) == DT_OK);
    }
    set_given_bits(table, settings, 0);
}

/* ---- names ---- */

/* The index of a name, or table->count and a failure that suggests the nearest one. */
static dt_status find_option(size_t *out, const dt_option_table *table, const char *name)
{
    const char *names[DT_OPTION_MAX];
    for (*out = 0; *out < table->count; ++*out) {
        names[*out] = table->options[*out].name;
        if (strcmp(names[*out], name) == 0)
            return DT_OK;
    }
    const size_t nearest = dt_text_nearest(name, names, table->count);
    if (nearest != SIZE_MAX)
        return dt_fail(DT_USAGE, "unknown option --%s; did you mean --%s?", name, names[nearest]);
    return dt_fail(DT_USAGE, "unknown option --%s; --help lists them", name);
}

/* ---- command line and file ---- */

/* Parses the option word at argv[*at], and its value, which may be the next word. */
static dt_status parse_option_word(const dt_option_table *table, void *settings, int argc,
                                   char **argv, int *at)
{
    char name[64];
    const char *word = argv[*at] + 2;
    const char *equals = strchr(word, '=');
    const size_t length = equals != NULL ? (size_t)(equals - word) : strlen(word);
    (void)snprintf(name, sizeof name, "%.*s", (int)length, word);
    size_t index = 0;
    dt_status status = find_option(&index, table, name);
    if (status != DT_OK)
        return status;
    const dt_option *option = &table->options[index];
    const char *value = equals != NULL ? equals + 1 : NULL;
    if (value == NULL && option->kind == DT_OPTION_FLAG)
        value = "yes";
    else if (value == NULL && *at + 1 < argc)
        value = argv[++*at];
    if (value == NULL)
        return dt_fail(DT_USAGE, "--%s needs a value: --%s %s", name, name, option->argument);
    const bool again = mark_given(table, settings, index);
    return parse_value(option, settings, value, again);
}

dt_status dt_options_parse_words(const dt_option_table *table, void *settings, int argc,
                                 char **argv, int *word_count)
{
    *word_count = 0;
    bool only_words = false;
    for (int i = 0; i < argc; i++) {
        char *word = argv[i];
        if (only_words || word[0] != '-' || word[1] == '\0') {
            argv[(*word_count)++] = word;
        } else if (strcmp(word, "--") == 0) {
            only_words = true;
        } else if (word[1] != '-') {
            return dt_fail(DT_USAGE,
                           "unknown option %s; options begin with two dashes, --help lists them",
                           word);
        } else {
            dt_status status = parse_option_word(table, settings, argc, argv, &i);
            if (status != DT_OK)
                return status;
        }
    }
    return DT_OK;
}

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL)
        text[--length] = '\0';
    return text;
}

/* A # within a word is part of it: it may stand in a path. */
static void cut_comment(char *line)
{
    for (char *c = line; *c != '\0'; c++) {
        if (*c == '#' && (c == line || c[-1] == ' ' || c[-1] == '\t')) {
            *c = '\0';
            return;
        }
    }
}

static dt_status parse_line(const dt_option_table *table, void *settings, char *line,
                            uint64_t given_before)
{
    cut_comment(line);
    char *name = trim(line);
    if (*name == '\0')
        return DT_OK;
    char *equals = strchr(name, '=');
    if (equals == NULL)
        return dt_fail(DT_USAGE, "expected 'name = value', found '%s'", name);
    *equals = '\0';
    const char *value = trim(equals + 1);
    (void)trim(name);
    if (strcmp(name, "config") == 0)
        return dt_fail(DT_USAGE, "a configuration file cannot name another one");
    size_t index = 0;
    dt_status status = find_option(&index, table, name);
    if (status != DT_OK || (given_before >> index & 1) != 0)
        return status;
    const bool again = mark_given(table, settings, index);
    return parse_value(&table->options[index], settings, value, again);
}

/* Tells whether fgets stopped because `line` was full. A newline or the end right behind it is
 * taken: then nothing is missing. */
static bool is_cut_off(const char *line, size_t bytes, FILE *file)
{
    if (strlen(line) < bytes - 1 || line[bytes - 2] == '\n')
        return false;
    const int next = getc(file);
    return next != '\n' && next != EOF;
}

dt_status dt_options_parse_file(const dt_option_table *table, void *settings, const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return dt_fail(DT_USAGE, "--config %s: %s", path, strerror(errno));
    const uint64_t given_before = given_bits(table, settings);
    dt_status status = DT_OK;
    char line[2 * DT_OPTION_TEXT_BYTES];
    for (int number = 1; status == DT_OK && fgets(line, sizeof line, file) != NULL; number++) {
        status = is_cut_off(line, sizeof line, file)
                     ? dt_fail(DT_USAGE, "is longer than %zu bytes", sizeof line - 1)
                     : parse_line(table, settings, line, given_before);
        if (status != DT_OK)
            status = dt_fail(status, "%s, line %d: %s", path, number, dt_status_text());
    }
    if (status == DT_OK && ferror(file))
        status = dt_fail(DT_USAGE, "--config %s: %s", path, strerror(errno));
    (void)fclose(file);
    return status;
}

dt_status dt_options_set(const dt_option_table *table, void *settings, const char *name,
                         const char *value)
{
    size_t index = 0;
    dt_status status = find_option(&index, table, name);
    if (status == DT_OK) {
        const bool again = mark_given(table, settings, index);
        status = parse_value(&table->options[index], settings, value, again);
    }
    return status;
}

bool dt_options_given(const dt_option_table *table, const void *settings, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->options[i].name, name) == 0)
            return (given_bits(table, settings) >> i & 1) != 0;
    dt_assert_failed("the option is in the table", __FILE__, __LINE__);
}

/* ---- showing ---- */

const char *dt_options_log_name(char out[64], const dt_option *option)
{
    (void)snprintf(out, 64, "%s", option->name);
    for (char *c = out; *c != '\0'; c++)
        *c = *c == '-' ? '_' : *c;
    return out;
}

static void format_list(char *out, size_t bytes, const dt_option_list *list)
{
    size_t used = 0;
    (void)snprintf(out, bytes, "none");
    for (size_t i = 0; i < list->count && used < bytes; i++)
        used +=
            (size_t)snprintf(out + used, bytes - used, "%s%zu", i > 0 ? "," : "", list->values[i]);
}

static void format_choice(char *out, size_t bytes, const char *choices, int index)
{
    while (index-- > 0)
        choices = strchr(choices, '|') + 1;
    (void)snprintf(out, bytes, "%.*s", (int)strcspn(choices, "|"), choices);
}

const char *dt_options_format(char *out, size_t bytes, const dt_option *option,
                              const void *settings)
{
    const void *value = member_of(settings, option);
    switch (option->kind) {
    case DT_OPTION_FLAG:
        (void)snprintf(out, bytes, "%s", *(const bool *)value ? "yes" : "no");
        break;
    case DT_OPTION_INT:
        (void)snprintf(out, bytes, "%lld", (long long)*(const int64_t *)value);
        break;
    case DT_OPTION_FLOAT:
        (void)snprintf(out, bytes, "%.15g", *(const double *)value);
        break;
    case DT_OPTION_TEXT:
    case DT_OPTION_WORDS:
        (void)snprintf(out, bytes, "%s", (const char *)value);
        break;
    case DT_OPTION_CHOICE:
        format_choice(out, bytes, option->choices, *(const int *)value);
        break;
    case DT_OPTION_LIST:
        format_list(out, bytes, value);
        break;
    }
    return out;
}

void dt_options_print_help(const dt_option_table *table)
{
    printf("%s\n\nOptions:\n", table->usage);
    for (size_t i = 0; i < table->count; i++) {
        const dt_option *option = &table->options[i];
        char left[64];
        (void)snprintf(left, sizeof left, "--%s%s%s", option->name, option->argument ? " " : "",
                       option->argument ? option->argument : "");
        printf("  %-23s  %s", left, option->help); /* help2man wants two blanks at least */
        if (option->choices != NULL)
            printf(" (%s)", option->choices);
        if (option->fallback != NULL && option->fallback[0] != '\0')
            printf(" [%s]", option->fallback);
        printf("\n");
    }
}
