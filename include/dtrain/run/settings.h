#ifndef DTRAIN_RUN_SETTINGS_H
#define DTRAIN_RUN_SETTINGS_H

#include "dtrain/base/options.h"
#include "dtrain/data/dataset.h"
#include "dtrain/run/preparation.h"
#include "dtrain/train/plan.h"

#include <stdbool.h>
#include <stdint.h>

enum { DT_DATA_MAX = 6 };

/** How a run scales the inputs of its data. */
typedef enum dt_input_scale {
    DT_INPUT_SCALE_NONE,
    DT_INPUT_SCALE_STANDARD,
    DT_INPUT_SCALE_MINMAX
} dt_input_scale;

/** The names in the order of the enumeration, separated by bars, for the options table. */
#define DT_INPUT_SCALE_NAMES "none|standard|minmax"

/** All settings of a training run. Plain data: rank 0 parses, the others receive the bytes. */
typedef struct dt_settings {
    dt_option_set given; /* see dt_option_table */
    char data[DT_DATA_MAX][DT_OPTION_TEXT_BYTES];
    int data_count;

    dt_prepare_settings prepare; /* for DATA that is a table: options that a run does not have
                                  * itself */
    char inputs[DT_OPTION_TEXT_BYTES], targets[DT_OPTION_TEXT_BYTES];
    double validation_split, test_split;
    char scale[DT_OPTION_TEXT_BYTES]; /* for arrays a dt_input_scale, for a table a list */
    int input_scale; /* a dt_input_scale, not an option: the meaning of `scale`, set by rank 0 */
    int task; /* a dt_targets; AUTO until the data is known */
    int loss; /* 1 + an index of dt_losses; 0: auto, until the data is known */
    double label_smoothing, huber_delta, quantile;
    char weights[DT_OPTION_TEXT_BYTES], class_weight[DT_OPTION_TEXT_BYTES];
    char threshold[DT_OPTION_TEXT_BYTES]; /* a dt_threshold_rule */
    dt_option_list hidden;
    dt_option_list activation; /* of a dt_activation */
    int norm; /* a dt_norm */
    int preset; /* a dt_preset */
    int numeric_embedding; /* a dt_embedding */
    int bins_by; /* a dt_bins_by */
    int64_t bins, embedding_width, frequencies, category_embedding, members;
    double frequency_scale;
    int members_kind; /* a dt_members_kind */
    bool residual;
    int init; /* a dt_init */
    double dropout, noise;
    int64_t batch, epochs;
    int optimizer; /* an index of dt_optimizer_kinds */
    double ema, learning_rate, weight_decay, momentum, rho;
    bool nesterov;
    double l2, l1, clip_norm, clip_value, max_norm;
    int schedule; /* an index of dt_schedules */
    double schedule_factor, warmup;
    int64_t schedule_every; /* epochs */
    int64_t patience, min_epochs;
    double min_delta, baseline; /* baseline: NaN: none */
    int monitor; /* an index of DT_MONITOR_NAMES */
    bool no_restore_best;
    int64_t restarts; /* 1: an ordinary run */
    bool average;
    bool folds_by_id;
    int64_t folds, repeats, fold; /* folds: 0: none; fold: from 1, the only one; 0: all */
    int64_t seed, split_seed, shards; /* split_seed: -1: seed */
    int sum; /* a dt_sum */
    int engine; /* a dt_engine */
    int reduce; /* a dt_reduce */
    int overlap; /* a dt_overlap */
    int64_t threads;
    char init_from[DT_OPTION_TEXT_BYTES];
    char out[DT_OPTION_TEXT_BYTES];
    dt_option_interval checkpoint_every;
    char resume[DT_OPTION_TEXT_BYTES];
    bool force;
    double time_limit, stall_timeout; /* s; 0: none */
    char csv_log[DT_OPTION_TEXT_BYTES];
    bool progress, quiet;
    char like[DT_OPTION_TEXT_BYTES];
    char config[DT_OPTION_TEXT_BYTES];
} dt_settings;

/** Flags of a row of the table of settings. */
enum {
    DT_SETTING_SESSION = 1, /* applies only to this start of the program */
    DT_SETTING_NO_WEIGHT = 2, /* does not change the weights */
    DT_SETTING_HOW_SUMMED = 4, /* does not change the weights with the exact sum */
    DT_SETTING_THREADS = 8, /* does not change the weights with dtrain's own kernels */
    DT_SETTING_DATA = 16, /* about DATA, without meaning for other data */
    DT_SETTING_DEPENDS = 32, /* its default comes from the job or from the model of --init-from */
    DT_SETTING_NUMBER = 64, /* the hyperparameter of that name, if the optimizer has it */
    DT_SETTING_NEWER = 128, /* older logs of this format do not have it; they used its default */
    DT_SETTING_TABLE = 256, /* about DATA that is a table of text */
    DT_SETTING_REMAKES = 512 /* changes the arrays that are made of a table */
};

/** Returns the setting of that name in logs ("csv_log"); NULL if there is none. Local. */
const dt_option *dt_settings_option(const char *name);

/**
 * Returns whether DATA is one table of text. Root-only, because other hosts may not have the file.
 */
bool dt_settings_has_table(const dt_settings *settings);

/**
 * Checks that options about a table are used with a table, and options about arrays with arrays.
 *
 * Calls:   root-only; DATA is known
 * Errors:  DT_USAGE
 */
DT_MUST_USE dt_status dt_settings_check_data(const dt_settings *settings);

/** Returns --loss; NULL: auto. Calls: local. */
const dt_loss *dt_settings_loss(const dt_settings *settings);

/**
 * Returns the type of the targets by --task, or else by --loss; AUTO: neither decides.
 * Calls: local.
 */
dt_targets dt_settings_targets(const dt_settings *settings);

/** Returns the seed of the split: --split-seed, or --seed. Calls: local. */
int64_t dt_settings_split_seed(const dt_settings *settings);

/**
 * Returns the settings of a preparation. If `dtrain prepare` and a run have an option of the same
 * name, the value of the run is used; the seed is --split-seed. Local.
 */
void dt_settings_prepare(dt_prepare_settings *out, const dt_settings *settings);

/**
 * Decides how a run scales the inputs of arrays (input_scale); it does not scale those of a table.
 * A scale that was not given (`typed`) but copied by --like is ignored if it cannot apply: for the
 * arrays of a run on a table, or if the model of --init-from scales the inputs.
 *
 * Calls:   root-only, because it reads the data
 */
void dt_settings_settle_scale(dt_settings *settings, bool typed);

/** Returns the option table of command line, configuration file, help, banner and log. */
const dt_option_table *dt_settings_table(void);

/**
 * Parses the words after `dtrain train`, and the file that --config names; the command line wins.
 * Other options have the value of --preset, or else the default. The run of --like or --resume is
 * not read here (run/previous.h).
 *
 * Calls:   local
 * Errors:  DT_USAGE, one sentence
 */
DT_MUST_USE dt_status dt_settings_parse(dt_settings *out, int argc, char **argv);

/**
 * Returns the task of the run, with the quality that --monitor names as an additional metric;
 * classification until the data is known. Local.
 */
const dt_task *dt_settings_task(const dt_settings *settings);

/** Returns the metric or quality that --monitor names; NULL: the task does not have it. Local. */
const dt_metric *dt_settings_monitor(const dt_settings *settings);

/** Gets a number of an optimizer or a loss that is a setting, by its name as an option or in logs:
 * "huber-delta"; a flag is 0 or 1. Returns false if there is none. Local. */
bool dt_settings_number(double *out, const dt_settings *settings, const char *name);

/** Returns the plan of the trainer. Local. */
dt_plan dt_settings_plan(const dt_settings *settings);

/**
 * Returns the sum of the CRC-32 of each option's name and value, except those that are `absent`
 * (NULL: none is). It does not change if dtrain gets more options or another order. DATA is not
 * included. Local.
 */
uint32_t dt_settings_crc(const dt_settings *settings, const bool *absent);

/**
 * Sets the options that depend on the job: at least as many shards as ranks, with a warning if that
 * raises them. Checks options that contradict each other.
 *
 * Calls:   local
 * Errors:  DT_USAGE: fewer shards were asked for than there are ranks; numbers that the schedule
 *          does not have, or with which it never acts; two ways to clip gradients; --max-norm with
 *          a window; restarts or folds that begin with one model or have one log, an average
 *          without restarts, folds that contradict each other or other options; no epoch that
 *          --min-epochs lets be judged; a threshold that is not a rule
 */
DT_MUST_USE dt_status dt_settings_complete(dt_settings *settings, int ranks);

#endif
