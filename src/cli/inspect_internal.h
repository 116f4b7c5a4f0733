#ifndef DTRAIN_CLI_INSPECT_INTERNAL_H
#define DTRAIN_CLI_INSPECT_INTERNAL_H

#include "dtrain/base/status.h"
#include "dtrain/data/recipe.h"
#include "dtrain/io/json.h"

#include <stdbool.h>

/** Shared by the files of `dtrain inspect`. Private to src/cli. */

/** Each prints what is in one kind of file: a text, or one JSON object. */
DT_MUST_USE dt_status dt_inspect_npz(const char *path, bool json); /* or a .h5 with datasets */
DT_MUST_USE dt_status dt_inspect_recipe(const char *path, bool json);
DT_MUST_USE dt_status dt_inspect_h5(const char *path, bool json); /* a run, a model, or data */
DT_MUST_USE dt_status dt_inspect_model(const char *path, bool json); /* .h5 or .keras */

/** Print a recipe's columns and classes, or add them to an object: also for the one in a model. */
DT_MUST_USE dt_status dt_inspect_print_recipe(const dt_recipe *recipe);
void dt_inspect_describe_recipe(dt_json *json, const dt_recipe *recipe);

#endif
