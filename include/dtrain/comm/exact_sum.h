#ifndef DTRAIN_COMM_EXACT_SUM_H
#define DTRAIN_COMM_EXACT_SUM_H

#include <stddef.h>
#include <stdint.h>

/**
 * Sums of float32 numbers that are the same in any order and grouping.
 *
 * Every number is rounded once to a multiple of a power of two, the grid; from there on it is an
 * integer count of grid steps, and integers add exactly, in any order, through any MPI_Allreduce.
 * Rounding is the addition of a constant in double whose last bit is one grid step: the bit pattern
 * of the result is that of the constant plus the count.
 *
 * Source:  pre-rounding: Rump, "Ultimately fast accurate summation", 2009; Demmel and Nguyen,
 *          "Parallel reproducible summation", 2015. Integer counts instead of their doubles give 10
 *          more bits of range for the sum at the same cost.
 */
typedef struct dt_exact_grid {
    int exponent; /* one step is 2^exponent */
    double constant; /* 1.5 * 2^(52 + exponent) */
} dt_exact_grid;

/** Largest number of terms whose sum cannot wrap around: each is below 2^51 steps. */
enum { DT_EXACT_MAX_TERMS = 4096 };

/**
 * Makes the grid for sums over `rows` rows, such that their mean is resolved to at least 2^-40;
 * each bit of `coarser` doubles the step and the range.
 *
 * Math:    exponent = floor(log2(rows)) - 40 + coarser; a term may be up to 2^(51 + exponent)
 */
dt_exact_grid dt_exact_grid_for(size_t rows, int coarser);

/** Returns the bound below which a single term must lie: 2^(51 + exponent). */
double dt_exact_range(const dt_exact_grid *grid);

/**
 * Rounds `count` terms to the grid and adds them to the sums; dt_exact_set begins the sums with
 * them.
 *
 * Shapes:  sums [count] in and out (set: out), terms [count] in
 * Calls:   local
 * Errors:  returns 0 when all terms were in range, else 1: NaN, infinite or too large; the sums are
 *          meaningless then
 * Cost:    5 operations a term, vector code; allocates nothing
 */
int64_t dt_exact_add(int64_t *sums, const float *terms, size_t count, const dt_exact_grid *grid);
int64_t dt_exact_set(int64_t *sums, const float *terms, size_t count, const dt_exact_grid *grid);

/**
 * Turns sums into float32 numbers.
 *
 * Math:    out[i] = sums[i] * 2^exponent * scale, the count, the product and the result rounded
 * once each Shapes:  sums [count] in, out [count] out
 */
void dt_exact_finish(float *out, const int64_t *sums, size_t count, const dt_exact_grid *grid,
                     double scale);

#endif
