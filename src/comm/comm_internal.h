#ifndef DTRAIN_COMM_COMM_INTERNAL_H
#define DTRAIN_COMM_COMM_INTERNAL_H

/* What the files of comm/ know of a dt_comm, and nobody else. */

#include "dtrain/comm/comm.h"

#include "watchdog/watchdog_internal.h"

#include <mpi.h>

/* MPI counts are int: longer messages go in pieces of this many elements. */
enum { DT_MPI_PIECE = 1 << 28 };

struct dt_comm {
    MPI_Comm comm;
    int rank, size;
    dt_watchdog *watchdog; /* NULL: nobody watches */
    dt_slot *slot; /* the own one; NULL likewise */
};

#endif
