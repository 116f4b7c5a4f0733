#ifndef DTRAIN_COMM_COMM_INTERNAL_H
#define DTRAIN_COMM_COMM_INTERNAL_H

/* The members of a dt_comm, private to the files of comm/. This header includes neither the launch
 * nor the watchdog: both include it, and job.c is above both. */

#include "dtrain/comm/comm.h"

#include <mpi.h>
#include <stdatomic.h>

/* MPI counts are int: longer messages are sent in pieces of this many elements. */
enum { DT_MPI_PIECE = 1 << 28 };

_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2,
               "atomics with a lock are not shared between processes");

enum { DT_SLOT_BYTES = 64 };

/* The state of one rank, which only this rank writes. All members except `ended` are read and
 * written in relaxed order, because they are independent. */
typedef struct dt_slot {
    _Alignas(DT_SLOT_BYTES) atomic_int rank; /* in the job */
    atomic_int pid;
    atomic_int place; /* dt_place */
    atomic_int ended; /* in dt_job_end, as it should */
    atomic_ullong pid_space; /* its namespace of process ids; 0: not known */
    atomic_llong epoch;
    atomic_ullong step;
    atomic_ullong calls; /* collectives entered and left: odd within one */
    atomic_ullong heartbeat; /* of its watchdog */
} dt_slot;

_Static_assert(sizeof(dt_slot) == DT_SLOT_BYTES, "a slot is a cache line of its own");

/* Mark that the own rank starts, and stops, to wait for others. */
static inline void dt_slot_turn(dt_slot *slot)
{
    /* One writer: no need for a locked addition. */
    if (slot != NULL)
        atomic_store_explicit(&slot->calls,
                              atomic_load_explicit(&slot->calls, memory_order_relaxed) + 1,
                              memory_order_relaxed);
}

struct dt_comm {
    MPI_Comm comm;
    int rank, size;
    struct dt_watchdog *watchdog; /* NULL: no watchdog */
    dt_slot *slot; /* of this rank; NULL: no watchdog */
};

#endif
