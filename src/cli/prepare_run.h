#ifndef DTRAIN_CLI_PREPARE_RUN_H
#define DTRAIN_CLI_PREPARE_RUN_H

/* A preparation as the files of `dtrain prepare` share it. */

#include "dtrain/base/options.h"
#include "dtrain/data/prepare.h"
#include "dtrain/io/csv.h"
#include "dtrain/io/file.h"
#include "dtrain/io/npz.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the options say. */
typedef struct dt_prepare_settings {
    dt_option_set given;
    char target[DT_OPTION_TEXT_BYTES], out[DT_OPTION_TEXT_BYTES];
    int task; /* a dt_targets */
    int preset; /* a dt_preset */
    char weights[DT_OPTION_TEXT_BYTES];
    char drop[DT_OPTION_TEXT_BYTES], numeric[DT_OPTION_TEXT_BYTES];
    char categorical[DT_OPTION_TEXT_BYTES];
    char scale[DT_OPTION_TEXT_BYTES], fill[DT_OPTION_TEXT_BYTES];
    char missing[DT_OPTION_TEXT_BYTES], missing_only[DT_OPTION_TEXT_BYTES];
    int unseen; /* a dt_unseen */
    int64_t max_categories;
    double validation_split, test_split;
    int split; /* a dt_split_method */
    char split_column[DT_OPTION_TEXT_BYTES];
    int64_t seed;
    int separator;
    char decimal[DT_OPTION_TEXT_BYTES], thousands[DT_OPTION_TEXT_BYTES];
    int encoding; /* a dt_csv_encoding */
    int header; /* a dt_csv_header */
    char columns[DT_OPTION_TEXT_BYTES];
    int64_t skip_lines;
    char dates[DT_OPTION_TEXT_BYTES];
    bool store, quiet;
    char config[DT_OPTION_TEXT_BYTES];
} dt_prepare_settings;

/* One set's file, and what is to be written into its member next. */
typedef struct dt_prepare_file {
    dt_npz_writer *writer; /* NULL: no such set */
    char *buffer;
    size_t used, capacity;
} dt_prepare_file;

/* One preparation, from the command line to the results. */
typedef struct dt_prepare_run {
    dt_prepare_settings settings;
    char **names; /* [name_count]: --columns */
    size_t name_count;
    dt_csv *csv;
    dt_prepare *prepare;
    dt_prepare_file files[DT_SET_COUNT];
    size_t D;
    char *recipe; /* JSON */
    dt_file *recipe_file;
    bool folder_made; /* of --out's path, what is beyond its first present_bytes */
    size_t present_bytes;
} dt_prepare_run;

/** Returns the table that command line, configuration file and help go by. Calls: local. */
const dt_option_table *dt_prepare_options(void);

/** Parses the words behind `dtrain prepare`; *path is the table's, one of them. Calls: local.
 * Errors: DT_USAGE. */
DT_MUST_USE dt_status dt_prepare_parse(dt_prepare_settings *out, const char **path, int argc,
                                       char **argv);

/** Prints what was decided about names, rows or characters, and not printed yet. Calls: local. */
void dt_prepare_warn_of_table(dt_csv *csv);

/** Prints what was found of the table and its columns. Calls: local; after the survey. Errors:
 * DT_MEMORY. */
DT_MUST_USE dt_status dt_prepare_report_columns(const dt_prepare_run *r);

/** Warns of dates, texts that were dropped, and numbers that may be keys. Calls: local. */
void dt_prepare_warn_of_kinds(const dt_prepare_table *found);

/** Prints the sets, the classes or the values' measures, and a warning of categories that were not
 * seen. Calls: local. */
void dt_prepare_report_split(const dt_prepare_run *r);

/** Prints the summary. Calls: local. */
void dt_prepare_report_summary(const dt_prepare_run *r);

#endif
