#include "dataset_internal.h"

#include "dtrain/base/memory.h"
#include "labels.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* The destination of a dealt piece. Rank 0 broadcasts one before each piece. */
typedef struct piece {
    int32_t last; /* no piece: all have been dealt, or rank 0 failed */
    int32_t set; /* a dt_set */
    int32_t array; /* a DT_ARRAY_INPUTS ... */
    uint64_t first; /* row of the set */
    uint64_t rows;
    uint64_t column, columns;
} piece;

/* ---- the shard of each row ---- */

static uint64_t run_of(const dt_deal *deal)
{
    return deal->run > 0 ? deal->run : 1;
}

/* Returns how many of the rows 0 .. count-1 belong to a shard, if `run` rows at a time go to the
 * shards in turn. */
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

uint64_t dt_loader_shard_rows(uint64_t first, uint64_t rows, size_t shard, const dt_deal *deal,
                              uint64_t *index)
{
    *index = rows_before(first, shard, deal);
    return rows_before(first + rows, shard, deal) - *index;
}

/* ---- pieces ---- */

/* The memory of an array's rows, and the numbers of a row. */
static uint32_t *rows_of(const dt_dataset *set, int array, size_t *columns)
{
    void *rows = array == DT_ARRAY_INPUTS    ? (void *)set->x
                 : array == DT_ARRAY_TARGETS ? (void *)set->y
                                             : (void *)set->w;
    *columns = array == DT_ARRAY_INPUTS ? set->D : array == DT_ARRAY_TARGETS ? set->T : 1;
    return rows;
}

/* Copies this rank's share of a piece, shard after shard, to its place. */
static void place(dt_dataset *set, const dt_deal *deal, const piece *dealt, const uint32_t *share)
{
    const size_t columns = (size_t)dealt->columns;
    size_t stride = 0;
    uint32_t *all = rows_of(set, dealt->array, &stride);
    for (size_t s = 0; s < set->shard_count; s++) {
        uint64_t index = 0;
        const size_t rows = (size_t)dt_loader_shard_rows(dealt->first, dealt->rows,
                                                         set->first_shard + s, deal, &index);
        const size_t row = set->shard_start[s] + (size_t)index;
        uint32_t *to = all + row * stride + dealt->column;
        if (columns == stride)
            memcpy(to, share, rows * columns * sizeof *share);
        for (size_t i = 0; columns < stride && i < rows; i++)
            memcpy(to + i * stride, share + i * columns, columns * sizeof *share);
        share += rows * columns;
    }
}

/* Rank 0 packs the rows `l->rows` of a tile by shard, hands out the shares, and keeps its own. */
static void deal_piece(dt_loader *l, piece *dealt, const void *tile)
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
            uint64_t count = dt_loader_shard_rows(dealt->first, dealt->rows, s, l->deal, &index);
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

void dt_loader_deal_rows(dt_loader *l, dt_set set, int array, uint64_t first, size_t count,
                         uint64_t column, uint64_t columns, const void *tile)
{
    piece dealt = {.set = (int32_t)set,
                   .array = array,
                   .first = first,
                   .rows = count,
                   .column = column,
                   .columns = columns};
    deal_piece(l, &dealt, tile);
}

/*
 * Deals one tile: rows row .. row+rows-1 of a file, columns column .. column+columns-1.
 * `dealt_rows` counts the rows that each set has got of these columns.
 */
static void deal_tile(dt_loader *l, dt_set file_set, const void *tile, uint64_t row, size_t rows,
                      uint64_t column, uint64_t columns, int array,
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
        dt_loader_deal_rows(l, (dt_set)p, array, dealt_rows[p], count, column, columns, tile);
        dealt_rows[p] += count;
    }
}

static dt_status deal_labels(dt_loader *l, dt_set set)
{
    dt_status status = DT_OK;
    dt_labels labels = {0};
    int32_t *y = NULL;
    uint64_t dealt_rows[DT_SET_COUNT] = {0};
    DT_TRY(dt_labels_open(&labels, &l->source->sets[set], &l->classes));
    DT_TRY(dt_memory_alloc(&y, labels.capacity, sizeof *y, "labels"));
    for (size_t count = 1; count > 0;) {
        const uint64_t row = labels.row;
        DT_TRY(dt_labels_read(&labels, y, &count));
        for (size_t i = 0; l->split != NULL && set == DT_TRAIN && i < count; i++)
            (void)dt_split_assign(l->split, (size_t)y[i]);
        for (size_t done = 0; done < count; done += l->capacity) {
            const size_t rows = count - done < l->capacity ? count - done : l->capacity;
            deal_tile(l, set, y + done, row + done, rows, 0, 1, DT_ARRAY_TARGETS, dealt_rows);
        }
    }
out:
    dt_labels_close(&labels);
    dt_memory_free(y);
    return status;
}

static dt_status check_weights(const dt_loader *l, const dt_source_set *set, uint64_t row,
                               size_t rows)
{
    for (size_t i = 0; i < rows; i++)
        if (l->tile[i] < 0.0f || (double)l->tile[i] > DT_WEIGHT_MAX)
            return dt_fail(DT_DATA, "%s: %s: row %llu is %.9g; a weight must not be %s",
                           dt_npz_path(set->npz), set->weights->name, (unsigned long long)(row + i),
                           (double)l->tile[i],
                           l->tile[i] < 0.0f ? "negative" : "above 1e6; divide all weights");
    return DT_OK;
}

static dt_status check_finite(const dt_loader *l, const dt_source_set *set,
                              const dt_npz_member *member, uint64_t row, uint64_t column,
                              size_t rows, size_t columns)
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
    const dt_npy *npy = &member->npy;
    const size_t item = npy->fortran ? i % columns * rows + i / columns : i;
    double value = 0;
    dt_npy_to_double(&value, (const char *)l->items + item * npy->item_bytes, 1, npy);
    return dt_fail(DT_DATA, "%s: %s: row %llu, column %llu is %s%s", dt_npz_path(set->npz),
                   member->name, (unsigned long long)(row + i / columns),
                   (unsigned long long)(column + i % columns),
                   isnan(value)   ? "NaN"
                   : isinf(value) ? "infinite"
                                  : "beyond the range of float32",
                   isnan(value) ? " (a missing value?)" : "");
}

/* Returns the place of column `c` of an array in Fortran order in a row that is flattened in C
 * order. */
static uint64_t c_order_column(const dt_npy *npy, uint64_t c)
{
    uint64_t column = 0;
    for (unsigned i = 1; i < npy->dims; i++) {
        column = column * npy->shape[i] + c % npy->shape[i];
        c /= npy->shape[i];
    }
    return column;
}

static dt_status read_tile(dt_loader *l, const dt_npy *npy, dt_npz_stream *stream, size_t rows,
                           size_t columns)
{
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

/* Deals an array of numbers. */
static dt_status deal_numbers(dt_loader *l, dt_set set, const dt_npz_member *member, int array)
{
    const dt_source_set *from = &l->source->sets[set];
    const dt_npy *npy = &member->npy;
    const uint64_t N = npy->shape[0];
    const uint64_t D = npy->count / N;
    dt_status status = DT_OK;
    dt_npz_stream *stream = NULL;
    uint64_t dealt_rows[DT_SET_COUNT] = {0};
    /* In C order a tile is some whole rows; in Fortran order some whole columns or part of one. */
    const bool whole_columns = npy->fortran && npy->dims == 2 && N <= l->capacity;
    const uint64_t most_rows = npy->fortran ? l->capacity : l->capacity / D;
    const uint64_t most_columns = !npy->fortran ? D : whole_columns ? l->capacity / N : 1;
    DT_TRY(dt_npz_stream_open(&stream, from->npz, member));
    for (uint64_t c = 0; c < D; c += most_columns) {
        const size_t columns = (size_t)(D - c < most_columns ? D - c : most_columns);
        const uint64_t column = npy->fortran ? c_order_column(npy, c) : 0;
        memset(dealt_rows, 0, sizeof dealt_rows);
        for (uint64_t row = 0; row < N; row += most_rows) {
            const size_t rows = (size_t)(N - row < most_rows ? N - row : most_rows);
            DT_TRY(read_tile(l, npy, stream, rows, columns));
            DT_TRY(check_finite(l, from, member, row, column, rows, columns));
            if (array == DT_ARRAY_WEIGHTS)
                DT_TRY(check_weights(l, from, row, rows));
            deal_tile(l, set, l->tile, row, rows, column, columns, array, dealt_rows);
        }
    }
out:
    dt_npz_stream_close(stream);
    return status;
}

dt_status dt_loader_deal(dt_loader *l)
{
    dt_status status = DT_OK;
    for (int p = 0; p < DT_SET_COUNT; p++) {
        const dt_source_set *set = &l->source->sets[p];
        if (set->inputs == NULL)
            continue;
        if (set->targets != NULL)
            DT_TRY(l->values ? deal_numbers(l, (dt_set)p, set->targets, DT_ARRAY_TARGETS)
                             : deal_labels(l, (dt_set)p));
        if (set->weights != NULL)
            DT_TRY(deal_numbers(l, (dt_set)p, set->weights, DT_ARRAY_WEIGHTS));
        DT_TRY(deal_numbers(l, (dt_set)p, set->inputs, DT_ARRAY_INPUTS));
    }
out:
    return status;
}

void dt_loader_end(dt_loader *l)
{
    piece end = {.last = 1};
    dt_comm_broadcast(l->comm, &end, sizeof end);
}

void dt_loader_receive(dt_loader *l)
{
    for (;;) {
        piece dealt;
        dt_comm_broadcast(l->comm, &dealt, sizeof dealt);
        if (dealt.last)
            return;
        dt_dataset *set = &l->sets[dealt.set];
        uint64_t rows = 0, index = 0;
        for (size_t s = 0; s < set->shard_count; s++)
            rows += dt_loader_shard_rows(dealt.first, dealt.rows, set->first_shard + s, l->deal,
                                         &index);
        dt_comm_scatterv(l->comm, l->packed, (size_t)(rows * dealt.columns) * sizeof *l->packed,
                         NULL, NULL);
        place(set, l->deal, &dealt, l->packed);
    }
}
