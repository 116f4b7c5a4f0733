#include "dtrain/base/pool.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/spin.h"
#include "dtrain/base/subnormals.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

/* A thread looks for new work for 10 to 50 microseconds before it sleeps: the pieces of a step
 * follow each other faster than that, and other processes on the CPU lose little. */
enum { LOOKS = 1000 };

typedef struct worker {
    dt_pool *pool;
    pthread_t thread;
    int number;
} worker;

struct dt_pool {
    int threads; /* the caller's included */
    int started;
    worker *workers; /* [threads - 1] */
    void (*work)(void *context, int thread);
    void *context;
    atomic_uint round; /* of work, counted */
    atomic_int busy; /* workers that have not finished the round */
    bool ends;
    pthread_mutex_t lock; /* of `round`, for those who sleep */
    pthread_cond_t more;
};

static void wait_for_round(dt_pool *pool, unsigned seen)
{
    for (int look = 0; look < LOOKS; look++) {
        if (atomic_load_explicit(&pool->round, memory_order_acquire) != seen)
            return;
        dt_spin_pause();
    }
    pthread_mutex_lock(&pool->lock);
    while (atomic_load(&pool->round) == seen)
        pthread_cond_wait(&pool->more, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

static void *serve(void *context)
{
    const worker *self = context;
    dt_pool *pool = self->pool;
    (void)dt_subnormals_off();
    for (unsigned seen = 0;; seen++) {
        wait_for_round(pool, seen);
        if (pool->ends)
            return NULL;
        pool->work(pool->context, self->number);
        atomic_fetch_sub_explicit(&pool->busy, 1, memory_order_release);
    }
}

static void begin_round(dt_pool *pool)
{
    atomic_store(&pool->busy, pool->threads - 1);
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add_explicit(&pool->round, 1, memory_order_release);
    pthread_cond_broadcast(&pool->more);
    pthread_mutex_unlock(&pool->lock);
}

dt_status dt_pool_new(dt_pool **out, int threads)
{
    dt_status status = DT_OK;
    dt_pool *pool = NULL;
    sigset_t all, before;
    *out = NULL;
    if (threads <= 1)
        return DT_OK;
    DT_TRY(dt_memory_alloc(&pool, 1, sizeof *pool, "threads"));
    DT_TRY(dt_memory_alloc(&pool->workers, (size_t)threads, sizeof *pool->workers, "threads"));
    pool->threads = threads;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->more, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    for (int i = 0; i < threads - 1 && status == DT_OK; i++) {
        pool->workers[i] = (worker){.pool = pool, .number = i + 1};
        if (pthread_create(&pool->workers[i].thread, NULL, serve, &pool->workers[i]) == 0)
            pool->started++;
        else
            status =
                dt_fail(DT_MEMORY, "only %d of %d threads could be started; use fewer --threads",
                        i + 1, threads);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    *out = pool;
out:
    if (status != DT_OK) {
        *out = NULL;
        dt_pool_free(pool);
    }
    return status;
}

void dt_pool_free(dt_pool *pool)
{
    if (pool == NULL)
        return;
    if (pool->started > 0) {
        pool->ends = true;
        begin_round(pool);
    }
    for (int i = 0; i < pool->started; i++)
        pthread_join(pool->workers[i].thread, NULL);
    if (pool->workers != NULL) {
        pthread_cond_destroy(&pool->more);
        pthread_mutex_destroy(&pool->lock);
    }
    dt_memory_free(pool->workers);
    dt_memory_free(pool);
}

int dt_pool_threads(const dt_pool *pool)
{
    return pool == NULL ? 1 : pool->threads;
}

void dt_pool_run(dt_pool *pool, void (*work)(void *context, int thread), void *context)
{
    if (pool == NULL) {
        work(context, 0);
        return;
    }
    pool->work = work;
    pool->context = context;
    begin_round(pool);
    work(context, 0);
    for (int look = 0; atomic_load_explicit(&pool->busy, memory_order_acquire) > 0; look++)
        if (look < LOOKS)
            dt_spin_pause();
        else
            sched_yield(); /* more threads than CPUs */
}
