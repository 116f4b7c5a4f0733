#include "dtrain/base/options.h"

#include "dtrain/base/log.h"
#include "dtrain/base/text.h"
#include "dtrain/base/text_wrap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static dt_option_set *given_set(const dt_option_table *table, void *settings)
{
    return (dt_option_set *)(void *)((char *)settings + table->given);
}

static bool is_given(const dt_option_set *set, size_t index)
{
    return (set->words[index / 64] >> index % 64 & 1) != 0;
}

/* Returns whether the option was given before. */
static bool mark_given(const dt_option_table *table, void *settings, size_t index)
{
    dt_option_set *set = given_set(table, settings);
    const bool again = is_given(set, index);
    set->words[index / 64] |= UINT64_C(1) << index % 64;
    return again;
}

void dt_options_set_defaults(const dt_option_table *table, void *settings)
{
    DT_ASSERT(table->count <= DT_OPTION_MAX);
    for (size_t i = 0; i < table->count; i++) {
        const dt_option *option = &table->options[i];
        if (option->kind == DT_OPTION_FLAG)
            *(bool *)((char *)settings + option->offset) = false;
        else
            DT_ASSERT(dt_options_parse_value(option, settings,
                                             option->fallback ? option->fallback : "",
                                             false) == DT_OK);
    }
    *given_set(table, settings) = (dt_option_set){0};
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
    dt_status status = dt_options_find(&index, table, name);
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
    return dt_options_parse_value(option, settings, value, again);
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

/* A # within a word is part of the word: it may be in a path. */
static void cut_comment(char *line)
{
    for (char *c = line; *c != '\0'; c++) {
        if (*c == '#' && (c == line || c[-1] == ' ' || c[-1] == '\t')) {
            *c = '\0';
            return;
        }
    }
}

/* Parses one line; blank lines and comments are skipped. */
static dt_status read_line(char *line, dt_options_line *take, void *context)
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
    return take(context, trim(name), value);
}

/* Returns whether fgets stopped because `line` was full. If a newline or the end of the file
 * follows, it is read, and nothing is missing. */
static bool is_cut_off(const char *line, size_t bytes, FILE *file)
{
    if (strlen(line) < bytes - 1 || line[bytes - 2] == '\n')
        return false;
    const int next = getc(file);
    return next != '\n' && next != EOF;
}

dt_status dt_options_read_file(const char *option, const char *path, dt_options_line *take,
                               void *context)
{
    struct stat found;
    /* Reading a pipe may block, and a device may have no end. */
    if (stat(path, &found) == 0 && !S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode))
        return dt_fail(DT_USAGE, "%s %s: is a device or pipe, expected a file", option, path);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return dt_fail(DT_USAGE, "%s %s: %s", option, path, strerror(errno));
    dt_status status = DT_OK;
    char line[2 * DT_OPTION_TEXT_BYTES];
    for (int number = 1; status == DT_OK && fgets(line, sizeof line, file) != NULL; number++) {
        status = is_cut_off(line, sizeof line, file)
                     ? dt_fail(DT_USAGE, "is longer than %zu bytes", sizeof line - 1)
                     : read_line(line, take, context);
        if (status != DT_OK)
            status = dt_fail(status, "%s, line %d: %s", path, number, dt_status_text());
    }
    if (status == DT_OK && ferror(file))
        status = dt_fail(DT_USAGE, "%s %s: %s", option, path, strerror(errno));
    (void)fclose(file);
    return status;
}

/* The context of the lines of --config. */
typedef struct config {
    const dt_option_table *table;
    void *settings;
    dt_option_set given_before;
} config;

static dt_status take_option(void *context, const char *name, const char *value)
{
    const config *c = context;
    if (strcmp(name, "config") == 0)
        return dt_fail(DT_USAGE, "a configuration file cannot name another one");
    size_t index = 0;
    dt_status status = dt_options_find(&index, c->table, name);
    if (status != DT_OK || is_given(&c->given_before, index))
        return status;
    const bool again = mark_given(c->table, c->settings, index);
    return dt_options_parse_value(&c->table->options[index], c->settings, value, again);
}

dt_status dt_options_parse_file(const dt_option_table *table, void *settings, const char *path)
{
    config c = {.table = table, .settings = settings, .given_before = *given_set(table, settings)};
    return dt_options_read_file("--config", path, take_option, &c);
}

dt_status dt_options_set(const dt_option_table *table, void *settings, const char *name,
                         const char *value)
{
    size_t index = 0;
    dt_status status = dt_options_find(&index, table, name);
    if (status == DT_OK) {
        const bool again = mark_given(table, settings, index);
        status = dt_options_parse_value(&table->options[index], settings, value, again);
    }
    return status;
}

/* "age=mean,job=mode" has no word for all columns. */
static bool names_columns(const char *words)
{
    char item[DT_OPTION_TEXT_BYTES];
    for (const char *at = words; dt_text_next_item(item, sizeof item, &at);)
        if (strchr(item, '=') == NULL)
            return false;
    return words[0] != '\0';
}

dt_status dt_options_apply_preset(const dt_option_table *table, void *settings,
                                  const dt_option_preset *rows, size_t count, int preset)
{
    dt_status status = DT_OK;
    for (size_t i = 0; i < count; i++) {
        size_t index = 0;
        if (rows[i].preset != preset)
            continue;
        DT_TRY(dt_options_find(&index, table, rows[i].option));
        const dt_option *option = &table->options[index];
        const bool given = is_given(given_set(table, settings), index);
        const bool joins = given && option->kind == DT_OPTION_WORDS &&
                           names_columns((const char *)settings + option->offset);
        if (!given || joins)
            DT_TRY(dt_options_parse_value(option, settings, rows[i].value, joins));
    }
out:
    return status;
}

bool dt_options_given(const dt_option_table *table, const void *settings, const char *name)
{
    const size_t index = dt_options_index(table, name);
    DT_ASSERT(index < table->count);
    return is_given((const dt_option_set *)(const void *)((const char *)settings + table->given),
                    index);
}

/* ---- showing ---- */

const char *dt_options_log_name(char out[64], const dt_option *option)
{
    (void)snprintf(out, 64, "%s", option->name);
    for (char *c = out; *c != '\0'; c++)
        *c = *c == '-' ? '_' : *c;
    return out;
}

bool dt_options_has_log_name(const dt_option *option, const char *log_name)
{
    const char *c = option->name;
    while (*c != '\0' && *log_name == (*c == '-' ? '_' : *c)) {
        c++;
        log_name++;
    }
    return *c == '\0' && *log_name == '\0';
}

enum { HELP_INDENT = 27 };

/* Prints a text from column HELP_INDENT on, broken at blanks. */
static void print_wrapped(const char *text)
{
    const size_t width = dt_log_width(), room = (width < 80 ? width : 80) - HELP_INDENT;
    for (size_t bytes = 0;; text += strspn(text, " ")) {
        bytes = dt_text_break(text, room, room);
        printf("%.*s\n", (int)bytes, text);
        text += bytes;
        if (*text == '\0')
            break;
        printf("%*s", HELP_INDENT, "");
    }
}

void dt_options_print_help(const dt_option_table *table)
{
    printf("%s\n\nOptions:\n", table->usage);
    for (size_t i = 0; i < table->count; i++) {
        const dt_option *option = &table->options[i];
        if (option->group != NULL)
            printf("\n%s:\n", option->group);
        const bool has_default = option->fallback != NULL && option->fallback[0] != '\0';
        char left[64], text[1024];
        (void)snprintf(left, sizeof left, "--%s%s%s", option->name, option->argument ? " " : "",
                       option->argument ? option->argument : "");
        (void)snprintf(
            text, sizeof text, "%s%s%s%s%s%s%s", option->help, option->choices != NULL ? " (" : "",
            option->choices != NULL ? option->choices : "", option->choices != NULL ? ")" : "",
            has_default ? " [" : "", has_default ? option->fallback : "", has_default ? "]" : "");
        printf("  %-23s  ", left); /* help2man requires at least two blanks */
        if (strlen(left) > HELP_INDENT - 4)
            printf("\n%*s", HELP_INDENT, "");
        print_wrapped(text);
    }
}
