#include "dtrain/data/folds.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/random.h"

/* Of one class: the rows still to come, and how many of them each fold still wants. */
typedef struct fold_class {
    uint64_t left;
    uint64_t *wanted; /* [K] */
    dt_random random;
} fold_class;

/* Rows that do not divide by K go one each to the folds in turn, and the turn goes on with the next
 * class: so the folds' sizes differ by one row at most. */
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
