/* The values of a column at which predictions are computed. */
#include "explanation_internal.h"

#include "dtrain/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A row's inputs of a number or a date, filled up with zeros. */
typedef struct key {
    float inputs[DT_NUMBER_INPUTS_MAX];
} key;

static int by_inputs(const void *a, const void *b)
{
    const key *left = a, *right = b;
    for (size_t i = 0; i < DT_NUMBER_INPUTS_MAX; i++)
        if (left->inputs[i] != right->inputs[i])
            return left->inputs[i] < right->inputs[i] ? -1 : 1;
    return 0;
}

static void name_point(dt_dependence_point *out, const dt_explained_column *column)
{
    dt_explained_text(out->column, column->name);
    out->kind = (int32_t)column->kind;
    out->value = NAN;
}

/* ---- numbers and dates ---- */

static void set_number(dt_explained_point *out, const dt_explained_column *column, const key *from)
{
    char number[DT_RECIPE_NUMBER_BYTES], date[DT_DATE_BYTES];
    memcpy(out->inputs, from->inputs, sizeof out->inputs);
    name_point(&out->shown, column);
    out->shown.value = dt_recipe_original(number, column->recipe, from->inputs[0]);
    const char *text = number;
    if (column->kind == DT_COLUMN_DATE)
        text = dt_date_show(date, out->shown.value, column->recipe->order);
    dt_explained_text(out->shown.text, text);
}

/* Whether an input shows that a row has no value. */
static bool is_missing(const dt_explained_column *column, const float *inputs)
{
    return column->recipe != NULL && dt_recipe_indicates(column->recipe->fill) &&
           inputs[column->width - 1] != 0.0f;
}

/* Returns the number of rows with a value; their keys are sorted. `missing`: a row without a
 * value. */
static size_t collect(key *out, key *missing, const dt_explained_column *column, const float *all,
                      size_t N)
{
    size_t count = 0;
    for (size_t i = 0; i < N; i++) {
        const float *inputs = all + i * column->width;
        key *to = is_missing(column, inputs) ? missing : &out[count++];
        memcpy(to->inputs, inputs, column->width * sizeof *inputs);
    }
    qsort(out, count, sizeof *out, by_inputs);
    return count;
}

/* Returns the number of different keys, but at most `most` + 1. */
static size_t count_different(const key *keys, size_t count, size_t most)
{
    size_t different = 0;
    for (size_t i = 0; i < count && different <= most; i++)
        different += i == 0 || by_inputs(&keys[i - 1], &keys[i]) != 0;
    return different;
}

/* The position of quantile i of n, from the first to the last hundredth, because a single extreme
 * value would leave no room for the others in a figure. */
static size_t quantile_at(size_t i, size_t n, size_t count)
{
    const double share = n < 2 ? 0.5 : 0.01 + 0.98 * (double)i / (double)(n - 1);
    return (size_t)(share * (double)(count - 1) + 0.5);
}

/* The share of the rows to which each point is the nearest; of two the lower. */
static void share_out(dt_explained_point *points, size_t point_count, const key *keys, size_t count,
                      size_t N)
{
    size_t at = 0;
    for (size_t p = 0; p < point_count; p++) {
        const size_t from = at;
        while (at < count) {
            const double x = (double)keys[at].inputs[0];
            if (p + 1 < point_count &&
                x - (double)points[p].inputs[0] > (double)points[p + 1].inputs[0] - x)
                break;
            at++;
        }
        points[p].shown.share = (double)(at - from) / (double)N;
    }
}

static dt_status find_numbers(dt_explained_point *out, size_t *count,
                              const dt_explained_column *column, const float *all, size_t N,
                              size_t most)
{
    key *keys = NULL, missing = {{0}};
    dt_status status = dt_memory_alloc(&keys, N, sizeof *keys, "values of a column");
    if (status != DT_OK)
        return status;
    const size_t valued = collect(keys, &missing, column, all, N);
    const bool takes_all = count_different(keys, valued, most) <= most;
    const size_t tried = valued == 0 ? 0 : takes_all ? valued : most;
    const key *last = NULL;
    size_t found = 0;
    for (size_t i = 0; i < tried; i++) {
        const key *from = &keys[takes_all ? i : quantile_at(i, most, valued)];
        if (last != NULL && by_inputs(last, from) == 0)
            continue;
        last = from;
        set_number(&out[found++], column, from);
    }
    share_out(out, found, keys, valued, N);
    if (valued < N) {
        dt_explained_point *none = &out[found++];
        memcpy(none->inputs, missing.inputs, sizeof none->inputs);
        name_point(&none->shown, column);
        dt_explained_text(none->shown.text, "(missing)");
        none->shown.share = (double)(N - valued) / (double)N;
    }
    *count = found;
    dt_memory_free(keys);
    return DT_OK;
}

/* ---- categories ---- */

static const char *category_name(const dt_recipe_column *column, size_t category)
{
    if (category < column->category_count)
        return column->categories[category];
    return category == column->category_count && column->rare ? "(rare)" : "(missing)";
}

/* Finds the `most` most frequent categories, of equals the first. */
static void keep_frequent(const size_t *rows, size_t categories, size_t most, bool *kept)
{
    for (size_t n = 0; n < most && n < categories; n++) {
        size_t best = SIZE_MAX;
        for (size_t c = 0; c < categories; c++)
            if (!kept[c] && (best == SIZE_MAX || rows[c] > rows[best]))
                best = c;
        kept[best] = true;
    }
}

static dt_status find_categories(dt_explained_point *out, size_t *count,
                                 const dt_explained_column *column, const float *all, size_t N,
                                 size_t most)
{
    dt_status status = DT_OK;
    size_t *rows = NULL;
    bool *kept = NULL;
    DT_TRY(dt_memory_alloc(&rows, column->width, sizeof *rows, "categories"));
    DT_TRY(dt_memory_alloc(&kept, column->width, sizeof *kept, "categories"));
    for (size_t i = 0; i < N; i++)
        for (size_t c = 0; c < column->width; c++)
            rows[c] += all[i * column->width + c] != 0.0f;
    keep_frequent(rows, column->width, most, kept);
    for (size_t c = 0; c < column->width; c++) {
        if (!kept[c])
            continue;
        dt_explained_point *point = &out[(*count)++];
        name_point(&point->shown, column);
        dt_explained_text(point->shown.text, category_name(column->recipe, c));
        point->shown.share = (double)rows[c] / (double)N;
        point->category = c;
    }
out:
    dt_memory_free(rows);
    dt_memory_free(kept);
    return status;
}

dt_status dt_explained_points_find(dt_explained_point **out, size_t *count, bool *cut,
                                   const dt_explained_column *column, const float *all, size_t N,
                                   size_t most)
{
    *count = 0;
    const bool categories = column->kind == DT_COLUMN_CATEGORY;
    *cut = categories && column->width > most;
    dt_status status = dt_memory_alloc(out, most + 1, sizeof **out, "points");
    if (status == DT_OK)
        status = (categories ? find_categories : find_numbers)(*out, count, column, all, N, most);
    return status;
}
