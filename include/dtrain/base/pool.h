#ifndef DTRAIN_BASE_POOL_H
#define DTRAIN_BASE_POOL_H

#include "dtrain/base/status.h"

/** Threads of one process that share a piece of work, again and again. */
typedef struct dt_pool dt_pool;

/**
 * Starts threads - 1 threads; the caller is the first thread. If `threads` is 1, *out = NULL.
 *
 * The threads wait for work in a loop for 10 to 50 microseconds, then they sleep. They treat
 * subnormal numbers as zero (subnormals.h), and all signals go to the caller.
 *
 * Calls:   local
 * Owns:    the caller frees
 * Errors:  DT_MEMORY, also if the system does not start so many threads
 */
DT_MUST_USE dt_status dt_pool_new(dt_pool **out, int threads);

/** Ends the threads; NULL is allowed. */
void dt_pool_free(dt_pool *pool);

/** Returns the number of threads, the caller's included; 1 for NULL. */
int dt_pool_threads(const dt_pool *pool);

/**
 * Calls work(context, thread) on each thread (0 is the caller) and returns when all calls have
 * returned. The results are the same for any number of threads only if each part of a result is
 * computed by one thread.
 *
 * Calls:   local, by the thread that made the pool; not from within `work`
 */
void dt_pool_run(dt_pool *pool, void (*work)(void *context, int thread), void *context);

#endif
