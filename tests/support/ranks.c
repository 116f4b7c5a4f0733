#include "ranks.h"

#include "scratch_folder.h"

const dt_launch one_host = {
    .host = "this host", .host_count = 1, .host_size = 1, .host_cpus = 1, .crowded = true};

dt_comm ranks_all(void)
{
    return (dt_comm){.comm = MPI_COMM_WORLD, .rank = test_rank, .size = test_size};
}

dt_comm ranks_alone(void)
{
    return (dt_comm){.comm = MPI_COMM_SELF, .rank = 0, .size = 1};
}

int ranks_make_folder(void **state)
{
    int failed = test_rank == 0 ? scratch_make(state) : 0;
    dt_mpi_bcast(&failed, 1, MPI_INT, 0, MPI_COMM_WORLD);
    dt_mpi_bcast(scratch_folder, sizeof scratch_folder, MPI_CHAR, 0, MPI_COMM_WORLD);
    return failed;
}

int ranks_remove_folder(void **state)
{
    dt_mpi_barrier(MPI_COMM_WORLD);
    return test_rank == 0 ? scratch_remove(state) : 0;
}
