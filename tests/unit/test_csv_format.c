#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "csv_fixture.h"

#include <sys/stat.h>

/* ---- finding the format ---- */

static void assert_format(const char *text, char separator, char decimal, size_t columns)
{
    dt_csv *csv = csv_open_text(text, NULL);
    const dt_csv_format *found = dt_csv_format_of(csv);
    if (found->separator != separator || found->decimal != decimal || found->columns != columns)
        fail_msg("'%s' has separator '%c', decimal '%c', %zu columns", text, found->separator,
                 found->decimal, found->columns);
    dt_csv_close(csv);
}

static void finds_the_separator(void **state)
{
    (void)state;
    assert_format("a,b,c\n1,2,3\n", ',', '.', 3);
    assert_format("a;b;c\n1;2;3\n", ';', '.', 3);
    assert_format("a\tb\tc\n1\t2\t3\n", '\t', '.', 3);
    assert_format("a|b|c\n1|2|3\n", '|', '.', 3);
    assert_format("a;b\n1,5;2,5\n", ';', ',', 2);
    assert_format("x,y;z\n1,2;3\n4,5;6\n", ',', '.', 2); /* as many columns: the comma */
    assert_format("x,y;z;u\n1,2;3;4\n4,5;6;7\n", ';', ',', 3);
    assert_format("a,\"b;c;d\"\n1,\"2;3;4\"\n", ',', '.', 2);
    assert_format("\"a;b\";\"c;d\"\n\"1,2\n3;4\";5\n", ';', '.', 2);
    assert_format("a;b\n1;2\n\"x\n;y\";3\n", ';', '.', 2);
    assert_format("a\n1\n2\n", ',', '.', 1);
    assert_format("price\n3,14\n2\n", ';', ',', 1);
    assert_format("a^b^c\n1^2,5^3\n", '^', ',', 3);
    assert_format("a~b\n1~2\n", '~', '.', 2);
    assert_format("a^2,b^2\n1,2\n", ',', '.', 2); /* others fit */
    assert_format("a^2\n1\n2\n", ',', '.', 1);
    assert_format("a:b\n1:2\n", ',', '.', 1); /* times */
}

static void finds_the_decimal(void **state)
{
    (void)state;
    assert_format("a;b\n1;2\n3;-4,5\n", ';', ',', 2);
    assert_format("a;b\n1.5;2\n3;-4,5\n", ';', '.', 2);
    assert_format("a;b\n1.5,2;x,y\n", ';', '.', 2);
    assert_format("a;b\n1,5e3;x.y\n", ';', ',', 2);
    assert_format("a;1,5\n1;2\n", ';', '.', 2); /* a header is not a number */
    assert_format("a,b\n\"1,5\",\"2,5\"\n", ',', '.', 2);
    assert_format("a\tb\n,5\t7,\n", '\t', ',', 2);
}

static void takes_a_format_that_is_given(void **state)
{
    (void)state;
    const dt_csv_format colons = {.separator = ':'};
    const dt_csv_format bars = {.separator = '|', .columns = 99};
    const dt_csv_format commas = {.separator = ',', .decimal = ','};
    const dt_csv_format points = {.decimal = '.'};
    assert_csv_rows("a:b\n1:2\n", &colons, "1:2[1][2]\n");
    assert_csv_rows("a,b|c\n1,2|3,4\n", &bars, "1:2[1,2][3,4]\n");
    dt_csv *csv = csv_open_text("a,b|c\n1,2|3,4\n", &bars);
    assert_true(dt_csv_format_of(csv)->columns == 2);
    assert_true(dt_csv_format_of(csv)->decimal == ',');
    dt_csv_close(csv);
    csv = csv_open_text("a,b\n\"3,5\",2\n", &commas);
    assert_true(dt_csv_format_of(csv)->decimal == ',');
    dt_csv_close(csv);
    csv = csv_open_text("a;b\n3,5;2\n", &points);
    assert_true(dt_csv_format_of(csv)->decimal == '.');
    assert_true(dt_csv_format_of(csv)->separator == ';');
    dt_csv_close(csv);
}

/* A ragged row or a stray quote is said, not taken for a table of another kind. */
static void a_bad_row_does_not_hide_the_separator(void **state)
{
    (void)state;
    assert_csv_fails("a,b,c\n1,2,3\n4,5\n", "1:2[1][2][3]\n",
                     "row 2 (line 3) has 2 fields, but the header has 3");
    assert_csv_fails("a;b;c\n1;2,5;3\n4;5\n", "1:2[1][2,5][3]\n",
                     "row 2 (line 3) has 2 fields, but the header");
    assert_csv_fails("a;b\n1;2\n3;4\"\n", "1:2[1][2]\n", "row 2 (line 3), field 2: a quote inside");
}

/* Only whole records of the first 256 KiB count, yet a header may be longer than that. */
static void finds_the_format_of_large_tables(void **state)
{
    (void)state;
    enum { COLUMNS = 60000 };
    csv_dump text = {0};
    dt_csv *csv = NULL;
    csv_dump_add(&text, "a;b\n");
    for (int i = 0; i < 40000; i++)
        csv_dump_add(&text, "12345,5;7\n");
    csv_dump_add(&text, "1;2;3\n");
    assert_int_equal(dt_csv_open(&csv, csv_save(text.text, text.bytes), NULL), DT_OK);
    assert_true(dt_csv_format_of(csv)->separator == ';');
    assert_true(dt_csv_format_of(csv)->decimal == ',');
    dt_csv_close(csv);
    csv_dump_clear(&text);
    for (int i = 0; i < COLUMNS; i++)
        csv_dump_printf(&text, "%scolumn-%d", i > 0 ? "\t" : "", i);
    for (int i = 0; i < COLUMNS; i++)
        csv_dump_printf(&text, "%s%d,25", i > 0 ? "\t" : "\n", i);
    assert_int_equal(dt_csv_open(&csv, csv_save(text.text, text.bytes), NULL), DT_OK);
    assert_true(dt_csv_format_of(csv)->separator == '\t');
    assert_true(dt_csv_format_of(csv)->decimal == ',');
    assert_true(dt_csv_format_of(csv)->columns == COLUMNS);
    assert_true(dt_csv_find(csv, "column-59999") == 59999);
    dt_csv_close(csv);
    csv_dump_clear(&text);
}

/* ---- what is no table ---- */

static void refuses_what_is_no_table(void **state)
{
    (void)state;
    dt_csv *csv = NULL;
    assert_csv_refused("", "is empty (0 bytes)");
    assert_csv_refused("\n \r\n", "has only blank lines");
    assert_csv_refused("\xef\xbb\xbf", "has only blank lines");
    assert_csv_refused("a,b\n", "has no rows below its header");
    assert_csv_refused("a,b", "has no rows below its header");
    assert_csv_refused("a,b\r\n\r\n \n", "has no rows below its header");
    assert_csv_refused("PK\3\4 and so on",
                       "is a ZIP archive, expected a table (an .xlsx? save it as");
    assert_csv_refused("\x1f\x8b\x08", "the gzip data ends early");
    assert_csv_bytes_refused("\xff\xfe"
                             "a\0,\0b",
                             7, "ends inside a character of UTF-16");
    assert_csv_bytes_refused("\xfe\xff"
                             "\0a\xdc\0\0b",
                             8, "half a surrogate pair, 0xDC00");
    assert_csv_bytes_refused("\xff\xfe\0\0a\0\0\0", 8, "is UTF-32");
    assert_csv_bytes_refused("a\0,\0b\0\n\0", 8, "use --encoding utf-16");
    assert_csv_bytes_refused("a,b\n1,\0\n", 8, "there is a NUL byte on line 2");
    assert_csv_refused("<!DOCTYPE html><title>404</title>\n<p>", "looks like an HTML page");
    assert_csv_refused("\xef\xbb\xbf\n <HTML>\n<p>", "looks like an HTML page");
    assert_csv_refused("[{\"a\": 1}]\n", "looks like JSON, expected a table");
    assert_csv_refused("{\"a\"},b\n1,2\n", "give its --separator if it is a table");
    assert_csv_rows("{a},[{b\n1,2\n", NULL, "1:2[1][2]\n");
    assert_csv_rows("[{a,b\n1,2\n", &(dt_csv_format){.separator = ','}, "1:2[1][2]\n");
    assert_csv_bytes_refused("\3757zXZ\0\0", 7,
                             "is compressed with xz: type xz -dc FILE | dtrain COMMAND - ...");
    assert_csv_refused("BZh91AY&SY", "bzip2 -dc FILE | dtrain COMMAND - ...");
    assert_csv_bytes_refused("\x28\xb5\x2f\xfd\0", 5, "zstd -dc FILE | dtrain COMMAND - ...");
    assert_csv_refused("version https://git-lfs.github.com/spec/v1\noid 1\n", "git lfs pull");
    assert_int_equal(dt_csv_open(&csv, scratch_path("none.csv"), NULL), DT_DATA);
    assert_says("none.csv: cannot open: No such file");
    assert_int_equal(dt_csv_open(&csv, scratch_folder, NULL), DT_DATA);
    assert_says("is a folder");
    assert_int_equal(mkfifo(scratch_path("pipe"), 0600), 0);
    assert_int_equal(dt_csv_open(&csv, scratch_path("pipe"), NULL), DT_DATA);
    assert_says("is a device or pipe");
    assert_int_equal(dt_csv_open(&csv, "/dev/null", NULL), DT_DATA);
    assert_null(csv);
}

static void refuses_a_bad_header(void **state)
{
    (void)state;
    assert_csv_refused("a,b\"c\n1,2\n",
                       "the header (line 1), field 2: a quote inside an unquoted field");
    assert_csv_refused("\na,\"b\nc\"d\n1,2\n",
                       "the header (lines 2 to 3), field 2: text after a closing quote");
    assert_csv_refused("\"a\"b,c\n1,2\n",
                       "the header (line 1), field 1: text after a closing quote");
    assert_csv_refused("a,\"b\n1,2\n", "on line 1 is never closed");
    assert_csv_refused("a,b\n\n\"1,2\n3,4\n", "on line 3 is never closed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(finds_the_separator, scratch_empty),
        cmocka_unit_test_teardown(finds_the_decimal, scratch_empty),
        cmocka_unit_test_teardown(takes_a_format_that_is_given, scratch_empty),
        cmocka_unit_test_teardown(a_bad_row_does_not_hide_the_separator, scratch_empty),
        cmocka_unit_test_teardown(finds_the_format_of_large_tables, scratch_empty),
        cmocka_unit_test_teardown(refuses_what_is_no_table, scratch_empty),
        cmocka_unit_test_teardown(refuses_a_bad_header, scratch_empty),
    };
    return cmocka_run_group_tests_name("csv_format", tests, scratch_make, scratch_remove);
}
