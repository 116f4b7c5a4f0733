#include "dtrain/base/watch_thread.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/memory.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

/* Seconds. A tick that took longer than MOST_OF_A_TICK counts as that: the job was stopped, or the
 * machine slept. */
static const double TICK = 0.25, MOST_OF_A_TICK = 0.5;

struct dt_watch_thread {
    void (*run)(void *argument, dt_watch_thread *self);
    void *argument;
    double last_s;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool stopping; /* under the mutex */
};

struct timespec dt_watch_later(double seconds)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    const long nanoseconds = at.tv_nsec + (long)(seconds * 1e9);
    at.tv_sec += nanoseconds / 1000000000L;
    at.tv_nsec = nanoseconds % 1000000000L;
    return at;
}

bool dt_watch_thread_sleep(dt_watch_thread *self, double seconds)
{
    const struct timespec end = dt_watch_later(seconds);
    (void)pthread_mutex_lock(&self->mutex);
    int timed_out = 0;
    while (!self->stopping && timed_out == 0)
        timed_out = pthread_cond_timedwait(&self->wake, &self->mutex, &end);
    const bool runs = !self->stopping;
    (void)pthread_mutex_unlock(&self->mutex);
    return runs;
}

bool dt_watch_thread_tick(dt_watch_thread *self, double *passed_s)
{
    if (!dt_watch_thread_sleep(self, TICK))
        return false;
    const double now_s = dt_clock_s();
    *passed_s = now_s - self->last_s < MOST_OF_A_TICK ? now_s - self->last_s : MOST_OF_A_TICK;
    self->last_s = now_s;
    return true;
}

static void *run(void *argument)
{
    dt_watch_thread *self = argument;
    self->last_s = dt_clock_s();
    self->run(self->argument, self);
    return NULL;
}

static void release(dt_watch_thread *thread)
{
    (void)pthread_cond_destroy(&thread->wake);
    (void)pthread_mutex_destroy(&thread->mutex);
    dt_memory_free(thread);
}

dt_status dt_watch_thread_start(dt_watch_thread **out,
                                void (*routine)(void *argument, dt_watch_thread *self),
                                void *argument)
{
    sigset_t all, before;
    pthread_condattr_t clock;
    dt_watch_thread *thread = NULL;
    *out = NULL;
    dt_status status = dt_memory_alloc(&thread, 1, sizeof *thread, "thread");
    if (status != DT_OK)
        return status;
    thread->run = routine;
    thread->argument = argument;
    (void)pthread_mutex_init(&thread->mutex, NULL);
    (void)pthread_condattr_init(&clock);
    (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&thread->wake, &clock);
    (void)pthread_condattr_destroy(&clock);
    /* Signals belong to the main thread: a handler that runs here would not interrupt the main
     * thread. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failed = pthread_create(&thread->thread, NULL, run, thread);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0) {
        release(thread);
        return dt_fail(DT_INTERNAL, "no thread: %s", strerror(failed));
    }
    *out = thread;
    return DT_OK;
}

void dt_watch_thread_stop(dt_watch_thread *thread)
{
    if (thread == NULL)
        return;
    (void)pthread_mutex_lock(&thread->mutex);
    thread->stopping = true;
    (void)pthread_cond_signal(&thread->wake);
    (void)pthread_mutex_unlock(&thread->mutex);
    (void)pthread_join(thread->thread, NULL);
    release(thread);
}
