#ifndef DTRAIN_CLI_PREDICT_INTERNAL_H
#define DTRAIN_CLI_PREDICT_INTERNAL_H

/* A run of `dtrain predict`, and the output of each rank. */

#include "dtrain/base/options.h"
#include "dtrain/io/file.h"
#include "dtrain/io/npz.h"
#include "scoring.h"

/* The treatment of a row that cannot be prepared: an error, no output, or an empty prediction. */
typedef enum dt_on_error { DT_ON_ERROR_STOP, DT_ON_ERROR_SKIP, DT_ON_ERROR_EMPTY } dt_on_error;
#define DT_ON_ERROR_NAMES "stop|skip|empty"

typedef struct dt_predict_settings {
    dt_option_set given;
    dt_scoring_settings scoring;
    char out[DT_OPTION_TEXT_BYTES];
    char keep[DT_OPTION_TEXT_BYTES];
    int on_error; /* a dt_on_error */
    bool brief, quiet, json;
} dt_predict_settings;

typedef enum dt_predict_form { FORM_STDOUT, FORM_CSV, FORM_NPZ } dt_predict_form;

typedef struct dt_predict_run {
    dt_predict_settings settings;
    dt_scoring scoring;
    dt_predict_form form;
    bool classes; /* the model gives classes, not values */
    const char *kept; /* the names of the columns to keep, as fields; NULL: none */
    char *id_name; /* of the ids of arrays, a field; NULL: there are none */
    size_t C; /* classes, or values of a row */
    char **names; /* [C]: the outputs' names as fields of a CSV */
    size_t longest_name;

    char *mine; /* results of this rank in this round: text, or records */
    size_t used, capacity;

    /* Rank 0: */
    size_t *bytes; /* [ranks] */
    char *all; /* all ranks' results of a round, rank after rank */
    size_t all_capacity;
    dt_file *file;
    bool has_header; /* the CSV's first line is written */
    dt_npz_writer *npz;
    int32_t *predicted; /* [N], for a .npz: written behind the probabilities */
    uint64_t N, written; /* rows, for a .npz */
    int64_t *ids; /* [C]: the number that is written for a class: the label if all labels are whole
                     numbers and not from a recipe; else the index */
    int64_t rows, all_rows; /* written: of this rank; of all ranks, in the end */
    int64_t bad; /* of all ranks, in the end: rows that cannot be prepared */
    int64_t outside; /* rows with an input outside the range of training */
} dt_predict_run;

/* Returns the bytes of a row on its way to rank 0 for a .npz: C probabilities or values, then the
 * predicted class. Local. */
size_t dt_predict_record_bytes(const dt_predict_run *r);

/* Predicts rows and adds them to r->mine, as text or records (a dt_row_take). Errors: DT_MEMORY;
 * DT_DIVERGED, naming a row whose prediction is not finite. */
DT_MUST_USE dt_status dt_predict_take_rows(void *context, const dt_row_batch *rows);

/* Makes the header of the kept columns from r->kept, with ".1" behind names that predictions or
 * earlier kept columns also have; warns of the first one. Local. Errors: DT_MEMORY. The caller
 * frees. */
DT_MUST_USE dt_status dt_predict_name_kept(char **out, const dt_predict_run *r);

/* Grows a block of which `used` elements of `size` bytes are in use, if fewer than `more` are free.
 * Local. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_predict_grow(void *block, size_t *capacity, size_t used, size_t more,
                                      size_t size);

#endif
