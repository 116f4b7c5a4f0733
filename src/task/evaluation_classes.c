#include "evaluation_internal.h"

#include "dtrain/base/elementary.h"
#include "dtrain/base/memory.h"

#include <math.h>
#include <string.h>

static double share(double part, double whole)
{
    return whole > 0.0 ? part / whole : 0.0;
}

dt_class_quality dt_class_quality_of(size_t c, int64_t rows, int64_t predicted,
                                     const dt_class_weight *weight)
{
    return (dt_class_quality){.label = (int64_t)c,
                              .rows = rows,
                              .predicted = predicted,
                              .weight = weight->rows,
                              .precision = share(weight->hits, weight->predicted),
                              .recall = share(weight->hits, weight->rows),
                              .f1 = share(2.0 * weight->hits, weight->rows + weight->predicted),
                              .roc_auc = NAN,
                              .pr_auc = NAN};
}

void dt_class_means_add(dt_class_means *means, const dt_class_quality *quality)
{
    if (quality->rows == 0 && quality->predicted == 0)
        return;
    means->precision += quality->precision;
    means->recall += quality->recall;
    means->f1 += quality->f1;
    means->classes++;
}

void dt_class_means_get(dt_quality *out, const dt_class_means *means)
{
    const double classes = means->classes > 0 ? (double)means->classes : (double)NAN;
    out->precision = means->precision / classes;
    out->recall = means->recall / classes;
    out->f1 = means->f1 / classes;
}

double dt_class_mean_area(const dt_evaluation *evaluation, size_t offset)
{
    double sum = 0.0;
    size_t defined = 0;
    for (size_t c = evaluation->C == 2 ? 1 : 0; c < evaluation->C; c++) {
        double area;
        memcpy(&area, (const char *)&evaluation->classes[c] + offset, sizeof area);
        if (isnan(area))
            continue;
        sum += area;
        defined++;
    }
    return defined > 0 ? sum / (double)defined : (double)NAN;
}

/* ---- the baseline ---- */

/* Sets each class's share of the rows that the baseline learned from. */
static void fill_shares(double *shares, const dt_evaluation *evaluation, const uint64_t *class_rows)
{
    uint64_t all = 0;
    for (size_t c = 0; class_rows != NULL && c < evaluation->C; c++)
        all += class_rows[c];
    for (size_t c = 0; c < evaluation->C; c++)
        shares[c] = all > 0 ? (double)class_rows[c] / (double)all
                            : evaluation->classes[c].weight / evaluation->weight;
}

static size_t largest_of(const double *shares, size_t C)
{
    size_t largest = 0;
    for (size_t c = 1; c < C; c++)
        if (shares[c] > shares[largest])
            largest = c;
    return largest;
}

/* The loss of the baseline for a row of class c, which is the same for all rows of the class. */
static void fill_losses(dt_quality *out, const dt_evaluation *evaluation, const double *shares)
{
    const size_t C = evaluation->C;
    double sum = 0.0, squares = 0.0;
    out->loss = out->log_loss = out->brier = 0.0;
    for (size_t c = 0; c < C; c++) {
        sum += dt_clip(shares[c], DT_LOG_LOSS_EPSILON);
        squares += shares[c] * shares[c];
    }
    for (size_t c = 0; c < C; c++) {
        const double rows = evaluation->classes[c].weight, p = shares[c];
        const double rest = 1.0 - p;
        out->loss -= rows * dt_elementary_log(dt_clip(p, DT_KERAS_EPSILON));
        out->log_loss -= rows * dt_elementary_log(dt_clip(p, DT_LOG_LOSS_EPSILON) / sum);
        out->brier += rows * (C == 2 ? rest * rest : squares - p * p + rest * rest);
    }
    out->loss /= evaluation->weight;
    out->log_loss /= evaluation->weight;
    out->brier /= evaluation->weight;
}

/* One score for all rows: all pairs are ties, and every row is as good as the next. */
static void fill_areas(dt_quality *out, dt_evaluation *evaluation)
{
    double prevalences = 0.0;
    size_t defined = 0;
    for (size_t c = evaluation->C == 2 ? 1 : 0; c < evaluation->C; c++) {
        if (isnan(evaluation->classes[c].roc_auc))
            continue;
        prevalences += evaluation->classes[c].weight / evaluation->weight;
        defined++;
    }
    out->roc_auc = defined > 0 ? 0.5 : (double)NAN;
    out->pr_auc = defined > 0 ? prevalences / (double)defined : (double)NAN;
}

dt_status dt_evaluation_fill_baseline(dt_evaluation *out, const uint64_t *class_rows)
{
    double *shares = NULL;
    dt_status status = dt_memory_alloc(&shares, out->C, sizeof *shares, "shares of classes");
    if (status != DT_OK)
        return status;
    fill_shares(shares, out, class_rows);
    const size_t majority = largest_of(shares, out->C);
    dt_quality *quality = &out->majority;
    dt_class_means means = {0};
    for (size_t c = 0; c < out->C; c++) {
        const int64_t rows = out->classes[c].rows;
        const bool always = c == majority;
        const double weight = out->classes[c].weight;
        const dt_class_weight of = {
            .rows = weight, .predicted = always ? out->weight : 0.0, .hits = always ? weight : 0.0};
        const dt_class_quality one =
            dt_class_quality_of(c, rows, always ? (int64_t)out->N : 0, &of);
        dt_class_means_add(&means, &one);
    }
    dt_class_means_get(quality, &means);
    fill_losses(quality, out, shares);
    fill_areas(quality, out);
    quality->accuracy = out->classes[majority].weight / out->weight;
    quality->calibration_error = fabs(quality->accuracy - shares[majority]);
    out->majority_class = majority;
    dt_memory_free(shares);
    return DT_OK;
}
