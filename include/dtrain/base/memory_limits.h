#ifndef DTRAIN_BASE_MEMORY_LIMITS_H
#define DTRAIN_BASE_MEMORY_LIMITS_H

#include <stddef.h>

/**
 * Returns the bytes that the control groups of this process (version 1 and 2) still allow: the
 * minimum over its own group and all groups above it; SIZE_MAX if none has a limit. A container, a
 * Slurm job and a systemd service have such limits; Linux kills a process that exceeds one. Pages
 * of cached files count as free, because the kernel drops them when memory is needed.
 *
 * `root` is the folder that contains proc/ and sys/: "" for this machine.
 *
 * Calls:   local
 */
size_t dt_memory_group_available(const char *root);

/**
 * Returns the bytes that this process can still allocate under `ulimit -v` and `ulimit -d`, and
 * writes the name of the stricter limit. SIZE_MAX if there is no limit.
 *
 * Calls:   local
 */
size_t dt_memory_process_available(const char **limit);

#endif
