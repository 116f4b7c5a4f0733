#include "dtrain/io/zip.h"

#include "dtrain/base/crc32.h"
#include "dtrain/base/fault.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "zip_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

DT_MUST_USE static dt_status open_file(dt_zip *zip)
{
    struct stat found;
    /* O_NONBLOCK: a named pipe is refused below, where open would wait for its writer. */
    do
        zip->fd = dt_fault("open") ? -1 : open(zip->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    while (zip->fd < 0 && errno == EINTR);
    if (zip->fd < 0 || fstat(zip->fd, &found) != 0)
        return dt_fail(DT_DATA, "%s: cannot open: %s", zip->path, strerror(errno));
    if (S_ISDIR(found.st_mode))
        return dt_fail(DT_DATA, "%s: is a folder, expected a %s file", zip->path, zip->kind.name);
    if (!S_ISREG(found.st_mode))
        return dt_fail(DT_DATA, "%s: is a device or pipe, expected a %s file", zip->path,
                       zip->kind.name);
    if (found.st_size == 0)
        return dt_fail(DT_DATA,
                       "%s: is empty (0 bytes), expected a %s: the download or copy may have "
                       "failed",
                       zip->path, zip->kind.name);
    zip->file_bytes = (uint64_t)found.st_size;
    (void)posix_fadvise(zip->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return DT_OK;
}

dt_status dt_zip_open_kind(dt_zip **out, const char *path, const dt_zip_kind *kind)
{
    dt_status status = DT_OK;
    dt_zip *zip = NULL;
    *out = NULL;
    DT_TRY(dt_memory_alloc(&zip, 1, sizeof *zip, "archive"));
    zip->fd = -1;
    zip->kind = *kind;
    DT_TRY(dt_memory_copy_text(&zip->path, path));
    DT_TRY(open_file(zip));
    DT_TRY(dt_zip_read_directory(zip));
    *out = zip;
    zip = NULL;
out:
    dt_zip_close(zip);
    return status;
}

/* Computes the CRC-32 of the whole file. */
DT_MUST_USE static dt_status sum_file(uint32_t *crc, const dt_zip *zip)
{
    enum { AT_ONCE = 1 << 17 };
    dt_status status = DT_OK;
    unsigned char *buffer = NULL;
    *crc = 0;
    DT_TRY(dt_memory_alloc(&buffer, AT_ONCE, 1, "input buffer"));
    for (uint64_t at = 0; at < zip->file_bytes; at += AT_ONCE) {
        const uint64_t left = zip->file_bytes - at;
        const size_t bytes = left < AT_ONCE ? (size_t)left : AT_ONCE;
        DT_TRY(dt_zip_read_at(zip, at, buffer, bytes));
        *crc = dt_crc32(*crc, buffer, bytes);
    }
out:
    dt_memory_free(buffer);
    return status;
}

dt_status dt_zip_open_plain(dt_zip **out, const char *path, const dt_zip_kind *kind)
{
    dt_status status = DT_OK;
    dt_zip *zip = NULL;
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    *out = NULL;
    DT_TRY(dt_memory_alloc(&zip, 1, sizeof *zip, "archive"));
    zip->fd = -1;
    zip->kind = *kind;
    DT_TRY(dt_memory_copy_text(&zip->path, path));
    DT_TRY(open_file(zip));
    DT_TRY(dt_memory_alloc(&zip->members, 1, sizeof *zip->members, "archive"));
    DT_TRY(dt_memory_alloc(&zip->directory, strlen(name) + 1, 1, "name"));
    memcpy(zip->directory, name, strlen(name) + 1);
    if (dt_text_ends_in(name, kind->suffix))
        zip->directory[strlen(name) - strlen(kind->suffix)] = '\0';
    zip->members[0] = (dt_zip_member){.name = (const char *)zip->directory,
                                      .stored_bytes = zip->file_bytes,
                                      .plain_bytes = zip->file_bytes};
    zip->count = zip->room = 1;
    DT_TRY(sum_file(&zip->members[0].crc32, zip));
    *out = zip;
    zip = NULL;
out:
    dt_zip_close(zip);
    return status;
}

dt_status dt_zip_open(dt_zip **out, const char *path, const char *kind)
{
    const dt_zip_kind plain = {.name = kind,
                               .member = "member",
                               .suffix = "",
                               .if_no_zip = "",
                               .if_single_npy = "",
                               .if_unknown_method = ""};
    return dt_zip_open_kind(out, path, &plain);
}

void dt_zip_close(dt_zip *zip)
{
    if (zip == NULL)
        return;
    if (zip->fd >= 0)
        (void)close(zip->fd);
    dt_memory_free(zip->members);
    dt_memory_free(zip->directory);
    dt_memory_free(zip->path);
    dt_memory_free(zip);
}

const char *dt_zip_path(const dt_zip *zip)
{
    return zip->path;
}

size_t dt_zip_count(const dt_zip *zip)
{
    return zip->count;
}

const dt_zip_member *dt_zip_member_at(const dt_zip *zip, size_t index)
{
    DT_ASSERT(index < zip->count);
    return &zip->members[index];
}

/* From the back: of several members with the same name the last one counts. */
const dt_zip_member *dt_zip_find(const dt_zip *zip, const char *name)
{
    for (size_t i = zip->count; i > 0; i--)
        if (strcmp(zip->members[i - 1].name, name) == 0)
            return &zip->members[i - 1];
    return NULL;
}
