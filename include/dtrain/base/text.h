#ifndef DTRAIN_BASE_TEXT_H
#define DTRAIN_BASE_TEXT_H

#include "dtrain/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Functions on texts. All calls are local. */

/**
 * Returns the index of the name that is nearest to `name` by Levenshtein's distance, ignoring case;
 * SIZE_MAX if none is near, or if `name` is longer than 63 bytes.
 */
size_t dt_text_nearest(const char *name, const char *const *names, size_t count);

/**
 * Copies the item at *at of a list separated by commas, without the blanks around it, and advances
 * *at; returns false at the end. As in a CSV, an item or its beginning may be quoted, with quotes
 * inside doubled; then it may contain commas. An item that is too long is cut.
 */
bool dt_text_next_item(char *item, size_t bytes, const char **at);

/**
 * Gives all items of such a list.
 *
 * Owns:    the caller frees with dt_memory_free_texts(*out, *count), also after an error
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_text_split_items(char ***out, size_t *count, const char *list);

/** Writes an item as dt_text_next_item reads it: in quotes if it needs them. Returns `out`. */
const char *dt_text_quote_item(char *out, size_t bytes, const char *item);

/** Returns whether a name has this ending (".npz"). */
bool dt_text_ends_in(const char *name, const char *ending);

/** Returns whether `text` is one of a list that ends with NULL. */
bool dt_text_is_among(const char *text, const char *const *list);

/** Returns the index of a word in "a|b|c", ignoring case; -1 if it is not there. */
int dt_text_find_choice(const char *choices, const char *word);

/**
 * As dt_text_choice, but also accepts the signs , ; . | ' blank and tab for their names, if these
 * are among the choices.
 */
int dt_text_find_typed(const char *choices, const char *word);

/**
 * Reads a whole number as it is usually written: 12 and -3, but neither 007 nor +1. Returns false
 * for anything else; *out is then undefined.
 */
bool dt_text_to_whole(int64_t *out, const char *text);

/** Writes a field of a CSV in quotes, those inside doubled, without a NUL; returns its length, at
 * most 2 * bytes + 2. */
size_t dt_text_put_quoted(char *out, const char *text, size_t bytes);

/** Writes a field of a CSV, in quotes if it needs them, with a ' in front of a formula, without a
 * NUL; returns its length, at most 2 * bytes + 3. `text` ends in a NUL. */
size_t dt_text_put_field(char *out, const char *text, size_t bytes);

/**
 * Returns whether a spreadsheet would run a cell as a formula, which may start programs: it begins
 * with = + - @, a tab or a line end, and is not a number. -1.5, +3e-7, -1.234,50 and -5% are
 * numbers. Writers of CSV put a ' in front of a formula, as OWASP says.
 */
bool dt_text_is_formula(const char *text);

/**
 * Writes a text as one line that is safe on a terminal: control characters become \n, \t, \r or
 * \0033, and backslashes are doubled, so that printf '%b' restores the text. A text that does not
 * fit is cut. Returns `out`.
 */
const char *dt_text_escape(char *out, size_t bytes, const char *text);

/** Bytes of a text that dt_text_show shows. */
enum { DT_TEXT_SHOWN_BYTES = 40 };

/**
 * Copies a piece of a file for an error line: at most DT_TEXT_SHOWN_BYTES in whole characters, then
 * "..."; control characters and bytes that are not UTF-8 become '?'. Returns
 * `out`.
 */
const char *dt_text_show(char out[DT_TEXT_SHOWN_BYTES + 4], const char *text, size_t bytes);

/**
 * Returns the length of the UTF-8 character at `text`, which has `bytes` > 0 bytes; 0 if there is
 * none.
 */
size_t dt_text_character_bytes(const char *text, size_t bytes);

/**
 * Replaces capitals of Latin, Greek and Cyrillic letters in UTF-8 by small letters. The length does
 * not change, so that the few letters that would change it stay.
 */
void dt_text_to_lower(char *text, size_t bytes);

/** Returns whether two texts differ at most in the case of such letters. */
bool dt_text_is_alike(const char *a, const char *b);

/**
 * Decodes UTF-8 into at most `most` characters; an invalid byte becomes U+FFFD. `out` may be NULL.
 * Returns the number of characters.
 */
size_t dt_text_to_utf32(uint32_t *out, size_t most, const char *text, size_t bytes);

/**
 * Writes a character, up to U+10FFFF, as UTF-8 without a '\0' behind it. Returns the number of
 * bytes, 1 to 4.
 *
 * Source:  RFC 3629
 */
size_t dt_text_put_character(char *out, uint32_t code);

/**
 * Returns whether a text is UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF, no
 * character cut short.
 *
 * Source:  RFC 3629
 * Cost:    of ASCII, eight bytes a step
 */
bool dt_text_is_utf8(const char *text, size_t bytes);

/**
 * Writes a probability as "%.9g" does: nine significant digits restore a float32 exactly; returns
 * its length, below 24. `value` is within 0 .. 1, or NaN.
 *
 * Cost:    some 20 ns
 */
size_t dt_text_probability(char *out, float value);

/** Writes a whole number; returns its length, below 24. Cost: some 5 ns. */
size_t dt_text_whole(char *out, uint64_t value);

/**
 * Reads a time: "90s", "10min", "1.5h", "2d", "HH:MM:SS" and "D-HH:MM:SS" as Slurm writes them, and
 * "never", which is 0. Returns false, and *out = 0, for anything else: no unit, a sign, blanks,
 * infinity.
 *
 * Units:   seconds, finite, 0 or above
 */
bool dt_text_duration(double *out, const char *text);

/** Enough for any double. */
enum { DT_TEXT_DURATION_BYTES = 40 };

/**
 * Writes a time so that dt_text_duration reads the same double: with the fewest digits, then the
 * fewest letters, in a unit in which it is at least 1; "never" for 0. Returns `out`.
 *
 * Units:   seconds, finite, 0 or above
 */
const char *dt_text_show_duration(char out[DT_TEXT_DURATION_BYTES], double seconds);

/** Enough for a number with up to 9 digits, and for a range of two. */
enum { DT_TEXT_NUMBER_BYTES = 24, DT_TEXT_RANGE_BYTES = 2 * DT_TEXT_NUMBER_BYTES + 4 };

/**
 * Writes a number for people, with at most 1 to 9 significant digits, as "%g" does, but a whole
 * part is written with all its digits: 1164794 with 6 digits is 1164794, not 1.16479e+06. From
 * 10^10 on, and below 0.0001, there is an exponent. Returns `out`.
 */
const char *dt_text_number(char out[DT_TEXT_NUMBER_BYTES], double value, int digits);

/**
 * As dt_text_number, with exactly 1 to 9 significant digits: numbers below each other have the
 * same number of digits. 0.5 with 4 digits is 0.5000, 1234567 is 1234567. Returns `out`.
 */
const char *dt_text_rounded(char out[DT_TEXT_NUMBER_BYTES], double value, int digits);

/**
 * Writes a number with as many decimals as give a number of this size so many significant digits,
 * 1 to 9, so that numbers below each other line up: 0.009 with size 0.2 and 4 digits is 0.0090. A
 * number that would become 0, but is not 0, has one significant digit: 0.00004 is 4e-05. If the
 * size is below 0.0001 or not finite, or if either is 10^10 or above, it is as dt_text_rounded.
 * Returns `out`.
 */
const char *dt_text_aligned(char out[DT_TEXT_NUMBER_BYTES], double value, double size, int digits);

/** Writes "520 to 1164794", both as dt_text_number does. Returns `out`. */
const char *dt_text_range(char out[DT_TEXT_RANGE_BYTES], double low, double high, int digits);

#endif
