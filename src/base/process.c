#include "dtrain/base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 48, STAT_BYTES = 1024 };

/* Reads the beginning of a small file; "" if there is none. */
static void read_text(char *out, size_t bytes, const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t length = fd < 0 ? 0 : read(fd, out, bytes - 1);
    if (fd >= 0)
        (void)close(fd);
    out[length > 0 ? length : 0] = '\0';
}

/* "PID (NAME) STATE PPID ...", where NAME may contain anything. Returns a pointer to STATE; NULL:
 * there is no such process, or no /proc, or it hides the processes of other users. */
static const char *read_state(char text[STAT_BYTES], int64_t pid)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    read_text(text, STAT_BYTES, path);
    const char *end = strrchr(text, ')');
    return end != NULL && end[1] == ' ' ? end + 2 : NULL;
}

/* The 22nd field of all. */
static uint64_t read_started(int64_t pid)
{
    enum { FIELDS_AFTER_STATE = 19 };
    char text[STAT_BYTES];
    const char *at = read_state(text, pid);
    for (int i = 0; at != NULL && i < FIELDS_AFTER_STATE; i++) {
        at = strchr(at, ' ');
        at = at != NULL ? at + 1 : NULL;
    }
    return at != NULL ? strtoull(at, NULL, 10) : 0;
}

uint64_t dt_process_space(void)
{
    struct stat space;
    return stat("/proc/self/ns/pid", &space) == 0 ? (uint64_t)space.st_ino : 0;
}

bool dt_process_is_zombie(int64_t pid)
{
    char text[STAT_BYTES];
    const char *state = read_state(text, pid);
    return state != NULL && (*state == 'Z' || *state == 'X');
}

void dt_process_self(dt_process *out)
{
    *out = (dt_process){.pid = getpid(), .pid_space = dt_process_space()};
    out->started = read_started(out->pid);
    read_text(out->boot, sizeof out->boot, "/proc/sys/kernel/random/boot_id");
    out->boot[strcspn(out->boot, " \n")] = '\0';
    if (out->boot[0] == '\0')
        (void)snprintf(out->boot, sizeof out->boot, "-");
}

bool dt_process_is_visible(const dt_process *process)
{
    dt_process self;
    dt_process_self(&self);
    return strcmp(process->boot, "-") != 0 && strcmp(process->boot, self.boot) == 0 &&
           process->pid_space != 0 && process->pid_space == self.pid_space;
}

bool dt_process_is_dead(const dt_process *process)
{
    if (kill((pid_t)process->pid, 0) != 0 && errno == ESRCH)
        return true;
    const uint64_t started = read_started(process->pid);
    return (started != 0 && process->started != 0 && started != process->started) ||
           dt_process_is_zombie(process->pid);
}
