/* Gradients rounded to a grid, shard by shard: the same bits on any number of ranks. */
#include "gradient.h"

#include <stdint.h>
#include <string.h>

/* This rank's numbers behind its gradients. */
static int64_t *own_tail(const dt_stepper *s)
{
    return (int64_t *)s->ranks_sum.own + s->network->P;
}

static int64_t *own_outside(const dt_stepper *s)
{
    return own_tail(s) + s->slots.outside;
}

static void take(void *context, const dt_gradient_block *block, const float *gradient, bool fresh,
                 bool last, int thread)
{
    dt_stepper *s = context;
    int64_t *sums = s->scratch + (size_t)thread * DT_STEPPER_BLOCK;
    const size_t count = block->rows * DT_PANEL;
    if ((fresh ? dt_exact_set : dt_exact_add)(sums, gradient, count, &s->grid) != 0)
        __atomic_fetch_add(
            &own_outside(s)[dt_network_tensor_of(s->network, block->first) - s->network->tensors],
            1, __ATOMIC_RELAXED);
    if (!last)
        return;
    int64_t *to = (int64_t *)s->ranks_sum.own + block->first;
    for (size_t i = 0; i < block->rows; i++, to += block->row_step, sums += DT_PANEL)
        if (block->column_step == 1)
            memcpy(to, sums, block->columns * sizeof *sums);
        else
            for (size_t j = 0; j < block->columns; j++)
                to[j * block->column_step] = sums[j];
}

static double range(const dt_stepper *s)
{
    return dt_exact_range(&s->grid);
}

static void put_tail(const dt_stepper *s, const dt_tally *tally)
{
    int64_t *tail = own_tail(s);
    memset(tail + s->slots.outside, 0, s->network->tensor_count * sizeof *tail);
    memcpy(tail + s->slots.tally, tally, sizeof *tally);
    tail[s->slots.stops] = s->stop_requested;
}

static size_t get_tail(dt_stepper *s, dt_tally *tally)
{
    const size_t tensors = s->network->tensor_count;
    const int64_t *tail = s->ranks_sum.tail_sums;
    memcpy(tally, tail + s->slots.tally, sizeof *tally);
    s->stops = tail[s->slots.stops] > 0;
    size_t tensor = 0;
    while (tensor < tensors && tail[s->slots.outside + tensor] == 0)
        tensor++;
    return tensor;
}

static void finish(const dt_stepper *s, float *out, const void *sums, size_t count, double scale)
{
    dt_exact_finish(out, sums, count, &s->grid, scale);
}

const dt_gradient_kind dt_gradient_exact = {
    .exact = true,
    .coarsest = 40,
    .take = take,
    .range = range,
    .put_tail = put_tail,
    .get_tail = get_tail,
    .finish = finish,
};
