#ifndef DTRAIN_BASE_WATCH_THREAD_H
#define DTRAIN_BASE_WATCH_THREAD_H

#include "dtrain/base/status.h"

#include <stdbool.h>
#include <time.h>

/** A thread that checks something periodically. All calls are local. */
typedef struct dt_watch_thread dt_watch_thread;

/** Starts `routine` in a thread that gets no signals. Errors: DT_MEMORY, DT_INTERNAL; *out =
 * NULL. */
DT_MUST_USE dt_status dt_watch_thread_start(dt_watch_thread **out,
                                            void (*routine)(void *argument, dt_watch_thread *self),
                                            void *argument);

/** Wakes the thread, waits until its routine has returned, and frees. NULL is allowed. */
void dt_watch_thread_stop(dt_watch_thread *thread);

/**
 * Sleep, and return false when the thread has to end. A tick is a quarter of a second; `passed_s`
 * is the time since the last tick, without the time in which the whole job was stopped.
 */
bool dt_watch_thread_sleep(dt_watch_thread *self, double seconds);
bool dt_watch_thread_tick(dt_watch_thread *self, double *passed_s);

/** Returns the time of CLOCK_MONOTONIC that many seconds from now. */
struct timespec dt_watch_later(double seconds);

#endif
