#include "dtrain/base/log.h"

#include "dtrain/base/clock.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool log_talks = true;
static bool log_quiet = false;

void dt_log_init(bool talks, bool quiet)
{
    log_talks = talks;
    log_quiet = quiet;
}

static void print_out(const char *format, va_list arguments)
{
    (void)vprintf(format, arguments);
    (void)fflush(stdout);
}

void dt_log_say(const char *format, ...)
{
    if (!log_talks || log_quiet)
        return;
    va_list arguments;
    va_start(arguments, format);
    print_out(format, arguments);
    va_end(arguments);
}

void dt_log_result(const char *format, ...)
{
    if (!log_talks)
        return;
    va_list arguments;
    va_start(arguments, format);
    print_out(format, arguments);
    va_end(arguments);
}

static void print_line(const char *kind, const char *format, va_list arguments)
{
    /* One write a line, so that lines of several processes do not mix. */
    char text[DT_STATUS_TEXT_BYTES];
    (void)vsnprintf(text, sizeof text, format, arguments);
    (void)fprintf(stderr, "dtrain: %s: %s\n", kind, text);
    (void)fflush(stderr);
}

void dt_log_warn(const char *format, ...)
{
    if (!log_talks)
        return;
    va_list arguments;
    va_start(arguments, format);
    print_line("warning", format, arguments);
    va_end(arguments);
}

void dt_log_error(const char *format, ...)
{
    if (!log_talks)
        return;
    va_list arguments;
    va_start(arguments, format);
    print_line("error", format, arguments);
    va_end(arguments);
}

/* Open MPI gives rank 0 a terminal of its own, wherever mpirun's output goes: not one to draw on. */
static bool is_terminal(void)
{
    return isatty(STDOUT_FILENO) != 0 && getenv("PMIX_RANK") == NULL &&
           getenv("OMPI_COMM_WORLD_RANK") == NULL;
}

void dt_log_progress(const char *what, double share)
{
    const double terminal_s = 0.2, file_s = 60.0;
    static double told_s = -INFINITY;
    if (!log_talks || log_quiet)
        return;
    const bool terminal = is_terminal();
    const double now_s = dt_clock_s();
    if (share >= 1.0) {
        told_s = now_s; /* what comes next has its own first second */
        if (terminal)
            (void)fputs("\r\033[K", stdout);
    } else if (told_s == -INFINITY) {
        told_s = now_s;
    } else if (now_s - told_s >= (terminal ? terminal_s : file_s)) {
        told_s = now_s;
        (void)printf(terminal ? "\r\033[K%s: %.0f %%" : "%s: %.0f %%\n", what, 100.0 * share);
    }
    (void)fflush(stdout);
}

dt_status dt_log_check(void)
{
    if (fflush(stdout) != 0 || ferror(stdout) != 0)
        return dt_fail(DT_OUTPUT, "stdout: what the run printed could not be written");
    return DT_OK;
}
