#ifndef DTRAIN_BASE_VECTORIZE_H
#define DTRAIN_BASE_VECTORIZE_H

#include <limits.h> /* any header of the C library: it defines __GLIBC__ */

/**
 * DT_VECTORIZE compiles a function once for each vector width; the right one is picked when the
 * program starts.
 *
 * All versions give the same bits: the loops do the same operations on each element for every
 * width, and the build forbids fused products and reassociation.
 *
 * For static functions only: older clangs give an external one no symbol of its own name. Their
 * names must differ over all files, because clang makes the pickers external (tests/layering.sh).
 *
 * Builds with sanitizers have one version, because sanitizers start after the dynamic linker has
 * run the pickers; so have systems without glibc, whose linkers do not run pickers.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DT_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define DT_SANITIZED 1
#endif
#endif

#if defined(__x86_64__) && defined(__GLIBC__) && !defined(DT_SANITIZED)
#define DT_VECTORIZE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define DT_VECTORIZE
#endif

#endif
