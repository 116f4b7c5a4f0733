/* Datasets as arrays: the types of their items, and their rows. */
#include "dtrain/io/h5.h"

#include <hdf5.h>

#include "h5_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/io/file.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

bool dt_h5_is_file(const char *path)
{
    static const char magic[] = "\x89HDF\r\n\x1a\n";
    char head[sizeof magic] = "";
    size_t got = 0;
    FILE *file = dt_file_is_regular(path) ? fopen(path, "rb") : NULL;
    if (file != NULL) {
        got = fread(head, 1, sizeof magic - 1, file);
        (void)fclose(file);
    }
    if (got == sizeof magic - 1 && memcmp(head, magic, got) == 0)
        return true;
    return dt_text_ends_in(path, ".h5") || dt_text_ends_in(path, ".hdf5");
}

/* ---- types ---- */

/* As IEEE 754 lays floats out, and h5py those of two bytes. */
static bool is_usual_float(hid_t type, size_t bytes)
{
    static const struct {
        size_t bytes, exponent_bits, bias;
    } usual[] = {{2, 5, 15}, {4, 8, 127}, {8, 11, 1023}};
    size_t sign = 0, exponent = 0, exponent_bits = 0, mantissa = 0, mantissa_bits = 0;
    if (H5Tget_fields(type, &sign, &exponent, &exponent_bits, &mantissa, &mantissa_bits) < 0)
        return false;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (bytes == usual[i].bytes)
            return H5Tget_precision(type) == 8 * bytes && sign == 8 * bytes - 1 &&
                   exponent_bits == usual[i].exponent_bits && exponent == sign - exponent_bits &&
                   mantissa == 0 && mantissa_bits == exponent &&
                   H5Tget_ebias(type) == usual[i].bias && H5Tget_norm(type) == H5T_NORM_IMPLIED;
    return false;
}

static void describe_number(char out[DT_H5_DESCR_BYTES], hid_t type)
{
    const size_t bytes = H5Tget_size(type);
    const dt_h5_class class = dt_h5_class_of(type);
    const bool is_float = H5Tget_class(type) == H5T_FLOAT;
    const bool power = bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
    const bool usual = class == DT_H5_CLASS_FLOAT ? is_usual_float(type, bytes)
                                                  : class == DT_H5_CLASS_INT && power &&
                                                        H5Tget_precision(type) == 8 * bytes;
    const char kind = is_float ? 'f' : H5Tget_sign(type) == H5T_SGN_NONE ? 'u' : 'i';
    const char order = bytes == 1 ? '|' : H5Tget_order(type) == H5T_ORDER_BE ? '>' : '<';
    if (usual)
        (void)snprintf(out, DT_H5_DESCR_BYTES, "%c%c%zu", order, kind, bytes);
    else
        (void)snprintf(out, DT_H5_DESCR_BYTES, "%c", is_float ? 'f' : 'i');
}

/* h5py's bool has the names FALSE and TRUE; other names stand for whole numbers. */
static void describe_enum(char out[DT_H5_DESCR_BYTES], hid_t type)
{
    const hid_t numbers = H5Tget_super(type);
    char *first = H5Tget_nmembers(type) == 2 ? H5Tget_member_name(type, 0) : NULL;
    if (first != NULL && H5Tget_size(type) == 1 && strcmp(first, "FALSE") == 0)
        (void)snprintf(out, DT_H5_DESCR_BYTES, "|b1");
    else if (numbers >= 0)
        describe_number(out, numbers);
    if (first != NULL)
        (void)H5free_memory(first);
    if (numbers >= 0)
        (void)H5Tclose(numbers);
}

static void describe_compound(char out[DT_H5_DESCR_BYTES], hid_t type)
{
    char *first = H5Tget_nmembers(type) == 2 ? H5Tget_member_name(type, 0) : NULL;
    (void)snprintf(out, DT_H5_DESCR_BYTES, "%c",
                   first != NULL && strcmp(first, "r") == 0 ? 'c' : 'V');
    if (first != NULL)
        (void)H5free_memory(first);
}

static void describe_type(char out[DT_H5_DESCR_BYTES], hid_t type)
{
    (void)snprintf(out, DT_H5_DESCR_BYTES, "?");
    switch (H5Tget_class(type)) {
    case H5T_INTEGER:
    case H5T_FLOAT:
        describe_number(out, type);
        break;
    case H5T_ENUM:
        describe_enum(out, type);
        break;
    case H5T_COMPOUND:
        describe_compound(out, type);
        break;
    case H5T_STRING:
        if (H5Tis_variable_str(type) > 0)
            (void)snprintf(out, DT_H5_DESCR_BYTES, "S");
        else
            (void)snprintf(out, DT_H5_DESCR_BYTES, "|S%zu", H5Tget_size(type));
        break;
    case H5T_VLEN:
        (void)snprintf(out, DT_H5_DESCR_BYTES, "O");
        break;
    default:
        break;
    }
}

static uint64_t chunk_rows_of(const dt_h5_dataset *d)
{
    hsize_t extent[H5S_MAX_RANK] = {0};
    if (H5Pget_layout(d->creation) != H5D_CHUNKED ||
        H5Pget_chunk(d->creation, H5S_MAX_RANK, extent) < 1 || extent[0] == 0)
        return 1;
    return extent[0];
}

dt_status dt_h5_describe_items(dt_h5_items *out, dt_h5 *h5, const char *path)
{
    dt_h5_dataset d;
    *out = (dt_h5_items){0};
    if (h5->remote != NULL)
        return dt_h5_ask_items(out, h5,
                               &(dt_h5_question){.call = DT_H5_CALL_DESCRIBE_ITEMS, .path = path});
    const dt_status status = dt_h5_open_dataset(&d, h5, path);
    if (status == DT_OK) {
        out->shape = d.shape;
        out->chunk_rows = chunk_rows_of(&d);
        describe_type(out->descr, d.type);
    }
    dt_h5_close_dataset(&d);
    return status;
}

/* ---- rows ---- */

/* Opens a dataset, which stays open: the next part mostly is of the same one. */
DT_MUST_USE static dt_status open_part(const dt_h5_dataset **out, dt_h5 *h5, const char *path)
{
    dt_status status = DT_OK;
    *out = h5->part;
    if (h5->part != NULL && strcmp(h5->part->path, path) == 0)
        return DT_OK;
    dt_h5_close_part(h5);
    DT_TRY(dt_memory_alloc(&h5->part, 1, sizeof *h5->part, "a dataset"));
    *h5->part = (dt_h5_dataset){.id = -1, .type = -1, .creation = -1};
    DT_TRY(dt_memory_copy_text(&h5->part_path, path));
    status = dt_h5_open_dataset(h5->part, h5, h5->part_path);
    *out = h5->part;
out:
    if (status != DT_OK)
        dt_h5_close_part(h5);
    return status;
}

/* Selects rows of a dataset. Owns: the caller closes both spaces, also after an error. */
DT_MUST_USE static dt_status select_rows(dt_h5_selection *out, const dt_h5_dataset *d,
                                         const dt_h5 *h5, uint64_t first, uint64_t count)
{
    const dt_h5_shape *shape = &d->shape;
    hsize_t start[H5S_MAX_RANK] = {first}, extent[H5S_MAX_RANK] = {0};
    *out = (dt_h5_selection){-1, -1, 0};
    const uint64_t rows = shape->dims > 0 ? shape->extent[0] : 1; /* a single item is a row */
    if (shape->count == 0 || first > rows || count > rows - first)
        return dt_fail(DT_DATA, "%s: %s: has fewer than %" PRIu64 " rows from row %" PRIu64 " on",
                       dt_h5_name(h5), d->path, count, first);
    for (unsigned i = 0; i < shape->dims; i++)
        extent[i] = i == 0 ? count : shape->extent[i];
    out->count = (size_t)(shape->count / rows * count);
    const hsize_t items = out->count;
    out->memory = H5Screate_simple(1, &items, NULL);
    out->file = H5Dget_space(d->id);
    if (out->memory < 0 || out->file < 0 ||
        (shape->dims > 0 &&
         H5Sselect_hyperslab(out->file, H5S_SELECT_SET, start, NULL, extent, NULL) < 0))
        return dt_h5_fail_reading(h5, "select rows of", d->path);
    return DT_OK;
}

static void close_selection(dt_h5_selection *of)
{
    if (of->memory >= 0)
        (void)H5Sclose(of->memory);
    if (of->file >= 0)
        (void)H5Sclose(of->file);
}

/* Items of one size: numbers as they lie in the file, without a conversion; texts padded with
 * zeros, whatever they are padded with there. */
DT_MUST_USE static dt_status read_fixed(char *out, const dt_h5_dataset *d, const dt_h5 *h5,
                                        const dt_h5_selection *of)
{
    dt_status status = DT_OK;
    const hid_t memory = H5Tcopy(d->type);
    if (memory < 0 ||
        (H5Tget_class(memory) == H5T_STRING && H5Tset_strpad(memory, H5T_STR_NULLPAD) < 0) ||
        H5Dread(d->id, memory, of->memory, of->file, H5P_DEFAULT, out) < 0)
        status = dt_h5_fail_reading(h5, "read", d->path);
    if (memory >= 0)
        (void)H5Tclose(memory);
    return status;
}

/* ---- texts of any length ---- */

/* Where texts go to: fields of `width` bytes. */
typedef struct fields {
    char *out; /* zeros; NULL: only the longest is looked for */
    size_t width, longest;
    const dt_h5 *h5;
    const char *path;
} fields;

static dt_status put_text(void *context, size_t index, const char *text)
{
    fields *f = context;
    const size_t bytes = strlen(text);
    f->longest = bytes > f->longest ? bytes : f->longest;
    if (f->out == NULL)
        return DT_OK;
    if (bytes > f->width)
        return dt_fail(DT_DATA,
                       "%s: %s: a text of %zu bytes, expected at most %zu; was it changed?",
                       dt_h5_name(f->h5), f->path, bytes, f->width);
    memcpy(f->out + index * f->width, text, bytes);
    return DT_OK;
}

dt_status dt_h5_find_longest(int64_t *out, dt_h5 *h5, const char *path)
{
    enum { ROWS = 4096 };
    dt_status status = DT_OK;
    const dt_h5_dataset *d = NULL;
    dt_h5_selection of = {-1, -1, 0};
    fields f = {.h5 = h5, .path = path};
    *out = 0;
    if (h5->remote != NULL)
        return dt_h5_ask(out, sizeof *out, h5,
                         &(dt_h5_question){.call = DT_H5_CALL_FIND_LONGEST, .path = path});
    DT_TRY(open_part(&d, h5, path));
    if (H5Tis_variable_str(d->type) <= 0)
        DT_TRY(dt_fail(DT_DATA, "%s: %s: expected texts", dt_h5_name(h5), path));
    const uint64_t rows = d->shape.dims > 0 && d->shape.count > 0 ? d->shape.extent[0] : 0;
    for (uint64_t first = 0; first < rows; first += ROWS) {
        DT_TRY(select_rows(&of, d, h5, first, rows - first < ROWS ? rows - first : ROWS));
        DT_TRY(dt_h5_read_variable(d, h5, d->type, &of, put_text, &f));
        close_selection(&of);
        of = (dt_h5_selection){-1, -1, 0};
    }
    *out = (int64_t)f.longest;
out:
    close_selection(&of);
    return status;
}

/* Whether items of this type have places in memory instead of what they hold: what HDF5 allocates
 * for these is not bounded. */
// NOLINTNEXTLINE(misc-no-recursion): HDF5 bounds how deep types are in each other
static bool leads_elsewhere(hid_t type)
{
    if (H5Tis_variable_str(type) > 0 || H5Tget_class(type) == H5T_REFERENCE ||
        H5Tdetect_class(type, H5T_VLEN) != 0)
        return true;
    const int members = H5Tget_class(type) == H5T_COMPOUND ? H5Tget_nmembers(type) : 0;
    bool leads = false;
    for (int i = 0; i < members && !leads; i++) {
        const hid_t member = H5Tget_member_type(type, (unsigned)i);
        leads = member < 0 || leads_elsewhere(member);
        if (member >= 0)
            (void)H5Tclose(member);
    }
    const hid_t items = H5Tget_class(type) == H5T_ARRAY ? H5Tget_super(type) : -1;
    leads = leads || (items >= 0 && leads_elsewhere(items));
    if (items >= 0)
        (void)H5Tclose(items);
    return leads;
}

dt_status dt_h5_read_part(void *data, dt_h5 *h5, const dt_h5_part *part)
{
    dt_status status = DT_OK;
    const dt_h5_dataset *d = NULL;
    dt_h5_selection of = {-1, -1, 0};
    char descr[DT_H5_DESCR_BYTES];
    if (h5->remote != NULL)
        return dt_h5_ask(data, part->bytes, h5,
                         &(dt_h5_question){.call = DT_H5_CALL_READ_PART,
                                           .path = part->path,
                                           .count = part->count,
                                           .first = part->first,
                                           .bytes = part->bytes});
    DT_TRY(open_part(&d, h5, part->path));
    DT_TRY(select_rows(&of, d, h5, part->first, part->count));
    describe_type(descr, d->type);
    const size_t width = of.count > 0 ? part->bytes / of.count : 0;
    const bool variable = strcmp(descr, "S") == 0;
    if (!variable && leads_elsewhere(d->type))
        DT_TRY(dt_fail(DT_DATA, "%s: %s: expected items of one size", dt_h5_name(h5), part->path));
    if (width * of.count != part->bytes || (!variable && width != d->shape.element_bytes))
        DT_TRY(dt_fail(DT_DATA, "%s: %s: its items have %zu bytes, expected %zu", dt_h5_name(h5),
                       part->path, d->shape.element_bytes, width));
    if (of.count == 0)
        goto out;
    if (!variable) {
        DT_TRY(read_fixed(data, d, h5, &of));
        goto out;
    }
    memset(data, 0, part->bytes);
    fields f = {.out = data, .width = width, .h5 = h5, .path = part->path};
    DT_TRY(dt_h5_read_variable(d, h5, d->type, &of, put_text, &f));
out:
    close_selection(&of);
    return status;
}
