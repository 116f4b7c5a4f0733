/* DATA that is a table of text: it is prepared while it is read, and no array is written. */
#include "run_internal.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/comm/watchdog.h"

#include <stdio.h>
#include <string.h>

#define SECONDS_BETWEEN_SIGNS 5.0

/* The messages of rank 0 to the waiting ranks. */
enum { GOES_ON, ENDED };

static void say(const dt_run *r, int32_t word)
{
    dt_comm_broadcast(r->comm, &word, sizeof word);
}

static void wait_for_end(const dt_run *r)
{
    int32_t word = GOES_ON;
    while (word == GOES_ON)
        dt_comm_broadcast(r->comm, &word, sizeof word);
}

/* A long table must not look like a rank that hangs. */
static void tell_survey(void *context, const char *pass, double share)
{
    dt_run *r = context;
    const double now = dt_clock_s();
    dt_log_progress(pass, share);
    dt_comm_report_progress(r->comm);
    if (r->told_s < 0.0 || now - r->told_s < SECONDS_BETWEEN_SIGNS)
        return;
    say(r, GOES_ON);
    r->told_s = now;
}

/* "data/clients.csv.gz" -> "clients": for the name of the run's folder. */
static void name_table(char *out, size_t bytes, const char *path)
{
    const char *slash = strrchr(path, '/');
    char name[DT_OPTION_TEXT_BYTES];
    (void)snprintf(name, sizeof name, "%s", slash != NULL ? slash + 1 : path);
    if (dt_text_ends_in(name, ".gz"))
        name[strlen(name) - strlen(".gz")] = '\0';
    char *dot = strrchr(name, '.');
    if (dot != NULL)
        *dot = '\0';
    if (name[0] == '\0' || name[0] == '.' || name[0] == '-')
        (void)snprintf(name, sizeof name, "data");
    (void)snprintf(out, bytes, "%.*s", (int)bytes - 1, name);
}

/* The recipe as it would be read from a folder. */
DT_MUST_USE static dt_status take_recipe(dt_run *r)
{
    dt_status status = DT_OK;
    char *json = NULL;
    DT_TRY(dt_recipe_to_json(&json, dt_prepare_recipe(r->table.prepare)));
    DT_TRY(dt_recipe_from_json(&r->recipe, json, strlen(json), r->settings.data[0]));
out:
    dt_memory_free(json);
    return status;
}

static dt_status pass_over(void *context, const dt_prepare_row *row)
{
    (void)context;
    (void)row;
    return DT_OK;
}

DT_MUST_USE static dt_status prepare(dt_run *r)
{
    dt_status status = DT_OK;
    const char *path = r->settings.data[0];
    const bool split_asked = dt_options_given(dt_settings_table(), &r->settings, "split");
    dt_settings_prepare(&r->table.settings, &r->settings);
    name_table(r->source.name, sizeof r->source.name, path);
    DT_TRY(dt_preparation_open(&r->table, path));
    DT_TRY(dt_preparation_survey(&r->table, split_asked, tell_survey, r));
    if (r->table_report != NULL)
        DT_TRY(r->table_report(&r->table, false));
    DT_TRY(dt_prepare_fit(r->table.prepare, pass_over, NULL));
    DT_TRY(take_recipe(r));
    r->table_source = (dt_source_table){.path = path, .prepare = r->table.prepare};
    r->source.table = &r->table_source;
out:
    return status;
}

dt_status dt_run_open_table(dt_run *r)
{
    if (!r->root) {
        wait_for_end(r);
        return DT_OK;
    }
    r->told_s = dt_clock_s();
    const dt_status status = prepare(r);
    r->told_s = -1.0; /* from here on dealing is the sign of life */
    say(r, ENDED);
    return status;
}

dt_status dt_run_close_table(dt_run *r)
{
    dt_status status = DT_OK;
    if (r->table.prepare != NULL && r->table_report != NULL)
        status = r->table_report(&r->table, true);
    dt_preparation_close(&r->table);
    r->table_source.prepare = NULL;
    return status;
}
