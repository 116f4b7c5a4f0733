#include "dtrain/comm/background_sum.h"

#include "comm_internal.h"
#include "waiting.h"

#include "dtrain/base/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* More sums at a time are not faster, and each needs memory within MPI. */
enum { WINDOW = 32 };

struct dt_background_sum {
    const dt_comm *comm;
    size_t begun; /* since the last wait */
    size_t oldest; /* the first of these that is not known to have ended */
    MPI_Request requests[WINDOW]; /* of the n-th: [n % WINDOW] */
};

/* Before 4.1.2 the ring gives wrong sums in place (open-mpi/ompi#9385), and Rabenseifner's
 * becomes a ring where there are fewer numbers than ranks; the tree, Open MPI's own choice, is
 * right. */
static bool has_good_sums(void)
{
    static const char name[] = "Open MPI v"; /* "Open MPI v4.1.4, package: ..." */
    static const long good[] = {4, 1, 2};
    char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length = 0;
    MPI_Get_library_version(text, &length); /* allowed before MPI_Init */
    if (strncmp(text, name, sizeof name - 1) != 0)
        return false;
    char *at = text + sizeof name - 1;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const long number = strtol(at, &at, 10);
        if (number != good[i])
            return number > good[i];
        at += *at == '.';
    }
    return true;
}

/*
 * Open MPI's own choice for a sum in place is a tree, whose links carry everything one way and then
 * the other. Milliseconds for 8 MiB at 250 Mbit/s, in four pieces:
 *
 *     ranks                   tree    ring   Rabenseifner   MPI_Allreduce of the whole
 *     2, one on each host      559     284            285            431
 *     3                       1120     389            845           1120
 *     4                       1399     451            471            831
 *     4, two on each host      842     435            321            492
 *
 * A ring's messages become many and small with the number of ranks.
 */
void dt_background_sum_prepare(void)
{
    enum { LONGEST_RING = 32 };
    /* In a heterogeneous job Slurm gives each part the number of its own ranks: the parts would not
     * agree. */
    if (!has_good_sums() || getenv("SLURM_HET_SIZE") != NULL || getenv("SLURM_PACK_SIZE") != NULL)
        return;
    const char *size = getenv("OMPI_COMM_WORLD_SIZE");
    if (size == NULL)
        size = getenv("SLURM_STEP_NUM_TASKS");
    const long ranks = size != NULL ? strtol(size, NULL, 10) : 0;
    const bool is_power_of_two = (ranks & (ranks - 1)) == 0;
    (void)setenv("OMPI_MCA_coll_libnbc_iallreduce_algorithm",
                 is_power_of_two || ranks > LONGEST_RING ? "3" : "1", 0);
}

dt_status dt_background_sum_new(dt_background_sum **out, const dt_comm *comm)
{
    dt_status status = dt_memory_alloc(out, 1, sizeof **out, "sums under way");
    if (status != DT_OK)
        return status;
    (*out)->comm = comm;
    for (size_t i = 0; i < WINDOW; i++)
        (*out)->requests[i] = MPI_REQUEST_NULL;
    return DT_OK;
}

void dt_background_sum_free(dt_background_sum *sum)
{
    dt_memory_free(sum);
}

static void begin(dt_background_sum *sum, void *data, int count, MPI_Datatype type)
{
    MPI_Request *request = &sum->requests[sum->begun % WINDOW];
    /* The n-th sum waits for the (n-32)th, even if that has ended: the watchdog compares how often
     * the ranks have waited, and a sum does not end at the same time on all of them. */
    if (sum->begun >= WINDOW) {
        dt_slot_turn(sum->comm->slot);
        dt_mpi_wait(request);
        dt_slot_turn(sum->comm->slot);
        sum->oldest += sum->oldest + WINDOW == sum->begun;
    }
    MPI_Iallreduce(MPI_IN_PLACE, data, count, type, MPI_SUM, sum->comm->comm, request);
    sum->begun++;
}

static void add(dt_background_sum *sum, void *data, size_t count, size_t bytes, MPI_Datatype type)
{
    for (size_t done = 0; sum->comm->size > 1 && done < count; done += DT_MPI_PIECE) {
        const size_t piece = count - done < DT_MPI_PIECE ? count - done : DT_MPI_PIECE;
        begin(sum, (char *)data + done * bytes, (int)piece, type);
    }
}

void dt_background_sum_add_i64(dt_background_sum *sum, int64_t *data, size_t count)
{
    add(sum, data, count, sizeof *data, MPI_INT64_T);
}

void dt_background_sum_add_f32(dt_background_sum *sum, float *data, size_t count)
{
    add(sum, data, count, sizeof *data, MPI_FLOAT);
}

void dt_background_sum_poll(dt_background_sum *sum)
{
    /* A test of one sum lets MPI work on all; the oldest ends first. */
    for (int ended = 1; ended != 0 && sum->oldest < sum->begun;) {
        MPI_Test(&sum->requests[sum->oldest % WINDOW], &ended, MPI_STATUS_IGNORE);
        sum->oldest += (size_t)ended;
    }
}

void dt_background_sum_wait(dt_background_sum *sum)
{
    if (sum->begun == 0)
        return;
    dt_slot_turn(sum->comm->slot);
    for (size_t i = 0; i < WINDOW; i++)
        dt_mpi_wait(&sum->requests[i]);
    dt_slot_turn(sum->comm->slot);
    sum->begun = sum->oldest = 0;
}
