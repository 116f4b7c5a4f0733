#ifndef DTRAIN_IO_SCRATCH_H
#define DTRAIN_IO_SCRATCH_H

#include "dtrain/base/status.h"

#include <stddef.h>

/**
 * A file without a name, for data that does not fit in memory: it is written once, then read from
 * the beginning as often as needed. Its space is freed when the process ends, even by a kill. All
 * calls are local.
 */
typedef struct dt_scratch dt_scratch;

/**
 * Creates an empty scratch file in an existing folder.
 *
 * Owns:    the caller closes with dt_scratch_close
 * Errors:  DT_OUTPUT, with errno's text; DT_MEMORY; *out = NULL
 */
DT_MUST_USE dt_status dt_scratch_open(dt_scratch **out, const char *folder);

/** Appends `bytes` bytes; not after dt_scratch_rewind. Errors: DT_OUTPUT. */
DT_MUST_USE dt_status dt_scratch_write(dt_scratch *scratch, const void *data, size_t bytes);

/** Goes to the beginning and starts reading. Errors: DT_OUTPUT. */
DT_MUST_USE dt_status dt_scratch_rewind(dt_scratch *scratch);

/** Reads up to `bytes` bytes; *got is less only at the end. Errors: DT_OUTPUT. */
DT_MUST_USE dt_status dt_scratch_read(dt_scratch *scratch, void *data, size_t bytes, size_t *got);

/** Frees; NULL is allowed. */
void dt_scratch_close(dt_scratch *scratch);

#endif
