#ifndef DTRAIN_DATA_METHODS_H
#define DTRAIN_DATA_METHODS_H

/* Options that list METHOD or COLUMN=METHOD, and the signs in numbers that they define. Local. */

#include "columns.h"

/**
 * Reads an item, which it cuts at its last '='; *column is SIZE_MAX for a METHOD alone. `names` are
 * "a|b|c", and *method is an index among them; `option` is the option's name.
 *
 * Errors:  DT_DATA: no such column; DT_USAGE: no such method
 */
DT_MUST_USE dt_status dt_method_read(size_t *column, int *method, const dt_columns *columns,
                                     char *item, const char *names, const char *option);

/** Sets the method of one column, or of all: SIZE_MAX. */
typedef void dt_method_set(void *context, size_t column, int method);

/**
 * Reads a list: methods for all columns first, so that the order does not matter.
 *
 * Errors:  as dt_method_read; DT_USAGE: two methods for all columns
 */
DT_MUST_USE dt_status dt_methods_read(const dt_columns *columns, const char *list,
                                      const char *names, const char *option, dt_method_set *set,
                                      void *context);

/** The signs in a column's numbers, and whether an option named them. */
typedef struct dt_signs {
    bool decimal_asked, group_asked;
    char decimal, group; /* as in dt_number_format */
} dt_signs;

/**
 * Reads the lists of --decimal and --thousands into out[columns->count]. `*decimal` is the sign of
 * columns that are not named; a sign for all columns replaces it.
 *
 * Errors:  as dt_methods_read; DT_USAGE: a column has one sign for both
 */
DT_MUST_USE dt_status dt_signs_read(dt_signs *out, char *decimal, const dt_columns *columns,
                                    const char *decimals, const char *thousands);

#endif
