#ifndef DTRAIN_BASE_PROCESS_H
#define DTRAIN_BASE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * A process, as it can be told from others of the same id: on other machines, in other containers,
 * before a restart of the machine, or later on this one. All calls are local.
 */
typedef struct dt_process {
    char boot[40]; /* names the machine since it was started; "-": not known */
    uint64_t pid_space; /* in which the id counts; 0: not known */
    int64_t pid;
    uint64_t started; /* ticks after the machine; 0: not known */
} dt_process;

/** Describes this process. */
void dt_process_self(dt_process *out);

/** Returns the namespace that this process's id is of; 0: not known. */
uint64_t dt_process_space(void);

/** Tells whether a process waits for its parent to take note of its death, or is just going. Cost:
 * reads a file. */
bool dt_process_is_zombie(int64_t pid);

/** Tells whether dt_process_is_dead can judge: the process is, or was, one of this machine. */
bool dt_process_is_visible(const dt_process *process);

/** Tells whether a process that is visible runs no more; another one may have its id by now. */
bool dt_process_is_dead(const dt_process *process);

#endif
