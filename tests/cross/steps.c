/*
 * Trains the pinned runs (support/run.h) with dtrain's own trainer, in one process without MPI,
 * HDF5, zlib and BLAS: a compiler and a C library are enough to build it for another architecture.
 *
 * Prints a line for each run (its name, the CRC-32 of the weights, the bits of the last training
 * loss, the CRC-32 of the evaluations), a line for each of dtrain's functions, and the result of a
 * product that lies just below 2^-126.
 *
 * DTRAIN_ISA chooses the kernels. The exit status is 0 if all runs come to their pinned bits, 1 if
 * one does not, and 2 if this CPU does not have the kernels.
 */
#include "one_rank.h"
#include "run.h"

#include "dtrain/base/crc32.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/random.h"
#include "dtrain/base/subnormals.h"
#include "dtrain/nn/linalg.h"
#include "dtrain/nn/loss.h"

#include "../../src/nn/vector_math.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- data ---- */

/* All rows of a set, dealt as dt_dataset_load deals them: row n to shard n mod S. */
DT_MUST_USE static dt_status make_set(dt_dataset *out, const run *r, int set)
{
    dt_status status = DT_OK;
    const size_t N = r->rows[set];
    *out = (dt_dataset){.N = N, .D = r->D, .C = r->C, .T = 1, .S = r->S, .shard_count = r->S};
    DT_TRY(dt_memory_alloc(&out->class_rows, r->C, sizeof *out->class_rows, "classes"));
    DT_TRY(dt_memory_alloc(&out->shard_start, r->S + 1, sizeof *out->shard_start, "shards"));
    DT_TRY(dt_memory_alloc(&out->x, N * r->D, sizeof *out->x, "rows"));
    DT_TRY(dt_memory_alloc(&out->y, N, sizeof *out->y, "labels"));
    DT_TRY(dt_memory_alloc(&out->order, N, sizeof *out->order, "order"));
    for (size_t s = 0; s < r->S; s++)
        out->shard_start[s + 1] = out->shard_start[s] + dt_dataset_positions(N, s, r->S);
    for (size_t n = 0; n < N; n++) {
        double row[MAX_D];
        const size_t label = run_make_row(r, set, n, row);
        const size_t at = out->shard_start[n % r->S] + n / r->S;
        for (size_t j = 0; j < r->D; j++)
            out->x[at * r->D + j] = (float)row[j];
        out->y[at].label = (int32_t)label;
        out->class_rows[label]++;
    }
out:
    return status;
}

/* ---- runs ---- */

static void keep_epoch(void *context, const dt_epoch *epoch)
{
    memcpy(context, epoch, sizeof *epoch);
}

static uint32_t crc_of_evaluations(const dt_result *result)
{
    uint32_t crc = 0;
    for (int p = 0; p < DT_SET_COUNT; p++) {
        crc = dt_crc32(crc, &result->metrics[p], sizeof result->metrics[p]);
        crc = dt_crc32(crc, &result->evaluation[p].model, sizeof result->evaluation[p].model);
    }
    return crc;
}

DT_MUST_USE static dt_status run_pinned(const pinned *p, bool *same)
{
    dt_status status = DT_OK;
    dt_network network = {0};
    dt_optimizer adam = {0};
    dt_dataset sets[DT_SET_COUNT] = {{0}};
    dt_epoch last = {0};
    dt_result result = {0};
    const dt_plan plan = run_plan(&p->run);
    const dt_launch launch = {.host_count = 1, .host_size = 1, .host_cpus = 1};
    const dt_observer observer = {.epoch_ended = keep_epoch, .context = &last};
    for (int set = 0; set < DT_SET_COUNT; set++)
        DT_TRY(make_set(&sets[set], &p->run, set));
    DT_TRY(run_make_network(&network, &adam, &p->run));
    DT_TRY(dt_trainer_run(&result, one_rank(), &launch, &plan, sets, &network, &adam, NULL,
                          &observer));
    DT_TRY(dt_trainer_evaluate(&result, one_rank(), sets, &network, plan.threads));
    *same = result.weights_crc == p->weights && run_loss_bits(last.train.loss) == p->loss;
    printf("%s: weights %08x, loss %08x, evaluations %08x\n", p->what, result.weights_crc,
           run_loss_bits(last.train.loss), crc_of_evaluations(&result));
out:
    dt_result_clear(&result);
    for (int set = 0; set < DT_SET_COUNT; set++)
        dt_dataset_clear(&sets[set]);
    dt_optimizer_clear(&adam);
    dt_network_clear(&network);
    return status;
}

/* ---- functions ---- */

enum { INPUTS = 1 << 16, CLASSES = 4, ROWS = INPUTS / CLASSES };
static float inputs[INPUTS], values[INPUTS], slopes[INPUTS];

/* Of all magnitudes and both signs, from the smallest normal number to beyond what exp can take. */
static void fill_inputs(void)
{
    dt_random random = dt_random_start(7, DT_RANDOM_EXAMPLE, 0);
    for (int i = 0; i < INPUTS; i++) {
        const int exponent = (int)dt_random_below(&random, 134) - 126;
        const double size = ldexp(1.0 + dt_random_uniform(&random), exponent);
        inputs[i] = (float)(dt_random_below(&random, 2) == 0 ? size : -size);
    }
}

static void print_values(const char *what, const char *how)
{
    printf("%s, %s: %08x\n", what, how, dt_crc32(0, values, sizeof values));
}

static void print_activation(dt_activation activation, const char *how)
{
    memcpy(values, inputs, sizeof values);
    const bool keeps = dt_activation_keeps_slopes(activation);
    dt_activation_forward(activation, values, keeps ? slopes : NULL, INPUTS);
    print_values(dt_activation_name(activation), how);
    memcpy(values, inputs, sizeof values);
    dt_activation_backward(activation, values, keeps ? slopes : inputs, INPUTS);
    print_values("its derivative", how);
}

static void print_functions(const char *how)
{
    static dt_target labels[ROWS];
    static int32_t predicted[ROWS];
    static float loss[ROWS];
    const dt_loss_rows rows = {.loss = loss, .predicted = predicted};
    for (int i = 0; i < INPUTS; i++)
        values[i] = dt_exp(inputs[i]);
    print_values("exp", how);
    for (int i = 0; i < INPUTS; i++)
        values[i] = dt_log(fabsf(inputs[i]));
    print_values("log", how);
    for (int a = 0; a <= DT_ACTIVATION_LINEAR; a++)
        print_activation((dt_activation)a, how);
    for (int i = 0; i < ROWS; i++)
        labels[i].label = i % CLASSES;
    memcpy(values, inputs, sizeof values);
    dt_cross_entropy.gradient(values, labels, ROWS, CLASSES, 0.0, &rows);
    printf("cross-entropy, %s: %08x %08x\n", how, dt_crc32(0, values, sizeof values),
           dt_crc32(0, loss, sizeof loss));
    memcpy(values, inputs, sizeof values);
    dt_cross_entropy.evaluate(values, labels, ROWS, CLASSES, 0.0, &rows);
    print_values("probabilities", how);
}

/* The one known difference between x86-64 and AArch64: base/subnormals.h. */
static void print_edge(void)
{
    volatile float above = 0x1.000002p-63f, below = 0x1.fffffcp-64f;
    const uint64_t before = dt_subnormals_off();
    const float product = above * below;
    volatile float kept = product;
    dt_subnormals_restore(before);
    printf("edge: %a\n", (double)kept);
}

int main(void)
{
    dt_status status = DT_OK;
    bool all_same = true;
    DT_TRY(dt_linalg_choose(DT_ENGINE_OWN));
    for (size_t i = 0; i < pinned_count; i++) {
        bool same = false;
        DT_TRY(run_pinned(&pinned_runs[i], &same));
        all_same = all_same && same;
    }
    fill_inputs();
    print_functions("with subnormal numbers");
    const uint64_t before = dt_subnormals_off();
    print_functions("without subnormal numbers");
    dt_subnormals_restore(before);
    print_edge();
out:
    if (status != DT_OK) {
        (void)fprintf(stderr, "steps: error: %s\n", dt_status_text());
        return (int)status;
    }
    return all_same ? 0 : 1;
}
