#include "dtrain/run/csv_log.h"

#include "dtrain/base/fault.h"
#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_BYTES = 512 };

struct dt_csv_log {
    FILE *file;
    char *path;
    const dt_task *task;
    bool validation;
    bool made; /* it was not there before */
    bool begun; /* the header is written */
    int error; /* the first errno */
};

/* Flushes the caller's output to the file; log->error is set if that fails. */
static void note(dt_csv_log *log, bool good)
{
    if (good || log->error != 0)
        return;
    log->error = errno != 0 ? errno : EIO;
    dt_log_warn("%s: %s; training continues", log->path, strerror(log->error));
}

/* One write per line, so that readers of the file see whole lines, even after a kill. */
static void write_line(dt_csv_log *log, const char *line)
{
    errno = 0;
    note(log, !dt_fault("write") && fputs(line, log->file) >= 0 && fflush(log->file) == 0);
}

/* The next metric of the task in the order of names, as in Keras; NULL: none. */
static const dt_metric *next_metric(const dt_task *task, bool validation, const dt_metric *after)
{
    const dt_metric *next = NULL;
    const size_t count = task->metric_count + (validation ? task->monitored_count : 0);
    for (size_t i = 0; i < count; i++) {
        const dt_metric *m = &task->metrics[i];
        if ((after == NULL || strcmp(m->name, after->name) > 0) &&
            (next == NULL || strcmp(m->name, next->name) < 0))
            next = m;
    }
    return next;
}

__attribute__((format(printf, 2, 3))) static void append(char line[LINE_BYTES], const char *format,
                                                         ...)
{
    const size_t used = strlen(line);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line + used, LINE_BYTES - used, format, arguments);
    va_end(arguments);
}

/* An older file is cut only now, because the run could still have been refused before. */
static void begin(dt_csv_log *log)
{
    log->begun = true;
    (void)!ftruncate(fileno(log->file), 0); /* a device cannot be cut */
    char line[LINE_BYTES] = "epoch";
    for (int v = 0; v < (log->validation ? 2 : 1); v++)
        for (const dt_metric *m = NULL; (m = next_metric(log->task, v == 1, m)) != NULL;)
            append(line, "%s%s", v == 1 ? ",val_" : ",", m->name);
    append(line, "\n");
    write_line(log, line);
}

/* O_NONBLOCK: a pipe is refused below, where open would wait for its reader. */
DT_MUST_USE static dt_status open_file(dt_csv_log *log)
{
    struct stat found;
    const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK;
    int fd = dt_fault("open") ? -1 : open(log->path, flags | O_EXCL, 0666);
    log->made = fd >= 0;
    if (fd < 0 && errno == EEXIST)
        fd = open(log->path, flags, 0666);
    if (fd < 0 && errno != ENXIO)
        return dt_fail(DT_OUTPUT, "%s: cannot write: %s", log->path, strerror(errno));
    if (fd < 0 || fstat(fd, &found) != 0 || (!S_ISREG(found.st_mode) && !S_ISCHR(found.st_mode))) {
        if (fd >= 0)
            (void)close(fd);
        return dt_fail(DT_OUTPUT, "%s: is not a file that lines can be written to", log->path);
    }
    log->file = fdopen(fd, "w");
    if (log->file == NULL) {
        (void)close(fd);
        return dt_fail(DT_OUTPUT, "%s: cannot write: %s", log->path, strerror(errno));
    }
    return DT_OK;
}

dt_status dt_csv_log_open(dt_csv_log **out, const char *path, const dt_task *task, bool validation)
{
    dt_status status = DT_OK;
    dt_csv_log *log = NULL;
    *out = NULL;
    DT_TRY(dt_memory_alloc(&log, 1, sizeof *log, "CSV log"));
    log->task = task;
    log->validation = validation;
    DT_TRY(dt_file_resolve(&log->path, path));
    DT_TRY(open_file(log));
    *out = log;
    log = NULL;
out:
    if (log != NULL) {
        dt_memory_free(log->path);
        dt_memory_free(log);
    }
    return status;
}

/* The fewest digits that restore the double, as Python prints it. */
static const char *shortest(char out[32], double value)
{
    for (int digits = 1; digits <= 17; digits++) {
        (void)snprintf(out, 32, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            break;
    }
    return out;
}

void dt_csv_log_add_epoch(dt_csv_log *log, const dt_epoch *epoch)
{
    const dt_metrics *const parts[] = {&epoch->train, &epoch->validation};
    char line[LINE_BYTES] = "", number[32];
    if (!log->begun)
        begin(log);
    append(line, "%lld", (long long)epoch->epoch - 1);
    for (int v = 0; v < (log->validation ? 2 : 1); v++)
        for (const dt_metric *m = NULL; (m = next_metric(log->task, v == 1, m)) != NULL;)
            append(line, ",%s", shortest(number, dt_metric_value(parts[v], m)));
    append(line, "\n");
    write_line(log, line);
}

dt_status dt_csv_log_close(dt_csv_log *log)
{
    dt_status status = DT_OK;
    if (log == NULL)
        return DT_OK;
    errno = 0;
    note(log, fclose(log->file) == 0 && !dt_fault("write"));
    if (log->made && !log->begun)
        (void)unlink(log->path);
    if (log->error != 0)
        status = dt_fail(DT_OUTPUT, "%s: not all epochs could be written: %s", log->path,
                         strerror(log->error));
    dt_memory_free(log->path);
    dt_memory_free(log);
    return status;
}
