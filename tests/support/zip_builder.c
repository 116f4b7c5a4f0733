#include "zip_builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

void zip_append(zip_bytes *to, const void *data, size_t bytes)
{
    while (to->count + bytes > to->room) {
        to->room = to->room == 0 ? 4096 : 2 * to->room;
        to->data = realloc(to->data, to->room);
        if (to->data == NULL)
            exit(EXIT_FAILURE);
    }
    if (bytes > 0)
        memcpy(to->data + to->count, data, bytes);
    to->count += bytes;
}

/* Appends the low `bytes` bytes of `value`, little-endian. */
static void zip_number(zip_bytes *to, unsigned bytes, uint64_t value)
{
    for (unsigned i = 0; i < bytes; i++) {
        unsigned char byte = (unsigned char)(value >> 8 * i);
        zip_append(to, &byte, 1);
    }
}

void zip_free(zip_bytes *bytes)
{
    free(bytes->data);
    *bytes = (zip_bytes){0};
}

void zip_deflate(zip_bytes *out, const void *plain, size_t bytes)
{
    z_stream z = {0};
    unsigned char block[4096];
    if (deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        exit(EXIT_FAILURE);
    z.next_in = (z_const Bytef *)plain;
    z.avail_in = (uInt)bytes;
    int result = Z_OK;
    while (result != Z_STREAM_END) {
        z.next_out = block;
        z.avail_out = sizeof block;
        result = deflate(&z, Z_FINISH);
        zip_append(out, block, sizeof block - z.avail_out);
    }
    (void)deflateEnd(&z);
}

/* The fields that both headers have: version to sizes. */
static void zip_common(zip_bytes *to, const zip_member *m, uint32_t crc, uint64_t stored,
                       uint64_t plain)
{
    zip_number(to, 2, m->zip64 ? 45 : 20);
    zip_number(to, 2, m->flags | (m->descriptor ? 1u << 3 : 0));
    zip_number(to, 2, m->method != 0 ? m->method : m->deflate ? 8 : 0);
    zip_number(to, 4, 0x00210000); /* 1980-01-01 00:00 */
    zip_number(to, 4, crc);
    zip_number(to, 4, m->zip64 ? UINT32_MAX : stored);
    zip_number(to, 4, m->zip64 ? UINT32_MAX : plain);
}

static void zip_add_entry(zip_builder *zip, const zip_member *m, uint32_t crc, uint64_t stored,
                          uint64_t offset)
{
    zip_bytes *to = &zip->directory;
    uint64_t plain = m->plain_claim != 0 ? m->plain_claim : m->plain_bytes;
    plain += (uint64_t)m->plain_change;
    stored += (uint64_t)m->stored_change;
    offset += (uint64_t)m->offset_change;
    zip_number(to, 4, 0x02014b50);
    zip_number(to, 2, 45);
    zip_common(to, m, crc, stored, plain);
    zip_number(to, 2, strlen(m->name));
    zip_number(to, 2, m->extra_bytes + (m->zip64 ? 28 : 0));
    zip_number(to, 2, 0);
    zip_number(to, 2, m->disk);
    zip_number(to, 6, 0);
    zip_number(to, 4, m->zip64 ? UINT32_MAX : offset);
    zip_append(to, m->name, strlen(m->name));
    zip_append(to, m->extra, m->extra_bytes);
    if (m->zip64) {
        zip_number(to, 4, 24u << 16 | 1);
        zip_number(to, 8, plain);
        zip_number(to, 8, stored);
        zip_number(to, 8, offset);
    }
    zip->members++;
}

void zip_add(zip_builder *zip, const zip_member *m)
{
    zip_bytes *to = &zip->file;
    zip_bytes data = {0};
    uint64_t offset = to->count;
    const char *name = m->local_name != NULL ? m->local_name : m->name;
    if (m->deflate)
        zip_deflate(&data, m->plain, m->plain_bytes);
    else
        zip_append(&data, m->plain, m->plain_bytes);
    data.count -= m->cut;
    for (size_t i = 0; i < m->surplus; i++)
        zip_append(&data, "\x55", 1);
    uint32_t crc = (uint32_t)crc32(crc32(0, NULL, 0), m->plain, (uInt)m->plain_bytes);
    crc ^= m->crc_change;
    zip_number(to, 4, 0x04034b50);
    zip_common(to, m, m->descriptor ? 0 : crc, m->descriptor ? 0 : data.count,
               m->descriptor ? 0 : m->plain_bytes);
    zip_number(to, 2, strlen(name));
    zip_number(to, 2, m->zip64 ? 20 : 0);
    zip_append(to, name, strlen(name));
    if (m->zip64) {
        zip_number(to, 4, 16u << 16 | 1);
        zip_number(to, 8, m->descriptor ? 0 : m->plain_bytes);
        zip_number(to, 8, m->descriptor ? 0 : data.count);
    }
    zip_append(to, data.data, data.count);
    if (m->descriptor) {
        zip_number(to, 4, 0x08074b50);
        zip_number(to, 4, crc);
        zip_number(to, m->zip64 ? 8 : 4, data.count);
        zip_number(to, m->zip64 ? 8 : 4, m->plain_bytes);
    }
    zip_add_entry(zip, m, crc, data.count, offset);
    zip_free(&data);
}

void zip_end(zip_builder *zip, const zip_ending *ending)
{
    zip_bytes *to = &zip->file;
    uint64_t offset = to->count + (uint64_t)ending->offset_change;
    uint64_t bytes = zip->directory.count + (uint64_t)ending->bytes_change;
    uint64_t count = zip->members + (uint64_t)ending->count_change;
    zip_append(to, zip->directory.data, zip->directory.count);
    if (ending->zip64) {
        uint64_t here = to->count;
        zip_number(to, 4, 0x06064b50);
        zip_number(to, 8, 44);
        zip_number(to, 4, 45u << 16 | 45);
        zip_number(to, 4, ending->disk);
        zip_number(to, 4, 0);
        zip_number(to, 8, count);
        zip_number(to, 8, count);
        zip_number(to, 8, bytes);
        zip_number(to, 8, offset);
        zip_number(to, 4, 0x07064b50);
        zip_number(to, 4, 0);
        zip_number(to, 8, here + ending->locator_shift);
        zip_number(to, 4, 1);
    }
    zip_number(to, 4, 0x06054b50);
    zip_number(to, 2, ending->zip64 ? 0 : ending->disk);
    zip_number(to, 2, 0);
    zip_number(to, 2, ending->zip64 ? UINT16_MAX : count);
    zip_number(to, 2, ending->zip64 ? UINT16_MAX : count);
    zip_number(to, 4, ending->zip64 ? UINT32_MAX : bytes);
    zip_number(to, 4, ending->zip64 ? UINT32_MAX : offset);
    size_t comment = ending->comment != NULL ? strlen(ending->comment) : 0;
    zip_number(to, 2, comment);
    zip_append(to, ending->comment, comment);
    zip_free(&zip->directory);
}

void zip_npy(zip_bytes *to, unsigned version, const char *descr, const char *order,
             const char *shape, const void *items, size_t bytes)
{
    char text[512];
    int length = snprintf(text, sizeof text, "{'descr': %s, 'fortran_order': %s, 'shape': %s, }\n",
                          descr, order, shape);
    zip_append(to, "\x93NUMPY", 6);
    zip_number(to, 2, version);
    zip_number(to, version == 1 ? 2 : 4, (uint64_t)length);
    zip_append(to, text, (size_t)length);
    zip_append(to, items, bytes);
}
