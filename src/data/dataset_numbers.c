/* Which inputs are numbers: from the values of all ranks. */
#include "dtrain/base/memory.h"
#include "dtrain/data/dataset.h"

#include <math.h>

/* Of one input: the largest value, minus the smallest one, and whether one is neither 0 nor 1. */
enum { FACTS = 3 };

static void find_facts(double *facts, const dt_dataset *set)
{
    const size_t rows = dt_dataset_own_rows(set), D = set->D;
    for (size_t d = 0; d < D; d++) {
        facts[d * FACTS] = facts[d * FACTS + 1] = (double)-INFINITY;
        facts[d * FACTS + 2] = 0.0;
    }
    for (size_t i = 0; i < rows; i++)
        for (size_t d = 0; d < D; d++) {
            const float x = set->x[i * D + d];
            double *of = facts + d * FACTS;
            of[0] = fmax(of[0], (double)x);
            of[1] = fmax(of[1], -(double)x);
            if (x < 0.0f || x > 1.0f || (x > 0.0f && x < 1.0f))
                of[2] = 1.0;
        }
}

dt_status dt_dataset_find_numbers(bool *out, const dt_comm *comm, const dt_dataset *set)
{
    dt_status status = DT_OK;
    double *facts = NULL;
    DT_TRY(dt_comm_agree(
        comm, dt_memory_alloc(&facts, set->D, FACTS * sizeof *facts, "kinds of inputs")));
    find_facts(facts, set);
    dt_comm_max_f64(comm, facts, set->D * FACTS);
    for (size_t d = 0; d < set->D; d++)
        out[d] = facts[d * FACTS + 2] > 0.0 &&
                 dt_bins_has_range(-facts[d * FACTS + 1], facts[d * FACTS]);
out:
    dt_memory_free(facts);
    return status;
}
