#include "dtrain/run/explanation_file.h"

#include "dtrain/base/memory.h"

#include <string.h>

static const dt_h5_column importance_columns[] = {
    {"column", NULL, DT_H5_TEXT, DT_H5_FIELD(dt_column_importance, column)},
    {"number", NULL, DT_H5_I32, DT_H5_FIELD(dt_column_importance, number)},
    {"kind", NULL, DT_H5_I32, DT_H5_FIELD(dt_column_importance, kind)},
    {"inputs", NULL, DT_H5_I32, DT_H5_FIELD(dt_column_importance, inputs)},
    {"importance", NULL, DT_H5_F64, DT_H5_FIELD(dt_column_importance, importance)},
    {"standard_error", NULL, DT_H5_F64, DT_H5_FIELD(dt_column_importance, standard_error)},
    {"second_importance", NULL, DT_H5_F64, DT_H5_FIELD(dt_column_importance, second)},
    {"second_standard_error", NULL, DT_H5_F64, DT_H5_FIELD(dt_column_importance, second_error)},
};
static const dt_h5_table importance_table = DT_H5_TABLE(importance_columns, dt_column_importance);

static const dt_h5_column dependence_columns[] = {
    {"column", NULL, DT_H5_TEXT, DT_H5_FIELD(dt_dependence_point, column)},
    {"number", NULL, DT_H5_I32, DT_H5_FIELD(dt_dependence_point, number)},
    {"kind", NULL, DT_H5_I32, DT_H5_FIELD(dt_dependence_point, kind)},
    {"text", NULL, DT_H5_TEXT, DT_H5_FIELD(dt_dependence_point, text)},
    {"value", NULL, DT_H5_F64, DT_H5_FIELD(dt_dependence_point, value)},
    {"share", "share of rows", DT_H5_F64, DT_H5_FIELD(dt_dependence_point, share)},
};
static const dt_h5_table dependence_table = DT_H5_TABLE(dependence_columns, dt_dependence_point);

/* ---- writing ---- */

static dt_status set_attributes(dt_h5 *h5, const dt_explanation_file *file)
{
    const dt_explanation *e = &file->explanation;
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {
        {"format_version", DT_EXPLANATION_FORMAT_VERSION},
        {"rows", (int64_t)e->N},
        {"weighted", e->weighted},
        {"seed", (int64_t)e->seed},
        {"repeats", (int64_t)e->repeats},
        {"dependence_rows", (int64_t)e->dependence_rows},
        {"weights_crc", file->weights_crc},
    };
    const struct {
        const char *name, *text;
    } texts[] = {
        {"dtrain_version", DTRAIN_VERSION},
        {"model", file->model},
        {"data", file->data},
        {"task", e->task->name},
        {"metric", e->metric->name},
        {"second_metric", e->second->name},
    };
    dt_status status = DT_OK;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        DT_TRY(dt_h5_set_int(h5, "/", numbers[i].name, numbers[i].value));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        DT_TRY(dt_h5_set_text(h5, "/", texts[i].name, texts[i].text));
out:
    return status;
}

static dt_status write_scores(dt_h5 *h5, const dt_explanation *e)
{
    dt_status status = DT_OK;
    const char **names = NULL;
    const uint64_t Q = e->task->quality_count, shape[3] = {e->count, e->repeats, Q};
    DT_TRY(dt_memory_alloc(&names, (size_t)Q, sizeof *names, "names of metrics"));
    for (size_t q = 0; q < Q; q++)
        names[q] = e->task->qualities[q].name;
    DT_TRY(dt_h5_write_texts(h5, "/metrics", names, (size_t)Q));
    DT_TRY(dt_h5_write_array(h5, "/unpermuted", DT_H5_F64, 1, &Q, e->unpermuted));
    DT_TRY(dt_h5_write_array(h5, "/permuted", DT_H5_F64, 3, shape, e->permuted));
    DT_TRY(dt_h5_label_dimension(h5, "/unpermuted", 0, "metric", "/metrics"));
    DT_TRY(dt_h5_label_dimension(h5, "/permuted", 0, "column", NULL));
    DT_TRY(dt_h5_label_dimension(h5, "/permuted", 1, "repeat", NULL));
    DT_TRY(dt_h5_label_dimension(h5, "/permuted", 2, "metric", "/metrics"));
out:
    dt_memory_free(names);
    return status;
}

static dt_status write_dependence(dt_h5 *h5, const dt_explanation_file *file)
{
    dt_status status = DT_OK;
    const dt_explanation *e = &file->explanation;
    const uint64_t shape[2] = {e->point_count, e->C};
    const char *const *outputs = (const char *const *)file->outputs.texts;
    DT_TRY(dt_h5_write_texts(h5, "/outputs", outputs, file->outputs.count));
    DT_TRY(dt_h5_write_table(h5, "/dependence", &dependence_table, e->points, e->point_count));
    DT_TRY(dt_h5_write_array(h5, "/predictions", DT_H5_F64, 2, shape, e->predictions));
    DT_TRY(dt_h5_label_dimension(h5, "/predictions", 0, "point", NULL));
    DT_TRY(dt_h5_label_dimension(h5, "/predictions", 1, "output", "/outputs"));
out:
    return status;
}

dt_status dt_explanation_file_make(void **image, size_t *bytes, const dt_explanation_file *file)
{
    dt_status status = DT_OK;
    const dt_explanation *e = &file->explanation;
    dt_h5 *h5 = NULL;
    *image = NULL;
    DT_TRY(dt_h5_new(&h5));
    DT_TRY(set_attributes(h5, file));
    DT_TRY(dt_h5_write_table(h5, "/importance", &importance_table, e->columns, e->count));
    DT_TRY(write_scores(h5, e));
    if (e->point_count > 0)
        DT_TRY(write_dependence(h5, file));
    DT_TRY(dt_h5_image(image, bytes, h5));
out:
    dt_h5_free(h5);
    return status;
}

/* ---- reading ---- */

static const dt_quality_kind *find_quality(const dt_task *task, const char *name)
{
    for (size_t q = 0; q < task->quality_count; q++)
        if (strcmp(task->qualities[q].name, name) == 0)
            return &task->qualities[q];
    return NULL;
}

static dt_status get_text(char **out, dt_h5 *h5, const char *name)
{
    return dt_h5_get_text(out, h5, "/", name);
}

static dt_status read_metrics(dt_explanation *out, dt_h5 *h5, const char *path)
{
    dt_status status = DT_OK;
    char *task = NULL, *metric = NULL, *second = NULL;
    DT_TRY(get_text(&task, h5, "task"));
    DT_TRY(get_text(&metric, h5, "metric"));
    DT_TRY(get_text(&second, h5, "second_metric"));
    for (size_t i = 0; i < DT_TASK_COUNT; i++)
        if (strcmp(dt_tasks[i]->name, task) == 0)
            out->task = dt_tasks[i];
    if (out->task != NULL) {
        out->metric = find_quality(out->task, metric);
        out->second = find_quality(out->task, second);
    }
    if (out->metric == NULL || out->second == NULL)
        DT_TRY(dt_fail(DT_DATA, "%s: a task or a metric that this dtrain does not know", path));
out:
    dt_memory_free(task);
    dt_memory_free(metric);
    dt_memory_free(second);
    return status;
}

static dt_status read_numbers(dt_explanation_file *out, dt_h5 *h5)
{
    dt_status status = DT_OK;
    int64_t rows = 0, weighted = 0, seed = 0, repeats = 0, dependence_rows = 0, crc = 0;
    DT_TRY(dt_h5_get_int(&rows, h5, "/", "rows"));
    DT_TRY(dt_h5_get_int(&weighted, h5, "/", "weighted"));
    DT_TRY(dt_h5_get_int(&seed, h5, "/", "seed"));
    DT_TRY(dt_h5_get_int(&repeats, h5, "/", "repeats"));
    DT_TRY(dt_h5_get_int(&dependence_rows, h5, "/", "dependence_rows"));
    DT_TRY(dt_h5_get_int(&crc, h5, "/", "weights_crc"));
    out->explanation.N = (uint64_t)rows;
    out->explanation.weighted = weighted != 0;
    out->explanation.seed = (uint64_t)seed;
    out->explanation.repeats = (size_t)repeats;
    out->explanation.dependence_rows = (uint64_t)dependence_rows;
    out->weights_crc = (uint32_t)crc;
out:
    return status;
}

/* Allocates and reads a table; an empty one is refused. */
static dt_status read_table(void *rows, size_t *count, dt_h5 *h5, const char *path,
                            const dt_h5_table *table)
{
    dt_status status = DT_OK;
    dt_h5_shape shape;
    void *read = NULL;
    DT_TRY(dt_h5_describe(&shape, h5, path));
    if (shape.dims != 1 || shape.count == 0)
        DT_TRY(dt_fail(DT_DATA, "explain.h5: %s has no rows", path));
    DT_TRY(dt_memory_alloc(&read, (size_t)shape.count, table->row_bytes, "rows of a table"));
    status = dt_h5_read_rows(h5, path, table, read, (size_t)shape.count);
out:
    if (status == DT_OK) {
        *count = (size_t)shape.count;
        memcpy(rows, &read, sizeof read);
    } else {
        dt_memory_free(read);
    }
    return status;
}

static dt_status read_dependence(dt_explanation_file *out, dt_h5 *h5, const char *path)
{
    dt_status status = DT_OK;
    dt_explanation *e = &out->explanation;
    dt_h5_shape shape;
    if (dt_h5_has(h5, "/dependence") != DT_H5_DATASET)
        return DT_OK;
    DT_TRY(read_table(&e->points, &e->point_count, h5, "/dependence", &dependence_table));
    DT_TRY(dt_h5_read_texts(&out->outputs, h5, "/outputs"));
    DT_TRY(dt_h5_describe(&shape, h5, "/predictions"));
    e->C = out->outputs.count;
    if (shape.dims != 2 || shape.extent[0] != e->point_count || shape.extent[1] != e->C ||
        e->C == 0)
        DT_TRY(dt_fail(DT_DATA, "%s: /predictions has another shape than /dependence and /outputs",
                       path));
    DT_TRY(dt_memory_alloc(&e->predictions, (size_t)shape.count, sizeof *e->predictions,
                           "predictions"));
    DT_TRY(dt_h5_read_f64(h5, "/predictions", e->predictions, shape.count));
out:
    return status;
}

dt_status dt_explanation_file_read(dt_explanation_file *out, const char *path)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    int64_t version = 0;
    memset(out, 0, sizeof *out);
    DT_TRY(dt_h5_open(&h5, path));
    DT_TRY(dt_h5_get_int(&version, h5, "/", "format_version"));
    if (version != DT_EXPLANATION_FORMAT_VERSION)
        DT_TRY(dt_fail(
            DT_DATA,
            "%s: its format version is %lld, and this dtrain reads %d; run dtrain explain again",
            path, (long long)version, DT_EXPLANATION_FORMAT_VERSION));
    DT_TRY(get_text(&out->model, h5, "model"));
    DT_TRY(get_text(&out->data, h5, "data"));
    DT_TRY(read_metrics(&out->explanation, h5, path));
    DT_TRY(read_numbers(out, h5));
    DT_TRY(read_table(&out->explanation.columns, &out->explanation.count, h5, "/importance",
                      &importance_table));
    DT_TRY(read_dependence(out, h5, path));
    DT_TRY(dt_h5_check(h5));
out:
    dt_h5_free(h5);
    return status;
}

void dt_explanation_file_clear(dt_explanation_file *file)
{
    dt_explanation_clear(&file->explanation);
    dt_memory_free(file->model);
    dt_memory_free(file->data);
    dt_h5_names_clear(&file->outputs);
    memset(file, 0, sizeof *file);
}
