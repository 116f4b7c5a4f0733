#include "dtrain/train/gradient_sum.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/vectorize.h"

#include <string.h>

dt_reduction dt_gradient_sum_choose(dt_reduce reduce, dt_overlap overlap, int ranks, int hosts,
                                    size_t P, size_t bytes_a_number)
{
    enum { PIECE_BYTES = 2 << 20, WORTH_IT_BYTES = 1 << 20 };
    const bool worth_it = hosts > 1 && P * bytes_a_number >= WORTH_IT_BYTES;
    if (ranks == 1)
        return (dt_reduction){0};
    if (reduce != DT_REDUCE_WINDOW &&
        (overlap == DT_OVERLAP_ON || (overlap == DT_OVERLAP_AUTO && worth_it)))
        return (dt_reduction){.piece = PIECE_BYTES / bytes_a_number};
    return (dt_reduction){.window = reduce == DT_REDUCE_WINDOW ||
                                    (reduce == DT_REDUCE_AUTO && ranks > hosts)};
}

/* ---- numbers of either kind ---- */

static size_t number_bytes(const dt_gradient_sum *sum)
{
    return sum->exact ? sizeof(int64_t) : sizeof(float);
}

static size_t bytes_of(const dt_gradient_sum *sum, size_t count)
{
    return count * number_bytes(sum);
}

static void *at(const dt_gradient_sum *sum, void *numbers, size_t i)
{
    return (char *)numbers + bytes_of(sum, i);
}

/* Unsigned: sums of gradients out of range are meaningless, but do not overflow. */
DT_VECTORIZE static void add_u64(uint64_t *restrict to, const uint64_t *restrict from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] += from[i];
}

DT_VECTORIZE static void add_f32(float *restrict to, const float *restrict from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] += from[i];
}

/* The sums over the ranks of this host, in their order. */
static void add_host(const dt_gradient_sum *sum, void *to, size_t first, size_t count)
{
    memcpy(to, at(sum, dt_window_area(sum->window, 0), first), bytes_of(sum, count));
    for (int rank = 1; rank < dt_window_size(sum->window); rank++) {
        const void *from = at(sum, dt_window_area(sum->window, rank), first);
        if (sum->exact)
            add_u64(to, from, count);
        else
            add_f32(to, from, count);
    }
}

static void sum_over(const dt_gradient_sum *sum, const dt_comm *ranks, void *numbers, size_t count)
{
    if (sum->exact)
        dt_comm_sum_i64(ranks, numbers, count);
    else
        dt_comm_sum_f32(ranks, numbers, count);
}

/* ---- memory ---- */

/* Behind the shared arrays is one more, for the tail's sums over the hosts. */
DT_MUST_USE static dt_status open_window(dt_gradient_sum *sum, const dt_launch *launch, bool yields,
                                         size_t states)
{
    const size_t P = sum->network->P, tail = bytes_of(sum, sum->tail), state = P * sizeof(float);
    dt_status status =
        dt_window_new(&sum->window, sum->comm, launch, yields, bytes_of(sum, P + sum->tail),
                      states + 1, state > tail ? state : tail);
    if (status != DT_OK) {
        if (dt_comm_rank(sum->comm) == 0)
            dt_log_warn("%s; MPI_Allreduce adds up the gradients", dt_status_text());
        return DT_OK;
    }
    sum->own = dt_window_area(sum->window, dt_window_rank(sum->window));
    sum->states = states;
    dt_window_slice(sum->window, P, &sum->slice_first, &sum->slice_count);
    DT_TRY(dt_memory_alloc(&sum->tail_sums, sum->tail, number_bytes(sum), "a step's sums"));
    if (dt_window_hosts(sum->window) > 1)
        DT_TRY(dt_memory_alloc(&sum->slice, sum->slice_count + sum->tail, number_bytes(sum),
                               "a slice's sums"));
out:
    return status;
}

dt_status dt_gradient_sum_init(dt_gradient_sum *out, const dt_comm *comm, const dt_launch *launch,
                               const dt_network *network, bool exact, size_t tail, size_t states,
                               dt_reduction how)
{
    dt_status status = DT_OK;
    const size_t P = network->P;
    *out = (dt_gradient_sum){.comm = comm, .network = network, .exact = exact, .tail = tail};
    if (how.window)
        DT_TRY(open_window(out, launch, how.yields, states));
    if (out->window != NULL)
        goto out;
    out->piece = how.piece;
    out->slice_count = P;
    DT_TRY(dt_memory_alloc(&out->own, P + tail, number_bytes(out), "gradient sums"));
    out->tail_sums = at(out, out->own, P);
    if (how.piece > 0)
        DT_TRY(dt_background_sum_new(&out->background, comm));
out:
    return status;
}

float *dt_gradient_sum_state(const dt_gradient_sum *sum, size_t state)
{
    return sum->window == NULL ? NULL : dt_window_array(sum->window, state);
}

void dt_gradient_sum_clear(dt_gradient_sum *sum)
{
    if (sum->window != NULL)
        dt_memory_free(sum->tail_sums);
    else
        dt_memory_free(sum->own);
    dt_memory_free(sum->slice);
    dt_window_free(sum->window);
    dt_background_sum_free(sum->background);
    *sum = (dt_gradient_sum){0};
}

/* ---- in pieces ---- */

void dt_gradient_sum_begin(dt_gradient_sum *sum, bool has_rows)
{
    sum->edge = sum->network->P;
    if (!has_rows)
        memset(sum->own, 0, bytes_of(sum, sum->network->P));
}

void dt_gradient_sum_take(dt_gradient_sum *sum, size_t first)
{
    const size_t count = sum->edge - first;
    if (count > 0 && (count >= sum->piece || first == 0)) {
        if (sum->exact)
            dt_background_sum_add_i64(sum->background, (int64_t *)sum->own + first, count);
        else
            dt_background_sum_add_f32(sum->background, (float *)sum->own + first, count);
        sum->edge = first;
    }
    dt_background_sum_poll(sum->background);
}

/* ---- the end of a step ---- */

static void sum_by_messages(dt_gradient_sum *sum)
{
    /* The tail is not sent like a piece, because for few numbers Open MPI uses a ring with a
     * message for each rank. Pieces that were sent proceed meanwhile. */
    const size_t P = sum->network->P, first = sum->background != NULL ? P : 0;
    DT_ASSERT(sum->background == NULL || sum->edge == 0);
    sum_over(sum, sum->comm, at(sum, sum->own, first), P - first + sum->tail);
    if (sum->background != NULL)
        dt_background_sum_wait(sum->background);
}

/* The owners of a slice add it over the hosts, and the tail with it; rank 0 of a host, which owns a
 * slice, shares the tail with ranks that own none. */
static void sum_over_hosts(dt_gradient_sum *sum)
{
    void *tail = at(sum, sum->slice, sum->slice_count);
    float *shown = dt_gradient_sum_state(sum, sum->states);
    add_host(sum, sum->slice, sum->slice_first, sum->slice_count);
    add_host(sum, tail, sum->network->P, sum->tail);
    sum_over(sum, dt_window_owners(sum->window), sum->slice, sum->slice_count + sum->tail);
    if (dt_window_rank(sum->window) == 0)
        memcpy(shown, tail, bytes_of(sum, sum->tail));
    dt_window_wait(sum->window);
    memcpy(sum->tail_sums, shown, bytes_of(sum, sum->tail));
}

void dt_gradient_sum_finish(dt_gradient_sum *sum)
{
    if (sum->window == NULL) {
        sum_by_messages(sum);
        return;
    }
    dt_window_wait(sum->window);
    if (sum->slice != NULL)
        sum_over_hosts(sum);
    else
        add_host(sum, sum->tail_sums, sum->network->P, sum->tail);
}

const void *dt_gradient_sum_block(const dt_gradient_sum *sum, size_t first, size_t count,
                                  void *scratch)
{
    if (sum->slice != NULL)
        return at(sum, sum->slice, first - sum->slice_first);
    if (sum->window == NULL)
        return at(sum, sum->own, first);
    add_host(sum, scratch, first, count);
    return scratch;
}

void dt_gradient_sum_end(dt_gradient_sum *sum)
{
    if (sum->window != NULL)
        dt_window_wait(sum->window);
}
