#ifndef DTRAIN_TESTS_RANKS_H
#define DTRAIN_TESTS_RANKS_H

/** Communicators, and a scratch folder that all ranks share. For tests over ranks. */

#include "../../src/comm/comm_internal.h"
#include "../mpi/harness.h"
#include "dtrain/comm/launch.h"
#include "scratch_folder.h"

/** Returns a communicator over all ranks for the code under test; the harness has started MPI. */
dt_comm ranks_all(void);

/** Returns a communicator over this rank only: the rank runs the code alone. */
dt_comm ranks_alone(void);

/** Where the ranks of tests are. Waiting ranks yield: there may be more of them than CPUs. */
extern const dt_launch one_host;

/** Makes the scratch folder on rank 0 and sends its name to the others; a cmocka setup.
 * Collective. */
int ranks_make_folder(void **state);

/** Removes the folder when all ranks have finished with it; a cmocka teardown. Collective. */
int ranks_remove_folder(void **state);

/** A test with a scratch folder. */
#define with_folder(test)                                                                          \
    cmocka_unit_test_setup_teardown((test), ranks_make_folder, ranks_remove_folder)

#endif
