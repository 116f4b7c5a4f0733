#include "epoch_table.h"

#include "dtrain/base/crc32.h"
#include "dtrain/base/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char path[] = "/epochs";

enum { METRICS_MAX = 8, COLUMNS_MAX = 6 + 2 * METRICS_MAX, NAME_BYTES = 32 };

/* One row, as it stands in the file. No padding: its bytes have a CRC. */
typedef struct epoch_row {
    int64_t epoch;
    double train[METRICS_MAX], validation[METRICS_MAX]; /* in the order of the task's metrics */
    double learning_rate, seconds, samples_per_second;
    uint32_t weights_crc;
    int32_t improved;
} epoch_row;

static const dt_task *const task = &dt_classification;

/* The table's columns. */
typedef struct layout {
    size_t count;
    dt_h5_column columns[COLUMNS_MAX];
    char names[2 * METRICS_MAX][NAME_BYTES];
} layout;

static void add_metrics(layout *out, const char *prefix, size_t offset)
{
    for (size_t m = 0; m < task->metric_count; m++) {
        const dt_metric *metric = &task->metrics[m];
        char *name = out->names[out->count - 1]; /* the epoch's is not there */
        (void)snprintf(name, NAME_BYTES, "%s_%s", prefix, metric->name);
        out->columns[out->count++] =
            (dt_h5_column){name, metric->unit, DT_H5_F64, offset + m * sizeof(double), 0};
    }
}

static void lay_out(layout *out)
{
    static const dt_h5_column first = {"epoch", NULL, DT_H5_I64, offsetof(epoch_row, epoch), 0};
    static const dt_h5_column rest[] = {
        {"learning_rate", NULL, DT_H5_F64, offsetof(epoch_row, learning_rate), 0},
        {"seconds", "s", DT_H5_F64, offsetof(epoch_row, seconds), 0},
        {"samples_per_second", "rows/s", DT_H5_F64, offsetof(epoch_row, samples_per_second), 0},
        {"weights_crc", NULL, DT_H5_U32, offsetof(epoch_row, weights_crc), 0},
        {"improved", NULL, DT_H5_I32, offsetof(epoch_row, improved), 0},
    };
    DT_ASSERT(task->metric_count <= METRICS_MAX);
    out->columns[0] = first;
    out->count = 1;
    add_metrics(out, "train", offsetof(epoch_row, train));
    add_metrics(out, "val", offsetof(epoch_row, validation));
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        out->columns[out->count++] = rest[i];
}

static epoch_row row_of(const dt_epoch *epoch)
{
    epoch_row row = {
        .epoch = epoch->epoch,
        .learning_rate = epoch->learning_rate,
        .seconds = epoch->seconds,
        .samples_per_second = epoch->samples_per_second,
        .weights_crc = epoch->weights_crc,
        .improved = epoch->improved,
    };
    for (size_t m = 0; m < task->metric_count; m++) {
        row.train[m] = dt_metric_value(&epoch->train, &task->metrics[m]);
        row.validation[m] = dt_metric_value(&epoch->validation, &task->metrics[m]);
    }
    return row;
}

static dt_epoch epoch_of(const epoch_row *row)
{
    dt_epoch epoch = {
        .epoch = row->epoch,
        .train = dt_metrics_none(),
        .validation = dt_metrics_none(),
        .learning_rate = row->learning_rate,
        .seconds = row->seconds,
        .samples_per_second = row->samples_per_second,
        .weights_crc = row->weights_crc,
        .improved = row->improved != 0,
    };
    for (size_t m = 0; m < task->metric_count; m++) {
        dt_metric_set(&epoch.train, &task->metrics[m], row->train[m]);
        dt_metric_set(&epoch.validation, &task->metrics[m], row->validation[m]);
    }
    return epoch;
}

DT_MUST_USE static dt_status make_rows(epoch_row **out, const dt_epoch *epochs, size_t count)
{
    dt_status status = dt_memory_alloc(out, count, sizeof **out, "epochs");
    for (size_t i = 0; status == DT_OK && i < count; i++)
        (*out)[i] = row_of(&epochs[i]);
    return status;
}

dt_status dt_epoch_table_make(dt_h5 *h5)
{
    layout table;
    lay_out(&table);
    return dt_h5_make_table(h5, path, table.columns, table.count, sizeof(epoch_row));
}

dt_status dt_epoch_table_append(dt_h5 *h5, const dt_epoch *epochs, size_t count)
{
    dt_status status = DT_OK;
    epoch_row *rows = NULL;
    layout table;
    lay_out(&table);
    DT_TRY(make_rows(&rows, epochs, count));
    DT_TRY(dt_h5_append_rows(h5, path, table.columns, table.count, sizeof *rows, rows, count));
out:
    dt_memory_free(rows);
    return status;
}

/* Reads a column into the rows. */
DT_MUST_USE static dt_status read_column(epoch_row *rows, size_t count, const dt_h5_column *column,
                                         dt_h5 *h5)
{
    dt_status status = DT_OK;
    char *at = (char *)rows + column->offset;
    double *fractions = NULL;
    int64_t *wholes = NULL;
    const dt_h5_type type = column->type;
    if (type == DT_H5_F64) {
        DT_TRY(dt_memory_alloc(&fractions, count, sizeof *fractions, "epochs"));
        DT_TRY(dt_h5_read_column_f64(h5, path, column->name, fractions, count));
    } else {
        DT_TRY(dt_memory_alloc(&wholes, count, sizeof *wholes, "epochs"));
        DT_TRY(dt_h5_read_column_i64(h5, path, column->name, wholes, count));
    }
    for (size_t i = 0; i < count; i++, at += sizeof *rows) {
        if (type == DT_H5_F64)
            memcpy(at, &fractions[i], sizeof *fractions);
        else if (type == DT_H5_I64)
            memcpy(at, &wholes[i], sizeof *wholes);
        else
            memcpy(at, &(uint32_t){(uint32_t)wholes[i]}, sizeof(uint32_t));
    }
out:
    dt_memory_free(fractions);
    dt_memory_free(wholes);
    return status;
}

dt_status dt_epoch_table_read(dt_epoch **out, size_t *count, dt_h5 *h5)
{
    dt_status status = DT_OK;
    dt_h5_shape shape;
    epoch_row *rows = NULL;
    layout table;
    *out = NULL;
    *count = 0;
    lay_out(&table);
    DT_TRY(dt_h5_describe(&shape, h5, path));
    const size_t found = (size_t)shape.count;
    DT_TRY(dt_memory_alloc(&rows, found, sizeof *rows, "epochs"));
    for (size_t c = 0; found > 0 && c < table.count; c++)
        DT_TRY(read_column(rows, found, &table.columns[c], h5));
    DT_TRY(dt_memory_alloc(out, found, sizeof **out, "epochs"));
    for (size_t i = 0; i < found; i++)
        (*out)[i] = epoch_of(&rows[i]);
    *count = found;
out:
    dt_memory_free(rows);
    return status;
}

dt_status dt_epoch_table_crc(uint32_t *out, const dt_epoch *epochs, size_t count)
{
    epoch_row *rows = NULL;
    dt_status status = make_rows(&rows, epochs, count);
    *out = status == DT_OK ? dt_crc32(0, rows, count * sizeof *rows) : 0;
    dt_memory_free(rows);
    return status;
}
