#include "commands.h"

#include "dtrain/base/log.h"
#include "dtrain/base/options.h"
#include "dtrain/io/file.h"
#include "dtrain/io/zip.h"
#include "dtrain/report/report.h"
#include "inspect_internal.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct inspect_settings {
    bool json;
    dt_option_set given;
} inspect_settings;

static const dt_option options[] = {
    {"json", NULL, DT_OPTION_FLAG, offsetof(inspect_settings, json), 0, 0, NULL, NULL,
     "print one JSON object, for programs"},
};

static const dt_option_table table = {
    .options = options,
    .count = sizeof options / sizeof *options,
    .given = offsetof(inspect_settings, given),
    .usage = "Usage: dtrain inspect [--json] FILE\n\n"
             "Prints what FILE contains: the arrays of a .npz or the datasets of a .h5 with\n"
             "their ranges and class balance, the columns of a recipe.json, the layers and the\n"
             "optimizer of a model (.h5 or .keras), the log of a run (run.h5), the best trial\n"
             "of a search (search.h5), or an explanation (explain.h5). The content decides\n"
             "what FILE is, not the name. Arrays are read to their end, so that damage is\n"
             "found. A folder stands for the logs of all runs in it, at any depth.",
};

void dt_cli_inspect_help(void)
{
    dt_options_print_help(&table);
}

typedef enum file_kind { KIND_NPZ, KIND_RECIPE, KIND_H5, KIND_KERAS, KIND_OTHER } file_kind;

/* An archive that cannot be read does not count as .keras: the reader of .npz files reports the
 * error. */
static bool is_keras(const char *path)
{
    dt_zip *zip = NULL;
    const bool is =
        dt_zip_open(&zip, path, ".npz or .keras") == DT_OK &&
        (dt_zip_find(zip, "config.json") != NULL || dt_zip_find(zip, "model.weights.h5") != NULL);
    dt_zip_close(zip);
    return is;
}

/* The reader of .npz files reports why a file cannot be read. */
static file_kind recognise(const char *path)
{
    static const struct {
        const char *begins;
        file_kind kind;
    } known[] = {
        {"\x89HDF\r\n\x1a\n", KIND_H5},
        {"PK", KIND_KERAS}, /* or .npz */
        /* Kinds of files for which the reader of .npz files has its own messages. */
        {"\x93NUMPY", KIND_NPZ},
        {"\x1f\x8b", KIND_NPZ},
        {"<", KIND_NPZ},
        {"version https://git-lfs", KIND_NPZ},
    };
    char head[512];
    FILE *file = fopen(path, "rb");
    const size_t bytes = file == NULL ? 0 : fread(head, 1, sizeof head - 1, file);
    if (file != NULL)
        (void)fclose(file);
    head[bytes] = '\0';
    if (bytes == 0)
        return KIND_NPZ;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(head, known[i].begins, strlen(known[i].begins)) == 0)
            return known[i].kind == KIND_KERAS && !is_keras(path) ? KIND_NPZ : known[i].kind;
    return head[strspn(head, " \t\r\n")] == '{' ? KIND_RECIPE : KIND_OTHER;
}

DT_MUST_USE static dt_status inspect_other(const char *path, bool json)
{
    dt_status status = dt_inspect_npz(path, json); /* a ZIP archive may have bytes before it */
    if (status != DT_DATA || strstr(dt_status_text(), "is not a ZIP archive") == NULL)
        return status;
    return dt_fail(
        DT_DATA,
        "%s: is neither a .npz, nor a recipe.json, nor an HDF5 file (model.h5, run.h5), nor "
        "a .keras; dtrain prepare shows the columns of a table",
        path);
}

/* The logs of all runs in a folder, or below it. */
DT_MUST_USE static dt_status inspect_folder(char *folder, bool json)
{
    dt_status status = DT_OK;
    dt_report_paths runs = {0};
    char path[DT_OPTION_TEXT_BYTES + 16];
    status = dt_report_find_runs(&runs, &folder, 1);
    if (status == DT_DATA)
        status = dt_fail(status, "%s; or inspect a file in it: model.h5, train.npz ...",
                         dt_status_text());
    if (status == DT_OK && json && runs.count > 1)
        status = dt_fail(DT_USAGE,
                         "%s: has %zu runs, but --json is for one; dtrain report --json takes all",
                         folder, runs.count);
    for (size_t i = 0; status == DT_OK && i < runs.count; i++) {
        (void)snprintf(path, sizeof path, "%s/run.h5", runs.texts[i]);
        if (i > 0)
            dt_log_show("\n");
        if (access(path, F_OK) != 0) {
            (void)snprintf(path, sizeof path, "%s/search.h5", runs.texts[i]);
        }
        status = dt_inspect_h5(path, json);
    }
    dt_report_paths_clear(&runs);
    return status;
}

dt_status dt_cli_inspect(int argc, char **argv)
{
    dt_status status = DT_OK;
    inspect_settings settings = {0};
    int words = 0;
    struct stat info;
    dt_options_set_defaults(&table, &settings);
    DT_TRY(dt_options_parse_words(&table, &settings, argc, argv, &words));
    if (words == 0 || argv[0][0] == '\0')
        DT_TRY(dt_fail(DT_USAGE, "dtrain inspect requires a FILE: dtrain inspect [--json] FILE"));
    if (words > 1)
        DT_TRY(dt_fail(DT_USAGE, "dtrain inspect requires one FILE, but found a second: '%s'",
                       argv[1]));
    if (dt_file_is_folder(argv[0]))
        return inspect_folder(argv[0], settings.json);
    if (stat(argv[0], &info) == 0 && !S_ISREG(info.st_mode)) /* opening a pipe would block */
        DT_TRY(dt_fail(DT_DATA, "%s: is a device or pipe, expected a file", argv[0]));
    switch (recognise(argv[0])) {
    case KIND_NPZ:
        return dt_inspect_npz(argv[0], settings.json);
    case KIND_RECIPE:
        return dt_inspect_recipe(argv[0], settings.json);
    case KIND_H5:
        return dt_inspect_h5(argv[0], settings.json);
    case KIND_KERAS:
        return dt_inspect_model(argv[0], settings.json);
    case KIND_OTHER:
        return inspect_other(argv[0], settings.json);
    }
out:
    return status;
}
