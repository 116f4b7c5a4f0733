#include "launch_internal.h"

#include "dtrain/base/crc32.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The identity of a build. Size and order of its fields never change, so that different versions of
 * dtrain can compare theirs. */
typedef struct build {
    char version[32];
    char id[41]; /* CRC-32 of the program, in hexadecimal; "" if it cannot be read */
    char host[DT_HOST_BYTES];
} build;

_Static_assert(sizeof(build) == 32 + 41 + 72, "as in all versions");

enum { READ_BYTES = 1 << 16 };

static void read_id(char id[41])
{
    unsigned char block[READ_BYTES];
    uint32_t crc = 0;
    ssize_t bytes = -1;
    const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    while ((bytes = read(fd, block, sizeof block)) > 0)
        crc = dt_crc32(crc, block, (size_t)bytes);
    (void)close(fd);
    if (bytes == 0)
        (void)snprintf(id, 41, "%08x", crc);
}

static dt_status compare(const build *mine, const build *first, int rank)
{
    if (strcmp(mine->version, first->version) == 0 &&
        (mine->id[0] == '\0' || first->id[0] == '\0' || strcmp(mine->id, first->id) == 0))
        return DT_OK;
    return dt_fail(DT_USAGE,
                   "rank 0 (%s) runs dtrain %s, build %.8s, but rank %d (%s) runs dtrain %s, build "
                   "%.8s; start the same program on all hosts",
                   first->host, first->version, first->id, rank, mine->host, mine->version,
                   mine->id);
}

dt_status dt_launch_check_ranks(const dt_comm *comm, dt_status status)
{
    double start_timeout_s = 0.0;
    build mine = {.version = DTRAIN_VERSION};
    read_id(mine.id);
    dt_launch_read_host(mine.host);
    build first = mine;
    dt_comm_broadcast(comm, &first, sizeof first);
    first.version[sizeof first.version - 1] = '\0'; /* it may come from another build */
    first.id[sizeof first.id - 1] = '\0';
    first.host[sizeof first.host - 1] = '\0';
    if (status == DT_OK)
        status = compare(&mine, &first, dt_comm_rank(comm));
    if (status == DT_OK)
        status = dt_launch_read_start_timeout(&start_timeout_s);
    return dt_comm_agree(comm, status);
}
