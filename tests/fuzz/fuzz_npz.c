/*
 * libFuzzer: any bytes as a .npz. All arrays are listed and read, and tried as the data of a run;
 * what is read never comes to more than deflate can make of the file.
 */
#define _GNU_SOURCE
#include "fuzz_data.h"
#include "fuzz_zip.h"

enum { DEFLATE_FACTOR = 1032 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    dt_assert_set_hook(abort);
    return 0;
}

static void read_all(const dt_npz *npz, size_t bytes)
{
    for (size_t i = 0; i < dt_npz_count(npz); i++) {
        const dt_npz_member *member = fuzz_find_member(npz, i);
        if (member == NULL)
            continue;
        assert(member->npy.data_bytes <= (uint64_t)bytes * DEFLATE_FACTOR);
        assert(member->stored_bytes <= bytes);
        assert(member->npy.header_bytes + member->npy.data_bytes == member->plain_bytes);
        fuzz_read_member(npz, member);
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
        fuzz_open_as_data(path);
    }
    dt_npz_close(npz);
    (void)close(file);
    return 0;
}
