#ifndef DTRAIN_NN_LOSSES_VALUE_LOSS_H
#define DTRAIN_NN_LOSSES_VALUE_LOSS_H

#include "dtrain/nn/loss.h"

#include <math.h>

/**
 * What the losses of values share: the mean over a row's outputs of a term of each error.
 *
 * A term gives the loss of the error e = output - target, and its derivative.
 */
typedef float dt_value_term(float e, float number, float *slope);

/** Local; always inlined, so that the term is, too. */
__attribute__((always_inline)) static inline void dt_value_loss(float *z, const dt_target *y,
                                                                size_t B, size_t C, double number,
                                                                const dt_loss_rows *rows,
                                                                dt_value_term *term,
                                                                bool differentiates)
{
    const float share = 1.0f / (float)C, parameter = (float)number;
    for (size_t i = 0; i < B; i++) {
        float loss = 0.0f, squared = 0.0f, absolute = 0.0f;
        for (size_t j = 0; j < C; j++) {
            float slope = 0.0f;
            const float e = z[i * C + j] - y[i * C + j].value;
            loss += term(e, parameter, &slope);
            squared += e * e;
            absolute += fabsf(e);
            if (differentiates)
                z[i * C + j] = slope * share;
        }
        rows->loss[i] = loss * share;
        rows->squared[i] = squared * share;
        rows->absolute[i] = absolute * share;
    }
}

/** As dt_loss.predict: an output is the prediction. Local. */
void dt_value_predict(float *z, size_t B, size_t C, const dt_loss_rows *rows);

/** Defines the other two functions of a loss of values. */
#define DT_VALUE_LOSS(term)                                                                        \
    static void gradient(float *z, const dt_target *y, size_t B, size_t C, double number,          \
                         const dt_loss_rows *rows)                                                 \
    {                                                                                              \
        dt_value_loss(z, y, B, C, number, rows, term, true);                                       \
    }                                                                                              \
    static void evaluate(float *z, const dt_target *y, size_t B, size_t C, double number,          \
                         const dt_loss_rows *rows)                                                 \
    {                                                                                              \
        dt_value_loss(z, y, B, C, number, rows, term, false);                                      \
    }

#endif
