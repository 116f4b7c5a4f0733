#ifndef DTRAIN_COMM_EXACT_TOTAL_H
#define DTRAIN_COMM_EXACT_TOTAL_H

#include "dtrain/base/exact_total.h"
#include "dtrain/comm/comm.h"

#include <stddef.h>

/**
 * Adds each of `count` totals over the ranks, in place.
 *
 * Calls:   collective; the same on all ranks: count
 * Cost:    an all-reduce of 16 KiB for every 512 totals
 */
void dt_exact_total_sum(const dt_comm *comm, dt_exact_total *totals, size_t count);

#endif
