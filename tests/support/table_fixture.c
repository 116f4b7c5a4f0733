#include "table_fixture.h"

#include "npz_fixture.h"
#include "scratch_folder.h"

#include <stdio.h>

double table_input(const table *t, size_t row, size_t column)
{
    if (t->damaged == 1 + row * t->D + column)
        return t->value;
    return (double)(t->x_type[2] == 'b' ? (row * 5 + column * 3) / 2 % 2
                                        : (row * 31 + column * 7) % 127);
}

size_t table_class(const table *t, size_t row)
{
    return (row + row / 5) % t->C;
}

static void write_inputs(zip_bytes *to, const table *t)
{
    if (!t->x_fortran) {
        for (size_t n = 0; n < t->N; n++)
            for (size_t j = 0; j < t->D; j++)
                npz_append(to, t->x_type, table_input(t, n, j));
        return;
    }
    /* Column-major: the first index runs fastest, then the second. */
    const size_t inner = t->middle > 0 ? t->middle : 1, outer = t->D / inner;
    for (size_t k = 0; k < inner; k++)
        for (size_t i = 0; i < outer; i++)
            for (size_t n = 0; n < t->N; n++)
                npz_append(to, t->x_type, table_input(t, n, i * inner + k));
}

static double target_of(const table *t, size_t row, size_t column)
{
    if (t->wrong_label == 1 + row && (!t->one_hot || column == 0))
        return t->label;
    return t->one_hot ? (table_class(t, row) == column) : (double)table_class(t, row);
}

static void write_targets(zip_bytes *to, const table *t)
{
    const size_t width = t->one_hot ? t->C : 1;
    for (size_t i = 0; i < t->N * width; i++) {
        const size_t row = t->y_fortran ? i % t->N : i / width;
        npz_append(to, t->y_type, target_of(t, row, t->y_fortran ? i / t->N : i % width));
    }
}

bool write_table(const char *name, const table *t)
{
    char x_shape[64], y_shape[64];
    (void)snprintf(x_shape, sizeof x_shape, "(%zu, %zu)", t->N, t->D);
    (void)snprintf(y_shape, sizeof y_shape, t->one_hot ? "(%zu, %zu)" : "(%zu,)", t->N, t->C);
    zip_bytes x = {0}, y = {0};
    write_inputs(&x, t);
    write_targets(&y, t);
    const npz_array arrays[] = {
        {"x.npy", t->x_type, t->x_fortran, t->x_shape != NULL ? t->x_shape : x_shape, x.data,
         x.count, t->deflate, t->crc_change, t->cut},
        {"y.npy", t->y_type, t->y_fortran, t->y_shape != NULL ? t->y_shape : y_shape, y.data,
         y.count, t->deflate, 0, 0}};
    const bool good = npz_build(scratch_path(name), arrays, 2);
    zip_free(&x);
    zip_free(&y);
    return good;
}

dt_status table_load(dt_dataset sets[DT_SET_COUNT], const char *path, const dt_deal *deal)
{
    const dt_comm comm = ranks_all();
    dt_source source = {0};
    dt_status status = DT_OK;
    if (test_rank == 0)
        status = dt_source_open(&source, &path, 1, "", "");
    assert_all_int(status, DT_OK);
    status = dt_dataset_load(sets, &comm, test_rank == 0 ? &source : NULL, deal);
    dt_source_clear(&source);
    return status;
}
