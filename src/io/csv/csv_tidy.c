/* Names of columns without invisible characters, made of a header's cells. */
#include "csv_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- characters that nobody sees ---- */

/* Returns the length of an invisible character; *blank: it looks like a blank. */
static size_t invisible_at(bool *blank, const char *text, size_t bytes)
{
    static const struct {
        const char *text;
        bool blank;
    } characters[] = {{"\xc2\xa0", true} /* no-break blank */,
                      {"\xe2\x80\xaf", true} /* a narrow one */,
                      {"\xe2\x80\x87", true} /* figure blank */,
                      {"\xe2\x80\x89", true} /* thin blank */,
                      {"\xe2\x80\x8b", false} /* no width */,
                      {"\xe2\x80\x8e", false} /* left to right */,
                      {"\xe2\x80\x8f", false} /* right to left */,
                      {"\xe2\x81\xa0", false} /* word joiner */,
                      {DT_CSV_MARK, false},
                      {"\xc2\xad", false} /* soft hyphen */};
    for (size_t i = 0; i < sizeof characters / sizeof *characters; i++) {
        const size_t length = strlen(characters[i].text);
        *blank = characters[i].blank;
        if (bytes >= length && memcmp(text, characters[i].text, length) == 0)
            return length;
    }
    return 0;
}

/* Writes a name without invisible characters, and a NUL; returns its length. */
static size_t clean_name(char *out, const char *text, size_t bytes)
{
    size_t used = 0;
    bool any = false;
    for (size_t i = 0; i < bytes;) {
        bool blank = false;
        const size_t length = invisible_at(&blank, text + i, bytes - i);
        if (length == 0 || blank)
            out[used++] = length == 0 ? text[i] : ' ';
        any = any || length > 0;
        i += length > 0 ? length : 1;
    }
    size_t begin = 0;
    while (any && used > 0 && out[used - 1] == ' ')
        used--;
    while (any && begin < used && out[begin] == ' ')
        begin++;
    memmove(out, out + begin, used - begin);
    out[used - begin] = '\0';
    return used - begin;
}

/* ---- names that are known ---- */

static bool is_exact(const dt_csv_field *cells, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(cells[i].text, name) == 0)
            return true;
    return false;
}

/* Returns the known name that differs from a cell only in case or invisible characters, if no other
 * cell matches it exactly or as closely; else NULL. */
static const char *find_known(const dt_csv_tidy *tidy, size_t cell, const dt_csv_known *known,
                              char *room)
{
    const char *found = NULL;
    for (size_t k = 0; k < known->count; k++) {
        (void)clean_name(room, known->names[k], strlen(known->names[k]));
        if (!dt_text_is_alike(room, tidy->cells[cell].text))
            continue;
        if (found != NULL)
            return NULL;
        found = known->names[k];
    }
    if (found == NULL || is_exact(tidy->cells, tidy->count, found))
        return NULL;
    for (size_t i = 0; i < tidy->count; i++)
        if (i != cell && dt_text_is_alike(tidy->cells[i].text, tidy->cells[cell].text))
            return NULL;
    return found;
}

static bool is_known(const dt_csv_known *known, size_t at, const char *name)
{
    if (at < known->count && strcmp(known->names[at], name) == 0) /* the usual order */
        return true;
    for (size_t i = 0; i < known->count; i++)
        if (strcmp(known->names[i], name) == 0)
            return true;
    return false;
}

static dt_status respell(dt_csv_tidy *tidy, const dt_csv_known *known, const bool *exact)
{
    enum { NAMES_MAX = 4096 }; /* each is compared with each */
    dt_status status = DT_OK;
    const char **others = NULL;
    char *room = NULL;
    size_t longest = 0;
    if (known->count == 0 || known->count > NAMES_MAX || tidy->count > NAMES_MAX)
        return DT_OK;
    for (size_t k = 0; k < known->count; k++)
        longest = strlen(known->names[k]) > longest ? strlen(known->names[k]) : longest;
    DT_TRY(dt_memory_alloc(&room, longest + 1, 1, "column names"));
    DT_TRY(dt_memory_alloc(&others, tidy->count, sizeof *others, "column names"));
    for (size_t c = 0; c < tidy->count; c++)
        others[c] = exact[c] ? NULL : find_known(tidy, c, known, room);
    for (size_t c = 0; c < tidy->count; c++) {
        if (others[c] == NULL)
            continue;
        tidy->cells[c] = (dt_csv_field){others[c], strlen(others[c])};
        if (tidy->respelled++ == 0)
            tidy->respelled_example = c;
    }
out:
    dt_memory_free(others);
    dt_memory_free(room);
    return status;
}

dt_status dt_csv_names_tidy(dt_csv_tidy *out, const dt_csv_field *cells, size_t count,
                            const dt_csv_known *known)
{
    dt_status status = DT_OK;
    size_t bytes = 0;
    bool *exact = NULL;
    *out = (dt_csv_tidy){.count = count};
    for (size_t c = 0; c < count; c++)
        bytes += cells[c].bytes + 1;
    DT_TRY(dt_memory_alloc(&exact, count, sizeof *exact, "column names"));
    DT_TRY(dt_memory_alloc(&out->cells, count, sizeof *out->cells, "column names"));
    DT_TRY(dt_memory_alloc(&out->text, bytes, 1, "column names"));
    char *text = out->text;
    for (size_t c = 0; c < count; c++) {
        exact[c] = is_known(known, c, cells[c].text);
        out->cells[c] = cells[c];
        if (exact[c])
            continue;
        const size_t length = clean_name(text, cells[c].text, cells[c].bytes);
        if (length != cells[c].bytes && out->cleaned++ == 0)
            out->cleaned_example = c;
        out->cells[c] = (dt_csv_field){text, length};
        text += length + 1;
    }
    DT_TRY(respell(out, known, exact));
out:
    dt_memory_free(exact);
    return status;
}

void dt_csv_tidy_clear(dt_csv_tidy *tidy)
{
    dt_memory_free(tidy->cells);
    dt_memory_free(tidy->text);
    *tidy = (dt_csv_tidy){0};
}

/* ---- names of an open table ---- */

/* Warns of the changes made to names. */
static void warn_of_tidying(dt_csv *csv, const dt_csv_tidy *tidy, const dt_csv_field *cells)
{
    char from[DT_TEXT_SHOWN_BYTES + 4], to[DT_TEXT_SHOWN_BYTES + 4], more[32] = "";
    if (tidy->cleaned > 0) {
        const dt_csv_field *cell = &tidy->cells[tidy->cleaned_example];
        dt_csv_warn(csv, "%zu name%s invisible characters, which are removed; the first: '%s'",
                    tidy->cleaned, tidy->cleaned == 1 ? " has" : "s have",
                    dt_text_show(to, cell->text, cell->bytes));
    }
    if (tidy->respelled > 1)
        (void)snprintf(more, sizeof more, ", and %zu more", tidy->respelled - 1);
    if (tidy->respelled > 0) {
        const size_t c = tidy->respelled_example;
        dt_csv_warn(csv, "column '%s' is used as '%s'%s",
                    dt_text_show(from, cells[c].text, cells[c].bytes),
                    dt_text_show(to, tidy->cells[c].text, tidy->cells[c].bytes), more);
    }
}

static void warn_of_names(dt_csv *csv, size_t renamed, size_t example)
{
    char shown[DT_TEXT_SHOWN_BYTES + 4];
    const char *name = example != SIZE_MAX ? csv->names.names[example].text : "";
    if (renamed > 0)
        dt_csv_warn(csv, "%zu column%s the name of another column; column %zu is renamed '%s'",
                    renamed, renamed == 1 ? " has" : "s have", example + 1,
                    dt_text_show(shown, name, strlen(name)));
}

dt_status dt_csv_name_columns(dt_csv *csv, const dt_csv_field *cells, size_t first)
{
    dt_status status = DT_OK;
    size_t renamed = 0, example = SIZE_MAX;
    dt_csv_tidy tidy = {0};
    const dt_csv_format *format = &csv->format;
    const dt_csv_known known = {.names = format->names,
                                .count = csv->knows_names ? format->name_count : 0};
    if (cells != NULL) {
        DT_TRY(dt_csv_names_tidy(&tidy, cells, format->columns - first, &known));
        warn_of_tidying(csv, &tidy, cells);
    }
    DT_TRY(dt_csv_names_make(&csv->names, tidy.cells, first, format->columns, &renamed, &example));
    warn_of_names(csv, renamed, example);
out:
    dt_csv_tidy_clear(&tidy);
    return status;
}
