#include "run_parts.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/retry.h"
#include "dtrain/comm/watchdog.h"

#include <stdio.h>
#include <string.h>

static dt_status save_model(void *context)
{
    dt_status status = DT_OK;
    const dt_run *r = context;
    char path[PATH_BYTES + 16];
    char *json = NULL;
    dt_model model = r->model; /* borrowed, like the rest */
    DT_TRY(dt_run_check_own(r));
    if (r->recipe.D > 0) {
        DT_TRY(dt_recipe_to_json(&json, &r->recipe));
        model.recipe_json = json;
        model.class_names = r->recipe.classes;
        model.class_name_count = r->recipe.class_count;
    }
    if (r->recipe.D == 0 && model.class_names == NULL && r->sets[DT_TRAIN].class_names != NULL) {
        model.class_names = r->sets[DT_TRAIN].class_names;
        model.class_name_count = r->sets[DT_TRAIN].C;
    }
    (void)snprintf(path, sizeof path, "%s/model.h5", r->folder);
    DT_TRY(dt_model_save(&model, path));
out:
    dt_memory_free(json);
    return status;
}

/* Gathers the ranks' times; rank 0 prints the results, and adds them to the log. If the model could
 * not be saved, the results are printed, but not logged: on a full disk a larger log could fail,
 * and then could not record that the run failed. */
static dt_status report_results(dt_run *r, bool saved, bool evaluated)
{
    dt_status status = DT_OK;
    const size_t size = (size_t)dt_comm_size(r->comm);
    dt_rank_row mine = {.rank = dt_comm_rank(r->comm),
                        .rows = (int64_t)dt_dataset_own_rows(&r->sets[DT_TRAIN]),
                        .phases = r->result.phases};
    dt_rank_row *rows = NULL;
    memcpy(mine.host, r->environment.launch.host, sizeof mine.host);
    mine.phases.seconds[DT_PHASE_LOAD] = r->load_s;
    DT_TRY(dt_comm_agree(r->comm, dt_memory_alloc(&rows, size, sizeof *rows, "ranks' times")));
    dt_comm_allgather(r->comm, rows, &mine, sizeof mine);
    if (r->root && evaluated && r->part > 0) {
        /* The whole run prints the results of its parts. */
    } else if (r->root && evaluated) {
        dt_run_report_phases(rows, size);
        dt_previous_report(&r->previous, r->result.weights_crc);
        dt_run_report_summary(r);
    } else if (r->root && saved) {
        dt_log_say("\nmodel      saved in %s/model.h5, but not evaluated on all sets\n", r->folder);
    }
    if (r->root && saved)
        status = dt_run_log_add_result(r->log, &r->result, rows, size);
    status = dt_comm_agree(r->comm, status);
out:
    dt_memory_free(rows);
    return status;
}

/* The first failure is reported, even if later steps are still done. */
typedef struct failure {
    dt_status status;
    char text[DT_STATUS_TEXT_BYTES];
} failure;

static bool note(failure *first, dt_status status)
{
    if (status != DT_OK && first->status == DT_OK) {
        first->status = status;
        (void)snprintf(first->text, sizeof first->text, "%s", dt_status_text());
    }
    return status == DT_OK;
}

/* Of folds, each row was trained on by all networks but one: only the test rows are new to their
 * ensemble. */
static dt_status evaluate(dt_run *r)
{
    dt_dataset sets[DT_SET_COUNT];
    memcpy(sets, r->sets, sizeof sets);
    if (dt_run_has_folds(r))
        sets[DT_TRAIN].N = sets[DT_VALIDATION].N = 0;
    return dt_trainer_evaluate(&r->result, r->comm, sets, &r->model.network,
                               (int)r->settings.threads);
}

dt_status dt_run_save(dt_run *r)
{
    dt_status status = DT_OK;
    failure first = {.status = DT_OK};
    dt_comm_at(r->comm, DT_AT_EVALUATE, 0, 0);
    (void)note(&first, dt_run_set_threshold(r)); /* part of the model, which is saved even after a
                                          * failure */
    dt_comm_at(r->comm, DT_AT_SAVE, 0, 0);
    const bool saved =
        note(&first, dt_comm_agree(r->comm, r->root ? dt_retry_output(save_model, r) : DT_OK));
    dt_comm_at(r->comm, DT_AT_EVALUATE, 0, 0);
    const bool evaluated = note(&first, evaluate(r));
    (void)note(&first, report_results(r, saved, evaluated));
    status = dt_csv_log_close(r->csv_log); /* NULL but on rank 0 */
    r->csv_log = NULL;
    (void)note(&first, dt_comm_agree(r->comm, status));
    if (first.status != DT_OK)
        return dt_fail(first.status, "%s", first.text);
    DT_TRY(dt_comm_agree(r->comm, r->root ? dt_run_check_own(r) : DT_OK));
    status = dt_run_log_close(r->log, "ok", NULL); /* NULL but on rank 0 */
    r->log = NULL;
    if (status == DT_OK && r->root)
        status = dt_checkpoint_remove(r->folder);
    status = dt_comm_agree(r->comm, status);
    if (status == DT_OK && r->part == 0)
        dt_log_result("summary.status=ok\n");
out:
    return status;
}
