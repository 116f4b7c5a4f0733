#ifndef DTRAIN_RUN_PREVIOUS_H
#define DTRAIN_RUN_PREVIOUS_H

#include "dtrain/base/status.h"
#include "dtrain/data/recipe.h"
#include "dtrain/run/environment.h"
#include "dtrain/run/fingerprint.h"
#include "dtrain/run/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DT_ARITHMETIC_BYTES = 96 };

/**
 * An earlier run that is repeated (`--like`) from its log, or resumed (`--resume`) from its
 * checkpoint. All calls are local, and made by rank 0 only.
 */
typedef struct dt_previous {
    bool asked; /* else all of it is 0 */
    bool resumes, forced; /* it is resumed; also with other settings or data */
    const char *option; /* "--like", "--resume" */
    char path[DT_OPTION_TEXT_BYTES];
    bool own_data; /* DATA was named now, and may be other data */
    bool had_table; /* its own DATA was a table of text */
    bool remakes; /* an option given now changes the arrays made of a table */
    bool same_settings; /* no option given now can change the weights */
    dt_fingerprint members[DT_FINGERPRINT_MAX];
    size_t member_count;
    char *recipe; /* JSON, of a checkpoint; NULL: it has none */
    char arithmetic[DT_ARITHMETIC_BYTES]; /* "OpenBLAS's Haswell kernels" */
    bool has_weights; /* it ended with weights of this CRC-32 */
    uint32_t weights_crc;
    bool has_init; /* it started from a model with these CRC-32, which its --init-from names */
    uint32_t init_weights_crc, init_state_crc;
} dt_previous;

/**
 * Reads the log of settings->like, or the checkpoint in the folder of settings->resume, and copies
 * the settings that were not given from it, including DATA; without either option it does nothing.
 * A repeated run does not copy the options about folders and output; a resumed run writes to the
 * same folder.
 *
 * Relative paths of DATA, --init-from and --csv-log are relative to the folder in which the run was
 * started, if it exists.
 *
 * Errors:  DT_DATA as dt_run_file_open or dt_checkpoint_open, or if the contents of the file do not
 *          fit; DT_USAGE if a given option would change a resumed run without --force; DT_MEMORY
 * Owns:    the caller ends with dt_previous_clear, also after an error
 */
DT_MUST_USE dt_status dt_previous_read(dt_previous *out, dt_settings *settings);

/**
 * Compares the data and its recipe (D = 0: there is none) with those of the earlier run. A
 * difference is only a warning if a run is repeated with data that was named now, or is resumed
 * with --force. Warns if BLAS uses other kernels.
 *
 * Errors:  DT_DATA with the first array or column that differs
 */
DT_MUST_USE dt_status dt_previous_check(const dt_previous *previous, const dt_fingerprint *members,
                                        size_t count, const dt_recipe *recipe,
                                        const dt_environment *environment);

/** Compares the CRC-32 of the model `path` that the run starts from. Errors: DT_DATA. */
DT_MUST_USE dt_status dt_previous_check_init(const dt_previous *previous, const char *path,
                                             uint32_t weights_crc, uint32_t state_crc);

/**
 * Returns "same" or "other" for weights that should equal those of the earlier run; NULL: they need
 * not be equal.
 */
const char *dt_previous_verdict(const dt_previous *previous, uint32_t weights_crc);

/** Prints this verdict. */
void dt_previous_report(const dt_previous *previous, uint32_t weights_crc);

/** Frees; a zeroed one is allowed. */
void dt_previous_clear(dt_previous *previous);

#endif
