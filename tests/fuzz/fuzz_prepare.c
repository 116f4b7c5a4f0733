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
    size_t D;
    uint64_t rows[DT_SET_COUNT];
} counts;

static dt_status take(void *context, dt_set set, int32_t label, const float *x)
{
    counts *seen = context;
    assert(label >= 0);
    seen->rows[set]++;
    for (size_t i = 0; x != NULL && i < seen->D; i++)
        assert(isfinite(x[i]));
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
    counts fitted = {0}, applied = {0};
    DT_TRY(dt_prepare_survey(&p, csv, plan, NULL, NULL));
    DT_TRY(dt_prepare_fit(p, take, &fitted));
    check_recipe(dt_prepare_recipe(p));
    applied.D = dt_prepare_recipe(p)->D;
    DT_TRY(dt_prepare_apply(p, take, &applied));
    for (int set = 0; set < DT_SET_COUNT; set++) {
        assert(fitted.rows[set] == dt_prepare_table_of(p)->set_rows[set]);
        assert(applied.rows[set] == fitted.rows[set]);
    }
out:
    dt_prepare_free(p);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const char *const scales[] = {"standard", "minmax", "robust", "quantile", "none", "log"};
    static const char *const fills[] = {
        "error", "drop", "mean,category", "median,mode", "mode", "indicator,category", "mean,mode"};
    if (bytes < 2)
        return 0;
    const unsigned choice = data[0];
    char path[FUZZ_PATH_BYTES];
    const int file = fuzz_file(path, data + 1, bytes - 1);
    dt_csv *csv = NULL;
    dt_status status = dt_csv_open(&csv, path, NULL);
    if (status == DT_OK) {
        const dt_prepare_plan plan = {.target = dt_csv_name(csv, 0),
                                      .drop = "",
                                      .numeric = "",
                                      .categorical = "",
                                      .scale = scales[choice % 6],
                                      .fill = fills[choice / 6 % 7],
                                      .missing = "NA,?",
                                      .unseen = choice & 1 ? DT_UNSEEN_IGNORE : DT_UNSEEN_ERROR,
                                      .max_categories = 2 + choice % 4,
                                      .split_method = (dt_split_method)(choice % 3),
                                      .split_column = "",
                                      .validation = choice & 2 ? 0.2 : 1.0,
                                      .test = choice & 4 ? 0.1 : 0.0,
                                      .seed = 1};
        status = prepare(csv, &plan);
    }
    fuzz_check(status, status == DT_USAGE ? DT_USAGE : DT_DATA);
    dt_csv_close(csv);
    (void)close(file);
    return 0;
}
