/* rooms: model */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/io/hdf5/h5_remote.h"
#include "h5_files.h"

#include "dtrain/base/memory.h"
#include "dtrain/io/file.h"
#include "dtrain/model/keras_model.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* What HDF5 1.10.8 itself crashes on, or never ends with; other versions may refuse it in time.
 * Never may this process be harmed. */

/* ---- a file, and how it is damaged ---- */

static unsigned char *image;
static size_t image_bytes;

static uint64_t get(size_t at, unsigned bytes)
{
    uint64_t value = 0;
    assert_true(at + bytes <= image_bytes);
    memcpy(&value, image + at, bytes);
    return value;
}

static void put(size_t at, unsigned bytes, uint64_t value)
{
    assert_true(at + bytes <= image_bytes);
    memcpy(image + at, &value, bytes);
}

/* Where a text is in the file, from `at` on. */
static size_t find(const char *text, size_t at)
{
    const void *found = memmem(image + at, image_bytes - at, text, strlen(text));
    assert_non_null(found);
    return (size_t)((const unsigned char *)found - image);
}

/* A group with datasets, and texts of variable length, which lie in a "global heap". */
static int make_image(void **state)
{
    (void)state;
    static const float values[] = {1, 2, 3};
    const uint64_t shape = 3;
    char long_text[601];
    void *made = NULL;
    dt_h5 *h5 = NULL;
    memset(long_text, 'x', 600);
    long_text[600] = '\0';
    assert_ok(dt_h5_new(&h5));
    assert_ok(dt_h5_set_text(h5, "/", "long", long_text));
    assert_ok(dt_h5_set_text(h5, "/", "last", "short"));
    assert_ok(dt_h5_write_array(h5, "/group/a", DT_H5_F32, 1, &shape, values));
    assert_ok(dt_h5_write_array(h5, "/group/b", DT_H5_F32, 1, &shape, values));
    assert_ok(dt_h5_image(&made, &image_bytes, h5));
    dt_h5_free(h5);
    image = made;
    return 0;
}

static int free_image(void **state)
{
    dt_memory_free(image);
    image = NULL;
    return scratch_empty(state);
}

/* The header of the text's object in the global heap: index, references, size. */
static size_t heap_object(const char *text)
{
    return find(text, find("GCOL", 0)) - 16;
}

/* Opens, and calls all that reads texts; returns the status of the first that failed. */
static dt_status read_everything(dt_h5 *h5)
{
    dt_status status = DT_OK;
    char *text = NULL;
    dt_h5_names names = {0};
    float values[3];
    DT_TRY(dt_h5_get_text(&text, h5, "/", "long"));
    assert_int_equal(strlen(text), 600);
    dt_memory_free(text);
    text = NULL;
    DT_TRY(dt_h5_get_text(&text, h5, "/", "last"));
    assert_string_equal(text, "short");
    DT_TRY(dt_h5_list_members(&names, h5, "/group"));
    assert_int_equal(names.count, 2);
    DT_TRY(dt_h5_read_f32(h5, "/group/b", values, 3));
    assert_float_equal(values[2], 3.0f, 0.0f);
out:
    dt_memory_free(text);
    dt_h5_names_clear(&names);
    return status;
}

/* A damaged image is refused with one line. */
static void expect_refused(void)
{
    dt_h5 *h5 = NULL;
    dt_status status = dt_h5_open_image(&h5, image, image_bytes, "some.h5");
    if (status == DT_OK)
        status = read_everything(h5);
    assert_int_equal(status, DT_DATA);
    assert_memory_equal(dt_status_text(), "some.h5: ", 9);
    assert_null(strchr(dt_status_text(), '\n'));
    dt_h5_free(h5);
}

static bool has_no_children(void)
{
    return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD;
}

/* ---- tests ---- */

static void test_sound(void **state)
{
    (void)state;
    dt_h5 *h5 = NULL;
    assert_ok(dt_h5_open_image(&h5, image, image_bytes, "some.h5"));
    assert_int_equal(dt_h5_bytes(h5), image_bytes);
    assert_false(has_no_children());
    assert_ok(read_everything(h5));
    assert_ok(dt_h5_check(h5));
    dt_h5_free(h5);
    assert_true(has_no_children());
}

/* HDF5 goes to the next object beyond the end of the heap: so far that no memory can be there. */
static void test_crash(void **state)
{
    (void)state;
    put(heap_object("xxxx") + 8, 8, (uint64_t)1 << 40);
    expect_refused();
    assert_true(has_no_children());
}

/* Free space of no bytes is followed by itself. */
static void test_no_end(void **state)
{
    (void)state;
    const size_t last = heap_object("short");
    const size_t next = last + 16 + 8 * ((size_t)(get(last + 8, 8) + 7) / 8);
    assert_int_equal(get(next, 2), 0);
    put(next + 8, 8, 0);
    expect_refused();
    assert_true(has_no_children());
}

/* A list of free space in a group's names that goes in a circle: each round takes memory. */
static void test_endless_memory(void **state)
{
    (void)state;
    bool made = false;
    for (size_t at = find("HEAP", 0); at + 32 < image_bytes; at++) {
        if (memcmp(image + at, "HEAP", 4) != 0)
            continue;
        const uint64_t free_space = get(at + 16, 8), data = get(at + 24, 8);
        if (free_space == 1 || data >= image_bytes)
            continue;
        put((size_t)(data + free_space), 8, free_space);
        made = true;
    }
    assert_true(made);
    dt_h5 *h5 = NULL;
    float values[3];
    struct rusage before, after;
    assert_int_equal(getrusage(RUSAGE_CHILDREN, &before), 0);
    assert_ok(dt_h5_open_image(&h5, image, image_bytes, "some.h5"));
    const dt_status status = dt_h5_read_f32(h5, "/group/b", values, 3);
    assert_true(status == DT_OK || status == DT_DATA);
    dt_h5_free(h5);
    assert_int_equal(getrusage(RUSAGE_CHILDREN, &after), 0);
    assert_true(after.ru_maxrss < (2 << 20)); /* KiB */
}

/* Any byte of the structures changed, one after the other: refused or read, as may be. */
static void test_any_byte(void **state)
{
    (void)state;
    unsigned refused = 0;
    for (size_t at = 8; at < image_bytes; at += at < 512 ? 7 : 61) {
        const unsigned char was = image[at];
        dt_h5 *h5 = NULL;
        image[at] ^= (unsigned char)(at % 2 == 0 ? 0xff : 0x01);
        dt_status status = dt_h5_open_image(&h5, image, image_bytes, "some.h5");
        image[at] = was;
        if (status == DT_OK) {
            dt_h5_names names = {0};
            char *text = NULL;
            status = dt_h5_get_text(&text, h5, "/", "long");
            if (status == DT_OK)
                status = dt_h5_list_members(&names, h5, "/group");
            dt_memory_free(text);
            dt_h5_names_clear(&names);
        }
        refused += status != DT_OK;
        assert_true(status == DT_OK || status == DT_DATA);
        dt_h5_free(h5);
    }
    assert_true(refused > 10);
    assert_true(has_no_children());
}

static void end_at_once(void)
{
    _exit(7);
}

static void test_end_while_opening(void **state)
{
    (void)state;
    dt_h5 *h5 = NULL;
    dt_h5_serve_hook = end_at_once;
    assert_data(dt_h5_open_image(&h5, image, image_bytes, "some.h5"), "some.h5: ", "exit status 7");
    assert_null(h5);
    dt_h5_serve_hook = NULL;
    assert_true(has_no_children());
}

/* ---- a child that HDF5 has damaged, and which lives on ---- */

/* What it answers to every question. */
static dt_h5_answer_head false_head;
static unsigned char false_value[1024];

static int child_socket(void)
{
    struct stat info;
    for (int fd = 1023; fd > 2; fd--) /* the latest */
        if (fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode))
            return fd;
    _exit(8);
}

static void answer_open(int socket)
{
    const uint64_t bytes = 5;
    const dt_h5_answer_head head = {.bytes = sizeof bytes};
    (void)(dt_h5_send(socket, &head, sizeof head) && dt_h5_send(socket, &bytes, sizeof bytes));
}

static void await_question(int socket)
{
    dt_h5_ask_head head;
    char words[256];
    if (recv(socket, &head, sizeof head, MSG_WAITALL) != (ssize_t)sizeof head)
        _exit(0);
    const size_t bytes = head.path_bytes + head.name_bytes;
    if (bytes > sizeof words || recv(socket, words, bytes, MSG_WAITALL) != (ssize_t)bytes)
        _exit(9);
}

static void answer_falsely(void)
{
    const int socket = child_socket();
    answer_open(socket);
    for (;;) {
        await_question(socket);
        (void)(dt_h5_send(socket, &false_head, sizeof false_head) &&
               dt_h5_send(socket, false_value, (size_t)false_head.bytes));
    }
}

static void set_false_answer(uint32_t count, const void *value, size_t bytes)
{
    assert_true(bytes <= sizeof false_value);
    false_head = (dt_h5_answer_head){.count = count, .bytes = bytes};
    memcpy(false_value, value, bytes);
}

/* The child forks with what was set last. */
static dt_h5 *open_served_by(void (*hook)(void))
{
    dt_h5 *h5 = NULL;
    dt_h5_serve_hook = hook;
    assert_ok(dt_h5_open_image(&h5, image, image_bytes, "some.h5"));
    dt_h5_serve_hook = NULL;
    return h5;
}

/* Nothing is asked of a child any more that has given a wrong answer. */
static void expect_given_up(dt_h5 *h5)
{
    double number = 0.0;
    assert_data(dt_h5_check(h5), "some.h5: damaged HDF5 file: ");
    assert_data(dt_h5_get_double(&number, h5, "/", "long"), "some.h5: damaged HDF5 file: ");
    assert_true(has_no_children());
    dt_h5_free(h5);
}

static dt_status describe(dt_h5_shape *out, dt_h5 *h5, bool attribute)
{
    return attribute ? dt_h5_describe_attribute(out, h5, "/", "long")
                     : dt_h5_describe(out, h5, "/group/a");
}

static void test_shapes(void **state)
{
    (void)state;
    const uint64_t half = UINT64_C(1) << 32;
    const dt_h5_shape good[] = {
        {.class = DT_H5_CLASS_OTHER, .element_bytes = 1, .count = 1},
        {.class = DT_H5_CLASS_INT, .element_bytes = 4},
        {.class = DT_H5_CLASS_FLOAT, .element_bytes = 4, .dims = 2, .extent = {3, 4}, .count = 12},
        {.class = DT_H5_CLASS_TEXT, .element_bytes = 4, .dims = 2, .extent = {0, 4}},
        {.class = DT_H5_CLASS_TABLE, .element_bytes = 8, .dims = 32, .extent = {0}}};
    const dt_h5_shape bad[] = {
        {.class = (dt_h5_class)77, .element_bytes = 1, .count = 1},
        {.class = (dt_h5_class)(DT_H5_CLASS_OTHER + 1), .element_bytes = 1, .count = 1},
        {.class = DT_H5_CLASS_FLOAT, .element_bytes = 4, .dims = 4000000},
        {.class = DT_H5_CLASS_FLOAT, .element_bytes = 4, .dims = 33},
        {.class = DT_H5_CLASS_FLOAT, .element_bytes = 4, .dims = 2, .extent = {3, 4}, .count = 13},
        {.class = DT_H5_CLASS_FLOAT, .element_bytes = 4, .dims = 2, .extent = {3, 4}},
        {.class = DT_H5_CLASS_FLOAT, .element_bytes = 4, .count = 2},
        {.class = DT_H5_CLASS_FLOAT, .element_bytes = 1, .dims = 2, .extent = {half, half}},
        {.class = DT_H5_CLASS_FLOAT,
         .element_bytes = half,
         .dims = 1,
         .extent = {half},
         .count = half}};
    for (size_t i = 0; i < 2 * (sizeof good / sizeof *good); i++) {
        dt_h5_shape found;
        set_false_answer(0, &good[i / 2], sizeof found);
        dt_h5 *h5 = open_served_by(answer_falsely);
        assert_ok(describe(&found, h5, i % 2 == 0));
        assert_memory_equal(&found, &good[i / 2], sizeof found);
        dt_h5_free(h5);
    }
    for (size_t i = 0; i < 2 * (sizeof bad / sizeof *bad); i++) {
        dt_h5_shape found;
        set_false_answer(0, &bad[i / 2], sizeof found);
        dt_h5 *h5 = open_served_by(answer_falsely);
        assert_data(describe(&found, h5, i % 2 == 0), "some.h5: damaged HDF5 file: ");
        assert_int_equal(found.dims, 0);
        assert_int_equal(found.count, 0);
        expect_given_up(h5);
    }
}

static void test_kinds(void **state)
{
    (void)state;
    static const int32_t bad[] = {DT_H5_OTHER + 1, 77, -1, INT32_MIN};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        set_false_answer(0, &bad[i], sizeof bad[i]);
        dt_h5 *h5 = open_served_by(answer_falsely);
        assert_int_equal(dt_h5_has(h5, "/group"), DT_H5_NOTHING);
        expect_given_up(h5);
    }
    set_false_answer(0, &(int32_t){DT_H5_OTHER}, sizeof(int32_t));
    dt_h5 *h5 = open_served_by(answer_falsely);
    assert_int_equal(dt_h5_has(h5, "/group"), DT_H5_OTHER);
    assert_ok(dt_h5_check(h5));
    assert_false(dt_h5_has_attribute(h5, "/", "long")); /* that is 0 or 1 */
    expect_given_up(h5);
}

/* A list is as long as it says, and one text is one. */
static void test_lists(void **state)
{
    (void)state;
    dt_h5_names names;
    char *text = NULL;
    set_false_answer(2, "a\0b", 4);
    dt_h5 *h5 = open_served_by(answer_falsely);
    assert_ok(dt_h5_list_members(&names, h5, "/"));
    assert_int_equal(names.count, 2);
    assert_string_equal(names.texts[1], "b");
    dt_h5_names_clear(&names);
    assert_data(dt_h5_get_text(&text, h5, "/", "long"), "damaged");
    assert_null(text);
    expect_given_up(h5);
    static const struct {
        uint32_t count;
        size_t bytes;
    } bad[] = {{0, 4}, {1, 4}, {3, 4}, {UINT32_MAX, 4}, {2, 3}, {1, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        set_false_answer(bad[i].count, "a\0b", bad[i].bytes);
        h5 = open_served_by(answer_falsely);
        assert_data(dt_h5_get_texts(&names, h5, "/", "long"), "damaged");
        assert_null(names.texts);
        expect_given_up(h5);
    }
    set_false_answer(0, "", 0);
    h5 = open_served_by(answer_falsely);
    assert_ok(dt_h5_list_members(&names, h5, "/"));
    assert_int_equal(names.count, 0);
    dt_h5_names_clear(&names);
    assert_data(dt_h5_get_text(&text, h5, "/", "long"), "damaged");
    expect_given_up(h5);
}

/* Talks on, however it is told to end. */
static void babble(void)
{
    const int socket = child_socket();
    answer_open(socket);
    for (;;) {
        (void)dt_h5_send(socket, "x", 1);
        (void)poll(NULL, 0, 100);
    }
}

static void close_and_sleep(void)
{
    const int socket = child_socket();
    answer_open(socket);
    await_question(socket);
    (void)close(socket);
    for (;;)
        (void)poll(NULL, 0, 1000);
}

/* A child that does not end is ended: else the alarm ends this process. */
static void test_stubborn(void **state)
{
    (void)state;
    int64_t whole = 0;
    (void)alarm(60);
    dt_h5_free(open_served_by(babble));
    assert_true(has_no_children());
    dt_h5 *h5 = open_served_by(close_and_sleep);
    assert_data(dt_h5_get_int(&whole, h5, "/", "long"),
                "some.h5: damaged HDF5 file: ", "does not finish");
    expect_given_up(h5);
    (void)alarm(0);
}

/* ---- ends ---- */

/* Kills the one child there is, without waiting for it. */
static void kill_child(int number)
{
    char path[64], text[64] = "";
    (void)snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "r");
    if (file == NULL)
        skip();
    const bool any = fgets(text, sizeof text, file) != NULL;
    (void)fclose(file);
    if (!any)
        skip();
    assert_int_equal(kill((pid_t)strtol(text, NULL, 10), number), 0);
}

/* Once it is dead every call says so, and those that only say yes or no leave it to dt_h5_check. */
static void test_death(void **state)
{
    (void)state;
    dt_h5 *h5 = NULL;
    int64_t whole = 0;
    dt_h5_names names = {0};
    assert_ok(dt_h5_open_image(&h5, image, image_bytes, "some.h5"));
    kill_child(SIGSEGV);
    assert_int_equal(dt_h5_has(h5, "/group"), DT_H5_NOTHING);
    assert_data(dt_h5_check(h5), "some.h5: ", "Segmentation fault");
    assert_false(dt_h5_has_attribute(h5, "/", "long"));
    assert_data(dt_h5_get_int(&whole, h5, "/", "long"), "Segmentation fault");
    assert_data(dt_h5_list_attributes(&names, h5, "/"), "Segmentation fault");
    dt_h5_free(h5);
    assert_ok(dt_h5_open_image(&h5, image, image_bytes, "some.h5"));
    kill_child(SIGKILL);
    assert_status(dt_h5_get_int(&whole, h5, "/", "long"), DT_MEMORY);
    dt_h5_free(h5);
    assert_true(has_no_children());
}

/* The signals by which a job is told to stop reach the child, too. */
static void test_signals(void **state)
{
    (void)state;
    dt_h5 *h5 = NULL;
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
    assert_ok(dt_h5_open_image(&h5, image, image_bytes, "some.h5"));
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        kill_child(signals[i]);
    assert_ok(read_everything(h5));
    dt_h5_free(h5);
}

/* Several files at a time, freed in any order. */
static void test_several(void **state)
{
    (void)state;
    dt_h5 *h5[3] = {0};
    for (int i = 0; i < 3; i++)
        assert_ok(dt_h5_open_image(&h5[i], image, image_bytes, "some.h5"));
    dt_h5_free(h5[0]);
    assert_ok(read_everything(h5[2]));
    dt_h5_free(h5[2]);
    assert_ok(read_everything(h5[1]));
    dt_h5_free(h5[1]);
    assert_true(has_no_children());
}

/* What cannot be guarded is read all the same. */
static void test_no_child(void **state)
{
    (void)state;
    dt_h5 *h5 = NULL;
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    none = before;
    none.rlim_cur = (rlim_t)ends[0]; /* no descriptor is left */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const dt_status status = dt_h5_open_image(&h5, image, image_bytes, "some.h5");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
    assert_ok(status);
    assert_true(has_no_children());
    assert_ok(read_everything(h5));
    assert_ok(dt_h5_check(h5));
    dt_h5_free(h5);
}

/* Large values come over in pieces. */
static void test_large(void **state)
{
    (void)state;
    enum { COUNT = 1 << 20 };
    const uint64_t shape = COUNT;
    dt_h5 *h5 = NULL;
    float *values = malloc(COUNT * sizeof *values), *found = malloc(COUNT * sizeof *found);
    assert_true(values != NULL && found != NULL);
    for (size_t i = 0; i < COUNT; i++)
        values[i] = (float)i;
    assert_ok(dt_h5_new(&h5));
    assert_ok(dt_h5_write_array(h5, "/large", DT_H5_F32, 1, &shape, values));
    assert_ok(dt_h5_save(h5, scratch_path("large.h5")));
    dt_h5_free(h5);
    assert_ok(dt_h5_open(&h5, scratch_path("large.h5")));
    assert_false(has_no_children());
    assert_ok(dt_h5_read_f32(h5, "/large", found, COUNT));
    assert_memory_equal(found, values, COUNT * sizeof *values);
    assert_data(dt_h5_read_f32(h5, "/large", found, COUNT - 1), "expected 1048575 values");
    dt_h5_free(h5);
    free(values);
    free(found);
}

/* Opens a file whose attribute says so, with a process that reads it or without. */
static void expect_number(const char *path, int64_t number, bool child)
{
    dt_h5 *h5 = NULL;
    int64_t found = 0;
    assert_ok(dt_h5_open(&h5, path));
    assert_int_equal(has_no_children(), !child);
    assert_ok(dt_h5_get_int(&found, h5, "/", "number"));
    assert_int_equal(found, number);
    dt_h5_free(h5);
}

/* A small file of this process is read here, but not one that only has the same name. */
static void test_own(void **state)
{
    (void)state;
    const int64_t number = 0x1122334455667788;
    dt_h5 *h5 = NULL;
    char path[4096];
    (void)snprintf(path, sizeof path, "%s", scratch_path("own.h5"));
    assert_ok(dt_h5_new(&h5));
    assert_ok(dt_h5_set_int(h5, "/", "number", number));
    assert_ok(dt_h5_save(h5, path));
    expect_number(path, number, false);

    void *made = NULL;
    dt_memory_free(image);
    image = NULL;
    assert_ok(dt_h5_image(&made, &image_bytes, h5));
    image = made;
    dt_h5_free(h5);
    const long at = (long)find("\x88\x77\x66\x55\x44", 0);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_int_equal(fputc(0x89, file), 0x89);
    assert_int_equal(fclose(file), 0);
    assert_data(dt_h5_open(&h5, path), "damaged HDF5 file", "CRC-32");

    assert_ok(dt_file_replace(path, image, image_bytes)); /* another file of the same bytes */
    expect_number(path, number, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sound, make_image, free_image),
        cmocka_unit_test_setup_teardown(test_crash, make_image, free_image),
        cmocka_unit_test_setup_teardown(test_no_end, make_image, free_image),
        cmocka_unit_test_setup_teardown(test_endless_memory, make_image, free_image),
        cmocka_unit_test_setup_teardown(test_any_byte, make_image, free_image),
        cmocka_unit_test_setup_teardown(test_end_while_opening, make_image, free_image),
        cmocka_unit_test_setup_teardown(test_shapes, make_image, free_image),
        cmocka_unit_test_setup_teardown(test_kinds, make_image, free_image),
        cmocka_unit_test_setup_teardown(test_lists, make_image, free_image),
        cmocka_unit_test_setup_teardown(test_stubborn, make_image, free_image),
        cmocka_unit_test_setup_teardown(test_death, make_image, free_image),
        cmocka_unit_test_setup_teardown(test_signals, make_image, free_image),
        cmocka_unit_test_setup_teardown(test_several, make_image, free_image),
        cmocka_unit_test_setup_teardown(test_no_child, make_image, free_image),
        cmocka_unit_test_setup_teardown(test_large, make_image, free_image),
        cmocka_unit_test_setup_teardown(test_own, make_image, free_image),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
