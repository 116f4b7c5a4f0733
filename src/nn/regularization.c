#include "dtrain/nn/regularization.h"

#include "dtrain/base/vectorize.h"

DT_VECTORIZE static void add_penalties(float *restrict gradient, const float *restrict w,
                                       size_t count, float l2_doubled, float l1)
{
    for (size_t i = 0; i < count; i++) {
        const float sign = w[i] > 0.0f ? l1 : w[i] < 0.0f ? -l1 : 0.0f;
        gradient[i] += l2_doubled * w[i] + sign;
    }
}

void dt_penalties_add(float *gradient, const float *w, size_t count, double l2, double l1)
{
    add_penalties(gradient, w, count, (float)(2.0 * l2), (float)l1);
}
