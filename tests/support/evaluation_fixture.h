#ifndef DTRAIN_TESTS_EVALUATION_FIXTURE_H
#define DTRAIN_TESTS_EVALUATION_FIXTURE_H

/** Generated probabilities with labels, dealt to the ranks in several ways. For tests over
 * ranks. */

#include "ranks.h"

#include "dtrain/task/evaluation.h"

/** Maximum number of rows and of classes. */
enum { MAX_N = 4096, MAX_C = 5 };

/** The ways to deal rows to ranks; DEAL_LAST gives all rows to the last rank. */
enum { DEAL_ROUND, DEAL_BLOCKS, DEAL_LAST, DEAL_HASH, DEALS };

/** Probabilities and labels of all ranks. */
typedef struct rows {
    size_t N, C;
    float p[MAX_N * MAX_C];
    int32_t y[MAX_N];
} rows;

/**
 * Draws rows. If `levels`, a power of two, is not 0, all probabilities are multiples of 1 / levels:
 * many ties, zeros and ones. Labels follow the probabilities, except one in four, which is uniform.
 */
void draw_rows(rows *out, size_t N, size_t C, unsigned levels, uint64_t seed);

/** Returns the rank that gets row n of N. */
int row_owner(int deal, size_t n, size_t N);

/** Returns all that dt_scores_init reads of a network that tells C classes apart. */
dt_network network_of_classes(size_t C);

/** Evaluates the rows, which each rank adds one by one, in reverse order if `deal` is odd: the
 * order must not matter. Collective over `comm`. */
dt_status evaluate_dealt(dt_evaluation *out, const dt_comm *comm, const rows *r, int deal,
                         const uint64_t *class_rows, bool curves);

/** Evaluates on one rank; fails unless all ranks get the same bits however the rows are dealt. The
 * caller clears *out. Collective. */
void evaluate_in_all_ways(dt_evaluation *out, const rows *r, const uint64_t *class_rows);

#endif
