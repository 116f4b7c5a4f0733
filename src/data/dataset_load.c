#include "dtrain/data/dataset.h"

#include "dtrain/base/memory.h"
#include "dtrain/data/split.h"
#include "labels.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Numbers in a tile, the piece of an array that is read, converted and dealt at a time: large
 * enough for the disk and the network, small beside what rank 0 may hold. */
enum { TILE_ITEMS = 512 * 1024 };

/* Where a dealt piece belongs. Rank 0 broadcasts one before each piece. */
typedef struct piece {
    int32_t last; /* no piece: all have been dealt, or rank 0 failed */
    int32_t set; /* a dt_set */
    int32_t labels; /* y, not x */
    uint64_t first; /* row of the set */
    uint64_t rows;
    uint64_t column, columns;
} piece;

/* What all ranks have to know before they can allocate. */
typedef struct facts {
    uint64_t rows[DT_SET_COUNT];
    uint64_t D, C;
} facts;

typedef struct loader {
    dt_dataset *sets;
    const dt_comm *comm;
    const dt_source *source; /* rank 0 only, and so is all below up to `packed` */
    const dt_deal *deal;
    uint64_t *class_rows[DT_SET_COUNT];
    dt_split *split; /* NULL: nothing has to be split off */
    void *items; /* a tile as it lies in the file */
    float *tile; /* [rows, columns] */
    uint32_t *rows; /* those of a tile that go to one set */
    size_t *bytes; /* [size]: of each rank's share of a piece */
    size_t capacity; /* items in a tile */
    uint32_t *packed; /* shares of a piece, rank after rank; on the other ranks its own */
} loader;

/* ---- first pass: what is there (root-only) ---- */

static dt_status count_labels(loader *l, dt_set set, size_t class_count)
{
    dt_status status = DT_OK;
    dt_labels labels = {0};
    int32_t *y = NULL;
    DT_TRY(dt_memory_alloc(&l->class_rows[set], DT_CLASSES_MAX, sizeof(uint64_t), "classes"));
    if (l->source->sets[set].targets == NULL)
        goto out;
    DT_TRY(dt_labels_open(&labels, &l->source->sets[set], class_count));
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

/* C: what the caller knows; what one-hot rows say; else one more than the largest label. */
static dt_status count_classes(loader *l, uint64_t *out)
{
    const dt_source_set *set = &l->source->sets[DT_TRAIN];
    size_t present = 0;
    size_t only = 0;
    *out = l->deal->C;
    if (*out != 0)
        return count_labels(l, DT_TRAIN, (size_t)*out);
    dt_status status = count_labels(l, DT_TRAIN, DT_CLASSES_MAX);
    if (status != DT_OK)
        return status;
    *out = dt_labels_one_hot_width(set);
    for (size_t c = 0; c < DT_CLASSES_MAX; c++) {
        if (l->class_rows[DT_TRAIN][c] == 0)
            continue;
        present++;
        only = c;
        if (c >= *out)
            *out = c + 1;
    }
    if (present < 2)
        return dt_fail(DT_DATA, "%s: %s: every row is class %zu; there is nothing to learn",
                       dt_npz_path(set->npz), set->targets->name, only);
    return DT_OK;
}

/* Plans what the training rows have to give up to the sets that the source lacks. */
static dt_status plan_split(loader *l, facts *out)
{
    const dt_source_set *sets = l->source->sets;
    const double validation = sets[DT_VALIDATION].inputs == NULL ? l->deal->validation_split : 0.0;
    const double test = sets[DT_TEST].inputs == NULL ? l->deal->test_split : 0.0;
    if (validation == 0.0 && test == 0.0)
        return DT_OK;
    dt_status status = dt_split_new(&l->split, l->class_rows[DT_TRAIN], (size_t)out->C, validation,
                                    test, l->deal->seed);
    if (status != DT_OK)
        return status;
    for (int p = 0; p < DT_SET_COUNT; p++) {
        if (p != DT_TRAIN && sets[p].inputs != NULL)
            continue;
        out->rows[p] = 0;
        for (size_t c = 0; c < out->C; c++) {
            l->class_rows[p][c] = dt_split_rows(l->split, (dt_set)p, c);
            out->rows[p] += l->class_rows[p][c];
        }
    }
    return DT_OK;
}

static dt_status find_facts(loader *l, facts *out)
{
    dt_status status = DT_OK;
    out->D = dt_source_columns(&l->source->sets[DT_TRAIN]);
    DT_TRY(count_classes(l, &out->C));
    DT_TRY(count_labels(l, DT_VALIDATION, (size_t)out->C));
    DT_TRY(count_labels(l, DT_TEST, (size_t)out->C));
    for (int p = 0; p < DT_SET_COUNT; p++) {
        out->rows[p] = dt_source_rows(&l->source->sets[p]);
        if (out->rows[p] / l->deal->S >= UINT32_MAX)
            DT_TRY(dt_fail(DT_DATA, "%s: %llu rows in %zu shards are too many; raise --shards",
                           dt_npz_path(l->source->sets[p].npz), (unsigned long long)out->rows[p],
                           l->deal->S));
    }
    DT_TRY(plan_split(l, out));
    l->capacity = out->D > TILE_ITEMS ? (size_t)out->D : TILE_ITEMS;
    DT_TRY(dt_memory_alloc(&l->items, l->capacity, sizeof(double), "reading buffer"));
    DT_TRY(dt_memory_alloc(&l->tile, l->capacity, sizeof(float), "reading buffer"));
    DT_TRY(dt_memory_alloc(&l->rows, l->capacity, sizeof *l->rows, "reading buffer"));
    DT_TRY(dt_memory_alloc(&l->bytes, (size_t)dt_comm_size(l->comm), sizeof *l->bytes, "shares"));
out:
    return status;
}

/* ---- room for the rows (every rank) ---- */

static uint64_t run_of(const dt_deal *deal)
{
    return deal->run > 0 ? deal->run : 1;
}

/* How many of the rows 0 .. count-1 lie in a shard, when `run` rows at a time go to the shards in
 * turn. */
static uint64_t rows_before(uint64_t count, size_t shard, const dt_deal *deal)
{
    const uint64_t run = run_of(deal);
    const uint64_t turn = run * deal->S;
    const uint64_t rest = count % turn, start = run * shard;
    return count / turn * run + (rest <= start ? 0 : rest - start < run ? rest - start : run);
}

/* The row that is row `index` of a shard. */
static uint64_t row_at(uint64_t index, size_t shard, const dt_deal *deal)
{
    const uint64_t run = run_of(deal);
    return (index / run * deal->S + shard) * run + index % run;
}

/* How many of the rows first .. first+rows-1 lie in a shard, and which of its rows is the first. */
static uint64_t shard_rows(uint64_t first, uint64_t rows, size_t shard, const dt_deal *deal,
                           uint64_t *index)
{
    *index = rows_before(first, shard, deal);
    return rows_before(first + rows, shard, deal) - *index;
}

static dt_status allocate_set(dt_dataset *set, const loader *l, const facts *known, dt_set which)
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
                        .S = S,
                        .first_shard = first,
                        .shard_count = count};
    DT_TRY(dt_memory_alloc(&set->class_rows, set->C, sizeof *set->class_rows, "classes"));
    DT_TRY(dt_memory_alloc(&set->shard_start, count + 1, sizeof(size_t), "shards"));
    for (size_t s = 0; s < count; s++) {
        uint64_t index = 0;
        own += (size_t)shard_rows(0, set->N, first + s, l->deal, &index);
        set->shard_start[s + 1] = own;
    }
    size_t items = 0;
    if (__builtin_mul_overflow(own, set->D, &items))
        DT_TRY(dt_fail(DT_MEMORY, "%zu rows of %zu inputs are too many", own, set->D));
    DT_TRY(dt_memory_alloc(&set->x, items, sizeof *set->x, "this rank's rows"));
    DT_TRY(dt_memory_alloc(&set->y, own, sizeof *set->y, "this rank's labels"));
    if (which == DT_TRAIN)
        DT_TRY(dt_memory_alloc(&set->order, own, sizeof *set->order, "this rank's order"));
out:
    return status;
}

static dt_status check_memory(const loader *l, const facts *known)
{
    double rows = 0.0;
    for (int p = 0; p < DT_SET_COUNT; p++)
        rows += (double)known->rows[p];
    const double needed =
        rows * (double)(known->D + 1) * sizeof(float) / dt_comm_size(l->comm) * l->deal->host_ranks;
    char what[96];
    (void)snprintf(what, sizeof what, "%.4g rows of %llu inputs", rows,
                   (unsigned long long)known->D);
    return dt_memory_check(needed, l->deal->host_ranks, what, "use more hosts");
}

static dt_status allocate_sets(loader *l, const facts *known)
{
    dt_status status = DT_OK;
    DT_TRY(check_memory(l, known));
    for (int p = 0; p < DT_SET_COUNT; p++)
        DT_TRY(allocate_set(&l->sets[p], l, known, (dt_set)p));
    const size_t capacity = known->D > TILE_ITEMS ? (size_t)known->D : TILE_ITEMS;
    DT_TRY(dt_memory_alloc(&l->packed, capacity, sizeof *l->packed, "dealing buffer"));
out:
    return status;
}

/* ---- dealing ---- */

/* Puts this rank's share of a piece, shard after shard, where it belongs. */
static void place(dt_dataset *set, const dt_deal *deal, const piece *dealt, const uint32_t *share)
{
    const size_t columns = (size_t)dealt->columns;
    for (size_t s = 0; s < set->shard_count; s++) {
        uint64_t index = 0;
        const size_t rows =
            (size_t)shard_rows(dealt->first, dealt->rows, set->first_shard + s, deal, &index);
        const size_t row = set->shard_start[s] + (size_t)index;
        if (dealt->labels) {
            memcpy(set->y + row, share, rows * sizeof *share);
        } else {
            float *x = set->x + row * set->D + dealt->column;
            for (size_t i = 0; i < rows; i++)
                memcpy(x + i * set->D, share + i * columns, columns * sizeof *share);
        }
        share += rows * columns;
    }
}

/* Rank 0 packs the rows `l->rows` of a tile by shard, hands out the shares, and keeps its own. */
static void deal_piece(loader *l, piece *dealt, const void *tile)
{
    dt_dataset *set = &l->sets[dealt->set];
    const size_t columns = (size_t)dealt->columns;
    const uint64_t run = run_of(l->deal);
    const uint32_t *items = tile;
    uint32_t *packed = l->packed;
    for (int rank = 0; rank < dt_comm_size(l->comm); rank++) {
        const size_t end = dt_dataset_first_shard(rank + 1, dt_comm_size(l->comm), set->S);
        const uint32_t *begin = packed;
        for (size_t s = dt_dataset_first_shard(rank, dt_comm_size(l->comm), set->S); s < end; s++) {
            uint64_t index = 0;
            uint64_t count = shard_rows(dealt->first, dealt->rows, s, l->deal, &index);
            uint64_t i = row_at(index, s, l->deal) - dealt->first;
            uint64_t left = run - index % run; /* of the run */
            for (; count > 0; count--, i++) {
                memcpy(packed, items + l->rows[i] * columns, columns * sizeof *packed);
                packed += columns;
                if (--left == 0) {
                    left = run;
                    i += (l->deal->S - 1) * run;
                }
            }
        }
        l->bytes[rank] = (size_t)(packed - begin) * sizeof *packed;
    }
    dt_comm_broadcast(l->comm, dealt, sizeof *dealt);
    dt_comm_scatterv(l->comm, l->packed, l->bytes[0], l->packed, l->bytes);
    place(set, l->deal, dealt, l->packed);
}

/*
 * Deals one tile: rows row .. row+rows-1 of a file, columns column .. column+columns-1.
 * `dealt_rows` counts the rows that each set has got of these columns.
 */
static void deal_tile(loader *l, dt_set file_set, const void *tile, uint64_t row, size_t rows,
                      uint64_t column, uint64_t columns, bool labels,
                      uint64_t dealt_rows[DT_SET_COUNT])
{
    const bool split = l->split != NULL && file_set == DT_TRAIN;
    for (int p = 0; p < DT_SET_COUNT; p++) {
        size_t count = 0;
        for (size_t i = 0; i < rows; i++)
            if ((split ? dt_split_set_of(l->split, row + i) : file_set) == (dt_set)p)
                l->rows[count++] = (uint32_t)i;
        if (count == 0)
            continue;
        piece dealt = {.set = p,
                       .labels = labels,
                       .first = dealt_rows[p],
                       .rows = count,
                       .column = column,
                       .columns = columns};
        deal_piece(l, &dealt, tile);
        dealt_rows[p] += count;
    }
}

static dt_status deal_labels(loader *l, dt_set set)
{
    dt_status status = DT_OK;
    dt_labels labels = {0};
    int32_t *y = NULL;
    uint64_t dealt_rows[DT_SET_COUNT] = {0};
    DT_TRY(dt_labels_open(&labels, &l->source->sets[set], l->sets[set].C));
    DT_TRY(dt_memory_alloc(&y, labels.capacity, sizeof *y, "labels"));
    for (size_t count = 1; count > 0;) {
        const uint64_t row = labels.row;
        DT_TRY(dt_labels_read(&labels, y, &count));
        for (size_t i = 0; l->split != NULL && set == DT_TRAIN && i < count; i++)
            (void)dt_split_assign(l->split, (size_t)y[i]);
        for (size_t done = 0; done < count; done += l->capacity) {
            const size_t rows = count - done < l->capacity ? count - done : l->capacity;
            deal_tile(l, set, y + done, row + done, rows, 0, 1, true, dealt_rows);
        }
    }
out:
    dt_labels_close(&labels);
    dt_memory_free(y);
    return status;
}

static dt_status check_finite(const loader *l, const dt_source_set *set, uint64_t row,
                              uint64_t column, size_t rows, size_t columns)
{
    uint32_t largest = 0;
    for (size_t i = 0; i < rows * columns; i++) {
        uint32_t bits;
        memcpy(&bits, &l->tile[i], sizeof bits);
        bits &= 0x7FFFFFFFu;
        largest = bits > largest ? bits : largest;
    }
    if (largest < 0x7F800000u)
        return DT_OK;
    size_t i = 0;
    while (isfinite(l->tile[i]))
        i++;
    /* In Fortran order a tile's items lie column by column, the tile itself is row by row. */
    const dt_npy *npy = &set->inputs->npy;
    const size_t item = npy->fortran ? i % columns * rows + i / columns : i;
    double value = 0;
    dt_npy_to_double(&value, (const char *)l->items + item * npy->item_bytes, 1, npy);
    return dt_fail(DT_DATA, "%s: %s: row %llu, column %llu is %s%s", dt_npz_path(set->npz),
                   set->inputs->name, (unsigned long long)(row + i / columns),
                   (unsigned long long)(column + i % columns),
                   isnan(value)   ? "NaN"
                   : isinf(value) ? "infinite"
                                  : "beyond the range of float32",
                   isnan(value) ? " (a missing value?)" : "");
}

/* Where column `c` of an array in Fortran order lies in a row that is flattened in C order. */
static uint64_t c_order_column(const dt_npy *npy, uint64_t c)
{
    uint64_t column = 0;
    for (unsigned i = 1; i < npy->dims; i++) {
        column = column * npy->shape[i] + c % npy->shape[i];
        c /= npy->shape[i];
    }
    return column;
}

static dt_status read_tile(loader *l, const dt_source_set *set, dt_npz_stream *stream, size_t rows,
                           size_t columns)
{
    const dt_npy *npy = &set->inputs->npy;
    dt_status status = dt_npz_stream_read(stream, l->items, rows * columns * npy->item_bytes);
    if (status != DT_OK)
        return status;
    if (!npy->fortran || columns == 1) {
        dt_npy_to_float(l->tile, l->items, rows * columns, npy);
        return DT_OK;
    }
    float *by_column = (float *)(void *)l->packed;
    dt_npy_to_float(by_column, l->items, rows * columns, npy);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            l->tile[i * columns + j] = by_column[j * rows + i];
    return DT_OK;
}

static dt_status deal_inputs(loader *l, dt_set set)
{
    const dt_source_set *from = &l->source->sets[set];
    const dt_npy *npy = &from->inputs->npy;
    const uint64_t N = npy->shape[0];
    const uint64_t D = dt_source_columns(from);
    dt_status status = DT_OK;
    dt_npz_stream *stream = NULL;
    uint64_t dealt_rows[DT_SET_COUNT] = {0};
    /* In C order a tile is some whole rows; in Fortran order some whole columns or part of one. */
    const bool whole_columns = npy->fortran && npy->dims == 2 && N <= l->capacity;
    const uint64_t most_rows = npy->fortran ? l->capacity : l->capacity / D;
    const uint64_t most_columns = !npy->fortran ? D : whole_columns ? l->capacity / N : 1;
    DT_TRY(dt_npz_stream_open(&stream, from->npz, from->inputs));
    for (uint64_t c = 0; c < D; c += most_columns) {
        const size_t columns = (size_t)(D - c < most_columns ? D - c : most_columns);
        const uint64_t column = npy->fortran ? c_order_column(npy, c) : 0;
        memset(dealt_rows, 0, sizeof dealt_rows);
        for (uint64_t row = 0; row < N; row += most_rows) {
            const size_t rows = (size_t)(N - row < most_rows ? N - row : most_rows);
            DT_TRY(read_tile(l, from, stream, rows, columns));
            DT_TRY(check_finite(l, from, row, column, rows, columns));
            deal_tile(l, set, l->tile, row, rows, column, columns, false, dealt_rows);
        }
    }
out:
    dt_npz_stream_close(stream);
    return status;
}

/* Rank 0's side: all pieces, then the word that there are no more, or why. */
static dt_status deal_all(loader *l)
{
    dt_status status = DT_OK;
    for (int p = 0; p < DT_SET_COUNT; p++) {
        if (l->source->sets[p].inputs == NULL)
            continue;
        if (l->source->sets[p].targets != NULL)
            DT_TRY(deal_labels(l, (dt_set)p));
        DT_TRY(deal_inputs(l, (dt_set)p));
    }
out:;
    piece end = {.last = 1};
    dt_comm_broadcast(l->comm, &end, sizeof end);
    return status;
}

/* The other ranks' side. */
static void receive_all(loader *l)
{
    for (;;) {
        piece dealt;
        dt_comm_broadcast(l->comm, &dealt, sizeof dealt);
        if (dealt.last)
            return;
        dt_dataset *set = &l->sets[dealt.set];
        uint64_t rows = 0, index = 0;
        for (size_t s = 0; s < set->shard_count; s++)
            rows += shard_rows(dealt.first, dealt.rows, set->first_shard + s, l->deal, &index);
        dt_comm_scatterv(l->comm, l->packed, (size_t)(rows * dealt.columns) * sizeof *l->packed,
                         NULL, NULL);
        place(set, l->deal, &dealt, l->packed);
    }
}

dt_status dt_dataset_load(dt_dataset sets[DT_SET_COUNT], const dt_comm *comm,
                          const dt_source *source, const dt_deal *deal)
{
    dt_status status = DT_OK;
    const bool root = dt_comm_rank(comm) == 0;
    loader l = {.sets = sets, .comm = comm, .source = source, .deal = deal};
    facts known = {0};
    memset(sets, 0, DT_SET_COUNT * sizeof *sets);
    DT_TRY(dt_comm_agree(comm, root ? find_facts(&l, &known) : DT_OK));
    dt_comm_broadcast(comm, &known, sizeof known);
    DT_TRY(dt_comm_agree(comm, allocate_sets(&l, &known)));
    for (int p = 0; p < DT_SET_COUNT; p++) {
        if (root)
            memcpy(sets[p].class_rows, l.class_rows[p], known.C * sizeof(uint64_t));
        dt_comm_broadcast(comm, sets[p].class_rows, known.C * sizeof(uint64_t));
    }
    if (root)
        status = deal_all(&l);
    else
        receive_all(&l);
    status = dt_comm_agree(comm, status);
out:
    for (int p = 0; p < DT_SET_COUNT; p++) {
        dt_memory_free(l.class_rows[p]);
        if (status != DT_OK)
            dt_dataset_clear(&sets[p]);
    }
    dt_split_free(l.split);
    dt_memory_free(l.items);
    dt_memory_free(l.tile);
    dt_memory_free(l.rows);
    dt_memory_free(l.bytes);
    dt_memory_free(l.packed);
    return status;
}
