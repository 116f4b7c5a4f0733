/**
 * What makes dtrain-faults of dtrain: a hook that lets one call fail on one rank.
 *
 *   DTRAIN_FAULT=POINT:RANK[:NTH[+]]    the NTH call (1) at this point, and with + all later ones
 *   DTRAIN_FAULT_FIRED=FILE             is made when it happens
 *   DTRAIN_FAULT_CALLS=FILE             FILE.RANK gets a line `PLACE CALLS` of each, at the end
 *
 * allocate, open, read, write,
 * fsync, rename                 the call fails, with an errno of its kind
 * json                          an allocation of jansson fails
 * hdf5, zlib                    malloc, calloc or realloc gives nothing, when that library calls it
 * nan                           the loss of this step becomes NaN
 * signal, kill, stop, exit      at the NTH step: SIGTERM, SIGKILL, SIGSTOP, _exit(0)
 * slow                          the step takes 2 ms longer
 */
#define _GNU_SOURCE /* dl_iterate_phdr */

#include "dtrain/base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct point {
    const char *name;
    const char *place; /* what dt_fault is called with */
    int error;
    int signal;
} point;

static const point points[] = {
    {"allocate", "allocate", ENOMEM, 0},
    {"open", "open", EACCES, 0},
    {"read", "read", EIO, 0},
    {"write", "write", ENOSPC, 0},
    {"fsync", "fsync", EIO, 0},
    {"rename", "rename", EIO, 0},
    {"hdf5", "hdf5", ENOMEM, 0},
    {"json", "json", ENOMEM, 0},
    {"zlib", "zlib", ENOMEM, 0},
    {"nan", "nan", 0, 0},
    {"signal", "step", 0, SIGTERM},
    {"kill", "step", 0, SIGKILL},
    {"stop", "step", 0, SIGSTOP},
    {"exit", "step", 0, 0},
    {"slow", "step", 0, 0},
};
enum { POINTS = sizeof points / sizeof *points };

static const point *chosen;
static long wanted;
static bool and_later;
static atomic_long calls[POINTS]; /* by the first point of a place; threads allocate, too */

static void tell_fired(void)
{
    const char *path = getenv("DTRAIN_FAULT_FIRED");
    const int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd >= 0)
        (void)close(fd);
}

static bool fire(const char *place)
{
    tell_fired();
    if (chosen->signal != 0)
        (void)raise(chosen->signal);
    else if (strcmp(chosen->name, "exit") == 0)
        _exit(0);
    else if (strcmp(chosen->name, "slow") == 0)
        (void)nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    errno = chosen->error;
    return strcmp(place, "step") != 0;
}

static bool fault(const char *place)
{
    size_t at = 0;
    while (at < POINTS && strcmp(place, points[at].place) != 0)
        at++;
    if (at == POINTS) {
        fprintf(stderr, "dtrain-faults: there is no place named %s\n", place);
        _exit(2);
    }
    const long call = atomic_fetch_add(&calls[at], 1) + 1;
    if (chosen == NULL || strcmp(place, chosen->place) != 0)
        return false;
    return (call == wanted || (and_later && call > wanted)) && fire(place);
}

/* ---- allocations of libraries ---- */

/* Who asks is known by where the code lies. */
static struct library {
    const char *file, *place;
    uintptr_t begin, end;
} libraries[] = {{"/libhdf5", "hdf5", 0, 0}, {"/libz.", "zlib", 0, 0}};
enum { LIBRARIES = sizeof libraries / sizeof *libraries };

static int find_library(struct dl_phdr_info *info, size_t bytes, void *context)
{
    (void)bytes;
    (void)context;
    for (size_t i = 0; i < LIBRARIES; i++) {
        if (strstr(info->dlpi_name, libraries[i].file) == NULL ||
            strstr(info->dlpi_name, "hdf5_hl") != NULL)
            continue;
        for (int p = 0; p < info->dlpi_phnum; p++) {
            const ElfW(Phdr) *part = &info->dlpi_phdr[p];
            if (part->p_type != PT_LOAD || (part->p_flags & PF_X) == 0)
                continue;
            libraries[i].begin = (uintptr_t)info->dlpi_addr + (uintptr_t)part->p_vaddr;
            libraries[i].end = libraries[i].begin + (uintptr_t)part->p_memsz;
        }
    }
    return 0;
}

/* A sanitizer has a malloc of its own, and musl does not give its out under another name. */
#if defined __GLIBC__ && !defined __SANITIZE_ADDRESS__
static bool library_fails(const void *caller)
{
    for (size_t i = 0; dt_fault_hook != NULL && i < LIBRARIES; i++)
        if ((uintptr_t)caller >= libraries[i].begin && (uintptr_t)caller < libraries[i].end)
            return dt_fault(libraries[i].place);
    return false;
}

extern void *libc_malloc(size_t bytes) __asm__("__libc_malloc");
extern void *libc_calloc(size_t count, size_t bytes) __asm__("__libc_calloc");
extern void *libc_realloc(void *block, size_t bytes) __asm__("__libc_realloc");

void *malloc(size_t size)
{
    return library_fails(__builtin_return_address(0)) ? NULL : libc_malloc(size);
}

void *calloc(size_t nmemb, size_t size)
{
    return library_fails(__builtin_return_address(0)) ? NULL : libc_calloc(nmemb, size);
}

void *realloc(void *ptr, size_t size)
{
    return library_fails(__builtin_return_address(0)) ? NULL : libc_realloc(ptr, size);
}
#endif

/* ---- what is asked for ---- */

/* A whole number of at least `least`, which ends at *end. */
static bool read_number(long *out, long least, const char *text, char **end)
{
    *end = NULL;
    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *out = strtol(text, end, 10);
    return errno == 0 && *out >= least;
}

static bool parse(const char *text, long *rank)
{
    const size_t length = strcspn(text, ":");
    char *end = NULL;
    for (size_t i = 0; i < POINTS; i++)
        if (strlen(points[i].name) == length && strncmp(points[i].name, text, length) == 0)
            chosen = &points[i];
    if (chosen == NULL || text[length] != ':' || !read_number(rank, 0, text + length + 1, &end))
        return false;
    wanted = 1;
    if (*end == '\0')
        return true;
    if (*end != ':' || !read_number(&wanted, 1, end + 1, &end))
        return false;
    and_later = *end == '+';
    return end[and_later] == '\0';
}

static long own_rank(void)
{
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    if (rank == NULL)
        rank = getenv("PMIX_RANK");
    return rank == NULL ? 0 : strtol(rank, NULL, 10);
}

__attribute__((constructor)) static void fault_hook_install(void)
{
    const char *text = getenv("DTRAIN_FAULT");
    long rank = 0;
    if (text != NULL && !parse(text, &rank)) {
        fprintf(stderr, "dtrain-faults: DTRAIN_FAULT is '%s', expected POINT:RANK[:NTH[+]]\n",
                text);
        _exit(2);
    }
    if (rank != own_rank())
        chosen = NULL;
    (void)dl_iterate_phdr(find_library, NULL);
    if (chosen != NULL || getenv("DTRAIN_FAULT_CALLS") != NULL)
        dt_fault_hook = fault;
}

__attribute__((destructor)) static void write_calls(void)
{
    const char *path = getenv("DTRAIN_FAULT_CALLS");
    char own[4096];
    if (path == NULL)
        return;
    (void)snprintf(own, sizeof own, "%s.%ld", path, own_rank());
    FILE *file = fopen(own, "w");
    if (file == NULL)
        return;
    for (size_t i = 0; i < POINTS; i++)
        if (i == 0 || strcmp(points[i].place, points[i - 1].place) != 0)
            fprintf(file, "%s %ld\n", points[i].place, atomic_load(&calls[i]));
    (void)fclose(file);
}
