#ifndef DTRAIN_IO_CSV_INPUT_H
#define DTRAIN_IO_CSV_INPUT_H

#include "dtrain/io/csv.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * A table's bytes as a stream of UTF-8, in a fixed amount of memory: from a file or stdin, inflated
 * if they are compressed with gzip, converted if they are in another encoding. Private to src/io.
 */
typedef struct dt_csv_input dt_csv_input;

/**
 * Opens a file; "-" is stdin. Unless it is read only `once`, the part of stdin that was read is
 * stored in an unlinked file in TMPDIR, so that it can be read again.
 *
 * Errors:  DT_DATA, one line that names the file: missing, a folder, a device or pipe, empty,
 *          UTF-32, damaged gzip data. DT_OUTPUT: stdin cannot be kept. DT_MEMORY. On error
 *          *out = NULL
 */
DT_MUST_USE dt_status dt_csv_input_open(dt_csv_input **out, const char *path,
                                        dt_csv_encoding encoding, bool once);

void dt_csv_input_close(dt_csv_input *input);

/**
 * Reads up to `room` bytes, whole characters where they are converted, so that there must be room
 * for the next one: 4 are enough. *got = 0 at the end.
 *
 * With AUTO, the 64 KiB around the first byte beyond ASCII decide: if most of them are not UTF-8,
 * the file is Windows-1252. Invalid bytes in UTF-8 are returned unchanged.
 *
 * Errors:  DT_DATA: reading failed, gzip data that is damaged or ends early, invalid UTF-16.
 *          DT_OUTPUT: stdin could not be kept. DT_MEMORY
 */
DT_MUST_USE dt_status dt_csv_input_read(dt_csv_input *input, char *to, size_t room, size_t *got);

/**
 * Continues at `offset`, which was read before. Errors: as dt_csv_input_read; DT_INTERNAL: once.
 */
DT_MUST_USE dt_status dt_csv_input_seek(dt_csv_input *input, uint64_t offset);

/** Returns whether offsets are those of a file, which is cheap to go to. */
bool dt_csv_input_is_plain(const dt_csv_input *input);

/** Return the size of what is read (UINT64_MAX: not known yet), and how much of it was used. */
uint64_t dt_csv_input_bytes(const dt_csv_input *input);
uint64_t dt_csv_input_bytes_used(const dt_csv_input *input);

/** Return the properties that were found. The encoding is AUTO as long as all bytes were ASCII. */
dt_csv_encoding dt_csv_input_encoding(const dt_csv_input *input);
bool dt_csv_input_is_gzip(const dt_csv_input *input);

#endif
