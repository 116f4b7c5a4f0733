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

/** All that a training run can be told. Plain data: rank 0 parses, the others get the bytes. */
typedef struct dt_settings {
    dt_option_set given; /* see dt_option_table */
    char data[DT_DATA_MAX][DT_OPTION_TEXT_BYTES];
    int data_count;

    dt_prepare_settings prepare; /* of DATA that is a table: what a run has not itself */
    char inputs[DT_OPTION_TEXT_BYTES], targets[DT_OPTION_TEXT_BYTES];
    double validation_split, test_split;
    char scale[DT_OPTION_TEXT_BYTES]; /* of arrays a dt_input_scale, of a table a list */
    int input_scale; /* a dt_input_scale, no option: what `scale` means, as rank 0 knows it */
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

/** What else a row of the table of settings says: flags. */
enum {
    DT_SETTING_SESSION = 1, /* of this start of the program alone */
    DT_SETTING_NO_WEIGHT = 2, /* does not change the weights */
    DT_SETTING_HOW_SUMMED = 4, /* does not change the weights with the exact sum */
    DT_SETTING_THREADS = 8, /* does not change the weights with dtrain's own kernels */
    DT_SETTING_DATA = 16, /* about DATA, and of no meaning for other data */
    DT_SETTING_DEPENDS = 32, /* without it, a value of the job or of --init-from's model counts */
    DT_SETTING_NUMBER = 64, /* the number of that name of an optimizer, if it has one */
    DT_SETTING_NEWER = 128, /* logs of this format did not have it at first; they had its default */
    DT_SETTING_TABLE = 256, /* about DATA that is a table of text */
    DT_SETTING_REMAKES = 512 /* changes the arrays that a table becomes */
};

/** Returns the setting of that name in logs ("csv_log"); NULL if there is none. Local. */
const dt_option *dt_settings_option(const char *name);

/** Returns whether DATA is one table of text. Root-only: other hosts may not have it. */
bool dt_settings_has_table(const dt_settings *settings);

/**
 * Checks the options about DATA: those of a table are for a table, those of arrays for arrays.
 *
 * Calls:   root-only; DATA is known
 * Errors:  DT_USAGE
 */
DT_MUST_USE dt_status dt_settings_check_data(const dt_settings *settings);

/** Returns --loss; NULL: auto. Calls: local. */
const dt_loss *dt_settings_loss(const dt_settings *settings);

/** Returns what the targets are by --task, or else by what --loss is for; AUTO: neither says.
 * Calls: local. */
dt_targets dt_settings_targets(const dt_settings *settings);

/** Returns the seed of the split: --split-seed, or --seed. Calls: local. */
int64_t dt_settings_split_seed(const dt_settings *settings);

/**
 * Gives what a preparation needs of the settings: where `dtrain prepare` and a run have an option
 * of one name, the run's counts, and its --split-seed is the seed. Local.
 */
void dt_settings_prepare(dt_prepare_settings *out, const dt_settings *settings);

/**
 * Finds how the inputs of arrays are scaled (input_scale); those of a table are not, by the run. A
 * scale that nobody typed (`typed`), but that --like brings, is left out where it cannot be meant:
 * arrays of a run on a table, inputs that are scaled as in the model of --init-from.
 *
 * Calls:   root-only, since the data is looked at
 */
void dt_settings_settle_scale(dt_settings *settings, bool typed);

/** Returns the one table that command line, configuration file, help, banner and log go by. */
const dt_option_table *dt_settings_table(void);

/**
 * Parses the words after `dtrain train`, and the file that --config names; the command line wins.
 * What neither gives is what --preset says, or else the default.
 * What --like or --resume names is not read yet (run/previous.h).
 *
 * Calls:   local
 * Errors:  DT_USAGE, one sentence
 */
DT_MUST_USE dt_status dt_settings_parse(dt_settings *out, int argc, char **argv);

/** Returns what the run's targets mean, with the quality that --monitor names as a further metric;
 * classes, until the data is known. Local. */
const dt_task *dt_settings_task(const dt_settings *settings);

/** Returns the metric or quality that --monitor names; NULL: the task does not have it. Local. */
const dt_metric *dt_settings_monitor(const dt_settings *settings);

/** Gets a number of an optimizer or a loss that is a setting, by its name as an option or in logs:
 * "huber-delta"; a flag is 0 or 1. Returns false if there is none. Local. */
bool dt_settings_number(double *out, const dt_settings *settings, const char *name);

/** Returns what the trainer needs of the settings. Local. */
dt_plan dt_settings_plan(const dt_settings *settings);

/**
 * Returns the sum of the CRC-32 of each option's name and value, without those that are `absent`
 * (NULL: none is): the same in a dtrain with more options, and in another order. DATA does not
 * count. Local.
 */
uint32_t dt_settings_crc(const dt_settings *settings, const bool *absent);

/**
 * Fills in what depends on the job: shards, at least the number of ranks; warns when that raises
 * them. Checks options that contradict each other.
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
