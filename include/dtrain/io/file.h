#ifndef DTRAIN_IO_FILE_H
#define DTRAIN_IO_FILE_H

#include "dtrain/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Output files that appear complete or not at all: they are written under a temporary name next to
 * the target, synchronized, and renamed. All calls are local, and made by rank 0 only.
 */
typedef struct dt_file dt_file;

/**
 * Opens a temporary file `<path>.<pid>.tmp` in the target's folder.
 *
 * An existing file of that name is left from a dead process, and is replaced. If the target is a
 * link, the file that it points to is written (dt_file_resolve). A new file follows the umask; a
 * file that replaces another keeps its owner, group and mode, or a warning reports that it cannot.
 * Writes are buffered in 64 KiB, so small writes are cheap.
 *
 * Owns:    the caller ends it with dt_file_commit or dt_file_discard
 * Errors:  DT_OUTPUT (with errno's text; also when the target is a folder, device or pipe),
 *          DT_MEMORY; *out = NULL
 */
DT_MUST_USE dt_status dt_file_create(dt_file **out, const char *path);

/**
 * Appends `bytes` bytes.
 *
 * Errors:  DT_OUTPUT, also on a short write (full disk), which may be reported by a later call;
 *          then the temporary file is removed, and all later calls on `file`, also dt_file_commit,
 *          fail
 */
DT_MUST_USE dt_status dt_file_write(dt_file *file, const void *data, size_t bytes);

/** Overwrites `bytes` bytes at `offset`, which were written before. Errors: DT_OUTPUT. */
DT_MUST_USE dt_status dt_file_write_at(dt_file *file, uint64_t offset, const void *data,
                                       size_t bytes);

/** Returns how many bytes were appended so far. */
uint64_t dt_file_tell(const dt_file *file);

/**
 * Synchronizes the data with the disk, still under the temporary name; no more can be written to
 * `file`.
 *
 * Files that belong together are first all synced, then all committed, and finally their folders
 * are synced with dt_file_sync_folder. So nothing that is slow or can fail on a full disk happens
 * between the first rename and the last.
 *
 * Errors:  DT_OUTPUT; as dt_file_write. A second call does nothing. Writing afterwards is our bug:
 *          DT_ASSERT
 */
DT_MUST_USE dt_status dt_file_sync(dt_file *file);

/**
 * Puts the file in place (fsync, rename over the target, fsync of the folder) and frees `file`. If
 * dt_file_sync has synced the file, only the rename is done.
 *
 * Errors:  DT_OUTPUT; then the temporary file is removed and an older target is unchanged (unless
 *          the folder could not be synced: then the new file is in place)
 */
DT_MUST_USE dt_status dt_file_commit(dt_file *file);

/**
 * Synchronizes the folder of a file with the disk (fsync, behind links), so that the file's name
 * survives a power failure. For files that were synced before they were committed.
 *
 * Errors:  DT_OUTPUT only on a disk error, as dt_file_commit; DT_MEMORY
 */
DT_MUST_USE dt_status dt_file_sync_folder(const char *path);

/** Removes the temporary file, synced or not, and frees; NULL is allowed. */
void dt_file_discard(dt_file *file);

/** Writes a whole file: create, write, commit. Errors: DT_OUTPUT, DT_MEMORY. */
DT_MUST_USE dt_status dt_file_replace(const char *path, const void *data, size_t bytes);

/**
 * Removes the file `<path>.<pid>.tmp` of an unfinished write to `path` by a dead process, behind a
 * link as dt_file_create. A failure to remove it is not reported.
 */
void dt_file_sweep(const char *path, int64_t pid);

/**
 * Follows the links at the end of a path. In a folder that others may write to, a link is followed
 * only if it belongs to this user or to the folder's owner, as the kernel does with
 * fs.protected_symlinks; otherwise anybody could make dtrain overwrite the user's files.
 *
 * Owns:    the caller frees *out with dt_memory_free; a path that does not exist is copied
 *          unchanged
 * Errors:  DT_OUTPUT with the name of the link; DT_MEMORY; *out = NULL
 */
DT_MUST_USE dt_status dt_file_resolve(char **out, const char *path);

/** Returns whether there is a folder, or a link to one, at a path. */
bool dt_file_is_folder(const char *path);

/** Returns whether there is a regular file, or a link to one, at a path. Callers check it before
 * they open a file, because opening a pipe waits. */
bool dt_file_is_regular(const char *path);

/** Returns whether two paths lead to the same existing file. */
bool dt_file_same(const char *a, const char *b);

/** Returns how many bytes this user can still write to the file system of an existing path;
 * INFINITY if it does not know. Quotas may allow less. */
double dt_file_room(const char *path);

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
