#ifndef DTRAIN_DATA_DATASET_H
#define DTRAIN_DATA_DATASET_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"
#include "dtrain/data/source.h"
#include "dtrain/nn/bins.h"
#include "dtrain/nn/network.h"
#include "dtrain/nn/panels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Maximum number of classes; more mean that `targets` is the wrong column. */
enum { DT_CLASSES_MAX = 65536 };

/** A text for each row. */
typedef struct dt_row_texts {
    uint64_t count; /* rows; 0: there are none */
    char *text; /* all of them, each with a NUL behind it */
    size_t *at; /* [count + 1]: where each begins */
    size_t capacity; /* of text, and */
    uint64_t room; /* of at */
} dt_row_texts;

/**
 * One set of rows, dealt to shards: row n is row n / S of shard n mod S, unless dt_deal.run is set.
 * A rank owns a contiguous block of shards, so the rows of a shard do not depend on the number of
 * ranks.
 */
typedef struct dt_dataset {
    uint64_t N; /* rows of all ranks; 0: there is no such set */
    size_t D; /* inputs of a row */
    size_t C; /* classes; 0: targets are values */
    size_t T; /* targets of a row: 1, or the values */
    uint64_t *class_rows; /* [C]: rows of each class, of all ranks; NULL: values */
    /* [C]: on rank 0, for the training set: the labels in the file; NULL: ids 0 to C - 1, or those
     * of a recipe */
    char **class_names;

    size_t S; /* shards of all ranks */
    size_t first_shard, shard_count; /* this rank's */
    size_t *shard_start; /* [shard_count + 1]: this rank's shards among its rows */
    float *x; /* [own rows, D], shard after shard */
    dt_target *y; /* [own rows, T], values in their own units */
    float *w; /* [own rows]: weights; NULL: each row weighs 1 */
    float *class_weights; /* [C]: factors of the rows' weights in training; NULL: 1 each */
    uint32_t *order; /* [own rows]: this epoch's order within each shard */
    /* [N]: on rank 0, with dt_deal.numbers: each row's number in the table, from 1, or in the array
     * `row`, or else its index in its file, from 0. NULL: not requested */
    int64_t *numbers;
    dt_row_texts ids; /* likewise, ids from the column --id or the array `id`, if there are any */
    dt_row_texts groups; /* likewise, groups from the column --split-by of a table */
} dt_dataset;

/** Returns the first shard of a rank; the first of rank + 1 is where its block ends. Local. */
size_t dt_dataset_first_shard(int rank, int size, size_t S);

/** The type of the targets. AUTO: values if one of them is not a whole number, else classes. */
typedef enum dt_targets { DT_TARGETS_AUTO, DT_TARGETS_CLASSES, DT_TARGETS_VALUES } dt_targets;

/** Maximum number of targets of a row. */
enum { DT_TARGETS_MAX = 1024 };

/** How rows are split into sets and dealt to shards. */
typedef struct dt_deal {
    size_t S;
    size_t run; /* rows that stay together: row n goes to shard n / run mod S; 0: 1, for training */
    dt_targets targets;
    size_t C; /* outputs of the model that evaluates the rows; 0: found from the training targets */
    char *const *class_names; /* [C]: of that model; NULL: none. Used on rank 0 only */
    bool ids; /* numbers are class ids, as dtrain prepare writes them. Used on rank 0 only */
    bool numbers; /* requests dt_dataset.numbers and ids; ids need another pass over a table */
    double validation_split, test_split; /* for the sets that the source does not have */
    uint64_t seed;
    int host_ranks; /* ranks on this host, which allocate at the same time */
} dt_deal;

/**
 * Reads the source on rank 0 and deals its rows to the shards, as a stream: beside its own share
 * rank 0 holds a few MiB, for any size of the files and any order in memory. It also holds, if
 * necessary, one longer row of inputs, two bits for each row that has to be split, and two bytes
 * for each row of one-hot targets in Fortran order.
 *
 * Sets that the source lacks are split off the training rows (dt_split); with a fraction of 0 such
 * a set has N = 0. Rows without targets all get class 0.
 *
 * The labels that occur are the classes, numbers in ascending order or texts in that of strcmp;
 * with deal->ids, labels are ids from 0, some of which may not occur; the columns of one-hot rows
 * are such ids, too.
 *
 * Calls:   collective; `source` is read on rank 0 only
 * Owns:    the caller clears with dt_dataset_clear
 * Errors:  DT_DATA: damaged data; NaN, infinity, or beyond float32 in the inputs; a label that is
 *          fractional, or not among the training set's classes; one class only, unless deal->C is
 *          given; labels that may be values; a weight that is negative; file, array, row and column
 *          (counted from 0) named. DT_MEMORY. All ranks return the same.
 */
DT_MUST_USE dt_status dt_dataset_load(dt_dataset sets[DT_SET_COUNT], const dt_comm *comm,
                                      const dt_source *source, const dt_deal *deal);

/**
 * Copies a set to the ranks of other communicators with the same size and number of shards: rank r
 * of each gets the part of rank r of the first one.
 *
 * Calls:   collective over `peers`, of which rank 0 has the set; on the others *set is empty
 * Owns:    each rank clears its own with dt_dataset_clear, also after an error
 * Errors:  DT_MEMORY, on all of `peers`
 */
DT_MUST_USE dt_status dt_dataset_share(dt_dataset *set, const dt_comm *peers);

/**
 * Keeps a part of this rank's shards: those of rank `rank` of `size`, which lie among them. What
 * rank 0 alone has goes on other ranks. The set is then as if it had been dealt to `size` ranks.
 *
 * Calls:   local
 */
void dt_dataset_narrow(dt_dataset *set, int rank, int size);

/** Frees; a zeroed set is allowed. Local. */
void dt_dataset_clear(dt_dataset *set);

/**
 * Finds the index that each of the set's classes has among those of a model: by the name, or by the
 * id if the model's classes have no names, or names that are not all numbers. `names` [C]; NULL:
 * none. `where` is the model's name in error lines.
 *
 * Shapes:  out [set->C]
 * Calls:   root-only: it has the set's names
 * Errors:  DT_DATA: the model does not have a class; DT_MEMORY
 */
DT_MUST_USE dt_status dt_dataset_match_classes(int32_t *out, const dt_dataset *set,
                                               char *const *names, size_t C, const char *where);

/**
 * Renumbers the classes: class c becomes map[c], below C; the names are dropped.
 *
 * Calls:   local; the same on all ranks: map [set->C], C
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_dataset_map_classes(dt_dataset *set, const int32_t *map, size_t C);

/**
 * Makes a set of selected rows of other sets, as if it had been read from a file and dealt: the
 * selected rows of the first set in their order, then those of the next.
 *
 * Shapes:  from [count], of the same inputs, targets and shards, all or none with weights, and
 *          dealt for training (dt_deal.run 0); wanted [rows of all sets together], on all ranks
 * Calls:   collective; same on all ranks: wanted
 * Owns:    the caller clears with dt_dataset_clear, also after an error; class_weights are not
 *          copied
 * Errors:  DT_MEMORY, on all ranks
 * Cost:    a row is sent once; memory for the set and for another copy of the rank's share
 */
DT_MUST_USE dt_status dt_dataset_select(dt_dataset *out, const dt_comm *comm,
                                        const dt_dataset *const *from, size_t count,
                                        const unsigned char *wanted);

/**
 * Gathers a value for each row on rank 0, in the order of the rows.
 *
 * Shapes:  mine [own rows, bytes] in, as set->x; out [N, bytes], on rank 0 only. The set was dealt
 *          for training (dt_deal.run 0)
 * Calls:   collective
 * Errors:  DT_MEMORY, on all ranks
 */
DT_MUST_USE dt_status dt_dataset_gather(void *out, const dt_comm *comm, const dt_dataset *set,
                                        const void *mine, size_t bytes);

/** Returns the number of the positions 0 .. count-1 that are in a shard. Local. */
uint64_t dt_dataset_positions(uint64_t count, size_t shard, size_t S);

/** Returns the number of rows on this rank. Local. */
size_t dt_dataset_own_rows(const dt_dataset *set);

/** Shuffles this rank's shards for an epoch: a function of (seed, epoch, shard). Local. */
void dt_dataset_shuffle(dt_dataset *set, uint64_t seed, uint64_t epoch);

/** This rank's rows of a step, shard after shard. All memory is the caller's. */
typedef struct dt_batch {
    const dt_panels *x; /* [capacity,D] */
    dt_target *y; /* [capacity,T] */
    float *w; /* [capacity]; NULL: rows have no weights */
    uint64_t *positions; /* [capacity]: of the rows in the epoch's global order */
    size_t *start; /* [shard_count + 1]: where each shard's rows begin; the last is their number */
} dt_batch;

/**
 * Copies this rank's rows of the step with positions first .. first+count-1 of the epoch's order;
 * position q belongs to shard q mod S.
 *
 * Calls:   local
 * Cost:    allocates nothing
 */
void dt_dataset_take(const dt_dataset *set, uint64_t first, uint64_t count, const dt_batch *batch);

/** Returns the largest number of rows that dt_dataset_take can give for `count` positions. Local.
 */
size_t dt_dataset_take_capacity(const dt_dataset *set, uint64_t count);

/**
 * Measures the set's values: mean and standard deviation over all rows, the same bits on any number
 * of ranks.
 *
 * Shapes:  out [T]
 * Calls:   collective
 * Errors:  DT_DATA: a target has the same value in all rows; DT_MEMORY
 */
DT_MUST_USE dt_status dt_dataset_measure(dt_target_scale *out, const dt_comm *comm,
                                         const dt_dataset *set);

/** The values of an input over the rows. */
typedef struct dt_input_spread {
    double mean, deviation, minimum, maximum;
} dt_input_spread;

/**
 * Measures the inputs over every n-th row of each shard, ignoring weights: the same bits on any
 * number of ranks.
 *
 * Shapes:  out [D]
 * Calls:   collective; same on all ranks: every, from 1 on, and the result
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_dataset_spread(dt_input_spread *out, const dt_comm *comm,
                                        const dt_dataset *set, size_t every);

/**
 * Returns the root mean squared distance, by the rows' weights, of the set's values from the means
 * of `scale` [T]: in the
 * target's unit; of several targets in standard deviations. NaN without rows. Collective.
 */
double dt_dataset_distance(const dt_comm *comm, const dt_dataset *set,
                           const dt_target_scale *scale);

/** How edges of bins are computed. */
typedef struct dt_bin_rule {
    dt_bins_by by;
    size_t bins; /* maximum of an input, 2 .. DT_BINS_MAX */
    const dt_target_scale *scale; /* [T]: of targets that are values, for trees; NULL: classes */
} dt_bin_rule;

/**
 * Finds the inputs that are numbers, which an encoding applies to: all except those with only 0 and
 * 1, or without a range (dt_bins_has_range). All rows count, with any weight.
 *
 * Shapes:  out [D]
 * Calls:   collective; the same result on all ranks, and on any number of them
 * Errors:  DT_MEMORY, on all ranks
 */
DT_MUST_USE dt_status dt_dataset_find_numbers(bool *out, const dt_comm *comm,
                                              const dt_dataset *set);

/**
 * Finds the edges of bins for each input that is a number, by dt_bins_choose or dt_bin_tree_choose,
 * from all rows, ignoring weights: the same on any number of ranks.
 *
 * For the call, each rank needs 16 bytes for each of its rows, and rank 0 another 16 for each value
 * of an input that a rank has. Trees need another 8 * min(values, M) * (1 + K) bytes on each rank,
 * at most 34 MiB, for K classes or targets and M = min(2^18, 2^22 / (1 + K)). If an input has more
 * than M different values, a threshold of its tree lies between two of M groups with about the same
 * number of rows each.
 *
 * Targets that are values count in standard deviations, each rounded once to a multiple of a step
 * below N * 2^-51, of N rows. Trees need an all-reduce of the sums for each input.
 *
 * Calls:   collective; same on all ranks: rule, and the result
 * Owns:    the caller clears with dt_bins_clear
 * Errors:  DT_MEMORY, on all ranks; *out is zeroed
 */
DT_MUST_USE dt_status dt_dataset_find_bins(dt_bins *out, const dt_comm *comm, const dt_dataset *set,
                                           const dt_bin_rule *rule);

/** Returns the class with the most rows, the lowest of equals. Local. */
size_t dt_dataset_majority_class(const dt_dataset *set);

#endif
