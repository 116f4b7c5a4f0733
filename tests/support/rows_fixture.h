#ifndef DTRAIN_TESTS_ROWS_FIXTURE_H
#define DTRAIN_TESTS_ROWS_FIXTURE_H

/** A text table of known rows, its recipe, and a taker that keeps the rows it gets. For tests over
 * ranks. */

#include "ranks.h"

#include "dtrain/data/rows.h"
#include "dtrain/data/table.h"

/** Number of inputs that the recipe makes of a row. */
enum { TEXT_D = 5 };

/** Describes a table. */
typedef struct text_table {
    uint64_t rows;
    bool no_target;
    uint64_t bad_row; /* 0: none */
    uint64_t bad_too; /* a later one; 0: none */
    const char *bad_cell; /* in column "age" of that row; NULL: the row has a field too many */
    uint64_t every_unseen; /* every so many rows the job is not in the recipe; 0: never */
    char separator, decimal; /* 0: comma, point */
} text_table;

/** Returns the number in column "age". */
double text_age(uint64_t row);

/** Returns whether the recipe does not contain the job of the row. */
bool text_is_unseen(const text_table *t, uint64_t row);

/** Writes rows 1 .. rows to a file of the scratch folder; every seventh note contains newlines,
 * quotes and separators, and some are long. Returns the line of the bad row. Rank 0 only. */
uint64_t text_write(const char *name, const text_table *t);

/** Makes the recipe of the table: age, rate with its indicator, and two of the three jobs.
 * Collective. */
void text_recipe(dt_recipe *out);

/** Returns input `column` of a row. */
float text_input(const text_table *t, uint64_t row, size_t column);

/** The rows that this rank was given. */
typedef struct given {
    uint64_t rows; /* of all ranks */
    size_t D, batch_rows;
    bool labels;
    uint64_t *times; /* [rows] */
    float *x; /* [rows,D] */
    int32_t *y; /* [rows] */
    uint64_t low, high; /* rows of this call: 0, 0 if there were none */
    uint64_t calls, wrong;
    uint64_t stop_at; /* the batch at which this rank's taker fails; 0: none */
} given;

/** Allocates room for all rows. Collective. */
void given_start(given *out, uint64_t rows, size_t D, size_t batch_rows, bool labels);

/** Frees the rows. */
void given_clear(given *k);

/** Keeps a batch and counts what is wrong with it; a dt_row_take, whose context is the given. */
dt_status given_take(void *context, const dt_row_batch *rows);

/** Returns whether the rows of the last call follow those of the call before (`*last`), first
 * those of rank 0, then those of rank 1, and so on. Collective. */
bool given_in_order(given *k, uint64_t *last);

/** Collects the rows of all ranks; fails unless every row came exactly once. Collective. */
void given_gather(given *k);

/** Fails unless `status` is `code` and the status text, the same on all ranks, contains `part`.
 * Collective. */
void check_failed(dt_status status, dt_status code, const char *part);

#endif
