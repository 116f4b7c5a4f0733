#include "dtrain/io/npz.h"

#include "dtrain/base/memory.h"
#include "npz_h5.h"
#include "zip_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NPY_LENGTH_BYTES = 12, /* bytes of a .npy file that contain the length of its header */
    LIST_BYTES = 300, /* of names in an error line */
    LABEL_BYTES = 512 /* "path: 'name'" in an error line */
};

static const dt_zip_kind npz_kind = {
    .name = ".npz",
    .member = "array",
    .suffix = ".npy",
    .if_no_zip = "; convert a table of text with dtrain prepare",
    .if_single_npy = ": save inputs and targets together with numpy.savez",
    .if_unknown_method = "; save it again with numpy.savez_compressed"};

/* `member` is first, so that a pointer of dt_npz_find can be cast to its entry. */
typedef struct npz_entry {
    dt_npz_member member;
    const dt_zip *zip; /* NULL: a dataset of an HDF5 file */
    const dt_zip_member *packed;
    npz_h5_array *dataset;
    char *error; /* why the array cannot be used; NULL when it can */
    bool text; /* it can be used as text; the error is for callers that need numbers */
    const char *path; /* of its file */
} npz_entry;

struct dt_npz {
    char *path;
    dt_zip **zips; /* [zip_count]: one archive, or files of one array each */
    size_t zip_count;
    npz_h5 *h5; /* an HDF5 file instead of archives */
    npz_entry *entries; /* [count]: one for each member, in the same order */
    size_t count;
};

struct dt_npz_stream {
    dt_zip_stream *zip; /* one of both */
    npz_h5_stream *h5;
    npz_entry *entry;
};

/* The number of bytes at the beginning of a .npy file that dt_npy_parse needs. */
static size_t npy_header_bytes(const unsigned char *head, size_t bytes)
{
    if (bytes < NPY_LENGTH_BYTES)
        return bytes;
    uint64_t length =
        head[6] == 1 ? 10 + (uint64_t)zip_get16(head + 8) : 12 + (uint64_t)zip_get32(head + 8);
    return length < DT_NPY_MAX_HEADER_BYTES ? (size_t)length : DT_NPY_MAX_HEADER_BYTES;
}

DT_MUST_USE static dt_status read_npy_header(npz_entry *entry, unsigned char *scratch)
{
    dt_status status = DT_OK;
    dt_zip_stream *stream = NULL;
    char label[LABEL_BYTES];
    dt_npz_member *member = &entry->member;
    *member = (dt_npz_member){.name = entry->packed->name,
                              .crc32 = entry->packed->crc32,
                              .stored_bytes = entry->packed->stored_bytes,
                              .plain_bytes = entry->packed->plain_bytes};
    DT_TRY(dt_zip_stream_open(&stream, entry->zip, entry->packed));
    size_t begin =
        member->plain_bytes < NPY_LENGTH_BYTES ? (size_t)member->plain_bytes : NPY_LENGTH_BYTES;
    DT_TRY(dt_zip_stream_read(stream, scratch, begin));
    size_t bytes = npy_header_bytes(scratch, begin);
    if (bytes > member->plain_bytes)
        bytes = (size_t)member->plain_bytes;
    if (bytes > begin)
        DT_TRY(dt_zip_stream_read(stream, scratch + begin, bytes - begin));
    (void)snprintf(label, sizeof label, "%s: array '%.80s'", dt_zip_path(entry->zip), member->name);
    /* An array that nobody requests may be anything, so its error is reported only on request. */
    dt_status usable = dt_npy_parse_any(&member->npy, label, scratch, bytes);
    entry->text = usable == DT_OK && dt_npy_is_text(&member->npy);
    if (entry->text)
        usable = dt_npy_refuse_text(&member->npy, label);
    if (usable != DT_OK) {
        DT_TRY(dt_memory_copy_text(&entry->error, dt_status_text()));
        dt_status_set_text("");
    }
    if (usable != DT_OK && !entry->text)
        goto out;
    uint64_t announced = member->npy.header_bytes + member->npy.data_bytes;
    entry->text = entry->text && announced == member->plain_bytes;
    if (usable == DT_OK && announced != member->plain_bytes)
        status = dt_fail(
            DT_DATA,
            "%s has a header that does not fit its size: its shape and type require %" PRIu64
            " bytes, but the archive has %" PRIu64 "; save it again",
            label, announced, member->plain_bytes);
out:
    dt_zip_stream_close(stream);
    return status;
}

/* Lists the members of all zips, and reads their headers. */
DT_MUST_USE static dt_status list_entries(dt_npz *npz)
{
    dt_status status = DT_OK;
    unsigned char *scratch = NULL;
    for (size_t z = 0; z < npz->zip_count; z++)
        npz->count += dt_zip_count(npz->zips[z]);
    DT_TRY(dt_memory_alloc(&npz->entries, npz->count, sizeof *npz->entries, "arrays"));
    DT_TRY(dt_memory_alloc(&scratch, DT_NPY_MAX_HEADER_BYTES, 1, "array header"));
    npz_entry *entry = npz->entries;
    for (size_t z = 0; z < npz->zip_count; z++)
        for (size_t i = 0; i < dt_zip_count(npz->zips[z]); i++, entry++) {
            entry->zip = npz->zips[z];
            entry->path = dt_zip_path(entry->zip);
            entry->packed = dt_zip_member_at(entry->zip, i);
            DT_TRY(read_npy_header(entry, scratch));
        }
out:
    dt_memory_free(scratch);
    return status;
}

typedef dt_status open_zip(dt_zip **out, const char *path, const dt_zip_kind *kind);

DT_MUST_USE static dt_status open_all(dt_npz **out, const char *name, const char *const *paths,
                                      size_t count, open_zip *open_one)
{
    dt_status status = DT_OK;
    dt_npz *npz = NULL;
    *out = NULL;
    DT_TRY(dt_memory_alloc(&npz, 1, sizeof *npz, "archive"));
    DT_TRY(dt_memory_copy_text(&npz->path, name));
    DT_TRY(dt_memory_alloc(&npz->zips, count, sizeof *npz->zips, "archives"));
    for (; npz->zip_count < count; npz->zip_count++)
        DT_TRY(open_one(&npz->zips[npz->zip_count], paths[npz->zip_count], &npz_kind));
    DT_TRY(list_entries(npz));
    *out = npz;
    npz = NULL;
out:
    dt_npz_close(npz);
    return status;
}

dt_status dt_npz_open(dt_npz **out, const char *path)
{
    return open_all(out, path, &path, 1, dt_zip_open_kind);
}

dt_status dt_npz_open_files(dt_npz **out, const char *name, const char *const *paths, size_t count)
{
    dt_status status = open_all(out, name, paths, count, dt_zip_open_plain);
    for (size_t i = 0; status == DT_OK && i < count; i++)
        for (size_t j = 0; status == DT_OK && j < i; j++)
            if (strcmp(dt_npz_name(*out, i), dt_npz_name(*out, j)) == 0)
                status = dt_fail(
                    DT_DATA,
                    "%s and %s have the same name; add the set to the names, as in x_train.npy",
                    paths[j], paths[i]);
    if (status != DT_OK) {
        dt_npz_close(*out);
        *out = NULL;
    }
    return status;
}

/* Lists the datasets of an HDF5 file. */
DT_MUST_USE static dt_status list_datasets(dt_npz *npz)
{
    dt_status status = DT_OK;
    npz->count = npz_h5_count(npz->h5);
    DT_TRY(dt_memory_alloc(&npz->entries, npz->count, sizeof *npz->entries, "arrays"));
    for (size_t i = 0; i < npz->count; i++) {
        npz_entry *entry = &npz->entries[i];
        npz_h5_array *array = npz_h5_at(npz->h5, i);
        char label[LABEL_BYTES];
        entry->dataset = array;
        entry->path = npz->path;
        entry->member = (dt_npz_member){.name = array->path + 1, .npy = array->npy};
        entry->member.stored_bytes = array->stored_bytes;
        entry->member.plain_bytes = array->npy.header_bytes + array->npy.data_bytes;
        entry->text = array->error == NULL && dt_npy_is_text(&array->npy);
        (void)snprintf(label, sizeof label, "%s: array '%.80s'", npz->path, entry->member.name);
        if (array->error != NULL)
            DT_TRY(dt_memory_copy_text(&entry->error, array->error));
        else if (entry->text && dt_npy_refuse_text(&array->npy, label) == DT_DATA)
            DT_TRY(dt_memory_copy_text(&entry->error, dt_status_text()));
        dt_status_set_text("");
    }
out:
    return status;
}

dt_status dt_npz_open_h5(dt_npz **out, const char *path)
{
    dt_status status = DT_OK;
    dt_npz *npz = NULL;
    *out = NULL;
    DT_TRY(dt_memory_alloc(&npz, 1, sizeof *npz, "archive"));
    DT_TRY(dt_memory_copy_text(&npz->path, path));
    DT_TRY(npz_h5_open(&npz->h5, npz->path));
    DT_TRY(list_datasets(npz));
    *out = npz;
    npz = NULL;
out:
    dt_npz_close(npz);
    return status;
}

void dt_npz_close(dt_npz *npz)
{
    if (npz == NULL)
        return;
    for (size_t i = 0; npz->entries != NULL && i < npz->count; i++)
        dt_memory_free(npz->entries[i].error);
    for (size_t z = 0; z < npz->zip_count; z++)
        dt_zip_close(npz->zips[z]);
    npz_h5_close(npz->h5);
    dt_memory_free(npz->entries);
    dt_memory_free(npz->zips);
    dt_memory_free(npz->path);
    dt_memory_free(npz);
}

const char *dt_npz_path(const dt_npz *npz)
{
    return npz->path;
}

const char *dt_npz_member_path(const dt_npz_member *member)
{
    return ((const npz_entry *)(const void *)member)->path;
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

/* From the back: of several members with the same name the last one counts. */
static npz_entry *find_entry(const dt_npz *npz, const char *name)
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
    if (dt_npz_count(npz) == 0)
        return dt_fail(DT_DATA, "%s: no array '%.80s': the archive has no arrays", npz->path, name);
    for (size_t i = 0; i < dt_npz_count(npz) && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%.80s", i > 0 ? ", " : "",
                                 dt_npz_name(npz, i));
    return dt_fail(DT_DATA, "%s: no array '%.80s', found: %s%s", npz->path, name, list,
                   used < sizeof list ? "" : "...");
}

/* Texts of variable length get the length of the longest, which is measured only if they are
 * used. */
DT_MUST_USE static dt_status measure(const dt_npz *npz, npz_entry *entry)
{
    npz_h5_array *array = entry->dataset;
    if (array == NULL || !array->unmeasured || !entry->text)
        return DT_OK;
    const dt_status status = npz_h5_measure(npz->h5, array);
    if (status != DT_OK)
        return status;
    entry->member.npy = array->npy;
    entry->member.plain_bytes = array->npy.header_bytes + array->npy.data_bytes;
    return DT_OK;
}

DT_MUST_USE static dt_status find(const dt_npz *npz, const char *name, bool text,
                                  const dt_npz_member **out)
{
    npz_entry *entry = find_entry(npz, name);
    *out = NULL;
    if (entry == NULL)
        return fail_no_such(npz, name);
    if (entry->error != NULL && !(text && entry->text))
        return dt_fail(DT_DATA, "%s", entry->error);
    const dt_status status = measure(npz, entry);
    if (status == DT_OK)
        *out = &entry->member;
    return status;
}

dt_status dt_npz_find(const dt_npz *npz, const char *name, const dt_npz_member **out)
{
    return find(npz, name, false, out);
}

dt_status dt_npz_find_any(const dt_npz *npz, const char *name, const dt_npz_member **out)
{
    return find(npz, name, true, out);
}

const dt_npz_member *dt_npz_look(const dt_npz *npz, const char *name)
{
    npz_entry *entry = find_entry(npz, name);
    if (entry == NULL || (entry->error != NULL && !entry->text))
        return NULL;
    if (measure(npz, entry) == DT_OK)
        return &entry->member;
    dt_status_set_text("");
    return NULL;
}

/* Skips the header of an array. */
DT_MUST_USE static dt_status skip_header(dt_zip_stream *stream, uint64_t bytes)
{
    unsigned char scratch[4096];
    while (bytes > 0) {
        const size_t part = bytes < sizeof scratch ? (size_t)bytes : sizeof scratch;
        const dt_status status = dt_zip_stream_read(stream, scratch, part);
        if (status != DT_OK)
            return status;
        bytes -= part;
    }
    return DT_OK;
}

dt_status dt_npz_stream_open(dt_npz_stream **out, const dt_npz *npz, const dt_npz_member *member)
{
    dt_status status = DT_OK;
    dt_npz_stream *stream = NULL;
    const npz_entry *entry = (const npz_entry *)(const void *)member;
    *out = NULL;
    DT_ASSERT(entry >= npz->entries && entry < npz->entries + npz->count);
    DT_ASSERT(entry->error == NULL || entry->text);
    DT_TRY(dt_memory_alloc(&stream, 1, sizeof *stream, "input buffer"));
    stream->entry = &npz->entries[entry - npz->entries];
    if (npz->h5 != NULL) {
        DT_TRY(npz_h5_stream_open(&stream->h5, npz->h5, entry->dataset));
    } else {
        DT_TRY(dt_zip_stream_open(&stream->zip, entry->zip, entry->packed));
        DT_TRY(skip_header(stream->zip, member->npy.header_bytes));
    }
    *out = stream;
    stream = NULL;
out:
    dt_npz_stream_close(stream);
    return status;
}

dt_status dt_npz_stream_read(dt_npz_stream *stream, void *out, size_t bytes)
{
    if (stream->h5 == NULL)
        return dt_zip_stream_read(stream->zip, out, bytes);
    const dt_status status = npz_h5_stream_read(stream->h5, out, bytes);
    stream->entry->member.crc32 = stream->entry->dataset->crc32;
    return status;
}

void dt_npz_stream_close(dt_npz_stream *stream)
{
    if (stream == NULL)
        return;
    dt_zip_stream_close(stream->zip);
    npz_h5_stream_close(stream->h5);
    dt_memory_free(stream);
}

dt_status dt_npz_writer_open(dt_npz_writer **out, const char *path, int level)
{
    return dt_zip_writer_open(out, path, level);
}

dt_status dt_npz_writer_begin(dt_npz_writer *writer, const char *name, const char *descr,
                              unsigned dims, const uint64_t *shape)
{
    dt_status status = DT_OK;
    char header[256];
    char *file_name = NULL;
    /* "<f4", "<U12": of characters of four bytes */
    uint64_t data_bytes = strtoul(descr + 2, NULL, 10) * (descr[1] == 'U' ? 4 : 1);
    size_t name_bytes = strlen(name) + sizeof ".npy";
    size_t header_bytes = dt_npy_format(header, descr, dims, shape);
    for (unsigned i = 0; i < dims; i++)
        if (__builtin_mul_overflow(data_bytes, shape[i], &data_bytes))
            DT_TRY(dt_fail(DT_OUTPUT, "array '%s' is too large", name));
    DT_TRY(dt_memory_alloc(&file_name, name_bytes, 1, "member name"));
    (void)snprintf(file_name, name_bytes, "%s.npy", name);
    DT_TRY(dt_zip_writer_begin(writer, file_name, header_bytes + data_bytes));
    DT_TRY(dt_zip_writer_write(writer, header, header_bytes));
out:
    dt_memory_free(file_name);
    return status;
}

dt_status dt_npz_writer_write(dt_npz_writer *writer, const void *items, size_t bytes)
{
    return dt_zip_writer_write(writer, items, bytes);
}

dt_status dt_npz_writer_seal(dt_npz_writer *writer)
{
    return dt_zip_writer_seal(writer);
}

dt_status dt_npz_writer_finish(dt_npz_writer *writer)
{
    return dt_zip_writer_finish(writer);
}

void dt_npz_writer_discard(dt_npz_writer *writer)
{
    dt_zip_writer_discard(writer);
}
