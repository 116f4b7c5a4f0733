#include "methods.h"

#include "dtrain/base/text.h"

#include <stdint.h>
#include <string.h>

enum { ITEM_BYTES = 512 };

/* The index of a word among "a|b|c", or a failure that lists them. */
static dt_status find_method(int *out, const char *names, const char *word, const char *option)
{
    *out = dt_text_find_typed(names, word);
    return *out >= 0 ? DT_OK
                     : dt_fail(DT_USAGE, "--%s takes %s, or COLUMN= before one of them, not '%s'",
                               option, names, word);
}

dt_status dt_method_read(size_t *column, int *method, const dt_columns *columns, char *item,
                         const char *names, const char *option)
{
    char *equals = strrchr(item, '=');
    *column = SIZE_MAX;
    if (equals == NULL)
        return find_method(method, names, item, option);
    *equals = '\0';
    dt_status status = dt_column_find(column, columns, item);
    return status != DT_OK ? status : find_method(method, names, equals + 1, option);
}

/* As dt_text_next_item, but a comma that stands for a sign is an item, or its end: "," and
 * "price=,". */
static bool next_method(char item[ITEM_BYTES], const char **at)
{
    const char *from = *at;
    if (!dt_text_next_item(item, ITEM_BYTES, at))
        return false;
    const size_t used = strlen(item);
    const bool alone = used == 0 && strcmp(from, ",") == 0;
    const bool behind = used > 0 && item[used - 1] == '=' && (*at)[-1] == ',' &&
                        (**at == ',' || **at == '\0') && used + 1 < ITEM_BYTES;
    if (alone || behind)
        memcpy(item + used, ",", 2);
    *at += behind && **at == ',';
    return true;
}

dt_status dt_methods_read(const dt_columns *columns, const char *list, const char *names,
                          const char *option, dt_method_set *set, void *context)
{
    dt_status status = DT_OK;
    char item[ITEM_BYTES];
    int methods = 0;
    for (int of_columns = 0; of_columns < 2; of_columns++)
        for (const char *at = list; next_method(item, &at);) {
            size_t column = 0;
            int method = 0;
            DT_TRY(dt_method_read(&column, &method, columns, item, names, option));
            if ((column != SIZE_MAX) != (of_columns != 0))
                continue;
            if (!of_columns && methods++ > 0)
                DT_TRY(dt_fail(
                    DT_USAGE,
                    "--%s has two methods for all columns; use COLUMN=METHOD for some of them",
                    option));
            set(context, column, method);
        }
out:
    return status;
}

/* ---- signs ---- */

typedef struct asked {
    dt_signs *signs; /* [count] */
    size_t count;
    char *decimal;
} asked;

static void ask_decimal(void *context, size_t column, int method)
{
    static const char signs[] = {'\0', '.', ','};
    const asked *a = context;
    const size_t first = column == SIZE_MAX ? 0 : column;
    const size_t end = column == SIZE_MAX ? a->count : column + 1;
    const char sign = signs[method];
    const bool is_asked = sign != '\0';
    if (column == SIZE_MAX && is_asked)
        *a->decimal = sign;
    for (size_t c = first; c < end; c++) {
        a->signs[c].decimal_asked = is_asked;
        a->signs[c].decimal = is_asked ? sign : *a->decimal;
    }
}

/* A comma or a point between thousands cannot also be the decimal sign. */
static void ask_group(void *context, size_t column, int method)
{
    static const char groups[] = {'\0', '\0', ',', '.', ' ', '\''};
    const asked *a = context;
    const size_t first = column == SIZE_MAX ? 0 : column;
    const size_t end = column == SIZE_MAX ? a->count : column + 1;
    const char group = groups[method];
    for (size_t c = first; c < end; c++) {
        dt_signs *signs = &a->signs[c];
        signs->group_asked = method > 0;
        signs->group = group;
        if (signs->decimal_asked || (group != ',' && group != '.'))
            continue;
        signs->decimal_asked = true;
        signs->decimal = group == ',' ? '.' : ',';
        if (column == SIZE_MAX)
            *a->decimal = signs->decimal;
    }
}

dt_status dt_signs_read(dt_signs *out, char *decimal, const dt_columns *columns,
                        const char *decimals, const char *thousands)
{
    dt_status status = DT_OK;
    char sign = *decimal;
    asked a = {.signs = out, .count = columns->count, .decimal = &sign};
    memset(out, 0, columns->count * sizeof *out);
    ask_decimal(&a, SIZE_MAX, 0);
    DT_TRY(dt_methods_read(columns, decimals, "auto|point|comma", "decimal", ask_decimal, &a));
    DT_TRY(dt_methods_read(columns, thousands, "auto|none|comma|point|space|quote", "thousands",
                           ask_group, &a));
    for (size_t c = 0; c < columns->count; c++)
        if (out[c].decimal == out[c].group)
            DT_TRY(dt_fail(DT_USAGE,
                           "column '%s': --decimal and --thousands are the same sign, '%c'",
                           columns->names[c], out[c].decimal));
    *decimal = sign;
out:
    return status;
}
