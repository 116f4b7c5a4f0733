#ifndef DTRAIN_IO_NPZ_H
#define DTRAIN_IO_NPZ_H

#include "dtrain/base/status.h"
#include "dtrain/io/npy.h"
#include "dtrain/io/zip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * NumPy's .npz: a ZIP archive (io/zip) of .npy members, stored or deflated, read and written as a
 * stream in a fixed amount of memory whatever the size of the file. All calls are local.
 */
typedef struct dt_npz dt_npz;

/** One member: its entry in the archive, and its .npy header. */
typedef struct dt_npz_member {
    const char *name; /* without ".npy"; never used as a path; borrowed from the dt_npz */
    dt_npy npy;
    uint32_t crc32;
    uint64_t stored_bytes; /* as in the archive, header included */
    uint64_t plain_bytes; /* after inflating, header included */
} dt_npz_member;

/**
 * Opens an archive and reads its central directory and every member's .npy header.
 *
 * Members that are not .npy are ignored. A member whose .npy header dt_npy_parse refuses (pickled,
 * text, complex, malformed, ...) is kept by name only; dt_npz_find then returns the error. Bytes
 * before the archive and a comment after it are ignored.
 *
 * Errors:  DT_DATA, one line that names the file: missing, empty, an HTML page, a Git LFS pointer,
 *          plain .npy, no ZIP at all, truncated, encrypted, several disks, an unknown compression
 *          method, sizes or offsets beyond the file, a header that lies about its size, a
 *          member that claims to inflate beyond what deflate can do (1032 : 1), one without items
 *          whose CRC is wrong. DT_MEMORY. On error *out = NULL.
 * Cost:    fixed buffers, and the central directory, which is refused beyond 64 MiB
 */
DT_MUST_USE dt_status dt_npz_open(dt_npz **out, const char *path);

/**
 * Opens .npy files as one archive `name`, whose members are named as the files without folder and
 * ".npy". Each file is read once for its CRC-32.
 *
 * Errors:  DT_DATA: one cannot be opened, two have the same name; their contents are checked as by
 *          dt_npz_open. DT_MEMORY; *out = NULL
 */
DT_MUST_USE dt_status dt_npz_open_files(dt_npz **out, const char *name, const char *const *paths,
                                        size_t count);

/**
 * Opens an HDF5 file as an archive, whose members are its datasets, "train/inputs" for one in a
 * group. They are read by HDF5 in a process of its own (io/h5.h), a few MiB at a time.
 *
 * The sizes of a member are those of an equal .npy; its CRC-32 is 0 until it has been read to its
 * end. Texts, also of variable length, are read as numpy.bytes_.
 *
 * Errors:  DT_DATA as dt_h5_open; also when it is a model, a run's log, a checkpoint, or a table of
 *          pandas, or no dataset of it can be used. DT_MEMORY; *out = NULL
 */
DT_MUST_USE dt_status dt_npz_open_h5(dt_npz **out, const char *path);

/** Closes and frees; NULL is allowed. */
void dt_npz_close(dt_npz *npz);

/** Returns the path of the file that contains a member of dt_npz_find; borrowed. */
const char *dt_npz_member_path(const dt_npz_member *member);

/** Returns the path given to dt_npz_open, or the name; borrowed. */
const char *dt_npz_path(const dt_npz *npz);

/** Returns how many members there are, unusable ones included. */
size_t dt_npz_count(const dt_npz *npz);

/** Returns the name of member `index`; borrowed. */
const char *dt_npz_name(const dt_npz *npz, size_t index);

/** Returns whether a member of this name is there. */
bool dt_npz_has(const dt_npz *npz, const char *name);

/**
 * Finds a member by name; of several of the same name the last, as Python's zipfile does.
 *
 * Owns:    *out is borrowed, until dt_npz_close
 * Errors:  DT_DATA when there is none (the line lists the names there are), or when
 *          dt_npy_parse refuses its header; then *out = NULL
 */
DT_MUST_USE dt_status dt_npz_find(const dt_npz *npz, const char *name, const dt_npz_member **out);

/** As dt_npz_find, but also finds arrays of text. */
DT_MUST_USE dt_status dt_npz_find_any(const dt_npz *npz, const char *name,
                                      const dt_npz_member **out);

/** As dt_npz_find_any, but returns NULL without an error text for a member that cannot be used. */
const dt_npz_member *dt_npz_look(const dt_npz *npz, const char *name);

/** A member being read from its first item to its last. */
typedef struct dt_npz_stream dt_npz_stream;

/**
 * Starts reading a member's items, behind its header. Several streams may be open.
 *
 * Owns:    the caller closes `out`, before `npz`; `member` is from dt_npz_find
 * Errors:  DT_DATA, DT_MEMORY; *out = NULL
 * Cost:    128 KiB, and zlib's 40 KiB for a deflated member; a dataset: 1 MiB, or a row of chunks
 *          if that is more, at most 64 MiB or one row
 */
DT_MUST_USE dt_status dt_npz_stream_open(dt_npz_stream **out, const dt_npz *npz,
                                         const dt_npz_member *member);

/**
 * Reads exactly `bytes` bytes of items, no more than are left. When the last byte of the member has
 * been read the CRC and the end of the deflate stream are checked in the same call; for a dataset,
 * that it has not changed since it was read before.
 *
 * Errors:  DT_DATA: damaged or truncated data, a wrong CRC (file and member named)
 */
DT_MUST_USE dt_status dt_npz_stream_read(dt_npz_stream *stream, void *out, size_t bytes);

/** Frees a stream, finished or not; NULL is allowed. */
void dt_npz_stream_close(dt_npz_stream *stream);

/** An archive being written; it appears under its name only when finished. */
typedef dt_zip_writer dt_npz_writer;

/**
 * Starts an archive. `level` 0 stores members plain, 1 to 9 deflates them.
 *
 * Errors:  DT_OUTPUT, DT_MEMORY; *out = NULL
 */
DT_MUST_USE dt_status dt_npz_writer_open(dt_npz_writer **out, const char *path, int level);

/**
 * Starts a member after the previous one is full: C order, `descr` "<f4", "<i8", ... ZIP64 fields
 * are written where needed.
 *
 * Errors:  DT_OUTPUT, DT_MEMORY; then the writer is only good for dt_npz_writer_discard
 */
DT_MUST_USE dt_status dt_npz_writer_begin(dt_npz_writer *writer, const char *name,
                                          const char *descr, unsigned dims, const uint64_t *shape);

/** Appends items to the member begun last; together they must fill its shape. Errors: DT_OUTPUT. */
DT_MUST_USE dt_status dt_npz_writer_write(dt_npz_writer *writer, const void *items, size_t bytes);

/**
 * Writes the central directory and synchronizes the file with the disk; only the rename is left to
 * dt_npz_writer_finish, which then syncs no folder either (see dt_file_sync).
 *
 * Errors:  DT_OUTPUT; then the writer is only good for dt_npz_writer_discard. A second call does
 *          nothing. Starting or writing a member afterwards is a bug: DT_ASSERT
 */
DT_MUST_USE dt_status dt_npz_writer_seal(dt_npz_writer *writer);

/**
 * Writes the central directory and puts the file in place; frees `writer` in any case.
 *
 * Identical members give identical bytes: the dates in the archive are fixed (1980-01-01).
 *
 * Errors:  DT_OUTPUT; then an older file stays as it was
 */
DT_MUST_USE dt_status dt_npz_writer_finish(dt_npz_writer *writer);

/** Discards the archive, sealed or not: no file appears; NULL is allowed. */
void dt_npz_writer_discard(dt_npz_writer *writer);

#endif
