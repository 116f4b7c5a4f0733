#include "dtrain/io/npz.h"

#include "dtrain/base/memory.h"
#include "npz_zip.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
    BUFFER_BYTES = 1 << 17,
    CHUNK_BYTES = 1 << 17, /* inflated or read, then summed while still in the cache */
    NPY_LENGTH_BYTES = 12, /* enough of a .npy file to know how long its header is */
    LIST_BYTES = 300, /* of names in an error line */
    LABEL_BYTES = 512 /* "path: 'name'" in an error line */
};

struct dt_npz_stream {
    const dt_npz *npz;
    const npz_entry *entry;
    uint64_t at; /* in the file, of the compressed bytes not yet in the buffer */
    uint64_t stored_left; /* so many of them */
    uint64_t plain_left;
    uint32_t crc;
    bool deflated, ended; /* ended: the deflate stream said so */
    bool checked;
    z_stream z; /* next_in and avail_in are the buffer's cursor for stored members too */
    unsigned char buffer[BUFFER_BYTES];
};

DT_MUST_USE static dt_status fail_member(const dt_npz_stream *stream, const char *found)
{
    return dt_fail(DT_DATA, "%s: array '%.80s' is damaged: %s; copy or download the file again",
                   stream->npz->path, stream->entry->member.name, found);
}

DT_MUST_USE static dt_status refill(dt_npz_stream *stream)
{
    size_t bytes = stream->stored_left < BUFFER_BYTES ? (size_t)stream->stored_left : BUFFER_BYTES;
    dt_status status = dt_npz_read_at(stream->npz, stream->at, stream->buffer, bytes);
    if (status != DT_OK)
        return status;
    stream->at += bytes;
    stream->stored_left -= bytes;
    stream->z.next_in = stream->buffer;
    stream->z.avail_in = (uInt)bytes;
    return DT_OK;
}

DT_MUST_USE static dt_status copy_stored(dt_npz_stream *stream, unsigned char *out, size_t bytes)
{
    dt_status status = DT_OK;
    z_stream *z = &stream->z;
    while (bytes > 0) {
        if (z->avail_in == 0 && bytes >= BUFFER_BYTES) { /* no detour through the buffer */
            DT_TRY(dt_npz_read_at(stream->npz, stream->at, out, bytes));
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

/* Inflates until `bytes` bytes are out or the deflate stream ends; *got tells how many came. */
DT_MUST_USE static dt_status inflate_some(dt_npz_stream *stream, unsigned char *out, size_t bytes,
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
            return dt_fail(DT_MEMORY, "%s: no memory to inflate", stream->npz->path);
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

DT_MUST_USE static dt_status check_finished(dt_npz_stream *stream)
{
    dt_status status = DT_OK;
    size_t more = 0;
    unsigned char one;
    if (stream->deflated && !stream->ended)
        DT_TRY(inflate_some(stream, &one, 1, &more));
    if (more > 0)
        return fail_member(stream, "it inflates to more bytes than the archive says");
    if (stream->z.avail_in > 0 || stream->stored_left > 0)
        return fail_member(stream, "bytes are left over after its compressed data");
    if (stream->crc != stream->entry->member.crc32)
        return fail_member(stream, "its CRC-32 is not what the archive says");
    stream->checked = true;
out:
    return status;
}

/* Reads from wherever the stream is: the .npy header is read in this way, too. */
DT_MUST_USE static dt_status read_plain(dt_npz_stream *stream, unsigned char *out, size_t bytes)
{
    dt_status status = DT_OK;
    DT_ASSERT(bytes <= stream->plain_left);
    while (bytes > 0) {
        size_t part = bytes < CHUNK_BYTES ? bytes : CHUNK_BYTES;
        size_t got = part;
        if (stream->deflated)
            DT_TRY(inflate_some(stream, out, part, &got));
        else
            DT_TRY(copy_stored(stream, out, part));
        if (got < part)
            return fail_member(stream, "it inflates to fewer bytes than the archive says");
        stream->crc = (uint32_t)crc32(stream->crc, out, (uInt)part);
        stream->plain_left -= part;
        out += part;
        bytes -= part;
    }
    if (stream->plain_left == 0 && !stream->checked)
        DT_TRY(check_finished(stream));
out:
    return status;
}

/* The stream at the first byte of the member, which is the .npy header's. */
DT_MUST_USE static dt_status open_at_header(dt_npz_stream **out, const dt_npz *npz,
                                            const npz_entry *entry)
{
    dt_status status = DT_OK;
    dt_npz_stream *stream = NULL;
    *out = NULL;
    DT_TRY(dt_memory_alloc(&stream, 1, sizeof *stream, "input buffer"));
    stream->npz = npz;
    stream->entry = entry;
    stream->at = entry->data_offset;
    stream->stored_left = entry->member.stored_bytes;
    stream->plain_left = entry->member.plain_bytes;
    /* Negative: a raw deflate stream, with neither zlib's header nor gzip's. */
    if (entry->method == ZIP_DEFLATED && inflateInit2(&stream->z, -MAX_WBITS) != Z_OK) {
        status = dt_fail(DT_MEMORY, "%s: no memory to inflate", npz->path);
        goto out;
    }
    stream->deflated = entry->method == ZIP_DEFLATED;
    *out = stream;
    stream = NULL;
out:
    dt_npz_stream_close(stream);
    return status;
}

dt_status dt_npz_stream_open(dt_npz_stream **out, const dt_npz *npz, const dt_npz_member *member)
{
    dt_status status = DT_OK;
    dt_npz_stream *stream = NULL;
    unsigned char scratch[4096];
    const npz_entry *entry = (const npz_entry *)(const void *)member;
    *out = NULL;
    DT_ASSERT(entry->error == NULL);
    DT_TRY(open_at_header(&stream, npz, entry));
    for (uint64_t left = member->npy.header_bytes; left > 0;) {
        size_t part = left < sizeof scratch ? (size_t)left : sizeof scratch;
        DT_TRY(read_plain(stream, scratch, part));
        left -= part;
    }
    *out = stream;
    stream = NULL;
out:
    dt_npz_stream_close(stream);
    return status;
}

dt_status dt_npz_stream_read(dt_npz_stream *stream, void *out, size_t bytes)
{
    return read_plain(stream, out, bytes);
}

void dt_npz_stream_close(dt_npz_stream *stream)
{
    if (stream == NULL)
        return;
    if (stream->deflated)
        (void)inflateEnd(&stream->z);
    dt_memory_free(stream);
}

/* How many bytes from the beginning of a .npy file dt_npy_parse has to see. */
static size_t npy_header_bytes(const unsigned char *head, size_t bytes)
{
    if (bytes < NPY_LENGTH_BYTES)
        return bytes;
    uint64_t length =
        head[6] == 1 ? 10 + (uint64_t)zip_get16(head + 8) : 12 + (uint64_t)zip_get32(head + 8);
    return length < DT_NPY_MAX_HEADER_BYTES ? (size_t)length : DT_NPY_MAX_HEADER_BYTES;
}

DT_MUST_USE static dt_status read_npy_header(const dt_npz *npz, npz_entry *entry,
                                             unsigned char *scratch)
{
    dt_status status = DT_OK;
    dt_npz_stream *stream = NULL;
    char label[LABEL_BYTES];
    dt_npz_member *member = &entry->member;
    DT_TRY(open_at_header(&stream, npz, entry));
    size_t begin =
        member->plain_bytes < NPY_LENGTH_BYTES ? (size_t)member->plain_bytes : NPY_LENGTH_BYTES;
    DT_TRY(read_plain(stream, scratch, begin));
    size_t bytes = npy_header_bytes(scratch, begin);
    if (bytes > member->plain_bytes)
        bytes = (size_t)member->plain_bytes;
    if (bytes > begin)
        DT_TRY(read_plain(stream, scratch + begin, bytes - begin));
    (void)snprintf(label, sizeof label, "%s: array '%.80s'", npz->path, member->name);
    /* An array that is not asked for may be anything, so the error waits until it is. */
    if (dt_npy_parse(&member->npy, label, scratch, bytes) != DT_OK) {
        DT_TRY(dt_memory_copy_text(&entry->error, dt_status_text()));
        dt_status_set_text("");
        goto out;
    }
    uint64_t announced = member->npy.header_bytes + member->npy.data_bytes;
    if (announced != member->plain_bytes)
        status =
            dt_fail(DT_DATA,
                    "%s has a header that lies about its size: its shape and type make %" PRIu64
                    " bytes, the archive holds %" PRIu64 "; save it again",
                    label, announced, member->plain_bytes);
out:
    dt_npz_stream_close(stream);
    return status;
}

DT_MUST_USE static dt_status open_file(dt_npz *npz)
{
    struct stat found;
    /* O_NONBLOCK: a named pipe is refused below, where open would wait for its writer. */
    do
        npz->fd = open(npz->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    while (npz->fd < 0 && errno == EINTR);
    if (npz->fd < 0 || fstat(npz->fd, &found) != 0)
        return dt_fail(DT_DATA, "%s: cannot open: %s", npz->path, strerror(errno));
    if (S_ISDIR(found.st_mode))
        return dt_fail(DT_DATA, "%s: is a folder, expected a .npz file", npz->path);
    if (!S_ISREG(found.st_mode))
        return dt_fail(DT_DATA, "%s: is a device or pipe, expected a .npz file", npz->path);
    if (found.st_size == 0)
        return dt_fail(DT_DATA,
                       "%s: is empty (0 bytes), expected a .npz: the download or copy may have "
                       "failed",
                       npz->path);
    npz->file_bytes = (uint64_t)found.st_size;
    (void)posix_fadvise(npz->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return DT_OK;
}

dt_status dt_npz_open(dt_npz **out, const char *path)
{
    dt_status status = DT_OK;
    dt_npz *npz = NULL;
    unsigned char *scratch = NULL;
    *out = NULL;
    DT_TRY(dt_memory_alloc(&npz, 1, sizeof *npz, "archive"));
    npz->fd = -1;
    DT_TRY(dt_memory_copy_text(&npz->path, path));
    DT_TRY(open_file(npz));
    DT_TRY(dt_npz_read_directory(npz));
    DT_TRY(dt_memory_alloc(&scratch, DT_NPY_MAX_HEADER_BYTES, 1, "array header"));
    for (size_t i = 0; i < npz->count; i++)
        DT_TRY(read_npy_header(npz, &npz->entries[i], scratch));
    *out = npz;
    npz = NULL;
out:
    dt_memory_free(scratch);
    dt_npz_close(npz);
    return status;
}

void dt_npz_close(dt_npz *npz)
{
    if (npz == NULL)
        return;
    for (size_t i = 0; i < npz->count; i++)
        dt_memory_free(npz->entries[i].error);
    if (npz->fd >= 0)
        (void)close(npz->fd);
    dt_memory_free(npz->entries);
    dt_memory_free(npz->directory);
    dt_memory_free(npz->path);
    dt_memory_free(npz);
}

const char *dt_npz_path(const dt_npz *npz)
{
    return npz->path;
}

size_t dt_npz_count(const dt_npz *npz)
{
    return npz->count;
}

const char *dt_npz_name(const dt_npz *npz, size_t index)
{
    DT_ASSERT(index < npz->count);
    return npz->entries[index].member.name;
}

/* From the back: of several members with the same name the last one counts, as in Python. */
static const npz_entry *find_entry(const dt_npz *npz, const char *name)
{
    for (size_t i = npz->count; i > 0; i--)
        if (strcmp(npz->entries[i - 1].member.name, name) == 0)
            return &npz->entries[i - 1];
    return NULL;
}

bool dt_npz_has(const dt_npz *npz, const char *name)
{
    return find_entry(npz, name) != NULL;
}

DT_MUST_USE static dt_status fail_no_such(const dt_npz *npz, const char *name)
{
    char list[LIST_BYTES] = "";
    size_t used = 0;
    if (npz->count == 0)
        return dt_fail(DT_DATA, "%s: no array '%.80s': the archive holds no arrays", npz->path,
                       name);
    for (size_t i = 0; i < npz->count && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%.80s", i > 0 ? ", " : "",
                                 npz->entries[i].member.name);
    return dt_fail(DT_DATA, "%s: no array '%.80s', found: %s%s", npz->path, name, list,
                   used < sizeof list ? "" : "...");
}

dt_status dt_npz_find(const dt_npz *npz, const char *name, const dt_npz_member **out)
{
    const npz_entry *entry = find_entry(npz, name);
    *out = NULL;
    if (entry == NULL)
        return fail_no_such(npz, name);
    if (entry->error != NULL)
        return dt_fail(DT_DATA, "%s", entry->error);
    *out = &entry->member;
    return DT_OK;
}
