/*
 * The groups of ranks that train a trial each: how large they are at first, and when they merge.
 * Results are the same with any.
 */
#include "search_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/signals.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- at first ---- */

/* Bytes of the files of DATA, including those of a folder: close to the memory of the rows. */
static double data_bytes(const dt_settings *settings)
{
    double bytes = 0.0;
    for (int i = 0; i < settings->data_count; i++) {
        static const char *const names[] = {"", "/train.npz", "/validation.npz", "/test.npz",
                                            "-train.npz"};
        for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
            char path[DT_OPTION_TEXT_BYTES + 32];
            struct stat found;
            (void)snprintf(path, sizeof path, "%s%s", settings->data[i], names[n]);
            if (stat(path, &found) == 0 && S_ISREG(found.st_mode))
                bytes += (double)found.st_size;
        }
    }
    return bytes;
}

/* Parameters between the hidden layers, of the largest network of the space. */
static double count_parameters(const dt_search *s, dt_settings *scratch)
{
    const dt_option *option = dt_settings_option("hidden");
    double most = 0.0;
    char value[DT_SPACE_VALUE_BYTES];
    for (size_t i = 0; i < s->space.count; i++) {
        const dt_space_setting *setting = &s->space.settings[i];
        if (strcmp(setting->name, "hidden") != 0)
            continue;
        for (size_t v = 0; v < setting->count; v++) {
            if (dt_options_parse_value(option, scratch, dt_space_value(value, setting, v), false) !=
                DT_OK)
                continue;
            const dt_option_list *hidden = &scratch->hidden;
            double count = 0.0;
            for (size_t l = 1; l < hidden->count; l++)
                count += (double)hidden->values[l - 1] * (double)hidden->values[l];
            most = fmax(most, count);
        }
    }
    return most;
}

/* The smallest number of ranks for which the copies of data and networks fit into memory. When the
 * data is loaded, dt_search_choose_merge decides whether more ranks are faster. */
static int choose_ranks(const dt_search *s, dt_settings *scratch, int64_t shards, double data)
{
    const double bytes_a_parameter = 60.0, share = 0.5;
    const int size = dt_comm_size(s->all);
    const int host = s->environment.launch.host_size;
    const double each = data + bytes_a_parameter * count_parameters(s, scratch);
    int best = 1;
    for (int ranks = 1; ranks <= size && ranks <= shards; ranks++) {
        if (size % ranks != 0)
            continue;
        best = ranks;
        const double copies = ceil((double)host / (double)ranks);
        if (copies * each <= share * (double)dt_memory_available())
            break;
    }
    return best;
}

DT_MUST_USE static dt_status find_ranks(dt_search *s)
{
    dt_status status = DT_OK;
    dt_settings *scratch = NULL; /* too large for the stack */
    const dt_settings *settings = &s->run->settings;
    const int64_t asked = s->settings.ranks_per_trial, size = dt_comm_size(s->all);
    if (asked > 0 && size % asked != 0)
        return dt_fail(DT_USAGE, "--ranks-per-trial %lld does not divide the number of ranks, %lld",
                       (long long)asked, (long long)size);
    if (asked > settings->shards)
        return dt_fail(DT_USAGE,
                       "--ranks-per-trial %lld is more than the %lld shards; a rank needs a shard",
                       (long long)asked, (long long)settings->shards);
    s->chooses_ranks = asked == 0;
    if (asked > 0)
        return DT_OK;
    DT_TRY(dt_memory_alloc(&scratch, 1, sizeof *scratch, "settings"));
    s->settings.ranks_per_trial = choose_ranks(s, scratch, settings->shards, data_bytes(settings));
out:
    dt_memory_free(scratch);
    return status;
}

/* Surveys a new group, and notes which rank leads it. */
DT_MUST_USE static dt_status look_at_group(dt_search *s)
{
    dt_run *r = s->run;
    s->leads = r->root = dt_comm_rank(r->comm) == 0;
    dt_environment_clear(&r->environment);
    const dt_status status = dt_comm_agree(
        s->all, dt_environment_survey(&r->environment, r->comm, (int)r->settings.threads,
                                      (dt_engine)r->settings.engine));
    r->environment.launch.crowded = s->environment.launch.crowded;
    return status;
}

dt_status dt_search_form_groups(dt_search *s)
{
    dt_status status = DT_OK;
    dt_run *r = s->run;
    DT_TRY(dt_environment_survey(&s->environment, s->all, (int)r->settings.threads,
                                 (dt_engine)r->settings.engine));
    DT_TRY(dt_comm_agree(s->all, s->root ? find_ranks(s) : DT_OK));
    dt_comm_broadcast(s->all, &s->settings, sizeof s->settings);
    DT_TRY(dt_crew_new(&s->crew, s->all, (int)s->settings.ranks_per_trial));
    r->comm = dt_crew_group(s->crew);
    DT_TRY(look_at_group(s));
out:
    return status;
}

/* ---- merging ---- */

/* Approximate seconds of a step on this many ranks. A rank's rows take their time, its share of the
 * update too; ranks that share a step wait for each other, and read what the others have summed:
 * measured on one host in microseconds, and ten times as many over a network. */
static double step_s(const dt_search *s, int ranks, double P)
{
    const double each_s = 1e-10, fixed_s = 4e-6, wait_s = 6e-6, sum_s = 2e-9;
    const dt_run *r = s->run;
    const double N = (double)r->sets[DT_TRAIN].N, batch = (double)r->settings.batch;
    const double network = s->environment.launch.host_count > 1 ? 10.0 : 1.0;
    const double alone = fmin(batch, N) * P * each_s / (double)ranks + fixed_s;
    return ranks == 1 ? alone : alone + network * (wait_s + P * sum_s);
}

/* Mean parameters of the networks that are trained next if known, else those of the first one. */
static double mean_parameters(const dt_search *s)
{
    const dt_dealer *d = &s->dealer;
    double sum = 0.0, count = 0.0;
    for (int64_t i = 0; d->rung > 0 && i < d->queue_count; i++) {
        const double P = (double)d->rows[d->queue[i] - 1].parameters;
        sum += P;
        count += P > 0.0;
    }
    return count > 0.0 ? sum / count : (double)s->run->model.network.P;
}

int dt_search_choose_merge(const dt_search *s, int64_t trials)
{
    const double worth_it = 0.9;
    const int groups = dt_crew_count(s->crew), each = dt_comm_size(s->run->comm);
    const double P = mean_parameters(s);
    int best = 1;
    double best_s = INFINITY;
    if (!s->chooses_ranks || s->environment.launch.crowded || trials < 1)
        return 1;
    for (int together = 1; together <= groups; together++) {
        if (groups % together != 0 || (int64_t)together * each > s->run->settings.shards)
            continue;
        const int64_t merged = groups / together, turns = (trials + merged - 1) / merged;
        const double seconds = (double)turns * step_s(s, together * each, P);
        if (seconds < worth_it * best_s) {
            best = together;
            best_s = seconds;
        }
    }
    return best;
}

dt_status dt_search_regroup(dt_search *s, int together)
{
    dt_run *r = s->run;
    int64_t numbers[2] = {together, dt_signals_pending()};
    dt_comm_max_i64(s->all, numbers, 2);
    if (numbers[1] != 0) /* a message that says so may be lost with the old communicators */
        dt_signals_note((int)numbers[1]);
    if (numbers[0] <= 1)
        return DT_OK;
    dt_crew_merge(s->crew, s->all, (int)numbers[0]);
    for (int p = 0; p < DT_SET_COUNT; p++)
        dt_dataset_narrow(&r->sets[p], dt_comm_rank(r->comm), dt_comm_size(r->comm));
    s->settings.ranks_per_trial = dt_comm_size(r->comm);
    return look_at_group(s);
}
