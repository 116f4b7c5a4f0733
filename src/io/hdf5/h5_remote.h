#ifndef DTRAIN_IO_H5_REMOTE_H
#define DTRAIN_IO_H5_REMOTE_H

#include "dtrain/io/h5.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * HDF5 reads files in a separate process. With damaged or crafted files libhdf5 writes beyond its
 * blocks, crashes, or never ends, before dtrain can check anything; so it never reads such bytes in
 * this process. dt_h5_open forks. The child opens the file and answers the calls of io/h5.h over a
 * socket, with the same functions, until dt_h5_free. If the child dies, the call that waits for it
 * and all later ones return DT_DATA with one line, and this process is not damaged.
 *
 * HDF5 may also continue after it has damaged the child. Therefore the size of each answer is
 * checked, and also the content if the answer is a kind, a shape or a list. An answer that a sound
 * child cannot give counts as a death. Numbers and texts are trusted no more than the file, and two
 * answers need not agree: code that indexes one list by the length of another one checks.
 *
 * The child cannot write files. It may use 3 s of CPU time, and 1 s more for each 10 MiB of the
 * file (the same again for each part of a dataset, by the size of the part), and memory of 512 MiB
 * plus 64 times the size of the file. It dies with its parent, ignores the signals that ask a job
 * to stop, and prints nothing.
 *
 * The fork is safe in a process that uses MPI: the child makes no MPI call, runs no exit handler,
 * and ends by _exit or a signal. Memory that is registered with a network card was a hazard for the
 * parent if a child shared it. Linux 5.12 and later copy such pages for the child; on older systems
 * UCX and Open MPI's verbs hide them from it (Open MPI may then warn of fork). Files are read
 * before the first step, when hardly any memory is registered.
 *
 * If no child can be started (no process, descriptor or memory left), dtrain prints a warning and
 * reads the file in this process, because a job must be able to resume from its checkpoint.
 */
typedef struct dt_h5_remote dt_h5_remote;

/** The input: the file at `path`, or the image, whose name is `path`. */
typedef struct dt_h5_origin {
    const char *path;
    const void *image;
    size_t bytes; /* of the image */
} dt_h5_origin;

/** The calls that are answered, each the function of io/h5.h of that name. */
typedef enum dt_h5_call {
    DT_H5_CALL_HAS,
    DT_H5_CALL_HAS_ATTRIBUTE,
    DT_H5_CALL_DESCRIBE,
    DT_H5_CALL_DESCRIBE_ATTRIBUTE,
    DT_H5_CALL_DESCRIBE_ITEMS,
    DT_H5_CALL_FIND_LONGEST,
    DT_H5_CALL_GET_INT,
    DT_H5_CALL_GET_DOUBLE,
    DT_H5_CALL_READ_F32,
    DT_H5_CALL_READ_I64,
    DT_H5_CALL_READ_F64,
    DT_H5_CALL_READ_COLUMN_I64,
    DT_H5_CALL_READ_COLUMN_F64,
    DT_H5_CALL_READ_PART,
    DT_H5_CALL_GET_TEXT,
    DT_H5_CALL_GET_TEXTS,
    DT_H5_CALL_READ_TEXTS,
    DT_H5_CALL_READ_COLUMN_TEXTS,
    DT_H5_CALL_LIST_MEMBERS,
    DT_H5_CALL_LIST_ATTRIBUTES,
    DT_H5_CALL_LIST_COLUMNS
} dt_h5_call;

/** A request: the function, the object, and its attribute or column, NULL for none. */
typedef struct dt_h5_question {
    dt_h5_call call;
    const char *path;
    const char *name;
    uint64_t count; /* of the values, or rows, that are read */
    uint64_t first, bytes; /* of a part */
} dt_h5_question;

/**
 * The work of the child: it opens the file and answers until the socket is closed. It can allocate
 * `memory` bytes; 0: no limit.
 */
typedef void dt_h5_server(int socket, const dt_h5_origin *origin, uint64_t memory);
void dt_h5_serve(int socket, const dt_h5_origin *origin, uint64_t memory); /* h5_serve.c */

/**
 * Opens in a child, which calls `serve`; sets h5->remote, which stays NULL (with a warning) if no
 * process can be started. h5.c and h5_read*.c ask this file, and h5_serve.c calls them: so `serve`
 * comes from above (h5_open.c).
 *
 * Errors:  as dt_h5_open
 */
DT_MUST_USE dt_status dt_h5_remote_open(dt_h5 *h5, const dt_h5_origin *origin, dt_h5_server *serve);

/** Opens in this process (h5_read.c). */
DT_MUST_USE dt_status dt_h5_open_here(dt_h5 **out, const dt_h5_origin *origin);

/** Ends the child and frees; NULL is allowed. */
void dt_h5_remote_close(dt_h5_remote *remote);

/** Asks for exactly `bytes` bytes. Errors: those of the call; DT_DATA if it died. */
DT_MUST_USE dt_status dt_h5_ask(void *out, size_t bytes, const dt_h5 *h5,
                                const dt_h5_question *question);

/**
 * Asks for a shape: it has a class and dims of those there are, its count is the product of its
 * extents (0 if there are no values), and the size of this many elements does not overflow.
 *
 * Errors:  as dt_h5_ask, also on any other; *out = {0}
 */
DT_MUST_USE dt_status dt_h5_ask_shape(dt_h5_shape *out, const dt_h5 *h5,
                                      const dt_h5_question *question);

/** Asks for a dataset's items: a shape as above, and a descr that ends. Errors: likewise. */
DT_MUST_USE dt_status dt_h5_ask_items(dt_h5_items *out, const dt_h5 *h5,
                                      const dt_h5_question *question);

/** Asks for a number of 0 to `most`. Returns 0 also if the child died: dt_h5_remote_check tells. */
int32_t dt_h5_ask_kind(const dt_h5 *h5, const dt_h5_question *question, int32_t most);

/** Asks for texts: for one alone with DT_H5_CALL_GET_TEXT. Owns: the caller clears. Errors: as
 * dt_h5_ask. */
DT_MUST_USE dt_status dt_h5_ask_names(dt_h5_names *out, const dt_h5 *h5,
                                      const dt_h5_question *question);

/** Returns the status of the child: DT_OK, or the error of dt_h5_ask after it died. */
DT_MUST_USE dt_status dt_h5_remote_check(const dt_h5 *h5);

/* ---- between the two ---- */

typedef struct dt_h5_ask_head {
    uint64_t call; /* of 64 bits, so that there is no padding, which would also be sent */
    uint32_t path_bytes, name_bytes; /* with their NULs; 0 for no name */
    uint64_t count, first, bytes;
} dt_h5_ask_head;

/* `bytes` bytes follow: the value; the texts, each with its NUL; or the line of the failure. */
typedef struct dt_h5_answer_head {
    uint32_t status;
    uint32_t count; /* of texts */
    uint64_t bytes;
} dt_h5_answer_head;

/* CPU time limit of the child for a file, or a part of it. Reading runs at hundreds of MiB a
 * second, so a read that reaches this limit would not end. */
static inline uint64_t dt_h5_cpu_s(uint64_t bytes)
{
    return 3 + bytes / (10 << 20);
}

/* Maximum length of all texts of an answer. */
enum { DT_H5_ANSWER_TEXT_BYTES_MAX = 2 * DT_H5_TEXT_BYTES_MAX };

/* Sends all bytes; returns whether it succeeded. */
bool dt_h5_send(int socket, const void *data, size_t bytes);

/** Called in the child before it opens the file; NULL except in tests. */
extern void (*dt_h5_serve_hook)(void);

#endif
