/* What clang-tidy is told of dtrain (analyse.sh includes it before each file): its analyzer sees
 * one file at a time, and would suppose that a failed allocation may be DT_OK. With this it also
 * follows each block to where it is freed. Nothing of it is compiled.
 *
 * Not for the files that define these functions. */
#ifndef DTRAIN_TESTS_ANALYSE_MODEL_H
#define DTRAIN_TESTS_ANALYSE_MODEL_H

#include "dtrain/base/memory.h"
#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"

/* Not <stdlib.h>: a file may define _GNU_SOURCE first. */
void *calloc(size_t count, size_t size);
void free(void *block);
char *strdup(const char *text);

/* A failure is never DT_OK. */
#define dt_fail(code, ...) (dt_analysed_failure(dt_fail(code, __VA_ARGS__), code))
static inline dt_status dt_analysed_failure(dt_status failure, dt_status code)
{
    (void)failure;
    return code;
}

/* *out is there exactly if the status is DT_OK, for a count of 0 as well. */
#define dt_memory_alloc(out, count, size, what)                                                    \
    ((void)(what), (*(out) = calloc((count) | 1, size)) != NULL ? DT_OK : DT_MEMORY)
#define dt_memory_copy_text(out, text) ((*(out) = strdup(text)) != NULL ? DT_OK : DT_MEMORY)
#define dt_memory_free(block) free(block)

/* Who brings a failure to the others gets one back. */
#define dt_comm_agree(comm, status) dt_analysed_agree(comm, status)
static inline dt_status dt_analysed_agree(const dt_comm *comm, dt_status status)
{
    const dt_status agreed = (dt_comm_agree)(comm, status);
    return status != DT_OK ? status : agreed;
}

#endif
