/* rooms: data */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/memory.h"
#include "dtrain/base/random.h"
#include "dtrain/data/recipe.h"
#include "scratch_folder.h"
#include "status_checks.h"

#include <float.h>
#include <math.h>

/* ---- helpers ---- */

static void assert_zeroed(const dt_recipe *recipe)
{
    const dt_recipe zero = {0};
    assert_memory_equal(recipe, &zero, sizeof zero);
}

static char *copy(const char *text)
{
    char *out = NULL;
    assert_int_equal(dt_memory_copy_text(&out, text), DT_OK);
    return out;
}

/* A column of the table being built, its texts owned as dt_recipe_clear wants them. */
static dt_recipe_column *add_column(dt_recipe *recipe, const char *name, dt_role role)
{
    const size_t count = recipe->column_count;
    assert_int_equal(
        dt_memory_grow(&recipe->columns, count, count + 1, sizeof *recipe->columns, "columns"),
        DT_OK);
    recipe->column_count++;
    dt_recipe_column *column = &recipe->columns[count];
    column->name = copy(name);
    column->role = role;
    column->scale = DT_SCALE_NONE;
    column->spread = 1.0;
    return column;
}

static void add_text(char ***texts, size_t *count, const char *text)
{
    assert_int_equal(dt_memory_grow(texts, *count, *count + 1, sizeof **texts, "texts"), DT_OK);
    (*texts)[(*count)++] = copy(text);
}

static dt_recipe_column *add_numeric(dt_recipe *recipe, const char *name, dt_scale scale,
                                     double center, double spread)
{
    dt_recipe_column *column = add_column(recipe, name, DT_ROLE_NUMERIC);
    column->scale = scale;
    column->center = center;
    column->spread = spread;
    return column;
}

static void set_knots(dt_recipe_column *column, const double *knots, size_t count)
{
    assert_int_equal(dt_memory_alloc(&column->knots, count, sizeof *knots, "knots"), DT_OK);
    memcpy(column->knots, knots, count * sizeof *knots);
    column->knot_count = count;
}

static void add_target(dt_recipe *recipe, const char *name)
{
    add_column(recipe, name, DT_ROLE_TARGET);
    add_text(&recipe->targets, &recipe->T, name);
}

static void set_range(dt_recipe_column *column, double minimum, double maximum, double margin)
{
    column->has_range = true;
    column->minimum = minimum;
    column->maximum = maximum;
    column->margin = margin;
}

/* One input, a target, and nothing that could be left out. */
static dt_recipe small_recipe(void)
{
    dt_recipe recipe = {.separator = ',', .decimal = '.'};
    add_numeric(&recipe, "age", DT_SCALE_STANDARD, 41.2, 11.9);
    add_target(&recipe, "deposit");
    add_text(&recipe.classes, &recipe.class_count, "no");
    add_text(&recipe.classes, &recipe.class_count, "yes");
    recipe.D = 1;
    return recipe;
}

/* Targets that are values, in another order than their columns, and weights. */
static dt_recipe value_recipe(void)
{
    dt_recipe recipe = {.separator = ' ', .decimal = '.', .headerless = true};
    add_target(&recipe, "rent");
    add_numeric(&recipe, "age", DT_SCALE_STANDARD, 41.2, 11.9);
    add_column(&recipe, "count", DT_ROLE_WEIGHTS);
    dt_recipe_column *price = add_column(&recipe, "price", DT_ROLE_TARGET);
    price->format = (dt_number_format){.unit = "%"};
    price->bare = true;
    set_range(price, -1.5, 1e300, 1e300);
    add_text(&recipe.targets, &recipe.T, "rent");
    dt_memory_free(recipe.targets[0]);
    recipe.targets[0] = copy("price");
    recipe.weights = copy("count");
    recipe.D = 1;
    return recipe;
}

/* Two dates among the numbers, of which one has all parts and an indicator. */
static dt_recipe date_recipe(void)
{
    dt_recipe recipe = small_recipe();
    dt_recipe_column *column = add_column(&recipe, "signup", DT_ROLE_DATE);
    column->order = DT_DATE_DMY;
    column->parts[DT_PART_MONTH] = column->parts[DT_PART_WEEKDAY] = true;
    column->parts[DT_PART_HOUR] = true;
    column->scale = DT_SCALE_STANDARD;
    column->center = 18658.5;
    column->spread = 90.25;
    column->fill = DT_FILL_INDICATOR;
    column->fill_number = 18658.0;
    column->has_divider = column->short_years = true;
    column->divider = '.';
    set_range(column, 18500.0, 18700.0, 200.0);
    column = add_column(&recipe, "opens", DT_ROLE_DATE);
    column->order = DT_DATE_TIME;
    column->has_divider = true; /* none */
    column->parts[DT_PART_HOUR] = true;
    recipe.D += 8 + 3;
    return recipe;
}

/* Every role, scale and fill, names that JSON has to escape, and doubles at every end. */
static dt_recipe large_recipe(void)
{
    static const double knots[] = {-DBL_MAX, -0.0, 0.0, 4.9406564584124654e-324, 0.1, 0.1, DBL_MAX};
    dt_recipe recipe = {.separator = '\t', .decimal = ',', .unseen = DT_UNSEEN_ERROR};
    add_text(&recipe.missing, &recipe.missing_count, "NA");
    add_text(&recipe.missing, &recipe.missing_count, "");
    add_column(&recipe, "id \"quoted\" \\ and\nnewline\ttab", DT_ROLE_DROPPED);
    add_numeric(&recipe, "standard", DT_SCALE_STANDARD, 1.0 / 3.0, (double)FLT_MIN);
    add_numeric(&recipe, "minmax", DT_SCALE_MINMAX, -DBL_MAX, DBL_MAX)->fill = DT_FILL_DROP;
    dt_recipe_column *column = add_column(&recipe, "\xf0\x9f\x98\x80 job", DT_ROLE_CATEGORICAL);
    add_text(&column->categories, &column->category_count, "admin.");
    add_text(&column->categories, &column->category_count, "\xc3\xa9tudiant");
    column->rare = true;
    column->fill = DT_FILL_MODE;
    column->fill_text = copy("\xc3\xa9tudiant");
    column = add_numeric(&recipe, "robust", DT_SCALE_ROBUST, -0.0, 1.1e-37);
    column->fill = DT_FILL_MEAN;
    column->fill_number = 0.1 + 0.2;
    column = add_numeric(&recipe, "log", DT_SCALE_LOG, nextafter(1.0, 2.0), 1e300);
    column->fill = DT_FILL_MEDIAN_INDICATOR;
    column->fill_number = -0.0;
    add_target(&recipe, "Ziel");
    column = add_numeric(&recipe, "quantile", DT_SCALE_QUANTILE, 0.0, 1.0);
    set_knots(column, knots, sizeof knots / sizeof knots[0]);
    column->fill = DT_FILL_INDICATOR;
    column->fill_number = 9007199254740993.0;
    column = add_numeric(&recipe, "none", DT_SCALE_NONE, 0.0, 1.0);
    column->fill = DT_FILL_MODE;
    column->fill_number = 7.0;
    column = add_column(&recipe, "city", DT_ROLE_CATEGORICAL);
    add_text(&column->categories, &column->category_count, "");
    column->fill = DT_FILL_CATEGORY;
    column = add_column(&recipe, "all rare", DT_ROLE_CATEGORICAL);
    column->rare = true;
    column->fill = DT_FILL_MODE;
    add_text(&recipe.classes, &recipe.class_count, "a");
    add_text(&recipe.classes, &recipe.class_count, "b");
    add_text(&recipe.classes, &recipe.class_count, "c/\x7f");
    recipe.D = 8 + 3 + 2 + 1;
    return recipe;
}

static void assert_same_texts(char *const *a, size_t a_count, char *const *b, size_t b_count)
{
    assert_int_equal(a_count, b_count);
    for (size_t i = 0; i < a_count; i++)
        assert_string_equal(a[i], b[i]);
}

static void assert_same_double(double a, double b)
{
    assert_memory_equal(&a, &b, sizeof a); /* also tells -0.0 from 0.0 */
}

static void assert_same_column(const dt_recipe_column *a, const dt_recipe_column *b)
{
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->role, b->role);
    assert_int_equal(a->fill, b->fill);
    assert_same_double(a->fill_number, b->fill_number);
    assert_int_equal(a->knot_count, b->knot_count);
    for (size_t i = 0; i < a->knot_count; i++)
        assert_same_double(a->knots[i], b->knots[i]);
    assert_same_texts(a->categories, a->category_count, b->categories, b->category_count);
    assert_int_equal(a->rare, b->rare);
    assert_int_equal(a->fill_text == NULL, b->fill_text == NULL);
    if (a->fill_text != NULL)
        assert_string_equal(a->fill_text, b->fill_text);
    assert_int_equal(a->order, b->order);
    assert_memory_equal(a->parts, b->parts, sizeof a->parts);
    assert_int_equal(a->bare, b->bare);
    assert_int_equal(a->has_divider, b->has_divider);
    assert_int_equal(a->divider, b->divider);
    assert_int_equal(a->short_years, b->short_years);
    assert_int_equal(a->has_range, b->has_range);
    assert_same_double(a->minimum, b->minimum);
    assert_same_double(a->maximum, b->maximum);
    assert_same_double(a->margin, b->margin);
    if (!dt_recipe_is_number(a->role))
        return;
    assert_int_equal(a->scale, b->scale);
    assert_same_double(a->center, b->center);
    assert_same_double(a->spread, b->spread);
}

static void assert_same_recipe(const dt_recipe *a, const dt_recipe *b)
{
    assert_int_equal(a->separator, b->separator);
    assert_int_equal(a->decimal, b->decimal);
    assert_int_equal(a->headerless, b->headerless);
    assert_int_equal(a->unseen, b->unseen);
    assert_int_equal(a->D, b->D);
    assert_same_texts(a->missing, a->missing_count, b->missing, b->missing_count);
    assert_same_texts(a->targets, a->T, b->targets, b->T);
    assert_same_texts(a->classes, a->class_count, b->classes, b->class_count);
    assert_int_equal(a->weights == NULL, b->weights == NULL);
    if (a->weights != NULL)
        assert_string_equal(a->weights, b->weights);
    assert_int_equal(a->column_count, b->column_count);
    for (size_t i = 0; i < a->column_count; i++)
        assert_same_column(&a->columns[i], &b->columns[i]);
}

static dt_status read_json(const char *json)
{
    dt_recipe recipe;
    dt_status status = dt_recipe_from_json(&recipe, json, strlen(json), "r.json");
    if (status != DT_OK)
        assert_zeroed(&recipe);
    dt_recipe_clear(&recipe);
    return status;
}

static char *write_json(const dt_recipe *recipe)
{
    char *json = NULL;
    if (dt_recipe_to_json(&json, recipe) != DT_OK)
        fail_msg("%s", dt_status_text());
    return json;
}

/* ---- round trips ---- */

static void assert_returns(dt_recipe *recipe)
{
    dt_recipe back;
    char *first = write_json(recipe);
    char *second = write_json(recipe);
    assert_string_equal(first, second);
    if (dt_recipe_from_json(&back, first, strlen(first), "r.json") != DT_OK)
        fail_msg("%s in %s", dt_status_text(), first);
    assert_same_recipe(recipe, &back);
    char *third = write_json(&back);
    assert_string_equal(first, third);
    dt_memory_free(third);
    dt_memory_free(second);
    dt_memory_free(first);
    dt_recipe_clear(&back);
    dt_recipe_clear(recipe);
}

static void a_recipe_returns_as_it_was(void **state)
{
    (void)state;
    dt_recipe recipe = small_recipe();
    assert_returns(&recipe);
    recipe = large_recipe();
    assert_returns(&recipe);
    recipe = value_recipe();
    assert_returns(&recipe);
    recipe = date_recipe();
    assert_returns(&recipe);
}

/* What programs that know no values look for is not there, so that they refuse. */
static void values_have_columns_and_no_classes(void **state)
{
    (void)state;
    dt_recipe recipe = value_recipe();
    char *json = write_json(&recipe);
    assert_non_null(strstr(json, "\"target\": {\n    \"columns\": [\n      \"price\",\n      "
                                 "\"rent\"\n    ]\n  },\n  \"weights\": \"count\""));
    assert_null(strstr(json, "classes"));
    dt_memory_free(json);
    dt_recipe_clear(&recipe);
}

static void doubles_keep_their_bits(void **state)
{
    (void)state;
    dt_random random = dt_random_start(3, DT_RANDOM_EXAMPLE, 0);
    dt_recipe recipe = small_recipe();
    for (int i = 0; i < 2000; i++) {
        char name[16];
        uint64_t bits = (uint64_t)dt_random_u32(&random) << 32 | dt_random_u32(&random);
        double value = 0.0;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        (void)snprintf(name, sizeof name, "c%d", i);
        const double spread = value < 0.0 ? -value : value;
        add_numeric(&recipe, name, DT_SCALE_STANDARD, value,
                    spread >= (double)FLT_MIN ? spread : 1.0);
        recipe.D++;
    }
    assert_true(recipe.D > 1900);
    assert_returns(&recipe);
}

static void a_file_is_read(void **state)
{
    (void)state;
    dt_recipe recipe = large_recipe();
    dt_recipe back;
    char *json = write_json(&recipe);
    const char *path = scratch_path("recipe.json");
    assert_true(scratch_write(path, json, strlen(json)));
    assert_int_equal(dt_recipe_load(&back, path), DT_OK);
    assert_same_recipe(&recipe, &back);
    dt_recipe_clear(&back);
    dt_recipe_clear(&recipe);
    dt_memory_free(json);

    assert_int_equal(dt_recipe_load(&back, scratch_path("none.json")), DT_DATA);
    assert_says("none.json: cannot be opened: No such file");
    assert_zeroed(&back);
    assert_int_equal(dt_recipe_load(&back, scratch_folder), DT_DATA);
    assert_says("Is a directory");
}

static void a_file_beyond_64_mib_is_refused(void **state)
{
    (void)state;
    const size_t bytes = (64 << 20) + 1;
    dt_recipe recipe;
    const char *path = scratch_path("large.json");
    assert_true(scratch_write(path, "{}", 2));
    assert_int_equal(truncate(path, (off_t)bytes), 0);
    assert_int_equal(dt_recipe_load(&recipe, path), DT_DATA);
    assert_says("large.json: a recipe of more than 64 MiB");
    assert_int_equal(truncate(path, (off_t)bytes - 1), 0);
    assert_int_equal(dt_recipe_load(&recipe, path), DT_DATA);
    assert_says("not valid JSON"); /* NUL bytes behind the object */
}

/* ---- inputs ---- */

static void inputs_stand_in_the_order_of_the_header(void **state)
{
    (void)state;
    static const char *const names[] = {"standard",
                                        "minmax",
                                        "robust",
                                        "log",
                                        "log is missing",
                                        "quantile",
                                        "quantile is missing",
                                        "none",
                                        NULL,
                                        NULL,
                                        NULL,
                                        "city=",
                                        "city=(missing)",
                                        "all rare=(rare)"};
    static const size_t widths[] = {0, 1, 1, 3, 1, 2, 0, 2, 1, 2, 1};
    static const size_t firsts[] = {0, 0, 1, 8, 2, 3, 0, 5, 7, 11, 13};
    dt_recipe recipe = large_recipe();
    char name[64];
    assert_int_equal(recipe.D, sizeof names / sizeof names[0]);
    for (size_t i = 0; i < recipe.D; i++)
        if (names[i] != NULL)
            assert_string_equal(dt_recipe_input_name(name, sizeof name, &recipe, i), names[i]);
    assert_string_equal(dt_recipe_input_name(name, sizeof name, &recipe, 8),
                        "\xf0\x9f\x98\x80 job=admin.");
    assert_string_equal(dt_recipe_input_name(name, sizeof name, &recipe, 10),
                        "\xf0\x9f\x98\x80 job=(rare)");
    assert_string_equal(dt_recipe_input_name(name, 5, &recipe, 0), "stan");
    for (size_t i = 0; i < recipe.column_count; i++) {
        assert_int_equal(dt_recipe_width(&recipe.columns[i]), widths[i]);
        if (widths[i] > 0)
            assert_int_equal(dt_recipe_first_input(&recipe, i), firsts[i]);
    }
    dt_recipe_clear(&recipe);
}

static void dates_are_days_and_their_parts(void **state)
{
    (void)state;
    static const char *const names[] = {"age",
                                        "signup day",
                                        "signup month sin",
                                        "signup month cos",
                                        "signup weekday sin",
                                        "signup weekday cos",
                                        "signup hour sin",
                                        "signup hour cos",
                                        "signup is missing",
                                        "opens day",
                                        "opens hour sin",
                                        "opens hour cos"};
    dt_recipe recipe = date_recipe();
    char name[64];
    assert_int_equal(recipe.D, sizeof names / sizeof names[0]);
    for (size_t i = 0; i < recipe.D; i++)
        assert_string_equal(dt_recipe_input_name(name, sizeof name, &recipe, i), names[i]);
    assert_int_equal(dt_recipe_first_input(&recipe, 2), 1);
    assert_int_equal(dt_recipe_first_input(&recipe, 3), 9);
    dt_recipe_clear(&recipe);
}

static void rare_ones_come_before_missing_ones(void **state)
{
    (void)state;
    dt_recipe recipe = small_recipe();
    dt_recipe_column *column = add_column(&recipe, "job", DT_ROLE_CATEGORICAL);
    char name[64];
    add_text(&column->categories, &column->category_count, "a");
    column->rare = true;
    column->fill = DT_FILL_CATEGORY;
    recipe.D += dt_recipe_width(column);
    assert_int_equal(recipe.D, 4);
    assert_string_equal(dt_recipe_input_name(name, sizeof name, &recipe, 1), "job=a");
    assert_string_equal(dt_recipe_input_name(name, sizeof name, &recipe, 2), "job=(rare)");
    assert_string_equal(dt_recipe_input_name(name, sizeof name, &recipe, 3), "job=(missing)");
    assert_returns(&recipe);
}

/* ---- refusals ---- */

#define HEAD "{\"dtrain_recipe\":1,\"separator\":\",\",\"decimal\":\".\",\"missing\":[\"NA\"],"
#define UNSEEN "\"unseen\":\"ignore\","
#define TARGET "\"target\":{\"column\":\"t\",\"classes\":[\"no\",\"yes\"]},"
#define AGE "{\"name\":\"age\",\"role\":\"numeric\",\"scale\":\"none\",\"fill\":\"error\"},"
#define T "{\"name\":\"t\",\"role\":\"target\"}"
#define WITH(column, inputs)                                                                       \
    HEAD UNSEEN TARGET "\"columns\":[" column "," T "],\"inputs\":" #inputs "}"
#define NUMERIC(rest) WITH("{\"name\":\"age\",\"role\":\"numeric\"," rest "}", 1)
#define JOB(rest) WITH("{\"name\":\"job\",\"role\":\"categorical\"," rest "}", 2)
#define DATE(rest)                                                                                 \
    WITH("{\"name\":\"d\",\"role\":\"date\",\"scale\":\"none\",\"fill\":\"error\"," rest "}", 1)
#define VALUE_TARGET(target)                                                                       \
    HEAD UNSEEN "\"target\":{" target "},\"columns\":[" AGE T "],\"inputs\":1}"
#define WEIGHTS(name, columns)                                                                     \
    HEAD UNSEEN TARGET "\"weights\":" name ",\"columns\":[" columns T "],\"inputs\":1}"
#define KNOTS(list) NUMERIC("\"scale\":\"quantile\",\"fill\":\"error\",\"knots\":" list)

static const struct {
    const char *json;
    const char *said;
} refused[] = {
    {"", "r.json: not valid JSON in line 1"},
    {"<!DOCTYPE html>", "not valid JSON"},
    {"[1]", "r.json: expected an object, but found a list"},
    {"{}", "is not a recipe: dtrain_recipe is missing"},
    {"{\"dtrain_recipe\":2}", "a recipe of version 2, but this dtrain reads version 1"},
    {"{\"dtrain_recipe\":0}", "version 0"},
    {"{\"dtrain_recipe\":1.0}", "dtrain_recipe must be a whole number, but is a number"},
    {"{\"dtrain_recipe\":1,\"dtrain_recipe\":1}", "duplicate"},
    {WITH(AGE "{}", 1) "x", "not valid JSON"},
    {"{\"dtrain_recipe\":1}", "separator is missing"},
    {"{\"dtrain_recipe\":1,\"separator\":\"\",\"decimal\":\".\"}", "must be one character"},
    {"{\"dtrain_recipe\":1,\"separator\":1}", "separator must be a text, but is a whole number"},
    {"{\"dtrain_recipe\":1,\"separator\":\",,\"}", "separator is ',,', but must be one character"},
    {"{\"dtrain_recipe\":1,\"separator\":\"\\u0000\"}", "not valid JSON"},
    {"{\"dtrain_recipe\":1,\"separator\":\"x\",\"decimal\":\".\",\"missing\":[]," UNSEEN TARGET
     "\"columns\":[" AGE T "],\"inputs\":1}",
     "separator is none of"},
    {"{\"dtrain_recipe\":1,\"separator\":\",\",\"decimal\":\"x\",\"missing\":[]," UNSEEN TARGET
     "\"columns\":[" AGE T "],\"inputs\":1}",
     "decimal is neither"},
    {"{\"dtrain_recipe\":1,\"separator\":\",\",\"decimal\":\".\",\"missing\":\"NA\"}",
     "missing must be a list, but is a text"},
    {"{\"dtrain_recipe\":1,\"separator\":\",\",\"decimal\":\".\",\"missing\":[\"a\",null]}",
     "what is in missing must be a text, but is null"},
    {HEAD "\"unseen\":\"maybe\"}", "unseen is 'maybe', but must be one of ignore|error"},
    {HEAD "\"unseen\":\"ignor\"}", "unseen is 'ignor'"},
    {HEAD "\"unseen\":\"\"}", "unseen is ''"},
    {HEAD UNSEEN "\"inputs\":1}", "target is missing"},
    {HEAD UNSEEN "\"target\":\"t\"}", "target must be an object, but is a text"},
    {HEAD UNSEEN "\"target\":{\"classes\":[]}}", "target: column is missing"},
    {HEAD UNSEEN "\"target\":{\"column\":\"t\",\"classes\":[1,2]}}",
     "target: what is in classes must be a text"},
    {HEAD UNSEEN "\"target\":{\"column\":\"t\",\"classes\":[\"no\"]},\"columns\":[" AGE T
                 "],\"inputs\":1}",
     "the target has 1 classes, but must have 2 to 65536"},
    {HEAD UNSEEN
     "\"target\":{\"column\":\"t\",\"classes\":[\"no\",\"a\",\"no\"]},\"columns\":[" AGE T
     "],\"inputs\":1}",
     "class 'no' is there twice"},
    {HEAD UNSEEN "\"target\":{\"column\":\"age\",\"classes\":[\"no\",\"a\"]},\"columns\":[" AGE T
                 "],\"inputs\":1}",
     "column 't' has the role target, but target does not name it"},
    {HEAD UNSEEN "\"target\":{\"column\":\"t\",\"classes\":[]}}", "the target has no classes"},
    {VALUE_TARGET("\"columns\":[]"), "the target has 0 columns, but must have 1 to 1024"},
    {VALUE_TARGET("\"columns\":\"t\""), "target: columns must be a list, but is a text"},
    {VALUE_TARGET("\"columns\":[1]"), "target: what is in columns must be a text"},
    {VALUE_TARGET("\"columns\":[\"t\",\"t\"]"), "target 't' is there twice"},
    {VALUE_TARGET("\"columns\":[\"u\"]"), "column 't' has the role target, but target does not"},
    {VALUE_TARGET("\"columns\":[\"t\",\"age\"]"), "target names 2 columns, but 1 has that role"},
    {VALUE_TARGET("\"columns\":[\"t\"],\"column\":\"t\""),
     "which cannot be combined with column and classes"},
    {VALUE_TARGET("\"columns\":[\"t\"],\"classes\":[\"a\",\"b\"]"), "cannot be combined"},
    {WEIGHTS("\"n\"", AGE), "weights names 1 column, but 0 have that role"},
    {WEIGHTS("1", AGE), "weights must be a text, but is a whole number"},
    {WEIGHTS("\"n\"", AGE "{\"name\":\"m\",\"role\":\"weights\"},"),
     "column 'm' has the role weights, but weights does not name it"},
    {WEIGHTS("\"n\"", AGE "{\"name\":\"n\",\"role\":\"weights\",\"fill\":\"drop\"},"),
     "column 'n': fill has no meaning"},
    {WITH("{\"name\":\"n\",\"role\":\"weights\"}", 1),
     "column 'n' has the role weights, but weights does not name it"},
    {HEAD UNSEEN TARGET "\"inputs\":1}", "columns is missing"},
    {HEAD UNSEEN TARGET "\"columns\":{},\"inputs\":1}", "columns must be a list, but is an object"},
    {HEAD UNSEEN TARGET "\"columns\":[" AGE "7]}", "column 2 must be an object"},
    {HEAD UNSEEN TARGET "\"columns\":[" AGE T "]}", "inputs is missing"},
    {HEAD UNSEEN TARGET "\"columns\":[" AGE T "],\"inputs\":0}",
     "inputs is 0, but must be at least 1"},
    {HEAD UNSEEN TARGET "\"columns\":[" AGE T "],\"inputs\":-1}", "inputs is -1"},
    {HEAD UNSEEN TARGET "\"columns\":[" AGE T "],\"inputs\":1.0}", "inputs must be a whole number"},
    {HEAD UNSEEN TARGET "\"columns\":[" AGE T "],\"inputs\":2}",
     "the columns make 1 inputs, but 'inputs' says 2"},
    {HEAD UNSEEN TARGET "\"columns\":[" AGE AGE T "],\"inputs\":2}", "column 'age' is there twice"},
    {HEAD UNSEEN TARGET "\"columns\":[" T "],\"inputs\":1}", "no column is an input"},
    {HEAD UNSEEN TARGET "\"columns\":[],\"inputs\":1}",
     "target names 1 column, but 0 have that role"},
    {WITH(AGE "{\"name\":\"u\",\"role\":\"target\"}", 1),
     "column 'u' has the role target, but target does not name it"},
    {WITH("{\"role\":\"numeric\"}", 1), "column 1: name is missing"},
    {WITH("{\"name\":7}", 1), "column 1: name must be a text"},
    {WITH("{\"name\":\"\",\"role\":\"dropped\"}", 1), "column 1 has an empty name"},
    {WITH("{\"name\":\"a\\u0000b\",\"role\":\"dropped\"}", 1), "not valid JSON"},
    {WITH("{\"name\":\"age\"}", 1), "column 'age': role is missing"},
    {WITH("{\"name\":\"age\",\"role\":\"number\"}", 1),
     "role is 'number', but must be one of numeric|categorical|target|dropped|weights"},
    {WITH("{\"name\":\"id\",\"role\":\"dropped\",\"fill\":\"error\"}", 1),
     "column 'id': fill has no meaning"},
    {NUMERIC("\"fill\":\"error\""), "column 'age': scale is missing"},
    {NUMERIC("\"scale\":\"none\""), "column 'age': fill is missing"},
    {NUMERIC("\"scale\":\"none\",\"fill\":\"category\""), "fill category is for categorical"},
    {NUMERIC("\"scale\":\"none\",\"fill\":\"error\",\"center\":1"), "center has no meaning"},
    {NUMERIC("\"scale\":\"none\",\"fill\":\"error\",\"rare\":true"), "rare has no meaning"},
    {NUMERIC("\"scale\":\"none\",\"fill\":\"error\",\"fill_number\":1"), "fill_number has no"},
    {NUMERIC("\"scale\":\"none\",\"fill\":\"mean\""), "column 'age': fill_number is missing"},
    {NUMERIC("\"scale\":\"none\",\"fill\":\"mode\",\"fill_number\":\"1\""),
     "fill_number must be a number, but is a text"},
    {NUMERIC("\"scale\":\"log\",\"fill\":\"error\""), "column 'age': center is missing"},
    {NUMERIC("\"scale\":\"log\",\"fill\":\"error\",\"center\":1"), "spread is missing"},
    {NUMERIC("\"scale\":\"log\",\"fill\":\"error\",\"center\":true,\"spread\":1"),
     "center must be a number, but is true or false"},
    {NUMERIC("\"scale\":\"robust\",\"fill\":\"error\",\"center\":1,\"spread\":0"),
     "r.json: column 'age': spread is 0, but must be positive"},
    {NUMERIC("\"scale\":\"clipped\",\"fill\":\"error\",\"center\":1,\"spread\":1.17e-38"),
     "spread is 1.17e-38, but must be at least 1.17549435e-38"},
    {NUMERIC("\"scale\":\"clipped\",\"fill\":\"error\",\"center\":1"), "spread is missing"},
    {NUMERIC("\"scale\":\"minmax\",\"fill\":\"error\",\"center\":1,\"spread\":-0.5"),
     "spread is -0.5, but must be positive"},
    {NUMERIC("\"scale\":\"minmax\",\"fill\":\"error\",\"center\":1e999,\"spread\":1"),
     "not valid JSON"},
    {NUMERIC("\"scale\":\"minmax\",\"fill\":\"error\",\"center\":NaN,\"spread\":1"),
     "not valid JSON"},
    {NUMERIC("\"scale\":\"quantile\",\"fill\":\"error\""), "column 'age': knots is missing"},
    {KNOTS("1"), "knots must be a list"},
    {KNOTS("[]"), "at least 2 knots are needed, found 0"},
    {KNOTS("[1.5]"), "at least 2 knots are needed, found 1"},
    {KNOTS("[1,\"2\"]"), "what is in knots must be a number, but is a text"},
    {KNOTS("[1,3,2.5]"), "knots must ascend, but knot 2 is 3 and knot 3 is 2.5"},
    {JOB("\"rare\":true,\"fill\":\"error\""), "column 'job': categories is missing"},
    {JOB("\"categories\":\"a\",\"rare\":true"), "categories must be a list"},
    {JOB("\"categories\":[\"a\",\"b\"],\"fill\":\"error\""), "column 'job': rare is missing"},
    {JOB("\"categories\":[\"a\"],\"rare\":1,\"fill\":\"error\""), "rare must be true or false"},
    {JOB("\"categories\":[],\"rare\":false,\"fill\":\"category\""), "'job' has no categories"},
    {JOB("\"categories\":[\"a\",\"b\",\"a\"],\"rare\":false,\"fill\":\"error\""),
     "column 'job': category 'a' is there twice"},
    {JOB("\"categories\":[\"a\",\"b\"],\"rare\":false,\"fill\":\"median\""),
     "fill median is for numeric columns"},
    {JOB("\"categories\":[\"a\"],\"rare\":true,\"fill\":\"median-indicator\""),
     "fill median-indicator is for numeric columns"},
    {JOB("\"categories\":[\"a\"],\"rare\":true,\"fill\":\"indicator\""),
     "fill indicator is for numeric columns"},
    {JOB("\"categories\":[\"a\",\"b\"],\"rare\":false,\"fill\":\"mode\""), "fill_text is missing"},
    {JOB("\"categories\":[\"a\"],\"rare\":true,\"fill\":\"mode\",\"fill_text\":\"c\""),
     "fill_text 'c' is not one of its categories"},
    {JOB("\"categories\":[\"a\"],\"rare\":true,\"fill\":\"mode\",\"fill_text\":null"),
     "fill_text must be a text, but is null"},
    {JOB("\"categories\":[\"a\"],\"rare\":true,\"fill\":\"drop\",\"fill_text\":\"a\""),
     "fill_text has no meaning"},
    {JOB("\"categories\":[\"a\"],\"rare\":true,\"fill\":\"drop\",\"scale\":\"none\""),
     "scale has no meaning"},
    {DATE("\"parts\":[]"), "column 'd': order is missing"},
    {DATE("\"order\":\"dym\",\"parts\":[]"), "order is 'dym', but must be one of ymd"},
    {DATE("\"order\":\"dmy\""), "column 'd': parts is missing"},
    {DATE("\"order\":\"dmy\",\"parts\":[\"day\"]"), "parts has 'day', but must have month"},
    {DATE("\"order\":\"dmy\",\"parts\":[\"hour\",\"hour\"]"), "each at most once"},
    {DATE("\"order\":\"time\",\"parts\":[\"month\"]"), "a date of the order time has no month"},
    {DATE("\"order\":\"ym\",\"parts\":[\"weekday\"]"), "a date of the order ym has no weekday"},
    {DATE("\"order\":\"dmy\",\"parts\":[\"hour\"]"),
     "the columns make 3 inputs, but 'inputs' says 1"},
    {DATE("\"order\":\"dmy\",\"parts\":[],\"unit\":\"d\""), "unit has no meaning for its role"},
    {NUMERIC("\"scale\":\"none\",\"fill\":\"error\",\"order\":\"dmy\""), "order has no meaning"},
    {NUMERIC("\"scale\":\"none\",\"fill\":\"error\",\"bare\":true"), "bare has no meaning"},
    {NUMERIC("\"scale\":\"none\",\"fill\":\"error\",\"divider\":\".\""), "divider has no meaning"},
    {NUMERIC("\"scale\":\"none\",\"fill\":\"error\",\"minimum\":1"), "maximum is missing"},
    {NUMERIC("\"scale\":\"none\",\"fill\":\"error\",\"margin\":1"), "minimum is missing"},
    {NUMERIC("\"scale\":\"none\",\"fill\":\"error\",\"minimum\":2,\"maximum\":1,\"margin\":1"),
     "minimum 2, maximum 1 and margin 1 are not a range"},
    {NUMERIC("\"scale\":\"none\",\"fill\":\"error\",\"minimum\":1,\"maximum\":1,\"margin\":0"),
     "are not a range"},
    {JOB("\"categories\":[\"a\"],\"rare\":true,\"fill\":\"drop\",\"maximum\":1"),
     "maximum has no meaning"},
    {DATE("\"order\":\"dmy\",\"parts\":[],\"divider\":\"x\""),
     "divider is 'x', but must be - / . a blank or nothing"},
    {DATE("\"order\":\"dmy\",\"parts\":[],\"divider\":\"..\""), "divider is '..'"},
    {DATE("\"order\":\"dmy\",\"parts\":[],\"divider\":1"), "divider must be a text"},
    {DATE("\"order\":\"dmy\",\"parts\":[],\"short_years\":1"), "short_years must be true or false"},
};

static void every_flaw_has_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (read_json(refused[i].json) != DT_DATA)
            fail_msg("not refused: %s", refused[i].json);
        assert_says(refused[i].said);
        assert_says("r.json: ");
    }
}

static void what_is_no_flaw_is_taken(void **state)
{
    (void)state;
    static const char *const taken[] = {
        NUMERIC("\"scale\":\"none\",\"fill\":\"error\",\"later\":{\"a\":[1]}"),
        NUMERIC("\"scale\":\"log\",\"fill\":\"error\",\"center\":-3,\"spread\":2"),
        KNOTS("[1,1.0,1e5]"),
        JOB("\"categories\":[\"a\"],\"rare\":true,\"fill\":\"mode\""),
        JOB("\"categories\":[\"a\",\"b\"],\"rare\":false,\"fill\":\"mode\",\"fill_text\":\"b\""),
        HEAD "\"later\":{\"name\":1}," UNSEEN TARGET "\"columns\":[" AGE T "],\"inputs\":1}",
    };
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        if (read_json(taken[i]) != DT_OK)
            fail_msg("%s in %s", dt_status_text(), taken[i]);
}

static void assert_not_written(dt_recipe *recipe, const char *said)
{
    char *json = NULL;
    assert_int_equal(dt_recipe_to_json(&json, recipe), DT_DATA);
    assert_null(json);
    assert_says(said);
    dt_recipe_clear(recipe);
}

static void what_cannot_be_read_is_not_written(void **state)
{
    (void)state;
    dt_recipe recipe = small_recipe();
    recipe.columns[0].center = NAN;
    assert_not_written(&recipe, "recipe: column 'age': center is not a finite number");
    recipe = small_recipe();
    recipe.columns[0].spread = INFINITY;
    assert_not_written(&recipe, "column 'age': spread is not a finite number");
    recipe = small_recipe();
    recipe.columns[0].fill = DT_FILL_MEAN;
    recipe.columns[0].fill_number = -INFINITY;
    assert_not_written(&recipe, "column 'age': fill_number is not a finite number");
    recipe = small_recipe();
    recipe.columns[0].scale = DT_SCALE_NONE;
    assert_not_written(&recipe, "but scale none has 0 and 1");
    recipe = small_recipe();
    recipe.D = 2;
    assert_not_written(&recipe, "the columns make 1 inputs");
    recipe = small_recipe();
    recipe.columns[0].name[0] = '\xe9';
    assert_not_written(&recipe, "is not valid UTF-8");
    recipe = small_recipe();
    recipe.classes[1][0] = '\xff';
    assert_not_written(&recipe, "is not valid UTF-8");
    recipe = small_recipe();
    recipe.separator = '\0';
    assert_not_written(&recipe, "separator is none of");
}

static void class_counts_end_at_65536(void **state)
{
    (void)state;
    dt_recipe recipe = small_recipe();
    char name[16];
    char **classes = NULL;
    assert_int_equal(dt_memory_alloc(&classes, 65537, sizeof *classes, "classes"), DT_OK);
    for (size_t i = 0; i < 65537; i++) {
        (void)snprintf(name, sizeof name, "%zu", i);
        classes[i] = copy(name);
    }
    for (size_t i = 0; i < recipe.class_count; i++)
        dt_memory_free(recipe.classes[i]);
    dt_memory_free(recipe.classes);
    recipe.classes = classes;
    recipe.class_count = 65536;
    char *json = write_json(&recipe);
    assert_int_equal(read_json(json), DT_OK);
    dt_memory_free(json);
    recipe.class_count = 65537;
    assert_not_written(&recipe, "the target has 65537 classes");
}

/* With a comparison of all pairs this alone would take the test's whole time. */
static void many_categories_cost_no_square(void **state)
{
    (void)state;
    enum { COUNT = 300000 };
    dt_recipe recipe = small_recipe();
    dt_recipe_column *column = add_column(&recipe, "zip", DT_ROLE_CATEGORICAL);
    char name[80];
    assert_int_equal(dt_memory_alloc(&column->categories, COUNT, sizeof(char *), "texts"), DT_OK);
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(name, sizeof name, "a prefix that is common to all of them %d", i);
        column->categories[column->category_count++] = copy(name);
    }
    recipe.D += COUNT;
    char *json = write_json(&recipe);
    assert_int_equal(read_json(json), DT_OK);
    size_t at = strlen(json);
    while (at > 0 && strncmp(json + at, "299999\"", 7) != 0)
        at--;
    json[at + 5] = '8';
    assert_int_equal(read_json(json), DT_DATA);
    assert_says("them 299998' is there twice");
    dt_memory_free(json);
    dt_recipe_clear(&recipe);
}

/* ---- hostile text ---- */

/* In a block of just its size, so that a sanitizer sees each byte read beyond it. */
static dt_status read_exactly(const char *json, size_t bytes)
{
    dt_recipe recipe;
    char *block = malloc(bytes == 0 ? 1 : bytes);
    assert_non_null(block);
    memcpy(block, json, bytes);
    dt_status status = dt_recipe_from_json(&recipe, block, bytes, "r.json");
    dt_recipe_clear(&recipe);
    free(block);
    return status;
}

static void a_text_cut_anywhere_is_refused(void **state)
{
    (void)state;
    dt_recipe recipe = large_recipe();
    char *json = write_json(&recipe);
    const size_t length = strlen(json) - 1; /* what is last is a newline */
    for (size_t i = 0; i < length; i++)
        assert_int_equal(read_exactly(json, i), DT_DATA);
    assert_int_equal(read_exactly(json, length), DT_OK);
    dt_memory_free(json);
    dt_recipe_clear(&recipe);
}

static void changed_bytes_do_no_harm(void **state)
{
    (void)state;
    dt_random random = dt_random_start(5, DT_RANDOM_EXAMPLE, 0);
    dt_recipe recipe = large_recipe();
    char *json = write_json(&recipe);
    const size_t length = strlen(json);
    unsigned counts[2] = {0, 0};
    for (int round = 0; round < 20000; round++) {
        char *changed = copy(json);
        const uint64_t changes = 1 + dt_random_below(&random, 3);
        for (uint64_t i = 0; i < changes; i++) {
            static const char likely[] = "\"{}[],:0-1.e\\\n\0\x80";
            const size_t at = (size_t)dt_random_below(&random, length);
            changed[at] = dt_random_below(&random, 2) == 0
                              ? likely[dt_random_below(&random, sizeof likely)]
                              : (char)dt_random_below(&random, 256);
        }
        const dt_status status = read_exactly(changed, length);
        assert_true(status == DT_OK || status == DT_DATA);
        counts[status == DT_OK]++;
        dt_memory_free(changed);
    }
    assert_true(counts[0] > 1000 && counts[1] > 100);
    dt_memory_free(json);
    dt_recipe_clear(&recipe);
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    enum { DEPTH = 1 << 20 };
    char *json = malloc(DEPTH);
    assert_non_null(json);
    memset(json, '[', DEPTH);
    assert_int_equal(read_exactly(json, DEPTH), DT_DATA);
    assert_says("depth");
    free(json);
}

/* What a recipe differs in from the one of make, after `change`. */
static void assert_difference(dt_recipe (*make)(void), void (*change)(dt_recipe *recipe),
                              const char *expected)
{
    char text[256];
    dt_recipe was = make(), is = make();
    change(&is);
    assert_string_equal(dt_recipe_describe_difference(text, sizeof text, &was, &is), expected);
    dt_recipe_clear(&was);
    dt_recipe_clear(&is);
}

static void rename_column(dt_recipe *recipe)
{
    recipe->columns[0].name[0] = 'A';
}

static void move_center(dt_recipe *recipe)
{
    recipe->columns[0].center += 1e-9;
}

static void move_knot(dt_recipe *recipe)
{
    recipe->columns[7].knots[4] = 0.05;
}

static void rename_category(dt_recipe *recipe)
{
    recipe->columns[3].categories[0][0] = 'A';
}

static void drop_part(dt_recipe *recipe)
{
    recipe->columns[2].parts[DT_PART_HOUR] = false;
}

static void fill_otherwise(dt_recipe *recipe)
{
    recipe->columns[8].fill_number = 8.0;
}

static void drop_column(dt_recipe *recipe)
{
    recipe->columns[0].role = DT_ROLE_DROPPED;
}

static void add_missing(dt_recipe *recipe)
{
    add_text(&recipe->missing, &recipe->missing_count, "?");
}

static void rename_class(dt_recipe *recipe)
{
    recipe->classes[1][0] = 'Y';
}

static void take_semicolons(dt_recipe *recipe)
{
    recipe->separator = ';';
}

static void add_one(dt_recipe *recipe)
{
    add_numeric(recipe, "more", DT_SCALE_NONE, 0.0, 1.0);
}

static void rename_weights(dt_recipe *recipe)
{
    recipe->weights[0] = 'C';
}

/* What older recipes do not have, and what makes no other inputs. */
static void judge_nothing(dt_recipe *recipe)
{
    for (size_t i = 0; i < recipe->column_count; i++) {
        dt_recipe_column *column = &recipe->columns[i];
        column->has_range = column->has_divider = column->short_years = column->bare = false;
        column->divider = '\0';
    }
}

static void assert_no_difference(dt_recipe (*make)(void))
{
    char text[256];
    dt_recipe was = make(), is = make();
    judge_nothing(&is);
    assert_null(dt_recipe_describe_difference(text, sizeof text, &was, &is));
    dt_recipe_clear(&was);
    dt_recipe_clear(&is);
}

static void differences_are_described(void **state)
{
    (void)state;
    assert_difference(small_recipe, rename_column, "column 1 is 'Age', and was 'age'");
    assert_difference(small_recipe, move_center, "column 'age' has another scale");
    assert_difference(large_recipe, move_knot, "column 'quantile' has another scale");
    assert_difference(large_recipe, rename_category,
                      "column '\xf0\x9f\x98\x80 job' has other categories");
    assert_difference(date_recipe, drop_part, "column 'signup' has another form of its cells");
    assert_difference(large_recipe, fill_otherwise, "column 'none' has another filling");
    assert_difference(small_recipe, drop_column, "column 'age' has another role");
    assert_difference(small_recipe, add_missing, "other missing values");
    assert_difference(small_recipe, rename_class, "other classes");
    assert_difference(small_recipe, take_semicolons, "other separator, decimal sign or header");
    assert_difference(small_recipe, add_one, "3 columns, not 2");
    assert_difference(value_recipe, rename_weights, "other --unseen, targets, weights or id");
    assert_no_difference(value_recipe);
    assert_no_difference(date_recipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recipe_returns_as_it_was),
        cmocka_unit_test(doubles_keep_their_bits),
        cmocka_unit_test(inputs_stand_in_the_order_of_the_header),
        cmocka_unit_test(dates_are_days_and_their_parts),
        cmocka_unit_test(rare_ones_come_before_missing_ones),
        cmocka_unit_test(every_flaw_has_its_line),
        cmocka_unit_test(what_is_no_flaw_is_taken),
        cmocka_unit_test(what_cannot_be_read_is_not_written),
        cmocka_unit_test(values_have_columns_and_no_classes),
        cmocka_unit_test(class_counts_end_at_65536),
        cmocka_unit_test(many_categories_cost_no_square),
        cmocka_unit_test(a_text_cut_anywhere_is_refused),
        cmocka_unit_test(changed_bytes_do_no_harm),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(differences_are_described),
        cmocka_unit_test_teardown(a_file_is_read, scratch_empty),
        cmocka_unit_test_teardown(a_file_beyond_64_mib_is_refused, scratch_empty),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
