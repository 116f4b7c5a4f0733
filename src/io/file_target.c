#include "dtrain/io/file.h"

#include "file_internal.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *dt_file_cut(char *path, const char **name)
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

/* ---- links ---- */

/* The rule of Linux's fs.protected_symlinks, but also without the sticky bit, and if the rule is
 * switched off or does not apply, because dtrain reads links itself. */
static bool may_follow(const char *path, const struct stat *link)
{
    char copy[PATH_MAX];
    const char *name = NULL;
    struct stat folder;
    (void)snprintf(copy, sizeof copy, "%s", path);
    if (stat(dt_file_cut(copy, &name), &folder) != 0)
        return false;
    return (folder.st_mode & S_IWOTH) == 0 || link->st_uid == geteuid() ||
           link->st_uid == folder.st_uid;
}

/* `path` becomes where the link there points to. */
static int follow(char path[PATH_MAX])
{
    char target[PATH_MAX], joined[PATH_MAX];
    const ssize_t length = readlink(path, target, sizeof target - 1);
    if (length < 0)
        return errno;
    target[length] = '\0';
    const char *slash = strrchr(path, '/');
    const int folder = target[0] == '/' || slash == NULL ? 0 : (int)(slash + 1 - path);
    const int bytes = snprintf(joined, sizeof joined, "%.*s%s", folder, path, target);
    if (bytes < 0 || (size_t)bytes >= sizeof joined)
        return ENAMETOOLONG;
    memcpy(path, joined, (size_t)bytes + 1);
    return 0;
}

DT_MUST_USE static dt_status refuse(const char *path, const char *link, uid_t owner)
{
    return dt_fail(DT_OUTPUT,
                   "%s: cannot write: %s is a link of user %ld in a folder that others may write "
                   "to; use another name",
                   path, link, (long)owner);
}

dt_status dt_file_resolve(char **out, const char *path)
{
    enum { LINKS_MAX = 40 }; /* as Linux has it */
    struct stat found;
    char at[PATH_MAX];
    *out = NULL;
    (void)snprintf(at, sizeof at, "%s", path);
    for (size_t length = strlen(at); length > 1 && at[length - 1] == '/'; length--)
        at[length - 1] = '\0'; /* behind which a link would be followed */
    if (strlen(path) >= sizeof at || lstat(at, &found) != 0 || !S_ISLNK(found.st_mode))
        return dt_memory_copy_text(out, path);
    for (int i = 0; i < LINKS_MAX && lstat(at, &found) == 0; i++) {
        if (!S_ISLNK(found.st_mode))
            return dt_memory_copy_text(out, at);
        if (!may_follow(at, &found))
            return refuse(path, at, found.st_uid);
        const int error = follow(at);
        if (error != 0)
            return dt_fail(DT_OUTPUT, "%s: cannot follow the link: %s", path, strerror(error));
    }
    return dt_memory_copy_text(out, path); /* it does not exist: the caller reports that */
}

/* ---- owner and mode ---- */

void dt_file_keep_mode(int fd, const struct stat *replaced, const char *path)
{
    struct stat now;
    mode_t mode = replaced->st_mode & 0777;
    bool kept = fstat(fd, &now) == 0;
    /* Root may give a file away; others can only choose among their groups. */
    if (kept && (now.st_uid != replaced->st_uid || now.st_gid != replaced->st_gid) &&
        fchown(fd, replaced->st_uid, replaced->st_gid) != 0)
        kept = fchown(fd, (uid_t)-1, replaced->st_gid) == 0;
    kept = fstat(fd, &now) == 0 && kept;
    if (now.st_gid != replaced->st_gid)
        mode &= ~(mode_t)S_IRWXG; /* the rights of the old group are not those of ours */
    if ((now.st_mode & 0777) != mode && fchmod(fd, mode) != 0)
        kept = false;
    if (!kept || now.st_uid != replaced->st_uid || now.st_gid != replaced->st_gid)
        dt_log_warn("%s: belonged to user %ld, group %ld; this process cannot keep the owner: now "
                    "user %ld, group %ld, mode %03o",
                    path, (long)replaced->st_uid, (long)replaced->st_gid, (long)now.st_uid,
                    (long)now.st_gid, (unsigned)mode);
}
