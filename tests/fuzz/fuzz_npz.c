/*
 * libFuzzer: any bytes as a .npz. All arrays are listed and read, and tried as the data of a run;
 * what is read never comes to more than deflate can make of the file.
 */
#define _GNU_SOURCE
#include "dtrain/data/source.h"
#include "fuzz.h"
#include "fuzz_zip.h"

enum { DEFLATE_FACTOR = 1032, BLOCK_BYTES = 4096, READ_BYTES_MAX = 4 << 20 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    dt_assert_set_hook(abort);
    return 0;
}

/* In blocks of an odd number of bytes; the last call checks the CRC. */
static dt_status read_items(const dt_npz *npz, const dt_npz_member *member)
{
    static uint8_t block[BLOCK_BYTES];
    static double wide[BLOCK_BYTES];
    static float narrow[BLOCK_BYTES];
    dt_status status = DT_OK;
    dt_npz_stream *stream = NULL;
    uint64_t left = member->npy.data_bytes;
    DT_TRY(dt_npz_stream_open(&stream, npz, member));
    do {
        const size_t bytes = left < BLOCK_BYTES - 3 ? (size_t)left : BLOCK_BYTES - 3;
        DT_TRY(dt_npz_stream_read(stream, block, bytes));
        dt_npy_to_double(wide, block, bytes / member->npy.item_bytes, &member->npy);
        dt_npy_to_float(narrow, block, bytes / member->npy.item_bytes, &member->npy);
        left -= bytes;
    } while (left > 0 && member->npy.data_bytes - left < READ_BYTES_MAX);
out:
    dt_npz_stream_close(stream);
    return status;
}

static void read_all(const dt_npz *npz, size_t bytes)
{
    for (size_t i = 0; i < dt_npz_count(npz); i++) {
        const dt_npz_member *member = NULL;
        assert(dt_npz_has(npz, dt_npz_name(npz, i)));
        const dt_status found = dt_npz_find(npz, dt_npz_name(npz, i), &member);
        fuzz_check(found, DT_DATA);
        assert((found == DT_OK) == (member != NULL));
        if (member == NULL)
            continue;
        assert(member->npy.data_bytes <= (uint64_t)bytes * DEFLATE_FACTOR);
        assert(member->stored_bytes <= bytes);
        assert(member->npy.header_bytes + member->npy.data_bytes == member->plain_bytes);
        fuzz_check(read_items(npz, member), DT_DATA);
    }
}

static void open_as_data(const char *path)
{
    dt_source source = {0};
    fuzz_check(dt_source_open(&source, &path, 1, "", ""), DT_DATA);
    dt_source_clear(&source);
    for (int labels = 0; labels < 2; labels++) {
        source = (dt_source){0};
        fuzz_check(
            dt_source_open_rows(&source, (const char *[]){path}, 1, DT_TEST, "", "", labels != 0),
            DT_DATA);
        dt_source_clear(&source);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char path[FUZZ_PATH_BYTES];
    dt_npz *npz = NULL;
    const int file = fuzz_file(path, data, bytes);
    const dt_status opened = dt_npz_open(&npz, path);
    fuzz_check(opened, DT_DATA);
    assert((opened == DT_OK) == (npz != NULL));
    if (npz != NULL) {
        read_all(npz, bytes);
        open_as_data(path);
    }
    dt_npz_close(npz);
    (void)close(file);
    return 0;
}
