#ifndef DTRAIN_BASE_POOL_H
#define DTRAIN_BASE_POOL_H

#include "dtrain/base/status.h"

/** Threads of one process that share a piece of work, again and again. */
typedef struct dt_pool dt_pool;

/**
 * Starts threads - 1 threads: the caller is the first. With 1 no pool is needed: *out = NULL.
 *
 * The threads wait for work in a loop for 10 to 50 microseconds, then asleep. They treat subnormal
 * numbers as zero (subnormals.h), and all signals go to the caller.
 *
 * Calls:   local
 * Owns:    the caller frees
 * Errors:  DT_MEMORY, also when the system gives no more threads
 */
DT_MUST_USE dt_status dt_pool_new(dt_pool **out, int threads);

/** Ends the threads; NULL is allowed. */
void dt_pool_free(dt_pool *pool);

/** Returns the number of threads, the caller's included; 1 for NULL. */
int dt_pool_threads(const dt_pool *pool);

/**
 * Calls work(context, thread) on each thread, 0 being the caller's, and returns when all have
 * returned. For the same results on any number of threads, each part of a result has to be computed
 * by one of them.
 *
 * Calls:   local, by the thread that made the pool; not from within `work`
 */
void dt_pool_run(dt_pool *pool, void (*work)(void *context, int thread), void *context);

#endif
