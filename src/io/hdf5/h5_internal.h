#ifndef DTRAIN_IO_H5_INTERNAL_H
#define DTRAIN_IO_H5_INTERNAL_H

/* Shared by the h5 files. <hdf5.h> is only included by .c files, before this header. */

#include "dtrain/io/h5.h"

#include "h5_remote.h"

/* Bounds a path or "attribute of path" in an error line; the name of a file in memory. */
enum { DT_H5_OBJECT_BYTES = 256, DT_H5_CORE_NAME_BYTES = 64 };

struct dt_h5 {
    dt_h5_remote *remote; /* reading: the process that reads; then this process has no file */
    hid_t file;
    hid_t links; /* writing: how links are made, missing parents too */
    hid_t object; /* writing: what attributes were last set on, which stays open; -1: nothing */
    char object_path[DT_H5_OBJECT_BYTES];
    char *path; /* reading: the file's name in error lines; NULL for a file that is written */
    uint64_t bytes; /* reading: the file's size */
    struct dt_h5_dataset *part; /* reading: that of dt_h5_read_part, which stays open */
    char *part_path;
};

/* The seal: 16 bytes behind the end of the HDF5 file, "dtrain-crc32" and the CRC-32 of all bytes
 * before, little-endian. HDF5 keeps the end of its file in the file and does not look behind it;
 * when it changes the file it cuts the seal off. A file that was changed by HDF5 therefore has no
 * seal. Other programs read both. */
enum { DT_H5_SEAL_BYTES = 16 };

/* Makes the seal of bytes with this CRC-32. */
void dt_h5_make_seal(unsigned char out[DT_H5_SEAL_BYTES], uint32_t crc);

/* Reads `bytes` bytes at `at`; returns their number, 0 if the file is shorter, or -1. */
ssize_t dt_h5_read_at(int file, void *out, size_t bytes, off_t at);

/* Compares a file with its seal; DT_OK when it has none, or cannot be read. Reads it once, in this
 * process: a few milliseconds for each 10 MiB. Errors: DT_DATA. */
DT_MUST_USE dt_status dt_h5_check_seal(const char *path);

/* The summary of HDF5's error stack. */
typedef struct dt_h5_error {
    char text[256];
    bool memory;
} dt_h5_error;

/* Call it at once, because the next HDF5 call empties the error stack. */
dt_h5_error dt_h5_last_error(void);

/* Starts the library, silently; the file is none yet. */
DT_MUST_USE dt_status dt_h5_alloc(dt_h5 **out);

/* Names a file in memory. HDF5 takes two of one name for the same file, and looks for an existing
 * one first: so the name differs each time, and lies below what can never be a folder. */
void dt_h5_name_core_file(char *out, size_t bytes);

/* Sets the access up for a file in memory; returns whether it succeeded. */
bool dt_h5_use_core(hid_t access);

/* "HDF5: cannot <action> <object>: <error>", as a failure to write. */
DT_MUST_USE dt_status dt_h5_fail_writing(const char *action, const char *object);

/* Notes that this process has saved a file, whose bytes are `image` and end in the seal. */
void dt_h5_own_note(const char *path, const unsigned char *image, size_t bytes);

/* Returns the bytes of a file if this process has saved it and its bytes are unchanged; else, or if
 * it is too large, NULL. Such a file is read without a second process. Owns: the caller frees. */
void *dt_h5_own_read(size_t *bytes, const char *path);

/* Closes what was opened for writing. Closing a dataset writes its chunks, so it can fail as any
 * write can; an earlier failure takes precedence. */
DT_MUST_USE dt_status dt_h5_close_id(dt_status status, hid_t id, const char *object);

/* Makes a UTF-8 string type of `bytes` bytes, or H5T_VARIABLE. Owns: the caller closes. */
DT_MUST_USE dt_status dt_h5_make_text_type(hid_t *out, size_t bytes, const char *object);

/* Sets an attribute of an open object; `stored` is the type in the file, `memory` the value's. */
DT_MUST_USE dt_status dt_h5_set_attribute(hid_t object, const char *path, const char *name,
                                          hid_t space, hid_t stored, hid_t memory,
                                          const void *value);

/* Makes a dataset; a `chunk_rows` of 0 asks for a contiguous one. Owns: the caller closes. */
DT_MUST_USE dt_status dt_h5_make_dataset(dt_h5 *h5, hid_t *out, const char *path, hid_t type,
                                         hid_t space, hsize_t chunk_rows);

/* A number as it lies in the file, as it lies in memory, and its size in both. */
typedef struct dt_h5_number {
    hid_t stored;
    hid_t native;
    size_t bytes;
} dt_h5_number;

dt_h5_number dt_h5_number_of(dt_h5_type type);

/* Returns whether a column's field is a bool. */
static inline bool dt_h5_is_bool(const dt_h5_column *column)
{
    return column->bytes == sizeof(bool) &&
           (column->type == DT_H5_I32 || column->type == DT_H5_I64 || column->type == DT_H5_U32);
}

/* "<file>: cannot <action> <object>: HDF5: <error>", as a failure to read. */
DT_MUST_USE dt_status dt_h5_fail_reading(const dt_h5 *h5, const char *action, const char *object);

/* Returns the file's name for error lines. */
const char *dt_h5_name(const dt_h5 *h5);

/* Opens an object that only hard links lead to. Owns: the caller closes with H5Oclose. Errors:
 * DT_DATA. */
DT_MUST_USE dt_status dt_h5_open_object(hid_t *out, dt_h5 *h5, const char *path);

/* Fills in all except stored_bytes; `object` is its name in error lines. */
DT_MUST_USE dt_status dt_h5_measure(dt_h5_shape *out, const dt_h5 *h5, const char *object,
                                    hid_t type, hid_t space);

/* Returns what a type holds; DT_H5_CLASS_OTHER for numbers laid out as no machine does. */
dt_h5_class dt_h5_class_of(hid_t type);
const char *dt_h5_class_name(dt_h5_class found);

/* Appends a copy of `text` to a list, whose `capacity` starts as 0. */
DT_MUST_USE dt_status dt_h5_names_add(dt_h5_names *names, size_t *capacity, const dt_h5 *h5,
                                      const char *object, const char *text);

/* Appends the texts in `count` fields of a fixed-length text type to a list that is empty. */
DT_MUST_USE dt_status dt_h5_names_add_fields(dt_h5_names *names, const dt_h5 *h5,
                                             const char *object, hid_t type, const char *fields,
                                             size_t count);

/* Takes a text that is read, the `index`-th. Local. */
typedef dt_status dt_h5_take_text(void *context, size_t index, const char *text);

/* The part of a dataset that is read: `count` items. */
typedef struct dt_h5_selection {
    hid_t memory, file; /* spaces; H5S_ALL: all of it */
    size_t count;
} dt_h5_selection;

struct dt_h5_dataset;

/* Hands texts of variable length to `take`, in a row's type `memory` with nothing else in it.
 * Errors: DT_DATA: they are more than the file holds, or DT_H5_TEXT_BYTES_MAX; what take gave. */
DT_MUST_USE dt_status dt_h5_read_variable(const struct dt_h5_dataset *d, const dt_h5 *h5,
                                          hid_t memory, const dt_h5_selection *of,
                                          dt_h5_take_text *take, void *context);

/* A dataset that is open, described, and holds what its shape says. */
typedef struct dt_h5_dataset {
    const char *path;
    hid_t id, type, creation;
    dt_h5_shape shape;
} dt_h5_dataset;

/* Owns: the caller closes, also when this failed. Errors: DT_DATA as dt_h5_describe; open_table
 * also if it is not a table. */
DT_MUST_USE dt_status dt_h5_open_dataset(dt_h5_dataset *out, dt_h5 *h5, const char *path);
DT_MUST_USE dt_status dt_h5_open_table(dt_h5_dataset *out, dt_h5 *h5, const char *path);
void dt_h5_close_dataset(dt_h5_dataset *d);

/* Closes the dataset that dt_h5_read_part has left open, if there is one. */
void dt_h5_close_part(dt_h5 *h5);

/* Gets the type of a column. Owns: the caller closes with H5Tclose. Errors: DT_DATA. */
DT_MUST_USE dt_status dt_h5_open_column(hid_t *out, const dt_h5_dataset *d, const dt_h5 *h5,
                                        const char *column);

#endif
