#include "dtrain/io/file.h"

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
    bool synced; /* and closed: only the rename is left */
    uint64_t end;
    size_t buffered; /* the last bytes before `end` that are not in the file yet */
    unsigned char buffer[BUFFER_BYTES];
};

/* Gives up the temporary file at once: on a full disk the space should not wait for the caller. */
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

/* A link is followed: the file it points to is replaced, the link stays. And as rename replaces
 * anything that is no folder, a device such as /dev/null has to be refused here. */
DT_MUST_USE static dt_status resolve_target(char **out, const char *path)
{
    struct stat target;
    *out = NULL;
    if (stat(path, &target) != 0)
        return dt_memory_copy_text(out, path); /* new, or open says what is wrong */
    if (S_ISDIR(target.st_mode))
        return dt_fail(DT_OUTPUT, "%s: cannot create: expected a file name, found a folder", path);
    if (!S_ISREG(target.st_mode))
        return dt_fail(DT_OUTPUT, "%s: cannot create: expected a file name, found a device or pipe",
                       path);
    if (lstat(path, &target) != 0 || !S_ISLNK(target.st_mode))
        return dt_memory_copy_text(out, path);
    char *resolved = realpath(path, NULL);
    if (resolved == NULL)
        return dt_fail(DT_OUTPUT, "%s: cannot create: %s", path, strerror(errno));
    dt_status status = dt_memory_copy_text(out, resolved);
    free(resolved);
    return status;
}

static int open_temporary(const char *temporary)
{
    int fd = -1;
    /* The name holds our pid, so what is already there was left by a process that is dead. It is
     * removed, not opened: it could be a link. */
    for (int attempt = 0; attempt < 2 && fd < 0; attempt++) {
        do
            fd = dt_fault("open") ? -1
                                  : open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
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
    *out = NULL;
    DT_TRY(dt_memory_alloc(&file, 1, sizeof *file, "output file"));
    file->fd = -1;
    file->gone = true;
    DT_TRY(resolve_target(&file->path, path));
    size_t bytes = strlen(file->path) + SUFFIX_BYTES;
    DT_TRY(dt_memory_alloc(&file->temporary, bytes, 1, "file name"));
    (void)snprintf(file->temporary, bytes, "%s.%ld.tmp", file->path, (long)getpid());
    file->fd = open_temporary(file->temporary);
    if (file->fd < 0) {
        status = dt_fail(DT_OUTPUT, "%s: cannot create: %s", path, strerror(errno));
        goto out;
    }
    file->gone = false;
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
    /* Some file systems tell of a failed write only here: so before the rename, too. */
    int closed = close(file->fd);
    file->fd = -1; /* gone even when close fails */
    if (closed != 0 && errno != EINTR)
        return give_up(file, "write to the disk");
    file->synced = true;
out:
    return status;
}

/* Cuts a path into the folder, which is returned, and the name in it. */
static const char *cut(char *path, const char **name)
{
    char *slash = strrchr(path, '/');
    *name = slash == NULL ? path : slash + 1;
    if (slash == NULL)
        return ".";
    if (slash == path)
        return "/";
    *slash = '\0';
    return path;
}

/* Of `resolved`, which is cut. Not every file system can sync a folder (EINVAL), nor may everybody
 * open one; the file is under its name by now, so only a failing disk is an error. */
DT_MUST_USE static dt_status sync_folder_of(char *resolved, const char *path)
{
    dt_status status = DT_OK;
    const char *name = NULL;
    const char *folder = cut(resolved, &name);
    int fd = dt_fault("open") ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return DT_OK;
    if (sync_fully(fd) != 0 && errno == EIO)
        status = dt_fail(DT_OUTPUT, "%s: written, but its folder is not safe on the disk: %s", path,
                         strerror(errno));
    (void)close(fd);
    return status;
}

dt_status dt_file_sync_folder(const char *path)
{
    dt_status status = DT_OK;
    char *copy = NULL;
    char *resolved = realpath(path, NULL);
    DT_TRY(dt_memory_copy_text(&copy, resolved != NULL ? resolved : path));
    status = sync_folder_of(copy, path);
out:
    free(resolved);
    dt_memory_free(copy);
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
    char *resolved = realpath(path, NULL); /* behind a link, where dt_file_create writes */
    char temporary[PATH_MAX + SUFFIX_BYTES];
    (void)snprintf(temporary, sizeof temporary, "%s.%lld.tmp", resolved != NULL ? resolved : path,
                   (long long)pid);
    (void)unlink(temporary);
    free(resolved);
}

DT_MUST_USE static dt_status make_one_folder(const char *path, const char *folder)
{
    struct stat found;
    /* Asked first: mkdir on a parent that we may not write to fails though the parent is there. */
    for (int attempt = 0; attempt < 2; attempt++) {
        if (stat(folder, &found) == 0) {
            if (S_ISDIR(found.st_mode))
                return DT_OK;
            return dt_fail(DT_OUTPUT, "%s: cannot make the folder: '%s' is a file", path, folder);
        }
        if (!dt_fault("open") && mkdir(folder, 0777) == 0)
            return DT_OK;
        if (errno != EEXIST) /* else another process was faster: look again */
            break;
    }
    return dt_fail(DT_OUTPUT, "%s: cannot make the folder: %s", path, strerror(errno));
}

bool dt_file_same(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

dt_status dt_file_make_folder(const char *path)
{
    dt_status status = DT_OK;
    char *folder = NULL;
    if (path[0] == '\0')
        return dt_fail(DT_OUTPUT, "cannot make a folder: its name is empty");
    DT_TRY(dt_memory_copy_text(&folder, path));
    for (char *c = folder + 1; *c != '\0'; c++) {
        if (*c != '/')
            continue;
        *c = '\0';
        DT_TRY(make_one_folder(path, folder));
        *c = '/';
    }
    DT_TRY(make_one_folder(path, folder));
out:
    dt_memory_free(folder);
    return status;
}

dt_status dt_file_make_new_folder(char *out, size_t bytes, const char *path)
{
    for (int n = 1;; n++) {
        const int length =
            n == 1 ? snprintf(out, bytes, "%s", path) : snprintf(out, bytes, "%s-%d", path, n);
        if (length < 0 || (size_t)length >= bytes)
            return dt_fail(DT_OUTPUT, "%s: the path is too long", path);
        char *slash = strrchr(out, '/');
        if (slash != NULL && slash != out) {
            *slash = '\0';
            dt_status status = dt_file_make_folder(out);
            *slash = '/';
            if (status != DT_OK)
                return status;
        }
        if (!dt_fault("open") && mkdir(out, 0777) == 0)
            return DT_OK;
        if (errno != EEXIST)
            return dt_fail(DT_OUTPUT, "%s: cannot make the folder: %s", out, strerror(errno));
    }
}
