#include "run.h"

#include "dtrain/base/random.h"
#include "dtrain/nn/spec.h"

#include <math.h>
#include <string.h>

/* ---- the pinned runs ---- */

#define ROWS                                                                                       \
    {                                                                                              \
        400, 100, 60                                                                               \
    }

const pinned pinned_runs[] = {
    {"the tutorial's network",
     {.rows = ROWS,
      .D = 51,
      .C = 2,
      .S = 8,
      .hidden = {30},
      .hidden_count = 1,
      .batch = 100,
      .epochs = 4,
      .patience = 9,
      .learning_rate = 0.001},
     0x7be9bade,
     0x3f490578},
    {"no hidden layer",
     {.rows = ROWS,
      .D = 12,
      .C = 3,
      .S = 8,
      .batch = 50,
      .epochs = 3,
      .patience = 9,
      .learning_rate = 0.01},
     0x0b5cc9b9,
     0x3fa2cff0},
    {"tanh, two layers that fill no panel",
     {.rows = ROWS,
      .D = 33,
      .C = 5,
      .S = 11,
      .hidden = {65, 40},
      .hidden_count = 2,
      .activation = DT_ACTIVATION_TANH,
      .batch = 64,
      .epochs = 3,
      .patience = 9,
      .learning_rate = 0.002},
     0xcd6dbfef,
     0x3f9c7f26},
    {"sigmoid, more classes than a narrow layer has, three threads",
     {.rows = ROWS,
      .D = 20,
      .C = 17,
      .S = 8,
      .hidden = {70},
      .hidden_count = 1,
      .activation = DT_ACTIVATION_SIGMOID,
      .noise = true,
      .batch = 90,
      .epochs = 3,
      .patience = 9,
      .learning_rate = 0.01,
      .threads = 3},
     0xd63f51e2,
     0x402fd8a2},
    {"a wide network of relus, two threads",
     {.rows = ROWS,
      .D = 64,
      .C = 4,
      .S = 8,
      .hidden = {256, 130, 64},
      .hidden_count = 3,
      .batch = 128,
      .epochs = 3,
      .patience = 9,
      .learning_rate = 0.001,
      .threads = 2},
     0xaca4782b,
     0x3f635e54},
    {"inputs that saturate it",
     {.rows = ROWS,
      .D = 30,
      .C = 2,
      .S = 8,
      .hidden = {64},
      .hidden_count = 1,
      .scale = 100,
      .batch = 100,
      .epochs = 6,
      .patience = 9,
      .learning_rate = 0.05},
     0xc5ab942c,
     0x4091a3a6},
    {"dropout behind tanh and before a narrow layer",
     {.rows = ROWS,
      .D = 20,
      .C = 3,
      .S = 8,
      .hidden = {70, 33},
      .hidden_count = 2,
      .activation = DT_ACTIVATION_TANH,
      .dropout = 0.2,
      .batch = 90,
      .epochs = 4,
      .patience = 9,
      .learning_rate = 0.01},
     0x620270d8,
     0x3f41a22f},
    {"SGD with momentum",
     {.rows = ROWS,
      .D = 20,
      .C = 3,
      .S = 8,
      .hidden = {40, 33},
      .hidden_count = 2,
      .weight_decay = 0.01,
      .momentum = 0.9,
      .batch = 90,
      .epochs = 4,
      .patience = 9,
      .learning_rate = 0.01},
     0xf8918812,
     0x3f8828b6},
    {"weight decay, in blocks that have several tensors",
     {.rows = ROWS,
      .D = 20,
      .C = 3,
      .S = 8,
      .hidden = {40, 33},
      .hidden_count = 2,
      .weight_decay = 0.1,
      .batch = 90,
      .epochs = 4,
      .patience = 9,
      .learning_rate = 0.01,
      .threads = 2},
     0xacbd548d,
     0x3f2fd076},
    {"two wide layers, sums in pieces",
     {.rows = ROWS,
      .D = 51,
      .C = 2,
      .S = 8,
      .hidden = {600, 600},
      .hidden_count = 2,
      .batch = 100,
      .epochs = 1,
      .patience = 9,
      .learning_rate = 0.001,
      .overlap = DT_OVERLAP_ON},
     0xa13d8d43,
     0x3f2f099e},
    {"steps in which not every shard has a row",
     {.rows = ROWS,
      .D = 12,
      .C = 3,
      .S = 11,
      .hidden = {20},
      .hidden_count = 1,
      .batch = 7,
      .epochs = 2,
      .patience = 9,
      .learning_rate = 0.001},
     0xec8a9cb7,
     0x3f8d4bd3},
    {"batch normalization, in steps in which not every shard has a row, two threads",
     {.rows = ROWS,
      .D = 20,
      .C = 3,
      .S = 8,
      .hidden = {70, 33},
      .hidden_count = 2,
      .activation = DT_ACTIVATION_TANH,
      .norm = DT_NORM_BATCH,
      .batch = 7,
      .epochs = 2,
      .patience = 9,
      .learning_rate = 0.01,
      .threads = 2},
     0xf5ce97bb,
     0x3f5b5292},
    {"the fast sum of one rank",
     {.rows = ROWS,
      .D = 51,
      .C = 2,
      .S = 8,
      .hidden = {30},
      .hidden_count = 1,
      .batch = 100,
      .epochs = 4,
      .patience = 9,
      .learning_rate = 0.001,
      .sum = DT_SUM_FAST},
     0xb94cc375,
     0x3f490579},
};

const size_t pinned_count = sizeof pinned_runs / sizeof *pinned_runs;

/* ---- what every run consists of ---- */

size_t run_make_row(const run *r, int set, size_t n, double row[MAX_D])
{
    dt_random random = dt_random_start((uint64_t)set, DT_RANDOM_EXAMPLE, n);
    for (size_t j = 0; j < r->D; j++) {
        /* What the C library makes of it has other last bits in other releases. */
        row[j] = rint(1024 * dt_random_normal(&random)) / 1024;
    }
    const double score =
        row[0] + fabs(row[1 % r->D]) + rint(512 * dt_random_normal(&random)) / 1024;
    size_t label = score < 0.3 ? 0 : score < 1.3 ? 1 : 2;
    label = r->noise ? dt_random_below(&random, r->C) : label % r->C;
    for (size_t j = 0; j < r->D; j++)
        row[j] *= r->scale > 0 ? r->scale : 1;
    return n < r->C ? n : label; /* every class is there */
}

dt_plan run_plan(const run *r)
{
    return (dt_plan){.batch = (uint64_t)r->batch,
                     .learning_rate = r->learning_rate,
                     .schedule = &dt_schedule_constant,
                     .task = &dt_classification,
                     .monitor = &dt_classification.metrics[0],
                     .epochs = r->epochs,
                     .patience = r->patience,
                     .keeps_last = r->no_restore_best,
                     .seed = 7,
                     .sum = r->sum,
                     .overlap = r->overlap,
                     .threads = (int)r->threads};
}

DT_MUST_USE static dt_status make_layers(dt_network *net, const run *r)
{
    dt_status status = DT_OK;
    dt_spec spec = {.hidden = {.count = r->hidden_count},
                    .activations = {.count = 1, .values = {(size_t)r->activation}},
                    .norm = r->norm};
    for (size_t l = 0; l < r->hidden_count; l++)
        spec.hidden.values[l] = r->hidden[l];
    DT_TRY(dt_spec_plan(net, r->D, &spec, r->C));
    DT_TRY(dt_network_allocate(net));
    dt_network_fill(net, DT_INIT_GLOROT_UNIFORM, 7);
out:
    return status;
}

dt_status run_make_network(dt_network *net, dt_optimizer *optimizer, const run *r)
{
    dt_status status = make_layers(net, r);
    if (status == DT_OK)
        status = dt_spec_set_dropout(net, r->dropout);
    if (status == DT_OK)
        status = dt_optimizer_init(optimizer, r->momentum > 0.0 ? &dt_sgd : &dt_adam, net->P,
                                   r->learning_rate);
    optimizer->weight_decay = r->weight_decay;
    if (r->momentum > 0.0)
        *dt_optimizer_number_at(optimizer, "momentum") = r->momentum;
    return status;
}

uint32_t run_loss_bits(double loss)
{
    const float rounded = (float)loss;
    uint32_t bits;
    memcpy(&bits, &rounded, sizeof bits);
    return bits;
}
