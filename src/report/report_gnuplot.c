#include "report_gnuplot.h"

#include "dtrain/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { OUTPUT_BYTES_MAX = 16 << 20, CHUNK_BYTES = 65536, STDERR_BYTES = 4096 };

/* Our ends of its pipes: its stdin, stdout and stderr; -1 when closed. */
typedef struct child {
    pid_t pid;
    int ends[3];
    const char *script;
    size_t script_bytes, written;
    char said[STDERR_BYTES]; /* its stderr, as much as there is room for */
    size_t said_bytes;
} child;

static void close_end(int *end)
{
    if (*end >= 0)
        (void)close(*end);
    *end = -1;
}

/* Our ends are closed on exec, so that another gnuplot does not hold this one's stdin open. */
static bool make_pipes(int theirs[3], int ours[3])
{
    for (int i = 0; i < 3; i++)
        theirs[i] = ours[i] = -1;
    for (int i = 0; i < 3; i++) {
        int ends[2];
        if (pipe(ends) != 0)
            return false;
        theirs[i] = ends[i == 0 ? 0 : 1];
        ours[i] = ends[i == 0 ? 1 : 0];
        for (int e = 0; e < 2; e++)
            if (fcntl(ends[e], F_SETFD, FD_CLOEXEC) != 0)
                return false;
        if (fcntl(ours[i], F_SETFL, O_NONBLOCK) != 0)
            return false;
    }
    return true;
}

/* Returns 0, or an errno. */
static int spawn(pid_t *out, const int theirs[3])
{
    char program[] = "gnuplot", defaults[] = "-d"; /* without the user's settings */
    char *arguments[] = {program, defaults, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t ignored_here;
    (void)sigemptyset(&ignored_here);
    (void)sigaddset(&ignored_here, SIGPIPE);
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (error != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return error;
    }
    for (int i = 0; i < 3 && error == 0; i++)
        error = posix_spawn_file_actions_adddup2(&actions, theirs[i], i);
    if (error == 0)
        error = posix_spawnattr_setsigdefault(&attributes, &ignored_here);
    if (error == 0)
        error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    if (error == 0)
        error = posix_spawnp(out, program, &actions, &attributes, arguments, environ);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return error;
}

static void feed(child *c)
{
    const ssize_t count = write(c->ends[0], c->script + c->written, c->script_bytes - c->written);
    if (count > 0)
        c->written += (size_t)count;
    else if (errno == EAGAIN || errno == EINTR)
        return;
    if (count <= 0 || c->written == c->script_bytes)
        close_end(&c->ends[0]); /* if it stops reading, its exit status is the reason */
}

static void take(child *c, int end, dt_report_buffer *out)
{
    char chunk[CHUNK_BYTES];
    const ssize_t count = read(c->ends[end], chunk, sizeof chunk);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count <= 0) {
        close_end(&c->ends[end]);
    } else if (end == 1) {
        dt_report_buffer_put(out, chunk, (size_t)count);
    } else {
        const size_t room = sizeof c->said - 1 - c->said_bytes;
        const size_t taken = (size_t)count < room ? (size_t)count : room;
        memcpy(c->said + c->said_bytes, chunk, taken);
        c->said_bytes += taken;
    }
}

/* Reads until both its outputs are closed; false if the time or the room is used up. */
static bool converse(child *c, dt_report_buffer *out, double deadline_s, char *why)
{
    while (c->ends[1] >= 0 || c->ends[2] >= 0) {
        const double left_s = deadline_s - dt_clock_s();
        struct pollfd polled[3];
        if (left_s <= 0.0 || out->bytes > OUTPUT_BYTES_MAX) {
            (void)snprintf(why, REPORT_GNUPLOT_WHY_BYTES,
                           left_s <= 0.0 ? "gnuplot took too long" : "gnuplot printed too much");
            return false;
        }
        for (int i = 0; i < 3; i++)
            polled[i] = (struct pollfd){.fd = c->ends[i], .events = i == 0 ? POLLOUT : POLLIN};
        if (poll(polled, 3, left_s > 1.0 ? 1000 : (int)(left_s * 1000.0) + 1) <= 0)
            continue;
        if (polled[0].revents != 0)
            feed(c);
        for (int i = 1; i < 3; i++)
            if (polled[i].revents != 0)
                take(c, i, out);
    }
    return true;
}

/* Returns its exit status; -1 if it had to be ended, because it may close its outputs and
 * continue. */
static int wait_for(pid_t pid, double deadline_s)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    int code = -1;
    pid_t ended = 0;
    while ((ended = waitpid(pid, &code, WNOHANG)) == 0 && dt_clock_s() < deadline_s)
        (void)nanosleep(&pause, NULL);
    if (ended == 0) {
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, &code, 0);
        return -1;
    }
    return ended == pid ? code : -1;
}

static bool judge(const child *c, int code, bool printed, char *why)
{
    char said[120]; /* the last line: those before it repeat the script */
    size_t end = c->said_bytes, from = 0, length = 0;
    while (end > 0 && c->said[end - 1] <= ' ')
        end--;
    for (from = end; from > 0 && c->said[from - 1] != '\n'; from--) {
    }
    for (; from < end && length < sizeof said - 1; from++) {
        const char at = c->said[from];
        if (length > 0 || at != ' ')
            said[length++] = at < ' ' || at > '~' ? '?' : at;
    }
    said[length] = '\0';
    if (code == -1)
        (void)snprintf(why, REPORT_GNUPLOT_WHY_BYTES, "gnuplot took too long");
    else if (WIFEXITED(code) && WEXITSTATUS(code) == 127 && !printed)
        (void)snprintf(why, REPORT_GNUPLOT_WHY_BYTES, "gnuplot could not be started");
    else if (code != 0)
        (void)snprintf(why, REPORT_GNUPLOT_WHY_BYTES, "gnuplot failed%s%s", length > 0 ? ": " : "",
                       said);
    else if (!printed)
        (void)snprintf(why, REPORT_GNUPLOT_WHY_BYTES, "gnuplot printed nothing%s%s",
                       length > 0 ? ": " : "", said);
    return code == 0 && printed;
}

static bool run(dt_report_buffer *out, char *why, const char *script, double timeout_s)
{
    const double deadline_s = dt_clock_s() + timeout_s;
    child c = {.script = script, .script_bytes = strlen(script)};
    int theirs[3];
    bool good = make_pipes(theirs, c.ends);
    int error = good ? spawn(&c.pid, theirs) : errno;
    for (int i = 0; i < 3; i++)
        close_end(&theirs[i]);
    if (error != 0) {
        (void)snprintf(why, REPORT_GNUPLOT_WHY_BYTES, "gnuplot: %s",
                       error == ENOENT ? "not found" : strerror(error));
    } else {
        good = converse(&c, out, deadline_s, why);
        if (!good)
            (void)kill(c.pid, SIGKILL);
        const int code = wait_for(c.pid, good ? deadline_s : dt_clock_s() + 1.0);
        good = good && judge(&c, code, out->bytes > 0, why);
    }
    for (int i = 0; i < 3; i++)
        close_end(&c.ends[i]);
    return good && error == 0;
}

bool dt_report_gnuplot(dt_report_buffer *out, char *why, const char *script, double timeout_s)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction before;
    dt_report_buffer printed = {0};
    why[0] = '\0';
    (void)sigaction(SIGPIPE, &ignore, &before);
    bool good = run(&printed, why, script, timeout_s);
    (void)sigaction(SIGPIPE, &before, NULL);
    if (good && printed.status == DT_OK)
        dt_report_buffer_put(out, printed.text, printed.bytes);
    good = good && printed.status == DT_OK;
    dt_report_buffer_clear(&printed);
    return good;
}
