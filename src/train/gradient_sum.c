#include "dtrain/train/gradient_sum.h"

#include <stdbool.h>

size_t dt_gradient_sum_choose(dt_overlap overlap, int ranks, int hosts, size_t P,
                              size_t number_bytes)
{
    enum { PIECE_BYTES = 2 << 20, WORTH_IT_BYTES = 1 << 20 };
    const bool worth_it = hosts > 1 && P * number_bytes >= WORTH_IT_BYTES;
    if (ranks == 1 || overlap == DT_OVERLAP_OFF || (overlap == DT_OVERLAP_AUTO && !worth_it))
        return 0;
    return PIECE_BYTES / number_bytes;
}

dt_status dt_gradient_sum_init(dt_gradient_sum *out, const dt_comm *comm, const dt_network *network,
                               int64_t *counts, float *floats, size_t tail, size_t piece)
{
    *out = (dt_gradient_sum){.comm = comm, .network = network, .tail = tail, .piece = piece};
    out->counts = counts;
    out->floats = floats;
    return piece > 0 ? dt_background_sum_new(&out->background, comm) : DT_OK;
}

void dt_gradient_sum_clear(dt_gradient_sum *sum)
{
    dt_background_sum_free(sum->background);
    *sum = (dt_gradient_sum){0};
}

void dt_gradient_sum_begin(dt_gradient_sum *sum)
{
    sum->edge = sum->network->P;
}

static void send(dt_gradient_sum *sum, size_t first, size_t count)
{
    if (sum->counts != NULL)
        dt_background_sum_add_i64(sum->background, sum->counts + first, count);
    else
        dt_background_sum_add_f32(sum->background, sum->floats + first, count);
}

/* A range that is done goes out, or waits for what comes next to make it worth a piece. */
static void take(dt_gradient_sum *sum, size_t first, size_t count)
{
    const dt_layer *layer = &sum->network->layers[dt_network_layer_of(sum->network, first)];
    const bool ends = first + count == layer->bias + layer->H;
    /* What later layers left over lies right behind this one. */
    const size_t end = ends ? sum->edge : first + count;
    if (first == layer->kernel)
        sum->from = first;
    /* A layer that is not worth a piece is left to the layer before it. */
    const bool is_cut = sum->from > layer->kernel, is_last = layer->kernel == 0;
    if (end - sum->from >= sum->piece || (ends && (is_cut || is_last))) {
        send(sum, sum->from, end - sum->from);
        sum->from = end;
        sum->edge = ends ? layer->kernel : sum->edge;
    }
}

void dt_gradient_sum_take(dt_gradient_sum *sum, size_t first, size_t count)
{
    if (count > 0)
        take(sum, first, count);
    dt_background_sum_poll(sum->background);
}

void dt_gradient_sum_finish(dt_gradient_sum *sum)
{
    /* The tail is not sent like a piece: of few numbers Open MPI makes a ring, a message a rank. What
     * is under way goes on meanwhile. */
    const size_t P = sum->network->P, first = sum->background != NULL ? P : 0;
    DT_ASSERT(sum->background == NULL || sum->edge == 0);
    if (sum->counts != NULL)
        dt_comm_sum_i64(sum->comm, sum->counts + first, P - first + sum->tail);
    else
        dt_comm_sum_f32(sum->comm, sum->floats + first, P - first + sum->tail);
    if (sum->background != NULL)
        dt_background_sum_wait(sum->background);
}
