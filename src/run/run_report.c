#include "run_folds.h"

#include "dtrain/base/log.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void dt_run_report_stop(const dt_run *r)
{
    dt_log_live_end();
    dt_log_say("\n"
               "stopped    %s; checkpoint in %s/checkpoint.h5\n"
               "           to resume, on any number of ranks: mpirun -np N dtrain --resume %s\n"
               "\n",
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
    char left[32], all_left[32];
    const double a_step = step->seconds / (double)step->step;
    const double epoch_left_s = a_step * (double)(step->steps - step->step);
    const double epochs_left = (double)(r->settings.epochs - step->epoch);
    dt_log_live("epoch %lld/%lld  step %llu/%llu  loss %.4f  %.3g rows/s  left %s, all %s",
                (long long)step->epoch, (long long)r->settings.epochs,
                (unsigned long long)step->step, (unsigned long long)step->steps, step->train.loss,
                (double)step->rows / step->seconds, duration(left, epoch_left_s),
                duration(all_left, epoch_left_s + epochs_left * a_step * (double)step->steps));
}

/* "loss 0.1234  accuracy 0.9876  ": the first `count` metrics. */
static void print_metrics(const dt_metric *metric, size_t count, const char *prefix,
                          const dt_metrics *metrics)
{
    for (const dt_metric *end = metric + count; metric < end; metric++) {
        const double value = dt_metric_value(metrics, metric);
        if (metric->any_size)
            dt_log_say("%s%s %.5g  ", prefix, metric->name, value);
        else
            dt_log_say("%s%s %.4f  ", prefix, metric->name, value);
    }
}

void dt_run_report_epoch(const dt_run *r, const dt_epoch *row)
{
    const dt_task *task = dt_settings_task(&r->settings);
    const int width = snprintf(NULL, 0, "%lld", (long long)r->settings.epochs);
    dt_log_say("epoch %*lld/%lld  ", width, (long long)row->epoch, (long long)r->settings.epochs);
    print_metrics(task->metrics, task->metric_count, "", &row->train);
    if (r->sets[DT_VALIDATION].N > 0)
        print_metrics(task->metrics, task->metric_count + task->monitored_count, "val_",
                      &row->validation);
    dt_log_say("%.3f s%s\n", row->seconds, row->improved ? "  best" : "");
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
