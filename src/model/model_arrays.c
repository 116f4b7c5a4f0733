#include "model_arrays.h"

#include <inttypes.h>
#include <math.h>

unsigned dt_model_tensor_dims(const dt_tensor *tensor)
{
    return tensor->dims[1] > 0 ? 2 : 1;
}

dt_status dt_model_tensor_write(dt_h5 *h5, const char *path, const dt_tensor *tensor,
                                const float *values)
{
    const uint64_t shape[2] = {tensor->dims[0], tensor->dims[1]};
    return dt_h5_write_array(h5, path, DT_H5_F32, dt_model_tensor_dims(tensor), shape, values);
}

dt_status dt_model_arrays_count(dt_model_arrays *in, const dt_h5_shape *shape)
{
    in->stored_bytes += shape->stored_bytes;
    if (in->stored_bytes > dt_h5_bytes(in->h5))
        return dt_fail(DT_DATA, "%s: its arrays have more bytes than the file; the file is damaged",
                       in->path);
    return DT_OK;
}

bool dt_model_has_shape(const dt_h5_shape *found, unsigned dims, const uint64_t *expected)
{
    bool same = found->dims == dims;
    for (unsigned i = 0; same && i < dims; i++)
        same = found->extent[i] == expected[i];
    return same;
}

dt_status dt_model_arrays_check(dt_model_arrays *in, const char *dataset, unsigned dims,
                                const uint64_t *shape)
{
    dt_status status = DT_OK;
    dt_h5_shape found;
    DT_TRY(dt_h5_describe(&found, in->h5, dataset));
    if (found.class != DT_H5_CLASS_FLOAT || !dt_model_has_shape(&found, dims, shape))
        DT_TRY(dt_fail(DT_DATA,
                       "%s: %s does not fit the model's layers: it has %" PRIu64
                       " numbers in %u dimensions; expected %" PRIu64 " floats in %u",
                       in->path, dataset, found.count, found.dims,
                       dims == 2 ? shape[0] * shape[1] : shape[0], dims));
    DT_TRY(dt_model_arrays_count(in, &found));
out:
    return status;
}

dt_status dt_model_arrays_read(const dt_model_arrays *in, float *data, const char *dataset,
                               uint64_t count)
{
    dt_status status = DT_OK;
    DT_TRY(dt_h5_read_f32(in->h5, dataset, data, count));
    for (uint64_t i = 0; i < count; i++)
        if (!isfinite(data[i]))
            DT_TRY(dt_fail(DT_DATA, "%s: %s: number %" PRIu64 " is %s; expected finite numbers",
                           in->path, dataset, i, isnan(data[i]) ? "NaN" : "infinite"));
out:
    return status;
}
