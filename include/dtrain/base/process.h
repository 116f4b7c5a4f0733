#ifndef DTRAIN_BASE_PROCESS_H
#define DTRAIN_BASE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * The identity of a process. It differs from that of other processes with the same id: on other
 * machines, in other containers, before a restart of the machine, or later on the same one. All
 * calls are local.
 */
typedef struct dt_process {
    char boot[40]; /* identifies the machine and its last start; "-": not known */
    uint64_t pid_space; /* namespace of the id; 0: not known */
    int64_t pid;
    uint64_t started; /* clock ticks since the start of the machine; 0: not known */
} dt_process;

/** Describes this process. */
void dt_process_self(dt_process *out);

/** Returns the namespace of this process's id; 0: not known. */
uint64_t dt_process_space(void);

/**
 * Returns whether a process is a zombie (its parent has not noted its death) or is about to be one.
 * Cost: reads a file.
 */
bool dt_process_is_zombie(int64_t pid);

/** Returns whether dt_process_is_dead can judge the process: it is, or was, on this machine. */
bool dt_process_is_visible(const dt_process *process);

/** Returns whether a visible process has ended; another process may have its id by now. */
bool dt_process_is_dead(const dt_process *process);

#endif
