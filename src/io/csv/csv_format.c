#include "csv_scan.h"

#include "dtrain/io/number.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

typedef struct decimals {
    size_t columns;
    bool comma, point;
} decimals;

/* A number with three digits behind the sign may be a decimal or a thousand, so it decides
 * nothing. */
static bool looks_like(const dt_csv_field *field, char decimal)
{
    double number;
    dt_number_look look;
    if (memchr(field->text, decimal, field->bytes) == NULL ||
        !dt_csv_number(&number, field->text, field->bytes, decimal))
        return false;
    return !(dt_number_look_at(&look, field->text, field->bytes) && look.point.fits &&
             look.comma.fits);
}

static dt_status look_for_decimals(void *context, const dt_csv_row *row)
{
    decimals *found = context;
    for (size_t i = 0; i < found->columns; i++) {
        found->comma = found->comma || looks_like(&row->fields[i], ',');
        found->point = found->point || looks_like(&row->fields[i], '.');
    }
    return DT_OK;
}

dt_status dt_csv_find_decimal(dt_csv_format *format, const char *text, size_t bytes, bool whole)
{
    decimals found = {.columns = format->columns};
    dt_csv_record record;
    const bool usual = format->usual_decimal == ',', commas = format->separator == ',';
    format->decimal = '.';
    if (commas && !usual)
        return DT_OK;
    dt_csv_scan scan = dt_csv_scan_start(text, bytes, 1, format->separator, whole);
    while (dt_csv_scan_next(&scan, &record) == DT_CSV_SCAN_RECORD)
        continue;
    /* Malformed rows are reported when the table is read. */
    dt_csv_format lenient = *format;
    lenient.takes_malformed = true;
    const dt_csv_block block = {.text = text, .bytes = (size_t)(scan.at - text), .line = 1};
    dt_status status = dt_csv_parse("", &lenient, &block, look_for_decimals, &found);
    /* In a table separated by commas, a quoted comma is a decimal sign only if it was one in the
     * usual table. */
    const bool shows_none = !found.comma && !found.point;
    if ((found.comma && (usual || !found.point)) ||
        (shows_none && usual && (!commas || format->usual_separator == ',')))
        format->decimal = ',';
    return status;
}

static bool begins_with(const char *text, size_t bytes, const char *beginning)
{
    const size_t length = strlen(beginning);
    return bytes >= length && strncasecmp(text, beginning, length) == 0;
}

/* A kind of file, by its first bytes. */
typedef struct file_kind {
    const char *beginning, *found;
} file_kind;

DT_MUST_USE static dt_status refuse(const char *path, const char *text, size_t bytes,
                                    const file_kind *kinds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (begins_with(text, bytes, kinds[i].beginning))
            return dt_fail(DT_DATA, "%s: %s", path, kinds[i].found);
    return DT_OK;
}

dt_status dt_csv_check_raw(const char *path, const void *raw, size_t bytes)
{
    static const file_kind kinds[] = {
        {"\3757zXZ", "is compressed with xz: type xz -dc FILE | dtrain COMMAND - ..."},
        {"BZh91AY", "is compressed with bzip2: type bzip2 -dc FILE | dtrain COMMAND - ..."},
        {"\x28\xb5\x2f\xfd", "is compressed with zstd: type zstd -dc FILE | dtrain COMMAND - ..."},
        {"\xd0\xcf\x11\xe0", "is an .xls file, expected a table: save it as CSV"},
    };
    return refuse(path, raw, bytes, kinds, sizeof kinds / sizeof *kinds);
}

dt_status dt_csv_check_kind(const char *path, const char *text, size_t bytes, char separator)
{
    static const file_kind kinds[] = {
        {"PK\3\4", "is a ZIP archive, expected a table (an .xlsx? save it as CSV)"},
        {"\x1f\x8b", "is compressed twice with gzip: gunzip it once"},
        {"\xff\xfe", "is UTF-16 text: use --encoding utf-16"},
        {"\xfe\xff", "is UTF-16 text: use --encoding utf-16"},
        {"\x89HDF", "is an HDF5 file, expected a table"},
        {"PAR1", "is a Parquet file, expected a table: save it as CSV"},
        {"version https://git-lfs", "is a Git LFS pointer, not the table: run git lfs pull"},
    };
    const dt_status status = refuse(path, text, bytes, kinds, sizeof kinds / sizeof *kinds);
    if (status != DT_OK)
        return status;
    const char *nul = memchr(text, '\0', bytes);
    const size_t at = nul != NULL ? (size_t)(nul - text) : bytes;
    if (at < 2 && at + 2 < bytes && text[at + 2] == '\0')
        return dt_fail(DT_DATA, "%s: is not text, or UTF-16 without a mark: use --encoding utf-16",
                       path);
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
    if (separator == 0 && (begins_with(text, bytes, "[{") || begins_with(text, bytes, "{\"")))
        return dt_fail(DT_DATA,
                       "%s: looks like JSON, expected a table: convert it to CSV, or give its "
                       "--separator if it is a table",
                       path);
    return DT_OK;
}
