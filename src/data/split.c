#include "dtrain/data/split.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/random.h"

#include <math.h>
#include <stdlib.h>

/* Of one class: the rows still to come, and how many of them validation and test still want. */
typedef struct class_state {
    uint64_t left;
    uint64_t wanted[DT_SET_COUNT];
    dt_random random;
} class_state;

struct dt_split {
    class_state *classes;
    unsigned char *sets; /* two bits a row */
    uint64_t next_row;
};

/* A class's claim to one more row: the remainder of its share. */
typedef struct claim {
    double remainder;
    size_t label;
} claim;

static int compare_claims(const void *a, const void *b)
{
    const claim *x = a, *y = b;
    if (x->remainder != y->remainder)
        return x->remainder > y->remainder ? -1 : 1;
    return x->label < y->label ? -1 : 1;
}

/* Gives a set its share of every class, so that all together are the share of all rows, rounded to
 * the nearest: rounded down, and one row more for those with the largest remainders. */
static void share_out(dt_split *split, const uint64_t *class_rows, size_t class_count, dt_set set,
                      double share, claim *claims)
{
    uint64_t rows = 0, given = 0;
    for (size_t c = 0; c < class_count; c++) {
        const double wanted = (double)class_rows[c] * share;
        split->classes[c].wanted[set] = (uint64_t)wanted;
        claims[c] = (claim){.remainder = wanted - floor(wanted), .label = c};
        rows += class_rows[c];
        given += split->classes[c].wanted[set];
    }
    qsort(claims, class_count, sizeof *claims, compare_claims);
    const uint64_t total = (uint64_t)floor((double)rows * share + 0.5);
    for (size_t i = 0; i < class_count && given < total; i++, given++)
        split->classes[claims[i].label].wanted[set]++;
}

static void start_class(class_state *state, uint64_t rows, dt_random random)
{
    uint64_t *wanted = state->wanted;
    /* Training must keep a row of each class, even after rounding up twice, or if a class has one
     * row. */
    while (rows > 0 && wanted[DT_VALIDATION] + wanted[DT_TEST] >= rows) {
        if (wanted[DT_TEST] > 0)
            wanted[DT_TEST]--;
        else
            wanted[DT_VALIDATION]--;
    }
    wanted[DT_TRAIN] = rows - wanted[DT_VALIDATION] - wanted[DT_TEST];
    state->left = rows;
    state->random = random;
}

dt_status dt_split_new(dt_split **out, const uint64_t *class_rows, size_t class_count,
                       double validation, double test, uint64_t seed)
{
    dt_status status = DT_OK;
    dt_split *split = NULL;
    claim *claims = NULL;
    uint64_t rows = 0;
    *out = NULL;
    DT_TRY(dt_memory_alloc(&split, 1, sizeof *split, "split"));
    DT_TRY(dt_memory_alloc(&split->classes, class_count, sizeof *split->classes, "split"));
    DT_TRY(dt_memory_alloc(&claims, class_count, sizeof *claims, "split"));
    share_out(split, class_rows, class_count, DT_VALIDATION, validation, claims);
    share_out(split, class_rows, class_count, DT_TEST, test, claims);
    for (size_t c = 0; c < class_count; c++) {
        start_class(&split->classes[c], class_rows[c], dt_random_start(seed, DT_RANDOM_SPLIT, c));
        rows += class_rows[c];
    }
    DT_TRY(dt_memory_alloc(&split->sets, rows / 4 + 1, 1, "split"));
    *out = split;
out:
    dt_memory_free(claims);
    if (status != DT_OK)
        dt_split_free(split);
    return status;
}

void dt_split_free(dt_split *split)
{
    if (split == NULL)
        return;
    dt_memory_free(split->classes);
    dt_memory_free(split->sets);
    dt_memory_free(split);
}

dt_set dt_split_assign(dt_split *split, size_t label)
{
    class_state *state = &split->classes[label];
    DT_ASSERT(state->left > 0);
    const uint64_t draw = dt_random_below(&state->random, state->left);
    dt_set set = DT_TRAIN;
    if (draw < state->wanted[DT_VALIDATION])
        set = DT_VALIDATION;
    else if (draw < state->wanted[DT_VALIDATION] + state->wanted[DT_TEST])
        set = DT_TEST;
    state->wanted[set]--;
    state->left--;
    const uint64_t row = split->next_row++;
    split->sets[row / 4] |= (unsigned char)(set << row % 4 * 2);
    return set;
}

dt_set dt_split_set_of(const dt_split *split, uint64_t row)
{
    return (dt_set)(split->sets[row / 4] >> row % 4 * 2 & 3);
}

uint64_t dt_split_rows(const dt_split *split, dt_set set, size_t label)
{
    return split->classes[label].wanted[set];
}
