#include "csv_scan.h"

#include "dtrain/base/memory.h"

#include <string.h>

static const char *find(char wanted, const char *from, const char *end)
{
    const char *found = memchr(from, wanted, (size_t)(end - from));
    return found == NULL ? end : found;
}

static const char *earlier(const char *a, const char *b)
{
    return a < b ? a : b;
}

static bool is_blank(char c, char separator)
{
    return c == ' ' || (c == '\t' && separator != '\t');
}

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

/* ---- one record ---- */

static dt_csv_stops stops_of(char separator)
{
    dt_csv_stops stops = {.separator = separator};
    stops.at[(unsigned char)separator] = true;
    stops.at['\t'] = separator == '\t' || separator == ' ';
    stops.at['\n'] = stops.at['\r'] = stops.at['"'] = true;
    return stops;
}

/* The fields' text is a copy of the record from `record` on. With NULL nothing is kept. */
static void keep_field(dt_csv_fields *fields, const char *record, const char *from, const char *to)
{
    if (fields == NULL)
        return;
    if (fields->count < fields->most) {
        char *text = fields->text + (from - record);
        text[to - from] = '\0';
        fields->items[fields->count] = (dt_csv_field){text, (size_t)(to - from)};
    }
    fields->count++;
}

/* The state of a walk over a record, and the field that it has just passed. */
typedef struct walker {
    const char *record, *end;
    const dt_csv_stops *stops;
    dt_csv_fields *fields; /* NULL: only the record's end is searched */
    const char *from, *to; /* the field, in which two quotes have become one */
    dt_csv_problem problem;
} walker;

static const char *skip_blanks(const char *c, const walker *w)
{
    while (c < w->end && is_blank(*c, w->stops->separator))
        c++;
    return c;
}

/* Passes a plain field; returns its end. */
static const char *walk_plain(const char *c, walker *w)
{
    w->from = c;
    while (c < w->end && !w->stops->at[(unsigned char)*c])
        c++;
    if (c < w->end && *c == '"')
        w->problem = DT_CSV_QUOTE_INSIDE;
    w->to = c;
    while (w->to > w->from && is_blank(w->to[-1], w->stops->separator))
        w->to--;
    return c;
}

/* Passes a quoted part from its first quote; returns the position behind the last one. */
static const char *walk_quotes(const char *c, walker *w)
{
    size_t doubled = 0;
    w->from = c + 1;
    for (;;) {
        const char *begin = c + 1;
        c = find('"', begin, w->end);
        if (doubled > 0 && w->fields != NULL)
            memcpy(w->fields->text + (begin - doubled - w->record), begin, (size_t)(c - begin));
        w->to = c - doubled;
        if (c == w->end)
            w->problem = DT_CSV_UNCLOSED;
        else
            c++;
        if (c == w->end || *c != '"')
            return c;
        if (w->fields != NULL) /* the first of the two quotes, appended to the field */
            w->fields->text[w->to - w->record] = '"';
        doubled++;
    }
}

/* Other programs write Excel's ="007" as "=""007""". A formula with more quotes is not changed. */
static void unwrap(walker *w)
{
    if (w->fields == NULL || w->problem != DT_CSV_SOUND || w->to - w->from < 3)
        return;
    const char *text = w->fields->text + (w->from - w->record);
    const size_t bytes = (size_t)(w->to - w->from);
    if (text[0] == '=' && text[1] == '"' && text[bytes - 1] == '"' &&
        memchr(text + 2, '"', bytes - 3) == NULL) {
        w->from += 2;
        w->to--;
    }
}

static const char *walk_quoted(const char *c, walker *w)
{
    c = walk_quotes(c, w);
    unwrap(w);
    if (w->stops->separator != ' ')
        c = skip_blanks(c, w);
    if (c < w->end && (!w->stops->at[(unsigned char)*c] || *c == '"'))
        w->problem = DT_CSV_TEXT_BEHIND;
    return c;
}

/* Goes to the last separator behind a field, or to the line's end, if blanks do not separate. */
static const char *walk_to_separator(const char *c, const walker *w)
{
    if (w->stops->separator != ' ')
        return c;
    c = skip_blanks(c, w);
    return c < w->end && !is_line_end(*c) ? c - 1 : c;
}

/*
 * The one walk over a record, for its end and, unless `fields` is NULL, for its fields. Returns the
 * line end behind it, or behind the quote in the wrong place; `end` when there is none.
 */
static const char *walk(const char *record, const char *end, const dt_csv_stops *stops,
                        dt_csv_fields *fields, dt_csv_problem *problem)
{
    walker w = {.record = record, .end = end, .stops = stops, .fields = fields};
    for (const char *c = record;; c++) {
        c = skip_blanks(c, &w);
        if (end - c > 1 && c[0] == '=' && c[1] == '"') /* Excel: ="007" is the text 007 */
            c++;
        c = c < end && *c == '"' ? walk_quoted(c, &w) : walk_plain(c, &w);
        *problem = w.problem;
        if (w.problem == DT_CSV_UNCLOSED)
            return end;
        if (w.problem != DT_CSV_SOUND)
            return earlier(find('\n', c, end), find('\r', c, end));
        keep_field(fields, record, w.from, w.to);
        c = walk_to_separator(c, &w);
        if (c == end || is_line_end(*c))
            return c;
    }
}

dt_status dt_csv_split(dt_csv_fields *out, const dt_csv_record *record, const dt_csv_stops *stops)
{
    dt_status status = DT_OK;
    const size_t bytes = record->bytes + 1; /* the last field's NUL */
    const size_t items = bytes < out->most ? bytes : out->most;
    out->count = 0;
    out->problem = DT_CSV_SOUND;
    if (bytes > out->text_bytes) {
        out->text_bytes = 0;
        DT_TRY(dt_memory_grow(&out->text, 0, bytes + bytes / 2, 1, "text of a row"));
        out->text_bytes = bytes + bytes / 2;
    }
    if (items > out->capacity) {
        const size_t wanted = items + items / 2 < out->most ? items + items / 2 : out->most;
        out->capacity = 0;
        DT_TRY(dt_memory_grow(&out->items, 0, wanted, sizeof *out->items, "fields of a row"));
        out->capacity = wanted;
    }
    memcpy(out->text, record->text, record->bytes);
    (void)walk(record->text, record->text + record->bytes, stops, out, &out->problem);
out:
    return status;
}

void dt_csv_fields_clear(dt_csv_fields *fields)
{
    dt_memory_free(fields->items);
    dt_memory_free(fields->text);
}

/* ---- from record to record ---- */

dt_csv_scan dt_csv_scan_start(const char *text, size_t bytes, uint64_t line, char separator,
                              bool whole)
{
    if (text == NULL) /* nothing yet: NULL + 0 is undefined in C */
        text = "";
    const char *end = text + bytes;
    return (dt_csv_scan){.at = text,
                         .end = end,
                         .lf = find('\n', text, end),
                         .cr = find('\r', text, end),
                         .quote = find('"', text, end),
                         .line = line,
                         .stops = stops_of(separator),
                         .whole = whole};
}

/* Each byte is looked at once by each search, however many records there are. */
static void move_to(dt_csv_scan *scan, const char *at)
{
    scan->at = at;
    if (scan->lf < at)
        scan->lf = find('\n', at, scan->end);
    if (scan->cr < at)
        scan->cr = find('\r', at, scan->end);
    if (scan->quote < at)
        scan->quote = find('"', at, scan->end);
}

/* Returns what follows the line end at `at`; NULL when a LF may still come behind a CR. */
static const char *behind_line_end(const dt_csv_scan *scan, const char *at)
{
    if (*at == '\n')
        return at + 1;
    if (at + 1 == scan->end)
        return scan->whole ? at + 1 : NULL;
    return at[1] == '\n' ? at + 2 : at + 1;
}

static uint64_t count_lines(const char *text, const char *end)
{
    uint64_t lines = 0;
    for (const char *c = find('\n', text, end); c < end; c = find('\n', c + 1, end))
        lines++;
    for (const char *c = find('\r', text, end); c < end; c = find('\r', c + 1, end))
        lines += c + 1 == end || c[1] != '\n';
    return lines;
}

/* Goes to a record's first byte that is not blank. Blanks before it are consumed even if the text
 * ends behind them, so that a blank line may have any length. */
static dt_csv_scan_result skip_blank_lines(dt_csv_scan *scan)
{
    for (;;) {
        const char *c = scan->at;
        while (c < scan->end && is_blank(*c, scan->stops.separator))
            c++;
        if (c > scan->at)
            move_to(scan, c);
        if (c == scan->end)
            return scan->whole ? DT_CSV_SCAN_END : DT_CSV_SCAN_MORE;
        if (!is_line_end(*c))
            return DT_CSV_SCAN_RECORD;
        c = behind_line_end(scan, c);
        if (c == NULL)
            return DT_CSV_SCAN_MORE;
        scan->line++;
        move_to(scan, c);
    }
}

dt_csv_scan_result dt_csv_scan_next(dt_csv_scan *scan, dt_csv_record *out)
{
    dt_csv_scan_result result = skip_blank_lines(scan);
    if (result != DT_CSV_SCAN_RECORD)
        return result;
    dt_csv_problem problem = DT_CSV_SOUND;
    const char *end = earlier(scan->lf, scan->cr);
    const bool quoted = scan->quote < end;
    if (quoted)
        end = walk(scan->at, scan->end, &scan->stops, NULL, &problem);
    const char *next = end < scan->end ? behind_line_end(scan, end) : scan->end;
    if (next == NULL || (end == scan->end && !scan->whole))
        return DT_CSV_SCAN_MORE;
    const uint64_t line_ends = quoted ? count_lines(scan->at, next) : end < scan->end;
    *out = (dt_csv_record){.text = scan->at,
                           .bytes = (size_t)(next - scan->at),
                           .line = scan->line,
                           .lines = line_ends + (end == scan->end)};
    scan->line += line_ends;
    move_to(scan, next);
    return problem == DT_CSV_UNCLOSED ? DT_CSV_SCAN_UNCLOSED : DT_CSV_SCAN_RECORD;
}
