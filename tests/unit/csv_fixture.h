#ifndef DTRAIN_TESTS_CSV_FIXTURE_H
#define DTRAIN_TESTS_CSV_FIXTURE_H

#include "csv_reading.h"
#include "scratch_folder.h"

/* Tables in files, and what is wanted of them; include after <cmocka.h>. */

static inline void assert_says(const char *part)
{
    if (strstr(dt_status_text(), part) == NULL)
        fail_msg("expected '%s' in: %s", part, dt_status_text());
    if (strchr(dt_status_text(), '\n') != NULL)
        fail_msg("more than one line: %s", dt_status_text());
}

static inline const char *save(const char *text, size_t bytes)
{
    const char *path = scratch_path("x.csv");
    assert_true(scratch_write(path, text, bytes));
    return path;
}

static inline dt_csv *open_text(const char *text, const dt_csv_format *format)
{
    dt_csv *csv = NULL;
    if (dt_csv_open(&csv, save(text, strlen(text)), format) != DT_OK)
        fail_msg("cannot open '%s': %s", text, dt_status_text());
    return csv;
}

/* Wants the rows "row:line[cell][cell]...\n" of a table, however it is cut into blocks. */
static inline void assert_rows(const char *text, const dt_csv_format *format, const char *expected)
{
    static const size_t sizes[] = {0, 1, 7, 20, 64, 1000, SIZE_MAX};
    dt_csv *csv = open_text(text, format);
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

static inline void assert_bytes_refused(const char *text, size_t bytes, const char *says)
{
    dt_csv *csv = (dt_csv *)(uintptr_t)1;
    const dt_status status = dt_csv_open(&csv, save(text, bytes), NULL);
    if (status != DT_DATA)
        fail_msg("'%.40s' gives status %d, expected %d (%s)", text, (int)status, DT_DATA, says);
    assert_null(csv);
    assert_says("x.csv: ");
    assert_says(says);
}

static inline void assert_refused(const char *text, const char *says)
{
    assert_bytes_refused(text, strlen(text), says);
}

/* Opens, then fails below the header, in the same way however the table is cut; rows before the bad
 * one have been taken. */
static inline void assert_fails(const char *text, const char *rows, const char *says)
{
    static const size_t sizes[] = {0, 7, 20, SIZE_MAX};
    dt_csv *csv = open_text(text, NULL);
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

#endif
