#ifndef DTRAIN_CLI_INSPECT_INTERNAL_H
#define DTRAIN_CLI_INSPECT_INTERNAL_H

#include "dtrain/base/status.h"
#include "dtrain/data/recipe.h"
#include "dtrain/io/h5.h"
#include "dtrain/io/json.h"
#include "dtrain/report/text_table.h"

#include <stdbool.h>

/** Shared by the files of `dtrain inspect`. Private to src/cli. */

/** Each prints what is in one kind of file: a text, or one JSON object. */
DT_MUST_USE dt_status dt_inspect_npz(const char *path, bool json); /* or a .h5 with datasets */
DT_MUST_USE dt_status dt_inspect_recipe(const char *path, bool json);
DT_MUST_USE dt_status dt_inspect_h5(const char *path, bool json); /* any HDF5 file */
DT_MUST_USE dt_status dt_inspect_model(const char *path, bool json); /* .h5 or .keras */

/** Print a recipe's columns and classes, or add them to an object: also for the one in a model. */
DT_MUST_USE dt_status dt_inspect_print_recipe(const dt_recipe *recipe);
void dt_inspect_describe_recipe(dt_json *json, const dt_recipe *recipe);

/** Print a file that is open, or add it to an object, if `json` is not NULL; `path` names it.
 * (inspect_results.c) */
DT_MUST_USE dt_status dt_inspect_search(dt_h5 *h5, const char *path, dt_json *json);
DT_MUST_USE dt_status dt_inspect_explanation(dt_h5 *h5, const char *path, dt_json *json);

/** Prints the attributes of a group, or adds an object of its name; of the root, "attributes".
 * Nothing if there is no such group. (inspect_attributes.c) */
DT_MUST_USE dt_status dt_inspect_group(dt_h5 *h5, const char *group, dt_json *json);

/** Adds the cell of a value with that name: a whole number has all its digits, any other six, and a
 * weights_crc is written as `report` writes it. */
void dt_inspect_add_number(dt_text_table *table, const char *name, double value);

#endif
