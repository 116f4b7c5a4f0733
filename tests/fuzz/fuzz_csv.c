/*
 * libFuzzer: any bytes as a table. Rows are the same however the table is cut into blocks, numbers
 * are what strtod says, and whatever is refused is refused with one line.
 */
#define _GNU_SOURCE
#include "csv_reading.h"
#include "fuzz.h"

#include <math.h>

static void check_number(const dt_csv_field *field, char decimal)
{
    double number = 0;
    if (!dt_csv_number(&number, field->text, field->bytes, decimal))
        return;
    assert(isfinite(number));
    if (decimal == '.' || memchr(field->text, ',', field->bytes) == NULL) {
        const double expected = strtod(field->text, NULL);
        assert(memcmp(&number, &expected, sizeof number) == 0);
    }
}

static dt_status check_numbers(void *context, const dt_csv_row *row)
{
    csv_dump *dump = context;
    for (size_t i = 0; i < dump->columns; i++) {
        check_number(&row->fields[i], '.');
        check_number(&row->fields[i], ',');
    }
    return csv_dump_row(context, row);
}

static void check_open(dt_csv *csv)
{
    const dt_csv_format *format = dt_csv_format_of(csv);
    assert(format->columns > 0);
    assert(format->separator != '\0' && strchr(",;\t| ", format->separator) != NULL);
    assert(format->decimal == '.' || format->decimal == ',');
    for (size_t i = 0; i < format->columns; i++) {
        assert(dt_csv_name(csv, i)[0] != '\0');
        assert(dt_csv_find(csv, dt_csv_name(csv, i)) == i);
    }
}

static void check_table(const char *path, const dt_csv_format *format)
{
    static const size_t sizes[] = {0, 5, 64, 100000};
    dt_csv *csv = NULL;
    csv_dump all = {0};
    char text[DT_STATUS_TEXT_BYTES];
    const dt_status opened = dt_csv_open(&csv, path, format);
    if (opened != DT_OK) {
        assert(csv == NULL);
        fuzz_check(opened, DT_DATA);
        return;
    }
    check_open(csv);
    const dt_status expected = dt_csv_read(csv, check_numbers, csv_dump_start(&all, csv));
    (void)snprintf(text, sizeof text, "%s", dt_status_text());
    fuzz_check(expected, DT_DATA);
    if (expected == DT_OK)
        assert(all.rows > 0 && dt_csv_bytes_read(csv) == dt_csv_bytes(csv));
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        csv_dump cut = {0};
        const dt_status status = csv_dump_blocks(csv, sizes[i], &cut);
        assert(status == expected);
        assert(status == DT_OK || strcmp(dt_status_text(), text) == 0);
        assert(cut.bytes == all.bytes && memcmp(cut.text, all.text, all.bytes) == 0);
        csv_dump_clear(&cut);
    }
    csv_dump_clear(&all);
    dt_csv_close(csv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char path[FUZZ_PATH_BYTES];
    const int file = fuzz_file(path, data, bytes);
    check_table(path, NULL);
    check_table(path, &(dt_csv_format){.separator = ";,\t| "[bytes % 5],
                                       .header = (dt_csv_header)(bytes / 5 % 3),
                                       .encoding = (dt_csv_encoding)(bytes / 15 % 4)});
    (void)close(file);
    return 0;
}
