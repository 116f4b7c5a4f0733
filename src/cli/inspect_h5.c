#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/io/h5.h"
#include "dtrain/report/text_table.h"
#include "dtrain/run/search_file.h"
#include "inspect_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LINE_BYTES = 1024, EPOCH_COLUMNS_MAX = 12 };

/* The epochs that are shown: the last one, and the best, which is the last one that improved. */
typedef struct epochs {
    uint64_t rows;
    dt_h5_names columns;
    size_t column_count; /* of which the first ones are shown */
    double last[EPOCH_COLUMNS_MAX], best[EPOCH_COLUMNS_MAX];
    bool has_best;
} epochs;

DT_MUST_USE static dt_status load_epochs(epochs *out, dt_h5 *h5)
{
    dt_status status = DT_OK;
    dt_h5_shape shape;
    double *values = NULL;
    uint64_t best = 0;
    DT_TRY(dt_h5_describe(&shape, h5, "/epochs"));
    DT_TRY(dt_h5_list_columns(&out->columns, h5, "/epochs"));
    out->rows = shape.count;
    out->column_count =
        out->columns.count < EPOCH_COLUMNS_MAX ? out->columns.count : EPOCH_COLUMNS_MAX;
    if (out->rows == 0)
        goto out;
    DT_TRY(dt_memory_alloc(&values, (size_t)out->rows, sizeof *values, "column of /epochs"));
    DT_TRY(dt_h5_read_column_f64(h5, "/epochs", "improved", values, out->rows));
    for (uint64_t i = 0; i < out->rows; i++)
        if (values[i] > 0.0) {
            best = i;
            out->has_best = true;
        }
    for (size_t c = 0; c < out->column_count; c++) {
        DT_TRY(dt_h5_read_column_f64(h5, "/epochs", out->columns.texts[c], values, out->rows));
        out->last[c] = values[out->rows - 1];
        out->best[c] = values[best];
    }
out:
    dt_memory_free(values);
    return status;
}

DT_MUST_USE static dt_status print_epochs(const epochs *e)
{
    dt_text_table table = {0};
    if (e->rows == 0)
        return DT_OK;
    dt_text_table_titles(&table, e->has_best ? "|>best epoch|>last epoch" : "|>last epoch");
    for (size_t c = 0; c < e->column_count; c++) {
        dt_text_table_add(&table, "%s", e->columns.texts[c]);
        for (int last = e->has_best ? 0 : 1; last < 2; last++)
            dt_inspect_add_number(&table, e->columns.texts[c], last == 0 ? e->best[c] : e->last[c]);
    }
    dt_log_show("\n");
    return dt_text_table_print(&table);
}

static void describe_epoch(dt_json *json, const char *name, const epochs *e, const double *row)
{
    if (row == NULL) {
        dt_json_add_null(json, name);
        return;
    }
    dt_json_begin_object(json, name);
    for (size_t c = 0; c < e->column_count; c++)
        dt_json_add_double(json, e->columns.texts[c], row[c]);
    dt_json_end(json);
}

static void describe_epochs(dt_json *json, const epochs *e)
{
    dt_json_add_int(json, "epoch_count", (int64_t)e->rows);
    describe_epoch(json, "best_epoch", e, e->has_best ? e->best : NULL);
    describe_epoch(json, "last_epoch", e, e->rows > 0 ? e->last : NULL);
}

/* The time of each phase: rows and seconds of each rank, after training has ended. */
DT_MUST_USE static dt_status describe_ranks(dt_h5 *h5, dt_json *json)
{
    dt_status status = DT_OK;
    dt_h5_shape shape;
    dt_h5_names columns = {0};
    double *values = NULL;
    if (dt_h5_has(h5, "/ranks") != DT_H5_DATASET)
        return DT_OK;
    DT_TRY(dt_h5_describe(&shape, h5, "/ranks"));
    DT_TRY(dt_h5_list_columns(&columns, h5, "/ranks"));
    DT_TRY(dt_memory_alloc(&values, (size_t)shape.count, sizeof *values, "column of /ranks"));
    dt_json_begin_object(json, "ranks");
    for (size_t c = 0; c < columns.count; c++) {
        if (strcmp(columns.texts[c], "host") == 0)
            continue;
        DT_TRY(dt_h5_read_column_f64(h5, "/ranks", columns.texts[c], values, shape.count));
        dt_json_begin_list(json, columns.texts[c]);
        for (uint64_t i = 0; i < shape.count; i++)
            dt_json_add_double(json, NULL, values[i]);
        dt_json_end(json);
    }
    dt_json_end(json);
out:
    dt_memory_free(values);
    dt_h5_names_clear(&columns);
    return status;
}

/* For a checkpoint: where it resumes. */
static dt_status show_state(dt_h5 *h5, dt_json *json)
{
    dt_status status = DT_OK;
    int64_t epoch = 0, rows = 0;
    DT_TRY(dt_h5_read_column_i64(h5, "/state", "epoch", &epoch, 1));
    DT_TRY(dt_h5_read_column_i64(h5, "/state", "rows", &rows, 1));
    if (json != NULL) {
        dt_json_add_int(json, "goes_on_in_epoch", epoch);
        dt_json_add_int(json, "goes_on_after_row", rows);
    } else {
        dt_log_show("resumes in epoch %" PRId64 ", after %" PRId64 " of its rows\n", epoch, rows);
    }
out:
    return status;
}

DT_MUST_USE static dt_status inspect_run(dt_h5 *h5, const char *path, dt_json *json)
{
    static const char *const groups[] = {
        "/summary", "/evaluation/train", "/evaluation/validation", "/evaluation/test",
        "/data",    "/config",           "/environment",
    };
    dt_status status = DT_OK;
    char *run_status = NULL;
    char line[LINE_BYTES];
    epochs e = {0};
    DT_TRY(dt_h5_get_text(&run_status, h5, "/", "status"));
    DT_TRY(load_epochs(&e, h5));
    if (json != NULL) {
        dt_json_add_text(json, "kind", "run");
        dt_json_add_text(json, "status", run_status);
        describe_epochs(json, &e);
    } else {
        dt_log_show("%s: run; status: %s; %" PRIu64 " epoch%s\n", path,
                    dt_text_table_printable(line, sizeof line, run_status), e.rows,
                    e.rows == 1 ? "" : "s");
        DT_TRY(print_epochs(&e));
    }
    if (dt_h5_has(h5, "/state") == DT_H5_DATASET)
        DT_TRY(show_state(h5, json));
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        DT_TRY(dt_inspect_group(h5, groups[i], json));
    if (json != NULL)
        DT_TRY(describe_ranks(h5, json));
    DT_TRY(dt_h5_check(h5));
out:
    dt_h5_names_clear(&e.columns);
    dt_memory_free(run_status);
    return status;
}

/* ---- any file ---- */

dt_status dt_inspect_h5(const char *path, bool as_json)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    dt_json *json = NULL;
    DT_TRY(dt_h5_open(&h5, path));
    DT_TRY(dt_h5_read_everything(h5));
    if (dt_h5_has_attribute(h5, "/", "model_config") ||
        dt_h5_has_attribute(h5, "/dtrain", "format_version")) {
        dt_h5_free(h5);
        return dt_inspect_model(path, as_json);
    }
    dt_status (*inspect)(dt_h5 *, const char *, dt_json *) =
        dt_h5_has_attribute(h5, "/", DT_SEARCH_VERSION_NAME) ? dt_inspect_search
        : dt_h5_has_attribute(h5, "/", "second_metric")      ? dt_inspect_explanation
        : dt_h5_has_attribute(h5, "/", "status") && dt_h5_has(h5, "/epochs") == DT_H5_DATASET
            ? inspect_run
            : NULL;
    if (inspect == NULL) {
        dt_h5_free(h5);
        return dt_inspect_npz(path, as_json);
    }
    if (as_json) {
        DT_TRY(dt_json_new(&json));
        dt_json_add_text(json, "file", path);
    }
    DT_TRY(inspect(h5, path, json));
    if (json != NULL)
        status = dt_json_print(json);
    json = NULL;
out:
    dt_json_discard(json);
    dt_h5_free(h5);
    return status;
}
