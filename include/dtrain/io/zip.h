#ifndef DTRAIN_IO_ZIP_H
#define DTRAIN_IO_ZIP_H

#include "dtrain/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * ZIP archives, the container of .npz and .keras files: members stored or deflated, read and
 * written as a stream in a fixed amount of memory whatever the size of the file. All calls are
 * local.
 *
 * Source:  PKWARE APPNOTE 6.3.10 (ZIP64 included); the sizes and CRCs come from the central
 *          directory, so members with data descriptors need nothing special
 */
typedef struct dt_zip dt_zip;

/** The entry of one member in the archive. The sizes have been checked and can be relied on. */
typedef struct dt_zip_member {
    const char *name; /* as in the archive; never used as a path; borrowed from the dt_zip */
    uint32_t crc32;
    uint64_t stored_bytes; /* as in the archive: they lie within the file */
    uint64_t plain_bytes; /* after inflating: at most 1032 times the stored ones */
    uint64_t data_offset; /* of the stored ones in the file */
    bool deflated;
} dt_zip_member;

/**
 * Opens an archive and reads its central directory.
 *
 * `kind` is the expected kind of file, for example ".keras", for error lines. Bytes before the
 * archive and a comment after it are ignored.
 *
 * Owns:    `kind` is borrowed until dt_zip_close
 * Errors:  DT_DATA, one line that names the file: missing, empty, an HTML page, a Git LFS pointer,
 *          plain .npy, no ZIP at all, truncated, several disks, sizes or offsets beyond the file;
 *          a member that is encrypted, of an unknown compression method, or that claims to inflate
 *          beyond what deflate can do (1032 : 1). DT_MEMORY. On error *out = NULL.
 * Cost:    fixed buffers, and the central directory, which is refused beyond 64 MiB
 */
DT_MUST_USE dt_status dt_zip_open(dt_zip **out, const char *path, const char *kind);

/** Closes and frees; NULL is allowed. */
void dt_zip_close(dt_zip *zip);

/** Returns the path given to dt_zip_open; borrowed. */
const char *dt_zip_path(const dt_zip *zip);

/** Returns how many members there are. */
size_t dt_zip_count(const dt_zip *zip);

/** Returns member `index`, in the order of the central directory; borrowed. */
const dt_zip_member *dt_zip_member_at(const dt_zip *zip, size_t index);

/**
 * Returns the member of this name, NULL when there is none; of several of the same name the last,
 * as Python's zipfile does. Borrowed.
 */
const dt_zip_member *dt_zip_find(const dt_zip *zip, const char *name);

/** A member being read from its first byte to its last. */
typedef struct dt_zip_stream dt_zip_stream;

/**
 * Starts reading a member. Several streams may be open.
 *
 * Owns:    the caller closes `out`, before `zip`; `member` is one of `zip`
 * Errors:  DT_DATA, DT_MEMORY; *out = NULL
 * Cost:    128 KiB, and zlib's 40 KiB for a deflated member
 */
DT_MUST_USE dt_status dt_zip_stream_open(dt_zip_stream **out, const dt_zip *zip,
                                         const dt_zip_member *member);

/**
 * Reads exactly `bytes` bytes, at most as many as are left. The call that reads the last byte also
 * checks the CRC and the end of the deflate stream; an empty member needs a call for 0 bytes.
 *
 * Errors:  DT_DATA: damaged or truncated data, a wrong CRC (file and member named)
 */
DT_MUST_USE dt_status dt_zip_stream_read(dt_zip_stream *stream, void *out, size_t bytes);

/** Frees a stream, finished or not; NULL is allowed. */
void dt_zip_stream_close(dt_zip_stream *stream);

/**
 * Reads a whole member of plain_bytes bytes and appends a zero byte, so that a text is terminated.
 *
 * `out` is the address of a pointer of any type; `what` names the block when memory is short.
 *
 * Owns:    the caller frees with dt_memory_free
 * Errors:  as dt_zip_stream_read; DT_MEMORY; *out = NULL
 */
DT_MUST_USE dt_status dt_zip_read(void *out, const dt_zip *zip, const dt_zip_member *member,
                                  const char *what);

/** An archive being written; it appears under its name only when finished. */
typedef struct dt_zip_writer dt_zip_writer;

/**
 * Starts an archive. `level` 0 stores members plain, 1 to 9 deflates them.
 *
 * Errors:  DT_OUTPUT, DT_MEMORY; *out = NULL
 */
DT_MUST_USE dt_status dt_zip_writer_open(dt_zip_writer **out, const char *path, int level);

/**
 * Starts a member of `bytes` bytes after the previous one is full. ZIP64 fields are written where
 * needed. `name` is UTF-8, at most 65535 bytes.
 *
 * Errors:  DT_OUTPUT, DT_MEMORY; then the writer is only good for dt_zip_writer_discard
 */
DT_MUST_USE dt_status dt_zip_writer_begin(dt_zip_writer *writer, const char *name, uint64_t bytes);

/**
 * Appends to the member that was started last; all calls together must fill it. Errors: DT_OUTPUT.
 */
DT_MUST_USE dt_status dt_zip_writer_write(dt_zip_writer *writer, const void *data, size_t bytes);

/**
 * Writes the central directory and makes all safe on the disk; only the rename is left to
 * dt_zip_writer_finish, which then syncs no folder either (see dt_file_sync).
 *
 * Errors:  DT_OUTPUT; then the writer is only good for dt_zip_writer_discard. A second call does
 *          nothing. Beginning or writing a member afterwards is our bug: DT_ASSERT
 */
DT_MUST_USE dt_status dt_zip_writer_seal(dt_zip_writer *writer);

/**
 * Writes the central directory and puts the file in place; frees `writer` in any case.
 *
 * Identical members give identical bytes: the dates in the archive are fixed (1980-01-01).
 *
 * Errors:  DT_OUTPUT; then an older file stays as it was
 */
DT_MUST_USE dt_status dt_zip_writer_finish(dt_zip_writer *writer);

/** Discards the archive, sealed or not: no file appears; NULL is allowed. */
void dt_zip_writer_discard(dt_zip_writer *writer);

#endif
