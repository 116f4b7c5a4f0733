#ifndef DTRAIN_REPORT_REPORT_GNUPLOT_H
#define DTRAIN_REPORT_REPORT_GNUPLOT_H

#include "report_buffer.h"

#include <stdbool.h>
#include <stddef.h>

enum { REPORT_GNUPLOT_WHY_BYTES = 200 };

/**
 * Runs a script by gnuplot, which is found in PATH, and adds what it prints to `out`. No shell, no
 * temporary files, no gnuplot settings of the user. Scripts contain only dtrain's own words and
 * numbers, never names of files or classes, because gnuplot can start programs.
 *
 * Units:   timeout_s seconds, after which it is ended
 * Shapes:  why [REPORT_GNUPLOT_WHY_BYTES]: on failure the reason, as part of a sentence
 * Calls:   local; SIGPIPE is ignored meanwhile
 * Errors:  false when gnuplot is not there, fails, prints nothing or too much, or takes too long;
 *          `out` is then unchanged
 */
bool dt_report_gnuplot(dt_report_buffer *out, char *why, const char *script, double timeout_s);

#endif
