/* Warnings of the roles of columns that may be wrong: one line for each kind of warning, for any
 * number of columns. */
#include "prepare_report.h"

#include "dtrain/base/log.h"
#include "dtrain/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_BYTES = DT_TEXT_SHOWN_BYTES + 4, SHOWN = 3 };

/* The columns of a kind. */
typedef struct list {
    size_t count;
    char text[SHOWN * 160]; /* the first columns with examples */
    char names[SHOWN * (2 * SHOWN_BYTES + 2)]; /* of the first columns, as words of an option */
    char more[32]; /* "": there are no more */
} list;

/* Adds a column, as 'NAME' (WHAT). */
DT_PRINTF(3, 4) static void add(list *l, const char *name, const char *format, ...)
{
    char what[120], shown[SHOWN_BYTES], item[2 * SHOWN_BYTES];
    va_list arguments;
    const size_t used = strlen(l->text), named = strlen(l->names);
    l->count++;
    if (l->count > SHOWN) {
        (void)snprintf(l->more, sizeof l->more, " and %zu more", l->count - SHOWN);
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    (void)dt_text_show(shown, name, strlen(name));
    (void)snprintf(l->text + used, sizeof l->text - used, "%s'%s'%s%s%s", used > 0 ? ", " : "",
                   shown, what[0] != '\0' ? " (" : "", what, what[0] != '\0' ? ")" : "");
    (void)snprintf(l->names + named, sizeof l->names - named, "%s%s", named > 0 ? "," : "",
                   dt_text_quote_item(item, sizeof item, shown));
}

/* Texts that nearly all look like numbers may be numbers in an unknown form. */
static bool has_digits(const dt_prepare_column *column)
{
    enum { MOST = 10 };
    const uint64_t cells = column->number_cells + column->text_cells;
    const uint64_t others = column->text_cells - column->digit_cells;
    return !column->asked && column->text_cells > 0 && others * MOST < cells &&
           column->role == DT_ROLE_CATEGORICAL;
}

static void warn_of_digits(const dt_prepare_table *found)
{
    list l = {0};
    char first[SHOWN_BYTES], other[SHOWN_BYTES];
    for (size_t c = 0; c < found->column_count; c++) {
        const dt_prepare_column *column = &found->columns[c];
        if (!has_digits(column))
            continue;
        if (column->odd != NULL)
            (void)dt_text_show(first, column->odd, strlen(column->odd));
        if (column->beside != NULL)
            (void)dt_text_show(other, column->beside, strlen(column->beside));
        if (column->odd == NULL)
            add(&l, column->name, "%s", "categories");
        else if (column->beside == NULL)
            add(&l, column->name, "categories, since '%s' is no number", first);
        else
            add(&l, column->name, "categories, since '%s' stands beside '%s'", first, other);
    }
    if (l.count > 0)
        dt_log_warn("%zu column%s digits in the cells, but no numbers: %s%s; --categorical or "
                    "--drop says that it is meant",
                    l.count, l.count == 1 ? " has" : "s have", l.text, l.more);
}

/* What its numbers mean, column by column, in one line. */
static void warn_of_formats(const dt_prepare_table *found)
{
    char texts[SHOWN * (2 * SHOWN_BYTES + 40)] = "", more[64] = "", name[SHOWN_BYTES];
    size_t used = 0, count = 0;
    for (size_t c = 0; c < found->column_count; c++) {
        const dt_prepare_column *column = &found->columns[c];
        const bool classes = column->role == DT_ROLE_TARGET && found->class_count > 0;
        if (column->written[0] == '\0' || column->role == DT_ROLE_CATEGORICAL ||
            column->role == DT_ROLE_DROPPED || column->role == DT_ROLE_DATE || classes)
            continue;
        if (count++ < SHOWN)
            used += (size_t)snprintf(
                texts + used, sizeof texts - used, "%s'%s' in column '%s' is %.9g",
                count > 1 ? ", " : "", column->written,
                dt_text_show(name, column->name, strlen(column->name)), column->meant);
    }
    if (count > SHOWN)
        (void)snprintf(more, sizeof more, ", and %zu more", count - SHOWN);
    if (count > 0)
        dt_log_warn("%s%s; --decimal, --thousands and --categorical say otherwise", texts, more);
}

static void warn_of_dates(const dt_prepare_table *found)
{
    list l = {0};
    char date[DT_DATE_BYTES];
    for (size_t c = 0; c < found->column_count; c++) {
        const dt_prepare_column *column = &found->columns[c];
        if (column->role == DT_ROLE_DATE && !column->asked)
            add(&l, column->name, "%s: '%s' is %s", dt_date_order_name(column->order),
                column->written, dt_date_show(date, column->meant, column->order));
    }
    if (l.count > 0)
        dt_log_warn("%zu column%s dates, which become numbers: %s%s; --dates, --categorical and "
                    "--drop say otherwise",
                    l.count, l.count == 1 ? " holds" : "s hold", l.text, l.more);
}

static void warn_of_texts(const dt_prepare_table *found)
{
    list l = {0};
    for (size_t c = 0; c < found->column_count; c++)
        if (found->columns[c].is_text)
            add(&l, found->columns[c].name, "%s%llu values in %llu rows, as '%s'%s%s",
                found->columns[c].distinct_is_more ? ">" : "",
                (unsigned long long)found->columns[c].distinct,
                (unsigned long long)(found->columns[c].number_cells + found->columns[c].text_cells),
                found->columns[c].text, found->columns[c].kind[0] != '\0' ? "; " : "",
                found->columns[c].kind);
    if (l.count > 0)
        dt_log_warn("%zu column%s of texts that hardly repeat %s dropped: %s%s; --categorical '%s' "
                    "keeps %s",
                    l.count, l.count == 1 ? "" : "s", l.count == 1 ? "is" : "are", l.text, l.more,
                    l.names, l.count == 1 ? "it" : "them");
}

/* They are dropped, too. */
static void warn_of_counters(const dt_prepare_table *found)
{
    list l = {0};
    for (size_t c = 0; c < found->column_count; c++)
        if (found->columns[c].is_counter)
            add(&l, found->columns[c].name, "%.9g to %.9g", found->columns[c].minimum,
                found->columns[c].maximum);
    if (l.count > 0)
        dt_log_warn("%zu column%s the rows, and %s dropped: %s%s; --numeric '%s' keeps %s", l.count,
                    l.count == 1 ? " counts" : "s count", l.count == 1 ? "is" : "are", l.text,
                    l.more, l.names, l.count == 1 ? "it" : "them");
}

static void warn_of_keys(const dt_prepare_table *found)
{
    list l = {0};
    const double float32_whole = 16777216.0; /* 2^24 */
    for (size_t c = 0; c < found->column_count; c++) {
        const dt_prepare_column *column = &found->columns[c];
        if (column->is_key)
            add(&l, column->name, "%s%llu values in %llu rows%s",
                column->distinct_is_more ? ">" : "", (unsigned long long)column->distinct,
                (unsigned long long)column->number_cells,
                column->maximum > float32_whole ? ", beyond float32" : "");
    }
    if (l.count > 0)
        dt_log_warn("%zu column%s: %s%s; --drop '%s', or --numeric if %s meant", l.count,
                    l.count == 1 ? " looks like a key" : "s look like keys", l.text, l.more,
                    l.names, l.count == 1 ? "it is" : "they are");
}

static void warn_of_spellings(const dt_prepare_table *found)
{
    list l = {0};
    char one[SHOWN_BYTES], other[SHOWN_BYTES];
    for (size_t c = 0; c < found->column_count; c++) {
        const char *const *similar = found->columns[c].similar;
        if (similar[0] != NULL && found->columns[c].role == DT_ROLE_CATEGORICAL)
            add(&l, found->columns[c].name, "'%s' and '%s'",
                dt_text_show(one, similar[0], strlen(similar[0])),
                dt_text_show(other, similar[1], strlen(similar[1])));
    }
    if (l.count > 0)
        dt_log_warn("%zu column%s categories that are spelled alike, and are an input each: %s%s; "
                    "write them in one way if they are one",
                    l.count, l.count == 1 ? " has" : "s have", l.text, l.more);
}

/* dt_csv_open and pandas give this name to a second column with the target's name. */
static bool is_named_after(const char *name, const char *target)
{
    const size_t bytes = strlen(target);
    return strncmp(name, target, bytes) == 0 && name[bytes] == '.' && name[bytes + 1] != '\0' &&
           strspn(name + bytes + 1, "0123456789") == strlen(name + bytes + 1);
}

static void warn_of_copies(const dt_prepare_table *found)
{
    list l = {0};
    for (size_t c = 0; c < found->column_count; c++)
        for (size_t t = 0; t < found->column_count; t++)
            if (found->columns[t].role == DT_ROLE_TARGET &&
                found->columns[c].role != DT_ROLE_TARGET &&
                found->columns[c].role != DT_ROLE_DROPPED && !found->columns[c].asked &&
                is_named_after(found->columns[c].name, found->columns[t].name))
                add(&l, found->columns[c].name, "%s", "");
    if (l.count > 0)
        dt_log_warn("%zu column%s the target's name, and may be a copy of it: %s%s; --drop '%s', "
                    "or --numeric or --categorical if not",
                    l.count, l.count == 1 ? " has" : "s have", l.text, l.more, l.names);
}

static void warn_of_units(const dt_prepare_table *found)
{
    list l = {0};
    for (size_t c = 0; c < found->column_count; c++) {
        const dt_prepare_column *column = &found->columns[c];
        if (column->unit_cells > 0 && column->bare_cells > 0 &&
            (column->role == DT_ROLE_NUMERIC || column->role == DT_ROLE_TARGET))
            add(&l, column->name, "%llu cells have '%s', %llu have none, as '%s'",
                (unsigned long long)column->unit_cells, column->format.unit,
                (unsigned long long)column->bare_cells, column->bare);
    }
    if (l.count > 0)
        dt_log_warn("%zu column%s a unit in some cells only: %s%s; correct the table if these are "
                    "other numbers",
                    l.count, l.count == 1 ? " has" : "s have", l.text, l.more);
}

static void warn_of_zeros(const dt_prepare_table *found)
{
    list l = {0};
    for (size_t c = 0; c < found->column_count; c++) {
        const dt_prepare_column *column = &found->columns[c];
        if (column->role == DT_ROLE_NUMERIC && !column->asked && column->zeros[0] != '\0')
            add(&l, column->name, "as '%s'", column->zeros);
    }
    if (l.count > 0)
        dt_log_warn("%zu column%s numbers with leading zeros, as codes have: %s%s; --categorical "
                    "'%s' keeps %s as texts, --numeric if %s meant",
                    l.count, l.count == 1 ? " has" : "s have", l.text, l.more, l.names,
                    l.count == 1 ? "it" : "them", l.count == 1 ? "it is" : "they are");
}

/* The texts as a value of an option; a leading dash would look like an option. */
static void warn_of_sentinels(const dt_prepare_table *found)
{
    list l = {0}, texts = {0};
    for (size_t c = 0; c < found->column_count; c++) {
        const dt_prepare_column *column = &found->columns[c];
        if (column->sentinel == NULL)
            continue;
        add(&l, column->name, "'%s' in %llu cells", column->sentinel,
            (unsigned long long)column->sentinel_cells);
        if (strstr(texts.names, column->sentinel) == NULL)
            add(&texts, column->sentinel, "%s", "");
    }
    if (l.count > 0)
        dt_log_warn("%zu column%s one number that repeats far beyond all others: %s%s; if it means "
                    "a missing value: --missing='%s' --fill median",
                    l.count, l.count == 1 ? " has" : "s have", l.text, l.more, texts.names);
}

void dt_prepare_warn_of_kinds(const dt_prepare_table *found)
{
    warn_of_units(found);
    warn_of_zeros(found);
    warn_of_sentinels(found);
    warn_of_digits(found);
    warn_of_formats(found);
    warn_of_dates(found);
    warn_of_texts(found);
    warn_of_counters(found);
    warn_of_keys(found);
    warn_of_spellings(found);
    warn_of_copies(found);
}
