#include "checkpoint_files.h"

#include "scratch_folder.h"

kept *checkpoint_make(size_t P, int64_t epochs)
{
    kept *k = kept_make(P, epochs);
    assert_non_null(k);
    return k;
}

const char *checkpoint_save(const kept *k)
{
    static char path[512];
    (void)dt_checkpoint_path(path, sizeof path, scratch_folder);
    assert_ok(kept_save(k, path));
    return path;
}

dt_status checkpoint_read_back(dt_checkpoint *out, size_t P)
{
    dt_h5 *h5 = NULL;
    *out = (dt_checkpoint){0};
    dt_status status = dt_checkpoint_open(&h5, scratch_folder);
    if (status == DT_OK)
        status = dt_checkpoint_read(out, h5, "the file", &dt_classification, P);
    dt_h5_free(h5);
    return status;
}
