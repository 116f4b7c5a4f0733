#include "csv_scan.h"

#include "dtrain/io/number.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

/* Better separators first, where they are equal otherwise. */
static const char separators[] = {',', ';', '\t', '|'};

/*
 * A header in two fields or more tells that the separator is one, even when a row then has another
 * number of them: it is to be reported as ragged, not to be read as a table of one column.
 */
static int rank_separator(size_t columns, bool uniform)
{
    if (columns < 2)
        return uniform ? 1 : 0;
    return uniform ? 3 : 2;
}

DT_MUST_USE static dt_status find_separator(char *out, const char *text, size_t bytes, bool whole)
{
    dt_status status = DT_OK;
    int best = -1;
    size_t most = 0;
    for (size_t i = 0; i < sizeof separators; i++) {
        size_t columns = 0;
        bool uniform = false;
        DT_TRY(dt_csv_count_columns(dt_csv_scan_start(text, bytes, 1, separators[i], whole),
                                    &columns, &uniform));
        const int rank = rank_separator(columns, uniform);
        if (rank < best || (rank == best && columns <= most))
            continue;
        *out = separators[i];
        best = rank;
        most = columns;
    }
out:
    return status;
}

typedef struct decimals {
    size_t columns;
    bool comma, point;
} decimals;

/* What has three digits behind the sign may as well have thousands before it, and says nothing. */
static bool looks_like(const dt_csv_field *field, char decimal)
{
    double number;
    dt_number_look look;
    if (dt_number_look_at(&look, field->text, field->bytes) && look.point.fits && look.comma.fits)
        return false;
    return memchr(field->text, decimal, field->bytes) != NULL &&
           dt_csv_number(&number, field->text, field->bytes, decimal);
}

static dt_status look_for_decimals(void *context, const dt_csv_row *row)
{
    decimals *found = context;
    for (size_t i = 0; row->row > 0 && i < found->columns; i++) {
        found->comma = found->comma || looks_like(&row->fields[i], ',');
        found->point = found->point || looks_like(&row->fields[i], '.');
    }
    return DT_OK;
}

DT_MUST_USE static dt_status find_decimal(dt_csv_format *format, const char *text, size_t bytes,
                                          bool whole)
{
    dt_status status = DT_OK;
    decimals found = {0};
    dt_csv_record record = {.text = text};
    bool uniform = false;
    format->decimal = '.';
    dt_csv_scan scan = dt_csv_scan_start(text, bytes, 1, format->separator, whole);
    DT_TRY(dt_csv_count_columns(scan, &found.columns, &uniform));
    if (format->separator == ',' || found.columns == 0)
        goto out;
    while (dt_csv_scan_next(&scan, &record) == DT_CSV_SCAN_RECORD)
        continue;
    /* A row that is malformed ends this; whoever reads the table will hear of it. */
    const dt_csv_format known = {.separator = format->separator, .columns = found.columns};
    const dt_csv_block block = {.text = text, .bytes = (size_t)(scan.at - text), .line = 1};
    status = dt_csv_parse("", &known, &block, look_for_decimals, &found);
    if (status == DT_DATA) {
        dt_status_set_text("");
        status = DT_OK;
    }
    if (found.comma && !found.point)
        format->decimal = ',';
out:
    return status;
}

dt_status dt_csv_find_format(dt_csv_format *format, const char *text, size_t bytes, bool whole)
{
    dt_status status = DT_OK;
    if (format->separator == 0)
        DT_TRY(find_separator(&format->separator, text, bytes, whole));
    if (format->decimal == 0)
        DT_TRY(find_decimal(format, text, bytes, whole));
out:
    return status;
}

static bool begins_with(const char *text, size_t bytes, const char *beginning)
{
    const size_t length = strlen(beginning);
    return bytes >= length && strncasecmp(text, beginning, length) == 0;
}

dt_status dt_csv_check_kind(const char *path, const char *text, size_t bytes)
{
    static const struct {
        const char *beginning, *found;
    } kinds[] = {
        {"PK\3\4", "is a ZIP archive, expected a table (an .xlsx? save it as CSV)"},
        {"\x1f\x8b", "is compressed with gzip: gunzip it first"},
        {"\xff\xfe", "is UTF-16 text: save it as UTF-8"},
        {"\xfe\xff", "is UTF-16 text: save it as UTF-8"},
        {"\x89HDF", "is an HDF5 file, expected a table"},
        {"PAR1", "is a Parquet file, expected a table: save it as CSV"},
        {"version https://git-lfs", "is a Git LFS pointer, not the table: run git lfs pull"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (begins_with(text, bytes, kinds[i].beginning))
            return dt_fail(DT_DATA, "%s: %s", path, kinds[i].found);
    const char *nul = memchr(text, '\0', bytes);
    if (nul != NULL) {
        uint64_t lines = 1;
        for (const char *c = text; c < nul; c++)
            lines += *c == '\n';
        return dt_fail(DT_DATA,
                       "%s: is not text: there is a NUL byte on line %" PRIu64
                       ", expected a table of separated values",
                       path, lines);
    }
    for (; bytes > 0 && strchr(" \t\r\n", *text) != NULL; text++)
        bytes--;
    if (begins_with(text, bytes, "<!doctype html") || begins_with(text, bytes, "<html"))
        return dt_fail(DT_DATA,
                       "%s: looks like an HTML page, not a table: the download may have failed",
                       path);
    return DT_OK;
}
