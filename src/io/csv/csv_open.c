/* The beginning of a table: its format, and the names of its columns. */
#include "csv_internal.h"
#include "csv_layout.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SAMPLE_BYTES = 1 << 18 };

/* Fills the buffer with the first 256 KiB, or more if these contain no row below the header. */
DT_MUST_USE static dt_status read_sample(dt_csv *csv)
{
    dt_status status = DT_OK;
    const char separator = csv->format.separator != 0 ? csv->format.separator : ',';
    for (size_t wanted = SAMPLE_BYTES; wanted <= 4 * (size_t)DT_CSV_MAX_RECORD_BYTES; wanted *= 2) {
        DT_TRY(dt_csv_fill(csv, wanted));
        const size_t held = csv->end - csv->begin;
        dt_csv_scan scan =
            dt_csv_scan_start(csv->buffer + csv->begin, held, 1, separator, csv->ended);
        dt_csv_record record;
        if (csv->ended || memchr(csv->buffer + csv->begin, '\0', held) != NULL ||
            /* NOLINTNEXTLINE(misc-redundant-expression): one record, then the next */
            (dt_csv_scan_next(&scan, &record) == DT_CSV_SCAN_RECORD &&
             dt_csv_scan_next(&scan, &record) == DT_CSV_SCAN_RECORD))
            break;
    }
out:
    return status;
}

/* ---- names that are known ---- */

static bool is_given(const dt_csv_format *format, const char *name, size_t at)
{
    if (at < format->name_count && strcmp(format->names[at], name) == 0) /* the usual order */
        return true;
    for (size_t i = 0; i < format->name_count; i++)
        if (strcmp(format->names[i], name) == 0)
            return true;
    return false;
}

DT_MUST_USE static dt_status split_first(dt_csv_fields *out, const dt_csv_sample *sample,
                                         char separator)
{
    dt_csv_record record;
    dt_csv_scan scan =
        dt_csv_scan_start(sample->text, sample->bytes, sample->line, separator, sample->whole);
    out->most = DT_CSV_MAX_COLUMNS + 1;
    out->count = 0;
    if (dt_csv_scan_next(&scan, &record) != DT_CSV_SCAN_RECORD)
        return DT_OK;
    return dt_csv_split(out, &record, &scan.stops);
}

/* The number of cells that are among the given names; SIZE_MAX: all cells that are not empty. */
static size_t count_given(const dt_csv_format *format, const dt_csv_fields *cells)
{
    size_t given = 0, held = 0;
    for (size_t i = 0; i < cells->count; i++)
        if (cells->items[i].bytes > 0) {
            held++;
            given += is_given(format, cells->items[i].text, i);
        }
    return held > 0 && given == held ? SIZE_MAX : given;
}

static size_t count_needed(const dt_csv_format *format)
{
    size_t needed = 0;
    for (size_t i = 0; i < format->name_count; i++)
        needed += format->optional == NULL || !format->optional[i];
    return needed;
}

/* ---- the lines above ---- */

DT_MUST_USE static dt_status check_layout(const dt_csv *csv, const dt_csv_layout *layout)
{
    if (layout->columns > DT_CSV_MAX_COLUMNS)
        return dt_fail(DT_DATA,
                       "%s: has %zu columns, expected at most %d; leave some out, or swap rows "
                       "and columns",
                       csv->path, layout->columns, DT_CSV_MAX_COLUMNS);
    if (layout->no_names_line > 0)
        return dt_fail(DT_DATA,
                       "%s: line %" PRIu64
                       " has %zu names, but all rows have %zu fields, and their first fields "
                       "repeat, so they are not names of rows; put cells with a separator (a "
                       "decimal comma?) in quotes, or name all columns: --skip-lines %" PRIu64
                       " --header no --columns NAME,NAME,...",
                       csv->path, layout->no_names_line, layout->usual_fields - 1,
                       layout->usual_fields, layout->no_names_line);
    if (layout->uniform || layout->odd_line == 0)
        return DT_OK;
    return dt_fail(DT_DATA,
                   "%s: line %" PRIu64 " has %zu field%s, but line %" PRIu64
                   " has %zu; use --skip-lines %" PRIu64 " to skip the lines above the header",
                   csv->path, layout->odd_line, layout->odd_fields,
                   layout->odd_fields == 1 ? "" : "s", layout->usual_line, layout->usual_fields,
                   layout->usual_line - 1);
}

/* Prefers the usual separator if the first line then has a known name, or all rows have as many
 * cells as there are names; otherwise the separator that gives the most columns could win. */
DT_MUST_USE static dt_status try_usual_separator(dt_csv *csv, const dt_csv_sample *sample)
{
    dt_status status = DT_OK;
    dt_csv_format *format = &csv->format;
    dt_csv_fields cells = {0};
    dt_csv_layout layout;
    if (format->separator != 0 || format->usual_separator == 0)
        return DT_OK;
    DT_TRY(dt_csv_find_layout(&layout, sample, format->usual_separator));
    dt_csv_sample table = *sample;
    table.text += layout.skipped;
    table.bytes -= layout.skipped;
    DT_TRY(split_first(&cells, &table, format->usual_separator));
    const bool as_many = layout.uniform && (layout.columns == format->name_count ||
                                            layout.columns == count_needed(format));
    if (layout.columns > 1 && (as_many || count_given(format, &cells) > 0))
        format->separator = format->usual_separator;
out:
    dt_csv_fields_clear(&cells);
    return status;
}

/* Goes to the first line of the table; *comment is the last one above it that begins with '#'. */
DT_MUST_USE static dt_status find_first_line(dt_csv *csv, dt_csv_layout *layout,
                                             dt_csv_sample *sample, dt_csv_sample *comment)
{
    dt_status status = DT_OK;
    const dt_csv_sample all = *sample;
    *sample = dt_csv_skip_preamble(&all, csv->format.skip_lines, &csv->format.separator, comment);
    const uint64_t preamble = sample->line - all.line;
    if (csv->format.skip_lines > 0 && sample->bytes == 0)
        DT_TRY(dt_fail(DT_DATA, "%s: --skip-lines %zu skips the whole table; use a smaller number",
                       csv->path, csv->format.skip_lines));
    DT_TRY(try_usual_separator(csv, sample));
    DT_TRY(dt_csv_find_separator(layout, &csv->format.separator, sample));
    DT_TRY(check_layout(csv, layout));
    if (preamble > 0)
        dt_csv_note(csv, "%" PRIu64 " line%s above the table skipped", preamble,
                    preamble == 1 ? "" : "s");
    if (layout->skipped_lines > 0)
        dt_csv_warn(csv, "skipped %" PRIu64 " line%s above the header on line %" PRIu64,
                    layout->skipped_lines, layout->skipped_lines == 1 ? "" : "s",
                    sample->line + layout->skipped_lines);
    sample->text += layout->skipped;
    sample->bytes -= layout->skipped;
    sample->line += layout->skipped_lines;
out:
    return status;
}

/* ---- the header ---- */

/* Whether the first line is the header, if no option decides it. */
DT_MUST_USE static dt_status use_judgement(dt_csv *csv, const dt_csv_judgement *judgement,
                                           uint64_t line)
{
    char shown[DT_TEXT_SHOWN_BYTES + 4];
    (void)dt_text_show(shown, judgement->first, strlen(judgement->first));
    csv->format.header = DT_CSV_HEADER_YES;
    switch (judgement->verdict) {
    case DT_CSV_VERDICT_HEADER:
        break;
    case DT_CSV_VERDICT_ROW:
        csv->format.header = DT_CSV_HEADER_NO;
        if (csv->format.name_count == 0)
            dt_csv_warn(csv,
                        "line %" PRIu64 " (%s) is a row, not a header: the columns are named "
                        "'column 1' to 'column %zu'; see --header and --columns",
                        line, shown, csv->format.columns);
        break;
    case DT_CSV_VERDICT_NUMBERED_HEADER:
        dt_csv_warn(csv,
                    "line %" PRIu64 " (%s) is used as the header; use --header no if it is a row",
                    line, shown);
        break;
    case DT_CSV_VERDICT_UNCLEAR:
        return dt_fail(DT_DATA,
                       "%s: line %" PRIu64
                       " (%s) may be the header or a row; use --header yes or --header no",
                       csv->path, line, shown);
    }
    return DT_OK;
}

/* Parses the last comment; *fits if it has a word for each column. */
DT_MUST_USE static dt_status split_comment(bool *fits, dt_csv_fields *cells, const dt_csv *csv,
                                           const dt_csv_layout *layout,
                                           const dt_csv_sample *comment)
{
    *fits = false;
    if (comment->bytes == 0 || layout->columns < 2 || layout->row_names)
        return DT_OK;
    dt_status status = split_first(cells, comment, csv->format.separator);
    *fits = status == DT_OK && cells->problem == DT_CSV_SOUND && cells->count == layout->columns;
    return status;
}

DT_MUST_USE static dt_status fail_count(const dt_csv *csv, size_t needed)
{
    char also[48] = "";
    if (needed < csv->format.name_count)
        (void)snprintf(also, sizeof also, ", or %zu without the target", needed);
    return dt_fail(DT_DATA, "%s: has %zu column%s, but %zu are named%s", csv->path,
                   csv->format.columns, csv->format.columns == 1 ? "" : "s", csv->format.name_count,
                   also);
}

/* All names, or all but the optional ones. */
DT_MUST_USE static dt_status take_given_names(dt_csv *csv)
{
    dt_status status = DT_OK;
    dt_csv_format *format = &csv->format;
    dt_csv_field *cells = NULL;
    const size_t needed = count_needed(format);
    size_t count = 0;
    const bool all = format->columns == format->name_count;
    if (!all && format->columns != needed)
        DT_TRY(fail_count(csv, needed));
    DT_TRY(dt_memory_alloc(&cells, format->columns, sizeof *cells, "column names"));
    for (size_t i = 0; i < format->name_count; i++)
        if (all || !format->optional[i])
            cells[count++] = (dt_csv_field){format->names[i], strlen(format->names[i])};
    DT_TRY(dt_csv_name_columns(csv, cells, 0));
out:
    dt_memory_free(cells);
    return status;
}

typedef struct header {
    dt_csv *csv;
    size_t first; /* column that its first cell names */
    bool has_text; /* some cell is not a number */
} header;

static dt_status take_header(void *context, const dt_csv_row *row)
{
    header *h = context;
    double number = 0.0;
    for (size_t c = 0; c + h->first < h->csv->format.columns; c++)
        h->has_text = h->has_text ||
                      (row->fields[c].bytes > 0 &&
                       !dt_csv_number(&number, row->fields[c].text, row->fields[c].bytes, '.'));
    return dt_csv_name_columns(h->csv, row->fields, h->first);
}

/* The header is read as a record 0 of its own. */
DT_MUST_USE static dt_status read_header(dt_csv *csv, const dt_csv_layout *layout, bool rename)
{
    dt_status status = DT_OK;
    dt_csv_block block;
    header found = {.csv = csv, .first = layout->row_names ? 1 : 0};
    DT_TRY(dt_csv_next_block(csv, 0, &block));
    dt_csv_format format = csv->format;
    format.columns -= found.first;
    format.takes_malformed = false;
    DT_TRY(dt_csv_parse(csv->path, &format, &block, take_header, &found));
    if (found.has_text) /* a row of numbers may be like a header of numbers */
        DT_TRY(dt_csv_keep_header(csv, &block));
    if (layout->row_names)
        dt_csv_warn(
            csv,
            "the header has one name fewer than the rows have fields, so the first column is named "
            "'column 1'; check that no cell contains a separator, such as a decimal comma");
    if (rename)
        DT_TRY(take_given_names(csv));
out:
    return status;
}

/* The source of the names. */
typedef struct naming {
    const dt_csv_layout *layout;
    const dt_csv_sample *sample, *comment;
    bool given; /* from the format */
    bool commented; /* from the last comment */
    dt_csv_fields cells; /* of the first line, or of the comment */
} naming;

DT_MUST_USE static dt_status count_respelled(size_t *out, const dt_csv_format *format,
                                             const dt_csv_fields *cells)
{
    dt_csv_tidy tidy;
    const dt_csv_known known = {.names = format->names, .count = format->name_count};
    dt_status status = dt_csv_names_tidy(&tidy, cells->items, cells->count, &known);
    *out = tidy.respelled;
    dt_csv_tidy_clear(&tidy);
    return status;
}

/* A table without a known name has no header, except the comment. */
DT_MUST_USE static dt_status find_known_names(dt_csv *csv, naming *n)
{
    dt_status status = DT_OK;
    const dt_csv_format *format = &csv->format;
    const char *needed = dt_csv_first_needed(format);
    char first[DT_TEXT_SHOWN_BYTES + 4], name[DT_TEXT_SHOWN_BYTES + 4];
    size_t respelled = 0;
    csv->format.header = DT_CSV_HEADER_YES;
    n->given = false;
    if (count_given(format, &n->cells) > 0)
        return DT_OK;
    DT_TRY(count_respelled(&respelled, format, &n->cells));
    if (respelled > 0)
        return DT_OK;
    (void)dt_text_show(first, n->cells.count > 0 ? n->cells.items[0].text : "",
                       n->cells.count > 0 ? n->cells.items[0].bytes : 0);
    const size_t columns = n->cells.count;
    DT_TRY(split_comment(&n->commented, &n->cells, csv, n->layout, n->comment));
    n->commented = n->commented && count_given(format, &n->cells) > 0;
    if (!n->commented && (columns == format->name_count || columns == count_needed(format)))
        DT_TRY(dt_fail(
            DT_DATA,
            "%s: line %" PRIu64
            " ('%s' ...) contains none of the required columns, such as '%s'; use --header no "
            "if it is a row",
            csv->path, n->sample->line, first, dt_text_show(name, needed, strlen(needed))));
out:
    return status;
}

/* A comment of as many words as there are columns names them, unless the first line must. */
DT_MUST_USE static dt_status find_header(dt_csv *csv, naming *n)
{
    dt_status status = DT_OK;
    dt_csv_judgement judgement;
    if (n->given && csv->format.columns != csv->format.name_count)
        DT_TRY(fail_count(csv, count_needed(&csv->format)));
    DT_TRY(dt_csv_judge(&judgement, n->sample, csv->format.separator, csv->format.columns));
    if (n->layout->row_names)
        judgement.verdict = DT_CSV_VERDICT_HEADER;
    if (!n->given && judgement.names == 0)
        DT_TRY(split_comment(&n->commented, &n->cells, csv, n->layout, n->comment));
    if (!n->commented)
        DT_TRY(use_judgement(csv, &judgement, n->sample->line));
out:
    return status;
}

/* Decides what the first line is, and names the columns. */
DT_MUST_USE static dt_status name_columns(dt_csv *csv, naming *n)
{
    dt_status status = DT_OK;
    const dt_csv_header asked = csv->format.header;
    n->given = csv->format.name_count > 0;
    csv->knows_names = asked == DT_CSV_HEADER_SOME_NAMED;
    DT_TRY(split_first(&n->cells, n->sample, csv->format.separator));
    if (asked == DT_CSV_HEADER_SOME_NAMED) {
        DT_TRY(find_known_names(csv, n));
    } else if (n->given && asked != DT_CSV_HEADER_NO &&
               count_given(&csv->format, &n->cells) == SIZE_MAX) {
        csv->format.header = DT_CSV_HEADER_YES;
        n->given = false; /* they may be in another order */
    } else if (asked == DT_CSV_HEADER_AUTO) {
        DT_TRY(find_header(csv, n));
    } else if (asked == DT_CSV_HEADER_IF_NAMED) {
        csv->format.header = DT_CSV_HEADER_NO;
    }
    if (n->commented) {
        dt_csv_note(csv, "names are in the line that begins with #");
        csv->format.header = DT_CSV_HEADER_YES;
        DT_TRY(dt_csv_name_columns(csv, n->cells.items, 0));
    } else if (csv->format.header == DT_CSV_HEADER_YES) {
        DT_TRY(read_header(csv, n->layout, n->given));
    } else if (n->given) {
        DT_TRY(take_given_names(csv));
    } else {
        DT_TRY(dt_csv_name_columns(csv, NULL, 0));
    }
out:
    return status;
}

static void note_all(dt_csv *csv, const dt_csv_layout *layout)
{
    if (dt_csv_input_is_gzip(csv->input))
        dt_csv_note(csv, "gzip");
    if (csv->format.encoding == DT_CSV_UTF_16)
        dt_csv_note(csv, "UTF-16");
    if (layout->trailing)
        dt_csv_note(csv, "separators at line ends ignored");
}

dt_status dt_csv_read_beginning(dt_csv *csv)
{
    static const char mark[] = DT_CSV_MARK;
    dt_status status = DT_OK;
    dt_csv_block row;
    dt_csv_layout layout;
    dt_csv_sample comment;
    naming names = {0};
    DT_TRY(read_sample(csv));
    if (csv->end >= sizeof mark - 1 && memcmp(csv->buffer, mark, sizeof mark - 1) == 0)
        csv->begin = sizeof mark - 1;
    dt_csv_sample sample = {.text = csv->buffer + csv->begin,
                            .bytes = csv->end - csv->begin,
                            .line = 1,
                            .whole = csv->ended};
    DT_TRY(dt_csv_check_kind(csv->path, sample.text, sample.bytes, csv->format.separator));
    DT_TRY(find_first_line(csv, &layout, &sample, &comment));
    csv->begin = (size_t)(sample.text - csv->buffer);
    csv->row = 0;
    csv->line = sample.line;
    if (layout.columns == 0) { /* no record is whole */
        DT_TRY(dt_csv_next_block(csv, 0, &row));
        DT_TRY(dt_fail(DT_DATA, "%s: has only blank lines, expected a table with a header",
                       csv->path));
    }
    csv->format.columns = layout.columns;
    csv->format.trailing = layout.trailing;
    if (layout.trailing && csv->format.name_count == layout.columns + 1) { /* it has a name */
        csv->format.trailing = false;
        csv->format.columns++;
    }
    note_all(csv, &layout);
    names = (naming){.layout = &layout, .sample = &sample, .comment = &comment};
    DT_TRY(name_columns(csv, &names));
    csv->body_offset = csv->offset - (csv->end - csv->begin);
    csv->body_line = csv->line;
    if (csv->format.decimal == 0) {
        sample.bytes -= (size_t)(csv->buffer + csv->begin - sample.text);
        sample.text = csv->buffer + csv->begin;
        DT_TRY(dt_csv_find_decimal(&csv->format, sample.text, sample.bytes, sample.whole));
    }
    DT_TRY(dt_csv_rewind(csv));
    DT_TRY(dt_csv_next_block(csv, 0, &row));
    if (row.bytes == 0)
        DT_TRY(dt_fail(DT_DATA, "%s: has no rows below its header", csv->path));
    DT_TRY(dt_csv_rewind(csv));
out:
    dt_csv_fields_clear(&names.cells);
    csv->format.names = NULL; /* the caller's */
    csv->format.optional = NULL;
    csv->format.name_count = 0;
    return status;
}
