#include "curve.h"

#include "dtrain/base/exact_total.h"

#include <math.h>
#include <string.h>

/* The bits of floats from 0 to 1 sort as the floats do, and leave the highest two unused, but for
 * the sign of -0, which is shifted out. */
uint32_t dt_curve_key(float score, bool positive)
{
    uint32_t bits;
    memcpy(&bits, &score, sizeof bits);
    return bits << 1 | (uint32_t)positive;
}

void dt_curve_sort(uint32_t *keys, uint32_t *buffer, size_t count)
{
    enum { DIGITS = 4, BITS = 8, VALUES = 1 << BITS }; /* an even number of passes ends in `keys` */
    size_t starts[DIGITS][VALUES] = {0};
    for (size_t i = 0; i < count; i++)
        for (int d = 0; d < DIGITS; d++)
            starts[d][(keys[i] >> (d * BITS)) % VALUES]++;
    for (int d = 0; d < DIGITS; d++) {
        size_t before = 0;
        for (size_t v = 0; v < VALUES; v++) {
            const size_t here = starts[d][v];
            starts[d][v] = before;
            before += here;
        }
        for (size_t i = 0; i < count; i++)
            buffer[starts[d][(keys[i] >> (d * BITS)) % VALUES]++] = keys[i];
        uint32_t *sorted = buffer;
        buffer = keys;
        keys = sorted;
    }
}

static double divide(dt_uint128 counter, dt_uint128 denominator)
{
    return (double)((long double)counter / (long double)denominator);
}

dt_curve_areas dt_curve_measure(const uint32_t *keys, size_t count)
{
    dt_curve_walk w = {.keys = keys, .left = count};
    dt_uint128 half_pairs = 0;
    dt_exact_total precision = {0};
    while (dt_curve_next(&w)) {
        const uint64_t larger = (uint64_t)(w.positives - w.new_positives);
        half_pairs +=
            (dt_uint128)(uint64_t)w.new_negatives * (2 * larger + (uint64_t)w.new_positives);
        dt_exact_total_add(&precision, w.new_positives * w.positives / (w.positives + w.negatives));
    }
    if (w.positives <= 0.0 || w.negatives <= 0.0)
        return (dt_curve_areas){.roc_auc = NAN, .pr_auc = NAN};
    const dt_uint128 pairs = (dt_uint128)(uint64_t)w.positives * (uint64_t)w.negatives;
    return (dt_curve_areas){.roc_auc = divide(half_pairs, 2 * pairs),
                            .pr_auc = dt_exact_total_value(&precision) / w.positives};
}

/* The position of a point along the curve, both axes together, in whole steps: 0 to DT_ROC_POINTS -
 * 1; only the end of the curve has the last one. */
static uint64_t step_of(const dt_curve_walk *w, const dt_curve_walk *end)
{
    const uint64_t positives = (uint64_t)end->positives, negatives = (uint64_t)end->negatives;
    const dt_uint128 along = (dt_uint128)(uint64_t)w->positives * negatives +
                             (dt_uint128)(uint64_t)w->negatives * positives;
    const dt_uint128 length = 2 * (dt_uint128)positives * negatives;
    return (uint64_t)(along * (DT_ROC_POINTS - 1) / length);
}

size_t dt_curve_points(dt_roc_point out[DT_ROC_POINTS], const uint32_t *keys, size_t count)
{
    const dt_curve_walk start = {.keys = keys, .left = count};
    dt_curve_walk w = start, all = start;
    const size_t scores = dt_curve_count(&all);
    size_t points = 0;
    if (all.positives <= 0.0 || all.negatives <= 0.0)
        return 0;
    uint64_t last_step = 0;
    out[points++] = (dt_roc_point){.threshold = INFINITY};
    while (dt_curve_next(&w)) {
        const uint64_t step = step_of(&w, &all);
        if (scores >= DT_ROC_POINTS && step == last_step)
            continue;
        last_step = step;
        out[points++] = (dt_roc_point){.fpr = w.negatives / all.negatives,
                                       .tpr = w.positives / all.positives,
                                       .threshold = w.score};
    }
    return points;
}
