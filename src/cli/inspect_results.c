/* What the files of search and explain contain. */
#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/report/report.h"
#include "dtrain/report/text_table.h"
#include "dtrain/run/explanation_file.h"
#include "dtrain/run/search_file.h"
#include "inspect_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- searches ---- */

/* Writes "5 ok, 1 running": the states in the order of their first trials. */
static void count_states(char *out, size_t bytes, const dt_h5_names *states)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < states->count && used < bytes; i++) {
        size_t first = 0, count = 0;
        while (strcmp(states->texts[first], states->texts[i]) != 0)
            first++;
        if (first < i)
            continue;
        for (size_t k = i; k < states->count; k++)
            count += strcmp(states->texts[k], states->texts[i]) == 0;
        used += (size_t)snprintf(out + used, bytes - used, "%s%zu %.20s", used > 0 ? ", " : "",
                                 count, states->texts[i]);
    }
}

/* Shows a column of the table of trials in one row: to `table`, or to `json` if there is one. */
DT_MUST_USE static dt_status show_cell(dt_h5 *h5, const char *column, uint64_t trials, size_t row,
                                       dt_text_table *table, dt_json *json)
{
    dt_status status = DT_OK;
    dt_h5_names texts = {0};
    double *values = NULL;
    DT_TRY(dt_memory_alloc(&values, (size_t)trials, sizeof *values, "column of /trials"));
    const bool number =
        dt_h5_read_column_f64(h5, DT_SEARCH_TRIALS, column, values, trials) == DT_OK;
    if (!number)
        DT_TRY(dt_h5_read_column_texts(&texts, h5, DT_SEARCH_TRIALS, column));
    if (!number && row >= texts.count)
        DT_TRY(dt_fail(DT_DATA, DT_SEARCH_TRIALS ": column '%s' has no row %zu", column, row));
    if (json != NULL && number)
        dt_json_add_double(json, column, values[row]);
    else if (json != NULL)
        dt_json_add_text(json, column, texts.texts[row]);
    if (json != NULL)
        goto out;
    dt_text_table_add(table, "%s", column);
    if (number)
        dt_inspect_add_number(table, column, values[row]);
    else
        dt_text_table_add(table, "%s", texts.texts[row][0] != '\0' ? texts.texts[row] : "-");
out:
    dt_h5_names_clear(&texts);
    dt_memory_free(values);
    return status;
}

/* All columns of the best trial, which is row `row` of the table of trials. */
DT_MUST_USE static dt_status show_best(dt_h5 *h5, uint64_t trials, size_t row, dt_json *json)
{
    dt_status status = DT_OK;
    dt_h5_names columns = {0};
    dt_text_table table = {0};
    DT_TRY(dt_h5_list_columns(&columns, h5, DT_SEARCH_TRIALS));
    if (json != NULL)
        dt_json_begin_object(json, "best_trial");
    else
        dt_text_table_titles(&table, "|>best trial");
    for (size_t c = 0; c < columns.count; c++)
        DT_TRY(show_cell(h5, columns.texts[c], trials, row, &table, json));
    if (json != NULL) {
        dt_json_end(json);
        goto out;
    }
    dt_log_show("\n");
    status = dt_text_table_print(&table);
out:
    dt_text_table_clear(&table);
    dt_h5_names_clear(&columns);
    return status;
}

dt_status dt_inspect_search(dt_h5 *h5, const char *path, dt_json *json)
{
    static const char *const groups[] = {DT_SEARCH_GROUP, "/data", "/config", "/environment"};
    dt_status status = DT_OK;
    dt_h5_shape shape;
    dt_h5_names states = {0};
    char *search_status = NULL, counts[256], line[64];
    int64_t best = 0;
    DT_TRY(dt_h5_get_text(&search_status, h5, "/", "status"));
    DT_TRY(dt_h5_get_int(&best, h5, DT_SEARCH_GROUP, "best_trial"));
    DT_TRY(dt_h5_describe(&shape, h5, DT_SEARCH_TRIALS));
    DT_TRY(dt_h5_read_column_texts(&states, h5, DT_SEARCH_TRIALS, "state"));
    count_states(counts, sizeof counts, &states);
    if (json != NULL) {
        dt_json_add_text(json, "kind", "search");
        dt_json_add_text(json, "status", search_status);
        dt_json_add_int(json, "trial_count", (int64_t)shape.count);
    } else {
        dt_log_show("%s: search; status: %s; %" PRIu64 " trial%s: %s\n", path,
                    dt_text_table_printable(line, sizeof line, search_status), shape.count,
                    shape.count == 1 ? "" : "s", counts);
        dt_log_show("`dtrain report %s` ranks the trials\n", path);
    }
    if (best >= 1 && (uint64_t)best <= shape.count) /* trials count from 1 */
        DT_TRY(show_best(h5, shape.count, (size_t)best - 1, json));
    else if (json != NULL)
        dt_json_add_null(json, "best_trial");
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        DT_TRY(dt_inspect_group(h5, groups[i], json));
    DT_TRY(dt_h5_check(h5));
out:
    dt_h5_names_clear(&states);
    dt_memory_free(search_status);
    return status;
}

/* ---- explanations ---- */

static void describe_importances(dt_json *json, const dt_explanation *e)
{
    dt_json_begin_list(json, "importance");
    for (size_t i = 0; i < e->count; i++) {
        const dt_column_importance *column = &e->columns[i];
        dt_json_begin_object(json, NULL);
        dt_json_add_text(json, "column", column->column);
        dt_json_add_text(json, "kind", dt_column_kind_name(column->kind));
        dt_json_add_int(json, "inputs", column->inputs);
        dt_json_add_double(json, "importance", column->importance);
        dt_json_add_double(json, "standard_error", column->standard_error);
        dt_json_add_double(json, "second_importance", column->second);
        dt_json_add_double(json, "second_standard_error", column->second_error);
        dt_json_end(json);
    }
    dt_json_end(json);
}

dt_status dt_inspect_explanation(dt_h5 *h5, const char *path, dt_json *json)
{
    dt_status status = DT_OK;
    dt_explanation_file file = {0};
    DT_TRY(dt_explanation_file_read(&file, path));
    const dt_explanation *e = &file.explanation;
    if (json != NULL)
        dt_json_add_text(json, "kind", "explanation");
    else
        dt_log_show("%s: explanation of a model; %zu column%s\n", path, e->count,
                    e->count == 1 ? "" : "s");
    DT_TRY(dt_inspect_group(h5, "/", json));
    if (json != NULL) {
        describe_importances(json, e);
    } else {
        dt_log_show("\n");
        DT_TRY(dt_report_explanation_print(&file));
    }
out:
    dt_explanation_file_clear(&file);
    return status;
}
