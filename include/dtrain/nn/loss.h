#ifndef DTRAIN_NN_LOSS_H
#define DTRAIN_NN_LOSS_H

#include "dtrain/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The target of a row: a class, or a value in the units of training (dt_network.scale). */
typedef union dt_target {
    int32_t label; /* a class id, below C */
    float value;
} dt_target;

/** The maximum weight of a row: exact sums do not have room for more. */
#define DT_WEIGHT_MAX 1e6

/**
 * The results of a loss for each row. The arrays [B] belong to the caller; dt_loss.classes decides
 * which of them exist.
 */
typedef struct dt_loss_rows {
    float *loss; /* not touched without targets */
    int32_t *predicted; /* classes: the most probable one, the first among equals; a predictor
                           applies the network's threshold */
    float *squared, *absolute; /* values: mean over the outputs of the squared and of the absolute
                                  error; not touched without targets */
} dt_loss_rows;

/**
 * A loss: one file in nn/losses, which ends in one of these. It defines the meaning of a network's
 * outputs: logits of C classes, one of which is a row's target; or C values, one for each target.
 *
 * All calls are local. Each row is computed on its own, so the bits do not depend on B. A result
 * that several of the three functions compute has the same bits in each.
 *
 * Shapes:  z [B,C] in: outputs of the network; y [B] in: classes, or [B,C]: values
 * Units:   cross-entropy: nats per row; the others: of a standardised target
 * Errors:  none. If an output is NaN, or for classes the largest logit or the label's is infinite,
 *          the loss is not finite and the predictions are NaN
 */
typedef struct dt_loss {
    const char *name; /* Keras's, where it has one; in files */
    const char *option; /* what --loss calls it */
    const char *unit; /* of the loss */
    bool classes; /* else values */

    const char *number; /* the option that changes it; NULL: there is none */
    double fallback; /* the number, unless it is set */

    /* z becomes the gradient of the sum over rows, not of the mean. */
    void (*gradient)(float *z, const dt_target *y, size_t B, size_t C, double number,
                     const dt_loss_rows *rows);

    /* z becomes the predictions: probabilities, each within 0..1; values are what they were. */
    void (*evaluate)(float *z, const dt_target *y, size_t B, size_t C, double number,
                     const dt_loss_rows *rows);

    /* Likewise, without targets. */
    void (*predict)(float *z, size_t B, size_t C, const dt_loss_rows *rows);
} dt_loss;

/** The losses. */
enum { DT_LOSS_COUNT = 5 };
extern const dt_loss *const dt_losses[DT_LOSS_COUNT];
extern const dt_loss dt_cross_entropy, dt_mean_squared_error, dt_mean_absolute_error, dt_huber,
    dt_quantile;

/** What --loss accepts: auto, then the losses in the order of dt_losses. */
#define DT_LOSS_NAMES "auto|cross-entropy|mse|mae|huber|quantile"

/** Returns the loss of that name; NULL: there is none. Local. */
const dt_loss *dt_loss_find(const char *name);

/**
 * Turns `count` predictions into outputs of which the loss makes them: probabilities into logits,
 * which are their logarithms; values stay as they are. A probability below the smallest normal
 * number counts as that number. NaN stays NaN. Local.
 */
void dt_loss_invert(const dt_loss *loss, float *z, size_t count);

/** Allocates what the loss gives of `rows` rows. Owns: the caller clears. Errors: DT_MEMORY.
 * Local. */
DT_MUST_USE dt_status dt_loss_rows_init(dt_loss_rows *out, const dt_loss *loss, size_t rows);

/** Frees; zeroed rows are allowed. Local. */
void dt_loss_rows_clear(dt_loss_rows *rows);

/** Returns how many targets a row has, if the network has C outputs. Local. */
static inline size_t dt_loss_targets(const dt_loss *loss, size_t C)
{
    return loss->classes ? 1 : C;
}

#endif
