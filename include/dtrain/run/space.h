#ifndef DTRAIN_RUN_SPACE_H
#define DTRAIN_RUN_SPACE_H

#include "dtrain/base/options.h"
#include "dtrain/run/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The settings that a search varies, and the values that each of them may have. A file has a line
 * for each setting, in the form of --config:
 *
 *     hidden        = 64 | 256,256 | 512       one of these
 *     learning-rate = log 1e-4 .. 1e-2         a number between two, by its logarithm
 *     dropout       = 0 .. 0.5 in 6            one of six numbers with equal distances
 *     batch         = log 32 .. 512            a whole number, if the option takes whole numbers
 *
 * The values of a trial depend only on the space, the seed and the trial's number, so any rank can
 * compute them. All calls are local.
 */
enum { DT_SPACE_SETTINGS_MAX = 32, DT_SPACE_NAME_BYTES = 32, DT_SPACE_VALUE_BYTES = 128 };

/** One line. */
typedef struct dt_space_setting {
    char name[DT_SPACE_NAME_BYTES]; /* of the option: "learning-rate" */
    char text[DT_OPTION_TEXT_BYTES]; /* as in the file: "log 1e-4 .. 1e-2" */
    bool is_whole; /* the option takes whole numbers; of a range */
    bool is_range, is_log;
    double from, to; /* of a range */
    size_t count; /* of values; 0: all numbers of a range */
} dt_space_setting;

/** Plain data: rank 0 reads the file, the others receive the bytes. */
typedef struct dt_space {
    dt_space_setting settings[DT_SPACE_SETTINGS_MAX];
    size_t count;
} dt_space;

/** Returns whether trials may differ in this option: it belongs neither to the data nor to the job,
 * and their --monitor can be compared. */
bool dt_space_may_vary(const dt_option *option);

/**
 * Reads a space. Checks that the option accepts every choice and both ends of every range.
 *
 * Errors:  DT_USAGE, naming file and line: an option that is unknown, that may not vary, or that is
 *          there twice; a value that the option does not take, or that is there twice; an empty
 *          range; no line at all. DT_MEMORY
 */
DT_MUST_USE dt_status dt_space_read(dt_space *out, const char *path);

/**
 * Adds a line in the form of the file.
 *
 * Errors:  DT_USAGE as dt_space_read, without file and line; DT_MEMORY
 */
DT_MUST_USE dt_status dt_space_add(dt_space *space, const char *name, const char *text);

/** Writes value `index`, below `count`, of a setting. Returns `out`. */
const char *dt_space_value(char out[DT_SPACE_VALUE_BYTES], const dt_space_setting *setting,
                           size_t index);

/** Writes the value that trial `trial` (from 1) draws of a setting: each choice is equally likely,
 * and so is each number of a range, or each logarithm. Returns `out`. */
const char *dt_space_draw(char out[DT_SPACE_VALUE_BYTES], const dt_space_setting *setting,
                          uint64_t seed, int64_t trial);

/**
 * Counts the points of the grid: all combinations of values.
 *
 * Errors:  DT_USAGE: a range without a number of values, or more than `most` points
 */
DT_MUST_USE dt_status dt_space_count(int64_t *out, const dt_space *space, int64_t most);

/** Returns the index of the value that setting `index` has at a point of the grid, from 1 on; the
 * last setting changes fastest. */
size_t dt_space_point(const dt_space *space, size_t index, int64_t point);

/**
 * Writes the first difference of two spaces, as "dropout is 0 .. 0.5, and was 0 .. 0.3". Returns
 * false if they are the same.
 */
bool dt_space_differ(char *out, size_t bytes, const dt_space *was, const dt_space *is);

#endif
