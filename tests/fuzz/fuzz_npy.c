/*
 * libFuzzer: any bytes as a .npy, by itself, and as the one array of a .npz whose sizes and
 * checksum are right.
 */
#define _GNU_SOURCE
#include "dtrain/io/npz.h"
#include "fuzz.h"
#include "zip_builder.h"

#include <math.h>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    dt_assert_set_hook(abort);
    return 0;
}

static void check_array(const dt_npy *npy)
{
    uint64_t count = 1;
    assert(npy->dims <= DT_NPY_MAX_DIMS);
    for (unsigned i = 0; i < npy->dims; i++)
        assert(!__builtin_mul_overflow(count, npy->shape[i], &count) || npy->count == 0);
    assert(npy->count == 0 || npy->count == count);
    assert(npy->item_bytes == 1 || npy->item_bytes == 2 || npy->item_bytes == 4 ||
           npy->item_bytes == 8);
    assert(npy->data_bytes == npy->count * npy->item_bytes);
    assert(npy->header_bytes <= DT_NPY_MAX_HEADER_BYTES);
    assert(strlen(npy->descr) < sizeof npy->descr);
}

/* The items begin anywhere, which is not where a double may lie. */
static void convert(const dt_npy *npy, const uint8_t *items, size_t bytes)
{
    size_t count = bytes / npy->item_bytes;
    if (npy->count < count)
        count = (size_t)npy->count;
    double *wide = malloc(count * sizeof *wide + 1);
    float *narrow = malloc(count * sizeof *narrow + 1);
    assert(wide != NULL && narrow != NULL);
    dt_npy_to_double(wide, items, count, npy);
    dt_npy_to_float(narrow, items, count, npy);
    for (size_t i = 0; i < count; i++) {
        const float rounded = (float)wide[i];
        assert(npy->kind == DT_NPY_FLOAT || isfinite(wide[i]));
        /* 64-bit integers lose bits on the way to double, and are rounded once to float. */
        if (npy->item_bytes < 8 || npy->kind == DT_NPY_FLOAT)
            assert(isnan(narrow[i]) ? isnan(wide[i]) != 0 : narrow[i] == rounded);
    }
    free(wide);
    free(narrow);
}

static void read_archive(const uint8_t *data, size_t bytes, bool parsed)
{
    char path[FUZZ_PATH_BYTES];
    zip_builder archive = {0};
    const zip_member member = {.name = "x.npy", .plain = data, .plain_bytes = bytes};
    dt_npz *npz = NULL;
    const dt_npz_member *found = NULL;
    zip_add(&archive, &member);
    zip_end(&archive, &(zip_ending){0});
    const int file = fuzz_file(path, archive.file.data, archive.file.count);
    dt_status status = dt_npz_open(&npz, path);
    if (status == DT_OK)
        status = dt_npz_find(npz, "x", &found);
    fuzz_check(status, DT_DATA);
    assert(parsed || status == DT_DATA);
    dt_npz_close(npz);
    (void)close(file);
    zip_free(&archive.file);
    zip_free(&archive.directory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    dt_npy npy = {0};
    const dt_status status = dt_npy_parse(&npy, "fuzz", data, bytes);
    fuzz_check(status, DT_DATA);
    if (status == DT_OK) {
        check_array(&npy);
        assert(npy.header_bytes <= bytes);
        convert(&npy, data + npy.header_bytes, bytes - (size_t)npy.header_bytes);
    }
    read_archive(data, bytes, status == DT_OK);
    return 0;
}
