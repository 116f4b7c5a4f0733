/* The folder of a search and those of its trials. What cannot be written there is found before
 * anything is trained. */
#include "search_internal.h"

#include "dtrain/base/log.h"
#include "dtrain/base/text.h"
#include "dtrain/io/file.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a trial leaves in its folder; `best` links to one of these. */
static const char *const files[] = {"run.h5", "model.h5", "checkpoint.h5", "output.txt"};
enum { FILES = sizeof files / sizeof *files };

const char *dt_search_folder(char out[PATH_BYTES], const dt_search *s, int64_t trial)
{
    (void)snprintf(out, PATH_BYTES, "%.*s/trial-%" PRId64, DT_OPTION_TEXT_BYTES, s->run->folder,
                   trial);
    return out;
}

/* ---- before the search ---- */

/* Makes a temporary file next to `path`, and removes it. */
DT_MUST_USE static dt_status try_file(const char *path)
{
    dt_file *file = NULL;
    const dt_status status = dt_file_create(&file, path);
    dt_file_discard(file);
    return status;
}

/* Removes temporary files of a write that was killed, which could fill the disk in time. */
static void sweep(const char *path, bool folds)
{
    DIR *folder = opendir(path);
    if (folder == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char inside[2 * PATH_BYTES];
        const char *name = entry->d_name, *end = strrchr(name, '.');
        (void)snprintf(inside, sizeof inside, "%s/%s", path, name);
        if (strstr(name, ".h5.") != NULL && strcmp(end, ".tmp") == 0)
            (void)unlink(inside);
        else if (folds && strncmp(name, "fold-", 5) == 0)
            sweep(inside, false);
    }
    (void)closedir(folder);
}

/* A folder that is not there yet can be made, because search.h5 can. */
DT_MUST_USE static dt_status check_trial(const dt_search *s, int64_t trial)
{
    dt_status status = DT_OK;
    char folder[PATH_BYTES], path[PATH_BYTES + 16];
    struct stat found;
    if (lstat(dt_search_folder(folder, s, trial), &found) != 0)
        return DT_OK;
    DT_TRY(dt_file_make_folder(folder));
    sweep(folder, true);
    for (size_t i = 0; i < FILES; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        DT_TRY(try_file(path));
    }
out:
    if (status != DT_OK)
        status = dt_fail(status, "%s; remove it, or use another --out", dt_status_text());
    return status;
}

/* rename would replace a file, and would refuse a folder after all trials have ended. */
DT_MUST_USE static dt_status check_best(const dt_search *s)
{
    char path[PATH_BYTES + 16];
    struct stat found;
    (void)snprintf(path, sizeof path, "%s/best", s->run->folder);
    if (lstat(path, &found) != 0 || S_ISLNK(found.st_mode))
        return DT_OK;
    return dt_fail(DT_OUTPUT,
                   "%s: must become a link to the best trial, but is a %s; remove it, or use "
                   "another --out",
                   path, S_ISDIR(found.st_mode) ? "folder" : "file");
}

/* Refuses a disk that is certainly too full. Of a run, log and tables alone take more than this. */
DT_MUST_USE static dt_status check_room(const dt_search *s, int64_t trials)
{
    const double each = 65536.0, mb = 1e-6;
    const double needed = each * (double)trials + 4.0 * (double)s->run->model.network.P;
    const double there = dt_file_room(s->run->folder);
    if (there >= needed)
        return DT_OK;
    return dt_fail(DT_OUTPUT,
                   "%s: has room for %.1f MB, but %" PRId64 " trials write at least %.1f MB; "
                   "remove files there, or use another --out",
                   s->run->folder, there * mb, trials, needed * mb);
}

dt_status dt_search_check_folders(const dt_search *s)
{
    dt_status status = DT_OK;
    int64_t left = 0;
    for (int64_t trial = 1; trial <= s->trials; trial++) {
        if (strcmp(s->dealer.rows[trial - 1].state, "ok") == 0)
            continue;
        left++;
        DT_TRY(check_trial(s, trial));
    }
    DT_TRY(check_best(s));
    DT_TRY(check_room(s, left));
out:
    return status;
}

dt_status dt_search_check_leader(const dt_search *s)
{
    char path[PATH_BYTES + 32];
    const char *folder = s->run->folder, *host = s->run->environment.launch.host;
    (void)snprintf(path, sizeof path, "%s/owner", folder); /* rank 0's */
    if (!s->leads)
        return DT_OK;
    if (access(path, F_OK) != 0)
        return dt_fail(DT_OUTPUT,
                       "%s: does not exist on %s; a search requires a folder that all hosts share. "
                       "Set --out",
                       folder, host);
    (void)snprintf(path, sizeof path, "%s/search-%d", folder, dt_comm_rank(s->all));
    if (try_file(path) == DT_OK)
        return DT_OK;
    return dt_fail(DT_OUTPUT, "%s: rank %d on %s cannot write there (%s). Set --out", folder,
                   dt_comm_rank(s->all), host, dt_status_text());
}

DT_MUST_USE static dt_status remove_files(const char *folder)
{
    char path[2 * PATH_BYTES];
    for (size_t n = 0; n < FILES; n++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, files[n]);
        if (unlink(path) != 0 && errno != ENOENT && errno != ENOTDIR)
            return dt_fail(DT_OUTPUT, "%s: cannot remove it; use another --out", path);
    }
    return DT_OK;
}

dt_status dt_search_remove_old(const dt_search *s)
{
    dt_status status = DT_OK;
    DIR *folder = opendir(s->run->folder);
    if (folder == NULL)
        return dt_fail(DT_OUTPUT, "%s: %s", s->run->folder, strerror(errno));
    for (const struct dirent *entry; status == DT_OK && (entry = readdir(folder)) != NULL;) {
        static const char first[] = "trial-";
        int64_t number = 0;
        char path[PATH_BYTES + 256];
        if (strncmp(entry->d_name, first, sizeof first - 1) != 0 ||
            !dt_text_to_whole(&number, entry->d_name + sizeof first - 1))
            continue;
        (void)snprintf(path, sizeof path, "%s/%.200s", s->run->folder, entry->d_name);
        status = remove_files(path);
        (void)rmdir(path); /* unless something else is in it */
    }
    (void)closedir(folder);
    /* Other commands would report a run's files as the results of the search. */
    return status == DT_OK ? remove_files(s->run->folder) : status;
}

/* ---- during the search, and at its end ---- */

void dt_search_remove_checkpoint(const dt_search *s, int64_t trial)
{
    char folder[PATH_BYTES];
    if (dt_checkpoint_remove(dt_search_folder(folder, s, trial)) != DT_OK)
        dt_log_warn("%s", dt_status_text());
}

void dt_search_link_best(const dt_search *s, int64_t trial)
{
    char target[32], made[PATH_BYTES + 16], path[PATH_BYTES + 16];
    (void)snprintf(target, sizeof target, "trial-%lld", (long long)trial);
    (void)snprintf(path, sizeof path, "%s/best", s->run->folder);
    (void)snprintf(made, sizeof made, "%s/best.new", s->run->folder);
    (void)unlink(made);
    if (symlink(target, made) != 0 || rename(made, path) != 0) {
        dt_log_warn("%s: cannot make this link to %s: %s", path, target, strerror(errno));
        (void)unlink(made);
    }
}
