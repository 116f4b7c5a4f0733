#ifndef DTRAIN_NN_LINALG_H
#define DTRAIN_NN_LINALG_H

#include "dtrain/base/status.h"

#include <stdbool.h>

/**
 * Who computes the matrix products of layers: kernels of our own, or BLAS.
 *
 * Our own give the same bits on every CPU, whatever the width of its vectors: each element of a
 * product is one chain of fused multiply-adds in the order of k; for layers of few classes, 16
 * chains that are added in a fixed order. There are versions for AVX-512, for AVX2 with FMA, for
 * NEON and in plain C. NEON was tested under emulation only: no real AArch64 machine was tried.
 * base/subnormals.h describes the one known difference on AArch64.
 *
 * The same call to BLAS with the same shapes gives the same bits on the same kernel family and
 * number of threads; a product over other rows, or over more rows at once, may give other bits.
 *
 * All calls are local.
 */
typedef enum dt_engine {
    DT_ENGINE_AUTO, /* own kernels if the CPU has AVX2 and FMA, or is not an x86; else BLAS */
    DT_ENGINE_OWN,
    DT_ENGINE_BLAS
} dt_engine;

/**
 * Chooses the engine of all products from now on. DTRAIN_ISA=avx512|avx2|neon|portable|blas in the
 * environment forces one.
 *
 * Errors:  DT_USAGE when DTRAIN_ISA is unknown, is not supported by this CPU, or is excluded by the
 *          engine
 */
DT_MUST_USE dt_status dt_linalg_choose(dt_engine engine);

/** Returns the kernels in use: "avx512", "avx2", "neon", "portable" or "blas". */
const char *dt_linalg_isa(void);

/** Returns whether BLAS computes the products. */
bool dt_linalg_uses_blas(void);

/** Sets the number of BLAS threads of this process; bits depend on it. */
void dt_linalg_init(int threads);

/** Returns the kernel family that BLAS picked for this CPU, "SkylakeX"; "unknown" if it has none.
 */
const char *dt_linalg_kernels(void);

/** Returns whether DT_ENGINE_AUTO chooses dtrain's own kernels on this CPU. */
bool dt_linalg_has_own_kernels(void);

/** Returns the BLAS library's name and version, "OpenBLAS 0.3.21". */
const char *dt_linalg_library(void);

/** Returns the options that the BLAS library was built with; "" if they are unknown. */
const char *dt_linalg_library_options(void);

/**
 * Returns the kernel family that this CPU could use instead of `kernels`, a wider one, or NULL.
 *
 * OpenBLAS decides by the CPU's model: 0.3.21 uses old kernels on every CPU that is newer than
 * itself, and is 4 times slower there.
 */
const char *dt_linalg_better_kernels(const char *kernels);

/**
 * Returns the kernel family this CPU could use when OPENBLAS_CORETYPE pins a lesser one, else NULL.
 */
const char *dt_linalg_pinned_below(void);

#endif
