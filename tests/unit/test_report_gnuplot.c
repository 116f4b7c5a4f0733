/* rooms: report */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/report/report_gnuplot.h"
#include "../../src/report/report_internal.h"
#include "scratch_folder.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>

/* A gnuplot that does as it likes: a script of that name, the first in PATH. What hangs does so for
 * longer than a test may take, so coming back is proof enough that it was ended. */

#define SHORT_S 0.5
#define LONG_S 30.0
#define HANG "exec sleep 600\n"
enum { PIPE_BYTES_MAX = 1 << 20 }; /* more than any pipe takes by itself */

static char path_before[4096];

/* NULL: there is none, in an empty PATH. */
static void set_gnuplot(const char *commands)
{
    char text[4096 + sizeof scratch_folder];
    (void)remove(scratch_path("gnuplot"));
    (void)remove(scratch_path("pid"));
    if (commands != NULL) {
        const int length = snprintf(text, sizeof text, "#!/bin/sh\necho $$ >'%s'\n%s",
                                    scratch_path("pid"), commands);
        assert_true(scratch_write(scratch_path("gnuplot"), text, (size_t)length));
        assert_int_equal(chmod(scratch_path("gnuplot"), 0700), 0);
    }
    (void)snprintf(text, sizeof text, commands != NULL ? "%s:%s" : "%s", scratch_folder,
                   path_before);
    assert_int_equal(setenv("PATH", text, 1), 0);
}

static int free_descriptor(void)
{
    const int lowest = dup(STDIN_FILENO);
    (void)close(lowest);
    return lowest;
}

static void assert_is_gone(void)
{
    size_t length = 0;
    unsigned char *text = scratch_read(scratch_path("pid"), &length);
    if (text == NULL || length == 0) { /* on a busy machine: ended before its first line */
        free(text);
        return;
    }
    text[length] = '\0';
    const long pid = strtol((char *)text, NULL, 10);
    free(text);
    assert_true(pid > 1);
    assert_int_equal(kill((pid_t)pid, 0), -1);
    assert_int_equal(errno, ESRCH);
}

static char *long_script(void)
{
    char *script = malloc(PIPE_BYTES_MAX + 1);
    assert_non_null(script);
    memset(script, '#', PIPE_BYTES_MAX);
    script[PIPE_BYTES_MAX] = '\0';
    return script;
}

/* It fails, and leaves nothing behind: no output, no process, no open pipe, no other SIGPIPE. */
static void fails(const char *commands, const char *script, double timeout_s, const char *expected)
{
    dt_report_buffer out = {0};
    char why[REPORT_GNUPLOT_WHY_BYTES] = "?";
    struct sigaction action;
    const int descriptor = free_descriptor();
    set_gnuplot(commands);
    dt_report_buffer_puts(&out, "before");
    assert_false(dt_report_gnuplot(&out, why, script, timeout_s));
    assert_string_equal(why, expected);
    assert_string_equal(out.text, "before");
    assert_int_equal(out.status, DT_OK);
    assert_int_equal(free_descriptor(), descriptor);
    assert_int_equal(sigaction(SIGPIPE, NULL, &action), 0);
    assert_true(action.sa_handler == SIG_DFL);
    if (commands != NULL)
        assert_is_gone();
    dt_report_buffer_clear(&out);
}

static void test_one_that_hangs(void **state)
{
    (void)state;
    char *script = long_script();
    static const char too_long[] = "gnuplot took too long";
    fails(HANG, "plot x\n", SHORT_S, too_long);
    fails("echo '<svg></svg>'\n" HANG, "plot x\n", SHORT_S, too_long);
    fails("cat >/dev/null\n" HANG, script, SHORT_S, too_long);
    fails(HANG, script, SHORT_S, too_long); /* with a full pipe before it */
    fails("exec >&- 2>&-\n" HANG, "plot x\n", SHORT_S, too_long);
    fails("exec <&- >&- 2>&-\n" HANG, script, SHORT_S, too_long);
    fails("trap '' TERM INT HUP\nwhile :; do sleep 0.01; done\n", "plot x\n", SHORT_S, too_long);
    free(script);
}

static void test_one_that_fails(void **state)
{
    (void)state;
    fails("echo '<svg></svg>'\nexit 3\n", "plot x\n", LONG_S, "gnuplot failed");
    fails("echo 'plot x' >&2\necho '  so it is\033[1m' >&2\nexit 1\n", "plot x\n", LONG_S,
          "gnuplot failed: so it is?[1m");
    fails("kill -SEGV $$\n", "plot x\n", LONG_S, "gnuplot failed");
    fails("exit 0\n", "plot x\n", LONG_S, "gnuplot printed nothing");
    fails("exec cat /dev/zero\n", "plot x\n", LONG_S, "gnuplot printed too much");
    fails(NULL, "plot x\n", LONG_S, "gnuplot: not found");
}

/* Writing to a pipe that nobody reads ends a program, unless it takes care. */
static void test_one_that_ignores_its_stdin(void **state)
{
    (void)state;
    char *script = long_script();
    dt_report_buffer out = {0};
    char why[REPORT_GNUPLOT_WHY_BYTES] = "?";
    fails("exec <&-\nexit 0\n", script, LONG_S, "gnuplot printed nothing");
    fails("exit 4\n", script, LONG_S, "gnuplot failed");
    set_gnuplot("exec <&-\nsleep 0.05\necho done\n");
    assert_true(dt_report_gnuplot(&out, why, script, LONG_S));
    assert_string_equal(out.text, "done\n");
    dt_report_buffer_clear(&out);
    free(script);
}

static void test_one_that_talks_much(void **state)
{
    (void)state;
    char *script = long_script();
    dt_report_buffer out = {0};
    char why[REPORT_GNUPLOT_WHY_BYTES] = "?";
    set_gnuplot("exec cat\n");
    dt_report_buffer_puts(&out, "before:");
    assert_true(dt_report_gnuplot(&out, why, script, LONG_S));
    assert_int_equal(out.bytes, PIPE_BYTES_MAX + 7);
    assert_string_equal(out.text + 7, script);
    assert_string_equal(why, "");
    assert_is_gone();
    dt_report_buffer_clear(&out);
    free(script);
}

/* ---- what a page takes of it ---- */

static void draw(dt_report_page *page, const char *commands)
{
    double numbers[2] = {1.0, 2.0}, losses[2] = {0.5, 0.25};
    char status[] = "ok";
    dt_report_run run = {.status = status, .epochs = {.rows = 2}};
    dt_report_run *const runs[1] = {&run};
    run.epochs.columns[EPOCH_NUMBER] = numbers;
    run.epochs.columns[EPOCH_IMPROVED] = numbers;
    run.epochs.columns[EPOCH_TRAIN(0)] = losses;
    set_gnuplot(commands);
    dt_report_chart_epochs(page, runs, 1, EPOCH_TRAIN(0), -1, "loss", "loss");
    assert_int_equal(page->html.status, DT_OK);
}

static void test_page_without_svg(void **state)
{
    (void)state;
    static const char *const others[] = {"cat >/dev/null\necho '<b>as it likes'\n",
                                         "cat >/dev/null\necho '<svg id=\"a\"><path d=\"'\n",
                                         "cat >/dev/null\nprintf '<svg>\\000</svg>'\n"};
    dt_report_page page = {0};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        draw(&page, others[i]);
        assert_int_equal(page.plots, 0);
        assert_int_equal(page.html.bytes, 0);
        assert_string_equal(page.why, "gnuplot printed no SVG");
        assert_false(page.given_up);
    }
    draw(&page, "cat >/dev/null\necho \"<?xml?><svg id='a'></svg>\"\n");
    assert_int_equal(page.plots, 1);
    assert_non_null(strstr(page.html.text, "<svg id='p1-a'></svg>"));
    assert_null(strstr(page.html.text, "xml"));
    dt_report_buffer_clear(&page.html);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_that_hangs),
        cmocka_unit_test(test_one_that_fails),
        cmocka_unit_test(test_one_that_ignores_its_stdin),
        cmocka_unit_test(test_one_that_talks_much),
        cmocka_unit_test(test_page_without_svg),
    };
    const char *path = getenv("PATH");
    (void)snprintf(path_before, sizeof path_before, "%s", path != NULL ? path : "/usr/bin:/bin");
    (void)signal(SIGPIPE, SIG_DFL); /* whatever it is where the tests are started from */
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
