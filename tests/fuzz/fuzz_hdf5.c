/*
 * libFuzzer: any bytes as an HDF5 file with datasets. All of them are listed and read, and tried as
 * the data of a run.
 */
#define _GNU_SOURCE
#include "fuzz_data.h"
#include "fuzz_h5.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    dt_assert_set_hook(abort);
    fuzz_h5_start();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const char *path = fuzz_h5_file(data, bytes);
    dt_npz *npz = NULL;
    const dt_status opened = dt_npz_open_h5(&npz, path);
    fuzz_check(opened, DT_DATA);
    assert((opened == DT_OK) == (npz != NULL));
    if (npz != NULL) {
        for (size_t i = 0; i < dt_npz_count(npz); i++)
            fuzz_read_member(npz, fuzz_find_member(npz, i));
        dt_npz_close(npz);
        fuzz_open_as_data(path);
    }
    fuzz_h5_check();
    return 0;
}
