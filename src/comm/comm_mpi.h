#ifndef DTRAIN_COMM_COMM_MPI_H
#define DTRAIN_COMM_COMM_MPI_H

/* What the files of comm/ know of a dt_comm, and nobody else. */

#include "dtrain/comm/comm.h"

#include <mpi.h>

struct dt_comm {
    MPI_Comm comm;
    int rank, size;
};

#endif
