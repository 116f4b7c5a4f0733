#ifndef DTRAIN_RUN_PREPARATION_H
#define DTRAIN_RUN_PREPARATION_H

#include "dtrain/base/options.h"
#include "dtrain/data/prepare.h"
#include "dtrain/io/csv.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The preparation of a table of text, for `dtrain prepare` or for a training run: one table of
 * options for both, and the steps from options to a survey (data/prepare.h).
 */

/** The values of the options. */
typedef struct dt_prepare_settings {
    dt_option_set given;
    char target[DT_OPTION_TEXT_BYTES], out[DT_OPTION_TEXT_BYTES];
    int task; /* a dt_targets */
    int preset; /* a dt_preset */
    char weights[DT_OPTION_TEXT_BYTES], id[DT_OPTION_TEXT_BYTES];
    char drop[DT_OPTION_TEXT_BYTES], numeric[DT_OPTION_TEXT_BYTES];
    char categorical[DT_OPTION_TEXT_BYTES];
    char scale[DT_OPTION_TEXT_BYTES], fill[DT_OPTION_TEXT_BYTES];
    char missing[DT_OPTION_TEXT_BYTES], missing_only[DT_OPTION_TEXT_BYTES];
    int skips; /* bad rows: an index of stop|skip */
    int unseen; /* a dt_unseen */
    int64_t max_categories;
    double validation_split, test_split;
    int split; /* a dt_split_method */
    char split_column[DT_OPTION_TEXT_BYTES], split_by[DT_OPTION_TEXT_BYTES];
    bool drop_duplicates;
    int64_t seed;
    int separator;
    int encoding; /* a dt_csv_encoding */
    int header; /* a dt_csv_header */
    char columns[DT_OPTION_TEXT_BYTES];
    int64_t skip_lines;
    char dates[DT_OPTION_TEXT_BYTES];
    char decimal[DT_OPTION_TEXT_BYTES], thousands[DT_OPTION_TEXT_BYTES];
    bool store, quiet;
    char config[DT_OPTION_TEXT_BYTES];
} dt_prepare_settings;

/** Flags of a row of the table of options. */
enum { DT_PREPARE_FILES = 1 /* about the files that `dtrain prepare` writes */ };

/** One preparation. */
typedef struct dt_preparation {
    dt_prepare_settings settings;
    dt_prepare_plan plan;
    char **names; /* [name_count]: --columns */
    size_t name_count;
    dt_csv *csv;
    dt_prepare *prepare;
} dt_preparation;

/** Returns the option table of command line, configuration file and help. Calls: local. */
const dt_option_table *dt_prepare_options(void);

/**
 * Parses the words after `dtrain prepare`; *path is the path of the table, one of these words.
 * Calls: local.
 * Errors: DT_USAGE.
 */
DT_MUST_USE dt_status dt_prepare_parse(dt_prepare_settings *out, const char **path, int argc,
                                       char **argv);

/**
 * Checks that the options do not contradict each other. `table` and `settings` are those in which
 * they were given. Calls: local. Errors: DT_USAGE.
 */
DT_MUST_USE dt_status dt_prepare_check(const dt_option_table *table, const void *settings,
                                       const dt_prepare_settings *prepare);

/**
 * Opens the table according to p->settings.
 *
 * Calls:   local
 * Owns:    the caller closes with dt_preparation_close
 * Errors:  DT_DATA as dt_csv_open; DT_USAGE: no target was given; then the columns are listed.
 *          DT_MEMORY
 */
DT_MUST_USE dt_status dt_preparation_open(dt_preparation *p, const char *path);

/**
 * Surveys the open table. `split_asked`: --split was given.
 *
 * Calls:   local
 * Errors:  as dt_prepare_survey
 */
DT_MUST_USE dt_status dt_preparation_survey(dt_preparation *p, bool split_asked,
                                            dt_prepare_progress *progress, void *context);

/** Closes the table and frees the survey; a zeroed preparation is allowed. Calls: local. */
void dt_preparation_close(dt_preparation *p);

#endif
