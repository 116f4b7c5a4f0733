/* The products for AArch64, whose base architecture has NEON and its fused multiply-add. */
#include "linalg_internal.h"

#if defined(__aarch64__)

#include <arm_neon.h>

/* Eight lanes are two registers. Tiles of 6 rows by 16 columns need 24 of the 32 registers for
 * sums, and take fewer load instructions than tiles of 12 by 8. */
enum { LANES = 8, NARROW_ROWS = 2 };
typedef struct vector {
    float32x4_t low, high;
} vector;

#define VECTOR vector
#define LOAD(p) load(p)
#define STORE(p, v) store(p, v)
#define BROADCAST(p) broadcast(*(p))
#define ZERO() broadcast(0.0f)
#define FMA(a, b, c) multiply_add(a, b, c)
#define PAIR_SUM(v) pair_sum((v)[0], (v)[1])
#define MULTIPLY_ROWS 6
#define OUTER_ROWS 6
#define KERNELS dt_kernels_neon
#define NAME "neon"

static inline vector load(const float *p)
{
    return (vector){vld1q_f32(p), vld1q_f32(p + 4)};
}

static inline void store(float *p, vector v)
{
    vst1q_f32(p, v.low);
    vst1q_f32(p + 4, v.high);
}

static inline vector broadcast(float value)
{
    return (vector){vdupq_n_f32(value), vdupq_n_f32(value)};
}

static inline vector multiply_add(vector a, vector b, vector c)
{
    return (vector){vfmaq_f32(c.low, a.low, b.low), vfmaq_f32(c.high, a.high, b.high)};
}

/* 16 lanes, added in pairs 8, 4, 2, 1 apart. */
static inline float pair_sum(vector low, vector high)
{
    const float32x4_t by_4 =
        vaddq_f32(vaddq_f32(low.low, high.low), vaddq_f32(low.high, high.high));
    const float32x2_t by_2 = vadd_f32(vget_low_f32(by_4), vget_high_f32(by_4));
    return vget_lane_f32(by_2, 0) + vget_lane_f32(by_2, 1);
}

#include "linalg_kernels.inc"

#else
const dt_kernels dt_kernels_neon = {.name = "neon"};
#endif
