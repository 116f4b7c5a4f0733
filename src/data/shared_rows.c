#include "shared_rows_internal.h"

#include "dtrain/base/hash.h"
#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"

#include <stdio.h>
#include <string.h>

/* Hashes that a source gives at a time. */
enum { BLOCK = 4096 };

/* Flag of a hash: rows of the set have it. */
#define FLAG(set) (1u << (set))

/* One search. Hashes are divided into parts that are searched one after the other, so that memory
 * does not grow with the rows. */
typedef struct search {
    const dt_hash_source *source;
    uint64_t part, parts;
    dt_hash_set seen; /* hashes of validation and test rows, of all ranks */
    uint64_t *own; /* [own_count]: this rank's, if there are other ranks */
    size_t own_count, own_capacity;
    dt_shared_rows *found;
} search;

/* The action for a row's hash. */
typedef dt_status take_hash(search *s, dt_set set, uint64_t hash);

uint64_t dt_shared_rows_hash(const float *x, size_t D, const dt_target *y, size_t T)
{
    return dt_hash64(y, T * sizeof *y, dt_hash64(x, D * sizeof *x, 0));
}

static dt_status agree(const search *s, dt_status status)
{
    return s->source->comm != NULL ? dt_comm_agree(s->source->comm, status) : status;
}

static int ranks(const search *s)
{
    return s->source->comm != NULL ? dt_comm_size(s->source->comm) : 1;
}

/* The hashes of the part among this rank's rows of a set. */
static dt_status each(search *s, dt_set set, take_hash *take)
{
    dt_status status = DT_OK;
    uint64_t block[BLOCK];
    DT_TRY(s->source->begin(s->source->context, set));
    for (size_t count = BLOCK; count > 0;) {
        count = BLOCK;
        DT_TRY(s->source->read(s->source->context, block, &count));
        for (size_t i = 0; i < count; i++)
            if ((block[i] >> 32) % s->parts == s->part)
                DT_TRY(take(s, set, block[i]));
    }
out:
    return status;
}

/* ---- rows that are judged ---- */

static dt_status make_room(search *s, size_t count)
{
    const size_t capacity = 2 * s->own_capacity > count ? 2 * s->own_capacity : count + BLOCK;
    if (count <= s->own_capacity)
        return DT_OK;
    const dt_status status =
        dt_memory_grow(&s->own, s->own_count, capacity, sizeof *s->own, "hashes of rows");
    if (status == DT_OK)
        s->own_capacity = capacity;
    return status;
}

static dt_status add(search *s, dt_set set, uint64_t hash)
{
    if (ranks(s) == 1)
        return dt_hash_set_add(&s->seen, hash, FLAG(set), NULL);
    const dt_status status = make_room(s, s->own_count + 1);
    if (status == DT_OK)
        s->own[s->own_count++] = (hash & ~(uint64_t)DT_HASH_FLAGS) | FLAG(set);
    return status;
}

/* All ranks add the hashes of all ranks in the same order: then slots are the same, too. */
static dt_status share(search *s)
{
    dt_status status = DT_OK;
    uint64_t *all = NULL;
    int64_t most = (int64_t)s->own_count;
    dt_comm_max_i64(s->source->comm, &most, 1);
    const size_t each_has = (size_t)most, count = each_has * (size_t)ranks(s);
    if (count == 0)
        goto out;
    status = make_room(s, each_has);
    if (status == DT_OK)
        status = dt_memory_alloc(&all, count, sizeof *all, "hashes of rows");
    DT_TRY(agree(s, status));
    DT_ASSERT(all != NULL && s->own != NULL);
    memset(s->own + s->own_count, 0, (each_has - s->own_count) * sizeof *s->own);
    dt_comm_allgather(s->source->comm, all, s->own, each_has * sizeof *all);
    for (size_t i = 0; i < count; i++)
        if ((all[i] & DT_HASH_FLAGS) != 0) /* else it fills up a rank's part */
            DT_TRY(dt_hash_set_add(&s->seen, all[i], (unsigned)all[i], NULL));
out:
    dt_memory_free(all);
    return status;
}

/* ---- training rows ---- */

static dt_status mark(search *s, dt_set set, uint64_t hash)
{
    uint64_t *slot = dt_hash_set_find(&s->seen, hash);
    if (slot != NULL)
        *slot |= FLAG(set);
    return DT_OK;
}

/* A slot differs between ranks in the flag of the training set alone: the largest has it. */
static void share_marks(search *s)
{
    _Static_assert(sizeof(int64_t) == sizeof *s->seen.slots, "words are compared as they are");
    dt_comm_max_i64(s->source->comm, (int64_t *)(void *)s->seen.slots, s->seen.slot_count);
}

static dt_status count_hash(search *s, dt_set set, uint64_t hash)
{
    const uint64_t *slot = dt_hash_set_find(&s->seen, hash);
    DT_ASSERT(slot != NULL);
    const bool in_train = (*slot & FLAG(DT_TRAIN)) != 0;
    s->found->validation_in_train += set == DT_VALIDATION && in_train;
    s->found->test_in_train += set == DT_TEST && in_train;
    s->found->test_in_validation += set == DT_TEST && (*slot & FLAG(DT_VALIDATION)) != 0;
    return DT_OK;
}

/* ---- all ---- */

static dt_status find_part(search *s)
{
    dt_status status = DT_OK;
    s->own_count = 0;
    dt_hash_set_empty(&s->seen);
    status = each(s, DT_VALIDATION, add);
    if (status == DT_OK)
        status = each(s, DT_TEST, add);
    DT_TRY(agree(s, status));
    if (ranks(s) > 1)
        DT_TRY(agree(s, share(s)));
    DT_TRY(agree(s, each(s, DT_TRAIN, mark)));
    if (ranks(s) > 1)
        share_marks(s);
    status = each(s, DT_VALIDATION, count_hash);
    if (status == DT_OK)
        status = each(s, DT_TEST, count_hash);
    DT_TRY(agree(s, status));
out:
    return status;
}

static void sum(search *s)
{
    dt_shared_rows *found = s->found;
    int64_t counts[] = {(int64_t)found->test_in_train, (int64_t)found->validation_in_train,
                        (int64_t)found->test_in_validation};
    if (ranks(s) == 1)
        return;
    dt_comm_sum_i64(s->source->comm, counts, sizeof counts / sizeof *counts);
    found->test_in_train = (uint64_t)counts[0];
    found->validation_in_train = (uint64_t)counts[1];
    found->test_in_validation = (uint64_t)counts[2];
}

dt_status dt_shared_rows_find(dt_shared_rows *out, const dt_hash_source *source)
{
    dt_status status = DT_OK;
    const uint64_t judged = source->rows[DT_VALIDATION] + source->rows[DT_TEST];
    search s = {.source = source, .found = out, .parts = judged / source->most + 1};
    *out = (dt_shared_rows){0};
    memcpy(out->rows, source->rows, sizeof out->rows);
    for (; judged > 0 && s.part < s.parts; s.part++)
        DT_TRY(find_part(&s));
    sum(&s);
out:
    dt_hash_set_clear(&s.seen);
    dt_memory_free(s.own);
    return status;
}

/* ---- a dataset ---- */

typedef struct own_rows {
    const dt_dataset *sets, *set;
    size_t next;
} own_rows;

static dt_status begin_set(void *context, dt_set set)
{
    own_rows *own = context;
    own->set = &own->sets[set];
    own->next = 0;
    return DT_OK;
}

static dt_status read_set(void *context, uint64_t *out, size_t *count)
{
    own_rows *own = context;
    const dt_dataset *set = own->set;
    const size_t left = (set->N > 0 ? dt_dataset_own_rows(set) : 0) - own->next;
    *count = left < *count ? left : *count;
    for (size_t i = 0; i < *count; i++, own->next++)
        out[i] = dt_shared_rows_hash(set->x + own->next * set->D, set->D,
                                     set->y + own->next * set->T, set->T);
    return DT_OK;
}

dt_status dt_shared_rows_count(dt_shared_rows *out, const dt_comm *comm,
                               const dt_dataset sets[DT_SET_COUNT])
{
    enum { MOST = 1 << 20, NUMBERS_A_HASH = 64 };
    own_rows own = {.sets = sets};
    dt_hash_source source = {
        .context = &own, .comm = comm, .most = MOST, .begin = begin_set, .read = read_set};
    const uint64_t numbers =
        sets[DT_TRAIN].N / (uint64_t)dt_comm_size(comm) * (uint64_t)sets[DT_TRAIN].D;
    if (numbers / NUMBERS_A_HASH > source.most)
        source.most = (size_t)(numbers / NUMBERS_A_HASH);
    for (int p = 0; p < DT_SET_COUNT; p++)
        source.rows[p] = sets[p].N;
    return dt_shared_rows_find(out, &source);
}

/* ---- the warning ---- */

void dt_shared_rows_warn(const dt_shared_rows *shared, const char *advice)
{
    const struct {
        uint64_t count;
        dt_set set, other;
    } pairs[] = {{shared->test_in_train, DT_TEST, DT_TRAIN},
                 {shared->validation_in_train, DT_VALIDATION, DT_TRAIN},
                 {shared->test_in_validation, DT_TEST, DT_VALIDATION}};
    char text[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (pairs[i].count > 0)
            used += (size_t)snprintf(
                text + used, sizeof text - used, "%s%llu of %llu %s rows %s %s",
                used > 0 ? ", " : "", (unsigned long long)pairs[i].count,
                (unsigned long long)shared->rows[pairs[i].set], dt_set_name(pairs[i].set),
                used > 0              ? "in"
                : pairs[i].count == 1 ? "also occurs in"
                                      : "also occur in",
                dt_set_name(pairs[i].other));
    if (used > 0)
        dt_log_warn("%s, with the same inputs and targets; if they are copies, the scores are too "
                    "good: %s",
                    text, advice);
}
