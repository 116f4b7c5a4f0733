#ifndef DTRAIN_TESTS_KERNELS_H
#define DTRAIN_TESTS_KERNELS_H

/** Kernels of products, and operands for them. For cmocka tests. */

#include "../../src/nn/linalg_internal.h"

#include <stddef.h>
#include <stdint.h>

/** How many kernels of our own there are at most. */
enum { OWN_KERNELS = 4 };

/** Finds those that this CPU has, at least one; returns how many. Their names are words for
 * DTRAIN_ISA, which is unset afterwards. */
size_t find_own_kernels(const dt_kernels *found[OWN_KERNELS]);

/** Returns normal numbers, aligned as panels are, with room for a vector behind them. Owns: the
 * caller frees. */
float *draw_numbers(size_t count, uint64_t seed);

#endif
