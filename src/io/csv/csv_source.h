#ifndef DTRAIN_IO_CSV_SOURCE_H
#define DTRAIN_IO_CSV_SOURCE_H

#include "dtrain/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The bytes of a file or of stdin, which can be read again. Private to src/io. */
typedef struct dt_csv_source {
    const char *path; /* borrowed; for error lines */
    int fd; /* the file, or the stored part of stdin; -1: none */
    bool is_pipe; /* stdin, beyond `size` */
    bool ended; /* stdin has */
    uint64_t size; /* of the file; of stdin what was read */
    uint64_t offset; /* of what is read next */
} dt_csv_source;

/** Opens; the path "-" is stdin. Errors: DT_DATA as dt_csv_input_open, DT_OUTPUT. */
DT_MUST_USE dt_status dt_csv_source_open(dt_csv_source *out, const char *path, bool once);

void dt_csv_source_close(dt_csv_source *source);

/** Reads `room` bytes, fewer only at the end. Errors: DT_DATA; DT_OUTPUT: stdin cannot be kept. */
DT_MUST_USE dt_status dt_csv_source_read(dt_csv_source *source, void *to, size_t room, size_t *got);

#endif
