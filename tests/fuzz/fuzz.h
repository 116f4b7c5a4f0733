#ifndef DTRAIN_TESTS_FUZZ_H
#define DTRAIN_TESTS_FUZZ_H

/** What harnesses share. Each is one source file, which includes this once. */

#include "dtrain/base/status.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { FUZZ_PATH_BYTES = 64 };

/** Makes a file in memory; returns its descriptor, to be closed, and in `path` a path to it. */
static inline int fuzz_file(char path[FUZZ_PATH_BYTES], const void *data, size_t bytes)
{
    const int file = memfd_create("fuzz", MFD_CLOEXEC);
    assert(file >= 0);
    assert(write(file, data, bytes) == (ssize_t)bytes);
    (void)snprintf(path, FUZZ_PATH_BYTES, "/proc/self/fd/%d", file);
    return file;
}

/** Fails unless the call succeeded, or was refused with `code` and one line of text; with
 * FUZZ_TELL in the environment it is printed: to see what becomes of a seed. */
static inline void fuzz_check(dt_status status, dt_status code)
{
    if (status != DT_OK && getenv("FUZZ_TELL") != NULL)
        fprintf(stderr, "status %d: %s\n", (int)status, dt_status_text());
    assert(status == DT_OK || status == code);
    assert(status == DT_OK ||
           (dt_status_text()[0] != '\0' && strchr(dt_status_text(), '\n') == NULL));
}

#endif
