#include "dtrain/io/h5.h"

#include <hdf5.h>

#include "h5_internal.h"

#include "dtrain/base/memory.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* ---- types and shapes ---- */

/* HDF5's conversions trust the file's description of a number's bits, so it is checked to stay
 * within the number. */
static bool is_plain_integer(hid_t type, size_t bytes)
{
    const int offset = H5Tget_offset(type);
    return bytes <= 8 && offset >= 0 && H5Tget_precision(type) > 0 &&
           H5Tget_precision(type) + (size_t)offset <= 8 * bytes;
}

static bool is_plain_float(hid_t type, size_t bytes)
{
    size_t sign = 0, exponent = 0, exponent_bits = 0, mantissa = 0, mantissa_bits = 0;
    const size_t bits = H5Tget_precision(type);
    const int offset = H5Tget_offset(type);
    if (bytes > 16 || offset < 0 || bits + (size_t)offset > 8 * bytes ||
        H5Tget_fields(type, &sign, &exponent, &exponent_bits, &mantissa, &mantissa_bits) < 0)
        return false;
    return sign < bits && exponent_bits > 0 && mantissa_bits > 0 && exponent < bits &&
           exponent_bits <= bits - exponent && mantissa < bits &&
           mantissa_bits <= bits - mantissa && exponent_bits < 32;
}

dt_h5_class dt_h5_class_of(hid_t type)
{
    const size_t bytes = H5Tget_size(type);
    const H5T_class_t found = H5Tget_class(type);
    if (bytes == 0)
        return DT_H5_CLASS_OTHER;
    if (found == H5T_STRING)
        return DT_H5_CLASS_TEXT;
    if (found == H5T_COMPOUND)
        return DT_H5_CLASS_TABLE;
    if (found != H5T_INTEGER && found != H5T_FLOAT)
        return DT_H5_CLASS_OTHER;
    const H5T_order_t order = H5Tget_order(type);
    if (order != H5T_ORDER_LE && order != H5T_ORDER_BE)
        return DT_H5_CLASS_OTHER;
    if (found == H5T_INTEGER)
        return is_plain_integer(type, bytes) ? DT_H5_CLASS_INT : DT_H5_CLASS_OTHER;
    return is_plain_float(type, bytes) ? DT_H5_CLASS_FLOAT : DT_H5_CLASS_OTHER;
}

const char *dt_h5_class_name(dt_h5_class found)
{
    static const char *const names[] = {"integers", "floating-point numbers", "text", "a table",
                                        "values of another type"};
    return names[found];
}

dt_status dt_h5_measure(dt_h5_shape *out, const dt_h5 *h5, const char *object, hid_t type,
                        hid_t space)
{
    hsize_t extent[H5S_MAX_RANK] = {0};
    _Static_assert((int)DT_H5_DIMS_MAX == (int)H5S_MAX_RANK, "all of HDF5's dimensions fit");
    *out = (dt_h5_shape){.class = dt_h5_class_of(type), .element_bytes = H5Tget_size(type)};
    switch (H5Sget_simple_extent_type(space)) {
    case H5S_NULL:
        return DT_OK;
    case H5S_SCALAR:
        out->count = 1;
        return DT_OK;
    default:
        break;
    }
    const int dims = H5Sget_simple_extent_dims(space, extent, NULL);
    if (dims < 0)
        return dt_h5_fail_reading(h5, "measure", object);
    uint64_t bytes = out->element_bytes;
    out->count = 1;
    out->dims = (unsigned)dims;
    for (int i = 0; i < dims; i++) {
        out->extent[i] = extent[i];
        if (__builtin_mul_overflow(out->count, extent[i], &out->count) ||
            __builtin_mul_overflow(bytes, extent[i], &bytes))
            return dt_fail(DT_DATA, "%s: %s: its shape is larger than any file", dt_h5_name(h5),
                           object);
    }
    return DT_OK;
}

/* ---- attributes ---- */

/* An attribute that is open, described. */
typedef struct attribute {
    char what[DT_H5_OBJECT_BYTES]; /* "<name> of <path>" */
    hid_t id, type, space;
    dt_h5_shape shape;
} attribute;

static void close_attribute(attribute *a)
{
    if (a->space >= 0)
        (void)H5Sclose(a->space);
    if (a->type >= 0)
        (void)H5Tclose(a->type);
    if (a->id >= 0)
        (void)H5Aclose(a->id);
}

DT_MUST_USE static dt_status open_attribute(attribute *out, dt_h5 *h5, const char *path,
                                            const char *name)
{
    dt_status status = DT_OK;
    hid_t object = -1;
    *out = (attribute){.id = -1, .type = -1, .space = -1};
    (void)snprintf(out->what, sizeof out->what, "the attribute %.100s of %.100s", name, path);
    DT_TRY(dt_h5_open_object(&object, h5, path));
    if (H5Aexists(object, name) == 0)
        DT_TRY(dt_fail(DT_DATA, "%s: it has no attribute %.100s of %.100s", dt_h5_name(h5), name,
                       path));
    out->id = H5Aopen(object, name, H5P_DEFAULT);
    if (out->id >= 0)
        out->type = H5Aget_type(out->id);
    if (out->type >= 0)
        out->space = H5Aget_space(out->id);
    if (out->space < 0)
        DT_TRY(dt_h5_fail_reading(h5, "open", out->what));
    DT_TRY(dt_h5_measure(&out->shape, h5, out->what, out->type, out->space));
out:
    if (object >= 0)
        (void)H5Oclose(object);
    if (status != DT_OK) {
        close_attribute(out);
        *out = (attribute){.id = -1, .type = -1, .space = -1};
    }
    return status;
}

dt_status dt_h5_describe_attribute(dt_h5_shape *out, dt_h5 *h5, const char *path, const char *name)
{
    attribute a;
    *out = (dt_h5_shape){0};
    if (h5->remote != NULL)
        return dt_h5_ask_shape(out, h5,
                               &(dt_h5_question){DT_H5_CALL_DESCRIBE_ATTRIBUTE, path, name, 0});
    dt_status status = open_attribute(&a, h5, path, name);
    if (status == DT_OK)
        *out = a.shape;
    close_attribute(&a);
    return status;
}

DT_MUST_USE static dt_status expect(const attribute *a, const dt_h5 *h5, dt_h5_class class,
                                    const char *expected)
{
    if (a->shape.class != class)
        return dt_fail(DT_DATA, "%s: %s: expected %s, found %s", dt_h5_name(h5), a->what, expected,
                       dt_h5_class_name(a->shape.class));
    if (a->shape.count != 1)
        return dt_fail(DT_DATA, "%s: %s: expected %s, found %" PRIu64 " values", dt_h5_name(h5),
                       a->what, expected, a->shape.count);
    return DT_OK;
}

dt_status dt_h5_get_int(int64_t *out, dt_h5 *h5, const char *path, const char *name)
{
    dt_status status = DT_OK;
    attribute a;
    *out = 0;
    if (h5->remote != NULL)
        return dt_h5_ask(out, sizeof *out, h5,
                         &(dt_h5_question){DT_H5_CALL_GET_INT, path, name, 0});
    DT_TRY(open_attribute(&a, h5, path, name));
    DT_TRY(expect(&a, h5, DT_H5_CLASS_INT, "one integer"));
    if (H5Aread(a.id, H5T_NATIVE_INT64, out) < 0)
        DT_TRY(dt_h5_fail_reading(h5, "read", a.what));
out:
    close_attribute(&a);
    return status;
}

dt_status dt_h5_get_double(double *out, dt_h5 *h5, const char *path, const char *name)
{
    dt_status status = DT_OK;
    attribute a;
    *out = 0.0;
    if (h5->remote != NULL)
        return dt_h5_ask(out, sizeof *out, h5,
                         &(dt_h5_question){DT_H5_CALL_GET_DOUBLE, path, name, 0});
    DT_TRY(open_attribute(&a, h5, path, name));
    if (a.shape.class != DT_H5_CLASS_INT || a.shape.count != 1)
        DT_TRY(expect(&a, h5, DT_H5_CLASS_FLOAT, "one number"));
    if (H5Aread(a.id, H5T_NATIVE_DOUBLE, out) < 0)
        DT_TRY(dt_h5_fail_reading(h5, "read", a.what));
out:
    close_attribute(&a);
    return status;
}

/* ---- texts ---- */

DT_MUST_USE static dt_status fail_long(const attribute *a, const dt_h5 *h5, size_t bytes)
{
    return dt_fail(DT_DATA, "%s: %s: a text of %zu bytes, expected at most %d", dt_h5_name(h5),
                   a->what, bytes, DT_H5_TEXT_BYTES_MAX);
}

DT_MUST_USE static dt_status read_variable(dt_h5_names *out, const attribute *a, const dt_h5 *h5)
{
    dt_status status = DT_OK;
    char **texts = NULL;
    size_t capacity = 0;
    const size_t count = (size_t)a->shape.count;
    DT_TRY(dt_memory_alloc(&texts, count, sizeof *texts, "texts of an HDF5 file"));
    if (H5Aread(a->id, a->type, texts) < 0) {
        status = dt_h5_fail_reading(h5, "read", a->what);
        goto out;
    }
    for (size_t i = 0; i < count && status == DT_OK; i++) {
        const char *text = texts[i] != NULL ? texts[i] : ""; /* how HDF5 gives an empty one back */
        const size_t bytes = strlen(text);
        if (bytes > DT_H5_TEXT_BYTES_MAX)
            status = fail_long(a, h5, bytes);
        else
            status = dt_h5_names_add(out, &capacity, h5, a->what, text);
    }
    (void)H5Dvlen_reclaim(a->type, a->space, H5P_DEFAULT, texts);
out:
    dt_memory_free(texts);
    return status;
}

/* Where a text in a field of fixed size ends: at a NUL, or before the spaces that fill it up. */
static size_t fixed_length(const char *field, size_t bytes, bool spaces)
{
    size_t length = strnlen(field, bytes);
    while (spaces && length > 0 && field[length - 1] == ' ')
        length--;
    return length;
}

dt_status dt_h5_names_add_fields(dt_h5_names *names, const dt_h5 *h5, const char *object,
                                 hid_t type, const char *fields, size_t count)
{
    dt_status status = DT_OK;
    char *text = NULL;
    size_t capacity = 0;
    const size_t bytes = H5Tget_size(type);
    const bool spaces = H5Tget_strpad(type) == H5T_STR_SPACEPAD;
    DT_TRY(dt_memory_alloc(&text, bytes + 1, 1, "texts of an HDF5 file"));
    for (size_t i = 0; i < count; i++) {
        const size_t length = fixed_length(fields + i * bytes, bytes, spaces);
        memcpy(text, fields + i * bytes, length);
        text[length] = '\0';
        DT_TRY(dt_h5_names_add(names, &capacity, h5, object, text));
    }
out:
    dt_memory_free(text);
    return status;
}

DT_MUST_USE static dt_status read_fixed(dt_h5_names *out, const attribute *a, const dt_h5 *h5)
{
    dt_status status = DT_OK;
    char *fields = NULL;
    const size_t count = (size_t)a->shape.count, bytes = a->shape.element_bytes;
    if (bytes > DT_H5_TEXT_BYTES_MAX)
        return fail_long(a, h5, bytes);
    if (count > dt_h5_bytes(h5) / bytes)
        return dt_fail(DT_DATA, "%s: %s: %zu texts of %zu bytes are more than the file holds",
                       dt_h5_name(h5), a->what, count, bytes);
    DT_TRY(dt_memory_alloc(&fields, count, bytes, "texts of an HDF5 file"));
    if (H5Aread(a->id, a->type, fields) < 0)
        DT_TRY(dt_h5_fail_reading(h5, "read", a->what));
    DT_TRY(dt_h5_names_add_fields(out, h5, a->what, a->type, fields, count));
out:
    dt_memory_free(fields);
    return status;
}

DT_MUST_USE static dt_status read_texts(dt_h5_names *out, const attribute *a, const dt_h5 *h5)
{
    const htri_t variable = H5Tis_variable_str(a->type);
    if (variable < 0)
        return dt_h5_fail_reading(h5, "read", a->what);
    return variable > 0 ? read_variable(out, a, h5) : read_fixed(out, a, h5);
}

DT_MUST_USE static dt_status ask_text(char **out, const dt_h5 *h5, const char *path,
                                      const char *name)
{
    dt_h5_names one = {0};
    const dt_h5_question question = {DT_H5_CALL_GET_TEXT, path, name, 0};
    const dt_status status = dt_h5_ask_names(&one, h5, &question);
    if (status == DT_OK) {
        DT_ASSERT(one.texts != NULL); /* it is one text */
        *out = one.texts[0];
        one.texts[0] = NULL;
    }
    dt_h5_names_clear(&one);
    return status;
}

dt_status dt_h5_get_text(char **out, dt_h5 *h5, const char *path, const char *name)
{
    dt_status status = DT_OK;
    attribute a;
    dt_h5_names one = {0};
    *out = NULL;
    if (h5->remote != NULL)
        return ask_text(out, h5, path, name);
    DT_TRY(open_attribute(&a, h5, path, name));
    DT_TRY(expect(&a, h5, DT_H5_CLASS_TEXT, "one text"));
    DT_TRY(read_texts(&one, &a, h5));
    DT_ASSERT(one.texts != NULL); /* it is one text */
    *out = one.texts[0];
    one.texts[0] = NULL;
out:
    dt_h5_names_clear(&one);
    close_attribute(&a);
    return status;
}

dt_status dt_h5_get_texts(dt_h5_names *out, dt_h5 *h5, const char *path, const char *name)
{
    dt_status status = DT_OK;
    attribute a;
    *out = (dt_h5_names){0};
    if (h5->remote != NULL)
        return dt_h5_ask_names(out, h5, &(dt_h5_question){DT_H5_CALL_GET_TEXTS, path, name, 0});
    DT_TRY(open_attribute(&a, h5, path, name));
    if (a.shape.count == 0)
        goto out;
    if (a.shape.class != DT_H5_CLASS_TEXT || a.shape.dims != 1)
        DT_TRY(dt_fail(DT_DATA, "%s: %s: expected a list of texts, found %s in %u dimensions",
                       dt_h5_name(h5), a.what, dt_h5_class_name(a.shape.class), a.shape.dims));
    if (a.shape.count > DT_H5_NAMES_MAX)
        DT_TRY(dt_fail(DT_DATA, "%s: %s: %" PRIu64 " texts, expected at most %d", dt_h5_name(h5),
                       a.what, a.shape.count, DT_H5_NAMES_MAX));
    DT_TRY(read_texts(out, &a, h5));
out:
    if (status != DT_OK)
        dt_h5_names_clear(out);
    close_attribute(&a);
    return status;
}
