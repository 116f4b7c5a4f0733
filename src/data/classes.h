#ifndef DTRAIN_DATA_CLASSES_H
#define DTRAIN_DATA_CLASSES_H

#include "dtrain/base/status.h"
#include "recipe/dictionary.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The mapping from labels to classes. A label is a number or a text; the name of a number is its
 * text. All calls are local.
 *
 * If `by_id`, a number is the index of its class. Otherwise numbers are looked up by their names;
 * classes that are found are sorted in the end: numbers by size, texts as strcmp does.
 */
typedef struct dt_classes {
    size_t count;
    bool by_id;
    bool finds; /* new labels are added as classes */
    bool bools; /* the names are False and True */
    dt_dictionary names; /* an entry's index is its class */
    struct {
        uint64_t bits; /* of the number */
        int32_t class_id;
        bool used;
    } cache[256];
} dt_classes;

/** The index of a label that is not there. */
enum { DT_CLASS_NONE = -1 };

/** Starts without classes; they are found. */
void dt_classes_find_all(dt_classes *out);

/**
 * Starts with `count` classes. `names` [count]; NULL: their ids. With `by_id`, or if some name is
 * not a number, numbers are ids.
 *
 * Owns:    the caller clears
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_classes_init(dt_classes *out, char *const *names, size_t count,
                                      bool by_id);

/**
 * Return the class of a number, a bool or a text; DT_CLASS_NONE: it is not a class. Errors:
 * DT_MEMORY.
 */
DT_MUST_USE dt_status dt_classes_of_number(int32_t *out, dt_classes *classes, double number);
DT_MUST_USE dt_status dt_classes_of_bool(int32_t *out, dt_classes *classes, bool value);
DT_MUST_USE dt_status dt_classes_of_text(int32_t *out, dt_classes *classes, const char *text,
                                         size_t bytes);

/**
 * Ends finding: sorts the classes and their numbers of rows.
 *
 * Shapes:  rows [count]
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_classes_settle(dt_classes *classes, uint64_t *rows);

/**
 * Copies the names; NULL if they are the ids 0 to count - 1.
 *
 * Owns:    the caller frees each and the list with dt_memory_free
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_classes_copy_names(char ***out, const dt_classes *classes);

/** Describes the classes for a message: "0 to 2", "a, b, c ..." Returns `out`. */
const char *dt_classes_describe(char *out, size_t bytes, const dt_classes *classes);

/** Frees; zeroed classes are allowed. */
void dt_classes_clear(dt_classes *classes);

#endif
