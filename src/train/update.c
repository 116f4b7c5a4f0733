#include "update.h"

#include "gradient.h"

#include <stdbool.h>

enum { SHARED_BY_THREADS = 1 << 16 /* parameters whose update is worth waking a thread */ };

/* An update under way. */
typedef struct update {
    dt_stepper *stepper;
    double scale;
    size_t threads; /* that share it */
} update;

/* Returns how many of `count` parameters from `first` on are of the tensor that `first` is of. */
static size_t find_piece(const dt_stepper *s, size_t first, size_t count, bool *decays)
{
    const dt_tensor *tensor = dt_network_tensor_of(s->network, first);
    const size_t left = tensor->first + tensor->count - first;
    *decays = tensor->decays;
    return left < count ? left : count;
}

/* ---- the finished gradient ---- */

static void penalise(const dt_stepper *s, float *gradient, size_t first, size_t count)
{
    const dt_regularization *rules = &s->regularization;
    if (!(rules->l2 > 0.0 || rules->l1 > 0.0))
        return;
    while (count > 0) {
        bool decays;
        const size_t n = find_piece(s, first, count, &decays);
        if (decays)
            dt_penalties_add(gradient, s->network->params + first, n, rules->l2, rules->l1);
        gradient += n;
        first += n;
        count -= n;
    }
}

/* ---- the optimizer ---- */

/* Tensor by tensor if some of them decay. */
static void update_block(const dt_stepper *s, const float *gradient, size_t first, size_t count)
{
    if (s->optimizer->weight_decay <= 0.0) {
        dt_optimizer_update(s->optimizer, s->network->params, gradient, first, count, false);
        return;
    }
    while (count > 0) {
        bool decays;
        const size_t n = find_piece(s, first, count, &decays);
        dt_optimizer_update(s->optimizer, s->network->params, gradient, first, n, decays);
        gradient += n;
        first += n;
        count -= n;
    }
}

/* A thread's part of this rank's slice, in blocks that stay in a first-level cache between the sum,
 * the gradient and the optimizer. */
static void update_part(void *context, int thread)
{
    const update *u = context;
    dt_stepper *s = u->stepper;
    const dt_gradient_sum *sum = &s->ranks_sum;
    const size_t blocks = (sum->slice_count + DT_STEPPER_BLOCK - 1) / DT_STEPPER_BLOCK;
    const size_t end = sum->slice_first + sum->slice_count, mine = (size_t)thread;
    float gradient[DT_STEPPER_BLOCK] __attribute__((aligned(64)));
    int64_t *scratch = s->scratch + mine * DT_STEPPER_BLOCK;
    if (mine >= u->threads)
        return;
    for (size_t b = blocks * mine / u->threads; b < blocks * (mine + 1) / u->threads; b++) {
        const size_t first = sum->slice_first + b * DT_STEPPER_BLOCK;
        const size_t count = end - first < DT_STEPPER_BLOCK ? end - first : DT_STEPPER_BLOCK;
        const void *sums = dt_gradient_sum_block(sum, first, count, scratch);
        s->kind->finish(s, gradient, sums, count, u->scale);
        penalise(s, gradient, first, count);
        update_block(s, gradient, first, count);
    }
}

void dt_stepper_update(dt_stepper *s, double weight)
{
    update u = {s, weight > 0.0 ? 1.0 / weight : 1.0, (size_t)dt_pool_threads(s->pool)};
    dt_optimizer_begin_step(s->optimizer);
    if (s->ranks_sum.slice_count < SHARED_BY_THREADS)
        u.threads = 1;
    if (u.threads > 1)
        dt_pool_run(s->pool, update_part, &u);
    else
        update_part(&u, 0);
}
