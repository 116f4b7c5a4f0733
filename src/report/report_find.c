/* The runs in folders. */
#include "report_internal.h"
#include "report_search.h"

#include "dtrain/base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH = 8 };

static bool has_file(const char *folder, const char *name)
{
    char path[4096];
    return (size_t)snprintf(path, sizeof path, "%s/%s", folder, name) < sizeof path &&
           access(path, F_OK) == 0;
}

/* A link is not followed: "best" of a search is one of its trials. */
static bool is_folder(const char *path, bool through_link)
{
    struct stat info;
    return (through_link ? stat(path, &info) : lstat(path, &info)) == 0 && S_ISDIR(info.st_mode);
}

DT_MUST_USE static dt_status add_path(dt_report_paths *out, const char *path)
{
    dt_status status = DT_OK;
    if (out->count == out->room) {
        const size_t room = 2 * out->room + 16;
        DT_TRY(dt_memory_grow(&out->texts, out->room, room, sizeof *out->texts, "paths"));
        out->room = room;
    }
    DT_TRY(dt_memory_copy_text(&out->texts[out->count], path));
    out->count++;
out:
    return status;
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Adds the runs below a folder. The restarts and folds in a run's folder, and the trials in that of
 * a search, belong to it. */
DT_MUST_USE static dt_status find_below(dt_report_paths *out, const char *folder, int depth)
{
    dt_status status = DT_OK;
    struct dirent **entries = NULL;
    const int count = scandir(folder, &entries, is_shown, alphasort);
    for (int i = 0; i < count; i++) {
        char path[4096];
        const bool fits =
            (size_t)snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name) < sizeof path;
        free(entries[i]);
        if (status != DT_OK || !fits || !is_folder(path, false) || has_file(path, "search.h5"))
            continue;
        if (has_file(path, "run.h5"))
            status = add_path(out, path);
        else if (depth < DEPTH)
            status = find_below(out, path, depth + 1);
    }
    free(entries);
    if (count < 0)
        status = dt_fail(errno == ENOMEM ? DT_MEMORY : DT_DATA, "%s: %s", folder, strerror(errno));
    return status;
}

dt_status dt_report_find_runs(dt_report_paths *out, char *const *words, size_t count)
{
    dt_status status = DT_OK;
    for (size_t i = 0; i < count; i++) {
        const size_t before = out->count;
        if (words[i][0] == '\0')
            DT_TRY(dt_fail(DT_USAGE, "RUN is an empty word"));
        if (!is_folder(words[i], true) || has_file(words[i], "run.h5") ||
            has_file(words[i], "search.h5"))
            DT_TRY(add_path(out, words[i]));
        else
            DT_TRY(find_below(out, words[i], 1));
        if (out->count == before)
            DT_TRY(dt_fail(DT_DATA,
                           "%s: no run in this folder or below it; a run's folder has a run.h5",
                           words[i]));
    }
out:
    return status;
}

void dt_report_paths_clear(dt_report_paths *paths)
{
    dt_memory_free_texts(paths->texts, paths->count);
    *paths = (dt_report_paths){0};
}
