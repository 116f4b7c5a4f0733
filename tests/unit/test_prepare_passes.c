/* rooms: data */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Passes that are repeated, that sample, that fail, and whose table changes. */
#include "table_preparing.h"

#include "dtrain/base/random.h"

#include <math.h>
#include <unistd.h>

/* ---- repeatability, samples ---- */

enum { LONG_ROWS = 150000 };

static double uniform_of(dt_random *random)
{
    return floor(dt_random_uniform(random) * 1e9) / 1e6; /* 0 .. 1000 */
}

/* y grows all the time: the last rows count like the first. */
static void write_long(void)
{
    dt_random random = dt_random_start(5, DT_RANDOM_EXAMPLE, 0);
    table_text t = {0};
    table_add(&t, "x,y,kind\n");
    for (size_t i = 0; i < LONG_ROWS; i++) {
        const double x = uniform_of(&random);
        table_add(&t, "%.17g,%.17g,%c\n", x, (double)i / 150, "ab"[i % 2]);
    }
    table_write(&t);
}

static char *make_json(prepared *p, uint64_t seed)
{
    char *json = NULL;
    dt_prepare_plan plan = plan_all();
    plan.scale = "robust,y=quantile";
    plan.split_method = DT_SPLIT_STRATIFIED;
    plan.test = 0.02;
    plan.seed = seed;
    prepared_make(p, &plan);
    assert_int_equal(dt_recipe_to_json(&json, p->recipe), DT_OK);
    return json;
}

/* Medians of 100,000 of the rows: within five deviations of those of all. */
static void test_samples_and_repeats(void **state)
{
    (void)state;
    prepared first, again, other;
    write_long();
    char *json = make_json(&first, 1), *json_again = make_json(&again, 1);
    char *json_other = make_json(&other, 2);
    const double tolerance = 1000 * 5 * 0.5 / sqrt(100000.0);
    const dt_recipe_column *x = recipe_column(&first, "x"), *y = recipe_column(&first, "y");
    assert_close(x->center, 500, tolerance);
    assert_close(x->spread, 500, 2 * tolerance);
    assert_int_equal(y->knot_count, 1000);
    for (size_t k = 0; k < 1000; k++)
        assert_close(y->knots[k], 1000.0 * (double)k / 999, tolerance);
    assert_string_equal(json, json_again);
    assert_int_equal(first.count, again.count);
    assert_memory_equal(first.rows, again.rows, first.count * sizeof *first.rows);
    /* Another seed is another sample, and another method. */
    assert_true(strcmp(json, json_other) != 0);
    size_t differ = 0;
    for (size_t i = 0; i < first.count; i++)
        differ += first.rows[i].set != other.rows[i].set;
    assert_true(differ > 1000);
    dt_memory_free(json);
    dt_memory_free(json_again);
    dt_memory_free(json_other);
    prepared_clear(&first);
    prepared_clear(&again);
    prepared_clear(&other);
}

/* ---- tables that change, takers that fail ---- */

enum { CHANGING_ROWS = 60000, CHANGE_AT = 1000 };

/* About 1.5 MB: far more than is read ahead. */
static void write_changing(size_t rows, const char *word, const char *last_word, size_t every_test)
{
    table_text t = {0};
    table_add(&t, "x,job,kind,set\n");
    for (size_t i = 0; i < rows; i++)
        table_add(&t, "%zu.%03zu,%s,%s,%s\n", 100 + i % 7, i % 1000, i % 2 == 0 ? "cook" : "mate",
                  i + 10 > rows ? last_word
                  : i % 3 == 0  ? word
                                : "yes",
                  i % every_test == 0 ? "test" : "train");
    table_write(&t);
}

static void make_shorter(prepared *p)
{
    if (p->taken == CHANGE_AT)
        assert_int_equal(truncate(scratch_path("t.csv"), 700000), 0);
}

static void make_empty(prepared *p)
{
    if (p->taken == CHANGE_AT)
        assert_int_equal(truncate(scratch_path("t.csv"), 0), 0);
}

static void make_other_classes(prepared *p)
{
    if (p->taken == CHANGE_AT)
        write_changing(CHANGING_ROWS, "no", "gnu", 5);
}

static void make_other_shares(prepared *p)
{
    if (p->taken == CHANGE_AT)
        write_changing(CHANGING_ROWS, "no", "no", 3);
}

static void make_text(prepared *p)
{
    if (p->taken != CHANGE_AT)
        return;
    FILE *file = fopen(scratch_path("t.csv"), "r+b");
    assert_non_null(file);
    (void)fseek(file, 1000000, SEEK_SET);
    for (int i = 0; i < 1000; i++)
        (void)fputs("\"\"\"x,,\n", file);
    (void)fclose(file);
}

static void make_longer(prepared *p)
{
    if (p->taken != CHANGE_AT)
        return;
    FILE *file = fopen(scratch_path("t.csv"), "ab");
    assert_non_null(file);
    for (int i = 0; i < 30000; i++)
        (void)fputs("100.5,cook,yes,train\n", file);
    (void)fclose(file);
}

/* Either it is refused, or nothing that matters has changed: never an abort. */
static void check_changed(void (*meddle)(prepared *p), const char *split, dt_split_method method,
                          bool in_apply, bool must_fail)
{
    prepared p;
    dt_prepare_plan plan = plan_all();
    plan.split_method = method;
    plan.test = 0.2;
    plan.split_column = strcmp(split, "x") == 0 ? "" : split;
    plan.split_by = strcmp(split, "x") == 0 ? "x" : "";
    plan.numeric = plan.split_by;
    plan.drop_duplicates = plan.split_by[0] != '\0' && !must_fail; /* of repeats all may change */
    write_changing(CHANGING_ROWS, "no", "yes", 5);
    assert_int_equal(prepared_survey(&p, &plan), DT_OK);
    p.meddle = in_apply ? NULL : meddle;
    dt_status status = prepared_fit(&p);
    if (in_apply) {
        assert_int_equal(status, DT_OK);
        p.meddle = meddle;
    }
    if (status == DT_OK)
        status = prepared_apply(&p);
    if (status == DT_OK && must_fail)
        fail_msg("not refused");
    if (status != DT_OK) {
        assert_int_equal(status, DT_DATA);
        assert_says("t.csv: ");
    } else {
        uint64_t rows[DT_SET_COUNT] = {0};
        for (size_t i = 0; i < p.count; i++)
            rows[p.rows[i].set]++;
        for (int set = 0; set < DT_SET_COUNT; set++) /* what an array's shape says */
            assert_int_equal(rows[set], p.table->set_rows[set]);
    }
    prepared_clear(&p);
}

static void test_tables_that_change(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        const char *split = i / 2 == 3 ? "set" : i / 2 == 4 ? "x" : "";
        const dt_split_method method = (dt_split_method)(i / 2 % 3);
        const bool in_apply = i % 2 == 1;
        check_changed(make_shorter, split, method, in_apply, true);
        check_changed(make_empty, split, method, in_apply, true);
        check_changed(make_text, split, method, in_apply, true);
        check_changed(make_longer, split, method, in_apply, false);
        check_changed(make_other_classes, split, method, in_apply, true);
        check_changed(make_other_shares, split, method, in_apply, false);
    }
}

/* Between two passes. */
static void test_tables_that_changed(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after;
    } cases[] = {
        {"x,job,kind\n1,u,a\n2,v,b\n3,v,a\n", "x,job,kind\n1,u,a\n2,v,b\n"},
        {"x,job,kind\n1,u,a\n2,v,b\n3,v,a\n", "x,job,kind\n1,u,a\n2,v,b\n3,v,c\n"},
        {"x,job,kind\n1,u,a\n2,v,b\n3,v,a\n", "x,job,kind\n1,u,a\n2,v,b\n3,w,a\n"},
        {"x,job,kind\n1,u,a\n2,v,b\n3,v,a\n", "x,job,kind\n1,u,a\n2,v,b\nz,v,a\n"},
        {"x,job,kind\n1,u,a\n2,v,b\n3,v,a\n", "x,job,kind\n1,u,a\n2,v,b\n3,v\n\n\n"},
        {"x,job,kind\n1,u,a\n2,v,b\n3,v,a\n", "x,job,kind\n1,u,a\n2,v,b\n,v,aa\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int method = 0; method < 3; method++)
            for (int pass = 0; pass < 2; pass++) {
                prepared p;
                dt_prepare_plan plan = plan_all();
                plan.split_method = (dt_split_method)method;
                plan.unseen = DT_UNSEEN_ERROR;
                table_write_text(cases[i].before);
                assert_int_equal(prepared_survey(&p, &plan), DT_OK);
                if (pass == 1)
                    assert_int_equal(prepared_fit(&p), DT_OK);
                table_write_text(cases[i].after);
                dt_status status = pass == 0 ? prepared_fit(&p) : DT_OK;
                if (status == DT_OK)
                    status = prepared_apply(&p);
                if (status != DT_DATA)
                    fail_msg("case %zu, method %d, pass %d: status %d", i, method, pass,
                             (int)status);
                prepared_clear(&p);
            }
}

static void test_takers_that_fail(void **state)
{
    (void)state;
    for (uint64_t at = 1; at <= 3; at++)
        for (int in_apply = 0; in_apply < 2; in_apply++) {
            prepared p;
            const dt_prepare_plan plan = plan_all();
            table_write_text("x,job,kind\n1,u,a\n2,v,b\n3,v,a\n");
            assert_int_equal(prepared_survey(&p, &plan), DT_OK);
            p.stop_at = in_apply ? 0 : at;
            assert_int_equal(prepared_fit(&p), in_apply ? DT_OK : DT_OUTPUT);
            p.stop_at = at;
            if (in_apply)
                assert_int_equal(prepared_apply(&p), DT_OUTPUT);
            assert_int_equal(p.taken, at);
            assert_string_equal(dt_status_text(), "no room");
            prepared_clear(&p);
        }
}

static double last_share;
static char passes[256];

static void note_progress(void *context, const char *pass, double share)
{
    assert_ptr_equal(context, passes);
    assert_true(share >= 0.0 && share <= 1.0);
    if (strstr(passes, pass) == NULL) {
        assert_true(passes[0] == '\0' || last_share >= 1.0); /* the pass before has ended */
        (void)snprintf(passes + strlen(passes), sizeof passes - strlen(passes), "%s;", pass);
        last_share = 0.0;
    }
    assert_true(share >= last_share);
    last_share = share;
}

static void test_progress(void **state)
{
    (void)state;
    prepared p = {0};
    const dt_prepare_plan plan = plan_all();
    write_changing(CHANGING_ROWS, "no", "yes", 5);
    assert_int_equal(dt_csv_open(&p.csv, scratch_path("t.csv"), NULL), DT_OK);
    assert_int_equal(dt_prepare_survey(&p.prepare, p.csv, &plan, note_progress, passes), DT_OK);
    p.table = dt_prepare_table_of(p.prepare);
    assert_int_equal(prepared_fit(&p), DT_OK);
    assert_int_equal(prepared_apply(&p), DT_OK);
    assert_true(last_share >= 1.0);
    assert_string_equal(passes,
                        "looking at the columns;measuring the training rows;writing the sets;");
    prepared_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_samples_and_repeats, scratch_empty),
        cmocka_unit_test_teardown(test_tables_that_change, scratch_empty),
        cmocka_unit_test_teardown(test_tables_that_changed, scratch_empty),
        cmocka_unit_test_teardown(test_takers_that_fail, scratch_empty),
        cmocka_unit_test_teardown(test_progress, scratch_empty),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
