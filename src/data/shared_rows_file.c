/* Shared rows of a table that is prepared: the rows are read once, in the table's order. */
#include "shared_rows_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/io/scratch.h"

/* A hash has its row's set in place of the lowest bits. */
enum { SET_BITS = 3 };

struct dt_row_hashes {
    dt_scratch *scratch;
    size_t D, T;
    dt_target *y; /* [T]: of a row */
    dt_set set; /* whose hashes are read */
    uint64_t rows[DT_SET_COUNT];
};

dt_status dt_row_hashes_new(dt_row_hashes **out, const char *folder, size_t D, size_t T)
{
    dt_status status = DT_OK;
    dt_row_hashes *hashes = NULL;
    *out = NULL;
    DT_TRY(dt_memory_alloc(&hashes, 1, sizeof *hashes, "hashes of rows"));
    DT_TRY(dt_memory_alloc(&hashes->y, T, sizeof *hashes->y, "targets of a row"));
    DT_TRY(dt_scratch_open(&hashes->scratch, folder));
    hashes->D = D;
    hashes->T = T;
    *out = hashes;
    hashes = NULL;
out:
    dt_row_hashes_free(hashes);
    return status;
}

dt_status dt_row_hashes_add(dt_row_hashes *hashes, const dt_prepare_row *row)
{
    hashes->y[0].label = row->label;
    for (size_t j = 0; row->values != NULL && j < hashes->T; j++)
        hashes->y[j].value = (float)row->values[j]; /* as training has them */
    uint64_t hash = dt_shared_rows_hash(row->x, hashes->D, hashes->y, hashes->T);
    hash = (hash & ~(uint64_t)SET_BITS) | (uint64_t)row->set;
    hashes->rows[row->set]++;
    return dt_scratch_write(hashes->scratch, &hash, sizeof hash);
}

static dt_status begin(void *context, dt_set set)
{
    dt_row_hashes *hashes = context;
    hashes->set = set;
    return dt_scratch_rewind(hashes->scratch);
}

static dt_status read(void *context, uint64_t *out, size_t *count)
{
    dt_row_hashes *hashes = context;
    dt_status status = DT_OK;
    size_t got = 1, kept = 0;
    while (got > 0 && kept == 0) { /* none at all would be the end */
        DT_TRY(dt_scratch_read(hashes->scratch, out, *count * sizeof *out, &got));
        for (size_t i = 0; i < got / sizeof *out; i++)
            if ((out[i] & SET_BITS) == (uint64_t)hashes->set)
                out[kept++] = out[i];
    }
    *count = kept;
out:
    return status;
}

dt_status dt_row_hashes_count(dt_shared_rows *out, dt_row_hashes *hashes)
{
    enum { MOST = 1 << 20 };
    dt_hash_source source = {.context = hashes, .most = MOST, .begin = begin, .read = read};
    for (int p = 0; p < DT_SET_COUNT; p++)
        source.rows[p] = hashes->rows[p];
    return dt_shared_rows_find(out, &source);
}

void dt_row_hashes_free(dt_row_hashes *hashes)
{
    if (hashes == NULL)
        return;
    dt_scratch_close(hashes->scratch);
    dt_memory_free(hashes->y);
    dt_memory_free(hashes);
}
