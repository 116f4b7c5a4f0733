#include "dtrain/task/scores.h"

#include "dtrain/base/elementary.h"
#include "dtrain/base/memory.h"
#include "evaluation_internal.h"

#include <math.h>
#include <string.h>

dt_status dt_scores_init(dt_scores *out, const dt_network *network, size_t capacity, bool curves,
                         bool weighted)
{
    dt_status status = DT_OK;
    const size_t C = network->C;
    const bool classes = network->loss->classes, small = C <= DT_CONFUSION_MAX;
    *out = (dt_scores){
        .C = C, .curves = curves && (small || !classes), .weighted = weighted, .quantile = NAN};
    if (network->loss == &dt_quantile)
        out->quantile = network->loss_number;
    if (!classes) {
        out->scale = network->scale;
        DT_TRY(dt_memory_alloc(&out->values, C, sizeof *out->values, "sums of errors"));
    } else {
        DT_TRY(dt_memory_alloc(&out->counts, C, 3 * sizeof *out->counts, "counts of classes"));
    }
    if (classes && small)
        DT_TRY(dt_memory_alloc(&out->confusion, C * C, sizeof *out->confusion, "confusion matrix"));
    if (classes && weighted)
        DT_TRY(dt_memory_alloc(&out->weights, C + DT_CALIBRATION_BINS, sizeof *out->weights,
                               "weights of classes"));
    if (out->curves && weighted)
        DT_TRY(dt_memory_alloc(&out->w, capacity, sizeof *out->w, "weights"));
    if (out->curves) {
        const size_t targets = dt_loss_targets(network->loss, C);
        DT_TRY(dt_memory_alloc(&out->p, capacity, C * sizeof *out->p, "predictions"));
        DT_TRY(dt_memory_alloc(&out->y, capacity, targets * sizeof *out->y, "targets"));
        out->capacity = capacity;
    }
out:
    if (status != DT_OK)
        dt_scores_clear(out);
    return status;
}

/* Targets of a row. */
static size_t targets_of(const dt_scores *scores)
{
    return scores->values != NULL ? scores->C : 1;
}

dt_status dt_scores_reserve(dt_scores *scores, size_t rows)
{
    if (!scores->curves || scores->capacity - scores->rows >= rows)
        return DT_OK;
    const size_t capacity = 2 * scores->rows + rows;
    dt_status status = DT_OK;
    DT_TRY(dt_memory_grow(&scores->p, scores->rows, capacity, scores->C * sizeof *scores->p,
                          "predictions"));
    DT_TRY(dt_memory_grow(&scores->y, scores->rows, capacity,
                          targets_of(scores) * sizeof *scores->y, "targets"));
    if (scores->weighted)
        DT_TRY(dt_memory_grow(&scores->w, scores->rows, capacity, sizeof *scores->w, "weights"));
    scores->capacity = capacity;
out:
    return status;
}

void dt_scores_clear(dt_scores *scores)
{
    dt_memory_free(scores->p);
    dt_memory_free(scores->y);
    dt_memory_free(scores->w);
    dt_memory_free(scores->weights);
    dt_memory_free(scores->values);
    dt_memory_free(scores->counts);
    dt_memory_free(scores->confusion);
    *scores = (dt_scores){0};
}

static bool row_is_sound(dt_scores *scores, const float *p, int32_t y)
{
    bool inside = true;
    for (size_t j = 0; j < scores->C; j++)
        inside = inside && p[j] >= 0.0f && p[j] <= 1.0f; /* a NaN compares false */
    const bool known = y >= 0 && (size_t)y < scores->C;
    scores->outside += !inside;
    scores->unknown += !known;
    return inside && known;
}

static void add_losses(dt_scores *scores, const float *p, size_t y, double w)
{
    double sum = 0.0, squares = 0.0;
    for (size_t j = 0; j < scores->C; j++) {
        const double difference = (double)p[j] - (j == y ? 1.0 : 0.0);
        sum += dt_clip((double)p[j], DT_LOG_LOSS_EPSILON);
        squares += difference * difference;
    }
    const double difference = scores->C == 2 ? (double)p[1] - (double)y : 0.0;
    const double keras = dt_clip((double)p[y], DT_KERAS_EPSILON);
    const double share = dt_clip((double)p[y], DT_LOG_LOSS_EPSILON) / sum;
    dt_exact_total_add(&scores->loss, -w * dt_elementary_log(keras));
    dt_exact_total_add(&scores->log_loss, -w * dt_elementary_log(share));
    dt_exact_total_add(&scores->brier, w * (scores->C == 2 ? difference * difference : squares));
}

static void add_weights(dt_scores *scores, size_t y, size_t predicted, size_t bin, double w)
{
    const bool hit = y == predicted;
    dt_weight_sums *classes = scores->weights, *bins = scores->weights + scores->C;
    dt_exact_total_add(&classes[y].rows, w);
    dt_exact_total_add(&classes[predicted].predicted, w);
    dt_exact_total_add(&classes[y].hits, hit ? w : 0.0);
    dt_exact_total_add(&bins[bin].rows, w);
    dt_exact_total_add(&bins[bin].hits, hit ? w : 0.0);
}

static void add_counts(dt_scores *scores, const float *p, size_t y, size_t predicted, double w)
{
    const size_t C = scores->C;
    const bool hit = y == predicted;
    const double confidence = (double)p[predicted];
    size_t bin = 0;
    while (bin + 1 < DT_CALIBRATION_BINS && confidence > (double)(bin + 1) / DT_CALIBRATION_BINS)
        bin++;
    dt_exact_total_add(&scores->confidence[bin], w * confidence);
    scores->bins[bin].rows++;
    scores->bins[bin].hits += hit;
    scores->counts[y]++;
    scores->counts[C + predicted]++;
    scores->counts[2 * C + y] += hit;
    if (scores->confusion != NULL)
        scores->confusion[y * C + predicted]++;
    if (scores->weights != NULL)
        add_weights(scores, y, predicted, bin, w);
}

static size_t most_probable(const float *p, size_t C)
{
    size_t most = 0;
    for (size_t j = 1; j < C; j++)
        if (p[j] > p[most])
            most = j;
    return most;
}

static void keep_row(dt_scores *scores, const float *p, const dt_target *y, float w)
{
    const size_t targets = targets_of(scores);
    DT_ASSERT(scores->rows < scores->capacity);
    memcpy(scores->y + scores->rows * targets, y, targets * sizeof *y);
    memcpy(scores->p + scores->rows * scores->C, p, scores->C * sizeof *p);
    if (scores->w != NULL)
        scores->w[scores->rows] = w;
}

/* ---- values ---- */

/* In the target's standard deviations; exact totals have room for the weighted squares. */
#define FARTHEST 0x1p16

static bool values_are_sound(dt_scores *scores, const float *p, const dt_target *y, double w)
{
    bool inside = true;
    for (size_t j = 0; j < scores->C; j++) {
        const dt_target_scale scale = dt_scores_scale(scores, j);
        const double limit = (w > 1.0 ? FARTHEST / sqrt(w) : FARTHEST) * scale.deviation;
        inside = inside && fabs((double)p[j] - scale.mean) < limit && /* a NaN compares false */
                 fabs((double)y[j].value - scale.mean) < limit;
    }
    scores->outside += !inside;
    return inside;
}

static void add_values(dt_scores *scores, const float *p, const dt_target *y, double w)
{
    for (size_t j = 0; j < scores->C; j++) {
        const dt_target_scale scale = dt_scores_scale(scores, j);
        const double e = ((double)p[j] - (double)y[j].value) / scale.deviation;
        const double t = ((double)y[j].value - scale.mean) / scale.deviation;
        const double q = scores->quantile;
        dt_value_sums *sums = &scores->values[j];
        dt_exact_total_add(&sums->e, w * e);
        dt_exact_total_add(&sums->squared, w * (e * e));
        dt_exact_total_add(&sums->absolute, w * fabs(e));
        if (!isnan(q))
            dt_exact_total_add(&sums->pinball, w * (e > 0.0 ? (1.0 - q) * e : -q * e));
        dt_exact_total_add(&sums->t, w * t);
        dt_exact_total_add(&sums->t_squared, w * (t * t));
        dt_exact_total_add(&sums->t_absolute, w * fabs(t));
    }
}

/* ---- rows ---- */

static bool add_row(dt_scores *scores, const float *p, const dt_target *y, double w,
                    const int32_t *predicted)
{
    if (scores->values != NULL) {
        if (!values_are_sound(scores, p, y, w))
            return false;
        add_values(scores, p, y, w);
        return true;
    }
    if (!row_is_sound(scores, p, y->label))
        return false;
    add_losses(scores, p, (size_t)y->label, w);
    add_counts(scores, p, (size_t)y->label,
               predicted != NULL ? (size_t)*predicted : most_probable(p, scores->C), w);
    return true;
}

void dt_scores_add(dt_scores *scores, const float *p, const dt_target *y, const float *w,
                   const int32_t *predicted, size_t B)
{
    const size_t targets = targets_of(scores);
    for (size_t i = 0; i < B; i++, p += scores->C, y += targets) {
        const float weight = w != NULL ? w[i] : 1.0f;
        if (!add_row(scores, p, y, (double)weight, predicted != NULL ? predicted + i : NULL))
            continue;
        if (scores->curves)
            keep_row(scores, p, y, weight);
        if (scores->weighted)
            dt_exact_total_add(&scores->weight, (double)weight);
        scores->rows++;
    }
}
