#include "csv_fixture.h"

#include "scratch_folder.h"
#include "status_checks.h"

const char *csv_save(const char *text, size_t bytes)
{
    const char *path = scratch_path("x.csv");
    assert_true(scratch_write(path, text, bytes));
    return path;
}

dt_csv *csv_open_text(const char *text, const dt_csv_format *format)
{
    dt_csv *csv = NULL;
    if (dt_csv_open(&csv, csv_save(text, strlen(text)), format) != DT_OK)
        fail_msg("cannot open '%s': %s", text, dt_status_text());
    return csv;
}

void assert_csv_rows(const char *text, const dt_csv_format *format, const char *expected)
{
    static const size_t sizes[] = {0, 1, 7, 20, 64, 1000, SIZE_MAX};
    dt_csv *csv = csv_open_text(text, format);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        csv_dump got = {0};
        dt_status status = csv_dump_blocks(csv, sizes[i], &got);
        if (status != DT_OK)
            fail_msg("'%s' in blocks of %zu: %s", text, sizes[i], dt_status_text());
        assert_string_equal(got.text, expected);
        assert_true(dt_csv_bytes_read(csv) == dt_csv_bytes(csv));
        csv_dump_clear(&got);
    }
    csv_dump got = {0};
    assert_int_equal(dt_csv_read(csv, csv_dump_row, csv_dump_start(&got, csv)), DT_OK);
    assert_string_equal(got.text, expected);
    csv_dump_clear(&got);
    dt_csv_close(csv);
}

void assert_csv_bytes_refused(const char *text, size_t bytes, const char *says)
{
    dt_csv *csv = (dt_csv *)(uintptr_t)1;
    const dt_status status = dt_csv_open(&csv, csv_save(text, bytes), NULL);
    if (status != DT_DATA)
        fail_msg("'%.40s' gives status %d, expected %d (%s)", text, (int)status, DT_DATA, says);
    assert_null(csv);
    assert_says("x.csv: ");
    assert_says(says);
}

void assert_csv_refused(const char *text, const char *says)
{
    assert_csv_bytes_refused(text, strlen(text), says);
}

void assert_csv_fails(const char *text, const char *rows, const char *says)
{
    static const size_t sizes[] = {0, 7, 20, SIZE_MAX};
    dt_csv *csv = csv_open_text(text, NULL);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        csv_dump got = {0};
        assert_int_equal(csv_dump_blocks(csv, sizes[i], &got), DT_DATA);
        assert_says("x.csv: ");
        assert_says(says);
        assert_string_equal(got.text, rows);
        csv_dump_clear(&got);
    }
    dt_csv_close(csv);
}
