#include "dtrain/base/memory_limits.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- control groups ---- */

typedef struct version {
    const char *mounts[2]; /* where systemd, Docker and Slurm all have them */
    const char *limit, *usage;
    const char *inactive_file, *active_file; /* lines of memory.stat, children included */
} version;

static const version one = {{"/sys/fs/cgroup/memory", NULL},
                            "memory.limit_in_bytes",
                            "memory.usage_in_bytes",
                            "total_inactive_file ",
                            "total_active_file "};
static const version two = {{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"},
                            "memory.max",
                            "memory.current",
                            "inactive_file ",
                            "active_file "};

static FILE *open_in(const char *folder, const char *name)
{
    char path[PATH_MAX];
    const int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    return length > 0 && (size_t)length < sizeof path ? fopen(path, "r") : NULL;
}

/* The number in a file of a group. False for "max", and without the file. */
static bool read_number(size_t *out, const char *folder, const char *name)
{
    char line[64] = "";
    FILE *file = open_in(folder, name);
    if (file == NULL)
        return false;
    const bool found = fgets(line, sizeof line, file) != NULL && line[0] >= '0' && line[0] <= '9';
    (void)fclose(file);
    *out = (size_t)strtoull(line, NULL, 10);
    return found;
}

static size_t pages_of_files(const char *folder, const version *v)
{
    char line[128];
    size_t bytes = 0;
    FILE *file = open_in(folder, "memory.stat");
    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) != NULL) {
        const char *const names[] = {v->inactive_file, v->active_file};
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (strncmp(line, names[i], strlen(names[i])) == 0)
                bytes += (size_t)strtoull(line + strlen(names[i]), NULL, 10);
    }
    (void)fclose(file);
    return bytes;
}

static size_t group_room(const char *folder, const version *v)
{
    size_t limit = 0, usage = 0;
    if (!read_number(&limit, folder, v->limit) || !read_number(&usage, folder, v->usage))
        return SIZE_MAX;
    const size_t dropped = pages_of_files(folder, v);
    usage = usage > dropped ? usage - dropped : 0;
    return limit > usage ? limit - usage : 0;
}

/* The least room from the group `path` up to the mount itself. In a container the path may be that
 * of the host, which does not exist there: then the mount is the container's own group. */
static size_t room_on_path(const char *root, const char *mount, const char *path, const version *v)
{
    char folder[PATH_MAX];
    const int base = snprintf(folder, sizeof folder, "%s%s", root, mount);
    size_t least = SIZE_MAX;
    if (base <= 0 || (size_t)base + strlen(path) >= sizeof folder)
        return least;
    if (strstr(path, "/..") == NULL) /* a path of another name space is not below the mount */
        memcpy(folder + base, path, strlen(path) + 1);
    for (;;) {
        const size_t room = group_room(folder, v);
        least = room < least ? room : least;
        char *end = strrchr(folder + base, '/');
        if (end == NULL)
            return least;
        *end = '\0';
    }
}

static bool names_memory(const char *controllers)
{
    static const char memory[] = "memory";
    for (const char *at = controllers; *at != '\0'; at += strcspn(at, ","), at += *at == ',')
        if (strcspn(at, ",") == sizeof memory - 1 && strncmp(at, memory, sizeof memory - 1) == 0)
            return true;
    return false;
}

size_t dt_memory_group_available(const char *root)
{
    char line[PATH_MAX];
    size_t least = SIZE_MAX;
    FILE *file = open_in(root, "proc/self/cgroup");
    if (file == NULL)
        return least;
    while (fgets(line, sizeof line, file) != NULL) { /* "4:cpu,memory:/job" or "0::/job" */
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (path == NULL)
            continue;
        *controllers++ = '\0';
        *path++ = '\0';
        const version *v = controllers[0] == '\0' ? &two : names_memory(controllers) ? &one : NULL;
        for (size_t i = 0; v != NULL && i < 2 && v->mounts[i] != NULL; i++) {
            const size_t room = room_on_path(root, v->mounts[i], path, v);
            least = room < least ? room : least;
        }
    }
    (void)fclose(file);
    return least;
}

/* ---- ulimit ---- */

size_t dt_memory_process_available(const char **limit)
{
    static const struct {
        int resource;
        int field; /* of /proc/self/statm, in pages */
        const char *name;
    } limits[] = {{RLIMIT_AS, 0, "ulimit -v"}, {RLIMIT_DATA, 5, "ulimit -d"}};
    unsigned long long pages[6] = {0};
    const size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    size_t least = SIZE_MAX;
    char line[256] = "";
    *limit = "";
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL)
        return least;
    char *at = fgets(line, sizeof line, file);
    (void)fclose(file);
    for (size_t i = 0; at != NULL && i < sizeof pages / sizeof *pages; i++)
        pages[i] = strtoull(at, &at, 10);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct rlimit bound;
        if (getrlimit(limits[i].resource, &bound) != 0 || bound.rlim_cur == RLIM_INFINITY)
            continue;
        const size_t used = (size_t)pages[limits[i].field] * page_bytes;
        const size_t room = bound.rlim_cur > used ? (size_t)bound.rlim_cur - used : 0;
        if (room < least) {
            least = room;
            *limit = limits[i].name;
        }
    }
    return least;
}
