/* Precision and recall at each score, and thresholds, by a walk along the sorted keys. */
#include "curve.h"

#include <math.h>
#include <string.h>

double dt_curve_score(uint32_t key)
{
    const uint32_t bits = key >> 1;
    float score;
    memcpy(&score, &bits, sizeof score);
    return (double)score;
}

static float weight_of(dt_weighted_key key)
{
    const uint32_t bits = (uint32_t)key;
    float weight;
    memcpy(&weight, &bits, sizeof weight);
    return weight;
}

static uint32_t key_at(const dt_curve_walk *w, size_t i)
{
    return w->keys != NULL ? w->keys[i] : (uint32_t)(w->weighted[i] >> 32);
}

bool dt_curve_next(dt_curve_walk *w)
{
    if (w->left == 0)
        return false;
    const uint32_t score = key_at(w, w->left - 1) >> 1;
    w->new_positives = w->new_negatives = 0.0;
    for (; w->left > 0 && key_at(w, w->left - 1) >> 1 == score; w->left--) {
        const double weight = w->keys != NULL ? 1.0 : (double)weight_of(w->weighted[w->left - 1]);
        if ((key_at(w, w->left - 1) & 1) != 0)
            w->new_positives += weight;
        else
            w->new_negatives += weight;
    }
    w->positives += w->new_positives;
    w->negatives += w->new_negatives;
    w->score = dt_curve_score(score << 1);
    return true;
}

size_t dt_curve_count(dt_curve_walk *w)
{
    size_t steps = 0;
    while (dt_curve_next(w))
        steps++;
    return steps;
}

static double precision_of(const dt_curve_walk *w)
{
    return w->positives / (w->positives + w->negatives);
}

size_t dt_curve_pr_points(dt_pr_point out[DT_ROC_POINTS], const dt_curve_walk *start)
{
    dt_curve_walk w = *start, all = *start;
    const size_t scores = dt_curve_count(&all);
    size_t points = 0, last_step = 0;
    if (all.positives <= 0.0 || all.negatives <= 0.0)
        return 0;
    out[points++] = (dt_pr_point){.precision = 1.0, .threshold = INFINITY};
    while (dt_curve_next(&w)) {
        const double recall = w.positives / all.positives;
        const size_t step =
            w.left == 0 ? DT_ROC_POINTS - 1 : (size_t)(recall * (DT_ROC_POINTS - 2));
        if (scores >= DT_ROC_POINTS && step == last_step)
            continue;
        last_step = step;
        out[points++] =
            (dt_pr_point){.recall = recall, .precision = precision_of(&w), .threshold = w.score};
    }
    return points;
}

/* Of class 1: 2 hits / (rows predicted + rows). */
static double f1_of(const dt_curve_walk *w, const dt_curve_walk *all)
{
    return 2.0 * w->positives / (w->positives + w->negatives + all->positives);
}

double dt_curve_threshold(const dt_curve_walk *start, const dt_threshold_rule *rule)
{
    dt_curve_walk w = *start, all = *start;
    double chosen = NAN, best = 0.0;
    (void)dt_curve_count(&all);
    if (all.positives <= 0.0)
        return NAN;
    while (dt_curve_next(&w)) {
        const double f1 = f1_of(&w, &all);
        switch (rule->kind) {
        case DT_THRESHOLD_F1:
            chosen = f1 >= best ? w.score : chosen;
            best = fmax(best, f1);
            break;
        case DT_THRESHOLD_RECALL:
            if (w.positives / all.positives >= rule->number)
                return w.score;
            break;
        case DT_THRESHOLD_PRECISION:
            chosen = precision_of(&w) >= rule->number ? w.score : chosen;
            break;
        case DT_THRESHOLD_NONE:
        case DT_THRESHOLD_NUMBER:
            break;
        }
    }
    return chosen;
}
