#ifndef DTRAIN_IO_FILE_H
#define DTRAIN_IO_FILE_H

#include "dtrain/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Output files that appear whole or not at all: written under a temporary name beside the target,
 * then fsync and rename. All calls are local, and made by rank 0 only.
 */
typedef struct dt_file dt_file;

/**
 * Opens a temporary file `<path>.<pid>.tmp` in the target's folder.
 *
 * One of that name is left from a dead process, and is replaced. A target that is a link stays one:
 * the file it points to is written (dt_file_resolve). A new file follows the umask; one that
 * replaces another keeps its owner, group and mode, with a warning if that is not allowed. Writes
 * are gathered in 64 KiB, so small ones cost little.
 *
 * Owns:    the caller ends it with dt_file_commit or dt_file_discard
 * Errors:  DT_OUTPUT (with errno's text; also when the target is a folder, device or pipe),
 *          DT_MEMORY; *out = NULL
 */
DT_MUST_USE dt_status dt_file_create(dt_file **out, const char *path);

/**
 * Appends `bytes` bytes.
 *
 * Errors:  DT_OUTPUT, also on a short write (full disk), which may show only in a later call; then
 *          the temporary file is gone, and every later call on `file` fails, dt_file_commit too
 */
DT_MUST_USE dt_status dt_file_write(dt_file *file, const void *data, size_t bytes);

/** Overwrites `bytes` bytes at `offset`, which were written before. Errors: DT_OUTPUT. */
DT_MUST_USE dt_status dt_file_write_at(dt_file *file, uint64_t offset, const void *data,
                                       size_t bytes);

/** Returns how many bytes were appended so far. */
uint64_t dt_file_tell(const dt_file *file);

/**
 * Makes what was written safe on the disk, still under the temporary name; `file` takes no more.
 *
 * Several files that belong together are all synced first, then all committed, and last their
 * folders are synced with dt_file_sync_folder: so nothing slow, and nothing that a full disk could
 * stop, comes between the first rename and the last.
 *
 * Errors:  DT_OUTPUT; as dt_file_write. A second call does nothing. Writing afterwards is our bug:
 *          DT_ASSERT
 */
DT_MUST_USE dt_status dt_file_sync(dt_file *file);

/**
 * Puts the file in place: fsync, rename over the target, fsync of the folder; frees `file`. Of a
 * file that dt_file_sync has synced it is the rename alone.
 *
 * Errors:  DT_OUTPUT; then the temporary file is removed and an older target stays as it was (but
 *          for a disk error while the folder is synced: the file is in place by then)
 */
DT_MUST_USE dt_status dt_file_commit(dt_file *file);

/**
 * Makes the name of a file that is in place safe on the disk: fsync of the folder it is in, behind
 * links. For files that were synced before they were committed.
 *
 * Errors:  DT_OUTPUT on a disk error alone, as with dt_file_commit; DT_MEMORY
 */
DT_MUST_USE dt_status dt_file_sync_folder(const char *path);

/** Removes the temporary file, synced or not, and frees; NULL is allowed. */
void dt_file_discard(dt_file *file);

/** Writes a whole file: create, write, commit. Errors: DT_OUTPUT, DT_MEMORY. */
DT_MUST_USE dt_status dt_file_replace(const char *path, const void *data, size_t bytes);

/**
 * Removes what a dead process has left of an unfinished write to `path`: the file
 * `<path>.<pid>.tmp`, behind a link as dt_file_create. If it cannot be removed, it stays, and
 * nothing is reported.
 */
void dt_file_sweep(const char *path, int64_t pid);

/**
 * Follows the links that a path ends in. In a folder that others may write to, a link is followed
 * only if it belongs to this user or to the folder's owner, as the kernel has it with
 * fs.protected_symlinks: else anybody could make us write over our own files.
 *
 * Owns:    the caller frees *out with dt_memory_free; a path that leads nowhere is copied as it is
 * Errors:  DT_OUTPUT, naming the link; DT_MEMORY; *out = NULL
 */
DT_MUST_USE dt_status dt_file_resolve(char **out, const char *path);

/** Returns whether two paths lead to the same file, which is there. */
bool dt_file_same(const char *a, const char *b);

/** Makes a folder and its missing parents, as mkdir -p. Errors: DT_OUTPUT, DT_MEMORY. */
DT_MUST_USE dt_status dt_file_make_folder(const char *path);

/**
 * Makes a folder that is not there yet, and its missing parents: PATH, or else PATH-2, PATH-3 ...
 *
 * Of several processes that ask for the same at once each gets a folder of its own.
 *
 * Shapes:  out [bytes]: the path it became
 * Errors:  DT_OUTPUT, also when the path does not fit
 */
DT_MUST_USE dt_status dt_file_make_new_folder(char *out, size_t bytes, const char *path);

#endif
