#define _GNU_SOURCE /* dl_iterate_phdr */

#include "launch_internal.h"

#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What a build of dtrain is known by. Its size and place on the wire stay as they are, so that each
 * version understands the others'. */
typedef struct build {
    char version[32];
    char id[41]; /* the linker's, in hexadecimal; "" where it makes none */
    char host[DT_HOST_BYTES];
} build;

_Static_assert(sizeof(build) == 32 + 41 + 72, "as in all versions");

enum { ID_SHOWN = 8 };

static size_t padded(uint32_t bytes)
{
    return ((size_t)bytes + 3) & ~(size_t)3;
}

/* Looks for the linker's mark in a segment of notes: header, name, content, each padded to 4. */
static void read_notes(char id[41], const unsigned char *note, size_t bytes)
{
    ElfW(Nhdr) head;
    while (bytes >= sizeof head) {
        memcpy(&head, note, sizeof head);
        const size_t size = sizeof head + padded(head.n_namesz) + padded(head.n_descsz);
        if (size > bytes)
            return;
        if (head.n_type == NT_GNU_BUILD_ID && head.n_namesz == 4 &&
            memcmp(note + sizeof head, "GNU", 4) == 0) {
            const unsigned char *mark = note + sizeof head + 4;
            for (uint32_t i = 0; i < head.n_descsz && i < 20; i++)
                (void)snprintf(id + (size_t)2 * i, 3, "%02x", mark[i]);
        }
        note += size;
        bytes -= size;
    }
}

static int read_program(struct dl_phdr_info *program, size_t size, void *id)
{
    (void)size;
    for (int i = 0; i < program->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &program->dlpi_phdr[i];
        if (part->p_type == PT_NOTE)
            /* An address, as the loader gives it.
             * NOLINTNEXTLINE(performance-no-int-to-ptr) */
            read_notes(id, (const unsigned char *)(program->dlpi_addr + part->p_vaddr),
                       part->p_memsz);
    }
    return 1; /* the first is the program itself: libraries do not count */
}

static dt_status compare(const build *mine, const build *first, int rank)
{
    if (strcmp(mine->version, first->version) == 0 &&
        (mine->id[0] == '\0' || first->id[0] == '\0' || strcmp(mine->id, first->id) == 0))
        return DT_OK;
    return dt_fail(DT_USAGE,
                   "rank 0 (%s) runs dtrain %s, build %.*s, but rank %d (%s) dtrain %s, build "
                   "%.*s; start the same program on all hosts",
                   first->host, first->version, ID_SHOWN, first->id, rank, mine->host,
                   mine->version, ID_SHOWN, mine->id);
}

dt_status dt_launch_check_ranks(const dt_comm *comm, dt_status status)
{
    double start_timeout_s = 0.0;
    build mine = {.version = DTRAIN_VERSION};
    (void)dl_iterate_phdr(read_program, mine.id);
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
