#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "csv_reading.h"
#include "dtrain/base/random.h"
#include "scratch_folder.h"

#include <inttypes.h>

/*
 * Tables made at random, of which it is known what they hold; and texts made at random, which a
 * second, naive reader takes apart. Both are read in one block, in many, and in those of one row.
 */
enum { TABLES = 1500, TEXTS = 15000 };

static size_t pick(dt_random *random, size_t bound)
{
    return (size_t)dt_random_below(random, bound);
}

static bool chance(dt_random *random, unsigned percent)
{
    return dt_random_below(random, 100) < percent;
}

/* ---- tables that are known ---- */

typedef struct table {
    csv_dump text, rows; /* as it stands in the file, and what it holds */
    uint64_t line;
    size_t columns;
    char separator;
    const char *line_end; /* NULL: any */
    unsigned quoted; /* so many percent of the fields are, */
    unsigned odd; /* so many hold something special, */
    unsigned blank; /* and so many lines are blank */
} table;

static void add_line_end(table *t, dt_random *random)
{
    static const char *const ends[] = {"\n", "\r\n", "\r"};
    const char *end = t->line_end != NULL ? t->line_end : ends[pick(random, 3)];
    /* A LF behind a lone CR would be one line end with it. */
    if (end[0] == '\n' && t->text.bytes > 0 && t->text.text[t->text.bytes - 1] == '\r')
        end = "\r\n";
    csv_dump_add(&t->text, end);
    t->line++;
}

static void add_blank_lines(table *t, dt_random *random)
{
    static const char *const blanks[] = {"", " ", "   ", "\t", " \t "};
    while (chance(random, t->blank)) {
        csv_dump_add(&t->text, blanks[pick(random, t->separator == '\t' ? 3 : 5)]);
        add_line_end(t, random);
    }
}

static void add_quoted(table *t, dt_random *random)
{
    static const char *const parts[] = {"x", "12", "\"",   ",",  ";",        "\t",  "|",
                                        " ", "\n", "\r\n", "\r", "\xc3\xa4", "\"\""};
    bool cr = false;
    csv_dump_add(&t->text, "\"");
    for (size_t left = pick(random, 5); left > 0; left--) {
        const char *part = parts[pick(random, chance(random, t->odd) ? 13 : 2)];
        if (cr && part[0] == '\n')
            continue;
        for (const char *c = part; *c != '\0'; c++) {
            csv_dump_append(&t->text, c, 1);
            if (*c == '"')
                csv_dump_append(&t->text, c, 1);
            csv_dump_append(&t->rows, c, 1);
        }
        cr = strcmp(part, "\r") == 0;
        t->line += part[0] == '\n' || part[0] == '\r';
    }
    csv_dump_add(&t->text, "\"");
}

static void add_field(table *t, dt_random *random, bool last)
{
    static const char *const plain[] = {"1", "-2.5", "yes",  "a b", "G\xc3\xb6teborg",
                                        "",  "'q'",  "1e-5", "#",   "\\"};
    static const char *const blanks[] = {" ", "  "};
    csv_dump_add(&t->rows, "[");
    if (chance(random, t->odd))
        csv_dump_add(&t->text, blanks[pick(random, 2)]);
    /* A line with nothing but an empty field is a blank one. */
    if (chance(random, t->quoted) || t->columns == 1) {
        add_quoted(t, random);
    } else {
        const char *field = plain[pick(random, sizeof plain / sizeof plain[0])];
        csv_dump_add(&t->text, field);
        csv_dump_add(&t->rows, field);
    }
    if (chance(random, t->odd))
        csv_dump_add(&t->text, blanks[pick(random, 2)]);
    csv_dump_add(&t->rows, "]");
    if (!last)
        csv_dump_append(&t->text, &t->separator, 1);
}

static table make_table(dt_random *random)
{
    static const char *const line_ends[] = {"\n", "\r\n", "\r", NULL};
    table t = {.line = 1,
               .columns = 1 + pick(random, 6),
               .separator = ",;\t|"[pick(random, 4)],
               .line_end = line_ends[pick(random, 4)],
               .quoted = (unsigned)pick(random, 3) * 40,
               .odd = (unsigned)pick(random, 3) * 20,
               .blank = (unsigned)pick(random, 3) * 25};
    const size_t rows = 1 + pick(random, chance(random, 2) ? 30000 : 40);
    add_blank_lines(&t, random);
    for (size_t i = 0; i < t.columns; i++)
        csv_dump_printf(&t.text, "%.1sc%zu", i > 0 ? &t.separator : "", i);
    for (size_t row = 1; row <= rows; row++) {
        add_line_end(&t, random);
        add_blank_lines(&t, random);
        csv_dump_printf(&t.rows, "%zu:%" PRIu64, row, t.line);
        for (size_t i = 0; i < t.columns; i++)
            add_field(&t, random, i + 1 == t.columns);
        csv_dump_add(&t.rows, "\n");
    }
    if (chance(random, 50))
        add_line_end(&t, random);
    return t;
}

static void reads_what_was_written(void **state)
{
    (void)state;
    dt_random random = dt_random_start(1, DT_RANDOM_EXAMPLE, 0);
    const char *path = scratch_path("x.csv");
    csv_dump got = {0};
    for (int i = 0; i < TABLES; i++) {
        table t = make_table(&random);
        const dt_csv_format format = {.separator = t.separator, .header = DT_CSV_HEADER_YES};
        const size_t sizes[] = {0, pick(&random, 100), pick(&random, 100000), SIZE_MAX};
        dt_csv *csv = NULL;
        assert_true(scratch_write(path, t.text.text, t.text.bytes));
        if (dt_csv_open(&csv, path, &format) != DT_OK)
            fail_msg("%s; the table:\n%.2000s", dt_status_text(), t.text.text);
        assert_true(dt_csv_format_of(csv)->columns == t.columns);
        /* One row at a time, a large table takes too long. */
        for (size_t s = t.text.bytes > 50000 ? 2 : 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            if (csv_dump_blocks(csv, sizes[s], &got) != DT_OK)
                fail_msg("%s; the table:\n%.2000s", dt_status_text(), t.text.text);
            if (strcmp(got.text, t.rows.text) != 0)
                fail_msg("blocks of %zu; the table:\n%.2000s\nits rows:\n%.2000s\nread:\n%.2000s",
                         sizes[s], t.text.text, t.rows.text, got.text);
        }
        dt_csv_close(csv);
        csv_dump_clear(&t.text);
        csv_dump_clear(&t.rows);
    }
    csv_dump_clear(&got);
}

/* ---- a naive reader ---- */

/* Takes one field apart. Returns what is behind it: a separator, a line end, the text's end; NULL
 * when it is malformed. */
static const char *read_field(const char *c, char separator, csv_dump *out)
{
#define BLANK(at) ((*(at) == ' ' || *(at) == '\t') && *(at) != separator)
#define FIELD_ENDS(at) (*(at) == separator || *(at) == '\n' || *(at) == '\r' || *(at) == '\0')
    while (BLANK(c))
        c++;
    csv_dump_add(out, "[");
    if (*c == '"') {
        for (c++; *c != '\0' && (*c != '"' || c[1] == '"'); c += *c == '"' ? 2 : 1)
            csv_dump_append(out, c, 1);
        if (*c == '\0')
            return NULL;
        c++;
        while (BLANK(c))
            c++;
    } else {
        const char *begin = c;
        while (!FIELD_ENDS(c) && *c != '"')
            c++;
        const char *end = c;
        while (end > begin && BLANK(end - 1))
            end--;
        csv_dump_append(out, begin, (size_t)(end - begin));
    }
    csv_dump_add(out, "]");
    return FIELD_ENDS(c) ? c : NULL;
#undef FIELD_ENDS
#undef BLANK
}

/* Counts as a reader would who turns each CRLF, and then each CR, into LF. */
static uint64_t count_lines(const char *from, const char *to)
{
    uint64_t lines = 0;
    for (; from < to; from++)
        lines += *from == '\n' || (*from == '\r' && from[1] != '\n');
    return lines;
}

/* Reads until a record is bad; returns its line, 0 when all is well. The header is row 0. */
static uint64_t read_naively(const char *text, char separator, csv_dump *out)
{
    const char *c = text;
    size_t columns = 0;
    for (uint64_t row = 0;; row++) {
        csv_dump record = {0};
        const char *begin = c;
        while (*c != '\0' &&
               ((strchr(" \t", *c) != NULL && *c != separator) || strchr("\r\n", *c) != NULL)) {
            c++;
            if (c[-1] == '\n' || c[-1] == '\r')
                begin = c;
        }
        if (*c == '\0')
            return 0;
        const uint64_t line = 1 + count_lines(text, begin);
        size_t fields = 0;
        csv_dump_printf(&record, "%" PRIu64 ":%" PRIu64, row, line);
        for (c = begin;; c++) {
            c = read_field(c, separator, &record);
            fields++;
            if (c == NULL || *c != separator)
                break;
        }
        columns = row == 0 ? fields : columns;
        const bool good = c != NULL && fields == columns;
        if (good && row > 0) {
            csv_dump_append(out, record.text, record.bytes);
            csv_dump_add(out, "\n");
        }
        csv_dump_clear(&record);
        if (!good)
            return line;
    }
}

static void make_text(dt_random *random, csv_dump *out)
{
    static const char *const parts[] = {
        "x", ",",  "\n",    "\r\n",        "\r",          "\"",    "\"\"", "\"y,\n\"",
        " ", "\t", "1,2\n", "\"3\",4\r\n", "5,\"\n6\"\n", "7,8\r", ",9\n", "\"a\"\"b\",c\n"};
    const size_t wild = chance(random, 50) ? 0 : 7; /* which parts to leave out */
    csv_dump_clear(out);
    csv_dump_add(out, chance(random, 50) ? "a,b\n" : "\r\n\"a\", b \r");
    for (size_t left = pick(random, 12); left > 0; left--)
        csv_dump_add(out, parts[wild + pick(random, sizeof parts / sizeof parts[0] - wild)]);
}

static void agrees_with_a_naive_reader(void **state)
{
    (void)state;
    dt_random random = dt_random_start(2, DT_RANDOM_EXAMPLE, 0);
    const char *path = scratch_path("x.csv");
    const dt_csv_format format = {.separator = ',', .header = DT_CSV_HEADER_YES};
    csv_dump text = {0}, got = {0};
    int good = 0, bad = 0;
    for (int i = 0; i < TEXTS; i++) {
        const size_t sizes[] = {0, pick(&random, 20), SIZE_MAX};
        csv_dump expected = {0};
        char place[64];
        dt_csv *csv = NULL;
        make_text(&random, &text);
        csv_dump_append(&expected, "", 0);
        const uint64_t bad_line = read_naively(text.text, ',', &expected);
        (void)snprintf(place, sizeof place, "%" PRIu64, bad_line);
        assert_true(scratch_write(path, text.text, text.bytes));
        if (dt_csv_open(&csv, path, &format) != DT_OK) {
            if (expected.bytes > 0 && strstr(dt_status_text(), "--skip-lines") == NULL)
                fail_msg("%s: '%s'", dt_status_text(), text.text);
            csv_dump_clear(&expected);
            continue;
        }
        /* The naive reader knows neither separators at lines' ends nor lines above the header. */
        if (dt_csv_format_of(csv)->trailing || dt_csv_format_of(csv)->columns != 2 ||
            dt_csv_next_warning(csv) != NULL) {
            dt_csv_close(csv);
            csv_dump_clear(&expected);
            continue;
        }
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            const dt_status status = csv_dump_blocks(csv, sizes[s], &got);
            if (status != (bad_line == 0 ? DT_OK : DT_DATA))
                fail_msg("status %d: '%s' (%s)", (int)status, text.text, dt_status_text());
            if (strcmp(got.text, expected.text) != 0)
                fail_msg("'%s' holds\n%s\nread:\n%s", text.text, expected.text, got.text);
            const char *line = bad_line == 0 ? NULL : strstr(dt_status_text(), "line");
            if (bad_line > 0 && (line == NULL || strtoull(line + strcspn(line, "0123456789"), NULL,
                                                          10) != bad_line))
                fail_msg("'%s' is bad on line %s: %s", text.text, place, dt_status_text());
        }
        good += bad_line == 0;
        bad += bad_line > 0 && expected.bytes > 0;
        dt_csv_close(csv);
        csv_dump_clear(&expected);
    }
    csv_dump_clear(&text);
    csv_dump_clear(&got);
    assert_true(good > TEXTS / 10 && bad > TEXTS / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(reads_what_was_written, scratch_empty),
        cmocka_unit_test_teardown(agrees_with_a_naive_reader, scratch_empty),
    };
    return cmocka_run_group_tests_name("csv_random", tests, scratch_make, scratch_remove);
}
