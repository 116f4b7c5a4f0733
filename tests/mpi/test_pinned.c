/*
 * The bits of some runs, pinned: whatever the CPU, the kernels, the threads and the number of ranks,
 * they come to these weights. A commit that changes one says so, and why.
 */
#include "run_fixture.h"

#include "dtrain/nn/linalg.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct pinned {
    const char *what;
    run run;
    uint32_t weights,
        loss; /* CRC-32 of the weights; the bits of the last training loss in float32 */
} pinned;

#define ROWS                                                                                       \
    {                                                                                              \
        400, 100, 60                                                                               \
    }

static const pinned runs[] = {
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
};

static uint32_t bits_of(double loss)
{
    const float rounded = (float)loss;
    uint32_t bits;
    memcpy(&bits, &rounded, sizeof bits);
    return bits;
}

/* Says what it came to where that is something else. */
static bool comes_to(const pinned *p, const char *isa)
{
    const dt_comm all = ranks_all();
    history h;
    run_train(&h, &all, &p->run);
    assert_all_int(h.status, DT_OK);
    const uint32_t loss = bits_of(h.epochs[h.count - 1].train.loss);
    const bool same = h.crc == p->weights && loss == p->loss;
    if (test_rank == 0 && !same)
        print_error("%s, %s: weights 0x%08x, loss 0x%08x\n", p->what, isa, h.crc, loss);
    dt_result_clear(&h.result);
    return same;
}

static void test_runs_come_to_their_bits(void **state)
{
    (void)state;
    static const char *const sets[] = {"avx512", "avx2", "portable"};
    int tried = 0, wrong = 0;
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        run_write_data(&runs[i].run);
        for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
            assert_all_int(setenv("DTRAIN_ISA", sets[s], 1), 0);
            if (dt_linalg_choose(DT_ENGINE_OWN) != DT_OK)
                continue; /* not on this CPU; all ranks are on one */
            wrong += !comes_to(&runs[i], sets[s]);
            tried++;
        }
    }
    assert_all_int(unsetenv("DTRAIN_ISA"), 0);
    assert_all_int(dt_linalg_choose(DT_ENGINE_AUTO), DT_OK);
    assert_all(tried > 0);
    assert_all_int(wrong, 0);
}

static const struct CMUnitTest tests[] = {with_folder(test_runs_come_to_their_bits)};

MPI_SUITE(test_pinned, tests);
