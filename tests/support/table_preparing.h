#ifndef DTRAIN_TESTS_TABLE_PREPARING_H
#define DTRAIN_TESTS_TABLE_PREPARING_H

/** Tables in the file t.csv of the scratch folder, and the three passes over them: survey, fit and
 * application. For cmocka tests. */

#include "scratch_folder.h"
#include "status_checks.h"

#include "dtrain/base/memory.h"
#include "dtrain/data/prepare.h"

#include <math.h>

/** Maximum number of inputs of a prepared row. */
enum { PREPARED_D = 32 };

/** A row as the application gave it. */
typedef struct prepared_row {
    dt_set set;
    int32_t label;
    float x[PREPARED_D];
} prepared_row;

/** A table, and the results of its passes. */
typedef struct prepared {
    dt_csv *csv;
    dt_prepare *prepare;
    const dt_prepare_table *table;
    const dt_recipe *recipe;
    prepared_row *rows; /* [count] */
    size_t count, capacity;
    uint64_t seen[DT_SET_COUNT]; /* rows that the fit gave */
    double value_sums[4]; /* of the values in those */
    uint64_t stop_at; /* the row whose taker fails; 0: none */
    void (*meddle)(struct prepared *p); /* called for each row of a pass */
    uint64_t taken; /* rows of this pass */
} prepared;

/** A growing text; starts as all zeros. */
typedef struct table_text {
    char *text;
    size_t bytes, capacity;
} table_text;

/** Appends a formatted text of less than 1024 bytes. */
DT_PRINTF(2, 3) void table_add(table_text *t, const char *format, ...);

/** Writes the text to t.csv and frees it. */
void table_write(table_text *t);

/** Writes a text to t.csv. */
void table_write_text(const char *text);

/** Returns the plan of most tests: all rows are training rows, in the table's order. */
dt_prepare_plan plan_all(void);

/** Closes and frees everything. */
void prepared_clear(prepared *p);

/** Surveys t.csv. */
dt_status prepared_survey(prepared *p, const dt_prepare_plan *plan);

/** Fits the recipe and counts the rows in p->seen. */
dt_status prepared_fit(prepared *p);

/** Applies the recipe and keeps the rows in p->rows. */
dt_status prepared_apply(prepared *p);

/** Runs all three passes; fails unless they succeed and the recipe can be written as JSON. */
void prepared_make(prepared *p, const dt_prepare_plan *plan);

/** Fails unless the survey of t.csv returns `code` with a line that contains `part`. */
void check_survey_refused(const dt_prepare_plan *plan, dt_status code, const char *part);

/** Returns the column of the survey with this name. */
const dt_prepare_column *column_of(const prepared *p, const char *name);

/** Returns the column of the recipe with this name. */
const dt_recipe_column *recipe_column(const prepared *p, const char *name);

/** Fails unless |got - expected| <= tolerance; NaN fails. */
void assert_close(double got, double expected, double tolerance);

#endif
