#include "csv_layout.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A column is numeric if at least this many of ten cells are numbers; likewise for fractions. */
enum { MOST_OF_TEN = 9 };

/* Cells below a whole number that must be fractions for it to be a name. */
enum { FRACTIONS_MIN = 10 };

/* This many consecutive numbers are a header, whatever the first one is. */
enum { COUNTING_MIN = 5 };

/* The facts about a column. */
typedef struct column {
    bool is_number, is_whole; /* the first cell, which is */
    double number;
    bool is_empty, is_blank; /* it means a missing value; it has no character */
    bool is_quoted;
    size_t cells, numbers, wholes; /* below it, that hold something */
    size_t quoted; /* of these numbers */
    size_t same; /* as the first cell */
    double minimum, maximum;
} column;

static bool is_missing(const dt_csv_field *cell)
{
    static const char *const texts[] = {"",    "?",    "-",    ".",    "NA",   "N/A",  "n/a", "NaN",
                                        "nan", "NULL", "null", "#N/A", "None", "none", "na",  NULL};
    return dt_text_is_among(cell->text, texts);
}

/* With either decimal sign, since it is not known yet. */
static bool is_number(double *out, const dt_csv_field *cell)
{
    return dt_csv_number(out, cell->text, cell->bytes, '.') ||
           dt_csv_number(out, cell->text, cell->bytes, ',');
}

/* As it is written: 0.00 is not whole. */
static bool is_whole(const dt_csv_field *cell)
{
    return strpbrk(cell->text, ".,eE") == NULL;
}

static void see_cell(column *seen, const dt_csv_fields *row, size_t c, const dt_csv_field *first)
{
    double number = 0.0;
    const dt_csv_field *cell = &row->items[c];
    if (is_missing(cell))
        return;
    seen->cells++;
    seen->same += strcmp(cell->text, first->text) == 0;
    if (!is_number(&number, cell))
        return;
    seen->minimum = seen->numbers == 0 ? number : fmin(seen->minimum, number);
    seen->maximum = seen->numbers == 0 ? number : fmax(seen->maximum, number);
    seen->numbers++;
    seen->quoted += dt_csv_is_quoted(row, c);
    seen->wholes += is_whole(cell);
}

/* Concatenated files repeat their header. */
static bool is_first_again(const dt_csv_fields *row, const dt_csv_fields *first)
{
    for (size_t c = 0; c < first->count && c < row->count; c++)
        if (strcmp(row->items[c].text, first->items[c].text) != 0)
            return false;
    return true;
}

static bool is_of_numbers(const column *c)
{
    return c->cells > 0 && c->numbers * 10 >= c->cells * MOST_OF_TEN;
}

/* A whole number above fractions: a year, say. */
static bool is_foreign(const column *c)
{
    return c->cells >= FRACTIONS_MIN && c->is_whole &&
           (c->cells - c->wholes) * 10 >= c->cells * MOST_OF_TEN;
}

static bool looks_like_year(const column *c)
{
    return c->number >= 1900.0 && c->number <= 2100.0 && c->is_whole &&
           (c->number < c->minimum || c->number > c->maximum);
}

/* Numbers among the first cells that rise by equal steps. */
typedef struct counting {
    size_t numbers, years;
    double first, step;
    size_t beyond; /* that their columns do not reach */
    size_t cells; /* below the first */
} counting;

static bool rises(counting *out, const column *columns, size_t column_count)
{
    double before = 0.0;
    *out = (counting){0};
    for (size_t i = 0; i < column_count; i++) {
        const column *c = &columns[i];
        if (!c->is_number)
            continue;
        if (out->numbers == 0) {
            out->first = c->number;
            out->cells = c->cells;
        } else if (out->numbers == 1) {
            out->step = c->number - before;
        } else if (fabs(c->number - before - out->step) > 1e-6 * fabs(out->step)) {
            return false;
        }
        out->beyond += c->number < c->minimum || c->number > c->maximum;
        out->years += looks_like_year(c);
        before = c->number;
        out->numbers++;
    }
    return out->numbers >= 2 && out->step > 0.0;
}

/* Consecutive numbers are names in these cases: 0, 1, 2 as in pandas; years; numbers that the
 * columns below never reach; more numbers than a row would have by chance. A row may well begin
 * with 0, 1. */
static dt_csv_verdict judge_numbers(const column *columns, size_t column_count)
{
    counting found;
    if (!rises(&found, columns, column_count))
        return DT_CSV_VERDICT_ROW;
    const bool index =
        columns[0].is_blank && is_of_numbers(&columns[0]) && columns[0].minimum == 0.0;
    const bool as_pandas = (found.first == 0.0 || found.first == 1.0) && found.step == 1.0;
    const bool all_beyond = found.beyond == found.numbers;
    if (found.numbers >= COUNTING_MIN || found.years == found.numbers || (as_pandas && index) ||
        (all_beyond && found.numbers > 2 && found.cells >= FRACTIONS_MIN) ||
        (as_pandas && found.beyond > 0 && found.cells >= 2))
        return DT_CSV_VERDICT_NUMBERED_HEADER;
    return as_pandas ? DT_CSV_VERDICT_UNCLEAR : DT_CSV_VERDICT_ROW;
}

/* Programs that quote names and texts (R's write.csv) do not quote numbers. */
static bool are_quoted_names(const column *columns, size_t column_count)
{
    size_t names = 0;
    for (size_t i = 0; i < column_count; i++) {
        const column *c = &columns[i];
        if (!c->is_number || c->numbers == 0)
            continue;
        if (!c->is_quoted || c->quoted > 0)
            return false;
        names++;
    }
    return names > 0;
}

/* The number of columns for each judgement of the first cells. */
typedef struct votes {
    size_t names; /* texts above numbers */
    size_t foreign; /* whole numbers above fractions */
    size_t numbers; /* numbers above others like them */
    size_t years; /* of these */
    size_t texts; /* texts above texts */
    size_t again; /* that stand further down, too */
} votes;

static votes count_votes(const column *columns, size_t column_count)
{
    votes found = {0};
    for (size_t i = 0; i < column_count; i++) {
        const column *c = &columns[i];
        if (c->is_empty || c->cells == 0)
            continue;
        const bool numeric = is_of_numbers(c);
        if (numeric && !c->is_number)
            found.names++;
        else if (numeric && is_foreign(c))
            found.foreign++;
        else if (numeric)
            found.numbers++;
        else
            found.texts++;
        found.again += !numeric && c->same > 0;
        found.years += numeric && c->is_number && !is_foreign(c) && looks_like_year(c);
    }
    return found;
}

static dt_csv_verdict decide(const votes *v, const column *columns, size_t column_count)
{
    const size_t values = v->numbers + v->again;
    const dt_csv_verdict counted =
        v->numbers > 0 ? judge_numbers(columns, column_count) : DT_CSV_VERDICT_ROW;
    if (counted == DT_CSV_VERDICT_NUMBERED_HEADER)
        return counted;
    if (are_quoted_names(columns, column_count))
        return DT_CSV_VERDICT_NUMBERED_HEADER;
    if (v->names > 0)
        return v->names + v->foreign >= values ? DT_CSV_VERDICT_HEADER : DT_CSV_VERDICT_UNCLEAR;
    if (v->foreign > 0 && values == 0)
        return DT_CSV_VERDICT_NUMBERED_HEADER;
    if (v->foreign > 0)
        return values > v->foreign ? DT_CSV_VERDICT_ROW : DT_CSV_VERDICT_UNCLEAR;
    if (v->numbers > 0)
        return v->numbers == v->years && v->again == 0 ? DT_CSV_VERDICT_UNCLEAR : counted;
    if (v->again > 0)
        return v->again * 2 > v->texts ? DT_CSV_VERDICT_ROW : DT_CSV_VERDICT_UNCLEAR;
    return DT_CSV_VERDICT_HEADER; /* there is no evidence for either */
}

static void show_first(dt_csv_judgement *out, const dt_csv_fields *first)
{
    enum { CELLS_SHOWN = 3, CELL_BYTES = 16 };
    size_t used = 0;
    for (size_t c = 0; c < first->count && c < CELLS_SHOWN; c++)
        used += (size_t)snprintf(out->first + used, sizeof out->first - used, "%s%.*s",
                                 c > 0 ? ", " : "", CELL_BYTES, first->items[c].text);
    (void)snprintf(out->first + used, sizeof out->first - used, "%s",
                   first->count > CELLS_SHOWN ? ", ..." : "");
}

dt_status dt_csv_judge(dt_csv_judgement *out, const dt_csv_sample *sample, char separator,
                       size_t columns)
{
    dt_status status = DT_OK;
    dt_csv_fields first = {.most = columns}, row = {.most = columns};
    dt_csv_record record;
    column *seen = NULL;
    *out = (dt_csv_judgement){.verdict = DT_CSV_VERDICT_HEADER};
    dt_csv_scan scan =
        dt_csv_scan_start(sample->text, sample->bytes, sample->line, separator, sample->whole);
    if (dt_csv_scan_next(&scan, &record) != DT_CSV_SCAN_RECORD)
        goto out;
    DT_TRY(dt_csv_split(&first, &record, &scan.stops));
    const size_t count = first.count < columns ? first.count : columns;
    first.count = count; /* fields that are stored */
    DT_TRY(dt_memory_alloc(&seen, count, sizeof *seen, "columns"));
    for (size_t c = 0; c < count; c++) {
        seen[c].is_blank = first.items[c].bytes == 0;
        seen[c].is_quoted = dt_csv_is_quoted(&first, c);
        seen[c].is_empty = is_missing(&first.items[c]);
        seen[c].is_whole = is_whole(&first.items[c]);
        seen[c].is_number = is_number(&seen[c].number, &first.items[c]);
    }
    while (dt_csv_scan_next(&scan, &record) == DT_CSV_SCAN_RECORD) {
        DT_TRY(dt_csv_split(&row, &record, &scan.stops));
        if (row.problem != DT_CSV_SOUND || is_first_again(&row, &first))
            continue;
        for (size_t c = 0; c < count && c < row.count; c++)
            see_cell(&seen[c], &row, c, &first.items[c]);
    }
    const votes found = count_votes(seen, count);
    out->names = found.names;
    out->has_numbers = found.names + found.foreign + found.numbers > 0;
    for (size_t c = 0; c < count; c++)
        out->has_numbers = out->has_numbers || seen[c].is_number;
    out->verdict = decide(&found, seen, count);
    show_first(out, &first);
out:
    dt_memory_free(seen);
    dt_csv_fields_clear(&first);
    dt_csv_fields_clear(&row);
    return status;
}
