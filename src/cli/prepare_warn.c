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

/* ---- kinds of columns ---- */

enum { WHAT_BYTES = 120 };

/* Returns whether a column is of a kind, and writes what it holds. */
typedef bool find_kind(char what[WHAT_BYTES], const dt_prepare_table *found,
                       const dt_prepare_column *column);

static const char *show(char out[SHOWN_BYTES], const char *text)
{
    return text != NULL ? dt_text_show(out, text, strlen(text)) : "";
}

/* Texts that nearly all look like numbers may be numbers in an unknown form. */
static bool has_digits(char what[WHAT_BYTES], const dt_prepare_table *found,
                       const dt_prepare_column *column)
{
    enum { MOST = 10 };
    char odd[SHOWN_BYTES], beside[SHOWN_BYTES];
    const uint64_t cells = column->number_cells + column->text_cells;
    const uint64_t others = column->text_cells - column->digit_cells;
    (void)found;
    if (column->asked || column->text_cells == 0 || others * MOST >= cells ||
        column->role != DT_ROLE_CATEGORICAL)
        return false;
    if (column->odd != NULL && column->beside != NULL)
        (void)snprintf(what, WHAT_BYTES, "'%s' is next to '%s'", show(odd, column->odd),
                       show(beside, column->beside));
    else if (column->odd != NULL)
        (void)snprintf(what, WHAT_BYTES, "'%s' is not a number", show(odd, column->odd));
    return true;
}

static bool is_date(char what[WHAT_BYTES], const dt_prepare_table *found,
                    const dt_prepare_column *column)
{
    char date[DT_DATE_BYTES];
    (void)found;
    (void)snprintf(what, WHAT_BYTES, "%s: '%s' is %s", dt_date_order_name(column->order),
                   column->written, dt_date_show(date, column->meant, column->order));
    return column->role == DT_ROLE_DATE && !column->asked;
}

static bool is_text(char what[WHAT_BYTES], const dt_prepare_table *found,
                    const dt_prepare_column *column)
{
    (void)found;
    (void)snprintf(what, WHAT_BYTES, "%s%llu values in %llu rows, as '%s'%s%s",
                   column->distinct_is_more ? ">" : "", (unsigned long long)column->distinct,
                   (unsigned long long)(column->number_cells + column->text_cells), column->text,
                   column->kind[0] != '\0' ? "; " : "", column->kind);
    return column->is_text;
}

static bool is_counter(char what[WHAT_BYTES], const dt_prepare_table *found,
                       const dt_prepare_column *column)
{
    (void)found;
    (void)dt_text_range(what, column->minimum, column->maximum, 9);
    return column->is_counter;
}

static bool is_key(char what[WHAT_BYTES], const dt_prepare_table *found,
                   const dt_prepare_column *column)
{
    const double float32_whole = 16777216.0; /* 2^24 */
    (void)found;
    (void)snprintf(what, WHAT_BYTES, "%s%llu values in %llu rows%s",
                   column->distinct_is_more ? ">" : "", (unsigned long long)column->distinct,
                   (unsigned long long)column->number_cells,
                   column->maximum > float32_whole ? ", beyond float32" : "");
    return column->is_key;
}

static bool has_spellings(char what[WHAT_BYTES], const dt_prepare_table *found,
                          const dt_prepare_column *column)
{
    char one[SHOWN_BYTES], other[SHOWN_BYTES];
    (void)found;
    (void)snprintf(what, WHAT_BYTES, "'%s' and '%s'", show(one, column->similar[0]),
                   show(other, column->similar[1]));
    return column->similar[0] != NULL && column->role == DT_ROLE_CATEGORICAL;
}

/* dt_csv_open and pandas give this name to a second column with the target's name. */
static bool is_named_after(const char *name, const char *target)
{
    const size_t bytes = strlen(target);
    return strncmp(name, target, bytes) == 0 && name[bytes] == '.' && name[bytes + 1] != '\0' &&
           strspn(name + bytes + 1, "0123456789") == strlen(name + bytes + 1);
}

static bool is_copy(char what[WHAT_BYTES], const dt_prepare_table *found,
                    const dt_prepare_column *column)
{
    what[0] = '\0';
    if (column->asked || column->role == DT_ROLE_TARGET || column->role == DT_ROLE_DROPPED)
        return false;
    for (size_t t = 0; t < found->column_count; t++)
        if (found->columns[t].role == DT_ROLE_TARGET &&
            is_named_after(column->name, found->columns[t].name))
            return true;
    return false;
}

static bool has_bare(char what[WHAT_BYTES], const dt_prepare_table *found,
                     const dt_prepare_column *column)
{
    (void)found;
    (void)snprintf(what, WHAT_BYTES, "%llu cells have '%s', %llu have none, as '%s'",
                   (unsigned long long)column->unit_cells, column->format.unit,
                   (unsigned long long)column->bare_cells, column->bare);
    return column->unit_cells > 0 && column->bare_cells > 0 &&
           (column->role == DT_ROLE_NUMERIC || column->role == DT_ROLE_TARGET);
}

static bool has_zeros(char what[WHAT_BYTES], const dt_prepare_table *found,
                      const dt_prepare_column *column)
{
    (void)found;
    (void)snprintf(what, WHAT_BYTES, "as '%s'", column->zeros);
    return column->role == DT_ROLE_NUMERIC && !column->asked && column->zeros[0] != '\0';
}

/* Behind "2 columns": what they are, and behind their list what to do, around their names if these
 * are to be typed; each for one column and for several. */
static const struct kind {
    find_kind *find;
    const char *is[2], *before, *behind[2];
} kinds[] = {
    {has_bare,
     {" has a unit in some cells only", "s have a unit in some cells only"},
     NULL,
     {"correct the table if these numbers mean something else",
      "correct the table if these numbers mean something else"}},
    {has_zeros,
     {" has numbers with leading zeros, as codes have",
      "s have numbers with leading zeros, as codes have"},
     "use --categorical '",
     {"' to keep it as texts, or --numeric if it is intended",
      "' to keep them as texts, or --numeric if they are intended"}},
    {has_digits,
     {" has digits in the cells, but becomes categories",
      "s have digits in the cells, but become categories"},
     "use --categorical '",
     {"' or --drop to confirm", "' or --drop to confirm"}},
    {is_date,
     {" holds dates, which become numbers", "s hold dates, which become numbers"},
     NULL,
     {"use --dates, --categorical or --drop if this is wrong",
      "use --dates, --categorical or --drop if this is wrong"}},
    {is_text,
     {" of texts that hardly repeat is dropped", "s of texts that hardly repeat are dropped"},
     "use --categorical '",
     {"' to keep it", "' to keep them"}},
    {is_counter,
     {" counts the rows, and is dropped", "s count the rows, and are dropped"},
     "use --numeric '",
     {"' to keep it", "' to keep them"}},
    {is_key,
     {" looks like a key", "s look like keys"},
     "use --drop '",
     {"', or --numeric if it is intended", "', or --numeric if they are intended"}},
    {has_spellings,
     {" has categories that are spelled alike, but are separate inputs",
      "s have categories that are spelled alike, but are separate inputs"},
     NULL,
     {"use one spelling if they are the same", "use one spelling if they are the same"}},
    {is_copy,
     {" has the target's name, and may be a copy of it",
      "s have the target's name, and may be a copy of it"},
     "use --drop '",
     {"', or --numeric or --categorical if not", "', or --numeric or --categorical if not"}},
};

static void warn_of_kind(const dt_prepare_table *found, const struct kind *kind)
{
    list l = {0};
    char what[WHAT_BYTES] = "";
    for (size_t c = 0; c < found->column_count; c++)
        if (kind->find(what, found, &found->columns[c]))
            add(&l, found->columns[c].name, "%s", what);
    const bool several = l.count > 1, typed = kind->before != NULL;
    if (l.count > 0)
        dt_log_warn("%zu column%s: %s%s; %s%s%s", l.count, kind->is[several], l.text, l.more,
                    typed ? kind->before : "", typed ? l.names : "", kind->behind[several]);
}

/* ---- others ---- */

/* What its numbers mean, column by column, in one line. */
static void warn_of_formats(const dt_prepare_table *found)
{
    char texts[SHOWN * (2 * SHOWN_BYTES + 40)] = "", more[64] = "", name[SHOWN_BYTES];
    char number[DT_TEXT_NUMBER_BYTES];
    size_t used = 0, count = 0;
    for (size_t c = 0; c < found->column_count; c++) {
        const dt_prepare_column *column = &found->columns[c];
        const bool classes = column->role == DT_ROLE_TARGET && found->class_count > 0;
        if (column->written[0] == '\0' || column->role == DT_ROLE_CATEGORICAL ||
            column->role == DT_ROLE_DROPPED || column->role == DT_ROLE_DATE || classes)
            continue;
        if (count++ < SHOWN)
            used +=
                (size_t)snprintf(texts + used, sizeof texts - used, "%s'%s' in column '%s' is %s",
                                 count > 1 ? ", " : "", column->written,
                                 dt_text_show(name, column->name, strlen(column->name)),
                                 dt_text_number(number, column->meant, 9));
    }
    if (count > SHOWN)
        (void)snprintf(more, sizeof more, ", and %zu more", count - SHOWN);
    if (count > 0)
        dt_log_warn("%s%s; use --decimal, --thousands or --categorical if this is wrong", texts,
                    more);
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
        dt_log_warn("%zu column%s one number that repeats far more often than all others: %s%s; if "
                    "it means a missing value, use --missing='%s' --fill median",
                    l.count, l.count == 1 ? " has" : "s have", l.text, l.more, texts.names);
}

/* Namibia, or North America. */
static void warn_of_codes(const dt_prepare_table *found)
{
    list l = {0};
    for (size_t c = 0; c < found->column_count; c++)
        if (found->columns[c].na_cells > 0)
            add(&l, found->columns[c].name, "%llu cells",
                (unsigned long long)found->columns[c].na_cells);
    if (l.count > 0)
        dt_log_warn("%zu column%s 'NA' among codes, which is read as a missing value: %s%s; %s%s",
                    l.count, l.count == 1 ? " has" : "s have", l.text, l.more,
                    found->codes_advice[0] != '\0' ? found->codes_advice
                                                   : "write it in another way",
                    found->codes_advice[0] != '\0' ? " makes it a code" : " if it is a code");
}

void dt_prepare_warn_of_kinds(const dt_prepare_table *found)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        warn_of_kind(found, &kinds[i]);
    warn_of_sentinels(found);
    warn_of_codes(found);
    warn_of_formats(found);
}
