#include "dtrain/io/file.h"

#include "dtrain/base/fault.h"
#include "dtrain/base/memory.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

bool dt_file_is_folder(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

bool dt_file_is_regular(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISREG(found.st_mode);
}

DT_MUST_USE static dt_status make_one_folder(const char *path, const char *folder)
{
    struct stat found;
    /* Checked first: mkdir on an existing parent without write permission fails, too. */
    for (int attempt = 0; attempt < 2; attempt++) {
        if (stat(folder, &found) == 0) {
            if (S_ISDIR(found.st_mode))
                return DT_OK;
            return dt_fail(DT_OUTPUT, "%s: cannot make the folder: '%s' is a file", path, folder);
        }
        if (!dt_fault("open") && mkdir(folder, 0777) == 0)
            return DT_OK;
        if (errno != EEXIST) /* else another process has created it */
            break;
        if (lstat(folder, &found) == 0 && S_ISLNK(found.st_mode))
            return dt_fail(DT_OUTPUT,
                           "%s: cannot make the folder: '%s' is a link without a target; remove "
                           "the link, or create its target",
                           path, folder);
    }
    return dt_fail(DT_OUTPUT, "%s: cannot make the folder: %s", path, strerror(errno));
}

dt_status dt_file_make_folder(const char *path)
{
    dt_status status = DT_OK;
    char *folder = NULL, *resolved = NULL;
    if (path[0] == '\0')
        return dt_fail(DT_OUTPUT, "cannot make a folder: its name is empty");
    DT_TRY(dt_file_resolve(&resolved, path));
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
    dt_memory_free(resolved);
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

double dt_file_room(const char *path)
{
    struct statvfs found;
    if (statvfs(path, &found) != 0 || found.f_blocks == 0) /* some services count nothing */
        return INFINITY;
    return (double)found.f_bavail * (double)found.f_frsize;
}
