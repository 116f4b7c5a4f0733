/* A table's rows, prepared and dealt while they are read: rank 0 never has a whole array of
 * them. */
#include "dataset_internal.h"

#include "dtrain/base/crc32.h"
#include "dtrain/base/memory.h"
#include "dtrain/data/prepare.h"
#include "dtrain/io/npy.h"

#include <string.h>

/* Rows as they come, of all sets; l->tile has their inputs. */
typedef struct tile {
    dt_loader *l;
    dt_source_table *table;
    size_t D, T;
    bool values, weighted;
    size_t capacity, rows;
    unsigned char *sets; /* [capacity] */
    dt_target *y; /* [capacity,T] */
    float *w; /* [capacity] */
    uint64_t dealt[DT_SET_COUNT]; /* rows so far */
} tile;

/* ---- what the arrays' files would be ---- */

static void add_bytes(tile *t, dt_set set, int array, const void *items, size_t bytes)
{
    dt_source_sum *sum = &t->table->sums[set][array];
    sum->crc32 = dt_crc32(sum->crc32, items, bytes);
    sum->bytes += bytes;
}

static void add_header(tile *t, dt_set set, int array, const char *descr, unsigned dims,
                       size_t width)
{
    char header[256];
    const uint64_t shape[2] = {t->l->sets[set].N, width};
    add_bytes(t, set, array, header, dt_npy_format(header, descr, dims, shape));
}

static void begin_sums(tile *t)
{
    memset(t->table->sums, 0, sizeof t->table->sums);
    for (int p = 0; p < DT_SET_COUNT; p++) {
        if (t->l->sets[p].N == 0)
            continue;
        add_header(t, (dt_set)p, DT_ARRAY_INPUTS, "<f4", 2, t->D);
        add_header(t, (dt_set)p, DT_ARRAY_TARGETS, t->values ? "<f8" : "<i8", t->T > 1 ? 2 : 1,
                   t->T);
        if (t->weighted)
            add_header(t, (dt_set)p, DT_ARRAY_WEIGHTS, "<f8", 1, 1);
    }
}

static void add_row(tile *t, const dt_prepare_row *row)
{
    const int64_t label = row->label;
    add_bytes(t, row->set, DT_ARRAY_INPUTS, row->x, t->D * sizeof *row->x);
    if (t->values)
        add_bytes(t, row->set, DT_ARRAY_TARGETS, row->values, t->T * sizeof *row->values);
    else
        add_bytes(t, row->set, DT_ARRAY_TARGETS, &label, sizeof label);
    if (t->weighted)
        add_bytes(t, row->set, DT_ARRAY_WEIGHTS, &row->weight, sizeof row->weight);
}

/* ---- dealing ---- */

static void deal(tile *t)
{
    dt_loader *l = t->l;
    for (int p = 0; p < DT_SET_COUNT; p++) {
        const uint64_t first = t->dealt[p];
        size_t count = 0;
        for (size_t i = 0; i < t->rows; i++)
            if (t->sets[i] == (unsigned char)p)
                l->rows[count++] = (uint32_t)i;
        if (count == 0)
            continue;
        dt_loader_deal_rows(l, (dt_set)p, DT_ARRAY_TARGETS, first, count, 0, t->T, t->y);
        if (t->weighted)
            dt_loader_deal_rows(l, (dt_set)p, DT_ARRAY_WEIGHTS, first, count, 0, 1, t->w);
        dt_loader_deal_rows(l, (dt_set)p, DT_ARRAY_INPUTS, first, count, 0, t->D, l->tile);
        t->dealt[p] += count;
    }
    t->rows = 0;
}

/* Values and weights are rounded to float32 as those of a .npz are. */
static dt_status take_row(void *context, const dt_prepare_row *row)
{
    tile *t = context;
    add_row(t, row);
    memcpy(t->l->tile + t->rows * t->D, row->x, t->D * sizeof *row->x);
    if (t->values)
        for (size_t j = 0; j < t->T; j++)
            t->y[t->rows * t->T + j].value = (float)row->values[j];
    else
        t->y[t->rows].label = row->label;
    t->w[t->rows] = (float)row->weight;
    t->sets[t->rows] = (unsigned char)row->set;
    if (++t->rows == t->capacity)
        deal(t);
    return DT_OK;
}

dt_status dt_loader_deal_table(dt_loader *l)
{
    dt_status status = DT_OK;
    const dt_dataset *train = &l->sets[DT_TRAIN];
    tile t = {.l = l,
              .table = l->source->table,
              .D = train->D,
              .T = train->T,
              .values = l->values,
              .weighted = train->w != NULL};
    t.capacity = l->capacity / (t.D > t.T ? t.D : t.T);
    DT_TRY(dt_memory_alloc(&t.sets, t.capacity, sizeof *t.sets, "sets of rows"));
    DT_TRY(dt_memory_alloc(&t.y, t.capacity, t.T * sizeof *t.y, "targets of rows"));
    DT_TRY(dt_memory_alloc(&t.w, t.capacity, sizeof *t.w, "weights of rows"));
    begin_sums(&t);
    DT_TRY(dt_prepare_apply(t.table->prepare, take_row, &t));
    deal(&t);
out:
    dt_memory_free(t.sets);
    dt_memory_free(t.y);
    dt_memory_free(t.w);
    return status;
}
