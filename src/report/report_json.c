/* Runs and searches as one JSON document. */
#include "report_internal.h"
#include "report_search.h"

#include "dtrain/io/json.h"

#include <math.h>

static void add_facts(dt_json *json, const char *name, const dt_report_facts *facts)
{
    dt_json_begin_object(json, name);
    for (size_t i = 0; i < facts->count; i++) {
        const dt_report_fact *fact = &facts->items[i];
        if (isnan(fact->number))
            dt_json_add_text(json, fact->name, fact->text);
        else
            dt_json_add_double(json, fact->name, fact->number);
    }
    dt_json_end(json);
}

static void add_run(dt_json *json, dt_report_run *const *place)
{
    const dt_report_run *run = *place;
    dt_report_keys keys;
    dt_report_list_keys(&keys, place, 1);
    dt_json_begin_object(json, NULL);
    dt_json_add_text(json, "name", run->name);
    dt_json_add_text(json, "path", run->path);
    dt_json_add_text(json, "status", run->status);
    dt_json_add_text(json, "task", run->task->name);
    dt_json_begin_object(json, "results");
    for (size_t k = 0; k < keys.count; k++)
        dt_json_add_double(json, keys.names[k], dt_report_value(run, keys.names[k]));
    dt_json_end(json);
    add_facts(json, "config", &run->config);
    add_facts(json, "data", &run->data);
    add_facts(json, "environment", &run->environment);
    dt_json_end(json);
}

dt_status dt_report_print_json(dt_report_run *const *runs, size_t count)
{
    dt_json *json = NULL;
    const dt_status status = dt_json_new(&json);
    if (status != DT_OK)
        return status;
    dt_json_begin_list(json, "runs");
    for (size_t i = 0; i < count; i++)
        add_run(json, &runs[i]);
    dt_json_end(json);
    return dt_json_print(json);
}

static void add_trial(dt_json *json, const dt_report_search *s, size_t trial)
{
    static const struct {
        const char *name;
        int column;
    } numbers[] = {{"trial", SEARCH_TRIAL},           {"rung", SEARCH_RUNG},
                   {"trained_epochs", SEARCH_EPOCHS}, {"best_epoch", SEARCH_BEST_EPOCH},
                   {"seconds", SEARCH_SECONDS},       {"ranks", SEARCH_RANKS},
                   {"parameters", SEARCH_PARAMETERS}, {"value", SEARCH_VALUE}};
    dt_json_begin_object(json, NULL);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        dt_json_add_double(json, numbers[i].name, s->columns[numbers[i].column][trial]);
    dt_json_add_text(json, "state", s->states.texts[trial]);
    dt_json_add_text(json, "reason", s->reasons.texts[trial]);
    dt_json_begin_object(json, "settings");
    for (size_t i = 0; i < s->setting_count; i++) {
        const dt_report_setting *setting = &s->settings[i];
        if (setting->numbers != NULL)
            dt_json_add_double(json, setting->name, setting->numbers[trial]);
        else
            dt_json_add_text(json, setting->name, setting->texts.texts[trial]);
    }
    dt_json_end(json);
    dt_json_end(json);
}

dt_status dt_report_search_json(const dt_report_search *search)
{
    dt_json *json = NULL;
    const dt_status status = dt_json_new(&json);
    if (status != DT_OK)
        return status;
    dt_json_add_text(json, "path", search->path);
    dt_json_add_text(json, "status", search->status);
    dt_json_add_text(json, "reason", search->reason);
    dt_json_add_text(json, "monitor", search->monitor);
    dt_json_begin_list(json, "trials");
    for (size_t place = 0; place < search->trials; place++)
        add_trial(json, search, search->order[place]);
    dt_json_end(json);
    dt_json_begin_object(json, "explains");
    for (size_t i = 0; i < search->setting_count; i++)
        dt_json_add_double(json, search->settings[i].name, search->settings[i].share);
    dt_json_end(json);
    add_facts(json, "config", &search->config);
    return dt_json_print(json);
}
