#include "dtrain/io/h5.h"

#include <hdf5.h>

#include "h5_internal.h"

#include "dtrain/base/memory.h"

DT_MUST_USE static dt_status open_origin(dt_h5 **out, const dt_h5_origin *origin)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    *out = NULL;
    DT_TRY(dt_h5_alloc(&h5));
    DT_TRY(dt_memory_copy_text(&h5->path, origin->path));
    DT_TRY(dt_h5_remote_open(h5, origin, dt_h5_serve));
    if (h5->remote == NULL) {
        DT_TRY(dt_h5_open_here(out, origin));
    } else {
        *out = h5;
        h5 = NULL;
    }
out:
    dt_h5_free(h5);
    return status;
}

dt_status dt_h5_open(dt_h5 **out, const char *path)
{
    dt_status status = DT_OK;
    dt_h5_origin origin = {.path = path};
    void *image = dt_h5_own_read(&origin.bytes, path);
    origin.image = image;
    *out = NULL;
    if (image != NULL) {
        DT_TRY(dt_h5_open_here(out, &origin));
    } else {
        DT_TRY(dt_h5_check_seal(path));
        DT_TRY(open_origin(out, &origin));
    }
out:
    dt_memory_free(image);
    return status;
}

dt_status dt_h5_open_image(dt_h5 **out, const void *image, size_t bytes, const char *name)
{
    const dt_h5_origin origin = {
        .path = name, .image = image != NULL ? image : "", .bytes = image != NULL ? bytes : 0};
    return open_origin(out, &origin);
}
