#ifndef DTRAIN_RUN_EXPLANATION_FILE_H
#define DTRAIN_RUN_EXPLANATION_FILE_H

#include "dtrain/base/status.h"
#include "dtrain/io/h5.h"
#include "dtrain/task/explanation.h"

#include <stddef.h>
#include <stdint.h>

/** The version of explain.h5, which results/README.md describes. */
enum { DT_EXPLANATION_FORMAT_VERSION = 1 };

/** An explanation, with its model and data. */
typedef struct dt_explanation_file {
    dt_explanation explanation; /* count == 0: there is none */
    char *model, *data; /* as given on the command line */
    uint32_t weights_crc; /* of the model */
    dt_h5_names outputs; /* of classes or values; C texts */
} dt_explanation_file;

/** Makes explain.h5 in memory; the same bytes for the same explanation. Calls: root-only. Owns: the
 * caller frees *image with dt_memory_free. Errors: DT_OUTPUT, DT_MEMORY. */
DT_MUST_USE dt_status dt_explanation_file_make(void **image, size_t *bytes,
                                               const dt_explanation_file *file);

/**
 * Reads explain.h5 except `unpermuted` and `permuted`, and checks everything.
 *
 * Calls:   local
 * Owns:    the caller clears *out with dt_explanation_file_clear, also after an error
 * Errors:  DT_DATA, naming the file; DT_MEMORY
 */
DT_MUST_USE dt_status dt_explanation_file_read(dt_explanation_file *out, const char *path);

/** Frees; a zeroed file is allowed. Local. */
void dt_explanation_file_clear(dt_explanation_file *file);

#endif
