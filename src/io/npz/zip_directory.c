#include "zip_internal.h"

#include "dtrain/base/fault.h"
#include "dtrain/base/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
    MAX_COMMENT_BYTES = 65535,
    MAX_DIRECTORY_BYTES = 1 << 26, /* half a million members; larger archives are not data */
    MAX_INFLATION = 1032, /* bytes that one byte of a deflate stream can become */
    SNIFF_BYTES = 512
};

dt_status dt_zip_read_at(const dt_zip *zip, uint64_t offset, void *out, size_t bytes)
{
    unsigned char *at = out;
    while (bytes > 0) {
        ssize_t got = dt_fault("read") ? -1 : pread(zip->fd, at, bytes, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return dt_fail(DT_DATA, "%s: cannot read: %s", zip->path, strerror(errno));
        if (got == 0)
            return dt_fail(DT_DATA, "%s: ends at byte %" PRIu64 ", expected more; copy it again",
                           zip->path, offset);
        at += got;
        offset += (uint64_t)got;
        bytes -= (size_t)got;
    }
    return DT_OK;
}

static bool begins(const unsigned char *data, size_t bytes, const char *text, size_t length)
{
    return bytes >= length && memcmp(data, text, length) == 0;
}

static bool looks_like_html(const unsigned char *data, size_t bytes)
{
    static const char *const openings[] = {"<!doctype", "<html", "<head", "<body", "<?xml", "<!--"};
    if (begins(data, bytes, "\xEF\xBB\xBF", 3)) {
        data += 3;
        bytes -= 3;
    }
    while (bytes > 0 && memchr(" \t\r\n", *data, 4) != NULL) {
        data++;
        bytes--;
    }
    for (size_t i = 0; i < sizeof openings / sizeof *openings; i++)
        if (bytes >= strlen(openings[i]) &&
            strncasecmp((const char *)data, openings[i], strlen(openings[i])) == 0)
            return true;
    return false;
}

/* The end is not that of a ZIP archive: the beginning shows what the file really is. */
DT_MUST_USE static dt_status explain_no_zip(const dt_zip *zip)
{
    const dt_zip_kind *kind = &zip->kind;
    unsigned char head[SNIFF_BYTES];
    size_t bytes = zip->file_bytes < sizeof head ? (size_t)zip->file_bytes : sizeof head;
    dt_status status = dt_zip_read_at(zip, 0, head, bytes);
    if (status != DT_OK)
        return status;
    if (looks_like_html(head, bytes))
        return dt_fail(DT_DATA,
                       "%s: looks like an HTML page, not a %s: the download may have failed",
                       zip->path, kind->name);
    if (begins(head, bytes, "version https://git-lfs", 23))
        return dt_fail(DT_DATA, "%s: is a Git LFS pointer, not the data: run git lfs pull",
                       zip->path);
    if (begins(head, bytes, "\x93NUMPY", 6))
        return dt_fail(DT_DATA, "%s: is a single .npy array, expected a %s%s", zip->path,
                       kind->name, kind->if_single_npy);
    if (begins(head, bytes, "\x89HDF\r\n\x1a\n", 8))
        return dt_fail(DT_DATA, "%s: is an HDF5 file, expected a %s", zip->path, kind->name);
    if (begins(head, bytes, "\x1f\x8b", 2))
        return dt_fail(DT_DATA, "%s: is gzip-compressed, expected a %s: run gunzip", zip->path,
                       kind->name);
    if (begins(head, bytes, "PK", 2))
        return dt_fail(DT_DATA,
                       "%s: truncated ZIP archive: no end of central directory after %" PRIu64
                       " bytes; copy or download it again",
                       zip->path, zip->file_bytes);
    return dt_fail(DT_DATA, "%s: is not a ZIP archive, expected a %s%s", zip->path, kind->name,
                   kind->if_no_zip);
}

/* The end of central directory: number and place of the entries, and the place of this record. */
typedef struct zip_end {
    uint64_t at;
    uint32_t disk, directory_disk;
    uint64_t entries_here, entries;
    uint64_t bytes, offset;
    bool is64;
} zip_end;

/* A comment may follow the record, so it is searched from the end of the file. The length of the
 * comment in the record must fit into the rest of the file; otherwise these bytes are not the
 * record. */
DT_MUST_USE static dt_status find_end(const dt_zip *zip, zip_end *end)
{
    dt_status status = DT_OK;
    unsigned char *tail = NULL;
    const uint64_t most = ZIP_END_BYTES + MAX_COMMENT_BYTES;
    size_t bytes = (size_t)(zip->file_bytes < most ? zip->file_bytes : most);
    uint64_t begin = zip->file_bytes - bytes;
    DT_TRY(dt_memory_alloc(&tail, bytes, 1, "end of the archive"));
    DT_TRY(dt_zip_read_at(zip, begin, tail, bytes));
    for (size_t left = ZIP_END_BYTES; left <= bytes; left++) {
        const unsigned char *record = tail + bytes - left;
        if (zip_get32(record) != ZIP_END_MAGIC || zip_get16(record + 20) > left - ZIP_END_BYTES)
            continue;
        *end = (zip_end){.at = zip->file_bytes - left,
                         .disk = zip_get16(record + 4),
                         .directory_disk = zip_get16(record + 6),
                         .entries_here = zip_get16(record + 8),
                         .entries = zip_get16(record + 10),
                         .bytes = zip_get32(record + 12),
                         .offset = zip_get32(record + 16)};
        goto out;
    }
    status = explain_no_zip(zip);
out:
    dt_memory_free(tail);
    return status;
}

DT_MUST_USE static dt_status fail_disks(const dt_zip *zip)
{
    return dt_fail(DT_DATA, "%s: is one part of a ZIP archive on several disks; join it first",
                   zip->path);
}

DT_MUST_USE static dt_status fail_directory(const dt_zip *zip, const char *found)
{
    return dt_fail(DT_DATA, "%s: damaged ZIP archive: %s; copy or download it again", zip->path,
                   found);
}

/* An archive that exceeds a limit of ZIP has a second record and its locator directly before the
 * first. In the rare archive with prepended bytes, all offsets are too small. */
DT_MUST_USE static dt_status find_end64(const dt_zip *zip, zip_end *end)
{
    dt_status status = DT_OK;
    unsigned char locator[ZIP_LOCATOR_BYTES], record[ZIP_END64_BYTES];
    if (end->at < ZIP_LOCATOR_BYTES + ZIP_END64_BYTES)
        return DT_OK;
    uint64_t last = end->at - ZIP_LOCATOR_BYTES - ZIP_END64_BYTES;
    DT_TRY(dt_zip_read_at(zip, end->at - ZIP_LOCATOR_BYTES, locator, sizeof locator));
    if (zip_get32(locator) != ZIP_LOCATOR_MAGIC)
        return DT_OK;
    if (zip_get32(locator + 4) != 0 || zip_get32(locator + 16) > 1)
        return fail_disks(zip);
    uint64_t at = zip_get64(locator + 8);
    memset(record, 0, sizeof record);
    if (at <= last)
        DT_TRY(dt_zip_read_at(zip, at, record, sizeof record));
    if (zip_get32(record) != ZIP_END64_MAGIC) {
        at = last;
        DT_TRY(dt_zip_read_at(zip, at, record, sizeof record));
    }
    if (zip_get32(record) != ZIP_END64_MAGIC)
        return fail_directory(zip, "no ZIP64 end of central directory");
    *end = (zip_end){.at = at,
                     .disk = zip_get32(record + 16),
                     .directory_disk = zip_get32(record + 20),
                     .entries_here = zip_get64(record + 24),
                     .entries = zip_get64(record + 32),
                     .bytes = zip_get64(record + 40),
                     .offset = zip_get64(record + 48),
                     .is64 = true};
out:
    return status;
}

/* One entry of the directory while it is parsed. */
typedef struct raw_entry {
    const unsigned char *fixed;
    char *name;
    size_t name_bytes;
    const unsigned char *extra;
    size_t extra_bytes;
    uint64_t stored, plain, offset;
    uint32_t disk;
} raw_entry;

/* ZIP64: a number that is all ones stands in the extra field instead, in this order. */
DT_MUST_USE static dt_status read_extra64(const dt_zip *zip, raw_entry *raw)
{
    const unsigned char *at = raw->extra, *end = raw->extra + raw->extra_bytes;
    while (end - at >= 4 && zip_get16(at) != ZIP_EXTRA_64) {
        size_t bytes = 4 + (size_t)zip_get16(at + 2);
        at += bytes < (size_t)(end - at) ? bytes : (size_t)(end - at);
    }
    if (end - at < 4)
        return DT_OK; /* then the number really is all ones, and is compared with the file's size */
    if (zip_get16(at + 2) > end - at - 4)
        return fail_directory(zip, "an extra field is cut off");
    end = at + 4 + zip_get16(at + 2);
    at += 4;
    uint64_t *const numbers[] = {&raw->plain, &raw->stored, &raw->offset};
    for (size_t i = 0; i < 3; i++) {
        if (*numbers[i] != UINT32_MAX)
            continue;
        if (end - at < 8)
            return fail_directory(zip, "a ZIP64 field is cut off");
        *numbers[i] = zip_get64(at);
        at += 8;
    }
    if (raw->disk == UINT16_MAX && end - at >= 4)
        raw->disk = zip_get32(at);
    return DT_OK;
}

DT_MUST_USE static dt_status check_entry(const dt_zip *zip, const raw_entry *raw)
{
    const char *name = raw->name;
    unsigned flags = zip_get16(raw->fixed + 8), method = zip_get16(raw->fixed + 10);
    if (strlen(name) != raw->name_bytes)
        return fail_directory(zip, "a name contains a zero byte");
    if ((flags & (1u << 0 | 1u << 6 | 1u << 13)) != 0)
        return dt_fail(DT_DATA, "%s: '%.80s' is encrypted; save the %ss without a password",
                       zip->path, name, zip->kind.member);
    if (method != ZIP_STORED && method != ZIP_DEFLATED)
        return dt_fail(DT_DATA,
                       "%s: '%.80s' has compression method %u, expected 0 (stored) or 8 "
                       "(deflated)%s",
                       zip->path, name, method, zip->kind.if_unknown_method);
    if (raw->disk != 0)
        return fail_disks(zip);
    if (method == ZIP_STORED && raw->stored != raw->plain)
        return dt_fail(DT_DATA,
                       "%s: '%.80s' is stored uncompressed in %" PRIu64
                       " bytes, but the directory says %" PRIu64 "; copy or download it again",
                       zip->path, name, raw->stored, raw->plain);
    if (method == ZIP_DEFLATED && raw->plain / MAX_INFLATION > raw->stored)
        return dt_fail(DT_DATA,
                       "%s: '%.80s' says that %" PRIu64 " bytes inflate to %" PRIu64
                       ", which exceeds the limit of deflate (1032 : 1); the file was manipulated",
                       zip->path, name, raw->stored, raw->plain);
    return DT_OK;
}

/* The local header repeats the directory; only its own length is read from it. If name or method
 * differ, the two describe different members. */
DT_MUST_USE static dt_status check_local(const dt_zip *zip, const raw_entry *raw, uint64_t limit,
                                         uint64_t *data_offset)
{
    dt_status status = DT_OK;
    unsigned char fixed[ZIP_LOCAL_BYTES], name[256];
    uint64_t at = raw->offset;
    if (at > limit || limit - at < ZIP_LOCAL_BYTES)
        return fail_directory(zip, "a member begins beyond the end");
    DT_TRY(dt_zip_read_at(zip, at, fixed, sizeof fixed));
    if (zip_get32(fixed) != ZIP_LOCAL_MAGIC)
        return fail_directory(zip, "no member at its place in the directory");
    at += sizeof fixed;
    uint64_t variable = (uint64_t)zip_get16(fixed + 26) + zip_get16(fixed + 28);
    if (variable > limit - at || raw->stored > limit - at - variable)
        return fail_directory(zip, "a member reaches beyond the end");
    *data_offset = at + variable;
    bool same = zip_get16(fixed + 26) == raw->name_bytes &&
                zip_get16(fixed + 8) == zip_get16(raw->fixed + 10);
    for (size_t done = 0; same && done < raw->name_bytes; done += sizeof name) {
        size_t left = raw->name_bytes - done;
        size_t bytes = left < sizeof name ? left : sizeof name;
        DT_TRY(dt_zip_read_at(zip, at + done, name, bytes));
        same = memcmp(name, raw->name + done, bytes) == 0;
    }
    if (!same)
        status =
            fail_directory(zip, "a member and the directory disagree about its name or method");
out:
    return status;
}

DT_MUST_USE static dt_status add_member(dt_zip *zip, const raw_entry *raw, uint64_t data_offset)
{
    dt_status status = DT_OK;
    if (zip->count == zip->room) {
        size_t room = zip->room == 0 ? 8 : 2 * zip->room;
        DT_TRY(dt_memory_grow(&zip->members, zip->count, room, sizeof *zip->members, "members"));
        zip->room = room;
    }
    raw->name[raw->name_bytes - strlen(zip->kind.suffix)] = '\0';
    zip->members[zip->count++] =
        (dt_zip_member){.name = raw->name,
                        .crc32 = zip_get32(raw->fixed + 16),
                        .stored_bytes = raw->stored,
                        .plain_bytes = raw->plain,
                        .data_offset = data_offset,
                        .deflated = zip_get16(raw->fixed + 10) == ZIP_DEFLATED};
out:
    return status;
}

static bool is_wanted(const dt_zip *zip, const raw_entry *raw)
{
    size_t bytes = strlen(zip->kind.suffix);
    return raw->name_bytes >= bytes &&
           memcmp(raw->name + raw->name_bytes - bytes, zip->kind.suffix, bytes) == 0;
}

/* Parses one entry, adds it if it has the right kind, and advances *at. `shift` is the number of
 * prepended bytes, which offsets lack; members must end before `limit`. */
DT_MUST_USE static dt_status read_entry(dt_zip *zip, unsigned char **at, size_t left,
                                        uint64_t shift, uint64_t limit)
{
    dt_status status = DT_OK;
    unsigned char *fixed = *at;
    if (left < ZIP_ENTRY_BYTES || zip_get32(fixed) != ZIP_ENTRY_MAGIC)
        return fail_directory(zip, "the central directory is not where it should be");
    raw_entry raw = {.fixed = fixed,
                     .name = (char *)fixed + ZIP_ENTRY_BYTES - 1,
                     .name_bytes = zip_get16(fixed + 28),
                     .extra_bytes = zip_get16(fixed + 30),
                     .stored = zip_get32(fixed + 20),
                     .plain = zip_get32(fixed + 24),
                     .offset = zip_get32(fixed + 42),
                     .disk = zip_get16(fixed + 34)};
    size_t bytes = ZIP_ENTRY_BYTES + raw.name_bytes + raw.extra_bytes + zip_get16(fixed + 32);
    if (bytes > left)
        return fail_directory(zip, "an entry of the central directory is cut off");
    raw.extra = fixed + ZIP_ENTRY_BYTES + raw.name_bytes;
    *at += bytes;
    /* The zero at the end of the name overwrites the last byte of the offset, which has been
     * read. */
    memmove(raw.name, raw.name + 1, raw.name_bytes);
    raw.name[raw.name_bytes] = '\0';
    if (!is_wanted(zip, &raw))
        return DT_OK;
    uint64_t data_offset = 0;
    DT_TRY(read_extra64(zip, &raw));
    DT_TRY(check_entry(zip, &raw));
    if (__builtin_add_overflow(raw.offset, shift, &raw.offset))
        return fail_directory(zip, "a member begins beyond the end");
    DT_TRY(check_local(zip, &raw, limit, &data_offset));
    DT_TRY(add_member(zip, &raw, data_offset));
out:
    return status;
}

DT_MUST_USE static dt_status check_end(const dt_zip *zip, const zip_end *end)
{
    if (end->disk != 0 || end->directory_disk != 0 || end->entries_here != end->entries)
        return fail_disks(zip);
    if (end->bytes > end->at || end->offset > end->at - end->bytes)
        return fail_directory(zip, "the central directory is larger than the file");
    if (end->bytes > MAX_DIRECTORY_BYTES)
        return dt_fail(DT_DATA,
                       "%s: the list of members alone has %" PRIu64 " bytes, expected at most %d: "
                       "not a %s",
                       zip->path, end->bytes, MAX_DIRECTORY_BYTES, zip->kind.name);
    return DT_OK;
}

dt_status dt_zip_read_directory(dt_zip *zip)
{
    dt_status status = DT_OK;
    zip_end end = {0};
    DT_TRY(find_end(zip, &end));
    DT_TRY(find_end64(zip, &end));
    DT_TRY(check_end(zip, &end));
    uint64_t begin = end.at - end.bytes; /* the offset in the file, whatever was prepended */
    DT_TRY(dt_memory_alloc(&zip->directory, (size_t)end.bytes, 1, "central directory"));
    DT_TRY(dt_zip_read_at(zip, begin, zip->directory, (size_t)end.bytes));
    unsigned char *at = zip->directory, *stop = zip->directory + end.bytes;
    uint64_t entries = 0;
    for (; at < stop; entries++)
        DT_TRY(read_entry(zip, &at, (size_t)(stop - at), begin - end.offset, begin));
    /* The number is only checked; without ZIP64 some programs write its low 16 bits. */
    if (entries != end.entries && (end.is64 || (entries & UINT16_MAX) != end.entries))
        status = fail_directory(zip, "the number of members is not what the directory says");
out:
    return status;
}
