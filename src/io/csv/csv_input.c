#include "csv_input.h"

#include "csv_scan.h"
#include "csv_source.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"

#include <string.h>
#include <zlib.h>

/* CHARACTER_BYTES: the length of the longest character in UTF-8 and in UTF-16. */
enum { RAW_BYTES = 1 << 16, CHARACTER_BYTES = 4 };

struct dt_csv_input {
    char *path;
    dt_csv_source source;
    dt_csv_encoding encoding;
    bool big_endian; /* UTF-16 */
    bool gzip, member_ended;
    z_stream z; /* its input is `packed` */
    bool ended; /* nothing comes behind `raw` */
    size_t raw_begin, raw_end;
    uint64_t position; /* bytes given */
    unsigned char raw[RAW_BYTES], packed[RAW_BYTES];
};

/* ---- bytes as they are in the file, or in what it inflates to ---- */

DT_MUST_USE static dt_status fail_gzip(const dt_csv_input *in, int code)
{
    if (code == Z_MEM_ERROR)
        return dt_fail(DT_MEMORY, "%s: no memory for zlib", in->source.path);
    return dt_fail(DT_DATA, "%s: damaged gzip data: %s", in->source.path,
                   in->z.msg != NULL ? in->z.msg : "it makes no sense");
}

DT_MUST_USE static dt_status refill_packed(dt_csv_input *in)
{
    size_t got = 0;
    dt_status status = DT_OK;
    if (in->z.avail_in > 0)
        return DT_OK;
    status = dt_csv_source_read(&in->source, in->packed, RAW_BYTES, &got);
    in->z.next_in = in->packed;
    in->z.avail_in = (uInt)got;
    return status;
}

/* A gzip file may have several members, and zeros behind them. */
DT_MUST_USE static dt_status next_member(dt_csv_input *in)
{
    for (;;) {
        dt_status status = refill_packed(in);
        if (status != DT_OK)
            return status;
        in->ended = in->z.avail_in == 0;
        if (in->ended)
            return DT_OK;
        if (*in->z.next_in != 0)
            break;
        in->z.next_in++;
        in->z.avail_in--;
    }
    in->member_ended = false;
    return inflateReset(&in->z) == Z_OK ? DT_OK : fail_gzip(in, Z_STREAM_ERROR);
}

DT_MUST_USE static dt_status inflate_raw(dt_csv_input *in)
{
    dt_status status = DT_OK;
    while (in->raw_end < RAW_BYTES && !in->ended) {
        if (in->member_ended) {
            DT_TRY(next_member(in));
            continue;
        }
        DT_TRY(refill_packed(in));
        if (in->z.avail_in == 0)
            DT_TRY(dt_fail(DT_DATA, "%s: the gzip data ends early; is the file complete?",
                           in->source.path));
        in->z.next_out = in->raw + in->raw_end;
        in->z.avail_out = (uInt)(RAW_BYTES - in->raw_end);
        const int code = inflate(&in->z, Z_NO_FLUSH);
        in->raw_end = RAW_BYTES - in->z.avail_out;
        in->member_ended = code == Z_STREAM_END;
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
            DT_TRY(fail_gzip(in, code));
    }
out:
    return status;
}

/* Fills `raw` behind its unread rest, unless the input has ended. The place of the cut depends only
 * on the file. */
DT_MUST_USE static dt_status fill_raw(dt_csv_input *in)
{
    size_t got = 0;
    if (in->ended)
        return DT_OK;
    in->raw_end -= in->raw_begin;
    memmove(in->raw, in->raw + in->raw_begin, in->raw_end);
    in->raw_begin = 0;
    if (in->gzip)
        return inflate_raw(in);
    dt_status status =
        dt_csv_source_read(&in->source, in->raw + in->raw_end, RAW_BYTES - in->raw_end, &got);
    in->raw_end += got;
    in->ended = status == DT_OK && in->raw_end < RAW_BYTES;
    return status;
}

/* ---- encodings ---- */

/* Writes a character as UTF-8; returns its bytes, 0 if there is no room for it. */
static size_t put_character(char *to, size_t room, unsigned code)
{
    char character[CHARACTER_BYTES];
    if (code < 0x80 && room > 0) { /* as most are */
        *to = (char)code;
        return 1;
    }
    const size_t bytes = dt_text_put_character(character, code);
    if (room < bytes)
        return 0;
    memcpy(to, character, bytes);
    return bytes;
}

/* Source: https://encoding.spec.whatwg.org/index-windows-1252.txt */
static unsigned windows_1252(unsigned char c)
{
    static const unsigned short codes[32] = {
        0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
        0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};
    return c >= 0x80 && c < 0xA0 ? codes[c - 0x80] : c;
}

static size_t decode_windows_1252(dt_csv_input *in, char *to, size_t room)
{
    size_t used = 0;
    for (; in->raw_begin < in->raw_end; in->raw_begin++) {
        const unsigned code = windows_1252(in->raw[in->raw_begin]);
        const size_t bytes = put_character(to + used, room - used, code);
        if (bytes == 0)
            break;
        used += bytes;
    }
    return used;
}

static unsigned unit_at(const dt_csv_input *in, size_t at)
{
    const unsigned first = in->raw[at], second = in->raw[at + 1];
    return in->big_endian ? first << 8 | second : second << 8 | first;
}

/* Reads one character of UTF-16; *bytes = 0: it is not whole yet. */
DT_MUST_USE static dt_status read_utf_16(const dt_csv_input *in, unsigned *code, size_t *bytes)
{
    const size_t left = in->raw_end - in->raw_begin;
    const unsigned first = left >= 2 ? unit_at(in, in->raw_begin) : 0;
    const bool pair = first >= 0xD800 && first < 0xDC00;
    *code = first;
    *bytes = 0;
    if (left < (pair ? 4 : 2))
        return !in->ended ? DT_OK
                          : dt_fail(DT_DATA,
                                    "%s: ends inside a character of UTF-16; is the file complete?",
                                    in->source.path);
    const unsigned low = pair ? unit_at(in, in->raw_begin + 2) : 0;
    if ((first >= 0xDC00 && first < 0xE000) || (pair && (low < 0xDC00 || low >= 0xE000)))
        return dt_fail(DT_DATA, "%s: is not valid UTF-16: half a surrogate pair, 0x%04X",
                       in->source.path, first);
    if (pair)
        *code = 0x10000 + ((first - 0xD800) << 10) + (low - 0xDC00);
    *bytes = pair ? 4 : 2;
    return DT_OK;
}

DT_MUST_USE static dt_status decode_utf_16(dt_csv_input *in, char *to, size_t room, size_t *got)
{
    while (in->raw_begin < in->raw_end) {
        unsigned code = 0;
        size_t bytes = 0;
        dt_status status = read_utf_16(in, &code, &bytes);
        const size_t put = bytes > 0 ? put_character(to + *got, room - *got, code) : 0;
        if (status != DT_OK || put == 0)
            return status;
        in->raw_begin += bytes;
        *got += put;
    }
    return DT_OK;
}

/* Decides between UTF-8 and Windows-1252 by the text from the first byte beyond ASCII. */
static void vote(dt_csv_input *in, size_t at)
{
    size_t sound = 0, bad = 0;
    while (at < in->raw_end) {
        const size_t left = in->raw_end - at;
        const size_t bytes = dt_text_character_bytes((const char *)in->raw + at, left);
        if (bytes == 0 && left < CHARACTER_BYTES && !in->ended)
            break; /* cut off */
        sound += bytes > 1;
        bad += bytes == 0;
        at += bytes > 0 ? bytes : 1;
    }
    in->encoding = bad > sound ? DT_CSV_WINDOWS_1252 : DT_CSV_UTF_8;
}

static size_t take_raw(dt_csv_input *in, char *to, size_t bytes)
{
    memcpy(to, in->raw + in->raw_begin, bytes);
    in->raw_begin += bytes;
    return bytes;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

DT_MUST_USE static dt_status decode_auto(dt_csv_input *in, char *to, size_t room, size_t *got)
{
    dt_status status = DT_OK;
    size_t ascii = in->raw_begin;
    const size_t end = in->raw_begin + smaller(room, in->raw_end - in->raw_begin);
    for (uint64_t eight = 0; end - ascii >= sizeof eight; ascii += sizeof eight) {
        memcpy(&eight, in->raw + ascii, sizeof eight);
        if ((eight & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    while (ascii < end && in->raw[ascii] < 0x80)
        ascii++;
    *got = take_raw(in, to, ascii - in->raw_begin);
    if (*got > 0 || in->raw_begin == in->raw_end)
        return DT_OK;
    if (in->raw_end - in->raw_begin < CHARACTER_BYTES)
        DT_TRY(fill_raw(in));
    vote(in, in->raw_begin);
out:
    return status;
}

DT_MUST_USE static dt_status decode(dt_csv_input *in, char *to, size_t room, size_t *got)
{
    *got = 0;
    if (in->encoding == DT_CSV_AUTO) {
        dt_status status = decode_auto(in, to, room, got);
        if (status != DT_OK || in->encoding == DT_CSV_AUTO)
            return status;
    }
    if (in->encoding == DT_CSV_UTF_16)
        return decode_utf_16(in, to, room, got);
    if (in->encoding == DT_CSV_WINDOWS_1252)
        *got = decode_windows_1252(in, to, room);
    else
        *got = take_raw(in, to, smaller(room, in->raw_end - in->raw_begin));
    return DT_OK;
}

dt_status dt_csv_input_read(dt_csv_input *input, char *to, size_t room, size_t *got)
{
    dt_csv_input *in = input;
    dt_status status = DT_OK;
    *got = 0;
    while (*got == 0) {
        DT_TRY(decode(in, to, room, got));
        if (*got > 0 || (in->ended && in->raw_begin == in->raw_end))
            break;
        DT_TRY(fill_raw(in));
    }
    in->position += *got;
out:
    return status;
}

/* ---- opening, and going back ---- */

DT_MUST_USE static dt_status begin_gzip(dt_csv_input *in)
{
    const int code = inflateInit2(&in->z, MAX_WBITS + 16);
    if (code != Z_OK)
        return fail_gzip(in, code);
    in->gzip = true;
    memcpy(in->packed, in->raw, in->raw_end);
    in->z.next_in = in->packed;
    in->z.avail_in = (uInt)in->raw_end;
    in->raw_begin = in->raw_end = 0;
    in->ended = false;
    return fill_raw(in);
}

static void find_encoding(dt_csv_input *in)
{
    const unsigned char *raw = in->raw;
    const bool little = in->raw_end >= 2 && raw[0] == 0xFF && raw[1] == 0xFE;
    const bool big = in->raw_end >= 2 && raw[0] == 0xFE && raw[1] == 0xFF;
    if (in->encoding == DT_CSV_AUTO && (little || big))
        in->encoding = DT_CSV_UTF_16;
    /* Without a mark, the first character decides, because it is ASCII. */
    in->big_endian = big || (!little && in->raw_end >= 2 && raw[0] == 0);
}

DT_MUST_USE static dt_status begin(dt_csv_input *in)
{
    dt_status status = DT_OK;
    DT_TRY(fill_raw(in));
    if (in->raw_end == 0)
        DT_TRY(dt_fail(DT_DATA, "%s: is empty (0 bytes), expected a table with a header",
                       in->source.path));
    DT_TRY(dt_csv_check_raw(in->source.path, in->raw, in->raw_end));
    if (in->raw_end >= 3 && memcmp(in->raw, "\x1f\x8b\x08", 3) == 0)
        DT_TRY(begin_gzip(in));
    if (in->raw_end >= 4 &&
        (memcmp(in->raw, "\xff\xfe\0\0", 4) == 0 || memcmp(in->raw, "\0\0\xfe\xff", 4) == 0))
        DT_TRY(dt_fail(DT_DATA, "%s: is UTF-32 text: save it as UTF-8", in->source.path));
    find_encoding(in);
out:
    return status;
}

dt_status dt_csv_input_open(dt_csv_input **out, const char *path, dt_csv_encoding encoding,
                            bool once)
{
    dt_status status = DT_OK;
    dt_csv_input *in = NULL;
    *out = NULL;
    DT_TRY(dt_memory_alloc(&in, 1, sizeof *in, "reading a table"));
    in->encoding = encoding;
    in->source.fd = -1;
    DT_TRY(dt_memory_copy_text(&in->path, path));
    DT_TRY(dt_csv_source_open(&in->source, in->path, once));
    DT_TRY(begin(in));
    *out = in;
    in = NULL;
out:
    dt_csv_input_close(in);
    return status;
}

void dt_csv_input_close(dt_csv_input *input)
{
    if (input == NULL)
        return;
    if (input->gzip)
        (void)inflateEnd(&input->z);
    dt_csv_source_close(&input->source);
    dt_memory_free(input->path);
    dt_memory_free(input);
}

/* Stdin that is not stored on disk can be read only once. */
static bool is_gone(const dt_csv_source *source)
{
    return source->is_pipe && source->fd < 0;
}

dt_status dt_csv_input_seek(dt_csv_input *input, uint64_t offset)
{
    dt_csv_input *in = input;
    dt_status status = DT_OK;
    char skipped[4096];
    if (offset == in->position)
        goto out;
    if (is_gone(&in->source))
        DT_TRY(
            dt_fail(DT_INTERNAL, "%s can be read only once, but was read again", in->source.path));
    const bool plain = dt_csv_input_is_plain(in);
    in->raw_begin = in->raw_end = 0;
    in->ended = in->member_ended = false;
    in->source.offset = plain ? offset : 0;
    in->position = plain ? offset : 0;
    in->z.avail_in = 0;
    if (in->gzip && inflateReset(&in->z) != Z_OK)
        DT_TRY(fail_gzip(in, Z_STREAM_ERROR));
    while (in->position < offset) {
        size_t got = 0;
        const uint64_t left = offset - in->position;
        const size_t room = left < sizeof skipped ? (size_t)left : sizeof skipped;
        DT_TRY(dt_csv_input_read(in, skipped, room, &got));
        if (got == 0)
            DT_TRY(dt_fail(DT_DATA, "%s: shrank while it was read", in->source.path));
    }
out:
    return status;
}

/* ---- what is known ---- */

bool dt_csv_input_is_plain(const dt_csv_input *input)
{
    return !input->gzip && !is_gone(&input->source) && input->encoding != DT_CSV_UTF_16 &&
           input->encoding != DT_CSV_WINDOWS_1252;
}

uint64_t dt_csv_input_bytes(const dt_csv_input *input)
{
    const dt_csv_source *source = &input->source;
    return source->is_pipe && !source->ended ? UINT64_MAX : source->size;
}

uint64_t dt_csv_input_bytes_used(const dt_csv_input *input)
{
    return input->source.offset -
           (input->gzip ? input->z.avail_in : input->raw_end - input->raw_begin);
}

dt_csv_encoding dt_csv_input_encoding(const dt_csv_input *input)
{
    return input->encoding;
}

bool dt_csv_input_is_gzip(const dt_csv_input *input)
{
    return input->gzip;
}
