/* The folds of a cross-validation, with mean and deviation. */
#include "report_internal.h"

#include <math.h>
#include <string.h>

size_t dt_report_list_fold_scores(size_t out[REPORT_COLUMNS_MAX], const dt_report_run *run)
{
    size_t count = 0;
    for (size_t i = 0; i < run->fold_scores.rows && i < run->fold_score_names.count; i++)
        if (run->fold_scores.columns[FOLD_SCORE_SHOWN][i] > 0.0 &&
            count < REPORT_COLUMNS_MAX - FOLD_SCORES)
            out[count++] = i;
    return count;
}

/* "val_roc_auc" -> "val ROC-AUC" */
static void add_title(dt_text_table *out, const dt_task *task, const char *name)
{
    const size_t set = strcspn(name, "_");
    if (name[set] == '\0')
        dt_text_table_title(out, ">%s", name);
    else
        dt_text_table_title(out, ">%.*s %s", (int)set, name, dt_report_title(task, name + set + 1));
}

static void add_number(dt_text_table *out, const char *name, double value)
{
    char text[64];
    dt_text_table_add(out, "%s", dt_report_format(text, sizeof text, name, value));
}

static void add_spread(dt_text_table *out, const dt_report_run *run, const char *word, int column,
                       const size_t *shown, size_t count)
{
    dt_text_table_add(out, "%s", word);
    for (int i = 0; i < 4; i++)
        dt_text_table_add(out, "%s", "");
    for (size_t i = 0; i < count; i++)
        add_number(out, run->fold_score_names.texts[shown[i]],
                   run->fold_scores.columns[column][shown[i]]);
}

void dt_report_fill_folds(dt_text_table *out, const dt_report_run *run, size_t most)
{
    const dt_report_table *folds = &run->folds;
    const size_t rows = folds->rows < most ? folds->rows : most;
    size_t shown[REPORT_COLUMNS_MAX];
    const size_t count = dt_report_list_fold_scores(shown, run);
    *out = (dt_text_table){.width = 30, .more = folds->rows - rows};
    if (rows == 0)
        return;
    dt_text_table_titles(out, "fold|>repeat|>held out|status|>best epoch");
    for (size_t i = 0; i < count; i++)
        add_title(out, run->task, run->fold_score_names.texts[shown[i]]);
    for (size_t f = 0; f < rows; f++) {
        const double epoch = folds->columns[FOLD_EPOCH][f];
        dt_text_table_add(out, "%.0f", folds->columns[FOLD_NUMBER][f]);
        dt_text_table_add(out, "%.0f", folds->columns[FOLD_REPEAT][f]);
        dt_text_table_add(out, "%.0f", folds->columns[FOLD_ROWS][f]);
        dt_text_table_add(out, "%s", f < run->fold_status.count ? run->fold_status.texts[f] : "-");
        add_number(out, "best_epoch", epoch > 0.0 ? epoch : NAN); /* 0: it diverged */
        for (size_t i = 0; i < count; i++)
            add_number(out, run->fold_score_names.texts[shown[i]],
                       folds->columns[FOLD_SCORES + i][f]);
    }
    add_spread(out, run, "mean", FOLD_SCORE_MEAN, shown, count);
    add_spread(out, run, "deviation", FOLD_SCORE_DEVIATION, shown, count);
}
