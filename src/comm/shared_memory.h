#ifndef DTRAIN_COMM_SHARED_MEMORY_H
#define DTRAIN_COMM_SHARED_MEMORY_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * Maps the same `bytes` bytes, zeros, for all ranks of `ranks`, which share a host. Returns NULL on
 * all of them unless every rank sees the memory of rank 0: ranks in containers of their own may
 * count as ranks of one host and find another file under the name, or none.
 *
 * The memory is a file in /dev/shm that has no name when this returns; with `anywhere`, in /tmp
 * where /dev/shm has no room. All its blocks are there from the start: on a full file system the
 * first store would else be a SIGBUS. The address is 64 bytes into a page.
 *
 * Calls:   collective over `ranks`
 * Owns:    the caller unmaps with dt_shared_memory_unmap
 */
void *dt_shared_memory_map(MPI_Comm ranks, size_t bytes, bool anywhere);

/** Unmaps; NULL is allowed. Local. */
void dt_shared_memory_unmap(void *memory, size_t bytes);

#endif
