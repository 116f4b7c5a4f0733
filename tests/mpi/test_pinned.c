/* Runs whose bits are pinned (support/run.h), with each version of the kernels. */
#include "run_fixture.h"

#include "dtrain/nn/linalg.h"

#include <stdio.h>
#include <stdlib.h>

/* Says what it came to where that is something else. */
static bool comes_to(const pinned *p, const char *isa)
{
    const dt_comm ranks = p->run.sum == DT_SUM_EXACT ? ranks_all() : ranks_alone();
    history h;
    run_train(&h, &ranks, &p->run);
    assert_all_int(h.status, DT_OK);
    const uint32_t loss = run_loss_bits(h.epochs[h.count - 1].train.loss);
    const bool same = h.crc == p->weights && loss == p->loss;
    if (test_rank == 0 && !same)
        print_error("%s, %s: weights 0x%08x, loss 0x%08x\n", p->what, isa, h.crc, loss);
    dt_result_clear(&h.result);
    return same;
}

static void test_runs_come_to_their_bits(void **state)
{
    (void)state;
    static const char *const sets[] = {"avx512", "avx2", "neon", "portable"};
    int tried = 0, wrong = 0;
    for (size_t i = 0; i < pinned_count; i++) {
        run_write_data(&pinned_runs[i].run);
        for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
            assert_all_int(setenv("DTRAIN_ISA", sets[s], 1), 0);
            if (dt_linalg_choose(DT_ENGINE_OWN) != DT_OK)
                continue; /* not on this CPU; all ranks are on one */
            wrong += !comes_to(&pinned_runs[i], sets[s]);
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
