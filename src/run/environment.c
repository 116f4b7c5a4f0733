#include "dtrain/run/environment.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/nn/linalg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Properties that must be the same on all ranks; otherwise their results differ in the last
 * bits. */
typedef struct arithmetic {
    char host[DT_HOST_BYTES];
    char library[64];
    char kernels[32];
    int uses_blas, has_own_kernels;
} arithmetic;

void dt_environment_cpu(char *out, size_t bytes)
{
    (void)snprintf(out, bytes, "unknown");
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[256];
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || colon == NULL)
            continue;
        line[strcspn(line, "\n")] = '\0';
        (void)snprintf(out, bytes, "%s", colon + 2);
        break;
    }
    if (file != NULL)
        (void)fclose(file);
}

/* OpenBLAS chooses its kernels when it is loaded, so the ranks cannot agree on kernels here; the
 * message names the remedy. */
static dt_status fail_kernels(const arithmetic *all, size_t size, size_t rank)
{
    const char **families = NULL;
    dt_status status = dt_memory_alloc(&families, size, sizeof *families, "kernel families");
    if (status != DT_OK)
        return status;
    for (size_t i = 0; i < size; i++)
        families[i] = all[i].kernels;
    const char *common = dt_launch_common_kernels(families, size);
    dt_memory_free(families);
    char advice[128] = "set OPENBLAS_CORETYPE on all hosts to a family that runs on all of them";
    if (common != NULL)
        (void)snprintf(advice, sizeof advice,
                       "set OPENBLAS_CORETYPE=%s on all hosts (mpirun -x OPENBLAS_CORETYPE=%s ...)",
                       common, common);
    return dt_fail(DT_USAGE,
                   "BLAS uses %s kernels on rank 0 (%s) but %s on rank %zu (%s), and their results "
                   "differ in the last bits; %s",
                   all[0].kernels, all[0].host, all[rank].kernels, rank, all[rank].host, advice);
}

static dt_status compare_arithmetic(const arithmetic *all, size_t size)
{
    for (size_t rank = 1; rank < size; rank++) {
        const arithmetic *a = &all[0], *b = &all[rank];
        if (a->uses_blas != b->uses_blas && a->has_own_kernels == b->has_own_kernels)
            return dt_fail(
                DT_USAGE,
                "BLAS computes on rank %zu (%s), dtrain's own kernels on rank %zu (%s), and "
                "their results differ in the last bits; set DTRAIN_ISA on all hosts or on "
                "none (mpirun -x DTRAIN_ISA ...)",
                a->uses_blas ? 0 : rank, a->uses_blas ? a->host : b->host, a->uses_blas ? rank : 0,
                a->uses_blas ? b->host : a->host);
        if (a->uses_blas != b->uses_blas)
            return dt_fail(
                DT_USAGE,
                "the CPU of rank %zu (%s) has no AVX2 with FMA, that of rank %zu (%s) has, "
                "and the results of BLAS and of dtrain's own kernels differ in the last "
                "bits; use hosts of one kind, or set DTRAIN_ISA=portable on all hosts "
                "(slow)",
                a->uses_blas ? 0 : rank, a->uses_blas ? a->host : b->host, a->uses_blas ? rank : 0,
                a->uses_blas ? b->host : a->host);
        if (!a->uses_blas)
            continue;
        if (strcmp(a->library, b->library) != 0)
            return dt_fail(
                DT_USAGE,
                "rank 0 (%s) has %s but rank %zu (%s) has %s, and their results differ in "
                "the last bits; use the same library on all hosts",
                a->host, a->library, rank, b->host, b->library);
        if (strcmp(a->kernels, b->kernels) != 0)
            return fail_kernels(all, size, rank);
    }
    return DT_OK;
}

static dt_status check_arithmetic(const dt_comm *comm, const dt_environment *e)
{
    const size_t size = (size_t)dt_comm_size(comm);
    arithmetic mine = {.uses_blas = dt_linalg_uses_blas(),
                       .has_own_kernels = dt_linalg_has_own_kernels()};
    arithmetic *all = NULL;
    (void)snprintf(mine.host, sizeof mine.host, "%s", e->launch.host);
    (void)snprintf(mine.library, sizeof mine.library, "%s", e->blas);
    (void)snprintf(mine.kernels, sizeof mine.kernels, "%s", e->kernels);
    dt_status status =
        dt_comm_agree(comm, dt_memory_alloc(&all, size, sizeof *all, "kernel families"));
    if (status == DT_OK) {
        dt_comm_allgather(comm, all, &mine, sizeof mine);
        status = dt_comm_agree(comm, compare_arithmetic(all, size));
    }
    dt_memory_free(all);
    return status;
}

dt_status dt_environment_survey(dt_environment *out, const dt_comm *comm, int threads,
                                dt_engine engine)
{
    dt_status status = DT_OK;
    *out = (dt_environment){.ranks = dt_comm_size(comm), .threads = threads};
    DT_TRY(dt_comm_agree(comm, dt_linalg_choose(engine)));
    dt_linalg_init(dt_linalg_uses_blas() ? threads : 1);
    out->isa = dt_linalg_isa();
    out->blas = dt_linalg_library();
    out->kernels = dt_linalg_kernels();
    out->picked = getenv("DTRAIN_BLAS_PICKED");
    if (out->picked != NULL && strcmp(out->picked, out->kernels) == 0)
        out->picked = NULL; /* it did not help */
    out->pinned_below = getenv("DTRAIN_BLAS_PICKED") == NULL ? dt_linalg_pinned_below() : NULL;
    dt_environment_cpu(out->cpu, sizeof out->cpu);
    dt_launch_survey(&out->launch, comm);
    DT_TRY(dt_comm_agree(
        comm, dt_memory_alloc(&out->hosts, (size_t)out->ranks, DT_HOST_BYTES, "host names")));
    dt_comm_allgather(comm, out->hosts, out->launch.host, DT_HOST_BYTES);
    DT_TRY(check_arithmetic(comm, out));
out:
    if (status != DT_OK)
        dt_environment_clear(out);
    return status;
}

void dt_environment_clear(dt_environment *environment)
{
    dt_memory_free(environment->hosts);
    *environment = (dt_environment){0};
}

/* The whole names of the list "A,B,C" that fit in a line. */
static int shown_length(const char *list)
{
    size_t length = strlen(list);
    while (length > 60)
        for (length--; length > 0 && list[length] != ',';)
            length--;
    return (int)length;
}

static void report_kernels(const dt_environment *e)
{
    if (strcmp(e->isa, "blas") != 0)
        dt_log_say("kernels    dtrain's own, %s: the same bits on any CPU; %d thread%s a rank\n",
                   e->isa, e->threads, e->threads == 1 ? "" : "s");
    else
        dt_log_say("BLAS       %s, %s kernels%s%s%s, %d thread%s a rank%s%s%s\n", e->blas,
                   e->kernels, e->picked != NULL ? " instead of " : "",
                   e->picked != NULL ? e->picked : "",
                   e->picked != NULL ? ", since it does not know this CPU" : "", e->threads,
                   e->threads == 1 ? "" : "s",
                   e->pinned_below != NULL ? "; OPENBLAS_CORETYPE keeps it below " : "",
                   e->pinned_below != NULL ? e->pinned_below : "",
                   e->pinned_below != NULL ? ", which this CPU has" : "");
}

void dt_environment_report(const dt_environment *e)
{
    const dt_launch *launch = &e->launch;
    dt_log_say("job        %d rank%s on %d host%s, %d CPU%s here%s\n", e->ranks,
               e->ranks == 1 ? "" : "s", launch->host_count, launch->host_count == 1 ? "" : "s",
               launch->host_cpus, launch->host_cpus == 1 ? "" : "s",
               launch->crowded ? " (fewer than ranks: waiting ranks yield)" : "");
    const int shown = shown_length(launch->left_out);
    if (shown > 0)
        dt_log_say("network    MPI does not use %.*s%s here, which lead%s nowhere\n", shown,
                   launch->left_out, launch->left_out[shown] != '\0' ? " and more" : "",
                   strchr(launch->left_out, ',') == NULL ? "s" : "");
    report_kernels(e);
    if (e->threads > 1 && e->threads * launch->host_size > launch->host_cpus)
        dt_log_warn("%d threads on each of %d rank%s need %d CPUs; this host allows %d. Lower "
                    "--threads, or "
                    "give the ranks more CPUs: mpirun --map-by slot:PE=%d, srun --cpus-per-task=%d",
                    e->threads, launch->host_size, launch->host_size == 1 ? "" : "s",
                    launch->host_size * e->threads, launch->host_cpus, e->threads, e->threads);
}
