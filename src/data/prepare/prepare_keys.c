/* Columns that identify rows instead of describing them: free text, and keys. */
#include "prepare_internal.h"

#include "dtrain/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Texts: from this many rows on, half of them must repeat; with fewer rows, one in ten. Even fewer
 * rows decide nothing. */
enum { ROWS_MANY = 101, ROWS_FEW = 20, ROWS_A_REPEAT = 10 };

/* More categories than are kept, and the kept ones have less than one row in this many. */
enum { CATEGORIES_MANY = 1000, ROWS_A_KEPT = 4 };

/* Numbers: fewer rows may differ by chance, and one in this many may be equal; if the name is that
 * of a key, half of them, as where some customers bought twice. */
enum { KEY_ROWS_MIN = 20, KEYS_A_REPEAT = 20, KEYS_A_REPEAT_NAMED = 2 };

/* Fewer rows may count 1, 2, 3 by chance: years, say. */
enum { COUNTED_ROWS_MIN = 32 };

/* Years. */
#define YEARS_MIN 1500.0
#define YEARS_MAX 2100.0

/* Keys of eight digits or more need no name, and those of cards may even repeat; of fewer digits
 * there must be many. */
#define KEY_LARGE 1e7
#define KEY_SMALL 1e4
#define KEY_OF_CARDS 1e15

/* ---- texts ---- */

static int compare_counts(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x > y ? -1 : x < y;
}

/* Whether the most frequent values, one input each, have only a small share of the rows. */
static dt_status are_mostly_rare(bool *out, const dt_survey *survey, size_t most)
{
    dt_status status = DT_OK;
    uint64_t *counts = NULL, kept = 0;
    const size_t count = survey->values.count;
    *out = false;
    if (count <= most || count <= CATEGORIES_MANY)
        return DT_OK;
    DT_TRY(dt_memory_alloc(&counts, count, sizeof *counts, "categories"));
    for (size_t i = 0; i < count; i++)
        counts[i] = survey->values.entries[i].count;
    qsort(counts, count, sizeof *counts, compare_counts);
    for (size_t i = 0; i + 1 < most; i++)
        kept += counts[i];
    *out = kept * ROWS_A_KEPT < survey->numbers + survey->texts;
out:
    dt_memory_free(counts);
    return status;
}

dt_status dt_prepare_find_text(const char **why, const dt_prepare *p, size_t c)
{
    dt_status status = DT_OK;
    bool is_rare = false;
    const dt_survey *survey = &p->surveys[c];
    const uint64_t cells = survey->numbers + survey->texts, count = survey->values.count;
    const size_t most = p->plan->max_categories;
    *why = NULL;
    if (!survey->keeps_values) {
        *why = "too many distinct texts";
        return DT_OK;
    }
    if (count == cells && (cells >= ROWS_FEW || cells > most))
        *why = "no two are the same";
    else if (cells >= ROWS_MANY ? 2 * count > cells
                                : cells >= ROWS_FEW && (cells - count) * ROWS_A_REPEAT <= cells)
        *why = "texts that hardly repeat";
    else
        DT_TRY(are_mostly_rare(&is_rare, survey, most));
    if (is_rare)
        *why = "categories would hold few rows";
out:
    return status;
}

/* 47:18 or 33:12:34: durations beyond a day or an hour. */
static bool is_duration(const char *text)
{
    static const char digits[] = "0123456789";
    size_t parts = 0;
    for (const char *at = text;; at++) {
        const size_t length = strspn(at, digits);
        if (length == 0 || (parts > 0 && length != 2))
            return false;
        parts++;
        at += length;
        if (*at == '.' && parts > 1)
            at += 1 + strspn(at + 1, digits);
        if (*at != ':')
            return *at == '\0' && (parts == 2 || parts == 3);
    }
}

const char *dt_prepare_name_texts(const dt_prepare *p, size_t c)
{
    const dt_survey *survey = &p->surveys[c];
    bool durations = survey->keeps_values && survey->numbers == 0;
    for (size_t i = 0; durations && i < survey->values.count; i++)
        durations = is_duration(survey->values.entries[i].text);
    if (durations)
        return "times or durations: write numbers, as seconds";
    return dt_prepare_are_slips(survey->texts - survey->dates.cells, survey->texts)
               ? "dates in more than one form: write one"
               : "";
}

void dt_prepare_find_odd(dt_prepare_column *column, const dt_survey *survey)
{
    dt_number_look first = {0}, look;
    const char *plain = NULL, *other = NULL;
    column->odd = column->beside = NULL;
    for (size_t i = 0; survey->keeps_values && i < survey->values.count; i++) {
        const dt_dictionary_entry *entry = &survey->values.entries[i];
        const bool looks = dt_number_look_at(&look, entry->text, entry->bytes);
        if (looks && entry->kind == DT_VALUE_NUMBER) {
            plain = plain == NULL ? entry->text : plain;
            continue;
        }
        if (!looks) {
            column->odd = entry->text;
            column->beside = NULL;
            return;
        }
        if (other == NULL) {
            other = entry->text;
            first = look;
        } else if (column->odd == NULL && (strcmp(look.unit, first.unit) != 0 ||
                                           !((look.point.fits && first.point.fits) ||
                                             (look.comma.fits && first.comma.fits)))) {
            column->odd = entry->text;
            column->beside = other;
        }
    }
    if (column->odd == NULL && plain != NULL) {
        column->odd = other;
        column->beside = plain;
    }
}

/* ---- numbers ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool ends_in(const char *name, size_t bytes, const char *ending)
{
    const size_t length = strlen(ending);
    return bytes >= length && strncasecmp(name + bytes - length, ending, length) == 0;
}

/* Whether the last word of a name is one that keys have: CustomerId, customer_id, Invoice No.,
 * customer; or the name ends in id, as customerid, but not in a word such as paid. */
static bool is_named_key(const char *name)
{
    static const char *const words[] = {"id",     "ids",     "key",     "nr",       "no",
                                        "number", "num",     "uuid",    "customer", "client",
                                        "user",   "account", "invoice", "patient",  "serial"};
    static const char *const others[] = {"paid", "bid",   "aid",   "mid",  "acid", "fluid", "solid",
                                         "grid", "valid", "rapid", "void", "kid",  "squid"};
    size_t bytes = strlen(name);
    while (bytes > 0 && (name[bytes - 1] == '.' || name[bytes - 1] == ' '))
        bytes--;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const size_t from = bytes - strlen(words[i]);
        if (ends_in(name, bytes, words[i]) &&
            (from == 0 || !is_letter(name[from - 1]) ||
             (is_capital(name[from]) && !is_capital(name[from - 1]))))
            return true;
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (ends_in(name, bytes, others[i]))
            return false;
    return ends_in(name, bytes, "id");
}

/* Seconds since 1970, or thousandths and so on, from 1990 to 2060. */
static bool is_unix_time(double minimum, double maximum)
{
    static const double units[] = {1.0, 1e3, 1e6, 1e9};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (minimum >= 631152000.0 * units[i] && maximum <= 2840140800.0 * units[i])
            return true;
    return false;
}

/* Typical keys are large, and have the same number of digits. */
static bool are_numbered(double minimum, double maximum)
{
    double first = KEY_LARGE;
    while (first * 10.0 <= minimum && first < 1e300)
        first *= 10.0;
    return minimum >= first && maximum < first * 10.0 && !is_unix_time(minimum, maximum);
}

bool dt_prepare_keeps_step(const dt_survey *survey)
{
    return survey->keeps_step && survey->numbers >= COUNTED_ROWS_MIN;
}

/* Numbers that are all different and consecutive, in any order, or change by constant steps, number
 * the rows. Years and times may do so, too. */
static bool number_rows(const dt_survey *survey, const dt_prepare_column *column)
{
    const bool all = survey->numbers >= COUNTED_ROWS_MIN &&
                     column->maximum - column->minimum == (double)(survey->numbers - 1);
    const bool years = column->minimum >= YEARS_MIN && column->maximum <= YEARS_MAX;
    return (all || dt_prepare_keeps_step(survey)) && !years &&
           !is_unix_time(column->minimum, column->maximum);
}

/* Measures of so many rows within such a range would repeat; of draws from it none does with a
 * chance of at most e^-pairs. */
static bool never_repeats(const dt_prepare_column *column, uint64_t seen)
{
    enum { PAIRS_MIN = 6 };
    const double rows = (double)seen, range = column->maximum - column->minimum + 1.0;
    const double pairs = rows * (rows - 1.0) / 2.0 / range; /* that would be equal */
    return pairs >= (double)PAIRS_MIN && column->minimum >= KEY_SMALL &&
           !is_unix_time(column->minimum, column->maximum);
}

bool dt_prepare_is_key(const dt_prepare *p, size_t c)
{
    const dt_survey *survey = &p->surveys[c];
    const dt_prepare_column *column = &p->columns[c];
    const uint64_t seen = survey->keeps_values ? survey->numbers : survey->cells_kept;
    const uint64_t distinct = survey->keeps_values ? survey->values.count : column->distinct;
    if (column->role != DT_ROLE_NUMERIC || survey->asked || survey->has_fraction ||
        survey->written[0] != '\0' || seen < KEY_ROWS_MIN || column->minimum < 0.0)
        return false;
    const bool numbered = are_numbered(column->minimum, column->maximum);
    if (numbered && column->minimum >= KEY_OF_CARDS)
        return true;
    if (distinct == seen && (number_rows(survey, column) || never_repeats(column, seen)))
        return true;
    const bool named = is_named_key(p->names[c]);
    return distinct <= seen && (numbered || named) &&
           (seen - distinct) * (named ? KEYS_A_REPEAT_NAMED : KEYS_A_REPEAT) <= seen;
}
