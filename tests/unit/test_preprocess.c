/* rooms: data */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/data/preprocess.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { MAX_FIELDS = 16, MAX_D = 32 };

/* ---- helpers ---- */

/* Recipe, table and preprocessor of a test. */
typedef struct bench {
    dt_recipe recipe;
    dt_preprocess *preprocess;
    const char *names[MAX_FIELDS];
    size_t fields;
    float x[MAX_D];
    dt_target y[2];
    float w;
} bench;

static void assert_says(const char *text)
{
    if (strcmp(dt_status_text(), text) != 0)
        fail_msg("expected '%s', found '%s'", text, dt_status_text());
}

/* A recipe of these columns (JSON), with this target. */
static void load_with(bench *out, const char *target, const char *columns, size_t D,
                      const char *more)
{
    char json[9216];
    *out = (bench){0};
    (void)snprintf(json, sizeof json,
                   "{\"dtrain_recipe\": 1, \"separator\": \",\", \"decimal\": \".\", "
                   "\"missing\": [\"NA\", \"?\"], %s, \"target\": {%s}, \"columns\": [%s], "
                   "\"inputs\": %zu}",
                   more, target, columns, D);
    if (dt_recipe_from_json(&out->recipe, json, strlen(json), "recipe") != DT_OK)
        fail_msg("%s", dt_status_text());
    assert_true(D <= MAX_D);
}

/* After the target "kind" with the classes no and yes. */
static void load(bench *out, const char *columns, size_t D, const char *more)
{
    char all[8192];
    (void)snprintf(all, sizeof all, "{\"name\": \"kind\", \"role\": \"target\"}, %s", columns);
    load_with(out, "\"column\": \"kind\", \"classes\": [\"no\", \"yes\"]", all, D, more);
}

/* Binds it to a table with these columns, separated by blanks. */
static dt_status bind(bench *b, const char *columns, char decimal, bool labels)
{
    static char text[1024];
    b->fields = 0;
    (void)snprintf(text, sizeof text, "%s", columns);
    for (char *at = strtok(text, " "); at != NULL; at = strtok(NULL, " "))
        b->names[b->fields++] = at;
    return dt_preprocess_new(&b->preprocess, &b->recipe,
                             &(dt_preprocess_plan){.path = "t.csv",
                                                   .names = b->names,
                                                   .count = b->fields,
                                                   .labels = labels,
                                                   .decimal = decimal});
}

static void begin(bench *b, const char *columns, size_t D, const char *table, bool labels)
{
    load(b, columns, D, "\"unseen\": \"ignore\"");
    if (bind(b, table, '.', labels) != DT_OK)
        fail_msg("%s", dt_status_text());
}

static void end(bench *b)
{
    dt_preprocess_free(b->preprocess);
    dt_recipe_clear(&b->recipe);
}

/* Prepares the row of these cells, separated by '|', as row 7 on line 9. */
static dt_status prepare(bench *b, const char *cells)
{
    char text[1024];
    dt_csv_field fields[MAX_FIELDS];
    size_t count = 0;
    (void)snprintf(text, sizeof text, "%s|", cells);
    for (char *at = text; *at != '\0'; at += strlen(at) + 1) {
        char *bar = strchr(at, '|');
        *bar = '\0';
        assert_true(count < b->fields);
        fields[count++] = (dt_csv_field){.text = at, .bytes = strlen(at)};
        if (bar[1] == '\0')
            break;
    }
    assert_int_equal(count, b->fields);
    const dt_csv_row row = {.row = 7, .line = 9, .fields = fields};
    for (size_t i = 0; i < MAX_D; i++)
        b->x[i] = 99.0f; /* what the last row left must not stay */
    b->y[0].label = b->y[1].label = -99;
    b->w = -99.0f;
    return dt_preprocess_row(b->preprocess, &row, b->x, b->y, &b->w);
}

/* The row gives exactly these inputs: rounded to float32 once. */
static void check_row(bench *b, const char *cells, const double *expected)
{
    if (prepare(b, cells) != DT_OK)
        fail_msg("%s: %s", cells, dt_status_text());
    for (size_t i = 0; i < b->recipe.D; i++) {
        const float right = (float)expected[i];
        if (memcmp(&b->x[i], &right, sizeof right) != 0)
            fail_msg("%s: input %zu is %a, expected %a", cells, i, (double)b->x[i], (double)right);
    }
    assert_true(b->x[b->recipe.D] == 99.0f); /* and nothing behind them */
}

static void check_refused(bench *b, const char *cells, const char *text)
{
    assert_int_equal(prepare(b, cells), DT_DATA);
    assert_says(text);
}

/* ---- numbers ---- */

static void test_scales(void **state)
{
    (void)state;
    bench b;
    begin(&b,
          "{\"name\": \"a\", \"role\": \"numeric\", \"scale\": \"standard\", \"center\": 41.2, "
          "\"spread\": 11.9, \"fill\": \"error\"},"
          "{\"name\": \"b\", \"role\": \"numeric\", \"scale\": \"minmax\", \"center\": -3, "
          "\"spread\": 7, \"fill\": \"error\"},"
          "{\"name\": \"c\", \"role\": \"numeric\", \"scale\": \"robust\", \"center\": 0.1, "
          "\"spread\": 0.3, \"fill\": \"error\"},"
          "{\"name\": \"d\", \"role\": \"numeric\", \"scale\": \"none\", \"fill\": \"error\"},"
          "{\"name\": \"e\", \"role\": \"numeric\", \"scale\": \"log\", \"center\": 1.5, "
          "\"spread\": 2.5, \"fill\": \"error\"}",
          5, "kind a b c d e", true);
    check_row(&b, "yes|41.2|-3|0.1|0|0", (const double[]){0.0, 0.0, 0.0, 0.0, (0.0 - 1.5) / 2.5});
    assert_int_equal(b.y[0].label, 1);
    check_row(&b, "no|1e3|4|-7.25|16777217|1000",
              (const double[]){(1000.0 - 41.2) / 11.9, 1.0, (-7.25 - 0.1) / 0.3, 16777217.0,
                               (log1p(1000.0) - 1.5) / 2.5});
    assert_int_equal(b.y[0].label, 0);
    check_row(&b, "no|-0.125|11|1e-320|-3.4028234e38|-1000",
              (const double[]){(-0.125 - 41.2) / 11.9, 2.0, (1e-320 - 0.1) / 0.3, -3.4028234e38,
                               (-log1p(1000.0) - 1.5) / 2.5});
    end(&b);
}

/* Values of the formula in 40 digits. */
static void test_clipped(void **state)
{
    (void)state;
    bench b;
    begin(&b,
          "{\"name\": \"a\", \"role\": \"numeric\", \"scale\": \"clipped\", \"center\": 0.1, "
          "\"spread\": 0.3, \"fill\": \"median\", \"fill_number\": 0.1}",
          1, "a", false);
    static const struct {
        const char *cell;
        double input;
    } golden[] = {
        {"0.1", 0.0},
        {"1", 2.121320343559642573},
        {"-7.25", -2.977759166086220734},
        {"1e3", 2.999998784757701952},
        {"-16777217", -2.999999999999995683},
        {"1e300", 3.0},
        {"-1.7e308", -3.0},
        {"", 0.0},
    };
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++)
        check_row(&b, golden[i].cell, &golden[i].input);
    end(&b);
}

/* Knots and values of scikit-learn 1.2.1's QuantileTransformer; most knots stand more than once. */
static void test_quantiles(void **state)
{
    (void)state;
    static const struct {
        const char *knots;
        double golden[20][2];
    } cases[] = {
        {"-2.5, 0.5625, 1.0, 1.5000000000000009, 3.0, 3.5, 5.0, 5.0, 6.0, 9.0, 9.0",
         {{-3, 0.0},
          {-2.5, 0.0},
          {-2, 0.0163265306122449},
          {0, 0.0816326530612245},
          {0.125, 0.08571428571428572},
          {1, 0.2},
          {1.5, 0.2999999999999999},
          {2, 0.3333333333333333},
          {2.75, 0.38333333333333336},
          {3, 0.4},
          {3.5, 0.5},
          {4, 0.5333333333333333},
          {4.25, 0.55},
          {5, 0.6500000000000001},
          {5.5, 0.75},
          {6, 0.8},
          {7, 0.8333333333333334},
          {8.9, 0.8966666666666667},
          {9, 1.0},
          {10, 1.0}}},
        {"0.0, 0.0, 0.0, 0.9999999999999991, 2.0, 2.0, 2.0, 2.0, 5.0, 5.0",
         {{-1, 0.0},
          {0, 0.0},
          {1e-300, 0.2222222222222222},
          {0.25, 0.25},
          {1, 0.3333333333333334},
          {1.5, 0.3888888888888889},
          {1.9999999999, 0.4444444444333333},
          {2, 0.611111111111111},
          {2.0000001, 0.7777777814814814},
          {3.7, 0.8407407407407407},
          {4.999, 0.8888518518518518},
          {5, 1.0},
          {6, 1.0}}},
        {"4, 4", {{3, 0.0}, {4, 0.0}, {5, 1.0}, {4.0000001, 1.0}}},
        {"1, 2", {{1, 0.0}, {1.25, 0.25}, {1.5, 0.5}, {2, 1.0}, {-1e300, 0.0}, {1e300, 1.0}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bench b;
        char column[512];
        (void)snprintf(column, sizeof column,
                       "{\"name\": \"a\", \"role\": \"numeric\", \"scale\": \"quantile\", "
                       "\"knots\": [%s], \"fill\": \"error\"}",
                       cases[i].knots);
        begin(&b, column, 1, "a", false);
        for (size_t k = 0; k < 20; k++) {
            char cell[64];
            (void)snprintf(cell, sizeof cell, "%.17g", cases[i].golden[k][0]);
            if (k > 0 && cases[i].golden[k][0] == 0.0 && cases[i].golden[k][1] == 0.0)
                continue; /* fewer than twenty */
            assert_int_equal(prepare(&b, cell), DT_OK);
            if (!(fabs((double)b.x[0] - cases[i].golden[k][1]) <= 6e-8))
                fail_msg("knots %zu: %s gives %.9g, expected %.9g", i, cell, (double)b.x[0],
                         cases[i].golden[k][1]);
        }
        end(&b);
    }
}

static void test_number_fills(void **state)
{
    (void)state;
    bench b;
    begin(&b,
          "{\"name\": \"a\", \"role\": \"numeric\", \"scale\": \"standard\", \"center\": 10, "
          "\"spread\": 4, \"fill\": \"mean\", \"fill_number\": 12.5},"
          "{\"name\": \"b\", \"role\": \"numeric\", \"scale\": \"log\", \"center\": 1, "
          "\"spread\": 2, \"fill\": \"median\", \"fill_number\": -6},"
          "{\"name\": \"c\", \"role\": \"numeric\", \"scale\": \"quantile\", "
          "\"knots\": [0, 10, 20], \"fill\": \"mode\", \"fill_number\": 5},"
          "{\"name\": \"d\", \"role\": \"numeric\", \"scale\": \"minmax\", \"center\": 1, "
          "\"spread\": 3, \"fill\": \"indicator\", \"fill_number\": 2}",
          5, "a b c d", false);
    const double filled[] = {2.5 / 4, (-log1p(6.0) - 1) / 2, 0.25, 1.0 / 3, 1.0};
    check_row(&b, "|||", filled);
    check_row(&b, "NA|?|NA|", filled);
    check_row(&b, "10|0|20|4", (const double[]){0.0, -0.5, 1.0, 1.0, 0.0});
    check_row(&b, "NA|0|20|?", (const double[]){2.5 / 4, -0.5, 1.0, 1.0 / 3, 1.0});
    assert_int_equal(b.y[0].label, -99); /* without labels it is left alone */
    /* What only begins or ends like a missing text is none. */
    check_refused(
        &b, "N|0|20|4",
        "t.csv: row 7 (line 9): column 'a': 'N' is not a number; use --missing 'N' to fill such "
        "cells");
    check_refused(
        &b, "10|NAN|20|4",
        "t.csv: row 7 (line 9): column 'b': 'NAN' is not a number; use --missing 'NAN' to "
        "fill such cells");
    check_refused(&b, "10|0|na|4",
                  "t.csv: row 7 (line 9): column 'c': 'na' is not a number; use --missing 'na' to "
                  "fill such cells");
    check_refused(
        &b, "10|0|20|??",
        "t.csv: row 7 (line 9): column 'd': '\?\?' is not a number; use --missing '\?\?' to "
        "fill such cells");
    end(&b);
}

static const char two_numbers[] =
    "{\"name\": \"a\", \"role\": \"numeric\", \"scale\": \"standard\", \"center\": 0, "
    "\"spread\": 0.5, \"fill\": \"error\"},"
    "{\"name\": \"b\", \"role\": \"numeric\", \"scale\": \"none\", \"fill\": \"drop\"}";

static void test_refused_numbers(void **state)
{
    (void)state;
    bench b;
    begin(&b, two_numbers, 2, "a b", false);
    check_refused(
        &b, "|1",
        "t.csv: row 7 (line 9): column 'a' has no value here, and the recipe has no filling "
        "for it (dtrain prepare --fill)");
    check_refused(&b, "1|?",
                  "t.csv: row 7 (line 9): column 'b': '?' means a missing value; the recipe has no "
                  "filling for this column (dtrain prepare --fill)");
    check_refused(&b, "1,500|1",
                  "t.csv: row 7 (line 9): column 'a': '1,500' may be 1500 or 1.5; use --thousands "
                  "'a=comma' for 1500, --decimal 'a=comma' for 1.5");
    check_refused(&b, "1,5,1|1", "t.csv: row 7 (line 9): column 'a': '1,5,1' is not a number");
    check_refused(&b, "15 %|1",
                  "t.csv: row 7 (line 9): column 'a': '15 %' has '%', which the training rows do "
                  "not have: it may be 15 or 0.15; write the number alone");
    check_refused(&b, "1|inf", "t.csv: row 7 (line 9): column 'b': 'inf' is not a number");
    check_refused(&b, "1|1e999", "t.csv: row 7 (line 9): column 'b': '1e999' is not a number");
    check_refused(&b, "1|4e38",
                  "t.csv: row 7 (line 9): column 'b': '4e38' is beyond the range of float32");
    check_refused(&b, "2e38|1",
                  "t.csv: row 7 (line 9): column 'a': '2e38' is beyond the range of float32");
    check_refused(&b, "1e308|1",
                  "t.csv: row 7 (line 9): column 'a': '1e308' is beyond the range of float32");
    check_refused(
        &b, "a\tb\x01 and so on, far more than anyone would read|1",
        "t.csv: row 7 (line 9): column 'a': 'a?b? and so on, far more than anyone wou...' "
        "is not a number");
    check_row(&b, "-1|2", (const double[]){-2.0, 2.0}); /* after failures it goes on */
    end(&b);
}

#define UNIT(name, unit, more)                                                                     \
    "{\"name\": \"" name "\", \"role\": \"numeric\", \"unit\": \"" unit                            \
    "\", \"scale\": \"none\", \"fill\": \"error\"" more "}"

static void check_seen(const bench *b, size_t i, int kind, int64_t count, const char *first)
{
    const dt_column_seen *seen = dt_preprocess_seen(b->preprocess, i);
    assert_int_equal(seen->cells[kind], count);
    assert_string_equal(seen->first[kind - DT_SEEN_UNSEEN].text, first);
    assert_int_equal(seen->first[kind - DT_SEEN_UNSEEN].row, count > 0 ? 7 : 0);
}

static void test_units(void **state)
{
    (void)state;
    bench b;
    begin(&b, UNIT("a", "%", "") ", " UNIT("b", "kg", "") ", " UNIT("c", "pct", ", \"bare\": true"),
          3, "a b c", false);
    check_row(&b, "12%|1 kg|0.5", (const double[]){12.0, 1.0, 0.5});
    check_row(&b, "0%|1,234.5 kg|1", (const double[]){0.0, 1234.5, 1.0});
    check_seen(&b, 0, DT_SEEN_UNIT, 0, "");
    check_row(&b, "12|1|0.5", (const double[]){12.0, 1.0, 0.5});
    check_row(&b, "-1,234.5|2,345.5|1 pct", (const double[]){-1234.5, 2345.5, 1.0});
    check_row(&b, "0|0|0", (const double[]){0.0, 0.0, 0.0}); /* which needs no unit */
    check_seen(&b, 0, DT_SEEN_UNIT, 2, "12");
    check_seen(&b, 1, DT_SEEN_UNIT, 2, "1");
    check_seen(&b, 2, DT_SEEN_UNIT, 0, "");
    check_refused(&b, "0.34|1|1",
                  "t.csv: row 7 (line 9): column 'a': '0.34' has no '%', which the training rows "
                  "have, and may be a share; write 34% for it, or use --numeric 'a' to take it for "
                  "0.34%");
    check_refused(&b, "(1)|1|1",
                  "t.csv: row 7 (line 9): column 'a': '(1)' has no '%', which the training rows "
                  "have, and may be a share; write -100% for it, or use --numeric 'a' to take it "
                  "for -1%");
    check_row(&b, "12 percent|1 kg|1%", (const double[]){12.0, 1.0, 1.0});
    check_refused(
        &b, "1%|5 g|1",
        "t.csv: row 7 (line 9): column 'b': '5 g' is in 'g', but the training rows are in 'kg'");
    dt_preprocess_free(b.preprocess);
    assert_int_equal(dt_preprocess_new(&b.preprocess, &b.recipe,
                                       &(dt_preprocess_plan){.path = "t.csv",
                                                             .names = b.names,
                                                             .count = b.fields,
                                                             .decimal = '.',
                                                             .numeric = "#1"}),
                     DT_OK);
    check_row(&b, "0.34|1|1", (const double[]){0.34, 1.0, 1.0});
    check_seen(&b, 0, DT_SEEN_UNIT, 0, "");
    check_seen(&b, 1, DT_SEEN_UNIT, 1, "1");
    end(&b);
    begin(&b, two_numbers, 2, "a b", false);
    check_row(&b, "$2|1", (const double[]){4.0, 1.0});
    check_seen(&b, 0, DT_SEEN_UNIT, 1, "$2");
    assert_false(dt_preprocess_seen(b.preprocess, 0)->units_differ);
    check_row(&b, "2 kg|1", (const double[]){4.0, 1.0});
    assert_true(dt_preprocess_seen(b.preprocess, 0)->units_differ);
    end(&b);
}

static void test_ranges(void **state)
{
    (void)state;
    bench b;
    begin(
        &b,
        "{\"name\": \"a\", \"role\": \"numeric\", \"scale\": \"none\", \"fill\": \"mean\", "
        "\"fill_number\": 99, \"minimum\": 10, \"maximum\": 20, \"margin\": 12}, {\"name\": \"d\", "
        "\"role\": \"date\", \"order\": \"ymd\", \"parts\": [], \"scale\": \"none\", \"fill\": "
        "\"error\", \"minimum\": 0, \"maximum\": 1, \"margin\": 1}",
        2, "a d", false);
    check_row(&b, "-2|1970-01-03", (const double[]){-2.0, 2.0});
    check_row(&b, "32|1969-12-31", (const double[]){32.0, -1.0});
    check_row(&b, "?|1970-01-01", (const double[]){99.0, 0.0}); /* no cell of the table's */
    check_seen(&b, 0, DT_SEEN_FAR, 0, "");
    check_seen(&b, 0, DT_SEEN_OUTSIDE, 2, "-2");
    check_row(&b, "21|1970-01-01", (const double[]){21.0, 0.0});
    check_row(&b, "9|1970-01-01", (const double[]){9.0, 0.0});
    check_seen(&b, 0, DT_SEEN_OUTSIDE, 2, "-2");
    check_row(&b, "32.5|1970-01-04", (const double[]){32.5, 3.0});
    check_row(&b, "-2.5|1969-12-30", (const double[]){-2.5, -2.0});
    check_seen(&b, 0, DT_SEEN_FAR, 2, "32.5");
    check_seen(&b, 1, DT_SEEN_FAR, 2, "1970-01-04");
    assert_int_equal(dt_preprocess_seen(b.preprocess, 0)->cells[DT_SEEN_NUMBERS], 6);
    assert_int_equal(dt_preprocess_seen(b.preprocess, 1)->cells[DT_SEEN_NUMBERS], 7);
    end(&b);
}

#define DAY(more)                                                                                  \
    "{\"name\": \"d\", \"role\": \"date\", \"parts\": [], \"scale\": \"none\", \"fill\": "         \
    "\"error\", " more "}"

static void test_forms_of_dates(void **state)
{
    (void)state;
    bench b;
    const double jan3 = 2.0;
    begin(&b, DAY("\"order\": \"dmy\", \"divider\": \".\""), 1, "d", false);
    check_row(&b, "03.01.1970", &jan3);
    check_row(&b, "3.1.70", &jan3); /* a year at the end may be short */
    check_row(&b, "1970-01-03", &jan3);
    check_row(&b, "1970/01/03", &jan3);
    check_row(&b, "3 Jan 1970", &jan3);
    check_row(&b, "13/01/1970", (const double[]){12.0});
    check_row(&b, "01/13/1970", (const double[]){12.0});
    check_row(&b, "1/1/1970", (const double[]){0.0}); /* the same day in both */
    check_refused(
        &b, "03/01/1970",
        "t.csv: row 7 (line 9): column 'd': '03/01/1970' may be 1970-01-03 or 1970-03-01, "
        "since the training rows are written as dmy with '.' between the parts; write "
        "dates so, or as 1970-01-03");
    check_refused(&b, "01.13.1970",
                  "t.csv: row 7 (line 9): column 'd': '01.13.1970' is not a date of the form dmy, "
                  "as the recipe requires");
    check_refused(&b, "1970-01",
                  "t.csv: row 7 (line 9): column 'd': '1970-01' is not a date of the form dmy, "
                  "as the recipe requires");
    end(&b);
    begin(&b, DAY("\"order\": \"dmy\""), 1, "d", false); /* as older recipes */
    check_row(&b, "03/01/1970", &jan3);
    check_row(&b, "1970-01-03", &jan3);
    end(&b);
    begin(&b, DAY("\"order\": \"ymd\", \"divider\": \"-\""), 1, "d", false);
    check_row(&b, "1970-01-03", &jan3);
    check_row(&b, "19700103", &jan3);
    check_row(&b, "70-01-03", &jan3); /* there is no month 70 */
    assert_int_equal(prepare(&b, "05-06-07"), DT_DATA);
    assert_non_null(strstr(dt_status_text(), "may be 2005-06-07 or 2007-05-06, since"));
    end(&b);
    begin(&b, DAY("\"order\": \"ymd\", \"divider\": \"-\", \"short_years\": true"), 1, "d", false);
    check_row(&b, "05-06-07", (const double[]){12941.0});
    assert_int_equal(prepare(&b, "05/06/07"), DT_DATA);
    end(&b);
    begin(&b, DAY("\"order\": \"ymd\", \"divider\": \"\""), 1, "d", false); /* 19700103 */
    check_row(&b, "19700103", &jan3);
    check_row(&b, "1970-01-03", &jan3);
    assert_int_equal(prepare(&b, "05/06/07"), DT_DATA);
    assert_non_null(strstr(dt_status_text(), "with nothing between the parts"));
    end(&b);
    begin(&b, DAY("\"order\": \"my\", \"divider\": \"/\""), 1, "d", false);
    check_row(&b, "02/1970", (const double[]){31.0});
    check_row(&b, "1970-02", (const double[]){31.0});
    end(&b);
}

static void test_decimal_comma(void **state)
{
    (void)state;
    bench b;
    load(&b, two_numbers, 2, "\"unseen\": \"ignore\"");
    assert_int_equal(bind(&b, "a b", ',', false), DT_OK); /* the table's, not the recipe's */
    check_row(&b, "1,5|-,25", (const double[]){3.0, -0.25});
    check_row(&b, "2|3e2", (const double[]){4.0, 300.0});
    check_row(&b, "1.5|1", (const double[]){3.0, 1.0}); /* which cannot be thousands */
    check_refused(&b, "1.500|1",
                  "t.csv: row 7 (line 9): column 'a': '1.500' may be 1500 or 1.5; use --thousands "
                  "'a=point' for 1500, --decimal 'a=point' for 1.5");
    end(&b);
}

/* Cells that can be one number only are read as prepare would. */
static void test_other_numbers(void **state)
{
    (void)state;
    bench b;
    begin(&b, two_numbers, 2, "a b", false);
    check_row(&b, "1,234.5|$7", (const double[]){2469.0, 7.0});
    check_row(&b, "1.234,5|7 kg", (const double[]){2469.0, 7.0});
    check_row(&b, "1,234,567|0,5", (const double[]){2469134.0, 0.5});
    end(&b);
}

/* What the cells of column 'a' are together. */
static void check_doubt(const char *kind, const char *cells, bool expected)
{
    static const struct {
        const char *word, *scale, *facts;
    } kinds[] = {
        {"standard", "standard", "\"center\": 1000.0, \"spread\": 500.0,"},
        {"none", "none", ""},
        {"range", "none", "\"minimum\": 2.0, \"maximum\": 1900.0, \"margin\": 1898.0,"},
        {"skewed", "none", "\"minimum\": 1.0, \"maximum\": 9000.0, \"margin\": 8999.0,"},
        {"groups", "standard",
         "\"center\": 300.0, \"spread\": 300.0, \"minimum\": 1.0, \"maximum\": 1900.0, "
         "\"margin\": 1899.0, \"decimal\": \",\", \"thousands\": \".\","},
    };
    char columns[256], copy[128];
    bench b;
    size_t k = 0;
    while (strcmp(kinds[k].word, kind) != 0)
        k++;
    (void)snprintf(
        columns, sizeof columns,
        "{\"name\": \"a\", \"role\": \"numeric\", \"scale\": \"%s\", %s \"fill\": \"error\"}",
        kinds[k].scale, kinds[k].facts);
    (void)snprintf(copy, sizeof copy, "%s", cells);
    begin(&b, columns, 1, "a", false);
    for (char *cell = strtok(copy, " "); cell != NULL; cell = strtok(NULL, " "))
        assert_int_equal(prepare(&b, cell), DT_OK);
    if (dt_column_seen_is_doubtful(dt_preprocess_seen(b.preprocess, 0)->cells) != expected)
        fail_msg("%s: '%s'", kind, cells);
    end(&b);
}

static void test_doubtful_numbers(void **state)
{
    (void)state;
    check_doubt("standard", "1.567", true); /* 1567 is nearer */
    check_doubt("standard", "1.567 894", true);
    check_doubt("standard", "1.567 2.5", false);
    check_doubt("standard", "1.567 0.125", false);
    check_doubt("standard", "894.125", false); /* nearer than 894125 */
    check_doubt("standard", "894.125 951.875 1.567", false);
    check_doubt("standard", "1567 894", false);
    check_doubt("standard", "894.125 1.234,5", true); /* then points are no decimal points */
    check_doubt("none", "1.567 894", true);
    check_doubt("none", "1.567", false);
    check_doubt("none", "1.567 894 1894", false);
    check_doubt("none", "1.567 0", false);
    check_doubt("range", "1.567 894", true); /* both are in the range */
    check_doubt("range", "1.567 1.894", false);
    check_doubt("skewed", "1.941 6.105", false);
    check_doubt("range", "894.125 12", false);
    check_doubt("groups", "1.103 894", false); /* as the training rows, although 1.103 is nearer */
    check_doubt("groups", "1.103 1.207", true); /* all with three digits: decimals, perhaps */
    check_doubt("groups", "1.103 2.5", true);
    check_doubt("groups", "9.103 894", true); /* beyond them */
}

/* ---- categories ---- */

/* In this order: job 0..2 and rare 3; city 4, 5; wing 6, 7 and missing 8; plan 9, rare 10 and
 * missing 11. */
static const char categories[] =
    "{\"name\": \"job\", \"role\": \"categorical\", \"categories\": [\"cook\", \"pilot\", \"NA\"], "
    "\"rare\": true, \"fill\": \"mode\", \"fill_text\": \"pilot\"},"
    "{\"name\": \"city\", \"role\": \"categorical\", \"categories\": [\"Bonn\", \"Ulm\"], "
    "\"rare\": false, \"fill\": \"error\"},"
    "{\"name\": \"wing\", \"role\": \"categorical\", \"categories\": [\"l\", \"r\"], "
    "\"rare\": false, \"fill\": \"category\"},"
    "{\"name\": \"plan\", \"role\": \"categorical\", \"categories\": [\"A\"], "
    "\"rare\": true, \"fill\": \"category\"}";

static void check_ones(bench *b, const char *cells, const char *ones)
{
    double expected[MAX_D] = {0};
    for (size_t i = 0; ones[i] != '\0'; i++)
        expected[i] = ones[i] == '1' ? 1.0 : 0.0;
    assert_int_equal(strlen(ones), b->recipe.D);
    check_row(b, cells, expected);
}

static void test_categories(void **state)
{
    (void)state;
    bench b;
    begin(&b, categories, 12, "job city wing plan", false);
    check_ones(&b, "cook|Bonn|l|A", "100010100100");
    check_ones(&b, "pilot|Ulm|r|A", "010001010100");
    check_ones(&b, "|Ulm||", "010001001001"); /* mode; missing as a category */
    check_ones(&b, "?|Ulm|?|NA", "010001001001");
    check_ones(&b, "NA|Ulm|NA|?", "001001001001"); /* a category, although it means missing */
    check_ones(&b, "baker|Bonn|r|B", "000110010010"); /* rare ones */
    assert_int_equal(dt_preprocess_unseen(b.preprocess)->count, 0);
    check_ones(&b, " Cook |Köln|x|a", "100000000100"); /* other spellings; unseen ones: nothing */
    assert_int_equal(dt_preprocess_unseen(b.preprocess)->count, 2);
    check_ones(&b, "coo|Bon|lr|AA", "000100000010");
    assert_int_equal(dt_preprocess_unseen(b.preprocess)->count, 4);
    check_refused(&b, "cook||l|A",
                  "t.csv: row 7 (line 9): column 'city' has no value here, and the recipe has no "
                  "filling for it (dtrain prepare --fill)");
    end(&b);
}

static void test_unseen_as_an_error(void **state)
{
    (void)state;
    bench b;
    load(&b, categories, 12, "\"unseen\": \"error\"");
    assert_int_equal(bind(&b, "job city wing plan", '.', false), DT_OK);
    check_ones(&b, "baker|Bonn|?|B", "000110001010"); /* neither rare nor missing is unseen */
    check_refused(
        &b, "cook|Bonn|x|A",
        "t.csv: row 7 (line 9): column 'wing': 'x' is a category that no training row has");
    assert_int_equal(dt_preprocess_unseen(b.preprocess)->count, 0);
    end(&b);
}

/* The most frequent category may be one that was folded with the rare ones. */
static void test_mode_that_is_rare(void **state)
{
    (void)state;
    bench b;
    begin(&b,
          "{\"name\": \"a\", \"role\": \"categorical\", \"categories\": [\"u\", \"v\"], "
          "\"rare\": true, \"fill\": \"mode\"},"
          "{\"name\": \"b\", \"role\": \"categorical\", \"categories\": [], \"rare\": true, "
          "\"fill\": \"mode\"},"
          "{\"name\": \"c\", \"role\": \"categorical\", \"categories\": [\"w\"], "
          "\"rare\": false, \"fill\": \"mode\", \"fill_text\": \"w\"}",
          5, "a b c", false);
    assert_null(b.recipe.columns[1].fill_text);
    check_ones(&b, "||", "00111");
    check_ones(&b, "v|anything|z", "01010");
    assert_int_equal(dt_preprocess_unseen(b.preprocess)->count, 1);
    end(&b);
}

/* ---- tables ---- */

static const char mixed[] =
    "{\"name\": \"id\", \"role\": \"dropped\"},"
    "{\"name\": \"age\", \"role\": \"numeric\", \"scale\": \"none\", \"fill\": \"error\"},"
    "{\"name\": \"job\", \"role\": \"categorical\", \"categories\": [\"cook\", \"pilot\"], "
    "\"rare\": false, \"fill\": \"error\"},"
    "{\"name\": \"rate\", \"role\": \"numeric\", \"scale\": \"none\", \"fill\": \"indicator\", "
    "\"fill_number\": 3}";

/* The recipe's inputs: age, rate, its indicator, then the categories. */
static void test_columns_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *table, *row;
    } cases[] = {{"kind id age job rate", "yes|1|30|pilot|"},
                 {"rate job age kind", "|pilot|30|yes"}, /* another order; no dropped one */
                 {"x rate y job z age w kind v", "a||b|pilot|c|30|d|yes|e"}}; /* further ones */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bench b;
        begin(&b, mixed, 5, cases[i].table, true);
        check_row(&b, cases[i].row, (const double[]){30.0, 3.0, 1.0, 0.0, 1.0});
        assert_int_equal(b.y[0].label, 1);
        end(&b);
    }
}

static void test_target(void **state)
{
    (void)state;
    bench b;
    begin(&b, mixed, 5, "age job rate", false); /* need not be there */
    check_row(&b, "30|cook|4", (const double[]){30.0, 4.0, 0.0, 1.0, 0.0});
    end(&b);
    begin(&b, mixed, 5, "kind age job rate", false); /* nor make sense */
    check_row(&b, "perhaps|30|cook|4", (const double[]){30.0, 4.0, 0.0, 1.0, 0.0});
    end(&b);
    begin(&b, mixed, 5, "kind age job rate", true);
    check_row(&b, "no|30|cook|4", (const double[]){30.0, 4.0, 0.0, 1.0, 0.0});
    assert_int_equal(b.y[0].label, 0);
    check_refused(&b, "perhaps|30|cook|4",
                  "t.csv: row 7 (line 9): column 'kind': 'perhaps' is not one of the classes");
    check_refused(&b, "|30|cook|4",
                  "t.csv: row 7 (line 9): column 'kind': '' is not one of the classes");
    end(&b);
}

static void check_unbound(const char *table, bool labels, const char *text)
{
    bench b;
    load(&b, mixed, 5, "\"unseen\": \"ignore\"");
    b.preprocess = (dt_preprocess *)&b;
    assert_int_equal(bind(&b, table, '.', labels), DT_DATA);
    assert_null(b.preprocess);
    assert_says(text);
    dt_preprocess_free(NULL);
    dt_recipe_clear(&b.recipe);
}

static void test_absent_columns(void **state)
{
    (void)state;
    check_unbound("kind agee job rate", false, "t.csv: no column 'age'; did you mean 'agee'?");
    check_unbound("kind age jobs rate", false, "t.csv: no column 'job'; did you mean 'jobs'?");
    check_unbound("age job rate", true, "t.csv: no column 'kind' among its 3: age, job, rate");
    check_unbound("Kind age job rate", true, "t.csv: no column 'kind'; did you mean 'Kind'?");
    check_unbound("kind age rate", true, "t.csv: no column 'job' among its 3: kind, age, rate");
}

/* ---- values and weights ---- */

#define VALUES "\"columns\": [\"rent\", \"price\"]"
#define VALUE_COLUMNS                                                                              \
    "{\"name\": \"price\", \"role\": \"target\"}, {\"name\": \"n\", \"role\": \"weights\"}, "      \
    "{\"name\": \"age\", \"role\": \"numeric\", \"scale\": \"none\", \"fill\": \"error\"}, "       \
    "{\"name\": \"rent\", \"role\": \"target\"}"

static void begin_values(bench *b, const char *table, bool labels)
{
    load_with(b, VALUES, VALUE_COLUMNS, 1, "\"unseen\": \"ignore\", \"weights\": \"n\"");
    if (bind(b, table, '.', labels) != DT_OK)
        fail_msg("%s", dt_status_text());
}

/* Values stand in the order of the recipe's list, not of the columns. */
static void test_values(void **state)
{
    (void)state;
    bench b;
    begin_values(&b, "age price n rent", true);
    assert_true(dt_preprocess_has_weights(b.preprocess));
    assert_int_equal(prepare(&b, "3|1e6|2.5|-0.1"), DT_OK);
    assert_true(b.y[0].value == -0.1f && b.y[1].value == 1e6f && b.w == 2.5f);
    assert_true(b.x[0] == 3.0f && b.x[1] == 99.0f);
    assert_int_equal(prepare(&b, "3|0|0|0"), DT_OK);
    assert_true(b.w == 0.0f);
    check_refused(&b, "3|many|1|2",
                  "t.csv: row 7 (line 9): column 'price': 'many' is not a number");
    check_refused(&b, "3|1||2",
                  "t.csv: row 7 (line 9): column 'n': '' means a missing value, which a weight "
                  "must not be");
    check_refused(
        &b, "3|1|-1|2",
        "t.csv: row 7 (line 9): column 'n': '-1' is negative, which a weight must not be");
    check_refused(&b, "3|1|1|NA",
                  "t.csv: row 7 (line 9): column 'rent': 'NA' means a missing value, which a "
                  "target must not be");
    check_refused(&b, "3|1e39|1|1",
                  "t.csv: row 7 (line 9): column 'price': '1e39' is beyond the range of float32");
    end(&b);
}

/* A table may come without the weights, and without labels nobody looks at either. */
static void test_values_that_are_not_there(void **state)
{
    (void)state;
    bench b;
    begin_values(&b, "age price rent", true);
    assert_false(dt_preprocess_has_weights(b.preprocess));
    assert_int_equal(prepare(&b, "3|1|2"), DT_OK);
    assert_true(b.y[0].value == 2.0f && b.y[1].value == 1.0f && b.w == -99.0f);
    end(&b);
    begin_values(&b, "age price n rent", false);
    assert_false(dt_preprocess_has_weights(b.preprocess));
    assert_int_equal(prepare(&b, "3|many|-1|"), DT_OK);
    assert_true(b.y[0].label == -99 && b.w == -99.0f);
    end(&b);
    load_with(&b, VALUES, VALUE_COLUMNS, 1, "\"unseen\": \"ignore\", \"weights\": \"n\"");
    assert_int_equal(bind(&b, "age rent n", '.', true), DT_DATA);
    assert_says("t.csv: no column 'price' among its 3: age, rent, n");
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scales),
        cmocka_unit_test(test_clipped),
        cmocka_unit_test(test_quantiles),
        cmocka_unit_test(test_number_fills),
        cmocka_unit_test(test_refused_numbers),
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_forms_of_dates),
        cmocka_unit_test(test_decimal_comma),
        cmocka_unit_test(test_other_numbers),
        cmocka_unit_test(test_doubtful_numbers),
        cmocka_unit_test(test_categories),
        cmocka_unit_test(test_unseen_as_an_error),
        cmocka_unit_test(test_mode_that_is_rare),
        cmocka_unit_test(test_columns_by_name),
        cmocka_unit_test(test_target),
        cmocka_unit_test(test_absent_columns),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_values_that_are_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
