#ifndef DTRAIN_BASE_RETRY_H
#define DTRAIN_BASE_RETRY_H

#include "dtrain/base/status.h"

/**
 * Tries to write something up to three times, one second apart, while it fails with DT_OUTPUT: a
 * disk that is full or absent for a moment must not cost hours of work. Returns the status of the
 * last try.
 *
 * Calls:   local
 */
DT_MUST_USE dt_status dt_retry_output(dt_status (*attempt)(void *context), void *context);

#endif
