#ifndef DTRAIN_DATA_DATASET_INTERNAL_H
#define DTRAIN_DATA_DATASET_INTERNAL_H

/* Shared by the files of dt_dataset_load. */

#include "classes.h"
#include "dtrain/data/dataset.h"
#include "dtrain/data/split.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The state of a dt_dataset_load. */
typedef struct dt_loader {
    dt_dataset *sets;
    const dt_comm *comm;
    const dt_source *source; /* rank 0 only, and so is all below up to `bytes` */
    const dt_deal *deal;
    bool values; /* targets are values, not classes */
    dt_classes classes;
    char **class_names; /* [classes.count]: NULL: ids; the training set's in the end */
    uint64_t *class_rows[DT_SET_COUNT]; /* of classes */
    dt_split *split; /* NULL: nothing has to be split off */
    void *items; /* a tile as in the file */
    float *tile; /* [rows, columns] */
    uint32_t *rows; /* those of a tile that go to one set */
    size_t *bytes; /* [size]: of each rank's share of a piece */
    size_t capacity; /* items in a tile */
    uint32_t *packed; /* shares of a piece, rank after rank; on the other ranks its own */
} dt_loader;

/* Deals rows of one set: `count` rows of `tile` [.., columns], l->rows says which, become the set's
 * rows from `first` on, and there the columns from `column` on of the array, a DT_ARRAY_INPUTS ...
 * Rank 0 only. */
void dt_loader_deal_rows(dt_loader *l, dt_set set, int array, uint64_t first, size_t count,
                         uint64_t column, uint64_t columns, const void *tile);

/* Returns how many of the rows first .. first+rows-1 belong to a shard; *index is the index of the
 * first one in the shard. Local. */
uint64_t dt_loader_shard_rows(uint64_t first, uint64_t rows, size_t shard, const dt_deal *deal,
                              uint64_t *index);

/* Reads all sets and deals them to the other ranks, which call dt_loader_receive until
 * dt_loader_end, also after an error. Rank 0 only. Errors: as dt_dataset_load. */
DT_MUST_USE dt_status dt_loader_deal(dt_loader *l);

/* The same for a source that is a table. Errors: as dt_prepare_apply. */
DT_MUST_USE dt_status dt_loader_deal_table(dt_loader *l);

/* Finds the numbers and ids of the rows of all sets, once they have been dealt. Rank 0 only.
 * Errors: DT_DATA, DT_MEMORY. */
DT_MUST_USE dt_status dt_loader_number_rows(dt_loader *l);

/* Notifies the other ranks that there are no more pieces. Rank 0 only. */
void dt_loader_end(dt_loader *l);

/* Receives this rank's share of what rank 0 deals. All other ranks. */
void dt_loader_receive(dt_loader *l);

#endif
