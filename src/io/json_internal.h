#ifndef DTRAIN_IO_JSON_INTERNAL_H
#define DTRAIN_IO_JSON_INTERNAL_H

#include <stdbool.h>

/** What json.c and json_read.c share. Private to src/io. */

/**
 * Makes jansson allocate by functions that note if memory is short: its parser takes a token for
 * which it finds none for one that is not valid. To be called before each use.
 */
void dt_json_watch_memory(void);

/** Returns whether memory was short in this thread since dt_json_watch_memory. */
bool dt_json_was_short(void);

#endif
