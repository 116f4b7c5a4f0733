/* Curves of rows with weights. Sums go in the order of the sorted keys, so they depend on which
 * rows there are, and on nothing else. */
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

static double weight_of(dt_weighted_key key)
{
    const uint32_t bits = (uint32_t)key;
    float weight;
    memcpy(&weight, &bits, sizeof weight);
    return (double)weight;
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

/* Where the walk from the largest score on stands: what rows of equal score weigh, and all of a
 * larger one. */
typedef struct walk {
    const dt_weighted_key *keys;
    size_t left; /* keys below */
    double positives, negatives; /* so far, this score's included */
    double new_positives, new_negatives; /* this score's */
} walk;

static bool next_score(walk *w)
{
    if (w->left == 0)
        return false;
    const uint32_t score = (uint32_t)(w->keys[w->left - 1] >> 33);
    w->new_positives = w->new_negatives = 0.0;
    for (; w->left > 0 && (uint32_t)(w->keys[w->left - 1] >> 33) == score; w->left--) {
        const dt_weighted_key key = w->keys[w->left - 1];
        if ((key >> 32 & 1) != 0)
            w->new_positives += weight_of(key);
        else
            w->new_negatives += weight_of(key);
    }
    w->positives += w->new_positives;
    w->negatives += w->new_negatives;
    return true;
}

dt_curve_areas dt_curve_measure_weighted(const dt_weighted_key *keys, size_t count)
{
    walk w = {.keys = keys, .left = count};
    double pairs = 0.0, precision = 0.0;
    while (next_score(&w)) {
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
    walk all = {.keys = keys, .left = count};
    size_t scores = 0, points = 0;
    while (next_score(&all))
        scores++;
    if (all.positives <= 0.0 || all.negatives <= 0.0)
        return 0;
    uint64_t last_step = 0;
    walk w = {.keys = keys, .left = count};
    out[points++] = (dt_roc_point){.threshold = INFINITY};
    while (next_score(&w)) {
        const double fpr = w.negatives / all.negatives, tpr = w.positives / all.positives;
        const uint64_t step =
            w.left == 0 ? DT_ROC_POINTS - 1 : (uint64_t)((fpr + tpr) / 2.0 * (DT_ROC_POINTS - 2));
        if (scores >= DT_ROC_POINTS && step == last_step)
            continue;
        last_step = step;
        out[points++] = (dt_roc_point){
            .fpr = fpr, .tpr = tpr, .threshold = dt_curve_score((uint32_t)(keys[w.left] >> 32))};
    }
    return points;
}
