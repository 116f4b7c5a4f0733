/* The errors of cells, in one line for the whole table, with the options that solve them. */
#include "prepare_internal.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* More texts than these do not mean a missing value. */
enum { TEXTS_MAX = 12, NAMES_SHOWN = 4 };

typedef struct list {
    char text[1024];
    size_t used, count;
    bool is_whole; /* the list is complete */
} list;

DT_PRINTF(2, 3) static void add(list *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int more =
        vsnprintf(out->text + out->used, sizeof out->text - out->used, format, arguments);
    va_end(arguments);
    out->is_whole = out->is_whole && more >= 0 && (size_t)more < sizeof out->text - out->used;
    if (out->is_whole)
        out->used += (size_t)more;
    out->text[out->used] = '\0';
}

/* As names of columns: 'b', 'c' and 2 more. */
static void add_name(list *out, const char *name)
{
    char shown[DT_TEXT_SHOWN_BYTES + 4];
    if (out->count++ < NAMES_SHOWN)
        add(out, "%s'%s'", out->count > 1 ? ", " : "", dt_text_show(shown, name, strlen(name)));
}

static void end_names(list *out)
{
    if (out->count > NAMES_SHOWN)
        add(out, " and %zu more", out->count - NAMES_SHOWN);
}

/* ---- texts among numbers ---- */

/* Usual signs for a missing value: punctuation alone, an error of a spreadsheet, some words. */
static bool is_marker(const char *text)
{
    static const char *const words[] = {"unknown", "unk",  "missing", "n.a.",  "na",   "none",
                                        "null",    "void", "nil",     "empty", "blank"};
    bool signs = true;
    for (const char *c = text; *c != '\0'; c++)
        signs = signs && (unsigned char)*c < 128 && !isalnum((unsigned char)*c);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(text, words[i]) == 0)
            return true;
    return signs || text[0] == '#' || strcmp(text, "\\N") == 0;
}

/* Whether there are a few texts among many different numbers: then they are not categories, however
 * often they occur. */
static bool are_markers(const dt_survey *survey)
{
    enum { TEXTS = 3, NUMBERS_MIN = 5, NUMBERS_MANY = 20 };
    size_t texts = 0;
    bool known = true;
    if (!survey->keeps_values || survey->texts == 0)
        return false;
    for (size_t i = 0; i < survey->values.count && texts <= TEXTS; i++) {
        const dt_dictionary_entry *entry = &survey->values.entries[i];
        if (entry->kind == DT_VALUE_NUMBER)
            continue;
        if (entry->kind != DT_VALUE_TEXT)
            return false;
        texts++;
        known = known && is_marker(entry->text);
    }
    return texts <= TEXTS && survey->values.count - texts > (known ? NUMBERS_MIN : NUMBERS_MANY);
}

bool dt_prepare_is_mixed(const dt_prepare *p, size_t c)
{
    const dt_survey *survey = &p->surveys[c];
    if (survey->texts == 0 || dt_prepare_must_be_number(p, c))
        return survey->texts > 0;
    return !survey->asked &&
           (dt_prepare_are_slips(survey->texts, survey->numbers + survey->texts) ||
            are_markers(survey));
}

/* Whether a text can be shown in an error line, and quoted for a shell. */
static bool can_be_typed(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            return false;
    return strpbrk(text, "'\",") == NULL && strlen(text) < DT_TEXT_SHOWN_BYTES &&
           dt_text_is_utf8(text, strlen(text));
}

static bool is_listed(const list *texts, const char *text)
{
    const size_t length = strlen(text);
    for (const char *at = texts->text; *at != '\0'; at += strspn(at, ",")) {
        const size_t item = strcspn(at, ",");
        if (item == length && memcmp(at, text, length) == 0)
            return true;
        at += item;
    }
    return false;
}

static void list_texts(list *texts, const dt_survey *survey)
{
    texts->is_whole = texts->is_whole && survey->keeps_values;
    for (size_t i = 0; i < survey->values.count && texts->is_whole; i++) {
        const dt_dictionary_entry *entry = &survey->values.entries[i];
        if (entry->kind != DT_VALUE_TEXT || is_listed(texts, entry->text))
            continue;
        texts->is_whole = texts->count++ < TEXTS_MAX && can_be_typed(entry->text);
        if (texts->is_whole)
            add(texts, "%s%s", texts->used > 0 ? "," : "", entry->text);
    }
}

/* Targets and weights can only be dropped. Returns whether there are any. */
static bool advise_drop(list *out, const dt_prepare *p)
{
    char item[2 * (DT_TEXT_SHOWN_BYTES + 4)];
    for (size_t c = 0; c < p->count && !p->drops_rows; c++)
        if (p->surveys[c].is_value && !p->surveys[c].fill_asked && dt_prepare_is_mixed(p, c))
            add(out, "%s%s=drop", out->used > 0 ? "," : " --fill '",
                dt_text_quote_item(item, sizeof item, p->names[c]));
    return out->used > 0;
}

/* The fillings that are needed once those texts mean missing values. Roles may not be decided. */
static void advise_fill(list *out, const dt_prepare *p)
{
    bool numbers = false, categories = false;
    for (size_t c = 0; c < p->count; c++) {
        const dt_survey *survey = &p->surveys[c];
        const bool mixed = dt_prepare_is_mixed(p, c);
        if (survey->fill_asked || survey->is_value || p->columns[c].role == DT_ROLE_TARGET ||
            (p->columns[c].missing == 0 && !mixed))
            continue;
        numbers = numbers || mixed || survey->texts == 0;
        categories = categories || (!mixed && survey->texts > 0);
    }
    numbers = numbers && p->fill_numeric == DT_FILL_ERROR;
    categories = categories && p->fill_categorical == DT_FILL_ERROR;
    const char *methods = numbers && categories ? "median,category"
                          : numbers             ? "median"
                          : categories          ? "category"
                                                : "";
    const bool quoted = advise_drop(out, p);
    if (methods[0] != '\0')
        add(out, "%s%s", quoted ? "," : " --fill ", methods);
    if (quoted)
        add(out, "'");
}

/* `missing` are the options with which the texts of a column mean nothing; "": there are none. */
static void advise(list *out, const dt_prepare *p, size_t c, const char *missing)
{
    const bool any = missing[0] != '\0', must_be = dt_prepare_must_be_number(p, c);
    if (!must_be)
        add(out, "use %s%s--categorical or --drop", missing, any ? ", " : "");
    else
        add(out, "%s%s%s%s", any ? "use " : "", missing, any ? ", or " : "",
            p->columns[c].role == DT_ROLE_NUMERIC ? "leave it out of --numeric"
                                                  : "correct the table");
}

/* Refuses a column whose cells are all texts: leaving out their rows would leave none. */
static dt_status fail_texts(const dt_prepare *p, size_t c)
{
    const dt_survey *survey = &p->surveys[c];
    const char *kind = survey->order != DT_DATE_NONE ? "date" : "number";
    const dt_role role = p->columns[c].role;
    const char *advice = role == DT_ROLE_NUMERIC  ? "leave it out of --numeric"
                         : role != DT_ROLE_TARGET ? "weights must be numbers"
                         : p->T > 1               ? "texts are classes: name no other target"
                                                  : "texts are classes: use --task classification";
    return dt_fail(DT_DATA,
                   "%s: row %llu (line %llu): column '%s': '%s' is not a %s, and none of the "
                   "column's %llu cells is a %s; %s",
                   dt_csv_path(p->csv), (unsigned long long)survey->text_row,
                   (unsigned long long)survey->text_line, p->names[c], survey->text, kind,
                   (unsigned long long)survey->texts, kind, advice);
}

dt_status dt_prepare_fail_mixed(const dt_prepare *p, size_t c)
{
    const dt_survey *survey = &p->surveys[c];
    if (survey->numbers == 0)
        return fail_texts(p, c);
    list texts = {.is_whole = true}, others = {.is_whole = true}, fill = {.is_whole = true};
    list advice = {.is_whole = true};
    char missing[sizeof texts.text + sizeof fill.text + 32] = "";
    const bool few = survey->numbers < survey->texts;
    for (size_t i = 0; i < p->count; i++) {
        if (!dt_prepare_is_mixed(p, i))
            continue;
        list_texts(&texts, &p->surveys[i]);
        if (i != c)
            add_name(&others, p->names[i]);
    }
    end_names(&others);
    advise_fill(&fill, p);
    if (texts.is_whole)
        (void)snprintf(missing, sizeof missing, "--missing '%s'%s", texts.text, fill.text);
    advise(&advice, p, c, missing);
    return dt_fail(DT_DATA,
                   "%s: row %llu (line %llu): column '%s': '%s' is not a %s, %s %llu of its %llu "
                   "cells are%s%s%s%s; %s",
                   dt_csv_path(p->csv), (unsigned long long)survey->text_row,
                   (unsigned long long)survey->text_line, p->names[c], survey->text,
                   survey->order != DT_DATE_NONE ? "date" : "number", few ? "and" : "but",
                   (unsigned long long)(few ? survey->texts : survey->numbers),
                   (unsigned long long)(survey->numbers + survey->texts), few ? " none" : "",
                   others.count > 0 ? " (also in " : "", others.text, others.count > 0 ? ")" : "",
                   advice.text);
}

/* ---- cells that hold nothing ---- */

/* The option with which the texts of a column are ordinary values, while those of all others still
 * mean missing values; "": there is none. */
static void advise_missing(list *out, const dt_prepare *p, size_t c)
{
    const uint64_t mine = p->surveys[c].missing_texts;
    uint64_t others = 0;
    for (size_t i = 0; i < p->count; i++)
        if (i != c && p->columns[i].role != DT_ROLE_DROPPED)
            others |= p->surveys[i].missing_texts;
    const uint64_t usual = p->missing_usual < 63 ? (UINT64_C(1) << p->missing_usual) - 1 : 0;
    *out = (list){.is_whole = true};
    if (mine == 0 || (mine & ~usual) != 0 || (mine & others) != 0)
        return;
    add(out, "--missing-only '");
    for (size_t i = 0; i < p->missing_usual; i++)
        if ((others >> i & 1) != 0) {
            out->is_whole = out->is_whole && can_be_typed(p->missing_texts[i]);
            add(out, "%s%s", out->count++ > 0 ? "," : "", p->missing_texts[i]);
        }
    add(out, "'");
    if (!out->is_whole)
        *out = (list){0};
}

/* Two capitals each, as countries and states have; or those of regions. */
static bool are_codes(const dt_survey *survey)
{
    static const char *const regions[] = {"EU", "EMEA", "APAC", "LATAM", "AMER", "ASIA"};
    enum { CODES_MIN = 3, LETTERS = 2 };
    bool pairs = survey->values.count >= CODES_MIN, capitals = survey->keeps_values;
    bool is_region = false;
    for (size_t i = 0; capitals && i < survey->values.count; i++) {
        const dt_dictionary_entry *entry = &survey->values.entries[i];
        capitals = strspn(entry->text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == entry->bytes;
        pairs = pairs && entry->bytes == LETTERS;
        for (size_t r = 0; r < sizeof regions / sizeof *regions; r++)
            is_region = is_region || strcmp(entry->text, regions[r]) == 0;
    }
    return capitals && (pairs || is_region);
}

void dt_prepare_find_codes(dt_prepare *p)
{
    for (size_t c = 0; c < p->count; c++) {
        const dt_survey *survey = &p->surveys[c];
        list only = {0};
        if (p->columns[c].role != DT_ROLE_CATEGORICAL || survey->na_cells == 0 ||
            !are_codes(survey))
            continue;
        p->columns[c].na_cells = survey->na_cells;
        advise_missing(&only, p, c);
        if (p->codes_advice[0] == '\0' && only.used < sizeof p->codes_advice)
            memcpy(p->codes_advice, only.text, only.used + 1);
    }
}

/* The text of the first missing cell, if it is not empty. */
static void show_missing(char out[DT_TEXT_SHOWN_BYTES + 32], const dt_survey *survey)
{
    out[0] = '\0';
    if (survey->missing_texts != 0)
        (void)snprintf(out, DT_TEXT_SHOWN_BYTES + 32, ": '%s' means a missing value",
                       survey->missing_text);
}

dt_status dt_prepare_fail_valueless(const dt_prepare *p, size_t c, const char *what)
{
    const dt_survey *survey = &p->surveys[c];
    const char *path = dt_csv_path(p->csv), *name = p->names[c];
    const uint64_t rows = p->columns[c].missing;
    char meaning[DT_TEXT_SHOWN_BYTES + 32];
    list only = {0}, drop = {.is_whole = true};
    show_missing(meaning, survey);
    if (!survey->is_value)
        advise_missing(&only, p, c);
    if (survey->empty > 0)
        add(&drop, " --fill '%s=drop'", name);
    return dt_fail(DT_DATA,
                   "%s: row %llu (line %llu): the %s '%s' has no value here, and in %llu row%s in "
                   "all%s; use --fill '%s=drop' to drop such rows%s%s%s%s",
                   path, (unsigned long long)survey->missing_row,
                   (unsigned long long)survey->missing_line, what, name, (unsigned long long)rows,
                   rows == 1 ? "" : "s", meaning, name, only.used > 0 ? ", " : "", only.text,
                   only.used > 0 ? drop.text : "", only.used > 0 ? " makes it a class" : "");
}

static bool is_unfilled(const dt_prepare *p, size_t c)
{
    return dt_prepare_is_input(&p->columns[c]) && p->columns[c].missing > 0 &&
           p->columns[c].missing < p->rows && p->columns[c].fill == DT_FILL_ERROR;
}

dt_status dt_prepare_fail_unfilled(const dt_prepare *p, size_t c)
{
    const dt_prepare_column *column = &p->columns[c];
    const dt_survey *survey = &p->surveys[c];
    const bool numeric = dt_recipe_is_number(column->role);
    const char *advice = numeric ? "with one of drop, mean, median, mode, indicator, "
                                   "median-indicator"
                         : column->role == DT_ROLE_CATEGORICAL ? "with one of drop, mode, category"
                                                               : "drop";
    list others = {.is_whole = true};
    list only = {0};
    char meaning[DT_TEXT_SHOWN_BYTES + 32];
    bool any[2] = {numeric, column->role == DT_ROLE_CATEGORICAL};
    for (size_t i = 0; i < p->count; i++)
        if (i != c && is_unfilled(p, i)) {
            any[p->columns[i].role == DT_ROLE_CATEGORICAL] = true;
            add_name(&others, p->names[i]);
        }
    end_names(&others);
    show_missing(meaning, survey);
    if (column->role == DT_ROLE_CATEGORICAL && survey->empty == 0 && others.count == 0)
        advise_missing(&only, p, c);
    if (others.count > 0)
        advice = any[0] && any[1] ? "median,category, or --fill drop to drop such rows"
                 : any[0]         ? "median, or --fill drop to drop such rows"
                                  : "category, or --fill drop to drop such rows";
    return dt_fail(DT_DATA,
                   "%s: row %llu (line %llu): column '%s' has no value here, and in %llu cell%s in "
                   "all%s%s%s%s; use --fill %s%s%s%s",
                   dt_csv_path(p->csv), (unsigned long long)survey->missing_row,
                   (unsigned long long)survey->missing_line, p->names[c],
                   (unsigned long long)column->missing, column->missing == 1 ? "" : "s",
                   others.count > 0 ? " (also in " : "", others.text, others.count > 0 ? ")" : "",
                   meaning, advice, only.used > 0 ? "; " : "", only.text,
                   only.used > 0 ? " makes it a category" : "");
}
