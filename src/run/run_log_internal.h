#ifndef DTRAIN_RUN_RUN_LOG_INTERNAL_H
#define DTRAIN_RUN_RUN_LOG_INTERNAL_H

/* What the files of the run log share. All calls are local; errors: DT_OUTPUT, DT_MEMORY. */

#include "dtrain/io/h5.h"
#include "dtrain/run/run_log.h"

#include <stddef.h>

/* Where the classes' names stand: the scale of all that counts by class. */
#define CLASS_NAMES "/data/class_names"

/* Writes what is known when the run begins: /config, /environment, /data. */
DT_MUST_USE dt_status dt_run_log_write_facts(dt_h5 *h5, const dt_run_facts *facts);

/* Writes what it came to: /evaluation, with the task's metrics, /summary, /ranks. */
DT_MUST_USE dt_status dt_run_log_write_result(dt_h5 *h5, const dt_task *task,
                                              const dt_result *result, const dt_rank_row *ranks,
                                              size_t rank_count);

#endif
