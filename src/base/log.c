#include "dtrain/base/log.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/text.h"
#include "dtrain/base/text_wrap.h"

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
static char line[4096]; /* of dt_log_say and dt_log_show: the beginning of a line, so far */

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

DT_PRINTF(1, 2) static void print(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_out(format, arguments);
    va_end(arguments);
}

/* ---- lines for people ---- */

size_t dt_log_width(void)
{
    enum { USUAL = 80, LEAST = 60, MOST = 1000 };
    const char *text = getenv("COLUMNS");
    struct winsize size = {0};
    long width = text != NULL ? strtol(text, NULL, 10) : 0;
    if (width <= 0 && isatty(STDOUT_FILENO) != 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        width = size.ws_col;
    if (width <= 0)
        return USUAL;
    return width < LEAST ? LEAST : width > MOST ? MOST : (size_t)width;
}

/* Where the lines that continue one begin: below its text, as in "data       adult: 32 rows". */
static size_t find_indent(const char *text, size_t width)
{
    const size_t before = strspn(text, " ");
    const char *gap = strstr(text + before, "  ");
    const size_t indent = gap == NULL ? before : (size_t)(gap - text) + strspn(gap, " ");
    return indent < width / 2 ? indent : before < width / 2 ? before : 0;
}

/* Prints a line, or several if it is too wide for one. */
static void print_wrapped(const char *text)
{
    const size_t width = dt_log_width(), indent = find_indent(text, width);
    char part[sizeof line];
    if (strncmp(text + strspn(text, " "), "mpirun ", 7) == 0) { /* a command is to be copied */
        print("%s\n", text);
        return;
    }
    for (size_t before = 0;; before = indent) {
        const size_t room = width - before, bytes = dt_text_break(text, room, room / 2);
        (void)snprintf(part, sizeof part, "%.*s", (int)bytes, text);
        if (strchr(part, ' ') == NULL && strchr(part, '/') != NULL) /* a path */
            dt_text_shorten(part, room, room / 2);
        print("%*s%s\n", (int)before, "", part);
        text += bytes;
        text += strspn(text, " ");
        if (*text == '\0')
            break;
    }
}

/* Prints what is there of a line. */
static void print_rest(void)
{
    if (line[0] != '\0')
        print("%s", line);
    line[0] = '\0';
}

static void print_lines(const char *format, va_list arguments)
{
    const size_t used = strlen(line), room = sizeof line - used;
    va_list again;
    va_copy(again, arguments);
    const int bytes = vsnprintf(line + used, room, format, again);
    va_end(again);
    if (bytes < 0 || (size_t)bytes >= room) { /* too long to be wrapped */
        line[used] = '\0';
        print_rest();
        print_out(format, arguments);
    }
    for (char *end = NULL; (end = strchr(line, '\n')) != NULL;) {
        *end = '\0';
        print_wrapped(line);
        memmove(line, end + 1, strlen(end + 1) + 1);
    }
}

void dt_log_say(const char *format, ...)
{
    if (!talks() || (log_quiet && log_file == NULL))
        return;
    va_list arguments;
    va_start(arguments, format);
    print_lines(format, arguments);
    va_end(arguments);
}

void dt_log_show(const char *format, ...)
{
    if (!talks())
        return;
    va_list arguments;
    va_start(arguments, format);
    print_lines(format, arguments);
    va_end(arguments);
}

/* ---- lines for programs ---- */

void dt_log_result(const char *format, ...)
{
    if (!talks())
        return;
    print_rest();
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
