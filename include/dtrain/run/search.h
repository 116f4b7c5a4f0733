#ifndef DTRAIN_RUN_SEARCH_H
#define DTRAIN_RUN_SEARCH_H

#include "dtrain/base/options.h"
#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"
#include "dtrain/run/run.h"
#include "dtrain/run/settings.h"

#include <stdint.h>

/** How a search chooses its trials. */
typedef enum dt_sampling { DT_SAMPLING_RANDOM, DT_SAMPLING_GRID } dt_sampling;

enum { DT_TRIALS_MAX = 10000 };

/** The settings of a search beside those of a run, which its trials share. Plain data. */
typedef struct dt_search_settings {
    dt_option_set given;
    char space[DT_OPTION_TEXT_BYTES];
    int64_t trials;
    int sampling; /* a dt_sampling */
    int64_t halving; /* one in this many trials continues; 0: all continue */
    int64_t ranks_per_trial; /* 0: found */
} dt_search_settings;

/** Returns the table of these options; those of a run are accepted, too. */
const dt_option_table *dt_search_options(void);

/**
 * Parses the words after `dtrain search`: `run` gets those that are not the search's own.
 *
 * Calls:   local
 * Errors:  DT_USAGE, one sentence, as dt_settings_parse
 */
DT_MUST_USE dt_status dt_search_parse(dt_search_settings *out, dt_settings *run, int argc,
                                      char **argv);

/**
 * Trains many networks on the same data that differ in some settings, and finds the best.
 *
 * Each trial is an ordinary run, in the folder trial-N of the search: its values and its result
 * depend neither on the number of ranks nor on the other trials. The ranks are divided into groups;
 * rank 0 deals the trials to groups as they become free, between its own steps. The data is read
 * once, and given to the other groups.
 *
 * With --halving all trials train for some epochs, then the best of them on, and so on. The others
 * wait for the last one at each of these points, so that the same trials remain on any number of
 * ranks.
 *
 * A trial that diverges, that contradicts itself, or that finds no memory is a row of search.h5
 * with its reason, and does not stop the others. If files cannot be written, or a rank is asked to
 * stop, all groups stop with checkpoints; settings->resume continues the search: trials that have
 * ended are not trained again.
 *
 * Calls:   collective; all but `comm` is read on rank 0 only
 * Errors:  DT_USAGE, before anything is trained: a space or a value that no trial can have, data
 *          without a validation set, another space or other data than those of the search that is
 *          resumed. Else as the calls of run.h; DT_DIVERGED: no trial has a result
 */
DT_MUST_USE dt_status dt_search_run(const dt_comm *comm, const dt_search_settings *search,
                                    const dt_settings *settings, const char *command_line,
                                    dt_run_table_report *table_report);

#endif
