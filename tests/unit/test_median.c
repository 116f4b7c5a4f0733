/* rooms: task */
/* Medians with weights: of values repeated as often as they weigh, and of other weights. */
#include "with_cmocka.h"

#include "../../src/task/median.h"
#include "dtrain/base/random.h"

#include <string.h>

enum { MOST = 200, WEIGHT_MOST = 4 };

/* Values with ties, and weights 0 to 3, of which one at least is not 0. */
static size_t draw(dt_weighted_value *values, double *repeated, size_t count, uint64_t stream)
{
    dt_random random = dt_random_start(3, DT_RANDOM_EXAMPLE, stream);
    size_t rows = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t weight = (size_t)dt_random_below(&random, WEIGHT_MOST) + (i == 0);
        values[i].value = (double)dt_random_below(&random, (uint32_t)count) / 8.0;
        values[i].weight = (double)weight;
        for (size_t k = 0; k < weight; k++)
            repeated[rows++] = values[i].value;
    }
    return rows;
}

static void weights_repeat_values(void **state)
{
    (void)state;
    size_t even = 0, between = 0;
    for (size_t count = 1; count <= MOST; count++) {
        dt_weighted_value values[MOST], scaled[MOST], turned[MOST];
        double repeated[MOST * WEIGHT_MOST];
        const size_t rows = draw(values, repeated, count, count);
        for (size_t i = 0; i < count; i++) {
            scaled[i] = (dt_weighted_value){values[i].value, values[i].weight * 0x1.8p-40};
            turned[count - 1 - i] = values[i];
        }
        const double expected = dt_median(repeated, rows);
        assert_true(dt_median_weighted(values, count) == expected);
        assert_true(dt_median_weighted(scaled, count) == expected);
        assert_true(dt_median_weighted(turned, count) == expected);
        even += rows % 2 == 0;
        between += rows % 2 == 0 && repeated[rows / 2 - 1] != repeated[rows / 2];
    }
    assert_true(even > 50 && between > 10);
}

/* A tenth is not exact in binary, and still three of them are just half of six. */
static void half_is_exact(void **state)
{
    (void)state;
    const double tenth = (double)0.1f;
    dt_weighted_value six[] = {{6, tenth}, {1, tenth}, {5, tenth},
                               {2, tenth}, {4, tenth}, {3, tenth}};
    assert_true(dt_median_weighted(six, 6) == 3.5);
    dt_weighted_value more[] = {{1, 0.5}, {2, 0.5 - 0x1p-53}, {3, 1}};
    assert_true(dt_median_weighted(more, 3) == 3);
    dt_weighted_value less[] = {{1, 0.5}, {2, 0.5 + 0x1p-53}, {3, 1}};
    assert_true(dt_median_weighted(less, 3) == 2);
    dt_weighted_value large[] = {{1, 1e6}, {2, 0}, {3, 0}, {7, 1e6}};
    assert_true(dt_median_weighted(large, 4) == 4);
    dt_weighted_value first[] = {{2, 0}, {7, 3}, {9, 0}};
    assert_true(dt_median_weighted(first, 3) == 7);
    dt_weighted_value tiny[] = {{1, 1}, {2, 0x1p-90}, {3, 1}}; /* below the grid */
    assert_true(dt_median_weighted(tiny, 3) == 2);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(weights_repeat_values),
    cmocka_unit_test(half_is_exact),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
