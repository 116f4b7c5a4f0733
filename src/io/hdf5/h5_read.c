#include "dtrain/io/h5.h"

#include <hdf5.h>

#include "h5_internal.h"

#include "dtrain/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* No valid file has longer paths; their names come from the file. */
enum { PATH_BYTES = 4096, SNIFF_BYTES = 512 };

dt_status dt_h5_fail_reading(const dt_h5 *h5, const char *action, const char *object)
{
    const dt_h5_error found = dt_h5_last_error();
    return dt_fail(found.memory ? DT_MEMORY : DT_DATA, "%s: cannot %s %s: HDF5: %s", dt_h5_name(h5),
                   action, object, found.text);
}

uint64_t dt_h5_bytes(const dt_h5 *h5)
{
    hsize_t bytes = 0;
    if (h5->path != NULL)
        return h5->bytes;
    return H5Fget_filesize(h5->file, &bytes) < 0 ? 0 : bytes;
}

/* ---- opening ---- */

static bool begins(const char *head, const char *with)
{
    return strncasecmp(head, with, strlen(with)) == 0;
}

DT_MUST_USE static dt_status read_head(char head[SNIFF_BYTES], const char *path)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t got = file < 0 ? -1 : read(file, head, SNIFF_BYTES);
    const int error = errno;
    if (file >= 0)
        (void)close(file);
    if (got < 0)
        return dt_fail(DT_DATA, "%s: cannot be read: %s", path, strerror(error));
    return DT_OK;
}

/* Why HDF5 would not open the file: mostly it is something else, and the beginning, which ends with
 * a NUL, shows what. */
DT_MUST_USE static dt_status explain(const char *path, const char head[SNIFF_BYTES + 1],
                                     const dt_h5_error *found)
{
    const char *text = head + strspn(head, " \t\r\n\xef\xbb\xbf");
    if (begins(text, "<!doctype") || begins(text, "<html"))
        return dt_fail(
            DT_DATA, "%s: looks like an HTML page, not an HDF5 file: the download may have failed",
            path);
    if (begins(head, "version https://git-lfs"))
        return dt_fail(DT_DATA, "%s: is a Git LFS pointer, not the file: run git lfs pull", path);
    if (begins(head, "PK\x03\x04"))
        return dt_fail(
            DT_DATA,
            "%s: is a ZIP archive (.npz, .keras), expected an HDF5 file; Keras writes one "
            "with model.save(\"model.h5\")",
            path);
    if (memcmp(head, "\x89HDF\r\n\x1a\n", 8) != 0)
        return dt_fail(DT_DATA, "%s: is not an HDF5 file", path);
    if (strncmp(found->text, "truncated file", 14) == 0)
        return dt_fail(DT_DATA, "%s: truncated HDF5 file; copy or download it again", path);
    return dt_fail(found->memory ? DT_MEMORY : DT_DATA, "%s: damaged HDF5 file: %s", path,
                   found->text);
}

DT_MUST_USE static dt_status check_file(uint64_t *bytes, const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return dt_fail(DT_DATA, "%s: cannot be opened: %s", path, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return dt_fail(DT_DATA, "%s: is a folder, expected an HDF5 file", path);
    if (!S_ISREG(info.st_mode))
        return dt_fail(DT_DATA, "%s: is not a regular file, expected an HDF5 file", path);
    if (info.st_size == 0)
        return dt_fail(DT_DATA, "%s: is empty, expected an HDF5 file", path);
    *bytes = (uint64_t)info.st_size;
    return DT_OK;
}

/* A lock fails on some network file systems, and is not needed here. 1.12.0 came before 1.10.7, and
 * cannot be asked. */
static herr_t turn_locking_off(hid_t access)
{
#if H5_VERSION_GE(1, 12, 1) || (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 12, 0))
    return H5Pset_file_locking(access, false, true);
#else
    (void)access;
    return 0;
#endif
}

DT_MUST_USE static dt_status open_file(dt_h5 *h5, const char *path)
{
    dt_status status = DT_OK;
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0 || H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) < 0 ||
        turn_locking_off(access) < 0)
        DT_TRY(dt_h5_fail_reading(h5, "set up", "the access to it"));
    h5->file = H5Fopen(path, H5F_ACC_RDONLY, access);
    if (h5->file < 0) {
        const dt_h5_error found = dt_h5_last_error();
        char head[SNIFF_BYTES + 1] = "";
        DT_TRY(read_head(head, path));
        DT_TRY(explain(path, head, &found));
    }
out:
    if (access >= 0)
        (void)H5Pclose(access);
    return status;
}

DT_MUST_USE static dt_status open_image(dt_h5 *h5, const void *image, size_t bytes)
{
    dt_status status = DT_OK;
    char name[DT_H5_CORE_NAME_BYTES];
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (bytes == 0)
        DT_TRY(dt_fail(DT_DATA, "%s: is empty, expected an HDF5 file", h5->path));
    dt_h5_name_core_file(name, sizeof name);
    /* HDF5 only reads this argument, although its parameter is not const. */
    if (!dt_h5_use_core(access) || H5Pset_file_image(access, (void *)(uintptr_t)image, bytes) < 0)
        DT_TRY(dt_h5_fail_reading(h5, "set up", "the access to it"));
    h5->file = H5Fopen(name, H5F_ACC_RDONLY, access);
    if (h5->file < 0) {
        const dt_h5_error found = dt_h5_last_error();
        char head[SNIFF_BYTES + 1] = "";
        memcpy(head, image, bytes < SNIFF_BYTES ? bytes : SNIFF_BYTES);
        DT_TRY(explain(h5->path, head, &found));
    }
out:
    if (access >= 0)
        (void)H5Pclose(access);
    return status;
}

/* Starts a file for reading; "path" is its name in error lines. Owns: the caller frees. */
DT_MUST_USE static dt_status start_reading(dt_h5 **out, const char *path)
{
    dt_status status = dt_h5_alloc(out);
    if (status != DT_OK)
        return status;
    /* A file may name other filters, which HDF5 would search on disk and load. */
    (void)H5PLset_loading_state(0);
    return dt_memory_copy_text(&(*out)->path, path);
}

dt_status dt_h5_open_here(dt_h5 **out, const dt_h5_origin *origin)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    *out = NULL;
    DT_TRY(start_reading(&h5, origin->path));
    if (origin->image != NULL) {
        h5->bytes = origin->bytes;
        DT_TRY(open_image(h5, origin->image, origin->bytes));
    } else {
        DT_TRY(check_file(&h5->bytes, origin->path));
        DT_TRY(open_file(h5, origin->path));
    }
    *out = h5;
    h5 = NULL;
out:
    dt_h5_free(h5);
    return status;
}

dt_status dt_h5_check(const dt_h5 *h5)
{
    return h5->remote != NULL ? dt_h5_remote_check(h5) : DT_OK;
}

/* ---- what is there ---- */

/* Whether hard links alone lead to `path`: 1 yes, 0 there is no such path, -1 other links do. Each
 * step is looked at before HDF5 follows it. */
static int follow(dt_h5 *h5, const char *path)
{
    char prefix[PATH_BYTES];
    const size_t length = strlen(path);
    if (length == 0 || length >= sizeof prefix || path[0] != '/')
        return 0;
    for (size_t end = 1; end <= length; end++) {
        H5L_info_t link;
        if ((path[end] != '/' && path[end] != '\0') || path[end - 1] == '/')
            continue;
        memcpy(prefix, path, end);
        prefix[end] = '\0';
        if (H5Lexists(h5->file, prefix, H5P_DEFAULT) <= 0)
            return 0;
        if (H5Lget_info(h5->file, prefix, &link, H5P_DEFAULT) < 0 || link.type != H5L_TYPE_HARD)
            return -1;
    }
    return 1;
}

dt_status dt_h5_open_object(hid_t *out, dt_h5 *h5, const char *path)
{
    const int found = follow(h5, path);
    *out = -1;
    if (found == 0)
        return dt_fail(DT_DATA, "%s: it has no %.*s", dt_h5_name(h5), DT_H5_OBJECT_BYTES, path);
    if (found < 0)
        return dt_fail(DT_DATA, "%s: %.*s is a soft or external link, expected the object itself",
                       dt_h5_name(h5), DT_H5_OBJECT_BYTES, path);
    *out = H5Oopen(h5->file, path, H5P_DEFAULT);
    return *out < 0 ? dt_h5_fail_reading(h5, "open", path) : DT_OK;
}

dt_h5_kind dt_h5_has(dt_h5 *h5, const char *path)
{
    if (h5->remote != NULL)
        return (dt_h5_kind)dt_h5_ask_kind(h5, &(dt_h5_question){DT_H5_CALL_HAS, path, NULL, 0},
                                          DT_H5_OTHER);
    const int found = follow(h5, path);
    if (found <= 0)
        return found == 0 ? DT_H5_NOTHING : DT_H5_OTHER;
    const hid_t object = H5Oopen(h5->file, path, H5P_DEFAULT);
    if (object < 0)
        return DT_H5_OTHER;
    const H5I_type_t type = H5Iget_type(object);
    (void)H5Oclose(object);
    return type == H5I_GROUP ? DT_H5_GROUP : type == H5I_DATASET ? DT_H5_DATASET : DT_H5_OTHER;
}

bool dt_h5_has_attribute(dt_h5 *h5, const char *path, const char *name)
{
    if (h5->remote != NULL)
        return dt_h5_ask_kind(h5, &(dt_h5_question){DT_H5_CALL_HAS_ATTRIBUTE, path, name, 0}, 1) !=
               0;
    hid_t object = -1;
    const dt_h5_kind kind = dt_h5_has(h5, path);
    if ((kind != DT_H5_GROUP && kind != DT_H5_DATASET) ||
        dt_h5_open_object(&object, h5, path) != DT_OK)
        return false;
    const bool there = H5Aexists(object, name) > 0;
    (void)H5Oclose(object);
    return there;
}

/* ---- lists ---- */

/* A list that HDF5 fills name by name. */
typedef struct collector {
    dt_h5_names *names;
    size_t capacity;
    const dt_h5 *h5;
    const char *path;
    dt_status status;
} collector;

static herr_t collect(collector *c, const char *name)
{
    c->status = dt_h5_names_add(c->names, &c->capacity, c->h5, c->path, name);
    return c->status == DT_OK ? 0 : 1;
}

static herr_t take_link(hid_t group, const char *name, const H5L_info_t *info, void *context)
{
    (void)group;
    (void)info;
    return collect(context, name);
}

static herr_t take_attribute(hid_t object, const char *name, const H5A_info_t *info, void *context)
{
    (void)object;
    (void)info;
    return collect(context, name);
}

DT_MUST_USE static dt_status list(dt_h5_names *out, dt_h5 *h5, const char *path, bool attributes)
{
    dt_status status = DT_OK;
    hid_t object = -1;
    collector c = {.names = out, .h5 = h5, .path = path};
    *out = (dt_h5_names){0};
    DT_TRY(dt_h5_open_object(&object, h5, path));
    if (!attributes && H5Iget_type(object) != H5I_GROUP)
        DT_TRY(dt_fail(DT_DATA, "%s: %s is not a group", dt_h5_name(h5), path));
    const herr_t done =
        attributes ? H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, take_attribute, &c)
                   : H5Literate(object, H5_INDEX_NAME, H5_ITER_INC, NULL, take_link, &c);
    if (done < 0)
        DT_TRY(dt_h5_fail_reading(h5, "list", path));
    DT_TRY(c.status);
out:
    if (object >= 0)
        (void)H5Oclose(object);
    if (status != DT_OK)
        dt_h5_names_clear(out);
    return status;
}

dt_status dt_h5_list_members(dt_h5_names *out, dt_h5 *h5, const char *path)
{
    if (h5->remote != NULL)
        return dt_h5_ask_names(out, h5, &(dt_h5_question){DT_H5_CALL_LIST_MEMBERS, path, NULL, 0});
    return list(out, h5, path, false);
}

dt_status dt_h5_list_attributes(dt_h5_names *out, dt_h5 *h5, const char *path)
{
    if (h5->remote != NULL)
        return dt_h5_ask_names(out, h5,
                               &(dt_h5_question){DT_H5_CALL_LIST_ATTRIBUTES, path, NULL, 0});
    return list(out, h5, path, true);
}
