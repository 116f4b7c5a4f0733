#include <hdf5.h>

#include "h5_internal.h"
#include "h5_remote.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

/* The memory limit of the child. Deflate may compress 64 : 1; a file that exceeds 512 MiB by that
 * has nothing that must be read at once. */
enum { MEMORY_FACTOR = 64 };
#define MEMORY_BYTES ((uint64_t)512 << 20)

/* Maximum time of an answer. The child's CPU time is limited, so this is for a child that sleeps
 * for ever. It is counted in short waits, so that the time in which a job is suspended does not
 * count. */
enum { WAIT_MS = 1000, WAITS_MAX = 900 };

/* Maximum time for a child to end. */
enum { END_S = 5, END_WAIT_MS = 2 };

struct dt_h5_remote {
    pid_t child;
    int socket;
    dt_status status; /* the status of every call after the child has died */
    char text[DT_STATUS_TEXT_BYTES];
};

/* ---- the child, before it opens the file ---- */

static void limit(int resource, uint64_t most)
{
    struct rlimit bounds;
    if (getrlimit(resource, &bounds) != 0 || bounds.rlim_cur <= most)
        return;
    bounds.rlim_cur = (rlim_t)most;
    (void)setrlimit(resource, &bounds);
}

/* The bytes of address space in use; 0 where the system does not say. */
static uint64_t address_space(void)
{
    char line[64] = "";
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL)
        return 0;
    const bool got = fgets(line, sizeof line, file) != NULL;
    (void)fclose(file);
    return got ? strtoull(line, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

/* Returns how much memory it may take, 0 for no bound. */
static uint64_t set_limits(uint64_t bytes)
{
    const uint64_t used = address_space();
    const uint64_t memory = MEMORY_BYTES + MEMORY_FACTOR * bytes;
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_CPU, dt_h5_cpu_s(bytes));
    if (used == 0 || bytes > ((uint64_t)1 << 50))
        return 0;
    limit(RLIMIT_AS, used + memory);
    return memory;
}

/* The handlers of MPI and sanitizers must not print anything. A job that is asked to stop continues
 * for a while, and so does its child; the remaining signal is the end of its parent. */
static void reset_signals(void)
{
    static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE};
    sigset_t all;
    for (int i = 1; i < NSIG; i++)
        (void)signal(i, SIG_DFL);
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        (void)signal(ignored[i], SIG_IGN);
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_UNBLOCK, &all, NULL);
}

static void silence(void)
{
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int i = 0; nothing >= 0 && i <= 2; i++)
        (void)dup2(nothing, i);
}

/* The hook of comm would make an MPI call. */
static void end_by_assert(void)
{
    _exit(DT_INTERNAL);
}

_Noreturn static void be_child(int socket, pid_t parent, const dt_h5_origin *origin,
                               dt_h5_server *serve)
{
    struct stat info;
    uint64_t bytes = origin->bytes;
#ifdef __linux__
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    if (getppid() != parent)
        _exit(DT_INTERNAL);
    reset_signals();
    silence();
    dt_assert_set_hook(end_by_assert);
    if (origin->image == NULL && stat(origin->path, &info) == 0 && info.st_size > 0)
        bytes = (uint64_t)info.st_size;
    serve(socket, origin, set_limits(bytes));
    _exit(0);
}

/* ---- its end ---- */

/* Waits until the child has closed its end of the socket, dropping what it still sends. */
static void await_end(int socket)
{
    char rest[4096];
    struct pollfd wait = {.fd = socket, .events = POLLIN};
    const double until_s = dt_clock_s() + END_S;
    (void)shutdown(socket, SHUT_WR);
    while (dt_clock_s() < until_s) {
        const int ready = poll(&wait, 1, END_WAIT_MS);
        if (ready < 0 && errno != EINTR)
            return;
        if (ready <= 0)
            continue;
        const ssize_t got = recv(socket, rest, sizeof rest, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EINTR))
            return;
    }
}

/* Waits for the end of a child that is about to end; returns whether it ended. */
static bool has_ended(pid_t child, int *how)
{
    const double until_s = dt_clock_s() + END_S;
    for (;;) {
        const pid_t ended = waitpid(child, how, WNOHANG);
        if (ended > 0 || (ended < 0 && errno != EINTR))
            return true;
        if (dt_clock_s() >= until_s)
            return false;
        (void)poll(NULL, 0, END_WAIT_MS);
    }
}

/* Returns its status from waitpid. Sets *by_force if it was or had to be killed. */
static int end_child(dt_h5_remote *remote, bool *by_force)
{
    int how = 0;
    if (*by_force || !has_ended(remote->child, &how)) {
        *by_force = true;
        (void)kill(remote->child, SIGKILL);
        while (waitpid(remote->child, &how, 0) < 0 && errno == EINTR)
            continue;
    }
    remote->child = -1;
    (void)close(remote->socket);
    remote->socket = -1;
    return how;
}

void dt_h5_remote_close(dt_h5_remote *remote)
{
    if (remote == NULL)
        return;
    if (remote->child > 0) {
        bool by_force = true;
        await_end(remote->socket);
        (void)end_child(remote, &by_force);
    }
    dt_memory_free(remote);
}

/* Describes the end of a child that had to answer; `late`: it gave no answer in time. */
DT_MUST_USE static dt_status explain(dt_h5_remote *remote, const char *path, bool late)
{
    const int how = end_child(remote, &late);
    const int killer = WIFSIGNALED(how) ? WTERMSIG(how) : 0;
    if (late || killer == SIGXCPU)
        return dt_fail(DT_DATA,
                       "%s: damaged HDF5 file: the HDF5 library does not finish reading it; copy "
                       "or download it again",
                       path);
    if (killer == SIGKILL)
        return dt_fail(DT_MEMORY, "%s: the process that read it was killed; is memory short?",
                       path);
    if (killer != 0)
        return dt_fail(DT_DATA,
                       "%s: damaged HDF5 file: the HDF5 library crashes reading it (%s); copy or "
                       "download it again",
                       path, strsignal(killer));
    return dt_fail(DT_DATA,
                   "%s: damaged HDF5 file: the process that read it ended (exit status %d); copy "
                   "or download it again",
                   path, WIFEXITED(how) ? WEXITSTATUS(how) : -1);
}

DT_MUST_USE static dt_status fail_dead(dt_h5_remote *remote, const char *path, bool late)
{
    if (remote->status == DT_OK) {
        remote->status = explain(remote, path, late);
        (void)snprintf(remote->text, sizeof remote->text, "%s", dt_status_text());
    }
    return dt_fail(remote->status, "%s", remote->text);
}

dt_status dt_h5_remote_check(const dt_h5 *h5)
{
    const dt_h5_remote *remote = h5->remote;
    return remote->status == DT_OK ? DT_OK : dt_fail(remote->status, "%s", remote->text);
}

/* ---- questions ---- */

bool dt_h5_send(int socket, const void *data, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        const ssize_t sent = send(socket, (const char *)data + done, bytes - done, MSG_NOSIGNAL);
        if (sent >= 0)
            done += (size_t)sent;
        else if (errno != EINTR)
            return false;
    }
    return true;
}

/* Each wait is for the next bytes, however many, because the child must make progress. */
DT_MUST_USE static dt_status receive(dt_h5_remote *remote, const char *path, void *data,
                                     size_t bytes)
{
    struct pollfd wait = {.fd = remote->socket, .events = POLLIN};
    int waits = 0;
    for (size_t done = 0; done < bytes;) {
        const int ready = poll(&wait, 1, WAIT_MS);
        if (ready < 0 && errno != EINTR)
            return fail_dead(remote, path, true);
        if (ready == 0 && ++waits == WAITS_MAX)
            return fail_dead(remote, path, true);
        if (ready <= 0)
            continue;
        const ssize_t got = recv(remote->socket, (char *)data + done, bytes - done, 0);
        if (got == 0 || (got < 0 && errno != EINTR))
            return fail_dead(remote, path, false);
        done += got > 0 ? (size_t)got : 0;
        waits = 0;
    }
    return DT_OK;
}

/* Reads an answer's head, and the line of one that is a failure. */
DT_MUST_USE static dt_status receive_head(dt_h5_answer_head *out, dt_h5_remote *remote,
                                          const char *path)
{
    dt_status status = DT_OK;
    char text[DT_STATUS_TEXT_BYTES];
    DT_TRY(receive(remote, path, out, sizeof *out));
    if (out->status == DT_OK)
        goto out;
    if (out->bytes == 0 || out->bytes > sizeof text)
        return fail_dead(remote, path, true);
    DT_TRY(receive(remote, path, text, (size_t)out->bytes));
    text[out->bytes - 1] = '\0';
    status = dt_fail(out->status == DT_MEMORY ? DT_MEMORY : DT_DATA, "%s", text);
out:
    return status;
}

DT_MUST_USE static dt_status ask(dt_h5_answer_head *out, const dt_h5 *h5,
                                 const dt_h5_question *question)
{
    dt_h5_remote *remote = h5->remote;
    const dt_h5_ask_head head = {
        .call = question->call,
        .path_bytes = (uint32_t)strlen(question->path) + 1,
        .name_bytes = question->name == NULL ? 0 : (uint32_t)strlen(question->name) + 1,
        .count = question->count,
        .first = question->first,
        .bytes = question->bytes};
    if (remote->status != DT_OK)
        return dt_h5_remote_check(h5);
    if (!dt_h5_send(remote->socket, &head, sizeof head) ||
        !dt_h5_send(remote->socket, question->path, head.path_bytes) ||
        !dt_h5_send(remote->socket, question->name, head.name_bytes))
        return fail_dead(remote, h5->path, false);
    return receive_head(out, remote, h5->path);
}

dt_status dt_h5_ask(void *out, size_t bytes, const dt_h5 *h5, const dt_h5_question *question)
{
    dt_h5_answer_head head = {0};
    const dt_status status = ask(&head, h5, question);
    if (status != DT_OK)
        return status;
    if (head.bytes != bytes)
        return fail_dead(h5->remote, h5->path, true);
    return receive(h5->remote, h5->path, out, bytes);
}

/* As dt_h5_measure makes them: HDF5 may have written over what it did. */
static bool is_shape(const dt_h5_shape *s)
{
    uint64_t count = 1, bytes = s->element_bytes;
    if ((unsigned)s->class > DT_H5_CLASS_OTHER || s->dims > DT_H5_DIMS_MAX)
        return false;
    for (unsigned i = 0; i < s->dims; i++)
        if (__builtin_mul_overflow(count, s->extent[i], &count) ||
            __builtin_mul_overflow(bytes, s->extent[i], &bytes))
            return false;
    return s->count == count || (s->count == 0 && s->dims == 0);
}

dt_status dt_h5_ask_shape(dt_h5_shape *out, const dt_h5 *h5, const dt_h5_question *question)
{
    dt_status status = dt_h5_ask(out, sizeof *out, h5, question);
    if (status == DT_OK && !is_shape(out))
        status = fail_dead(h5->remote, h5->path, true);
    if (status != DT_OK)
        *out = (dt_h5_shape){0};
    return status;
}

dt_status dt_h5_ask_items(dt_h5_items *out, const dt_h5 *h5, const dt_h5_question *question)
{
    dt_status status = dt_h5_ask(out, sizeof *out, h5, question);
    if (status == DT_OK && (!is_shape(&out->shape) || out->chunk_rows == 0 ||
                            memchr(out->descr, '\0', sizeof out->descr) == NULL))
        status = fail_dead(h5->remote, h5->path, true);
    if (status != DT_OK)
        *out = (dt_h5_items){0};
    return status;
}

int32_t dt_h5_ask_kind(const dt_h5 *h5, const dt_h5_question *question, int32_t most)
{
    int32_t kind = 0;
    dt_status status = dt_h5_ask(&kind, sizeof kind, h5, question);
    if (status == DT_OK && (kind < 0 || kind > most))
        status = fail_dead(h5->remote, h5->path, true);
    return status == DT_OK ? kind : 0;
}

DT_MUST_USE static dt_status split(dt_h5_names *out, const dt_h5 *h5, const char *object,
                                   const char *all, const dt_h5_answer_head *head)
{
    dt_status status = DT_OK;
    size_t capacity = 0;
    const char *end = all + head->bytes;
    for (size_t i = 0; i < head->count; i++) {
        if (all >= end)
            return fail_dead(h5->remote, h5->path, true);
        DT_TRY(dt_h5_names_add(out, &capacity, h5, object, all));
        all += strlen(all) + 1;
    }
    if (all != end) /* also when the last text has no NUL of its own */
        return fail_dead(h5->remote, h5->path, true);
out:
    return status;
}

dt_status dt_h5_ask_names(dt_h5_names *out, const dt_h5 *h5, const dt_h5_question *question)
{
    dt_status status = DT_OK;
    dt_h5_answer_head head = {0};
    char *all = NULL;
    *out = (dt_h5_names){0};
    DT_TRY(ask(&head, h5, question));
    if (head.bytes > DT_H5_ANSWER_TEXT_BYTES_MAX ||
        (question->call == DT_H5_CALL_GET_TEXT && head.count != 1))
        DT_TRY(fail_dead(h5->remote, h5->path, true));
    DT_TRY(dt_memory_alloc(&all, (size_t)head.bytes + 1, 1, "texts of an HDF5 file"));
    DT_TRY(receive(h5->remote, h5->path, all, (size_t)head.bytes));
    DT_TRY(split(out, h5, question->path, all, &head));
out:
    dt_memory_free(all);
    if (status != DT_OK)
        dt_h5_names_clear(out);
    return status;
}

/* ---- opening ---- */

/* Starts the child; false if that fails. All signals are blocked meanwhile: the child must not run
 * the handlers of its parent. */
static bool start(dt_h5_remote *remote, const dt_h5_origin *origin, dt_h5_server *serve)
{
    int ends[2];
    sigset_t all, before;
    const pid_t parent = getpid();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        be_child(ends[1], parent, origin, serve);
    }
    const int error = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)close(ends[1]);
    if (child < 0)
        (void)close(ends[0]);
    remote->child = child;
    remote->socket = ends[0];
    errno = error;
    return child > 0;
}

DT_MUST_USE static dt_status receive_file_size(dt_h5 *h5)
{
    dt_h5_answer_head head = {0};
    const dt_status status = receive_head(&head, h5->remote, h5->path);
    if (status != DT_OK)
        return status;
    if (head.bytes != sizeof h5->bytes)
        return fail_dead(h5->remote, h5->path, true);
    return receive(h5->remote, h5->path, &h5->bytes, sizeof h5->bytes);
}

dt_status dt_h5_remote_open(dt_h5 *h5, const dt_h5_origin *origin, dt_h5_server *serve)
{
    dt_h5_remote *remote = NULL;
    const dt_status status = dt_memory_alloc(&remote, 1, sizeof *remote, "an HDF5 file");
    if (status != DT_OK)
        return status;
    if (!start(remote, origin, serve)) {
        dt_log_warn("%s: is read in this process, because no process can be started for it: %s",
                    origin->path, strerror(errno));
        dt_memory_free(remote);
        return DT_OK;
    }
    h5->remote = remote;
    return receive_file_size(h5);
}
