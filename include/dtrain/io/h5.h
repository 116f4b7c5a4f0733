#ifndef DTRAIN_IO_H5_H
#define DTRAIN_IO_H5_H

#include "dtrain/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * HDF5 files. Those that are written are built in memory (the core driver without a backing file)
 * and put in place whole with dt_file_replace, so that a reader never meets a half-written or
 * locked one, and no kill damages it. Those that are read are never changed, and not believed.
 *
 * The format written is the oldest that holds the content (superblock 0), without time stamps: the
 * same calls give the same bytes. A CRC-32 of them follows behind the end that HDF5 knows, and is
 * compared when the file is opened: any changed byte is found. Paths are absolute
 * ("/model_weights/dense"), names are UTF-8.
 *
 * HDF5's own error stack is silenced; its innermost description goes into our one line. All calls
 * are local, and made by rank 0 only. Failing calls that write return DT_OUTPUT unless said
 * otherwise, or DT_MEMORY; a file that such a call failed on can be freed, but what it holds is not
 * to be relied on. Failing calls that read return DT_DATA, naming the file, or DT_MEMORY.
 *
 * HDF5 keeps some memory for later use, and frees it in its atexit handler; nobody needs to call
 * H5close.
 */
typedef struct dt_h5 dt_h5;

typedef enum dt_h5_type {
    DT_H5_I32,
    DT_H5_I64,
    DT_H5_U32,
    DT_H5_F32,
    DT_H5_F64,
    DT_H5_TEXT /* in tables only: a char array of fixed size in the row, NUL-terminated, UTF-8 */
} dt_h5_type;

/** Frees a file in memory, closes one that was opened; NULL is allowed. */
void dt_h5_free(dt_h5 *h5);

/** Returns the version of the HDF5 library in use, "1.10.8". Owns: static text. */
const char *dt_h5_version(void);

/* ---- writing ---- */

/** Starts an empty file in memory. Owns: the caller frees with dt_h5_free. */
DT_MUST_USE dt_status dt_h5_new(dt_h5 **out);

/**
 * Writes the present state of the file to `path` (dt_file_replace); the file can still be changed.
 */
DT_MUST_USE dt_status dt_h5_save(dt_h5 *h5, const char *path);

/**
 * Copies the present state of the file, as dt_h5_save would write it; the file can still be
 * changed. Neither call accepts a file that was opened for reading.
 *
 * Owns:    the caller frees *out with dt_memory_free
 */
DT_MUST_USE dt_status dt_h5_image(void **out, size_t *bytes, dt_h5 *h5);

/** Makes a group and its missing parents, unless it exists. */
DT_MUST_USE dt_status dt_h5_make_group(dt_h5 *h5, const char *path);

/**
 * Sets a scalar attribute of the existing object at `path` ("/" always exists); replaces an older
 * one.
 */
DT_MUST_USE dt_status dt_h5_set_text(dt_h5 *h5, const char *path, const char *name,
                                     const char *text); /* variable-length UTF-8 */
DT_MUST_USE dt_status dt_h5_set_int(dt_h5 *h5, const char *path, const char *name, int64_t value);
DT_MUST_USE dt_status dt_h5_set_double(dt_h5 *h5, const char *path, const char *name, double value);

/**
 * Maximum number of texts in one attribute: 16 bytes each within Keras' bound of 64512 bytes a
 * list.
 */
enum { DT_H5_TEXTS_MAX = 4032 };

/**
 * Sets a one-dimensional attribute of variable-length UTF-8 strings; `count` may be 0.
 *
 * Errors:  DT_OUTPUT also when count > DT_H5_TEXTS_MAX; an older attribute then stays
 */
DT_MUST_USE dt_status dt_h5_set_texts(dt_h5 *h5, const char *path, const char *name,
                                      const char *const *texts, size_t count);

/**
 * Writes a contiguous dataset, row-major, little-endian; parents are made; dims 0 is a scalar.
 *
 * An extent of 0 is allowed. `type` is not DT_H5_TEXT.
 *
 * Errors:  DT_OUTPUT also when `path` exists already
 */
DT_MUST_USE dt_status dt_h5_write_array(dt_h5 *h5, const char *path, dt_h5_type type, unsigned dims,
                                        const uint64_t *shape, const void *data);

/** Adds a second path `link` to the dataset at `path`; creates parent groups. Errors: DT_OUTPUT,
 * also if `link` exists. */
DT_MUST_USE dt_status dt_h5_link(dt_h5 *h5, const char *path, const char *link);

/**
 * Writes a one-dimensional dataset of UTF-8 texts, all in fields that hold the longest and its NUL;
 * parents are made; `count` may be 0.
 *
 * Errors:  DT_OUTPUT also when `path` exists already, or the texts are more than dt_h5_read_texts
 *          reads back: DT_H5_NAMES_MAX of them, DT_H5_TEXT_BYTES_MAX in all the fields together
 */
DT_MUST_USE dt_status dt_h5_write_texts(dt_h5 *h5, const char *path, const char *const *texts,
                                        size_t count);

/**
 * Names a dimension of the dataset at `path`, counted from 0, and attaches `scale` to it: the path
 * of another, one-dimensional dataset. It is made an HDF5 dimension scale if it is not one yet, and
 * gets the last part of its path as its name. NULL: the name alone. h5py shows them as
 * f["x"].dims[0].label and f["x"].dims[0][0][:].
 *
 * A newer label replaces an older; scales add up, the same one is added once.
 *
 * Errors:  DT_OUTPUT also when one of them is not a dataset, there is no such dimension, `scale`
 *          does not have one dimension or is `path` itself, or one of the two is a scale and has
 *          scales
 */
DT_MUST_USE dt_status dt_h5_label_dimension(dt_h5 *h5, const char *path, unsigned dimension,
                                            const char *label, const char *scale);

/** One column of a table, and the field of a struct that has its value. */
typedef struct dt_h5_column {
    const char *name;
    const char *unit; /* value of the attribute `<name>_unit` of the table; NULL: none */
    dt_h5_type
        type; /* in the file; the field's too, unless that is a bool, for an integer 0 or 1 */
    size_t offset, bytes; /* of the field: DT_H5_FIELD; of a text with its NUL */
} dt_h5_column;

/** Offset and size of a field of the struct `row`: the end of a column's initializer. */
#define DT_H5_FIELD(row, field) offsetof(row, field), sizeof(((row *)0)->field)

/** A table: its columns in the order of the file, and the size of the struct that has the fields.
 * The struct may have other fields, too. */
typedef struct dt_h5_table {
    const dt_h5_column *columns;
    size_t column_count;
    size_t row_bytes;
} dt_h5_table;

/** The table of an array of columns over the struct `row`: an initializer. */
#define DT_H5_TABLE(columns, row)                                                                  \
    {                                                                                              \
        (columns), sizeof(columns) / sizeof *(columns), sizeof(row)                                \
    }

/**
 * Makes an empty table: a one-dimensional compound dataset, extensible, packed in the file.
 * `pandas.DataFrame(f["epochs"][:])` reads it.
 *
 * Errors:  DT_OUTPUT also when `path` exists already
 */
DT_MUST_USE dt_status dt_h5_make_table(dt_h5 *h5, const char *path, const dt_h5_table *table);

/**
 * Appends rows to a table made with the same columns; `count` may be 0.
 *
 * Only the columns get into the file, not the padding between them, and of a text nothing behind
 * its NUL; a text that fills its array loses the last byte.
 */
DT_MUST_USE dt_status dt_h5_append_rows(dt_h5 *h5, const char *path, const dt_h5_table *table,
                                        const void *rows, size_t count);

/** Makes a table with its rows. */
DT_MUST_USE dt_status dt_h5_write_table(dt_h5 *h5, const char *path, const dt_h5_table *table,
                                        const void *rows, size_t count);

/**
 * Continues the CRC-32 *crc with the rows in the form of the file: little-endian and packed.
 *
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_h5_continue_crc(uint32_t *crc, const dt_h5_table *table, const void *rows,
                                         size_t count);

/* ---- reading ---- */

/**
 * Opens a file for reading, without locking it: it may be on a read-only or network file system, or
 * be replaced meanwhile.
 *
 * HDF5 reads it in a separate process, until dt_h5_free (src/io/hdf5/h5_remote.h): with damaged or
 * crafted files the library crashes or never ends, and then the calls below return DT_DATA with one
 * line. Only a file that this process has saved, and whose bytes are the same, is read in this
 * process: that takes a tenth of the time.
 *
 * The calls below also read, in this process, what was just written into a file in memory.
 *
 * Owns:    the caller frees with dt_h5_free, soon: there is a process, and a socket
 * Errors:  DT_DATA when it is missing, not a regular file, empty, truncated, or of another format
 *          (which is named when it is a common one); when dtrain wrote it, and its bytes have
 *          changed
 */
DT_MUST_USE dt_status dt_h5_open(dt_h5 **out, const char *path);

/**
 * Opens a file in memory, `bytes` bytes at `image`, for reading; `name` is its name in error lines.
 *
 * Owns:    the caller frees with dt_h5_free; the image is copied, and may go at once
 * Errors:  DT_DATA when it is empty, truncated, or of another format, as dt_h5_open
 */
DT_MUST_USE dt_status dt_h5_open_image(dt_h5 **out, const void *image, size_t bytes,
                                       const char *name);

/**
 * Checks that all calls so far could be answered: dt_h5_has and dt_h5_has_attribute also return
 * false if HDF5 crashed. Call it at the end of a reading that relies on such a false.
 *
 * Errors:  DT_DATA if HDF5 crashed, or came to no end
 */
DT_MUST_USE dt_status dt_h5_check(const dt_h5 *h5);

/**
 * Reads every dataset and every attribute to its end, and drops what it reads, so that damage is
 * found wherever HDF5 finds it: checksums of chunks, packed data, places and texts. What dtrain
 * cannot read for another reason is passed over: links, lists, filters of others, values in other
 * files. It stops without an error 16 groups deep, and after 100000 objects.
 *
 * Errors:  DT_DATA, DT_MEMORY
 */
DT_MUST_USE dt_status dt_h5_read_everything(dt_h5 *h5);

/** Returns the file's size, bytes. */
uint64_t dt_h5_bytes(const dt_h5 *h5);

typedef enum dt_h5_kind {
    DT_H5_NOTHING, /* no such path */
    DT_H5_GROUP,
    DT_H5_DATASET,
    DT_H5_OTHER /* neither; also a soft or external link, which nothing here follows */
} dt_h5_kind;

/** Returns the kind of object at `path`; DT_H5_NOTHING (0): there is none. */
dt_h5_kind dt_h5_has(dt_h5 *h5, const char *path);

/** Returns whether there is an object at `path` with an attribute of that name. */
bool dt_h5_has_attribute(dt_h5 *h5, const char *path, const char *name);

/** Type and shape of the values of a dataset or an attribute. */
typedef enum dt_h5_class {
    DT_H5_CLASS_INT,
    DT_H5_CLASS_FLOAT,
    DT_H5_CLASS_TEXT,
    DT_H5_CLASS_TABLE,
    DT_H5_CLASS_OTHER
} dt_h5_class;

enum { DT_H5_DIMS_MAX = 32 };

typedef struct dt_h5_shape {
    dt_h5_class class;
    size_t element_bytes; /* in the file */
    unsigned dims; /* 0: one value */
    uint64_t extent[DT_H5_DIMS_MAX];
    uint64_t count; /* product of the extents; 0 when there is no value at all */
    uint64_t stored_bytes; /* datasets: in the file, compressed as they may be */
} dt_h5_shape;

/**
 * Describes a dataset, after checking that its values are in this file: the memory for this shape
 * is then at most what the file can contain (compressed: at most 1032 times the file).
 *
 * Errors:  DT_DATA when there is no dataset at `path`, the way to it or its values lead out of the
 *          file (soft and external links, external and virtual storage), it has no values or fewer
 *          than its shape, or is packed in a way that HDF5 does not know by itself
 */
DT_MUST_USE dt_status dt_h5_describe(dt_h5_shape *out, dt_h5 *h5, const char *path);

/**
 * Returns whether a file is an HDF5 file by its first bytes, or by its name if there are no such
 * bytes (.h5, .hdf5). Local.
 */
bool dt_h5_is_file(const char *path);

enum { DT_H5_DESCR_BYTES = 16 };

/** Type and layout of the items of a dataset. */
typedef struct dt_h5_items {
    dt_h5_shape shape;
    /* As NumPy calls their type: "<f4", "|b1" for h5py's bools, "|S12" for texts; "S": texts of any
     * length. What no .npy of numbers or texts can hold: "c" complex, "V" records, "O" lists, "f"
     * and "i" numbers laid out in another way, "?" anything else. */
    char descr[DT_H5_DESCR_BYTES];
    uint64_t chunk_rows; /* number of rows that are read at the cost of one; 1: not chunked */
} dt_h5_items;

/** Describes the items of a dataset. Errors: DT_DATA as dt_h5_describe. */
DT_MUST_USE dt_status dt_h5_describe_items(dt_h5_items *out, dt_h5 *h5, const char *path);

/** Finds the length of the longest text of a dataset "S", without its NUL, bytes. Errors: DT_DATA
 * as dt_h5_read_texts. Cost: reads all of them, in pieces. */
DT_MUST_USE dt_status dt_h5_find_longest(int64_t *out, dt_h5 *h5, const char *path);

/** Some rows of a dataset: `count` indices of its first dimension. */
typedef struct dt_h5_part {
    const char *path;
    uint64_t first, count;
    size_t bytes; /* of them all; of texts "S" this decides how long one may be */
} dt_h5_part;

/**
 * Reads some rows, row-major, with the items as in the file; texts are padded with zeros. Cannot
 * read lists of any length, references, and records with such items or with texts of any length.
 *
 * Shapes:  data [part->bytes] out
 * Errors:  DT_DATA as dt_h5_describe; also when there are fewer rows, or they have other bytes
 */
DT_MUST_USE dt_status dt_h5_read_part(void *data, dt_h5 *h5, const dt_h5_part *part);

/** Describes an attribute. Errors: DT_DATA when it is missing. */
DT_MUST_USE dt_status dt_h5_describe_attribute(dt_h5_shape *out, dt_h5 *h5, const char *path,
                                               const char *name);

/**
 * Reads all values of a dataset, converted from floats (read_f32), integers (read_i64) or either
 * (read_f64) of any size; integers that are too large become the largest.
 *
 * Shapes:  data [count] out; row-major
 * Errors:  DT_DATA as dt_h5_describe; also when it is of another class, or holds not `count` values
 */
DT_MUST_USE dt_status dt_h5_read_f32(dt_h5 *h5, const char *path, float *data, uint64_t count);
DT_MUST_USE dt_status dt_h5_read_i64(dt_h5 *h5, const char *path, int64_t *data, uint64_t count);
DT_MUST_USE dt_status dt_h5_read_f64(dt_h5 *h5, const char *path, double *data, uint64_t count);

/**
 * Reads one column of a table (a compound dataset of one dimension); read_column_f64 takes integers
 * too.
 *
 * Shapes:  data [count] out
 * Errors:  DT_DATA as dt_h5_read_f32; also when there is no such column
 */
DT_MUST_USE dt_status dt_h5_read_column_f64(dt_h5 *h5, const char *path, const char *column,
                                            double *data, uint64_t count);
DT_MUST_USE dt_status dt_h5_read_column_i64(dt_h5 *h5, const char *path, const char *column,
                                            int64_t *data, uint64_t count);

/**
 * Reads all rows of a table. A column that the file has in addition is ignored, and a field without
 * a column stays as it is. A text that is too long for its field is cut off.
 *
 * Shapes:  rows [count] in and out
 * Errors:  DT_DATA as dt_h5_read_f32; also when a column is missing, or has an integer that its
 *          field cannot hold
 */
DT_MUST_USE dt_status dt_h5_read_rows(dt_h5 *h5, const char *path, const dt_h5_table *table,
                                      void *rows, size_t count);

/** Maximum bytes of texts, and number of names, that are read into memory. */
enum { DT_H5_TEXT_BYTES_MAX = 64 << 20, DT_H5_NAMES_MAX = 100000 };

/**
 * Reads a scalar attribute, or one of a single element.
 *
 * Texts may be of variable or fixed length, and end at the first NUL; whether one is valid UTF-8 is
 * for the caller to see. get_double takes integers too.
 *
 * Owns:    the caller frees *out of get_text with dt_memory_free
 * Errors:  DT_DATA when it is missing, of another class, has more elements, or is too long
 */
DT_MUST_USE dt_status dt_h5_get_text(char **out, dt_h5 *h5, const char *path, const char *name);
DT_MUST_USE dt_status dt_h5_get_int(int64_t *out, dt_h5 *h5, const char *path, const char *name);
DT_MUST_USE dt_status dt_h5_get_double(double *out, dt_h5 *h5, const char *path, const char *name);

/** A list of texts. */
typedef struct dt_h5_names {
    size_t count;
    char **texts; /* [count] */
} dt_h5_names;

/** Frees; a zeroed list is allowed. */
void dt_h5_names_clear(dt_h5_names *names);

/**
 * Reads a one-dimensional attribute of texts; an empty one may be of any class, as Keras writes it.
 *
 * Owns:    the caller clears with dt_h5_names_clear
 * Errors:  DT_DATA as dt_h5_get_text; also when there are more than DT_H5_NAMES_MAX
 */
DT_MUST_USE dt_status dt_h5_get_texts(dt_h5_names *out, dt_h5 *h5, const char *path,
                                      const char *name);

/**
 * Reads a one-dimensional dataset of texts, or a column of texts of a table, of variable or fixed
 * length; they end as those of dt_h5_get_text. An empty dataset may be of any class.
 *
 * Owns:    the caller clears with dt_h5_names_clear
 * Errors:  DT_DATA as dt_h5_describe; also when it is of another class, there is no such column,
 *          more than DT_H5_NAMES_MAX texts, or more than DT_H5_TEXT_BYTES_MAX bytes of them
 */
DT_MUST_USE dt_status dt_h5_read_texts(dt_h5_names *out, dt_h5 *h5, const char *path);
DT_MUST_USE dt_status dt_h5_read_column_texts(dt_h5_names *out, dt_h5 *h5, const char *path,
                                              const char *column);

/**
 * List the members of a group, the attributes of an object, in the order of their names, and the
 * columns of a table, in the table's order.
 *
 * Owns:    the caller clears with dt_h5_names_clear
 * Errors:  DT_DATA when there is no such object, or more than DT_H5_NAMES_MAX names
 */
DT_MUST_USE dt_status dt_h5_list_members(dt_h5_names *out, dt_h5 *h5, const char *path);
DT_MUST_USE dt_status dt_h5_list_attributes(dt_h5_names *out, dt_h5 *h5, const char *path);
DT_MUST_USE dt_status dt_h5_list_columns(dt_h5_names *out, dt_h5 *h5, const char *path);

#endif
