#include "csv_scan.h"

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

dt_csv_scan dt_csv_scan_start(const char *text, size_t bytes, uint64_t line, char separator,
                              bool whole)
{
    if (text == NULL) /* nothing yet: but no pointer to nothing may be added to */
        text = "";
    const char *end = text + bytes;
    return (dt_csv_scan){.at = text,
                         .end = end,
                         .lf = find('\n', text, end),
                         .cr = find('\r', text, end),
                         .quote = find('"', text, end),
                         .line = line,
                         .separator = separator,
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

static bool is_blank(const dt_csv_scan *scan, char c)
{
    return (c == ' ' || c == '\t') && c != scan->separator;
}

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
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

/*
 * Follows the states of libcsv's strict mode through a record that has quotes. Returns the line end
 * behind the record, or behind the quote that libcsv will refuse; `end` when there is none.
 */
static const char *find_quoted_end(const dt_csv_scan *scan, bool *inside_quotes)
{
    enum { BEGIN, PLAIN, CLOSED, CLOSED_AND_BLANK } state = BEGIN;
    const char *end = scan->end;
    *inside_quotes = false;
    for (const char *c = scan->at; c < end; c++) {
        if (*c == '"') {
            if (state == PLAIN || state == CLOSED_AND_BLANK)
                return earlier(find('\n', c, end), find('\r', c, end));
            c = find('"', c + 1, end);
            *inside_quotes = c == end;
            if (c == end)
                return end;
            state = CLOSED;
        } else if (*c == scan->separator) {
            state = BEGIN;
        } else if (is_line_end(*c)) {
            return c;
        } else if (is_blank(scan, *c)) {
            state = state == CLOSED ? CLOSED_AND_BLANK : state;
        } else if (state == CLOSED || state == CLOSED_AND_BLANK) {
            return earlier(find('\n', c, end), find('\r', c, end));
        } else {
            state = PLAIN;
        }
    }
    return end;
}

/* Goes to a record's first byte that is not blank. Blanks before it are passed over for good, even
 * where the text ends behind them, so that a line of them may be of any length. */
static dt_csv_scan_result skip_blank_lines(dt_csv_scan *scan)
{
    for (;;) {
        const char *c = scan->at;
        while (c < scan->end && is_blank(scan, *c))
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
    bool inside_quotes = false;
    const char *end = earlier(scan->lf, scan->cr);
    const bool quoted = scan->quote < end;
    if (quoted)
        end = find_quoted_end(scan, &inside_quotes);
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
    return inside_quotes ? DT_CSV_SCAN_UNCLOSED : DT_CSV_SCAN_RECORD;
}
