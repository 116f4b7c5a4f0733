#ifndef DTRAIN_BASE_SUBNORMALS_H
#define DTRAIN_BASE_SUBNORMALS_H

#include <stdint.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

/**
 * Makes this thread treat subnormal numbers as zero, and returns what to restore.
 *
 * A product of two small numbers can be subnormal, and each operation on a subnormal number takes a
 * CPU some hundred cycles: a network whose outputs are saturated would train 20 times slower. All
 * passes over a network run in this mode, so that their bits agree; the optimizers and the loss set
 * what is almost zero to zero themselves. The threads of OpenBLAS do not run in it.
 *
 * x86-64 (FTZ and DAZ in MXCSR) and AArch64 (FZ in FPCR) treat operands alike. They treat results
 * alike with one exception: x86 looks at the rounded result, AArch64 at the exact one. If the exact
 * result lies below 2^-126 by at most one part in 2^25, x86 rounds it up to 2^-126 and AArch64
 * returns 0. Both give the same bits unless a step meets such a number and it changes a larger sum
 * or decides a comparison (the derivative of ReLU, the largest logit). With the exact sum, a
 * gradient that small is rounded to 0. tests/cross checks that the exception is as described.
 *
 * Calls:   local, one thread
 */
static inline uint64_t dt_subnormals_off(void)
{
#if defined(__SSE2__)
    enum { FLUSH_RESULTS = 0x8000, OPERANDS_ARE_ZERO = 0x0040 };
    const unsigned before = _mm_getcsr();
    _mm_setcsr(before | FLUSH_RESULTS | OPERANDS_ARE_ZERO);
    return before;
#elif defined(__aarch64__)
    enum { FLUSH_BOTH = 1u << 24 };
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | FLUSH_BOTH) : "memory");
    return before;
#else
    return 0;
#endif
}

static inline void dt_subnormals_restore(uint64_t before)
{
#if defined(__SSE2__)
    _mm_setcsr((unsigned)before);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(before) : "memory");
#else
    (void)before;
#endif
}

#endif
