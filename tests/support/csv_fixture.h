#ifndef DTRAIN_TESTS_CSV_FIXTURE_H
#define DTRAIN_TESTS_CSV_FIXTURE_H

/** Tables in the file x.csv of the scratch folder, and checks of what is read from it. For cmocka
 * tests. */

#include "csv_reading.h"
#include "scratch_folder.h"
#include "status_checks.h"

/** Writes x.csv; returns its path. */
const char *csv_save(const char *text, size_t bytes);

/** Writes the text to x.csv and opens it; the caller closes. */
dt_csv *csv_open_text(const char *text, const dt_csv_format *format);

/** Fails unless the table has the rows "row:line[cell][cell]...\n", with blocks of any size. */
void assert_csv_rows(const char *text, const dt_csv_format *format, const char *expected);

/** Fails unless x.csv with these bytes cannot be opened, with a line that contains `says`. */
void assert_csv_bytes_refused(const char *text, size_t bytes, const char *says);

/** The same for a text. */
void assert_csv_refused(const char *text, const char *says);

/** Fails unless the table opens and then fails below its header with a line that contains `says`,
 * with blocks of any size, after it gave `rows`: those before the bad row. */
void assert_csv_fails(const char *text, const char *rows, const char *says);

#endif
