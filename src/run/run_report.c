#include "run_folds.h"

#include "dtrain/base/log.h"
#include "dtrain/base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void dt_run_report_stop(const dt_run *r)
{
    dt_log_live_end();
    dt_log_say("\nstopped    %s; checkpoint in %s/checkpoint.h5\n"
               "           to resume on any number of ranks:\n"
               "           mpirun -np N dtrain --resume %s\n\n",
               dt_status_text(), r->folder, r->folder);
    dt_log_summary("folder", "%s", r->folder);
    dt_log_result("summary.ranks=%d\n", dt_comm_size(r->comm));
    dt_log_result("summary.epochs=%lld\n", (long long)r->result.epochs);
    dt_log_summary("stopped", "%s", dt_status_text());
    dt_log_summary("checkpoint", "%s/checkpoint.h5", r->folder);
    dt_log_result("summary.status=stopped\n");
}

/* In the usual unit. */
static const char *duration(char out[32], double seconds)
{
    if (seconds < 60.0)
        (void)snprintf(out, 32, "%.0f s", ceil(seconds));
    else if (seconds < 5400.0)
        (void)snprintf(out, 32, "%.0f min", seconds / 60.0);
    else
        (void)snprintf(out, 32, "%.1f h", seconds / 3600.0);
    return out;
}

void dt_run_report_step(const dt_run *r, const dt_step *step)
{
    if (step->step == step->steps) {
        dt_log_live_end();
        return;
    }
    if (!dt_log_live_due())
        return;
    char left[32], all_left[32], speed[DT_TEXT_NUMBER_BYTES];
    const double a_step = step->seconds / (double)step->step;
    const double epoch_left_s = a_step * (double)(step->steps - step->step);
    const double epochs_left = (double)(r->settings.epochs - step->epoch);
    dt_log_live("epoch %lld/%lld  step %llu/%llu  loss %.4f  %s rows/s  left %s, all %s",
                (long long)step->epoch, (long long)r->settings.epochs,
                (unsigned long long)step->step, (unsigned long long)step->steps, step->train.loss,
                dt_text_number(speed, (double)step->rows / step->seconds, 3),
                duration(left, epoch_left_s),
                duration(all_left, epoch_left_s + epochs_left * a_step * (double)step->steps));
}

/* ---- the line of an epoch ---- */

enum { SHARE_WIDTH = 6, ANY_WIDTH = 10, SECONDS_WIDTH = 5 }; /* of numbers */

/* Writes a number with as many digits as its place has room for. */
static const char *format_number(char out[32], double value, bool any_size, int width)
{
    int digits = any_size ? 5 : width - 2;
    do {
        if (any_size)
            (void)dt_text_rounded(out, value, digits);
        else
            (void)snprintf(out, 32, "%.*f", digits, value);
    } while ((int)strlen(out) > width && digits-- > 1);
    if ((int)strlen(out) > width)
        (void)snprintf(out, 32, "%.0e", value);
    return out;
}

/* The parts of the line, in their order: metrics of the training set, of the validation set. */
typedef struct epoch_parts {
    const dt_task *task;
    size_t counts[2]; /* metrics of the two sets */
    bool shown[2][DT_TASK_METRICS];
    bool seconds;
    size_t room; /* columns that are left */
} epoch_parts;

static bool take(epoch_parts *parts, size_t width)
{
    if (width > parts->room)
        return false;
    parts->room -= width;
    return true;
}

static void show_metric(epoch_parts *parts, int set, size_t m)
{
    const dt_metric *metric = &parts->task->metrics[m];
    const size_t width = strlen(set == 0 ? "   " : "  val_ ") + strlen(metric->name) +
                         (metric->any_size ? ANY_WIDTH : SHARE_WIDTH);
    if (m < parts->counts[set] && !parts->shown[set][m])
        parts->shown[set][m] = take(parts, width);
}

/* Chooses what fits, the most important parts first: the losses, what is monitored, one more metric
 * of the validation set, the time. They are the same for all epochs of a run. */
static void choose_parts(epoch_parts *out, const dt_run *r, size_t before)
{
    const dt_settings *s = &r->settings;
    const size_t after = strlen("  best"), width = dt_log_width() - 1;
    *out = (epoch_parts){.task = dt_settings_task(s), .room = width - before - after};
    out->counts[0] = out->task->metric_count;
    if (r->sets[DT_VALIDATION].N > 0)
        out->counts[1] = out->task->metric_count + out->task->monitored_count;
    show_metric(out, 0, 0);
    for (size_t m = 0; m < out->counts[1]; m++)
        if (strcmp(out->task->metrics[m].name, dt_settings_monitor(s)->name) == 0)
            show_metric(out, 1, m);
    show_metric(out, 1, 0);
    show_metric(out, 1, 1);
    out->seconds = take(out, SECONDS_WIDTH + strlen("   s"));
    for (int set = 1; set >= 0; set--)
        for (size_t m = 1; m < out->counts[set]; m++)
            show_metric(out, set, m);
}

void dt_run_report_epoch(const dt_run *r, const dt_epoch *row)
{
    epoch_parts parts;
    char text[32];
    const int width = snprintf(NULL, 0, "%lld", (long long)r->settings.epochs);
    choose_parts(&parts, r, strlen("epoch /") + 2 * (size_t)width);
    dt_log_say("epoch %*lld/%lld", width, (long long)row->epoch, (long long)r->settings.epochs);
    for (int set = 0; set < 2; set++)
        for (size_t m = 0; m < parts.counts[set]; m++) {
            const dt_metric *metric = &parts.task->metrics[m];
            const dt_metrics *metrics = set == 0 ? &row->train : &row->validation;
            if (parts.shown[set][m])
                dt_log_say("  %s%s %s", set == 0 ? "" : "val_", metric->name,
                           format_number(text, dt_metric_value(metrics, metric), metric->any_size,
                                         metric->any_size ? ANY_WIDTH : SHARE_WIDTH));
        }
    if (parts.seconds)
        dt_log_say("  %s s", format_number(text, row->seconds, false, SECONDS_WIDTH));
    dt_log_say("%s\n", row->improved ? "  best" : "");
}

void dt_run_report_phases(const dt_rank_row *rows, size_t count)
{
    dt_log_say("\nphase        mean s      max s   max/min  over %zu rank%s\n", count,
               count == 1 ? "" : "s");
    for (int phase = 0; phase < DT_PHASE_COUNT; phase++) {
        double sum = 0.0, most = 0.0, least = INFINITY;
        for (size_t i = 0; i < count; i++) {
            const double seconds = rows[i].phases.seconds[phase];
            sum += seconds;
            most = fmax(most, seconds);
            least = fmin(least, seconds);
        }
        dt_log_say("%-10s %8.3f   %8.3f  %8.2f\n", dt_phase_name((dt_phase)phase),
                   sum / (double)count, most, least > 0.0 ? most / least : 1.0);
    }
    dt_log_say("\n");
}

/* A number that a set does not have (no rows, one class) has no line. */
static void say(const char *key, const char *name, double value)
{
    if (!isnan(value))
        dt_log_result("summary.%s_%s=%.9g\n", key, name, value);
}

/* The baseline, the number that is most used to compare models of the task, and the monitored
 * one. */
static void summarise_quality(const dt_run *r, const char *key, dt_set p)
{
    const dt_evaluation *evaluation = &r->result.evaluation[p];
    const dt_quality *model = &evaluation->model;
    const dt_quality_kind *monitored = dt_settings_monitor(&r->settings)->quality;
    const bool classes = dt_settings_task(&r->settings)->classes;
    if (!classes) {
        say(key, "baseline_rmse", r->baseline_rmse[p]);
        say(key, "r2", evaluation->N > 0 ? model->r2 : NAN);
    } else {
        const size_t majority = dt_dataset_majority_class(&r->sets[DT_TRAIN]);
        say(key, "majority_accuracy",
            evaluation->N > 0 ? evaluation->majority.accuracy
                              : dt_metrics_baseline(&r->sets[p], majority));
    }
    if (p == DT_TRAIN) /* its curves are not made */
        return;
    if (classes)
        say(key, "roc_auc", evaluation->N > 0 ? model->roc_auc : NAN);
    if (monitored != NULL && strcmp(monitored->name, classes ? "roc_auc" : "r2") != 0)
        say(key, monitored->name, evaluation->N > 0 ? dt_quality_value(model, monitored) : NAN);
}

/* Advice for a model that is not better on the validation set than a prediction that ignores the
 * inputs. */
static const char *advise(const dt_run *r)
{
    const dt_settings *s = &r->settings;
    if (r->unscaled[0] != '\0')
        return "--scale standard";
    if (r->result.epochs == s->epochs)
        return "more --epochs, or a larger --learning-rate";
    return "--preset tabular, or --patience 10 with another --learning-rate";
}

static void summarise_advice(const dt_run *r)
{
    const dt_evaluation *evaluation = &r->result.evaluation[DT_VALIDATION];
    const dt_quality *model = &evaluation->model;
    if (evaluation->N == 0)
        return;
    if (!dt_settings_task(&r->settings)->classes) {
        if (model->r2 <= 0.0)
            dt_log_result("summary.advice=the validation R2 %.4g is not above 0, the score of "
                          "always predicting the mean; try %s\n",
                          model->r2, advise(r));
    } else if (model->accuracy <= evaluation->majority.accuracy) {
        dt_log_result("summary.advice=the validation accuracy %.4f is not above %.4f, the score of "
                      "always predicting the most frequent class; try %s\n",
                      model->accuracy, evaluation->majority.accuracy, advise(r));
    }
}

void dt_run_report_summary(const dt_run *r)
{
    const dt_result *result = &r->result;
    const dt_task *task = dt_settings_task(&r->settings);
    static const char *const keys[DT_SET_COUNT] = {"train", "val", "test"};
    dt_log_summary("folder", "%s", r->folder);
    dt_log_result("summary.ranks=%d\n", dt_comm_size(r->comm));
    if (r->parts != NULL)
        dt_log_result("summary.networks=%zu\n", r->model.network.other_count + 1);
    dt_log_result("summary.epochs=%lld\n", (long long)result->epochs);
    dt_log_result("summary.best_epoch=%lld\n", (long long)result->best_epoch);
    if (!isnan(result->threshold))
        dt_log_result("summary.threshold=%.9g\n", result->threshold);
    if (dt_run_has_folds(r))
        dt_run_summarise_folds(r);
    for (int p = dt_run_has_folds(r) ? DT_TEST : DT_TRAIN; p < DT_SET_COUNT; p++) {
        for (size_t m = 0; m < task->metric_count; m++)
            say(keys[p], task->metrics[m].name,
                dt_metric_value(&result->metrics[p], &task->metrics[m]));
        summarise_quality(r, keys[p], (dt_set)p);
    }
    if (r->settings.data_count == 0 && dt_settings_task(&r->settings)->classes) {
        const double optimum = r->example.test_optimum;
        dt_log_result("summary.test_optimum_accuracy=%.9g\n", optimum);
        dt_log_result("summary.test_accuracy_of_optimum=%.9g\n",
                      result->metrics[DT_TEST].accuracy / optimum);
    }
    summarise_advice(r);
    dt_log_result("summary.samples_per_second=%.0f\n", result->samples_per_second);
    dt_log_result("summary.weights_crc=%08x\n", result->weights_crc);
    const char *verdict = dt_previous_verdict(&r->previous, result->weights_crc);
    if (verdict != NULL)
        dt_log_result("summary.like_weights=%s\n", verdict);
}
