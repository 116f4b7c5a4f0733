#include "dtrain/comm/job.h"

#include "comm_internal.h"
#include "launch/launch_internal.h"
#include "watchdog/watchdog_internal.h"

#include "dtrain/comm/background_sum.h"

/* Not allocated: mpiexec of MPICH does not notice a rank that ends before MPI_Init, and the others
 * would wait in MPI_Init until DTRAIN_START_TIMEOUT. */
static dt_comm job_comm;

static dt_watchdog *job_watchdog; /* the job's watchdog, for an abort from anywhere */

static void abort_job(void)
{
    dt_watchdog_silence(job_watchdog); /* the reason has been reported */
    (void)MPI_Abort(MPI_COMM_WORLD, DT_INTERNAL);
}

dt_status dt_job_start(dt_comm **out)
{
    dt_status status = DT_OK;
    *out = NULL;
    DT_TRY(dt_launch_prepare());
    dt_background_sum_prepare();
    *out = &job_comm;
    const dt_status watched = dt_watch_start_begin();
    /* The watchdog's thread, and those of OpenBLAS, call no MPI. */
    int provided = MPI_THREAD_SINGLE;
    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
    dt_assert_set_hook(abort_job);
    dt_launch_hush_mpi();
    dt_watch_start_connects();
    MPI_Comm_dup(MPI_COMM_WORLD, &(*out)->comm);
    MPI_Comm_rank((*out)->comm, &(*out)->rank);
    MPI_Comm_size((*out)->comm, &(*out)->size);
    status = dt_launch_check_world((*out)->size);
    if (status == DT_OK)
        status = dt_launch_check_ranks(*out, watched);
    if (status == DT_OK) {
        status = dt_watchdog_start(&(*out)->watchdog, (*out)->comm);
        job_watchdog = (*out)->watchdog;
        (*out)->slot = dt_watchdog_slot(job_watchdog);
        status = dt_comm_agree(*out, status);
    }
    dt_watch_start_end();
    if (status != DT_OK) {
        dt_job_end(*out);
        *out = NULL;
    }
out:
    return status;
}

void dt_job_end(dt_comm *comm)
{
    dt_comm_at(comm, DT_AT_END, 0, 0);
    /* The watchdog also watches MPI_Finalize, which waits for the other ranks. */
    dt_slot_turn(comm->slot);
    MPI_Comm_free(&comm->comm);
    MPI_Finalize();
    dt_slot_turn(comm->slot);
    dt_assert_set_hook(NULL);
    job_watchdog = NULL;
    dt_watchdog_stop(comm->watchdog);
    *comm = (dt_comm){0};
}
