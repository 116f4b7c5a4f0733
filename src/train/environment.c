#include "dtrain/train/environment.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/nn/linalg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KERNEL_BYTES = 32 };

static void read_cpu_model(char *out, size_t bytes)
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

static dt_status check_kernels(const dt_comm *comm, const char *kernels)
{
    const size_t size = (size_t)dt_comm_size(comm);
    char mine[KERNEL_BYTES] = "";
    char(*all)[KERNEL_BYTES] = NULL;
    (void)snprintf(mine, sizeof mine, "%s%s", kernels,
                   dt_linalg_has_own_kernels() ? "" : " without AVX2");
    dt_status status = dt_memory_alloc(&all, size, KERNEL_BYTES, "kernel families");
    status = dt_comm_agree(comm, status);
    if (status != DT_OK)
        goto out;
    dt_comm_gather(comm, all, mine, KERNEL_BYTES);
    for (size_t rank = 1; rank < size && status == DT_OK; rank++)
        if (strcmp(all[rank], all[0]) != 0)
            status = dt_fail(DT_USAGE,
                             "BLAS uses %s kernels on rank 0 but %s on rank %zu, and their results "
                             "differ in the last bits; set OPENBLAS_CORETYPE to the lesser of the "
                             "two on all hosts",
                             all[0], all[rank], rank);
out:
    dt_memory_free(all);
    return status;
}

dt_status dt_environment_survey(dt_environment *out, const dt_comm *comm, int threads)
{
    dt_status status = DT_OK;
    *out = (dt_environment){.ranks = dt_comm_size(comm), .threads = threads};
    dt_linalg_init(threads);
    out->blas = dt_linalg_library();
    out->kernels = dt_linalg_kernels();
    out->pinned_below = dt_linalg_pinned_below();
    read_cpu_model(out->cpu, sizeof out->cpu);
    dt_launch_survey(&out->launch, comm);
    DT_TRY(dt_comm_agree(
        comm, dt_memory_alloc(&out->hosts, (size_t)out->ranks, DT_HOST_BYTES, "host names")));
    dt_comm_gather(comm, out->hosts, out->launch.host, DT_HOST_BYTES);
    DT_TRY(check_kernels(comm, out->kernels));
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

void dt_environment_report(const dt_environment *e)
{
    const dt_launch *launch = &e->launch;
    dt_log_say("job        %d rank%s on %d host%s, %d CPU%s here%s\n", e->ranks,
               e->ranks == 1 ? "" : "s", launch->host_count, launch->host_count == 1 ? "" : "s",
               launch->host_cpus, launch->host_cpus == 1 ? "" : "s",
               launch->crowded ? " (fewer than ranks: waiting ranks yield)" : "");
    dt_log_say("BLAS       %s, %s kernels, %d thread%s a rank%s%s%s\n", e->blas, e->kernels,
               e->threads, e->threads == 1 ? "" : "s",
               e->pinned_below != NULL ? "; OPENBLAS_CORETYPE keeps it below " : "",
               e->pinned_below != NULL ? e->pinned_below : "",
               e->pinned_below != NULL ? ", which this CPU has" : "");
    if (e->threads > 1 && e->threads * launch->host_size > launch->host_cpus)
        dt_log_warn("%d ranks with %d BLAS threads each want %d CPUs, and this host has %d; lower "
                    "--threads",
                    launch->host_size, e->threads, e->threads * launch->host_size,
                    launch->host_cpus);
}
