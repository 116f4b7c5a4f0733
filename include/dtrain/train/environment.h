#ifndef DTRAIN_TRAIN_ENVIRONMENT_H
#define DTRAIN_TRAIN_ENVIRONMENT_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"
#include "dtrain/comm/launch.h"

/** Where and with what a run ran. */
typedef struct dt_environment {
    dt_launch launch;
    int ranks, threads;
    char (*hosts)[DT_HOST_BYTES]; /* [ranks]: rank 0's copy and everybody's */
    char cpu[128]; /* this rank's CPU model */
    const char *blas, *kernels; /* "OpenBLAS 0.3.21", "SkylakeX" */
    const char *pinned_below; /* what OPENBLAS_CORETYPE keeps BLAS from using, else NULL */
} dt_environment;

/**
 * Looks at the job and sets the BLAS threads.
 *
 * Calls:   collective
 * Owns:    the caller clears
 * Errors:  DT_USAGE when the ranks' BLAS libraries are different, or picked different kernel
 *          families, or some of the CPUs alone have what our own kernels need, which would give
 *          each rank other bits; the line says what to set
 */
DT_MUST_USE dt_status dt_environment_survey(dt_environment *out, const dt_comm *comm, int threads);

/** Frees; a zeroed environment is allowed. Local. */
void dt_environment_clear(dt_environment *environment);

/** Prints the launch doctor's findings: one line for the job, warnings for what hurts. Local. */
void dt_environment_report(const dt_environment *environment);

#endif
