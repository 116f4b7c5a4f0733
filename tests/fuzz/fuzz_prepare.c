/*
 * libFuzzer: any bytes as a table to be prepared, with every kind of scale and filling. The first
 * byte chooses the plan. Whatever comes out is finite, and the recipe survives its own JSON.
 */
#define _GNU_SOURCE
#include "dtrain/base/memory.h"
#include "dtrain/data/prepare.h"
#include "fuzz.h"

#include <math.h>

/* DT_ASSERT of the library would end the process without a word to the fuzzer. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    dt_assert_set_hook(abort);
    return 0;
}

typedef struct counts {
    size_t D, T;
    uint64_t rows[DT_SET_COUNT];
} counts;

static dt_status take(void *context, const dt_prepare_row *row)
{
    counts *seen = context;
    assert(row->label >= 0 && row->weight >= 0.0);
    seen->rows[row->set]++;
    for (size_t i = 0; row->x != NULL && i < seen->D; i++)
        assert(isfinite(row->x[i]));
    for (size_t j = 0; row->values != NULL && j < seen->T; j++)
        assert(isfinite(row->values[j]));
    return DT_OK;
}

static void check_recipe(const dt_recipe *recipe)
{
    char *json = NULL, *again = NULL;
    dt_recipe read = {0};
    if (dt_recipe_to_json(&json, recipe) == DT_OK) { /* not so when a name is no UTF-8 */
        assert(dt_recipe_from_json(&read, json, strlen(json), "recipe") == DT_OK);
        assert(dt_recipe_to_json(&again, &read) == DT_OK);
        assert(strcmp(json, again) == 0);
    }
    dt_memory_free(json);
    dt_memory_free(again);
    dt_recipe_clear(&read);
}

static dt_status prepare(dt_csv *csv, const dt_prepare_plan *plan)
{
    dt_status status = DT_OK;
    dt_prepare *p = NULL;
    counts fitted = {0}, applied = {0}, weighed = {0};
    DT_TRY(dt_prepare_survey(&p, csv, plan, NULL, NULL));
    fitted.T = dt_prepare_table_of(p)->T;
    DT_TRY(dt_prepare_fit(p, take, &fitted));
    check_recipe(dt_prepare_recipe(p));
    applied.D = dt_prepare_recipe(p)->D;
    DT_TRY(dt_prepare_apply(p, take, &applied));
    if (plan->weights[0] != '\0')
        DT_TRY(dt_prepare_weigh(p, take, &weighed));
    for (int set = 0; set < DT_SET_COUNT; set++) {
        assert(plan->weights[0] == '\0' || weighed.rows[set] == fitted.rows[set]);
        assert(fitted.rows[set] == dt_prepare_table_of(p)->set_rows[set]);
        assert(applied.rows[set] == fitted.rows[set]);
    }
out:
    dt_prepare_free(p);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const char *const scales[] = {"standard", "minmax", "robust", "quantile",
                                         "none",     "log",    "clipped"};
    static const char *const fills[] = {"error",         "drop",
                                        "mean,category", "median,mode",
                                        "mode",          "indicator,category",
                                        "mean,mode",     "median-indicator,category"};
    if (bytes < 2)
        return 0;
    const unsigned choice = data[0];
    char path[FUZZ_PATH_BYTES];
    const int file = fuzz_file(path, data + 1, bytes - 1);
    dt_csv *csv = NULL;
    dt_status status = dt_csv_open(&csv, path, NULL);
    if (status == DT_OK) {
        const size_t columns = dt_csv_format_of(csv)->columns;
        char targets[FUZZ_PATH_BYTES];
        (void)snprintf(targets, sizeof targets, "%s,%s", dt_csv_name(csv, 0),
                       dt_csv_name(csv, columns - 1));
        const bool several = choice % 16 == 15, weights = choice % 8 == 5 && columns > 2;
        const bool groups = choice % 16 == 10 && columns > 2;
        const dt_prepare_plan plan = {.target = several ? targets : dt_csv_name(csv, 0),
                                      .task =
                                          several ? DT_TARGETS_AUTO : (dt_targets)(choice / 8 % 3),
                                      .weights = weights ? dt_csv_name(csv, 1) : "",
                                      .drop = "",
                                      .numeric = "",
                                      .categorical = "",
                                      .scale = scales[choice % 7],
                                      .fill = fills[choice / 7 % 8],
                                      .missing = "NA,?",
                                      .decimal = "",
                                      .thousands = "",
                                      .dates = "",
                                      .unseen = choice & 1 ? DT_UNSEEN_IGNORE : DT_UNSEEN_ERROR,
                                      .max_categories = 2 + choice % 4,
                                      .split_method = (dt_split_method)(choice % 3),
                                      .split_column = "",
                                      .split_by = groups ? dt_csv_name(csv, columns - 1) : "",
                                      .drop_duplicates = (choice & 64) != 0,
                                      .validation = (choice & 2) != 0 || groups ? 0.2 : 1.0,
                                      .test = choice & 4 ? 0.1 : 0.0,
                                      .seed = 1};
        status = prepare(csv, &plan);
    }
    fuzz_check(status, status == DT_USAGE ? DT_USAGE : DT_DATA);
    dt_csv_close(csv);
    (void)close(file);
    return 0;
}
