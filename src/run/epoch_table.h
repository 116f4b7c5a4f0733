#ifndef DTRAIN_RUN_EPOCH_TABLE_H
#define DTRAIN_RUN_EPOCH_TABLE_H

/* The table /epochs, a row an epoch, as run.h5 and checkpoint.h5 have it. All calls are local. */

#include "dtrain/io/h5.h"
#include "dtrain/train/trainer.h"

#include <stddef.h>
#include <stdint.h>

/* Makes the table, without rows. Errors: DT_OUTPUT, DT_MEMORY. */
DT_MUST_USE dt_status dt_epoch_table_make(dt_h5 *h5);

/* Appends rows. Errors: DT_OUTPUT, DT_MEMORY; the table is as it was then. */
DT_MUST_USE dt_status dt_epoch_table_append(dt_h5 *h5, const dt_epoch *epochs, size_t count);

/* Reads all rows. Owns: the caller frees *out with dt_memory_free. Errors: DT_DATA, DT_MEMORY. */
DT_MUST_USE dt_status dt_epoch_table_read(dt_epoch **out, size_t *count, dt_h5 *h5);

/* Computes the CRC-32 of the rows as the table has them. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_epoch_table_crc(uint32_t *out, const dt_epoch *epochs, size_t count);

#endif
