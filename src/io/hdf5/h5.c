#include "dtrain/io/h5.h"

#include <hdf5.h>

#include "h5_internal.h"

#include "dtrain/base/crc32.h"
#include "dtrain/base/memory.h"
#include "dtrain/io/file.h"

#include <stdbool.h>
#include <stdio.h>

/* libhdf5 1.10 crashes, or ends the process, after about one in three of its failed allocations. It
 * needs less than this besides the data; if less is free, dtrain does not call it. */
enum { WORKING_BYTES = 16 << 20 };

/* The image grows by this much at a time; it does not show in the saved file. */
enum { CORE_INCREMENT_BYTES = 1 << 20 };

/* H5E_WALK_UPWARD visits the innermost entry first, which has the cause. */
static herr_t take_innermost(unsigned n, const H5E_error2_t *entry, void *context)
{
    dt_h5_error *out = context;
    if (n > 0)
        return 0;
    if (entry->desc != NULL)
        (void)snprintf(out->text, sizeof out->text, "%s", entry->desc);
    /* The core driver says CANTALLOC where the rest of the library says NOSPACE. */
    out->memory = entry->min_num == H5E_NOSPACE ||
                  (entry->maj_num == H5E_RESOURCE && entry->min_num == H5E_CANTALLOC);
    return 0;
}

dt_h5_error dt_h5_last_error(void)
{
    dt_h5_error found = {.text = "no reason given", .memory = false};
    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_innermost, &found);
    return found;
}

dt_status dt_h5_fail_writing(const char *action, const char *object)
{
    const dt_h5_error found = dt_h5_last_error();
    return dt_fail(found.memory ? DT_MEMORY : DT_OUTPUT, "HDF5: cannot %s %s: %s", action, object,
                   found.text);
}

dt_status dt_h5_close_id(dt_status status, hid_t id, const char *object)
{
    if (id >= 0 && H5Idec_ref(id) < 0 && status == DT_OK)
        return dt_h5_fail_writing("close", object);
    return status;
}

dt_status dt_h5_alloc(dt_h5 **out)
{
    *out = NULL;
    dt_status status = dt_memory_probe(WORKING_BYTES, "the HDF5 library");
    if (status != DT_OK)
        return status;
    if (H5open() < 0)
        return dt_fail(DT_INTERNAL, "HDF5: the library does not start");
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    status = dt_memory_alloc(out, 1, sizeof **out, "an HDF5 file");
    if (status == DT_OK) {
        (*out)->file = -1;
        (*out)->links = -1;
        (*out)->object = -1;
    }
    return status;
}

void dt_h5_name_core_file(char *out, size_t bytes)
{
    static unsigned made;
    (void)snprintf(out, bytes, "/dev/null/dtrain-%u", made++);
}

bool dt_h5_use_core(hid_t access)
{
    return access >= 0 && H5Pset_fapl_core(access, CORE_INCREMENT_BYTES, false) >= 0 &&
           H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0;
}

static dt_status open_core_file(dt_h5 *h5)
{
    dt_status status = DT_OK;
    hid_t access = -1;
    hid_t creation = -1;
    char name[DT_H5_CORE_NAME_BYTES];
    dt_h5_name_core_file(name, sizeof name);

    access = H5Pcreate(H5P_FILE_ACCESS);
    if (!dt_h5_use_core(access))
        DT_TRY(dt_h5_fail_writing("set up", "the file in memory"));
    creation = H5Pcreate(H5P_FILE_CREATE);
    if (creation < 0 || H5Pset_obj_track_times(creation, false) < 0)
        DT_TRY(dt_h5_fail_writing("set up", "the file in memory"));
    h5->file = H5Fcreate(name, H5F_ACC_TRUNC, creation, access);
    if (h5->file < 0)
        DT_TRY(dt_h5_fail_writing("make", "the file in memory"));
    h5->links = H5Pcreate(H5P_LINK_CREATE);
    if (h5->links < 0 || H5Pset_create_intermediate_group(h5->links, 1) < 0 ||
        H5Pset_char_encoding(h5->links, H5T_CSET_UTF8) < 0)
        DT_TRY(dt_h5_fail_writing("set up", "the file in memory"));
out:
    status = dt_h5_close_id(status, creation, "the file in memory");
    return dt_h5_close_id(status, access, "the file in memory");
}

dt_status dt_h5_new(dt_h5 **out)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    *out = NULL;
    DT_TRY(dt_h5_alloc(&h5));
    DT_TRY(open_core_file(h5));
    *out = h5;
    h5 = NULL;
out:
    dt_h5_free(h5);
    return status;
}

void dt_h5_close_dataset(dt_h5_dataset *d)
{
    if (d->creation >= 0)
        (void)H5Pclose(d->creation);
    if (d->type >= 0)
        (void)H5Tclose(d->type);
    if (d->id >= 0)
        (void)H5Oclose(d->id);
}

void dt_h5_close_part(dt_h5 *h5)
{
    if (h5->part == NULL)
        return;
    dt_h5_close_dataset(h5->part);
    dt_memory_free(h5->part_path);
    dt_memory_free(h5->part);
    h5->part_path = NULL;
    h5->part = NULL;
}

void dt_h5_free(dt_h5 *h5)
{
    if (h5 == NULL)
        return;
    dt_h5_close_part(h5);
    /* Nothing is reported here: what was to be kept has been saved. */
    if (h5->links >= 0)
        (void)H5Pclose(h5->links);
    if (h5->object >= 0)
        (void)H5Oclose(h5->object);
    if (h5->file >= 0)
        (void)H5Fclose(h5->file);
    dt_h5_remote_close(h5->remote);
    dt_memory_free(h5->path);
    dt_memory_free(h5);
}

/* `object` is the image's name in error lines. */
DT_MUST_USE static dt_status copy_image(unsigned char **out, size_t *bytes, dt_h5 *h5,
                                        const char *object)
{
    dt_status status = DT_OK;
    unsigned char *image = NULL;
    *out = NULL;
    *bytes = 0;
    /* The image is what the driver holds: the caches above it have to be emptied first. */
    if (H5Fflush(h5->file, H5F_SCOPE_GLOBAL) < 0)
        DT_TRY(dt_h5_fail_writing("flush", object));
    const ssize_t size = H5Fget_file_image(h5->file, NULL, 0);
    if (size < 0)
        DT_TRY(dt_h5_fail_writing("measure", object));
    DT_TRY(dt_memory_alloc(&image, (size_t)size + DT_H5_SEAL_BYTES, 1, "an HDF5 file's image"));
    if (H5Fget_file_image(h5->file, image, (size_t)size) != size)
        DT_TRY(dt_h5_fail_writing("copy", object));
    dt_h5_make_seal(image + size, dt_crc32(0, image, (size_t)size));
    *out = image;
    *bytes = (size_t)size + DT_H5_SEAL_BYTES;
    image = NULL;
out:
    dt_memory_free(image);
    return status;
}

dt_status dt_h5_save(dt_h5 *h5, const char *path)
{
    dt_status status = DT_OK;
    unsigned char *image = NULL;
    size_t bytes = 0;
    DT_TRY(copy_image(&image, &bytes, h5, path));
    DT_TRY(dt_file_replace(path, image, bytes));
    dt_h5_own_note(path, image, bytes);
out:
    dt_memory_free(image);
    return status;
}

dt_status dt_h5_image(void **out, size_t *bytes, dt_h5 *h5)
{
    unsigned char *image = NULL;
    const dt_status status = copy_image(&image, bytes, h5, dt_h5_name(h5));
    *out = image;
    return status;
}

const char *dt_h5_version(void)
{
    static char text[32];
    unsigned major = 0;
    unsigned minor = 0;
    unsigned release = 0;
    if (H5get_libversion(&major, &minor, &release) < 0)
        return "unknown";
    (void)snprintf(text, sizeof text, "%u.%u.%u", major, minor, release);
    return text;
}
