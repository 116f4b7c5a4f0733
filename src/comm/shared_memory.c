#define _GNU_SOURCE /* mkostemp */

#include "shared_memory.h"
#include "waiting.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

enum { PATH_BYTES = 32 };

/* What rank 0 shows the others. The file begins with a page that has the number: proof that a rank
 * has opened this file. */
typedef struct made {
    uint64_t number;
    char path[PATH_BYTES];
} made;

size_t dt_shared_pages(size_t bytes)
{
    return (bytes + DT_SHARED_PAGE - 1) / DT_SHARED_PAGE * DT_SHARED_PAGE;
}

static int create_file(made *out, bool anywhere)
{
    static const char *const folders[] = {"/dev/shm", "/tmp"};
    for (size_t i = 0; i < (anywhere ? 2 : 1); i++) {
        (void)snprintf(out->path, PATH_BYTES, "%s/dtrain.XXXXXX", folders[i]);
        const int fd = mkostemp(out->path, O_CLOEXEC);
        if (fd < 0)
            continue;
        out->number = ((uint64_t)getpid() << 32) ^ (uint64_t)(uintptr_t)out;
        if (pwrite(fd, &out->number, sizeof out->number, 0) == (ssize_t)sizeof out->number)
            return fd;
        (void)close(fd);
        (void)unlink(out->path);
    }
    out->path[0] = '\0';
    return -1;
}

static bool is_on_all(MPI_Comm ranks, bool here)
{
    int all = here;
    dt_mpi_allreduce(MPI_IN_PLACE, &all, 1, MPI_INT, MPI_MIN, ranks);
    return all != 0;
}

/* The same file on all ranks, without a name by now; or -1 on all. */
static int open_on_all(MPI_Comm ranks, bool anywhere)
{
    made file = {0};
    int rank = 0, fd = -1;
    uint64_t found = 0;
    MPI_Comm_rank(ranks, &rank);
    if (rank == 0)
        fd = create_file(&file, anywhere);
    dt_mpi_bcast(&file, sizeof file, MPI_BYTE, 0, ranks);
    if (rank != 0 && file.path[0] != '\0')
        fd = open(file.path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    const bool here = fd >= 0 && pread(fd, &found, sizeof found, 0) == (ssize_t)sizeof found &&
                      found == file.number;
    const bool all = is_on_all(ranks, here);
    if (rank == 0 && file.path[0] != '\0')
        (void)unlink(file.path);
    if (!all && fd >= 0)
        (void)close(fd);
    return all ? fd : -1;
}

/* In pieces: a signal makes the file system give back what it has allocated for the call. */
static bool allocate(int fd, size_t first, size_t count)
{
    enum { PIECE = 64 << 20 };
    for (size_t done = 0; done < count;) {
        const size_t piece = count - done < PIECE ? count - done : PIECE;
        const int failed = posix_fallocate(fd, (off_t)(first + done), (off_t)piece);
        if (failed != 0 && failed != EINTR)
            return false;
        done += failed == 0 ? piece : 0;
    }
    return true;
}

void *dt_shared_memory_map(MPI_Comm ranks, size_t bytes, const dt_shared_range *own,
                           size_t own_count, bool anywhere)
{
    const int fd = open_on_all(ranks, anywhere);
    if (fd < 0)
        return NULL;
    bool here = true;
    for (size_t i = 0; i < own_count && here; i++)
        here = allocate(fd, DT_SHARED_PAGE + own[i].first, own[i].count);
    void *memory = MAP_FAILED;
    if (here)
        memory = mmap(NULL, DT_SHARED_PAGE + bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    here = memory != MAP_FAILED;
    if (is_on_all(ranks, here))
        return (char *)memory + DT_SHARED_PAGE;
    if (here)
        (void)munmap(memory, DT_SHARED_PAGE + bytes);
    return NULL;
}

void dt_shared_memory_unmap(void *memory, size_t bytes)
{
    if (memory != NULL)
        (void)munmap((char *)memory - DT_SHARED_PAGE, DT_SHARED_PAGE + bytes);
}
