#include "dtrain/run/fingerprint.h"

#include <stdio.h>

static const dt_h5_column columns[] = {
    {"set", NULL, DT_H5_TEXT, DT_H5_FIELD(dt_fingerprint, set)},
    {"array", NULL, DT_H5_TEXT, DT_H5_FIELD(dt_fingerprint, array)},
    {"file", NULL, DT_H5_TEXT, DT_H5_FIELD(dt_fingerprint, file)},
    {"member", NULL, DT_H5_TEXT, DT_H5_FIELD(dt_fingerprint, member)},
    {"bytes", "B", DT_H5_I64, DT_H5_FIELD(dt_fingerprint, bytes)},
    {"crc32", NULL, DT_H5_U32, DT_H5_FIELD(dt_fingerprint, crc32)},
};
const dt_h5_table dt_fingerprint_table = DT_H5_TABLE(columns, dt_fingerprint);

static void take(dt_fingerprint *out, const char *set, const char *array,
                 const dt_npz_member *member)
{
    *out = (dt_fingerprint){.bytes = (int64_t)member->plain_bytes, .crc32 = member->crc32};
    (void)snprintf(out->set, sizeof out->set, "%s", set);
    (void)snprintf(out->array, sizeof out->array, "%s", array);
    (void)snprintf(out->file, sizeof out->file, "%s", dt_npz_member_path(member));
    (void)snprintf(out->member, sizeof out->member, "%s", member->name);
}

/* The fingerprints of a table are those of the arrays of its preparation, so that a run on the
 * table and a run on these arrays are recognized as equal. */
static size_t list_table(dt_fingerprint out[DT_FINGERPRINT_MAX], const dt_source_table *table)
{
    static const char *const arrays[DT_ARRAY_COUNT] = {"inputs", "targets", "weights"};
    size_t count = 0;
    for (int p = 0; p < DT_SET_COUNT; p++)
        for (int array = 0; array < DT_ARRAY_COUNT; array++) {
            const dt_source_sum *sum = &table->sums[p][array];
            dt_fingerprint *to = &out[count];
            if (sum->bytes == 0)
                continue;
            *to = (dt_fingerprint){.bytes = (int64_t)sum->bytes, .crc32 = sum->crc32};
            (void)snprintf(to->set, sizeof to->set, "%s", dt_set_name((dt_set)p));
            (void)snprintf(to->array, sizeof to->array, "%s", arrays[array]);
            (void)snprintf(to->file, sizeof to->file, "%s", table->path);
            (void)snprintf(to->member, sizeof to->member, "%s", arrays[array]);
            count++;
        }
    return count;
}

size_t dt_fingerprint_list(dt_fingerprint out[DT_FINGERPRINT_MAX], const dt_source *source)
{
    size_t count = 0;
    if (source->table != NULL)
        return list_table(out, source->table);
    for (int p = 0; p < DT_SET_COUNT; p++) {
        const dt_source_set *set = &source->sets[p];
        const char *name = dt_set_name((dt_set)p);
        if (set->inputs != NULL)
            take(&out[count++], name, "inputs", set->inputs);
        if (set->targets != NULL)
            take(&out[count++], name, "targets", set->targets);
        if (set->weights != NULL)
            take(&out[count++], name, "weights", set->weights);
    }
    return count;
}
