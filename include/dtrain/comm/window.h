#ifndef DTRAIN_COMM_WINDOW_H
#define DTRAIN_COMM_WINDOW_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"
#include "dtrain/comm/launch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Memory that the ranks of a host share: an area of each rank, which the others read, and arrays
 * that all of them read and write. The ranks divide a long array among them ("slices"), so that
 * each adds up one slice of what all of them hold, and the sum takes no messages within the host.
 *
 * Between hosts, the ranks that own the same slice add it up by MPI_Allreduce. Hosts may have
 * different numbers of ranks; each has as many owners of slices as the smallest host has ranks.
 *
 * A rank that dies is found by the watchdogs of those that wait for it (watchdog.h).
 */
typedef struct dt_window dt_window;

/** Largest number of shared arrays. */
enum { DT_WINDOW_ARRAYS = 8 };

/**
 * Maps the memory, all zeros: `area_bytes` for each rank, and `arrays` arrays of `array_bytes` once
 * a host. All of it is allocated in /dev/shm at once; each rank allocates its area and its part of
 * each array, so that they are near its CPU.
 *
 * `yields`: a waiting rank gives up its CPU, and soon sleeps, because the ranks and their threads
 * outnumber the CPUs.
 *
 * Calls:   collective; the same on all ranks: area_bytes, arrays, array_bytes, and on all ranks of
 *          a host: yields
 * Owns:    the caller frees; `comm` is borrowed until then
 * Errors:  DT_MEMORY on all ranks, also when a host has no such memory or too little
 */
DT_MUST_USE dt_status dt_window_new(dt_window **out, const dt_comm *comm, const dt_launch *launch,
                                    bool yields, size_t area_bytes, size_t arrays,
                                    size_t array_bytes);

/** Frees this rank's view; the others keep theirs. NULL is allowed. Collective. */
void dt_window_free(dt_window *window);

/** Return how many ranks the host has, and this rank's number among them. Local. */
int dt_window_size(const dt_window *window);
int dt_window_rank(const dt_window *window);

/** Returns the number of hosts. Local. */
int dt_window_hosts(const dt_window *window);

/** Return the area of the host's rank `rank`, and a shared array; aligned to pages. Local. */
void *dt_window_area(const dt_window *window, int rank);
void *dt_window_array(const dt_window *window, size_t array);

/**
 * Gives this rank's slice of an array [count]: *count elements from *first on, which may be none.
 * Slices begin at multiples of 64. Local; the same on all hosts for owners of the same slice.
 */
void dt_window_slice(const dt_window *window, size_t count, size_t *slice_first,
                     size_t *slice_count);

/**
 * Returns when all ranks of the host have called it; they see what the others wrote before.
 *
 * Calls:   collective over the ranks of the host
 * Cost:    each rank reads a line of memory of each other one; a waiting rank keeps its CPU busy,
 *          unless it yields
 */
void dt_window_wait(dt_window *window);

/**
 * Returns the ranks that own the same slice, one a host, for sums between the hosts. Such a sum
 * changes nothing on one host, or for a rank that owns no slice. Local; borrowed.
 */
const dt_comm *dt_window_owners(const dt_window *window);

#endif
