#ifndef DTRAIN_REPORT_REPORT_BUFFER_H
#define DTRAIN_REPORT_REPORT_BUFFER_H

#include "dtrain/base/status.h"

#include <stddef.h>

/**
 * A text that grows. Zeroed, it is empty. A failure is kept in `status`, and later calls do
 * nothing, so that one check at the end is enough. Private to src/cli.
 */
typedef struct dt_report_buffer {
    char *text; /* NUL-terminated; NULL while nothing was added */
    size_t bytes, room;
    dt_status status;
} dt_report_buffer;

void dt_report_buffer_put(dt_report_buffer *buffer, const char *text, size_t bytes);
void dt_report_buffer_puts(dt_report_buffer *buffer, const char *text);
DT_PRINTF(2, 3) void dt_report_buffer_add(dt_report_buffer *buffer, const char *format, ...);

/**
 * Adds a text from a file to HTML: special characters are escaped, also for quoted attributes, and
 * bytes that are not printable UTF-8 become U+FFFD.
 */
void dt_report_buffer_escape(dt_report_buffer *buffer, const char *text);

/** Frees; the buffer is as new. */
void dt_report_buffer_clear(dt_report_buffer *buffer);

#endif
