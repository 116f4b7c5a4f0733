#include "npz_reading.h"

#include "scratch_folder.h"
#include "status_checks.h"

#include <stdlib.h>

const float *npz_example_items(void)
{
    static float items[NPZ_ITEMS];
    for (int i = 0; i < NPZ_ITEMS; i++)
        items[i] = (float)i / 4;
    return items;
}

zip_bytes npz_example(void)
{
    zip_bytes npy = {0};
    zip_npy(&npy, 1, "'<f4'", "False", "(6, 3)", npz_example_items(), NPZ_ITEMS * sizeof(float));
    return npy;
}

const char *npz_save(zip_builder *zip, const zip_ending *ending)
{
    const char *path = scratch_path("x.npz");
    zip_end(zip, ending);
    assert_true(scratch_write(path, zip->file.data, zip->file.count));
    zip_free(&zip->file);
    return path;
}

const char *npz_save_member(zip_member member, zip_ending ending)
{
    zip_builder zip = {0};
    zip_bytes npy = npz_example();
    if (member.name == NULL)
        member.name = "x.npy";
    if (member.plain == NULL) {
        member.plain = npy.data;
        member.plain_bytes = npy.count;
    }
    zip_add(&zip, &member);
    zip_free(&npy);
    return npz_save(&zip, &ending);
}

const char *npz_save_text(const char *text, size_t bytes)
{
    const char *path = scratch_path("x.npz");
    assert_true(scratch_write(path, text, bytes));
    return path;
}

dt_status npz_read_array(const dt_npz *npz, const char *name, size_t step, unsigned char **out,
                         size_t *bytes)
{
    dt_status status = DT_OK;
    const dt_npz_member *member = NULL;
    dt_npz_stream *stream = NULL;
    *out = NULL;
    DT_TRY(dt_npz_find(npz, name, &member));
    DT_TRY(dt_npz_stream_open(&stream, npz, member));
    *bytes = (size_t)member->npy.data_bytes;
    *out = malloc(*bytes == 0 ? 1 : *bytes);
    assert_non_null(*out);
    for (size_t done = 0; done < *bytes; done += step) {
        size_t left = *bytes - done;
        DT_TRY(dt_npz_stream_read(stream, *out + done, left < step ? left : step));
    }
out:
    dt_npz_stream_close(stream);
    if (status != DT_OK) {
        free(*out);
        *out = NULL;
    }
    return status;
}

dt_status npz_read_archive(const char *path, const void *expected, size_t expected_bytes)
{
    dt_status status = DT_OK;
    dt_npz *npz = NULL;
    dt_status_set_text("");
    DT_TRY(dt_npz_open(&npz, path));
    for (size_t i = 0; i < dt_npz_count(npz); i++) {
        unsigned char *items = NULL;
        size_t bytes = 0;
        DT_TRY(npz_read_array(npz, dt_npz_name(npz, i), 7, &items, &bytes));
        if (expected != NULL) {
            assert_int_equal(bytes, expected_bytes);
            assert_memory_equal(items, expected, bytes);
        }
        free(items);
    }
out:
    assert_true(status == DT_OK || npz != NULL || dt_status_text()[0] != '\0');
    dt_npz_close(npz);
    return status;
}

void assert_npz_reads_example(const char *path)
{
    dt_status status = npz_read_archive(path, npz_example_items(), NPZ_ITEMS * sizeof(float));
    if (status != DT_OK)
        fail_msg("%s", dt_status_text());
}

void assert_npz_open_fails(const char *path, const char *part)
{
    dt_npz *npz = (dt_npz *)1;
    assert_int_equal(dt_npz_open(&npz, path), DT_DATA);
    assert_null(npz);
    assert_says(path);
    assert_says(part);
}

void assert_npz_read_fails(const char *path, const char *part)
{
    assert_int_equal(npz_read_archive(path, NULL, 0), DT_DATA);
    assert_says(path);
    assert_says(part);
}
