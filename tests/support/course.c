#include "course.h"

#include "../../src/run/run_internal.h"
#include "dtrain/base/crc32.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MAX = 64 };

/* ---- words ---- */

/* Cuts the words in `text`; paths are written to `paths`. Returns the number of words. */
static int cut(char *argv[WORDS_MAX], char paths[4][512], char *text)
{
    int argc = 0, path_count = 0;
    for (char *rest = text, *word; (word = strsep(&rest, " ")) != NULL;) {
        if (*word == '\0')
            continue;
        if (*word == '@' && path_count < 4) {
            char *path = paths[path_count++];
            (void)snprintf(path, 512, "%s", scratch_path(word + 1));
            word = path;
        }
        if (argc < WORDS_MAX)
            argv[argc++] = word;
    }
    return argc;
}

DT_MUST_USE static dt_status parse(dt_settings *out, const char *words, const char *folder)
{
    char text[COURSE_WORDS_BYTES], paths[4][512];
    char *argv[WORDS_MAX];
    (void)snprintf(text, sizeof text, "%s --quiet --out @%s", words, folder);
    const int argc = cut(argv, paths, text);
    return dt_settings_parse(out, argc, argv);
}

/* ---- stopping ---- */

/* The run's own observer, behind one that ends the time. */
typedef struct stopper {
    dt_observer own, run;
    int64_t steps_left;
} stopper;

static void pass_epoch(void *context, const dt_epoch *epoch)
{
    const stopper *s = context;
    s->run.epoch_ended(s->run.context, epoch);
}

static dt_status pass_save(void *context, const dt_training *training)
{
    const stopper *s = context;
    return s->run.save(s->run.context, training);
}

/* The trainer looks at the limit before a step, and stops after that one. */
static void count_step(void *context, const dt_step *step)
{
    stopper *s = context;
    (void)step;
    s->own.limit.set = --s->steps_left <= 1;
}

DT_MUST_USE static dt_status train(dt_run *r, int64_t stop_after)
{
    if (stop_after == 0)
        return dt_run_train(r);
    stopper s = {.run = dt_run_observer(r), .steps_left = stop_after};
    s.own = (dt_observer){.epoch_ended = pass_epoch,
                          .context = &s,
                          .step_ended = count_step,
                          .save = pass_save,
                          .limit = {.what = "the test"}};
    const dt_plan plan = dt_settings_plan(&r->settings);
    return dt_trainer_run(&r->result, r->comm, &r->environment.launch, &plan, r->sets,
                          &r->model.network, &r->model.optimizer, NULL, &s.own);
}

/* ---- what it came to ---- */

static uint32_t crc_of_states(const dt_optimizer *optimizer)
{
    uint32_t crc = dt_crc32(0, &optimizer->step, sizeof optimizer->step);
    for (size_t i = 0; i < optimizer->kind->state_count; i++)
        crc = dt_crc32(crc, optimizer->states[i], optimizer->P * sizeof(float));
    if (optimizer->average != NULL)
        crc = dt_crc32(crc, optimizer->average, optimizer->P * sizeof(float));
    return crc;
}

static void keep_network(course *out, const dt_run *r)
{
    const dt_network *network = &r->model.network;
    out->params = dt_trainer_crc(network);
    out->states = crc_of_states(&r->model.optimizer);
    out->steps = r->model.optimizer.step;
    out->threshold = network->threshold;
    for (size_t l = 0; l < network->layer_count; l++)
        for (size_t k = 0; k < DT_LAYER_KIND_COUNT; k++)
            if (network->layers[l].kind == dt_layer_kinds[k])
                out->layer_kinds |= UINT64_C(1) << k;
}

/* The history is rank 0's. */
static void keep_epochs(course *out, const dt_run *r)
{
    const dt_history *history = &r->history;
    for (size_t i = 0; i < history->epoch_count && i < COURSE_EPOCHS; i++) {
        const dt_epoch *row = &history->epochs[i];
        out->weights_crc[i] = row->weights_crc;
        out->learning_rates[i] = row->learning_rate;
        out->train[i] = row->train;
        out->validation[i] = row->validation;
    }
    dt_comm_broadcast(r->comm, out->weights_crc, sizeof out->weights_crc);
    dt_comm_broadcast(r->comm, out->learning_rates, sizeof out->learning_rates);
    dt_comm_broadcast(r->comm, out->train, sizeof out->train);
    dt_comm_broadcast(r->comm, out->validation, sizeof out->validation);
}

static void keep_result(course *out, const dt_result *result)
{
    out->epochs = result->epochs;
    out->best_epoch = result->best_epoch;
    for (int p = 0; p < DT_SET_COUNT; p++) {
        out->metrics[p] = result->metrics[p];
        out->qualities[p] = result->evaluation[p].model;
    }
}

void course_run(course *out, const dt_comm *comm, const char *words, const char *folder,
                int64_t stop_after)
{
    dt_status status = DT_OK;
    dt_run *r = NULL;
    memset(out, 0, sizeof *out);
    DT_TRY(dt_comm_agree(comm, dt_run_new(&r, comm)));
    DT_TRY(dt_comm_agree(comm, parse(&out->settings, words, folder)));
    DT_TRY(dt_run_start(r, &out->settings, words));
    status = train(r, stop_after);
    keep_network(out, r);
    keep_epochs(out, r);
    DT_TRY(status);
    DT_TRY(dt_run_set_threshold(r));
    out->threshold = r->model.network.threshold;
    DT_TRY(dt_trainer_evaluate(&r->result, comm, r->sets, &r->model.network,
                               (int)r->settings.threads));
    keep_result(out, &r->result);
out:
    if (status != DT_OK)
        (void)snprintf(out->text, sizeof out->text, "%s", dt_status_text());
    out->status = status;
    dt_run_end(r, DT_OK); /* it is not for DT_STOPPED that it prints how to resume */
    dt_run_free(r);
}

void course_sweep(const char *folder)
{
    char path[512], file[1024];
    (void)snprintf(path, sizeof path, "%s", scratch_path(folder));
    DIR *listing = opendir(path);
    if (listing == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            (void)snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
            (void)unlink(file);
        }
    (void)closedir(listing);
    (void)rmdir(path);
}

const char *course_difference(const course *a, const course *b)
{
    if (a->status != b->status)
        return "status";
    if (a->steps != b->steps || a->epochs != b->epochs || a->best_epoch != b->best_epoch)
        return "number of steps or epochs";
    for (int e = 0; e < COURSE_EPOCHS; e++) {
        if (a->weights_crc[e] != b->weights_crc[e])
            return "epoch's weights";
        if (memcmp(&a->learning_rates[e], &b->learning_rates[e], sizeof(double)) != 0)
            return "learning rate";
        if (memcmp(&a->train[e], &b->train[e], sizeof a->train[e]) != 0 ||
            memcmp(&a->validation[e], &b->validation[e], sizeof a->validation[e]) != 0)
            return "epoch's metrics";
    }
    if (a->params != b->params)
        return "weights";
    if (a->states != b->states)
        return "state of the optimizer";
    if (memcmp(&a->threshold, &b->threshold, sizeof a->threshold) != 0)
        return "threshold";
    if (memcmp(a->metrics, b->metrics, sizeof a->metrics) != 0)
        return "metrics";
    return memcmp(a->qualities, b->qualities, sizeof a->qualities) != 0 ? "qualities" : NULL;
}
