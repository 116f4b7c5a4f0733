#ifndef DTRAIN_TRAIN_PHASES_H
#define DTRAIN_TRAIN_PHASES_H

/** The phases of a rank's time. */
typedef enum dt_phase {
    DT_PHASE_LOAD, /* reading and dealing the rows */
    DT_PHASE_FORWARD, /* copying a step's rows, forward pass, loss */
    DT_PHASE_BACKWARD, /* backward pass, adding the own shards, sending pieces */
    DT_PHASE_ALLREDUCE, /* adding over the ranks after that, including waiting */
    DT_PHASE_UPDATE, /* the optimizer */
    DT_PHASE_VALIDATE, /* a pass over the validation set, and the epoch's decisions */
    DT_PHASE_COUNT
} dt_phase;

/** Seconds of one rank in each phase. */
typedef struct dt_phases {
    double seconds[DT_PHASE_COUNT];
    /* Of all-reduce: waiting for the other ranks, estimated; NaN: too few steps to tell. */
    double wait_s;
} dt_phases;

/** Returns "load", "forward", "backward", "all-reduce", "update" or "validate". */
const char *dt_phase_name(dt_phase phase);

#endif
