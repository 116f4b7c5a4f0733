#include "dtrain/run/fingerprint.h"

#include <stdio.h>

static void take(dt_fingerprint *out, const char *set, const char *array, const dt_npz *npz,
                 const dt_npz_member *member)
{
    *out = (dt_fingerprint){.bytes = (int64_t)member->plain_bytes, .crc32 = member->crc32};
    (void)snprintf(out->set, sizeof out->set, "%s", set);
    (void)snprintf(out->array, sizeof out->array, "%s", array);
    (void)snprintf(out->file, sizeof out->file, "%s", dt_npz_path(npz));
    (void)snprintf(out->member, sizeof out->member, "%s", member->name);
}

size_t dt_fingerprint_list(dt_fingerprint out[DT_FINGERPRINT_MAX], const dt_source *source)
{
    size_t count = 0;
    for (int p = 0; p < DT_PART_COUNT; p++) {
        const dt_source_part *part = &source->parts[p];
        const char *set = dt_part_name((dt_part)p);
        if (part->inputs != NULL)
            take(&out[count++], set, "inputs", part->npz, part->inputs);
        if (part->targets != NULL)
            take(&out[count++], set, "targets", part->npz, part->targets);
    }
    return count;
}
