#include "dtrain/train/run_log.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/comm/comm.h"
#include "dtrain/io/crc32.h"
#include "dtrain/io/h5.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FORMAT_VERSION = 1 };
#define SECONDS_BETWEEN_WRITES 2.0
#define COLUMNS(table) (sizeof(table) / sizeof *(table))

struct dt_run_log {
    dt_h5 *h5;
    char *path;
    double written_s; /* when the file was last written */
    bool warned;
};

/* One row of /epochs, as it stands in the file. */
typedef struct epoch_row {
    int64_t epoch;
    double train_loss, train_accuracy, val_loss, val_accuracy;
    double learning_rate, seconds, samples_per_second;
    uint32_t weights_crc;
    int32_t improved;
} epoch_row;

static const dt_h5_column epoch_columns[] = {
    {"epoch", NULL, DT_H5_I64, offsetof(epoch_row, epoch), 0},
    {"train_loss", "nats per row", DT_H5_F64, offsetof(epoch_row, train_loss), 0},
    {"train_accuracy", "share of rows", DT_H5_F64, offsetof(epoch_row, train_accuracy), 0},
    {"val_loss", "nats per row", DT_H5_F64, offsetof(epoch_row, val_loss), 0},
    {"val_accuracy", "share of rows", DT_H5_F64, offsetof(epoch_row, val_accuracy), 0},
    {"learning_rate", NULL, DT_H5_F64, offsetof(epoch_row, learning_rate), 0},
    {"seconds", "s", DT_H5_F64, offsetof(epoch_row, seconds), 0},
    {"samples_per_second", "rows/s", DT_H5_F64, offsetof(epoch_row, samples_per_second), 0},
    {"weights_crc", NULL, DT_H5_U32, offsetof(epoch_row, weights_crc), 0},
    {"improved", NULL, DT_H5_I32, offsetof(epoch_row, improved), 0},
};
enum { EPOCH_COLUMNS = COLUMNS(epoch_columns) };

#define PHASE_OFFSET(phase)                                                                        \
    (offsetof(dt_rank_row, phases) + offsetof(dt_phases, seconds) + (phase) * sizeof(double))

static const dt_h5_column rank_columns[] = {
    {"rank", NULL, DT_H5_I64, offsetof(dt_rank_row, rank), 0},
    {"host", NULL, DT_H5_TEXT, offsetof(dt_rank_row, host), DT_HOST_BYTES},
    {"rows", "training rows", DT_H5_I64, offsetof(dt_rank_row, rows), 0},
    {"load_s", "s", DT_H5_F64, PHASE_OFFSET(DT_PHASE_LOAD), 0},
    {"forward_s", "s", DT_H5_F64, PHASE_OFFSET(DT_PHASE_FORWARD), 0},
    {"backward_s", "s", DT_H5_F64, PHASE_OFFSET(DT_PHASE_BACKWARD), 0},
    {"allreduce_s", "s", DT_H5_F64, PHASE_OFFSET(DT_PHASE_ALLREDUCE), 0},
    {"update_s", "s", DT_H5_F64, PHASE_OFFSET(DT_PHASE_UPDATE), 0},
    {"validate_s", "s", DT_H5_F64, PHASE_OFFSET(DT_PHASE_VALIDATE), 0},
};
enum { RANK_COLUMNS = COLUMNS(rank_columns) };

/* ---- what is known at the start ---- */

static dt_status write_config(dt_h5 *h5, const dt_settings *settings)
{
    dt_status status = DT_OK;
    const dt_option_table *table = dt_settings_table();
    DT_TRY(dt_h5_make_group(h5, "/config"));
    for (size_t i = 0; i < table->count; i++) {
        const dt_option *option = &table->options[i];
        const void *value = (const char *)settings + option->offset;
        char name[64], text[DT_OPTION_TEXT_BYTES];
        (void)snprintf(name, sizeof name, "%s", option->name);
        for (char *c = name; *c != '\0'; c++)
            *c = *c == '-' ? '_' : *c;
        if (option->kind == DT_OPTION_INT)
            DT_TRY(dt_h5_set_int(h5, "/config", name, *(const int64_t *)value));
        else if (option->kind == DT_OPTION_FLAG)
            DT_TRY(dt_h5_set_int(h5, "/config", name, *(const bool *)value));
        else if (option->kind == DT_OPTION_FLOAT)
            DT_TRY(dt_h5_set_double(h5, "/config", name, *(const double *)value));
        else
            DT_TRY(dt_h5_set_text(h5, "/config", name,
                                  dt_options_format(text, sizeof text, option, settings)));
    }
    const char *data[DT_DATA_MAX];
    for (int i = 0; i < settings->data_count; i++)
        data[i] = settings->data[i];
    DT_TRY(dt_h5_set_texts(h5, "/config", "data", data, (size_t)settings->data_count));
out:
    return status;
}

static dt_status write_environment(dt_h5 *h5, const dt_environment *environment,
                                   const char *command_line)
{
    const char *pinned = getenv("OPENBLAS_CORETYPE");
    const char *job = getenv("SLURM_JOB_ID");
    char started[32] = "";
    const time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc) != NULL)
        (void)strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", &utc);
    const struct {
        const char *name, *text;
    } texts[] = {
        {"dtrain_version", DTRAIN_VERSION},
        {"started", started},
        {"command_line", command_line},
        {"host", environment->launch.host},
        {"cpu", environment->cpu},
        {"blas", environment->blas},
        {"blas_kernels", environment->kernels},
        {"openblas_coretype", pinned != NULL ? pinned : ""},
        {"mpi", dt_comm_library()},
        {"hdf5", dt_h5_version()},
        {"zlib", dt_zlib_version()},
        {"slurm_job_id", job != NULL ? job : ""},
    };
    dt_status status = DT_OK;
    DT_TRY(dt_h5_make_group(h5, "/environment"));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        DT_TRY(dt_h5_set_text(h5, "/environment", texts[i].name, texts[i].text));
    DT_TRY(dt_h5_set_int(h5, "/environment", "ranks", environment->ranks));
    DT_TRY(dt_h5_set_int(h5, "/environment", "hosts", environment->launch.host_count));
    DT_TRY(dt_h5_set_int(h5, "/environment", "host_cpus", environment->launch.host_cpus));
    DT_TRY(dt_h5_set_int(h5, "/environment", "blas_threads", environment->threads));
out:
    return status;
}

static dt_status write_shapes(dt_h5 *h5, const dt_dataset sets[DT_PART_COUNT],
                              const dt_network *network)
{
    dt_status status = DT_OK;
    DT_TRY(dt_h5_set_int(h5, "/", "format_version", FORMAT_VERSION));
    DT_TRY(dt_h5_make_group(h5, "/data"));
    DT_TRY(dt_h5_set_int(h5, "/data", "inputs", (int64_t)network->D));
    DT_TRY(dt_h5_set_int(h5, "/data", "classes", (int64_t)network->C));
    DT_TRY(dt_h5_set_int(h5, "/data", "parameters", (int64_t)network->P));
    for (int p = 0; p < DT_PART_COUNT; p++) {
        char path[64];
        const uint64_t C = sets[p].C;
        (void)snprintf(path, sizeof path, "%s_rows", dt_part_name((dt_part)p));
        DT_TRY(dt_h5_set_int(h5, "/data", path, (int64_t)sets[p].N));
        (void)snprintf(path, sizeof path, "/data/%s_class_rows", dt_part_name((dt_part)p));
        DT_TRY(dt_h5_write_array(h5, path, DT_H5_I64, 1, &C, sets[p].class_rows));
    }
out:
    return status;
}

static dt_status write_file(dt_run_log *log)
{
    dt_status status = dt_h5_save(log->h5, log->path);
    log->written_s = dt_clock_s();
    return status;
}

dt_status dt_run_log_open(dt_run_log **out, const char *path, const dt_settings *settings,
                          const dt_environment *environment, const dt_dataset sets[DT_PART_COUNT],
                          const dt_network *network, const char *command_line)
{
    dt_status status = DT_OK;
    dt_run_log *log = NULL;
    *out = NULL;
    DT_TRY(dt_memory_alloc(&log, 1, sizeof *log, "run log"));
    DT_TRY(dt_memory_copy_text(&log->path, path));
    DT_TRY(dt_h5_new(&log->h5));
    DT_TRY(write_shapes(log->h5, sets, network));
    DT_TRY(write_config(log->h5, settings));
    DT_TRY(write_environment(log->h5, environment, command_line));
    DT_TRY(dt_h5_make_table(log->h5, "/epochs", epoch_columns, EPOCH_COLUMNS, sizeof(epoch_row)));
    DT_TRY(dt_h5_set_text(log->h5, "/", "status", "running"));
    DT_TRY(write_file(log));
    *out = log;
out:
    if (status != DT_OK && log != NULL) {
        dt_h5_free(log->h5);
        dt_memory_free(log->path);
        dt_memory_free(log);
    }
    return status;
}

void dt_run_log_add_epoch(dt_run_log *log, const dt_epoch *epoch)
{
    const epoch_row row = {
        .epoch = epoch->epoch,
        .train_loss = epoch->train.loss,
        .train_accuracy = epoch->train.accuracy,
        .val_loss = epoch->validation.loss,
        .val_accuracy = epoch->validation.accuracy,
        .learning_rate = epoch->learning_rate,
        .seconds = epoch->seconds,
        .samples_per_second = epoch->samples_per_second,
        .weights_crc = epoch->weights_crc,
        .improved = epoch->improved,
    };
    dt_status status =
        dt_h5_append_rows(log->h5, "/epochs", epoch_columns, EPOCH_COLUMNS, sizeof row, &row, 1);
    if (status == DT_OK && dt_clock_s() - log->written_s >= SECONDS_BETWEEN_WRITES)
        status = write_file(log);
    if (status != DT_OK && !log->warned) {
        dt_log_warn("%s; training goes on, and the log is tried again", dt_status_text());
        log->warned = true;
    }
}

/* ---- what is known at the end ---- */

static const dt_h5_column class_columns[] = {
    {"class", NULL, DT_H5_I64, offsetof(dt_class_quality, label), 0},
    {"rows", NULL, DT_H5_I64, offsetof(dt_class_quality, rows), 0},
    {"predicted", NULL, DT_H5_I64, offsetof(dt_class_quality, predicted), 0},
    {"precision", NULL, DT_H5_F64, offsetof(dt_class_quality, precision), 0},
    {"recall", NULL, DT_H5_F64, offsetof(dt_class_quality, recall), 0},
    {"f1", NULL, DT_H5_F64, offsetof(dt_class_quality, f1), 0},
    {"roc_auc", NULL, DT_H5_F64, offsetof(dt_class_quality, roc_auc), 0},
    {"pr_auc", NULL, DT_H5_F64, offsetof(dt_class_quality, pr_auc), 0},
};

static const dt_h5_column bin_columns[] = {
    {"lower", NULL, DT_H5_F64, offsetof(dt_calibration_bin, lower), 0},
    {"upper", NULL, DT_H5_F64, offsetof(dt_calibration_bin, upper), 0},
    {"rows", NULL, DT_H5_I64, offsetof(dt_calibration_bin, rows), 0},
    {"confidence", NULL, DT_H5_F64, offsetof(dt_calibration_bin, confidence), 0},
    {"accuracy", "share of rows", DT_H5_F64, offsetof(dt_calibration_bin, accuracy), 0},
};

static const dt_h5_column roc_columns[] = {
    {"fpr", "share of class 0's rows", DT_H5_F64, offsetof(dt_roc_point, fpr), 0},
    {"tpr", "share of class 1's rows", DT_H5_F64, offsetof(dt_roc_point, tpr), 0},
    {"threshold", NULL, DT_H5_F64, offsetof(dt_roc_point, threshold), 0},
};

static dt_status write_table(dt_h5 *h5, const char *group, const char *name,
                             const dt_h5_column *columns, size_t column_count, size_t row_bytes,
                             const void *rows, size_t row_count)
{
    dt_status status = DT_OK;
    char path[96];
    (void)snprintf(path, sizeof path, "%s/%s", group, name);
    DT_TRY(dt_h5_make_table(h5, path, columns, column_count, row_bytes));
    DT_TRY(dt_h5_append_rows(h5, path, columns, column_count, row_bytes, rows, row_count));
out:
    return status;
}

static dt_status write_qualities(dt_h5 *h5, const char *group, const dt_evaluation *evaluation)
{
    const dt_quality *model = &evaluation->model, *majority = &evaluation->majority;
    const struct {
        const char *name;
        double model, majority;
    } qualities[] = {
        {"log_loss", model->log_loss, majority->log_loss},
        {"brier", model->brier, majority->brier},
        {"calibration_error", model->calibration_error, majority->calibration_error},
        {"roc_auc", model->roc_auc, majority->roc_auc},
        {"pr_auc", model->pr_auc, majority->pr_auc},
        {"precision", model->precision, majority->precision},
        {"recall", model->recall, majority->recall},
        {"f1", model->f1, majority->f1},
    };
    dt_status status = DT_OK;
    for (size_t i = 0; i < sizeof qualities / sizeof *qualities; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "majority_%s", qualities[i].name);
        DT_TRY(dt_h5_set_double(h5, group, qualities[i].name, qualities[i].model));
        DT_TRY(dt_h5_set_double(h5, group, name, qualities[i].majority));
    }
out:
    return status;
}

static dt_status write_evaluation(dt_h5 *h5, dt_part part, const dt_metrics *metrics,
                                  const dt_evaluation *evaluation)
{
    dt_status status = DT_OK;
    const uint64_t shape[2] = {evaluation->C, evaluation->C};
    char group[64], path[96];
    (void)snprintf(group, sizeof group, "/evaluation/%s", dt_part_name(part));
    (void)snprintf(path, sizeof path, "%s/confusion", group);
    DT_TRY(dt_h5_make_group(h5, group));
    DT_TRY(dt_h5_set_int(h5, group, "rows", (int64_t)evaluation->N));
    DT_TRY(dt_h5_set_double(h5, group, "loss", metrics->loss));
    DT_TRY(dt_h5_set_double(h5, group, "accuracy", metrics->accuracy));
    DT_TRY(dt_h5_set_double(h5, group, "majority_accuracy", evaluation->majority.accuracy));
    DT_TRY(write_qualities(h5, group, evaluation));
    if (evaluation->confusion != NULL)
        DT_TRY(dt_h5_write_array(h5, path, DT_H5_I64, 2, shape, evaluation->confusion));
    DT_TRY(write_table(h5, group, "classes", class_columns, COLUMNS(class_columns),
                       sizeof *evaluation->classes, evaluation->classes, evaluation->C));
    DT_TRY(write_table(h5, group, "calibration", bin_columns, COLUMNS(bin_columns),
                       sizeof *evaluation->bins, evaluation->bins, DT_CALIBRATION_BINS));
    if (evaluation->roc_count > 0)
        DT_TRY(write_table(h5, group, "roc", roc_columns, COLUMNS(roc_columns),
                           sizeof *evaluation->roc, evaluation->roc, evaluation->roc_count));
out:
    return status;
}

dt_status dt_run_log_add_result(dt_run_log *log, const dt_result *result, const dt_rank_row *ranks,
                                size_t rank_count)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = log->h5;
    for (int p = 0; p < DT_PART_COUNT; p++)
        if (result->evaluation[p].N > 0) /* there, and evaluated */
            DT_TRY(write_evaluation(h5, (dt_part)p, &result->metrics[p], &result->evaluation[p]));
    DT_TRY(dt_h5_make_group(h5, "/summary"));
    DT_TRY(dt_h5_set_int(h5, "/summary", "epochs", result->epochs));
    DT_TRY(dt_h5_set_int(h5, "/summary", "best_epoch", result->best_epoch));
    DT_TRY(dt_h5_set_int(h5, "/summary", "weights_crc", result->weights_crc));
    DT_TRY(dt_h5_set_double(h5, "/summary", "samples_per_second", result->samples_per_second));
    DT_TRY(dt_h5_make_table(h5, "/ranks", rank_columns, RANK_COLUMNS, sizeof *ranks));
    DT_TRY(dt_h5_append_rows(h5, "/ranks", rank_columns, RANK_COLUMNS, sizeof *ranks, ranks,
                             rank_count));
out:
    return status;
}

dt_status dt_run_log_close(dt_run_log *log, const char *run_status)
{
    if (log == NULL)
        return DT_OK;
    dt_status status = dt_h5_set_text(log->h5, "/", "status", run_status);
    if (status == DT_OK)
        status = write_file(log);
    dt_h5_free(log->h5);
    dt_memory_free(log->path);
    dt_memory_free(log);
    return status;
}
