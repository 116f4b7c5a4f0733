/*
 * The files of a run with --restarts: restart-1, restart-2 ... in the folder of the whole run. The
 * whole run's checkpoint only says that it has not ended, and with what it resumes.
 */
#include "run_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *dt_run_restart_folder(char out[PATH_BYTES], const dt_run *r, int64_t restart)
{
    (void)snprintf(out, PATH_BYTES, "%.*s/restart-%" PRId64, DT_OPTION_TEXT_BYTES, r->folder,
                   restart);
    return out;
}

dt_status dt_run_read_restart_sessions(dt_run *r)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    DT_TRY(dt_checkpoint_open(&h5, r->settings.resume));
    DT_TRY(dt_history_read(&r->checkpoint.history, h5, dt_settings_task(&r->settings)));
    r->checkpoint.training.epoch = 1;
out:
    dt_h5_free(h5);
    return status;
}

/* A restart of an earlier run must not count as one of this run. */
DT_MUST_USE static dt_status remove_old_restarts(const dt_run *r)
{
    static const char *const names[] = {"run.h5", "model.h5", "checkpoint.h5"};
    for (int64_t i = 1; i <= DT_NETWORKS_MAX; i++) {
        char folder[PATH_BYTES], path[PATH_BYTES + 16];
        if (access(dt_run_restart_folder(folder, r, i), F_OK) != 0)
            continue;
        for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
            (void)snprintf(path, sizeof path, "%s/%s", folder, names[n]);
            if (access(path, F_OK) == 0 && unlink(path) != 0)
                return dt_fail(DT_OUTPUT, "%s: cannot remove it; use another --out", path);
        }
        (void)rmdir(folder); /* unless something else is in it */
    }
    return DT_OK;
}

dt_status dt_run_prepare_restarts(dt_run *r, const dt_run_facts *facts)
{
    char path[PATH_BYTES + 16];
    dt_status status = DT_OK;
    if (strlen(r->folder) + sizeof "/restart-999" > DT_OPTION_TEXT_BYTES)
        return dt_fail(DT_USAGE, "%s: too long a name for a folder with --restarts", r->folder);
    if (r->settings.resume[0] == '\0')
        status = remove_old_restarts(r);
    if (status != DT_OK)
        return status;
    return dt_checkpoint_save(dt_checkpoint_path(path, sizeof path, r->folder), facts, &r->history,
                              NULL, NULL);
}
