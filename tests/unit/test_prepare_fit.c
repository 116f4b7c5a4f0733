/* rooms: data */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* What the fit measures on the training rows, and the application makes of all. */
#include "table_preparing.h"

#include <math.h>
#include <stdlib.h>

/* ---- statistics, the plain way ---- */

static double plain_mean(const double *v, size_t n)
{
    long double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (long double)v[i];
    return (double)(sum / (long double)n);
}

static double plain_deviation(const double *v, size_t n)
{
    const long double mean = (long double)plain_mean(v, n);
    long double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += ((long double)v[i] - mean) * ((long double)v[i] - mean);
    return sqrt((double)(sum / (long double)n));
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts `v`. */
static double plain_quantile(double *v, size_t n, double share)
{
    qsort(v, n, sizeof *v, compare_doubles);
    const double at = share * (double)(n - 1);
    const size_t low = (size_t)at;
    return low + 1 < n ? v[low] + (v[low + 1] - v[low]) * (at - (double)low) : v[low];
}

static double signed_log(double x)
{
    return x < 0 ? -log1p(-x) : log1p(x);
}

/* ---- scales ---- */

enum { SCALED = 120, HELD_OUT = 30 };

/* Column x has these numbers; those of the last rows, which are held out, are beyond measure. */
static double number_of(size_t row)
{
    if (row >= SCALED)
        return row % 2 == 0 ? 1e30 : -1e30;
    return (double)(row * row * 7 % 193) / 4 - 20;
}

static void write_numbers(bool missing)
{
    table_text t = {0};
    table_add(&t, "kind,x,job\n");
    for (size_t i = 0; i < SCALED + HELD_OUT; i++) {
        table_add(&t, "%s,", i % 2 == 0 ? "b" : "a");
        table_add(&t, missing && i % 5 == 2 ? "?" : "%.17g", number_of(i));
        table_add(&t, ",%s\n", i >= SCALED ? "new" : i % 3 == 0 ? "u" : "v");
    }
    table_write(&t);
}

static dt_prepare_plan plan_held_out(void)
{
    dt_prepare_plan plan = plan_all();
    plan.validation = HELD_OUT / 2;
    plan.test = HELD_OUT / 2;
    return plan;
}

static void check_applied(const prepared *p, double (*f)(double))
{
    const dt_recipe_column *x = recipe_column(p, "x");
    assert_int_equal(p->count, SCALED + HELD_OUT);
    for (size_t i = 0; i < p->count; i++) {
        const double number = f(number_of(i));
        assert_close((double)p->rows[i].x[0], (number - x->center) / x->spread,
                     1e-7 * fabs(number / x->spread) + 1e-7);
        assert_int_equal(p->rows[i].label, i % 2 == 0);
        assert_int_equal(p->rows[i].set, i < SCALED                  ? DT_TRAIN
                                         : i < SCALED + HELD_OUT / 2 ? DT_VALIDATION
                                                                     : DT_TEST);
        assert_true(p->rows[i].x[1] == (float)(i < SCALED && i % 3 == 0));
        assert_true(p->rows[i].x[2] == (float)(i < SCALED && i % 3 != 0));
    }
}

static double same(double x)
{
    return x;
}

static void check_scale(const char *scale, double center, double spread, double (*f)(double))
{
    prepared p;
    dt_prepare_plan plan = plan_held_out();
    plan.scale = scale;
    write_numbers(false);
    prepared_make(&p, &plan);
    const dt_recipe_column *x = recipe_column(&p, "x");
    assert_close(x->center, center, 1e-13 * fabs(center) + 1e-13);
    assert_close(x->spread, spread, 1e-13 * spread);
    check_applied(&p, f);
    assert_int_equal(recipe_column(&p, "job")->category_count, 2); /* of training rows alone */
    assert_int_equal(dt_prepare_unseen(p.prepare)->count, HELD_OUT);
    prepared_clear(&p);
}

static void test_scales_of_training_rows_alone(void **state)
{
    (void)state;
    double v[SCALED], logs[SCALED];
    for (size_t i = 0; i < SCALED; i++) {
        v[i] = number_of(i);
        logs[i] = signed_log(v[i]);
    }
    check_scale("standard", plain_mean(v, SCALED), plain_deviation(v, SCALED), same);
    check_scale("minmax,x=standard", plain_mean(v, SCALED), plain_deviation(v, SCALED), same);
    check_scale("log", plain_mean(logs, SCALED), plain_deviation(logs, SCALED), signed_log);
    check_scale("none", 0.0, 1.0, same);
    const double low = plain_quantile(v, SCALED, 0.0);
    check_scale("minmax", low, plain_quantile(v, SCALED, 1.0) - low, same);
    check_scale("x=robust,standard", plain_quantile(v, SCALED, 0.5),
                plain_quantile(v, SCALED, 0.75) - plain_quantile(v, SCALED, 0.25), same);
}

static double plain_clip(double z)
{
    return z / hypot(1.0, z / 3);
}

static void test_clipped(void **state)
{
    (void)state;
    prepared p;
    double v[SCALED];
    dt_prepare_plan plan = plan_held_out();
    for (size_t i = 0; i < SCALED; i++)
        v[i] = number_of(i);
    const double center = plain_quantile(v, SCALED, 0.5);
    const double spread = plain_quantile(v, SCALED, 0.75) - plain_quantile(v, SCALED, 0.25);
    plan.scale = "clipped";
    write_numbers(false);
    prepared_make(&p, &plan);
    assert_close(recipe_column(&p, "x")->center, center, 1e-13);
    assert_close(recipe_column(&p, "x")->spread, spread, 1e-13);
    for (size_t i = 0; i < SCALED; i++)
        assert_close((double)p.rows[i].x[0], plain_clip((number_of(i) - center) / spread), 3e-7);
    for (size_t i = SCALED; i < p.count; i++) /* beyond measure, and yet near */
        assert_close((double)p.rows[i].x[0], i % 2 == 0 ? 3.0 : -3.0, 0);
    prepared_clear(&p);
}

/* Most training rows have one number: the quartiles are the same, and half the range counts. */
static void test_clipped_without_quartiles(void **state)
{
    (void)state;
    prepared p;
    dt_prepare_plan plan = plan_all();
    plan.scale = "clipped";
    table_write_text("x,kind\n0,a\n0,b\n0,a\n0,b\n0,a\n-2,b\n8,a\n0,b\n0,a\n0,b\n");
    prepared_make(&p, &plan);
    assert_close(recipe_column(&p, "x")->center, 0, 0);
    assert_close(recipe_column(&p, "x")->spread, 5, 0);
    assert_close((double)p.rows[0].x[0], 0, 0);
    assert_close((double)p.rows[5].x[0], plain_clip(-0.4), 1e-7);
    assert_close((double)p.rows[6].x[0], plain_clip(1.6), 2e-7);
    prepared_clear(&p);
    /* Half the range is finite though the range is not. */
    table_write_text("x,kind\n0,a\n0,b\n0,a\n0,b\n0,a\n-1.5e308,b\n1.5e308,a\n0,b\n0,a\n");
    prepared_make(&p, &plan);
    assert_close(recipe_column(&p, "x")->spread, 1.5e308, 0);
    assert_close((double)p.rows[6].x[0], plain_clip(1), 1e-7);
    prepared_clear(&p);
}

static void test_quantiles_of_training_rows_alone(void **state)
{
    (void)state;
    prepared p;
    double v[SCALED];
    dt_prepare_plan plan = plan_held_out();
    plan.scale = "quantile";
    write_numbers(false);
    prepared_make(&p, &plan);
    const dt_recipe_column *x = recipe_column(&p, "x");
    for (size_t i = 0; i < SCALED; i++)
        v[i] = number_of(i);
    assert_int_equal(x->knot_count, SCALED);
    for (size_t k = 0; k < SCALED; k++)
        assert_close(x->knots[k], plain_quantile(v, SCALED, (double)k / (SCALED - 1)), 1e-12);
    for (size_t i = 0; i < p.count; i++) {
        double share = number_of(i) > 0 ? 1.0 : 0.0;
        if (i < SCALED) { /* the mean of the ranks of its equals */
            size_t below = 0, equal = 0;
            for (size_t k = 0; k < SCALED; k++) {
                below += v[k] < number_of(i);
                equal += !(v[k] < number_of(i)) && !(v[k] > number_of(i));
            }
            share = ((double)below + (double)(equal - 1) / 2) / (SCALED - 1);
            share = below == 0 ? 0.0 : below + equal == SCALED ? 1.0 : share;
        }
        assert_close((double)p.rows[i].x[0], share, 1e-6);
    }
    prepared_clear(&p);
}

/* A column far from zero: no digits may be lost in sums of squares. */
static void test_mean_and_deviation_far_from_zero(void **state)
{
    (void)state;
    prepared p;
    const dt_prepare_plan plan = plan_all();
    double v[1000];
    table_text t = {0};
    table_add(&t, "kind,x,y,z\n");
    for (size_t i = 0; i < 1000; i++) {
        v[i] = 1e9 + (double)(i * 7 % 11) / 8;
        table_add(&t, "%c,%.17g,%s,%zu\n", "ab"[i % 2], v[i],
                  i == 999 ? "0.10000000000000002" : "0.1", i % 4);
    }
    table_write(&t);
    prepared_make(&p, &plan);
    assert_close(recipe_column(&p, "x")->center, plain_mean(v, 1000), 1e-6);
    assert_close(recipe_column(&p, "x")->spread, plain_deviation(v, 1000), 1e-7);
    /* What is equal but for rounding is not blown up. */
    assert_close(recipe_column(&p, "y")->spread, 1.0, 0);
    prepared_clear(&p);
}

/* Numbers that grow by little in each row: the mean of all so far hardly moves in the end. */
static void check_far(const char *scale, double from, double step, size_t rows)
{
    prepared p;
    dt_prepare_plan plan = plan_all();
    table_text t = {0};
    double *v = malloc(rows * sizeof *v);
    assert_non_null(v);
    plan.scale = scale;
    table_add(&t, "kind,x\n");
    for (size_t i = 0; i < rows; i++) {
        v[i] = from + floor(step * (double)i);
        table_add(&t, "%c,%.0f\n", "ab"[i % 2], v[i]);
    }
    table_write(&t);
    if (prepared_survey(&p, &plan) != DT_OK || prepared_fit(&p) != DT_OK)
        fail_msg("%s", dt_status_text());
    for (size_t i = 0; i < rows && strcmp(scale, "log") == 0; i++)
        v[i] = signed_log(v[i]);
    const double mean = plain_mean(v, rows), deviation = plain_deviation(v, rows);
    assert_close(recipe_column(&p, "x")->center, mean, 4e-16 * fabs(mean));
    assert_close(recipe_column(&p, "x")->spread, deviation, 1e-6 * deviation);
    prepared_clear(&p);
    free(v);
}

static void test_timestamps(void **state)
{
    (void)state;
    check_far("standard", 1.7e12, 0.017, 200000); /* milliseconds, deviation 1000 */
    check_far("standard", 1.7e15, 0.35, 20000); /* microseconds: the mean's last digit is 1/4 */
    check_far("standard", -1.7e15, 0.35, 20000);
    check_far("standard", 1e15, 0.002, 5000); /* 0 to 9, at a mean of which the last digit is 1/8 */
    check_far("log", 1.7e12, 350, 20000);
}

/* What a million rows of one number sum up to is no deviation, nor what is rounding in each. */
static void test_rounding_alone(void **state)
{
    (void)state;
    enum { ROWS = 1000000 };
    prepared p;
    dt_prepare_plan plan = plan_all();
    table_text t = {0};
    plan.validation = 1;
    plan.fill = "mean";
    table_add(&t, "kind,x,y,z\n");
    for (size_t i = 0; i < ROWS; i++)
        table_add(&t, "%c,0.1,%s,%s\n", "ab"[i % 2], i % 5 == 1 ? "" : "0.1",
                  i % 3 == 0   ? "0.30000000000000004"
                  : i % 3 == 1 ? "0.3"
                               : "0.29999999999999999");
    table_add(&t, "a,7,7,7\n"); /* for validation */
    table_write(&t);
    if (prepared_survey(&p, &plan) != DT_OK || prepared_fit(&p) != DT_OK)
        fail_msg("%s", dt_status_text());
    for (const char *name = "x\0y\0z\0"; *name != '\0'; name += 2) {
        assert_close(recipe_column(&p, name)->center, *name == 'z' ? 0.3 : 0.1,
                     *name == 'z' ? 1e-16 : 0.0);
        assert_close(recipe_column(&p, name)->spread, 1.0, 0.0);
    }
    prepared_clear(&p);
}

/* ---- fillings ---- */

static void check_filled(const char *fill, const char *scale, double expected, bool inside)
{
    prepared p;
    dt_prepare_plan plan = plan_held_out();
    double v[SCALED];
    size_t n = 0;
    char list[64];
    (void)snprintf(list, sizeof list, "x=%s", fill);
    plan.fill = list;
    plan.scale = scale;
    write_numbers(true);
    prepared_make(&p, &plan);
    const dt_recipe_column *x = recipe_column(&p, "x");
    assert_close(x->fill_number, expected, 1e-13 * fabs(expected) + 1e-13);
    for (size_t i = 0; i < SCALED; i++) {
        v[n] = i % 5 == 2 ? expected : number_of(i);
        v[n] = strcmp(scale, "log") == 0 ? signed_log(v[n]) : v[n];
        n += i % 5 != 2 || inside;
    }
    if (strcmp(scale, "robust") == 0) {
        assert_close(x->center, plain_quantile(v, n, 0.5), 1e-13);
        assert_close(x->spread, plain_quantile(v, n, 0.75) - plain_quantile(v, n, 0.25), 1e-13);
    } else {
        assert_close(x->center, plain_mean(v, n), 1e-13);
        assert_close(x->spread, plain_deviation(v, n), 1e-12);
    }
    const double f = strcmp(scale, "log") == 0 ? signed_log(expected) : expected;
    for (size_t i = 2; i < p.count; i += 5)
        assert_close((double)p.rows[i].x[0], (f - x->center) / x->spread, 1e-6);
    prepared_clear(&p);
}

static void test_numbers_filled(void **state)
{
    (void)state;
    double v[SCALED];
    size_t n = 0;
    for (size_t i = 0; i < SCALED; i++)
        if (i % 5 != 2)
            v[n++] = number_of(i);
    const double mean = plain_mean(v, n), median = plain_quantile(v, n, 0.5);
    double mode = 0;
    for (size_t i = 0, most = 0; i < n; i++) { /* sorted by now: the smallest of equals */
        size_t equal = 0;
        for (size_t k = 0; k < n; k++)
            equal += !(v[k] < v[i]) && !(v[k] > v[i]);
        if (equal > most) {
            most = equal;
            mode = v[i];
        }
    }
    static const char *const scales[] = {"standard", "log", "robust"};
    for (size_t s = 0; s < 3; s++) {
        check_filled("mean", scales[s], mean, true);
        check_filled("indicator", scales[s], mean, true);
        check_filled("median", scales[s], median, true);
        check_filled("median-indicator", scales[s], median, true);
        check_filled("mode", scales[s], mode, true);
    }
}

static void test_indicator(void **state)
{
    (void)state;
    prepared p;
    dt_prepare_plan plan = plan_all();
    plan.fill = "indicator";
    plan.scale = "none";
    table_write_text("x,y,kind\n1,1,a\n,2,b\n3,3,a\n8,NA,b\n");
    prepared_make(&p, &plan);
    assert_int_equal(p.recipe->D, 4);
    static const float expected[][4] = {{1, 0, 1, 0}, {4, 1, 2, 0}, {3, 0, 3, 0}, {8, 0, 2, 1}};
    for (size_t i = 0; i < 4; i++)
        assert_memory_equal(p.rows[i].x, expected[i], sizeof expected[i]);
    prepared_clear(&p);
    /* Where no training row lacks it, an indicator would always be 0 there: only the mean. */
    plan.test = 1;
    prepared_make(&p, &plan);
    assert_int_equal(p.recipe->D, 3);
    assert_int_equal(recipe_column(&p, "y")->fill, DT_FILL_MEAN);
    assert_close((double)p.rows[3].x[2], 2.0, 0);
    prepared_clear(&p);
}

/* As above, with medians: 3 of 1, 3, 8 and 2 of 1, 2, 3. */
static void test_median_indicator(void **state)
{
    (void)state;
    prepared p;
    dt_prepare_plan plan = plan_all();
    plan.fill = "median-indicator";
    plan.scale = "none";
    table_write_text("x,y,kind\n1,1,a\n,2,b\n3,3,a\n8,NA,b\n");
    prepared_make(&p, &plan);
    assert_int_equal(p.recipe->D, 4);
    static const float expected[][4] = {{1, 0, 1, 0}, {3, 1, 2, 0}, {3, 0, 3, 0}, {8, 0, 2, 1}};
    for (size_t i = 0; i < 4; i++)
        assert_memory_equal(p.rows[i].x, expected[i], sizeof expected[i]);
    assert_int_equal(recipe_column(&p, "x")->fill, DT_FILL_MEDIAN_INDICATOR);
    prepared_clear(&p);
    plan.test = 1;
    prepared_make(&p, &plan);
    assert_int_equal(p.recipe->D, 3);
    assert_int_equal(recipe_column(&p, "y")->fill, DT_FILL_MEDIAN);
    assert_close((double)p.rows[1].x[0], 2.0, 0); /* of 1 and 3 */
    assert_close((double)p.rows[3].x[2], 2.0, 0);
    prepared_clear(&p);
}

/* ---- what the fit refuses ---- */

static void check_fit_refused(const char *text, const dt_prepare_plan *plan, const char *part)
{
    prepared p;
    table_write_text(text);
    if (prepared_survey(&p, plan) != DT_OK)
        fail_msg("%s", dt_status_text());
    assert_int_equal(prepared_fit(&p), DT_DATA);
    assert_says(part);
    prepared_clear(&p);
}

static void test_training_rows_refused(void **state)
{
    (void)state;
    dt_prepare_plan plan = plan_all();
    plan.test = 2;
    plan.fill = "mean,category";
    check_fit_refused("x,kind\n1,a\n2,a\n3,b\n4,b\n", &plan, "no training row is of class 'b'");
    check_fit_refused("x,y,kind\n,1,a\n,2,b\n3,3,b\n4,4,a\n", &plan,
                      "column 'x' has no number in any training row; use --drop 'x'");
    plan.fill = "mode";
    check_fit_refused("x,y,kind\n,1,a\n,2,b\nu,3,b\nv,4,a\n", &plan,
                      "column 'x' has no value in any training row; use --drop 'x'");
    static const char huge[] = "x,kind\n-1.7e308,a\n1.7e308,b\n1,a\n0,b\n";
    static const char *const scales[] = {"standard", "minmax", "robust", "quantile", "clipped"};
    static const char small[] = "x,kind\n0,a\n1e-39,b\n2e-39,a\n1e-39,b\n3e-39,a\n0,b\n";
    for (size_t i = 0; i < 5; i++) {
        plan.scale = scales[i];
        check_fit_refused(huge, &plan, "column 'x' has numbers up to 1.7e+308, too large");
        if (i != 3) /* knots divide by nothing that is measured */
            check_fit_refused(small, &plan, "column 'x' has numbers that differ by only");
    }
    plan.scale = "none"; /* but the filling is none */
    plan.fill = "median";
    check_fit_refused(huge, &plan, "column 'x' has numbers up to 1.7e+308, too large");
}

/* One value in the training rows, though not in all. */
static void test_constant_in_training_rows(void **state)
{
    (void)state;
    static const char *const scales[] = {"standard", "minmax", "robust", "quantile",
                                         "log",      "none",   "clipped"};
    for (size_t i = 0; i < 7; i++) {
        prepared p;
        dt_prepare_plan plan = plan_all();
        plan.test = 1;
        plan.scale = scales[i];
        table_write_text("x,kind\n5,a\n5,b\n5,a\n9,b\n");
        prepared_make(&p, &plan);
        assert_close(recipe_column(&p, "x")->spread, 1.0, 0);
        assert_close((double)p.rows[1].x[0], i == 5 ? 5.0 : 0.0, 1e-15);
        assert_close((double)p.rows[3].x[0],
                     i == 3   ? 1.0
                     : i == 4 ? log1p(9.0) - log1p(5.0)
                     : i == 5 ? 9.0
                     : i == 6 ? plain_clip(4.0)
                              : 4.0,
                     2e-7);
        prepared_clear(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_scales_of_training_rows_alone, scratch_empty),
        cmocka_unit_test_teardown(test_clipped, scratch_empty),
        cmocka_unit_test_teardown(test_clipped_without_quartiles, scratch_empty),
        cmocka_unit_test_teardown(test_quantiles_of_training_rows_alone, scratch_empty),
        cmocka_unit_test_teardown(test_mean_and_deviation_far_from_zero, scratch_empty),
        cmocka_unit_test_teardown(test_timestamps, scratch_empty),
        cmocka_unit_test_teardown(test_rounding_alone, scratch_empty),
        cmocka_unit_test_teardown(test_numbers_filled, scratch_empty),
        cmocka_unit_test_teardown(test_indicator, scratch_empty),
        cmocka_unit_test_teardown(test_median_indicator, scratch_empty),
        cmocka_unit_test_teardown(test_training_rows_refused, scratch_empty),
        cmocka_unit_test_teardown(test_constant_in_training_rows, scratch_empty),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
