/*
 * The edges of bins, from the values of all ranks: each rank sorts its rows' values of one input
 * and counts the equal ones; rank 0 merges what the ranks have. The result depends on the rows
 * alone, in any order.
 */
#include "dtrain/data/dataset.h"

#include "dataset_bins_internal.h"
#include "dtrain/base/memory.h"

#include <math.h>
#include <string.h>

/* ---- one rank's values ---- */

/* Unsigned numbers in the order of the floats. */
static uint32_t key_of(float value)
{
    uint32_t bits;
    value += 0.0f; /* -0 becomes 0 */
    memcpy(&bits, &value, sizeof bits);
    return (bits & UINT32_C(0x80000000)) != 0 ? ~bits : bits | UINT32_C(0x80000000);
}

static float value_of(uint32_t key)
{
    float value;
    const uint32_t bits = (key & UINT32_C(0x80000000)) != 0 ? key & UINT32_C(0x7FFFFFFF) : ~key;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Sorts byte by byte, from the lowest; `other` is scratch [count]. */
static void sort_keys(uint32_t *keys, uint32_t *other, size_t count)
{
    enum { DIGITS = 4, BITS = 8, VALUES = 1 << BITS };
    for (unsigned digit = 0; digit < DIGITS; digit++) {
        size_t at[VALUES] = {0}, first = 0;
        for (size_t i = 0; i < count; i++)
            at[keys[i] >> (digit * BITS) & (VALUES - 1)]++;
        for (size_t v = 0; v < VALUES; v++) {
            const size_t here = at[v];
            at[v] = first;
            first += here;
        }
        for (size_t i = 0; i < count; i++)
            other[at[keys[i] >> (digit * BITS) & (VALUES - 1)]++] = keys[i];
        uint32_t *const swap = keys;
        keys = other;
        other = swap;
    }
}

static void add_rows(uint32_t *rows, uint32_t more)
{
    *rows = *rows > UINT32_MAX - more ? UINT32_MAX : *rows + more;
}

/* Counts the rows of each value; returns the number of values. */
static size_t count_values(dt_value_count *out, const uint32_t *keys, size_t count)
{
    size_t values = 0;
    for (size_t i = 0; i < count; i++)
        if (i > 0 && keys[i] == keys[i - 1])
            add_rows(&out[values - 1].rows, 1);
        else
            out[values++] = (dt_value_count){value_of(keys[i]), 1};
    return values;
}

/* ---- all ranks' values ---- */

/* Merges two lists; returns the length of the result. */
static size_t merge(dt_value_count *out, const dt_value_count *a, size_t a_count,
                    const dt_value_count *b, size_t b_count)
{
    size_t values = 0;
    while (a_count > 0 || b_count > 0) {
        const bool takes_a = b_count == 0 || (a_count > 0 && a->value <= b->value);
        const bool takes_b = a_count == 0 || (b_count > 0 && b->value <= a->value);
        dt_value_count next = takes_a ? *a : *b;
        if (takes_a && takes_b)
            add_rows(&next.rows, b->rows);
        a += takes_a;
        a_count -= takes_a;
        b += takes_b;
        b_count -= takes_b;
        out[values++] = next;
    }
    return values;
}

/* The memory shared by the calls for one input after another. */
typedef struct work {
    const dt_comm *comm;
    const dt_dataset *set;
    const dt_bin_rule *rule;
    dt_bin_trees trees; /* zeroed: not DT_BINS_BY_TREE */
    size_t own; /* this rank's rows */
    uint32_t *keys, *other; /* [own] */
    dt_value_count *mine; /* [own] */
    size_t *lengths, *bytes; /* [ranks]: of their lists */
    dt_value_count *all, *merged; /* rank 0: [most]: the ranks' lists */
    size_t most;
    bool *numbers; /* [D]: other inputs, such as categories, are excluded before sorting */
} work;

DT_MUST_USE static dt_status start(work *w, const dt_comm *comm, const dt_dataset *set,
                                   const dt_bin_rule *rule)
{
    dt_status status = DT_OK;
    const size_t ranks = (size_t)dt_comm_size(comm);
    *w = (work){.comm = comm, .set = set, .rule = rule, .own = dt_dataset_own_rows(set)};
    DT_TRY(dt_memory_alloc(&w->keys, w->own, sizeof *w->keys, "values of an input"));
    DT_TRY(dt_memory_alloc(&w->other, w->own, sizeof *w->other, "values of an input"));
    DT_TRY(dt_memory_alloc(&w->mine, w->own, sizeof *w->mine, "values of an input"));
    DT_TRY(dt_memory_alloc(&w->lengths, ranks, sizeof *w->lengths, "numbers of values"));
    DT_TRY(dt_memory_alloc(&w->bytes, ranks, sizeof *w->bytes, "numbers of values"));
    DT_TRY(dt_memory_alloc(&w->numbers, set->D, sizeof *w->numbers, "kinds of inputs"));
    if (rule->by == DT_BINS_BY_TREE)
        DT_TRY(dt_bin_trees_init(&w->trees, comm, set, rule->scale));
out:
    return status;
}

static void end(work *w)
{
    dt_memory_free(w->keys);
    dt_memory_free(w->other);
    dt_memory_free(w->mine);
    dt_memory_free(w->lengths);
    dt_memory_free(w->bytes);
    dt_memory_free(w->numbers);
    dt_memory_free(w->all);
    dt_memory_free(w->merged);
    dt_bin_trees_clear(&w->trees);
}

/* Rank 0: room for the lists of all ranks. */
DT_MUST_USE static dt_status make_room(work *w)
{
    dt_status status = DT_OK;
    size_t total = 0;
    for (int rank = 0; rank < dt_comm_size(w->comm); rank++) {
        w->bytes[rank] = w->lengths[rank] * sizeof *w->all;
        total += w->lengths[rank];
    }
    if (dt_comm_rank(w->comm) != 0 || total <= w->most)
        return DT_OK;
    dt_memory_free(w->all);
    dt_memory_free(w->merged);
    w->all = w->merged = NULL;
    w->most = total;
    DT_TRY(dt_memory_alloc(&w->all, total, sizeof *w->all, "values of an input"));
    DT_TRY(dt_memory_alloc(&w->merged, total, sizeof *w->merged, "values of an input"));
out:
    return status;
}

/* Rank 0: merges neighbours until one list is left; returns its length. */
static size_t merge_all(work *w)
{
    size_t lists = (size_t)dt_comm_size(w->comm);
    DT_ASSERT(w->all != NULL && w->merged != NULL); /* there are rows */
    while (lists > 1) {
        const dt_value_count *from = w->all;
        dt_value_count *to = w->merged;
        size_t made = 0;
        for (size_t i = 0; i < lists; i += 2) {
            const size_t a = w->lengths[i], b = i + 1 < lists ? w->lengths[i + 1] : 0;
            w->lengths[made] = merge(to, from, a, from + a, b);
            to += w->lengths[made++];
            from += a + b;
        }
        lists = made;
        dt_value_count *const swap = w->all;
        w->all = w->merged;
        w->merged = swap;
    }
    return w->lengths[0];
}

/* From the values of all ranks, which rank 0 has. Errors: on rank 0 alone. */
DT_MUST_USE static dt_status choose(work *w, dt_bins *out, size_t d, size_t values, float *edges)
{
    dt_status status = DT_OK;
    const bool root = dt_comm_rank(w->comm) == 0;
    const size_t bins = w->rule->bins;
    size_t count = 0;
    bool by_tree = w->rule->by == DT_BINS_BY_TREE;
    by_tree = by_tree && !(root && dt_bins_are_values(w->all, values));
    dt_comm_broadcast(w->comm, &by_tree, sizeof by_tree);
    if (by_tree)
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): `end` frees both lists, whoever has which */
        DT_TRY(dt_bin_trees_choose(&w->trees, edges, &count, d, w->all, values, bins));
    else if (root)
        count = dt_bins_choose(edges, w->all, values, bins);
    if (root)
        DT_TRY(dt_bins_add(out, d, edges, count));
out:
    return status;
}

/* The edges of input d, on rank 0. */
DT_MUST_USE static dt_status find_edges(work *w, dt_bins *out, size_t d, float *edges)
{
    dt_status status = DT_OK;
    const dt_dataset *set = w->set;
    for (size_t i = 0; i < w->own; i++)
        w->keys[i] = key_of(set->x[i * set->D + d]);
    sort_keys(w->keys, w->other, w->own);
    const size_t length = count_values(w->mine, w->keys, w->own);
    dt_comm_allgather(w->comm, w->lengths, &length, sizeof length);
    DT_TRY(dt_comm_agree(w->comm, make_room(w)));
    dt_comm_gatherv(w->comm, 0, w->all, w->bytes, w->mine, length * sizeof *w->mine);
    const size_t values = dt_comm_rank(w->comm) == 0 ? merge_all(w) : 0;
    DT_TRY(dt_comm_agree(w->comm, choose(w, out, d, values, edges)));
out:
    return status;
}

/* From rank 0 to all. */
DT_MUST_USE static dt_status share(dt_bins *bins, const dt_comm *comm)
{
    dt_status status = DT_OK;
    size_t numbers[] = {bins->encoded, bins->count};
    dt_comm_broadcast(comm, numbers, sizeof numbers);
    dt_comm_broadcast(comm, bins->counts, bins->D * sizeof *bins->counts);
    if (dt_comm_rank(comm) != 0) {
        bins->encoded = numbers[0];
        bins->count = numbers[1];
        status = dt_memory_alloc(&bins->edges, bins->count, sizeof *bins->edges, "edges");
    }
    DT_TRY(dt_comm_agree(comm, status));
    if (bins->count > 0)
        dt_comm_broadcast(comm, bins->edges, bins->count * sizeof *bins->edges);
out:
    return status;
}

dt_status dt_dataset_find_bins(dt_bins *out, const dt_comm *comm, const dt_dataset *set,
                               const dt_bin_rule *rule)
{
    dt_status status = DT_OK;
    float edges[DT_BINS_MAX + 1];
    work w = {0};
    *out = (dt_bins){0};
    DT_ASSERT(rule->bins >= 2 && rule->bins <= DT_BINS_MAX);
    DT_TRY(dt_comm_agree(comm, dt_bins_init(out, set->D)));
    DT_TRY(dt_comm_agree(comm, start(&w, comm, set, rule)));
    DT_TRY(dt_dataset_find_numbers(w.numbers, comm, set));
    for (size_t d = 0; d < set->D; d++)
        if (w.numbers[d])
            DT_TRY(find_edges(&w, out, d, edges));
    DT_TRY(share(out, comm));
out:
    end(&w);
    if (status != DT_OK)
        dt_bins_clear(out);
    return status;
}
