#include "kernels.h"

#include "with_cmocka.h"

#include "dtrain/base/random.h"
#include "dtrain/nn/linalg.h"

#include <stdlib.h>

size_t find_own_kernels(const dt_kernels *found[OWN_KERNELS])
{
    static const char *const names[OWN_KERNELS] = {"avx512", "avx2", "neon", "portable"};
    size_t count = 0;
    for (size_t i = 0; i < OWN_KERNELS; i++) {
        assert_int_equal(setenv("DTRAIN_ISA", names[i], 1), 0);
        if (dt_linalg_choose(DT_ENGINE_OWN) == DT_OK)
            found[count++] = dt_kernels_chosen();
    }
    assert_int_equal(unsetenv("DTRAIN_ISA"), 0);
    assert_true(count >= 1);
    return count;
}

float *draw_numbers(size_t count, uint64_t seed)
{
    float *data = aligned_alloc(64, (count * sizeof *data + 127) / 64 * 64);
    dt_random random = dt_random_start(seed, DT_RANDOM_EXAMPLE, count);
    assert_non_null(data);
    for (size_t i = 0; i < count; i++)
        data[i] = (float)dt_random_normal(&random);
    return data;
}
