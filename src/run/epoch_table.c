#include "epoch_table.h"

#include "dtrain/base/crc32.h"
#include "dtrain/base/memory.h"

#include <stdbool.h>
#include <string.h>

static const char path[] = "/epochs";

/* One row, as it stands in the file. No padding: its bytes have a CRC. */
typedef struct epoch_row {
    int64_t epoch;
    double train_loss, train_accuracy, val_loss, val_accuracy;
    double learning_rate, seconds, samples_per_second;
    uint32_t weights_crc;
    int32_t improved;
} epoch_row;

static const dt_h5_column columns[] = {
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
enum { COLUMNS = sizeof columns / sizeof *columns };

static epoch_row row_of(const dt_epoch *epoch)
{
    return (epoch_row){
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
}

static dt_epoch epoch_of(const epoch_row *row)
{
    return (dt_epoch){
        .epoch = row->epoch,
        .train = {.loss = row->train_loss, .accuracy = row->train_accuracy},
        .validation = {.loss = row->val_loss, .accuracy = row->val_accuracy},
        .learning_rate = row->learning_rate,
        .seconds = row->seconds,
        .samples_per_second = row->samples_per_second,
        .weights_crc = row->weights_crc,
        .improved = row->improved != 0,
    };
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
    return dt_h5_make_table(h5, path, columns, COLUMNS, sizeof(epoch_row));
}

dt_status dt_epoch_table_append(dt_h5 *h5, const dt_epoch *epochs, size_t count)
{
    dt_status status = DT_OK;
    epoch_row *rows = NULL;
    DT_TRY(make_rows(&rows, epochs, count));
    DT_TRY(dt_h5_append_rows(h5, path, columns, COLUMNS, sizeof *rows, rows, count));
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
    *out = NULL;
    *count = 0;
    DT_TRY(dt_h5_describe(&shape, h5, path));
    const size_t found = (size_t)shape.count;
    DT_TRY(dt_memory_alloc(&rows, found, sizeof *rows, "epochs"));
    for (size_t c = 0; found > 0 && c < COLUMNS; c++)
        DT_TRY(read_column(rows, found, &columns[c], h5));
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
