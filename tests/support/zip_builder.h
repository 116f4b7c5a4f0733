#ifndef DTRAIN_TESTS_ZIP_BUILDER_H
#define DTRAIN_TESTS_ZIP_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Builds ZIP archives byte by byte: valid ones, and invalid ones that no program writes. The
 * builder shares no code with src/io, so that it cannot share a misreading of the format either.
 * It ends the program if memory is short.
 */
typedef struct zip_bytes {
    unsigned char *data;
    size_t count, room;
} zip_bytes;

/** Appends `bytes` bytes. */
void zip_append(zip_bytes *to, const void *data, size_t bytes);

/** Frees the bytes and leaves an empty text. */
void zip_free(zip_bytes *bytes);

/** Describes a member; all zeros except name and data is a valid stored member. */
typedef struct zip_member {
    const char *name;
    const void *plain;
    size_t plain_bytes;
    bool deflate;
    bool descriptor; /* bit 3: zeros in the local header, the numbers behind the data */
    bool zip64; /* sizes and offset in the extra field */
    unsigned flags;
    unsigned method; /* if not 0: written to both headers instead of the true method */
    const char *local_name; /* if not NULL: another name in the local header */
    uint32_t crc_change;
    int64_t plain_change, stored_change, offset_change; /* added to the directory's numbers */
    uint64_t plain_claim; /* if not 0: written instead of the true size */
    size_t cut, surplus; /* bytes taken from and added to the end of the compressed data */
    unsigned disk;
    const void *extra; /* more extra fields, before ZIP64's */
    size_t extra_bytes;
} zip_member;

/** An archive under construction; starts as all zeros. */
typedef struct zip_builder {
    zip_bytes file, directory;
    uint64_t members;
} zip_builder;

/** Appends the data deflated without a zlib header, as ZIP requires it. */
void zip_deflate(zip_bytes *out, const void *plain, size_t bytes);

/** Appends a member to the archive. */
void zip_add(zip_builder *zip, const zip_member *m);

/** Describes the end of the archive; all zeros is valid. */
typedef struct zip_ending {
    const char *comment;
    bool zip64; /* with the ZIP64 record and its locator, and all ones in the old record */
    size_t locator_shift;
    int64_t count_change, bytes_change, offset_change;
    unsigned disk;
} zip_ending;

/** Appends the directory and the end record; zip->file is the archive then. */
void zip_end(zip_builder *zip, const zip_ending *ending);

/** Appends a .npy file: a header of version `version` with the given texts, then the items. */
void zip_npy(zip_bytes *to, unsigned version, const char *descr, const char *order,
             const char *shape, const void *items, size_t bytes);

#endif
