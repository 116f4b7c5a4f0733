#include "dtrain/io/file.h"

#include "file_internal.h"

#include "dtrain/base/fault.h"
#include "dtrain/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER_BYTES = 65536, SUFFIX_BYTES = 32 };

struct dt_file {
    char *path;
    char *temporary;
    int fd;
    bool gone; /* there is no temporary file to write to, rename or remove */
    bool synced; /* and closed; only the rename is missing */
    uint64_t end;
    size_t buffered; /* the last bytes before `end` that are not in the file yet */
    unsigned char buffer[BUFFER_BYTES];
};

/* Removes the temporary file at once, so that it does not occupy a full disk. */
DT_MUST_USE static dt_status give_up(dt_file *file, const char *what)
{
    int error = errno;
    if (!file->gone)
        (void)unlink(file->temporary);
    file->gone = true;
    return dt_fail(DT_OUTPUT, "%s: cannot %s: %s", file->path, what, strerror(error));
}

DT_MUST_USE static dt_status check_usable(const dt_file *file)
{
    if (file->gone)
        return dt_fail(DT_OUTPUT, "%s: not written: an earlier write failed", file->path);
    return DT_OK;
}

/* rename replaces anything except a folder, so a device such as /dev/null is refused here. If
 * *replaces, *target is the existing file. */
DT_MUST_USE static dt_status find_target(char **out, struct stat *target, bool *replaces,
                                         const char *path)
{
    dt_status status = DT_OK;
    *replaces = false;
    DT_TRY(dt_file_resolve(out, path));
    if (stat(*out, target) != 0)
        goto out; /* new, or open says what is wrong */
    if (S_ISDIR(target->st_mode))
        DT_TRY(dt_fail(DT_OUTPUT, "%s: cannot create: expected a file name, found a folder", path));
    if (!S_ISREG(target->st_mode))
        DT_TRY(dt_fail(DT_OUTPUT, "%s: cannot create: expected a file name, found a device or pipe",
                       path));
    *replaces = true;
out:
    return status;
}

static void name_temporary(char *out, size_t bytes, const char *path, int64_t pid)
{
    (void)snprintf(out, bytes, "%s.%lld.tmp", path, (long long)pid);
}

static int open_temporary(const char *temporary, mode_t mode)
{
    int fd = -1;
    /* The name holds our pid, so what is already there was left by a process that is dead. It is
     * removed, not opened: it could be a link. */
    for (int attempt = 0; attempt < 2 && fd < 0; attempt++) {
        do
            fd = dt_fault("open") ? -1
                                  : open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        while (fd < 0 && errno == EINTR);
        if (fd < 0 && (errno != EEXIST || unlink(temporary) != 0))
            break;
    }
    return fd;
}

dt_status dt_file_create(dt_file **out, const char *path)
{
    dt_status status = DT_OK;
    dt_file *file = NULL;
    struct stat target;
    bool replaces = false;
    *out = NULL;
    DT_TRY(dt_memory_alloc(&file, 1, sizeof *file, "output file"));
    file->fd = -1;
    file->gone = true;
    DT_TRY(find_target(&file->path, &target, &replaces, path));
    size_t bytes = strlen(file->path) + SUFFIX_BYTES;
    DT_TRY(dt_memory_alloc(&file->temporary, bytes, 1, "file name"));
    name_temporary(file->temporary, bytes, file->path, getpid());
    file->fd = open_temporary(file->temporary, replaces ? 0600 : 0666);
    if (file->fd < 0) {
        status = dt_fail(DT_OUTPUT, "%s: cannot create: %s", path, strerror(errno));
        goto out;
    }
    file->gone = false;
    if (replaces) /* before there is anything to read in it */
        dt_file_keep_mode(file->fd, &target, path);
    *out = file;
    file = NULL;
out:
    dt_file_discard(file);
    return status;
}

static bool write_fully(int fd, const unsigned char *data, size_t bytes, uint64_t offset)
{
    while (bytes > 0) {
        ssize_t written = dt_fault("write") ? -1 : pwrite(fd, data, bytes, (off_t)offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written == 0)
            errno = ENOSPC; /* no error and no progress: the next try would be the same */
        if (written <= 0)
            return false;
        data += written;
        offset += (uint64_t)written;
        bytes -= (size_t)written;
    }
    return true;
}

DT_MUST_USE static dt_status flush(dt_file *file)
{
    if (!write_fully(file->fd, file->buffer, file->buffered, file->end - file->buffered))
        return give_up(file, "write");
    file->buffered = 0;
    return DT_OK;
}

dt_status dt_file_write(dt_file *file, const void *data, size_t bytes)
{
    dt_status status = DT_OK;
    DT_ASSERT(!file->synced);
    DT_TRY(check_usable(file));
    if (bytes > BUFFER_BYTES - file->buffered)
        DT_TRY(flush(file));
    if (bytes >= BUFFER_BYTES) {
        if (!write_fully(file->fd, data, bytes, file->end)) {
            status = give_up(file, "write");
            goto out;
        }
    } else if (bytes > 0) {
        memcpy(file->buffer + file->buffered, data, bytes);
        file->buffered += bytes;
    }
    file->end += bytes;
out:
    return status;
}

dt_status dt_file_write_at(dt_file *file, uint64_t offset, const void *data, size_t bytes)
{
    dt_status status = DT_OK;
    DT_ASSERT(!file->synced);
    DT_ASSERT(offset <= file->end && bytes <= file->end - offset);
    DT_TRY(check_usable(file));
    DT_TRY(flush(file));
    if (!write_fully(file->fd, data, bytes, offset))
        status = give_up(file, "write");
out:
    return status;
}

uint64_t dt_file_tell(const dt_file *file)
{
    return file->end;
}

static int sync_fully(int fd)
{
    int result = -1;
    do
        result = dt_fault("fsync") ? -1 : fsync(fd);
    while (result != 0 && errno == EINTR);
    return result;
}

dt_status dt_file_sync(dt_file *file)
{
    dt_status status = DT_OK;
    DT_TRY(check_usable(file));
    if (file->synced)
        return DT_OK;
    DT_TRY(flush(file));
    if (sync_fully(file->fd) != 0)
        return give_up(file, "write to the disk");
    /* Some file systems report a failed write only here; therefore it comes before the rename. */
    int closed = close(file->fd);
    file->fd = -1; /* gone even when close fails */
    if (closed != 0 && errno != EINTR)
        return give_up(file, "write to the disk");
    file->synced = true;
out:
    return status;
}

/* Syncs the folder of `resolved`, which is cut. Some file systems cannot sync a folder (EINVAL),
 * and some users may not open it. The file already has its name, so only a failing disk is an
 * error. */
DT_MUST_USE static dt_status sync_folder_of(char *resolved, const char *path)
{
    dt_status status = DT_OK;
    const char *name = NULL;
    const char *folder = dt_file_cut(resolved, &name);
    int fd = dt_fault("open") ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return DT_OK;
    if (sync_fully(fd) != 0 && errno == EIO)
        status = dt_fail(DT_OUTPUT,
                         "%s: written, but a power failure may lose it, because its folder cannot "
                         "be synchronized: %s",
                         path, strerror(errno));
    (void)close(fd);
    return status;
}

dt_status dt_file_sync_folder(const char *path)
{
    dt_status status = DT_OK;
    char *resolved = NULL;
    DT_TRY(dt_file_resolve(&resolved, path));
    status = sync_folder_of(resolved, path);
out:
    dt_memory_free(resolved);
    return status;
}

DT_MUST_USE static dt_status put_in_place(dt_file *file)
{
    dt_status status = DT_OK;
    const bool was_synced = file->synced;
    DT_TRY(dt_file_sync(file));
    if (dt_fault("rename") || rename(file->temporary, file->path) != 0)
        return give_up(file, "put in place");
    file->gone = true;
    if (!was_synced)
        status = sync_folder_of(file->temporary, file->path);
out:
    return status;
}

dt_status dt_file_commit(dt_file *file)
{
    dt_status status = put_in_place(file);
    dt_file_discard(file);
    return status;
}

void dt_file_discard(dt_file *file)
{
    if (file == NULL)
        return;
    if (file->fd >= 0)
        (void)close(file->fd);
    if (!file->gone)
        (void)unlink(file->temporary);
    dt_memory_free(file->temporary);
    dt_memory_free(file->path);
    dt_memory_free(file);
}

dt_status dt_file_replace(const char *path, const void *data, size_t bytes)
{
    dt_status status = DT_OK;
    dt_file *file = NULL;
    DT_TRY(dt_file_create(&file, path));
    DT_TRY(dt_file_write(file, data, bytes));
    status = dt_file_commit(file);
    file = NULL;
out:
    dt_file_discard(file);
    return status;
}

void dt_file_sweep(const char *path, int64_t pid)
{
    char *resolved = NULL;
    char temporary[PATH_MAX + SUFFIX_BYTES];
    if (dt_file_resolve(&resolved, path) != DT_OK)
        return;
    name_temporary(temporary, sizeof temporary, resolved, pid);
    (void)unlink(temporary);
    dt_memory_free(resolved);
}

bool dt_file_same(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}
