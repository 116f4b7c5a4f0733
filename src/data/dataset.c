#include "dtrain/data/dataset.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/random.h"

#include <stdbool.h>
#include <string.h>

size_t dt_dataset_first_shard(int rank, int size, size_t S)
{
    return S * (size_t)rank / (size_t)size;
}

static void free_names(dt_dataset *set)
{
    dt_memory_free_texts(set->class_names, set->C);
    set->class_names = NULL;
}

static void free_texts(dt_row_texts *texts)
{
    dt_memory_free(texts->text);
    dt_memory_free(texts->at);
}

void dt_dataset_clear(dt_dataset *set)
{
    free_names(set);
    dt_memory_free(set->class_rows);
    dt_memory_free(set->shard_start);
    dt_memory_free(set->x);
    dt_memory_free(set->y);
    dt_memory_free(set->w);
    dt_memory_free(set->class_weights);
    dt_memory_free(set->order);
    dt_memory_free(set->numbers);
    free_texts(&set->ids);
    free_texts(&set->groups);
    *set = (dt_dataset){0};
}

/* Rows first .. first + count - 1 of an array become its beginning. */
static void keep_rows(void *array, size_t first, size_t count, size_t bytes)
{
    if (array != NULL)
        memmove(array, (char *)array + first * bytes, count * bytes);
}

/* The order is drawn anew in each epoch. */
void dt_dataset_narrow(dt_dataset *set, int rank, int size)
{
    if (set->shard_start == NULL)
        return;
    const size_t first = dt_dataset_first_shard(rank, size, set->S) - set->first_shard;
    const size_t end = dt_dataset_first_shard(rank + 1, size, set->S) - set->first_shard;
    const size_t from = set->shard_start[first], rows = set->shard_start[end] - from;
    DT_ASSERT(first <= end && end <= set->shard_count);
    keep_rows(set->x, from, rows, set->D * sizeof *set->x);
    keep_rows(set->y, from, rows, set->T * sizeof *set->y);
    keep_rows(set->w, from, rows, sizeof *set->w);
    for (size_t s = first; s <= end; s++)
        set->shard_start[s - first] = set->shard_start[s] - from;
    set->first_shard += first;
    set->shard_count = end - first;
    if (rank == 0)
        return;
    dt_memory_free(set->numbers);
    set->numbers = NULL;
    free_texts(&set->ids);
    free_texts(&set->groups);
    set->ids = set->groups = (dt_row_texts){0};
}

dt_status dt_dataset_map_classes(dt_dataset *set, const int32_t *map, size_t C)
{
    dt_status status = DT_OK;
    uint64_t *class_rows = NULL;
    float *class_weights = NULL;
    DT_TRY(dt_memory_alloc(&class_rows, C, sizeof *class_rows, "classes"));
    if (set->class_weights != NULL)
        DT_TRY(dt_memory_alloc(&class_weights, C, sizeof *class_weights, "class weights"));
    for (size_t c = 0; c < set->C; c++) {
        class_rows[map[c]] += set->class_rows[c];
        if (class_weights != NULL)
            class_weights[map[c]] = set->class_weights[c];
    }
    for (size_t i = 0; i < dt_dataset_own_rows(set) * set->T; i++)
        set->y[i].label = map[set->y[i].label];
    dt_memory_free(set->class_rows);
    dt_memory_free(set->class_weights);
    free_names(set);
    set->class_rows = class_rows;
    set->class_weights = class_weights;
    set->C = C;
    class_rows = NULL;
    class_weights = NULL;
out:
    dt_memory_free(class_rows);
    dt_memory_free(class_weights);
    return status;
}

size_t dt_dataset_own_rows(const dt_dataset *set)
{
    return set->shard_start != NULL ? set->shard_start[set->shard_count] : 0;
}

void dt_dataset_shuffle(dt_dataset *set, uint64_t seed, uint64_t epoch)
{
    for (size_t s = 0; s < set->shard_count; s++) {
        const uint64_t stream = epoch << 32 | (set->first_shard + s);
        dt_random random = dt_random_start(seed, DT_RANDOM_SHUFFLE, stream);
        const size_t start = set->shard_start[s];
        dt_random_permutation(&random, set->order + start, set->shard_start[s + 1] - start);
    }
}

uint64_t dt_dataset_positions(uint64_t count, size_t shard, size_t S)
{
    return (count + S - 1 - shard) / S;
}

/* Prefetches a row that is read later. */
static void fetch(const float *row, size_t D)
{
    enum { LINE = 16, SECOND_LEVEL = 2 };
    for (size_t j = 0; j < D; j += LINE)
        __builtin_prefetch(row + j, 0, SECOND_LEVEL);
    __builtin_prefetch(row + D - 1, 0, SECOND_LEVEL);
}

static float class_weight(const dt_dataset *set, dt_target y)
{
    return set->class_weights != NULL ? set->class_weights[y.label] : 1.0f;
}

void dt_dataset_take(const dt_dataset *set, uint64_t first, uint64_t count, const dt_batch *batch)
{
    /* Rows are scattered in memory. The rows of a small step are prefetched while the previous step
     * is computed, others a few rows ahead. */
    enum { SMALL_FLOATS = 48 * 1024, FEW = 6 };
    const size_t D = set->D, T = set->T;
    const bool small = count * D / set->S * set->shard_count <= SMALL_FLOATS;
    size_t taken = 0;
    for (size_t s = 0; s < set->shard_count; s++) {
        const size_t shard = set->first_shard + s;
        const uint64_t from = dt_dataset_positions(first, shard, set->S);
        const uint64_t to = dt_dataset_positions(first + count, shard, set->S);
        const uint64_t rows = set->shard_start[s + 1] - set->shard_start[s];
        const uint64_t ahead = small ? to - from : FEW;
        const uint32_t *order = set->order + set->shard_start[s];
        const float *shard_x = set->x + set->shard_start[s] * D;
        const dt_target *shard_y = set->y + set->shard_start[s] * T;
        const float *shard_w = set->w != NULL ? set->w + set->shard_start[s] : NULL;
        batch->start[s] = taken;
        for (uint64_t position = from; position < to; position++, taken++) {
            const size_t row = order[position];
            if (position + ahead < rows) {
                fetch(shard_x + order[position + ahead] * D, D);
                __builtin_prefetch(shard_y + order[position + ahead] * T);
            }
            dt_panels_put_row(batch->x, taken, shard_x + row * D);
            batch->y[taken * T] = shard_y[row * T];
            for (size_t j = 1; j < T; j++)
                batch->y[taken * T + j] = shard_y[row * T + j];
            if (batch->w != NULL)
                batch->w[taken] =
                    (shard_w != NULL ? shard_w[row] : 1.0f) * class_weight(set, shard_y[row * T]);
            batch->positions[taken] = position * set->S + shard;
        }
    }
    batch->start[set->shard_count] = taken;
}

size_t dt_dataset_take_capacity(const dt_dataset *set, uint64_t count)
{
    const uint64_t most = count < set->N ? count : set->N;
    return (size_t)((most + set->S - 1) / set->S) * set->shard_count;
}

size_t dt_dataset_majority_class(const dt_dataset *set)
{
    size_t majority = 0;
    for (size_t c = 1; c < set->C; c++)
        if (set->class_rows[c] > set->class_rows[majority])
            majority = c;
    return majority;
}
