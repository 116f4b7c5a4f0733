#ifndef DTRAIN_BASE_MEMORY_H
#define DTRAIN_BASE_MEMORY_H

#include "dtrain/base/status.h"

#include <stddef.h>

/** Alignment of every block, bytes: a cache line, and the widest vector register. */
enum { DT_MEMORY_ALIGNMENT = 64 };

/**
 * Allocates `count` zeroed elements of `size` bytes, aligned to DT_MEMORY_ALIGNMENT.
 *
 * `what` names the block in the error text. A count of 0 gives a valid block.
 *
 * Calls:   local
 * Owns:    the caller frees with dt_memory_free
 * Errors:  DT_MEMORY when count * size overflows, memory is short, or a block of 64 MiB or more is
 *          larger than what the machine has available; *out = NULL
 */
DT_MUST_USE dt_status dt_memory_alloc(void *out, size_t count, size_t size, const char *what);

/** As dt_memory_alloc, but keeps the first `old_count` elements of *block, which it replaces. */
DT_MUST_USE dt_status dt_memory_grow(void *block, size_t old_count, size_t count, size_t size,
                                     const char *what);

/** Returns the bytes that the machine can still give without swapping, and within the limit of this
 * process's job or container (memory_limits.h); SIZE_MAX where neither is known. */
size_t dt_memory_available(void);

/**
 * Checks that the machine has `bytes` bytes for the `ranks` processes on it that are about to take
 * them together: each alone would see memory that another is about to take. The same holds for the
 * limit of a job or container; that of `ulimit` is each process's own, which takes its share.
 *
 * Errors:  DT_MEMORY, one line: what it is for, what is needed and there, and the advice
 */
DT_MUST_USE dt_status dt_memory_check(double bytes, int ranks, const char *what,
                                      const char *advice);

/**
 * Checks that `bytes` bytes could be taken now, and takes none: before a library is called that
 * does not survive an allocation which fails.
 *
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_memory_probe(size_t bytes, const char *what);

/** Frees a block; NULL is allowed. */
void dt_memory_free(void *block);

/** Frees `count` texts and the list of them; NULL is allowed, as the list and as a text. */
void dt_memory_free_texts(char **texts, size_t count);

/** Allocates a copy of `text`. Owns: the caller frees. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_memory_copy_text(char **out, const char *text);

#endif
