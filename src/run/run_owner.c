/* The folder of a run is its own while it runs, and what an earlier run left in it is kept. */
#include "run_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/comm/job.h"
#include "dtrain/io/file.h"
#include "dtrain/io/h5.h"
#include "dtrain/run/search_file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A resumed run cannot use another folder. */
DT_MUST_USE static dt_status advise(const dt_run *r, dt_status status)
{
    if (status == DT_USAGE && r->settings.resume[0] == '\0')
        return dt_fail(status, "%s, or use another --out", dt_status_text());
    return status;
}

/* A trial's folder, or that of its fold, belongs to the search above it while that runs. */
DT_MUST_USE static dt_status check_search(const dt_run *r, const char *folder)
{
    static const char *const above[] = {"/..", "/../.."};
    for (size_t i = 0; i < sizeof above / sizeof *above; i++) {
        char search[PATH_BYTES + 16], file[PATH_BYTES + 32];
        (void)snprintf(search, sizeof search, "%.*s%s", PATH_BYTES, folder, above[i]);
        (void)snprintf(file, sizeof file, "%s/" DT_SEARCH_FILE, search);
        if (access(file, F_OK) == 0 &&
            dt_owner_check_free(search, r->settings.stall_timeout) != DT_OK)
            return dt_fail(DT_USAGE, "%s: is in the folder of a search: %s", folder,
                           dt_status_text());
    }
    return DT_OK;
}

dt_status dt_run_own(dt_run *r, const char *folder)
{
    if (r->owner != NULL)
        return DT_OK;
    const dt_status status = check_search(r, folder);
    if (status != DT_OK)
        return status;
    dt_job_set_last_hook(dt_owner_release_all_soon);
    return advise(r, dt_owner_take(&r->owner, folder, r->settings.stall_timeout));
}

dt_status dt_run_check_own(const dt_run *r)
{
    return r->owner != NULL ? dt_owner_check(r->owner) : dt_file_make_folder(r->folder);
}

/* How the log says that its run ended; false if it cannot be read. */
static bool read_ended_well(bool *out, const char *path)
{
    dt_h5 *h5 = NULL;
    char *word = NULL;
    const bool is_read =
        dt_h5_open(&h5, path) == DT_OK && dt_h5_get_text(&word, h5, "/", "status") == DT_OK;
    *out = is_read && strcmp(word, "ok") == 0;
    dt_memory_free(word);
    dt_h5_free(h5);
    return is_read;
}

/* Finds the file by which a folder has the results of a run that ended well. A model counts only
 * without a log: a run that was killed while it evaluated its model starts again. */
static bool find_results(char out[PATH_BYTES + 16], const char *folder)
{
    static const char *const logs[] = {"run.h5", DT_SEARCH_FILE};
    bool ended = false, is_read = false;
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        (void)snprintf(out, PATH_BYTES + 16, "%s/%s", folder, logs[i]);
        if (!dt_file_is_regular(out) || !read_ended_well(&ended, out))
            continue;
        if (ended)
            return true;
        is_read = true;
    }
    (void)snprintf(out, PATH_BYTES + 16, "%s/model.h5", folder);
    return !is_read && dt_file_is_regular(out);
}

/* A checkpoint and results may be hours of work, and --resume or the name may be a mistake. */
DT_MUST_USE static dt_status check_is_unused(const dt_run *r, const char *folder)
{
    const dt_settings *s = &r->settings;
    char path[PATH_BYTES + 16];
    if (s->force || (s->resume[0] != '\0' && dt_file_same(folder, s->resume)))
        return DT_OK;
    if (access(dt_checkpoint_path(path, sizeof path, folder), F_OK) == 0)
        return dt_fail(DT_USAGE,
                       "%s: an earlier run stopped here; use --resume %s to resume it, --force to "
                       "replace it, or another --out",
                       path, folder);
    if (find_results(path, folder))
        return dt_fail(DT_USAGE,
                       "%s: an earlier run ended here; use --force to replace its results, or "
                       "another --out",
                       path);
    return DT_OK;
}

dt_status dt_run_take_folder(dt_run *r, const char *folder)
{
    if (r->owner != NULL) /* taken early; a check of its log starts a process */
        return DT_OK;
    const dt_status status = dt_run_own(r, folder);
    return status == DT_OK ? check_is_unused(r, folder) : status;
}

dt_status dt_run_own_early(dt_run *r)
{
    dt_status status = DT_OK;
    const dt_settings *s = &r->settings;
    const char *folder = s->out[0] != '\0' ? s->out : s->resume;
    const bool goes_elsewhere = s->resume[0] != '\0' && !dt_file_same(folder, s->resume);
    if (goes_elsewhere && dt_file_is_folder(s->resume))
        DT_TRY(dt_owner_check_free(s->resume, s->stall_timeout));
    if (dt_file_is_folder(folder))
        status = dt_run_take_folder(r, folder);
out:
    return status;
}
