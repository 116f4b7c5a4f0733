#include "csv_layout.h"

#include "dtrain/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* Lines that may stand above a header. */
enum { LINES_ABOVE_MAX = 100 };

/* Rows that must count 1, 2, 3 to be recognized as names of rows. */
enum { COUNTED_ROWS_MIN = 3 };

/* A record of the sample. */
typedef struct shape {
    size_t at; /* bytes from the sample's beginning */
    uint64_t line;
    size_t fields, held; /* fields; and without the empty ones at its end */
    double number; /* that the first field is; below 0: none */
    uint64_t hash; /* of the first field */
    bool sound;
} shape;

typedef struct shapes {
    shape *items;
    size_t count, capacity;
} shapes;

DT_MUST_USE static dt_status add_shape(shapes *all, const shape *item)
{
    if (all->count == all->capacity) {
        const size_t wanted = 2 * all->capacity + 256;
        dt_status status =
            dt_memory_grow(&all->items, all->count, wanted, sizeof *all->items, "lines");
        if (status != DT_OK)
            return status;
        all->capacity = wanted;
    }
    all->items[all->count++] = *item;
    return DT_OK;
}

/* FNV-1a: different texts hardly ever have the same hash. */
static uint64_t hash_of(const dt_csv_field *field)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < field->bytes; i++)
        hash = (hash ^ (unsigned char)field->text[i]) * UINT64_C(0x100000001b3);
    return hash;
}

DT_MUST_USE static dt_status find_shapes(shapes *out, const dt_csv_sample *sample, char separator)
{
    dt_status status = DT_OK;
    dt_csv_fields fields = {.most = DT_CSV_MAX_COLUMNS + 1};
    dt_csv_record record;
    dt_csv_scan scan =
        dt_csv_scan_start(sample->text, sample->bytes, sample->line, separator, sample->whole);
    while (dt_csv_scan_next(&scan, &record) == DT_CSV_SCAN_RECORD) {
        DT_TRY(dt_csv_split(&fields, &record, &scan.stops));
        shape found = {.at = (size_t)(record.text - sample->text),
                       .line = record.line,
                       .fields = fields.count,
                       .number = -1.0,
                       .sound = fields.problem == DT_CSV_SOUND};
        found.fields += !found.sound; /* the field that is malformed is one */
        found.held = found.fields;
        while (found.sound && found.held > 0 && found.fields <= fields.most &&
               fields.items[found.held - 1].bytes == 0)
            found.held--;
        double number = 0.0;
        if (fields.count > 0 &&
            dt_csv_number(&number, fields.items[0].text, fields.items[0].bytes, '.'))
            found.number = number;
        found.hash = fields.count > 0 ? hash_of(&fields.items[0]) : 0;
        DT_TRY(add_shape(out, &found));
    }
out:
    dt_csv_fields_clear(&fields);
    return status;
}

static bool fits(const shape *record, size_t columns)
{
    const bool one_more = record->fields == columns + 1 && record->held < record->fields;
    return record->sound && (record->fields == columns || one_more);
}

static size_t first_that_fits(const shapes *all, size_t columns)
{
    size_t from = all->count;
    while (from > 0 && fits(&all->items[from - 1], columns))
        from--;
    return from;
}

/* Returns the first record after which all have the same number of fields as the last one, or one
 * more that is empty; of these two readings, the one that begins earlier. */
static size_t find_uniform(const shapes *all, size_t *columns)
{
    const shape *last = &all->items[all->count - 1];
    const size_t from = first_that_fits(all, last->fields);
    *columns = last->fields;
    if (last->fields < 2 || last->held == last->fields)
        return from;
    const size_t from_less = first_that_fits(all, last->fields - 1);
    if (from_less > from)
        return from;
    *columns = last->fields - 1;
    return from_less;
}

static bool has_trailing(const shapes *all, size_t from, size_t columns)
{
    for (size_t i = from; i < all->count; i++)
        if (all->items[i].fields > columns)
            return true;
    return false;
}

/* R and pandas' to_string omit the name of the column that names the rows: texts, or numbers from 0
 * or 1. */
static bool lacks_first_name(const shapes *all, size_t columns)
{
    const shape *rows = all->items;
    if (columns < 3 || rows[0].fields != columns - 1 || rows[0].held != columns - 1)
        return false;
    bool texts = true, counted = all->count > COUNTED_ROWS_MIN && rows[1].number < 2.0;
    for (size_t i = 1; i < all->count; i++) {
        texts = texts && rows[i].number < 0.0;
        counted = counted && rows[i].number == rows[1].number + (double)(i - 1);
    }
    return all->count > 2 && (texts || counted);
}

static int compare_hashes(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Names of rows are all different; otherwise the extra field comes from a cell that contains a
 * separator. */
DT_MUST_USE static dt_status first_fields_repeat(bool *out, const shapes *all)
{
    const size_t count = all->count - 1;
    uint64_t *hashes = NULL;
    dt_status status = dt_memory_alloc(&hashes, count, sizeof *hashes, "lines");
    if (status != DT_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        hashes[i] = all->items[i + 1].hash;
    qsort(hashes, count, sizeof *hashes, compare_hashes);
    *out = false;
    for (size_t i = 1; i < count; i++)
        *out = *out || hashes[i - 1] == hashes[i];
    dt_memory_free(hashes);
    return DT_OK;
}

static dt_csv_sample behind(const dt_csv_sample *sample, const shape *record)
{
    dt_csv_sample rest = *sample;
    rest.text += record->at;
    rest.bytes -= record->at;
    rest.line = record->line;
    return rest;
}

/* Lines with fewer fields, up to the first of those that all have the same number; or lines with
 * only a title in the first field. */
DT_MUST_USE static dt_status find_header(dt_csv_layout *out, const shapes *all, size_t from,
                                         const dt_csv_sample *sample, char separator)
{
    size_t header = from;
    for (size_t i = 0; i < from; i++)
        if (all->items[i].held >= out->columns)
            return DT_OK;
    while (out->columns > 2 && header + 2 < all->count && all->items[header].held < 2)
        header++;
    if (header == 0 || header > LINES_ABOVE_MAX || header + 2 > all->count || out->columns < 2)
        return DT_OK;
    dt_csv_judgement judgement;
    const dt_csv_sample rest = behind(sample, &all->items[header]);
    dt_status status = dt_csv_judge(&judgement, &rest, separator, out->columns);
    if (status != DT_OK)
        return status;
    if (judgement.names > 0 && judgement.verdict == DT_CSV_VERDICT_HEADER) {
        out->skipped = all->items[header].at;
        out->skipped_lines = all->items[header].line - sample->line;
        out->uniform = true;
    } else if (judgement.verdict != DT_CSV_VERDICT_ROW &&
               (from == 1 || (from > 1 && all->items[0].held < 2))) {
        out->odd_line = all->items[0].line;
        out->odd_fields = all->items[0].fields;
        out->usual_line = all->items[from].line;
        out->usual_fields = out->columns;
    }
    return DT_OK;
}

dt_status dt_csv_find_layout(dt_csv_layout *out, const dt_csv_sample *sample, char separator)
{
    dt_status status = DT_OK;
    shapes all = {0};
    *out = (dt_csv_layout){0};
    DT_TRY(find_shapes(&all, sample, separator));
    out->uniform = all.count == 0;
    if (all.count == 0)
        goto out;
    const size_t from = find_uniform(&all, &out->columns);
    out->trailing = has_trailing(&all, from, out->columns);
    out->uniform = from == 0;
    const bool lacks = from == 1 && lacks_first_name(&all, out->columns);
    bool repeat = false;
    if (lacks)
        DT_TRY(first_fields_repeat(&repeat, &all));
    if (lacks && !repeat)
        out->row_names = out->uniform = true;
    else
        DT_TRY(find_header(out, &all, from, sample, separator));
    if (repeat && !out->uniform) {
        out->no_names_line = all.items[0].line;
        out->usual_fields = out->columns;
    }
    if (!out->uniform) { /* the header decides, so that a ragged row is an error */
        out->columns = all.items[0].fields;
        out->trailing = false;
    }
out:
    dt_memory_free(all.items);
    return status;
}

/* ---- the separator ---- */

/* In the order of preference for separators that are otherwise equal. */
static const char separators[] = DT_CSV_SEPARATORS;

/* Separators from the first rare one on are found only if no usual one fits; the others, not at
 * all: a time contains colons. */
enum { SEPARATORS = sizeof separators - 1, RARE = 5, NOT_FOUND = 7 };

/* How well a separator fits. */
enum { NOTHING, ONE_COLUMN, LINES_ABOVE, RAGGED, BLANKS, BELOW_LINES, SOUND };

char dt_csv_separator(int index)
{
    return index > 0 ? separators[index - 1] : '\0';
}

const char *dt_csv_separator_name(char separator)
{
    static const char *const names[] = {"comma", "semicolon", "tab",   "bar",
                                        "space", "caret",     "tilde", "colon"};
    const char *found = memchr(separators, separator, SEPARATORS);
    return names[found != NULL ? found - separators : 0];
}

/* Texts of two words each are not a table. */
DT_MUST_USE static dt_status has_numbers(bool *out, const dt_csv_sample *sample, char separator,
                                         size_t columns)
{
    dt_csv_judgement judgement;
    dt_status status = dt_csv_judge(&judgement, sample, separator, columns);
    *out = judgement.has_numbers;
    return status;
}

/*
 * A header with two or more fields proves the separator, even if a row has another number of
 * fields: that row is reported as ragged, and the table is not read as one column.
 */
DT_MUST_USE static dt_status rank_separator(int *out, const dt_csv_layout *layout,
                                            const dt_csv_sample *sample, char separator)
{
    const bool one = layout->columns < 2;
    if (separator == ' ') {
        bool numbers = false;
        *out = NOTHING;
        if (one || !layout->uniform || layout->skipped > 0)
            return DT_OK;
        dt_status status = has_numbers(&numbers, sample, separator, layout->columns);
        *out = numbers ? BLANKS : NOTHING;
        return status;
    }
    if (one)
        *out = layout->uniform ? ONE_COLUMN : layout->odd_line > 0 ? LINES_ABOVE : NOTHING;
    else if (!layout->uniform)
        *out = RAGGED;
    else
        *out = layout->skipped > 0 || layout->row_names ? BELOW_LINES : SOUND;
    return DT_OK;
}

dt_status dt_csv_find_separator(dt_csv_layout *out, char *separator, const dt_csv_sample *sample)
{
    dt_status status = DT_OK;
    int best = -1;
    if (*separator != 0)
        return dt_csv_find_layout(out, sample, *separator);
    for (size_t i = 0; i < NOT_FOUND && (i < RARE || best < RAGGED); i++) {
        dt_csv_layout layout;
        int rank = 0;
        DT_TRY(dt_csv_find_layout(&layout, sample, separators[i]));
        DT_TRY(rank_separator(&rank, &layout, sample, separators[i]));
        if (rank < best || (i >= RARE && rank < BELOW_LINES) ||
            (rank == best && layout.columns <= out->columns))
            continue;
        *separator = separators[i];
        *out = layout;
        best = rank;
    }
out:
    return status;
}

/* ---- what stands above all ---- */

/* Goes to the next line; returns the contents of this one. */
static dt_csv_sample take_line(dt_csv_sample *sample)
{
    dt_csv_sample line = *sample;
    size_t bytes = 0;
    while (bytes < sample->bytes && sample->text[bytes] != '\n' && sample->text[bytes] != '\r')
        bytes++;
    line.bytes = bytes;
    line.whole = true;
    if (bytes < sample->bytes) {
        const bool both = sample->text[bytes] == '\r' && bytes + 1 < sample->bytes &&
                          sample->text[bytes + 1] == '\n';
        bytes += both ? 2 : 1;
        sample->line++;
    }
    sample->text += bytes;
    sample->bytes -= bytes;
    return line;
}

/* "sep=;", with quotes around it too, as Excel writes it. */
static bool is_separator_line(const dt_csv_sample *line, char *separator)
{
    const char *c = line->text;
    size_t bytes = line->bytes;
    if (bytes >= 2 && c[0] == '"' && c[bytes - 1] == '"') {
        c++;
        bytes -= 2;
    }
    if (bytes != 5 || memcmp(c, "sep=", 4) != 0 || memchr(separators, c[4], SEPARATORS) == NULL)
        return false;
    if (*separator == 0)
        *separator = c[4];
    return true;
}

static bool is_blank_line(const dt_csv_sample *line)
{
    for (size_t i = 0; i < line->bytes; i++)
        if (line->text[i] != ' ' && line->text[i] != '\t')
            return false;
    return true;
}

dt_csv_sample dt_csv_skip_preamble(const dt_csv_sample *sample, uint64_t lines, char *separator,
                                   dt_csv_sample *comment)
{
    dt_csv_sample rest = *sample;
    *comment = (dt_csv_sample){.text = ""};
    for (; lines > 0 && rest.bytes > 0; lines--)
        (void)take_line(&rest);
    dt_csv_sample next = rest;
    dt_csv_sample line = take_line(&next);
    if (is_separator_line(&line, separator))
        rest = next;
    const dt_csv_sample first = rest;
    for (;;) {
        next = rest;
        line = take_line(&next);
        if (line.bytes == 0 && next.bytes == 0)
            break;
        if (line.bytes > 0 && line.text[0] == '#') {
            *comment = line;
            comment->text++;
            comment->bytes--;
            rest = next;
        } else if (is_blank_line(&line) && next.bytes > 0) {
            rest = next;
        } else {
            return rest;
        }
    }
    *comment = (dt_csv_sample){.text = ""}; /* there is nothing else: they are the table */
    return first;
}
