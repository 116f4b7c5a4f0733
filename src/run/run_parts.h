#ifndef DTRAIN_RUN_RUN_PARTS_H
#define DTRAIN_RUN_RUN_PARTS_H

/* A run of several parts, as --restarts and --folds make: each one is an ordinary run in a folder
 * of its own (run_part.c), and the whole gets its model from theirs. The code that all kinds of
 * parts share is in run_parts.c and run_parts_files.c; a kind is one file, which ends in a
 * dt_parts_kind. */

#include "run_internal.h"

/* The result of a part, from its log. */
typedef struct dt_part {
    int64_t number; /* from 1 */
    int64_t seed;
    char status[16]; /* "ok", "diverged" */
    int64_t best_epoch; /* whose weights it has; 0: it diverged */
    double value; /* the monitored value of these weights; NaN: it diverged, or no validation set */
    double threshold; /* of its model; NaN: it has none */
    int64_t kept; /* 1: its model is kept, or a member of the ensemble */
    int64_t weights_crc; /* 0: it diverged */
    char reason[160]; /* of a status that is not "ok" */
} dt_part;

/* A kind of parts. */
typedef struct dt_parts_kind {
    const char *word; /* "restart": part 3 is named restart-3, and so is its folder */
    const char *file; /* that the whole has beside the parts' folders; NULL: none */
    bool holds_out; /* a part holds rows out, and has a validation set even if the data has none */
    int64_t (*count)(const dt_settings *settings);
    bool (*keeps_all)(const dt_settings *settings); /* as an ensemble; else the best one */

    /* Gives part->part, which has borrowed all of the whole's, its settings and its data.
     * Collective; the settings are broadcast afterwards. Errors: as dt_run_load_data. */
    dt_status (*set_up)(dt_run *part, const dt_run *whole);

    /* Frees what set_up made, before the rest is given back; NULL: nothing. Local. */
    void (*clear)(dt_run *part);

    /* Prints the description of a part, without the end of the line, before it trains. Local;
     * printed on rank 0 only. */
    void (*say)(const dt_run *part);

    /* Prints the results of the parts, and adds them to the whole's log. Root-only. Errors:
     * DT_OUTPUT, DT_MEMORY, DT_DATA. */
    dt_status (*record)(dt_run *whole, const dt_part *rows);

    /* Called after the whole has its model; NULL: nothing. Collective. */
    dt_status (*finish)(dt_run *whole, const dt_part *rows);
} dt_parts_kind;

extern const dt_parts_kind dt_parts_restarts; /* run_restarts.c */
extern const dt_parts_kind dt_parts_folds; /* run_folds.c */

/* Returns whether the run's parts hold rows out. Local. */
static inline bool dt_run_has_folds(const dt_run *r)
{
    return r->parts != NULL && r->parts->holds_out;
}

/* Returns the maximum number of parts in the whole's model; 1 for an ordinary run. Local. */
static inline int64_t dt_run_kept_parts(const dt_run *r)
{
    return r->parts != NULL && r->parts->keeps_all(&r->settings) ? r->parts->count(&r->settings)
                                                                 : 1;
}

/* Writes the name of a part's folder, from 1. Returns `out`. Root-only. */
const char *dt_run_part_folder(char out[PATH_BYTES], const dt_run *whole, int64_t number);

/* Reads the sessions before this one into r->checkpoint. Root-only. Errors: DT_DATA, DT_MEMORY. */
DT_MUST_USE dt_status dt_run_read_part_sessions(dt_run *r);

/**
 * Removes the files of an earlier run in the parts' folders, unless the run resumes. Then writes
 * the run's own checkpoint.
 *
 * Calls:   root-only
 * Errors:  DT_OUTPUT, DT_MEMORY; DT_USAGE: the name of the folder is too long
 */
DT_MUST_USE dt_status dt_run_prepare_parts(dt_run *r, const dt_run_facts *facts);

/**
 * Trains the parts that have not ended, each in its folder. Then the run has the model that is
 * kept, with the epochs of the best part in the log.
 *
 * Calls:   collective
 * Errors:  as dt_run_train and dt_run_save; DT_DIVERGED: all parts diverged
 */
DT_MUST_USE dt_status dt_run_train_parts(dt_run *r);

#endif
