/* The columns of a table, bound to those of a recipe. */
#include "preprocess_internal.h"

#include "columns.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"

#include <string.h>

enum { ITEM_BYTES = 512 };

static dt_status add_names(dt_names *out, char *const *names, size_t count)
{
    dt_status status = DT_OK;
    for (size_t i = 0; i < count; i++)
        DT_TRY(dt_names_add(out, names[i], strlen(names[i]), (int32_t)i));
out:
    return status;
}

static const char *sign_name(char decimal)
{
    return decimal == ',' ? "comma" : "point";
}

/* A column with commas or points between its thousands keeps its decimal sign. In a table with the
 * other decimal sign its cells would be read as other numbers, unless an option names the sign. */
static dt_status set_signs(const dt_preprocess *p, dt_binding *b, const dt_signs *asked)
{
    dt_number_format *format = &b->numerals.format;
    const char before = b->column->format.decimal;
    b->numerals.column = b->column;
    b->numerals.decimal_asked = asked->decimal_asked;
    b->numerals.group_asked = asked->group_asked;
    *format = b->column->format;
    if (before != '\0' && before != p->decimal && !asked->decimal_asked &&
        before == p->recipe->decimal)
        return dt_fail(DT_DATA,
                       "%s: has decimal %ss, but column '%s' had decimal %ss in training; use "
                       "--decimal comma or --decimal point",
                       p->path, sign_name(p->decimal), b->column->name, sign_name(before));
    if (before == '\0' || asked->decimal_asked)
        format->decimal = asked->decimal;
    if (asked->group_asked)
        format->group = asked->group;
    else if (format->group == format->decimal)
        format->group = before;
    return DT_OK;
}

/* `own`: nothing is strange about the recipe's own table. */
static dt_status bind_column(dt_preprocess *p, size_t column, size_t field, size_t input,
                             const dt_signs *asked, bool own)
{
    dt_status status = DT_OK;
    dt_binding *b = &p->bindings[p->count++];
    const dt_recipe_column *from = &p->recipe->columns[column];
    b->column = from;
    b->field = field;
    DT_TRY(set_signs(p, b, asked));
    b->numerals.decimal_asked = b->numerals.decimal_asked || own;
    b->numerals.needs_unit = from->format.unit[0] != '\0' && !from->bare && !own;
    b->judges_range = from->has_range && !own;
    if (from->role == DT_ROLE_TARGET) {
        while (strcmp(p->recipe->targets[b->input], from->name) != 0)
            b->input++;
        return add_names(&b->categories, p->recipe->classes, p->recipe->class_count);
    }
    if (from->role == DT_ROLE_WEIGHTS) {
        p->has_weights = true;
        return DT_OK;
    }
    b->input = input;
    if (dt_recipe_is_number(from->role))
        return DT_OK;
    DT_TRY(add_names(&b->categories, from->categories, from->category_count));
    b->fill_index = (int32_t)from->category_count; /* the rare ones' input, or the missing's */
    if (from->fill == DT_FILL_CATEGORY)
        b->fill_index += from->rare;
    if (from->fill == DT_FILL_MODE && from->fill_text != NULL)
        b->fill_index = dt_names_find(&b->categories, from->fill_text, strlen(from->fill_text));
out:
    return status;
}

static dt_status bind_all(dt_preprocess *p, const dt_preprocess_plan *plan, const dt_signs *signs)
{
    const char *const *names = plan->names;
    const size_t name_count = plan->count;
    dt_status status = DT_OK;
    dt_dictionary fields = {0};
    /* As dt_recipe_first_input, which would take quadratic time for all columns. */
    size_t next_number = 0, next_category = 0;
    for (size_t c = 0; c < p->recipe->column_count; c++)
        if (dt_recipe_is_number(p->recipe->columns[c].role))
            next_category += dt_recipe_width(&p->recipe->columns[c]);
    for (size_t i = 0; i < name_count; i++) {
        dt_dictionary_entry *entry = NULL;
        DT_TRY(dt_dictionary_add(&entry, &fields, names[i], strlen(names[i])));
        entry->index = (int32_t)i;
    }
    for (size_t c = 0; c < p->recipe->column_count; c++) {
        const dt_recipe_column *column = &p->recipe->columns[c];
        const bool is_label = column->role == DT_ROLE_TARGET || column->role == DT_ROLE_WEIGHTS;
        if (column->role == DT_ROLE_DROPPED || (is_label && !plan->labels))
            continue;
        const dt_dictionary_entry *entry =
            dt_dictionary_find(&fields, column->name, strlen(column->name));
        if (entry == NULL && column->role == DT_ROLE_WEIGHTS)
            continue;
        if (entry == NULL) {
            status = dt_column_fail(DT_DATA, p->path, column->name, names, name_count);
            goto out;
        }
        size_t *next = dt_recipe_is_number(column->role) ? &next_number : &next_category;
        DT_TRY(bind_column(p, c, (size_t)entry->index, *next, &signs[entry->index], plan->own));
        *next += dt_recipe_width(column);
    }
out:
    dt_dictionary_clear(&fields);
    return status;
}

/* The list of --numeric: columns of numbers with a unit, of which some may have none. */
static dt_status read_numeric(dt_preprocess *p, const dt_columns *columns, const char *list)
{
    dt_status status = DT_OK;
    char item[ITEM_BYTES];
    for (const char *at = list != NULL ? list : ""; dt_text_next_item(item, sizeof item, &at);) {
        size_t field = 0;
        if (item[0] == '\0')
            continue;
        DT_TRY(dt_column_find(&field, columns, item));
        for (size_t i = 0; i < p->count; i++)
            if (p->bindings[i].field == field)
                p->bindings[i].numerals.needs_unit = false;
    }
out:
    return status;
}

static dt_status read_missing(dt_preprocess *p, const char *list)
{
    dt_status status = DT_OK;
    const dt_recipe *recipe = p->recipe;
    DT_TRY(
        dt_text_split_items(&p->asked_missing, &p->asked_missing_count, list != NULL ? list : ""));
    const size_t count = recipe->missing_count + p->asked_missing_count;
    DT_TRY(dt_memory_alloc(&p->missing_texts, count, sizeof *p->missing_texts, "missing values"));
    for (size_t i = 0; i < count; i++)
        p->missing_texts[i] = i < recipe->missing_count
                                  ? recipe->missing[i]
                                  : p->asked_missing[i - recipe->missing_count];
    p->missing = dt_missing_of(p->missing_texts, count);
out:
    return status;
}

dt_status dt_preprocess_new(dt_preprocess **out, const dt_recipe *recipe,
                            const dt_preprocess_plan *plan)
{
    dt_status status = DT_OK;
    dt_preprocess *p = NULL;
    dt_signs *signs = NULL;
    const dt_columns columns = {
        .path = plan->path, .names = plan->names, .count = plan->count, .nameless = plan->nameless};
    *out = NULL;
    DT_TRY(dt_memory_alloc(&p, 1, sizeof *p, "preprocessor"));
    *p = (dt_preprocess){.recipe = recipe,
                         .path = plan->path,
                         .advice = plan->advice != NULL ? plan->advice : "",
                         .decimal = plan->decimal};
    DT_TRY(dt_memory_alloc(&p->bindings, recipe->column_count, sizeof *p->bindings, "columns"));
    DT_TRY(read_missing(p, plan->missing));
    DT_TRY(dt_memory_alloc(&signs, plan->count, sizeof *signs, "columns"));
    DT_TRY(dt_signs_read(signs, &p->decimal, &columns, plan->decimals != NULL ? plan->decimals : "",
                         plan->thousands != NULL ? plan->thousands : ""));
    DT_TRY(bind_all(p, plan, signs));
    DT_TRY(read_numeric(p, &columns, plan->numeric));
    *out = p;
out:
    dt_memory_free(signs);
    if (status != DT_OK)
        dt_preprocess_free(p);
    return status;
}

void dt_preprocess_free(dt_preprocess *preprocess)
{
    if (preprocess == NULL)
        return;
    for (size_t i = 0; i < preprocess->count; i++)
        dt_names_clear(&preprocess->bindings[i].categories);
    dt_memory_free(preprocess->bindings);
    dt_memory_free(preprocess->missing_texts);
    dt_memory_free_texts(preprocess->asked_missing, preprocess->asked_missing_count);
    dt_memory_free(preprocess);
}

bool dt_preprocess_has_weights(const dt_preprocess *preprocess)
{
    return preprocess->has_weights;
}

size_t dt_preprocess_columns(const dt_preprocess *preprocess)
{
    return preprocess->count;
}

const dt_column_seen *dt_preprocess_seen(const dt_preprocess *preprocess, size_t i)
{
    return &preprocess->bindings[i].numerals.seen;
}

const dt_recipe_column *dt_preprocess_column(const dt_preprocess *preprocess, size_t i)
{
    return preprocess->bindings[i].column;
}

const dt_row_note *dt_preprocess_unseen(const dt_preprocess *preprocess)
{
    return &preprocess->unseen;
}
