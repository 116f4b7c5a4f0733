#ifndef DTRAIN_TESTS_ONE_RANK_H
#define DTRAIN_TESTS_ONE_RANK_H

#include "dtrain/comm/comm.h"

/** Returns a communicator of one rank, without MPI. one_rank.c defines the calls that the trainer
 * makes on it. */
const dt_comm *one_rank(void);

#endif
