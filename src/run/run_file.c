#include "dtrain/run/run_file.h"

#include "dtrain/base/text.h"
#include "dtrain/io/file.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

DT_MUST_USE static dt_status check_run(dt_h5 *h5, const char *path)
{
    dt_status status = DT_OK;
    int64_t version = 0;
    if (dt_h5_has_attribute(h5, "/", "model_config") ||
        dt_h5_has_attribute(h5, "/dtrain", "format_version"))
        return dt_fail(DT_DATA,
                       "%s: is a model, not the log of a run; use run.h5 in the same folder", path);
    if (!dt_h5_has_attribute(h5, "/", "format_version") ||
        dt_h5_has(h5, "/epochs") != DT_H5_DATASET)
        return dt_fail(DT_DATA,
                       "%s: is an HDF5 file, but not the log of a run (run.h5); dtrain inspect "
                       "prints what it contains",
                       path);
    DT_TRY(dt_h5_get_int(&version, h5, "/", "format_version"));
    if (version != DT_RUN_FORMAT_VERSION)
        status = dt_fail(DT_DATA, "%s: its format version is %lld, and this dtrain reads %d; %s",
                         path, (long long)version, DT_RUN_FORMAT_VERSION,
                         version < DT_RUN_FORMAT_VERSION
                             ? "read it with the dtrain that wrote it, or train again"
                             : "use a newer dtrain");
out:
    return status;
}

dt_status dt_run_file_open(dt_h5 **out, const char *path)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    char file[PATH_BYTES];
    const bool folder = dt_file_is_folder(path);
    *out = NULL;
    if (!folder && dt_text_ends_in(path, ".keras"))
        return dt_fail(DT_DATA, "%s: is a model, not the log of a run (run.h5)", path);
    const int length = snprintf(file, sizeof file, folder ? "%s/run.h5" : "%s", path);
    if (length < 0 || (size_t)length >= sizeof file)
        return dt_fail(DT_DATA, "a path is longer than %d bytes", PATH_BYTES - 1);
    if (folder && access(file, F_OK) != 0)
        return dt_fail(DT_DATA, "%s: no run.h5 in this folder", path);
    DT_TRY(dt_h5_open(&h5, file));
    DT_TRY(check_run(h5, file));
    *out = h5;
    h5 = NULL;
out:
    dt_h5_free(h5);
    return status;
}
