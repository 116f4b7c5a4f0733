#ifndef DTRAIN_CLI_PREPARE_REPORT_H
#define DTRAIN_CLI_PREPARE_REPORT_H

/* The messages of a preparation, for `dtrain prepare` and `dtrain train TABLE`. */

#include "dtrain/run/preparation.h"

/**
 * Prints the properties of the table and its columns. Calls: local; after the survey.
 * Errors: DT_MEMORY.
 */
DT_MUST_USE dt_status dt_prepare_report_columns(const dt_preparation *r);

/**
 * Warns of digits that are not numbers, numbers that are not plain, dates, texts that were dropped,
 * numbers that may be keys, categories spelled alike, and a copy of the target. Calls: local.
 */
void dt_prepare_warn_of_kinds(const dt_prepare_table *found);

/**
 * Prints the sets, the classes or the values' measures, and a warning of unseen categories. Calls:
 * local; after the application.
 */
void dt_prepare_report_split(const dt_preparation *r);

/** Prints the summary. Calls: local; likewise. */
void dt_prepare_report_summary(const dt_preparation *r);

#endif
