#include "dtrain/nn/regularization.h"

#include "dtrain/base/vectorize.h"

#include <math.h>
#include <stdbool.h>

DT_VECTORIZE static void add_penalties(float *restrict gradient, const float *restrict w,
                                       size_t count, float l2_doubled, float l1)
{
    for (size_t i = 0; i < count; i++) {
        const float sign = w[i] > 0.0f ? l1 : w[i] < 0.0f ? -l1 : 0.0f;
        gradient[i] += l2_doubled * w[i] + sign;
    }
}

void dt_regularization_add_penalties(float *gradient, const float *w, size_t count, double l2,
                                     double l1)
{
    add_penalties(gradient, w, count, (float)(2.0 * l2), (float)l1);
}

/* The square of a float32 is exact in double. */
DT_VECTORIZE static double square_some(const float *restrict g, size_t count)
{
    enum { LANES = 8 };
    double lanes[LANES] = {0}, sum = 0.0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            lanes[j] += (double)g[i + j] * (double)g[i + j];
    for (size_t j = 0; i + j < count; j++)
        lanes[j] += (double)g[i + j] * (double)g[i + j];
    for (size_t j = 0; j < LANES; j++)
        sum += lanes[j];
    return sum;
}

void dt_regularization_square(double *out, const float *gradient, size_t count)
{
    for (size_t i = 0; i < count; i += DT_SQUARES_TOGETHER)
        *out++ = square_some(gradient + i,
                             count - i < DT_SQUARES_TOGETHER ? count - i : DT_SQUARES_TOGETHER);
}

DT_VECTORIZE static void scale_gradient(float *gradient, size_t count, float factor)
{
    for (size_t i = 0; i < count; i++)
        gradient[i] *= factor;
}

void dt_regularization_scale(float *gradient, size_t count, float factor)
{
    scale_gradient(gradient, count, factor);
}

DT_VECTORIZE static void clamp_gradient(float *gradient, size_t count, float most)
{
    for (size_t i = 0; i < count; i++) {
        const float g = gradient[i];
        gradient[i] = g > most ? most : g < -most ? -most : g;
    }
}

void dt_regularization_clamp(float *gradient, size_t count, double most)
{
    clamp_gradient(gradient, count, (float)most);
}

enum { COLUMNS = 32 }; /* whose norms are computed together */

DT_VECTORIZE static void square_columns(double *restrict sums, const float *restrict W, size_t D,
                                        size_t H, size_t count)
{
    for (size_t j = 0; j < count; j++)
        sums[j] = 0.0;
    for (size_t d = 0; d < D; d++)
        for (size_t j = 0; j < count; j++)
            sums[j] += (double)W[d * H + j] * (double)W[d * H + j];
}

DT_VECTORIZE static void scale_columns(float *restrict W, const float *restrict factors, size_t D,
                                       size_t H, size_t count)
{
    for (size_t d = 0; d < D; d++)
        for (size_t j = 0; j < count; j++)
            W[d * H + j] *= factors[j];
}

void dt_regularization_limit_columns(float *W, size_t D, size_t H, size_t first, size_t count,
                                     double most)
{
    for (size_t at = first; at < first + count; at += COLUMNS) {
        const size_t left = first + count - at, n = left < COLUMNS ? left : COLUMNS;
        double sums[COLUMNS];
        float factors[COLUMNS];
        bool some = false;
        square_columns(sums, W + at, D, H, n);
        for (size_t j = 0; j < n; j++) {
            const double norm = sqrt(sums[j]);
            factors[j] = norm > most ? (float)(most / norm) : 1.0f;
            some = some || norm > most;
        }
        if (some)
            scale_columns(W + at, factors, D, H, n);
    }
}
