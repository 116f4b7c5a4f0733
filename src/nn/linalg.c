#include "dtrain/nn/linalg.h"

#include "linalg_internal.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* OpenBLAS's own calls, absent from other libraries with the same cblas.h: NULL there. OpenBLAS's
 * header declares them too, but not as weak.
 * NOLINTBEGIN(readability-redundant-declaration) */
extern void openblas_set_num_threads(int threads) __attribute__((weak));
extern char *openblas_get_corename(void) __attribute__((weak));
extern char *openblas_get_config(void) __attribute__((weak));
/* NOLINTEND(readability-redundant-declaration) */

void dt_linalg_init(int threads)
{
    if (openblas_set_num_threads != NULL)
        openblas_set_num_threads(threads);
}

const char *dt_linalg_kernels(void)
{
    return openblas_get_corename != NULL ? openblas_get_corename() : "unknown";
}

/* "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ...": the length of the first two words */
static size_t name_length(const char *config)
{
    const size_t first = strcspn(config, " ");
    return config[first] == ' ' ? first + 1 + strcspn(config + first + 1, " ") : first;
}

const char *dt_linalg_library_options(void)
{
    if (openblas_get_config == NULL)
        return "";
    const char *options = openblas_get_config();
    options += name_length(options);
    return options + strspn(options, " ");
}

const char *dt_linalg_library(void)
{
    static char name[64];
    if (openblas_get_config == NULL)
        return "BLAS";
    const char *config = openblas_get_config();
    (void)snprintf(name, sizeof name, "%.*s", (int)name_length(config), config);
    return name;
}

const char *dt_linalg_better_kernels(const char *kernels)
{
#if defined(__x86_64__)
    static const char *const wide[] = {"SkylakeX", "Cooperlake", "SapphireRapids"};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (strcmp(kernels, wide[i]) == 0)
            return NULL;
    if (openblas_get_config == NULL || strstr(openblas_get_config(), "DYNAMIC_ARCH") == NULL)
        return NULL; /* another library, or one that has no other kernels */
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        return "SkylakeX";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        strcmp(kernels, "Haswell") != 0 && strcmp(kernels, "Zen") != 0)
        return "Haswell";
#else
    (void)kernels;
#endif
    return NULL;
}

const char *dt_linalg_pinned_below(void)
{
    return getenv("OPENBLAS_CORETYPE") != NULL ? dt_linalg_better_kernels(dt_linalg_kernels())
                                               : NULL;
}

/* ---- the kernels of products ---- */

static const dt_kernels *chosen;

/* In order of preference; all but BLAS give the same bits. */
static const dt_kernels *const all[] = {&dt_kernels_avx512, &dt_kernels_avx2, &dt_kernels_neon,
                                        &dt_kernels_portable, &dt_kernels_blas};
static const char names[] = "avx512, avx2, neon, portable or blas"; /* of all */
enum { ALL = sizeof all / sizeof *all };

static bool runs(const dt_kernels *kernels)
{
    if (kernels->multiply == NULL) /* not compiled for this architecture */
        return false;
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (kernels == &dt_kernels_avx512)
        return has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
    if (kernels == &dt_kernels_avx2)
        return has_avx2;
#endif
    return true;
}

bool dt_linalg_has_own_kernels(void)
{
#if defined(__x86_64__)
    return runs(&dt_kernels_avx2);
#else
    return true;
#endif
}

/* The portable ones run anywhere. */
static const dt_kernels *widest(void)
{
    size_t i = 0;
    while (!runs(all[i]))
        i++;
    return all[i];
}

/* The kernels of DTRAIN_ISA; NULL if it is not set. */
static dt_status find_named(const dt_kernels **out)
{
    const char *name = getenv("DTRAIN_ISA");
    *out = NULL;
    for (size_t i = 0; name != NULL && i < ALL; i++)
        if (strcmp(name, all[i]->name) == 0)
            *out = all[i];
    if (name == NULL || (*out != NULL && runs(*out)))
        return DT_OK;
    if (*out != NULL)
        return dt_fail(DT_USAGE,
                       "DTRAIN_ISA=%s: this CPU does not have it; unset it, or choose another",
                       name);
    return dt_fail(DT_USAGE, "DTRAIN_ISA=%.40s: expected %s", name, names);
}

dt_status dt_linalg_choose(dt_engine engine)
{
    dt_status status = DT_OK;
    const dt_kernels *named = NULL;
    DT_TRY(find_named(&named));
    if (named != NULL && engine != DT_ENGINE_AUTO &&
        (engine == DT_ENGINE_BLAS) != (named == &dt_kernels_blas))
        DT_TRY(dt_fail(DT_USAGE, "--engine %s, but DTRAIN_ISA=%s; leave one of them out",
                       engine == DT_ENGINE_BLAS ? "blas" : "own", named->name));
    if (named != NULL)
        chosen = named;
    else if (engine == DT_ENGINE_BLAS || (engine == DT_ENGINE_AUTO && !dt_linalg_has_own_kernels()))
        chosen = &dt_kernels_blas;
    else
        chosen = widest();
out:
    return status;
}

const dt_kernels *dt_kernels_chosen(void)
{
    if (chosen == NULL && dt_linalg_choose(DT_ENGINE_AUTO) != DT_OK)
        chosen = widest();
    return chosen;
}

const char *dt_linalg_isa(void)
{
    return dt_kernels_chosen()->name;
}

bool dt_linalg_uses_blas(void)
{
    return dt_kernels_chosen() == &dt_kernels_blas;
}
