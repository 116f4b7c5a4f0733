#ifndef DTRAIN_RUN_RUN_LOG_INTERNAL_H
#define DTRAIN_RUN_RUN_LOG_INTERNAL_H

/* Shared by the files of the run log. All calls are local; errors: DT_OUTPUT, DT_MEMORY. */

#include "dtrain/io/h5.h"
#include "dtrain/run/run_log.h"

#include <stddef.h>

/* The dataset of the classes' names: the scale of all counts by class. */
#define CLASS_NAMES "/data/class_names"

/* Writes the facts known at the start of the run: /config, /environment, /data. */
DT_MUST_USE dt_status dt_run_log_write_facts(dt_h5 *h5, const dt_run_facts *facts);

/* Writes the results: /evaluation, with the task's metrics, /summary, /ranks. */
DT_MUST_USE dt_status dt_run_log_write_result(dt_h5 *h5, const dt_task *task,
                                              const dt_result *result, const dt_rank_row *ranks,
                                              size_t rank_count);

#endif
