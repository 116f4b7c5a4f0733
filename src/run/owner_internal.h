#ifndef DTRAIN_RUN_OWNER_INTERNAL_H
#define DTRAIN_RUN_OWNER_INTERNAL_H

/* The contents of an owner file, and the judgement of them. */

#include "dtrain/base/process.h"
#include "dtrain/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

enum { DT_OWNER_TEXT_BYTES = 1024 };

/* A word that is not known is "-". */
typedef struct dt_owner_record {
    char text[DT_OWNER_TEXT_BYTES]; /* the file's */
    bool is_whole; /* else the fields below are undefined: the file is being written, or is not an
                    * owner file */
    char host[72], since[32], job[64];
    long long restart; /* how often the Slurm job had been queued again */
    dt_process process;
    char token[40]; /* unique to the run */
    struct timespec renewed; /* by the file system's clock */
} dt_owner_record;

/* Describes this run, as the text of a file, too. */
void dt_owner_describe(dt_owner_record *out);

/* Reads a file. Returns 0 or errno: ENOENT if there is none. A file that may not be read, or that
 * is not an owner file, is not whole. */
int dt_owner_read(dt_owner_record *out, const char *path);

typedef enum dt_owner_verdict { DT_OWNER_LIVES, DT_OWNER_DIED, DT_OWNER_SILENT } dt_owner_verdict;

/* Judges an owner by the rules of owner.h; *age_s is how long ago it renewed its file, if that
 * counts, else -1. `folder` is where a file is made to ask for the time. */
dt_owner_verdict dt_owner_judge(const dt_owner_record *owner, const dt_owner_record *self,
                                const char *folder, double stall_s, double *age_s);

/* Writes "pid 17 on node7 (since 2026-01-31T23:59:59Z, job 4711)". Returns `out`. */
const char *dt_owner_name(char *out, size_t bytes, const dt_owner_record *owner);

#endif
