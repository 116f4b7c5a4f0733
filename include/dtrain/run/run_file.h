#ifndef DTRAIN_RUN_RUN_FILE_H
#define DTRAIN_RUN_RUN_FILE_H

#include "dtrain/base/status.h"
#include "dtrain/io/h5.h"

/** The version of the format in results/README.md; attribute format_version of the root. */
enum { DT_RUN_FORMAT_VERSION = 2 };

/**
 * Opens the log of a run for reading: a run.h5, or a folder with one.
 *
 * Calls:   local
 * Owns:    the caller frees with dt_h5_free
 * Errors:  DT_DATA if there is none, or if it is not the log of a run or has another format version
 */
DT_MUST_USE dt_status dt_run_file_open(dt_h5 **out, const char *path);

#endif
