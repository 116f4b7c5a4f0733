/* The settings of an earlier run, from its log or its checkpoint. */

#include "previous_internal.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/nn/linalg.h"

#include <stdio.h>
#include <string.h>

/* Settings that do not change the weights of this run: the bits of BLAS depend on its threads,
 * those of dtrain's own kernels do not; those of float32 sums depend on their order. */
static bool keeps_weights(const dt_settings *settings, const dt_option *option)
{
    const bool blas = settings->engine == DT_ENGINE_BLAS ||
                      (settings->engine == DT_ENGINE_AUTO && !dt_linalg_has_own_kernels());
    unsigned harmless = DT_SETTING_SESSION | DT_SETTING_NO_WEIGHT;
    if (settings->sum == DT_SUM_EXACT)
        harmless |= DT_SETTING_HOW_SUMMED;
    if (!blas)
        harmless |= DT_SETTING_THREADS;
    return (option->flags & harmless) != 0;
}

/* Settings that a run is repeated without. */
enum { OF_NO_WEIGHT = DT_SETTING_SESSION | DT_SETTING_NO_WEIGHT | DT_SETTING_HOW_SUMMED };

/* The value of an option in the log, as it would be written on the command line. */
DT_MUST_USE static dt_status read_value(char *out, size_t bytes, dt_h5 *h5, const dt_option *option,
                                        const char *name)
{
    dt_status status = DT_OK;
    int64_t whole = 0;
    double number = 0.0;
    char *text = NULL;
    if (option->kind == DT_OPTION_INT || option->kind == DT_OPTION_FLAG) {
        DT_TRY(dt_h5_get_int(&whole, h5, "/config", name));
        (void)snprintf(out, bytes, "%lld", (long long)whole);
    } else if (option->kind == DT_OPTION_FLOAT) {
        DT_TRY(dt_h5_get_double(&number, h5, "/config", name));
        (void)snprintf(out, bytes, "%.17g", number);
    } else {
        DT_TRY(dt_h5_get_text(&text, h5, "/config", name));
        if (strlen(text) >= bytes)
            DT_TRY(dt_fail(DT_DATA, "%s in /config is longer than %zu bytes", name, bytes - 1));
        (void)snprintf(out, bytes, "%s", text);
    }
out:
    dt_memory_free(text);
    return status;
}

/* A default value counts as not given, because some options must not be given for some data. The
 * shards were set when the run started, and count as given; so does the learning rate, because
 * otherwise the model of --init-from would set it. */
static bool is_default(const dt_option *option, const dt_settings *defaults, const char *value)
{
    char fallback[DT_OPTION_TEXT_BYTES], number[64];
    if ((option->flags & DT_SETTING_DEPENDS) != 0)
        return false;
    if (option->kind == DT_OPTION_FLAG)
        return strcmp(value, "0") == 0;
    if (option->kind == DT_OPTION_FLOAT) {
        double fraction;
        memcpy(&fraction, (const char *)defaults + option->offset, sizeof fraction);
        (void)snprintf(number, sizeof number, "%.17g", fraction);
        return strcmp(value, number) == 0;
    }
    return strcmp(value, dt_options_format(fallback, sizeof fallback, option, defaults)) == 0;
}

/* For a resumed run: checks that options given now have their old values. */
DT_MUST_USE static dt_status check_option(const dt_previous *previous, const dt_option *option,
                                          const dt_settings *settings, const dt_settings *was)
{
    char now[DT_OPTION_TEXT_BYTES], then[DT_OPTION_TEXT_BYTES];
    (void)dt_options_format(now, sizeof now, option, settings);
    (void)dt_options_format(then, sizeof then, option, was);
    if (strcmp(now, then) == 0)
        return DT_OK;
    const char *was_text = then[0] != '\0' ? then : "not given";
    static const struct {
        const char *option, *what;
    } fixed[] = {{"optimizer", "state"}, {"monitor", "best value"}, {"preset", "settings"}};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (strcmp(option->name, fixed[i].option) == 0)
            return dt_fail(DT_USAGE,
                           "--resume %s: --%s is %s, but the checkpoint has the %s of %s, which "
                           "--force cannot change; remove --%s",
                           previous->path, option->name, now, fixed[i].what, then, option->name);
    static const char *const parts[] = {"restarts", "average", "folds", "folds-by-id",
                                        "repeats",  "fold",    NULL};
    if (dt_text_is_among(option->name, parts))
        return dt_fail(DT_USAGE,
                       "--resume %s: --%s is %s, but the run started with %s, which --force cannot "
                       "change; remove --%s",
                       previous->path, option->name, now, then, option->name);
    if (!previous->forced)
        return dt_fail(DT_USAGE,
                       "--resume %s: --%s is %s, but was %s; remove it, or add --force to continue "
                       "as another run",
                       previous->path, option->name, now, was_text);
    dt_log_warn("--resume %s: --%s is %s, but was %s; from here on it is another run",
                previous->path, option->name, now, was_text);
    return DT_OK;
}

/* Weights and bins come from the model that the user has named. */
static bool is_of_init_from(const dt_option *option, const dt_settings *settings)
{
    static const char *const own[] = {"init", "bins", "bins-by", NULL};
    return dt_options_given(dt_settings_table(), settings, "init-from") &&
           dt_text_is_among(option->name, own);
}

/* The options of an earlier run, and those that its dtrain did not have. */
typedef struct earlier {
    dt_settings was;
    bool absent[DT_OPTION_MAX];
    size_t absent_count;
    char first_absent[64];
} earlier;

/* Reads one option of the file into `was`. Returns whether it was not given. */
DT_MUST_USE static dt_status read_option(bool *usual, earlier *e, size_t i,
                                         const dt_settings *defaults, char *value, dt_h5 *h5)
{
    dt_status status = DT_OK;
    const dt_option_table *table = dt_settings_table();
    const dt_option *option = &table->options[i];
    char name[64];
    (void)dt_options_log_name(name, option);
    *usual = true;
    /* An older dtrain behaved like the present default. */
    e->absent[i] =
        (option->flags & DT_SETTING_NEWER) != 0 && !dt_h5_has_attribute(h5, "/config", name);
    if (e->absent[i]) {
        if (e->absent_count++ == 0)
            memcpy(e->first_absent, name, sizeof name);
        goto out;
    }
    DT_TRY(read_value(value, DT_OPTION_TEXT_BYTES, h5, option, name));
    *usual = is_default(option, defaults, value);
    if (!*usual && dt_options_set(table, &e->was, option->name, value) != DT_OK)
        DT_TRY(dt_fail(DT_DATA, "%s", dt_status_text())); /* the file's fault, not the user's */
out:
    return status;
}

/* Copies one option into the settings, unless it was given. */
DT_MUST_USE static dt_status take_option(dt_previous *previous, dt_settings *settings, earlier *e,
                                         const dt_settings *defaults, size_t i, dt_h5 *h5)
{
    dt_status status = DT_OK;
    const dt_option_table *table = dt_settings_table();
    const dt_option *option = &table->options[i];
    const bool given = dt_options_given(table, settings, option->name);
    const dt_option_set all_given = settings->given;
    char value[DT_OPTION_TEXT_BYTES];
    bool usual = true;
    DT_TRY(read_option(&usual, e, i, defaults, value, h5));
    if ((option->flags & DT_SETTING_SESSION) != 0)
        goto out;
    if (given && previous->resumes && !keeps_weights(settings, option))
        DT_TRY(check_option(previous, option, settings, &e->was));
    previous->remakes = previous->remakes || (given && (option->flags & DT_SETTING_REMAKES) != 0);
    if (given)
        previous->same_settings = previous->same_settings && keeps_weights(settings, option);
    else if (!usual)
        DT_TRY(dt_options_set(table, settings, option->name, value));
    if (settings->data_count > 0 && (option->flags & DT_SETTING_DATA) != 0)
        settings->given = all_given; /* they were not given for this data */
out:
    return status;
}

/* Refuses options of a newer dtrain. */
DT_MUST_USE static dt_status check_known(const dt_previous *previous, dt_h5 *h5)
{
    dt_status status = DT_OK;
    const dt_option_table *table = dt_settings_table();
    dt_h5_names names = {0};
    DT_TRY(dt_h5_list_attributes(&names, h5, "/config"));
    for (size_t i = 0; i < names.count; i++) {
        bool known = strcmp(names.texts[i], "data") == 0;
        char name[64];
        for (size_t j = 0; j < table->count && !known; j++)
            known = strcmp(names.texts[i], dt_options_log_name(name, &table->options[j])) == 0;
        if (!known)
            DT_TRY(dt_fail(
                DT_DATA,
                "this dtrain does not know its option %.64s; use %s with the dtrain that wrote it",
                names.texts[i], previous->option));
    }
out:
    dt_h5_names_clear(&names);
    return status;
}

/* Warns of a checkpoint whose options are not those of this dtrain. */
static void warn_of_older(const dt_previous *previous, const earlier *e)
{
    char what[128] = "all options are known";
    if (e->absent_count == 1)
        (void)snprintf(what, sizeof what, "%s has its default", e->first_absent);
    else if (e->absent_count > 1)
        (void)snprintf(what, sizeof what, "%s and %zu more options have their defaults",
                       e->first_absent, e->absent_count - 1);
    dt_log_warn("--resume %s: an older dtrain wrote this checkpoint; %s; the last bits may differ "
                "from those of the older dtrain",
                previous->path, what);
}

/* Checks that the options have the values that were written. */
DT_MUST_USE static dt_status check_whole(const dt_previous *previous, const earlier *e, dt_h5 *h5)
{
    static const char name[] = "settings_crc32";
    const uint32_t found = dt_settings_crc(&e->was, e->absent);
    int64_t crc = found;
    /* The first builds had a CRC-32 that depended on the order of their options. */
    const bool checked = dt_h5_has_attribute(h5, "/", name);
    const dt_status status = checked ? dt_h5_get_int(&crc, h5, "/", name) : DT_OK;
    if (status != DT_OK)
        return status;
    if (crc != found)
        return dt_fail(DT_DATA, "/config is damaged: its CRC-32 is %08x, and was %08x", found,
                       (uint32_t)crc);
    if (!checked || e->absent_count > 0)
        warn_of_older(previous, e);
    return DT_OK;
}

dt_status dt_previous_take_settings(dt_previous *previous, dt_settings *settings,
                                    const dt_settings *defaults, dt_h5 *h5)
{
    dt_status status = DT_OK;
    const dt_option_table *table = dt_settings_table();
    earlier *e = NULL; /* too large for the stack */
    previous->same_settings = true;
    DT_TRY(check_known(previous, h5));
    DT_TRY(dt_memory_alloc(&e, 1, sizeof *e, "settings"));
    e->was = *defaults;
    for (size_t i = 0; i < table->count; i++)
        if (previous->resumes || ((table->options[i].flags & OF_NO_WEIGHT) == 0 &&
                                  !is_of_init_from(&table->options[i], settings)))
            DT_TRY(take_option(previous, settings, e, defaults, i, h5));
    previous->had_table = e->was.prepare.target[0] != '\0';
    if (previous->resumes)
        DT_TRY(check_whole(previous, e, h5));
out:
    dt_memory_free(e);
    return status;
}
