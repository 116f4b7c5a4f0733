#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/report/text_table.h"
#include "report_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME_WIDTH = 32, CELL_WIDTH = 40 };

/* ---- grids: tables cut into as many as the width takes ---- */

typedef struct grid {
    size_t rows, columns; /* the names' column is not counted */
    char **cells; /* [rows + 1, columns + 1]; the first row is the titles, the first column names */
} grid;

DT_MUST_USE static dt_status grid_init(grid *out, size_t rows, size_t columns)
{
    *out = (grid){.rows = rows, .columns = columns};
    return dt_memory_alloc(&out->cells, (rows + 1) * (columns + 1), sizeof *out->cells,
                           "cells of a table");
}

static void grid_clear(grid *g)
{
    for (size_t i = 0; g->cells != NULL && i < (g->rows + 1) * (g->columns + 1); i++)
        dt_memory_free(g->cells[i]);
    dt_memory_free(g->cells);
}

static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

/* The end of a name tells more than its beginning, so it is the middle that is left out. */
static void shorten(char *text, size_t width)
{
    static const char dots[] = "...";
    const size_t length = strlen(text);
    if (width_of(text) <= width)
        return;
    size_t head = width / 2 - 2, tail = length - (width - head - 3);
    while (head > 0 && ((unsigned char)text[head] & 0xc0) == 0x80)
        head--;
    while (tail < length && ((unsigned char)text[tail] & 0xc0) == 0x80)
        tail++;
    memmove(text + head + 3, text + tail, length - tail + 1);
    memcpy(text + head, dots, 3);
}

DT_MUST_USE static dt_status grid_set(grid *g, size_t row, size_t column, const char *text)
{
    char shown[DT_TEXT_TABLE_CELL_BYTES];
    (void)dt_text_table_printable(shown, sizeof shown, text[0] != '\0' ? text : "-");
    shorten(shown, column == 0 ? NAME_WIDTH : CELL_WIDTH);
    return dt_memory_copy_text(&g->cells[row * (g->columns + 1) + column], shown);
}

static size_t column_width(const grid *g, size_t column)
{
    size_t widest = 0;
    for (size_t row = 0; row <= g->rows; row++) {
        const size_t width = width_of(g->cells[row * (g->columns + 1) + column]);
        widest = width > widest ? width : widest;
    }
    return widest;
}

DT_MUST_USE static dt_status print_columns(const grid *g, size_t from, size_t to)
{
    char titles[DT_TEXT_TABLE_COLUMNS_MAX][DT_TEXT_TABLE_CELL_BYTES + 2];
    dt_text_table table = {.columns = 1 + to - from, .titles = {g->cells[0]}};
    for (size_t c = from; c < to; c++) {
        (void)snprintf(titles[c - from], sizeof titles[0], ">%s", g->cells[c]);
        table.titles[1 + c - from] = titles[c - from];
    }
    for (size_t row = 1; row <= g->rows; row++) {
        char **cells = g->cells + row * (g->columns + 1);
        dt_text_table_add(&table, "%s", cells[0]);
        for (size_t c = from; c < to; c++)
            dt_text_table_add(&table, "%s", cells[c]);
    }
    return dt_text_table_print(&table);
}

/* Ends with a blank line. */
DT_MUST_USE static dt_status grid_print(const grid *g, size_t width)
{
    dt_status status = DT_OK;
    const size_t names = column_width(g, 0);
    for (size_t from = 1; from <= g->columns;) {
        size_t to = from, used = names;
        while (to <= g->columns && to - from < DT_TEXT_TABLE_COLUMNS_MAX - 1) {
            used += 2 + column_width(g, to);
            if (used > width && to > from)
                break;
            to++;
        }
        DT_TRY(print_columns(g, from, to));
        dt_log_result("\n");
        from = to;
    }
out:
    return status;
}

/* ---- runs side by side ---- */

typedef struct titled_key {
    const char *key, *title;
} titled_key;

/* Keys that begin with # are of `set`. */
DT_MUST_USE static dt_status print_results(dt_report_run *const *runs, size_t count, int set,
                                           const char *title, const titled_key *keys,
                                           size_t key_count, size_t width)
{
    dt_status status = DT_OK;
    grid g = {0};
    char key[64], cell[64];
    DT_TRY(grid_init(&g, count, key_count));
    DT_TRY(grid_set(&g, 0, 0, title));
    for (size_t k = 0; k < key_count; k++) {
        DT_TRY(grid_set(&g, 0, k + 1, keys[k].title));
        (void)dt_report_key_of(key, sizeof key, keys[k].key, set);
        for (size_t i = 0; i < count; i++) {
            const bool is_status = strcmp(key, "status") == 0;
            const double value = is_status ? 0.0 : dt_report_value(runs[i], key);
            DT_TRY(grid_set(&g, i + 1, k + 1,
                            is_status ? runs[i]->status
                                      : dt_report_format(cell, sizeof cell, key, value)));
        }
    }
    for (size_t i = 0; i < count; i++)
        DT_TRY(grid_set(&g, i + 1, 0, runs[i]->name));
    DT_TRY(grid_print(&g, width));
out:
    grid_clear(&g);
    return status;
}
#define PRINT_RESULTS(runs, count, set, title, keys, width)                                        \
    print_results(runs, count, set, title, keys, sizeof(keys) / sizeof *(keys), width)

DT_MUST_USE static dt_status print_differences(dt_report_run *const *runs, size_t count,
                                               size_t width)
{
    dt_status status = DT_OK;
    dt_report_difference *differences = NULL;
    size_t found = 0;
    grid g = {0};
    DT_TRY(dt_report_differences(&differences, &found, runs, count));
    if (found == 0) {
        dt_log_result("no difference in options, data or machine\n\n");
        goto out;
    }
    DT_TRY(grid_init(&g, count, found));
    DT_TRY(grid_set(&g, 0, 0, "what differs"));
    for (size_t d = 0; d < found; d++)
        DT_TRY(grid_set(&g, 0, d + 1, differences[d].title));
    for (size_t i = 0; i < count; i++) {
        DT_TRY(grid_set(&g, i + 1, 0, runs[i]->name));
        for (size_t d = 0; d < found; d++)
            DT_TRY(grid_set(&g, i + 1, d + 1, dt_report_difference_text(runs[i], &differences[d])));
    }
    DT_TRY(grid_print(&g, width));
out:
    grid_clear(&g);
    dt_memory_free(differences);
    return status;
}

static const titled_key course[] = {
    {"status", "status"},           {"epochs", "epochs"}, {"best_epoch", "best"},
    {"seconds", "seconds"},         {"ranks", "ranks"},   {"samples_per_second", "samples/s"},
    {"weights_crc", "weights CRC"},
};
static const titled_key reached[] = {
    {"train_loss", "train loss"},     {"val_loss", "val loss"},     {"test_loss", "test loss"},
    {"train_accuracy", "train acc."}, {"val_accuracy", "val acc."}, {"test_accuracy", "test acc."},
};
static const titled_key qualities[] = {
    {"#_majority_accuracy", "majority acc."},
    {"#_roc_auc", "ROC-AUC"},
    {"#_pr_auc", "PR-AUC"},
    {"#_f1", "F1"},
    {"#_log_loss", "log loss"},
    {"#_calibration_error", "calib. error"},
};

static void report_unfinished(dt_report_run *const *runs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char name[DT_TEXT_TABLE_CELL_BYTES];
        if (runs[i]->epochs.rows == 0)
            dt_log_result("%s: no epochs%s\n",
                          dt_text_table_printable(name, sizeof name, runs[i]->name),
                          strcmp(runs[i]->status, "running") == 0 ? " yet" : "");
        else if (strcmp(runs[i]->status, "running") == 0)
            dt_log_result("%s: under way, or killed; val loss and accuracy are its best epoch's\n",
                          dt_text_table_printable(name, sizeof name, runs[i]->name));
    }
}

dt_status dt_report_print(dt_report_run *const *runs, size_t count, size_t width)
{
    dt_status status = DT_OK;
    const int set = dt_report_best_set(runs, count);
    char title[64];
    DT_TRY(print_differences(runs, count, width));
    DT_TRY(PRINT_RESULTS(runs, count, set, "loss, accuracy", reached, width));
    if (set >= 0) {
        (void)snprintf(title, sizeof title, "on the %s set", dt_report_set_name(set));
        DT_TRY(PRINT_RESULTS(runs, count, set, title, qualities, width));
    }
    DT_TRY(PRINT_RESULTS(runs, count, set, "course", course, width));
    report_unfinished(runs, count);
out:
    return status;
}
