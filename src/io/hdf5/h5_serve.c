#include "h5_remote.h"

#include "dtrain/base/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* The child's side: the answers. */

void (*dt_h5_serve_hook)(void);

/* There only when line coverage is measured, which is else written by exit alone. */
extern void __gcov_dump(void) __attribute__((weak));

typedef struct server {
    int socket;
    dt_h5 *h5;
    dt_h5_question question;
} server;

/* ---- the socket ---- */

static bool receive(int socket, void *data, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        const ssize_t got = recv(socket, (char *)data + done, bytes - done, 0);
        if (got > 0)
            done += (size_t)got;
        else if (got == 0 || errno != EINTR)
            return false;
    }
    return true;
}

/* Bytes that it may allocate in addition to those at its start; 0: no limit. */
static uint64_t memory_bytes;

/* An allocation that the machine could satisfy, but that exceeds the child's limit, is caused by
 * damage. */
DT_MUST_USE static dt_status explain_memory(void)
{
    if (memory_bytes == 0 || memory_bytes >= dt_memory_available())
        return DT_MEMORY;
    return dt_fail(DT_DATA, "%s; that is more memory than reading a file of its size needs",
                   dt_status_text());
}

static bool answer(int socket, dt_status status, const void *data, size_t bytes, size_t texts)
{
    if (status == DT_MEMORY)
        status = explain_memory();
    if (status != DT_OK) {
        data = dt_status_text();
        bytes = strlen(dt_status_text()) + 1;
    }
    const dt_h5_answer_head head = {.status = status, .count = (uint32_t)texts, .bytes = bytes};
    return dt_h5_send(socket, &head, sizeof head) && dt_h5_send(socket, data, bytes);
}

static bool answer_names(int socket, dt_status status, const dt_h5_names *names)
{
    size_t bytes = 0, at = 0;
    char *all = NULL;
    for (size_t i = 0; status == DT_OK && i < names->count; i++) {
        bytes += strlen(names->texts[i]) + 1;
        if (bytes > DT_H5_ANSWER_TEXT_BYTES_MAX)
            status = dt_fail(DT_DATA, "the texts of a list are longer than %d bytes",
                             DT_H5_ANSWER_TEXT_BYTES_MAX);
    }
    if (status == DT_OK)
        status = dt_memory_alloc(&all, bytes, 1, "texts of an HDF5 file");
    for (size_t i = 0; status == DT_OK && i < names->count; i++) {
        const size_t length = strlen(names->texts[i]) + 1;
        memcpy(all + at, names->texts[i], length);
        at += length;
    }
    const bool sent = answer(socket, status, all, bytes, names->count);
    dt_memory_free(all);
    return sent;
}

/* ---- the calls ---- */

static bool answer_array(const server *s)
{
    const dt_h5_question *q = &s->question;
    const size_t size = q->call == DT_H5_CALL_READ_F32 ? sizeof(float) : sizeof(double);
    void *data = NULL;
    dt_status status = dt_memory_alloc(&data, (size_t)q->count, size, "values of an HDF5 file");
    if (status == DT_OK && q->call == DT_H5_CALL_READ_F32)
        status = dt_h5_read_f32(s->h5, q->path, data, q->count);
    else if (status == DT_OK && q->call == DT_H5_CALL_READ_I64)
        status = dt_h5_read_i64(s->h5, q->path, data, q->count);
    else if (status == DT_OK && q->call == DT_H5_CALL_READ_F64)
        status = dt_h5_read_f64(s->h5, q->path, data, q->count);
    else if (status == DT_OK && q->call == DT_H5_CALL_READ_COLUMN_I64)
        status = dt_h5_read_column_i64(s->h5, q->path, q->name, data, q->count);
    else if (status == DT_OK)
        status = dt_h5_read_column_f64(s->h5, q->path, q->name, data, q->count);
    const bool sent = answer(s->socket, status, data, (size_t)q->count * size, 0);
    dt_memory_free(data);
    return sent;
}

/* There may be any number of parts, so each has its own time limit. */
static void allow_more(uint64_t bytes)
{
    struct rlimit bounds;
    struct rusage used;
    if (getrlimit(RLIMIT_CPU, &bounds) != 0 || getrusage(RUSAGE_SELF, &used) != 0 ||
        bounds.rlim_cur == RLIM_INFINITY)
        return;
    const rlim_t more =
        (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec + 1) + dt_h5_cpu_s(bytes);
    bounds.rlim_cur = more < bounds.rlim_max ? more : bounds.rlim_max;
    (void)setrlimit(RLIMIT_CPU, &bounds);
}

static bool answer_part(const server *s)
{
    const dt_h5_question *q = &s->question;
    const dt_h5_part part = {
        .path = q->path, .first = q->first, .count = q->count, .bytes = (size_t)q->bytes};
    void *data = NULL;
    allow_more(dt_h5_bytes(s->h5) + q->bytes);
    dt_status status = dt_memory_alloc(&data, part.bytes, 1, "values of an HDF5 file");
    if (status == DT_OK)
        status = dt_h5_read_part(data, s->h5, &part);
    const bool sent = answer(s->socket, status, data, part.bytes, 0);
    dt_memory_free(data);
    return sent;
}

static bool answer_texts(const server *s)
{
    const dt_h5_question *q = &s->question;
    dt_status status = DT_OK;
    dt_h5_names names = {0};
    char *text = NULL;
    if (q->call == DT_H5_CALL_GET_TEXT) {
        status = dt_h5_get_text(&text, s->h5, q->path, q->name);
        const bool sent = answer_names(s->socket, status, &(dt_h5_names){1, &text});
        dt_memory_free(text);
        return sent;
    }
    if (q->call == DT_H5_CALL_GET_TEXTS)
        status = dt_h5_get_texts(&names, s->h5, q->path, q->name);
    else if (q->call == DT_H5_CALL_READ_TEXTS)
        status = dt_h5_read_texts(&names, s->h5, q->path);
    else if (q->call == DT_H5_CALL_READ_COLUMN_TEXTS)
        status = dt_h5_read_column_texts(&names, s->h5, q->path, q->name);
    else if (q->call == DT_H5_CALL_LIST_MEMBERS)
        status = dt_h5_list_members(&names, s->h5, q->path);
    else if (q->call == DT_H5_CALL_LIST_ATTRIBUTES)
        status = dt_h5_list_attributes(&names, s->h5, q->path);
    else
        status = dt_h5_list_columns(&names, s->h5, q->path);
    const bool sent = answer_names(s->socket, status, &names);
    dt_h5_names_clear(&names);
    return sent;
}

static bool answer_value(const server *s)
{
    const dt_h5_question *q = &s->question;
    union {
        int32_t kind;
        int64_t whole;
        double number;
        dt_h5_shape shape;
        dt_h5_items items;
    } value = {0};
    switch (q->call) {
    case DT_H5_CALL_HAS:
        value.kind = (int32_t)dt_h5_has(s->h5, q->path);
        return answer(s->socket, DT_OK, &value.kind, sizeof value.kind, 0);
    case DT_H5_CALL_HAS_ATTRIBUTE:
        value.kind = dt_h5_has_attribute(s->h5, q->path, q->name);
        return answer(s->socket, DT_OK, &value.kind, sizeof value.kind, 0);
    case DT_H5_CALL_GET_INT: {
        const dt_status status = dt_h5_get_int(&value.whole, s->h5, q->path, q->name);
        return answer(s->socket, status, &value.whole, sizeof value.whole, 0);
    }
    case DT_H5_CALL_GET_DOUBLE: {
        const dt_status status = dt_h5_get_double(&value.number, s->h5, q->path, q->name);
        return answer(s->socket, status, &value.number, sizeof value.number, 0);
    }
    case DT_H5_CALL_DESCRIBE_ITEMS: {
        const dt_status status = dt_h5_describe_items(&value.items, s->h5, q->path);
        return answer(s->socket, status, &value.items, sizeof value.items, 0);
    }
    case DT_H5_CALL_FIND_LONGEST: {
        allow_more(dt_h5_bytes(s->h5));
        const dt_status status = dt_h5_find_longest(&value.whole, s->h5, q->path);
        return answer(s->socket, status, &value.whole, sizeof value.whole, 0);
    }
    default: {
        const dt_status status =
            q->call == DT_H5_CALL_DESCRIBE
                ? dt_h5_describe(&value.shape, s->h5, q->path)
                : dt_h5_describe_attribute(&value.shape, s->h5, q->path, q->name);
        return answer(s->socket, status, &value.shape, sizeof value.shape, 0);
    }
    }
}

static bool answer_one(server *s)
{
    dt_h5_ask_head head;
    char *words = NULL;
    if (!receive(s->socket, &head, sizeof head) ||
        dt_memory_alloc(&words, (size_t)head.path_bytes + head.name_bytes, 1, "question") != DT_OK)
        return false;
    bool connected = receive(s->socket, words, (size_t)head.path_bytes + head.name_bytes);
    s->question = (dt_h5_question){.call = (dt_h5_call)head.call,
                                   .path = words,
                                   .name = head.name_bytes > 0 ? words + head.path_bytes : NULL,
                                   .count = head.count,
                                   .first = head.first,
                                   .bytes = head.bytes};
    if (connected && head.call <= DT_H5_CALL_GET_DOUBLE)
        connected = answer_value(s);
    else if (connected && head.call <= DT_H5_CALL_READ_COLUMN_F64)
        connected = answer_array(s);
    else if (connected && head.call == DT_H5_CALL_READ_PART)
        connected = answer_part(s);
    else if (connected)
        connected = answer_texts(s);
    dt_memory_free(words);
    return connected;
}

void dt_h5_serve(int socket, const dt_h5_origin *origin, uint64_t memory)
{
    server s = {.socket = socket};
    memory_bytes = memory;
    if (dt_h5_serve_hook != NULL)
        dt_h5_serve_hook();
    const dt_status status = dt_h5_open_here(&s.h5, origin);
    const uint64_t bytes = status == DT_OK ? dt_h5_bytes(s.h5) : 0;
    bool connected = answer(socket, status, &bytes, sizeof bytes, 0) && status == DT_OK;
    while (connected)
        connected = answer_one(&s);
    if (__gcov_dump != NULL) {
        struct rlimit bounds;
        if (getrlimit(RLIMIT_FSIZE, &bounds) == 0) {
            bounds.rlim_cur = bounds.rlim_max;
            (void)setrlimit(RLIMIT_FSIZE, &bounds);
        }
        __gcov_dump();
    }
}
