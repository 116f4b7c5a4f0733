#include "previous_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/run/checkpoint.h"
#include "dtrain/run/run_file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The results in the log of a run that ended well; epochs is 0 if it did not. */
typedef struct ended {
    int64_t epochs, restarts, average, folds, fold;
} ended;

static ended read_ended(const char *folder)
{
    dt_h5 *h5 = NULL;
    char *text = NULL;
    ended run = {0};
    if (dt_run_file_open(&h5, folder) != DT_OK ||
        dt_h5_get_text(&text, h5, "/", "status") != DT_OK || strcmp(text, "ok") != 0 ||
        dt_h5_get_int(&run.epochs, h5, "/summary", "epochs") != DT_OK ||
        dt_h5_get_int(&run.restarts, h5, "/config", "restarts") != DT_OK ||
        dt_h5_get_int(&run.average, h5, "/config", "average") != DT_OK)
        run.epochs = 0;
    if (run.epochs > 0 && dt_h5_has_attribute(h5, "/config", "folds") &&
        (dt_h5_get_int(&run.folds, h5, "/config", "folds") != DT_OK ||
         dt_h5_get_int(&run.fold, h5, "/config", "fold") != DT_OK))
        run.epochs = 0;
    dt_memory_free(text);
    dt_h5_free(h5);
    return run;
}

dt_status dt_previous_check_unfinished(const dt_settings *settings)
{
    enum { PATH_BYTES = DT_OPTION_TEXT_BYTES + 32 };
    char folder[DT_OPTION_TEXT_BYTES], from[PATH_BYTES], free_path[PATH_BYTES], more[64] = "";
    char checkpoint[PATH_BYTES];
    (void)snprintf(folder, sizeof folder, "%s", settings->resume);
    for (size_t length = strlen(folder); length > 1 && folder[length - 1] == '/'; length--)
        folder[length - 1] = '\0';
    if (access(dt_checkpoint_path(checkpoint, sizeof checkpoint, folder), F_OK) == 0)
        return DT_OK;
    const ended run = read_ended(folder);
    if (run.epochs == 0)
        return DT_OK;
    const char *part = run.average != 0                 ? "/restart-1"
                       : run.folds > 0 && run.fold == 0 ? "/fold-1"
                                                        : "";
    (void)snprintf(from, sizeof from, "%s%s", folder, part);
    for (int i = 2; i == 2 || access(free_path, F_OK) == 0; i++)
        (void)snprintf(free_path, sizeof free_path, "%s-%d", folder, i);
    if (run.restarts > 1 && run.average == 0)
        (void)snprintf(more, sizeof more, " --restarts 1");
    if (dt_options_given(dt_settings_table(), settings, "epochs"))
        (void)snprintf(
            more + strlen(more), sizeof more - strlen(more), " --epochs %lld",
            (long long)(settings->epochs - (settings->epochs > run.epochs ? run.epochs : 0)));
    return dt_fail(DT_USAGE,
                   "--resume %s: the run has ended, after %lld epoch%s; to train its model "
                   "further, start a new run: dtrain --like %s --init-from %s%s --out %s",
                   settings->resume, (long long)run.epochs, run.epochs == 1 ? "" : "s", from, from,
                   more, free_path);
}
