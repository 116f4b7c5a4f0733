/* Curves of rows with weights. Sums are in the order of the sorted keys, so they depend only on the
 * set of rows. */
#include "curve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

dt_weighted_key dt_curve_weighted_key(float score, bool positive, float weight)
{
    uint32_t bits;
    memcpy(&bits, &weight, sizeof bits);
    return (dt_weighted_key)dt_curve_key(score, positive) << 32 | bits;
}

static int by_key(const void *a, const void *b)
{
    const dt_weighted_key x = *(const dt_weighted_key *)a, y = *(const dt_weighted_key *)b;
    return (x > y) - (x < y);
}

void dt_curve_sort_weighted(dt_weighted_key *keys, size_t count)
{
    qsort(keys, count, sizeof *keys, by_key);
}

dt_curve_areas dt_curve_measure_weighted(const dt_weighted_key *keys, size_t count)
{
    dt_curve_walk w = {.weighted = keys, .left = count};
    double pairs = 0.0, precision = 0.0;
    while (dt_curve_next(&w)) {
        const double larger = w.positives - w.new_positives, all = w.positives + w.negatives;
        pairs += w.new_negatives * (larger + 0.5 * w.new_positives);
        if (all > 0.0)
            precision += w.new_positives * (w.positives / all);
    }
    if (w.positives <= 0.0 || w.negatives <= 0.0)
        return (dt_curve_areas){.roc_auc = NAN, .pr_auc = NAN};
    return (dt_curve_areas){.roc_auc = pairs / (w.positives * w.negatives),
                            .pr_auc = precision / w.positives};
}

size_t dt_curve_points_weighted(dt_roc_point out[DT_ROC_POINTS], const dt_weighted_key *keys,
                                size_t count)
{
    const dt_curve_walk start = {.weighted = keys, .left = count};
    dt_curve_walk w = start, all = start;
    const size_t scores = dt_curve_count(&all);
    size_t points = 0;
    if (all.positives <= 0.0 || all.negatives <= 0.0)
        return 0;
    uint64_t last_step = 0;
    out[points++] = (dt_roc_point){.threshold = INFINITY};
    while (dt_curve_next(&w)) {
        const double fpr = w.negatives / all.negatives, tpr = w.positives / all.positives;
        const uint64_t step =
            w.left == 0 ? DT_ROC_POINTS - 1 : (uint64_t)((fpr + tpr) / 2.0 * (DT_ROC_POINTS - 2));
        if (scores >= DT_ROC_POINTS && step == last_step)
            continue;
        last_step = step;
        out[points++] = (dt_roc_point){.fpr = fpr, .tpr = tpr, .threshold = w.score};
    }
    return points;
}
