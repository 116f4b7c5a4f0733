#include "dtrain/io/npy.h"

#include "dtrain/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAGIC_BYTES = 6, PREFIX_BYTES = 10, WIDE_PREFIX_BYTES = 12, TOKEN_BYTES = 32 };

static const unsigned char magic[MAGIC_BYTES] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
static const bool machine_is_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

/* The header is a Python dictionary written out. A hand-made parser for just that: the text comes
 * from a file, and may be anything. */
typedef struct parser {
    const char *name;
    const char *at;
    const char *end;
} parser;

DT_MUST_USE static dt_status fail_syntax(const parser *p, const char *expected)
{
    return dt_fail(DT_DATA, "%s: malformed .npy header: expected %s; save the array again", p->name,
                   expected);
}

static char peek(parser *p)
{
    while (p->at < p->end && memchr(" \t\n\r\f", *p->at, 5) != NULL)
        p->at++;
    return p->at < p->end ? *p->at : '\0';
}

static bool accept(parser *p, char c)
{
    if (c == '\0' || peek(p) != c)
        return false;
    p->at++;
    return true;
}

static bool accept_word(parser *p, const char *word)
{
    size_t length = strlen(word);
    (void)peek(p);
    if ((size_t)(p->end - p->at) < length || memcmp(p->at, word, length) != 0)
        return false;
    p->at += length;
    return true;
}

DT_MUST_USE static dt_status parse_string(parser *p, char out[TOKEN_BYTES])
{
    char quote = peek(p);
    if ((quote == 'u' || quote == 'b') && p->end - p->at > 1) /* written by Python 2, or bytes */
        quote = *++p->at;
    if (quote != '\'' && quote != '"')
        return fail_syntax(p, "a quoted name");
    const char *begin = ++p->at;
    const char *close = memchr(begin, quote, (size_t)(p->end - begin));
    if (close == NULL)
        return fail_syntax(p, "a closing quote");
    (void)snprintf(out, TOKEN_BYTES, "%.*s", (int)(close - begin), begin);
    p->at = close + 1;
    return DT_OK;
}

DT_MUST_USE static dt_status parse_length(parser *p, uint64_t *out)
{
    char c = peek(p);
    if (c == '-')
        return dt_fail(DT_DATA, "%s: negative length in the shape; the file is damaged", p->name);
    if (c < '0' || c > '9')
        return fail_syntax(p, "a number in the shape");
    *out = 0;
    for (; p->at < p->end && *p->at >= '0' && *p->at <= '9'; p->at++)
        if (__builtin_mul_overflow(*out, 10u, out) ||
            __builtin_add_overflow(*out, (unsigned)(*p->at - '0'), out))
            return dt_fail(DT_DATA, "%s: a length in the shape is beyond 64 bits", p->name);
    if (p->at < p->end && *p->at == 'L') /* a Python 2 long */
        p->at++;
    return DT_OK;
}

DT_MUST_USE static dt_status parse_shape(parser *p, dt_npy *npy)
{
    dt_status status = DT_OK;
    bool comma = false;
    npy->dims = 0;
    if (!accept(p, '('))
        return fail_syntax(p, "a tuple as 'shape'");
    while (!accept(p, ')')) {
        if (npy->dims > 0 && !comma)
            return fail_syntax(p, "',' or ')' in the shape");
        if (npy->dims == DT_NPY_MAX_DIMS)
            return dt_fail(DT_DATA, "%s: more than %d dimensions", p->name, DT_NPY_MAX_DIMS);
        DT_TRY(parse_length(p, &npy->shape[npy->dims]));
        npy->dims++;
        comma = accept(p, ',');
    }
    if (npy->dims == 1 && !comma)
        return fail_syntax(p, "a tuple as 'shape', found a number in parentheses");
out:
    return status;
}

DT_MUST_USE static dt_status fail_type(const char *name, const char *descr, const char *kind,
                                       const char *advice)
{
    return dt_fail(DT_DATA, "%s: expected numbers, found %s (dtype '%s'); %s", name, kind, descr,
                   advice);
}

DT_MUST_USE static dt_status refuse_type(const char *name, const char *descr, char kind)
{
    const char *again = "save it again with dtype=float32";
    switch (kind) {
    case 'O':
        return fail_type(name, descr, "pickled Python objects",
                         "save it again with dtype=float32, labels with .astype(str)");
    case 'S':
    case 'a':
    case 'U':
        return fail_type(name, descr, "strings", "turn them into numbers, dtype=float32");
    case 'c':
        return fail_type(name, descr, "complex numbers",
                         "save the real and imaginary parts as two float32 columns");
    case 'M':
    case 'm':
        return fail_type(name, descr, "dates or durations", "save them as numbers, dtype=float64");
    case 'V':
        return fail_type(name, descr, "structured or raw records", again);
    case 'f':
        return fail_type(name, descr, "long double or an odd float", again);
    default:
        return fail_type(name, descr, "an unknown type", again);
    }
}

/* "<U12" */
DT_MUST_USE static dt_status parse_text_type(const char *name, const char *descr, const char *kind,
                                             bool big, dt_npy *npy)
{
    enum { DIGITS_MAX = 6 };
    char *end = NULL;
    const unsigned long length = strtoul(kind + 1, &end, 10);
    if (kind[1] < '1' || kind[1] > '9' || *end != '\0' || end - kind > DIGITS_MAX + 1)
        return refuse_type(name, descr, *kind);
    npy->kind = *kind == 'U' ? DT_NPY_TEXT : DT_NPY_BYTES;
    npy->item_bytes = (unsigned)length * (*kind == 'U' ? 4 : 1);
    npy->swapped = *kind == 'U' && big != machine_is_big;
    (void)snprintf(npy->descr, sizeof npy->descr, "%.15s", descr);
    return DT_OK;
}

DT_MUST_USE static dt_status parse_type(const char *name, const char *descr, dt_npy *npy)
{
    const char *c = descr;
    bool big = machine_is_big;
    if (*c == '<' || *c == '>')
        big = *c == '>';
    if (*c != '\0' && strchr("<>=|", *c) != NULL)
        c++;
    char kind = *c;
    unsigned bytes = 0;
    if (kind != '\0' && c[1] >= '1' && c[1] <= '8' && c[2] == '\0')
        bytes = (unsigned)(c[1] - '0');
    if (kind == 'U' || kind == 'S' || kind == 'a')
        return parse_text_type(name, descr, c, big, npy);
    bool power = bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
    if (kind == 'b' && bytes == 1)
        npy->kind = DT_NPY_BOOL;
    else if (kind == 'i' && power)
        npy->kind = DT_NPY_INT;
    else if (kind == 'u' && power)
        npy->kind = DT_NPY_UINT;
    else if (kind == 'f' && power && bytes > 1)
        npy->kind = DT_NPY_FLOAT;
    else
        return refuse_type(name, descr, kind);
    npy->item_bytes = bytes;
    npy->swapped = bytes > 1 && big != machine_is_big;
    (void)snprintf(npy->descr, sizeof npy->descr, "%.15s", descr);
    return DT_OK;
}

DT_MUST_USE static dt_status compute_sizes(const char *name, dt_npy *npy)
{
    /* Lengths of 0 are left out of the product that is checked, as in NumPy: (0, 2^63) is refused
     * too, because code that multiplies the other lengths must be able to trust them. */
    uint64_t product = npy->item_bytes;
    npy->count = 1;
    for (unsigned d = 0; d < npy->dims; d++) {
        uint64_t length = npy->shape[d] == 0 ? 1 : npy->shape[d];
        if (__builtin_mul_overflow(product, length, &product) || product > INT64_MAX)
            return dt_fail(DT_DATA, "%s: the shape is beyond 2^63 bytes; the file is damaged",
                           name);
        if (npy->shape[d] == 0)
            npy->count = 0;
    }
    if (npy->count > 0)
        npy->count = product / npy->item_bytes;
    npy->data_bytes = npy->count * npy->item_bytes;
    return DT_OK;
}

typedef struct fields {
    bool has_descr, has_order, has_shape;
    bool structured;
    char descr[TOKEN_BYTES];
} fields;

DT_MUST_USE static dt_status parse_field(parser *p, fields *found, dt_npy *npy)
{
    dt_status status = DT_OK;
    char key[TOKEN_BYTES];
    DT_TRY(parse_string(p, key));
    if (!accept(p, ':'))
        return fail_syntax(p, "':' after a key");
    if (strcmp(key, "descr") == 0) {
        found->has_descr = true;
        char c = peek(p);
        found->structured = c == '[' || c == '(';
        if (!found->structured)
            DT_TRY(parse_string(p, found->descr));
    } else if (strcmp(key, "fortran_order") == 0) {
        found->has_order = true;
        npy->fortran = accept_word(p, "True");
        if (!npy->fortran && !accept_word(p, "False"))
            return fail_syntax(p, "True or False as 'fortran_order'");
    } else if (strcmp(key, "shape") == 0) {
        found->has_shape = true;
        DT_TRY(parse_shape(p, npy));
    } else {
        return fail_syntax(p, "the keys 'descr', 'fortran_order' and 'shape' alone");
    }
out:
    return status;
}

DT_MUST_USE static dt_status parse_dictionary(parser *p, dt_npy *npy)
{
    dt_status status = DT_OK;
    fields found = {0};
    bool comma = true;
    if (!accept(p, '{'))
        return fail_syntax(p, "a dictionary, '{'");
    while (!accept(p, '}')) {
        if (!comma)
            return fail_syntax(p, "',' or '}'");
        DT_TRY(parse_field(p, &found, npy));
        if (found.structured) /* a nested list that nothing here needs to take apart */
            return fail_type(p->name, "structured", "records of several fields",
                             "save each field as an array of its own");
        comma = accept(p, ',');
    }
    if (peek(p) != '\0' || p->at < p->end)
        return fail_syntax(p, "nothing after '}'");
    if (!found.has_descr || !found.has_order || !found.has_shape)
        return fail_syntax(p, "the keys 'descr', 'fortran_order' and 'shape'");
    DT_TRY(parse_type(p->name, found.descr, npy));
    DT_TRY(compute_sizes(p->name, npy));
out:
    return status;
}

bool dt_npy_is_text(const dt_npy *npy)
{
    return npy->kind == DT_NPY_TEXT || npy->kind == DT_NPY_BYTES;
}

dt_status dt_npy_refuse_text(const dt_npy *npy, const char *name)
{
    return refuse_type(name, npy->descr, 'U');
}

dt_status dt_npy_parse(dt_npy *out, const char *name, const unsigned char *header, size_t bytes)
{
    const dt_status status = dt_npy_parse_any(out, name, header, bytes);
    return status == DT_OK && dt_npy_is_text(out) ? dt_npy_refuse_text(out, name) : status;
}

dt_status dt_npy_parse_any(dt_npy *out, const char *name, const unsigned char *header, size_t bytes)
{
    memset(out, 0, sizeof *out);
    if (bytes < MAGIC_BYTES || memcmp(header, magic, MAGIC_BYTES) != 0)
        return dt_fail(DT_DATA, "%s: not a .npy array: expected \\x93NUMPY at its beginning", name);
    if (bytes < PREFIX_BYTES)
        return dt_fail(DT_DATA, "%s: the .npy header is cut off", name);
    unsigned major = header[6], minor = header[7];
    if (major < 1 || major > 3 || minor != 0)
        return dt_fail(DT_DATA, "%s: .npy version %u.%u, expected 1.0, 2.0 or 3.0", name, major,
                       minor);
    size_t begin = major == 1 ? PREFIX_BYTES : WIDE_PREFIX_BYTES;
    if (bytes < begin)
        return dt_fail(DT_DATA, "%s: the .npy header is cut off", name);
    uint64_t length = header[8] | (uint64_t)header[9] << 8;
    if (major > 1)
        length |= (uint64_t)header[10] << 16 | (uint64_t)header[11] << 24;
    if (begin + length > DT_NPY_MAX_HEADER_BYTES)
        return dt_fail(DT_DATA, "%s: .npy header of %" PRIu64 " bytes, expected at most %d", name,
                       begin + length, DT_NPY_MAX_HEADER_BYTES);
    if (begin + length > bytes)
        return dt_fail(DT_DATA, "%s: the .npy header is cut off", name);
    out->header_bytes = begin + length;
    parser p = {.name = name,
                .at = (const char *)header + begin,
                .end = (const char *)header + out->header_bytes};
    return parse_dictionary(&p, out);
}

size_t dt_npy_format(char out[256], const char *descr, unsigned dims, const uint64_t *shape)
{
    char sizes[96] = "";
    size_t used = 0;
    DT_ASSERT(dims <= 4 && strlen(descr) < 16);
    for (unsigned d = 0; d < dims; d++)
        used += (size_t)snprintf(sizes + used, sizeof sizes - used, "%s%" PRIu64, d > 0 ? ", " : "",
                                 shape[d]);
    int text = snprintf(out + PREFIX_BYTES, 256 - PREFIX_BYTES,
                        "{'descr': '%s', 'fortran_order': False, 'shape': (%s%s), }", descr, sizes,
                        dims == 1 ? "," : "");
    size_t length = PREFIX_BYTES + (size_t)text;
    size_t padded = (length + 1 + 63) / 64 * 64; /* at least the newline that ends the header */
    DT_ASSERT(padded <= 256);
    memset(out + length, ' ', padded - length);
    out[padded - 1] = '\n';
    memcpy(out, magic, MAGIC_BYTES);
    out[6] = 1;
    out[7] = 0;
    out[8] = (char)((padded - PREFIX_BYTES) & 0xFF);
    out[9] = (char)((padded - PREFIX_BYTES) >> 8);
    return padded;
}

size_t dt_npy_header(char out[256], const dt_npy *npy)
{
    uint64_t shape[4] = {0};
    for (unsigned d = 0; d < npy->dims; d++)
        shape[d < 4 ? d : 3] = d < 4 ? npy->shape[d] : shape[3] * npy->shape[d];
    return dt_npy_format(out, npy->descr, npy->dims < 4 ? npy->dims : 4, shape);
}

dt_status dt_npy_make(dt_npy *out, const char *name, const char *descr, unsigned dims,
                      const uint64_t *shape)
{
    dt_status status = DT_OK;
    char header[256];
    DT_ASSERT(dims <= DT_NPY_MAX_DIMS);
    *out = (dt_npy){.dims = dims};
    memcpy(out->shape, shape, dims * sizeof *shape);
    DT_TRY(parse_type(name, descr, out));
    DT_TRY(compute_sizes(name, out));
    out->header_bytes = dt_npy_header(header, out);
out:
    return status;
}

/* Items lie at any address, so each is loaded through memcpy, which compilers turn into one
 * (vector) load; `swapped` is a constant in every loop below, so that the loops have no branch. */
#define DEFINE_LOAD(name, type, word, swap)                                                        \
    static inline type load_##name(const unsigned char *at, bool swapped)                          \
    {                                                                                              \
        word bits;                                                                                 \
        type value;                                                                                \
        memcpy(&bits, at, sizeof bits);                                                            \
        bits = swapped ? (word)swap(bits) : bits;                                                  \
        memcpy(&value, &bits, sizeof value);                                                       \
        return value;                                                                              \
    }

DEFINE_LOAD(i1, int8_t, uint8_t, )
DEFINE_LOAD(i2, int16_t, uint16_t, __builtin_bswap16)
DEFINE_LOAD(i4, int32_t, uint32_t, __builtin_bswap32)
DEFINE_LOAD(i8, int64_t, uint64_t, __builtin_bswap64)
DEFINE_LOAD(u1, uint8_t, uint8_t, )
DEFINE_LOAD(u2, uint16_t, uint16_t, __builtin_bswap16)
DEFINE_LOAD(u4, uint32_t, uint32_t, __builtin_bswap32)
DEFINE_LOAD(u8, uint64_t, uint64_t, __builtin_bswap64)
DEFINE_LOAD(f4, float, uint32_t, __builtin_bswap32)
DEFINE_LOAD(f8, double, uint64_t, __builtin_bswap64)

static inline uint8_t load_b1(const unsigned char *at, bool swapped)
{
    (void)swapped;
    return *at != 0;
}

/* Both branches are computed and one is selected, so that the loop vectorises. Subnormals go
 * through an integer, not through a float32 subnormal: a CPU set to flush those to zero gives the
 * same. */
static inline float load_f2(const unsigned char *at, bool swapped)
{
    uint32_t half = load_u2(at, swapped);
    uint32_t magnitude = half & 0x7FFF;
    uint32_t bits = (magnitude << 13) + (magnitude >= 0x7C00 ? 224u << 23 : 112u << 23);
    float subnormal = (float)(int32_t)magnitude * 0x1p-24f;
    uint32_t subnormal_bits;
    memcpy(&subnormal_bits, &subnormal, sizeof subnormal_bits);
    bits = (magnitude < 0x400 ? subnormal_bits : bits) | (half & 0x8000) << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#define EACH_TYPE(X)                                                                               \
    X(DT_NPY_BOOL, 1, b1)                                                                          \
    X(DT_NPY_INT, 1, i1)                                                                           \
    X(DT_NPY_INT, 2, i2)                                                                           \
    X(DT_NPY_INT, 4, i4)                                                                           \
    X(DT_NPY_INT, 8, i8)                                                                           \
    X(DT_NPY_UINT, 1, u1)                                                                          \
    X(DT_NPY_UINT, 2, u2)                                                                          \
    X(DT_NPY_UINT, 4, u4)                                                                          \
    X(DT_NPY_UINT, 8, u8)                                                                          \
    X(DT_NPY_FLOAT, 2, f2)                                                                         \
    X(DT_NPY_FLOAT, 4, f4)                                                                         \
    X(DT_NPY_FLOAT, 8, f8)

#define TYPE_CODE(kind, bytes) ((unsigned)(kind) << 4 | (bytes))

#define CONVERT(kind, bytes, name)                                                                 \
    case TYPE_CODE(kind, bytes):                                                                   \
        if (npy->swapped)                                                                          \
            for (size_t i = 0; i < count; i++)                                                     \
                out[i] = (__typeof__(*out))load_##name(at + (bytes)*i, true);                      \
        else                                                                                       \
            for (size_t i = 0; i < count; i++)                                                     \
                out[i] = (__typeof__(*out))load_##name(at + (bytes)*i, false);                     \
        break;

#define DEFINE_CONVERT(name, type)                                                                 \
    /* NOLINTNEXTLINE(bugprone-macro-parentheses): a type */                                       \
    void name(type *restrict out, const void *restrict items, size_t count, const dt_npy *npy)     \
    {                                                                                              \
        const unsigned char *at = items;                                                           \
        switch (TYPE_CODE(npy->kind, npy->item_bytes)) {                                           \
            EACH_TYPE(CONVERT)                                                                     \
        default:                                                                                   \
            DT_ASSERT(false); /* dt_npy_parse lets no other type through */                        \
        }                                                                                          \
    }

DEFINE_CONVERT(dt_npy_to_double, double)
DEFINE_CONVERT(dt_npy_to_float, float)

uint64_t dt_npy_to_whole(const void *item, const dt_npy *npy)
{
    const unsigned char *at = item;
    const unsigned bytes = npy->item_bytes;
    DT_ASSERT(bytes >= 1 && bytes <= 8);
    const bool big = machine_is_big != npy->swapped;
    uint64_t bits = 0;
    for (unsigned i = 0; i < bytes; i++)
        bits = bits << 8 | at[big ? i : bytes - 1 - i];
    const unsigned unused = 64 - 8 * bytes;
    return npy->kind == DT_NPY_INT ? (uint64_t)((int64_t)(bits << unused) >> unused) : bits;
}

/* ---- text ---- */

size_t dt_npy_text_bytes(const dt_npy *npy)
{
    return 2 * (size_t)npy->item_bytes + 1; /* Latin-1 takes two bytes, UTF-32 at most four */
}

size_t dt_npy_to_text(char *out, const void *item, const dt_npy *npy)
{
    const unsigned char *at = item;
    char *end = out;
    size_t count = npy->kind == DT_NPY_TEXT ? npy->item_bytes / 4 : npy->item_bytes;
    const bool plain = npy->kind == DT_NPY_BYTES && dt_text_is_utf8(item, npy->item_bytes);
    for (size_t i = 0; i < count; i++) {
        const uint32_t c = npy->kind == DT_NPY_TEXT ? load_u4(at + 4 * i, npy->swapped) : at[i];
        if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
            return SIZE_MAX;
        if (plain)
            *end++ = (char)c;
        else
            end += dt_text_put_character(end, c);
    }
    while (end > out && end[-1] == '\0')
        end--;
    *end = '\0';
    return strlen(out) == (size_t)(end - out) ? strlen(out) : SIZE_MAX;
}
