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
 * Errors:  DT_MEMORY if count * size overflows, memory is short, or a block of 64 MiB or more is
 *          larger than the available memory of the machine; *out = NULL
 */
DT_MUST_USE dt_status dt_memory_alloc(void *out, size_t count, size_t size, const char *what);

/** Replaces *block by a larger one of dt_memory_alloc and keeps its first `old_count` elements. */
DT_MUST_USE dt_status dt_memory_grow(void *block, size_t old_count, size_t count, size_t size,
                                     const char *what);

/**
 * Returns the bytes that are available without swapping and within the limit of the job or
 * container (memory_limits.h); SIZE_MAX if neither is known.
 */
size_t dt_memory_available(void);

/**
 * Checks that the machine has `bytes` bytes for its `ranks` processes together, and that they are
 * within the limit of the job or container. If each process checked alone, it would count memory
 * that another is about to allocate. A limit of `ulimit` is compared with the share of one process.
 *
 * Errors:  DT_MEMORY, one line: the purpose, the bytes needed and available, and the advice
 */
DT_MUST_USE dt_status dt_memory_check(double bytes, int ranks, const char *what,
                                      const char *advice);

/**
 * Checks that `bytes` bytes could be allocated now, without keeping them. Call it before a library
 * that does not survive a failed allocation.
 *
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_memory_probe(size_t bytes, const char *what);

/** Frees a block; NULL is allowed. */
void dt_memory_free(void *block);

/** Frees `count` texts and their list; the list and the texts may be NULL. */
void dt_memory_free_texts(char **texts, size_t count);

/** Allocates a copy of `text`. Owns: the caller frees. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_memory_copy_text(char **out, const char *text);

#endif
