#include "checkpoint_fixture.h"

#include "same_bits.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

dt_epoch kept_epoch(int64_t number)
{
    const double n = (double)number;
    return (dt_epoch){.epoch = number,
                      .train = {.loss = 1.0 / (n + 0.1), .accuracy = n / (n + 1.0)},
                      .validation = {.loss = 1.0 / (n + 0.2), .accuracy = n / (n + 2.0)},
                      .learning_rate = 0.001 * n,
                      .seconds = 3.0 * n,
                      .samples_per_second = 1e6 / n,
                      .weights_crc = 0x9e3779b9u * (uint32_t)number,
                      .improved = number % 2 == 1};
}

kept *kept_make(size_t P, int64_t epochs)
{
    kept *k = calloc(1, sizeof *k);
    float *arrays = k == NULL ? NULL : calloc(4 * P, sizeof *arrays);
    if (arrays == NULL) {
        free(k);
        return NULL;
    }
    for (size_t i = 0; i < 4 * P; i++)
        arrays[i] = (float)sin(1.0 + (double)i) * (i % 3 == 0 ? 1e-38f : 1e3f);
    k->arrays = arrays;
    dt_options_set_defaults(dt_settings_table(), &k->settings);
    k->environment = (dt_environment){.launch = {.host = "node17", .host_count = 1},
                                      .ranks = 1,
                                      .hosts = k->hosts,
                                      .blas = "OpenBLAS",
                                      .kernels = "SkylakeX",
                                      .isa = "avx2"};
    (void)snprintf(k->hosts[0], sizeof k->hosts[0], "node17");
    for (int p = 0; p < DT_SET_COUNT; p++)
        k->sets[p] = (dt_dataset){.N = 1000, .D = 3, .C = 2, .T = 1, .class_rows = k->class_rows};
    k->network = (dt_network){.D = 3, .C = 2, .loss = &dt_cross_entropy, .P = P, .params = arrays};
    k->adam = (dt_optimizer){.kind = &dt_adam,
                             .P = P,
                             .states = {arrays + 2 * P, arrays + 3 * P},
                             .learning_rate = 0.02,
                             .numbers = {0.8, 0.98, 1e-6},
                             .step = 10 * epochs + 3};
    k->training = (dt_training){
        .epoch = epochs + 1,
        .rows = 300,
        .tally = {.numbers = {{.high = 2, .low = 300}, {-5, 0x123456789a}, {0, 77}, {1, 8}}},
        .stopping = dt_early_stopping_start(false, 4, 0.0),
        .best_epoch = epochs,
        .epoch_s = 0.25,
        .training_s = 7.5,
        .best = arrays + P};
    k->facts = (dt_run_facts){.settings = &k->settings,
                              .environment = &k->environment,
                              .sets = k->sets,
                              .network = &k->network,
                              .command_line = "dtrain"};
    bool good = dt_history_add_session(&k->history, &k->environment, NULL) == DT_OK;
    for (int64_t e = 1; good && e <= epochs; e++) {
        const dt_epoch row = kept_epoch(e);
        good = dt_history_add_epoch(&k->history, &row) == DT_OK;
    }
    k->training.stopping.has_best = epochs > 0;
    k->training.stopping.best = epochs > 0 ? 0.6180339887 : NAN;
    k->training.stopping.best_epoch = epochs - 1;
    return good ? k : NULL; /* the test fails then */
}

void kept_free(kept *k)
{
    dt_history_clear(&k->history);
    free(k->arrays);
    free(k);
}

dt_status kept_save(const kept *k, const char *path)
{
    return dt_checkpoint_save(path, &k->facts, &k->history, &k->training, &k->adam);
}

bool same_epoch(const dt_epoch *a, const dt_epoch *b)
{
    return a->epoch == b->epoch && same_bits(a->train.loss, b->train.loss) &&
           same_bits(a->train.accuracy, b->train.accuracy) &&
           same_bits(a->validation.loss, b->validation.loss) &&
           same_bits(a->validation.accuracy, b->validation.accuracy) &&
           same_bits(a->learning_rate, b->learning_rate) && same_bits(a->seconds, b->seconds) &&
           same_bits(a->samples_per_second, b->samples_per_second) &&
           a->weights_crc == b->weights_crc && a->improved == b->improved;
}

static bool same_session(const dt_session *a, const dt_session *b)
{
    return a->epoch == b->epoch && a->rows == b->rows && a->ranks == b->ranks &&
           a->hosts == b->hosts && strcmp(a->started, b->started) == 0 &&
           strcmp(a->host, b->host) == 0 && strcmp(a->slurm_job_id, b->slurm_job_id) == 0;
}

bool same_history(const dt_history *a, const dt_history *b)
{
    bool same = a->epoch_count == b->epoch_count && a->session_count == b->session_count;
    for (size_t i = 0; same && i < a->epoch_count; i++)
        same = same_epoch(&a->epochs[i], &b->epochs[i]);
    for (size_t i = 0; same && i < a->session_count; i++)
        same = same_session(&a->sessions[i], &b->sessions[i]);
    return same;
}

bool same_training(const dt_training *a, const dt_training *b)
{
    return a->epoch == b->epoch && a->rows == b->rows &&
           memcmp(&a->tally, &b->tally, sizeof a->tally) == 0 &&
           a->stopping.has_best == b->stopping.has_best &&
           same_bits(a->stopping.best, b->stopping.best) &&
           a->stopping.best_epoch == b->stopping.best_epoch &&
           a->stopping.wait == b->stopping.wait &&
           a->stopping.stopped_epoch == b->stopping.stopped_epoch &&
           a->best_epoch == b->best_epoch && same_bits(a->epoch_s, b->epoch_s) &&
           same_bits(a->training_s, b->training_s);
}
