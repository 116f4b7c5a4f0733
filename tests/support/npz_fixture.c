#include "npz_fixture.h"

#include "scratch_folder.h"

#include <string.h>

bool npz_build(const char *path, const npz_array *arrays, size_t count)
{
    zip_builder zip = {0};
    for (size_t i = 0; i < count; i++) {
        const npz_array *a = &arrays[i];
        zip_bytes npy = {0};
        zip_npy(&npy, 1, a->descr, a->fortran ? "True" : "False", a->shape, a->items, a->bytes);
        zip_add(&zip, &(zip_member){.name = a->name,
                                    .plain = npy.data,
                                    .plain_bytes = npy.count,
                                    .deflate = a->deflate,
                                    .crc_change = a->crc_change,
                                    .cut = a->cut});
        zip_free(&npy);
    }
    zip_end(&zip, &(zip_ending){0});
    const bool good = scratch_write(path, zip.file.data, zip.file.count);
    zip_free(&zip.file);
    return good;
}

void npz_append(zip_bytes *to, const char *descr, double value)
{
    const unsigned width = (unsigned)(descr[3] - '0');
    uint64_t bits = 0;
    if (descr[2] == 'f' && width == 8) {
        memcpy(&bits, &value, 8);
    } else if (descr[2] == 'f') {
        const float narrow = (float)value;
        memcpy(&bits, &narrow, 4);
    } else {
        bits = (uint64_t)(int64_t)value;
    }
    for (unsigned i = 0; i < width; i++) {
        const unsigned at = descr[1] == '>' ? width - 1 - i : i;
        const unsigned char byte = (unsigned char)(bits >> 8 * at);
        zip_append(to, &byte, 1);
    }
}
