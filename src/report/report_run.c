#include "report_internal.h"

#include "dtrain/base/crc32.h"
#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/io/file.h"
#include "dtrain/run/run_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *dt_report_set_name(int set)
{
    static const char *const names[SETS] = {"training", "validation", "test"};
    return names[set];
}

/* ---- tables ---- */

static bool has_name(const dt_h5_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->texts[i], name) == 0)
            return true;
    return false;
}

static void clear_table(dt_report_table *table)
{
    for (size_t c = 0; c < REPORT_COLUMNS_MAX; c++)
        dt_memory_free(table->columns[c]);
    memset(table, 0, sizeof *table);
}

/* `names` in the order of the columns' numbers. */
DT_MUST_USE static dt_status read_table(dt_report_table *out, dt_h5 *h5, const char *path,
                                        const char *const *names, size_t count)
{
    dt_status status = DT_OK;
    dt_h5_shape shape;
    dt_h5_names there = {0};
    if (dt_h5_has(h5, path) != DT_H5_DATASET)
        return DT_OK;
    DT_TRY(dt_h5_describe(&shape, h5, path));
    DT_TRY(dt_h5_list_columns(&there, h5, path));
    for (size_t c = 0; c < count && shape.count > 0; c++) {
        const size_t rows = (size_t)shape.count;
        DT_TRY(dt_memory_alloc(&out->columns[c], rows, sizeof **out->columns, "column of a table"));
        if (has_name(&there, names[c]))
            DT_TRY(dt_h5_read_column_f64(h5, path, names[c], out->columns[c], rows));
        else
            for (size_t i = 0; i < rows; i++)
                out->columns[c][i] = NAN;
    }
    out->rows = (size_t)shape.count;
out:
    dt_h5_names_clear(&there);
    return status;
}

#define READ_TABLE(out, h5, path, names)                                                           \
    read_table(out, h5, path, names, sizeof(names) / sizeof *(names))

/* ---- sets ---- */

/* Counts and histograms of another shape are not shown: the last two extents are equal, if
 * `square`. */
static bool is_shaped(const dt_h5_shape *shape, unsigned dims, bool square)
{
    return shape->dims == dims && shape->count > 0 &&
           (!square || shape->extent[dims - 1] == shape->extent[dims - 2]);
}

DT_MUST_USE static dt_status read_confusion(dt_report_counts *out, dt_h5 *h5, const char *path)
{
    dt_status status = DT_OK;
    dt_h5_shape shape;
    if (dt_h5_has(h5, path) != DT_H5_DATASET)
        return DT_OK;
    DT_TRY(dt_h5_describe(&shape, h5, path));
    if (shape.class != DT_H5_CLASS_INT || !is_shaped(&shape, 2, true))
        return DT_OK;
    DT_TRY(dt_memory_alloc(&out->counts, (size_t)shape.count, sizeof *out->counts, "counts"));
    DT_TRY(dt_h5_read_i64(h5, path, out->counts, shape.count));
    for (unsigned d = 0; d < 2; d++)
        out->extent[d] = (size_t)shape.extent[d];
out:
    return status;
}

/* A bin whose number cannot be a weight (dt_exact_total) counts as empty. */
DT_MUST_USE static dt_status read_histogram(dt_report_histogram *out, dt_h5 *h5, const char *path,
                                            unsigned dims, bool square)
{
    dt_status status = DT_OK;
    dt_h5_shape shape;
    if (dt_h5_has(h5, path) != DT_H5_DATASET)
        return DT_OK;
    DT_TRY(dt_h5_describe(&shape, h5, path));
    if ((shape.class != DT_H5_CLASS_INT && shape.class != DT_H5_CLASS_FLOAT) ||
        !is_shaped(&shape, dims, square))
        return DT_OK;
    DT_TRY(dt_memory_alloc(&out->sums, (size_t)shape.count, sizeof *out->sums, "histogram"));
    DT_TRY(dt_h5_read_f64(h5, path, out->sums, shape.count));
    for (size_t i = 0; i < (size_t)shape.count; i++)
        if (!(out->sums[i] >= 0x1p-80 && out->sums[i] <= 0x1p63))
            out->sums[i] = 0.0;
    out->weighted = shape.class == DT_H5_CLASS_FLOAT;
    for (unsigned d = 0; d < dims; d++)
        out->extent[d] = (size_t)shape.extent[d];
out:
    return status;
}

/* One row for each of the task's targets. */
DT_MUST_USE static dt_status read_targets(dt_report_table *out, dt_h5 *h5, const char *path,
                                          const dt_task *task)
{
    char baseline[64];
    const char *columns[REPORT_COLUMNS_MAX] = {"residual_limit", "low", "high", baseline};
    (void)snprintf(baseline, sizeof baseline, "%s_%s", task->baseline, task->qualities[0].name);
    DT_ASSERT(TARGET_QUALITIES + task->quality_count <= REPORT_COLUMNS_MAX);
    for (size_t i = 0; i < task->quality_count; i++)
        columns[TARGET_QUALITIES + i] = task->qualities[i].name;
    return read_table(out, h5, path, columns, TARGET_QUALITIES + task->quality_count);
}

DT_MUST_USE static dt_status read_set(dt_report_set *out, dt_h5 *h5, int set, const dt_task *task)
{
    static const char *const groups[SETS] = {"/evaluation/train", "/evaluation/validation",
                                             "/evaluation/test"};
    static const char *const class_columns[] = {"rows", "predicted", "precision", "recall",
                                                "f1",   "roc_auc",   "pr_auc"};
    static const char *const bin_columns[] = {"lower", "upper", "rows", "confidence", "accuracy"};
    static const char *const roc_columns[] = {"fpr", "tpr", "threshold"};
    static const char *const pr_columns[] = {"recall", "precision", "threshold"};
    dt_status status = DT_OK;
    char path[64];
    if (dt_h5_has(h5, groups[set]) != DT_H5_GROUP)
        return DT_OK;
    out->there = true;
    DT_TRY(dt_report_facts_read(&out->qualities, h5, groups[set]));
    (void)snprintf(path, sizeof path, "%s/classes", groups[set]);
    DT_TRY(READ_TABLE(&out->classes, h5, path, class_columns));
    (void)snprintf(path, sizeof path, "%s/calibration", groups[set]);
    DT_TRY(READ_TABLE(&out->calibration, h5, path, bin_columns));
    (void)snprintf(path, sizeof path, "%s/roc", groups[set]);
    DT_TRY(READ_TABLE(&out->roc, h5, path, roc_columns));
    (void)snprintf(path, sizeof path, "%s/pr", groups[set]);
    DT_TRY(READ_TABLE(&out->pr, h5, path, pr_columns));
    (void)snprintf(path, sizeof path, "%s/confusion", groups[set]);
    DT_TRY(read_confusion(&out->confusion, h5, path));
    (void)snprintf(path, sizeof path, "%s/targets", groups[set]);
    DT_TRY(read_targets(&out->targets, h5, path, task));
    (void)snprintf(path, sizeof path, "%s/residuals", groups[set]);
    DT_TRY(read_histogram(&out->residuals, h5, path, 2, false));
    (void)snprintf(path, sizeof path, "%s/joint", groups[set]);
    DT_TRY(read_histogram(&out->joint, h5, path, 3, true));
out:
    return status;
}

/* ---- runs ---- */

/* One number for all the data in /data/members, which identifies runs on the same data. */
DT_MUST_USE static dt_status add_fingerprint(dt_report_run *out, dt_h5 *h5)
{
    static const char table[] = "/data/members";
    static const char *const columns[] = {"set", "array", "crc32"};
    dt_status status = DT_OK;
    dt_h5_names names = {0}, sets = {0}, arrays = {0};
    dt_report_table members = {0};
    uint32_t crc = 0;
    char text[16];
    if (out->data.items == NULL || dt_h5_has(h5, table) != DT_H5_DATASET)
        return DT_OK;
    DT_TRY(dt_h5_list_columns(&names, h5, table));
    for (size_t c = 0; c < 3; c++)
        if (!has_name(&names, columns[c]))
            goto out;
    DT_TRY(dt_h5_read_column_texts(&sets, h5, table, columns[0]));
    DT_TRY(dt_h5_read_column_texts(&arrays, h5, table, columns[1]));
    DT_TRY(read_table(&members, h5, table, &columns[2], 1));
    for (size_t i = 0; i < members.rows && i < sets.count && i < arrays.count; i++) {
        crc = dt_crc32(crc, sets.texts[i], strlen(sets.texts[i]) + 1);
        crc = dt_crc32(crc, arrays.texts[i], strlen(arrays.texts[i]) + 1);
        crc = dt_crc32(crc, &members.columns[0][i], sizeof **members.columns);
    }
    (void)snprintf(text, sizeof text, "%08" PRIx32, crc);
    if (members.rows > 0)
        DT_TRY(dt_report_fact_set(&out->data.items[out->data.count++], "data_crc", text, NAN));
out:
    dt_h5_names_clear(&names);
    dt_h5_names_clear(&sets);
    dt_h5_names_clear(&arrays);
    clear_table(&members);
    return status;
}

DT_MUST_USE static dt_status read_texts(dt_h5_names *out, dt_h5 *h5, const char *path)
{
    return dt_h5_has(h5, path) == DT_H5_DATASET ? dt_h5_read_texts(out, h5, path) : DT_OK;
}

/* /ranks names each rank's host too. */
DT_MUST_USE static dt_status read_hosts(dt_report_run *out, dt_h5 *h5)
{
    dt_status status = DT_OK;
    dt_h5_names columns = {0};
    DT_TRY(read_texts(&out->rank_hosts, h5, "/environment/rank_hosts"));
    if (out->rank_hosts.count > 0 || out->ranks.rows == 0)
        goto out;
    DT_TRY(dt_h5_list_columns(&columns, h5, "/ranks"));
    if (has_name(&columns, "host"))
        DT_TRY(dt_h5_read_column_texts(&out->rank_hosts, h5, "/ranks", "host"));
out:
    dt_h5_names_clear(&columns);
    return status;
}

/* A log without a task has classes. */
static const dt_task *task_of(const dt_report_facts *data)
{
    const char *name = dt_report_fact_text(data, "task");
    for (size_t i = 0; i < DT_TASK_COUNT; i++)
        if (strcmp(dt_tasks[i]->name, name) == 0)
            return dt_tasks[i];
    return &dt_classification;
}

DT_MUST_USE static dt_status read_restarts(dt_report_run *out, dt_h5 *h5)
{
    static const char table[] = "/restarts";
    static const char *const columns[] = {"restart", "seed", "best_epoch", "value", "kept"};
    dt_status status = DT_OK;
    dt_h5_names names = {0};
    DT_TRY(READ_TABLE(&out->restarts, h5, table, columns));
    if (out->restarts.rows == 0)
        goto out;
    DT_TRY(dt_h5_list_columns(&names, h5, table));
    if (has_name(&names, "status"))
        DT_TRY(dt_h5_read_column_texts(&out->restart_status, h5, table, "status"));
out:
    dt_h5_names_clear(&names);
    return status;
}

DT_MUST_USE static dt_status read_folds(dt_report_run *out, dt_h5 *h5)
{
    static const char *const score_columns[] = {"mean", "deviation", "shown"};
    const char *columns[REPORT_COLUMNS_MAX] = {"repeat", "fold", "rows", "best_epoch"};
    dt_status status = DT_OK;
    size_t shown[REPORT_COLUMNS_MAX];
    if (dt_h5_has(h5, "/folds") != DT_H5_DATASET || dt_h5_has(h5, "/fold_scores") != DT_H5_DATASET)
        return DT_OK;
    DT_TRY(READ_TABLE(&out->fold_scores, h5, "/fold_scores", score_columns));
    DT_TRY(dt_h5_read_column_texts(&out->fold_score_names, h5, "/fold_scores", "name"));
    const size_t count = dt_report_list_fold_scores(shown, out);
    for (size_t i = 0; i < count; i++)
        columns[FOLD_SCORES + i] = out->fold_score_names.texts[shown[i]];
    DT_TRY(read_table(&out->folds, h5, "/folds", columns, FOLD_SCORES + count));
    DT_TRY(dt_h5_read_column_texts(&out->fold_status, h5, "/folds", "status"));
out:
    return status;
}

DT_MUST_USE static dt_status read_epochs(dt_report_table *out, dt_h5 *h5, const dt_task *task)
{
    char names[REPORT_COLUMNS_MAX][32];
    const char *columns[REPORT_COLUMNS_MAX] = {"epoch", "seconds", "improved"};
    DT_ASSERT(EPOCH_TRAIN(task->metric_count) <= REPORT_COLUMNS_MAX);
    for (int c = EPOCH_METRICS; c < EPOCH_TRAIN(task->metric_count); c++) {
        const int metric = (c - EPOCH_METRICS) / 2;
        (void)snprintf(names[c], sizeof names[c], "%s_%s", c == EPOCH_VAL(metric) ? "val" : "train",
                       task->metrics[metric].name);
        columns[c] = names[c];
    }
    return read_table(out, h5, "/epochs", columns, (size_t)EPOCH_TRAIN(task->metric_count));
}

DT_MUST_USE static dt_status read_all(dt_report_run *out, dt_h5 *h5)
{
    static const char *const rank_columns[] = {"rank",      "rows",       "load_s",
                                               "forward_s", "backward_s", "allreduce_s",
                                               "update_s",  "validate_s", "wait_s"};
    dt_status status = DT_OK;
    if (dt_h5_has_attribute(h5, "/", "status"))
        DT_TRY(dt_h5_get_text(&out->status, h5, "/", "status"));
    else
        DT_TRY(dt_memory_copy_text(&out->status, "unknown"));
    DT_TRY(dt_report_facts_read(&out->config, h5, "/config"));
    DT_TRY(dt_report_facts_read(&out->data, h5, "/data"));
    out->task = task_of(&out->data);
    DT_TRY(add_fingerprint(out, h5));
    DT_TRY(dt_report_facts_read(&out->environment, h5, "/environment"));
    DT_TRY(dt_report_facts_read(&out->summary, h5, "/summary"));
    DT_TRY(read_epochs(&out->epochs, h5, out->task));
    DT_TRY(READ_TABLE(&out->ranks, h5, "/ranks", rank_columns));
    DT_TRY(read_restarts(out, h5));
    DT_TRY(read_folds(out, h5));
    for (int set = 0; set < SETS; set++)
        DT_TRY(read_set(&out->sets[set], h5, set, out->task));
    DT_TRY(read_texts(&out->class_names, h5, "/data/class_names"));
    DT_TRY(read_texts(&out->target_names, h5, "/data/target_names"));
    DT_TRY(read_hosts(out, h5));
    DT_TRY(dt_h5_check(h5));
out:
    return status;
}

/* The place of the run, which gives its name. */
DT_MUST_USE static dt_status find_place(char **out, const char *path)
{
    dt_status status = DT_OK;
    char *whole = realpath(path, NULL); /* freed by free */
    dt_report_buffer place = {0};
    dt_report_buffer_puts(&place, whole != NULL ? whole : path);
    if (dt_file_is_folder(path))
        dt_report_buffer_puts(&place, "/run.h5");
    status = place.status;
    if (status == DT_OK)
        status = dt_memory_copy_text(out, place.text);
    dt_report_buffer_clear(&place);
    free(whole);
    return status;
}

/* An explanation of weights that the run no longer has is not shown. */
DT_MUST_USE static dt_status read_explanation(dt_report_run *out)
{
    dt_status status = DT_OK;
    struct stat info;
    dt_report_buffer path = {0};
    const char *slash = strrchr(out->place, '/');
    const size_t folder = slash != NULL ? (size_t)(slash + 1 - out->place) : 0;
    const dt_report_fact *crc = dt_report_fact_find(&out->summary, "weights_crc");
    dt_report_buffer_put(&path, out->place, folder);
    dt_report_buffer_puts(&path, "explain.h5");
    DT_TRY(path.status);
    if (stat(path.text, &info) != 0)
        goto out;
    DT_TRY(dt_explanation_file_read(&out->explanation, path.text));
    if (crc == NULL || crc->number != (double)out->explanation.weights_crc) {
        dt_log_warn("%s: belongs to another model than the run's, so it is not shown; run dtrain "
                    "explain again",
                    path.text);
        dt_explanation_file_clear(&out->explanation);
    }
out:
    dt_report_buffer_clear(&path);
    return status;
}

dt_status dt_report_run_read(dt_report_run *out, const char *path)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    DT_TRY(dt_run_file_open(&h5, path));
    DT_TRY(dt_memory_copy_text(&out->path, path));
    DT_TRY(find_place(&out->place, path));
    DT_TRY(read_all(out, h5));
    DT_TRY(read_explanation(out));
out:
    dt_h5_free(h5);
    return status;
}

void dt_report_run_clear(dt_report_run *run)
{
    dt_memory_free(run->path);
    dt_memory_free(run->name);
    dt_memory_free(run->place);
    dt_memory_free(run->status);
    dt_report_facts_clear(&run->config);
    dt_report_facts_clear(&run->data);
    dt_report_facts_clear(&run->environment);
    dt_report_facts_clear(&run->summary);
    clear_table(&run->epochs);
    clear_table(&run->ranks);
    clear_table(&run->restarts);
    clear_table(&run->folds);
    clear_table(&run->fold_scores);
    for (int s = 0; s < SETS; s++) {
        dt_report_set *set = &run->sets[s];
        dt_report_facts_clear(&set->qualities);
        clear_table(&set->classes);
        clear_table(&set->calibration);
        clear_table(&set->roc);
        clear_table(&set->pr);
        clear_table(&set->targets);
        dt_memory_free(set->confusion.counts);
        dt_memory_free(set->residuals.sums);
        dt_memory_free(set->joint.sums);
    }
    dt_h5_names_clear(&run->class_names);
    dt_h5_names_clear(&run->target_names);
    dt_h5_names_clear(&run->rank_hosts);
    dt_h5_names_clear(&run->restart_status);
    dt_h5_names_clear(&run->fold_status);
    dt_h5_names_clear(&run->fold_score_names);
    dt_explanation_file_clear(&run->explanation);
    memset(run, 0, sizeof *run);
}

/* A name that is too long is cut between two characters. */
static const char *name_of(char *out, size_t bytes, const dt_h5_names *names, size_t index)
{
    if (index >= names->count) {
        (void)snprintf(out, bytes, "%zu", index);
        return out;
    }
    const char *name = names->texts[index];
    size_t length = strlen(name);
    if (length >= bytes)
        for (length = bytes - 1; length > 0 && ((unsigned char)name[length] & 0xC0) == 0x80;)
            length--;
    memcpy(out, name, length);
    out[length] = '\0';
    return out;
}

const char *dt_report_class_name(char *out, size_t bytes, const dt_report_run *run, size_t class)
{
    return name_of(out, bytes, &run->class_names, class);
}

const char *dt_report_target_name(char *out, size_t bytes, const dt_report_run *run, size_t target)
{
    return name_of(out, bytes, &run->target_names, target);
}
