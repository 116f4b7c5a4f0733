#include "dtrain/run/settings.h"

#include "dtrain/base/crc32.h"
#include "dtrain/base/log.h"
#include "dtrain/comm/exact_sum.h"
#include "dtrain/nn/network.h"
#include "dtrain/nn/optimizer.h"
#include "dtrain/nn/spec.h"
#include "dtrain/run/preset.h"
#include "dtrain/task/threshold.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The words that are not options. */
DT_MUST_USE static dt_status take_data(dt_settings *out, int words, char **argv)
{
    if (words > DT_DATA_MAX)
        return dt_fail(
            DT_USAGE,
            "too many words: '%s'; DATA is one word, three files, or up to six .npy files",
            argv[DT_DATA_MAX]);
    for (int i = 0; i < words; i++) {
        if (argv[i][0] == '\0')
            return dt_fail(DT_USAGE, "DATA is an empty word");
        if (strlen(argv[i]) >= sizeof out->data[i])
            return dt_fail(DT_USAGE, "a path is longer than %d bytes", DT_OPTION_TEXT_BYTES - 1);
        (void)snprintf(out->data[i], sizeof out->data[i], "%s", argv[i]);
    }
    out->data_count = words;
    return DT_OK;
}

dt_status dt_settings_parse(dt_settings *out, int argc, char **argv)
{
    /* An empty word comes from an unset variable of a script; ignoring it would start another
     * run. */
    const struct {
        const char *option, *path;
    } files[] = {{"init-from", out->init_from},
                 {"like", out->like},
                 {"resume", out->resume},
                 {"csv-log", out->csv_log}};
    dt_status status = DT_OK;
    int words = 0;
    memset(out, 0, sizeof *out);
    dt_options_set_defaults(dt_settings_table(), out);
    DT_TRY(dt_options_parse_words(dt_settings_table(), out, argc, argv, &words));
    if (out->config[0] != '\0')
        DT_TRY(dt_options_parse_file(dt_settings_table(), out, out->config));
    if (out->like[0] != '\0' && dt_options_given(dt_settings_table(), out, "preset"))
        DT_TRY(dt_fail(DT_USAGE, "--like and --preset were given, but --like repeats a run with "
                                 "all of its settings; remove one of them"));
    if (out->resume[0] == '\0') /* else the checkpoint has all values */
        DT_TRY(dt_preset_train(dt_settings_table(), out, (dt_preset)out->preset));
    DT_TRY(take_data(out, words, argv));
    if (out->resume[0] == '\0' && dt_settings_has_table(out))
        DT_TRY(dt_preset_prepare(dt_settings_table(), out, (dt_preset)out->preset));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i].path[0] == '\0' && dt_options_given(dt_settings_table(), out, files[i].option))
            DT_TRY(dt_fail(DT_USAGE, "--%s is an empty word", files[i].option));
    if (out->resume[0] != '\0' && out->like[0] != '\0')
        DT_TRY(dt_fail(
            DT_USAGE,
            "--resume and --like were given; remove one of them: a run is resumed or repeated"));
    if (out->reduce == DT_REDUCE_WINDOW && out->overlap == DT_OVERLAP_ON)
        DT_TRY(dt_fail(DT_USAGE, "--reduce window and --overlap on were given; but a window adds "
                                 "all gradients after the backward pass; remove one of them"));
    if (out->data_count > 0 || (out->like[0] == '\0' && out->resume[0] == '\0'))
        DT_TRY(dt_settings_check_data(out)); /* else DATA is not known yet */
out:
    return status;
}

/* Before any data is read. */
DT_MUST_USE static dt_status check_loss(const dt_settings *s)
{
    const dt_loss *loss = dt_settings_loss(s);
    if (loss == NULL || s->task == DT_TARGETS_AUTO ||
        loss->classes == (s->task == DT_TARGETS_CLASSES))
        return DT_OK;
    return dt_fail(
        DT_USAGE, "--loss %s is for %s, but --task is %s; use --task %s, or another --loss",
        loss->option, dt_task_of(loss)->name, dt_settings_task(s)->name, dt_task_of(loss)->name);
}

/* The name of the monitored metric, without "val_". */
static const char *monitored(char out[64], const dt_settings *settings)
{
    return dt_options_format(out, 64, dt_settings_option("monitor"), settings) + strlen("val_");
}

const dt_task *dt_settings_task(const dt_settings *settings)
{
    char name[64];
    const bool values = settings->task == DT_TARGETS_VALUES;
    return dt_task_monitoring(values ? &dt_regression : &dt_classification,
                              monitored(name, settings));
}

const dt_metric *dt_settings_monitor(const dt_settings *settings)
{
    char name[64];
    return dt_task_find_metric(dt_settings_task(settings), monitored(name, settings));
}

bool dt_settings_number(double *out, const dt_settings *settings, const char *name)
{
    char log_name[64];
    (void)dt_options_log_name(log_name, &(dt_option){.name = name});
    const dt_option *option = dt_settings_option(log_name);
    if (option == NULL || (option->flags & DT_SETTING_NUMBER) == 0)
        return false;
    const char *at = (const char *)settings + option->offset;
    if (option->kind == DT_OPTION_FLAG)
        *out = *(const bool *)at ? 1.0 : 0.0;
    else
        memcpy(out, at, sizeof *out);
    return true;
}

dt_plan dt_settings_plan(const dt_settings *settings)
{
    return (dt_plan){.batch = (uint64_t)settings->batch,
                     .epochs = settings->epochs,
                     .learning_rate = settings->learning_rate,
                     .schedule = dt_schedules[settings->schedule],
                     .schedule_factor = settings->schedule_factor,
                     .schedule_every = (double)settings->schedule_every,
                     .warmup = settings->warmup,
                     .seed = (uint64_t)settings->seed,
                     .regularization = {.l2 = settings->l2,
                                        .l1 = settings->l1,
                                        .clip_norm = settings->clip_norm,
                                        .clip_value = settings->clip_value,
                                        .max_norm = settings->max_norm},
                     .sum = (dt_sum)settings->sum,
                     .reduce = (dt_reduce)settings->reduce,
                     .overlap = (dt_overlap)settings->overlap,
                     .threads = (int)settings->threads,
                     .task = dt_settings_task(settings),
                     .monitor = dt_settings_monitor(settings),
                     .patience = settings->patience,
                     .min_delta = settings->min_delta,
                     .min_epochs = settings->min_epochs,
                     .has_baseline = !isnan(settings->baseline),
                     .baseline = settings->baseline,
                     .keeps_last = settings->no_restore_best,
                     .checkpoint_every = settings->checkpoint_every};
}

uint32_t dt_settings_crc(const dt_settings *settings, const bool *absent)
{
    const dt_option_table *table = dt_settings_table();
    uint32_t sum = 0; /* so that the order of the table does not matter */
    char value[DT_OPTION_TEXT_BYTES];
    for (size_t i = 0; i < table->count; i++) {
        if (absent != NULL && absent[i])
            continue;
        (void)dt_options_format(value, sizeof value, &table->options[i], settings);
        const uint32_t crc =
            dt_crc32(0, table->options[i].name, strlen(table->options[i].name) + 1);
        sum += dt_crc32(crc, value, strlen(value) + 1);
    }
    return sum;
}

/* Numbers that the schedule ignores, or that prevent it from acting. */
DT_MUST_USE static dt_status check_schedule(const dt_settings *s)
{
    static const char *const numbers[] = {"schedule_factor", "schedule_every"};
    const dt_schedule *schedule = dt_schedules[s->schedule];
    for (size_t i = 0; !schedule->reduces && i < sizeof numbers / sizeof *numbers; i++) {
        const dt_option *option = dt_settings_option(numbers[i]);
        char value[DT_OPTION_TEXT_BYTES];
        if (strcmp(dt_options_format(value, sizeof value, option, s), option->fallback) != 0)
            return dt_fail(DT_USAGE,
                           "--%s is %s, but --schedule %s does not have it; use another "
                           "--schedule, or set --%s %s",
                           option->name, value, schedule->name, option->name, option->fallback);
    }
    if (schedule->judges && s->schedule_every >= s->patience)
        return dt_fail(DT_USAGE,
                       "--schedule %s reduces the learning rate after %lld epochs without "
                       "improvement, but training stops after %lld; raise --patience, or lower "
                       "--schedule-every",
                       schedule->name, (long long)s->schedule_every, (long long)s->patience);
    if (s->warmup >= (double)s->epochs && s->warmup > 0.0)
        return dt_fail(DT_USAGE, "--warmup is %g, but --epochs is %lld; a warmup is shorter",
                       s->warmup, (long long)s->epochs);
    return DT_OK;
}

/* The model of --init-from has its own network. */
DT_MUST_USE static dt_status check_embedding(const dt_settings *s)
{
    static const struct {
        const char *name, *embedding; /* its name */
    } of[] = {{"bins", "piecewise"},
              {"bins_by", "piecewise"},
              {"frequencies", "periodic"},
              {"frequency_scale", "periodic"},
              {"embedding_width", NULL}}; /* of all but none */
    char embedding[DT_OPTION_TEXT_BYTES], value[DT_OPTION_TEXT_BYTES];
    (void)dt_options_format(embedding, sizeof embedding, dt_settings_option("numeric_embedding"),
                            s);
    for (size_t i = 0; s->init_from[0] == '\0' && i < sizeof of / sizeof *of; i++) {
        const dt_option *option = dt_settings_option(of[i].name);
        const bool used = of[i].embedding != NULL ? strcmp(of[i].embedding, embedding) == 0
                                                  : s->numeric_embedding != DT_EMBEDDING_NONE;
        if (!used &&
            strcmp(dt_options_format(value, sizeof value, option, s), option->fallback) != 0)
            return dt_fail(DT_USAGE,
                           "--%s is %s, but --numeric-embedding is %s; set --numeric-embedding "
                           "%s, or --%s %s",
                           option->name, value, embedding,
                           of[i].embedding != NULL ? of[i].embedding : "piecewise", option->name,
                           option->fallback);
    }
    return DT_OK;
}

/* As in Keras, gradients are clipped in one way. A window's slices do not have whole columns. */
DT_MUST_USE static dt_status check_regularization(const dt_settings *s)
{
    if (s->clip_norm > 0.0 && s->clip_value > 0.0)
        return dt_fail(DT_USAGE, "--clip-norm is %g and --clip-value is %g; set one of them to 0",
                       s->clip_norm, s->clip_value);
    if (s->max_norm > 0.0 && s->reduce == DT_REDUCE_WINDOW)
        return dt_fail(DT_USAGE,
                       "--max-norm is %g, which requires another --reduce than window; remove one "
                       "of them",
                       s->max_norm);
    return DT_OK;
}

DT_MUST_USE static dt_status check_restarts(const dt_settings *s)
{
    const long long restarts = (long long)s->restarts;
    if (s->average && restarts < 2)
        return dt_fail(DT_USAGE, "--average requires --restarts of 2 or more");
    if (restarts < 2)
        return DT_OK;
    if (s->init_from[0] != '\0')
        return dt_fail(
            DT_USAGE,
            "--restarts %lld and --init-from %s were given, but restarts differ in their "
            "initial weights; set --restarts 1, or remove --init-from",
            restarts, s->init_from);
    if (s->csv_log[0] != '\0')
        return dt_fail(DT_USAGE,
                       "--restarts %lld and --csv-log %s were given, but a CSV log has the epochs "
                       "of one run; remove --csv-log, run.h5 in each restart's folder has them",
                       restarts, s->csv_log);
    if ((double)s->seed > dt_settings_option("seed")->maximum - (double)restarts)
        return dt_fail(DT_USAGE, "--seed %lld leaves no seeds for --restarts %lld",
                       (long long)s->seed, restarts);
    return DT_OK;
}

/* Options that cannot be combined with all folds; a single fold is an ordinary run. */
DT_MUST_USE static dt_status check_all_folds(const dt_settings *s)
{
    const long long folds = (long long)s->folds;
    if (s->init_from[0] != '\0')
        return dt_fail(DT_USAGE,
                       "--folds %lld and --init-from %s were given, but that model may have been "
                       "trained on the rows that a fold holds out; remove one of them",
                       folds, s->init_from);
    if (s->csv_log[0] != '\0')
        return dt_fail(DT_USAGE,
                       "--folds %lld and --csv-log %s were given, but a CSV log has the epochs of "
                       "one run; remove --csv-log, run.h5 in each fold's folder has them",
                       folds, s->csv_log);
    return DT_OK;
}

DT_MUST_USE static dt_status check_folds(const dt_settings *s)
{
    const long long folds = (long long)s->folds, all = (long long)(s->folds * s->repeats);
    if (folds == 0 && (s->repeats > 1 || s->fold > 0 || s->folds_by_id))
        return dt_fail(DT_USAGE, "--%s requires --folds of 2 or more",
                       s->fold > 0      ? "fold"
                       : s->repeats > 1 ? "repeats"
                                        : "folds-by-id");
    if (folds == 0)
        return DT_OK;
    if (folds == 1)
        return dt_fail(DT_USAGE, "--folds is 1, but must be 2 or more: a fold is held out from a "
                                 "run on the others");
    if (s->restarts > 1)
        return dt_fail(DT_USAGE, "--folds %lld and --restarts %lld were given; remove one of them",
                       folds, (long long)s->restarts);
    if (all > DT_NETWORKS_MAX)
        return dt_fail(DT_USAGE,
                       "--folds %lld and --repeats %lld make %lld runs; expected at most %d", folds,
                       (long long)s->repeats, all, DT_NETWORKS_MAX);
    if (s->fold > all)
        return dt_fail(DT_USAGE, "--fold is %lld, but --folds %lld and --repeats %lld make %lld",
                       (long long)s->fold, folds, (long long)s->repeats, all);
    if (s->numeric_embedding == DT_EMBEDDING_PIECEWISE && s->bins_by == DT_BINS_BY_TREE)
        return dt_fail(DT_USAGE,
                       "--folds %lld and --bins-by tree were given, but the trees would use the "
                       "targets of the rows that a fold holds out; use --bins-by quantile",
                       folds);
    return s->fold == 0 ? check_all_folds(s) : DT_OK;
}

dt_status dt_settings_complete(dt_settings *settings, int ranks)
{
    dt_threshold_rule rule;
    dt_status status = check_loss(settings);
    if (status == DT_OK)
        status = check_schedule(settings);
    if (status == DT_OK)
        status = check_embedding(settings);
    if (status == DT_OK)
        status = check_regularization(settings);
    if (status == DT_OK)
        status = check_restarts(settings);
    if (status == DT_OK)
        status = check_folds(settings);
    if (status == DT_OK)
        status = dt_threshold_parse(&rule, settings->threshold);
    if (status != DT_OK)
        return status;
    if (settings->min_epochs > 0 && settings->min_epochs >= settings->epochs)
        return dt_fail(DT_USAGE,
                       "--min-epochs is %lld, but --epochs is %lld; at least one epoch must remain "
                       "that can be the best",
                       (long long)settings->min_epochs, (long long)settings->epochs);
    if (settings->shards >= ranks)
        return DT_OK;
    if (settings->resume[0] != '\0')
        return dt_fail(DT_USAGE,
                       "--resume %s: the run has %lld shards, which is the maximum number of "
                       "ranks; there are %d ranks",
                       settings->resume, (long long)settings->shards, ranks);
    if (dt_options_given(dt_settings_table(), settings, "shards") || ranks > DT_EXACT_MAX_TERMS)
        return dt_fail(DT_USAGE, "--shards %lld is less than the %d ranks; a rank needs a shard",
                       (long long)settings->shards, ranks);
    dt_log_warn("%d ranks are more than the default of %lld shards, so this run has %d shards; use "
                "--shards %d for the same model on fewer ranks",
                ranks, (long long)settings->shards, ranks, ranks);
    settings->shards = ranks;
    return DT_OK;
}
