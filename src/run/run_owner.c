/* The folder of a run is its own while it runs. */
#include "run_internal.h"

#include "dtrain/comm/job.h"
#include "dtrain/io/file.h"

#include <sys/stat.h>

/* A resumed run cannot use another folder. */
DT_MUST_USE static dt_status advise(const dt_run *r, dt_status status)
{
    if (status == DT_USAGE && r->settings.resume[0] == '\0')
        return dt_fail(status, "%s, or use another --out", dt_status_text());
    return status;
}

dt_status dt_run_own(dt_run *r, const char *folder)
{
    if (r->owner != NULL)
        return DT_OK;
    dt_job_set_last_hook(dt_owner_release_all_soon);
    return advise(r, dt_owner_take(&r->owner, folder, r->settings.stall_timeout));
}

static bool is_folder(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

dt_status dt_run_own_early(dt_run *r)
{
    dt_status status = DT_OK;
    const dt_settings *s = &r->settings;
    const char *folder = s->out[0] != '\0' ? s->out : s->resume;
    const bool goes_elsewhere = s->resume[0] != '\0' && !dt_file_same(folder, s->resume);
    if (goes_elsewhere && is_folder(s->resume))
        DT_TRY(dt_owner_check_free(s->resume, s->stall_timeout));
    if (is_folder(folder))
        status = dt_run_own(r, folder);
out:
    return status;
}
