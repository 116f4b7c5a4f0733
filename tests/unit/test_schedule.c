#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/nn/schedule.h"

#include <math.h>
#include <string.h>

enum { EPOCHS = 50, POINTS = 1000 };

/* Point i of POINTS in EPOCHS epochs; a plateau every tenth of them. */
static dt_schedule_point point(int i)
{
    const double done = (double)i / POINTS;
    return (dt_schedule_point){
        .done = done, .epochs = done * EPOCHS, .plateaus = i / 100, .factor = 0.5, .every = 10};
}

/* What holds for each: no step has more than the whole rate, and none less than nothing. */
static void test_each(void **state)
{
    (void)state;
    char names[256] = "";
    for (size_t s = 0; s < DT_SCHEDULE_COUNT; s++) {
        const dt_schedule *schedule = dt_schedules[s];
        double largest = 0.0;
        strcat(names, s > 0 ? "|" : "");
        strcat(names, schedule->name);
        for (int i = 0; i < POINTS; i++) {
            const dt_schedule_point at = point(i), same = point(i);
            const double factor = schedule->factor(&at);
            assert_true(factor >= 0.0 && factor <= 1.0);
            assert_true(factor == schedule->factor(&same));
            largest = fmax(largest, factor);
            if (schedule->judges)
                assert_true(schedule->reduces);
        }
        assert_true(largest == 1.0);
    }
    assert_string_equal(names, DT_SCHEDULE_NAMES);
}

/* PyTorch's OneCycleLR: half waves of the cosine, of 0.3 and 0.7 of the steps. */
static double one_cycle(double done)
{
    const double low = 1 / 25.0, lowest = 4e-6;
    return done < 0.3 ? low + (1 - low) * (1 - cos(M_PI * done / 0.3)) / 2
                      : lowest + (1 - lowest) * (1 + cos(M_PI * (done - 0.3) / 0.7)) / 2;
}

static void expect_near(const dt_schedule *schedule, const dt_schedule_point *at, double expected)
{
    assert_true(fabs(schedule->factor(at) - expected) < 1e-15);
}

static void test_formulas(void **state)
{
    (void)state;
    for (int i = 0; i < POINTS; i++) {
        const dt_schedule_point at = point(i);
        expect_near(&dt_schedule_constant, &at, 1.0);
        expect_near(&dt_schedule_cosine, &at, (1.0 + cos(M_PI * at.done)) / 2.0);
        expect_near(&dt_schedule_step, &at, pow(0.5, floor(at.epochs / 10)));
        expect_near(&dt_schedule_exponential, &at, pow(0.5, at.epochs / 10));
        expect_near(&dt_schedule_onecycle, &at, one_cycle(at.done));
        expect_near(&dt_schedule_plateau, &at, pow(0.5, (double)at.plateaus));
    }
}

/* By hand. */
static void test_values(void **state)
{
    (void)state;
    dt_schedule_point at = {.done = 0.999, .epochs = 9.99, .factor = 0.1, .every = 10};
    assert_true(dt_schedule_cosine.factor(&at) < 1e-5);
    assert_true(dt_schedule_onecycle.factor(&at) < 1e-5);
    assert_true(dt_schedule_step.factor(&at) == 1.0);
    at.epochs = 10;
    assert_true(dt_schedule_step.factor(&at) == 0.1);
    at.epochs = 5;
    assert_true(fabs(dt_schedule_exponential.factor(&at) - sqrt(0.1)) < 1e-15);
    at.done = 0.3;
    assert_true(dt_schedule_onecycle.factor(&at) == 1.0);
    at.done = 0;
    assert_true(fabs(dt_schedule_onecycle.factor(&at) - 0.04) < 1e-15);
    at.plateaus = 1;
    assert_true(dt_schedule_plateau.factor(&at) == 0.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_formulas),
        cmocka_unit_test(test_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
