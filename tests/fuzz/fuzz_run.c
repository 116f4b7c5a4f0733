/*
 * libFuzzer: any bytes as the log of a run, read as --like does, and whole: every group, attribute
 * and dataset by the calls that report and inspect use.
 */
#define _GNU_SOURCE
#include "dtrain/base/memory.h"
#include "dtrain/run/previous.h"
#include "dtrain/run/run_file.h"
#include "fuzz_h5.h"

enum { PATH_BYTES = 512, DEPTH_MAX = 6, VALUES_MAX = 1 << 20 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    dt_assert_set_hook(abort);
    fuzz_h5_start();
    return 0;
}

static void read_attribute(dt_h5 *h5, const char *path, const char *name)
{
    dt_h5_shape shape;
    dt_h5_names texts = {0};
    char *text = NULL;
    int64_t whole = 0;
    double number = 0.0;
    fuzz_check(dt_h5_describe_attribute(&shape, h5, path, name), DT_DATA);
    fuzz_check(dt_h5_get_text(&text, h5, path, name), DT_DATA);
    fuzz_check(dt_h5_get_texts(&texts, h5, path, name), DT_DATA);
    fuzz_check(dt_h5_get_int(&whole, h5, path, name), DT_DATA);
    fuzz_check(dt_h5_get_double(&number, h5, path, name), DT_DATA);
    dt_memory_free(text);
    dt_h5_names_clear(&texts);
}

static void read_attributes(dt_h5 *h5, const char *path)
{
    dt_h5_names names = {0};
    fuzz_check(dt_h5_list_attributes(&names, h5, path), DT_DATA);
    for (size_t i = 0; i < names.count; i++)
        read_attribute(h5, path, names.texts[i]);
    dt_h5_names_clear(&names);
}

static void read_dataset(dt_h5 *h5, const char *path)
{
    dt_h5_shape shape;
    dt_h5_names columns = {0}, texts = {0};
    double *values = NULL;
    const dt_status status = dt_h5_describe(&shape, h5, path);
    fuzz_check(status, DT_DATA);
    if (status != DT_OK || shape.count > VALUES_MAX)
        return;
    values = calloc((size_t)shape.count + 1, sizeof *values);
    assert(values != NULL);
    fuzz_check(dt_h5_read_f64(h5, path, values, shape.count), DT_DATA);
    fuzz_check(dt_h5_read_i64(h5, path, (int64_t *)values, shape.count), DT_DATA);
    fuzz_check(dt_h5_read_f32(h5, path, (float *)values, shape.count), DT_DATA);
    fuzz_check(dt_h5_read_texts(&texts, h5, path), DT_DATA);
    dt_h5_names_clear(&texts);
    fuzz_check(dt_h5_list_columns(&columns, h5, path), DT_DATA);
    for (size_t i = 0; i < columns.count; i++) {
        const char *column = columns.texts[i];
        fuzz_check(dt_h5_read_column_f64(h5, path, column, values, shape.count), DT_DATA);
        fuzz_check(dt_h5_read_column_i64(h5, path, column, (int64_t *)values, shape.count),
                   DT_DATA);
        fuzz_check(dt_h5_read_column_texts(&texts, h5, path, column), DT_DATA);
        dt_h5_names_clear(&texts);
    }
    dt_h5_names_clear(&columns);
    free(values);
}

static void read_object(dt_h5 *h5, const char *path, int depth)
{
    dt_h5_names members = {0};
    const dt_h5_kind kind = dt_h5_has(h5, path);
    if (kind != DT_H5_GROUP && kind != DT_H5_DATASET)
        return;
    read_attributes(h5, path);
    if (kind == DT_H5_DATASET)
        read_dataset(h5, path);
    else if (depth < DEPTH_MAX)
        fuzz_check(dt_h5_list_members(&members, h5, path), DT_DATA);
    for (size_t i = 0; i < members.count; i++) {
        char below[PATH_BYTES];
        const int length =
            snprintf(below, sizeof below, "%s/%s", path[1] == '\0' ? "" : path, members.texts[i]);
        if (length > 0 && (size_t)length < sizeof below)
            read_object(h5, below, depth + 1);
    }
    dt_h5_names_clear(&members);
}

static void read_like(const char *path)
{
    static dt_settings settings;
    static dt_previous previous;
    memset(&settings, 0, sizeof settings);
    dt_options_set_defaults(dt_settings_table(), &settings);
    (void)snprintf(settings.like, sizeof settings.like, "%s", path);
    fuzz_check(dt_previous_read(&previous, &settings), DT_DATA);
    dt_previous_clear(&previous);
    fuzz_h5_check();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const char *path = fuzz_h5_file(data, bytes);
    dt_h5 *h5 = NULL;
    const dt_status status = dt_run_file_open(&h5, path);
    fuzz_check(status, DT_DATA);
    if (status == DT_OK)
        read_object(h5, "/", 0);
    dt_h5_free(h5);
    fuzz_h5_check();
    if (status == DT_OK)
        read_like(path);
    return 0;
}
