#include "dtrain/task/scores.h"

#include "dtrain/base/elementary.h"
#include "dtrain/base/memory.h"
#include "evaluation_internal.h"

#include <string.h>

dt_status dt_scores_init(dt_scores *out, size_t C, size_t capacity, bool curves)
{
    dt_status status = DT_OK;
    const bool small = C <= DT_CONFUSION_MAX;
    *out = (dt_scores){.C = C, .curves = curves && small};
    DT_TRY(dt_memory_alloc(&out->counts, C, 3 * sizeof *out->counts, "counts of classes"));
    if (small)
        DT_TRY(dt_memory_alloc(&out->confusion, C * C, sizeof *out->confusion, "confusion matrix"));
    if (out->curves) {
        DT_TRY(dt_memory_alloc(&out->p, capacity, C * sizeof *out->p, "probabilities"));
        DT_TRY(dt_memory_alloc(&out->y, capacity, sizeof *out->y, "labels"));
        out->capacity = capacity;
    }
out:
    if (status != DT_OK)
        dt_scores_clear(out);
    return status;
}

dt_status dt_scores_reserve(dt_scores *scores, size_t rows)
{
    if (!scores->curves || scores->capacity - scores->rows >= rows)
        return DT_OK;
    const size_t capacity = 2 * scores->rows + rows;
    dt_status status = DT_OK;
    DT_TRY(dt_memory_grow(&scores->p, scores->rows, capacity, scores->C * sizeof *scores->p,
                          "probabilities"));
    DT_TRY(dt_memory_grow(&scores->y, scores->rows, capacity, sizeof *scores->y, "labels"));
    scores->capacity = capacity;
out:
    return status;
}

void dt_scores_clear(dt_scores *scores)
{
    dt_memory_free(scores->p);
    dt_memory_free(scores->y);
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

static void add_losses(dt_scores *scores, const float *p, size_t y)
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
    dt_exact_total_add(&scores->loss, -dt_elementary_log(keras));
    dt_exact_total_add(&scores->log_loss, -dt_elementary_log(share));
    dt_exact_total_add(&scores->brier, scores->C == 2 ? difference * difference : squares);
}

static void add_counts(dt_scores *scores, const float *p, size_t y, size_t predicted)
{
    const size_t C = scores->C;
    const bool hit = y == predicted;
    const double confidence = (double)p[predicted];
    size_t bin = 0;
    while (bin + 1 < DT_CALIBRATION_BINS && confidence > (double)(bin + 1) / DT_CALIBRATION_BINS)
        bin++;
    dt_exact_total_add(&scores->confidence[bin], confidence);
    scores->bins[bin].rows++;
    scores->bins[bin].hits += hit;
    scores->counts[y]++;
    scores->counts[C + predicted]++;
    scores->counts[2 * C + y] += hit;
    if (scores->confusion != NULL)
        scores->confusion[y * C + predicted]++;
}

static size_t most_probable(const float *p, size_t C)
{
    size_t most = 0;
    for (size_t j = 1; j < C; j++)
        if (p[j] > p[most])
            most = j;
    return most;
}

static void keep_row(dt_scores *scores, const float *p, int32_t y)
{
    DT_ASSERT(scores->rows < scores->capacity);
    scores->y[scores->rows] = y;
    memcpy(scores->p + scores->rows * scores->C, p, scores->C * sizeof *p);
}

void dt_scores_add(dt_scores *scores, const float *p, const int32_t *y, const int32_t *predicted,
                   size_t B)
{
    const size_t C = scores->C;
    for (size_t i = 0; i < B; i++, p += C) {
        if (!row_is_sound(scores, p, y[i]))
            continue;
        add_losses(scores, p, (size_t)y[i]);
        add_counts(scores, p, (size_t)y[i],
                   predicted != NULL ? (size_t)predicted[i] : most_probable(p, C));
        if (scores->curves)
            keep_row(scores, p, y[i]);
        scores->rows++;
    }
}
