#include "dtrain/base/memory.h"

#include "dtrain/base/fault.h"
#include "dtrain/base/memory_limits.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Blocks from this size on are checked against the available memory: Linux reserves more address
 * space than there is memory, and kills the process later. */
enum { LARGE_BYTES = 64 << 20, HUGE_PAGE_BYTES = 2 << 20 };

static size_t host_available(void)
{
    size_t available = SIZE_MAX;
    char line[128];
    FILE *file = fopen("/proc/meminfo", "r");
    if (file == NULL)
        return available;
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "MemAvailable:", 13) == 0)
            available = (size_t)strtoull(line + 13, NULL, 10) * 1024;
    (void)fclose(file);
    return available;
}

size_t dt_memory_available(void)
{
    const size_t host = host_available(), group = dt_memory_group_available("");
    return host < group ? host : group;
}

dt_status dt_memory_alloc(void *out, size_t count, size_t size, const char *what)
{
    void *block = NULL;
    memcpy(out, &block, sizeof block); /* out is the address of a pointer of unknown type */
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - DT_MEMORY_ALIGNMENT)
        return dt_fail(DT_MEMORY, "%s: %zu elements of %zu bytes are more than memory can hold",
                       what, count, size);
    bytes = (bytes + DT_MEMORY_ALIGNMENT) & ~(size_t)(DT_MEMORY_ALIGNMENT - 1);
    const size_t alignment = bytes < HUGE_PAGE_BYTES ? DT_MEMORY_ALIGNMENT : HUGE_PAGE_BYTES;
    if (!dt_fault("allocate") && (bytes < LARGE_BYTES || bytes <= dt_memory_available()))
        (void)posix_memalign(&block, alignment, bytes); /* block stays NULL when it fails */
    if (block == NULL)
        return dt_fail(DT_MEMORY, "%s: no memory for %.6g MiB", what, (double)bytes / (1 << 20));
    /* Large pages speed up address translation in products over large matrices and in messages; on
     * a system without them the call fails, which is harmless. */
    if (bytes >= HUGE_PAGE_BYTES)
        (void)madvise(block, bytes, MADV_HUGEPAGE);
    memset(block, 0, bytes);
    memcpy(out, &block, sizeof block);
    return DT_OK;
}

dt_status dt_memory_grow(void *block, size_t old_count, size_t count, size_t size, const char *what)
{
    void *old = NULL;
    void *grown = NULL;
    memcpy(&old, block, sizeof old);
    dt_status status = dt_memory_alloc(&grown, count, size, what);
    if (status != DT_OK)
        return status;
    if (old != NULL && old_count > 0)
        memcpy(grown, old, (old_count < count ? old_count : count) * size);
    dt_memory_free(old);
    memcpy(block, &grown, sizeof grown);
    return DT_OK;
}

dt_status dt_memory_check(double bytes, int ranks, const char *what, const char *advice)
{
    const double mebibyte = 1 << 20;
    const double host = (double)host_available();
    const double group = (double)dt_memory_group_available("");
    const double available = host < group ? host : group;
    const char *limit = NULL;
    const double own = (double)dt_memory_process_available(&limit);
    if (bytes > available)
        return dt_fail(DT_MEMORY,
                       "no memory for %s: %d rank%s of a host need%s %.0f MiB, and %s %.0f MiB "
                       "available; %s",
                       what, ranks, ranks == 1 ? "" : "s", ranks == 1 ? "s" : "", bytes / mebibyte,
                       host < group ? "it has" : "the limit of the job or container leaves",
                       available / mebibyte, advice);
    if (bytes / ranks > own)
        return dt_fail(DT_MEMORY,
                       "no memory for %s: each rank needs %.0f MiB, and %s leaves it %.0f MiB; "
                       "raise that limit, or %s",
                       what, bytes / ranks / mebibyte, limit, own / mebibyte, advice);
    return DT_OK;
}

dt_status dt_memory_probe(size_t bytes, const char *what)
{
    void *block = dt_fault("allocate") ? NULL : malloc(bytes);
    if (block == NULL)
        return dt_fail(DT_MEMORY, "%s: no memory for %.6g MiB", what, (double)bytes / (1 << 20));
    free(block);
    return DT_OK;
}

void dt_memory_free(void *block)
{
    free(block);
}

void dt_memory_free_texts(char **texts, size_t count)
{
    for (size_t i = 0; texts != NULL && i < count; i++)
        dt_memory_free(texts[i]);
    dt_memory_free(texts);
}

dt_status dt_memory_copy_text(char **out, const char *text)
{
    size_t bytes = strlen(text) + 1;
    dt_status status = dt_memory_alloc(out, bytes, 1, "text");
    if (status == DT_OK)
        memcpy(*out, text, bytes);
    return status;
}
