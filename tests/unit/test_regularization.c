/* What is done to gradients and weights beside the optimizer, next to the same in double. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/random.h"
#include "dtrain/nn/regularization.h"

#include <math.h>
#include <string.h>

enum { COUNT = 1000 };

static void draw(float *out, size_t count, uint64_t stream)
{
    dt_random random = dt_random_start(3, DT_RANDOM_EXAMPLE, stream);
    for (size_t i = 0; i < count; i++)
        out[i] = (float)dt_random_normal(&random);
}

static void assert_near(double found, double expected, double tolerance)
{
    if (!(fabs(found - expected) <= tolerance))
        fail_msg("found %.17g, expected %.17g", found, expected);
}

static void test_penalties(void **state)
{
    (void)state;
    float gradient[COUNT], before[COUNT], w[COUNT];
    draw(before, COUNT, 1);
    draw(w, COUNT, 2);
    w[0] = 0.0f;
    w[1] = -0.0f;
    memcpy(gradient, before, sizeof gradient);
    dt_penalties_add(gradient, w, COUNT, 0.25, 0.125);
    for (size_t i = 0; i < COUNT; i++) {
        const double wi = (double)w[i], sign = (wi > 0) - (wi < 0);
        const double expected = (double)before[i] + 0.5 * wi + 0.125 * sign;
        assert_near((double)gradient[i], expected, 1e-6);
    }
    assert_memory_equal(gradient, before, 2 * sizeof *gradient); /* the penalty of 0 is flat */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_penalties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
