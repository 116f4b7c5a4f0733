#include "dtrain/base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static char last_text[DT_STATUS_TEXT_BYTES];
static void (*assert_hook)(void);

dt_status dt_fail(dt_status code, const char *format, ...)
{
    /* Built in another buffer first: an argument may be the last text itself. */
    char text[DT_STATUS_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    dt_status_set_text(text);
    return code;
}

const char *dt_status_text(void)
{
    return last_text;
}

void dt_status_set_text(const char *text)
{
    (void)snprintf(last_text, sizeof last_text, "%s", text);
    /* File names and contents of arrays may be in the text: it must stay one printable line. */
    for (char *c = last_text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = '?';
}

void dt_assert_set_hook(void (*hook)(void))
{
    assert_hook = hook;
}

void dt_assert_failed(const char *condition, const char *file, int line)
{
    (void)fprintf(stderr, "dtrain: error: internal: %s does not hold (%s:%d)\n", condition, file,
                  line);
    (void)fflush(stderr);
    if (assert_hook != NULL)
        assert_hook();
    _exit(DT_INTERNAL);
}
