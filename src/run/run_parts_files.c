/*
 * The files of a run of several parts: restart-1, restart-2 ... in the folder of the whole run. The
 * whole run's checkpoint only records that it has not ended, and its settings.
 */
#include "run_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The longest name of a part's folder. */
#define LONGEST_PART "/restart-999"

const char *dt_run_part_folder(char out[PATH_BYTES], const dt_run *whole, int64_t number)
{
    (void)snprintf(out, PATH_BYTES, "%.*s/%s-%" PRId64, DT_OPTION_TEXT_BYTES, whole->folder,
                   whole->parts->word, number);
    return out;
}

dt_status dt_run_read_part_sessions(dt_run *r)
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

/* A part of an earlier run must not count as one of this run. */
DT_MUST_USE static dt_status remove_old_parts(const dt_run *r)
{
    static const char *const names[] = {"run.h5", "model.h5", "checkpoint.h5"};
    for (int64_t i = 1; i <= DT_NETWORKS_MAX; i++) {
        char folder[PATH_BYTES], path[PATH_BYTES + 16];
        if (access(dt_run_part_folder(folder, r, i), F_OK) != 0)
            continue;
        for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
            (void)snprintf(path, sizeof path, "%s/%s", folder, names[n]);
            if (access(path, F_OK) == 0 && unlink(path) != 0)
                return dt_fail(DT_OUTPUT, "%s: cannot remove it; use another --out", path);
        }
        (void)rmdir(folder); /* unless something else is in it */
    }
    const char *file = r->parts->file;
    char path[PATH_BYTES + 32];
    (void)snprintf(path, sizeof path, "%s/%s", r->folder, file != NULL ? file : "");
    if (file != NULL && access(path, F_OK) == 0 && unlink(path) != 0)
        return dt_fail(DT_OUTPUT, "%s: cannot remove it; use another --out", path);
    return DT_OK;
}

dt_status dt_run_prepare_parts(dt_run *r, const dt_run_facts *facts)
{
    char path[PATH_BYTES + 16];
    dt_status status = DT_OK;
    if (strlen(r->folder) + sizeof LONGEST_PART > DT_OPTION_TEXT_BYTES)
        return dt_fail(DT_USAGE, "%s: the name is too long for a folder with --%ss", r->folder,
                       r->parts->word);
    if (r->settings.resume[0] == '\0')
        status = remove_old_parts(r);
    if (status != DT_OK)
        return status;
    return dt_checkpoint_save(dt_checkpoint_path(path, sizeof path, r->folder), facts, &r->history,
                              NULL, NULL);
}
