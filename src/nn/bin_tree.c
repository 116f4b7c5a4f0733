#include "dtrain/nn/bin_tree.h"

#include "dtrain/base/memory.h"

#include <stdbool.h>
#include <string.h>

/* ---- groups ---- */

void dt_bin_groups_make(dt_bin_groups *groups, const dt_value_count *values, size_t count,
                        size_t most)
{
    double rows = 0.0, before = 0.0;
    size_t made = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        rows += values[i].rows;
    for (size_t i = 0; i < count; i++) {
        const size_t next = count <= most ? i : (size_t)(before / rows * (double)most);
        if (i == 0 || next > at)
            groups->first[made++] = values[i].value;
        groups->last[made - 1] = values[i].value;
        before += values[i].rows;
        at = next;
    }
    groups->count = made;
}

size_t dt_bin_groups_find(const dt_bin_groups *groups, float value)
{
    size_t from = 0, count = groups->count;
    while (count > 1) {
        const size_t half = count / 2;
        from += groups->last[from + half - 1] < value ? half : 0;
        count -= half;
    }
    return from;
}

/* ---- the tree ---- */

/* Groups from .. to-1, and their best split: before group `cut`. */
typedef struct leaf {
    size_t from, to, cut;
    double gain; /* 0: there is no cut */
} leaf;

typedef struct tree {
    const dt_bin_groups *groups;
    int64_t *left, *all; /* [1 + K]: sums */
    leaf leaves[DT_BINS_MAX]; /* in the order of their values */
    size_t count;
} tree;

static void add_sums(int64_t *sums, const dt_bin_groups *groups, size_t group)
{
    const int64_t *more = groups->sums + group * (1 + groups->K);
    for (size_t k = 0; k <= groups->K; k++)
        sums[k] += more[k];
}

/* Quotients of equal fractions are equal, and so are the gains of mirror images. */
static double gain_of(const int64_t *left, const int64_t *all, size_t K)
{
    const double l = (double)left[0], r = (double)(all[0] - left[0]);
    double squares = 0.0;
    for (size_t k = 1; k <= K; k++) {
        const double distance = (double)left[k] / l - (double)(all[k] - left[k]) / r;
        squares += distance * distance;
    }
    return l * r / (l + r) * squares;
}

static void find_cut(tree *t, leaf *of)
{
    const dt_bin_groups *groups = t->groups;
    const size_t bytes = (1 + groups->K) * sizeof *t->all;
    memset(t->left, 0, bytes);
    memset(t->all, 0, bytes);
    of->gain = 0.0;
    for (size_t g = of->from; g < of->to; g++)
        add_sums(t->all, groups, g);
    for (size_t g = of->from; g + 1 < of->to; g++) {
        add_sums(t->left, groups, g);
        if (t->left[0] < DT_BIN_TREE_ROWS)
            continue;
        if (t->all[0] - t->left[0] < DT_BIN_TREE_ROWS)
            break;
        const double gain = gain_of(t->left, t->all, groups->K);
        if (gain > of->gain) {
            of->gain = gain;
            of->cut = g + 1;
        }
    }
}

/* Splits the leaf with the largest gain, the lowest among equals; returns whether there was one. */
static bool split_best(tree *t)
{
    size_t best = 0;
    for (size_t i = 1; i < t->count; i++)
        if (t->leaves[i].gain > t->leaves[best].gain)
            best = i;
    leaf *at = &t->leaves[best];
    if (!(at->gain > 0.0))
        return false;
    memmove(at + 1, at, (t->count - best) * sizeof *at);
    t->count++;
    at[0].to = at[1].from = at[0].cut;
    find_cut(t, &at[0]);
    find_cut(t, &at[1]);
    return true;
}

static float middle(float below, float above)
{
    const float value = (float)((double)below / 2.0 + (double)above / 2.0);
    return value < above ? value : below;
}

dt_status dt_bin_tree_choose(float *out, size_t *edges, const dt_bin_groups *groups, size_t bins)
{
    dt_status status = DT_OK;
    tree t = {.groups = groups, .count = 1};
    *edges = 0;
    DT_ASSERT(bins >= 2 && bins <= DT_BINS_MAX && groups->count > 0);
    DT_TRY(dt_memory_alloc(&t.left, 1 + groups->K, sizeof *t.left, "sums of a bin"));
    DT_TRY(dt_memory_alloc(&t.all, 1 + groups->K, sizeof *t.all, "sums of a bin"));
    t.leaves[0] = (leaf){.to = groups->count};
    find_cut(&t, &t.leaves[0]);
    while (t.count < bins && split_best(&t))
        continue;
    out[0] = groups->first[0];
    for (size_t i = 1; i < t.count; i++) {
        const size_t cut = t.leaves[i].from;
        out[i] = middle(groups->last[cut - 1], groups->first[cut]);
    }
    out[t.count] = groups->last[groups->count - 1];
    *edges = dt_bins_finish(out, t.count + 1);
out:
    dt_memory_free(t.left);
    dt_memory_free(t.all);
    return status;
}
