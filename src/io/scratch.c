#include "dtrain/io/scratch.h"

#include "dtrain/base/fault.h"
#include "dtrain/base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct dt_scratch {
    FILE *file;
    char *folder;
};

static dt_status fail(const dt_scratch *scratch, const char *what)
{
    const int error = errno;
    return dt_fail(DT_OUTPUT, "%s: cannot %s a temporary file: %s", scratch->folder, what,
                   error != 0 ? strerror(error) : "unknown error");
}

dt_status dt_scratch_open(dt_scratch **out, const char *folder)
{
    enum { SUFFIX_BYTES = 32 };
    dt_status status = DT_OK;
    dt_scratch *scratch = NULL;
    char *path = NULL;
    const size_t bytes = strlen(folder) + SUFFIX_BYTES;
    *out = NULL;
    DT_TRY(dt_memory_alloc(&scratch, 1, sizeof *scratch, "temporary file"));
    DT_TRY(dt_memory_copy_text(&scratch->folder, folder));
    DT_TRY(dt_memory_alloc(&path, bytes, 1, "file name"));
    /* A file of this name exists only if a process with this id died between the next two calls. */
    (void)snprintf(path, bytes, "%s/rows.%lld.tmp", folder, (long long)getpid());
    (void)unlink(path);
    scratch->file = dt_fault("open") ? NULL : fopen(path, "w+xe");
    if (scratch->file == NULL)
        DT_TRY(fail(scratch, "create"));
    (void)unlink(path);
    *out = scratch;
    scratch = NULL;
out:
    dt_memory_free(path);
    dt_scratch_close(scratch);
    return status;
}

dt_status dt_scratch_write(dt_scratch *scratch, const void *data, size_t bytes)
{
    errno = 0;
    if (dt_fault("write") || fwrite(data, 1, bytes, scratch->file) != bytes)
        return fail(scratch, "write");
    return DT_OK;
}

dt_status dt_scratch_rewind(dt_scratch *scratch)
{
    errno = 0;
    if (fflush(scratch->file) != 0 || fseek(scratch->file, 0, SEEK_SET) != 0)
        return fail(scratch, "write");
    return DT_OK;
}

dt_status dt_scratch_read(dt_scratch *scratch, void *data, size_t bytes, size_t *got)
{
    errno = 0;
    *got = dt_fault("read") ? 0 : fread(data, 1, bytes, scratch->file);
    return *got < bytes && (errno != 0 || ferror(scratch->file)) ? fail(scratch, "read") : DT_OK;
}

void dt_scratch_close(dt_scratch *scratch)
{
    if (scratch == NULL)
        return;
    if (scratch->file != NULL)
        (void)fclose(scratch->file);
    dt_memory_free(scratch->folder);
    dt_memory_free(scratch);
}
