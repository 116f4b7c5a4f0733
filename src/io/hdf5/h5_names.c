#include "dtrain/io/h5.h"

#include <hdf5.h>

#include "h5_internal.h"

#include "dtrain/base/memory.h"

const char *dt_h5_name(const dt_h5 *h5)
{
    return h5->path != NULL ? h5->path : "the HDF5 file in memory";
}

void dt_h5_names_clear(dt_h5_names *names)
{
    dt_memory_free_texts(names->texts, names->count);
    *names = (dt_h5_names){0};
}

dt_status dt_h5_names_add(dt_h5_names *names, size_t *capacity, const dt_h5 *h5, const char *object,
                          const char *text)
{
    dt_status status = DT_OK;
    if (names->count == DT_H5_NAMES_MAX)
        return dt_fail(DT_DATA, "%s: %s has more than %d names", dt_h5_name(h5), object,
                       DT_H5_NAMES_MAX);
    if (names->count == *capacity) {
        const size_t larger = *capacity == 0 ? 16 : 2 * *capacity;
        DT_TRY(dt_memory_grow(&names->texts, *capacity, larger, sizeof *names->texts,
                              "a list of names"));
        *capacity = larger;
    }
    DT_TRY(dt_memory_copy_text(&names->texts[names->count], text));
    names->count++;
out:
    return status;
}
