#include "report_buffer.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Room for `bytes` more, and a NUL. */
static bool reserve(dt_report_buffer *buffer, size_t bytes)
{
    const size_t needed = buffer->bytes + bytes + 1;
    if (buffer->status == DT_OK && needed > buffer->room) {
        size_t room = buffer->room == 0 ? 4096 : buffer->room;
        while (room < needed)
            room *= 2;
        buffer->status = dt_memory_grow(&buffer->text, buffer->bytes, room, 1, "text of a report");
        buffer->room = buffer->status == DT_OK ? room : buffer->room;
    }
    return buffer->status == DT_OK;
}

void dt_report_buffer_put(dt_report_buffer *buffer, const char *text, size_t bytes)
{
    if (!reserve(buffer, bytes))
        return;
    memcpy(buffer->text + buffer->bytes, text, bytes);
    buffer->bytes += bytes;
    buffer->text[buffer->bytes] = '\0';
}

void dt_report_buffer_puts(dt_report_buffer *buffer, const char *text)
{
    dt_report_buffer_put(buffer, text, strlen(text));
}

void dt_report_buffer_add(dt_report_buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0 || !reserve(buffer, (size_t)length))
        return;
    va_start(arguments, format);
    (void)vsnprintf(buffer->text + buffer->bytes, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer->bytes += (size_t)length;
}

void dt_report_buffer_escape(dt_report_buffer *buffer, const char *text)
{
    static const char unknown[] = "\xef\xbf\xbd"; /* U+FFFD */
    const bool is_utf8 = dt_text_is_utf8(text, strlen(text));
    for (; *text != '\0'; text++) {
        const unsigned char at = (unsigned char)text[0], next = (unsigned char)text[1];
        if (is_utf8 && at == 0xc2 && next >= 0x80 && next < 0xa0) { /* control characters */
            dt_report_buffer_puts(buffer, unknown);
            text++;
        } else if (at == '\n' || at == '\t') {
            dt_report_buffer_puts(buffer, " ");
        } else if (at < ' ' || at == 127 || (at >= 0x80 && !is_utf8)) {
            dt_report_buffer_puts(buffer, unknown);
        } else if (at == '<' || at == '>' || at == '&' || at == '"' || at == '\'') {
            dt_report_buffer_add(buffer, "&#%d;", at);
        } else {
            dt_report_buffer_put(buffer, text, 1);
        }
    }
}

void dt_report_buffer_clear(dt_report_buffer *buffer)
{
    dt_memory_free(buffer->text);
    memset(buffer, 0, sizeof *buffer);
}
