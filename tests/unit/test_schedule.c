#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/nn/schedule.h"

#include <math.h>
#include <string.h>

/* What holds for each: the first step has the whole rate, and no step more. */
static void test_each(void **state)
{
    (void)state;
    char names[256] = "";
    for (size_t s = 0; s < DT_SCHEDULE_COUNT; s++) {
        const dt_schedule *schedule = dt_schedules[s];
        strcat(names, s > 0 ? "|" : "");
        strcat(names, schedule->name);
        assert_true(schedule->factor(0.0) == 1.0);
        for (int i = 0; i < 1000; i++) {
            const double factor = schedule->factor(i / 1000.0);
            assert_true(factor >= 0.0 && factor <= 1.0);
            assert_true(factor == schedule->factor(i / 1000.0));
        }
    }
    assert_string_equal(names, DT_SCHEDULE_NAMES);
}

static void test_formulas(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        const double done = i / 1000.0;
        assert_true(dt_constant.factor(done) == 1.0);
        assert_true(fabs(dt_cosine.factor(done) - (1.0 + cos(M_PI * done)) / 2.0) < 1e-15);
    }
    assert_true(dt_cosine.factor(0.5) > 0.4999 && dt_cosine.factor(0.5) < 0.5001);
    assert_true(dt_cosine.factor(0.999) < 1e-5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_formulas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
