#ifndef DTRAIN_BASE_TEXT_WRAP_H
#define DTRAIN_BASE_TEXT_WRAP_H

#include <stddef.h>

/** Texts within the columns of a terminal: a character of UTF-8 each. All calls are local. */

/** Returns the characters of a text. */
size_t dt_text_width(const char *text);

/** Returns the text behind its first `characters`, or its end. */
const char *dt_text_skip(const char *text, size_t characters);

/**
 * Returns the bytes of a text's first line: as many words as fit into `width` characters. A break
 * behind , ; or : is preferred to a later one if the line keeps `least` characters at least. A word
 * that is wider than the line is broken behind | or , ; without one of these it is the whole line.
 *
 * The rest begins with the blanks between the two lines, if there are any.
 */
size_t dt_text_break(const char *text, size_t width, size_t least);

/** Replaces the characters of a text behind the first `head` by "..." such that `most` are left:
 * the last most - head - 3 ones stay. A text that is not wider stays as it is. */
void dt_text_shorten(char *text, size_t most, size_t head);

#endif
