#include "update.h"

#include "gradient.h"

#include "dtrain/base/memory.h"
#include "dtrain/comm/exact_total.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { SHARED_BY_THREADS = 1 << 16 /* minimum number of parameters for which a thread is woken */ };

/* The state of an update. */
typedef struct update {
    dt_stepper *stepper;
    double scale; /* of the gradient's sum */
    float factor; /* by which the gradient's norm is clipped */
    size_t threads; /* that share it */
    /* Handles the finished gradient of some parameters, before it is clipped. */
    void (*take)(const struct update *u, float *gradient, size_t first, size_t count);
} update;

/* Returns how many of `count` parameters from `first` on belong to the tensor of `first`. */
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
            dt_regularization_add_penalties(gradient, s->network->params + first, n, rules->l2,
                                            rules->l1);
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

static void descend(const update *u, float *gradient, size_t first, size_t count)
{
    const dt_stepper *s = u->stepper;
    if (u->factor < 1.0f)
        dt_regularization_scale(gradient, count, u->factor);
    if (s->regularization.clip_value > 0.0)
        dt_regularization_clamp(gradient, count, s->regularization.clip_value);
    update_block(s, gradient, first, count);
}

/* ---- the parts of ranks and threads ---- */

/* A thread's part of this rank's slice, in blocks that stay in a first-level cache between the sum,
 * the gradient and the optimizer. */
static void finish_part(void *context, int thread)
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
        u->take(u, gradient, first, count);
    }
}

static void share(update *u, void (*work)(void *context, int thread))
{
    if (u->threads > 1)
        dt_pool_run(u->stepper->pool, work, u);
    else
        work(u, 0);
}

/* ---- the gradient's norm ---- */

static size_t count_squares(const dt_stepper *s)
{
    return (s->ranks_sum.slice_count + DT_SQUARES_TOGETHER - 1) / DT_SQUARES_TOGETHER;
}

dt_status dt_stepper_regularize(dt_stepper *s, const dt_regularization *rules)
{
    dt_status status = DT_OK;
    if (rules->clip_norm > 0.0)
        status = dt_memory_alloc(&s->squares, count_squares(s) + 1, sizeof *s->squares,
                                 "squares of gradients");
    DT_ASSERT(rules->max_norm <= 0.0 || s->ranks_sum.window == NULL);
    s->regularization = *rules;
    return dt_comm_agree(s->comm, status);
}

static void take_squares(const update *u, float *gradient, size_t first, size_t count)
{
    const dt_stepper *s = u->stepper;
    const size_t at = first - s->ranks_sum.slice_first;
    dt_regularization_square(s->squares + at / DT_SQUARES_TOGETHER, gradient, count);
}

/* Slices begin at multiples of 64, so these sums are the same on any number of ranks. They are
 * added up exactly, in units of the largest one's power of two: so is the norm. */
static float find_factor(update *u)
{
    const dt_stepper *s = u->stepper;
    const dt_window *window = s->ranks_sum.window; /* without one, a rank has all parameters */
    const double most = s->regularization.clip_norm;
    const size_t count = count_squares(s);
    double largest = 0.0;
    dt_exact_total total = {0};
    int exponent = 0;
    u->take = take_squares;
    share(u, finish_part);
    for (size_t i = 0; i < count; i++)
        largest = s->squares[i] > largest ? s->squares[i] : largest;
    if (window != NULL)
        dt_comm_max_f64(s->comm, &largest, 1);
    if (!(largest > 0.0 && isfinite(largest)))
        return 1.0f;
    (void)frexp(largest, &exponent);
    for (size_t i = 0; i < count; i++)
        dt_exact_total_add(&total, ldexp(s->squares[i], -exponent));
    if (window != NULL) {
        dt_exact_total_sum(s->comm, &total, 1);
        total.steps /= dt_window_hosts(window); /* each host has all parameters */
    }
    const double norm = sqrt(ldexp(dt_exact_total_value(&total), exponent));
    return norm > most ? (float)(most / norm) : 1.0f;
}

/* ---- the weights' norms ---- */

/* A thread's share of the columns of each hidden kernel. */
static void limit_part(void *context, int thread)
{
    const update *u = context;
    const dt_network *network = u->stepper->network;
    const size_t mine = (size_t)thread;
    for (size_t t = 0; mine < u->threads && t < network->tensor_count; t++) {
        const dt_tensor *tensor = &network->tensors[t];
        const size_t H = tensor->dims[1], first = H * mine / u->threads;
        if (tensor->decays && tensor->layer + 1 < network->layer_count)
            dt_regularization_limit_columns(network->params + tensor->first, tensor->dims[0], H,
                                            first, H * (mine + 1) / u->threads - first,
                                            u->stepper->regularization.max_norm);
    }
}

/* ---- moving averages ---- */

/* They do not train, so the averaged weights contain them unchanged, as in Keras. */
static void move_averages(const dt_stepper *s)
{
    const dt_network *network = s->network;
    const size_t first = s->ranks_sum.slice_first, end = first + s->ranks_sum.slice_count;
    dt_network_move(network, &s->workspace, first, end - first);
    for (size_t t = 0; s->optimizer->average != NULL && t < network->tensor_count; t++) {
        const dt_tensor *tensor = &network->tensors[t];
        const size_t from = tensor->first > first ? tensor->first : first;
        const size_t last = tensor->first + tensor->count, to = last < end ? last : end;
        if (tensor->moves && from < to)
            memcpy(s->optimizer->average + from, network->params + from,
                   (to - from) * sizeof(float));
    }
}

/* ---- all of it ---- */

void dt_stepper_update(dt_stepper *s, double weight)
{
    update u = {.stepper = s,
                .scale = weight > 0.0 ? 1.0 / weight : 1.0,
                .factor = 1.0f,
                .threads = (size_t)dt_pool_threads(s->pool)};
    if (s->ranks_sum.slice_count < SHARED_BY_THREADS)
        u.threads = 1;
    if (s->regularization.clip_norm > 0.0)
        u.factor = find_factor(&u);
    dt_optimizer_begin_step(s->optimizer);
    u.take = descend;
    share(&u, finish_part);
    if (s->regularization.max_norm > 0.0)
        share(&u, limit_part);
    move_averages(s);
}
