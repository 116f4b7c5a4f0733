/* Rows of sets that have already been dealt: dealt again, or gathered on rank 0. */
#include "dtrain/data/dataset.h"

#include "dtrain/base/memory.h"

#include <string.h>

/* One set of the rows to choose from; `place` goes through this rank's rows in the rows' order. */
typedef struct origin {
    const dt_dataset *set;
    size_t *place; /* [shard_count]: the next row of each of this rank's shards */
} origin;

typedef struct selection {
    const dt_comm *comm;
    origin *from; /* [count] */
    size_t count;
    const unsigned char *wanted;
    dt_dataset *out;
    size_t words; /* of a row in a message: inputs, targets, weight */
    int *owner; /* [S]: the rank that has a shard */
    uint32_t *sent, *received;
    size_t *bytes; /* [size]: of the data from each rank */
    size_t *next; /* [size]: words of it taken so far */
} selection;

/* ---- from rank to rank ---- */

static uint32_t *pack(const selection *s, uint32_t *to, const origin *from, size_t shard)
{
    const dt_dataset *set = from->set;
    const size_t local = shard - set->first_shard;
    const size_t row = set->shard_start[local] + from->place[local];
    memcpy(to, set->x + row * set->D, set->D * sizeof *to);
    to += set->D;
    memcpy(to, set->y + row * set->T, set->T * sizeof *to);
    to += set->T;
    if (s->out->w != NULL)
        memcpy(to++, &set->w[row], sizeof *to);
    return to;
}

static void unpack(const selection *s, uint64_t index, const uint32_t *from)
{
    dt_dataset *set = s->out;
    const size_t local = (size_t)(index % set->S) - set->first_shard;
    const size_t row = set->shard_start[local] + (size_t)(index / set->S);
    memcpy(set->x + row * set->D, from, set->D * sizeof *from);
    memcpy(set->y + row * set->T, from + set->D, set->T * sizeof *from);
    if (set->w != NULL)
        memcpy(&set->w[row], from + set->D + set->T, sizeof *from);
}

/* Goes through all rows in their order. Packs the rows of this rank for `receiver`, and counts the
 * words that the receiver gets from each rank. Returns the number of packed words. */
static size_t pack_all(selection *s, int receiver)
{
    const int rank = dt_comm_rank(s->comm);
    uint32_t *to = s->sent;
    uint64_t index = 0;
    const unsigned char *wanted = s->wanted;
    memset(s->bytes, 0, (size_t)dt_comm_size(s->comm) * sizeof *s->bytes);
    for (size_t i = 0; i < s->count; i++) {
        origin *from = &s->from[i];
        const dt_dataset *set = from->set;
        memset(from->place, 0, set->shard_count * sizeof *from->place);
        for (uint64_t n = 0; n < set->N; n++, wanted++) {
            const size_t shard = (size_t)(n % set->S);
            const bool mine = s->owner[shard] == rank;
            if (*wanted && s->owner[index++ % set->S] == receiver) {
                s->bytes[s->owner[shard]] += s->words * sizeof(uint32_t);
                if (mine)
                    to = pack(s, to, from, shard);
            }
            if (mine)
                from->place[shard - set->first_shard]++;
        }
    }
    return (size_t)(to - s->sent);
}

/* The rows of each rank stand in their order, one rank's after the other's. */
static void unpack_all(selection *s)
{
    const int rank = dt_comm_rank(s->comm);
    uint64_t index = 0;
    const unsigned char *wanted = s->wanted;
    size_t start = 0;
    for (int from = 0; from < dt_comm_size(s->comm); from++) {
        s->next[from] = start;
        start += s->bytes[from] / sizeof(uint32_t);
    }
    for (size_t i = 0; i < s->count; i++)
        for (uint64_t n = 0; n < s->from[i].set->N; n++, wanted++) {
            if (!*wanted)
                continue;
            if (s->owner[index % s->out->S] == rank) {
                size_t *next = &s->next[s->owner[n % s->out->S]];
                unpack(s, index, s->received + *next);
                *next += s->words;
            }
            index++;
        }
}

/* Returns the maximum number of words that this rank sends to one rank. */
static size_t find_room(selection *s)
{
    const int rank = dt_comm_rank(s->comm), size = dt_comm_size(s->comm);
    uint64_t index = 0, most = 0;
    const unsigned char *wanted = s->wanted;
    memset(s->next, 0, (size_t)size * sizeof *s->next);
    for (size_t i = 0; i < s->count; i++)
        for (uint64_t n = 0; n < s->from[i].set->N; n++, wanted++)
            if (*wanted) {
                const int receiver = s->owner[index++ % s->out->S];
                if (s->owner[n % s->out->S] == rank && ++s->next[receiver] > most)
                    most = s->next[receiver];
            }
    return (size_t)most * s->words;
}

/* ---- the new set ---- */

static uint64_t count_wanted(const unsigned char *wanted, uint64_t N)
{
    uint64_t count = 0;
    for (uint64_t n = 0; n < N; n++)
        count += wanted[n] != 0;
    return count;
}

DT_MUST_USE static dt_status allocate_rows(dt_dataset *out, const dt_dataset *like)
{
    dt_status status = DT_OK;
    size_t own = 0;
    DT_TRY(dt_memory_alloc(&out->shard_start, out->shard_count + 1, sizeof(size_t), "shards"));
    for (size_t s = 0; s < out->shard_count; s++) {
        own += (size_t)dt_dataset_positions(out->N, out->first_shard + s, out->S);
        out->shard_start[s + 1] = own;
    }
    if (out->C > 0)
        DT_TRY(dt_memory_alloc(&out->class_rows, out->C, sizeof *out->class_rows, "classes"));
    DT_TRY(dt_memory_alloc(&out->x, own, out->D * sizeof *out->x, "this rank's rows"));
    DT_TRY(dt_memory_alloc(&out->y, own, out->T * sizeof *out->y, "this rank's targets"));
    if (like->w != NULL)
        DT_TRY(dt_memory_alloc(&out->w, own, sizeof *out->w, "this rank's weights"));
    DT_TRY(dt_memory_alloc(&out->order, own, sizeof *out->order, "this rank's order"));
    if (like->class_names != NULL)
        DT_TRY(dt_memory_alloc(&out->class_names, out->C, sizeof(char *), "class names"));
    for (size_t c = 0; like->class_names != NULL && c < out->C; c++)
        DT_TRY(dt_memory_copy_text(&out->class_names[c], like->class_names[c]));
out:
    return status;
}

DT_MUST_USE static dt_status prepare(selection *s, const dt_dataset *const *from)
{
    dt_status status = DT_OK;
    const int size = dt_comm_size(s->comm);
    const dt_dataset *like = from[0];
    uint64_t rows = 0;
    DT_TRY(dt_memory_alloc(&s->from, s->count, sizeof *s->from, "sets"));
    for (size_t i = 0; i < s->count; i++) {
        s->from[i].set = from[i];
        rows += from[i]->N;
        DT_TRY(dt_memory_alloc(&s->from[i].place, from[i]->shard_count, sizeof(size_t), "shards"));
    }
    *s->out = (dt_dataset){.N = count_wanted(s->wanted, rows),
                           .D = like->D,
                           .C = like->C,
                           .T = like->T,
                           .S = like->S,
                           .first_shard = like->first_shard,
                           .shard_count = like->shard_count};
    DT_TRY(allocate_rows(s->out, like));
    s->words = like->D + like->T + (like->w != NULL ? 1 : 0);
    DT_TRY(dt_memory_alloc(&s->owner, like->S, sizeof *s->owner, "shards"));
    for (int rank = 0; rank < size; rank++)
        for (size_t shard = dt_dataset_first_shard(rank, size, like->S);
             shard < dt_dataset_first_shard(rank + 1, size, like->S); shard++)
            s->owner[shard] = rank;
    DT_TRY(dt_memory_alloc(&s->bytes, (size_t)size, sizeof *s->bytes, "shares"));
    DT_TRY(dt_memory_alloc(&s->next, (size_t)size, sizeof *s->next, "shares"));
    DT_TRY(dt_memory_alloc(&s->sent, find_room(s), sizeof *s->sent, "rows to be sent"));
    DT_TRY(dt_memory_alloc(&s->received, dt_dataset_own_rows(s->out), s->words * sizeof(uint32_t),
                           "rows to be received"));
out:
    return status;
}

static void count_classes(dt_dataset *set, const dt_comm *comm)
{
    if (set->C == 0)
        return;
    for (size_t i = 0; i < dt_dataset_own_rows(set); i++)
        set->class_rows[set->y[i].label]++;
    dt_comm_sum_i64(comm, (int64_t *)set->class_rows, set->C);
}

dt_status dt_dataset_select(dt_dataset *out, const dt_comm *comm, const dt_dataset *const *from,
                            size_t count, const unsigned char *wanted)
{
    selection s = {.comm = comm, .count = count, .wanted = wanted, .out = out};
    *out = (dt_dataset){0};
    const dt_status status = dt_comm_agree(comm, prepare(&s, from));
    for (int receiver = 0; status == DT_OK && receiver < dt_comm_size(comm); receiver++) {
        const size_t words = pack_all(&s, receiver);
        dt_comm_gatherv(comm, receiver, s.received, s.bytes, s.sent, words * sizeof *s.sent);
        if (receiver == dt_comm_rank(comm))
            unpack_all(&s);
    }
    if (status == DT_OK)
        count_classes(out, comm);
    else
        dt_dataset_clear(out);
    for (size_t i = 0; s.from != NULL && i < count; i++)
        dt_memory_free(s.from[i].place);
    dt_memory_free(s.from);
    dt_memory_free(s.owner);
    dt_memory_free(s.bytes);
    dt_memory_free(s.next);
    dt_memory_free(s.sent);
    dt_memory_free(s.received);
    return status;
}

/* ---- to rank 0 ---- */

dt_status dt_dataset_gather(void *out, const dt_comm *comm, const dt_dataset *set, const void *mine,
                            size_t bytes)
{
    dt_status status = DT_OK;
    const int size = dt_comm_size(comm);
    const bool root = dt_comm_rank(comm) == 0;
    char *all = NULL, *to = out;
    size_t *parts = NULL;
    const char *next = NULL;
    if (root)
        status = dt_memory_alloc(&all, set->N, bytes, "rows of all ranks");
    if (root && status == DT_OK)
        status = dt_memory_alloc(&parts, (size_t)size, sizeof *parts, "shares");
    DT_TRY(dt_comm_agree(comm, status));
    for (int rank = 0; root && rank < size; rank++)
        for (size_t s = dt_dataset_first_shard(rank, size, set->S);
             s < dt_dataset_first_shard(rank + 1, size, set->S); s++)
            parts[rank] += (size_t)dt_dataset_positions(set->N, s, set->S) * bytes;
    dt_comm_gatherv(comm, 0, all, parts, mine, dt_dataset_own_rows(set) * bytes);
    next = all;
    for (size_t s = 0; root && s < set->S; s++)
        for (uint64_t n = s; n < set->N; n += set->S, next += bytes)
            memcpy(to + n * bytes, next, bytes);
out:
    dt_memory_free(all);
    dt_memory_free(parts);
    return status;
}
