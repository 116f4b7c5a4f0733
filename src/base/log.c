#include "dtrain/base/log.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool log_talks = true;
static bool log_quiet = false;
static bool log_terminal = false;
static bool log_launched = false; /* by mpirun or srun */
static bool live_shown = false; /* on the terminal, now */
static FILE *log_file = NULL; /* where output is redirected to; NULL: not redirected */
static double live_s = -INFINITY; /* when the live line was last shown, or ended */

/* Finds the terminal that is a process's stdout; false if stdout is not a terminal. */
static bool find_terminal(char out[64], pid_t process)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%ld/fd/1", (long)process);
    const ssize_t length = readlink(path, out, 63);
    out[length > 0 ? length : 0] = '\0';
    return strncmp(out, "/dev/pts/", 9) == 0 || strncmp(out, "/dev/tty", 8) == 0;
}

/* Open MPI gives rank 0 a terminal of its own, wherever mpirun's output goes. Therefore the stdout
 * of mpirun counts, which is the parent of the ranks on its host; a script between them has the
 * terminal of rank 0. */
static bool launcher_has_terminal(void)
{
    char own[64], launcher[64];
    return find_terminal(launcher, getppid()) && find_terminal(own, getpid()) &&
           strcmp(own, launcher) != 0;
}

static bool is_terminal(void)
{
    if (isatty(STDOUT_FILENO) == 0)
        return false;
    return !log_launched || launcher_has_terminal();
}

void dt_log_init(bool talks, bool quiet)
{
    /* MPI_Init sets the first of these even without a launcher. */
    static bool known = false;
    if (!known)
        log_launched = getenv("PMIX_RANK") != NULL || getenv("OMPI_COMM_WORLD_RANK") != NULL;
    known = true;
    log_talks = talks;
    log_quiet = quiet;
    log_terminal = talks && is_terminal();
}

/* Removes the live line. */
static void wipe(void)
{
    if (!live_shown)
        return;
    (void)fputs("\r\033[K", stdout);
    (void)fflush(stdout);
    live_shown = false;
}

FILE *dt_log_divert(FILE *file)
{
    FILE *was = log_file;
    log_file = file;
    return was;
}

static bool talks(void)
{
    return log_talks || log_file != NULL;
}

static void print_out(const char *format, va_list arguments)
{
    FILE *out = log_file != NULL ? log_file : stdout;
    if (out == stdout)
        wipe();
    (void)vfprintf(out, format, arguments);
    (void)fflush(out);
}

void dt_log_say(const char *format, ...)
{
    if (!talks() || (log_quiet && log_file == NULL))
        return;
    va_list arguments;
    va_start(arguments, format);
    print_out(format, arguments);
    va_end(arguments);
}

void dt_log_result(const char *format, ...)
{
    if (!talks())
        return;
    va_list arguments;
    va_start(arguments, format);
    print_out(format, arguments);
    va_end(arguments);
}

void dt_log_summary(const char *key, const char *format, ...)
{
    char text[DT_STATUS_TEXT_BYTES], escaped[4 * DT_STATUS_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    dt_log_result("summary.%s=%s\n", key, dt_text_escape(escaped, sizeof escaped, text));
}

static void print_line(const char *kind, const char *format, va_list arguments)
{
    /* One write per line, so that lines of several processes do not mix. */
    char text[DT_STATUS_TEXT_BYTES];
    FILE *out = log_file != NULL ? log_file : stderr;
    (void)vsnprintf(text, sizeof text, format, arguments);
    if (out == stderr)
        wipe();
    (void)fprintf(out, "dtrain: %s: %s\n", kind, text);
    (void)fflush(out);
}

void dt_log_warn(const char *format, ...)
{
    if (!talks())
        return;
    va_list arguments;
    va_start(arguments, format);
    print_line("warning", format, arguments);
    va_end(arguments);
}

void dt_log_error(const char *format, ...)
{
    if (!talks())
        return;
    va_list arguments;
    va_start(arguments, format);
    print_line("error", format, arguments);
    va_end(arguments);
}

bool dt_log_live_due(void)
{
    const double terminal_s = 0.2, file_s = 60.0;
    if (!log_talks || log_quiet || log_file != NULL)
        return false;
    const double now_s = dt_clock_s();
    if (live_s == -INFINITY)
        live_s = now_s;
    return now_s - live_s >= (log_terminal ? terminal_s : file_s);
}

/* A line that the terminal wraps could not be removed again. */
static size_t terminal_width(void)
{
    struct winsize size = {0};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

void dt_log_live(const char *format, ...)
{
    char text[DT_STATUS_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    live_s = dt_clock_s();
    live_shown = log_terminal;
    if (log_terminal)
        (void)printf("\r\033[K%.*s", (int)(terminal_width() - 1), text);
    else
        (void)printf("%s\n", text);
    (void)fflush(stdout);
}

void dt_log_live_end(void)
{
    if (!log_talks || log_quiet || log_file != NULL)
        return;
    live_s = dt_clock_s(); /* the next work has its own first minute */
    wipe();
}

void dt_log_progress(const char *what, double share)
{
    if (share >= 1.0)
        dt_log_live_end();
    else if (dt_log_live_due())
        dt_log_live("%s: %.0f %%", what, 100.0 * share);
}

dt_status dt_log_check(void)
{
    if (fflush(stdout) != 0 || ferror(stdout) != 0)
        return dt_fail(DT_OUTPUT, "stdout: cannot write the output of the run; check the disk, or "
                                  "the program that reads it");
    return DT_OK;
}
