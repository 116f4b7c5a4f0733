/* rooms: data */
/* From an input back to the number in the table: the shortest that makes this input. */
#include "dtrain/data/recipe.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect_back(const dt_recipe_column *column, const char *number)
{
    char found[DT_RECIPE_NUMBER_BYTES];
    const double wanted = strtod(number, NULL);
    const float input = (float)(column != NULL ? dt_recipe_scaled(column, wanted) : wanted);
    const double value = dt_recipe_original(found, column, input);
    assert_string_equal(found, number);
    assert_true(value == wanted);
}

static void numbers_of_all_scales_come_back(void **state)
{
    static const char *const numbers[] = {"0", "41", "-7.25", "0.001", "1999", "18.5"};
    static const dt_scale scales[] = {DT_SCALE_STANDARD, DT_SCALE_MINMAX, DT_SCALE_ROBUST,
                                      DT_SCALE_NONE,     DT_SCALE_LOG,    DT_SCALE_CLIPPED};
    (void)state;
    for (size_t s = 0; s < sizeof scales / sizeof *scales; s++) {
        const bool none = scales[s] == DT_SCALE_NONE;
        const dt_recipe_column column = {.scale = scales[s],
                                         .center = none                        ? 0.0
                                                   : scales[s] == DT_SCALE_LOG ? 2.1
                                                                               : 40.3,
                                         .spread = none                        ? 1.0
                                                   : scales[s] == DT_SCALE_LOG ? 1.7
                                                                               : 611.9};
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
            expect_back(&column, numbers[i]);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        expect_back(NULL, numbers[i]);
}

static void numbers_between_knots_come_back(void **state)
{
    double knots[] = {-3.0, 0.0, 0.0, 2.5, 100.0};
    const dt_recipe_column column = {
        .scale = DT_SCALE_QUANTILE, .spread = 1.0, .knot_count = 5, .knots = knots};
    char found[DT_RECIPE_NUMBER_BYTES];
    (void)state;
    expect_back(&column, "-3");
    expect_back(&column, "-1.5");
    expect_back(&column, "0");
    expect_back(&column, "2.5");
    expect_back(&column, "51");
    expect_back(&column, "100");
    /* What is beyond the knots cannot be told from the last one. */
    assert_true(dt_recipe_original(found, &column, (float)dt_recipe_scaled(&column, 1e6)) == 100.0);
    /* Inputs that no number has: the ends. */
    assert_true(dt_recipe_original(found, &column, 2.0f) == 100.0);
    assert_true(dt_recipe_original(found, &column, -1.0f) == -3.0);
}

static void an_input_that_no_number_has_gives_one(void **state)
{
    const dt_recipe_column column = {.scale = DT_SCALE_CLIPPED, .center = 1.0, .spread = 2.0};
    char found[DT_RECIPE_NUMBER_BYTES];
    (void)state;
    /* The clip never gives 3. */
    assert_true(isfinite(dt_recipe_original(found, &column, 3.0f)));
    assert_true(strlen(found) > 0);
    assert_string_equal((dt_recipe_original(found, NULL, -0.0f), found), "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_all_scales_come_back),
        cmocka_unit_test(numbers_between_knots_come_back),
        cmocka_unit_test(an_input_that_no_number_has_gives_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
