/* --restarts: runs that differ in their seed, on the same rows. */
#include "run_parts.h"

#include "dtrain/base/log.h"
#include "dtrain/base/text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static int64_t count_restarts(const dt_settings *settings)
{
    return settings->restarts;
}

static bool averages(const dt_settings *settings)
{
    return settings->average;
}

static dt_status set_up(dt_run *part, const dt_run *whole)
{
    dt_settings *s = &part->settings;
    s->restarts = 1;
    s->average = false;
    s->split_seed = dt_settings_split_seed(&whole->settings);
    s->seed += part->part - 1;
    return DT_OK;
}

static void say(const dt_run *part)
{
    dt_log_say("restart %" PRId64 ", seed %" PRId64, part->part, part->settings.seed);
}

static const dt_h5_column columns[] = {
    {"restart", NULL, DT_H5_I64, DT_H5_FIELD(dt_part, number)},
    {"seed", NULL, DT_H5_I64, DT_H5_FIELD(dt_part, seed)},
    {"status", NULL, DT_H5_TEXT, DT_H5_FIELD(dt_part, status)},
    {"best_epoch", NULL, DT_H5_I64, DT_H5_FIELD(dt_part, best_epoch)},
    {"value", NULL, DT_H5_F64, DT_H5_FIELD(dt_part, value)},
    {"kept", NULL, DT_H5_I64, DT_H5_FIELD(dt_part, kept)},
    {"weights_crc", NULL, DT_H5_I64, DT_H5_FIELD(dt_part, weights_crc)},
    {"reason", NULL, DT_H5_TEXT, DT_H5_FIELD(dt_part, reason)},
};
static const dt_h5_table table = DT_H5_TABLE(columns, dt_part);

static dt_status record(dt_run *whole, const dt_part *rows)
{
    const dt_settings *s = &whole->settings;
    char value[DT_TEXT_NUMBER_BYTES];
    double least = NAN;
    for (int64_t i = 0; i < s->restarts; i++)
        least = fmin(least, strcmp(rows[i].status, "ok") == 0 ? fabs(rows[i].value) : NAN);
    dt_log_say("restart   seed  best epoch  val_%s\n", dt_settings_monitor(s)->name);
    for (int64_t i = 0; i < s->restarts; i++) {
        dt_log_say("%7" PRId64 "  %5" PRId64 "  ", rows[i].number, rows[i].seed);
        if (strcmp(rows[i].status, "ok") == 0)
            dt_log_say("%10" PRId64 "  %s%s\n", rows[i].best_epoch,
                       dt_text_aligned(value, rows[i].value, least, 5),
                       rows[i].kept != 0 ? "  kept" : "");
        else
            dt_log_say("         -  %s: %s\n", rows[i].status, rows[i].reason);
    }
    return dt_run_log_add_table(whole->log, "/restarts", &table, rows, (size_t)s->restarts);
}

const dt_parts_kind dt_parts_restarts = {.word = "restart",
                                         .count = count_restarts,
                                         .keeps_all = averages,
                                         .set_up = set_up,
                                         .say = say,
                                         .record = record};
