#ifndef DTRAIN_TESTS_FUZZ_DATA_H
#define DTRAIN_TESTS_FUZZ_DATA_H

/** What the harnesses of data files share: reads every array, opens the file as a run's data. */

#include "dtrain/data/source.h"
#include "fuzz.h"

enum { BLOCK_BYTES = 4096, READ_BYTES_MAX = 4 << 20 };

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

/** Reads the array's items, unless it is NULL. */
static inline void fuzz_read_member(const dt_npz *npz, const dt_npz_member *member)
{
    if (member != NULL)
        fuzz_check(read_items(npz, member), DT_DATA);
}

/** Finds the array; NULL if it is refused. */
static inline const dt_npz_member *fuzz_find_member(const dt_npz *npz, size_t index)
{
    const dt_npz_member *member = NULL;
    assert(dt_npz_has(npz, dt_npz_name(npz, index)));
    const dt_status found = dt_npz_find(npz, dt_npz_name(npz, index), &member);
    fuzz_check(found, DT_DATA);
    assert((found == DT_OK) == (member != NULL));
    return member;
}

/** Opens the file as the three sets of a run, and as rows to be predicted. */
static inline void fuzz_open_as_data(const char *path)
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

#endif
