#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "h5_writing.h"

/* The checksum behind a file's end. */

enum { SEAL_BYTES = 16 };

/* An attribute, an array, a table and texts: returns the file as it was saved. */
static unsigned char *save(h5_fixture *f, size_t *bytes)
{
    static const char *const texts[] = {"one", "two"};
    const float values[] = {1, 2, 3};
    const uint64_t shape = 3;
    assert_ok(dt_h5_set_text(f->h5, "/", "text", "some text"));
    assert_ok(dt_h5_write_array(f->h5, "/group/values", DT_H5_F32, 1, &shape, values));
    assert_ok(dt_h5_write_texts(f->h5, "/texts", texts, 2));
    h5_make_epochs(f->h5);
    h5_append_epochs(f->h5, 1, 2);
    assert_ok(dt_h5_save(f->h5, f->path));
    unsigned char *data = scratch_read(f->path, bytes);
    assert_non_null(data);
    return data;
}

static void assert_opens(const char *path)
{
    dt_h5 *h5 = NULL;
    assert_ok(dt_h5_open(&h5, path));
    assert_int_equal(dt_h5_has(h5, "/group/values"), DT_H5_DATASET);
    dt_h5_free(h5);
}

/* The values and what HDF5 has around them, unused bytes, and the seal itself. */
static void test_every_byte(void **state)
{
    h5_fixture *f = *state;
    size_t bytes = 0;
    unsigned char *data = save(f, &bytes);
    assert_opens(f->path);
    for (size_t i = 0; i < bytes; i++) {
        dt_h5 *h5 = (dt_h5 *)&h5;
        data[i] ^= (unsigned char)(1u << i % 8);
        assert_true(scratch_write(f->path, data, bytes));
        assert_data(dt_h5_open(&h5, f->path), "file.h5: damaged HDF5 file: its CRC-32 is ");
        assert_null(h5);
        data[i] ^= (unsigned char)(1u << i % 8);
    }
    free(data);
}

static void test_without_a_seal(void **state)
{
    h5_fixture *f = *state;
    size_t bytes = 0, changed = 0;
    unsigned char *data = save(f, &bytes);
    assert_true(scratch_write(f->path, data, bytes - SEAL_BYTES));
    assert_opens(f->path);
    /* HDF5 cuts the seal off a file that it changes. */
    assert_true(scratch_write(f->path, data, bytes));
    const hid_t file = H5Fopen(f->path, H5F_ACC_RDWR, H5P_DEFAULT);
    const int one = 1;
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t attribute = H5Acreate2(file, "new", H5T_STD_I32LE, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(attribute, H5T_NATIVE_INT, &one) >= 0);
    assert_true(H5Aclose(attribute) >= 0 && H5Sclose(space) >= 0 && H5Fclose(file) >= 0);
    unsigned char *after = scratch_read(f->path, &changed);
    assert_non_null(after);
    assert_memory_not_equal(after + changed - SEAL_BYTES, data + bytes - SEAL_BYTES, 8);
    assert_opens(f->path);
    free(after);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_byte, h5_start, h5_stop),
        cmocka_unit_test_setup_teardown(test_without_a_seal, h5_start, h5_stop),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
