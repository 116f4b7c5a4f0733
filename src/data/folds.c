#include "dtrain/data/folds.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/random.h"

#include <stdlib.h>

/* Of one class: the rows still to come, and how many of them each fold still wants. */
typedef struct fold_class {
    uint64_t left;
    uint64_t *wanted; /* [K] */
    dt_random random;
} fold_class;

/* The remaining rows, which do not divide by K, go to the folds in turn, and the next class
 * continues with the next fold: so the folds' sizes differ by at most one row. */
static void share_out(fold_class *classes, size_t count, const dt_fold_plan *plan)
{
    size_t turn = 0;
    for (size_t c = 0; c < count; c++) {
        fold_class *class = &classes[c];
        const size_t more = (size_t)(class->left % plan->K);
        for (size_t k = 0; k < plan->K; k++)
            class->wanted[k] = class->left / plan->K;
        for (size_t i = 0; i < more; i++)
            class->wanted[(turn + i) % plan->K]++;
        turn = (turn + more) % plan->K;
        class->random = dt_random_start(plan->seed, DT_RANDOM_FOLDS, plan->repeat << 32 | c);
    }
}

static uint16_t assign(fold_class *class)
{
    uint64_t draw = dt_random_below(&class->random, class->left);
    size_t fold = 0;
    while (draw >= class->wanted[fold])
        draw -= class->wanted[fold++];
    class->wanted[fold]--;
    class->left--;
    return (uint16_t)fold;
}

dt_status dt_folds_assign(uint16_t *out, const int32_t *labels, uint64_t N,
                          const dt_fold_plan *plan)
{
    dt_status status = DT_OK;
    const size_t count = plan->C > 0 ? plan->C : 1;
    fold_class *classes = NULL;
    uint64_t *wanted = NULL;
    DT_ASSERT(plan->K >= 2 && plan->K <= UINT16_MAX);
    DT_TRY(dt_memory_alloc(&classes, count, sizeof *classes, "folds"));
    DT_TRY(dt_memory_alloc(&wanted, count, plan->K * sizeof *wanted, "folds"));
    for (size_t c = 0; c < count; c++)
        classes[c].wanted = wanted + c * plan->K;
    for (uint64_t i = 0; i < N; i++)
        classes[labels != NULL ? labels[i] : 0].left++;
    share_out(classes, count, plan);
    for (uint64_t i = 0; i < N; i++)
        out[i] = assign(&classes[labels != NULL ? labels[i] : 0]);
out:
    dt_memory_free(classes);
    dt_memory_free(wanted);
    return status;
}

/* ---- groups ---- */

typedef struct fold_group {
    uint64_t rows, group;
    uint64_t draw; /* decides among groups of one size */
    uint16_t fold;
} fold_group;

static int compare_sizes(const void *a, const void *b)
{
    const fold_group *x = a, *y = b;
    if (x->rows != y->rows)
        return x->rows > y->rows ? -1 : 1;
    if (x->draw != y->draw)
        return x->draw < y->draw ? -1 : 1;
    return x->group < y->group ? -1 : x->group > y->group;
}

static int compare_groups(const void *a, const void *b)
{
    const fold_group *x = a, *y = b;
    return x->group < y->group ? -1 : x->group > y->group;
}

static uint16_t find_smallest(const uint64_t *rows, size_t K)
{
    size_t smallest = 0;
    for (size_t k = 1; k < K; k++)
        if (rows[k] < rows[smallest])
            smallest = k;
    return (uint16_t)smallest;
}

dt_status dt_folds_assign_groups(uint16_t *out, const uint64_t *groups, uint64_t N, uint64_t G,
                                 const dt_fold_plan *plan)
{
    dt_status status = DT_OK;
    fold_group *all = NULL;
    uint64_t *rows = NULL; /* of each fold */
    dt_random random = dt_random_start(plan->seed, DT_RANDOM_FOLDS, plan->repeat << 32);
    DT_TRY(dt_memory_alloc(&all, G, sizeof *all, "groups of rows"));
    DT_TRY(dt_memory_alloc(&rows, plan->K, sizeof *rows, "folds"));
    for (uint64_t g = 0; g < G; g++) {
        const uint64_t high = dt_random_u32(&random);
        all[g] = (fold_group){.group = g, .draw = high << 32 | dt_random_u32(&random)};
    }
    for (uint64_t i = 0; i < N; i++)
        all[groups[i]].rows++;
    qsort(all, G, sizeof *all, compare_sizes);
    for (uint64_t g = 0; g < G; g++) {
        all[g].fold = find_smallest(rows, plan->K);
        rows[all[g].fold] += all[g].rows;
    }
    qsort(all, G, sizeof *all, compare_groups);
    for (uint64_t i = 0; i < N; i++)
        out[i] = all[groups[i]].fold;
out:
    dt_memory_free(all);
    dt_memory_free(rows);
    return status;
}
