#ifndef DTRAIN_TESTS_SCRATCH_FOLDER_H
#define DTRAIN_TESTS_SCRATCH_FOLDER_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** A folder for the files of one test program. It has no subfolders, so that one sweep removes
 * it. */
extern char scratch_folder[256];

/** Makes the folder; a cmocka group setup. */
int scratch_make(void **state);

/** Returns the path of `name` in the folder: one of four buffers, the oldest is overwritten. */
const char *scratch_path(const char *name);

/** Counts the files in the folder, and removes them if `and_remove`. */
unsigned scratch_count(bool and_remove);

/** Empties the folder; a cmocka teardown of one test. */
int scratch_empty(void **state);

/** Removes the folder; a cmocka group teardown. */
int scratch_remove(void **state);

/** Writes a file without any code under test. Returns false if that fails. */
bool scratch_write(const char *path, const void *data, size_t bytes);

/** Reads a file and appends a NUL, which `*bytes` does not count; free() the result. Returns
 * NULL if the file cannot be opened. */
unsigned char *scratch_read(const char *path, size_t *bytes);

#endif
