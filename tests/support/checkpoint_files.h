#ifndef DTRAIN_TESTS_CHECKPOINT_FILES_H
#define DTRAIN_TESTS_CHECKPOINT_FILES_H

/** Writes and reads checkpoints with the code under test. For cmocka tests. */

#include "checkpoint_fixture.h"
#include "h5_files.h"
#include "same_bits.h"

/** Calls kept_make, and fails if memory is short. */
kept *checkpoint_make(size_t P, int64_t epochs);

/** Saves the run as the checkpoint of the scratch folder; returns the path. */
const char *checkpoint_save(const kept *k);

/** Opens and reads the checkpoint of the scratch folder, for a network of P parameters. */
dt_status checkpoint_read_back(dt_checkpoint *out, size_t P);

/** Fails unless reading returns DT_DATA, the status text contains all of the given texts, and the
 * result is zeroed. */
#define assert_checkpoint_refused(P, ...)                                                          \
    do {                                                                                           \
        dt_checkpoint refused_, zeroed_;                                                           \
        assert_data(checkpoint_read_back(&refused_, (P)), __VA_ARGS__);                            \
        memset(&zeroed_, 0, sizeof zeroed_);                                                       \
        assert_memory_equal(&refused_, &zeroed_, sizeof zeroed_);                                  \
    } while (0)

#endif
