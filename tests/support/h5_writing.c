#include "h5_writing.h"

#include "scratch_folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const dt_h5_column h5_epoch_columns[H5_EPOCH_COLUMNS] = {
    {"epoch", NULL, DT_H5_I32, DT_H5_FIELD(h5_epoch_row, epoch)},
    {"loss", "nats per row", DT_H5_F64, DT_H5_FIELD(h5_epoch_row, loss)},
    {"host", NULL, DT_H5_TEXT, DT_H5_FIELD(h5_epoch_row, host)},
    {"steps", "1", DT_H5_U32, DT_H5_FIELD(h5_epoch_row, steps)},
    {"rate", "rows/s", DT_H5_F32, DT_H5_FIELD(h5_epoch_row, rate)},
    {"rows", "1", DT_H5_I64, DT_H5_FIELD(h5_epoch_row, rows)},
};
const dt_h5_table h5_epoch_table = DT_H5_TABLE(h5_epoch_columns, h5_epoch_row);

int h5_start(void **state)
{
    static h5_fixture f;
    (void)snprintf(f.path, sizeof f.path, "%s", scratch_path("file.h5"));
    *state = &f;
    return dt_h5_new(&f.h5) != DT_OK;
}

int h5_stop(void **state)
{
    h5_fixture *f = *state;
    dt_h5_free(f->h5);
    (void)unlink(f->path);
    int found = 0;
    DIR *stream = opendir(scratch_folder);
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            print_error("left behind: %s\n", entry->d_name);
            found = 1;
        }
    closedir(stream);
    return found;
}

hid_t h5_save_and_open(h5_fixture *f)
{
    assert_ok(dt_h5_save(f->h5, f->path));
    hid_t file = H5Fopen(f->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    return file;
}

void assert_h5_number(hid_t file, const char *path, const char *name, hid_t stored, hid_t native,
                      const void *expected)
{
    unsigned char value[8] = {0};
    hid_t attribute = H5Aopen_by_name(file, path, name, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(attribute >= 0);
    hid_t type = H5Aget_type(attribute);
    hid_t space = H5Aget_space(attribute);
    assert_true(H5Tequal(type, stored) > 0);
    assert_int_equal(H5Sget_simple_extent_type(space), H5S_SCALAR);
    assert_true(H5Aread(attribute, native, value) >= 0);
    assert_memory_equal(value, expected, sizeof value);
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
}

h5_epoch_row h5_make_row(int32_t epoch)
{
    h5_epoch_row row;
    /* Garbage, which must not get into the file. */
    memset(&row, 'G', sizeof row);
    row.epoch = epoch;
    row.loss = 1.0 / (epoch + 3);
    (void)snprintf(row.host, sizeof row.host, "n\xc3\xb6%d", (int)(epoch % 10000));
    row.steps = UINT32_MAX - (uint32_t)epoch;
    row.rate = (float)epoch / 7.0f;
    row.rows = INT64_MAX - epoch;
    return row;
}

void h5_append_epochs(dt_h5 *h5, int32_t first, int32_t count)
{
    h5_epoch_row *rows = malloc((size_t)(count + 1) * sizeof *rows);
    assert_non_null(rows);
    for (int32_t i = 0; i < count; i++)
        rows[i] = h5_make_row(first + i);
    assert_ok(dt_h5_append_rows(h5, "/epochs", &h5_epoch_table, rows, (size_t)count));
    free(rows);
}

void h5_make_epochs(dt_h5 *h5)
{
    assert_ok(dt_h5_make_table(h5, "/epochs", &h5_epoch_table));
}
