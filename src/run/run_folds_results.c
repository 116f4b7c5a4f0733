/* The results of the folds: a table in the terminal, /folds and /fold_scores in the log. */
#include "run_folds.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/run/run_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SETS = 2, SCORES_MAX = 24, NAME_BYTES = 48, FIXED_COLUMNS = 9 };

/* The sets that a fold's model is evaluated on without having been trained on them. */
static const dt_set judged[SETS] = {DT_VALIDATION, DT_TEST};
static const char *const prefixes[SETS] = {"val", "test"};

/* A row of /folds. */
typedef struct fold_row {
    dt_part part;
    int64_t repeat, fold, rows, epochs;
    double scores[SETS][SCORES_MAX];
} fold_row;

/* The names of the numbers of a task: its metrics and its qualities. */
typedef struct score_names {
    size_t count;
    const char *names[SCORES_MAX], *units[SCORES_MAX];
    bool shown[SCORES_MAX];
} score_names;

static void add_name(score_names *out, const char *name, const char *unit, bool shown)
{
    for (size_t i = 0; i < out->count; i++)
        if (strcmp(out->names[i], name) == 0) {
            out->shown[i] = out->shown[i] || shown;
            return;
        }
    DT_ASSERT(out->count < SCORES_MAX);
    out->names[out->count] = name;
    out->units[out->count] = unit;
    out->shown[out->count++] = shown;
}

/* Shows the numbers that are most used to compare models of the task, and the monitored one. */
static score_names names_of(const dt_settings *s)
{
    score_names out = {0};
    const dt_task *task = dt_settings_task(s);
    const char *monitored = dt_settings_monitor(s)->name;
    for (size_t m = 0; m < task->metric_count; m++)
        add_name(&out, task->metrics[m].name, task->metrics[m].unit, true);
    for (size_t q = 0; q < task->quality_count; q++) {
        const char *name = task->qualities[q].name;
        add_name(&out, name, task->qualities[q].unit,
                 strcmp(name, task->classes ? "roc_auc" : "r2") == 0 ||
                     strcmp(name, monitored) == 0);
    }
    return out;
}

/* ---- reading the folds' logs ---- */

DT_MUST_USE static dt_status read_scores(fold_row *row, dt_h5 *h5, const score_names *names)
{
    dt_status status = DT_OK;
    for (int p = 0; p < SETS; p++) {
        char group[64];
        (void)snprintf(group, sizeof group, "/evaluation/%s", dt_set_name(judged[p]));
        if (dt_h5_has(h5, group) != DT_H5_GROUP) /* no test set */
            continue;
        for (size_t i = 0; i < names->count; i++)
            if (dt_h5_has_attribute(h5, group, names->names[i]))
                DT_TRY(dt_h5_get_double(&row->scores[p][i], h5, group, names->names[i]));
    }
    DT_TRY(dt_h5_get_int(&row->epochs, h5, "/summary", "epochs"));
out:
    return status;
}

DT_MUST_USE static dt_status read_row(fold_row *row, const dt_run *whole, const dt_part *part,
                                      const score_names *names)
{
    dt_status status = DT_OK;
    const int64_t K = whole->settings.folds;
    dt_h5 *h5 = NULL;
    char folder[PATH_BYTES];
    *row = (fold_row){
        .part = *part, .repeat = (part->number - 1) / K + 1, .fold = (part->number - 1) % K + 1};
    for (int p = 0; p < SETS; p++)
        for (size_t i = 0; i < SCORES_MAX; i++)
            row->scores[p][i] = NAN;
    DT_TRY(dt_run_file_open(&h5, dt_run_part_folder(folder, whole, part->number)));
    DT_TRY(dt_h5_get_int(&row->rows, h5, "/data", "validation_rows"));
    if (strcmp(part->status, "ok") == 0)
        DT_TRY(read_scores(row, h5, names));
out:
    dt_h5_free(h5);
    return status;
}

/* ---- mean and deviation ---- */

static dt_fold_score spread(const fold_row *rows, int64_t count, int p, size_t i)
{
    dt_fold_score out = {0};
    double sum = 0.0, squares = 0.0;
    for (int64_t f = 0; f < count; f++)
        if (!isnan(rows[f].scores[p][i])) {
            sum += rows[f].scores[p][i];
            out.folds++;
        }
    out.mean = out.folds > 0 ? sum / (double)out.folds : NAN;
    for (int64_t f = 0; f < count; f++)
        if (!isnan(rows[f].scores[p][i]))
            squares += (rows[f].scores[p][i] - out.mean) * (rows[f].scores[p][i] - out.mean);
    out.deviation = out.folds > 1 ? sqrt(squares / (double)(out.folds - 1)) : NAN;
    return out;
}

DT_MUST_USE static dt_status find_spreads(dt_run *whole, const fold_row *rows, int64_t count,
                                          const score_names *names)
{
    const dt_status status = dt_memory_alloc(&whole->fold_scores, SETS * names->count,
                                             sizeof *whole->fold_scores, "folds");
    for (int p = 0; status == DT_OK && p < SETS; p++)
        for (size_t i = 0; i < names->count; i++) {
            dt_fold_score *score = &whole->fold_scores[whole->fold_score_count++];
            *score = spread(rows, count, p, i);
            score->shown = p == 0 && names->shown[i];
            (void)snprintf(score->name, sizeof score->name, "%s_%s", prefixes[p], names->names[i]);
        }
    return status;
}

/* ---- the terminal ---- */

enum { DIGITS = 5 };

/* How a score is printed: `size` as in dt_text_aligned. */
typedef struct score_format {
    double size;
    int width;
} score_format;

static void widen(score_format *format, double score)
{
    char text[DT_TEXT_NUMBER_BYTES];
    const int width = (int)strlen(dt_text_aligned(text, score, format->size, DIGITS)) + 2;
    format->width = width > format->width ? width : format->width;
}

/* The decimals are those of the least score: a fold that is far off must not take them from the
 * others. Six are enough, if the mean has digits there. */
static score_format format_of(const char *name, const fold_row *rows, int64_t count, size_t i,
                              const dt_fold_score *spread)
{
    enum { WIDTH = 11 };
    const int width = (int)strlen(name) + 2;
    score_format out = {.size = NAN, .width = width > WIDTH ? width : WIDTH};
    for (int64_t f = 0; f < count; f++) {
        const double size = fabs(rows[f].scores[0][i]);
        out.size = fmin(out.size, size > 0.0 ? size : NAN);
    }
    out.size = fmax(out.size, fmin(0.01, fabs(spread->mean)));
    for (int64_t f = 0; f < count; f++)
        if (!isnan(rows[f].scores[0][i]))
            widen(&out, rows[f].scores[0][i]);
    widen(&out, spread->mean);
    widen(&out, spread->deviation);
    return out;
}

static void print_numbers(const score_names *names, const double *scores,
                          const score_format *formats)
{
    char text[DT_TEXT_NUMBER_BYTES];
    for (size_t i = 0; i < names->count; i++)
        if (names->shown[i])
            dt_log_say("%*s", formats[i].width,
                       dt_text_aligned(text, scores[i], formats[i].size, DIGITS));
    dt_log_say("\n");
}

/* The numbers are those of the held-out rows. */
static void print_table(const dt_run *whole, const fold_row *rows, int64_t count,
                        const score_names *names)
{
    double mean[SCORES_MAX], deviation[SCORES_MAX];
    score_format formats[SCORES_MAX];
    char label[64];
    for (size_t i = 0; i < names->count; i++) {
        mean[i] = whole->fold_scores[i].mean;
        deviation[i] = whole->fold_scores[i].deviation;
        formats[i] = format_of(names->names[i], rows, count, i, &whole->fold_scores[i]);
    }
    dt_log_say("%-10s %8s  %6s", "fold", "held out", "epoch");
    for (size_t i = 0; i < names->count; i++)
        if (names->shown[i])
            dt_log_say("%*s", formats[i].width, names->names[i]);
    dt_log_say("\n");
    for (int64_t f = 0; f < count; f++) {
        const fold_row *row = &rows[f];
        if (whole->settings.repeats > 1)
            (void)snprintf(label, sizeof label, "%" PRId64 " (%" PRId64 ")", row->fold,
                           row->repeat);
        else
            (void)snprintf(label, sizeof label, "%" PRId64, row->fold);
        dt_log_say("%-10s %8" PRId64 "  ", label, row->rows);
        if (strcmp(row->part.status, "ok") == 0) {
            dt_log_say("%6" PRId64, row->part.best_epoch);
            print_numbers(names, row->scores[0], formats);
        } else {
            dt_log_say("     -  %s: %s\n", row->part.status, row->part.reason);
        }
    }
    dt_log_say("%-10s %8s  %6s", "mean", "", "");
    print_numbers(names, mean, formats);
    dt_log_say("%-10s %8s  %6s", "deviation", "", "");
    print_numbers(names, deviation, formats);
}

void dt_run_summarise_folds(const dt_run *whole)
{
    dt_log_result("summary.folds=%" PRId64 "\n", whole->settings.folds);
    dt_log_result("summary.repeats=%" PRId64 "\n", whole->settings.repeats);
    for (size_t i = 0; i < whole->fold_score_count; i++) {
        const dt_fold_score *score = &whole->fold_scores[i];
        if (score->shown != 0)
            dt_log_result("summary.%s=%.9g\nsummary.%s_deviation=%.9g\n", score->name, score->mean,
                          score->name, score->deviation);
    }
    dt_log_summary("out_of_fold", "%s/out_of_fold.csv", whole->folder);
}

/* ---- the log ---- */

static const dt_h5_column first_columns[FIXED_COLUMNS] = {
    {"repeat", NULL, DT_H5_I64, DT_H5_FIELD(fold_row, repeat)},
    {"fold", NULL, DT_H5_I64, DT_H5_FIELD(fold_row, fold)},
    {"number", NULL, DT_H5_I64, DT_H5_FIELD(fold_row, part.number)},
    {"rows", "rows held out", DT_H5_I64, DT_H5_FIELD(fold_row, rows)},
    {"status", NULL, DT_H5_TEXT, DT_H5_FIELD(fold_row, part.status)},
    {"epochs", NULL, DT_H5_I64, DT_H5_FIELD(fold_row, epochs)},
    {"best_epoch", NULL, DT_H5_I64, DT_H5_FIELD(fold_row, part.best_epoch)},
    {"weights_crc", NULL, DT_H5_I64, DT_H5_FIELD(fold_row, part.weights_crc)},
    {"reason", NULL, DT_H5_TEXT, DT_H5_FIELD(fold_row, part.reason)},
};

static const dt_h5_column score_columns[] = {
    {"name", NULL, DT_H5_TEXT, DT_H5_FIELD(dt_fold_score, name)},
    {"mean", NULL, DT_H5_F64, DT_H5_FIELD(dt_fold_score, mean)},
    {"deviation", NULL, DT_H5_F64, DT_H5_FIELD(dt_fold_score, deviation)},
    {"folds", NULL, DT_H5_I64, DT_H5_FIELD(dt_fold_score, folds)},
    {"shown", NULL, DT_H5_I64, DT_H5_FIELD(dt_fold_score, shown)},
};
static const dt_h5_table score_table = DT_H5_TABLE(score_columns, dt_fold_score);

DT_MUST_USE static dt_status log_folds(dt_run *whole, const fold_row *rows, int64_t count,
                                       const score_names *names)
{
    dt_status status = DT_OK;
    dt_h5_column columns[FIXED_COLUMNS + SETS * SCORES_MAX];
    char titles[SETS * SCORES_MAX][NAME_BYTES];
    dt_h5_table table = {columns, FIXED_COLUMNS, sizeof *rows};
    memcpy(columns, first_columns, sizeof first_columns);
    for (int p = 0; p < SETS; p++)
        for (size_t i = 0; i < names->count; i++) {
            char *title = titles[table.column_count - FIXED_COLUMNS];
            (void)snprintf(title, NAME_BYTES, "%s_%s", prefixes[p], names->names[i]);
            columns[table.column_count++] =
                (dt_h5_column){title, names->units[i], DT_H5_F64,
                               offsetof(fold_row, scores) +
                                   ((size_t)p * SCORES_MAX + i) * sizeof rows->scores[0][0],
                               sizeof rows->scores[0][0]};
        }
    DT_TRY(dt_run_log_add_table(whole->log, "/folds", &table, rows, (size_t)count));
    DT_TRY(dt_run_log_add_table(whole->log, "/fold_scores", &score_table, whole->fold_scores,
                                whole->fold_score_count));
out:
    return status;
}

dt_status dt_run_record_folds(dt_run *whole, const dt_part *rows)
{
    dt_status status = DT_OK;
    const int64_t count = whole->settings.folds * whole->settings.repeats;
    const score_names names = names_of(&whole->settings);
    fold_row *folds = NULL;
    DT_TRY(dt_memory_alloc(&folds, (size_t)count, sizeof *folds, "folds"));
    for (int64_t f = 0; f < count; f++)
        DT_TRY(read_row(&folds[f], whole, &rows[f], &names));
    DT_TRY(find_spreads(whole, folds, count, &names));
    print_table(whole, folds, count, &names);
    DT_TRY(log_folds(whole, folds, count, &names));
out:
    dt_memory_free(folds);
    return status;
}
