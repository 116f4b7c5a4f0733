#ifndef DTRAIN_RUN_SEARCH_INTERNAL_H
#define DTRAIN_RUN_SEARCH_INTERNAL_H

/* Shared by the files of search.h. */

#include "../run_internal.h"

#include "dtrain/comm/crew.h"
#include "dtrain/run/search.h"
#include "dtrain/run/space.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The state of a trial; a row of search.h5. Plain data, so that leaders can send it. */
typedef struct dt_trial {
    int64_t trial; /* from 1 */
    char state[16]; /* "waiting", "running", "paused", "dropped", "ok", "diverged", "refused",
                       "failed" */
    int64_t rung; /* of --halving: the last rung in which it was trained, from 1; 0: none */
    int64_t epochs; /* that have ended */
    int64_t best_epoch; /* whose weights it has; before its end the best so far. 0: none */
    double value; /* the monitored value in that epoch, or the mean of the folds; NaN: none */
    double deviation; /* of the value over the folds; NaN without --folds */
    dt_metrics validation; /* as the value */
    double seconds; /* of its epochs */
    int64_t ranks; /* of the group that trained it last */
    int64_t parameters;
    int64_t weights_crc; /* of its model; 0: it has none */
    char reason[160]; /* reason of a state other than success */
} dt_trial;

/* An epoch of a trial's curve. */
typedef struct dt_trial_epoch {
    double train_loss, value; /* value: of what is monitored */
} dt_trial_epoch;

typedef struct dt_curve {
    dt_trial_epoch *epochs;
    size_t count;
} dt_curve;

/* An order to a leader. */
typedef enum dt_order_kind {
    DT_ORDER_TRAIN,
    DT_ORDER_REGROUP,
    DT_ORDER_STOP,
    DT_ORDER_END
} dt_order_kind;

typedef struct dt_order {
    int kind; /* a dt_order_kind */
    int signal; /* of STOP: why */
    int64_t trial;
    int64_t pause_after; /* epochs; 0: it is trained to its end */
    int together; /* of REGROUP: groups that become one */
} dt_order;

/* The report of a leader: a trial that has ended for now, or, with trial 0, a request to stop. The
 * curve follows it. */
typedef struct dt_report {
    dt_trial row;
    int status; /* a dt_status; not OK, and the search ends */
    char text[DT_STATUS_TEXT_BYTES];
    uint64_t epochs; /* of the curve */
} dt_report;

/* A group, as known to rank 0. */
typedef enum dt_group_state { DT_GROUP_IDLE, DT_GROUP_TRAINS } dt_group_state;

typedef struct dt_group {
    dt_group_state state;
    bool has_order; /* only group 0: its next order */
    dt_order order;
    int64_t trial;
} dt_group;

/* A trial of a rung that has ended. */
typedef struct dt_ranked {
    int64_t trial;
    double value; /* the smaller the better; infinite: it has none */
} dt_ranked;

/* The state that only rank 0 has. */
typedef struct dt_dealer {
    dt_trial *rows; /* [trials] */
    dt_curve *curves; /* [trials] */
    int64_t *queue; /* [trials]: those of this rung */
    dt_ranked *ranking; /* [trials]: of a rung that has ended */
    int64_t queue_count, queue_next;
    int64_t rung; /* from 1; 0: none has begun */
    dt_group *groups; /* [crew count] */
    bool stops; /* no more trials are dealt */
    dt_status status; /* why */
    char text[DT_STATUS_TEXT_BYTES];
    double saved_s; /* when search.h5 was last written, by dt_clock_s */
    int64_t done_before; /* trials that had ended when this session began */
} dt_dealer;

/* The same on all ranks, unless said otherwise. */
typedef struct dt_search {
    const dt_comm *all;
    bool root; /* rank 0 of all */
    bool leads; /* rank 0 of its group */
    dt_search_settings settings;
    char command_line[4096];
    dt_space space;
    int64_t trials;
    dt_crew *crew;
    bool chooses_ranks; /* rank 0 only: --ranks-per-trial was not given */
    dt_environment environment; /* of all ranks */
    dt_run *run; /* the group's: its settings are what all trials share; it has the data */
    double started_s; /* by dt_clock_s */
    double looked_s; /* leaders: when they last looked for messages, likewise */
    dt_dealer dealer; /* rank 0 only */
} dt_search;

/* ---- search_trial.c ---- */

/* Writes the value that a trial has of setting `index`. Returns `out`. Local. */
const char *dt_search_value(char out[DT_SPACE_VALUE_BYTES], const dt_search *s, size_t index,
                            int64_t trial);

/* Writes the value that a trial has of setting `index` for people: one drawn from a range with this
 * many digits. Returns `out`. Local. */
const char *dt_search_show_value(char out[DT_SPACE_VALUE_BYTES], const dt_search *s, size_t index,
                                 int64_t trial, int digits);

/* Writes all values of a trial, as "hidden 64, dropout 0.123456", with this many digits. Returns
 * `out`. Local. */
const char *dt_search_describe(char *out, size_t bytes, const dt_search *s, int64_t trial,
                               int digits);

/* Returns the settings of a trial. Local. Errors: DT_USAGE: a run does not accept them together. */
DT_MUST_USE dt_status dt_search_settings_of(dt_settings *out, const dt_search *s, int64_t trial);

/* Checks that each value of the space is accepted in some trial, and that some trial is. Local.
 * Errors: DT_USAGE; DT_MEMORY. */
DT_MUST_USE dt_status dt_search_check_values(const dt_search *s);

/**
 * Trains a trial according to the order, and fills in the report; the caller frees the curve. Rank
 * 0 of the group calls `between` after each step.
 *
 * Calls:   collective over the group
 */
void dt_search_train(dt_report *out, dt_curve *curve, dt_search *s, const dt_order *order,
                     void (*between)(void *context));

/* Fills in the state of a trial from its files. Root-only. Errors: DT_DATA, DT_MEMORY. */
DT_MUST_USE dt_status dt_search_read_trial(dt_trial *row, dt_curve *curve, const dt_search *s);

/* ---- search_groups.c ---- */

/* Divides the ranks into groups, and looks at them. Collective over all. Errors: DT_USAGE,
 * DT_MEMORY. */
DT_MUST_USE dt_status dt_search_form_groups(dt_search *s);

/* Returns how many groups should be merged to train this many trials fastest: by the number of the
 * groups, the size of the networks and the rows of a step. 1: as they are. Root-only, once the data
 * is there. */
int dt_search_choose_merge(const dt_search *s, int64_t trials);

/**
 * Merges groups, as rank 0 says; no trial is under way. Each rank keeps a part of the rows it has.
 *
 * Calls:   collective over all; `together` counts on rank 0, and is 0 elsewhere
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_search_regroup(dt_search *s, int together);

/* ---- search_data.c ---- */

/* Copies the data of the first group to all groups. Collective over all. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_search_share_data(dt_search *s);

/* ---- search_deal.c ---- */

/* Deals trials to groups, and trains those of this group, until all have ended or the search stops.
 * Collective over all. Errors: DT_STOPPED; what ended the search. */
DT_MUST_USE dt_status dt_search_deal(dt_search *s);

/* ---- search_halving.c: rank 0 ---- */

/* Returns how many rungs there are; 1 without --halving. */
int64_t dt_search_rungs(const dt_search *s);

/* Returns the epochs that a trial has at the end of a rung; 0: no limit. */
int64_t dt_search_rung_epochs(const dt_search *s, int64_t rung);

/* Fills the queue with the trials of the next rung. Returns false if there is none. */
bool dt_search_begin_rung(dt_search *s);

/* Returns whether a trial has to be trained in this rung. */
bool dt_search_is_due(const dt_search *s, const dt_trial *row);

/* Returns the index of the best trial that has a model, the first among equals; -1: there is
 * none. */
int64_t dt_search_best(const dt_search *s);

/* ---- search_file.c: rank 0 ---- */

/* Writes search.h5, with a status ("running", "ok" ...) and, unless it is NULL, a reason. Errors:
 * DT_OUTPUT, DT_MEMORY. */
DT_MUST_USE dt_status dt_search_save(dt_search *s, const char *state, const char *reason);

/* Copies options that were not given from the folder's search.h5, and compares those that were.
 * Errors: DT_USAGE with the difference; DT_DATA, DT_MEMORY. */
DT_MUST_USE dt_status dt_search_take_previous(dt_search *s, const char *folder);

/* ---- search_folder.c ---- */

/* Writes the name of a trial's folder. Returns `out`. Rank 0 of a group. */
const char *dt_search_folder(char out[PATH_BYTES], const dt_search *s, int64_t trial);

/* Checks that the files of the trials that are still to be trained can be written: nothing else has
 * their names, and the disk is not full already. Root-only. Errors: DT_OUTPUT, DT_MEMORY. */
DT_MUST_USE dt_status dt_search_check_folders(const dt_search *s);

/* Checks that a leader has the folder of rank 0, and can write there. Local. Errors: DT_OUTPUT. */
DT_MUST_USE dt_status dt_search_check_leader(const dt_search *s);

/* Removes the files of an earlier run from the folder, and those of an earlier search from the
 * folders of its trials. Root-only. Errors: DT_OUTPUT. */
DT_MUST_USE dt_status dt_search_remove_old(const dt_search *s);

/* Removes the checkpoint of a trial that is never trained on; warns if that cannot be. Rank 0 of a
 * group. */
void dt_search_remove_checkpoint(const dt_search *s, int64_t trial);

/* Makes FOLDER/best a link to the best trial's folder, or warns that it cannot. Root-only. */
void dt_search_link_best(const dt_search *s, int64_t trial);

/* ---- search_print.c: rank 0 ---- */

void dt_search_print_start(const dt_search *s);
void dt_search_print_trial(const dt_search *s, const dt_trial *row);
void dt_search_print_progress(const dt_search *s);
void dt_search_print_end(const dt_search *s, dt_status status);

#endif
