#include "dtrain/run/owner.h"

#include "owner_internal.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/fault.h"
#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/watch_thread.h"
#include "dtrain/io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const double RENEW_S = 5.0, LOOK_S = 1.0;

/* Maximum nesting of claims on a folder: three levels need three kills within milliseconds. */
enum { CLAIMS_MAX = 4, LOOKS_MAX = 100, PATH_BYTES = 4096, NAME_BYTES = 256 };

struct dt_owner {
    dt_owner_record self;
    char *folder;
    char path[PATH_BYTES]; /* of the file */
    double stall_s;
    dev_t device; /* of the folder, and its number: another folder may get its name */
    ino_t number;
    double looked_s; /* when dt_owner_check last read the file */
    bool taken;
    atomic_bool lost;
    dt_watch_thread *thread; /* the starter's, to end it */
};

static atomic_bool leaving; /* this process is about to end */

/* ---- the file ---- */

/* Returns 0, or errno: EEXIST if there is one. */
static int create(const char *path, const dt_owner_record *self)
{
    const size_t bytes = strlen(self->text);
    const int fd = dt_fault("open")
                       ? -1
                       : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0)
        return errno;
    const ssize_t written = dt_fault("write") ? -1 : write(fd, self->text, bytes);
    int error = written == (ssize_t)bytes ? 0 : written < 0 ? errno : ENOSPC;
    if (close(fd) != 0 && error == 0 && errno != EINTR)
        error = errno; /* NFS */
    if (error != 0)
        (void)unlink(path);
    return error;
}

DT_MUST_USE static dt_status fail(const char *path, int error)
{
    return dt_fail(DT_OUTPUT, "%s: cannot write: %s", path, strerror(error));
}

DT_MUST_USE static dt_status refuse(const char *folder, const dt_owner_record *other, double age_s,
                                    double stall_s)
{
    char name[NAME_BYTES], after[64] = "";
    dt_owner_name(name, sizeof name, other);
    if (age_s < 0.0)
        return dt_fail(DT_USAGE, "%s: %s is writing here; wait until it ends, or end it", folder,
                       name);
    if (stall_s > 0.0)
        (void)snprintf(after, sizeof after, ", or try again in %.0f s", stall_s - age_s + 1.0);
    return dt_fail(DT_USAGE,
                   "%s: %s wrote here %.0f s ago; end it; if it is dead, remove %s/owner%s", folder,
                   name, age_s, folder, after);
}

/* Reads the owner file, again if it is just being written, and judges it. Returns errno of the
 * reading. */
static int look(dt_owner_record *other, dt_owner_verdict *verdict, double *age_s, const char *path,
                const dt_owner *owner)
{
    int error = dt_owner_read(other, path);
    for (int i = 0; i < LOOKS_MAX && error == 0 && !other->is_whole; i++) {
        *verdict = dt_owner_judge(other, &owner->self, owner->folder, owner->stall_s, age_s);
        if (*age_s > LOOK_S)
            return 0;
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        error = dt_owner_read(other, path);
    }
    if (error == 0)
        *verdict = dt_owner_judge(other, &owner->self, owner->folder, owner->stall_s, age_s);
    return error;
}

/* Removes temporary files of a killed write, which could fill the disk in time. */
static void sweep(const char *folder, const dt_owner_record *dead)
{
    static const char *const names[] = {"run.h5", "model.h5", "checkpoint.h5"};
    char path[PATH_BYTES + 16];
    for (size_t i = 0; dead->is_whole && i < sizeof names / sizeof *names; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        dt_file_sweep(path, dead->process.pid);
    }
}

static void warn(const char *folder, const dt_owner_record *dead, double age_s)
{
    char name[NAME_BYTES];
    dt_owner_name(name, sizeof name, dead);
    if (age_s >= 0.0)
        dt_log_warn("%s: took it over from %s, which has not responded for %.0f s", folder, name,
                    age_s);
    else
        dt_log_warn("%s: took it over from %s, which has died", folder, name);
}

DT_MUST_USE static dt_status take_file(const dt_owner *owner, const char *path, int claims);

/* Replaces the file of a dead owner by this run's. A claim file, whose name belongs to this dead
 * owner alone, decides between several runs: the run that creates it checks the owner again,
 * because another run may have acted since the first check, and then renames it. *taken is false if
 * the folder has to be checked anew. */
DT_MUST_USE static dt_status replace(const dt_owner *owner, const char *path,
                                     const dt_owner_record *dead, int claims, bool *taken)
{
    dt_status status = DT_OK;
    dt_owner_record now;
    dt_owner_verdict verdict = DT_OWNER_LIVES;
    double age_s = 0.0;
    char claim[PATH_BYTES + 64];
    *taken = false;
    (void)snprintf(claim, sizeof claim, "%s/owner-%s", owner->folder,
                   dead->is_whole ? dead->token : "unnamed");
    if (claims == CLAIMS_MAX || strlen(claim) >= PATH_BYTES)
        return dt_fail(DT_OUTPUT, "%s: left by a run that died; remove it", path);
    DT_TRY(take_file(owner, claim, claims + 1));
    if (look(&now, &verdict, &age_s, path, owner) != 0 || verdict == DT_OWNER_LIVES ||
        strcmp(now.text, dead->text) != 0) {
        (void)unlink(claim);
        return DT_OK;
    }
    sweep(owner->folder, dead); /* before the record of the dead owner is lost */
    if (dt_fault("rename") || rename(claim, path) != 0) {
        const int error = errno;
        (void)unlink(claim);
        DT_TRY(fail(path, error));
    }
    *taken = true;
    if (claims == 0)
        warn(owner->folder, dead, age_s);
out:
    return status;
}

DT_MUST_USE static dt_status take_file(const dt_owner *owner, const char *path, int claims)
{
    dt_status status = DT_OK;
    bool taken = false;
    for (int i = 0; i < LOOKS_MAX && !taken; i++) {
        dt_owner_record other;
        dt_owner_verdict verdict = DT_OWNER_LIVES;
        double age_s = 0.0;
        int error = create(path, &owner->self);
        if (error == 0)
            return DT_OK;
        if (error != EEXIST)
            DT_TRY(fail(path, error));
        error = look(&other, &verdict, &age_s, path, owner);
        if (error == ENOENT) /* its run has just ended */
            continue;
        if (error != 0)
            DT_TRY(fail(path, error));
        if (verdict == DT_OWNER_LIVES)
            DT_TRY(refuse(owner->folder, &other, age_s, owner->stall_s));
        DT_TRY(replace(owner, path, &other, claims, &taken));
    }
    if (!taken)
        status = dt_fail(
            DT_USAGE, "%s: other runs start and end here all the time; use another folder", path);
out:
    return status;
}

/* ---- this run's own ---- */

static bool is_own(const dt_owner *owner, const dt_owner_record *found, int error)
{
    return error == 0 && strcmp(found->text, owner->self.text) == 0;
}

/* The folder that was taken, not another one of its name. */
static bool is_folder_there(const dt_owner *owner)
{
    struct stat found;
    return stat(owner->folder, &found) == 0 && found.st_dev == owner->device &&
           found.st_ino == owner->number;
}

/* A file that cannot be read for now (a server that restarts) proves nothing. */
static void look_for_loss(dt_owner *owner)
{
    dt_owner_record found;
    int error = dt_owner_read(&found, owner->path);
    /* Somebody may be removing the whole folder. */
    for (int i = 0; i < LOOKS_MAX && error == ENOENT && is_folder_there(owner); i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        error = dt_owner_read(&found, owner->path);
    }
    const bool others = error == 0 && !is_own(owner, &found, error);
    if (others || (error == ENOENT && is_folder_there(owner)))
        atomic_store(&owner->lost, true);
}

static void remove_own(const dt_owner *owner)
{
    dt_owner_record found;
    const int error = dt_owner_read(&found, owner->path);
    if (is_own(owner, &found, error))
        (void)unlink(owner->path);
}

static void renew(void *argument, dt_watch_thread *self)
{
    dt_owner *owner = argument;
    double passed_s = 0.0, renewed_s = dt_clock_s();
    while (dt_watch_thread_tick(self, &passed_s)) {
        if (atomic_load(&leaving)) {
            remove_own(owner);
            return;
        }
        if (dt_clock_s() - renewed_s < RENEW_S || atomic_load(&owner->lost))
            continue;
        renewed_s = dt_clock_s();
        look_for_loss(owner);
        if (!atomic_load(&owner->lost)) /* to the time of the file system, not of this host */
            (void)utimensat(AT_FDCWD, owner->path, NULL, AT_SYMLINK_NOFOLLOW);
    }
}

DT_MUST_USE static dt_status take(dt_owner *owner)
{
    dt_status status = DT_OK;
    struct stat found;
    DT_TRY(take_file(owner, owner->path, 0));
    if (stat(owner->folder, &found) == 0) {
        owner->device = found.st_dev;
        owner->number = found.st_ino;
    }
    owner->looked_s = dt_clock_s();
    owner->taken = true;
    status = dt_watch_thread_start(&owner->thread, renew, owner);
out:
    return status;
}

DT_MUST_USE static dt_status begin(dt_owner **out, const char *folder, double stall_s)
{
    dt_status status = DT_OK;
    dt_owner *owner = NULL;
    *out = NULL;
    DT_TRY(dt_memory_alloc(&owner, 1, sizeof *owner, "owner"));
    dt_owner_describe(&owner->self);
    owner->stall_s = stall_s;
    DT_TRY(dt_memory_copy_text(&owner->folder, folder));
    const int length = snprintf(owner->path, sizeof owner->path, "%s/owner", folder);
    if (length < 0 || (size_t)length >= sizeof owner->path)
        DT_TRY(dt_fail(DT_OUTPUT, "%s: the path is too long", folder));
    *out = owner;
    owner = NULL;
out:
    dt_owner_release(owner);
    return status;
}

dt_status dt_owner_take(dt_owner **out, const char *folder, double stall_s)
{
    dt_status status = begin(out, folder, stall_s);
    if (status != DT_OK)
        return status;
    status = take(*out);
    if (status == DT_OK)
        return status;
    dt_owner_release(*out);
    *out = NULL;
    return status;
}

dt_status dt_owner_check_free(const char *folder, double stall_s)
{
    dt_owner *owner = NULL;
    dt_owner_record other;
    dt_owner_verdict verdict = DT_OWNER_LIVES;
    double age_s = 0.0;
    dt_status status = begin(&owner, folder, stall_s);
    if (status != DT_OK)
        return status;
    if (look(&other, &verdict, &age_s, owner->path, owner) == 0 && verdict == DT_OWNER_LIVES)
        status = refuse(folder, &other, age_s, stall_s);
    dt_owner_release(owner);
    return status;
}

dt_status dt_owner_check(dt_owner *owner)
{
    dt_status status = DT_OK;
    const bool is_recent = dt_clock_s() - owner->looked_s < LOOK_S;
    if (!is_recent && !atomic_load(&owner->lost)) {
        owner->looked_s = dt_clock_s();
        look_for_loss(owner);
    }
    if (atomic_load(&owner->lost))
        DT_TRY(dt_fail(DT_OUTPUT, "%s: another run took it over; this one stops", owner->folder));
    if (!is_folder_there(owner)) {
        dt_watch_thread_stop(owner->thread);
        owner->thread = NULL;
        owner->taken = false;
        DT_TRY(dt_file_make_folder(owner->folder));
        DT_TRY(take(owner));
    }
out:
    return status;
}

bool dt_owner_is_lost(const dt_owner *owner)
{
    return owner != NULL && atomic_load(&owner->lost);
}

void dt_owner_release(dt_owner *owner)
{
    if (owner == NULL)
        return;
    dt_watch_thread_stop(owner->thread);
    if (owner->taken)
        remove_own(owner);
    dt_memory_free(owner->folder);
    dt_memory_free(owner);
}

void dt_owner_release_all_soon(void)
{
    atomic_store(&leaving, true);
}
