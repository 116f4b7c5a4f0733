/*
 * Sparse categorical cross-entropy of a softmax.
 *
 * Math:   p = softmax(z); loss[i] = -log p[i, y[i]] by log-sum-exp, not clipped;
 *         dz = p - onehot(y); predicted[i] = the class of the largest logit, the first of equals
 * Source: Keras's SparseCategoricalCrossentropy as the TensorFlow backend computes it
 */
#include "dtrain/nn/loss.h"

#include "../vector_math.h"
#include "dtrain/base/vectorize.h"

#include <math.h>
#include <stdbool.h>

/* Subtracts each row's largest logit, so that exp cannot overflow; tells where it was. */
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

/* Gradients that are next to nothing become nothing: products of them would be subnormal numbers,
 * on which CPUs are up to 200 times slower. NaN stays. */
DT_VECTORIZE static void flush_small(float *z, size_t count)
{
    for (size_t i = 0; i < count; i++)
        z[i] = fabsf(z[i]) < 1e-30f ? 0.0f : z[i];
}

/* What all three functions do; without labels there is no loss, and no gradient. */
static void softmax(float *z, const int32_t *y, size_t B, size_t C, float *loss, int32_t *predicted,
                    bool differentiates)
{
    /* Rows go in small groups: each pass over a group is one vector loop, in the first cache. */
    enum { GROUP = 128 };
    float sums[GROUP];
    for (size_t from = 0; from < B; from += GROUP) {
        const size_t rows = B - from < GROUP ? B - from : GROUP;
        float *group = z + from * C;
        for (size_t i = 0; i < rows; i++) {
            predicted[from + i] = (int32_t)shift_row(group + i * C, C);
            if (y != NULL)
                loss[from + i] = -group[i * C + (size_t)y[from + i]];
        }
        apply_exp(group, rows * C);
        normalise_rows(group, rows, C, sums);
        if (y != NULL)
            add_log(loss + from, sums, rows);
        if (differentiates) {
            for (size_t i = 0; i < rows; i++)
                group[i * C + (size_t)y[from + i]] -= 1.0f;
            flush_small(group, rows * C);
        }
    }
}

static void gradient(float *z, const int32_t *y, size_t B, size_t C, float *loss,
                     int32_t *predicted)
{
    softmax(z, y, B, C, loss, predicted, true);
}

static void evaluate(float *z, const int32_t *y, size_t B, size_t C, float *loss,
                     int32_t *predicted)
{
    softmax(z, y, B, C, loss, predicted, false);
}

static void predict(float *z, size_t B, size_t C, int32_t *predicted)
{
    softmax(z, NULL, B, C, NULL, predicted, false);
}

const dt_loss dt_cross_entropy = {
    .name = "sparse_categorical_crossentropy",
    .gradient = gradient,
    .evaluate = evaluate,
    .predict = predict,
};
