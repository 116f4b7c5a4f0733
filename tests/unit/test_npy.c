#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/io/npy.h"
#include "status_checks.h"
#include "zip_builder.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Parses `text` as the header of an array file of version `major`, from a block of just its size,
 * so that a sanitizer sees a read beyond it. */
static dt_status parse_version(dt_npy *npy, unsigned major, const char *text)
{
    size_t length = strlen(text), prefix = major == 1 ? 10 : 12;
    unsigned char *header = malloc(prefix + length);
    assert_non_null(header);
    memcpy(header, "\x93NUMPY", 6);
    header[6] = (unsigned char)major;
    header[7] = 0;
    for (size_t i = 8; i < prefix; i++)
        header[i] = (unsigned char)(length >> 8 * (i - 8));
    memcpy(header + prefix, text, length);
    dt_status_set_text("");
    dt_status status = dt_npy_parse(npy, "array 'x'", header, prefix + length);
    free(header);
    return status;
}

static dt_status parse(dt_npy *npy, const char *text)
{
    return parse_version(npy, 1, text);
}

static dt_status parse_parts(dt_npy *npy, const char *descr, const char *shape)
{
    char text[1024];
    (void)snprintf(text, sizeof text, "{'descr': %s, 'fortran_order': False, 'shape': %s, }\n",
                   descr, shape);
    return parse(npy, text);
}

static void header_of_numpy_is_parsed(void **state)
{
    (void)state;
    dt_npy npy;
    const char *text = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }      \n";
    assert_int_equal(parse(&npy, text), DT_OK);
    assert_int_equal(npy.kind, DT_NPY_FLOAT);
    assert_int_equal(npy.item_bytes, 4);
    assert_false(npy.swapped);
    assert_false(npy.fortran);
    assert_int_equal(npy.dims, 2);
    assert_int_equal(npy.shape[0], 3);
    assert_int_equal(npy.shape[1], 4);
    assert_int_equal(npy.count, 12);
    assert_int_equal(npy.data_bytes, 48);
    assert_int_equal(npy.header_bytes, 10 + strlen(text));
    assert_string_equal(npy.descr, "<f4");
}

static void keys_quotes_spaces_and_commas_are_free(void **state)
{
    (void)state;
    static const char *const same[] = {
        "{'shape': (2,), 'fortran_order': True, 'descr': '>i8'}",
        "{\"descr\":\">i8\",\"fortran_order\":True,\"shape\":(2,)}",
        " \t{ 'descr' : '>i8' ,\n 'fortran_order' : True , 'shape' : ( 2 , ) , } \n",
        "{u'descr': u'>i8', 'fortran_order': True, 'shape': (2L,), }\n",
        "{'descr': '<f4', 'descr': '>i8', 'fortran_order': True, 'shape': (2,)}"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        dt_npy npy;
        if (parse(&npy, same[i]) != DT_OK)
            fail_msg("%s: %s", same[i], dt_status_text());
        assert_int_equal(npy.kind, DT_NPY_INT);
        assert_true(npy.swapped);
        assert_true(npy.fortran);
        assert_int_equal(npy.dims, 1);
        assert_int_equal(npy.count, 2);
    }
}

static void scalar_and_empty_shapes_are_taken(void **state)
{
    (void)state;
    dt_npy npy;
    assert_int_equal(parse_parts(&npy, "'<f8'", "()"), DT_OK);
    assert_int_equal(npy.dims, 0);
    assert_int_equal(npy.count, 1);
    assert_int_equal(npy.data_bytes, 8);
    assert_int_equal(parse_parts(&npy, "'<f8'", "(0, 7)"), DT_OK);
    assert_int_equal(npy.count, 0);
    assert_int_equal(npy.data_bytes, 0);
    assert_int_equal(npy.shape[1], 7);
    assert_int_equal(parse_parts(&npy, "'<f8'", "(2, 3, 4, 5,)"), DT_OK);
    assert_int_equal(npy.count, 120);
}

static void versions_1_2_and_3_are_taken_and_no_other(void **state)
{
    (void)state;
    dt_npy npy;
    const char *text = "{'descr': '|u1', 'fortran_order': False, 'shape': (5,), }\n";
    for (unsigned version = 1; version <= 3; version++) {
        assert_int_equal(parse_version(&npy, version, text), DT_OK);
        assert_int_equal(npy.header_bytes, (version == 1 ? 10 : 12) + strlen(text));
    }
    assert_int_equal(parse_version(&npy, 4, text), DT_DATA);
    assert_says("array 'x': .npy version 4.0, expected 1.0, 2.0 or 3.0");
    assert_int_equal(parse_version(&npy, 0, text), DT_DATA);
}

static void all_numeric_types_and_byte_orders_are_taken(void **state)
{
    (void)state;
    static const struct {
        const char *descr;
        dt_npy_kind kind;
        unsigned bytes;
        bool swapped;
    } types[] = {{"'|b1'", DT_NPY_BOOL, 1, false},  {"'|i1'", DT_NPY_INT, 1, false},
                 {"'>i1'", DT_NPY_INT, 1, false},   {"'<i2'", DT_NPY_INT, 2, false},
                 {"'>i2'", DT_NPY_INT, 2, true},    {"'=i4'", DT_NPY_INT, 4, false},
                 {"'i8'", DT_NPY_INT, 8, false},    {"'|u1'", DT_NPY_UINT, 1, false},
                 {"'>u2'", DT_NPY_UINT, 2, true},   {"'<u4'", DT_NPY_UINT, 4, false},
                 {"'>u8'", DT_NPY_UINT, 8, true},   {"'<f2'", DT_NPY_FLOAT, 2, false},
                 {"'>f2'", DT_NPY_FLOAT, 2, true},  {"'>f4'", DT_NPY_FLOAT, 4, true},
                 {"'<f8'", DT_NPY_FLOAT, 8, false}, {"'>f8'", DT_NPY_FLOAT, 8, true}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        dt_npy npy;
        assert_int_equal(parse_parts(&npy, types[i].descr, "(3,)"), DT_OK);
        assert_int_equal(npy.kind, types[i].kind);
        assert_int_equal(npy.item_bytes, types[i].bytes);
        assert_int_equal(npy.swapped, types[i].swapped);
        assert_int_equal(npy.data_bytes, 3 * types[i].bytes);
    }
}

static void types_that_are_no_numbers_are_named_with_advice(void **state)
{
    (void)state;
    static const char *const types[][3] = {
        {"'|O'", "pickled Python objects (dtype '|O')", "save it again with dtype=float32"},
        {"'|O8'", "pickled Python objects", "save it again"},
        {"'<U12'", "strings (dtype '<U12')", "turn them into numbers, dtype=float32"},
        {"'|S5'", "strings", "turn them into numbers"},
        {"'<c8'", "complex numbers (dtype '<c8')", "real and imaginary parts"},
        {"'<c16'", "complex numbers", "real and imaginary parts"},
        {"'<M8[D]'", "dates or durations", "save them as numbers"},
        {"'<m8[ns]'", "dates or durations", "save them as numbers"},
        {"'|V7'", "structured or raw records", "save it again"},
        {"[('a', '<f4'), ('b', '<i4')]", "records of several fields", "an array of its own"},
        {"('<f4', (2,))", "records of several fields", "an array of its own"},
        {"'<f16'", "long double", "dtype=float32"},
        {"'<f1'", "an odd float", "dtype=float32"},
        {"'<i3'", "an unknown type", "dtype=float32"},
        {"'<i16'", "an unknown type", "dtype=float32"},
        {"'|b8'", "an unknown type", "dtype=float32"},
        {"''", "an unknown type", "dtype=float32"},
        {"'<'", "an unknown type", "dtype=float32"},
        {"'<<f4'", "an unknown type", "dtype=float32"}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        dt_npy npy;
        if (parse_parts(&npy, types[i][0], "(3,)") != DT_DATA)
            fail_msg("%s was taken", types[i][0]);
        assert_says("array 'x': expected numbers, found ");
        assert_says(types[i][1]);
        assert_says(types[i][2]);
    }
}

static void malformed_headers_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{",
        "}",
        "{}",
        "[]",
        "{,}",
        "{'descr'",
        "{'descr'}",
        "{'descr':}",
        "{'descr':'<f4'",
        "{'descr",
        "{'descr': '<f4",
        "{descr: '<f4'}",
        "{u",
        "{'descr': u",
        "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'shape': (3,)}",
        "{'fortran_order': False, 'shape': (3,)}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (3,)}",
        "{'descr': '<f4', 'fortran_order': Fals",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 3}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': [3]}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3 4)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3.0,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)",
        "{'descr': '<f4' 'fortran_order': False, 'shape': (3,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)} x",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'more': 1}",
        "{'descr': 7, 'fortran_order': False, 'shape': (3,)}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        dt_npy npy;
        if (parse(&npy, texts[i]) != DT_DATA)
            fail_msg("was taken: %s", texts[i]);
        assert_says("array 'x': malformed .npy header: expected ");
    }
}

static void impossible_shapes_are_refused(void **state)
{
    (void)state;
    static const char *const shapes[][2] = {
        {"(-1,)", "negative length"},
        {"(3, -4)", "negative length"},
        {"(99999999999999999999999,)", "beyond 64 bits"},
        {"(18446744073709551616,)", "beyond 64 bits"},
        {"(18446744073709551615,)", "beyond 2^63 bytes"},
        {"(4294967296, 4294967296)", "beyond 2^63 bytes"},
        {"(4611686018427387904, 4)", "beyond 2^63 bytes"},
        {"(0, 9223372036854775807)", "beyond 2^63 bytes"},
        {"(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)",
         "more than 32 dimensions"}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        dt_npy npy;
        if (parse_parts(&npy, "'<f4'", shapes[i][0]) != DT_DATA)
            fail_msg("%s was taken", shapes[i][0]);
        assert_says("array 'x': ");
        assert_says(shapes[i][1]);
    }
    dt_npy npy;
    assert_int_equal(
        parse_parts(&npy, "'<f4'",
                    "(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2)"),
        DT_OK);
    assert_int_equal(npy.dims, 32);
    assert_int_equal(npy.count, 2);
}

static void header_cut_off_anywhere_is_refused(void **state)
{
    (void)state;
    dt_npy npy;
    char header[256];
    size_t bytes = dt_npy_format(header, "<f4", 2, (const uint64_t[]){3, 4});
    for (size_t cut = 0; cut < bytes; cut++) {
        unsigned char *part = malloc(cut + 1);
        assert_non_null(part);
        memcpy(part, header, cut);
        dt_status status = dt_npy_parse(&npy, "array 'x'", part, cut);
        free(part);
        assert_int_equal(status, DT_DATA);
        assert_says(cut < 6 ? "expected \\x93NUMPY at its beginning"
                            : "the .npy header is cut off");
    }
    assert_int_equal(dt_npy_parse(&npy, "x", (const unsigned char *)header, bytes), DT_OK);
}

static void header_longer_than_64_kib_is_refused(void **state)
{
    (void)state;
    dt_npy npy;
    unsigned char header[16] = "\x93NUMPY\x02\x00\xFF\xFF\xFF\xFF";
    assert_int_equal(dt_npy_parse(&npy, "array 'x'", header, sizeof header), DT_DATA);
    assert_says(".npy header of 4294967307 bytes, expected at most 65536");
}

static void any_single_changed_byte_never_crashes(void **state)
{
    (void)state;
    char header[256];
    size_t bytes = dt_npy_format(header, ">f8", 3, (const uint64_t[]){3, 4, 5});
    for (size_t i = 0; i < bytes; i++)
        for (int value = 0; value < 256; value++) {
            dt_npy npy;
            unsigned char *changed = malloc(bytes);
            assert_non_null(changed);
            memcpy(changed, header, bytes);
            changed[i] = (unsigned char)value;
            dt_status status = dt_npy_parse(&npy, "x", changed, bytes);
            free(changed);
            assert_true(status == DT_OK || status == DT_DATA);
            if (status == DT_OK)
                assert_int_equal(npy.data_bytes, npy.count * npy.item_bytes);
        }
}

static void formatted_header_is_parsed_back(void **state)
{
    (void)state;
    static const uint64_t shape[4] = {UINT32_MAX, 1, 0, 12345};
    for (unsigned dims = 0; dims <= 4; dims++) {
        dt_npy npy;
        char header[256];
        size_t bytes = dt_npy_format(header, "<i8", dims, shape);
        assert_int_equal(bytes % 64, 0);
        assert_int_equal(header[bytes - 1], '\n');
        assert_int_equal(dt_npy_parse(&npy, "x", (const unsigned char *)header, bytes), DT_OK);
        assert_int_equal(npy.header_bytes, bytes);
        assert_int_equal(npy.dims, dims);
        for (unsigned d = 0; d < dims; d++)
            assert_int_equal(npy.shape[d], shape[d]);
        assert_string_equal(npy.descr, "<i8");
        assert_false(npy.fortran);
    }
}

/* The value of a float16 by the definition of the format, with nothing of the code under test. */
static double half_value(unsigned half)
{
    int exponent = (int)(half >> 10 & 31);
    double fraction = half & 1023;
    double sign = half >> 15 ? -1 : 1;
    if (exponent == 31)
        return fraction == 0 ? sign * (double)INFINITY : (double)NAN;
    return sign * (exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25));
}

static void every_float16_is_converted_exactly(void **state)
{
    (void)state;
    static unsigned char items[2][2 * 65536]; /* little-endian, big-endian */
    static float floats[65536];
    static double doubles[65536];
    dt_npy npy;
    for (unsigned half = 0; half < 65536; half++) {
        items[0][2 * half] = items[1][2 * half + 1] = (unsigned char)half;
        items[0][2 * half + 1] = items[1][2 * half] = (unsigned char)(half >> 8);
    }
    for (int big = 0; big < 2; big++) {
        assert_int_equal(parse_parts(&npy, big ? "'>f2'" : "'<f2'", "(65536,)"), DT_OK);
        dt_npy_to_float(floats, items[big], 65536, &npy);
        dt_npy_to_double(doubles, items[big], 65536, &npy);
        for (unsigned half = 0; half < 65536; half++) {
            double expected = half_value(half);
            if (isnan(expected)) {
                assert_true(isnan(floats[half]) && isnan(doubles[half]));
                continue;
            }
            if (doubles[half] != expected || (double)floats[half] != expected)
                fail_msg("float16 %04x: %g, expected %g", half, doubles[half], expected);
            assert_int_equal(signbit(floats[half]) != 0, half >> 15);
        }
    }
}

/* Converts one item of `descr`, given in little-endian bytes, in both byte orders, at an odd
 * address and in a run long enough for vector code. */
static void assert_converts(const char *type, uint64_t bits, double to_double, float to_float)
{
    enum { RUN = 37 };
    unsigned char items[8 * RUN + 1];
    double doubles[RUN];
    float floats[RUN];
    unsigned bytes = (unsigned)(type[1] - '0');
    for (int big = 0; big < 2; big++) {
        dt_npy npy;
        char descr[8];
        (void)snprintf(descr, sizeof descr, "'%c%s'", big ? '>' : '<', type);
        assert_int_equal(parse_parts(&npy, descr, "(37,)"), DT_OK);
        for (unsigned i = 0; i < RUN * bytes; i++) {
            unsigned at = big ? bytes - 1 - i % bytes : i % bytes;
            items[1 + i] = (unsigned char)(bits >> 8 * at);
        }
        dt_npy_to_double(doubles, items + 1, RUN, &npy);
        dt_npy_to_float(floats, items + 1, RUN, &npy);
        for (int i = 0; i < RUN; i++)
            if (memcmp(&doubles[i], &to_double, 8) != 0 || memcmp(&floats[i], &to_float, 4) != 0)
                fail_msg("%s: %.17g and %.9g, expected %.17g and %.9g", descr, doubles[i],
                         (double)floats[i], to_double, (double)to_float);
    }
}

static void integers_and_bools_are_converted(void **state)
{
    (void)state;
    assert_converts("b1", 0, 0, 0);
    assert_converts("b1", 1, 1, 1);
    assert_converts("b1", 2, 1, 1); /* NumPy, too, takes any byte but zero for True */
    assert_converts("i1", 0x80, -128, -128);
    assert_converts("i2", 0xFFFE, -2, -2);
    assert_converts("i4", 0x80000000u, -2147483648.0, -2147483648.0f);
    assert_converts("i4", 16777217, 16777217, 16777216); /* to nearest, ties to even */
    assert_converts("i8", UINT64_MAX, -1, -1);
    assert_converts("i8", (uint64_t)1 << 63, -0x1p63, -0x1p63f);
    assert_converts("i8", ((uint64_t)1 << 53) + 1, 0x1p53, 0x1p53f);
    assert_converts("u1", 255, 255, 255);
    assert_converts("u2", 65535, 65535, 65535);
    assert_converts("u4", 0xFFFFFFFFu, 4294967295.0, 4294967296.0f);
    assert_converts("u8", UINT64_MAX, 0x1p64, 0x1p64f);
}

/* One rounding, not one to float64 and a second to float32, which would give 2^60. */
static void int64_is_rounded_once_to_float32(void **state)
{
    (void)state;
    volatile int64_t value = ((int64_t)1 << 60) + ((int64_t)1 << 36) + 1;
    if ((float)value != 0x1p60f + 0x1p37f)
        skip(); /* valgrind's own conversion rounds twice */
    assert_converts("i8", (uint64_t)value, 0x1p60 + 0x1p36, 0x1p60f + 0x1p37f);
}

static uint64_t bits_of_double(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint64_t bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void floats_are_converted(void **state)
{
    (void)state;
    assert_converts("f4", bits_of_float(1.5f), 1.5, 1.5f);
    assert_converts("f4", bits_of_float(-0.0f), -0.0, -0.0f);
    assert_converts("f4", 1, 0x1p-149, 0x1p-149f);
    assert_converts("f4", bits_of_float(INFINITY), (double)INFINITY, INFINITY);
    assert_converts("f8", bits_of_double(0.1), 0.1, 0.1f);
    assert_converts("f8", bits_of_double(-1e300), -1e300, -INFINITY);
    assert_converts("f8", bits_of_double(1e-60), 1e-60, 0);
    assert_converts("f8", bits_of_double((double)FLT_MAX), (double)FLT_MAX, FLT_MAX);
}

static void converting_no_items_writes_nothing(void **state)
{
    (void)state;
    dt_npy npy;
    double value = 7;
    float small = 7;
    assert_int_equal(parse_parts(&npy, "'<f4'", "(0,)"), DT_OK);
    dt_npy_to_double(&value, "", 0, &npy);
    dt_npy_to_float(&small, "", 0, &npy);
    assert_true(value == 7 && small == 7);
}

/* ---- text ---- */

static void check_text(const char *descr, const void *item, const char *expected)
{
    zip_bytes header = {0};
    char out[64];
    dt_npy npy;
    zip_npy(&header, 1, descr, "False", "(1,)", NULL, 0);
    assert_int_equal(dt_npy_parse(&npy, "x", header.data, header.count), DT_DATA);
    assert_int_equal(dt_npy_parse_any(&npy, "x", header.data, header.count), DT_OK);
    assert_true(dt_npy_is_text(&npy));
    assert_true(dt_npy_text_bytes(&npy) <= sizeof out);
    const size_t length = dt_npy_to_text(out, item, &npy);
    assert_int_equal(length, expected != NULL ? strlen(expected) : SIZE_MAX);
    if (expected != NULL)
        assert_string_equal(out, expected);
    zip_free(&header);
}

static void text_becomes_utf8(void **state)
{
    (void)state;
    check_text("'|S4'", "ab\0\0", "ab");
    check_text("'|S4'", "abcd", "abcd");
    check_text("'|S4'", "\0\0\0\0", "");
    check_text("'|S3'", "\xC3\xB6\0", "\xC3\xB6");
    check_text("'|S3'", "\xF6x\0", "\xC3\xB6x"); /* not UTF-8: Latin-1 */
    check_text("'|S3'", "a\0b", NULL);
    check_text("'<U2'", "a\0\0\0\0\0\0\0", "a");
    check_text("'<U2'", "\xF6\0\0\0\xAC\x20\0\0", "\xC3\xB6\xE2\x82\xAC");
    check_text("'>U2'", "\0\x01\xF6\0\0\0\0b",
               "\xF0\x9F\x98\x80"
               "b");
    check_text("'<U1'", "\0\xD8\0\0", NULL); /* half of a character of UTF-16 */
    check_text("'<U1'", "\0\0\x11\0", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_of_numpy_is_parsed),
        cmocka_unit_test(keys_quotes_spaces_and_commas_are_free),
        cmocka_unit_test(scalar_and_empty_shapes_are_taken),
        cmocka_unit_test(versions_1_2_and_3_are_taken_and_no_other),
        cmocka_unit_test(all_numeric_types_and_byte_orders_are_taken),
        cmocka_unit_test(types_that_are_no_numbers_are_named_with_advice),
        cmocka_unit_test(text_becomes_utf8),
        cmocka_unit_test(malformed_headers_are_refused),
        cmocka_unit_test(impossible_shapes_are_refused),
        cmocka_unit_test(header_cut_off_anywhere_is_refused),
        cmocka_unit_test(header_longer_than_64_kib_is_refused),
        cmocka_unit_test(any_single_changed_byte_never_crashes),
        cmocka_unit_test(formatted_header_is_parsed_back),
        cmocka_unit_test(every_float16_is_converted_exactly),
        cmocka_unit_test(integers_and_bools_are_converted),
        cmocka_unit_test(int64_is_rounded_once_to_float32),
        cmocka_unit_test(floats_are_converted),
        cmocka_unit_test(converting_no_items_writes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
