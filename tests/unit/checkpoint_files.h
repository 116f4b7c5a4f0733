#ifndef DTRAIN_TESTS_CHECKPOINT_FILES_H
#define DTRAIN_TESTS_CHECKPOINT_FILES_H

/** Checkpoints that are written and read by the code under test. To be included after cmocka.h. */

#include "checkpoint_fixture.h"
#include "h5_files.h"

/** The scratch folder, as the one that a run's results are in. */
static char folder[256];

static inline int checkpoint_begin(void **state)
{
    const int failed = scratch_make(state);
    (void)snprintf(folder, sizeof folder, "%s", scratch_folder);
    return failed;
}

static inline kept *make(size_t P, int64_t epochs)
{
    kept *k = kept_make(P, epochs);
    assert_non_null(k);
    return k;
}

/* Saves it as the checkpoint of the folder, and returns that one's path. */
static inline const char *save(const kept *k)
{
    static char path[512];
    (void)dt_checkpoint_path(path, sizeof path, folder);
    assert_ok(kept_save(k, path));
    return path;
}

static inline dt_status read_back(dt_checkpoint *out, size_t P)
{
    dt_h5 *h5 = NULL;
    *out = (dt_checkpoint){0};
    dt_status status = dt_checkpoint_open(&h5, folder);
    if (status == DT_OK)
        status = dt_checkpoint_read(out, h5, "the file", P);
    dt_h5_free(h5);
    return status;
}

/* After a failure there is nothing to clear. */
#define assert_refused(P, ...)                                                                     \
    do {                                                                                           \
        dt_checkpoint refused_, zeroed_;                                                           \
        assert_data(read_back(&refused_, (P)), __VA_ARGS__);                                       \
        memset(&zeroed_, 0, sizeof zeroed_);                                                       \
        assert_memory_equal(&refused_, &zeroed_, sizeof zeroed_);                                  \
    } while (0)

#endif
