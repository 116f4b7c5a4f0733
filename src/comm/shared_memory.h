#ifndef DTRAIN_COMM_SHARED_MEMORY_H
#define DTRAIN_COMM_SHARED_MEMORY_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>

/** A range of shared memory, in bytes. */
typedef struct dt_shared_range {
    size_t first, count;
} dt_shared_range;

/** Shared memory is given in whole pages. */
enum { DT_SHARED_PAGE = 4096 };

/** Returns `bytes`, rounded up to whole pages. Local. */
size_t dt_shared_pages(size_t bytes);

/**
 * Maps the same `bytes` bytes, zeros, for all ranks of `ranks`, which share a host. Returns NULL on
 * all of them unless every rank sees the memory of rank 0 and gets its blocks. Ranks in different
 * containers may count as ranks of one host, but find another file under the name, or none.
 *
 * The memory is a file in /dev/shm; with `anywhere`, in /tmp if /dev/shm cannot be written. The
 * file loses its name while it has a page only, so that a process that is killed at any moment
 * leaves next to nothing behind. Then each rank allocates the blocks of its `own` ranges, near its
 * CPU: on a full file system the first store would be a SIGBUS otherwise. The ranges of all ranks
 * together are the whole memory.
 *
 * Calls:   collective over `ranks`; the same on all ranks: bytes, anywhere
 * Owns:    the caller unmaps with dt_shared_memory_unmap
 */
void *dt_shared_memory_map(MPI_Comm ranks, size_t bytes, const dt_shared_range *own,
                           size_t own_count, bool anywhere);

/** Unmaps; NULL is allowed. Local. */
void dt_shared_memory_unmap(void *memory, size_t bytes);

#endif
