#include "columns.h"

#include "dtrain/base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t find_name(const dt_columns *columns, const char *name)
{
    for (size_t c = 0; c < columns->count; c++)
        if (strcmp(columns->names[c], name) == 0)
            return c;
    return SIZE_MAX;
}

/* The one column whose name differs in case alone. */
static size_t find_cased(const dt_columns *columns, const char *name)
{
    size_t found = SIZE_MAX;
    for (size_t c = 0; c < columns->count; c++)
        if (dt_text_is_alike(columns->names[c], name)) {
            if (found != SIZE_MAX)
                return SIZE_MAX;
            found = c;
        }
    return found;
}

/* Returns the index of the column that a number names; SIZE_MAX if it names none. */
static size_t find_number(const dt_columns *columns, const char *name)
{
    const char *digits = name + (name[0] == '#');
    char *end = NULL;
    if ((digits == name && !columns->nameless) || digits[0] < '1' || digits[0] > '9')
        return SIZE_MAX;
    const unsigned long long number = strtoull(digits, &end, 10);
    return *end == '\0' && number <= columns->count ? (size_t)number - 1 : SIZE_MAX;
}

/* "Unnamed: 0" is the first column, if that has no name and is called "column 1". */
static size_t find_unnamed(const dt_columns *columns, const char *name)
{
    static const char unnamed[] = "Unnamed: ";
    char made[32], *end = NULL;
    const size_t length = sizeof unnamed - 1;
    if (strncmp(name, unnamed, length) != 0 || name[length] < '0' || name[length] > '9')
        return SIZE_MAX;
    const unsigned long long number = strtoull(name + length, &end, 10);
    (void)snprintf(made, sizeof made, "column %llu", number + 1);
    return *end == '\0' ? find_name(columns, made) : SIZE_MAX;
}

dt_status dt_column_find(size_t *out, const dt_columns *columns, const char *name)
{
    const size_t length = strlen(name);
    *out = find_name(columns, name);
    if (*out == SIZE_MAX)
        *out = find_number(columns, name);
    if (*out == SIZE_MAX)
        *out = find_unnamed(columns, name);
    if (*out == SIZE_MAX)
        *out = find_cased(columns, name);
    if (*out != SIZE_MAX)
        return DT_OK;
    /* It may have been cut at a comma, which it should not be. */
    for (size_t c = 0; c < columns->count && length > 0; c++)
        if (strncmp(columns->names[c], name, length) == 0 && columns->names[c][length] == ',')
            return dt_fail(DT_DATA,
                           "%s: no column '%s'; write a name with a comma in quotes, as '\"%s\"', "
                           "or the column's number, as #%zu",
                           columns->path, name, columns->names[c], c + 1);
    return dt_column_fail(DT_DATA, columns->path, name, columns->names, columns->count);
}

dt_status dt_column_fail(dt_status code, const char *path, const char *column,
                         const char *const *names, size_t count)
{
    const size_t nearest = dt_text_nearest(column, names, count);
    if (nearest != SIZE_MAX)
        return dt_fail(code, "%s: no column '%s'; did you mean '%s'?", path, column,
                       names[nearest]);
    char list[256] = "";
    size_t used = 0;
    for (size_t c = 0; c < count && used < sizeof list; c++)
        used +=
            (size_t)snprintf(list + used, sizeof list - used, "%s%s", c > 0 ? ", " : "", names[c]);
    return dt_fail(code, "%s: no column '%s' among its %zu: %s%s%s", path, column, count, list,
                   used >= sizeof list ? "..." : "",
                   count == 1 ? "; if this is more than one column, see --separator" : "");
}
