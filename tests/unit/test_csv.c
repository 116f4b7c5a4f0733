#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "csv_fixture.h"

enum { MEBIBYTE = 1 << 20 };

/* ---- tables ---- */

static void reads_a_table(void **state)
{
    (void)state;
    const char *text = "age,job\n41,clerk\n29,nurse\n";
    assert_csv_rows(text, NULL, "1:2[41][clerk]\n2:3[29][nurse]\n");
    dt_csv *csv = csv_open_text(text, NULL);
    assert_string_equal(dt_csv_name(csv, 0), "age");
    assert_string_equal(dt_csv_name(csv, 1), "job");
    assert_true(dt_csv_find(csv, "job") == 1);
    assert_true(dt_csv_find(csv, "age") == 0);
    assert_true(dt_csv_find(csv, "Age") == SIZE_MAX);
    assert_true(dt_csv_find(csv, "") == SIZE_MAX);
    assert_true(dt_csv_format_of(csv)->columns == 2);
    assert_true(dt_csv_format_of(csv)->separator == ',');
    assert_true(dt_csv_format_of(csv)->decimal == '.');
    assert_true(dt_csv_bytes(csv) == strlen(text));
    assert_true(dt_csv_bytes_read(csv) == 8); /* the header */
    assert_non_null(strstr(dt_csv_path(csv), "/x.csv"));
    dt_csv_close(csv);
    dt_csv_close(NULL);
}

static void takes_every_line_end(void **state)
{
    (void)state;
    assert_csv_rows("a,b\r\n1,2\r\n3,4\r\n", NULL, "1:2[1][2]\n2:3[3][4]\n");
    assert_csv_rows("a,b\r1,2\r3,4\r", NULL, "1:2[1][2]\n2:3[3][4]\n");
    assert_csv_rows("a,b\n1,2\r\n3,4\r5,6\n7,8", NULL,
                    "1:2[1][2]\n2:3[3][4]\n3:4[5][6]\n4:5[7][8]\n");
    assert_csv_rows("a,b\r\n1,2", NULL, "1:2[1][2]\n");
    assert_csv_rows("a,b\n1,\"2\"", NULL, "1:2[1][2]\n");
    assert_csv_rows("a,b\n1,", NULL, "1:2[1][]\n");
    assert_csv_rows("a,b\n1,2\r", NULL, "1:2[1][2]\n");
    assert_csv_rows("a,b\n1,\"2\"\r\n3,\"4\"\r5,6", NULL, "1:2[1][2]\n2:3[3][4]\n3:4[5][6]\n");
}

static void passes_over_blank_lines(void **state)
{
    (void)state;
    assert_csv_rows("\n\n  \na,b\n\n1,2\n \t \n\r\n3,4\n\n\n", NULL, "1:6[1][2]\n2:9[3][4]\n");
    assert_csv_rows("a,b\n1,2\n   ", NULL, "1:2[1][2]\n");
    assert_csv_rows("a,b\r\r\n\n1,2\r\r\r", NULL, "1:4[1][2]\n"); /* CR, CRLF, LF */
    assert_csv_rows("a\tb\n\t\n \t \n\n1\t2\n", NULL, "1:2[][]\n2:3[][]\n3:5[1][2]\n");
    assert_csv_rows("a\n\n1\n\"\"\n \n2\n", NULL, "1:3[1]\n2:4[]\n3:6[2]\n");
}

static void trims_blanks_around_fields(void **state)
{
    (void)state;
    assert_csv_rows("a , b\n  1\t,\t2 3  \n \" x \" , \"y\"\t\n", NULL,
                    "1:2[1][2 3]\n2:3[ x ][y]\n");
    assert_csv_rows("a\tb\tc\n 1 \t 2 3 \t\n\t\" x \"\t \n", NULL, "1:2[1][2 3][]\n2:3[][ x ][]\n");
    dt_csv *csv = csv_open_text(" a , \" b\" \n1,2\n", NULL);
    assert_string_equal(dt_csv_name(csv, 0), "a");
    assert_string_equal(dt_csv_name(csv, 1), " b");
    dt_csv_close(csv);
}

static void unquotes(void **state)
{
    (void)state;
    assert_csv_rows("a,b\n\"1,2\",\"say \"\"no\"\"\"\n\"\",\"\"\"\"\n", NULL,
                    "1:2[1,2][say \"no\"]\n2:3[][\"]\n");
    assert_csv_rows("a,b\n\"x\ny\",1\n2,\"\r\n\r\"\n3,4\n", NULL,
                    "1:2[x\ny][1]\n2:4[2][\r\n\r]\n3:7[3][4]\n");
    assert_csv_rows("\"a\nb\",c\n1,2\n", NULL, "1:3[1][2]\n");
    assert_csv_rows("a,b\n\"1\n\n\n\",2\n\n3,\"\n4\"\n5,6", NULL,
                    "1:2[1\n\n\n][2]\n2:7[3][\n4]\n3:9[5][6]\n");
}

static void keeps_bytes_that_are_not_ascii(void **state)
{
    (void)state;
    assert_csv_rows("na\xc3\xafve,b\nG\xc3\xb6teborg,\xe6\x97\xa5\n\xff\x01,\x7f\n", NULL,
                    "1:2[G\xc3\xb6teborg][\xe6\x97\xa5]\n2:3[\xff\x01][\x7f]\n");
    assert_csv_rows("\xef\xbb\xbf"
                    "a,b\n1,2\n",
                    NULL, "1:2[1][2]\n");
    assert_csv_rows("\xef\xbb\xbf\"a\",b\n\xef\xbb\xbf,2\n", NULL, "1:2[\xef\xbb\xbf][2]\n");
    dt_csv *csv = csv_open_text("\xef\xbb\xbf\"a\",b\n1,2\n", NULL);
    assert_string_equal(dt_csv_name(csv, 0), "a");
    dt_csv_close(csv);
}

static void names_empty_header_cells(void **state)
{
    (void)state;
    dt_csv *csv = csv_open_text(",a,\"\", \n0,1,2,3\n", NULL);
    assert_string_equal(dt_csv_name(csv, 0), "column 1");
    assert_string_equal(dt_csv_name(csv, 1), "a");
    assert_string_equal(dt_csv_name(csv, 2), "column 3");
    assert_string_equal(dt_csv_name(csv, 3), "column 4");
    assert_true(dt_csv_find(csv, "column 3") == 2);
    dt_csv_close(csv);
}

/* ---- bad rows ---- */

static void names_the_bad_row(void **state)
{
    (void)state;
    assert_csv_fails("a,b\n1,2\n3\n", "1:2[1][2]\n",
                     "x.csv: row 2 (line 3) has 1 field, but the header has 2");
    assert_csv_fails("a,b\n\n1,2\n\n3,4,5\n6,7\n", "1:3[1][2]\n",
                     "row 2 (line 5) has 3 fields, but the header has 2");
    assert_csv_fails("a,b\n1,\"2\n\n\"\n3,\n4,5,\"\n\n\"", "1:2[1][2\n\n]\n2:5[3][]\n",
                     "row 3 (lines 6 to 8) has 3 fields");
    assert_csv_fails("a,b\n1,2\n3,x\"y\n", "1:2[1][2]\n",
                     "row 2 (line 3), field 2: a quote inside an unquoted field");
    assert_csv_fails("a,b\n1,2\n3, x \"y\",\"\n", "1:2[1][2]\n", "field 2: a quote inside");
    assert_csv_fails("a,b\n1,2\n\"3\"x,4\n5,6\n", "1:2[1][2]\n",
                     "row 2 (line 3), field 1: text after a closing quote");
    assert_csv_fails("a,b\n1,2\n\"3\" \"\",4\n5,6\n", "1:2[1][2]\n",
                     "row 2 (line 3), field 1: text after a closing quote");
    /* The refused quote ends the record with its line, whatever quotes follow. */
    assert_csv_fails("a,b\n1,2\n\"3\" \",4\n5,6\n", "1:2[1][2]\n",
                     "row 2 (line 3), field 1: text after a closing quote");
    assert_csv_fails("a,b\n1,2\n\"3\"x,\"4\n5,6\n", "1:2[1][2]\n",
                     "row 2 (line 3), field 1: text after a closing quote");
    assert_csv_fails("a,b\n1,2\n3x\",\"4\n5,6\n", "1:2[1][2]\n",
                     "row 2 (line 3), field 1: a quote inside an unquoted field");
    assert_csv_fails("a,b\n1,2\n3,\"4\n5,\"6\n7,8\n", "1:2[1][2]\n",
                     "row 2 (lines 3 to 4), field 2: text after");
    assert_csv_fails("a,b\n1,2\n3,\"4\n5,6\n", "1:2[1][2]\n",
                     "a quote in the record that begins on line 3 is never closed");
    assert_csv_fails("a,b\n1,2\n3,\"4\"\"", "1:2[1][2]\n", "on line 3 is never closed");
}

/* NUL bytes behind the sample that is looked at when a table is opened. */
static void names_the_row_of_a_nul(void **state)
{
    (void)state;
    enum { ROWS = 200000 };
    csv_dump text = {0};
    dt_csv *csv = NULL;
    csv_dump_add(&text, "a,b\n");
    for (int i = 0; i < ROWS; i++)
        csv_dump_add(&text, "1,2\n");
    text.text[4 * (ROWS - 10) + 2] = '\0'; /* the header is line 1 */
    assert_int_equal(dt_csv_open(&csv, csv_save(text.text, text.bytes), NULL), DT_OK);
    for (size_t bytes = 1000; bytes <= MEBIBYTE; bytes *= 10) {
        csv_dump got = {0};
        assert_int_equal(csv_dump_blocks(csv, bytes, &got), DT_DATA);
        assert_says("x.csv: a NUL byte in the record that begins on line 199991,");
        assert_true(got.rows == ROWS - 11);
        csv_dump_clear(&got);
    }
    dt_csv_close(csv);
    csv_dump_clear(&text);
}

static void bounds_a_record(void **state)
{
    (void)state;
    const size_t longest = 16 * MEBIBYTE; /* with its line end */
    const size_t bytes = longest + MEBIBYTE;
    char *text = malloc(bytes);
    dt_csv *csv = NULL;
    csv_dump got = {0};
    dt_csv_block block;
    assert_non_null(text);
    memset(text, 'x', bytes);
    memcpy(text, "a,b\n1,2\n3,", 10);
    text[8 + longest - 1] = '\n';
    memcpy(text + bytes - 5, "\n5,6\n", 5);
    text[8 + longest + 1] = ',';
    assert_int_equal(dt_csv_open(&csv, csv_save(text, bytes), NULL), DT_OK);
    assert_int_equal(dt_csv_read(csv, csv_dump_row, csv_dump_start(&got, csv)), DT_OK);
    assert_true(got.rows == 4);
    assert_int_equal(dt_csv_rewind(csv), DT_OK);
    assert_int_equal(dt_csv_next_block(csv, 1, &block), DT_OK);
    assert_int_equal(dt_csv_next_block(csv, 1, &block), DT_OK);
    assert_true(block.bytes == longest && block.rows == 1 && block.row == 2 && block.line == 3);
    dt_csv_close(csv);
    csv_dump_clear(&got);
    /* One byte more. */
    text[8 + longest - 1] = 'x';
    text[8 + longest] = '\n';
    for (int quoted = 0; quoted < 2; quoted++) {
        text[10] = quoted ? '"' : 'x';
        assert_int_equal(dt_csv_open(&csv, csv_save(text, bytes), NULL), DT_OK);
        assert_int_equal(dt_csv_read(csv, csv_dump_row, csv_dump_start(&got, csv)), DT_DATA);
        assert_says(quoted ? "line 3 is "
                           : "x.csv: the record that begins on line 3 is longer than");
        assert_says("never closed");
        assert_true(got.rows == 1);
        assert_int_equal(csv_dump_blocks(csv, SIZE_MAX, &got), DT_DATA);
        assert_says("x.csv: the record that begins on line 3 is longer than 16 MiB");
        assert_true(got.rows == 1);
        dt_csv_close(csv);
        csv_dump_clear(&got);
    }
    free(text);
}

/* Blanks before a record are no part of it, so that they may be of any length, and cost nothing. */
static void passes_over_endless_blanks(void **state)
{
    (void)state;
    const size_t blanks = 40 * (size_t)MEBIBYTE;
    char *text = malloc(blanks + 10);
    dt_csv *csv = NULL;
    assert_non_null(text);
    memset(text, ' ', blanks + 10);
    memcpy(text, "a,b\n1,2\n", 8);
    text[blanks / 2] = '\n';
    memcpy(text + blanks, "3,4", 3);
    assert_int_equal(dt_csv_open(&csv, csv_save(text, blanks + 10), NULL), DT_OK);
    for (size_t bytes = 1; bytes < 100 * (size_t)MEBIBYTE; bytes *= 10000) {
        csv_dump got = {0};
        assert_int_equal(csv_dump_blocks(csv, bytes, &got), DT_OK);
        assert_string_equal(got.text, "1:2[1][2]\n2:4[3][4]\n");
        csv_dump_clear(&got);
    }
    dt_csv_close(csv);
    free(text);
}

static void bounds_the_columns(void **state)
{
    (void)state;
    enum { MOST = 131072 };
    char *text = malloc(MOST + 4);
    dt_csv *csv = NULL;
    csv_dump got = {0};
    assert_non_null(text);
    memset(text, ',', MOST + 4);
    memcpy(text + MOST, "\n1\n", 3);
    assert_csv_bytes_refused(text, MOST + 3,
                             "has 131073 columns, expected at most 131072; leave some out, "
                             "or swap rows and columns");
    memcpy(text + MOST - 1, "\n1\n", 3);
    assert_int_equal(dt_csv_open(&csv, csv_save(text, MOST + 2), NULL), DT_OK);
    assert_true(dt_csv_find(csv, "column 131072") == MOST - 1);
    assert_int_equal(dt_csv_read(csv, csv_dump_row, &got), DT_DATA);
    assert_says("x.csv: row 1 (line 2) has 1 field, but the header has 131072");
    dt_csv_close(csv);
    free(text);
}

/* Each byte of a row, CR and quotes too, stands once at the end of what is read at a time. */
static void reads_across_its_buffer(void **state)
{
    (void)state;
    enum { ROWS = 30000, ROW_BYTES = 18 };
    for (int shift = 0; shift < ROW_BYTES; shift++) {
        csv_dump text = {0};
        dt_csv *csv = NULL;
        csv_dump got = {0};
        csv_dump_printf(&text, "a,b\r\n%.*s,\"\"\"x\"\r\n", shift, "01234567890123456789");
        for (int i = 1; i < ROWS; i++)
            csv_dump_add(&text, "1,\"\"\"2\"\"\r\n,3456\"\r\n");
        assert_int_equal(dt_csv_open(&csv, csv_save(text.text, text.bytes), NULL), DT_OK);
        assert_int_equal(dt_csv_read(csv, csv_dump_row, csv_dump_start(&got, csv)), DT_OK);
        const char *last = "\n30000:59999[1][\"2\"\r\n,3456]\n";
        assert_true(got.rows == ROWS);
        assert_string_equal(got.text + got.bytes - strlen(last), last);
        dt_csv_close(csv);
        csv_dump_clear(&got);
        csv_dump_clear(&text);
    }
}

/* ---- what the caller decides ---- */

typedef struct limited {
    unsigned taken, limit;
} limited;

static dt_status take_some(void *context, const dt_csv_row *row)
{
    limited *some = context;
    (void)row;
    if (some->taken == some->limit)
        return dt_fail(DT_OUTPUT, "enough");
    some->taken++;
    return DT_OK;
}

static void ends_when_the_caller_says(void **state)
{
    (void)state;
    dt_csv *csv = csv_open_text("a,b\n1,2\n3,4\n5\n", NULL);
    for (unsigned limit = 0; limit < 2; limit++) {
        limited some = {.limit = limit};
        assert_int_equal(dt_csv_read(csv, take_some, &some), DT_OUTPUT);
        assert_string_equal(dt_status_text(), "enough");
        assert_true(some.taken == limit);
    }
    limited some = {.limit = 9};
    assert_int_equal(dt_csv_read(csv, take_some, &some), DT_DATA);
    assert_true(some.taken == 2);
    dt_csv_close(csv);
}

static void parses_a_block_from_elsewhere(void **state)
{
    (void)state;
    const dt_csv_format format = {.separator = ';', .decimal = '.', .columns = 2};
    const char *text = "1;2\n3;\"4\n\"\n\n5;6\n7;\"8";
    const dt_csv_block block = {text, strlen(text), 1000, 2000, 4};
    const dt_csv_block nothing = {text, 0, 7, 8, 0};
    csv_dump got = {.columns = 2};
    assert_int_equal(dt_csv_parse("far.csv", &format, &block, csv_dump_row, &got), DT_DATA);
    assert_string_equal(got.text, "1000:2000[1][2]\n1001:2001[3][4\n]\n1002:2004[5][6]\n");
    assert_says("far.csv: row 1003 (line 2005), field 2: a quote is never closed");
    csv_dump_clear(&got);
    got.columns = 2;
    assert_int_equal(dt_csv_parse("far.csv", &format, &nothing, csv_dump_row, &got), DT_OK);
    assert_true(got.rows == 0);
    csv_dump_clear(&got);
}

static void gives_blocks_of_about_the_size(void **state)
{
    (void)state;
    csv_dump text = {0};
    dt_csv *csv = NULL;
    dt_csv_block block;
    uint64_t rows = 0;
    csv_dump_add(&text, "a,b\n");
    for (int i = 0; i < 100000; i++)
        csv_dump_add(&text, "12345,67\n");
    assert_int_equal(dt_csv_open(&csv, csv_save(text.text, text.bytes), NULL), DT_OK);
    do {
        assert_int_equal(dt_csv_next_block(csv, 100000, &block), DT_OK);
        assert_true(block.bytes <= 100000);
        rows += block.rows;
        assert_true(rows == 100000 || block.bytes > 100000 - 9);
        assert_true(dt_csv_bytes_read(csv) == 4 + 9 * rows);
    } while (block.bytes > 0);
    assert_true(rows == 100000);
    assert_int_equal(dt_csv_next_block(csv, 100000, &block), DT_OK); /* the end stays the end */
    assert_true(block.bytes == 0 && block.rows == 0);
    dt_csv_close(csv);
    csv_dump_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(reads_a_table, scratch_empty),
        cmocka_unit_test_teardown(takes_every_line_end, scratch_empty),
        cmocka_unit_test_teardown(passes_over_blank_lines, scratch_empty),
        cmocka_unit_test_teardown(trims_blanks_around_fields, scratch_empty),
        cmocka_unit_test_teardown(unquotes, scratch_empty),
        cmocka_unit_test_teardown(keeps_bytes_that_are_not_ascii, scratch_empty),
        cmocka_unit_test_teardown(names_empty_header_cells, scratch_empty),
        cmocka_unit_test_teardown(names_the_bad_row, scratch_empty),
        cmocka_unit_test_teardown(names_the_row_of_a_nul, scratch_empty),
        cmocka_unit_test_teardown(bounds_a_record, scratch_empty),
        cmocka_unit_test_teardown(passes_over_endless_blanks, scratch_empty),
        cmocka_unit_test_teardown(bounds_the_columns, scratch_empty),
        cmocka_unit_test_teardown(reads_across_its_buffer, scratch_empty),
        cmocka_unit_test_teardown(ends_when_the_caller_says, scratch_empty),
        cmocka_unit_test_teardown(parses_a_block_from_elsewhere, scratch_empty),
        cmocka_unit_test_teardown(gives_blocks_of_about_the_size, scratch_empty),
    };
    return cmocka_run_group_tests_name("csv", tests, scratch_make, scratch_remove);
}
