#ifndef DTRAIN_TESTS_MPI_RANKS_H
#define DTRAIN_TESTS_MPI_RANKS_H

#include "../../src/comm/comm_mpi.h"
#include "harness.h"
#include "scratch_folder.h"

/** Returns a communicator over all ranks, for code under test; the harness has started MPI. */
static inline dt_comm ranks_all(void)
{
    return (dt_comm){.comm = MPI_COMM_WORLD, .rank = test_rank, .size = test_size};
}

/** Returns a job of one rank: what a rank does with it, it does alone. */
static inline dt_comm ranks_alone(void)
{
    return (dt_comm){.comm = MPI_COMM_SELF, .rank = 0, .size = 1};
}

/** Makes the scratch folder on rank 0 and tells the others its name; a cmocka setup. */
static inline int ranks_make_folder(void **state)
{
    int failed = test_rank == 0 ? scratch_make(state) : 0;
    MPI_Bcast(&failed, 1, MPI_INT, 0, MPI_COMM_WORLD);
    MPI_Bcast(scratch_folder, sizeof scratch_folder, MPI_CHAR, 0, MPI_COMM_WORLD);
    return failed;
}

/** Removes it when all ranks are done with it; a cmocka teardown. */
static inline int ranks_remove_folder(void **state)
{
    MPI_Barrier(MPI_COMM_WORLD);
    return test_rank == 0 ? scratch_remove(state) : 0;
}

#define with_folder(test)                                                                          \
    cmocka_unit_test_setup_teardown((test), ranks_make_folder, ranks_remove_folder)

#endif
