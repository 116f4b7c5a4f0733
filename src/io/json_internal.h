#ifndef DTRAIN_IO_JSON_INTERNAL_H
#define DTRAIN_IO_JSON_INTERNAL_H

#include <stdbool.h>

/** Shared by json.c and json_read.c. Private to src/io. */

/**
 * Makes jansson allocate by functions that note if memory is short, because its parser reports a
 * token as invalid if it has no memory for it. Call it before each use.
 */
void dt_json_watch_memory(void);

/** Returns whether memory was short in this thread since dt_json_watch_memory. */
bool dt_json_was_short(void);

#endif
