#include "zip_internal.h"

#include "dtrain/base/crc32.h"
#include "dtrain/base/memory.h"

#include <inttypes.h>
#include <string.h>
#include <zlib.h>

enum {
    BUFFER_BYTES = 1 << 17,
    CHUNK_BYTES = 1 << 17 /* inflated or read, then summed while still in the cache */
};

struct dt_zip_stream {
    const dt_zip *zip;
    const dt_zip_member *member;
    uint64_t at; /* in the file, of the compressed bytes not yet in the buffer */
    uint64_t stored_left; /* so many of them */
    uint64_t plain_left;
    uint32_t crc;
    bool z_ready;
    bool ended; /* the deflate stream said so */
    z_stream z; /* next_in and avail_in are the buffer's cursor for stored members too */
    unsigned char buffer[BUFFER_BYTES];
};

DT_MUST_USE static dt_status fail_member(const dt_zip_stream *stream, const char *found)
{
    return dt_fail(DT_DATA, "%s: %s '%.80s' is damaged: %s; copy or download the file again",
                   stream->zip->path, stream->zip->kind.member, stream->member->name, found);
}

DT_MUST_USE static dt_status refill(dt_zip_stream *stream)
{
    size_t bytes = stream->stored_left < BUFFER_BYTES ? (size_t)stream->stored_left : BUFFER_BYTES;
    dt_status status = dt_zip_read_at(stream->zip, stream->at, stream->buffer, bytes);
    if (status != DT_OK)
        return status;
    stream->at += bytes;
    stream->stored_left -= bytes;
    stream->z.next_in = stream->buffer;
    stream->z.avail_in = (uInt)bytes;
    return DT_OK;
}

DT_MUST_USE static dt_status copy_stored(dt_zip_stream *stream, unsigned char *out, size_t bytes)
{
    dt_status status = DT_OK;
    z_stream *z = &stream->z;
    while (bytes > 0) {
        if (z->avail_in == 0 && bytes >= BUFFER_BYTES) { /* no detour through the buffer */
            DT_TRY(dt_zip_read_at(stream->zip, stream->at, out, bytes));
            stream->at += bytes;
            stream->stored_left -= bytes;
            break;
        }
        if (z->avail_in == 0)
            DT_TRY(refill(stream));
        size_t part = bytes < z->avail_in ? bytes : z->avail_in;
        memcpy(out, z->next_in, part);
        z->next_in += part;
        z->avail_in -= (uInt)part;
        out += part;
        bytes -= part;
    }
out:
    return status;
}

/* Inflates until `bytes` bytes are written or the deflate stream ends; *got is the number of
 * bytes. */
DT_MUST_USE static dt_status inflate_some(dt_zip_stream *stream, unsigned char *out, size_t bytes,
                                          size_t *got)
{
    dt_status status = DT_OK;
    z_stream *z = &stream->z;
    z->next_out = out;
    z->avail_out = (uInt)bytes;
    while (z->avail_out > 0 && !stream->ended) {
        if (z->avail_in == 0 && stream->stored_left > 0)
            DT_TRY(refill(stream));
        int result = inflate(z, Z_NO_FLUSH);
        if (result == Z_MEM_ERROR)
            return dt_fail(DT_MEMORY, "%s: no memory to inflate", stream->zip->path);
        if (result == Z_BUF_ERROR && stream->stored_left == 0)
            return fail_member(stream, "its compressed data ends early");
        if (result != Z_OK && result != Z_STREAM_END)
            return fail_member(stream, "its compressed data is invalid");
        stream->ended = result == Z_STREAM_END;
    }
    *got = bytes - z->avail_out;
out:
    return status;
}

DT_MUST_USE static dt_status check_finished(dt_zip_stream *stream)
{
    dt_status status = DT_OK;
    size_t more = 0;
    unsigned char one;
    if (stream->z_ready && !stream->ended)
        DT_TRY(inflate_some(stream, &one, 1, &more));
    if (more > 0)
        return fail_member(stream, "it inflates to more bytes than the archive says");
    if (stream->z.avail_in > 0 || stream->stored_left > 0)
        return fail_member(stream, "bytes are left over after its compressed data");
    if (stream->crc != stream->member->crc32)
        return fail_member(stream, "its CRC-32 is not what the archive says");
out:
    return status;
}

dt_status dt_zip_stream_open(dt_zip_stream **out, const dt_zip *zip, const dt_zip_member *member)
{
    dt_status status = DT_OK;
    dt_zip_stream *stream = NULL;
    *out = NULL;
    DT_TRY(dt_memory_alloc(&stream, 1, sizeof *stream, "input buffer"));
    stream->zip = zip;
    stream->member = member;
    stream->at = member->data_offset;
    stream->stored_left = member->stored_bytes;
    stream->plain_left = member->plain_bytes;
    /* Negative: a raw deflate stream, with neither zlib's header nor gzip's. */
    if (member->deflated && inflateInit2(&stream->z, -MAX_WBITS) != Z_OK) {
        status = dt_fail(DT_MEMORY, "%s: no memory to inflate", zip->path);
        goto out;
    }
    stream->z_ready = member->deflated;
    *out = stream;
    stream = NULL;
out:
    dt_zip_stream_close(stream);
    return status;
}

dt_status dt_zip_stream_read(dt_zip_stream *stream, void *out, size_t bytes)
{
    dt_status status = DT_OK;
    unsigned char *at = out;
    DT_ASSERT(bytes <= stream->plain_left);
    while (bytes > 0) {
        size_t part = bytes < CHUNK_BYTES ? bytes : CHUNK_BYTES;
        size_t got = part;
        if (stream->z_ready)
            DT_TRY(inflate_some(stream, at, part, &got));
        else
            DT_TRY(copy_stored(stream, at, part));
        if (got < part)
            return fail_member(stream, "it inflates to fewer bytes than the archive says");
        stream->crc = dt_crc32(stream->crc, at, part);
        stream->plain_left -= part;
        at += part;
        bytes -= part;
    }
    if (stream->plain_left == 0)
        DT_TRY(check_finished(stream));
out:
    return status;
}

void dt_zip_stream_close(dt_zip_stream *stream)
{
    if (stream == NULL)
        return;
    if (stream->z_ready)
        (void)inflateEnd(&stream->z);
    dt_memory_free(stream);
}

dt_status dt_zip_read(void *out, const dt_zip *zip, const dt_zip_member *member, const char *what)
{
    dt_status status = DT_OK;
    dt_zip_stream *stream = NULL;
    unsigned char *data = NULL;
    size_t bytes = 0;
    memcpy(out, &data, sizeof data); /* out is any pointer's address: no type to assign through */
    if (__builtin_add_overflow(member->plain_bytes, 1, &bytes))
        return dt_fail(DT_MEMORY, "%s: no memory for %" PRIu64 " bytes", what, member->plain_bytes);
    DT_TRY(dt_zip_stream_open(&stream, zip, member));
    DT_TRY(dt_memory_alloc(&data, bytes, 1, what));
    DT_TRY(dt_zip_stream_read(stream, data, bytes - 1));
    memcpy(out, &data, sizeof data);
    data = NULL;
out:
    dt_memory_free(data);
    dt_zip_stream_close(stream);
    return status;
}
