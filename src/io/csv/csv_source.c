#include "csv_source.h"

#include "dtrain/base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 1024 };

static const char *spool_folder(void)
{
    const char *folder = getenv("TMPDIR");
    return folder != NULL && folder[0] != '\0' ? folder : "/tmp";
}

static dt_status fail_spool(const dt_csv_source *source)
{
    return dt_fail(
        DT_OUTPUT,
        "%s: cannot be stored in a temporary file in %s: %s; set TMPDIR to another folder",
        source->path, spool_folder(), strerror(errno));
}

/* The file has no name, so that it disappears even if the process is killed. */
static dt_status make_spool(dt_csv_source *source)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/dtrain-XXXXXX", spool_folder());
    source->fd = dt_fault("open") ? -1 : mkstemp(path);
    if (source->fd < 0)
        return fail_spool(source);
    (void)unlink(path);
    (void)fcntl(source->fd, F_SETFD, FD_CLOEXEC);
    return DT_OK;
}

static dt_status open_stdin(dt_csv_source *source, bool once)
{
    struct stat found;
    source->path = "stdin";
    if (fstat(STDIN_FILENO, &found) != 0)
        return dt_fail(DT_DATA, "stdin: cannot be read: %s", strerror(errno));
    if (S_ISREG(found.st_mode) && lseek(STDIN_FILENO, 0, SEEK_CUR) == 0) {
        source->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
        source->size = (uint64_t)found.st_size;
        return source->fd < 0 ? dt_fail(DT_DATA, "stdin: cannot be read: %s", strerror(errno))
                              : DT_OK;
    }
    source->is_pipe = true;
    return once ? DT_OK : make_spool(source);
}

dt_status dt_csv_source_open(dt_csv_source *out, const char *path, bool once)
{
    struct stat found;
    *out = (dt_csv_source){.path = path, .fd = -1};
    if (strcmp(path, "-") == 0)
        return open_stdin(out, once);
    /* O_NONBLOCK: a named pipe is refused below, where open would wait for its writer. */
    do
        out->fd = dt_fault("open") ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    while (out->fd < 0 && errno == EINTR);
    if (out->fd < 0 || fstat(out->fd, &found) != 0)
        return dt_fail(DT_DATA, "%s: cannot open: %s", path, strerror(errno));
    if (S_ISDIR(found.st_mode))
        return dt_fail(DT_DATA, "%s: is a folder, expected a table", path);
    if (!S_ISREG(found.st_mode))
        return dt_fail(DT_DATA,
                       "%s: is a device or pipe, expected a file, because a table is read more "
                       "than once; use - to read it from stdin",
                       path);
    out->size = (uint64_t)found.st_size;
    (void)posix_fadvise(out->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return DT_OK;
}

void dt_csv_source_close(dt_csv_source *source)
{
    if (source->fd >= 0)
        (void)close(source->fd);
    source->fd = -1;
}

/* Appends the bytes just read from stdin to the stored ones. */
static dt_status keep(dt_csv_source *source, const char *text, size_t bytes)
{
    while (source->fd >= 0 && bytes > 0) {
        const ssize_t put =
            dt_fault("write") ? -1 : pwrite(source->fd, text, bytes, (off_t)source->size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return fail_spool(source);
        source->size += (uint64_t)put;
        text += put;
        bytes -= (size_t)put;
    }
    source->size += bytes; /* not stored, but counted */
    return DT_OK;
}

dt_status dt_csv_source_read(dt_csv_source *source, void *to, size_t room, size_t *got)
{
    *got = 0;
    while (*got < room && !(source->is_pipe && source->ended && source->offset == source->size)) {
        char *at = (char *)to + *got;
        const size_t wanted = room - *got;
        const bool fresh = source->is_pipe && source->offset == source->size;
        const ssize_t bytes = dt_fault("read") ? -1
                              : fresh          ? read(STDIN_FILENO, at, wanted)
                                      : pread(source->fd, at, wanted, (off_t)source->offset);
        if (bytes < 0 && errno == EINTR)
            continue;
        if (bytes < 0)
            return dt_fail(DT_DATA, "%s: cannot read: %s", source->path, strerror(errno));
        const dt_status status = fresh ? keep(source, at, (size_t)bytes) : DT_OK;
        if (status != DT_OK)
            return status;
        *got += (size_t)bytes;
        source->offset += (uint64_t)bytes;
        source->ended = source->ended || (fresh && bytes == 0);
        if (bytes == 0)
            break;
    }
    return DT_OK;
}
