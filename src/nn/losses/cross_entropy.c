/*
 * Sparse categorical cross-entropy of a softmax.
 *
 * Math:   p = softmax(z); q = (1 - a) onehot(y) + a / C, a the label smoothing;
 *         loss[i] = -sum over j of q[i,j] log p[i,j], by log-sum-exp, not clipped; dz = p - q;
 *         predicted[i] = the class of the largest logit, the first of equals
 * Source: Keras's SparseCategoricalCrossentropy as the TensorFlow backend computes it; smoothing as
 *         in CategoricalCrossentropy
 */
#include "dtrain/nn/loss.h"

#include "../vector_math.h"
#include "dtrain/base/vectorize.h"

#include <math.h>
#include <stdbool.h>

/* Subtracts each row's largest logit, so that exp cannot overflow; returns its index. */
static size_t shift_row(float *z, size_t C)
{
    size_t largest = 0;
    for (size_t j = 1; j < C; j++)
        if (z[j] > z[largest])
            largest = j;
    const float top = z[largest];
    for (size_t j = 0; j < C; j++)
        z[j] -= top;
    return largest;
}

DT_VECTORIZE static void apply_exp(float *z, size_t count)
{
    for (size_t i = 0; i < count; i++)
        z[i] = dt_exp(z[i]);
}

DT_VECTORIZE static void add_log(float *restrict loss, const float *restrict sums, size_t count)
{
    for (size_t i = 0; i < count; i++)
        loss[i] += dt_log(sums[i]);
}

/* Divides each row by its sum. */
static void normalise_rows(float *z, size_t B, size_t C, float *sums)
{
    for (size_t i = 0; i < B; i++) {
        float *row = z + i * C;
        float sum = 0.0f;
        for (size_t j = 0; j < C; j++)
            sum += row[j];
        const float scale = 1.0f / sum;
        for (size_t j = 0; j < C; j++)
            row[j] *= scale;
        sums[i] = sum;
    }
}

/* Tiny gradients become 0: products of them would be subnormal numbers, on which CPUs are up to 200
 * times slower. NaN stays NaN. */
DT_VECTORIZE static void flush_small(float *z, size_t count)
{
    for (size_t i = 0; i < count; i++)
        z[i] = fabsf(z[i]) < 1e-30f ? 0.0f : z[i];
}

/* The loss without the log of the row's sum; z is shifted. */
static float cross_term(const float *z, size_t label, size_t C, float smoothing)
{
    if (smoothing <= 0.0f)
        return -z[label];
    float sum = 0.0f;
    for (size_t j = 0; j < C; j++)
        sum += z[j];
    return -((1.0f - smoothing) * z[label] + smoothing / (float)C * sum);
}

/* z, the probabilities, becomes the gradient. */
static void subtract_targets(float *z, const dt_target *y, size_t B, size_t C, float smoothing)
{
    const float others = smoothing / (float)C;
    for (size_t i = 0; smoothing > 0.0f && i < B * C; i++)
        z[i] -= others;
    for (size_t i = 0; i < B; i++)
        z[i * C + (size_t)y[i].label] -= 1.0f - smoothing;
    flush_small(z, B * C);
}

/* Shared by all three functions; without labels there is no loss and no gradient. */
static void softmax(float *z, const dt_target *y, size_t B, size_t C, float smoothing,
                    const dt_loss_rows *out, bool differentiates)
{
    /* Rows are processed in small groups: each pass over a group is one vector loop in the
     * first-level cache. */
    enum { GROUP = 128 };
    float sums[GROUP];
    for (size_t from = 0; from < B; from += GROUP) {
        const size_t rows = B - from < GROUP ? B - from : GROUP;
        float *group = z + from * C;
        for (size_t i = 0; i < rows; i++) {
            out->predicted[from + i] = (int32_t)shift_row(group + i * C, C);
            if (y != NULL)
                out->loss[from + i] =
                    cross_term(group + i * C, (size_t)y[from + i].label, C, smoothing);
        }
        apply_exp(group, rows * C);
        normalise_rows(group, rows, C, sums);
        if (y != NULL)
            add_log(out->loss + from, sums, rows);
        if (differentiates && y != NULL)
            subtract_targets(group, y + from, rows, C, smoothing);
    }
}

static void gradient(float *z, const dt_target *y, size_t B, size_t C, double number,
                     const dt_loss_rows *rows)
{
    softmax(z, y, B, C, (float)number, rows, true);
}

static void evaluate(float *z, const dt_target *y, size_t B, size_t C, double number,
                     const dt_loss_rows *rows)
{
    softmax(z, y, B, C, (float)number, rows, false);
}

static void predict(float *z, size_t B, size_t C, const dt_loss_rows *rows)
{
    softmax(z, NULL, B, C, 0.0f, rows, false);
}

const dt_loss dt_cross_entropy = {
    .name = "sparse_categorical_crossentropy",
    .option = "cross-entropy",
    .unit = "nats per row",
    .classes = true,
    .number = "label-smoothing",
    .gradient = gradient,
    .evaluate = evaluate,
    .predict = predict,
};
