/* The banner that a run prints before it trains. */
#include "run_parts.h"

#include "dtrain/base/log.h"
#include "dtrain/base/text.h"
#include "dtrain/nn/spec.h"
#include "dtrain/run/preset.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void warn_of_empty_classes(const dt_run *r)
{
    const dt_dataset *set = &r->sets[DT_TRAIN];
    char *const *names = dt_run_class_names(r);
    size_t empty = 0, first = 0;
    for (size_t c = set->C; c-- > 0;) {
        empty += set->class_rows[c] == 0;
        first = set->class_rows[c] == 0 ? c : first;
    }
    if (empty > 0 && r->root && names != NULL && r->recipe.D == 0)
        dt_log_warn("%zu of %zu classes have no training rows, the first is class '%s'", empty,
                    set->C, names[first]);
    else if (empty > 0)
        dt_log_warn(
            "%zu of %zu classes have no training rows, the first is class %zu; class ids count "
            "from 0",
            empty, set->C, first);
}

/* How gradients are added up over the ranks, as a part of a line. */
static const char *reduction(const dt_run *r)
{
    const dt_plan plan = dt_settings_plan(&r->settings);
    const dt_reduction how =
        dt_trainer_reduction(&plan, r->comm, &r->environment.launch, r->model.network.P);
    if (dt_comm_size(r->comm) == 1)
        return "";
    return how.window ? " by window" : how.piece > 0 ? " by overlapped allreduce" : " by allreduce";
}

static void report_class_baseline(const dt_run *r)
{
    const dt_dataset *sets = r->sets;
    const size_t majority = dt_dataset_majority_class(&sets[DT_TRAIN]);
    char *const *names = dt_run_class_names(r);
    if (names != NULL)
        dt_log_say("baseline   predicting class '%s' for every row: accuracy", names[majority]);
    else
        dt_log_say("baseline   predicting class %zu for every row: accuracy", majority);
    for (int p = 0; p < DT_SET_COUNT; p++)
        if (sets[p].N > 0)
            dt_log_say("%s %.4f %s", p > 0 ? "," : "", dt_metrics_baseline(&sets[p], majority),
                       p == DT_TRAIN ? "training" : dt_set_name((dt_set)p));
    dt_log_say("\n");
    warn_of_empty_classes(r);
}

static void report_value_baseline(const dt_run *r)
{
    const dt_dataset *sets = r->sets;
    char number[DT_TEXT_NUMBER_BYTES];
    if (sets[DT_TRAIN].T == 1)
        dt_log_say("baseline   predicting the training rows' mean %s: RMSE",
                   dt_text_number(number, r->scale->mean, 6));
    else
        dt_log_say("baseline   predicting the training rows' means: RMSE in standard deviations");
    for (int p = 0; p < DT_SET_COUNT; p++)
        if (sets[p].N > 0)
            dt_log_say("%s %s %s", p > 0 ? "," : "",
                       dt_text_rounded(number, r->baseline_rmse[p], 5),
                       p == DT_TRAIN ? "training" : dt_set_name((dt_set)p));
    dt_log_say("\n");
}

/* ": -1, 1": labels that became classes; none if they are plain ids, or a recipe's. */
static const char *list_classes(char *out, size_t bytes, const dt_dataset *set)
{
    enum { LISTED = 6 };
    size_t used = 0;
    out[0] = '\0';
    for (size_t c = 0; set->class_names != NULL && c < set->C && c < LISTED && used < bytes; c++)
        used += (size_t)snprintf(out + used, bytes - used, "%s%.40s", c > 0 ? ", " : ": ",
                                 set->class_names[c]);
    if (set->class_names != NULL && set->C > LISTED && used < bytes)
        (void)snprintf(out + used, bytes - used, " ...");
    return out;
}

static void report_data(const dt_run *r)
{
    char names[320];
    const dt_dataset *sets = r->sets;
    const bool classes = sets[DT_TRAIN].C > 0;
    const size_t targets = classes ? sets[DT_TRAIN].C : sets[DT_TRAIN].T;
    dt_log_say("data       %s: %llu training, %llu validation, %llu test rows; %zu inputs, %zu "
               "%s%s%s\n",
               r->source.name, (unsigned long long)sets[DT_TRAIN].N,
               (unsigned long long)sets[DT_VALIDATION].N, (unsigned long long)sets[DT_TEST].N,
               sets[DT_TRAIN].D, targets,
               classes        ? "classes"
               : targets == 1 ? "value"
                              : "values",
               list_classes(names, sizeof names, &sets[DT_TRAIN]),
               sets[DT_TRAIN].w != NULL ? "; rows have weights" : "");
    if (r->unscaled[0] != '\0')
        dt_log_warn("%s", r->unscaled);
    if (classes)
        report_class_baseline(r);
    else
        report_value_baseline(r);
}

static void report_resume(const dt_run *r)
{
    const size_t sessions = r->checkpoint.history.session_count;
    dt_log_say("resume     %s: ", r->settings.resume);
    if (r->parts != NULL)
        dt_log_say("%ss that have ended are kept", r->parts->word);
    else
        dt_log_say("epoch %lld, after %llu of its rows", (long long)r->checkpoint.training.epoch,
                   (unsigned long long)r->checkpoint.training.rows);
    dt_log_say("; %zu session%s before\n", sessions, sessions == 1 ? "" : "s");
}

/* ", 8 full members, 48 bins x 8, 2 categories x 8": the most bins, or the frequencies, that an
 * input has, and what it becomes; the columns of categories, likewise. */
static const char *describe_inputs(char *out, size_t bytes, const dt_network *network)
{
    const dt_layer *layer = dt_network_first(network, &dt_layer_piecewise_linear);
    const dt_layer *waves = dt_network_first(network, &dt_layer_periodic);
    const dt_layer *categories = dt_network_first(network, &dt_layer_category_embedding);
    size_t used = 0;
    float most = 0.0f;
    dt_spec spec;
    dt_spec_of(&spec, network);
    out[0] = '\0';
    if (network->K > 1)
        used = (size_t)snprintf(out, bytes, ", %zu %smembers", network->K,
                                spec.members_kind == DT_MEMBERS_FULL ? "full " : "");
    for (size_t d = 0; layer != NULL && d < layer->D; d++)
        most = fmaxf(most, network->constants[layer->edge_counts + d]);
    if (layer != NULL)
        used += (size_t)snprintf(out + used, bytes - used, ", %.0f bins x %zu", (double)most - 1.0,
                                 layer->width);
    if (waves != NULL)
        used += (size_t)snprintf(out + used, bytes - used, ", %zu frequencies x %zu",
                                 waves->frequencies, waves->width);
    if (categories != NULL)
        (void)snprintf(out + used, bytes - used, ", %zu categories x %zu", categories->groups,
                       categories->width);
    return out;
}

static void report_model(const dt_run *r)
{
    const dt_settings *s = &r->settings;
    const bool has_hidden = dt_network_dense(&r->model.network, 1) != NULL;
    char widths[256], activation[DT_OPTION_TEXT_BYTES], hidden[DT_OPTION_TEXT_BYTES] = "";
    char dropout[32] = "", noise[32] = "", inputs[96];
    static const char *const norms[] = {"", "layer norm, ", "RMS norm, ", "batch norm, "};
    const bool adds = dt_network_first(&r->model.network, &dt_layer_add) != NULL;
    if (s->preset != DT_PRESET_TUTORIAL) {
        char preset[64];
        dt_log_say("preset     %s\n",
                   dt_options_format(preset, sizeof preset, dt_settings_option("preset"), s));
    }
    dt_network_print_widths(widths, sizeof widths, &r->model.network);
    (void)dt_options_format(activation, sizeof activation, dt_settings_option("activation"), s);
    if (s->noise > 0.0)
        (void)snprintf(noise, sizeof noise, ", noise %g", s->noise);
    if (s->dropout > 0.0)
        (void)snprintf(dropout, sizeof dropout, ", dropout %g", s->dropout);
    if (has_hidden)
        (void)snprintf(hidden, sizeof hidden, ", %s%.900s%s%s", norms[s->norm], activation, dropout,
                       adds ? ", residual" : "");
    dt_log_say("model      %s%s%s%s, %s; P = %zu parameters\n", widths,
               describe_inputs(inputs, sizeof inputs, &r->model.network), noise, hidden,
               r->model.network.loss->classes ? "softmax" : "linear outputs", r->model.network.P);
    const bool drops = s->dropout > 0.0 && !dt_preset_has((dt_preset)s->preset, "dropout");
    if (!has_hidden && (drops || s->norm != DT_NORM_NONE || s->max_norm > 0.0))
        dt_log_warn("--%s has no effect without hidden layers; remove it, or set --hidden",
                    drops                     ? "dropout"
                    : s->norm != DT_NORM_NONE ? "norm"
                                              : "max-norm");
    if (s->residual && !adds)
        dt_log_warn(
            "--residual has no effect: no hidden layer has as many units as the one before; "
            "remove it, or change --hidden");
    if (r->has_init)
        dt_log_say("init       weights of %s (CRC-32 %08x), %s after %lld steps%s\n", s->init_from,
                   r->init_weights_crc, r->model.optimizer.kind->title, (long long)r->init_step,
                   dt_network_prepares(&r->model.network) ? "; the model normalises the inputs"
                                                          : "");
    if (s->threshold[0] != '\0')
        dt_log_say("threshold  %s, of class 1; set when training has ended\n", s->threshold);
    if (s->resume[0] != '\0')
        report_resume(r);
}

/* "SGD 0.01, momentum 0.9": the learning rate, and the numbers that are not Keras's defaults. */
static const char *describe_optimizer(char *out, size_t bytes, const dt_optimizer *optimizer)
{
    const dt_optimizer_kind *kind = optimizer->kind;
    size_t used = (size_t)snprintf(out, bytes, "%s %g", kind->title, optimizer->learning_rate);
    for (size_t i = 0; i < kind->number_count && used < bytes; i++) {
        const double number = optimizer->numbers[i], usual = kind->numbers[i].fallback;
        if (kind->numbers[i].is_flag && number > 0.0)
            used += (size_t)snprintf(out + used, bytes - used, ", %s", kind->numbers[i].name);
        else if (number < usual || number > usual)
            used += (size_t)snprintf(out + used, bytes - used, ", %s %g", kind->numbers[i].name,
                                     number);
    }
    if (optimizer->weight_decay > 0.0 && used < bytes)
        used += (size_t)snprintf(out + used, bytes - used, ", weight decay %g",
                                 optimizer->weight_decay);
    if (optimizer->ema > 0.0 && used < bytes)
        (void)snprintf(out + used, bytes - used, ", averaged weights %g", optimizer->ema);
    return out;
}

/* ", step schedule (0.1 every 10 epochs), warmup 2"; empty for a constant rate. */
static void describe_schedule(char *out, size_t bytes, const dt_settings *s)
{
    const dt_schedule *schedule = dt_schedules[s->schedule];
    char numbers[64] = "", warmup[32] = "";
    if (schedule->reduces)
        (void)snprintf(numbers, sizeof numbers, " (%g every %lld epoch%s)", s->schedule_factor,
                       (long long)s->schedule_every, s->schedule_every == 1 ? "" : "s");
    if (s->warmup > 0.0)
        (void)snprintf(warmup, sizeof warmup, ", warmup %g", s->warmup);
    if (schedule == &dt_schedule_constant)
        (void)snprintf(out, bytes, "%s", warmup);
    else
        (void)snprintf(out, bytes, ", %s schedule%s%s", schedule->name, numbers, warmup);
}

/* ", l2 0.01, l1 0.001"; penalties that are off are omitted. */
static void describe_regularization(char *out, size_t bytes, const dt_settings *s)
{
    static const char *const names[] = {"l2", "l1", "clip_norm", "clip_value", "max_norm"};
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const dt_option *option = dt_settings_option(names[i]);
        char value[64];
        (void)dt_options_format(value, sizeof value, option, s);
        if (strcmp(value, option->fallback) != 0 && used < bytes)
            used += (size_t)snprintf(out + used, bytes - used, ", %s %s", option->name, value);
    }
}

/* "huber loss, huber-delta 2, "; "" for plain cross-entropy. */
static const char *describe_loss(char *out, size_t bytes, const dt_network *network)
{
    const dt_loss *loss = network->loss;
    const bool plain =
        !(network->loss_number < loss->fallback) && !(network->loss_number > loss->fallback);
    size_t used = 0;
    out[0] = '\0';
    if (loss != &dt_cross_entropy)
        used = (size_t)snprintf(out, bytes, "%s loss, ", loss->option);
    if (!plain && used < bytes)
        (void)snprintf(out + used, bytes - used, "%s %g, ", loss->number, network->loss_number);
    return out;
}

/* "patience 2 on val_loss, min-epochs 5, baseline 0.3" */
static void describe_stopping(char *out, size_t bytes, const dt_settings *s)
{
    char min_epochs[40] = "", baseline[40] = "";
    if (s->min_epochs > 0)
        (void)snprintf(min_epochs, sizeof min_epochs, ", min-epochs %lld",
                       (long long)s->min_epochs);
    if (!isnan(s->baseline))
        (void)snprintf(baseline, sizeof baseline, ", baseline %g", s->baseline);
    (void)snprintf(out, bytes, "patience %lld on val_%s%s%s", (long long)s->patience,
                   dt_settings_monitor(s)->name, min_epochs, baseline);
}

/* Options of early stopping that were given, but have no effect. */
static void warn_of_stopping(const dt_settings *s)
{
    static const char *const names[] = {"patience", "monitor", "min-epochs", "baseline"};
    char given[128] = "";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const size_t used = strlen(given);
        if (dt_options_given(dt_settings_table(), s, names[i]))
            (void)snprintf(given + used, sizeof given - used, "%s--%s", used > 0 ? ", " : "",
                           names[i]);
    }
    if (given[0] != '\0')
        dt_log_warn("without a validation set, these have no effect: %s", given);
}

static void report_folds(const dt_run *r)
{
    const dt_settings *s = &r->settings;
    char repeats[40] = "";
    if (s->repeats > 1)
        (void)snprintf(repeats, sizeof repeats, ", divided %lld times", (long long)s->repeats);
    if (s->fold > 0)
        dt_log_say("folds      number %lld of %lld%s; the validation rows are those held out\n",
                   (long long)s->fold, (long long)(s->folds * s->repeats), repeats);
    else
        dt_log_say("folds      %lld of the %llu training and validation rows%s%s; each is the "
                   "validation set once\n",
                   (long long)s->folds,
                   (unsigned long long)(r->sets[DT_TRAIN].N + r->sets[DT_VALIDATION].N),
                   s->folds_by_id                       ? " by their ids"
                   : r->sets[DT_TRAIN].groups.count > 0 ? " by their groups"
                                                        : "",
                   repeats);
}

static void report_training(const dt_run *r)
{
    const dt_settings *s = &r->settings;
    const bool has_validation = r->sets[DT_VALIDATION].N > 0 || dt_run_has_folds(r);
    char stopping[160], loss[64], optimizer[256], schedule[128], rules[128];
    describe_stopping(stopping, sizeof stopping, s);
    describe_schedule(schedule, sizeof schedule, s);
    describe_regularization(rules, sizeof rules, s);
    dt_log_say("training   %s%s%s%s, batch %lld, at most %lld epoch%s, %s\n",
               describe_loss(loss, sizeof loss, &r->model.network),
               describe_optimizer(optimizer, sizeof optimizer, &r->model.optimizer), schedule,
               rules, (long long)s->batch, (long long)s->epochs, s->epochs == 1 ? "" : "s",
               has_validation ? stopping : "no validation set: no early stopping");
    if (!has_validation)
        warn_of_stopping(s);
    if (s->restarts > 1)
        dt_log_say("restarts   seeds %lld to %lld; %s\n", (long long)s->seed,
                   (long long)(s->seed + s->restarts - 1),
                   s->average ? "their models are averaged" : "the best one is kept");
    if (s->folds > 0)
        report_folds(r);
    dt_log_say("run        seed %lld, %lld shards, %s sum%s; results in %s\n\n", (long long)s->seed,
               (long long)s->shards, s->sum == DT_SUM_EXACT ? "exact" : "fast", reduction(r),
               r->folder);
}

static void report_part(const dt_run *r)
{
    r->kind->say(r);
    dt_log_say("; results in %s", r->folder);
    if (r->settings.resume[0] != '\0')
        dt_log_say("; resumed in epoch %lld, after %llu of its rows",
                   (long long)r->checkpoint.training.epoch,
                   (unsigned long long)r->checkpoint.training.rows);
    dt_log_say("\n");
}

void dt_run_report_start(const dt_run *r)
{
    if (r->part > 0) {
        report_part(r);
        return;
    }
    dt_environment_report(&r->environment);
    report_data(r);
    report_model(r);
    report_training(r);
}
