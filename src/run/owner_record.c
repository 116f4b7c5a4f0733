#include "owner_internal.h"

#include "dtrain/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Without blanks, slashes and control characters: it becomes part of the file, of a name or of a
 * message. */
static void copy_word(char *out, size_t bytes, const char *text)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-";
    const size_t length = text != NULL ? strlen(text) : 0;
    const bool usable = length > 0 && length < bytes && text[strspn(text, plain)] == '\0';
    (void)snprintf(out, bytes, "%.*s", (int)bytes - 1, usable ? text : "-");
}

void dt_owner_describe(dt_owner_record *out)
{
    static unsigned count; /* of this process: --restarts owns folders in a folder */
    char host[sizeof out->host];
    const char *restart = getenv("SLURM_RESTART_COUNT");
    struct timespec now;
    *out = (dt_owner_record){.is_whole = true};
    if (gethostname(host, sizeof host) != 0)
        host[0] = '\0';
    host[sizeof host - 1] = '\0';
    copy_word(out->host, sizeof out->host, host);
    copy_word(out->job, sizeof out->job, getenv("SLURM_JOB_ID"));
    out->restart = restart != NULL ? strtoll(restart, NULL, 10) : 0;
    dt_clock_utc(out->since, sizeof out->since, DT_CLOCK_ISO);
    dt_process_self(&out->process);
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)snprintf(out->token, sizeof out->token, "%.8s-%llx-%llx-%u", out->process.boot,
                   (long long)out->process.pid,
                   (unsigned long long)now.tv_sec * 1000000000ULL + (unsigned long long)now.tv_nsec,
                   ++count);
    (void)snprintf(out->text, sizeof out->text,
                   "host %s\npid %lld\nsince %s\njob %s\nrestart %lld\nboot %s\npid_space %" PRIu64
                   "\nstarted %" PRIu64 "\ntoken %s\n",
                   out->host, (long long)out->process.pid, out->since, out->job, out->restart,
                   out->process.boot, out->process.pid_space, out->process.started, out->token);
}

/* The value of a line that begins with `key`, cut at `bytes`; "" if there is none. */
static void find(char *out, size_t bytes, const char *text, const char *key)
{
    const size_t length = strlen(key);
    out[0] = '\0';
    for (const char *at = text; at != NULL && out[0] == '\0';) {
        if (strncmp(at, key, length) == 0 && at[length] == ' ')
            (void)snprintf(out, bytes, "%.*s", (int)strcspn(at + length + 1, "\n"),
                           at + length + 1);
        at = strchr(at, '\n');
        at = at != NULL ? at + 1 : NULL;
    }
}

static uint64_t find_number(const char *text, const char *key)
{
    char digits[24];
    find(digits, sizeof digits, text, key);
    return strtoull(digits, NULL, 10);
}

static void find_word(char *out, size_t bytes, const char *text, const char *key)
{
    char word[128];
    find(word, sizeof word, text, key);
    copy_word(out, bytes, word);
}

/* The token comes last: with a whole line of it, nothing is missing. */
static void parse(dt_owner_record *r)
{
    const size_t length = strlen(r->text);
    find_word(r->host, sizeof r->host, r->text, "host");
    find_word(r->since, sizeof r->since, r->text, "since");
    find_word(r->job, sizeof r->job, r->text, "job");
    find_word(r->process.boot, sizeof r->process.boot, r->text, "boot");
    find_word(r->token, sizeof r->token, r->text, "token");
    r->restart = (long long)find_number(r->text, "restart");
    r->process.pid = (int64_t)find_number(r->text, "pid");
    r->process.pid_space = find_number(r->text, "pid_space");
    r->process.started = find_number(r->text, "started");
    r->is_whole = r->process.pid > 0 && strcmp(r->token, "-") != 0 && r->text[length - 1] == '\n';
}

int dt_owner_read(dt_owner_record *out, const char *path)
{
    struct stat found;
    *out = (dt_owner_record){.is_whole = false};
    /* A new look at the file: on NFS open asks the server again, where stat need not. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return ENOENT;
    const bool known = fd >= 0 ? fstat(fd, &found) == 0 : lstat(path, &found) == 0;
    const int error = errno;
    if (known && fd >= 0 && S_ISREG(found.st_mode)) {
        const ssize_t length = read(fd, out->text, sizeof out->text - 1);
        out->text[length > 0 ? length : 0] = '\0';
        parse(out);
    }
    if (known)
        out->renewed = found.st_mtim;
    if (fd >= 0)
        (void)close(fd);
    return known ? 0 : error;
}

/* How long ago the file was renewed, by the clock of the file system: that of a file made now. */
static double age_of(const dt_owner_record *owner, const dt_owner_record *self, const char *folder)
{
    char path[4096];
    struct stat made;
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* of a folder that only can be read */
    const int length = snprintf(path, sizeof path, "%s/owner-now-%s", folder, self->token);
    const bool fits = length > 0 && (size_t)length < sizeof path;
    const int fd =
        fits ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666) : -1;
    if (fd >= 0) {
        if (fstat(fd, &made) == 0)
            now = made.st_mtim;
        (void)close(fd);
        (void)unlink(path);
    }
    const double age_s = (double)(now.tv_sec - owner->renewed.tv_sec) +
                         1e-9 * (double)(now.tv_nsec - owner->renewed.tv_nsec);
    return age_s > 0.0 ? age_s : 0.0;
}

dt_owner_verdict dt_owner_judge(const dt_owner_record *owner, const dt_owner_record *self,
                                const char *folder, double stall_s, double *age_s)
{
    *age_s = -1.0;
    if (owner->is_whole && dt_process_is_visible(&owner->process))
        return dt_process_is_dead(&owner->process) ? DT_OWNER_DIED : DT_OWNER_LIVES;
    if (owner->is_whole && strcmp(owner->job, "-") != 0 && strcmp(owner->job, self->job) == 0 &&
        owner->restart < self->restart)
        return DT_OWNER_DIED;
    *age_s = age_of(owner, self, folder);
    return stall_s > 0.0 && *age_s >= stall_s ? DT_OWNER_SILENT : DT_OWNER_LIVES;
}

const char *dt_owner_name(char *out, size_t bytes, const dt_owner_record *owner)
{
    if (!owner->is_whole)
        (void)snprintf(out, bytes, "a run that its file does not name");
    else
        (void)snprintf(out, bytes, "pid %lld on %s (since %s%s%s)", (long long)owner->process.pid,
                       owner->host, owner->since, strcmp(owner->job, "-") != 0 ? ", job " : "",
                       strcmp(owner->job, "-") != 0 ? owner->job : "");
    return out;
}
