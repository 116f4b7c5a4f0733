/* The products in plain C, by fmaf: the same bits on any CPU, as fast as the compiler makes it.
 * Where the CPU has no fused multiply-add, fmaf is a slow function of the C library, correctly
 * rounded. */
#include "linalg_internal.h"

#include <math.h>

enum { LANES = 8, NARROW_ROWS = 2 };
typedef struct vector {
    float lane[LANES];
} vector;

#define VECTOR vector
#define LOAD(p) load(p)
#define STORE(p, v) store(p, &(v))
#define BROADCAST(p) broadcast(*(p))
#define ZERO() broadcast(0.0f)
#define FMA(a, b, c) multiply_add(a, b, c)
#define PAIR_SUM(v) pair_sum((v)[0], (v)[1])
#define MULTIPLY_ROWS 6
#define OUTER_ROWS 6
#define KERNELS dt_kernels_portable
#define NAME "portable"

#define EACH_LANE for (int l = 0; l < LANES; l++)

static inline vector load(const float *p)
{
    vector v;
    EACH_LANE v.lane[l] = p[l];
    return v;
}

static inline void store(float *p, const vector *v)
{
    EACH_LANE p[l] = v->lane[l];
}

static inline vector broadcast(float value)
{
    vector v;
    EACH_LANE v.lane[l] = value;
    return v;
}

static inline vector multiply_add(vector a, vector b, vector c)
{
    vector v;
    EACH_LANE v.lane[l] = fmaf(a.lane[l], b.lane[l], c.lane[l]);
    return v;
}

/* 16 lanes, added in pairs 8, 4, 2, 1 apart. */
static inline float pair_sum(vector low, vector high)
{
    for (int apart = LANES; apart > 0; apart /= 2)
        for (int l = 0; l < apart; l++)
            low.lane[l] += apart == LANES ? high.lane[l] : low.lane[l + apart];
    return low.lane[0];
}

#include "linalg_kernels.inc"
