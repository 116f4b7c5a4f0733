#ifndef DTRAIN_IO_ZIP_INTERNAL_H
#define DTRAIN_IO_ZIP_INTERNAL_H

#include "dtrain/io/zip.h"

/**
 * The layout of an archive, shared by the zip files. Private to src/io.
 *
 * Source:  PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5
 */
enum {
    ZIP_LOCAL_BYTES = 30,
    ZIP_ENTRY_BYTES = 46,
    ZIP_END_BYTES = 22,
    ZIP_END64_BYTES = 56,
    ZIP_LOCATOR_BYTES = 20,
    ZIP_LOCAL_MAGIC = 0x04034b50,
    ZIP_ENTRY_MAGIC = 0x02014b50,
    ZIP_END_MAGIC = 0x06054b50,
    ZIP_END64_MAGIC = 0x06064b50,
    ZIP_LOCATOR_MAGIC = 0x07064b50,
    ZIP_EXTRA_64 = 0x0001,
    ZIP_STORED = 0,
    ZIP_DEFLATED = 8
};

static inline uint16_t zip_get16(const unsigned char *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t zip_get32(const unsigned char *at)
{
    return zip_get16(at) | (uint32_t)zip_get16(at + 2) << 16;
}

static inline uint64_t zip_get64(const unsigned char *at)
{
    return zip_get32(at) | (uint64_t)zip_get32(at + 4) << 32;
}

/** Puts the low `bytes` bytes of `value`, and returns the place after them. */
static inline unsigned char *zip_put(unsigned char *at, unsigned bytes, uint64_t value)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (unsigned char)(value >> 8 * i);
    return at + bytes;
}

/**
 * The expected kind of an archive and its members, for error lines. Advice that applies to only one
 * kind is appended to a line unchanged; "": none.
 */
typedef struct dt_zip_kind {
    const char *name; /* ".npz" */
    const char *member; /* "array" */
    const char *suffix; /* ".npy": members without it are ignored; names do not include it */
    const char *if_no_zip, *if_single_npy, *if_unknown_method;
} dt_zip_kind;

/** As dt_zip_open. Owns: `kind` and its texts are borrowed until dt_zip_close. */
DT_MUST_USE dt_status dt_zip_open_kind(dt_zip **out, const char *path, const dt_zip_kind *kind);

/**
 * Opens a file of any kind as an archive of one stored member, which is the whole file and has its
 * name without folder and suffix. It is read once for its CRC-32.
 *
 * Owns, Errors: as dt_zip_open_kind
 */
DT_MUST_USE dt_status dt_zip_open_plain(dt_zip **out, const char *path, const dt_zip_kind *kind);

struct dt_zip {
    int fd;
    char *path;
    dt_zip_kind kind;
    uint64_t file_bytes;
    unsigned char *directory; /* the central directory; the members' names lie in it */
    dt_zip_member *members;
    size_t count, room;
};

/** Reads exactly `bytes` bytes of the archive at `offset`. Errors: DT_DATA, also when cut off. */
DT_MUST_USE dt_status dt_zip_read_at(const dt_zip *zip, uint64_t offset, void *out, size_t bytes);

/** Finds, checks and reads the central directory, and fills `members`. */
DT_MUST_USE dt_status dt_zip_read_directory(dt_zip *zip);

#endif
