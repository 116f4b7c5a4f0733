#include "ulps.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static long double ulps(long double got, long double exact, int digits, int lowest_exponent)
{
    int exponent = lowest_exponent;
    if (fabsl(exact) > 0)
        (void)frexpl(exact, &exponent);
    if (exponent < lowest_exponent)
        exponent = lowest_exponent; /* subnormal numbers all have the same distance */
    return ldexpl(fabsl(got - exact), digits - exponent);
}

long double ulps_of_float(float got, long double exact)
{
    return ulps((long double)got, exact, FLT_MANT_DIG, FLT_MIN_EXP);
}

long double ulps_of_double(double got, long double exact)
{
    return ulps((long double)got, exact, DBL_MANT_DIG, DBL_MIN_EXP);
}

bool ulps_long_double_is_wide(void)
{
    volatile long double sum = 1;
    sum += 0x1p-63L;
    return sum > 1;
}

uint64_t ulps_count(uint64_t few, uint64_t many)
{
    const char *text = getenv("DTRAIN_LONG");
    return text != NULL && strcmp(text, "1") == 0 ? many : few;
}
