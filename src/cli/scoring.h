#ifndef DTRAIN_CLI_SCORING_H
#define DTRAIN_CLI_SCORING_H

/* Shared by `dtrain predict`, `evaluate` and `explain`: a model, and rows for it. */

#include "dtrain/base/options.h"
#include "dtrain/comm/comm.h"
#include "dtrain/data/recipe.h"
#include "dtrain/data/rows.h"
#include "dtrain/model/model.h"
#include "dtrain/nn/predictor.h"
#include "dtrain/run/environment.h"

#include <stdbool.h>

typedef struct dt_scoring {
    const dt_comm *comm;
    bool root;
    dt_environment environment;
    dt_model model;
    bool has_recipe;
    dt_recipe recipe;
    dt_predictor predictor;
    dt_rows *rows;
    char **columns; /* [column_count]: --columns */
    size_t column_count;
    char *const *class_names; /* [C]: of classes or values; NULL: they have no names */
} dt_scoring;

/**
 * Names an output: a class by its name or class id, a value by the name of its target. Returns
 * `out`. Local.
 */
const char *dt_scoring_output(char *out, size_t bytes, const dt_scoring *scoring, size_t index);

/** Rows of an option table whose settings have a member `scoring`: how a table is written. */
#define DT_SCORING_TABLE_OPTIONS                                                                   \
    {"separator",                                                                                  \
     "NAME",                                                                                       \
     DT_OPTION_CHOICE,                                                                             \
     AT(scoring.separator),                                                                        \
     0,                                                                                            \
     0,                                                                                            \
     DT_CSV_SEPARATOR_NAMES,                                                                       \
     "auto",                                                                                       \
     "separator of the cells of a table; auto: as in the training table, or else found in this "   \
     "table"},                                                                                     \
        {"decimal",                                                                                \
         "LIST",                                                                                   \
         DT_OPTION_WORDS,                                                                          \
         AT(scoring.decimal),                                                                      \
         0,                                                                                        \
         0,                                                                                        \
         NULL,                                                                                     \
         "auto",                                                                                   \
         "decimal sign of a table's numbers: auto (as in the training table, or else found in "    \
         "this table), point, comma, or COLUMN=SIGN, for example point,price=comma"},              \
        {"thousands",                                                                              \
         "LIST",                                                                                   \
         DT_OPTION_WORDS,                                                                          \
         AT(scoring.thousands),                                                                    \
         0,                                                                                        \
         0,                                                                                        \
         NULL,                                                                                     \
         "auto",                                                                                   \
         "thousands separator of a table's numbers: auto, none, comma, point, space, quote, or "   \
         "COLUMN=SIGN"},                                                                           \
        {"numeric",                                                                                \
         "NAME,...",                                                                               \
         DT_OPTION_WORDS,                                                                          \
         AT(scoring.numeric),                                                                      \
         0,                                                                                        \
         0,                                                                                        \
         NULL,                                                                                     \
         NULL,                                                                                     \
         "columns of a table whose numbers mean the same without the unit that the training rows " \
         "have, as 0.12 for 0.12%"},                                                               \
        {"missing",                                                                                \
         "LIST",                                                                                   \
         DT_OPTION_WORDS,                                                                          \
         AT(scoring.missing),                                                                      \
         0,                                                                                        \
         0,                                                                                        \
         NULL,                                                                                     \
         NULL,                                                                                     \
         "more cells of a table, in any column, that mean a missing value, for example "           \
         "?,unknown"},                                                                             \
        {"encoding",                                                                               \
         "NAME",                                                                                   \
         DT_OPTION_CHOICE,                                                                         \
         AT(scoring.encoding),                                                                     \
         0,                                                                                        \
         0,                                                                                        \
         DT_CSV_ENCODING_NAMES,                                                                    \
         "auto",                                                                                   \
         "encoding of a table; auto: UTF-8, or Windows-1252 if it is not UTF-8"},                  \
        {"header",                                                                                 \
         "NAME",                                                                                   \
         DT_OPTION_CHOICE,                                                                         \
         AT(scoring.header),                                                                       \
         0,                                                                                        \
         0,                                                                                        \
         DT_CSV_HEADER_NAMES,                                                                      \
         "auto",                                                                                   \
         "whether a table's first line names the columns; auto: as in the training table"},        \
        {"columns",                                                                                \
         "NAMES",                                                                                  \
         DT_OPTION_WORDS,                                                                          \
         AT(scoring.columns),                                                                      \
         0,                                                                                        \
         0,                                                                                        \
         NULL,                                                                                     \
         NULL,                                                                                     \
         "names of all columns of a table, instead of those in the header"},                       \
    {                                                                                              \
        "skip-lines", "N", DT_OPTION_INT, AT(scoring.skip_lines), 0, 1e6, NULL, "0",               \
            "number of lines to skip at the beginning of a table"                                  \
    }

/** What both commands know about the rows. */
typedef struct dt_scoring_settings {
    char model[DT_OPTION_TEXT_BYTES], data[DT_OPTION_TEXT_BYTES];
    char targets_file[DT_OPTION_TEXT_BYTES]; /* of `evaluate MODEL X.npy y.npy`; else "" */
    char inputs[DT_OPTION_TEXT_BYTES], targets[DT_OPTION_TEXT_BYTES];
    int set; /* a dt_set */
    bool set_asked; /* --set was given */
    int encoding; /* a dt_csv_encoding */
    int header; /* a dt_csv_header */
    int separator; /* index of DT_CSV_SEPARATOR_NAMES */
    char decimal[DT_OPTION_TEXT_BYTES], thousands[DT_OPTION_TEXT_BYTES]; /* lists */
    char numeric[DT_OPTION_TEXT_BYTES], missing[DT_OPTION_TEXT_BYTES]; /* likewise */
    bool advises_skip; /* --on-error skip would help */
    char columns[DT_OPTION_TEXT_BYTES];
    int64_t skip_lines;
    bool once; /* the rows are read in one pass */
} dt_scoring_settings;

/**
 * Reads MODEL and DATA from a command's words, with `pair` also X.npy y.npy as DATA; `usage`
 * describes the expected words. Local.
 *
 * Errors:  DT_USAGE
 */
DT_MUST_USE dt_status dt_scoring_parse_words(dt_scoring_settings *out, int words, char **argv,
                                             bool pair, const char *usage);

/**
 * Loads the model and opens the rows.
 *
 * Calls:   collective; same on all ranks: settings, labels
 * Owns:    the caller ends with dt_scoring_clear, also after an error
 * Errors:  DT_USAGE, DT_DATA, DT_MEMORY; the same on all ranks
 */
DT_MUST_USE dt_status dt_scoring_open(dt_scoring *out, const dt_comm *comm,
                                      const dt_scoring_settings *settings, bool labels);

/** Frees; zeroed scoring is allowed. Local. */
void dt_scoring_clear(dt_scoring *scoring);

/**
 * Accepts bad rows of a table, as dt_table_take_bad; `data` is the word that names it.
 *
 * Calls:   collective, before the first row
 * Errors:  DT_USAGE: the rows are not those of a table; DT_MEMORY; the same on all ranks
 */
DT_MUST_USE dt_status dt_scoring_take_bad(const dt_scoring *scoring, const char *data, bool skip);

/**
 * Counts the bad rows of all ranks, and warns of them on rank 0; `rows` is the number of rows that
 * were read, without the bad ones if these are `skipped`.
 *
 * Calls:   collective, behind the last row
 * Errors:  DT_DATA: all rows are bad; DT_MEMORY; the same on all ranks
 */
DT_MUST_USE dt_status dt_scoring_report_bad(int64_t *count, const dt_scoring *scoring, int64_t rows,
                                            bool skipped);

/** Judges the cells of a table, and warns on rank 0 of those whose category no training row had.
 * Collective. Errors: as dt_table_judge. */
DT_MUST_USE dt_status dt_scoring_warn(const dt_scoring *scoring);

#endif
