#include "dtrain/base/exact_total.h"

#include <math.h>

#define STEPS 0x1p80 /* in 1 */

void dt_exact_total_add(dt_exact_total *total, double term)
{
    /* The product is exact except for terms far below a step. */
    total->steps += (dt_int128)rint(term * STEPS);
}

void dt_exact_total_join(dt_exact_total *total, const dt_exact_total *other)
{
    total->steps += other->steps;
}

double dt_exact_total_value(const dt_exact_total *total)
{
    return (double)total->steps / STEPS;
}

double dt_exact_total_distance(const dt_exact_total *total, int64_t whole)
{
    const dt_int128 difference = total->steps - (dt_int128)whole * ((dt_int128)1 << 80);
    return fabs((double)difference) / STEPS;
}
