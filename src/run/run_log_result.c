#include "run_log_internal.h"

#include "dtrain/base/memory.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 96 };

static const dt_h5_column rank_columns[] = {
    {"rank", NULL, DT_H5_I64, DT_H5_FIELD(dt_rank_row, rank)},
    {"host", NULL, DT_H5_TEXT, DT_H5_FIELD(dt_rank_row, host)},
    {"rows", "training rows", DT_H5_I64, DT_H5_FIELD(dt_rank_row, rows)},
    {"load_s", "s", DT_H5_F64, DT_H5_FIELD(dt_rank_row, phases.seconds[DT_PHASE_LOAD])},
    {"forward_s", "s", DT_H5_F64, DT_H5_FIELD(dt_rank_row, phases.seconds[DT_PHASE_FORWARD])},
    {"backward_s", "s", DT_H5_F64, DT_H5_FIELD(dt_rank_row, phases.seconds[DT_PHASE_BACKWARD])},
    {"allreduce_s", "s", DT_H5_F64, DT_H5_FIELD(dt_rank_row, phases.seconds[DT_PHASE_ALLREDUCE])},
    {"wait_s", "s", DT_H5_F64, DT_H5_FIELD(dt_rank_row, phases.wait_s)},
    {"update_s", "s", DT_H5_F64, DT_H5_FIELD(dt_rank_row, phases.seconds[DT_PHASE_UPDATE])},
    {"validate_s", "s", DT_H5_F64, DT_H5_FIELD(dt_rank_row, phases.seconds[DT_PHASE_VALIDATE])},
};
static const dt_h5_table rank_table = DT_H5_TABLE(rank_columns, dt_rank_row);

static const dt_h5_column class_columns[] = {
    {"class", NULL, DT_H5_I64, DT_H5_FIELD(dt_class_quality, label)},
    {"rows", NULL, DT_H5_I64, DT_H5_FIELD(dt_class_quality, rows)},
    {"predicted", NULL, DT_H5_I64, DT_H5_FIELD(dt_class_quality, predicted)},
    {"precision", NULL, DT_H5_F64, DT_H5_FIELD(dt_class_quality, precision)},
    {"recall", NULL, DT_H5_F64, DT_H5_FIELD(dt_class_quality, recall)},
    {"f1", NULL, DT_H5_F64, DT_H5_FIELD(dt_class_quality, f1)},
    {"roc_auc", NULL, DT_H5_F64, DT_H5_FIELD(dt_class_quality, roc_auc)},
    {"pr_auc", NULL, DT_H5_F64, DT_H5_FIELD(dt_class_quality, pr_auc)},
};
static const dt_h5_table class_table = DT_H5_TABLE(class_columns, dt_class_quality);

static const dt_h5_column bin_columns[] = {
    {"lower", NULL, DT_H5_F64, DT_H5_FIELD(dt_calibration_bin, lower)},
    {"upper", NULL, DT_H5_F64, DT_H5_FIELD(dt_calibration_bin, upper)},
    {"rows", NULL, DT_H5_I64, DT_H5_FIELD(dt_calibration_bin, rows)},
    {"confidence", NULL, DT_H5_F64, DT_H5_FIELD(dt_calibration_bin, confidence)},
    {"accuracy", "share of rows", DT_H5_F64, DT_H5_FIELD(dt_calibration_bin, accuracy)},
};
static const dt_h5_table bin_table = DT_H5_TABLE(bin_columns, dt_calibration_bin);

static const dt_h5_column roc_columns[] = {
    {"fpr", "share of class 0's rows", DT_H5_F64, DT_H5_FIELD(dt_roc_point, fpr)},
    {"tpr", "share of class 1's rows", DT_H5_F64, DT_H5_FIELD(dt_roc_point, tpr)},
    {"threshold", NULL, DT_H5_F64, DT_H5_FIELD(dt_roc_point, threshold)},
};
static const dt_h5_column pr_columns[] = {
    {"recall", "share of class 1's rows", DT_H5_F64, DT_H5_FIELD(dt_pr_point, recall)},
    {"precision", "share of the rows taken", DT_H5_F64, DT_H5_FIELD(dt_pr_point, precision)},
    {"threshold", NULL, DT_H5_F64, DT_H5_FIELD(dt_pr_point, threshold)},
};
static const dt_h5_table pr_table = DT_H5_TABLE(pr_columns, dt_pr_point);

static const dt_h5_table roc_table = DT_H5_TABLE(roc_columns, dt_roc_point);

static const dt_h5_column value_columns[] = {
    {"rmse", "units of the target", DT_H5_F64, DT_H5_FIELD(dt_value_quality, model.rmse)},
    {"mae", "units of the target", DT_H5_F64, DT_H5_FIELD(dt_value_quality, model.mae)},
    {"median_ae", "units of the target", DT_H5_F64, DT_H5_FIELD(dt_value_quality, model.median_ae)},
    {"r2", NULL, DT_H5_F64, DT_H5_FIELD(dt_value_quality, model.r2)},
    {"explained_variance", NULL, DT_H5_F64,
     DT_H5_FIELD(dt_value_quality, model.explained_variance)},
    {"baseline_rmse", "units of the target", DT_H5_F64,
     DT_H5_FIELD(dt_value_quality, baseline.rmse)},
    {"residual_limit", "units of the target", DT_H5_F64,
     DT_H5_FIELD(dt_value_quality, residual_limit)},
    {"low", "units of the target", DT_H5_F64, DT_H5_FIELD(dt_value_quality, low)},
    {"high", "units of the target", DT_H5_F64, DT_H5_FIELD(dt_value_quality, high)},
};
static const dt_h5_table value_table = DT_H5_TABLE(value_columns, dt_value_quality);

/* A quality that is also a metric has been written as a metric. */
static bool is_metric(const dt_task *task, const char *name)
{
    for (size_t m = 0; m < task->metric_count; m++)
        if (strcmp(task->metrics[m].name, name) == 0)
            return true;
    return false;
}

static dt_status write_qualities(dt_h5 *h5, const char *group, const dt_task *task,
                                 const dt_evaluation *evaluation)
{
    dt_status status = DT_OK;
    for (size_t i = 0; i < task->quality_count; i++) {
        const dt_quality_kind *kind = &task->qualities[i];
        char name[64];
        (void)snprintf(name, sizeof name, "%s_%s", task->baseline, kind->name);
        DT_TRY(dt_h5_set_double(h5, group, name, dt_quality_value(&evaluation->majority, kind)));
        if (!is_metric(task, kind->name))
            DT_TRY(dt_h5_set_double(h5, group, kind->name,
                                    dt_quality_value(&evaluation->model, kind)));
    }
out:
    return status;
}

/* Numbers of rows are written as whole ones. */
static dt_status write_histogram(dt_h5 *h5, const char *path, const dt_evaluation *evaluation,
                                 unsigned dims, const uint64_t *shape, const double *weights,
                                 size_t count)
{
    dt_status status = DT_OK;
    int64_t *rows = NULL;
    if (evaluation->weighted)
        return dt_h5_write_array(h5, path, DT_H5_F64, dims, shape, weights);
    DT_TRY(dt_memory_alloc(&rows, count, sizeof *rows, "histograms"));
    for (size_t i = 0; i < count; i++)
        rows[i] = (int64_t)weights[i];
    DT_TRY(dt_h5_write_array(h5, path, DT_H5_I64, dims, shape, rows));
out:
    dt_memory_free(rows);
    return status;
}

/* Of each target: residuals [T,bins], targets and predictions [T,bins,bins]. */
static dt_status write_histograms(dt_h5 *h5, const char *group, const dt_evaluation *evaluation)
{
    enum { JOINT = DT_JOINT_BINS * DT_JOINT_BINS };
    dt_status status = DT_OK;
    const uint64_t T = evaluation->C;
    const uint64_t shape[3] = {T, DT_JOINT_BINS, DT_JOINT_BINS};
    const uint64_t residual_shape[2] = {T, DT_RESIDUAL_BINS};
    double *residuals = NULL, *joint = NULL;
    char path[PATH_BYTES];
    DT_TRY(dt_memory_alloc(&residuals, T, DT_RESIDUAL_BINS * sizeof *residuals, "histograms"));
    DT_TRY(dt_memory_alloc(&joint, T, JOINT * sizeof *joint, "histograms"));
    for (size_t j = 0; j < T; j++) {
        const dt_value_quality *value = &evaluation->values[j];
        memcpy(residuals + j * DT_RESIDUAL_BINS, value->residuals, sizeof value->residuals);
        memcpy(joint + j * JOINT, value->joint, sizeof value->joint);
    }
    (void)snprintf(path, sizeof path, "%s/residuals", group);
    DT_TRY(
        write_histogram(h5, path, evaluation, 2, residual_shape, residuals, T * DT_RESIDUAL_BINS));
    (void)snprintf(path, sizeof path, "%s/joint", group);
    DT_TRY(write_histogram(h5, path, evaluation, 3, shape, joint, T * JOINT));
out:
    dt_memory_free(residuals);
    dt_memory_free(joint);
    return status;
}

static dt_status write_confusion(dt_h5 *h5, const char *group, const dt_evaluation *evaluation)
{
    dt_status status = DT_OK;
    char path[PATH_BYTES];
    const uint64_t shape[2] = {evaluation->C, evaluation->C};
    (void)snprintf(path, sizeof path, "%s/confusion", group);
    DT_TRY(dt_h5_write_array(h5, path, DT_H5_I64, 2, shape, evaluation->confusion));
    DT_TRY(dt_h5_label_dimension(h5, path, 0, "true class", CLASS_NAMES));
    DT_TRY(dt_h5_label_dimension(h5, path, 1, "predicted class", CLASS_NAMES));
out:
    return status;
}

/* Makes a table in a group. */
static dt_status write_table(dt_h5 *h5, const char *group, const char *name,
                             const dt_h5_table *table, const void *rows, size_t count)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", group, name);
    return dt_h5_write_table(h5, path, table, rows, count);
}

static dt_status write_classes(dt_h5 *h5, const char *group, const dt_evaluation *evaluation)
{
    dt_status status = DT_OK;
    if (evaluation->confusion != NULL)
        DT_TRY(write_confusion(h5, group, evaluation));
    DT_TRY(write_table(h5, group, "classes", &class_table, evaluation->classes, evaluation->C));
    DT_TRY(
        write_table(h5, group, "calibration", &bin_table, evaluation->bins, DT_CALIBRATION_BINS));
    if (evaluation->roc_count > 0)
        DT_TRY(write_table(h5, group, "roc", &roc_table, evaluation->roc, evaluation->roc_count));
    if (evaluation->pr_count > 0)
        DT_TRY(write_table(h5, group, "pr", &pr_table, evaluation->pr, evaluation->pr_count));
out:
    return status;
}

static dt_status write_values(dt_h5 *h5, const char *group, const dt_evaluation *evaluation)
{
    const dt_status status =
        write_table(h5, group, "targets", &value_table, evaluation->values, evaluation->C);
    return status == DT_OK ? write_histograms(h5, group, evaluation) : status;
}

static dt_status write_evaluation(dt_h5 *h5, const dt_task *task, dt_set set,
                                  const dt_metrics *metrics, const dt_evaluation *evaluation)
{
    dt_status status = DT_OK;
    char group[64];
    (void)snprintf(group, sizeof group, "/evaluation/%s", dt_set_name(set));
    DT_TRY(dt_h5_make_group(h5, group));
    DT_TRY(dt_h5_set_int(h5, group, "rows", (int64_t)evaluation->N));
    for (size_t m = 0; m < task->metric_count; m++)
        DT_TRY(dt_h5_set_double(h5, group, task->metrics[m].name,
                                dt_metric_value(metrics, &task->metrics[m])));
    DT_TRY(write_qualities(h5, group, task, evaluation));
    DT_TRY(evaluation->values != NULL ? write_values(h5, group, evaluation)
                                      : write_classes(h5, group, evaluation));
out:
    return status;
}

dt_status dt_run_log_write_result(dt_h5 *h5, const dt_task *task, const dt_result *result,
                                  const dt_rank_row *ranks, size_t rank_count)
{
    dt_status status = DT_OK;
    for (int p = 0; p < DT_SET_COUNT; p++)
        if (result->evaluation[p].N > 0) /* there, and evaluated */
            DT_TRY(
                write_evaluation(h5, task, (dt_set)p, &result->metrics[p], &result->evaluation[p]));
    DT_TRY(dt_h5_make_group(h5, "/summary"));
    DT_TRY(dt_h5_set_int(h5, "/summary", "epochs", result->epochs));
    DT_TRY(dt_h5_set_int(h5, "/summary", "best_epoch", result->best_epoch));
    if (!isnan(result->threshold))
        DT_TRY(dt_h5_set_double(h5, "/summary", "threshold", result->threshold));
    DT_TRY(dt_h5_set_int(h5, "/summary", "weights_crc", result->weights_crc));
    DT_TRY(dt_h5_set_double(h5, "/summary", "samples_per_second", result->samples_per_second));
    DT_TRY(dt_h5_set_text(h5, "/summary", "reduce", result->reduce));
    DT_TRY(dt_h5_write_table(h5, "/ranks", &rank_table, ranks, rank_count));
out:
    return status;
}
