#include "dtrain/data/split.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/random.h"

#include <math.h>

/* Of one class: the rows still to come, and how many of them validation and test still want. */
typedef struct class_state {
    uint64_t left;
    uint64_t wanted[DT_PART_COUNT];
    dt_random random;
} class_state;

struct dt_split {
    class_state *classes;
    unsigned char *parts; /* two bits a row */
    uint64_t next_row;
};

static void start_class(class_state *state, uint64_t rows, double validation, double test,
                        dt_random random)
{
    uint64_t held_out[DT_PART_COUNT] = {0};
    held_out[DT_VALIDATION] = (uint64_t)floor((double)rows * validation + 0.5);
    held_out[DT_TEST] = (uint64_t)floor((double)rows * test + 0.5);
    /* Rounding up twice, or a class of one row, must not leave training without the class. */
    while (rows > 0 && held_out[DT_VALIDATION] + held_out[DT_TEST] >= rows) {
        if (held_out[DT_TEST] > 0)
            held_out[DT_TEST]--;
        else
            held_out[DT_VALIDATION]--;
    }
    *state = (class_state){.left = rows, .random = random};
    state->wanted[DT_VALIDATION] = held_out[DT_VALIDATION];
    state->wanted[DT_TEST] = held_out[DT_TEST];
    state->wanted[DT_TRAIN] = rows - held_out[DT_VALIDATION] - held_out[DT_TEST];
}

dt_status dt_split_new(dt_split **out, const uint64_t *class_rows, size_t class_count,
                       double validation, double test, uint64_t seed)
{
    dt_status status = DT_OK;
    dt_split *split = NULL;
    uint64_t rows = 0;
    *out = NULL;
    DT_TRY(dt_memory_alloc(&split, 1, sizeof *split, "split"));
    DT_TRY(dt_memory_alloc(&split->classes, class_count, sizeof *split->classes, "split"));
    for (size_t c = 0; c < class_count; c++) {
        start_class(&split->classes[c], class_rows[c], validation, test,
                    dt_random_start(seed, DT_RANDOM_SPLIT, c));
        rows += class_rows[c];
    }
    DT_TRY(dt_memory_alloc(&split->parts, rows / 4 + 1, 1, "split"));
    *out = split;
out:
    if (status != DT_OK)
        dt_split_free(split);
    return status;
}

void dt_split_free(dt_split *split)
{
    if (split == NULL)
        return;
    dt_memory_free(split->classes);
    dt_memory_free(split->parts);
    dt_memory_free(split);
}

dt_part dt_split_assign(dt_split *split, size_t label)
{
    class_state *state = &split->classes[label];
    DT_ASSERT(state->left > 0);
    const uint64_t draw = dt_random_below(&state->random, state->left);
    dt_part part = DT_TRAIN;
    if (draw < state->wanted[DT_VALIDATION])
        part = DT_VALIDATION;
    else if (draw < state->wanted[DT_VALIDATION] + state->wanted[DT_TEST])
        part = DT_TEST;
    state->wanted[part]--;
    state->left--;
    const uint64_t row = split->next_row++;
    split->parts[row / 4] |= (unsigned char)(part << row % 4 * 2);
    return part;
}

dt_part dt_split_part_of(const dt_split *split, uint64_t row)
{
    return (dt_part)(split->parts[row / 4] >> row % 4 * 2 & 3);
}

uint64_t dt_split_rows(const dt_split *split, dt_part part, size_t label)
{
    return split->classes[label].wanted[part];
}
