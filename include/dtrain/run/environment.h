#ifndef DTRAIN_RUN_ENVIRONMENT_H
#define DTRAIN_RUN_ENVIRONMENT_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"
#include "dtrain/comm/launch.h"
#include "dtrain/nn/linalg.h"

/** The hosts, the CPU and the libraries of a run. */
typedef struct dt_environment {
    dt_launch launch;
    int ranks, threads;
    char (*hosts)[DT_HOST_BYTES]; /* [ranks]: on every rank */
    char cpu[128]; /* this rank's CPU model */
    const char *blas, *kernels; /* "OpenBLAS 0.3.21", "SkylakeX" */
    const char *isa; /* of the kernels in use: "avx512", "avx2", "neon", "portable"; or "blas" */
    const char *picked; /* the family that OpenBLAS picked if dtrain chose a better one, else
                         * NULL */
    const char *pinned_below; /* the better family that OPENBLAS_CORETYPE prevents, else NULL */
} dt_environment;

/**
 * Inspects the job, chooses the kernels and sets the BLAS threads.
 *
 * Calls:   collective
 * Owns:    the caller clears
 * Errors:  DT_USAGE, as dt_linalg_choose. DT_USAGE if the ranks would get different bits: BLAS
 *          computes on some of them only, or its releases or kernel families differ. The line says
 *          what to set
 */
DT_MUST_USE dt_status dt_environment_survey(dt_environment *out, const dt_comm *comm, int threads,
                                            dt_engine engine);

/** Reads the model name of this host's CPU, "unknown" if the system does not give one. Local. */
void dt_environment_cpu(char *out, size_t bytes);

/** Frees; a zeroed environment is allowed. Local. */
void dt_environment_clear(dt_environment *environment);

/** Prints one line about the job, and warnings about slow settings. Local. */
void dt_environment_report(const dt_environment *environment);

#endif
