#include "dtrain/task/tally.h"

#include <math.h>
#include <stddef.h>

#define STEP 0x1p-24
#define LARGEST_TERM 0x1p38 /* its count still fits 63 bits */

void dt_tally_add_term(dt_tally *tally, int number, double term)
{
    dt_exact_number *sum = &tally->numbers[number];
    if (!(fabs(term) < LARGEST_TERM)) { /* a NaN compares false */
        tally->outside++;
        return;
    }
    const int64_t count = llrint(term / STEP);
    const int64_t low = count & 0xFFFFFFFF;
    sum->low += low;
    sum->high += (count - low) / ((int64_t)1 << 32);
}

void dt_tally_add(dt_tally *tally, const dt_tally *other)
{
    int64_t *to = (int64_t *)tally;
    const int64_t *from = (const int64_t *)other;
    for (size_t i = 0; i < DT_TALLY_WORDS; i++)
        to[i] += from[i];
}

double dt_tally_value(const dt_tally *tally, int number)
{
    const dt_exact_number *sum = &tally->numbers[number];
    return (double)sum->high * (STEP * 0x1p32) + (double)sum->low * STEP;
}

double dt_tally_mean(const dt_tally *tally, int number)
{
    return dt_tally_value(tally, number) / dt_tally_value(tally, DT_TALLY_WEIGHT); /* 0/0 is NaN */
}

dt_status dt_tally_check(const dt_tally *tally)
{
    if (tally->outside == 0)
        return DT_OK;
    return dt_fail(DT_DIVERGED, "the loss is not finite, or beyond 2^38");
}
