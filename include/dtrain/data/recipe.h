#ifndef DTRAIN_DATA_RECIPE_H
#define DTRAIN_DATA_RECIPE_H

#include "dtrain/base/status.h"

#include "dtrain/io/date.h"
#include "dtrain/io/number.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The recipe that turns the columns of a table into inputs of a network: the decisions and
 * measurements of `dtrain prepare` on the training rows, saved in recipe.json and in model.h5. All
 * calls are local.
 *
 * The order of the inputs is: numeric columns and dates in the table's order, each followed by its
 * indicator, if it has one; then categorical columns in the table's order, each with one input for
 * each category, then one for rare categories and one for missing values, if there are any.
 *
 * As text it is one JSON object; only the members that apply are present:
 *
 *   {"dtrain_recipe": 1, "separator": ",", "decimal": ".", "missing": ["NA"], "unseen": "ignore",
 *    "target": {"column": "deposit", "classes": ["no", "yes"]},
 *    "columns": [
 *      {"name": "id", "role": "dropped"},
 *      {"name": "age", "role": "numeric", "scale": "standard", "center": 41.2, "spread": 11.9,
 *       "fill": "mean", "fill_number": 41.2},
 *      {"name": "balance", "role": "numeric", "scale": "quantile", "knots": [-10.0, 4.0, 99.5],
 *       "fill": "error"},
 *      {"name": "job", "role": "categorical", "categories": ["admin.", "none"], "rare": true,
 *       "fill": "mode", "fill_text": "admin."},
 *      {"name": "deposit", "role": "target"}],
 *    "inputs": 5}
 *
 * A date is a number, of days since 1970-01-01 00:00 UTC (a time alone: since midnight), scaled and
 * filled as numbers are. Behind it stand the sine and cosine of the share of the year, of
 * the week and of the day that is over, as `parts` says; both are 0 if the cell holds nothing:
 *
 *      {"name": "signup", "role": "date", "order": "dmy", "parts": ["month", "weekday", "hour"],
 *       "scale": "standard", "center": 18658.0, "spread": 91.5, "fill": "error"}
 *
 * A column whose numbers are not written in the plain way describes how they are: "decimal": ",",
 * "thousands": ".", "unit": "kg"; it may be numeric, a target or the weights. With "bare": true
 * only some of the cells have the unit.
 *
 * Members that make no inputs, and that older recipes do not have, serve to judge the cells of
 * other tables: of numbers, dates and values their range in the training rows, "minimum": 18.0,
 * "maximum": 95.0, and "margin": 77.0; of dates the sign between their parts, if all have the same,
 * "divider": "." ("": none), and "short_years": true if some year has two digits.
 *
 * Targets that are values have no classes: "target": {"columns": ["price", "rent"]}; values are
 * neither scaled nor filled. A column of row weights has the role "weights" and is named:
 * "weights": "count". Programs older than both refuse such recipes, so the version is still 1. Of a
 * table without a header the recipe has "header": false; its columns are in the table's order.
 * "id": "client" names the column of `dtrain prepare --id`, which is dropped.
 */
typedef enum dt_role {
    DT_ROLE_NUMERIC,
    DT_ROLE_CATEGORICAL,
    DT_ROLE_TARGET,
    DT_ROLE_DROPPED,
    DT_ROLE_WEIGHTS,
    DT_ROLE_DATE
} dt_role;
#define DT_ROLE_NAMES "numeric|categorical|target|dropped|weights|date"

/** The parts of a date behind its days; each is a sine and a cosine. */
typedef enum dt_date_part {
    DT_PART_MONTH, /* of the share of the year */
    DT_PART_WEEKDAY, /* of the week */
    DT_PART_HOUR, /* of the day */
    DT_PART_COUNT
} dt_date_part;

/** The scaling of numbers; each computes z = (f(x) - center) / spread. */
typedef enum dt_scale {
    DT_SCALE_STANDARD, /* f(x) = x; mean, standard deviation (population's) */
    DT_SCALE_MINMAX, /* f(x) = x; minimum, range */
    DT_SCALE_ROBUST, /* f(x) = x; median, distance of the quartiles */
    DT_SCALE_QUANTILE, /* f(x): share of training rows below x, interpolated between knots; 0, 1 */
    DT_SCALE_NONE, /* f(x) = x; 0, 1 */
    DT_SCALE_LOG, /* f(x) = sign(x) log(1 + |x|); mean, standard deviation of f(x) */
    /* f(x) = x; median, distance of the quartiles, or half the range if that is 0; then the smooth
     * clip z / sqrt(1 + (z / 3)^2): order and ties are kept, and all values are between -3 and 3 */
    DT_SCALE_CLIPPED
} dt_scale;
#define DT_SCALE_NAMES "standard|minmax|robust|quantile|none|log|clipped"

/** The filling of a missing cell. */
typedef enum dt_fill {
    DT_FILL_ERROR, /* the row is refused */
    DT_FILL_DROP, /* `prepare` drops the row; an error for new rows */
    DT_FILL_MEAN, /* numeric: the number in its place */
    DT_FILL_MEDIAN, /* numeric */
    DT_FILL_MODE, /* both: the most frequent value */
    DT_FILL_CATEGORY, /* categorical: a category of its own, the last */
    DT_FILL_INDICATOR, /* numeric: the mean, and another input that is 1 */
    DT_FILL_MEDIAN_INDICATOR /* numeric: the median, and another input that is 1 */
    /* If no training row lacks the column's value, `prepare` makes the last three DT_FILL_MODE,
     * DT_FILL_MEAN and DT_FILL_MEDIAN: an input that is never set in training would be useless. */
} dt_fill;
#define DT_FILL_NAMES "error|drop|mean|median|mode|category|indicator|median-indicator"

/** The treatment of a category that no training row had. */
typedef enum dt_unseen { DT_UNSEEN_IGNORE, DT_UNSEEN_ERROR } dt_unseen;
#define DT_UNSEEN_NAMES "ignore|error"

typedef struct dt_recipe_column {
    char *name;
    dt_role role;
    dt_fill fill; /* numeric, dates and categorical */
    /* The format of numbers; decimal 0: as in the table. Numeric columns, targets that are values,
     * weights. */
    dt_number_format format;
    bool bare; /* some cells have no unit, and a person knows it */
    /* Of numbers, dates and targets that are values: their range in the training rows. What lies
     * beyond it by more than the margin, none of the table's other rows had, either. */
    bool has_range;
    double minimum, maximum, margin;
    /* dates */
    dt_date_order order;
    bool has_divider; /* all cells have the same, */
    char divider; /* as in dt_date */
    bool short_years; /* some cell has a year of two digits */
    bool parts[DT_PART_COUNT];
    /* numeric and dates */
    dt_scale scale;
    /* spread is at least FLT_MIN, so that programs that compute in float32 never divide by 0; 0 and
     * 1 with DT_SCALE_QUANTILE and NONE */
    double center, spread;
    double fill_number; /* of all fillings of numbers but ERROR and DROP */
    size_t knot_count; /* DT_SCALE_QUANTILE: at least 2, none less than the one before */
    double *knots;
    /* categorical */
    size_t category_count; /* at least 1, unless `rare` */
    char **categories; /* in the order of their inputs; no two the same */
    bool rare; /* one more input, for every value that is not among the categories */
    char *fill_text; /* DT_FILL_MODE: one of the categories, or NULL for a rare one */
} dt_recipe_column;

typedef struct dt_recipe {
    char separator, decimal; /* of the table it was made from */
    bool headerless; /* that table has no header: its columns have this order */
    size_t missing_count;
    char **missing; /* cells that mean a missing value, beside empty ones */
    dt_unseen unseen;
    size_t column_count;
    dt_recipe_column *columns; /* all of the table, in its order */
    size_t T; /* targets of a row: 1, or 1 to 1024 values */
    char **targets; /* [T]: names of their columns, in the order of the values */
    size_t class_count; /* 2 to 65536; 0: targets are values */
    char **classes; /* their names, no two the same; the index is the class id */
    char *weights; /* name of the column of row weights; NULL: none */
    char *id; /* name of the dropped column whose cells name the rows; NULL: none */
    size_t D; /* inputs: the sum of the columns' widths, at least 1 */
} dt_recipe;

enum { DT_RECIPE_VERSION = 1 };

/**
 * Writes a recipe as JSON text, the same bytes for the same recipe; doubles keep all their bits.
 *
 * Owns:    the caller frees *out with dt_memory_free
 * Errors:  DT_DATA if a text is not valid UTF-8 (JSON cannot contain it), or if dt_recipe_from_json
 *          would refuse the result: a number that is not finite, two columns of the same name, ...;
 *          DT_MEMORY. On error *out = NULL
 */
DT_MUST_USE dt_status dt_recipe_to_json(char **out, const dt_recipe *recipe);

/**
 * Reads a recipe and checks every member for type, range and consistency.
 *
 * `where` is its name in error lines: a file, or the model that contains it. Members with unknown
 * names are ignored; a number may be written as a whole number.
 *
 * Owns:    the caller clears with dt_recipe_clear
 * Errors:  DT_DATA: not JSON, another format version, a member that is missing, duplicate,
 *          misplaced, of another type or out of range, inconsistent counts, two columns of the same
 *          name, more than 64 MiB. DT_MEMORY. On error *out is zeroed
 */
DT_MUST_USE dt_status dt_recipe_from_json(dt_recipe *out, const char *json, size_t bytes,
                                          const char *where);

/** Reads a recipe from a file (at most 64 MiB). Errors: DT_DATA, DT_MEMORY. */
DT_MUST_USE dt_status dt_recipe_load(dt_recipe *out, const char *path);

/** Frees; a zeroed recipe is allowed. */
void dt_recipe_clear(dt_recipe *recipe);

/** Return "numeric", "standard", "error" and so on. Owns: static text. */
const char *dt_recipe_role_name(dt_role role);
const char *dt_recipe_scale_name(dt_scale scale);
const char *dt_recipe_fill_name(dt_fill fill);

/** Writes the format as text, "; thousands comma; decimal comma; unit kg". Returns `out`. */
const char *dt_recipe_describe_format(char *out, size_t bytes, const dt_number_format *format);

const char *dt_recipe_part_name(dt_date_part part);

/** Returns whether a column is numeric or a date. */
bool dt_recipe_is_number(dt_role role);

/** Writes a date's order and parts, as "dmy; month, hour". Returns `out`. */
const char *dt_recipe_describe_date(char *out, size_t bytes, dt_date_order order,
                                    const bool parts[DT_PART_COUNT]);

/**
 * Writes the first difference of two recipes, as "column 'age' has another scale". Returns `out`;
 * NULL: they make the same inputs of the same cells. What only judges cells is left out.
 */
const char *dt_recipe_describe_difference(char *out, size_t bytes, const dt_recipe *was,
                                          const dt_recipe *is);

/** Returns whether a filling adds an input that is 1 if a number is missing. */
bool dt_recipe_indicates(dt_fill fill);

/** Returns the input, before it is rounded to float32, that a numeric column makes of a number, or
 * a date of its days. */
double dt_recipe_scaled(const dt_recipe_column *column, double number);

enum { DT_RECIPE_NUMBER_BYTES = 32 };

/**
 * Finds the number that an input of a numeric column or a date was made from, and writes it to
 * `out`: the shortest decimal number for which the recipe gives this input, or the nearest one if
 * there is none, as beyond the knots. Without a column (NULL), the number is the input itself.
 */
double dt_recipe_original(char out[DT_RECIPE_NUMBER_BYTES], const dt_recipe_column *column,
                          float input);

/** Returns how many inputs a column has; 0 for the target and dropped ones. */
size_t dt_recipe_width(const dt_recipe_column *column);

/**
 * Returns the index of the first input of columns[column], which is an input.
 *
 * Cost:    a walk over all columns, as dt_recipe_input_name
 */
size_t dt_recipe_first_input(const dt_recipe *recipe, size_t column);

/**
 * Writes the name of input `index`: "age", "age is missing", "signup day", "signup month sin",
 * "signup month cos", "job=admin.", "job=(rare)", "job=(missing)". Returns `out`.
 */
const char *dt_recipe_input_name(char *out, size_t bytes, const dt_recipe *recipe, size_t index);

#endif
