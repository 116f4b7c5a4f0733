/* Who started this process, with how many others, and whether MPI knows of them. */

#include "launch_internal.h"

#include "../comm_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MPIRUN_BYTES = 256 };

/* The variables in which launchers say how many processes they start. The first that is set counts:
 * dtrain may be started by mpirun in a script that another launcher has started. */
static const struct {
    const char *size, *launcher;
} launchers[] = {
    {"OMPI_COMM_WORLD_SIZE", "mpirun of another Open MPI"},
    {"MV2_COMM_WORLD_SIZE", "mpirun of MVAPICH"},
    {"MVP_COMM_WORLD_SIZE", "mpirun of MVAPICH"},
    {"JSM_NAMESPACE_SIZE", "jsrun"},
    {"PMI_SIZE", "mpiexec of another MPI"},
    {"MPI_LOCALNRANKS", "mpiexec of another MPI"}, /* hydra with a PMI port sets no other */
};

/* What tells the launchers apart that say PMI_SIZE. */
static const struct {
    const char *variable, *launcher;
} marks[] = {
    {"PALS_RANKID", "mpiexec of Cray PALS"},   {"I_MPI_HYDRA_UUID", "mpiexec of Intel MPI"},
    {"I_MPI_INFO_NP", "mpiexec of Intel MPI"}, {"I_MPI_PIN_INFO", "mpiexec of Intel MPI"},
    {"HYDI_CONTROL_FD", "mpiexec of MPICH"},   {"MPI_LOCALNRANKS", "mpiexec of MPICH"},
};

long dt_launch_number_in(const char *variable)
{
    const char *text = getenv(variable);
    return text != NULL ? strtol(text, NULL, 10) : 0;
}

/* ---- Slurm ---- */

/* Whether srun started this process. The batch script, and the shells of salloc and of pam_slurm,
 * have no step or one of those that Slurm numbers from the end: one process, not one a task. */
static bool is_in_step(void)
{
    static const unsigned long first_special = 0xfffffff0UL;
    const char *step = getenv("SLURM_STEP_ID");
    if (step == NULL)
        step = getenv("SLURM_STEPID");
    return step != NULL && strtoul(step, NULL, 10) < first_special;
}

static long tasks_of_step(void)
{
    if (!is_in_step())
        return 1;
    return dt_launch_number_in(getenv("SLURM_STEP_NUM_TASKS") != NULL ? "SLURM_STEP_NUM_TASKS"
                                                                      : "SLURM_NTASKS");
}

void dt_launch_be_alone(void)
{
    static const char *const names[] = {"SLURM_STEP_ID", "SLURM_STEPID", "SLURM_NODELIST",
                                        "PMIX_NAMESPACE", "PMIX_RANK"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        (void)unsetenv(names[i]);
}

dt_status dt_launch_check_script(void)
{
    const long tasks = dt_launch_number_in("SLURM_NTASKS");
    if (tasks < 2 || is_in_step() || dt_launch_is_wired())
        return DT_OK;
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++)
        if (getenv(launchers[i].size) != NULL)
            return DT_OK;
    return dt_fail(DT_USAGE,
                   "this script runs dtrain once, in a Slurm job of %ld tasks; start it with: srun "
                   "--mpi=pmix dtrain ... or: mpirun dtrain ...; for one rank: mpirun -np 1 dtrain",
                   tasks);
}

/* ---- any launcher ---- */

bool dt_launch_spans_hosts(void)
{
    if (getenv("OMPI_COMM_WORLD_SIZE") != NULL)
        return dt_launch_number_in("OMPI_COMM_WORLD_LOCAL_SIZE") <
               dt_launch_number_in("OMPI_COMM_WORLD_SIZE");
    return dt_launch_number_in("SLURM_STEP_NUM_NODES") > 1;
}

bool dt_launch_is_wired(void)
{
    if (getenv("OMPI_COMM_WORLD_SIZE") != NULL)
        return true;
    /* hydra may start its proxies by srun: then PMIx is theirs. */
    if (getenv("PMIX_RANK") != NULL && getenv("MPI_LOCALNRANKS") == NULL)
        return true;
    return (getenv("PMI_RANK") != NULL || getenv("PMI_FD") != NULL) && dt_launch_may_speak_pmi();
}

long dt_launch_rank(void)
{
    /* PMIX_RANK may be that of hydra's proxy. */
    static const char *const ranks[] = {"OMPI_COMM_WORLD_RANK",
                                        "MV2_COMM_WORLD_RANK",
                                        "MVP_COMM_WORLD_RANK",
                                        "JSM_NAMESPACE_RANK",
                                        "PMI_RANK",
                                        "PALS_RANKID",
                                        "PMI_ID",
                                        "MPI_LOCALRANKID",
                                        "PMIX_RANK"};
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++)
        if (getenv(ranks[i]) != NULL)
            return dt_launch_number_in(ranks[i]);
    return is_in_step() ? dt_launch_number_in("SLURM_PROCID") : 0;
}

long dt_launch_size(void)
{
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++)
        if (getenv(launchers[i].size) != NULL)
            return dt_launch_number_in(launchers[i].size);
    return tasks_of_step();
}

bool dt_launch_is_first(void)
{
    return dt_launch_rank() == 0;
}

static dt_status fail_tasks(long tasks)
{
    return dt_fail(
        DT_USAGE,
        "Slurm started %ld tasks here, each alone, since MPI was not wired to them; start "
        "it with: srun --mpi=pmix dtrain ... or: mpirun dtrain ...",
        tasks);
}

static dt_status fail_launcher(const char *launcher, const char *variable, long size)
{
    char mpirun[MPIRUN_BYTES];
    for (size_t i = 0; i < sizeof marks / sizeof *marks && strcmp(variable, "PMI_SIZE") == 0; i++)
        if (getenv(marks[i].variable) != NULL) {
            launcher = marks[i].launcher;
            break;
        }
    if (strcmp(variable, "OMPI_COMM_WORLD_SIZE") == 0 && !dt_launch_is_open_mpi())
        launcher = "mpirun of Open MPI";
    if (!dt_launch_find_mpirun(mpirun, sizeof mpirun))
        (void)snprintf(mpirun, sizeof mpirun, "its mpirun");
    return dt_fail(
        DT_USAGE,
        "%s (%s=%ld) started %ld processes, each alone: dtrain was built with %s; start it "
        "with: %s -np %ld dtrain ...",
        launcher, variable, size, size, dt_comm_library(), mpirun, size);
}

dt_status dt_launch_check_world(int size)
{
    const long tasks = tasks_of_step();
    if (size > 1)
        return DT_OK;
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++) {
        const char *variable = launchers[i].size;
        const long started = dt_launch_number_in(variable);
        if (getenv(variable) == NULL)
            continue;
        if (started < 2) /* one process on purpose */
            return DT_OK;
        const bool is_srun = strcmp(variable, "PMI_SIZE") == 0 && tasks == started &&
                             getenv("MPI_LOCALNRANKS") == NULL;
        return is_srun ? fail_tasks(tasks)
                       : fail_launcher(launchers[i].launcher, variable, started);
    }
    return tasks < 2 ? DT_OK : fail_tasks(tasks);
}
