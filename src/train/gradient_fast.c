/* Gradients in float32, this rank's rows at once: the last bits depend on the number of ranks. */
#include "gradient.h"

#include "dtrain/base/vectorize.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* DT_EXACT_MAX_TERMS gradients of this size, one for each rank, can be added without overflow, even
 * if every addition rounds up: the sum is finite if each part is in range. */
static const float RANGE = FLT_MAX / (2 * DT_EXACT_MAX_TERMS);

static float *own_tail(const dt_stepper *s)
{
    return (float *)s->ranks_sum.own + s->network->P;
}

static float *own_outside(const dt_stepper *s)
{
    return own_tail(s) + s->slots.outside;
}

/* Flags, since a maximum of floats would not see NaN. */
DT_VECTORIZE static bool is_in_range(const float *values, size_t count)
{
    int bad = 0;
    for (size_t i = 0; i < count; i++)
        bad |= !(fabsf(values[i]) <= RANGE);
    return bad == 0;
}

static void take(void *context, const dt_gradient_block *block, const float *gradient, bool fresh,
                 bool last, int thread)
{
    (void)fresh, (void)last, (void)thread; /* there is one segment */
    const dt_stepper *s = context;
    float *to = (float *)s->ranks_sum.own + block->first;
    if (!is_in_range(gradient, block->rows * DT_PANEL)) {
        float one = 1.0f;
        __atomic_store(
            &own_outside(s)[dt_network_tensor_of(s->network, block->first) - s->network->tensors],
            &one, __ATOMIC_RELAXED);
    }
    for (size_t i = 0; i < block->rows; i++, to += block->row_step, gradient += DT_PANEL)
        for (size_t j = 0; j < block->columns; j++)
            to[j * block->column_step] = gradient[j];
}

static double range(const dt_stepper *s)
{
    (void)s;
    return (double)RANGE;
}

static void put_tail(const dt_stepper *s, const dt_tally *tally)
{
    float *tail = own_tail(s), *own = tail + s->slots.tally;
    memset(tail + s->slots.outside, 0, s->network->tensor_count * sizeof *tail);
    memset(own, 0, DT_TALLY_WORDS * sizeof *own); /* it needs half of them */
    for (int i = 0; i < DT_TALLY_NUMBERS; i++)
        own[i] = (float)dt_tally_value(tally, i);
    own[DT_TALLY_NUMBERS] = (float)tally->outside;
    tail[s->slots.stops] = s->stop_requested ? 1.0f : 0.0f;
}

static size_t get_tail(dt_stepper *s, dt_tally *tally)
{
    const size_t tensors = s->network->tensor_count;
    const float *tail = s->ranks_sum.tail_sums;
    const float *outside = tail + s->slots.outside, *sum = tail + s->slots.tally;
    *tally = (dt_tally){.outside = sum[DT_TALLY_NUMBERS] != 0.0f};
    for (int i = 0; i < DT_TALLY_NUMBERS; i++)
        dt_tally_add_term(tally, i, (double)sum[i]);
    s->stops = tail[s->slots.stops] > 0.0f;
    size_t tensor = 0;
    while (tensor < tensors && outside[tensor] == 0.0f)
        tensor++;
    return tensor;
}

DT_VECTORIZE static void scale_all(float *restrict out, const float *restrict sums, size_t count,
                                   float scale)
{
    for (size_t i = 0; i < count; i++)
        out[i] = sums[i] * scale;
}

static void finish(const dt_stepper *s, float *out, const void *sums, size_t count, double scale)
{
    (void)s;
    scale_all(out, sums, count, (float)scale);
}

const dt_gradient_kind dt_gradient_fast = {
    .take = take,
    .range = range,
    .put_tail = put_tail,
    .get_tail = get_tail,
    .finish = finish,
};
