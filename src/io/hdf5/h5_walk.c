/* All that is in a file, read and dropped. */
#include "dtrain/io/h5.h"

#include <hdf5.h>

#include "h5_internal.h"

#include "dtrain/base/memory.h"

#include <stdio.h>
#include <string.h>

/* Limits, because a group may contain itself. */
enum { DEPTH_MAX = 16, OBJECTS_MAX = DT_H5_NAMES_MAX, PATH_BYTES = 4096 };

/* Bytes read at a time; more if chunks or rows are larger. */
enum { BLOCK_BYTES = 1 << 20, BLOCK_BYTES_MAX = 64 << 20 };

/* An error of HDF5 means damage, and so does the death of the process that reads. Objects that
 * dtrain does not support (links, lists, other filters, values in other files, no values) are not
 * damaged. */
static bool is_damage(const dt_h5 *h5, dt_status status)
{
    return status != DT_OK && (status != DT_DATA || strstr(dt_status_text(), ": HDF5: ") != NULL ||
                               dt_h5_check(h5) != DT_OK);
}

DT_MUST_USE static dt_status read_attributes(dt_h5 *h5, const char *path)
{
    dt_status status = DT_OK;
    dt_h5_names names = {0}, texts = {0};
    char *text = NULL;
    DT_TRY(dt_h5_list_attributes(&names, h5, path));
    for (size_t i = 0; i < names.count; i++) {
        dt_h5_shape shape;
        /* Opening an attribute reads all of it, except texts that are stored elsewhere. */
        DT_TRY(dt_h5_describe_attribute(&shape, h5, path, names.texts[i]));
        status = DT_OK;
        if (shape.class == DT_H5_CLASS_TEXT && shape.dims == 0 && shape.count > 0)
            status = dt_h5_get_text(&text, h5, path, names.texts[i]);
        else if (shape.class == DT_H5_CLASS_TEXT && shape.dims == 1)
            status = dt_h5_get_texts(&texts, h5, path, names.texts[i]);
        dt_memory_free(text);
        text = NULL;
        dt_h5_names_clear(&texts);
        if (is_damage(h5, status))
            goto out;
    }
    status = DT_OK;
out:
    dt_h5_names_clear(&names);
    return status;
}

/* Whole chunks at a time, else each would be unpacked several times. */
static uint64_t rows_of_block(const dt_h5_items *items, uint64_t rows, uint64_t row_bytes)
{
    uint64_t count = BLOCK_BYTES / row_bytes / items->chunk_rows * items->chunk_rows;
    count = count < items->chunk_rows ? items->chunk_rows : count;
    if (count > BLOCK_BYTES_MAX / row_bytes)
        count = BLOCK_BYTES_MAX / row_bytes;
    count = count > 0 ? count : 1;
    return count < rows ? count : rows;
}

DT_MUST_USE static dt_status read_dataset(dt_h5 *h5, const char *path)
{
    dt_status status = DT_OK;
    dt_h5_items items;
    int64_t longest = 0;
    char *block = NULL;
    DT_TRY(dt_h5_describe_items(&items, h5, path));
    if (strcmp(items.descr, "S") == 0)
        return dt_h5_find_longest(&longest, h5, path);
    if (items.shape.count == 0 || items.shape.element_bytes == 0)
        return DT_OK;
    const uint64_t rows = items.shape.dims > 0 ? items.shape.extent[0] : 1;
    const uint64_t row_bytes = items.shape.count / rows * items.shape.element_bytes;
    const uint64_t step = rows_of_block(&items, rows, row_bytes);
    DT_TRY(dt_memory_alloc(&block, (size_t)step, (size_t)row_bytes, "values of an HDF5 file"));
    for (uint64_t first = 0; first < rows; first += step) {
        const uint64_t count = rows - first < step ? rows - first : step;
        const dt_h5_part part = {path, first, count, (size_t)(count * row_bytes)};
        DT_TRY(dt_h5_read_part(block, h5, &part));
    }
out:
    dt_memory_free(block);
    return status;
}

// NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX bounds it
DT_MUST_USE static dt_status walk(dt_h5 *h5, const char *path, int depth, size_t *objects)
{
    dt_status status = DT_OK;
    dt_h5_names names = {0};
    const dt_h5_kind kind = dt_h5_has(h5, path);
    if (kind == DT_H5_NOTHING || depth > DEPTH_MAX || ++*objects > OBJECTS_MAX)
        return dt_h5_check(h5);
    status = read_attributes(h5, path);
    if (!is_damage(h5, status) && kind == DT_H5_DATASET)
        status = read_dataset(h5, path);
    if (is_damage(h5, status))
        return status;
    if (kind != DT_H5_GROUP)
        return DT_OK;
    DT_TRY(dt_h5_list_members(&names, h5, path));
    for (size_t i = 0; i < names.count; i++) {
        char member[PATH_BYTES];
        const int length =
            snprintf(member, sizeof member, "%s/%s", depth > 0 ? path : "", names.texts[i]);
        if (length < PATH_BYTES)
            DT_TRY(walk(h5, member, depth + 1, objects));
    }
out:
    dt_h5_names_clear(&names);
    return status;
}

dt_status dt_h5_read_everything(dt_h5 *h5)
{
    size_t objects = 0;
    return walk(h5, "/", 0, &objects);
}
