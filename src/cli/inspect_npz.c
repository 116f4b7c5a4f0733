#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/data/source.h"
#include "dtrain/io/h5.h"
#include "dtrain/io/json.h"
#include "dtrain/io/npz.h"
#include "dtrain/report/text_table.h"
#include "inspect_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ARRAYS_MAX = 1000, /* arrays that are read: an archive may claim to have a million */
    ITEMS_AT_ONCE = 8192,
    CLASSES_MAX = 65536,
    SLOTS = 2 * CLASSES_MAX, /* of the table of classes, a power of two, at most half full */
    CLASSES_SHOWN = 20,
    CLASSES_USUAL = 100,
    SHAPE_BYTES = 256
};

typedef struct class_rows {
    double value;
    uint64_t rows; /* 0: the slot is free */
} class_rows;

/* The summary of an array until the tables are printed. */
typedef struct array_report {
    const char *name;
    const dt_npz_member *member; /* NULL: unusable */
    char *error; /* why it is unusable, or damaged; NULL when neither */
    uint64_t nans, infinites, finites;
    double minimum, maximum, mean, deviation; /* of the finite ones */
    size_t class_count; /* 0: these are not classes */
    class_rows shown[CLASSES_SHOWN]; /* the first ones */
} array_report;

/* Buffers, the same for all arrays. */
typedef struct work {
    unsigned char *items; /* [ITEMS_AT_ONCE * 8] */
    double *values; /* [ITEMS_AT_ONCE] */
    class_rows *slots; /* [SLOTS] */
    size_t class_count;
    bool counting; /* whether the items so far can be class ids */
    long double sum; /* wider than double: the largest ones may be added */
    long double mean, squares; /* so far (Welford): a difference of large sums would cancel */
} work;

/* ---- statistics ---- */

static void count_class(work *w, double value)
{
    uint64_t bits = 0;
    value += 0.0; /* -0 is 0 */
    memcpy(&bits, &value, sizeof bits);
    size_t slot = (size_t)(bits * 0x9e3779b97f4a7c15u >> 32) % SLOTS;
    while (w->slots[slot].rows > 0 && w->slots[slot].value != value)
        slot = (slot + 1) % SLOTS;
    if (w->slots[slot].rows == 0 && ++w->class_count > CLASSES_MAX) {
        w->counting = false;
        return;
    }
    w->slots[slot].value = value;
    w->slots[slot].rows++;
}

/* Beyond 2^53 a double holds not every whole number: two classes could become one. */
static bool is_class_id(double value)
{
    return fabs(value) <= 0x1p53 && floor(value) == value;
}

static void take_values(array_report *report, work *w, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const double value = w->values[i];
        if (isnan(value)) {
            report->nans++;
        } else if (isinf(value)) {
            report->infinites++;
        } else {
            report->finites++;
            report->minimum = value < report->minimum ? value : report->minimum;
            report->maximum = value > report->maximum ? value : report->maximum;
            w->sum += (long double)value;
            const long double distance = (long double)value - w->mean;
            w->mean += distance / (long double)report->finites;
            w->squares += distance * ((long double)value - w->mean);
        }
    }
    for (size_t i = 0; w->counting && i < count; i++)
        if (is_class_id(w->values[i]))
            count_class(w, w->values[i]);
        else
            w->counting = false;
}

static int compare_classes(const void *a, const void *b)
{
    const double x = ((const class_rows *)a)->value;
    const double y = ((const class_rows *)b)->value;
    return (x > y) - (x < y);
}

/* Moves the classes to the front of the slots, in ascending order. */
static void gather_classes(array_report *report, work *w)
{
    size_t count = 0;
    for (size_t i = 0; i < SLOTS; i++)
        if (w->slots[i].rows > 0)
            w->slots[count++] = w->slots[i];
    DT_ASSERT(count == w->class_count);
    qsort(w->slots, count, sizeof *w->slots, compare_classes);
    report->class_count = count;
    memcpy(report->shown, w->slots,
           (count < CLASSES_SHOWN ? count : CLASSES_SHOWN) * sizeof *w->slots);
}

static bool is_list(const dt_npy *npy)
{
    return npy->dims == 1 || (npy->dims == 2 && npy->shape[1] == 1);
}

DT_MUST_USE static dt_status measure(array_report *report, const dt_npz *npz, work *w)
{
    dt_status status = DT_OK;
    dt_npz_stream *stream = NULL;
    const dt_npy *npy = &report->member->npy;
    DT_TRY(dt_npz_stream_open(&stream, npz, report->member));
    report->minimum = INFINITY;
    report->maximum = -INFINITY;
    memset(w->slots, 0, SLOTS * sizeof *w->slots);
    w->class_count = 0;
    w->sum = w->mean = w->squares = 0.0L;
    w->counting = is_list(npy) && strcmp(report->member->name, DT_SOURCE_ROW) != 0 &&
                  strcmp(report->member->name, DT_SOURCE_ID) != 0;
    for (uint64_t left = npy->count; left > 0;) {
        const size_t count = left < ITEMS_AT_ONCE ? (size_t)left : ITEMS_AT_ONCE;
        DT_TRY(dt_npz_stream_read(stream, w->items, count * npy->item_bytes));
        dt_npy_to_double(w->values, w->items, count, npy);
        take_values(report, w, count);
        left -= count;
    }
    if (report->finites > 0) {
        report->mean = (double)(w->sum / (long double)report->finites);
        report->deviation = (double)sqrtl(w->squares / (long double)report->finites);
    }
    if (w->counting)
        gather_classes(report, w);
out:
    dt_npz_stream_close(stream);
    return status;
}

/* An array that is damaged or unusable is a line of the report; only a lack of memory ends it. */
DT_MUST_USE static dt_status look_at(array_report *report, const dt_npz *npz, size_t index, work *w,
                                     bool *damaged)
{
    dt_status status = DT_OK;
    report->name = dt_npz_name(npz, index);
    status = dt_npz_find(npz, report->name, &report->member);
    if (status == DT_OK && report->member->name != report->name) {
        report->member = NULL;
        DT_TRY(dt_memory_alloc(&report->error, DT_STATUS_TEXT_BYTES, 1, "text"));
        (void)snprintf(report->error, DT_STATUS_TEXT_BYTES,
                       "array '%.80s' is hidden by a later one of this name", report->name);
        return DT_OK;
    }
    if (status == DT_OK) {
        status = measure(report, npz, w);
        *damaged = status == DT_DATA;
    }
    if (status != DT_DATA)
        return status;
    /* The report already begins with the file's name. */
    const char *text = dt_status_text();
    const size_t length = strlen(dt_npz_path(npz));
    if (strncmp(text, dt_npz_path(npz), length) == 0 && strncmp(text + length, ": ", 2) == 0)
        text += length + 2;
    status = dt_memory_copy_text(&report->error, text);
out:
    return status;
}

/* ---- text ---- */

static const char *format_shape(char out[SHAPE_BYTES], const dt_npy *npy)
{
    size_t used = (size_t)snprintf(out, SHAPE_BYTES, "[");
    for (unsigned i = 0; i < npy->dims && used < SHAPE_BYTES; i++)
        used += (size_t)snprintf(out + used, SHAPE_BYTES - used, "%s%" PRIu64, i > 0 ? ", " : "",
                                 npy->shape[i]);
    if (used < SHAPE_BYTES)
        (void)snprintf(out + used, SHAPE_BYTES - used, "]");
    return out;
}

static void add_value(dt_text_table *table, const array_report *report, double value)
{
    char text[DT_TEXT_NUMBER_BYTES];
    if (report->error != NULL || report->finites == 0)
        dt_text_table_add(table, "-");
    else
        dt_text_table_add(table, "%s", dt_text_number(text, value, 6));
}

static void add_count(dt_text_table *table, const array_report *report, uint64_t count)
{
    if (report->error != NULL)
        dt_text_table_add(table, "-");
    else
        dt_text_table_add(table, "%" PRIu64, count);
}

static void add_row(dt_text_table *table, const array_report *report, bool h5)
{
    char text[SHAPE_BYTES];
    const dt_npz_member *member = report->member;
    dt_text_table_add(table, "%s", report->name);
    if (member == NULL) {
        for (size_t c = 1; c < table->columns; c++)
            dt_text_table_add(table, "-");
        return;
    }
    dt_text_table_add(table, "%s", member->npy.descr);
    dt_text_table_add(table, "%s", format_shape(text, &member->npy));
    dt_text_table_add(table, "%s", member->npy.fortran ? "Fortran" : "C");
    dt_text_table_add(table, "%s", dt_text_table_bytes(text, sizeof text, member->stored_bytes));
    /* A .npy has a header, a dataset has none. */
    const uint64_t plain = h5 ? member->npy.data_bytes : member->plain_bytes;
    dt_text_table_add(table, "%s", dt_text_table_bytes(text, sizeof text, plain));
    if (member->stored_bytes > 0)
        dt_text_table_add(table, "%.2f", (double)plain / (double)member->stored_bytes);
    else
        dt_text_table_add(table, "-");
    add_value(table, report, report->minimum);
    add_value(table, report, report->maximum);
    add_value(table, report, report->mean);
    add_value(table, report, report->deviation);
    add_count(table, report, report->nans);
    add_count(table, report, report->infinites);
}

DT_MUST_USE static dt_status print_classes(const array_report *report)
{
    char name[DT_TEXT_TABLE_CELL_BYTES];
    dt_text_table table = {.indent = "  "};
    const size_t shown = report->class_count < CLASSES_SHOWN ? report->class_count : CLASSES_SHOWN;
    (void)dt_text_table_printable(name, sizeof name, report->name);
    /* Prices and counts, most likely, which are stored as floats. */
    if (report->member->npy.descr[1] == 'f' && report->class_count > CLASSES_USUAL) {
        dt_log_show("\n%s: %zu different whole numbers\n", name, report->class_count);
        return DT_OK;
    }
    dt_log_show("\n%s: %zu class%s", name, report->class_count,
                report->class_count == 1 ? "" : "es");
    if (report->class_count == report->member->npy.count) { /* row numbers, most likely */
        dt_log_show(", one row each\n");
        return DT_OK;
    }
    dt_log_show("\n");
    table.more = report->class_count - shown;
    dt_text_table_titles(&table, ">class|>rows|>share");
    for (size_t i = 0; i < shown; i++) {
        const class_rows *class = &report->shown[i];
        dt_text_table_add(&table, "%.0f", class->value);
        dt_text_table_add(&table, "%" PRIu64, class->rows);
        dt_text_table_add(&table, "%.2f %%",
                          100.0 * (double)class->rows / (double)report->member->npy.count);
    }
    return dt_text_table_print(&table);
}

DT_MUST_USE static dt_status print_text(const dt_npz *npz, const array_report *reports,
                                        size_t count)
{
    dt_status status = DT_OK;
    char error[DT_STATUS_TEXT_BYTES];
    const size_t total = dt_npz_count(npz);
    dt_text_table table = {.more = total - count};
    bool first = true;
    const bool h5 = dt_h5_is_file(dt_npz_path(npz));
    dt_log_show("%s: %s with %zu array%s\n", dt_npz_path(npz), h5 ? "HDF5 file" : ".npz", total,
                total == 1 ? "" : "s");
    if (count == 0)
        return DT_OK;
    dt_log_show("\n");
    dt_text_table_titles(
        &table, "name|type|shape|order|>stored|>plain|>ratio|>min|>max|>mean|>deviation|>NaN|"
                ">infinite");
    for (size_t i = 0; i < count; i++)
        add_row(&table, &reports[i], h5);
    DT_TRY(dt_text_table_print(&table));
    for (size_t i = 0; i < count; i++)
        if (reports[i].error != NULL) {
            dt_log_show("%s%s\n", first ? "\n" : "",
                        dt_text_table_printable(error, sizeof error, reports[i].error));
            first = false;
        }
    for (size_t i = 0; i < count; i++)
        if (reports[i].member != NULL && reports[i].class_count > 0)
            DT_TRY(print_classes(&reports[i]));
out:
    return status;
}

/* ---- JSON ---- */

static void describe_values(dt_json *json, const array_report *report)
{
    const bool any = report->finites > 0;
    dt_json_add_double(json, "min", any ? report->minimum : NAN);
    dt_json_add_double(json, "max", any ? report->maximum : NAN);
    dt_json_add_double(json, "mean", any ? report->mean : NAN);
    dt_json_add_double(json, "deviation", any ? report->deviation : NAN);
    dt_json_add_int(json, "nan_count", (int64_t)report->nans);
    dt_json_add_int(json, "infinite_count", (int64_t)report->infinites);
}

static void describe_classes(dt_json *json, const array_report *report, const work *w)
{
    dt_json_begin_list(json, "classes");
    for (size_t i = 0; i < report->class_count; i++) {
        dt_json_begin_object(json, NULL);
        dt_json_add_int(json, "class", (int64_t)w->slots[i].value);
        dt_json_add_int(json, "rows", (int64_t)w->slots[i].rows);
        dt_json_add_double(json, "share",
                           (double)w->slots[i].rows / (double)report->member->npy.count);
        dt_json_end(json);
    }
    dt_json_end(json);
}

static void describe_array(dt_json *json, const array_report *report, const work *w)
{
    const dt_npz_member *member = report->member;
    dt_json_begin_object(json, NULL);
    dt_json_add_text(json, "name", report->name);
    if (member != NULL) {
        dt_json_add_text(json, "type", member->npy.descr);
        dt_json_begin_list(json, "shape");
        for (unsigned i = 0; i < member->npy.dims; i++)
            dt_json_add_int(json, NULL, (int64_t)member->npy.shape[i]);
        dt_json_end(json);
        dt_json_add_text(json, "order", member->npy.fortran ? "Fortran" : "C");
        dt_json_add_int(json, "stored_bytes", (int64_t)member->stored_bytes);
        dt_json_add_int(json, "plain_bytes", (int64_t)member->plain_bytes);
    }
    if (report->error != NULL)
        dt_json_add_text(json, member == NULL ? "unusable" : "damaged", report->error);
    else
        describe_values(json, report);
    if (member != NULL && report->class_count > 0)
        describe_classes(json, report, w);
    dt_json_end(json);
}

/* ---- the whole ---- */

DT_MUST_USE static dt_status look_at_all(array_report *reports, size_t count, const dt_npz *npz,
                                         dt_json *json, char damage[DT_STATUS_TEXT_BYTES])
{
    dt_status status = DT_OK;
    work w = {0};
    DT_TRY(dt_memory_alloc(&w.items, ITEMS_AT_ONCE * sizeof(double), 1, "items"));
    DT_TRY(dt_memory_alloc(&w.values, ITEMS_AT_ONCE, sizeof *w.values, "items"));
    DT_TRY(dt_memory_alloc(&w.slots, SLOTS, sizeof *w.slots, "table of classes"));
    for (size_t i = 0; i < count; i++) {
        bool damaged = false;
        DT_TRY(look_at(&reports[i], npz, i, &w, &damaged));
        if (damaged && damage[0] == '\0')
            (void)snprintf(damage, DT_STATUS_TEXT_BYTES, "%s", dt_status_text());
        if (json != NULL)
            describe_array(json, &reports[i], &w);
    }
out:
    dt_memory_free(w.slots);
    dt_memory_free(w.values);
    dt_memory_free(w.items);
    return status;
}

DT_MUST_USE static dt_status print_json(const dt_npz *npz, array_report *reports, size_t count,
                                        char damage[DT_STATUS_TEXT_BYTES])
{
    dt_status status = DT_OK;
    dt_json *json = NULL;
    DT_TRY(dt_json_new(&json));
    dt_json_add_text(json, "file", dt_npz_path(npz));
    dt_json_add_text(json, "kind", dt_h5_is_file(dt_npz_path(npz)) ? "hdf5" : "npz");
    dt_json_add_int(json, "array_count", (int64_t)dt_npz_count(npz));
    dt_json_begin_list(json, "arrays");
    DT_TRY(look_at_all(reports, count, npz, json, damage));
    return dt_json_print(json);
out:
    dt_json_discard(json);
    return status;
}

dt_status dt_inspect_npz(const char *path, bool json)
{
    dt_status status = DT_OK;
    dt_npz *npz = NULL;
    array_report *reports = NULL;
    size_t count = 0;
    char damage[DT_STATUS_TEXT_BYTES] = "";
    DT_TRY(dt_h5_is_file(path) ? dt_npz_open_h5(&npz, path) : dt_npz_open(&npz, path));
    count = dt_npz_count(npz) < ARRAYS_MAX ? dt_npz_count(npz) : ARRAYS_MAX;
    DT_TRY(dt_memory_alloc(&reports, count, sizeof *reports, "report"));
    if (json) {
        DT_TRY(print_json(npz, reports, count, damage));
    } else {
        DT_TRY(look_at_all(reports, count, npz, NULL, damage));
        DT_TRY(print_text(npz, reports, count));
    }
    if (damage[0] != '\0')
        DT_TRY(dt_fail(DT_DATA, "%s", damage));
out:
    for (size_t i = 0; reports != NULL && i < count; i++)
        dt_memory_free(reports[i].error);
    dt_memory_free(reports);
    dt_npz_close(npz);
    return status;
}
