#include "dtrain/data/dataset.h"

#include "dataset_internal.h"
#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/data/prepare.h"
#include "dtrain/data/split.h"
#include "labels.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Numbers in a tile, the piece of an array that is read, converted and dealt at a time: large
 * enough for the disk and the network, small compared with the memory of rank 0. */
enum { TILE_ITEMS = 512 * 1024 };

/* Labels that can be found at a time, until their number is checked. */
enum { FOUND_AT_ONCE = 512 * 1024 };

/* The numbers that all ranks need before they can allocate. */
typedef struct facts {
    uint64_t rows[DT_SET_COUNT];
    uint64_t D, C, T;
    int32_t values; /* targets are values, not classes */
    int32_t weighted[DT_SET_COUNT];
} facts;

/* ---- first pass: what is there (root-only) ---- */

/* `room`: classes that there can be. */
static dt_status count_labels(dt_loader *l, dt_set set, size_t room)
{
    dt_status status = DT_OK;
    dt_labels labels = {0};
    int32_t *y = NULL;
    DT_TRY(dt_memory_alloc(&l->class_rows[set], room, sizeof(uint64_t), "classes"));
    if (l->source->sets[set].targets == NULL)
        goto out;
    DT_TRY(dt_labels_open(&labels, &l->source->sets[set], &l->classes));
    DT_TRY(dt_memory_alloc(&y, labels.capacity, sizeof *y, "labels"));
    for (size_t count = 1; count > 0;) {
        DT_TRY(dt_labels_read(&labels, y, &count));
        for (size_t i = 0; i < count; i++)
            l->class_rows[set][y[i]]++;
    }
out:
    dt_labels_close(&labels);
    dt_memory_free(y);
    return status;
}

/* Many different whole numbers with few rows each are more likely values; names that are different
 * in nearly every row are not classes. Fewer numbers may be values, too, as in tables. */
static dt_status check_found(const dt_loader *l)
{
    enum { SEVERAL = 20, MANY = 100, ROWS_A_CLASS = 10 };
    const dt_source_set *set = &l->source->sets[DT_TRAIN];
    const uint64_t N = set->targets->npy.shape[0];
    const size_t count = l->classes.count;
    const bool texts = dt_npy_is_text(&set->targets->npy);
    if (l->deal->targets != DT_TARGETS_AUTO)
        return DT_OK;
    if (count > MANY && count > N / ROWS_A_CLASS)
        return dt_fail(
            DT_DATA,
            "%s: %s has %zu different labels in %llu rows; use --task classification for classes%s",
            dt_npz_path(set->npz), set->targets->name, count, (unsigned long long)N,
            texts ? "" : ", or --task regression for values");
    if (count > SEVERAL && !texts)
        dt_log_warn("%s: %s has %zu whole numbers, which are used as classes; use --task "
                    "regression to predict a quantity, or --task classification to confirm",
                    dt_npz_path(set->npz), set->targets->name, count);
    return DT_OK;
}

/* The labels that occur are the classes. */
static dt_status find_classes(dt_loader *l)
{
    dt_status status = DT_OK;
    dt_classes_find_all(&l->classes);
    DT_TRY(count_labels(l, DT_TRAIN, DT_CLASSES_MAX + FOUND_AT_ONCE));
    DT_TRY(dt_classes_settle(&l->classes, l->class_rows[DT_TRAIN]));
    DT_TRY(dt_classes_copy_names(&l->class_names, &l->classes));
    DT_TRY(check_found(l));
    if (l->class_names == NULL) { /* plain ids */
        const size_t count = l->classes.count;
        dt_classes_clear(&l->classes);
        DT_TRY(dt_classes_init(&l->classes, NULL, count, true));
    }
out:
    return status;
}

/* The classes are ids: those that one-hot rows have columns for, or else up to the largest one. */
static dt_status count_ids(dt_loader *l)
{
    dt_status status = DT_OK;
    size_t count = dt_labels_one_hot_width(&l->source->sets[DT_TRAIN]);
    DT_TRY(dt_classes_init(&l->classes, NULL, DT_CLASSES_MAX, true));
    DT_TRY(count_labels(l, DT_TRAIN, DT_CLASSES_MAX));
    for (size_t c = 0; c < DT_CLASSES_MAX; c++)
        if (l->class_rows[DT_TRAIN][c] > 0 && c >= count)
            count = c + 1;
    l->classes.count = count;
out:
    return status;
}

/* C: the number that the caller knows; else the one found from the labels. */
static dt_status count_classes(dt_loader *l, uint64_t *out)
{
    dt_status status = DT_OK;
    const dt_source_set *set = &l->source->sets[DT_TRAIN];
    size_t present = 0, only = 0;
    if (l->deal->C != 0) {
        DT_TRY(dt_classes_init(&l->classes, l->deal->class_names, l->deal->C, l->deal->ids));
        DT_TRY(count_labels(l, DT_TRAIN, l->deal->C));
        *out = l->deal->C;
        goto out;
    }
    if (l->deal->ids || dt_labels_one_hot_width(set) > 0)
        DT_TRY(count_ids(l));
    else
        DT_TRY(find_classes(l));
    *out = l->classes.count;
    for (size_t c = 0; c < l->classes.count; c++)
        if (l->class_rows[DT_TRAIN][c] > 0) {
            present++;
            only = c;
        }
    if (present < 2 && l->class_names != NULL)
        DT_TRY(dt_fail(DT_DATA, "%s: %s: every row is class %s; there is nothing to learn",
                       dt_npz_path(set->npz), set->targets->name, l->class_names[only]));
    if (present < 2)
        DT_TRY(dt_fail(DT_DATA, "%s: %s: every row is class %zu; there is nothing to learn",
                       dt_npz_path(set->npz), set->targets->name, only));
out:
    return status;
}

/* Plans the sets that are split off the training rows because the source lacks them. */
static dt_status plan_split(dt_loader *l, facts *out)
{
    const dt_source_set *sets = l->source->sets;
    const double validation = sets[DT_VALIDATION].inputs == NULL ? l->deal->validation_split : 0.0;
    const double test = sets[DT_TEST].inputs == NULL ? l->deal->test_split : 0.0;
    if (validation == 0.0 && test == 0.0)
        return DT_OK;
    /* Values are split at random: as one class. */
    const uint64_t N = out->rows[DT_TRAIN];
    dt_status status =
        dt_split_new(&l->split, out->values ? &N : l->class_rows[DT_TRAIN],
                     out->values ? 1 : (size_t)out->C, validation, test, l->deal->seed);
    if (status != DT_OK)
        return status;
    for (int p = 0; p < DT_SET_COUNT; p++) {
        if (p != DT_TRAIN && sets[p].inputs != NULL)
            continue;
        out->weighted[p] = out->weighted[DT_TRAIN];
        out->rows[p] = out->values ? dt_split_rows(l->split, (dt_set)p, 0) : 0;
        for (size_t c = 0; c < out->C; c++) {
            l->class_rows[p][c] = dt_split_rows(l->split, (dt_set)p, c);
            out->rows[p] += l->class_rows[p][c];
        }
    }
    for (uint64_t i = 0; out->values && i < N; i++)
        (void)dt_split_assign(l->split, 0);
    return DT_OK;
}

/* Whether an array of floating-point numbers has one that is not whole. */
static dt_status has_fractions(bool *out, const dt_source_set *set)
{
    enum { AT_ONCE = 64 * 1024 };
    dt_status status = DT_OK;
    dt_npz_stream *stream = NULL;
    void *items = NULL;
    double *values = NULL;
    const dt_npy *npy = &set->targets->npy;
    DT_TRY(dt_memory_alloc(&items, AT_ONCE, npy->item_bytes, "targets"));
    DT_TRY(dt_memory_alloc(&values, AT_ONCE, sizeof *values, "targets"));
    DT_TRY(dt_npz_stream_open(&stream, set->npz, set->targets));
    *out = false;
    for (uint64_t done = 0; done < npy->count && !*out; done += AT_ONCE) {
        const size_t count = npy->count - done < AT_ONCE ? (size_t)(npy->count - done) : AT_ONCE;
        DT_TRY(dt_npz_stream_read(stream, items, count * npy->item_bytes));
        dt_npy_to_double(values, items, count, npy);
        for (size_t i = 0; i < count; i++)
            *out = *out || (isfinite(values[i]) && values[i] != floor(values[i]));
    }
out:
    dt_npz_stream_close(stream);
    dt_memory_free(items);
    dt_memory_free(values);
    return status;
}

/* Numbers that are not whole are not classes. */
static dt_status find_task(dt_loader *l, facts *out)
{
    const dt_source_set *set = &l->source->sets[DT_TRAIN];
    bool values = l->deal->targets == DT_TARGETS_VALUES;
    dt_status status = DT_OK;
    for (int p = 0; values && p < DT_SET_COUNT; p++) {
        const dt_npz_member *targets = l->source->sets[p].targets;
        if (targets != NULL && dt_npy_is_text(&targets->npy))
            return dt_fail(DT_DATA, "%s: %s is text, but the targets have to be values",
                           dt_npz_path(l->source->sets[p].npz), targets->name);
    }
    if (l->deal->targets == DT_TARGETS_AUTO && set->targets->npy.kind == DT_NPY_FLOAT)
        status = has_fractions(&values, set);
    l->values = values;
    out->values = values;
    out->T = 1;
    return status;
}

/* Values of a row: the same in each set. */
static dt_status count_values(const dt_loader *l, uint64_t *out)
{
    const dt_npz_member *first = l->source->sets[DT_TRAIN].targets; /* NULL: the model's C counts */
    *out = l->deal->C;
    for (int p = 0; p < DT_SET_COUNT; p++) {
        const dt_source_set *set = &l->source->sets[p];
        if (set->targets == NULL)
            continue;
        const dt_npy *npy = &set->targets->npy;
        const uint64_t columns = npy->count / npy->shape[0];
        if (*out == 0)
            *out = columns;
        if (columns > DT_TARGETS_MAX)
            return dt_fail(DT_DATA, "%s: %s has %llu columns; expected at most %d targets",
                           dt_npz_path(set->npz), set->targets->name, (unsigned long long)columns,
                           DT_TARGETS_MAX);
        if (columns != *out)
            return dt_fail(DT_DATA, "%s: %s has %llu columns, but %s %llu", dt_npz_path(set->npz),
                           set->targets->name, (unsigned long long)columns,
                           first == NULL || l->deal->C > 0 ? "the model gives" : first->name,
                           (unsigned long long)*out);
    }
    return DT_OK;
}

/* A table has been split, and knows its classes. */
static dt_status find_table_facts(dt_loader *l, facts *out)
{
    dt_status status = DT_OK;
    const struct dt_prepare *prepare = l->source->table->prepare;
    const dt_prepare_table *found = dt_prepare_table_of(prepare);
    out->D = dt_prepare_recipe(prepare)->D;
    out->C = found->class_count;
    out->T = found->targets != NULL ? found->T : 1;
    out->values = found->targets != NULL;
    for (int p = 0; p < DT_SET_COUNT; p++) {
        const size_t bytes = found->class_count * sizeof(uint64_t);
        out->rows[p] = found->set_rows[p];
        out->weighted[p] = found->weights != NULL && out->rows[p] > 0;
        DT_TRY(dt_memory_alloc(&l->class_rows[p], found->class_count + 1, sizeof(uint64_t),
                               "classes"));
        if (bytes > 0)
            memcpy(l->class_rows[p], found->class_rows[p], bytes);
    }
out:
    return status;
}

/* Too many rows for their indices. */
static dt_status check_rows(const dt_loader *l, const facts *known)
{
    for (int p = 0; p < DT_SET_COUNT; p++)
        if (known->rows[p] / l->deal->S >= UINT32_MAX)
            return dt_fail(DT_DATA, "%s: %llu rows in %zu shards are too many; raise --shards",
                           l->source->table != NULL ? l->source->table->path
                                                    : dt_npz_path(l->source->sets[p].npz),
                           (unsigned long long)known->rows[p], l->deal->S);
    return DT_OK;
}

static dt_status find_facts(dt_loader *l, facts *out)
{
    dt_status status = DT_OK;
    if (l->source->table != NULL) {
        DT_TRY(find_table_facts(l, out));
        return check_rows(l, out);
    }
    out->D = dt_source_columns(&l->source->sets[DT_TRAIN]);
    DT_TRY(find_task(l, out));
    if (out->values) {
        DT_TRY(count_values(l, &out->T));
    } else {
        DT_TRY(count_classes(l, &out->C));
        DT_TRY(count_labels(l, DT_VALIDATION, (size_t)out->C));
        DT_TRY(count_labels(l, DT_TEST, (size_t)out->C));
    }
    for (int p = 0; p < DT_SET_COUNT; p++) {
        out->weighted[p] = l->source->sets[p].weights != NULL;
        out->rows[p] = dt_source_rows(&l->source->sets[p]);
    }
    DT_TRY(check_rows(l, out));
    DT_TRY(plan_split(l, out));
out:
    return status;
}

/* ---- room for the rows (every rank) ---- */

static dt_status allocate_set(dt_dataset *set, const dt_loader *l, const facts *known, dt_set which)
{
    dt_status status = DT_OK;
    const int rank = dt_comm_rank(l->comm), size = dt_comm_size(l->comm);
    const size_t S = l->deal->S;
    const size_t first = dt_dataset_first_shard(rank, size, S);
    const size_t count = dt_dataset_first_shard(rank + 1, size, S) - first;
    size_t own = 0;
    *set = (dt_dataset){.N = known->rows[which],
                        .D = (size_t)known->D,
                        .C = (size_t)known->C,
                        .T = (size_t)known->T,
                        .S = S,
                        .first_shard = first,
                        .shard_count = count};
    if (!known->values)
        DT_TRY(dt_memory_alloc(&set->class_rows, set->C, sizeof *set->class_rows, "classes"));
    DT_TRY(dt_memory_alloc(&set->shard_start, count + 1, sizeof(size_t), "shards"));
    for (size_t s = 0; s < count; s++) {
        uint64_t index = 0;
        own += (size_t)dt_loader_shard_rows(0, set->N, first + s, l->deal, &index);
        set->shard_start[s + 1] = own;
    }
    size_t items = 0;
    if (__builtin_mul_overflow(own, set->D, &items))
        DT_TRY(dt_fail(DT_MEMORY, "%zu rows of %zu inputs are too many", own, set->D));
    DT_TRY(dt_memory_alloc(&set->x, items, sizeof *set->x, "this rank's rows"));
    DT_TRY(dt_memory_alloc(&set->y, own, set->T * sizeof *set->y, "this rank's targets"));
    if (known->weighted[which])
        DT_TRY(dt_memory_alloc(&set->w, own, sizeof *set->w, "this rank's weights"));
    if (which == DT_TRAIN)
        DT_TRY(dt_memory_alloc(&set->order, own, sizeof *set->order, "this rank's order"));
out:
    return status;
}

static dt_status check_memory(const dt_loader *l, const facts *known)
{
    double rows = 0.0;
    for (int p = 0; p < DT_SET_COUNT; p++)
        rows += (double)known->rows[p];
    const double needed = rows *
                          (double)(known->D + known->T + (known->weighted[DT_TRAIN] ? 1 : 0)) *
                          sizeof(float) / dt_comm_size(l->comm) * l->deal->host_ranks;
    char what[96];
    (void)snprintf(what, sizeof what, "%.4g rows of %llu inputs", rows,
                   (unsigned long long)known->D);
    return dt_memory_check(needed, l->deal->host_ranks, what, "use more hosts");
}

static dt_status allocate_sets(dt_loader *l, const facts *known)
{
    dt_status status = DT_OK;
    DT_TRY(check_memory(l, known));
    for (int p = 0; p < DT_SET_COUNT; p++)
        DT_TRY(allocate_set(&l->sets[p], l, known, (dt_set)p));
    l->capacity = known->D > TILE_ITEMS ? (size_t)known->D : TILE_ITEMS;
    DT_TRY(dt_memory_alloc(&l->packed, l->capacity, sizeof *l->packed, "dealing buffer"));
    if (dt_comm_rank(l->comm) != 0)
        goto out;
    DT_TRY(dt_memory_alloc(&l->items, l->capacity, sizeof(double), "reading buffer"));
    DT_TRY(dt_memory_alloc(&l->tile, l->capacity, sizeof(float), "reading buffer"));
    DT_TRY(dt_memory_alloc(&l->rows, l->capacity, sizeof *l->rows, "reading buffer"));
    DT_TRY(dt_memory_alloc(&l->bytes, (size_t)dt_comm_size(l->comm), sizeof *l->bytes, "shares"));
out:
    return status;
}

dt_status dt_dataset_load(dt_dataset sets[DT_SET_COUNT], const dt_comm *comm,
                          const dt_source *source, const dt_deal *deal)
{
    dt_status status = DT_OK;
    const bool root = dt_comm_rank(comm) == 0;
    dt_loader l = {.sets = sets, .comm = comm, .source = source, .deal = deal};
    facts known = {0};
    memset(sets, 0, DT_SET_COUNT * sizeof *sets);
    DT_TRY(dt_comm_agree(comm, root ? find_facts(&l, &known) : DT_OK));
    dt_comm_broadcast(comm, &known, sizeof known);
    DT_TRY(dt_comm_agree(comm, allocate_sets(&l, &known)));
    l.values = known.values != 0;
    for (int p = 0; p < DT_SET_COUNT && !l.values; p++) {
        DT_ASSERT(!root || l.class_rows[p] != NULL);
        if (root)
            memcpy(sets[p].class_rows, l.class_rows[p], known.C * sizeof(uint64_t));
        dt_comm_broadcast(comm, sets[p].class_rows, known.C * sizeof(uint64_t));
    }
    sets[DT_TRAIN].class_names = l.class_names;
    l.class_names = NULL;
    if (root) {
        status = source->table != NULL ? dt_loader_deal_table(&l) : dt_loader_deal(&l);
        if (status == DT_OK && deal->numbers)
            status = dt_loader_number_rows(&l);
        dt_loader_end(&l);
    } else {
        dt_loader_receive(&l);
    }
    status = dt_comm_agree(comm, status);
out:
    for (int p = 0; p < DT_SET_COUNT; p++) {
        dt_memory_free(l.class_rows[p]);
        if (status != DT_OK)
            dt_dataset_clear(&sets[p]);
    }
    dt_memory_free_texts(l.class_names, l.classes.count);
    dt_classes_clear(&l.classes);
    dt_split_free(l.split);
    dt_memory_free(l.items);
    dt_memory_free(l.tile);
    dt_memory_free(l.rows);
    dt_memory_free(l.bytes);
    dt_memory_free(l.packed);
    return status;
}
