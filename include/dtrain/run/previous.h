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
 * An earlier run that is to be repeated (`--like`), as its log has it, or gone on with
 * (`--resume`), as its checkpoint has it. All calls are local, and made by rank 0 only.
 */
typedef struct dt_previous {
    bool asked; /* else all of it is 0 */
    bool resumes, forced; /* it goes on; with other settings or data, too */
    const char *option; /* "--like", "--resume" */
    char path[DT_OPTION_TEXT_BYTES];
    bool own_data; /* DATA was named now: it may be other data */
    bool had_table; /* its own DATA was a table of text */
    bool remakes; /* what was given now changes the arrays that a table becomes */
    bool same_settings; /* nothing was given now that could change the weights */
    dt_fingerprint members[DT_FINGERPRINT_MAX];
    size_t member_count;
    char *recipe; /* JSON, of a checkpoint; NULL: it has none */
    char arithmetic[DT_ARITHMETIC_BYTES]; /* "OpenBLAS's Haswell kernels" */
    bool has_weights; /* it ended, with weights of this CRC-32 */
    uint32_t weights_crc;
    bool has_init; /* it began with a model of these CRC-32, and --init-from is its */
    uint32_t init_weights_crc, init_state_crc;
} dt_previous;

/**
 * Reads the log that settings->like names, or the checkpoint in the folder that settings->resume
 * does, and takes from it the settings that were not given, DATA included; does nothing without
 * either. What says where results go, and what is said meanwhile, is not taken of a run that is
 * repeated; one that goes on writes where it wrote.
 *
 * Relative paths of DATA, --init-from and --csv-log are taken from the folder that the run was
 * started in, if it is there.
 *
 * Errors:  DT_DATA as dt_run_file_open or dt_checkpoint_open, or when what the file says does not
 *          fit; DT_USAGE when what was given would change a run that goes on, without --force;
 *          DT_MEMORY
 * Owns:    the caller ends with dt_previous_clear, also after an error
 */
DT_MUST_USE dt_status dt_previous_read(dt_previous *out, dt_settings *settings);

/**
 * Compares the data, and the recipe that made it (D = 0: there is none), with that of the earlier
 * run. Differences are only warned of where a run is
 * repeated with data that was named now, or goes on with --force. Warns when BLAS uses other
 * kernels.
 *
 * Errors:  DT_DATA, naming the first array or column that differs
 */
DT_MUST_USE dt_status dt_previous_check(const dt_previous *previous, const dt_fingerprint *members,
                                        size_t count, const dt_recipe *recipe,
                                        const dt_environment *environment);

/** Compares the CRC-32 of the model it begins with, `path`. Errors: DT_DATA. */
DT_MUST_USE dt_status dt_previous_check_init(const dt_previous *previous, const char *path,
                                             uint32_t weights_crc, uint32_t state_crc);

/** Returns whether the weights are those of the earlier run, "same" or "other"; NULL: need not
 * be. */
const char *dt_previous_verdict(const dt_previous *previous, uint32_t weights_crc);

/** Says the above to a person. */
void dt_previous_report(const dt_previous *previous, uint32_t weights_crc);

/** Frees; a zeroed one is allowed. */
void dt_previous_clear(dt_previous *previous);

#endif
