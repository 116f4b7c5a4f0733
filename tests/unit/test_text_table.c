/* rooms: report */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/report/report_internal.h"
#include "dtrain/base/log.h"
#include "scratch_folder.h"

#include <fcntl.h>

static int kept_stdout = -1;

/* From here on stdout is a file. */
static void capture(void)
{
    (void)fflush(stdout);
    kept_stdout = dup(STDOUT_FILENO);
    const int file = open(scratch_path("out"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    (void)dup2(file, STDOUT_FILENO);
    (void)close(file);
}

/* Gives stdout back; what was printed meanwhile is this text. */
static void assert_printed(const char *expected)
{
    size_t length = 0;
    char out[2048];
    (void)fflush(stdout);
    (void)dup2(kept_stdout, STDOUT_FILENO);
    (void)close(kept_stdout);
    unsigned char *text = scratch_read(scratch_path("out"), &length);
    (void)snprintf(out, sizeof out, "%.*s", (int)length, text == NULL ? "?" : (char *)text);
    free(text);
    assert_string_equal(out, expected);
}

static void fill(dt_text_table *table)
{
    dt_text_table_titles(table, "run|>loss|how");
    dt_text_table_add(table, "%s", "first");
    dt_text_table_add(table, "%.2f", 10.5);
    dt_text_table_add(table, "%s", "");
    dt_text_table_add(table, "%s", "<\xc3\xbc>"); /* two bytes, one character */
    dt_text_table_add(table, "%d", 3);
    dt_text_table_set_best(table);
    dt_text_table_add(table, "%s", "so");
    dt_text_table_set_share(table, 0.5);
}

static void columns_are_aligned(void **state)
{
    (void)state;
    dt_text_table table = {.indent = "  ", .more = 4};
    fill(&table);
    capture();
    assert_int_equal(dt_text_table_print(&table), DT_OK);
    assert_printed("  run     loss  how\n  first  10.50\n  <\xc3\xbc>        3  so\n"
                   "  ... and 4 more\n");
    assert_null(table.cells);
    capture(); /* without columns */
    assert_int_equal(dt_text_table_print(&table), DT_OK);
    assert_printed("");
}

static void quiet_says_nothing(void **state)
{
    (void)state;
    dt_text_table table = {0};
    fill(&table);
    dt_log_init(true, true);
    capture();
    assert_int_equal(dt_text_table_say(&table), DT_OK);
    assert_printed("");
    dt_log_init(true, false);
    assert_null(table.cells);
}

static void a_narrow_line_takes_pieces(void **state)
{
    (void)state;
    dt_text_table table = {.more = 1};
    dt_text_table_title(&table, "run");
    dt_text_table_title(&table, ">%s", "a column of twenty-five..");
    dt_text_table_title(&table, ">%s", "another of twenty-six.....");
    dt_text_table_title(&table, ">%s", "0");
    for (int i = 0; i < 4; i++)
        dt_text_table_add(&table, "%d", i);
    capture();
    assert_int_equal(dt_text_table_print(&table), DT_OK);
    assert_printed("run  a column of twenty-five..\n"
                   "0                            1\n"
                   "... and 1 more\n\n"
                   "run  another of twenty-six.....  0\n"
                   "0                             2  3\n"
                   "... and 1 more\n");
}

/* In 60 columns. */
static void names_and_texts_become_narrower(void **state)
{
    (void)state;
    dt_text_table table = {.indent = "  "};
    dt_text_table_titles(&table, "column|>rows|what");
    dt_text_table_add(&table, "%s", "a name that has twenty-nine..");
    dt_text_table_add(&table, "%d", 7);
    dt_text_table_add(&table, "%s", "a text of forty-nine bytes\xc3\xbc, which is continued");
    dt_text_table_add(&table, "%s", "b");
    dt_text_table_add(&table, "%d", 8);
    dt_text_table_add(&table, "%s", "");
    capture();
    assert_int_equal(dt_text_table_print(&table), DT_OK);
    assert_printed("  column                rows  what\n"
                   "  a name t...ty-nine..     7  a text of forty-nine bytes\xc3\xbc,\n"
                   "                              which is continued\n"
                   "  b                        8\n");
}

/* Names lose their middle, what is said about them its end; whole characters. */
static void long_cells_are_cut(void **state)
{
    (void)state;
    dt_text_table table = {.first_width = 8, .width = 8};
    dt_text_table_titles(&table, "name|>value|text");
    for (int i = 0; i < 3; i++)
        dt_text_table_add(&table, "%s", "ab\xc3\xbc\xc3\xbc\x1b\xc3\xbc\xc3\xbcyz");
    capture();
    assert_int_equal(dt_text_table_print(&table), DT_OK);
    assert_printed("name         value  text\nab...\xc3\xbcyz  ab...\xc3\xbcyz  "
                   "ab\xc3\xbc\xc3\xbc?...\n");
}

static void a_page_shows_the_same_cells(void **state)
{
    (void)state;
    dt_report_page page = {0};
    dt_text_table table = {.more = 1};
    fill(&table);
    dt_report_page_table(&page, &table, 1);
    assert_int_equal(page.html.status, DT_OK);
    assert_string_equal(
        page.html.text,
        "<div class=\"scroll\"><table>\n"
        "<tr><th>#</th><th class=\"text\">run</th><th>loss</th><th class=\"text\">how</th></tr>\n"
        "<tr><th>1</th><th class=\"text\">first</th><td>10.50</td><td class=\"text\"></td></tr>\n"
        "<tr><th>2</th><th class=\"text\">&#60;\xc3\xbc&#62;</th><td class=\"best\">3</td>"
        "<td class=\"text\" style=\"background:rgba(var(--shade),0.300)\">so<br>50.0&nbsp;%</td>"
        "</tr>\n</table></div>\n<p>... and 1 more</p>\n");
    dt_report_buffer_clear(&page.html);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_aligned),
        cmocka_unit_test(quiet_says_nothing),
        cmocka_unit_test(a_narrow_line_takes_pieces),
        cmocka_unit_test(long_cells_are_cut),
        cmocka_unit_test(a_page_shows_the_same_cells),
        cmocka_unit_test(names_and_texts_become_narrower),
    };
    (void)setenv("COLUMNS", "60", 1);
    dt_log_init(true, false);
    const int failed = cmocka_run_group_tests(tests, scratch_make, NULL);
    (void)scratch_count(true);
    (void)rmdir(scratch_folder);
    return failed;
}
