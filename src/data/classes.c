#include "classes.h"

#include "dtrain/base/memory.h"
#include "dtrain/data/dataset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const bool_names[] = {"False", "True"};

enum { NUMBER_BYTES = 32 };

static size_t print_number(char out[NUMBER_BYTES], double number)
{
    return (size_t)snprintf(out, NUMBER_BYTES, "%.17g", number + 0.0); /* -0 is 0 */
}

static bool is_number(double *out, const char *text)
{
    char *end = NULL;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*out);
}

static bool are_bools(const char *first, const char *second)
{
    return strcmp(first, bool_names[0]) == 0 && strcmp(second, bool_names[1]) == 0;
}

void dt_classes_find_all(dt_classes *out)
{
    *out = (dt_classes){.finds = true};
}

dt_status dt_classes_init(dt_classes *out, char *const *names, size_t count, bool by_id)
{
    dt_status status = DT_OK;
    *out = (dt_classes){.count = count, .by_id = by_id || names == NULL};
    out->bools = names != NULL && count == 2 && are_bools(names[0], names[1]);
    for (size_t c = 0; names != NULL && c < count; c++) {
        dt_dictionary_entry *entry = NULL;
        double number;
        DT_TRY(dt_dictionary_add(&entry, &out->names, names[c], strlen(names[c])));
        entry->index = (int32_t)c;
        out->by_id = out->by_id || !is_number(&number, names[c]);
    }
out:
    return status;
}

/* ---- labels ---- */

dt_status dt_classes_of_text(int32_t *out, dt_classes *classes, const char *text, size_t bytes)
{
    double number;
    dt_dictionary_entry *entry = dt_dictionary_find(&classes->names, text, bytes);
    *out = DT_CLASS_NONE;
    if (entry == NULL && classes->finds) {
        dt_status status = dt_dictionary_add(&entry, &classes->names, text, bytes);
        if (status != DT_OK)
            return status;
        entry->index = (int32_t)classes->count++;
    }
    if (entry != NULL)
        *out = entry->index;
    else if (classes->names.count == 0 && is_number(&number, text) && number == floor(number) &&
             number >= 0.0 && number < (double)classes->count)
        *out = (int32_t)number; /* of classes without names */
    return DT_OK;
}

dt_status dt_classes_of_number(int32_t *out, dt_classes *classes, double number)
{
    dt_status status = DT_OK;
    char text[NUMBER_BYTES];
    uint64_t bits = 0;
    if (classes->by_id) {
        const bool known =
            number >= 0.0 && number < (double)classes->count && number == floor(number);
        *out = known ? (int32_t)number : DT_CLASS_NONE;
        return DT_OK;
    }
    memcpy(&bits, &number, sizeof bits);
    const size_t slot =
        (bits ^ bits >> 52 ^ bits >> 44) % (sizeof classes->cache / sizeof *classes->cache);
    if (classes->cache[slot].used && classes->cache[slot].bits == bits) {
        *out = classes->cache[slot].class_id;
        return DT_OK;
    }
    status = dt_classes_of_text(out, classes, text, print_number(text, number));
    if (status != DT_OK || *out == DT_CLASS_NONE)
        return status;
    classes->cache[slot].used = true;
    classes->cache[slot].bits = bits;
    classes->cache[slot].class_id = *out;
    return DT_OK;
}

dt_status dt_classes_of_bool(int32_t *out, dt_classes *classes, bool value)
{
    if (classes->finds || classes->bools)
        return dt_classes_of_text(out, classes, bool_names[value], strlen(bool_names[value]));
    return dt_classes_of_number(out, classes, value);
}

/* ---- the end of finding ---- */

static int compare_texts(const void *a, const void *b)
{
    const dt_dictionary_entry *x = *(const dt_dictionary_entry *const *)a;
    const dt_dictionary_entry *y = *(const dt_dictionary_entry *const *)b;
    return strcmp(x->text, y->text);
}

static int compare_numbers(const void *a, const void *b)
{
    const dt_dictionary_entry *x = *(const dt_dictionary_entry *const *)a;
    const dt_dictionary_entry *y = *(const dt_dictionary_entry *const *)b;
    if (x->number < y->number || x->number > y->number)
        return x->number < y->number ? -1 : 1;
    return compare_texts(a, b);
}

dt_status dt_classes_settle(dt_classes *classes, uint64_t *rows)
{
    dt_status status = DT_OK;
    const size_t count = classes->count;
    dt_dictionary_entry **sorted = NULL;
    bool numbers = true;
    DT_TRY(dt_memory_alloc(&sorted, count, sizeof *sorted, "classes"));
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &classes->names.entries[i];
        sorted[i]->count = rows[i];
        numbers = is_number(&sorted[i]->number, sorted[i]->text) && numbers;
    }
    qsort(sorted, count, sizeof *sorted, numbers ? compare_numbers : compare_texts);
    for (size_t c = 0; c < count; c++) {
        sorted[c]->index = (int32_t)c;
        rows[c] = sorted[c]->count;
    }
    classes->finds = false;
    classes->bools = count == 2 && are_bools(sorted[0]->text, sorted[1]->text);
    memset(classes->cache, 0, sizeof classes->cache);
out:
    dt_memory_free(sorted);
    return status;
}

static bool is_id(const dt_dictionary_entry *entry)
{
    char text[NUMBER_BYTES];
    (void)print_number(text, (double)entry->index);
    return strcmp(text, entry->text) == 0;
}

dt_status dt_classes_copy_names(char ***out, const dt_classes *classes)
{
    dt_status status = DT_OK;
    bool all = true;
    char **names = NULL;
    *out = NULL;
    for (size_t i = 0; i < classes->names.count; i++)
        all = all && is_id(&classes->names.entries[i]);
    if (all)
        return DT_OK;
    DT_TRY(dt_memory_alloc(&names, classes->count, sizeof *names, "class names"));
    for (size_t i = 0; i < classes->names.count; i++) {
        const dt_dictionary_entry *entry = &classes->names.entries[i];
        DT_TRY(dt_memory_copy_text(&names[entry->index], entry->text));
    }
    *out = names;
    names = NULL;
out:
    dt_memory_free_texts(names, classes->count);
    return status;
}

const char *dt_classes_describe(char *out, size_t bytes, const dt_classes *classes)
{
    enum { LISTED = 6 };
    size_t used = 0;
    if (classes->names.count == 0) {
        (void)snprintf(out, bytes, "0 to %zu", classes->count - 1);
        return out;
    }
    for (size_t c = 0; c < classes->count && c < LISTED && used < bytes; c++)
        for (size_t i = 0; i < classes->names.count; i++)
            if (classes->names.entries[i].index == (int32_t)c && used < bytes)
                used += (size_t)snprintf(out + used, bytes - used, "%s%.40s", c > 0 ? ", " : "",
                                         classes->names.entries[i].text);
    if (classes->count > LISTED && used < bytes)
        (void)snprintf(out + used, bytes - used, " ...");
    return out;
}

void dt_classes_clear(dt_classes *classes)
{
    dt_dictionary_clear(&classes->names);
    *classes = (dt_classes){0};
}

dt_status dt_dataset_match_classes(int32_t *out, const dt_dataset *set, char *const *names,
                                   size_t C, const char *where)
{
    dt_status status = DT_OK;
    dt_classes classes = {0};
    DT_TRY(dt_classes_init(&classes, names, C, false));
    for (size_t c = 0; c < set->C; c++) {
        char id[32], known[256];
        double number;
        (void)snprintf(id, sizeof id, "%zu", c);
        const char *name = set->class_names != NULL ? set->class_names[c] : id;
        DT_TRY(dt_classes_of_text(&out[c], &classes, name, strlen(name)));
        if (out[c] == DT_CLASS_NONE && is_number(&number, name))
            DT_TRY(dt_classes_of_number(&out[c], &classes, number));
        if (out[c] == DT_CLASS_NONE)
            DT_TRY(dt_fail(DT_DATA,
                           "%s: the data has the class '%.80s', but the model's classes are %s",
                           where, name, dt_classes_describe(known, sizeof known, &classes)));
    }
out:
    dt_classes_clear(&classes);
    return status;
}
