#ifndef DTRAIN_BASE_FAULT_H
#define DTRAIN_BASE_FAULT_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Places where a test makes a call fail that hardly ever fails by itself. The hook is NULL in the
 * installed program; tests/faults sets one.
 *
 * `fd = dt_fault("open") ? -1 : open(...)`: the hook sets errno. Names: allocate, open, read,
 * write, fsync, rename; json, where jansson allocates; nan, where a loss is turned into NaN; step,
 * once a step of training, where the hook may end, stop or signal the process.
 */
extern bool (*dt_fault_hook)(const char *point);

/**
 * Returns whether this call has to fail; then errno is set. Calls: local. Cost: a load and a
 * branch.
 */
static inline bool dt_fault(const char *point)
{
    return dt_fault_hook != NULL && dt_fault_hook(point);
}

#endif
