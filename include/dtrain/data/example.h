#ifndef DTRAIN_DATA_EXAMPLE_H
#define DTRAIN_DATA_EXAMPLE_H

#include "dtrain/base/status.h"

#include <stddef.h>
#include <stdint.h>

/**
 * The built-in data set: made-up clients of a bank, with the columns of the bank-deposit problem
 * after one-hot encoding, whose true probabilities are known.
 *
 * A row has 7 numeric columns, standard normal, and 9 categorical ones of 12, 3, 4, 2, 2, 2, 3, 12
 * and 4 values, one-hot: 51 inputs. With weights a, v_k drawn once,
 *
 *     P(class 1 | x) = 1 / (1 + exp(-3 (a.x + |v_1.x| - |v_2.x| + |v_3.x| - |v_4.x|)))
 *
 * so a linear model sees only part of it. The rows are the same bits on every CPU, with every C
 * library, and do not depend on --seed.
 */
enum { DT_EXAMPLE_INPUTS = 51, DT_EXAMPLE_CLASSES = 2 };

typedef struct dt_example {
    double test_optimum; /* accuracy on the test rows of a model that knows the true
                          * probabilities */
} dt_example;

/**
 * Writes PREFIX-train.npz (40,000 rows), PREFIX-validation.npz and PREFIX-test.npz (5,000 each):
 * inputs float32 [N,51], targets int64 [N], and probabilities float64 [N], the true ones of
 * class 1.
 *
 * Calls:   local; rank 0 makes it
 * Errors:  DT_OUTPUT, DT_MEMORY
 */
DT_MUST_USE dt_status dt_example_write(dt_example *out, const char *prefix);

#endif
