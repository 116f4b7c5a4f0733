/* --folds: each fold is held out once, from a run on the others. */
#include "run_folds.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"

static int64_t count_folds(const dt_settings *settings)
{
    return settings->folds * settings->repeats;
}

static bool keeps_all(const dt_settings *settings)
{
    (void)settings;
    return true;
}

static dt_status set_up(dt_run *part, const dt_run *whole)
{
    part->settings.fold = part->part;
    return dt_run_take_fold(part, whole);
}

/* The test set is the whole's. */
static void clear(dt_run *part)
{
    if (part->measured == NULL) /* set_up failed early: everything is still borrowed */
        return;
    dt_dataset_clear(&part->sets[DT_TRAIN]);
    dt_dataset_clear(&part->sets[DT_VALIDATION]);
    dt_memory_free(part->scale);
    part->scale = NULL;
}

static void say(const dt_run *part)
{
    const dt_settings *s = &part->settings;
    const long long at = (long long)s->fold - 1, K = (long long)s->folds;
    dt_log_say("fold %lld of %lld", at % K + 1, K);
    if (s->repeats > 1)
        dt_log_say(", repeat %lld of %lld", at / K + 1, (long long)s->repeats);
    dt_log_say(": %llu rows, %llu held out", (unsigned long long)part->sets[DT_TRAIN].N,
               (unsigned long long)part->sets[DT_VALIDATION].N);
}

const dt_parts_kind dt_parts_folds = {.word = "fold",
                                      .file = "out_of_fold.csv",
                                      .holds_out = true,
                                      .count = count_folds,
                                      .keeps_all = keeps_all,
                                      .set_up = set_up,
                                      .clear = clear,
                                      .say = say,
                                      .record = dt_run_record_folds,
                                      .finish = dt_run_write_out_of_fold};
