#ifndef DTRAIN_BASE_MEMORY_LIMITS_H
#define DTRAIN_BASE_MEMORY_LIMITS_H

#include <stddef.h>

/**
 * Returns the bytes that the control groups of this process can still give: the least of its own
 * and of all above it, of version 1 and 2; SIZE_MAX if none has a limit. A container, a Slurm job
 * and a systemd service have such limits; Linux kills a process that exceeds one. Pages of files
 * count as free, since they are dropped in time.
 *
 * `root` is the folder in which proc/ and sys/ are: "" for this machine.
 *
 * Calls:   local
 */
size_t dt_memory_group_available(const char *root);

/**
 * Returns the bytes that this process alone can still take under `ulimit -v` and `ulimit -d`, and
 * writes the name of the one that leaves less. SIZE_MAX if there is no limit.
 *
 * Calls:   local
 */
size_t dt_memory_process_available(const char **limit);

#endif
