#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "csv_fixture.h"

#include <zlib.h>

/* ---- what an open table says of itself ---- */

static void assert_names(const dt_csv *csv, const char *expected)
{
    csv_dump got = {0};
    csv_dump_append(&got, "", 0);
    for (size_t c = 0; c < dt_csv_format_of(csv)->columns; c++)
        csv_dump_printf(&got, "[%s]", dt_csv_name(csv, c));
    assert_string_equal(got.text, expected);
    csv_dump_clear(&got);
}

static void assert_warns(dt_csv *csv, const char *says)
{
    const char *line = dt_csv_next_warning(csv);
    if (says == NULL && line == NULL)
        return;
    if (says == NULL || line == NULL || strstr(line, says) == NULL)
        fail_msg("warns '%s', expected '%s'", line == NULL ? "" : line, says == NULL ? "" : says);
}

/* Names, rows (in blocks of many sizes) and the one warning; NULL: there is none. */
static void assert_table(const char *text, const dt_csv_format *format, const char *names,
                         const char *rows, const char *warns)
{
    dt_csv *csv = csv_open_text(text, format);
    assert_names(csv, names);
    assert_warns(csv, warns);
    assert_warns(csv, NULL);
    dt_csv_close(csv);
    assert_csv_rows(text, format, rows);
}

static void assert_plain(const char *text, const char *names, const char *rows)
{
    assert_table(text, NULL, names, rows, NULL);
}

/* ---- dialects ---- */

static void blanks_separate(void **state)
{
    (void)state;
    assert_plain("a  b   c\n 1 2\t3  \n4  5  6\n", "[a][b][c]", "1:2[1][2][3]\n2:3[4][5][6]\n");
    assert_plain("a \"b c\"\n1 \"2 3\"\n", "[a][b c]", "1:2[1][2 3]\n");
    assert_table("a b\nx \"\"\n", &(dt_csv_format){.separator = ' '}, "[a][b]", "1:2[x][]\n", NULL);
    /* Two words in each line are no table; nor do blanks count beside another separator. */
    assert_plain("my town\nNew York\nLos Angeles\n", "[my town]",
                 "1:2[New York]\n2:3[Los Angeles]\n");
    assert_plain("a b,c d\n1 2,3 4\n", "[a b][c d]", "1:2[1 2][3 4]\n");
}

static void lines_end_with_separators(void **state)
{
    (void)state;
    assert_plain("a,b,\n1,2\n3,4\n", "[a][b]", "1:2[1][2]\n2:3[3][4]\n");
    assert_plain("a;b\n1;2;\n3;4; \n", "[a][b]", "1:2[1][2]\n2:3[3][4]\n");
    assert_plain("a,b,\n1,2,\n3,4,\n", "[a][b]", "1:2[1][2]\n2:3[3][4]\n");
    assert_plain("a,b\n1,\n3,4,\n", "[a][b]", "1:2[1][]\n2:3[3][4]\n");
    /* A column without a name that holds something, and an empty one that has a name. */
    assert_plain("a,b,\n1,2,\n3,4,5\n", "[a][b][column 3]", "1:2[1][2][]\n2:3[3][4][5]\n");
    assert_plain("a,b,c\n1,2,\n3,4,\n", "[a][b][c]", "1:2[1][2][]\n2:3[3][4][]\n");
    static const char *const three[] = {"x", "y", "z"};
    assert_table("a,b,\n1,2,\n", &(dt_csv_format){.names = three, .name_count = 3}, "[x][y][z]",
                 "1:2[1][2][]\n", NULL);
    assert_csv_fails("a,b,\n1,2,\n3,4,,5\n", "1:2[1][2][]\n", "row 2 (line 3) has 4 fields");
}

static void skips_what_is_above(void **state)
{
    (void)state;
    assert_plain("sep=;\r\na;b\r\n1;2\r\n", "[a][b]", "1:3[1][2]\n");
    assert_plain("\"sep=|\"\na;x|b\n1|2\n", "[a;x][b]", "1:3[1][2]\n");
    assert_plain("# made by hand, 2020\n#\n\na,b\n1,2\n", "[a][b]", "1:5[1][2]\n");
    assert_plain("\xef\xbb\xbf# x\na,b\n1,2\n", "[a][b]", "1:3[1][2]\n");
    assert_plain("# a b c\n1 2 3\n4 5 6\n", "[a][b][c]", "1:2[1][2][3]\n2:3[4][5][6]\n");
    assert_plain("#a,b\n1,2\n", "[a][b]", "1:2[1][2]\n");
    assert_plain("a,b\n#1,2\n", "[a][b]", "1:2[#1][2]\n"); /* above the header only */
    assert_table("A title\n\na,b\n1,2\n", NULL, "[a][b]", "1:4[1][2]\n",
                 "skipped 2 lines above the header on line 3");
    assert_table("\"A, title\",,\n,,\na,b,c\n1,2,x\n3,4,y\n", NULL, "[a][b][c]",
                 "1:4[1][2][x]\n2:5[3][4][y]\n", "skipped 2 lines above the header on line 3");
    assert_table("t\nu;v\na,b\n1,2\n", &(dt_csv_format){.skip_lines = 2}, "[a][b]", "1:4[1][2]\n",
                 NULL);
    /* Lines of text above lines of text: which is the header cannot be told. */
    assert_csv_refused("A title\na;b\nu;v\nw;x\n",
                       "line 1 has 1 field, but line 2 has 2; use --skip-lines 1 to skip");
    assert_table("A title\na;b\nu;v\nw;x\n", &(dt_csv_format){.skip_lines = 1}, "[a][b]",
                 "1:3[u][v]\n2:4[w][x]\n", NULL);
}

static void rows_have_names(void **state)
{
    (void)state;
    static const char *const warns = "the first column is named 'column 1'";
    assert_table("\"a\" \"b\"\n\"x\" 1 2\n\"y\" 3 4\n", NULL, "[column 1][a][b]",
                 "1:2[x][1][2]\n2:3[y][3][4]\n", warns);
    assert_table("a,b\n1,5,6\n2,7,8\n3,1,2\n", NULL, "[column 1][a][b]",
                 "1:2[1][5][6]\n2:3[2][7][8]\n3:4[3][1][2]\n", warns);
    assert_csv_fails("a,b\n1,5,6\n7,7,8\n3,1,2\n", "", "row 1 (line 2) has 3 fields");
    /* A cell is cut in two, and the names would stand above the wrong columns. */
    static const char *const cut = "#\ncity,price\nBonn,1,76\nUlm,4,12\nBonn,2,50\n";
    assert_csv_refused(cut,
                       "line 2 has 2 names, but all rows have 3 fields, and their first fields "
                       "repeat");
    static const char *const names[] = {"city", "euros", "cents"};
    assert_table(cut,
                 &(dt_csv_format){
                     .skip_lines = 2, .header = DT_CSV_HEADER_NO, .names = names, .name_count = 3},
                 "[city][euros][cents]", "1:3[Bonn][1][76]\n2:4[Ulm][4][12]\n3:5[Bonn][2][50]\n",
                 NULL);
    assert_table("Prices, 2020\ncity,x,y\nBonn,1,76\nUlm,4,12\nBonn,2,50\n", NULL, "[city][x][y]",
                 "1:3[Bonn][1][76]\n2:4[Ulm][4][12]\n3:5[Bonn][2][50]\n",
                 "skipped 1 line above the header on line 2");
}

/* As Excel has texts that look like numbers. */
static void takes_excels_texts(void **state)
{
    (void)state;
    assert_csv_rows("a,b\n=\"007\",1\n2, =\"x, \"\"y\"\n3,=\"\"\n=1,4\n", NULL,
                    "1:2[007][1]\n2:3[2][x, \"y]\n3:4[3][]\n4:5[=1][4]\n");
    assert_csv_rows("a,b\n\"=\"\"007\"\"\",1\n\"=\"\"\"\"\",2\n\"=\"\"7\",3\n\"=7\",4\n"
                    "\"=\"\"a\"\"&\"\"b\"\"\",5\n",
                    NULL,
                    "1:2[007][1]\n2:3[][2]\n3:4[=\"7][3]\n4:5[=7][4]\n"
                    "5:6[=\"a\"&\"b\"][5]\n");
    assert_csv_fails("a\n=\"x\"&\"y\"\n", "", "text after a closing quote");
}

static void tidies_names(void **state)
{
    (void)state;
    static const char *const known[] = {"age", "Job", "job", "n\xc2\xa0m"};
    const dt_csv_format format = {
        .header = DT_CSV_HEADER_SOME_NAMED, .names = known, .name_count = 4};
    assert_table("\xc2\xa0 a\xe2\x80\x8b,b\xc2\xa0 c,\" d\",\xe2\x80\x8b\n1,2,3,4\n", NULL,
                 "[a][b  c][ d][column 4]", "1:2[1][2][3][4]\n",
                 "3 names have invisible characters, which are removed; the first: 'a'");
    assert_table("AGE,Job,x\n1,2,3\n", &format, "[age][Job][x]", "1:2[1][2][3]\n",
                 "column 'AGE' is used as 'age'");
    assert_table("AGE,x\n1,2\n", &format, "[age][x]", "1:2[1][2]\n",
                 "column 'AGE' is used as 'age'"); /* though no name is there as it is */
    assert_table("age,AGE,JOB\n1,2,3\n", &format, "[age][AGE][JOB]", "1:2[1][2][3]\n", NULL);
    assert_table("Age,AGE,Job\n1,2,3\n", &format, "[Age][AGE][Job]", "1:2[1][2][3]\n", NULL);
    assert_table("n\xc2\xa0m,x\n1,2\n", &format, "[n\xc2\xa0m][x]", "1:2[1][2]\n", NULL);
    assert_table("N m,x\n1,2\n", &format, "[n\xc2\xa0m][x]", "1:2[1][2]\n", "is used as");
}

/* As `cat a.csv b.csv` leaves it. */
static void headers_repeat(void **state)
{
    (void)state;
    static const struct {
        const char *text, *rows, *warns;
    } tables[] = {
        {"a,b\n1,x\na,b\n2,y\n", "1:2[1][x]\n2:4[2][y]\n", "line 3 repeats the header; skipped"},
        {"a,b\r\na,b\r\n1,x\r\n\xef\xbb\xbf"
         "a,b\r\n2,y\r\na,b",
         "1:3[1][x]\n2:5[2][y]\n", "line 2 repeats the header, as 2 others do; skipped"},
        {"a,b\n1,x\n a,b\nb,a\na,\"b\"\n", "1:2[1][x]\n2:4[b][a]\n3:5[a][b]\n",
         "line 3 repeats the header"},
        {"0,1,2\n7,8,9\n0,1,2\n5,6,4\n", "1:2[7][8][9]\n2:3[0][1][2]\n3:4[5][6][4]\n", NULL},
        {"a,b\n1,x\na,bc\n", "1:2[1][x]\n2:3[a][bc]\n", NULL},
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        csv_dump got = {0};
        const dt_csv_format yes = {.header = DT_CSV_HEADER_YES};
        dt_csv *csv = csv_open_text(tables[i].text, &yes);
        for (int pass = 0; pass < 2; pass++) {
            assert_int_equal(csv_dump_blocks(csv, SIZE_MAX, csv_dump_start(&got, csv)), DT_OK);
            assert_warns(csv, pass == 0 ? tables[i].warns : NULL);
        }
        dt_csv_close(csv);
        csv_dump_clear(&got);
        assert_csv_rows(tables[i].text, &yes, tables[i].rows);
    }
    assert_csv_refused("a,b\na,b\n", "has no rows below its header");
}

/* ---- headers ---- */

static void finds_out_whether_there_is_a_header(void **state)
{
    (void)state;
    static const char *const row = "is a row, not a header";
    static const char *const header = "is used as the header";
    assert_table("1,2.5\n3,4.5\n", NULL, "[column 1][column 2]", "1:1[1][2.5]\n2:2[3][4.5]\n", row);
    assert_table("a,b\nb,c\na,c\nc,b\n", NULL, "[column 1][column 2]",
                 "1:1[a][b]\n2:2[b][c]\n3:3[a][c]\n4:4[c][b]\n", row);
    assert_table("5,?,x\n3,1,x\n4,2,y\n", NULL, "[column 1][column 2][column 3]",
                 "1:1[5][?][x]\n2:2[3][1][x]\n3:3[4][2][y]\n", row);
    assert_table("0,1,y\n7,8,u\n9,1,v\n", NULL, "[0][1][y]", "1:2[7][8][u]\n2:3[9][1][v]\n",
                 header);
    assert_table("n,2019,2020\nx,70,80\ny,90,10\n", NULL, "[n][2019][2020]",
                 "1:2[x][70][80]\n2:3[y][90][10]\n", header);
    assert_plain("a,b\nx,1\na,2\n", "[a][b]", "1:2[x][1]\n2:3[a][2]\n"); /* b is above numbers */
    assert_plain("a,b\nx,y\n", "[a][b]", "1:2[x][y]\n");
    assert_csv_refused("a,5,6\n1,7,2\n3,6,2\n", "(a, 5, 6) may be the header or a row");
    assert_csv_refused("0,1,x\n1,0,x\n0,3,y\n", "(0, 1, x) may be the header or a row");
    assert_table(",0,1\n0,5,1\n1,3,2\n", NULL, "[column 1][0][1]", "1:2[0][5][1]\n2:3[1][3][2]\n",
                 header);
    assert_csv_refused("n,2019\nx,70\ny,90\n", "may be the header or a row");
    /* As R writes: names in quotes, numbers not. */
    assert_table("\"\",\"8.5\",\"2\"\n\"4\",1,9\n\"7\",9,1\n", NULL, "[column 1][8.5][2]",
                 "1:2[4][1][9]\n2:3[7][9][1]\n", header);
    assert_table("\"8.5\",\"2\"\n\"1\",\"9\"\n", NULL, "[column 1][column 2]",
                 "1:1[8.5][2]\n2:2[1][9]\n", row);
    assert_table("\"8.5\",2\n1,9\n", NULL, "[column 1][column 2]", "1:1[8.5][2]\n2:2[1][9]\n", row);
    const dt_csv_format yes = {.header = DT_CSV_HEADER_YES}, no = {.header = DT_CSV_HEADER_NO};
    assert_table("1,2\n3,4\n", &yes, "[1][2]", "1:2[3][4]\n", NULL);
    assert_table("a,b\n3,4\n", &no, "[column 1][column 2]", "1:1[a][b]\n2:2[3][4]\n", NULL);
}

static void takes_names(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b", "y"};
    static const bool optional[] = {false, false, true};
    dt_csv *csv = NULL;
    dt_csv_format format = {.names = names, .name_count = 3};
    assert_table("7,2,3\n4,5,6\n", &format, "[a][b][y]", "1:1[7][2][3]\n2:2[4][5][6]\n", NULL);
    assert_table("u,v,w\n4,5,6\n", &format, "[a][b][y]", "1:2[4][5][6]\n", NULL);
    assert_table("y,a,b\n4,5,6\n", &format, "[y][a][b]", "1:2[4][5][6]\n", NULL);
    assert_int_equal(dt_csv_open(&csv, csv_save("1,2\n3,4\n", 8), &format), DT_DATA);
    assert_says("has 2 columns, but 3 are named");
    format.header = DT_CSV_HEADER_IF_NAMED;
    format.optional = optional;
    assert_table("u,v\n4,5\n", &format, "[a][b]", "1:1[u][v]\n2:2[4][5]\n", NULL);
    assert_table("b,a\n4,5\n", &format, "[b][a]", "1:2[4][5]\n", NULL);
    format.header = DT_CSV_HEADER_SOME_NAMED;
    assert_table("b,q,a\n4,5,6\n", &format, "[b][q][a]", "1:2[4][5][6]\n", NULL);
    assert_table("# b a\n4 5\n", &format, "[b][a]", "1:2[4][5]\n", NULL);
    assert_int_equal(dt_csv_open(&csv, csv_save("1,2\n3,4\n", 8), &format), DT_DATA);
    assert_says(
        "line 1 ('1' ...) contains none of the required columns, such as 'a'; use --header no");
    static const bool first[] = {true, false, true}; /* an optional column is not required */
    format.optional = first;
    assert_int_equal(dt_csv_open(&csv, csv_save("1,2,3\n4,5,6\n", 12), &format), DT_DATA);
    assert_says("contains none of the required columns, such as 'b'");
}

static void renames_what_is_there_twice(void **state)
{
    (void)state;
    assert_table("a,b,a\n1,2,3\n", NULL, "[a][b][a.1]", "1:2[1][2][3]\n",
                 "1 column has the name of another column; column 3 is renamed 'a.1'");
    assert_table("a,a,a.1,a,a.1\n1,2,3,4,5\n", NULL, "[a][a.2][a.1][a.3][a.1.1]",
                 "1:2[1][2][3][4][5]\n", "3 columns have the name of another column; column 2 is");
    assert_table("column 2,,c\n1,2,3\n", NULL, "[column 2][column 2.1][c]", "1:2[1][2][3]\n",
                 "column 2 is renamed 'column 2.1'");
    dt_csv *csv = csv_open_text("a,a\n1,2\n", NULL);
    assert_true(dt_csv_find(csv, "a") == 0 && dt_csv_find(csv, "a.1") == 1);
    dt_csv_close(csv);
}

/* ---- encodings ---- */

static void assert_bytes(const char *bytes, size_t count, const dt_csv_format *format,
                         const char *rows, const char *notes, const char *warns)
{
    dt_csv *csv = NULL;
    csv_dump got = {0};
    if (dt_csv_open(&csv, csv_save(bytes, count), format) != DT_OK)
        fail_msg("%s", dt_status_text());
    assert_string_equal(dt_csv_notes(csv), notes);
    for (size_t size = 0; size < 100; size += 7) {
        assert_int_equal(csv_dump_blocks(csv, size, &got), DT_OK);
        assert_string_equal(got.text, rows);
        assert_true(dt_csv_bytes_read(csv) == dt_csv_bytes(csv));
    }
    assert_warns(csv, warns);
    csv_dump_clear(&got);
    dt_csv_close(csv);
}

static void converts_encodings(void **state)
{
    (void)state;
    static const char *const warns = "is not UTF-8, so it is read as Windows-1252";
    static const char little[] = "\xff\xfe\xe4\0,\0\xac\x20\n\0\x31\0,\0\x3d\xd8\x00\xde\n\0";
    static const char big[] = "\xfe\xff\0\xe4\0,\x20\xac\0\n\0\x31\0,\xd8\x3d\xde\x00\0\n";
    assert_bytes(little, sizeof little - 1, NULL, "1:2[1][\xf0\x9f\x98\x80]\n", "UTF-16", NULL);
    assert_bytes(big, sizeof big - 1, NULL, "1:2[1][\xf0\x9f\x98\x80]\n", "UTF-16", NULL);
    const dt_csv_format utf_16 = {.encoding = DT_CSV_UTF_16};
    assert_bytes("a\0,\0b\0\n\0\x31\0,\0\xe4\0", 14, &utf_16, "1:2[1][\xc3\xa4]\n", "UTF-16", NULL);
    assert_bytes("a,b\n1,\x80\xe4\n", 9, NULL, "1:2[1][\xe2\x82\xac\xc3\xa4]\n", "", warns);
    const dt_csv_format western = {.encoding = DT_CSV_WINDOWS_1252};
    assert_bytes("a,b\n1,\xc3\xa4\n", 9, &western, "1:2[1][\xc3\x83\xc2\xa4]\n", "", NULL);
    const dt_csv_format utf_8 = {.encoding = DT_CSV_UTF_8};
    assert_bytes("a,b\n1,\xe4\n", 8, &utf_8, "1:2[1][\xe4]\n", "", NULL);
    /* UTF-8 with one bad byte stays what it is. */
    assert_bytes("a,b\n\xc3\xa4,\xc3\xa4\n1,\xe4\n", 14, NULL,
                 "1:2[\xc3\xa4][\xc3\xa4]\n2:3[1][\xe4]\n", "", NULL);
}

/* The first byte beyond ASCII comes long after the table was opened. */
static void finds_the_encoding_late(void **state)
{
    (void)state;
    enum { ROWS = 200000 };
    for (int western = 0; western < 2; western++) {
        csv_dump text = {0}, got = {0};
        dt_csv *csv = NULL;
        csv_dump_add(&text, "a,b\n");
        for (int i = 1; i < ROWS; i++)
            csv_dump_add(&text, "12,34\n");
        csv_dump_add(&text, western ? "5,\xe4\n" : "5,\xc3\xa4\n");
        assert_int_equal(dt_csv_open(&csv, csv_save(text.text, text.bytes), NULL), DT_OK);
        assert_warns(csv, NULL);
        for (int pass = 0; pass < 2; pass++) {
            assert_int_equal(dt_csv_read(csv, csv_dump_row, csv_dump_start(&got, csv)), DT_OK);
            assert_true(got.rows == ROWS);
            assert_string_equal(got.text + got.bytes - 21, "200000:200001[5][\xc3\xa4]\n");
            assert_warns(csv, western && pass == 0 ? "is read as Windows-1252" : NULL);
        }
        dt_csv_close(csv);
        csv_dump_clear(&got);
        csv_dump_clear(&text);
    }
}

/* ---- gzip ---- */

static size_t compress_member(unsigned char *to, size_t room, const char *text, size_t bytes)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)text;
    z.avail_in = (uInt)bytes;
    z.next_out = to;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(deflateEnd(&z), Z_OK);
    return z.total_out;
}

static void inflates(void **state)
{
    (void)state;
    enum { ROOM = 1 << 20 };
    csv_dump text = {0}, plain = {0}, got = {0};
    dt_csv *csv = NULL;
    char *packed = calloc(ROOM, 1);
    assert_non_null(packed);
    csv_dump_add(&text, "a,b\n");
    for (int i = 0; i < 50000; i++)
        csv_dump_printf(&text, "%d,%d\n", i, i * 7 % 1000);
    assert_int_equal(dt_csv_open(&csv, csv_save(text.text, text.bytes), NULL), DT_OK);
    assert_int_equal(dt_csv_read(csv, csv_dump_row, csv_dump_start(&plain, csv)), DT_OK);
    dt_csv_close(csv);
    const size_t half = text.bytes / 2 + 3;
    size_t bytes = compress_member((unsigned char *)packed, ROOM, text.text, half);
    bytes += compress_member((unsigned char *)packed + bytes, ROOM - bytes, text.text + half,
                             text.bytes - half);
    assert_int_equal(dt_csv_open(&csv, csv_save(packed, bytes + 100), NULL), DT_OK); /* zeros */
    assert_string_equal(dt_csv_notes(csv), "gzip");
    for (int pass = 0; pass < 3; pass++) {
        assert_int_equal(dt_csv_read(csv, csv_dump_row, csv_dump_start(&got, csv)), DT_OK);
        assert_true(got.bytes == plain.bytes && memcmp(got.text, plain.text, got.bytes) == 0);
        assert_true(dt_csv_bytes_read(csv) == bytes + 100 && dt_csv_bytes(csv) == bytes + 100);
    }
    dt_csv_close(csv);
    assert_int_equal(dt_csv_open(&csv, csv_save(packed, bytes - 5), NULL), DT_OK);
    assert_int_equal(dt_csv_read(csv, csv_dump_row, csv_dump_start(&got, csv)), DT_DATA);
    assert_says("x.csv: the gzip data ends early");
    dt_csv_close(csv);
    packed[bytes - 2000] ^= 0x55;
    assert_int_equal(dt_csv_open(&csv, csv_save(packed, bytes), NULL), DT_OK);
    assert_int_equal(dt_csv_read(csv, csv_dump_row, csv_dump_start(&got, csv)), DT_DATA);
    assert_says("x.csv: damaged gzip data: ");
    dt_csv_close(csv);
    csv_dump_clear(&text);
    csv_dump_clear(&plain);
    csv_dump_clear(&got);
    free(packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(blanks_separate, scratch_empty),
        cmocka_unit_test_teardown(lines_end_with_separators, scratch_empty),
        cmocka_unit_test_teardown(skips_what_is_above, scratch_empty),
        cmocka_unit_test_teardown(rows_have_names, scratch_empty),
        cmocka_unit_test_teardown(headers_repeat, scratch_empty),
        cmocka_unit_test_teardown(takes_excels_texts, scratch_empty),
        cmocka_unit_test_teardown(tidies_names, scratch_empty),
        cmocka_unit_test_teardown(finds_out_whether_there_is_a_header, scratch_empty),
        cmocka_unit_test_teardown(takes_names, scratch_empty),
        cmocka_unit_test_teardown(renames_what_is_there_twice, scratch_empty),
        cmocka_unit_test_teardown(converts_encodings, scratch_empty),
        cmocka_unit_test_teardown(finds_the_encoding_late, scratch_empty),
        cmocka_unit_test_teardown(inflates, scratch_empty),
    };
    return cmocka_run_group_tests_name("csv_dialects", tests, scratch_make, scratch_remove);
}
