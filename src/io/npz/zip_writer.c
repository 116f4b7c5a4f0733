#include "dtrain/base/crc32.h"
#include "dtrain/base/memory.h"
#include "dtrain/io/file.h"
#include "zip_internal.h"

#include <string.h>
#include <zlib.h>

enum {
    BUFFER_BYTES = 1 << 17,
    VERSION = 20, /* of the format that a reader has to know: deflate */
    VERSION_64 = 45, /* ZIP64 */
    MADE_BY = 3 << 8 | VERSION_64, /* Unix: so unzip takes the mode below */
    DOS_DATE = 0 << 9 | 1 << 5 | 1, /* 1980-01-01, the first there is; the time is 0 */
    UTF8_NAME = 1 << 11,
    MAX_NAME_BYTES = 65535
};
#define FILE_MODE ((uint32_t)0100644 << 16)

typedef struct written_entry {
    char *name;
    uint32_t crc;
    uint64_t stored, plain, offset;
    bool reserved64; /* the local header has room for 64-bit sizes */
} written_entry;

struct dt_zip_writer {
    dt_file *file;
    int level;
    bool open; /* between dt_zip_writer_begin and the last byte */
    bool sealed; /* the central directory is written, and all is on the disk */
    uint64_t plain_left;
    uint64_t data_offset;
    written_entry *entries;
    size_t count, room;
    z_stream z;
    bool z_ready;
    unsigned char buffer[BUFFER_BYTES];
};

dt_status dt_zip_writer_open(dt_zip_writer **out, const char *path, int level)
{
    dt_status status = DT_OK;
    dt_zip_writer *writer = NULL;
    *out = NULL;
    DT_ASSERT(level >= 0 && level <= 9);
    DT_TRY(dt_memory_alloc(&writer, 1, sizeof *writer, "output buffer"));
    writer->level = level;
    /* Negative: a raw deflate stream; 8: zlib's default for its own memory. */
    if (level > 0 &&
        deflateInit2(&writer->z, level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        status = dt_fail(DT_MEMORY, "%s: no memory to deflate", path);
        goto out;
    }
    writer->z_ready = level > 0;
    DT_TRY(dt_file_create(&writer->file, path));
    *out = writer;
    writer = NULL;
out:
    dt_zip_writer_discard(writer);
    return status;
}

static uint64_t flags_of(const written_entry *entry)
{
    for (const char *c = entry->name; *c != '\0'; c++)
        if ((unsigned char)*c > 127)
            return UTF8_NAME;
    return 0;
}

static uint64_t low32(uint64_t value, bool is64)
{
    return is64 ? UINT32_MAX : value;
}

/* Version to flags, method, date, CRC and sizes: the part that both headers have in common. */
static unsigned char *put_common(unsigned char *at, const dt_zip_writer *writer,
                                 const written_entry *entry, bool needs64, bool sizes64)
{
    at = zip_put(at, 2, needs64 ? VERSION_64 : VERSION);
    at = zip_put(at, 2, flags_of(entry));
    at = zip_put(at, 2, writer->level > 0 ? ZIP_DEFLATED : ZIP_STORED);
    at = zip_put(at, 2, 0);
    at = zip_put(at, 2, DOS_DATE);
    at = zip_put(at, 4, entry->crc);
    at = zip_put(at, 4, low32(entry->stored, sizes64));
    at = zip_put(at, 4, low32(entry->plain, sizes64));
    return zip_put(at, 2, strlen(entry->name));
}

/* Written twice: with zeros when the member begins, and with its numbers when it is complete. */
static size_t format_local(unsigned char out[ZIP_LOCAL_BYTES], const dt_zip_writer *writer,
                           const written_entry *entry)
{
    unsigned char *at = zip_put(out, 4, ZIP_LOCAL_MAGIC);
    at = put_common(at, writer, entry, entry->reserved64, entry->reserved64);
    at = zip_put(at, 2, entry->reserved64 ? 20 : 0);
    return (size_t)(at - out);
}

static size_t format_local_extra(unsigned char out[20], const written_entry *entry)
{
    if (!entry->reserved64)
        return 0;
    unsigned char *at = zip_put(out, 2, ZIP_EXTRA_64);
    at = zip_put(at, 2, 16);
    at = zip_put(at, 8, entry->plain);
    at = zip_put(at, 8, entry->stored);
    return (size_t)(at - out);
}

DT_MUST_USE static dt_status add_entry(dt_zip_writer *writer, const char *name, uint64_t plain)
{
    dt_status status = DT_OK;
    if (writer->count == writer->room) {
        size_t room = writer->room == 0 ? 8 : 2 * writer->room;
        DT_TRY(dt_memory_grow(&writer->entries, writer->count, room, sizeof *writer->entries,
                              "members"));
        writer->room = room;
    }
    written_entry *entry = &writer->entries[writer->count];
    /* Data that does not deflate grows by 5 bytes in 16 KiB at most: 1/1024 is beyond that. */
    *entry = (written_entry){.offset = dt_file_tell(writer->file),
                             .reserved64 = plain + plain / 1024 + 1024 >= UINT32_MAX};
    DT_TRY(dt_memory_copy_text(&entry->name, name));
    writer->count++;
out:
    return status;
}

DT_MUST_USE static dt_status write_plain(dt_zip_writer *writer, const unsigned char *data,
                                         size_t bytes, bool last)
{
    dt_status status = DT_OK;
    written_entry *entry = &writer->entries[writer->count - 1];
    entry->crc = dt_crc32(entry->crc, data, bytes);
    entry->plain += bytes;
    if (!writer->z_ready)
        return dt_file_write(writer->file, data, bytes);
    z_stream *z = &writer->z;
    z->next_in = (z_const Bytef *)data;
    z->avail_in = (uInt)bytes;
    int result = Z_OK;
    do {
        z->next_out = writer->buffer;
        z->avail_out = BUFFER_BYTES;
        result = deflate(z, last ? Z_FINISH : Z_NO_FLUSH);
        DT_ASSERT(result != Z_STREAM_ERROR);
        DT_TRY(dt_file_write(writer->file, writer->buffer, BUFFER_BYTES - z->avail_out));
    } while (z->avail_out == 0 || (last && result != Z_STREAM_END));
out:
    return status;
}

DT_MUST_USE static dt_status end_member(dt_zip_writer *writer)
{
    dt_status status = DT_OK;
    unsigned char local[ZIP_LOCAL_BYTES], extra[20];
    written_entry *entry = &writer->entries[writer->count - 1];
    entry->stored = dt_file_tell(writer->file) - writer->data_offset;
    size_t bytes = format_local(local, writer, entry);
    DT_TRY(dt_file_write_at(writer->file, entry->offset, local, bytes));
    bytes = format_local_extra(extra, entry);
    DT_TRY(dt_file_write_at(writer->file, writer->data_offset - bytes, extra, bytes));
    if (writer->z_ready)
        (void)deflateReset(&writer->z);
    writer->open = false;
out:
    return status;
}

/* In pieces, because zlib counts in 32 bits, and because the CRC is faster on data in the cache. */
DT_MUST_USE static dt_status write_pieces(dt_zip_writer *writer, const unsigned char *at,
                                          size_t bytes)
{
    dt_status status = DT_OK;
    DT_ASSERT(writer->open && bytes <= writer->plain_left);
    do {
        size_t part = bytes < BUFFER_BYTES ? bytes : BUFFER_BYTES;
        writer->plain_left -= part;
        DT_TRY(write_plain(writer, at, part, writer->plain_left == 0));
        at += part;
        bytes -= part;
    } while (bytes > 0);
    if (writer->plain_left == 0)
        DT_TRY(end_member(writer));
out:
    return status;
}

dt_status dt_zip_writer_begin(dt_zip_writer *writer, const char *name, uint64_t bytes)
{
    dt_status status = DT_OK;
    unsigned char local[ZIP_LOCAL_BYTES], extra[20];
    DT_ASSERT(!writer->sealed);
    DT_ASSERT(!writer->open && strlen(name) <= MAX_NAME_BYTES);
    DT_TRY(add_entry(writer, name, bytes));
    const written_entry *entry = &writer->entries[writer->count - 1];
    size_t local_bytes = format_local(local, writer, entry);
    DT_TRY(dt_file_write(writer->file, local, local_bytes));
    DT_TRY(dt_file_write(writer->file, name, strlen(name)));
    size_t extra_bytes = format_local_extra(extra, entry);
    DT_TRY(dt_file_write(writer->file, extra, extra_bytes));
    writer->data_offset = dt_file_tell(writer->file);
    writer->plain_left = bytes;
    writer->open = true;
    if (bytes == 0) /* it ends here; deflated, even nothing takes two bytes */
        DT_TRY(write_pieces(writer, (const unsigned char *)"", 0));
out:
    return status;
}

dt_status dt_zip_writer_write(dt_zip_writer *writer, const void *data, size_t bytes)
{
    DT_ASSERT(!writer->sealed);
    return bytes == 0 ? DT_OK : write_pieces(writer, data, bytes);
}

DT_MUST_USE static dt_status write_entry(dt_zip_writer *writer, const written_entry *entry)
{
    dt_status status = DT_OK;
    unsigned char header[ZIP_ENTRY_BYTES], extra[28];
    bool sizes64 = entry->stored >= UINT32_MAX || entry->plain >= UINT32_MAX;
    bool offset64 = entry->offset >= UINT32_MAX;
    unsigned char *x = extra;
    if (sizes64 || offset64) {
        x = zip_put(x, 2, ZIP_EXTRA_64);
        x = zip_put(x, 2, (sizes64 ? 16u : 0u) + (offset64 ? 8u : 0u));
        x = sizes64 ? zip_put(zip_put(x, 8, entry->plain), 8, entry->stored) : x;
        x = offset64 ? zip_put(x, 8, entry->offset) : x;
    }
    unsigned char *at = zip_put(header, 4, ZIP_ENTRY_MAGIC);
    at = zip_put(at, 2, MADE_BY);
    at = put_common(at, writer, entry, sizes64 || offset64 || entry->reserved64, sizes64);
    at = zip_put(at, 2, (uint64_t)(x - extra));
    at = zip_put(at, 2, 0); /* no comment */
    at = zip_put(at, 2, 0); /* disk 0 */
    at = zip_put(at, 2, 0); /* not known to be text */
    at = zip_put(at, 4, FILE_MODE);
    at = zip_put(at, 4, low32(entry->offset, offset64));
    DT_TRY(dt_file_write(writer->file, header, (size_t)(at - header)));
    DT_TRY(dt_file_write(writer->file, entry->name, strlen(entry->name)));
    DT_TRY(dt_file_write(writer->file, extra, (size_t)(x - extra)));
out:
    return status;
}

DT_MUST_USE static dt_status write_end64(dt_zip_writer *writer, uint64_t offset, uint64_t bytes)
{
    unsigned char record[ZIP_END64_BYTES + ZIP_LOCATOR_BYTES];
    uint64_t here = dt_file_tell(writer->file);
    unsigned char *at = zip_put(record, 4, ZIP_END64_MAGIC);
    at = zip_put(at, 8, ZIP_END64_BYTES - 12); /* what follows this number */
    at = zip_put(at, 2, MADE_BY);
    at = zip_put(at, 2, VERSION_64);
    at = zip_put(at, 8, 0); /* disk 0, twice */
    at = zip_put(at, 8, writer->count);
    at = zip_put(at, 8, writer->count);
    at = zip_put(at, 8, bytes);
    at = zip_put(at, 8, offset);
    at = zip_put(at, 4, ZIP_LOCATOR_MAGIC);
    at = zip_put(at, 4, 0);
    at = zip_put(at, 8, here);
    at = zip_put(at, 4, 1); /* one disk in all */
    return dt_file_write(writer->file, record, (size_t)(at - record));
}

DT_MUST_USE static dt_status write_directory(dt_zip_writer *writer)
{
    dt_status status = DT_OK;
    unsigned char record[ZIP_END_BYTES];
    uint64_t offset = dt_file_tell(writer->file);
    for (size_t i = 0; i < writer->count; i++)
        DT_TRY(write_entry(writer, &writer->entries[i]));
    uint64_t bytes = dt_file_tell(writer->file) - offset;
    uint64_t count = writer->count;
    if (count >= UINT16_MAX || offset >= UINT32_MAX || bytes >= UINT32_MAX)
        DT_TRY(write_end64(writer, offset, bytes));
    unsigned char *at = zip_put(record, 4, ZIP_END_MAGIC);
    at = zip_put(at, 4, 0); /* disk 0, twice */
    at = zip_put(at, 2, count >= UINT16_MAX ? UINT16_MAX : count);
    at = zip_put(at, 2, count >= UINT16_MAX ? UINT16_MAX : count);
    at = zip_put(at, 4, low32(bytes, bytes >= UINT32_MAX));
    at = zip_put(at, 4, low32(offset, offset >= UINT32_MAX));
    at = zip_put(at, 2, 0); /* no comment */
    DT_TRY(dt_file_write(writer->file, record, (size_t)(at - record)));
out:
    return status;
}

dt_status dt_zip_writer_seal(dt_zip_writer *writer)
{
    dt_status status = DT_OK;
    DT_ASSERT(!writer->open);
    if (writer->sealed)
        return DT_OK;
    DT_TRY(write_directory(writer));
    DT_TRY(dt_file_sync(writer->file));
    writer->sealed = true;
out:
    return status;
}

dt_status dt_zip_writer_finish(dt_zip_writer *writer)
{
    dt_status status = DT_OK;
    DT_ASSERT(!writer->open);
    if (!writer->sealed)
        DT_TRY(write_directory(writer));
    dt_file *file = writer->file;
    writer->file = NULL; /* dt_file_commit frees it in any case */
    DT_TRY(dt_file_commit(file));
out:
    dt_zip_writer_discard(writer);
    return status;
}

void dt_zip_writer_discard(dt_zip_writer *writer)
{
    if (writer == NULL)
        return;
    if (writer->z_ready)
        (void)deflateEnd(&writer->z);
    for (size_t i = 0; i < writer->count; i++)
        dt_memory_free(writer->entries[i].name);
    dt_memory_free(writer->entries);
    dt_file_discard(writer->file);
    dt_memory_free(writer);
}
